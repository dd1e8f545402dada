//! A provider of OpenID Connect: its settings from the request, as they are kept, and as they are used.

use reeve_api::identity_provider::{IdpType, MASK, MandatoryClaim, Mappers, OidcData, SetOidcData};
use reeve_oidc::{Mapper, ProviderError};
use reeve_store::IdpRow;
use reeve_types::{IdpAlias, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use super::mappers::{mapper, shown};
use crate::error::ApiError;
use crate::security::Security;

/// What the sealed secret of a client is called.
const SECRET: &str = "identity_provider.client_secret";

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

/// A provider of OpenID Connect.
#[derive(Debug, Clone)]
pub(crate) struct OidcIdp {
    pub(crate) alias: IdpAlias,
    pub(crate) settings: OidcSettings,
    pub(crate) secret: Secret,
    pub(crate) mapper: Mapper,
    pub(crate) mappers: Mappers,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl OidcIdp {
    pub(super) fn read(row: &IdpRow, security: &Security) -> Result<Self, ApiError> {
        let mappers: Mappers = serde_json::from_str(&row.mappers).map_err(ApiError::internal)?;
        Ok(Self {
            alias: row.alias.clone(),
            settings: serde_json::from_str(&row.settings).map_err(ApiError::internal)?,
            secret: security.unsealed(SECRET, row.alias.as_str(), &row.sealed)?,
            mapper: mapper(&mappers),
            mappers,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    /// This is the one place where the secret is stored.
    pub(super) fn row(&self, security: &Security) -> Result<IdpRow, ApiError> {
        Ok(IdpRow {
            alias: self.alias.clone(),
            kind: "oidc".to_owned(),
            settings: serde_json::to_string(&self.settings).map_err(ApiError::internal)?,
            sealed: security.sealed(SECRET, self.alias.as_str(), self.secret.expose())?,
            mappers: serde_json::to_string(&self.mappers).map_err(ApiError::internal)?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

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
            mappers: shown(&self.mapper),
        }
    }
}
