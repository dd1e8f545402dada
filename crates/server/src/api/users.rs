//! People (control-plane 1.6 and 3.3). They belong to the account: every right here is one in the account.

pub mod count;
pub mod create;
pub mod delete;
pub mod end_session;
pub mod get;
pub mod list;
pub mod logout;
pub mod passkeys;
pub mod release_uid;
pub mod remove_authenticator;
pub mod remove_passkeys;
pub mod reset_password;
mod second_factor_removal;
pub mod sessions;
pub mod set_posix;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::list::{ListQuery, UserColumn};
use reeve_api::user::User;
use reeve_api::user::UserOperation;
use reeve_store::UserRow;

use crate::app::App;
use crate::error::Refusal;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: UserOperation) -> MethodRouter<Arc<App>> {
    use UserOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetUsers => to(row, list::handle),
        Op::CreateUser => to(row, create::handle),
        Op::CountUsers => to(row, count::handle),
        Op::GetUser => to(row, get::handle),
        Op::DeleteUser => to(row, delete::handle),
        Op::SetUserPosix => to(row, set_posix::handle),
        Op::ReleaseUid => to(row, release_uid::handle),
        Op::GetUserSessions => to(row, sessions::handle),
        Op::EndSession => to(row, end_session::handle),
        Op::GetUserPasskeys => to(row, passkeys::handle),
        Op::RemoveUserPasskeys => to(row, remove_passkeys::handle),
        Op::RemoveUserAuthenticator => to(row, remove_authenticator::handle),
        Op::ResetUserPassword => to(row, reset_password::handle),
        Op::LogoutUser => to(row, logout::handle),
    }
}

/// A person as she is shown.
fn to_wire(row: UserRow) -> User {
    User {
        id: row.id,
        username: row.email,
        created_by: row.created_by,
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
        last_login: row.last_login,
        is_local: Some(row.is_local),
        temporary_password: row.is_local.then_some(row.temporary_password),
        groups: row
            .groups
            .map(|groups| groups.iter().map(ToString::to_string).collect()),
        posix: row.posix,
    }
}

/// Another `filter` than the two that are left of it: 400.
#[derive(Debug, thiserror::Error)]
#[error(
    "parameter `filter`: `runai.is_local:true` or `runai.is_local:false` is needed; everything else is asked with `filterBy`"
)]
struct InvalidFilter;

impl Refusal for InvalidFilter {}

/// What the deprecated `filter` asks for: those with a password of ours, or those without.
fn only_local(query: &ListQuery<UserColumn>) -> Result<Option<bool>, InvalidFilter> {
    match query.extra("filter") {
        None => Ok(None),
        Some("runai.is_local:true") => Ok(Some(true)),
        Some("runai.is_local:false") => Ok(Some(false)),
        Some(_) => Err(InvalidFilter),
    }
}
