//! What people write down about departments and projects.

use reeve_authz::{Action, Entity, Granted, Scope};
use reeve_types::{ClusterId, DepartmentId, ProjectId};

use super::super::organization::{NOW, Organization, entry};
use super::super::told::Log;
use crate::{AuditAction, SetDepartment, SetProject, StoreError};

pub(super) async fn department_changes_are_told(
    organization: &Organization,
    log: &mut Log,
    department: DepartmentId,
) {
    let write = async |granted: &Granted| {
        let new = SetDepartment {
            details: serde_json::json!({"description": "Sees."}),
            at: NOW.plus_seconds(3),
            by: "bea".to_owned(),
        };
        let entry = entry(AuditAction::Update);
        organization
            .store
            .update_department(granted, department, new, entry)
            .await
    };
    let scope = Scope::Department(department);
    // Who may change its projects does not change it.
    let granted = organization.may(Action::Update, Entity::Project, scope);
    assert!(matches!(write(&granted).await, Err(StoreError::Gate { .. })));
    let granted = organization.may(Action::Update, Entity::Department, scope);
    let row = write(&granted).await.unwrap().value;
    assert_eq!(row.details, serde_json::json!({"description": "Sees."}));
    assert_eq!(
        (row.updated_at, row.updated_by.as_str()),
        (NOW.plus_seconds(3), "bea")
    );
    assert_eq!((row.created_at, row.created_by.as_str()), (NOW, "admin"));
    let said = ["settings_before", r#"settings_after={"description":"Sees."}"#];
    log.has(
        organization,
        "update_department",
        AuditAction::Update,
        department,
        &said,
    )
    .await;
}

pub(super) async fn project_changes_are_told(
    organization: &Organization,
    log: &mut Log,
    cluster: ClusterId,
    project: ProjectId,
) {
    let write = async |granted: &Granted| {
        let new = SetProject {
            details: serde_json::json!({"settings": {"description": "Arms."}}),
            at: NOW.plus_seconds(4),
            by: "bea".to_owned(),
        };
        let entry = entry(AuditAction::Update);
        organization
            .store
            .update_project(granted, project, new, entry)
            .await
    };
    let scope = Scope::Project(project);
    let granted = organization.may(Action::Delete, Entity::Project, scope);
    assert!(matches!(write(&granted).await, Err(StoreError::Gate { .. })));
    let granted = organization.may(Action::Update, Entity::Project, scope);
    let before = organization.all(cluster).await;
    let row = write(&granted).await.unwrap().value;
    assert_eq!(
        row.details,
        serde_json::json!({"settings": {"description": "Arms."}})
    );
    assert_eq!(
        (row.updated_at, row.updated_by.as_str()),
        (NOW.plus_seconds(4), "bea")
    );
    assert_eq!(
        organization.all(cluster).await,
        before,
        "clusters know nothing of it"
    );
    let said = [
        "settings_before",
        r#"settings_after={"settings":{"description":"Arms."}}"#,
    ];
    log.has(
        organization,
        "update_project",
        AuditAction::Update,
        project,
        &said,
    )
    .await;
}
