//! `POST /api/v1/authorization/access-rules/batch`: deletes rules one by one, or says which could be deleted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_rule::{BatchAccessRules, BatchAction, BatchDeleted, BatchFailure};
use reeve_types::AccessRuleId;

use super::delete::{delete, may_delete};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::middleware::note_refusal;

/// What is refused of some is no matter to the others.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<BatchAccessRules>,
) -> Json<BatchDeleted> {
    let mut done = BatchDeleted {
        id: call.id.clone(),
        succeeded: Vec::new(),
        failed: Vec::new(),
    };
    for id in body.ids {
        match one(&app, &caller, &call, &id, body.action).await {
            Ok(()) => done.succeeded.push(id),
            Err(error) => {
                note_refusal(&app, &call, &caller, error.status(), id.clone());
                done.failed.push(BatchFailure {
                    id,
                    code: error.status().as_u16(),
                    message: error.to_string(),
                });
            }
        }
    }
    Json(done)
}

async fn one(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    text: &str,
    action: BatchAction,
) -> Result<(), ApiError> {
    let id: AccessRuleId = text
        .parse()
        .map_err(|_| ApiError::not_found("access rule", text))?;
    match action {
        BatchAction::Delete => delete(app, caller.clone(), call.clone(), id).await.map(drop),
        BatchAction::ValidateDelete => may_delete(&app.directory(), caller, id).map(drop),
    }
}
