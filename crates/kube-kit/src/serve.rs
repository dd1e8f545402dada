//! `/healthz`, `/readyz` and `/metrics` over HTTPS.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use reeve_https::metrics::{self, text_of};
use reeve_https::{Certificate, CertificateMetrics, MetricsAccess, Pair, certificate};

pub use reeve_https::CertificateFiles;

/// What is still missing for readiness, by part. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<RwLock<Parts>>);

#[derive(Debug, Default)]
struct Parts {
    missing: BTreeMap<&'static str, Option<String>>,
    standing_by: bool,
}

impl Readiness {
    /// A part that is ready.
    pub fn ready(&self, part: &'static str) {
        self.write().missing.insert(part, None);
    }

    /// A part that is not, and why.
    pub fn missing(&self, part: &'static str, why: impl Into<String>) {
        self.write().missing.insert(part, Some(why.into()));
    }

    /// Whether this process waits for another to give up the lead. One that does is ready for it: nothing it has not begun is
    /// missing, and a rollout that waits for it to become ready must not wait for the leader's end.
    pub fn stand_by(&self, waiting: bool) {
        self.write().standing_by = waiting;
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Parts> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// `part: why` for everything that is missing.
    pub fn report(&self) -> Vec<String> {
        let parts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if parts.standing_by {
            return Vec::new();
        }
        parts
            .missing
            .iter()
            .filter_map(|(part, why)| why.as_ref().map(|why| format!("{part}: {why}")))
            .collect()
    }
}

/// A listener that is bound, and the certificate it shows.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    certificate: Certificate,
    access: MetricsAccess,
}

/// The listener could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CannotListen {
    /// The address is taken or not ours.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate for `{address}`")]
    Certificate {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// The certificate was not accepted.
    #[error("cannot use the certificate for `{address}`")]
    Tls {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Listener {
    /// Binds, with a certificate of its own making that lives as long as the process.
    ///
    /// # Errors
    /// [`CannotListen`].
    pub async fn bind(address: SocketAddr) -> Result<Self, CannotListen> {
        let names = vec!["localhost".to_owned(), address.ip().to_string()];
        let pair =
            Pair::self_signed(names).map_err(|source| CannotListen::Certificate { address, source })?;
        Self::with(address, Certificate::fixed(pair).await)
    }

    /// The same with a given certificate, which is read again when it changes, without a restart.
    ///
    /// # Errors
    /// [`CannotListen`].
    pub async fn bind_with(address: SocketAddr, files: CertificateFiles) -> Result<Self, CannotListen> {
        Self::with(address, Certificate::of(files).await)
    }

    fn with(address: SocketAddr, certificate: io::Result<Certificate>) -> Result<Self, CannotListen> {
        let bind = |source| CannotListen::Bind { address, source };
        let certificate = certificate.map_err(|source| CannotListen::Tls { address, source })?;
        let listener = TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        Ok(Self {
            listener,
            certificate,
            access: MetricsAccess::anybody(),
        })
    }

    /// Shows metrics only to who has a token of the cluster that may `get` the path `/metrics`: the API server is asked by
    /// TokenReview and SubjectAccessReview.
    #[must_use]
    pub fn authorizing_metrics(self, client: kube::Client) -> Self {
        Self {
            access: MetricsAccess::of_cluster(client),
            ..self
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The certificate in PEM, for those who want to check it.
    pub fn certificate(&self) -> String {
        String::from_utf8_lossy(self.certificate.shown().certificate()).into_owned()
    }

    /// Serves until dropped. The registry also gets what is counted of the certificate.
    ///
    /// # Errors
    /// What the system says.
    pub async fn serve(self, readiness: Readiness, registry: Registry) -> io::Result<()> {
        self.serve_looking(readiness, registry, certificate::EVERY).await
    }

    /// The same, with so long between two looks at the certificate's files.
    ///
    /// # Errors
    /// As [`Listener::serve`].
    pub async fn serve_looking(
        self,
        readiness: Readiness,
        mut registry: Registry,
        every: Duration,
    ) -> io::Result<()> {
        let counted = CertificateMetrics::default();
        counted.register(&mut registry);
        let certificate = self.certificate.counted_in(counted);
        let router = Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(readyz))
            .with_state(readiness)
            .merge(metrics::router(self.access, move || text_of(&registry)));
        let serving = axum_server::from_tcp_rustls(self.listener, certificate.config())?;
        tokio::select! {
            ended = serving.serve(router.into_make_service()) => ended,
            () = certificate.renew(every) => Ok(()),
        }
    }
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    let missing = readiness.report();
    if missing.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
    }
}
