//! `POST /api/v1/authorization/access-rules/batch-create`: gives each subject the role in each scope, one by one, each as if it was alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_rule::{
    AccessRuleFields, BatchCreateAccessRules, BatchCreated, BatchNotCreated, CreateAccessRule,
};

use super::create::create;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::extract::JsonBody;
use crate::middleware::note_refusal;

/// What is refused of some is no matter to the others.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<BatchCreateAccessRules>,
) -> Json<BatchCreated> {
    let mut done = BatchCreated {
        succeeded: Vec::new(),
        failed: Vec::new(),
    };
    let payload = body.payload;
    for subject in &payload.subjects {
        for scope in &payload.scopes {
            let wanted = CreateAccessRule {
                subject_id: subject.subject_id.clone(),
                subject_type: subject.subject_type,
                role_id: payload.role_id,
                scope_id: scope.scope_id.clone(),
                scope_type: scope.scope_type,
                cluster_id: payload.cluster_id,
            };
            let fields = AccessRuleFields::of(&wanted);
            match create(&app, caller.clone(), call.clone(), wanted).await {
                Ok(rule) => done.succeeded.push(rule),
                Err(error) => {
                    note_refusal(&app, &call, &caller, error.status(), String::new());
                    done.failed.push(BatchNotCreated {
                        payload: fields,
                        code: error.status().as_u16(),
                        message: error.to_string(),
                    });
                }
            }
        }
    }
    Json(done)
}
