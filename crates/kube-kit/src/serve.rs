//! `/healthz`, `/readyz` and `/metrics` over HTTPS.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum_server::tls_rustls::RustlsConfig;
use prometheus_client::registry::Registry;

/// What is still missing for readiness, by part. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<RwLock<BTreeMap<&'static str, Option<String>>>>);

impl Readiness {
    /// A part that is ready.
    pub fn ready(&self, part: &'static str) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, None);
    }

    /// A part that is not, and why.
    pub fn missing(&self, part: &'static str, why: impl Into<String>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, Some(why.into()));
    }

    /// `part: why` for everything that is missing.
    pub fn report(&self) -> Vec<String> {
        let parts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        parts
            .iter()
            .filter_map(|(part, why)| why.as_ref().map(|why| format!("{part}: {why}")))
            .collect()
    }
}

#[derive(Clone)]
struct Shared {
    readiness: Readiness,
    registry: Arc<Registry>,
}

/// A listener that is bound, and the certificate it shows.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    config: RustlsConfig,
    certificate: String,
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
    #[error("cannot use the certificate made for `{address}`")]
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
        let bind = |source| CannotListen::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let names = vec!["localhost".to_owned(), address.ip().to_string()];
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|source| CannotListen::Certificate { address, source })?;
        let certificate = made.cert.pem();
        let config = RustlsConfig::from_pem(
            certificate.clone().into_bytes(),
            made.signing_key.serialize_pem().into_bytes(),
        )
        .await
        .map_err(|source| CannotListen::Tls { address, source })?;
        Ok(Self {
            listener,
            config,
            certificate,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The certificate in PEM, for those who want to check it.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Serves until dropped.
    ///
    /// # Errors
    /// What the system says.
    pub async fn serve(self, readiness: Readiness, registry: Arc<Registry>) -> io::Result<()> {
        let router = Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(Shared { readiness, registry });
        axum_server::from_tcp_rustls(self.listener, self.config)?
            .serve(router.into_make_service())
            .await
    }
}

async fn readyz(State(shared): State<Shared>) -> impl IntoResponse {
    let missing = shared.readiness.report();
    if missing.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
    }
}

async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &shared.registry) {
        Ok(()) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        ),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain")],
            "cannot encode metrics\n".to_owned(),
        ),
    }
}
