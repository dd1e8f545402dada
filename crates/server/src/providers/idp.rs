//! A provider, whichever way it speaks.

use reeve_api::identity_provider::Mappers;
use reeve_oidc::Mapper;
use reeve_store::IdpRow;
use reeve_types::{IdpAlias, Timestamp};

use super::client::ClientSettings;
use super::mappers::mapper;
use super::oidc::OidcIdp;
use super::openshift::{OpenshiftIdp, OpenshiftSettings};
use super::saml::{self, SamlIdp};
use crate::error::ApiError;
use crate::security::Security;

/// A provider, ready for use.
#[derive(Debug, Clone)]
pub(crate) enum Idp {
    /// Of OpenID Connect.
    Oidc(OidcIdp),
    /// Of SAML 2.0.
    Saml(SamlIdp),
    /// The OAuth server of an OpenShift cluster.
    Openshift(OpenshiftIdp),
}

impl Idp {
    /// A kept one.
    ///
    /// # Errors
    /// [`ApiError::Internal`]: the row was changed by somebody else, or what is sealed in it does not open.
    pub(crate) fn read(row: &IdpRow, security: &Security) -> Result<Self, ApiError> {
        match row.kind.as_str() {
            saml::KIND => SamlIdp::read(row, security).map(Self::Saml),
            OpenshiftSettings::KIND => OpenshiftIdp::read(row, security).map(Self::Openshift),
            _ => OidcIdp::read(row, security).map(Self::Oidc),
        }
    }

    /// Its name here.
    pub(crate) const fn alias(&self) -> &IdpAlias {
        match self {
            Self::Oidc(idp) => &idp.alias,
            Self::Saml(idp) => &idp.alias,
            Self::Openshift(idp) => &idp.alias,
        }
    }

    /// Which claim or attribute is what, as it was set.
    pub(crate) const fn mappers(&self) -> &Mappers {
        match self {
            Self::Oidc(idp) => &idp.mappers,
            Self::Saml(idp) => &idp.mappers,
            Self::Openshift(idp) => &idp.mappers,
        }
    }

    /// The same with other mappers.
    pub(crate) fn mapping(self, mappers: Mappers, at: Timestamp) -> Self {
        match self {
            Self::Oidc(idp) => Self::Oidc(idp.mapping(mappers, at)),
            Self::Openshift(idp) => Self::Openshift(idp.mapping(mappers, at)),
            Self::Saml(idp) => Self::Saml(SamlIdp {
                mapper: mapper(&mappers, Mapper::default()),
                mappers,
                updated_at: at,
                ..idp
            }),
        }
    }

    /// To be kept.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub(crate) fn row(&self, security: &Security) -> Result<IdpRow, ApiError> {
        match self {
            Self::Oidc(idp) => idp.row(security),
            Self::Saml(idp) => idp.row(security),
            Self::Openshift(idp) => idp.row(security),
        }
    }
}
