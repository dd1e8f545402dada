//! One request after another: bounded in size, time and redirects, to addresses that may be asked, with credentials for the
//! origin they were given for and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Response, StatusCode, redirect};
use serde::Deserialize;
use url::{Host, Url};

use super::address::{AddressPolicy, GuardedResolver, LedAstray, UnknownName};
use super::challenge::Challenge;
use super::credentials::Credentials;
use super::error::RegistryError;
use super::{RegistrySettings, document};

/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(10);
/// The largest answer of a token endpoint.
const TOKEN_BYTES: usize = 256 << 10;

/// Who asks which host for what.
#[derive(Debug)]
pub(super) struct Fetch {
    /// For hosts that anybody chose.
    guarded: Client,
    /// For origins that were named by whoever runs the operator.
    named: Client,
    origins: BTreeSet<String>,
    endpoints: BTreeMap<String, Url>,
    private: bool,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// In words, for errors.
    pub(super) what: &'static str,
    /// The kinds that are understood.
    pub(super) accept: &'static str,
    /// The largest answer.
    pub(super) most: usize,
}

impl Wanted {
    pub(super) const fn manifest() -> Self {
        Self {
            what: "the manifest",
            accept: document::MANIFESTS,
            most: 4 << 20,
        }
    }

    pub(super) const fn config() -> Self {
        Self {
            what: "the configuration",
            accept: "*/*",
            most: 4 << 20,
        }
    }

    pub(super) const fn list(what: &'static str) -> Self {
        Self {
            what,
            accept: "application/json",
            most: 4 << 20,
        }
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) headers: HeaderMap,
}

/// A conversation with one registry about one repository.
#[derive(Debug)]
pub(super) struct Session<'a> {
    fetch: &'a Fetch,
    /// What the operator asks in the registry's place.
    base: Url,
    credentials: Option<Credentials>,
    authorization: Option<HeaderValue>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Fetch {
    pub(super) fn new(settings: &RegistrySettings) -> Result<Self, RegistryError> {
        let client = |named| {
            let policy = AddressPolicy {
                private: settings.private_addresses,
                named,
            };
            let failed = |error: reqwest::Error| RegistryError::Client(error.without_url().to_string());
            let mut authorities = Vec::new();
            for authority in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
                authorities.push(Certificate::from_der(authority).map_err(failed)?);
            }
            if let Some(pem) = &settings.authority {
                authorities.extend(Certificate::from_pem_bundle(pem.as_bytes()).map_err(failed)?);
            }
            Client::builder()
                .user_agent(concat!("reeve-serving/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                // A proxy would look names up itself, and the check of addresses would be void.
                .no_proxy()
                .dns_resolver(Arc::new(GuardedResolver(policy)))
                .tls_certs_merge(authorities)
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .build()
                .map_err(failed)
        };
        Ok(Self {
            guarded: client(false)?,
            named: client(true)?,
            origins: settings.endpoints.values().map(origin).collect(),
            endpoints: settings.endpoints.clone(),
            private: settings.private_addresses,
        })
    }

    /// What is asked in the place of a registry: the endpoint that was named for it, or the registry itself over HTTPS.
    pub(super) fn base(&self, registry: &str) -> Result<Url, RegistryError> {
        if let Some(endpoint) = self.endpoints.get(registry) {
            return Ok(endpoint.clone());
        }
        let host = match registry {
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let wrong = || RegistryError::Scheme {
            host: registry.to_owned(),
        };
        let base = Url::parse(&format!("https://{host}/")).map_err(|_| wrong())?;
        // A registry is a host and a port: whatever else the text became in the address was smuggled in.
        let clean = base.path() == "/" && base.query().is_none() && base.fragment().is_none();
        if clean { Ok(base) } else { Err(wrong()) }
    }

    pub(super) fn session<'a>(&'a self, base: Url, credentials: Option<&Credentials>) -> Session<'a> {
        Session {
            fetch: self,
            base,
            credentials: credentials.cloned(),
            authorization: None,
        }
    }

    /// The client for an address, if that may be asked at all.
    fn client(&self, url: &Url) -> Result<&Client, RegistryError> {
        let named = self.origins.contains(&origin(url));
        let host = || name(url);
        let secure = url.scheme() == "https" || (named && url.scheme() == "http");
        if !secure || !url.username().is_empty() || url.password().is_some() {
            return Err(RegistryError::Scheme { host: host() });
        }
        let policy = AddressPolicy {
            private: self.private,
            named,
        };
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(RegistryError::Scheme { host: host() }),
        };
        if let Some(address) = address {
            policy
                .check(address)
                .map_err(|why| RegistryError::Address { host: host(), why })?;
        }
        Ok(if named { &self.named } else { &self.guarded })
    }

    async fn send(&self, url: &Url, headers: HeaderMap) -> Result<Response, RegistryError> {
        let sent = self.client(url)?.get(url.clone()).headers(headers).send().await;
        sent.map_err(|error| lost(&error, url))
    }
}

impl Session<'_> {
    /// The address of something under the API's root, with the endpoint's own path before the repository.
    pub(super) fn address(&self, repository: &str, rest: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = self.base.path().trim_matches('/');
        let parts = ["v2", prefix, repository, rest]
            .into_iter()
            .filter(|part| !part.is_empty());
        url.set_path(&parts.collect::<Vec<_>>().join("/"));
        url
    }

    /// Reads what is there. A token is fetched when it is asked for, once.
    pub(super) async fn get(&mut self, url: &Url, wanted: Wanted) -> Result<Answer, RegistryError> {
        let mut response = self.follow(url, wanted).await?;
        if response.status() == StatusCode::UNAUTHORIZED && self.authorization.is_none() {
            self.authorization = self.authorize(&response, url).await?;
            if self.authorization.is_some() {
                response = self.follow(url, wanted).await?;
            }
        }
        let host = name(url);
        let what = wanted.what;
        match response.status() {
            StatusCode::OK => {
                let headers = response.headers().clone();
                let bytes = read(response, url, wanted.what, wanted.most).await?;
                Ok(Answer { bytes, headers })
            }
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Err(RegistryError::Auth {
                host,
                what,
                status: status.as_u16(),
            }),
            StatusCode::NOT_FOUND => Err(RegistryError::NotFound { host, what }),
            StatusCode::TOO_MANY_REQUESTS => Err(RegistryError::RateLimited { host }),
            status => Err(RegistryError::Status {
                host,
                what,
                status: status.as_u16(),
            }),
        }
    }

    /// Bears this token from now on, to the origin of the base.
    pub(super) fn bear(&mut self, token: &str) {
        self.authorization = bearer(token);
    }

    async fn follow(&self, url: &Url, wanted: Wanted) -> Result<Response, RegistryError> {
        let mut at = url.clone();
        for _ in 0..=REDIRECTS {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(wanted.accept));
            if let Some(authorization) = self
                .authorization
                .clone()
                .filter(|_| origin(&at) == origin(&self.base))
            {
                headers.insert(header::AUTHORIZATION, authorization);
            }
            let response = self.fetch.send(&at, headers).await?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let target = response
                .headers()
                .get(header::LOCATION)
                .and_then(|to| to.to_str().ok());
            let target = target.and_then(|to| at.join(to).ok());
            at = target.ok_or_else(|| RegistryError::Unreadable {
                host: name(&at),
                what: "the redirect",
            })?;
        }
        Err(RegistryError::Redirects {
            host: name(url),
            most: REDIRECTS,
        })
    }

    /// What to say after a 401; `None`: there is nothing to say.
    async fn authorize(&self, refused: &Response, url: &Url) -> Result<Option<HeaderValue>, RegistryError> {
        let asked = refused.headers().get_all(header::WWW_AUTHENTICATE).iter();
        // Not what a host says to which the registry led: its credentials are not ours to give.
        if origin(refused.url()) != origin(&self.base) {
            return Ok(None);
        }
        let mut challenges = asked.filter_map(|value| Challenge::read(value.to_str().ok()?));
        match challenges.next() {
            Some(Challenge::Basic) => Ok(self.credentials.as_ref().and_then(basic)),
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => {
                let strange = || RegistryError::Unreadable {
                    host: name(url),
                    what: "the demand for a token",
                };
                let mut address = Url::parse(&realm).map_err(|_| strange())?;
                let pairs = [("service", service), ("scope", scope)];
                let pairs = pairs
                    .iter()
                    .filter_map(|(key, value)| Some((*key, value.as_deref()?)));
                address.query_pairs_mut().extend_pairs(pairs);
                self.token(&address).await
            }
            None => Ok(None),
        }
    }

    async fn token(&self, address: &Url) -> Result<Option<HeaderValue>, RegistryError> {
        let what = "the token";
        let mut headers = HeaderMap::new();
        if let Some(said) = self.credentials.as_ref().and_then(basic) {
            headers.insert(header::AUTHORIZATION, said);
        }
        let response = self.fetch.send(address, headers).await?;
        let host = name(address);
        match response.status() {
            StatusCode::OK => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err(RegistryError::Auth {
                    host,
                    what,
                    status: status.as_u16(),
                });
            }
            StatusCode::TOO_MANY_REQUESTS => return Err(RegistryError::RateLimited { host }),
            status => {
                return Err(RegistryError::Status {
                    host,
                    what,
                    status: status.as_u16(),
                });
            }
        }
        let bytes = read(response, address, what, TOKEN_BYTES).await?;
        let token: Token = serde_json::from_slice(&bytes).map_err(|_| RegistryError::Unreadable {
            host: host.clone(),
            what,
        })?;
        let token = token.token.or(token.access_token).as_deref().and_then(bearer);
        token.map(Some).ok_or(RegistryError::Unreadable { host, what })
    }
}

fn secret(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn bearer(token: &str) -> Option<HeaderValue> {
    secret(format!("Bearer {token}"))
}

fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    use base64::Engine;
    let both = format!(
        "{}:{}",
        credentials.username.expose(),
        credentials.password.expose()
    );
    secret(format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(both)
    ))
}

async fn read(
    mut response: Response,
    url: &Url,
    what: &'static str,
    most: usize,
) -> Result<Vec<u8>, RegistryError> {
    let too_large = || RegistryError::TooLarge {
        host: name(url),
        what,
        most,
    };
    let said = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    if said.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error, url))? {
        if bytes.len().saturating_add(chunk.len()) > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Host and port, for errors.
pub(super) fn name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Why there is no answer, by what is behind the error; none of its text is kept.
fn lost(error: &reqwest::Error, url: &Url) -> RegistryError {
    let host = name(url);
    if error.is_timeout() {
        return RegistryError::Late {
            host,
            seconds: SILENCE.as_secs(),
        };
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(found) = cause {
        if let Some(LedAstray(why)) = found.downcast_ref::<LedAstray>() {
            return RegistryError::Address { host, why: *why };
        }
        if found.is::<UnknownName>() {
            return RegistryError::UnknownHost { host };
        }
        if found.is::<rustls::Error>() {
            return RegistryError::Certificate { host };
        }
        if let Some(error) = found.downcast_ref::<io::Error>() {
            if error.kind() == io::ErrorKind::ConnectionRefused {
                return RegistryError::ConnectionRefused { host };
            }
            if is_of_tls(error) {
                return RegistryError::Certificate { host };
            }
        }
        cause = found.source();
    }
    RegistryError::Network { host }
}

/// An error of TLS comes wrapped into errors of I/O, which say what caused what they wrap, and not what that is.
fn is_of_tls(error: &io::Error) -> bool {
    let mut wrapped = error.get_ref();
    while let Some(inner) = wrapped {
        if inner.is::<rustls::Error>() {
            return true;
        }
        wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    }
    false
}
