//! `PUT /api/v1/idps/{idp}/mappers`: 202. It counts at the next sign-in, and when sessions are renewed.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::identity_provider::Mappers;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;

use super::readable;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Says which claim is what.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(mappers): JsonBody<Mappers>,
) -> Result<StatusCode, ApiError> {
    let before = readable(&app, &caller, &segment).await?;
    let after = before.mapping(mappers, call.at);
    let row = after.row(&app.security)?;
    app.change(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_in_account(&caller, Action::Update, Entity::SecuritySettings)?;
        let entry = call.entry(&caller, &granted, AuditAction::Update);
        Ok(app
            .store
            .update_identity_provider(&granted, row, false, entry)
            .await?)
    })
    .await?;
    Ok(StatusCode::ACCEPTED)
}
