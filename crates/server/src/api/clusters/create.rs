//! `POST /api/v1/clusters`: 201, and once only the secret that its operator connects with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::cluster::{CreateCluster, CreatedCluster};
use reeve_authz::{Action, Entity};
use reeve_store::{AuditAction, NewCluster};
use reeve_types::ClusterId;

use super::to_wire;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Makes a cluster.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateCluster>,
) -> Result<(StatusCode, Json<CreatedCluster>), ApiError> {
    let id = ClusterId::from_uuid(app.security.uuid()?);
    let (client_secret, secret) = app.security.new_link_secret(id)?;
    let row = app
        .change(caller.asker(), move |app| async move {
            let granted = app
                .directory()
                .allow_in_account(&caller, Action::Create, Entity::Cluster)?;
            let new = NewCluster {
                id,
                name: body.name,
                domain: body.domain,
                version: body.version,
                secret,
                created_at: call.at,
                created_by: caller.name.clone(),
            };
            let entry = call.entry(&caller, &granted, AuditAction::Create);
            Ok(app.store.create_cluster(&granted, new, entry).await?)
        })
        .await?;
    let cluster = to_wire(&app, row);
    Ok((
        StatusCode::CREATED,
        Json(CreatedCluster {
            cluster,
            client_secret: client_secret.into(),
        }),
    ))
}
