//! `POST /api/v1/access-keys`: 201 with a secret that is shown once; 409 with the owner's twenty-first.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::access_key::{CreateUserAccessKey, CreatedAccessKey, CreatedUserApplication};
use reeve_store::{AuditAction, NewAccessKey};
use reeve_types::AccessKeyId;

use super::{client_id, event, owner_in_person};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Makes an access key of the caller's.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateUserAccessKey>,
) -> Result<(StatusCode, Json<CreatedAccessKey>), ApiError> {
    let made = create(&app, caller, call, body).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `POST /api/v1/user-applications`: the same, with another name for the secret.
pub async fn of_user_application(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateUserAccessKey>,
) -> Result<(StatusCode, Json<CreatedUserApplication>), ApiError> {
    let made = create(&app, caller, call, body).await?;
    let made = CreatedUserApplication {
        id: made.id,
        client_id: made.client_id,
        name: made.name,
        secret: made.client_secret,
        created_at: made.created_at,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

async fn create(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    body: CreateUserAccessKey,
) -> Result<CreatedAccessKey, ApiError> {
    let user = owner_in_person(&caller)?;
    let (client_secret, secret) = app.security.new_secret()?;
    let id = AccessKeyId::from_uuid(app.security.uuid()?);
    let row = app
        .change(caller.asker(), move |app| async move {
            let new = NewAccessKey {
                id,
                name: body.name,
                user,
                secret,
                created_at: call.at,
            };
            // A key can do nothing that its owner cannot: everybody may have some.
            let granted = crate::audit::own_access_key();
            let entry = event(&call, &caller, AuditAction::Create);
            Ok(app.store.create_access_key(&granted, new, entry).await?)
        })
        .await?;
    Ok(CreatedAccessKey {
        id: row.id,
        client_id: client_id(row.id),
        name: row.name,
        client_secret: client_secret.into(),
        created_at: Some(row.created_at),
    })
}
