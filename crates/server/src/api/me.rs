//! The caller.

pub mod access_rules;
pub mod authenticator;
pub mod get;
pub mod logout;
pub mod passkeys;
pub mod password;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::me::MeOperation;

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: MeOperation) -> MethodRouter<Arc<App>> {
    use MeOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetMe => to(row, get::handle),
        Op::GetMyAccessRules => to(row, access_rules::handle),
        Op::CountMyAccessRules => to(row, access_rules::count),
        Op::LogoutMe => to(row, logout::handle),
        Op::ChangePassword => to(row, password::handle),
        Op::GetAuthenticator => to(row, authenticator::get::handle),
        Op::CreateAuthenticator => to(row, authenticator::create::handle),
        Op::ConfirmAuthenticator => to(row, authenticator::confirm::handle),
        Op::RemoveAuthenticator => to(row, authenticator::remove::handle),
        Op::GetMyPasskeys => to(row, passkeys::list::handle),
        Op::BeginPasskey => to(row, passkeys::begin::handle),
        Op::CreatePasskey => to(row, passkeys::create::handle),
        Op::DeletePasskey => to(row, passkeys::delete::handle),
    }
}
