//! People (control-plane 1.6 and 3.3). They belong to the account: every right here is one in the account.

pub mod count;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod set_posix;

use reeve_api::user::User;
use reeve_authz::{Action, Entity};
use reeve_store::UserRow;

use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;

/// A person as she is shown.
fn shown(row: UserRow) -> User {
    User {
        id: row.id,
        username: row.email,
        created_by: row.created_by,
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
        last_login: row.last_login,
        is_local: Some(row.is_local),
        groups: Some(Vec::new()),
        posix: row.posix,
    }
}

/// Everybody.
async fn all(app: &App, caller: &Caller) -> Result<Vec<User>, ApiError> {
    let granted = app
        .directory()
        .allow_in_account(caller, Action::Read, Entity::Users)?;
    Ok(app.store.users(&granted).await?.into_iter().map(shown).collect())
}
