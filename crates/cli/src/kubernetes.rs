//! Calls to a cluster's API server, with the person's own five-minute token.
//!
//! **Limits.** Objects and logs are read through `reqwest`, which respects the proxy variables of the environment;
//! WebSockets are opened by `kube`, which does not.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_api::RevealedSecret;
use reeve_api::kubernetes::{KubernetesEndpoint, KubernetesToken};
use reeve_types::ClusterId;
use reqwest::{Client, Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::failure::{CauseOf, Failure};
use crate::http::{self, Api};

/// A Kubernetes token lives five minutes: one that is older than this is replaced before it is used.
const FRESH: Duration = Duration::from_secs(240);

/// A caller of one cluster's API server.
#[derive(Clone)]
pub struct ApiServer {
    api: Api,
    cluster: ClusterId,
    client: Client,
    base: Url,
    authority: Option<String>,
    token: RevealedSecret,
    obtained: Instant,
}

/// Why the API server gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// It was not reached, or stopped in the middle.
    #[error("cannot reach the cluster's API server at `{server}`")]
    Unreachable {
        /// Which address.
        server: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// No WebSocket came about.
    #[error("cannot open a connection through the cluster's API server at `{server}`")]
    NoWebSocket {
        /// Which address.
        server: String,
        /// Why.
        #[source]
        cause: Box<CauseOf<kube::Error>>,
    },
    /// It said no.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What it said.
        message: String,
    },
}

impl KubernetesError {
    /// As the end of a command that tried to do `what`.
    pub fn explain(self, what: impl Into<String>) -> Failure {
        match &self {
            Self::Refused { status, .. } if !status.is_server_error() => {
                let code = status.as_u16();
                Failure::refused(what).cause(format!("the cluster's API server: {self} ({code})"))
            }
            _ => Failure::failed(what).because(self),
        }
    }
}

impl ApiServer {
    /// Asks the control plane for address and token, both at once.
    ///
    /// # Errors
    /// The control plane refuses, or the answer cannot be used.
    pub async fn connect(api: &Api, cluster: ClusterId, what: &str) -> Result<Self, Failure> {
        let token = async { token(api, cluster).await.map_err(|error| error.explain(what)) };
        let (endpoint, token) = tokio::try_join!(endpoint(api, cluster, false, what), token)?;
        let odd = || Failure::failed(what).cause("the cluster's certificate authority cannot be read");
        let authority = STANDARD
            .decode(&endpoint.certificate_authority_data)
            .map_err(|_| odd())?;
        let authority = String::from_utf8(authority).map_err(|_| odd())?;
        // An operator that was told no authority reports none: the machine's own are trusted then.
        let authority = Some(authority).filter(|pem| !pem.is_empty());
        // Logs may flow for hours: only the connection has a deadline.
        let client = http::client(authority.as_deref(), None)?;
        Ok(Self {
            api: api.clone(),
            cluster,
            client,
            base: http::parse_address(&endpoint.server)?,
            authority,
            token: token.token,
            obtained: Instant::now(),
        })
    }

    /// Asks for another token now.
    ///
    /// # Errors
    /// The control plane refuses, or is not reached.
    pub async fn renew(&mut self, what: &str) -> Result<(), Failure> {
        let answer = token(&self.api, self.cluster).await;
        self.token = answer.map_err(|error| error.explain(what))?.token;
        self.obtained = Instant::now();
        Ok(())
    }

    /// Asks for another token when this one is about to end.
    ///
    /// # Errors
    /// As [`ApiServer::renew`].
    pub async fn keep_fresh(&mut self, what: &str) -> Result<(), Failure> {
        if self.obtained.elapsed() < FRESH {
            return Ok(());
        }
        self.renew(what).await
    }

    /// A client that can open WebSockets, with the token of this moment.
    ///
    /// # Errors
    /// Address or authority are of no use to it.
    pub fn websockets(&self, what: &str) -> Result<kube::Client, Failure> {
        let odd = |cause: &str| Failure::failed(what).cause(cause);
        let address = self.base.as_str().parse();
        let mut config = kube::Config::new(address.map_err(|_| odd("the cluster's address cannot be used"))?);
        config.root_cert = match &self.authority {
            Some(pem) => {
                let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
                let all = all.map_err(|_| odd("the cluster's certificate authority cannot be read"))?;
                Some(all.iter().map(|certificate| certificate.to_vec()).collect())
            }
            None => None,
        };
        config.auth_info.token = Some(self.token.expose().to_owned().into());
        kube::Client::try_from(config).map_err(|error| Failure::failed(what).because(CauseOf(error)))
    }

    /// An error of opening a WebSocket.
    pub fn not_opened(&self, cause: kube::Error) -> KubernetesError {
        match cause {
            // The library reads the body of a refused upgrade: the message is the API server's own sentence.
            kube::Error::Api(status) => KubernetesError::Refused {
                status: StatusCode::from_u16(status.code).unwrap_or(StatusCode::BAD_GATEWAY),
                message: status.message.clone(),
            },
            other => KubernetesError::NoWebSocket {
                server: self.base.to_string(),
                cause: Box::new(CauseOf(other)),
            },
        }
    }

    /// Reads an object or a list.
    ///
    /// # Errors
    /// [`KubernetesError`].
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, KubernetesError> {
        within_30_seconds(async {
            self.open(path, query)
                .await?
                .json()
                .await
                .map_err(|e| self.lost(e))
        })
        .await
    }

    /// Asks only whether it would answer.
    ///
    /// # Errors
    /// [`KubernetesError`].
    pub async fn probe(&self, path: &[&str], query: &[(&str, &str)]) -> Result<(), KubernetesError> {
        within_30_seconds(self.open(path, query)).await.map(drop)
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// [`KubernetesError`].
    pub async fn open(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Response, KubernetesError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.query_pairs_mut().extend_pairs(query);
        let sent = self.client.get(url).bearer_auth(self.token.expose()).send().await;
        let response = sent.map_err(|error| self.lost(error))?;
        if http::succeeded(&response) {
            return Ok(response);
        }
        let status = response.status();
        let body = response.bytes().await.unwrap_or_default();
        let message = serde_json::from_slice::<serde_json::Value>(&body).ok();
        let message = message
            .as_ref()
            .and_then(|status| status.get("message")?.as_str())
            .unwrap_or("no reason given")
            .to_owned();
        Err(KubernetesError::Refused { status, message })
    }

    /// An error of the transport.
    pub fn lost(&self, cause: reqwest::Error) -> KubernetesError {
        KubernetesError::Unreachable {
            server: self.base.to_string(),
            cause: cause.without_url(),
        }
    }
}

async fn within_30_seconds<T>(
    call: impl Future<Output = Result<T, KubernetesError>>,
) -> Result<T, KubernetesError> {
    let answer = tokio::time::timeout(Duration::from_secs(30), call).await;
    answer.unwrap_or_else(|_| {
        Err(KubernetesError::Refused {
            status: StatusCode::GATEWAY_TIMEOUT,
            message: "no answer within 30 seconds".to_owned(),
        })
    })
}

/// Where a cluster's API server is: the place of first use, or another one when that is accepted.
///
/// # Errors
/// The control plane refuses or is not reached, or says another place than before.
pub async fn endpoint(
    api: &Api,
    cluster: ClusterId,
    accept_new: bool,
    what: &str,
) -> Result<KubernetesEndpoint, Failure> {
    let endpoint: KubernetesEndpoint = api
        .get(&format!("/api/v1/clusters/{cluster}/kubernetes-endpoint"), &[])
        .await
        .map_err(|error| error.explain(what))?;
    // It comes from the cluster: no token goes anywhere without TLS.
    http::parse_address(&endpoint.server)?;
    if let Some(settings) = api.settings() {
        settings.check_endpoint(cluster, &endpoint, accept_new, what)?;
    }
    Ok(endpoint)
}

/// A fresh token for it.
///
/// # Errors
/// [`http::CallError`].
pub async fn token(api: &Api, cluster: ClusterId) -> Result<KubernetesToken, http::CallError> {
    api.post(
        &format!("/api/v1/clusters/{cluster}/kubernetes-token"),
        &serde_json::json!({}),
    )
    .await
}
