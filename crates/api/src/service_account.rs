//! Service accounts (control-plane 1.7 and 4.2); older name: applications.

use reeve_types::{ServiceAccountId, ServiceAccountName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::body::{Body, InvalidBody};
use crate::shown::Shown;

/// `POST /api/v1/service-accounts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateServiceAccount {
    /// Its name, unique; also its client id.
    pub name: ServiceAccountName,
}

impl Body for CreateServiceAccount {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let parsed = Self {
            name: body.required("name")?,
        };
        body.finish()?;
        Ok(parsed)
    }
}

/// `PATCH /api/v1/service-accounts/{serviceAccountId}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpdateServiceAccount {
    /// Whether it may sign in and its rules are in effect.
    pub enabled: bool,
}

impl Body for UpdateServiceAccount {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let parsed = Self {
            enabled: body.required("enabled")?,
        };
        body.finish()?;
        Ok(parsed)
    }
}

/// A service account. Its secret is never readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// Its name.
    pub name: ServiceAccountName,
    /// Equals the name.
    pub client_id: String,
    /// By whom it was made.
    pub created_by: String,
    /// When.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Whether it may sign in.
    pub enabled: bool,
    /// The account, as a string.
    pub tenant_id: String,
    /// When it last signed in.
    pub last_login: Option<Timestamp>,
}

/// The 201 of a creation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// Its name.
    pub name: ServiceAccountName,
    /// Equals the name.
    pub client_id: String,
    /// Shown once.
    pub client_secret: Shown,
}

/// The 200 of a new secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSecret {
    /// Shown once.
    pub client_secret: Shown,
}
