//! Service accounts (control-plane 1.7). They belong to the account: every right here is one in the account.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod regenerate_secret;
pub mod update;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::TENANT_ID;
use reeve_api::service_account::{ApplicationOperation, ServiceAccount, ServiceAccountOperation};
use reeve_store::ServiceAccountRow;

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: ServiceAccountOperation) -> MethodRouter<Arc<App>> {
    use ServiceAccountOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetServiceAccounts => to(row, list::handle),
        Op::CreateServiceAccount => to(row, create::handle),
        Op::GetServiceAccount => to(row, get::handle),
        Op::UpdateServiceAccount => to(row, update::handle),
        Op::RegenerateServiceAccountSecret => to(row, regenerate_secret::handle),
        Op::DeleteServiceAccount => to(row, delete::handle),
    }
}

/// The handler of each operation under its older name.
pub(crate) fn application_route(operation: ApplicationOperation) -> MethodRouter<Arc<App>> {
    use ApplicationOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetApplications => to(row, list::handle),
        Op::CreateApplication => to(row, create::of_application),
        Op::GetApplication => to(row, get::handle),
        Op::UpdateApplication => to(row, update::handle),
        Op::RegenerateApplicationSecret => to(row, regenerate_secret::of_application),
        Op::DeleteApplication => to(row, delete::handle),
    }
}

/// A service account as it is shown.
fn to_wire(row: ServiceAccountRow) -> ServiceAccount {
    ServiceAccount {
        id: row.id,
        client_id: row.name.to_string(),
        name: row.name,
        created_by: row.created_by,
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
        enabled: row.enabled,
        tenant_id: TENANT_ID.to_string(),
        last_login: row.last_login,
    }
}
