//! `POST /api/v1/asset/credentials/<kind>`: 202; clusters take it up.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::credential::{CreateAssetMeta, CredentialAsset};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::{AuditAction, NewCredentialAsset};
use reeve_types::CredentialAssetId;

use super::values::SecretValues;
use super::{new_values, to_wire};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::{Directory, entity_of};
use crate::error::{ApiError, Refusal};
use crate::extract::JsonBody;

/// Why no credential is kept there: 400.
#[derive(Debug, thiserror::Error)]
pub(in crate::api) enum CredentialRefusal {
    /// The scope lies in another cluster.
    #[error("`meta.clusterId` is not the cluster of the scope: leave it out")]
    ClusterElsewhere,
    /// The project lies in another department.
    #[error("`meta.departmentId` is not the department of the project: leave it out")]
    DepartmentElsewhere,
}

impl Refusal for CredentialRefusal {}

/// Keeps a credential.
pub(super) async fn handle<V: SecretValues>(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<V::Create>,
) -> Result<(StatusCode, Json<CredentialAsset>), ApiError> {
    let (meta, values): (CreateAssetMeta, V) = body.into();
    let scope = meta.scope()?;
    let id = CredentialAssetId::from_uuid(app.security.uuid()?);
    let change = app.change(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found(scope.wire_type(), scope.wire_id());
        let entity = Entity::Credentials;
        let seen = entity_of(scope);
        let granted = app
            .directory()
            .allow(&caller, Action::Create, entity, scope, seen, hidden)?;
        lies_there(&app.directory(), &meta, scope)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Create);
        entry.cluster_id = app.directory().cluster_of(scope);
        let new = NewCredentialAsset {
            id,
            kind: V::KIND,
            values: new_values(&app, id, &values)?,
            name: meta.name,
            description: meta.description,
            scope,
            created_at: call.at,
            created_by: caller.name.clone(),
        };
        Ok(app.store.create_credential_asset(&granted, new, entry).await?)
    });
    let row = change.await?;
    let asset = to_wire(row, &app.directory(), true)?;
    Ok((StatusCode::ACCEPTED, Json(asset)))
}

/// Whether the wider ids of a body are those of the scope.
pub(in crate::api) fn lies_there(
    directory: &Directory,
    meta: &CreateAssetMeta,
    scope: Scope,
) -> Result<(), CredentialRefusal> {
    if meta.cluster_id.is_some() && meta.cluster_id != directory.cluster_of(scope) {
        return Err(CredentialRefusal::ClusterElsewhere);
    }
    if let (Scope::Project(id), Some(department)) = (scope, meta.department_id)
        && directory
            .project(id)
            .is_some_and(|it| it.department_id != department)
    {
        return Err(CredentialRefusal::DepartmentElsewhere);
    }
    Ok(())
}
