//! A provider at which this server is a client with a secret, as it is kept and as it is used.

use reeve_api::identity_provider::Mappers;
use reeve_oidc::Mapper;
use reeve_store::IdpRow;
use reeve_types::{IdpAlias, Secret, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::mappers::mapper;
use crate::error::ApiError;
use crate::security::Security;

/// What the sealed secret of a client is called.
const SECRET: &str = "identity_provider.client_secret";

/// What is kept as text of such a provider, and shown in the audit log.
pub(crate) trait ClientSettings: Serialize + DeserializeOwned {
    /// What a row of one says: the type, by the reference's word.
    const KIND: &'static str;
    /// The field of a request that holds it.
    const DATA: &'static str;
    /// The field of that which says where the provider is.
    const ADDRESS: &'static str;

    /// Which claim is what where nothing else is said.
    fn usual() -> Mapper;

    /// This client's id there.
    fn client_id(&self) -> &str;

    /// Where the provider is.
    fn address(&self) -> &str;

    /// Whether both are the same client of the same provider.
    fn is_same_client(&self, other: &Self) -> bool {
        (self.client_id(), self.address()) == (other.client_id(), other.address())
    }

    /// Whether whoever is signed in by the one could be by the other.
    fn lets_in_as(&self, other: &Self) -> bool {
        self.is_same_client(other)
    }
}

/// A provider, ready for use.
#[derive(Debug, Clone)]
pub(crate) struct ClientIdp<S> {
    pub(crate) alias: IdpAlias,
    pub(crate) settings: S,
    pub(crate) secret: Secret,
    pub(crate) mapper: Mapper,
    pub(crate) mappers: Mappers,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl<S: ClientSettings> ClientIdp<S> {
    /// A new one.
    pub(crate) fn new(
        alias: IdpAlias,
        settings: S,
        secret: Secret,
        mappers: Mappers,
        now: Timestamp,
    ) -> Self {
        Self {
            alias,
            settings,
            secret,
            mapper: mapper(&mappers, S::usual()),
            mappers,
            created_at: now,
            updated_at: now,
        }
    }

    /// The same with other settings.
    pub(crate) fn changed(self, settings: S, secret: Secret, mappers: Mappers, now: Timestamp) -> Self {
        Self {
            created_at: self.created_at,
            ..Self::new(self.alias, settings, secret, mappers, now)
        }
    }

    /// The same with other mappers.
    pub(super) fn mapping(self, mappers: Mappers, now: Timestamp) -> Self {
        Self {
            mapper: mapper(&mappers, S::usual()),
            mappers,
            updated_at: now,
            ..self
        }
    }

    pub(super) fn read(row: &IdpRow, security: &Security) -> Result<Self, ApiError> {
        let mappers: Mappers = serde_json::from_str(&row.mappers).map_err(ApiError::internal)?;
        let settings = serde_json::from_str(&row.settings).map_err(ApiError::internal)?;
        let secret = security.unsealed(SECRET, row.alias.as_str(), &row.sealed)?;
        Ok(Self {
            created_at: row.created_at,
            ..Self::new(row.alias.clone(), settings, secret, mappers, row.updated_at)
        })
    }

    /// This is the one place where the secret is stored.
    pub(super) fn row(&self, security: &Security) -> Result<IdpRow, ApiError> {
        Ok(IdpRow {
            alias: self.alias.clone(),
            kind: S::KIND.to_owned(),
            settings: serde_json::to_string(&self.settings).map_err(ApiError::internal)?,
            sealed: security.sealed(SECRET, self.alias.as_str(), self.secret.expose())?,
            mappers: serde_json::to_string(&self.mappers).map_err(ApiError::internal)?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}
