//! Departments (control-plane 3.2).

pub mod count;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod resources;
pub mod update;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::org::DepartmentOperation;
use reeve_api::org::{Department, OrgUnitSettings};
use reeve_store::DepartmentRow;

use crate::app::App;
use crate::error::ApiError;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: DepartmentOperation) -> MethodRouter<Arc<App>> {
    use DepartmentOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetDepartments => to(row, list::handle),
        Op::CreateDepartment => to(row, create::handle),
        Op::CountDepartments => to(row, count::handle),
        Op::GetDepartment => to(row, get::handle),
        Op::UpdateDepartment => to(row, update::handle),
        Op::SetDepartmentResources => to(row, resources::replace),
        Op::PatchDepartmentResources => to(row, resources::merge),
        Op::DeleteDepartment => to(row, delete::handle),
    }
}

/// A department as it is shown.
pub(super) fn to_wire(row: DepartmentRow) -> Result<Department, ApiError> {
    let settings: OrgUnitSettings = serde_json::from_value(row.details).map_err(ApiError::internal)?;
    Ok(Department {
        id: row.id,
        name: row.name.to_string(),
        cluster_id: row.cluster_id,
        total_resources: settings.total(),
        settings,
        created_at: row.created_at,
        updated_at: row.updated_at,
        created_by: row.created_by,
        updated_by: row.updated_by,
    })
}
