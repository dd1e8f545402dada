//! A small REST client for the demo, the end-to-end tests and the benches: whole answers, nothing hidden.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// What came back: the status and the body as JSON (`null` when there was none).
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
}

impl Answer {
    /// The body, if the status is the wanted one.
    ///
    /// # Errors
    /// Another status; the error shows the whole answer.
    pub fn expect(self, status: u16) -> Result<Value> {
        if self.status != status {
            bail!("wanted status {status}, got {}: {}", self.status, self.body);
        }
        Ok(self.body)
    }

    /// `message` of an error body; empty when there is none.
    pub fn message(&self) -> &str {
        self.body
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// A caller of the control plane, with or without a token.
#[derive(Clone)]
pub struct Rest {
    client: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Rest {
    /// Trusts the one certificate authority in `ca_file`.
    ///
    /// # Errors
    /// The file cannot be read or is no PEM certificate.
    pub fn new(url: &str, ca_file: &Path) -> Result<Self> {
        Self::connecting(url, ca_file, |client| client)
    }

    /// The same, where something is said of its connections: from which address, in which version of HTTP.
    ///
    /// # Errors
    /// As [`Rest::new`].
    pub fn connecting(
        url: &str,
        ca_file: &Path,
        how: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self> {
        crate::install_crypto();
        let pem = std::fs::read(ca_file).with_context(|| format!("reading `{}`", ca_file.display()))?;
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem)?])
            .timeout(Duration::from_secs(30));
        Ok(Self {
            client: how(client).build()?,
            url: url.trim_end_matches('/').to_owned(),
            token: None,
        })
    }

    /// The same client with another token, or none.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The token in use.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The control plane's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Signs a local user in.
    ///
    /// # Errors
    /// The answer is not 200.
    pub async fn sign_in(&self, username: &str, password: &str) -> Result<Self> {
        let body = json!({"grantType": "password", "username": username, "password": password});
        self.grant(body)
            .await
            .with_context(|| format!("signing in as `{username}`"))
    }

    /// Signs an application in.
    ///
    /// # Errors
    /// The answer is not 200.
    pub async fn sign_in_application(&self, client_id: &str, secret: &str) -> Result<Self> {
        let body = json!({"grantType": "client_credentials", "clientID": client_id, "clientSecret": secret});
        self.grant(body)
            .await
            .with_context(|| format!("signing in as application `{client_id}`"))
    }

    async fn grant(&self, body: Value) -> Result<Self> {
        let answer = self
            .with_token(None)
            .post("/api/v1/token", body)
            .await?
            .expect(200)?;
        let token = answer
            .get("accessToken")
            .and_then(Value::as_str)
            .context("no accessToken in the answer")?;
        Ok(self.with_token(Some(token)))
    }

    /// `GET`.
    ///
    /// # Errors
    /// No answer at all.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.client.get(self.address(path)), path).await
    }

    /// `POST` with a JSON body.
    ///
    /// # Errors
    /// No answer at all.
    pub async fn post(&self, path: &str, body: Value) -> Result<Answer> {
        self.send(self.client.post(self.address(path)).json(&body), path)
            .await
    }

    /// `POST` with a JSON body that is answered by a stream of lines: hands them out until one is `enough`. It may take ten
    /// minutes.
    ///
    /// # Errors
    /// The answer is not 200, or the stream ends before.
    pub async fn read_lines(
        &self,
        path: &str,
        body: Value,
        mut enough: impl FnMut(&str) -> bool,
    ) -> Result<()> {
        let mut request = self
            .client
            .post(self.address(path))
            .json(&body)
            .timeout(Duration::from_secs(600));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let mut answer = request.send().await.with_context(|| path.to_owned())?;
        if answer.status() != reqwest::StatusCode::OK {
            bail!("{path}: status {}", answer.status());
        }
        let mut line = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            for part in chunk.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(part);
                if !line.ends_with(b"\n") {
                    continue;
                }
                if enough(std::str::from_utf8(&line)?) {
                    return Ok(());
                }
                line.clear();
            }
        }
        bail!("{path}: the stream ended")
    }

    /// `PUT` with a JSON body.
    ///
    /// # Errors
    /// No answer at all.
    pub async fn put(&self, path: &str, body: Value) -> Result<Answer> {
        self.send(self.client.put(self.address(path)).json(&body), path)
            .await
    }

    /// `POST` of bytes that are called JSON, whatever they are.
    ///
    /// # Errors
    /// No answer at all.
    pub async fn post_raw(&self, path: &str, body: Vec<u8>) -> Result<Answer> {
        let request = self
            .client
            .post(self.address(path))
            .header("content-type", "application/json")
            .body(body);
        self.send(request, path).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// No answer at all.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.client.delete(self.address(path)), path).await
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> Result<Answer> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request
            .send()
            .await
            .with_context(|| format!("asking {}{path}", self.url))?;
        let status = response.status().as_u16();
        let bytes = response
            .bytes()
            .await
            .with_context(|| format!("reading the answer of {path}"))?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into()))
        };
        Ok(Answer { status, body })
    }
}
