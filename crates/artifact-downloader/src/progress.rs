//! How far the download is: in the status of its artifact, where it has one, and in the log. What cannot be told stops nothing.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reeve_types::ErrorChain;
use reqwest::{Certificate, Client, header};
use serde_json::{Value, json};
use url::Url;

use crate::args::Args;

/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Under which name the status is written.
const MANAGER: &str = "aim-artifact-downloader";

/// How far it is.
#[derive(Debug)]
pub(crate) struct Progress {
    there: AtomicU64,
    total: u64,
    status: Option<Status>,
}

/// The artifact's status.
#[derive(Debug)]
struct Status {
    client: Client,
    url: Url,
    token: PathBuf,
}

impl Progress {
    /// Of so many bytes. Without an artifact, an account or an API server it is told in the log alone.
    pub(crate) async fn new(arguments: &Args, total: u64) -> Self {
        let status = match Status::new(arguments).await {
            Ok(status) => status,
            Err(why) => {
                say(&format!("progress is not told in a status: {why}"));
                None
            }
        };
        Self {
            there: AtomicU64::new(0),
            total,
            status,
        }
    }

    pub(crate) fn set(&self, there: u64) {
        self.there.store(there, Ordering::Relaxed);
    }

    /// A line of the log.
    pub(crate) fn note(&self, line: &str) {
        say(line);
    }

    /// Tells how far it is, again and again, until dropped.
    pub(crate) async fn keep_telling(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            self.tell(&self.now()).await;
        }
    }

    /// As long as files are being downloaded it is not more than 99.
    fn now(&self) -> Value {
        let there = self.there.load(Ordering::Relaxed).min(self.total);
        let percentage = there
            .saturating_mul(100)
            .checked_div(self.total)
            .unwrap_or(0)
            .min(99);
        json!({"progress": progress(self.total, there, percentage)})
    }

    /// All of it is there, and is being looked at.
    pub(crate) async fn verifying(&self) {
        let status = json!({
            "progress": progress(self.total, self.total, 100),
            "download": {"message": "Verifying integrity..."},
        });
        self.tell(&status).await;
    }

    /// It begins.
    pub(crate) async fn begins(&self, protocol: &str) {
        let status = json!({"download": {
            "protocol": protocol, "attempt": 1, "totalAttempts": 1, "protocolSequence": protocol,
            "message": format!("Downloading with {protocol}"),
        }});
        self.tell(&status).await;
    }

    /// It ended, well or badly.
    pub(crate) async fn ends(&self, message: &str) {
        self.tell(&json!({"download": {"message": message}})).await;
    }

    async fn tell(&self, status: &Value) {
        let Some(to) = &self.status else { return };
        if let Err(why) = to.patch(status).await {
            say(&format!("the status cannot be written: {why}"));
        }
    }
}

fn progress(total: u64, there: u64, percentage: u64) -> Value {
    json!({
        "totalBytes": total, "downloadedBytes": there, "percentage": percentage,
        "displayPercentage": format!("{percentage} %"),
    })
}

impl Status {
    async fn new(arguments: &Args) -> Result<Option<Self>, String> {
        let (Some(name), Some(namespace)) = (&arguments.artifact_name, &arguments.artifact_namespace) else {
            return Ok(None);
        };
        let own = arguments
            .kubernetes_service_host
            .as_ref()
            .zip(arguments.kubernetes_service_port.as_ref());
        let own = own.map(|(host, port)| match host.contains(':') {
            true => format!("https://[{host}]:{port}"),
            false => format!("https://{host}:{port}"),
        });
        let url = match (&arguments.kubernetes_url, own) {
            (Some(url), _) => url.clone(),
            (None, Some(own)) => own
                .parse()
                .map_err(|_| "the pod's API server has no address".to_owned())?,
            (None, None) => return Err("there is no API server".to_owned()),
        };
        let mut url = url;
        if let Ok(mut path) = url.path_segments_mut() {
            let group = ["apis", "aim.eai.amd.com", "v1alpha1", "namespaces", namespace];
            path.pop_if_empty()
                .extend(group)
                .extend(["aimartifacts", name, "status"]);
        }
        url.set_query(Some(&format!("fieldManager={MANAGER}")));
        let folder = &arguments.service_account_dir;
        let mut builder = Client::builder().no_proxy().timeout(PATIENCE);
        if url.scheme() == "https" {
            let authority = tokio::fs::read(folder.join("ca.crt")).await;
            let authority = authority.map_err(|error| format!("its authority cannot be read: {error}"))?;
            let authorities =
                Certificate::from_pem_bundle(&authority).map_err(|error| ErrorChain(&error).to_string())?;
            builder = builder.tls_certs_only(authorities);
        }
        let client = builder.build().map_err(|error| ErrorChain(&error).to_string())?;
        Ok(Some(Self {
            client,
            url,
            token: folder.join("token"),
        }))
    }

    /// The token is read each time: the kubelet renews it.
    async fn patch(&self, status: &Value) -> Result<(), String> {
        let token = tokio::fs::read_to_string(&self.token).await;
        let token = token.map_err(|error| format!("the token cannot be read: {error}"))?;
        let request = self
            .client
            .patch(self.url.clone())
            .header(header::CONTENT_TYPE, "application/merge-patch+json")
            .bearer_auth(token.trim())
            .body(json!({"status": status}).to_string());
        let answer = request
            .send()
            .await
            .map_err(|error| ErrorChain(&error).to_string())?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the API server answered {}", status.as_u16())),
        }
    }
}

/// A line of the log.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
