//! What can be there only once.

use reeve_authz::{Action, Entity, RoleId, Scope, SubjectKey};
use reeve_types::ProjectId;

use super::organization::{NOW, Organization, entry, group, parsed};
use crate::{AuditAction, StoreError};

fn is_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
}

/// Clusters in the account, departments and projects in their cluster, workloads in their project, people, accounts.
pub async fn names_are_unique_in_their_scope(mut organization: Organization) {
    let (a, b) = (
        organization.cluster(10, "a").await.id,
        organization.cluster(11, "b").await.id,
    );
    is_conflict(organization.try_cluster(12, "a").await);
    let vision = organization.department(a, "vision").await.id;
    let language = organization.department(a, "language").await.id;
    let other = organization.department(b, "vision").await.id;
    is_conflict(organization.try_department(a, "vision").await);
    let robots = organization.project(vision, "robots").await.id;
    is_conflict(organization.try_project(language, "robots", "another").await);
    is_conflict(
        organization
            .try_project(language, "another", "reeve-robots")
            .await,
    );
    organization.project(other, "robots").await;
    organization.try_workload(100, robots, "train").await.unwrap();
    is_conflict(organization.try_workload(101, robots, "train").await);
    organization.try_user(2, "alice@example.com", None).await.unwrap();
    is_conflict(organization.try_user(3, "Alice@Example.com", None).await);
    organization.service_account(20, "ci").await;
    let granted = organization.may(Action::Create, Entity::ServiceAccount, Scope::Account);
    let new = crate::NewServiceAccount {
        id: super::organization::id(21),
        name: parsed("ci"),
        secret: crate::CredentialHash::new("hash"),
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    is_conflict(
        organization
            .store
            .create_service_account(&granted, new, entry(AuditAction::Create))
            .await,
    );
}

/// A number is not given again when what had it is gone.
pub async fn numbers_are_never_given_twice(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let first = organization.project(department, "robots").await.id;
    let rule = organization
        .rule(group("g"), RoleId::VIEWER, Scope::Project(first))
        .await;
    organization.delete_rule(&rule).await.unwrap();
    let granted = organization.may(Action::Delete, Entity::Project, Scope::Project(first));
    organization
        .store
        .delete_project(&granted, first, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    let second = organization.project(department, "robots").await.id;
    assert_eq!(ProjectId::new(first.number() + 1), Some(second));
    let again = organization
        .rule(group("g"), RoleId::VIEWER, Scope::Project(second))
        .await;
    assert!(again.id > rule.id);
}

/// The same subject, role and scope: once, unless deleted before.
pub async fn a_rule_exists_once(mut organization: Organization) {
    let cluster = Scope::Cluster(organization.cluster(10, "a").await.id);
    let rule = organization.rule(group("g"), RoleId::VIEWER, cluster).await;
    is_conflict(organization.try_rule(group("g"), RoleId::VIEWER, cluster).await);
    organization
        .rule(group("g"), RoleId::L1_RESEARCHER, cluster)
        .await;
    organization
        .rule(group("g"), RoleId::VIEWER, Scope::Account)
        .await;
    organization.delete_rule(&rule).await.unwrap();
    organization.rule(group("g"), RoleId::VIEWER, cluster).await;
    let gone = organization.delete_rule(&rule).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
}

/// Unknown people and accounts are refused, whatever the scope; groups exist by being named.
pub async fn a_rule_needs_a_subject_and_a_scope_that_exist(organization: Organization) {
    for subject in [
        SubjectKey::User(parsed("nobody@example.com")),
        SubjectKey::ServiceAccount(parsed("nobody")),
    ] {
        let refused = organization
            .try_rule(subject, RoleId::VIEWER, Scope::Account)
            .await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    organization
        .try_rule(group("anybody"), RoleId::VIEWER, Scope::Account)
        .await
        .unwrap();
}
