//! Signing keys (ours). They belong to the account.

pub mod list;
pub mod rotate;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::signing_key::{SigningKey, SigningKeyOperation, SigningKeyUse};
use reeve_store::KeyUse;

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: SigningKeyOperation) -> MethodRouter<Arc<App>> {
    use SigningKeyOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetSigningKeys => to(row, list::handle),
        Op::RotateSigningKeys => to(row, rotate::handle),
    }
}

/// The keys as they are now.
fn to_wire(app: &App) -> Vec<SigningKey> {
    let directory = app.directory();
    let keys = directory.signing_keys().iter();
    keys.map(|key| SigningKey {
        kid: app.security.keys.kid(&key.id).unwrap_or_else(|| key.id.clone()),
        usage: match key.usage {
            KeyUse::Current => SigningKeyUse::Current,
            KeyUse::Next => SigningKeyUse::Next,
            KeyUse::Retiring => SigningKeyUse::Retiring,
        },
        published_at: key.published,
        since: key.since,
    })
    .collect()
}
