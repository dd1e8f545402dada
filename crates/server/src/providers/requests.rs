//! Requests to providers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_oidc::provider::MAX_BYTES;
use reeve_oidc::{ClientAuthentication, Provider, TokenAnswer};
use reeve_types::{ErrorChain, Secret};
use reqwest::{Certificate, Client, RequestBuilder, StatusCode, header, redirect};
use url::{Url, form_urlencoded};

use super::{Failure, Idp};

/// How long all of an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Grant<'a> {
    /// What a redirect brought.
    Code {
        /// It.
        code: &'a str,
        /// Where it was brought to.
        redirect_uri: &'a str,
        /// The proof that it was asked for here.
        verifier: &'a str,
    },
    /// What an earlier answer gave.
    Refresh(&'a str),
}

/// A client that follows nothing and reads so much.
#[derive(Debug, Default)]
pub(super) struct Http {
    authority: Option<String>,
    client: Mutex<Option<Client>>,
}

impl Http {
    pub(super) fn trusting(authority: Option<String>) -> Self {
        Self {
            authority,
            client: Mutex::default(),
        }
    }

    /// Made when it is needed first.
    fn client(&self) -> Result<Client, Failure> {
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        let cause = |error: reqwest::Error| Failure::Unreachable {
            what: "a connection",
            cause: ErrorChain(&error).to_string(),
        };
        let mut builder = Client::builder()
            .user_agent(concat!("reeve-server/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE);
        if let Some(pem) = &self.authority {
            for certificate in Certificate::from_pem_bundle(pem.as_bytes()).map_err(cause)? {
                builder = builder.tls_certs_merge([certificate]);
            }
        }
        let client = builder.build().map_err(cause)?;
        *kept = Some(client.clone());
        Ok(client)
    }

    /// Reads a document, as whoever has this token.
    pub(super) async fn get(
        &self,
        what: &'static str,
        address: Url,
        token: Option<&Secret>,
    ) -> Result<Vec<u8>, Failure> {
        let mut request = self
            .client()?
            .get(address)
            .header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        match send(what, request).await? {
            (StatusCode::OK, bytes) => Ok(bytes),
            (status, _) => Err(Failure::Unreachable {
                what,
                cause: format!("status {}", status.as_u16()),
            }),
        }
    }

    /// Asks the token endpoint.
    pub(super) async fn token(
        &self,
        idp: &Idp,
        provider: &Provider,
        grant: Grant<'_>,
    ) -> Result<TokenAnswer, Failure> {
        let what = "the token endpoint";
        let request = token_request(&self.client()?, idp, provider, grant);
        match send(what, request).await? {
            (StatusCode::OK, bytes) => TokenAnswer::read(&bytes).map_err(|_| Failure::Strange(what)),
            (status, bytes) => Err(Failure::Refused {
                status: status.as_u16(),
                word: TokenAnswer::refusal(&bytes),
            }),
        }
    }
}

fn token_request(client: &Client, idp: &Idp, provider: &Provider, grant: Grant<'_>) -> RequestBuilder {
    let mut form = form_urlencoded::Serializer::new(String::new());
    match grant {
        Grant::Code {
            code,
            redirect_uri,
            verifier,
        } => {
            form.append_pair("grant_type", "authorization_code")
                .append_pair("code", code)
                .append_pair("redirect_uri", redirect_uri)
                .append_pair("code_verifier", verifier);
        }
        Grant::Refresh(token) => {
            form.append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", token);
        }
    }
    let (id, secret) = (&idp.settings.client_id, idp.secret.expose());
    let mut request = client
        .post(provider.token_endpoint.clone())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match provider.authentication {
        // Both are form-encoded first (RFC 6749, section 2.3.1).
        ClientAuthentication::Basic => {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let both = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
            request = request.header(header::AUTHORIZATION, format!("Basic {both}"));
        }
        ClientAuthentication::Post => {
            form.append_pair("client_id", id)
                .append_pair("client_secret", secret);
        }
    }
    request.body(form.finish())
}

async fn send(what: &'static str, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Failure> {
    let lost = |error: reqwest::Error| Failure::Unreachable {
        what,
        cause: ErrorChain(&error.without_url()).to_string(),
    };
    let mut response = request.send().await.map_err(lost)?;
    let status = response.status();
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|it| {
        let it = it.trim();
        it.eq_ignore_ascii_case("application/json") || it.to_ascii_lowercase().ends_with("+json")
    });
    if status == StatusCode::OK && !is_json {
        return Err(Failure::Strange(what));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if bytes.len().saturating_add(chunk.len()) > MAX_BYTES {
            return Err(Failure::Strange(what));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((status, bytes))
}
