//! HTTPS to the control plane.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use reeve_link::{
    ClusterDeleted, Hello, LINE_BYTES, PATH_PREFIX, ServerMessage, StatusReport, TokenResponse,
};
use reeve_types::{ClusterId, Secret};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::io::StreamReader;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);
/// How long a server may ask to wait.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// What can go wrong on the way.
#[derive(Debug, thiserror::Error)]
pub enum LinkFailed {
    /// The client could not be made.
    #[error("cannot use the certificate authority of the control plane")]
    Setup(#[source] reqwest::Error),
    /// No answer.
    #[error("cannot {what} at the control plane")]
    Unreachable {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
    /// A refusal.
    #[error("the control plane refused to {what}: {status}: {message}")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// More than it takes at once.
    #[error("the control plane asks to {what} again after {} s", .wait.as_secs())]
    TooMany {
        /// What was tried.
        what: &'static str,
        /// When to try again.
        wait: Duration,
    },
    /// The secret could not be read.
    #[error("cannot read the link secret in `{}`", .file.display())]
    Secret {
        /// Where it is to be.
        file: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The cluster was deleted there: the answer to its right secret, from the control plane whose certificate we trust.
    #[error("the control plane says that this cluster was deleted there")]
    Deleted,
    /// The stream ended or broke.
    #[error("the stream of the control plane ended: {0}")]
    Ended(String),
    /// Something that makes no sense.
    #[error("the control plane sent what cannot be read: {0}")]
    Unreadable(String),
    /// The other end speaks for another cluster, or another protocol.
    #[error("the control plane answered for {0}")]
    Stranger(String),
}

/// Speaks to one control plane as one cluster.
pub struct LinkClient {
    http: reqwest::Client,
    base: String,
    cluster: ClusterId,
    secret_file: PathBuf,
    token: Mutex<Option<(Secret, Instant)>>,
}

impl LinkClient {
    /// Makes a client. `ca` in PEM is trusted alone; without it the system's authorities are. The secret is read for each token,
    /// so that a new one needs no restart.
    ///
    /// # Errors
    /// [`LinkFailed::Setup`].
    pub fn new(
        url: &str,
        ca: Option<&[u8]>,
        cluster: ClusterId,
        secret_file: PathBuf,
    ) -> Result<Self, LinkFailed> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .http2_keep_alive_timeout(Duration::from_secs(10))
            // A redirect would carry the cluster's secret to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            .https_only(true);
        if let Some(pem) = ca {
            builder = builder
                .tls_certs_only(reqwest::Certificate::from_pem_bundle(pem).map_err(LinkFailed::Setup)?);
        }
        let http = builder.build().map_err(LinkFailed::Setup)?;
        let base = format!("{}{PATH_PREFIX}", url.trim_end_matches('/'));
        Ok(Self {
            http,
            base,
            cluster,
            secret_file,
            token: Mutex::new(None),
        })
    }

    /// The cluster it speaks for.
    pub const fn cluster(&self) -> ClusterId {
        self.cluster
    }

    async fn token(&self) -> Result<Secret, LinkFailed> {
        const WHAT: &str = "get a token";
        let mut held = self.token.lock().await;
        if let Some((token, until)) = &*held
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let secret = self.secret().await?;
        let body = json!({"clusterId": self.cluster, "clientSecret": secret.expose()});
        let token: TokenResponse = within(async {
            let answer = self.post("token", WHAT, None, &body).await;
            let answer = answer.map_err(|failed| self.deleted(&failed).unwrap_or(failed))?;
            answer.json().await.map_err(|source| LinkFailed::Unreachable {
                what: WHAT,
                source: source.without_url(),
            })
        })
        .await?;
        // Half its life, so that it never ends under way.
        let life = Duration::from_secs(u64::try_from(token.expires_in).unwrap_or(0)) / 2;
        *held = Some((token.access_token.clone(), Instant::now() + life));
        Ok(token.access_token)
    }

    async fn secret(&self) -> Result<Secret, LinkFailed> {
        let text = tokio::fs::read_to_string(&self.secret_file).await;
        let text = text.map_err(|source| LinkFailed::Secret {
            file: self.secret_file.clone(),
            source,
        })?;
        Ok(Secret::new(text.trim()))
    }

    /// Whether a refusal says that our own cluster was deleted.
    fn deleted(&self, failed: &LinkFailed) -> Option<LinkFailed> {
        let LinkFailed::Refused {
            status: 410, message, ..
        } = failed
        else {
            return None;
        };
        let said: ClusterDeleted = serde_json::from_str(message).ok()?;
        (said.deleted_cluster_id == self.cluster).then_some(LinkFailed::Deleted)
    }

    async fn post(
        &self,
        path: &str,
        what: &'static str,
        token: Option<&Secret>,
        body: &impl serde::Serialize,
    ) -> Result<reqwest::Response, LinkFailed> {
        let mut request = self.http.post(format!("{}/{path}", self.base)).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        let answer = request.send().await.map_err(|source| LinkFailed::Unreachable {
            what,
            source: source.without_url(),
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status.as_u16() == 401 && token.is_some() {
            *self.token.lock().await = None;
        }
        if status.as_u16() == 429 {
            let seconds = answer.headers().get(reqwest::header::RETRY_AFTER);
            let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
            let wait = Duration::from_secs(seconds.unwrap_or(1)).clamp(SHORTEST, LONGEST);
            return Err(LinkFailed::TooMany { what, wait });
        }
        let message = answer
            .text()
            .await
            .unwrap_or_default()
            .chars()
            .take(500)
            .collect();
        Err(LinkFailed::Refused {
            what,
            status: status.as_u16(),
            message,
        })
    }

    /// Opens the stream of changes.
    ///
    /// # Errors
    /// [`LinkFailed`].
    pub async fn watch(
        &self,
        hello: &Hello,
    ) -> Result<impl Stream<Item = Result<ServerMessage, LinkFailed>> + Send + use<>, LinkFailed> {
        let token = self.token().await?;
        let answer = within(self.post("watch", "watch", Some(&token), hello)).await?;
        let bytes = answer
            .bytes_stream()
            .map_err(|error| std::io::Error::other(error.without_url()));
        let reader = StreamReader::new(
            Box::pin(bytes) as std::pin::Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>
        );
        let lines = FramedRead::new(reader, LinesCodec::new_with_max_length(LINE_BYTES));
        Ok(lines
            .map_err(|error| LinkFailed::Ended(error.to_string()))
            .and_then(|line| async move {
                // Not serde's words: they quote what was read.
                serde_json::from_str(&line)
                    .map_err(|error| LinkFailed::Unreadable(format!("column {}", error.column())))
            }))
    }

    /// Sends news.
    ///
    /// # Errors
    /// [`LinkFailed`].
    pub async fn report(&self, report: &StatusReport) -> Result<(), LinkFailed> {
        let token = self.token().await?;
        within(self.post("status", "report status", Some(&token), report))
            .await
            .map(drop)
    }
}

async fn within<T>(work: impl Future<Output = Result<T, LinkFailed>>) -> Result<T, LinkFailed> {
    let late = |_| LinkFailed::Ended(format!("no answer within {} s", ANSWER.as_secs()));
    tokio::time::timeout(ANSWER, work).await.map_err(late)?
}

impl std::fmt::Debug for LinkClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkClient")
            .field("base", &self.base)
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}
