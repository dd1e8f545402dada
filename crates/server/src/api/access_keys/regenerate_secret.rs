//! `POST /api/v1/access-keys/{accessKeyId}/secret`: 200 with a new secret that is shown once. The old one and what it signed in are
//! worth nothing from the next request on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::service_account::NewSecret;
use reeve_store::AuditAction;
use reeve_types::AccessKeyId;

use super::{event, owner_in_person};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, PathId};

/// Gives an access key of the caller's another secret.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    NoBody: NoBody,
) -> Result<Json<NewSecret>, ApiError> {
    let id: AccessKeyId = segment.id("access key")?;
    let user = owner_in_person(&caller)?;
    let (client_secret, secret) = app.security.new_secret()?;
    app.revoke(caller.asker(), move |app| async move {
        let granted = crate::audit::own_access_key();
        let mut entry = event(&call, &caller, AuditAction::Update);
        entry.timestamp = app.clock.now();
        let set = app.store.set_access_key_secret(&granted, user, id, secret, entry);
        Ok(set.await?)
    })
    .await?;
    Ok(Json(NewSecret {
        client_secret: client_secret.into(),
    }))
}
