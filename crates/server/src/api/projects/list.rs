//! `GET /api/v1/org-unit/projects`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list;
use reeve_api::org::Projects;

use super::visible;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Pairs;

/// A page of those the caller may see.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: Pairs,
) -> Result<Json<Projects>, ApiError> {
    let query = pairs.list(&list::PROJECTS)?;
    let page = query.apply(visible(&app, &caller).await?);
    Ok(Json(Projects {
        projects: page.items,
        next: page.next,
    }))
}
