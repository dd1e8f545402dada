//! The demo's organization and people, for tests that tell a story.

use reeve_authz::{Index, Principal, RoleId, Rule, Scope, SubjectKey};
use reeve_types::{AccessRuleId, ClusterId, DepartmentId, ProjectId};

pub(crate) fn vision() -> Scope {
    Scope::Department(department_id(1))
}

pub(crate) fn language() -> Scope {
    Scope::Department(department_id(2))
}

pub(crate) fn robots() -> Scope {
    Scope::Project(project_id(1))
}

pub(crate) fn captions() -> Scope {
    Scope::Project(project_id(2))
}

pub(crate) fn speech() -> Scope {
    Scope::Project(project_id(3))
}

pub(crate) fn cluster_id(number: u8) -> ClusterId {
    format!("00000000-0000-4000-8000-0000000000{number:02x}")
        .parse()
        .unwrap()
}

pub(crate) fn department_id(number: i64) -> DepartmentId {
    DepartmentId::new(number).unwrap()
}

pub(crate) fn project_id(number: i64) -> ProjectId {
    ProjectId::new(number).unwrap()
}

pub(crate) fn main_cluster() -> Scope {
    Scope::Cluster(cluster_id(1))
}

pub(crate) fn user(name: &str) -> SubjectKey {
    SubjectKey::User(format!("{name}@reeve.example").parse().unwrap())
}

pub(crate) fn group(name: &str) -> SubjectKey {
    SubjectKey::Group(name.parse().unwrap())
}

pub(crate) fn service_account(name: &str) -> SubjectKey {
    SubjectKey::ServiceAccount(name.parse().unwrap())
}

pub(crate) fn caller(name: &str) -> Principal {
    Principal::alone(user(name))
}

pub(crate) fn caller_in(name: &str, groups: &[&str]) -> Principal {
    Principal {
        subject: user(name),
        groups: groups.iter().map(|name| name.parse().unwrap()).collect(),
    }
}

pub(crate) fn rule(id: i64, subject: SubjectKey, role: RoleId, scope: Scope) -> Rule {
    Rule {
        id: AccessRuleId::new(id).unwrap(),
        subject,
        role,
        scope,
    }
}

pub(crate) fn rule_id(id: i64) -> AccessRuleId {
    AccessRuleId::new(id).unwrap()
}

/// One cluster; vision has robots, language has captions and speech; admin, alice, bob and ci as the demo has them.
pub(crate) fn demo() -> Index {
    let mut index = Index::new();
    assert!(index.add_cluster(cluster_id(1)));
    assert!(index.add_department(department_id(1), cluster_id(1)));
    assert!(index.add_department(department_id(2), cluster_id(1)));
    assert!(index.add_project(project_id(1), department_id(1)));
    assert!(index.add_project(project_id(2), department_id(2)));
    assert!(index.add_project(project_id(3), department_id(2)));
    assert!(index.add_rule(rule(
        1,
        user("admin"),
        RoleId::SYSTEM_ADMINISTRATOR,
        Scope::Account
    )));
    assert!(index.add_rule(rule(2, user("alice"), RoleId::L1_RESEARCHER, robots())));
    assert!(index.add_rule(rule(3, user("bob"), RoleId::VIEWER, language())));
    assert!(index.add_rule(rule(4, service_account("ci"), RoleId::L1_RESEARCHER, robots())));
    index
}
