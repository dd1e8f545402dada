//! What is outside of a cluster: an image registry, over HTTPS with an authority of its own, a hub of files as Hugging Face has it, and
//! buckets as S3 has them. They are stand-ins that know one image, one model, and models that cannot be had (`broken.rs`). They listen
//! where pods reach this machine.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_server::tls_rustls::RustlsConfig;
use reeve_oci::hex;
use serde_json::json;
use tokio::task::JoinHandle;

use super::broken;
use super::tiny::{CORPUS, FILE, MODEL, REPOSITORY, TAG};
use crate::in_pods::Made;

/// What the files of the model are now.
const COMMIT: &str = "c0ffee0000000000000000000000000000000000";

type Log = Arc<Mutex<Vec<String>>>;

/// All of it. They end with the value.
pub(super) struct Outside {
    registry: SocketAddr,
    hub: SocketAddr,
    buckets: SocketAddr,
    of_registry: Log,
    of_hub: Log,
    tasks: [JoinHandle<()>; 3],
}

impl Outside {
    pub(super) async fn start(machine: IpAddr, certificate: &Made) -> Result<Self> {
        let (of_registry, of_hub) = (Log::default(), Log::default());
        let tls = RustlsConfig::from_pem(
            certificate.certificate.clone().into_bytes(),
            certificate.key.clone().into_bytes(),
        );
        let tls = tls.await.context("reading the registry's certificate")?;
        let listener =
            std::net::TcpListener::bind((machine, 0)).context("listening where pods reach this machine")?;
        listener.set_nonblocking(true)?;
        let registry = listener.local_addr()?;
        let router = router(of_registry.clone(), answer_of_registry);
        let server = axum_server::from_tcp_rustls(listener, tls)?;
        let of_images = tokio::spawn(async move {
            let _ = server.serve(router.into_make_service()).await;
        });
        let (hub, of_files) = plain(machine, of_hub.clone(), answer_of_hub).await?;
        let (buckets, of_objects) = plain(machine, Log::default(), broken::of_bucket).await?;
        Ok(Self {
            registry,
            hub,
            buckets,
            of_registry,
            of_hub,
            tasks: [of_images, of_files, of_objects],
        })
    }

    /// What is asked in the place of the registry.
    pub(super) fn registry(&self) -> String {
        format!("https://{}", self.registry)
    }

    /// The value of `HF_ENDPOINT`.
    pub(super) fn hub(&self) -> String {
        format!("http://{}", self.hub)
    }

    /// The value of `AWS_ENDPOINT_URL`.
    pub(super) fn buckets(&self) -> String {
        format!("http://{}", self.buckets)
    }

    pub(super) fn asked_of_the_registry(&self) -> Vec<String> {
        asked(&self.of_registry)
    }

    pub(super) fn asked_of_the_hub(&self) -> Vec<String> {
        asked(&self.of_hub)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn asked(log: &Log) -> Vec<String> {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Serves over plain HTTP.
async fn plain(
    machine: IpAddr,
    log: Log,
    answer: fn(&str) -> Response,
) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = tokio::net::TcpListener::bind((machine, 0)).await?;
    let address = listener.local_addr()?;
    let router = router(log, answer);
    let task = tokio::spawn(async move {
        let _ = axum::serve(listener, router).await;
    });
    Ok((address, task))
}

fn router(log: Log, answer: fn(&str) -> Response) -> Router {
    Router::new().fallback(move |request: Request| {
        let path = request.uri().path().to_owned();
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(path.clone());
        async move {
            if broken::hangs(&path) {
                std::future::pending::<()>().await;
            }
            answer(&path)
        }
    })
}

fn answer_of_registry(path: &str) -> Response {
    let labels = json!({
        "com.amd.aim.model.canonicalName": MODEL,
        "com.amd.aim.model.recommendedDeployments": "{'metric': 'latency', 'precision': 'fp16'}",
    });
    let config = json!({"config": {"Labels": labels}}).to_string();
    let digest = format!("sha256:{}", hex(config.as_bytes()));
    let image = format!("/v2/{REPOSITORY}");
    match path.strip_prefix(&image) {
        Some(rest) if rest == format!("/manifests/{TAG}") => {
            json!({"config": {"digest": digest}}).to_string().into_response()
        }
        Some(rest) if rest == format!("/blobs/{digest}") => config.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer_of_hub(path: &str) -> Response {
    if path == format!("/api/models/{MODEL}/revision/main") {
        let lfs = json!({"sha256": hex(CORPUS.as_bytes()), "size": CORPUS.len()});
        let file = json!({"rfilename": FILE, "size": CORPUS.len(), "lfs": lfs});
        let body = json!({"sha": COMMIT, "siblings": [file]}).to_string();
        return ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    if path == format!("/{MODEL}/resolve/{COMMIT}/{FILE}") {
        return ([(header::ETAG, "\"1\"")], CORPUS).into_response();
    }
    broken::of_hub(path)
}
