//! `GET /api/v1/org-unit/departments`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list;
use reeve_api::org::Departments;

use super::visible;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Pairs;

/// A page of those the caller may see. `verbosity` changes nothing yet.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: Pairs,
) -> Result<Json<Departments>, ApiError> {
    let query = pairs.list(&list::DEPARTMENTS)?;
    pairs.one_of("verbosity", &["meta", "brief", "verbose"])?;
    let page = query.apply(visible(&app, &caller).await?);
    Ok(Json(Departments {
        departments: page.items,
        next: page.next,
    }))
}
