//! Calls to a cluster's API server, with the person's own five-minute token.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_api::Shown;
use reeve_api::kubernetes::{KubernetesEndpoint, KubernetesToken};
use reeve_types::ClusterId;
use reqwest::{Client, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::http::{self, Api};

/// A caller of one cluster's API server.
pub struct ApiServer {
    client: Client,
    base: Url,
    token: Shown,
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
        let (endpoint, token) =
            tokio::try_join!(endpoint(api, cluster), token(api, cluster)).map_err(|e| e.explain(what))?;
        let odd = || Failure::failed(what).cause("the cluster's certificate authority cannot be read");
        let authority = STANDARD
            .decode(&endpoint.certificate_authority_data)
            .map_err(|_| odd())?;
        let authority = String::from_utf8(authority).map_err(|_| odd())?;
        // An operator that was told no authority reports none: the machine's own are trusted then.
        let authority = Some(authority.as_str()).filter(|pem| !pem.is_empty());
        // Logs may flow for hours: only the connection has a deadline.
        let client = http::client(authority, None)?;
        Ok(Self {
            client,
            base: http::parse_address(&endpoint.server)?,
            token: token.token,
        })
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
        let answer = tokio::time::timeout(Duration::from_secs(30), async {
            self.open(path, query)
                .await?
                .json()
                .await
                .map_err(|e| self.lost(e))
        });
        answer.await.map_err(|_| KubernetesError::Refused {
            status: StatusCode::GATEWAY_TIMEOUT,
            message: "no answer within 30 seconds".to_owned(),
        })?
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

/// Where a cluster's API server is.
///
/// # Errors
/// [`http::CallError`].
pub async fn endpoint(api: &Api, cluster: ClusterId) -> Result<KubernetesEndpoint, http::CallError> {
    api.get(&format!("/api/v1/clusters/{cluster}/kubernetes-endpoint"), &[])
        .await
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
