//! `POST /api/v1/users`: 201 with a password that is shown once, a temporary one unless `resetPassword` is `false`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::user::{CreateUser, CreatedUser};
use reeve_authz::{Action, Entity};
use reeve_store::{AuditAction, NewUser};
use reeve_types::UserId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Makes a local user. The right is asked twice: before the costly hash, and in its turn.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateUser>,
) -> Result<(StatusCode, Json<CreatedUser>), ApiError> {
    drop(
        app.directory()
            .allow_in_account(&caller, Action::Create, Entity::Users)?,
    );
    let (temp_password, password) = app.security.new_password().await?;
    let id = UserId::from_uuid(app.security.uuid()?);
    let row = app
        .change(caller.asker(), move |app| async move {
            let granted = app
                .directory()
                .allow_in_account(&caller, Action::Create, Entity::Users)?;
            if let Some(posix) = &body.posix {
                app.directory().check_numbers(posix)?;
            }
            let new = NewUser {
                id,
                email: body.email,
                password: Some(password),
                temporary_password: body.reset_password,
                posix: body.posix,
                created_at: call.at,
                created_by: caller.name.clone(),
            };
            let mut entry = call.entry(&caller, &granted, AuditAction::Create);
            if !new.temporary_password {
                entry
                    .metadata
                    .insert("temporary_password".to_owned(), "false".to_owned());
            }
            Ok(app.store.create_user(&granted, new, entry).await?)
        })
        .await?;
    let created = CreatedUser {
        id: row.id,
        username: row.email,
        temp_password: temp_password.into(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}
