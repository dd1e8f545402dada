//! What a provider says of itself (OpenID Connect Discovery 1.0), and which of that is taken.

use serde_json::Value;
use url::Url;

use crate::answer::Sender;
use crate::json::{self, Claims};
use crate::keys::ALGORITHMS;

/// What the address of a discovery document ends with.
pub const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// A longer document, key set or answer is not read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
const MAX_ADDRESS: usize = 2048;

/// Why a provider cannot be used. Every text is for administrators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// An address that nothing is sent to.
    #[error(
        "{what} `{address}` cannot be used: an https address without user, query or fragment is needed (http only for a provider on this machine)"
    )]
    Address {
        /// Which.
        what: &'static str,
        /// What it is.
        address: String,
    },
    /// No discovery document.
    #[error("the discovery document is no JSON object in which each member comes once")]
    NotJson,
    /// A document that does not say something, or not as text.
    #[error("the discovery document says no `{0}`")]
    Missing(&'static str),
    /// A document of another provider.
    #[error(
        "the discovery document is of the issuer `{said}`, and its address is one of `{expected}`: give the address under the issuer itself, for Entra ID with the tenant's id instead of `common`"
    )]
    Issuer {
        /// What it says.
        said: String,
        /// What its address says.
        expected: String,
    },
    /// An endpoint of somebody else.
    #[error(
        "`{what}` of the discovery document is at `{origin}`, and its issuer is at `{issuer}`: they have to be one server"
    )]
    Elsewhere {
        /// Which endpoint.
        what: &'static str,
        /// Where it is.
        origin: String,
        /// Where the issuer is.
        issuer: String,
    },
    /// Only what is not taken here.
    #[error("the provider offers only `{offered}` for `{what}`: one of {taken} is needed")]
    Nothing {
        /// For what.
        what: &'static str,
        /// What it offers.
        offered: String,
        /// What would be taken.
        taken: String,
    },
}

/// How a client shows its secret to the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`: in a header.
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}

/// A provider whose document was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name for itself: `iss` of its ID tokens, byte for byte.
    pub issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: Url,
    /// Where codes become tokens.
    pub token_endpoint: Url,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Where more claims are, if it has that.
    pub userinfo_endpoint: Option<Url>,
    /// How this client shows its secret.
    pub authentication: ClientAuthentication,
    /// Whether it names itself in every answer to the redirect (RFC 9207).
    pub says_issuer: bool,
    /// The signature algorithms of ID tokens that it and this client have in common.
    pub algorithms: Vec<String>,
}

/// Whether an address is one of this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An address that something may be sent to: with TLS, or to this machine if it is `local`; with a query only where that is said.
pub(crate) fn address(
    what: &'static str,
    text: &str,
    local: bool,
    query: bool,
) -> Result<Url, ProviderError> {
    let wrong = || ProviderError::Address {
        what,
        address: text.chars().take(200).collect(),
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let safe = url.scheme() == "https" || (url.scheme() == "http" && local && is_loopback(&url));
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if safe && bare && url.has_host() && (query || url.query().is_none()) && text.len() <= MAX_ADDRESS {
        Ok(url)
    } else {
        Err(wrong())
    }
}

/// The address of the document, given that or the issuer's.
///
/// # Errors
/// [`ProviderError::Address`].
pub fn discovery_address(text: &str) -> Result<Url, ProviderError> {
    let what = "the address of the discovery document";
    let url = address(what, text, true, false)?;
    if url.path().ends_with(WELL_KNOWN) {
        return Ok(url);
    }
    let whole = format!("{}{WELL_KNOWN}", text.trim_end_matches('/'));
    address(what, &whole, true, false)
}

/// The address of a document that this program may read: HTTPS, or on this machine; without a fragment, a name or a password.
///
/// # Errors
/// [`ProviderError::Address`].
pub fn document_address(what: &'static str, text: &str) -> Result<Url, ProviderError> {
    address(what, text, true, true)
}

pub(crate) fn text<'a>(document: &'a Claims, name: &'static str) -> Result<&'a str, ProviderError> {
    document
        .get(name)
        .and_then(Value::as_str)
        .ok_or(ProviderError::Missing(name))
}

pub(crate) fn words(document: &Claims, name: &str) -> Option<Vec<String>> {
    let list = document.get(name)?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

impl Provider {
    /// Reads the document that was found at `from` (of [`discovery_address`]).
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn read(from: &Url, bytes: &[u8]) -> Result<Self, ProviderError> {
        let document = json::object(bytes).map_err(|_| ProviderError::NotJson)?;
        let issuer = text(&document, "issuer")?;
        let expected = from.as_str().strip_suffix(WELL_KNOWN).unwrap_or_default();
        // A slash at the end of an issuer goes when the address is made of it (Discovery 1.0, section 4.1).
        if issuer != expected && issuer.strip_suffix('/') != Some(expected) {
            return Err(ProviderError::Issuer {
                said: issuer.chars().take(200).collect(),
                expected: expected.to_owned(),
            });
        }
        // A provider elsewhere must not send us to a port of this machine.
        let local = from.scheme() == "http";
        let endpoint = |name| {
            address(
                name,
                text(&document, name)?,
                local,
                name == "authorization_endpoint",
            )
        };
        let userinfo_endpoint = match document.get("userinfo_endpoint") {
            Some(_) => Some(endpoint("userinfo_endpoint")?),
            None => None,
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            jwks_uri: endpoint("jwks_uri")?,
            userinfo_endpoint,
            authentication: authentication(&document)?,
            says_issuer: document.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
            algorithms: algorithms(&document)?,
        })
    }

    /// Whom its redirects are from.
    pub fn sender(&self) -> Sender<'_> {
        Sender {
            issuer: &self.issuer,
            says_issuer: self.says_issuer,
        }
    }
}

fn authentication(document: &Claims) -> Result<ClientAuthentication, ProviderError> {
    const WHAT: &str = "token_endpoint_auth_methods_supported";
    let Some(offered) = words(document, WHAT) else {
        return Ok(ClientAuthentication::Basic);
    };
    let has = |name: &str| offered.iter().any(|it| it == name);
    if has("client_secret_basic") {
        Ok(ClientAuthentication::Basic)
    } else if has("client_secret_post") {
        Ok(ClientAuthentication::Post)
    } else {
        Err(ProviderError::Nothing {
            what: WHAT,
            offered: offered.join(", "),
            taken: "client_secret_basic, client_secret_post".to_owned(),
        })
    }
}

fn algorithms(document: &Claims) -> Result<Vec<String>, ProviderError> {
    const WHAT: &str = "id_token_signing_alg_values_supported";
    let offered = words(document, WHAT).ok_or(ProviderError::Missing(WHAT))?;
    let common: Vec<_> = offered
        .iter()
        .filter(|name| ALGORITHMS.iter().any(|(known, ..)| known == name))
        .cloned()
        .collect();
    if common.is_empty() {
        let taken: Vec<_> = ALGORITHMS.iter().map(|(name, ..)| *name).collect();
        return Err(ProviderError::Nothing {
            what: WHAT,
            offered: offered.join(", "),
            taken: taken.join(", "),
        });
    }
    Ok(common)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "issuer": "https://idp.test/realm",
            "authorization_endpoint": "https://idp.test/auth?tenant=1",
            "token_endpoint": "https://idp.test/token",
            "jwks_uri": "https://keys.test/jwks",
            "userinfo_endpoint": "https://idp.test/me",
            "id_token_signing_alg_values_supported": ["HS256", "RS256", "none"],
        })
    }

    fn read(from: &str, document: &Value) -> Result<Provider, ProviderError> {
        Provider::read(&discovery_address(from).unwrap(), document.to_string().as_bytes())
    }

    #[test]
    fn the_issuer_is_the_one_that_the_address_says() {
        let provider = read("https://idp.test/realm", &document()).unwrap();
        assert_eq!(provider.algorithms, ["RS256"]);
        assert_eq!(provider.authentication, ClientAuthentication::Basic);
        assert!(
            read(
                "https://idp.test/realm/.well-known/openid-configuration",
                &document()
            )
            .is_ok()
        );
        for other in [
            "https://idp.test",
            "https://idp.test/realm2",
            "https://evil.test/realm",
        ] {
            assert!(
                matches!(read(other, &document()), Err(ProviderError::Issuer { .. })),
                "{other}"
            );
        }
        let mut slash = document();
        slash["issuer"] = "https://idp.test/realm/".into();
        assert_eq!(
            read("https://idp.test/realm/", &slash).unwrap().issuer,
            "https://idp.test/realm/"
        );
    }

    #[test]
    fn an_address_without_tls_is_one_of_this_machine() {
        for good in [
            "https://idp.test",
            "http://127.0.0.1:4400",
            "http://localhost:1/a",
        ] {
            assert!(discovery_address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://idp.test",
            "ftp://idp.test",
            "https://a:b@idp.test",
            "https://idp.test?x=1",
            "https://idp.test/#f",
            "idp.test",
            "http://127.0.0.1.evil.test",
            "file:///etc/passwd",
        ] {
            assert!(discovery_address(bad).is_err(), "{bad}");
        }
        // A provider elsewhere names a port of this machine, or sends a secret in the clear.
        for (name, value) in [
            ("token_endpoint", "http://127.0.0.1:6443/token"),
            ("jwks_uri", "http://idp.test/jwks"),
            ("userinfo_endpoint", "file:///etc/passwd"),
            ("authorization_endpoint", "javascript:alert(1)"),
        ] {
            let mut document = document();
            document[name] = value.into();
            assert!(
                matches!(
                    read("https://idp.test/realm", &document),
                    Err(ProviderError::Address { .. })
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn a_provider_without_what_is_needed_says_what() {
        for name in [
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "id_token_signing_alg_values_supported",
        ] {
            let mut document = document();
            document.as_object_mut().unwrap().remove(name);
            assert_eq!(
                read("https://idp.test/realm", &document),
                Err(ProviderError::Missing(name))
            );
        }
        let mut symmetric = document();
        symmetric["id_token_signing_alg_values_supported"] = json!(["HS256", "none"]);
        assert!(
            read("https://idp.test/realm", &symmetric)
                .unwrap_err()
                .to_string()
                .contains("RS256")
        );
        let mut keyed = document();
        keyed["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]);
        assert!(read("https://idp.test/realm", &keyed).is_err());
        keyed["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        assert_eq!(
            read("https://idp.test/realm", &keyed).unwrap().authentication,
            ClientAuthentication::Post
        );
    }
}
