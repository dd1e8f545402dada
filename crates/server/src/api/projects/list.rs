//! `GET /api/v1/org-unit/projects`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list::ProjectColumn;
use reeve_api::org::Projects;
use reeve_authz::Entity;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page of those the caller may see.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Projects>, ApiError> {
    let query = pairs.list::<ProjectColumn>()?;
    let visible = app.directory().visible(&caller, Entity::Project)?;
    let page = app.store.projects(&visible, &query).await?;
    Ok(Json(Projects {
        projects: page.items.into_iter().map(to_wire).collect::<Result<_, _>>()?,
        next: page.next,
    }))
}
