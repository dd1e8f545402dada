//! `POST /api/v1/security/signing-keys/rotate` (ours): 200 with the keys as they are afterwards. Tokens of before stay good: the key
//! that signed them stays published until the last one has expired.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::signing_key::{RotateSigningKeys, SigningKey};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;

use super::to_wire;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Rotates; 409 while the next key is published too shortly, unless it is to be at once.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(RotateSigningKeys { at_once }): JsonBody<RotateSigningKeys>,
) -> Result<Json<Vec<SigningKey>>, ApiError> {
    app.change(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_in_account(&caller, Action::Update, Entity::SecuritySettings)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Rotate);
        // Now, not when the request arrived: it may have waited for its turn.
        entry.timestamp = app.clock.now();
        app.rotated(&granted, at_once, entry).await
    })
    .await?;
    Ok(Json(to_wire(&app)))
}
