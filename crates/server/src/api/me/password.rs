//! `POST /api/v1/me/password`: 200. The caller's other sessions end, those of access keys too; the one that asks goes on, and is as good as
//! any where it began with a temporary password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::me::ChangePassword;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::own_password::Current;

/// Changes it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let current = Current::Shown(&body.current_password);
    app.change_own_password(caller, call, current, &body.new_password)
        .await?;
    Ok(StatusCode::OK)
}
