//! Providers to which a browser is sent for a code: those of OpenID Connect, and OpenShift's OAuth server. Where the two differ is here;
//! what keeps a sign-in to one browser, one provider and one use is in `broker.rs`, for both.

use std::sync::Arc;

use reeve_oidc::openshift::{AuthorizationServer, SCOPE};
use reeve_oidc::{AuthorizationRequest, Mapped, Provider, Sender};
use reeve_types::{IdpAlias, Timestamp};
use url::Url;

use super::seen;
use super::spoken::Spoken;
use super::ticket::AtProvider;
use crate::app::App;
use crate::providers::{Failure, Grant, Idp, OidcIdp, OpenshiftIdp};
use crate::renewal::Renewal;

/// A provider, and what it says of itself.
pub(super) enum CodeProvider {
    /// Of OpenID Connect.
    Oidc(OidcIdp, Arc<Provider>),
    /// The OAuth server of a cluster.
    Openshift(OpenshiftIdp, Arc<AuthorizationServer>),
}

/// What a provider said of somebody.
pub(super) struct Answer {
    /// For the page of a test, by name.
    pub(super) seen: Vec<(String, String)>,
    /// What it comes to.
    pub(super) mapped: Result<Mapped, Failure>,
    issuer: String,
    subject: String,
    renewal: Option<Renewal>,
}

impl Answer {
    /// Of somebody who may sign in.
    ///
    /// # Errors
    /// What it says cannot be used.
    pub(super) fn spoken(self) -> Result<Spoken, Failure> {
        Ok(Spoken {
            mapped: self.mapped?,
            issuer: self.issuer,
            subject: self.subject,
            ends: None,
            renewal: self.renewal,
        })
    }
}

impl CodeProvider {
    /// A provider of these kinds.
    ///
    /// # Errors
    /// [`Failure`]; for one of another kind, too.
    pub(super) async fn found(app: &App, idp: Idp, now: Timestamp) -> Result<Self, Failure> {
        match idp {
            Idp::Oidc(idp) => {
                let provider = app.providers.provider(&idp, now).await?;
                Ok(Self::Oidc(idp, provider))
            }
            Idp::Openshift(idp) => {
                let server = app.providers.authorization_server(&idp, now).await?;
                Ok(Self::Openshift(idp, server))
            }
            // It answers with a form.
            Idp::Saml(_) => Err(Failure::NoProvider),
        }
    }

    /// Its name here.
    pub(super) const fn alias(&self) -> &IdpAlias {
        match self {
            Self::Oidc(idp, _) => &idp.alias,
            Self::Openshift(idp, _) => &idp.alias,
        }
    }

    /// Whether it gives ID tokens, which name the sign-in that they are of.
    pub(super) const fn has_nonce(&self) -> bool {
        matches!(self, Self::Oidc(..))
    }

    /// Whom its redirects are from.
    pub(super) fn sender(&self) -> Sender<'_> {
        match self {
            Self::Oidc(_, provider) => provider.sender(),
            Self::Openshift(_, server) => server.sender(),
        }
    }

    /// Where the browser is sent.
    pub(super) fn address(&self, redirect_uri: &str, at: &AtProvider) -> Url {
        let (client_id, scope, scopes, endpoint) = match self {
            Self::Oidc(idp, provider) => (
                &idp.settings.client_id,
                "openid",
                &idp.settings.scopes,
                &provider.authorization_endpoint,
            ),
            Self::Openshift(idp, server) => (
                &idp.settings.client_id,
                SCOPE,
                &idp.settings.scopes,
                &server.authorization_endpoint,
            ),
        };
        let request = AuthorizationRequest {
            client_id,
            redirect_uri,
            scope,
            scopes,
            state: &at.state,
            nonce: at.nonce.as_deref(),
            verifier: &at.verifier,
        };
        request.address(endpoint)
    }

    /// Of whom a code is.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) async fn redeem(
        &self,
        app: &App,
        code: Grant<'_>,
        at: &AtProvider,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        match self {
            Self::Oidc(idp, provider) => {
                // An attempt of before without one is of another kind of provider.
                let nonce = at.nonce.as_deref().ok_or(Failure::Attempt)?;
                let said = app.providers.ask(idp, code, Some(nonce), now).await?;
                let mapped = idp.mapper.map(&said.claims, idp.settings.mandatory().as_ref());
                Ok(Answer {
                    seen: seen::claims(&said.claims),
                    mapped: mapped.map_err(Into::into),
                    issuer: provider.issuer.clone(),
                    renewal: said.refresh_token.map(|token| Renewal {
                        issuer: provider.issuer.clone(),
                        subject: said.subject.clone(),
                        token: token.expose().to_owned(),
                    }),
                    subject: said.subject,
                })
            }
            Self::Openshift(idp, _) => {
                let user = app.providers.openshift_user(idp, code, now).await?;
                Ok(Answer {
                    seen: seen::user(&user),
                    mapped: user.mapped(&idp.mapper).map_err(Into::into),
                    issuer: idp.api_server()?.name(),
                    subject: user.uid().to_owned(),
                    // It gives none, and its tokens are not kept.
                    renewal: None,
                })
            }
        }
    }
}
