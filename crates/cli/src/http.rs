//! Calls to the control plane.

mod renewal;

use std::sync::Arc;
use std::time::Duration;

use reeve_api::ErrorBody;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::failure::Failure;
use crate::settings::{ControlPlane, Settings};
use renewal::Held;

/// The client that this program is (control-plane 1.2).
pub(crate) const CLIENT: &str = "runai-cli";

/// Why a call brought no answer of use.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The other side was not reached, or stopped in the middle.
    #[error("cannot reach `{url}`")]
    Unreachable {
        /// Which address.
        url: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// It said no.
    #[error("{}", .body.message)]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What it said.
        body: ErrorBody,
    },
    /// An endpoint of OAuth said no (RFC 6749, section 5.2).
    #[error("{}", .text.as_deref().unwrap_or(.error))]
    OAuth {
        /// The HTTP status.
        status: StatusCode,
        /// Its word for it.
        error: String,
        /// A sentence.
        text: Option<String>,
    },
    /// It said something that is not of this API.
    #[error("the answer from `{url}` is not one of a control plane (status {status})")]
    Strange {
        /// Which address.
        url: String,
        /// The HTTP status.
        status: StatusCode,
    },
    /// What is kept between commands cannot be read, or a renewed sign-in not be written.
    #[error("{0}")]
    Settings(Failure),
}

impl CallError {
    /// As the end of a command that tried to do `what`.
    pub fn explain(self, what: impl Into<String>) -> Failure {
        match self {
            Self::Refused { status, body } => {
                let server_fault = status.is_server_error();
                let failure = if server_fault {
                    Failure::failed(what)
                } else {
                    Failure::refused(what)
                };
                let failure = failure.cause(format!("{} ({})", body.message, status.as_u16()));
                let hint = body.details.or_else(|| remedy(status).map(ToOwned::to_owned));
                match hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
            Self::OAuth { status, error, text } => {
                let message = text.unwrap_or(error);
                let body = ErrorBody::new(status.as_u16(), message);
                Self::Refused { status, body }.explain(what)
            }
            Self::Unreachable { .. } => {
                let hint = "is the address right, and does --ca-file hold the authority that signed its certificate?";
                Failure::failed(what).because(self).hint(hint)
            }
            Self::Strange { .. } => Failure::failed(what)
                .because(self)
                .hint("is the address that of a control plane?"),
            Self::Settings(failure) => failure,
        }
    }

    /// The status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::OAuth { status, .. } => Some(status.as_u16()),
            Self::Unreachable { .. } | Self::Strange { .. } | Self::Settings(_) => None,
        }
    }
}

fn remedy(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some("sign in again: `reeve login user -u EMAIL`"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Some("try again in a moment"),
        _ => None,
    }
}

#[derive(serde::Deserialize)]
struct OauthError {
    error: String,
    error_description: Option<String>,
}

/// A caller of one control plane.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: Url,
    as_whom: AsWhom,
}

/// As whom the control plane is asked.
#[derive(Debug, Clone)]
enum AsWhom {
    Nobody,
    Token(reeve_api::RevealedSecret),
    /// Every copy has the same.
    SignIn(Arc<Held>),
}

impl Api {
    /// Before anybody signed in.
    ///
    /// # Errors
    /// The address or the certificate authority is of no use.
    pub fn anonymous(control_plane: &ControlPlane) -> Result<Self, Failure> {
        let base = parse_address(&control_plane.url)?;
        let client = client(
            control_plane.certificate_authority.as_deref(),
            Some(Duration::from_secs(30)),
        )?;
        Ok(Self {
            client,
            base,
            as_whom: AsWhom::Nobody,
        })
    }

    /// As whoever signed in. Where that can be renewed, it is, when it has to be and not here.
    ///
    /// # Errors
    /// Nobody did, or too long ago (a refusal); or the sign-in cannot be read where it is kept (a failure).
    pub async fn signed_in(settings: &Settings, now: reeve_types::Timestamp) -> Result<Self, Failure> {
        let remedy = "sign in: `reeve login user --url URL --ca-file FILE -u EMAIL`";
        let nobody = || Failure::refused("you are not signed in").hint(remedy);
        let control_plane = settings.control_plane()?.ok_or_else(nobody)?;
        let sign_in = settings.sign_in().await?.ok_or_else(nobody)?;
        if sign_in.expires_at <= now && sign_in.refresh_token.is_none() {
            let message = format!("the sign-in of `{}` has ended", sign_in.username);
            return Err(Failure::refused(message).hint(format!(
                "sign in again: `reeve login user -u {}`",
                sign_in.username
            )));
        }
        Ok(Self {
            as_whom: AsWhom::SignIn(Arc::new(Held::new(sign_in, settings))),
            ..Self::anonymous(&control_plane)?
        })
    }

    /// As whoever has this token, before it is kept.
    ///
    /// # Errors
    /// As [`Api::anonymous`].
    pub fn with_token(
        control_plane: &ControlPlane,
        token: reeve_api::RevealedSecret,
    ) -> Result<Self, Failure> {
        Ok(Self {
            as_whom: AsWhom::Token(token),
            ..Self::anonymous(control_plane)?
        })
    }

    /// Sends a form to an endpoint of OAuth, whose refusals have another shape (RFC 6749, section 5.2).
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn form<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&'static str, String)],
    ) -> Result<T, CallError> {
        let mut url = self.url(path);
        // The form's encoding is that of a query.
        url.query_pairs_mut().extend_pairs(form);
        let body = url.query().unwrap_or_default().to_owned();
        self.send(Method::POST, self.url(path), |request| {
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body)
        })
        .await
    }

    /// Where what is kept between commands is; `None` before anybody signed in.
    pub fn settings(&self) -> Option<&Settings> {
        match &self.as_whom {
            AsWhom::SignIn(held) => Some(held.settings()),
            AsWhom::Nobody | AsWhom::Token(_) => None,
        }
    }

    /// Reads.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, CallError> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(Method::GET, url, |request| request).await
    }

    /// Sends a body.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, CallError> {
        self.send(Method::POST, self.url(path), |request| request.json(body))
            .await
    }

    /// Asks for something that needs no more than its name.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn ask(&self, path: &str) -> Result<(), CallError> {
        self.send::<Option<IgnoredAny>>(Method::POST, self.url(path), |request| request)
            .await
            .map(drop)
    }

    /// Changes.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CallError> {
        self.send(Method::PATCH, self.url(path), |request| request.json(body))
            .await
    }

    /// Replaces.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, CallError> {
        self.send(Method::PUT, self.url(path), |request| request.json(body))
            .await
    }

    /// Deletes.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        self.send(Method::DELETE, self.url(path), |request| request).await
    }

    /// Of a path, which may have a query of ours behind it.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        url.set_query(query);
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<T, CallError> {
        let token = match &self.as_whom {
            AsWhom::Nobody => None,
            AsWhom::Token(token) => Some(token.clone()),
            AsWhom::SignIn(held) => Some(held.now(self).await?.access_token),
        };
        self.exchange(token.as_ref(), method, url, more).await
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        token: Option<&reeve_api::RevealedSecret>,
        method: Method,
        url: Url,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<T, CallError> {
        let address = self.base.as_str().trim_end_matches('/').to_owned();
        let mut request = more(self.client.request(method, url));
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        // The URL in the library's own text would only repeat what the message says.
        let lost = |cause: reqwest::Error| CallError::Unreachable {
            url: address.clone(),
            cause: cause.without_url(),
        };
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(lost)?;
        if status.is_success() {
            let body = if bytes.is_empty() {
                b"null".as_slice()
            } else {
                &bytes
            };
            return serde_json::from_slice(body).map_err(|_| CallError::Strange { url: address, status });
        }
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(body) => Err(CallError::Refused { status, body }),
            Err(_) => match serde_json::from_slice::<OauthError>(&bytes) {
                Ok(said) => Err(CallError::OAuth {
                    status,
                    error: said.error,
                    text: said.error_description,
                }),
                Err(_) => Err(CallError::Strange { url: address, status }),
            },
        }
    }
}

/// An address with TLS. Without it, only this machine's own addresses are taken.
///
/// # Errors
/// Any other.
pub fn parse_address(text: &str) -> Result<Url, Failure> {
    let wrong = || {
        Failure::failed(format!("cannot use the address `{text}`"))
            .hint("an address like `https://reeve.example` is needed")
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let own = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let tls = url.scheme() == "https" || (url.scheme() == "http" && own);
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if tls && bare && url.has_host() {
        Ok(url)
    } else {
        Err(wrong())
    }
}

/// A client that trusts one authority, or the machine's when none is given.
///
/// # Errors
/// The authority is no certificate in PEM.
pub fn client(authority: Option<&str>, timeout: Option<Duration>) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .user_agent(concat!("reeve/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none());
    if let Some(timeout) = timeout {
        builder = builder.timeout(timeout);
    }
    if let Some(pem) = authority {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .map_err(|error| Failure::failed("cannot read the certificate authority").because(error))?;
        if certificates.is_empty() {
            return Err(Failure::failed("the certificate authority holds no certificate")
                .hint("a file in PEM form is needed"));
        }
        builder = builder.tls_certs_only(certificates);
    }
    builder
        .build()
        .map_err(|error| Failure::failed("cannot set up TLS").because(error))
}

/// Whether an answer is a success, before its body is read.
pub(crate) fn succeeded(response: &Response) -> bool {
    response.status().is_success()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_leaves_without_tls() {
        for good in [
            "https://reeve.example",
            "https://reeve.example:8443/",
            "http://127.0.0.1:80",
            "http://localhost:1",
        ] {
            assert!(parse_address(good).is_ok(), "{good}");
        }
        let bad = [
            "http://reeve.example",
            "http://127.0.0.1.evil.example",
            "https://a:b@reeve.example",
            "ftp://x",
            "reeve.example",
            "",
            "https://x/?a",
        ];
        for bad in bad {
            assert!(parse_address(bad).is_err(), "{bad}");
        }
    }
}
