//! `GET /api/v1/org-unit/departments`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list::DepartmentColumn;
use reeve_api::org::Departments;
use reeve_authz::Entity;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page of those the caller may see. `verbosity` changes nothing yet.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Departments>, ApiError> {
    let query = pairs.list::<DepartmentColumn>()?;
    pairs.one_of("verbosity", &["meta", "brief", "verbose"])?;
    let visible = app.directory().visible(&caller, Entity::Department)?;
    let page = app.store.departments(&visible, &query).await?;
    Ok(Json(Departments {
        departments: page.items.into_iter().map(to_wire).collect::<Result<_, _>>()?,
        next: page.next,
    }))
}
