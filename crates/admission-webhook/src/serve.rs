//! The HTTPS side: bounds, routes, answers.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use axum::body::Bytes;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use prometheus_client::registry::Registry;
use reeve_admission::webhooks::{MUTATE_PATH, VALIDATE_PATH};
use reeve_https::certificate::EVERY;
use reeve_https::{Certificate, CertificateFiles, CertificateMetrics, MetricsAccess, metrics};
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;

use crate::args::Args;
use crate::cluster::Cluster;
use crate::review::{Asked, allowed, refused};
use crate::verdict::Rules;

/// The largest question: the object and the one before it, each as large as the API server's database takes, as JSON.
pub const MAX_BODY: usize = 8 << 20;
/// How many questions are answered at a time; others wait. The product with [`MAX_BODY`] bounds the memory.
const AT_ONCE: usize = 32;
/// How long one may take, waiting included; the API server gives up after a little more.
const PATIENCE: Duration = Duration::from_secs(9);
/// How long the head of a request may take to arrive, and how often a silent peer of HTTP/2 is asked whether it is there.
const HEAD: Duration = Duration::from_secs(30);
/// How long open requests may go on after the signal to end.
const GRACE: Duration = Duration::from_secs(10);

/// What answers.
#[derive(Clone)]
pub struct Webhook {
    cluster: Cluster,
    rules: Rules,
}

impl Webhook {
    /// Answers by these rules, and by what is read from this cluster.
    pub fn new(cluster: Cluster, rules: Rules) -> Self {
        Self { cluster, rules }
    }

    /// The routes, with their bounds.
    pub fn router(self) -> Router {
        let bounds = ServiceBuilder::new()
            .layer(HandleErrorLayer::new(async |error: tower::BoxError| {
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("not answered in time: {error}\n"),
                )
            }))
            .layer(TimeoutLayer::new(PATIENCE))
            .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE));
        Router::new()
            .route(VALIDATE_PATH, post(validate))
            .route(MUTATE_PATH, post(mutate))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .layer(bounds)
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(readyz))
            .with_state(self)
    }

    /// Serves until the handle ends it, and the route of the metrics beside the questions, where there is one.
    ///
    /// # Errors
    /// What the system says.
    pub async fn serve(
        self,
        listener: TcpListener,
        certificate: RustlsConfig,
        handle: Handle<SocketAddr>,
        metrics: Option<Router>,
    ) -> std::io::Result<()> {
        let mut server = axum_server::from_tcp_rustls(listener, certificate)?.handle(handle);
        let http = server.http_builder();
        http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(HEAD)
            .keep_alive_timeout(HEAD)
            .max_concurrent_streams(u32::try_from(AT_ONCE).unwrap_or(u32::MAX));
        let router = self.router().merge(metrics.unwrap_or_default());
        server.serve(router.into_make_service()).await
    }
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start, or the system ends it.
pub async fn run(arguments: &Args) -> anyhow::Result<()> {
    // Only the first call in a process has an effect, and there is no other provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = client(arguments).await?;
    let (mut registry, counted) = (Registry::with_prefix("reeve"), CertificateMetrics::default());
    counted.register(&mut registry);
    let files = CertificateFiles::new(&arguments.tls_certificate, &arguments.tls_key);
    let certificate = Certificate::of(files)
        .await
        .with_context(|| {
            format!(
                "cannot use the certificate `{}`",
                arguments.tls_certificate.display()
            )
        })?
        .counted_in(counted);
    let metrics = arguments.authorize_metrics.then(|| {
        let access = MetricsAccess::of_cluster(client.clone());
        metrics::router(access, move || metrics::text_of(&registry))
    });
    let listener = TcpListener::bind(arguments.listen)
        .with_context(|| format!("cannot listen on `{}`", arguments.listen))?;
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    let ending = handle.clone();
    let config = certificate.config();
    tokio::spawn(certificate.renew(EVERY));
    tokio::spawn(async move {
        end_on_signal().await;
        ending.graceful_shutdown(Some(GRACE));
    });
    tracing::info!(address = %arguments.listen, "serving");
    Webhook::new(Cluster::new(client), Rules::default())
        .serve(listener, config, handle, metrics)
        .await
        .context("cannot serve")
}

async fn client(arguments: &Args) -> anyhow::Result<kube::Client> {
    let config = match &arguments.kubeconfig {
        Some(file) => {
            let read = kube::config::Kubeconfig::read_from(file)
                .with_context(|| format!("cannot use the kubeconfig `{}`", file.display()))?;
            kube::Config::from_custom_kubeconfig(read, &kube::config::KubeConfigOptions::default()).await?
        }
        None => kube::Config::infer().await.context("no cluster is named")?,
    };
    kube::Client::try_from(config).context("cannot make a client of the API server")
}

async fn end_on_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

async fn readyz(State(webhook): State<Webhook>) -> Response {
    match webhook.cluster.check().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

async fn validate(State(webhook): State<Webhook>, body: Bytes) -> Response {
    answer(&webhook, &body, |uid, request| {
        match webhook.rules.refusal(request) {
            None => allowed(uid, None),
            Some(check) => {
                tracing::info!(
                    check = check.id,
                    user = request.user.username,
                    kind = request.kind(),
                    "refused"
                );
                refused(uid, check, &request.user.username)
            }
        }
    })
    .await
}

async fn mutate(State(webhook): State<Webhook>, body: Bytes) -> Response {
    answer(&webhook, &body, |uid, request| {
        allowed(uid, webhook.rules.patch(request).as_ref())
    })
    .await
}

/// A question that is not understood, or whose circumstances cannot be read, gets no answer that the API server could take for a
/// yes: it then refuses.
async fn answer(
    webhook: &Webhook,
    body: &[u8],
    decide: impl FnOnce(&str, &reeve_admission::Request) -> serde_json::Value,
) -> Response {
    let asked = match Asked::read(body) {
        Ok(asked) => asked,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let beside = match webhook.cluster.beside(&asked).await {
        Ok(beside) => beside,
        Err(error) => {
            tracing::error!(
                error = %error,
                cause = std::error::Error::source(&error).map(ToString::to_string),
                "a request could not be judged, and is refused"
            );
            return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
        }
    };
    let uid = asked.uid.clone();
    match asked.request(beside) {
        Ok(request) => Json(decide(&uid, &request)).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    /// A webhook whose API server is not there.
    fn unreachable() -> Router {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config = kube::Config::new("https://127.0.0.1:1".parse().unwrap());
        let client = kube::Client::try_from(config).unwrap();
        Webhook::new(Cluster::new(client), Rules::default()).router()
    }

    async fn status(path: &str, body: Vec<u8>) -> StatusCode {
        let request = Request::post(path).body(Body::from(body)).unwrap();
        unreachable().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn what_cannot_be_judged_is_no_yes() {
        let review = serde_json::json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u-1", "kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": "team", "userInfo": {},
            "object": {"kind": "Pod"}}});
        let review = serde_json::to_vec(&review).unwrap();
        for path in [VALIDATE_PATH, MUTATE_PATH] {
            assert_eq!(status(path, b"nonsense".to_vec()).await, StatusCode::BAD_REQUEST);
            assert_eq!(
                status(path, vec![b' '; MAX_BODY + 1]).await,
                StatusCode::PAYLOAD_TOO_LARGE
            );
            assert_eq!(
                status(path, review.clone()).await,
                StatusCode::INTERNAL_SERVER_ERROR
            );
        }
    }
}
