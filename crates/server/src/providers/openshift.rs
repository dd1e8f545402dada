//! The OAuth server of an OpenShift cluster: its settings, and asking it whose a code is.

use std::sync::Arc;

use reeve_api::identity_provider::{IdpType, MASK, OcpData, SetOcpData};
use reeve_oidc::openshift::{ApiServer, AuthorizationServer, SCOPE, User, usual_mapper};
use reeve_oidc::{ClientAuthentication, Mapper, ProviderError};
use reeve_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::client::{ClientIdp, ClientSettings};
use super::mappers::shown;
use super::requests::TokenEndpoint;
use super::{Failure, Grant, KEPT_SECONDS, Providers};

/// What is kept as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenshiftSettings {
    pub(crate) client_id: String,
    pub(crate) idp_base_url: String,
    pub(crate) scopes: Vec<String>,
}

/// The OAuth server of a cluster.
pub(crate) type OpenshiftIdp = ClientIdp<OpenshiftSettings>;

impl OpenshiftSettings {
    /// From a request. The address is one that may be asked.
    ///
    /// # Errors
    /// [`ProviderError::Address`].
    pub(crate) fn of(data: &SetOcpData) -> Result<Self, ProviderError> {
        ApiServer::at(&data.idp_base_url)?;
        let more = data.scopes.iter().flatten().filter(|scope| *scope != SCOPE);
        Ok(Self {
            client_id: data.client_id.clone(),
            idp_base_url: data.idp_base_url.clone(),
            // Without any, OpenShift gives all of a person's power.
            scopes: std::iter::once(SCOPE.to_owned()).chain(more.cloned()).collect(),
        })
    }
}

impl ClientSettings for OpenshiftSettings {
    const KIND: &'static str = "openshift-v4";
    const DATA: &'static str = "ocpData";
    const ADDRESS: &'static str = "idpBaseUrl";

    fn usual() -> Mapper {
        usual_mapper()
    }

    fn client_id(&self) -> &str {
        &self.client_id
    }

    fn address(&self) -> &str {
        &self.idp_base_url
    }
}

impl OpenshiftIdp {
    /// The cluster's API server.
    ///
    /// # Errors
    /// [`ProviderError::Address`].
    pub(crate) fn api_server(&self) -> Result<ApiServer, ProviderError> {
        ApiServer::at(&self.settings.idp_base_url)
    }

    /// As it is shown.
    pub(crate) fn to_wire(&self, redirect_uri: String) -> reeve_api::identity_provider::Idp {
        reeve_api::identity_provider::Idp {
            alias: self.alias.clone(),
            kind: IdpType::OpenshiftV4,
            redirect_uri,
            oidc_data: None,
            saml_data: None,
            ocp_data: Some(OcpData {
                client_id: self.settings.client_id.clone(),
                client_secret: MASK.to_owned(),
                idp_base_url: self.settings.idp_base_url.clone(),
                scopes: self.settings.scopes.clone(),
            }),
            mappers: shown(&self.mapper),
        }
    }
}

impl Providers {
    /// What a cluster's API server says of its OAuth server.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn authorization_server(
        &self,
        idp: &OpenshiftIdp,
        now: Timestamp,
    ) -> Result<Arc<AuthorizationServer>, Failure> {
        let known = self.known(&idp.alias);
        let mut known = known.lock().await;
        known.is_of(idp.updated_at);
        if let Some(server) = known.authorization_server.young(now, KEPT_SECONDS) {
            return Ok(server);
        }
        let api = idp.api_server()?;
        let what = "the metadata of the OAuth server";
        let bytes = self.http.get(what, api.metadata().clone(), None).await?;
        let server = AuthorizationServer::read(&api, &bytes)?;
        Ok(known.authorization_server.keep(server, now))
    }

    /// Whose a code is. The access token is shown to the cluster's API server once, and forgotten.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn openshift_user(
        &self,
        idp: &OpenshiftIdp,
        code: Grant<'_>,
        now: Timestamp,
    ) -> Result<User, Failure> {
        let server = self.authorization_server(idp, now).await?;
        let answer = self.http.token(&token_endpoint(idp, &server), code).await?;
        let token = answer.access_token.filter(|_| answer.is_bearer);
        let token = token.ok_or(Failure::NoAccessToken)?;
        let api = idp.api_server()?;
        let what = "the user object";
        let bytes = self.http.get(what, api.user().clone(), Some(&token)).await?;
        Ok(User::read(&bytes)?)
    }

    /// Whether the token endpoint answers at all: it is another server than the one that named it, and its certificate may be another
    /// authority's. No secret is sent.
    ///
    /// # Errors
    /// [`Failure::Unreachable`].
    pub(crate) async fn reaches_token_endpoint(&self, server: &AuthorizationServer) -> Result<(), Failure> {
        self.http.reaches(&server.token_endpoint).await
    }
}

/// With the secret in the body, as OpenShift's own clients send it.
fn token_endpoint<'a>(idp: &'a OpenshiftIdp, server: &'a AuthorizationServer) -> TokenEndpoint<'a> {
    TokenEndpoint {
        address: &server.token_endpoint,
        authentication: ClientAuthentication::Post,
        client_id: &idp.settings.client_id,
        client_secret: &idp.secret,
    }
}
