//! `POST /api/v1/org-unit/departments`: 201.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::org::{CreateDepartment, Department};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::{AuditAction, NewDepartment};

use super::to_wire;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Makes a department in a cluster.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateDepartment>,
) -> Result<(StatusCode, Json<Department>), ApiError> {
    let details = serde_json::to_value(body.settings()).map_err(ApiError::internal)?;
    let change = app.change(caller.asker(), move |app| async move {
        let scope = Scope::Cluster(body.cluster_id);
        let hidden = || ApiError::not_found("cluster", body.cluster_id);
        let granted = app.directory().allow(
            &caller,
            Action::Create,
            Entity::Department,
            scope,
            Entity::Cluster,
            hidden,
        )?;
        let new = NewDepartment {
            cluster_id: body.cluster_id,
            name: body.name,
            details,
            created_at: call.at,
            created_by: caller.name.clone(),
        };
        let mut entry = call.entry(&caller, &granted, AuditAction::Create);
        entry.cluster_id = Some(body.cluster_id);
        Ok(app.store.create_department(&granted, new, entry).await?)
    });
    Ok((StatusCode::CREATED, Json(to_wire(change.await?)?)))
}
