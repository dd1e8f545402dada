//! The API server of a cluster, and what it says of the cluster's OAuth server (RFC 8414).

use serde_json::Value;
use url::Url;

use crate::answer::Sender;
use crate::json;
use crate::provider::{self, ProviderError};

/// Where the document is, below the address of the API server.
const METADATA: &str = "/.well-known/oauth-authorization-server";
/// Where the API server says whose a token is.
const USER: &str = "/apis/user.openshift.io/v1/users/~";
/// With which a token is good for that question and little else.
pub const SCOPE: &str = "user:info";
/// What the OAuth server has to offer of RFC 7636: without it a code that somebody else was given would be taken.
const METHODS: &str = "code_challenge_methods_supported";

/// The API server of a cluster, by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiServer {
    address: String,
    metadata: Url,
    user: Url,
}

impl ApiServer {
    /// The one at an address such as `https://api.cluster.example.com:6443`.
    ///
    /// # Errors
    /// [`ProviderError::Address`].
    pub fn at(text: &str) -> Result<Self, ProviderError> {
        let what = "the address of the API server";
        let base = provider::address(what, text, true, false)?;
        let address = base.as_str().trim_end_matches('/').to_owned();
        let below = |path: &str| provider::address(what, &format!("{address}{path}"), true, false);
        Ok(Self {
            metadata: below(METADATA)?,
            user: below(USER)?,
            address,
        })
    }

    /// Where it says what the OAuth server is.
    pub fn metadata(&self) -> &Url {
        &self.metadata
    }

    /// Where it says whose a token is.
    pub fn user(&self) -> &Url {
        &self.user
    }

    /// By which name its users are known: the address, with a mark, since some products give several kinds of provider one name.
    pub fn name(&self) -> String {
        format!("openshift:{}", self.address)
    }
}

/// An OAuth server whose document was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationServer {
    /// Its name for itself.
    pub issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: Url,
    /// Where codes become tokens.
    pub token_endpoint: Url,
    /// Whether it names itself in every redirect (RFC 9207).
    pub says_issuer: bool,
}

impl AuthorizationServer {
    /// Reads the document that an API server gave. The OAuth server may be at another address than that, as it is on OpenShift; its issuer
    /// and both of its endpoints are at one.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn read(from: &ApiServer, bytes: &[u8]) -> Result<Self, ProviderError> {
        let document = json::object(bytes).map_err(|_| ProviderError::NotJson)?;
        // A cluster elsewhere must not send us to a port of this machine.
        let local = from.metadata.scheme() == "http";
        let issuer = provider::text(&document, "issuer")?;
        let home = provider::address("issuer", issuer, local, false)?.origin();
        let endpoint = |name| {
            let url = provider::address(name, provider::text(&document, name)?, local, false)?;
            if url.origin() == home {
                Ok(url)
            } else {
                Err(ProviderError::Elsewhere {
                    what: name,
                    origin: url.origin().ascii_serialization(),
                    issuer: home.ascii_serialization(),
                })
            }
        };
        let offered = provider::words(&document, METHODS).ok_or(ProviderError::Missing(METHODS))?;
        if !offered.iter().any(|method| method == "S256") {
            return Err(ProviderError::Nothing {
                what: METHODS,
                offered: offered.join(", ").chars().take(200).collect(),
                taken: "S256".to_owned(),
            });
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            says_issuer: document.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "issuer": "https://oauth-openshift.apps.c.example.com",
            "authorization_endpoint": "https://oauth-openshift.apps.c.example.com/oauth/authorize",
            "token_endpoint": "https://oauth-openshift.apps.c.example.com/oauth/token",
            "scopes_supported": ["user:full", "user:info"],
            "response_types_supported": ["code", "token"],
            "grant_types_supported": ["authorization_code", "implicit"],
            "code_challenge_methods_supported": ["plain", "S256"],
        })
    }

    fn read(document: &Value) -> Result<AuthorizationServer, ProviderError> {
        let from = ApiServer::at("https://api.c.example.com:6443").unwrap();
        AuthorizationServer::read(&from, document.to_string().as_bytes())
    }

    #[test]
    fn an_api_server_is_one_however_its_address_is_written() {
        for same in [
            "https://api.c.example.com:6443",
            "https://API.c.example.com:6443/",
        ] {
            let api = ApiServer::at(same).unwrap();
            assert_eq!(api.name(), "openshift:https://api.c.example.com:6443");
            assert_eq!(
                api.user().as_str(),
                "https://api.c.example.com:6443/apis/user.openshift.io/v1/users/~"
            );
        }
        let below = ApiServer::at("https://gateway.example.com/clusters/c").unwrap();
        assert_eq!(
            below.metadata().as_str(),
            "https://gateway.example.com/clusters/c/.well-known/oauth-authorization-server"
        );
        for bad in [
            "http://api.c.example.com:6443",
            "https://a:b@api.c.example.com",
            "https://api.c.example.com?x=1",
            "api.c.example.com",
            "",
        ] {
            assert!(ApiServer::at(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_oauth_server_is_one_server_with_tls_and_pkce() {
        let server = read(&document()).unwrap();
        assert_eq!(server.token_endpoint.path(), "/oauth/token");
        assert!(!server.says_issuer);
        for (name, value) in [
            ("issuer", json!("http://oauth-openshift.apps.c.example.com")),
            ("issuer", json!("https://oauth-openshift.apps.c.example.com?x=1")),
            ("issuer", json!("https://oauth-openshift.apps.other.example.com")),
            ("token_endpoint", json!("https://evil.test/oauth/token")),
            ("token_endpoint", json!("http://127.0.0.1:6443/oauth/token")),
            ("token_endpoint", json!("/oauth/token")),
            (
                "token_endpoint",
                json!("https://oauth-openshift.apps.c.example.com:8443/oauth/token"),
            ),
            ("authorization_endpoint", json!("javascript:alert(1)")),
            (
                "authorization_endpoint",
                json!("https://evil.test/oauth/authorize"),
            ),
            ("code_challenge_methods_supported", json!(["plain"])),
            ("code_challenge_methods_supported", json!("S256")),
        ] {
            let mut changed = document();
            changed[name] = value.clone();
            assert!(read(&changed).is_err(), "{name}: {value}");
        }
        for name in [
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "code_challenge_methods_supported",
        ] {
            let mut without = document();
            without.as_object_mut().unwrap().remove(name);
            assert_eq!(read(&without), Err(ProviderError::Missing(name)));
        }
    }
}
