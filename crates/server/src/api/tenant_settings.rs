//! Settings of the account (control-plane 3.5). There is one that the reference's consoles ask for, and it says what holds: every
//! project is in a department. Nothing is kept, and nothing else can be set.

pub mod get;
pub mod list;
pub mod set;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::setting::{DEPARTMENT_USE, TenantSetting, TenantSettingOperation};

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: TenantSettingOperation) -> MethodRouter<Arc<App>> {
    use TenantSettingOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetTenantSettings => to(row, list::handle),
        Op::SetTenantSetting => to(row, set::handle),
        Op::GetTenantSetting => to(row, get::handle),
    }
}

/// The one there is.
fn department_use() -> TenantSetting {
    let text = str::to_owned;
    TenantSetting {
        active: true,
        category: text("Department"),
        description: text("Every project is in a department; this cannot be switched off"),
        source: text("Tenant"),
        label: text("Show departments"),
        stage: text("GA"),
        kind: text("Boolean"),
        key: text(DEPARTMENT_USE),
        value: text("true"),
    }
}
