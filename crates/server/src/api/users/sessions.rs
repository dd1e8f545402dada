//! `GET /api/v1/users/{userId}/sessions` (ours): how a user signed in, when, and with which groups.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::user::Session;
use reeve_authz::{Action, Entity};
use reeve_store::{SessionRow, SubjectId};
use reeve_types::UserId;

use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

fn to_wire(row: SessionRow) -> Session {
    Session {
        id: row.facts.id,
        method: row.method,
        groups: row.facts.groups.iter().map(ToString::to_string).collect(),
        posix: row.facts.posix,
        created_at: row.created,
        refreshed_at: row.refreshed,
        ends_at: row.facts.until,
        ended_at: row.ended,
    }
}

/// The newest first.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<Vec<Session>>, ApiError> {
    let id: UserId = segment.id("user")?;
    let hidden = || ApiError::not_found("user", id);
    let granted = {
        let directory = app.directory();
        let granted = directory.allow_hidden(&caller, Action::Read, Entity::Users, hidden)?;
        directory.user(id).ok_or_else(hidden)?;
        granted
    };
    let rows = app.store.sessions(&granted, SubjectId::User(id)).await?;
    Ok(Json(rows.into_iter().map(to_wire).collect()))
}
