//! A provider of OpenID Connect: its settings from the request, as they are kept, and as they are shown.

use reeve_api::identity_provider::{IdpType, MASK, MandatoryClaim, OidcData, SetOidcData};
use reeve_oidc::{Mapper, ProviderError};
use serde::{Deserialize, Serialize};

use super::client::{ClientIdp, ClientSettings};
use super::mappers::shown;

/// What is kept as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OidcSettings {
    pub(crate) client_id: String,
    pub(crate) discover_document_url: String,
    pub(crate) scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mandatory_claim: Option<MandatoryClaim>,
}

/// A provider of OpenID Connect.
pub(crate) type OidcIdp = ClientIdp<OidcSettings>;

impl OidcSettings {
    /// From a request. The address is one that may be asked.
    ///
    /// # Errors
    /// [`ProviderError::Address`].
    pub(crate) fn of(data: &SetOidcData) -> Result<Self, ProviderError> {
        reeve_oidc::discovery_address(&data.discover_document_url)?;
        let usual = || vec!["email".to_owned(), "profile".to_owned()];
        Ok(Self {
            client_id: data.client_id.clone(),
            discover_document_url: data.discover_document_url.clone(),
            scopes: data.scopes.clone().unwrap_or_else(usual),
            mandatory_claim: data.mandatory_claim.clone(),
        })
    }

    pub(crate) fn mandatory(&self) -> Option<reeve_oidc::MandatoryClaim> {
        self.mandatory_claim
            .as_ref()
            .map(|it| reeve_oidc::MandatoryClaim {
                claim: it.claim.clone(),
                values: it.values.clone(),
            })
    }
}

impl ClientSettings for OidcSettings {
    const KIND: &'static str = "oidc";
    const DATA: &'static str = "oidcData";
    const ADDRESS: &'static str = "discoverDocumentUrl";

    fn usual() -> Mapper {
        Mapper::default()
    }

    fn client_id(&self) -> &str {
        &self.client_id
    }

    fn address(&self) -> &str {
        &self.discover_document_url
    }

    fn lets_in_as(&self, other: &Self) -> bool {
        self.is_same_client(other) && self.mandatory_claim == other.mandatory_claim
    }
}

impl OidcIdp {
    /// As it is shown.
    pub(crate) fn to_wire(&self, redirect_uri: String) -> reeve_api::identity_provider::Idp {
        reeve_api::identity_provider::Idp {
            alias: self.alias.clone(),
            kind: IdpType::Oidc,
            redirect_uri,
            oidc_data: Some(OidcData {
                client_id: self.settings.client_id.clone(),
                client_secret: MASK.to_owned(),
                discover_document_url: self.settings.discover_document_url.clone(),
                scopes: self.settings.scopes.clone(),
                mandatory_claim: self.settings.mandatory_claim.clone(),
            }),
            saml_data: None,
            ocp_data: None,
            mappers: shown(&self.mapper),
        }
    }
}
