//! Speaking with identity providers: what is kept of each, and what it says of somebody.
//!
//! **Bounds.** An answer has at most 256 KiB and comes within ten seconds; no redirect is followed; addresses are HTTPS, or on this
//! machine where the provider is. A discovery document is kept for an hour. A provider's keys are kept for an hour, and read again for
//! a token of a key that is not among them, at most every thirty seconds, so that nobody can make us ask without end.

mod client;
mod failure;
mod idp;
mod mappers;
mod oidc;
mod openshift;
mod requests;
mod saml;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reeve_identity::Random;
use reeve_oidc::openshift::AuthorizationServer;
use reeve_oidc::{
    Claims, Expected, IdTokenError, Keys, KeysError, LogoutToken, LogoutTokenError, Provider, TokenAnswer,
    json,
};
use reeve_saml::IdentityProvider;
use reeve_types::{IdpAlias, Secret, Timestamp};

pub(crate) use client::{ClientIdp, ClientSettings};
pub(crate) use failure::Failure;
pub(crate) use idp::Idp;
pub(crate) use oidc::{OidcIdp, OidcSettings};
pub(crate) use openshift::{OpenshiftIdp, OpenshiftSettings};
pub(crate) use requests::Grant;
use requests::{Http, TokenEndpoint};
pub(crate) use saml::{SamlIdp, mapped};

use crate::error::ApiError;

/// For how long a discovery document and keys are kept, in seconds.
const KEPT_SECONDS: i64 = 3600;
/// How often keys are read again at most, in seconds.
const AGAIN_SECONDS: i64 = 30;

/// What is kept of all providers.
#[derive(Debug, Default)]
pub struct Providers {
    http: Http,
    known: Mutex<HashMap<IdpAlias, Arc<tokio::sync::Mutex<Known>>>>,
}

/// What is kept of one.
#[derive(Debug, Default)]
struct Known {
    /// Of settings of this moment: with other ones it is another provider.
    of: Option<Timestamp>,
    provider: Kept<Provider>,
    keys: Kept<Keys>,
    metadata: Kept<IdentityProvider>,
    authorization_server: Kept<AuthorizationServer>,
}

/// What was read last, and when.
#[derive(Debug)]
struct Kept<T>(Option<(Arc<T>, Timestamp)>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Kept<T> {
    /// Unless it is older than so many seconds. A clock that was set back makes nothing young for ever.
    fn young(&self, now: Timestamp, seconds: i64) -> Option<Arc<T>> {
        let (kept, read) = self.0.as_ref()?;
        (*read <= now && now < read.plus_seconds(seconds)).then(|| Arc::clone(kept))
    }

    fn keep(&mut self, read: T, now: Timestamp) -> Arc<T> {
        let kept = Arc::new(read);
        self.0 = Some((Arc::clone(&kept), now));
        kept
    }
}

impl Known {
    /// Forgets what is of other settings.
    fn is_of(&mut self, settings: Timestamp) {
        if self.of != Some(settings) {
            *self = Self {
                of: Some(settings),
                ..Self::default()
            };
        }
    }
}

/// What a provider said of somebody, and what it can be asked with later.
#[derive(Debug)]
pub(crate) struct Said {
    /// The claims, of the ID token first.
    pub(crate) claims: Claims,
    /// Who it is there.
    pub(crate) subject: String,
    /// What it is asked with later.
    pub(crate) refresh_token: Option<Secret>,
}

impl Providers {
    /// With this certificate authority, in PEM, beside the machine's.
    pub fn trusting(authority: Option<String>) -> Self {
        Self {
            http: Http::trusting(authority),
            ..Self::default()
        }
    }

    fn known(&self, alias: &IdpAlias) -> Arc<tokio::sync::Mutex<Known>> {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(alias.clone()).or_default())
    }

    /// What a provider says of itself.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn provider(&self, idp: &OidcIdp, now: Timestamp) -> Result<Arc<Provider>, Failure> {
        let known = self.known(&idp.alias);
        let mut known = known.lock().await;
        known.is_of(idp.updated_at);
        if let Some(provider) = known.provider.young(now, KEPT_SECONDS) {
            return Ok(provider);
        }
        let address = reeve_oidc::discovery_address(&idp.settings.discover_document_url)?;
        let bytes = self
            .http
            .get("the discovery document", address.clone(), None)
            .await?;
        Ok(known.provider.keep(Provider::read(&address, &bytes)?, now))
    }

    /// Its keys; with `again` not older ones than of half a minute before.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn keys(
        &self,
        idp: &OidcIdp,
        provider: &Provider,
        now: Timestamp,
        again: bool,
    ) -> Result<Arc<Keys>, Failure> {
        let known = self.known(&idp.alias);
        let mut known = known.lock().await;
        let seconds = if again { AGAIN_SECONDS } else { KEPT_SECONDS };
        if let Some(keys) = known.keys.young(now, seconds) {
            return Ok(keys);
        }
        let bytes = self.http.get("the keys", provider.jwks_uri.clone(), None).await?;
        let keys = Keys::read(&bytes).map_err(Failure::Keys)?;
        Ok(known.keys.keep(keys, now))
    }

    /// Asks a provider's token endpoint, and verifies whatever it says of somebody.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn ask(
        &self,
        idp: &OidcIdp,
        grant: Grant<'_>,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<Said, Failure> {
        let provider = self.provider(idp, now).await?;
        let endpoint = TokenEndpoint {
            address: &provider.token_endpoint,
            authentication: provider.authentication,
            client_id: &idp.settings.client_id,
            client_secret: &idp.secret,
        };
        let answer = self.http.token(&endpoint, grant).await?;
        let claims = match &answer.id_token {
            Some(token) => {
                self.verified(idp, &provider, (token, &answer), nonce, now)
                    .await?
            }
            // A refresh need not give one (Core 1.0, section 12.2); then UserInfo says it.
            None if nonce.is_none() => Claims::new(),
            None => return Err(Failure::NoIdToken),
        };
        let claims = self.with_more(idp, &provider, &answer, claims).await?;
        let subject = claims
            .get("sub")
            .and_then(|it| it.as_str())
            .ok_or(Failure::NoIdToken)?
            .to_owned();
        Ok(Said {
            claims,
            subject,
            refresh_token: answer.refresh_token,
        })
    }

    async fn verified(
        &self,
        idp: &OidcIdp,
        provider: &Provider,
        (token, answer): (&Secret, &TokenAnswer),
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<Claims, Failure> {
        let expected = Expected {
            provider,
            client_id: &idp.settings.client_id,
            nonce,
            access_token: answer.access_token.as_ref().map(Secret::expose),
            now: now.as_seconds(),
        };
        let keys = self.keys(idp, provider, now, false).await?;
        match reeve_oidc::verify(token.expose(), &keys, &expected) {
            Err(IdTokenError::Key(KeysError::Unknown)) => {
                let keys = self.keys(idp, provider, now, true).await?;
                Ok(reeve_oidc::verify(token.expose(), &keys, &expected)?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// With what UserInfo says of what the ID token does not.
    async fn with_more(
        &self,
        idp: &OidcIdp,
        provider: &Provider,
        answer: &TokenAnswer,
        claims: Claims,
    ) -> Result<Claims, Failure> {
        let mandatory = idp.settings.mandatory();
        let (Some(address), Some(token)) = (&provider.userinfo_endpoint, &answer.access_token) else {
            return Ok(claims);
        };
        if !claims.is_empty() && !idp.mapper.wants_more(&claims, mandatory.as_ref()) {
            return Ok(claims);
        }
        let bytes = self.http.get("UserInfo", address.clone(), Some(token)).await?;
        let mut all = json::object(&bytes).map_err(|_| Failure::Strange("UserInfo"))?;
        // Whom it speaks of is the ID token's word (Core 1.0, section 5.3.2).
        if !all.contains_key("sub")
            || claims
                .get("sub")
                .is_some_and(|subject| all.get("sub") != Some(subject))
        {
            return Err(Failure::UserInfoSubject);
        }
        all.extend(claims);
        Ok(all)
    }

    /// What a provider of SAML says of itself; with `again` nothing that is older than half a minute.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn metadata(
        &self,
        idp: &SamlIdp,
        now: Timestamp,
        again: bool,
    ) -> Result<Arc<IdentityProvider>, Failure> {
        let address = match idp.source() {
            saml::Source::File(xml) => return Ok(Arc::new(idp.understood(xml.as_bytes(), now)?)),
            saml::Source::Url(address) => saml::address(address)?,
        };
        let known = self.known(&idp.alias);
        let mut known = known.lock().await;
        known.is_of(idp.updated_at);
        let seconds = if again { AGAIN_SECONDS } else { KEPT_SECONDS };
        if let Some(metadata) = known.metadata.young(now, seconds)
            && metadata.valid_until().is_none_or(|end| now < end)
        {
            return Ok(metadata);
        }
        let bytes = self.http.metadata(address).await?;
        Ok(known.metadata.keep(idp.understood(&bytes, now)?, now))
    }

    /// What is at hand of that without asking anybody.
    pub(crate) async fn metadata_at_hand(
        &self,
        idp: &SamlIdp,
        now: Timestamp,
    ) -> Option<Arc<IdentityProvider>> {
        if matches!(idp.source(), saml::Source::File(_)) {
            return self.metadata(idp, now, false).await.ok();
        }
        let known = self.known(&idp.alias);
        // Somebody may be asking just now.
        let known = known.try_lock().ok()?;
        let metadata = known.metadata.young(now, KEPT_SECONDS);
        metadata.filter(|_| known.of == Some(idp.updated_at))
    }

    /// Whom a logout token of a provider signs out, and the provider's name for itself.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn signed_out(
        &self,
        idp: &OidcIdp,
        token: &str,
        now: Timestamp,
    ) -> Result<(String, LogoutToken), Failure> {
        let provider = self.provider(idp, now).await?;
        let verified = |keys: &Keys| {
            let client = &idp.settings.client_id;
            reeve_oidc::verify_logout(token, keys, &provider, client, now.as_seconds())
        };
        let keys = self.keys(idp, &provider, now, false).await?;
        let out = match verified(&keys) {
            Err(LogoutTokenError::Token(IdTokenError::Key(KeysError::Unknown))) => {
                verified(&*self.keys(idp, &provider, now, true).await?)?
            }
            outcome => outcome?,
        };
        Ok((provider.issuer.clone(), out))
    }

    /// Forgets what is kept of a provider.
    pub(crate) fn forget(&self, alias: &IdpAlias) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(alias);
    }
}

/// A random text of 256 bits: state, nonce, verifier.
pub(crate) fn random_text(random: &Random) -> Result<String, ApiError> {
    let secret = reeve_identity::generate_client_secret(random).map_err(ApiError::internal)?;
    Ok(secret.expose().to_owned())
}
