//! `POST /api/v1/service-accounts`: 201 with a secret that is shown once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::service_account::{CreateServiceAccount, CreatedApplication, CreatedServiceAccount};
use reeve_authz::{Action, Entity};
use reeve_store::{AuditAction, NewServiceAccount};
use reeve_types::ServiceAccountId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Makes a service account.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateServiceAccount>,
) -> Result<(StatusCode, Json<CreatedServiceAccount>), ApiError> {
    let made = create(&app, caller, call, body).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `POST /api/v1/apps`: the same, with another name for the secret.
pub async fn of_application(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateServiceAccount>,
) -> Result<(StatusCode, Json<CreatedApplication>), ApiError> {
    let made = create(&app, caller, call, body).await?;
    let made = CreatedApplication {
        id: made.id,
        name: made.name,
        client_id: made.client_id,
        secret: made.client_secret,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

async fn create(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    body: CreateServiceAccount,
) -> Result<CreatedServiceAccount, ApiError> {
    let (client_secret, secret) = app.security.new_secret()?;
    let id = ServiceAccountId::from_uuid(app.security.uuid()?);
    let row = app
        .change(caller.asker(), move |app| async move {
            let granted =
                app.directory()
                    .allow_in_account(&caller, Action::Create, Entity::ServiceAccount)?;
            let new = NewServiceAccount {
                id,
                name: body.name,
                secret,
                created_at: call.at,
                created_by: caller.name.clone(),
            };
            let entry = call.entry(&caller, &granted, AuditAction::Create);
            Ok(app.store.create_service_account(&granted, new, entry).await?)
        })
        .await?;
    Ok(CreatedServiceAccount {
        id: row.id,
        client_id: row.name.to_string(),
        name: row.name,
        client_secret: client_secret.into(),
    })
}
