//! What somebody or something that leaves has made, and whose it is not: credentials, which belong to their scopes, and applications,
//! which belong to the account. They are found by the name that made them.

use std::sync::Arc;

use reeve_api::offboarding::{MadeApplication, MadeCredential};
use reeve_authz::{Action, Entity, Granted, SubjectKey, Visible};
use reeve_store::{CredentialAssetFilter, CredentialAssetRow, ServiceAccountRow};

use crate::api::access_rules::scope_type;
use crate::api::credentials;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::Directory;
use crate::error::ApiError;

/// What of it the caller may be told.
pub(super) struct Told {
    credentials: Option<Visible>,
    applications: Option<Granted>,
}

/// What there is.
#[derive(Default)]
pub(super) struct Made {
    pub(super) credentials: Vec<CredentialAssetRow>,
    pub(super) applications: Vec<ServiceAccountRow>,
}

impl Told {
    /// Whoever may read none of a kind is told of none.
    pub(super) fn to(directory: &Directory, caller: &Caller) -> Self {
        let applications = directory.allow_in_account(caller, Action::Read, Entity::ServiceAccount);
        Self {
            credentials: directory.visible(caller, Entity::Credentials).ok(),
            applications: applications.ok(),
        }
    }
}

/// The name under which they make something. A group makes nothing.
fn maker(subject: &SubjectKey) -> Option<String> {
    match subject {
        SubjectKey::User(email) => Some(email.to_string()),
        SubjectKey::ServiceAccount(name) => Some(name.to_string()),
        SubjectKey::Group(_) => None,
    }
}

/// What they made that is there.
pub(super) async fn find(app: &App, told: &Told, subject: &SubjectKey) -> Result<Made, ApiError> {
    let Some(maker) = maker(subject) else {
        return Ok(Made::default());
    };
    let mut made = Made::default();
    if let Some(granted) = &told.applications {
        made.applications = app.store.service_accounts_made_by(granted, &maker).await?;
    }
    if let Some(visible) = &told.credentials {
        let filter = CredentialAssetFilter {
            created_by: Some(maker),
            ..CredentialAssetFilter::default()
        };
        made.credentials = app.store.credential_assets(visible, &filter).await?;
    }
    Ok(made)
}

/// Deletes a credential with its copies in clusters, as a change of its own.
pub(super) async fn delete_credential(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    credential: &CredentialAssetRow,
) -> Result<(), ApiError> {
    let (kind, id) = (credential.kind, credential.id);
    match credentials::remove(app, caller.clone(), call.clone(), kind, id).await {
        // Somebody else was faster.
        Err(ApiError::NotFound { .. }) => Ok(()),
        done => done,
    }
}

/// A credential as the answer names it.
pub(super) fn credential(directory: &Directory, row: &CredentialAssetRow) -> MadeCredential {
    MadeCredential {
        id: row.id,
        name: row.name.clone(),
        kind: row.kind,
        scope_type: scope_type(row.origin.scope),
        scope_id: row.origin.scope.wire_id(),
        scope_name: directory.short_name(row.origin.scope),
    }
}

/// An application as the answer names it.
pub(super) fn application(row: &ServiceAccountRow) -> MadeApplication {
    MadeApplication {
        id: row.id,
        name: row.name.clone(),
    }
}
