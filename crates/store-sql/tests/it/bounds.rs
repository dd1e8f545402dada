//! What others than the account's administrators make has a bound.

use std::sync::Arc;

use reeve_authz::{RoleId, Scope, SubjectKey};
use reeve_store::StoreError;
use reeve_store::conformance::Organization;

use crate::sqlite::{beside, fresh};

/// The planted fault is in the test: in the account, which has no bound, one rule more is written.
#[tokio::test]
async fn a_project_has_two_thousand_access_rules_at_most() {
    let (store, dir) = fresh().await;
    let mut organization = Organization::new(Arc::clone(&store)).await;
    let cluster = organization.cluster(1, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let project = organization.project(department, "robots").await.id;
    let connection = beside(&dir.path().join("reeve.db"));
    for (first, scope, column) in [
        (100_000, "project", "project_id"),
        (200_000, "tenant", "department_id"),
    ] {
        let rules = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO access_rules (id, subject_kind, subject, role_id, scope_type, scope_id, scope_name, {column},
                                       created_at, created_by)
             SELECT {first} + i, 'group', 'g' || i, 9, '{scope}', '{project}', 'robots', {project}, 0, 'x' FROM n"
        );
        connection.execute_batch(&rules).unwrap();
    }
    let group = |name: &str| SubjectKey::Group(name.parse().unwrap());
    let refused = organization
        .try_rule(group("late"), RoleId::VIEWER, Scope::Project(project))
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::ScopeFull { .. }), "{refused}");
    assert!(
        refused.to_string().contains("project `robots` has 2000"),
        "{refused}"
    );
    let account = organization
        .try_rule(group("late"), RoleId::VIEWER, Scope::Account)
        .await;
    account.unwrap();
    connection
        .execute_batch("UPDATE access_rules SET deleted_at = 1 WHERE id = 100001")
        .unwrap();
    let again = organization
        .try_rule(group("late"), RoleId::VIEWER, Scope::Project(project))
        .await;
    again.unwrap();
}
