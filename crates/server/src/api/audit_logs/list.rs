//! `GET /api/v1/audit/log`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::audit_log::AuditLogs;
use reeve_api::list::InvalidQuery;

use super::page;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<AuditLogs>, ApiError> {
    // Those of the file alone.
    for name in ["fileType", "file_type"] {
        if pairs.get(name).is_some() {
            let name = name.to_owned();
            return Err(InvalidQuery::Unknown { name }.into());
        }
    }
    let (page, total) = page(&app, &caller, &pairs).await?;
    Ok(Json(AuditLogs {
        total,
        next: page.next,
        audit_logs: page.items,
    }))
}
