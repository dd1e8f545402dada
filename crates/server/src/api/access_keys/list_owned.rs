//! `GET /api/v1/administration/access-keys`: everybody's, or those of one client id or owner, in pages of our own, which the
//! reference does not have.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_key::{OwnedAccessKey, OwnedAccessKeys};
use reeve_authz::{Action, Entity};
use reeve_store::AccessKeyFilter;

use super::{key_of, to_owned_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// Everybody's access keys.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<OwnedAccessKeys>, ApiError> {
    let access_keys = list(&app, &caller, &pairs).await?;
    Ok(Json(OwnedAccessKeys { access_keys }))
}

/// `GET /api/v1/administration/user-applications`: the same as a bare array.
pub async fn of_user_applications(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Vec<OwnedAccessKey>>, ApiError> {
    Ok(Json(list(&app, &caller, &pairs).await?))
}

async fn list(app: &App, caller: &Caller, pairs: &QueryPairs) -> Result<Vec<OwnedAccessKey>, ApiError> {
    pairs.only(&["clientId", "createdBy", "offset", "limit"])?;
    let granted = app
        .directory()
        .allow_in_account(caller, Action::Read, Entity::AccessKeys)?;
    let asked = |name| pairs.get(name).filter(|text| !text.is_empty());
    let (client_id, created_by) = (asked("clientId"), asked("createdBy"));
    let filter = AccessKeyFilter {
        id: client_id.and_then(key_of),
        owner: created_by.and_then(|text| text.parse().ok()),
        page: pairs.page()?,
    };
    // What can be no key's client id and nobody's email: there are none.
    if client_id.is_some() != filter.id.is_some() || created_by.is_some() != filter.owner.is_some() {
        return Ok(Vec::new());
    }
    let keys = app.store.all_access_keys(&granted, &filter).await?;
    Ok(keys.into_iter().map(to_owned_wire).collect())
}
