//! Requests to providers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_oidc::provider::MAX_BYTES;
use reeve_oidc::{ClientAuthentication, TokenAnswer};
use reeve_saml::limits::MAX_METADATA_BYTES;
use reeve_types::{ErrorChain, Secret};
use reqwest::{Certificate, Client, RequestBuilder, StatusCode, header, redirect};
use url::{Url, form_urlencoded};

use super::Failure;

/// How long all of an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
const TOKEN_ENDPOINT: &str = "the token endpoint";
const FORM: &str = "application/x-www-form-urlencoded";

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

/// Where a code becomes a token, and as whom this server asks there.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenEndpoint<'a> {
    pub(super) address: &'a Url,
    pub(super) authentication: ClientAuthentication,
    pub(super) client_id: &'a str,
    pub(super) client_secret: &'a Secret,
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
        found(what, send(what, request, &JSON).await?)
    }

    /// Reads the metadata of a provider of SAML.
    pub(super) async fn metadata(&self, address: Url) -> Result<Vec<u8>, Failure> {
        let what = "the metadata";
        let request = self.client()?.get(address).header(
            header::ACCEPT,
            "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8",
        );
        found(what, send(what, request, &XML).await?)
    }

    /// Asks the token endpoint.
    pub(super) async fn token(
        &self,
        endpoint: &TokenEndpoint<'_>,
        grant: Grant<'_>,
    ) -> Result<TokenAnswer, Failure> {
        let what = TOKEN_ENDPOINT;
        let request = token_request(&self.client()?, endpoint, grant);
        match send(what, request, &JSON).await? {
            (StatusCode::OK, bytes) => TokenAnswer::read(&bytes).map_err(|_| Failure::Strange(what)),
            (status, bytes) => Err(Failure::Refused {
                status: status.as_u16(),
                word: TokenAnswer::refusal(&bytes),
            }),
        }
    }

    /// Whether a token endpoint says anything to somebody who shows nothing. What it says is a refusal.
    pub(super) async fn reaches(&self, address: &Url) -> Result<(), Failure> {
        let request = self
            .client()?
            .post(address.clone())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, FORM)
            .body("grant_type=authorization_code");
        match send(TOKEN_ENDPOINT, request, &JSON).await? {
            (status, _) if status.is_client_error() && status != StatusCode::NOT_FOUND => Ok(()),
            (status, _) => Err(Failure::Unreachable {
                what: TOKEN_ENDPOINT,
                cause: format!("status {}", status.as_u16()),
            }),
        }
    }
}

fn token_request(client: &Client, endpoint: &TokenEndpoint<'_>, grant: Grant<'_>) -> RequestBuilder {
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
    let (id, secret) = (endpoint.client_id, endpoint.client_secret.expose());
    let mut request = client
        .post(endpoint.address.clone())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, FORM);
    match endpoint.authentication {
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

/// What an answer may be, and how long.
struct Content {
    is: fn(&str) -> bool,
    most: usize,
}

const JSON: Content = Content {
    is: |kind| kind == "application/json" || kind.ends_with("+json"),
    most: MAX_BYTES,
};
/// Many servers say nothing better of a file; what it holds decides.
const XML: Content = Content {
    is: |kind| {
        [
            "application/xml",
            "text/xml",
            "text/plain",
            "application/octet-stream",
        ]
        .contains(&kind)
            || kind.ends_with("+xml")
    },
    most: MAX_METADATA_BYTES,
};

fn found(what: &'static str, answer: (StatusCode, Vec<u8>)) -> Result<Vec<u8>, Failure> {
    match answer {
        (StatusCode::OK, bytes) => Ok(bytes),
        (status, _) => Err(Failure::Unreachable {
            what,
            cause: format!("status {}", status.as_u16()),
        }),
    }
}

async fn send(
    what: &'static str,
    request: RequestBuilder,
    content: &Content,
) -> Result<(StatusCode, Vec<u8>), Failure> {
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
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if status == StatusCode::OK && !(content.is)(&kind.to_ascii_lowercase()) {
        return Err(Failure::Strange(what));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if bytes.len().saturating_add(chunk.len()) > content.most {
            return Err(Failure::Strange(what));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((status, bytes))
}
