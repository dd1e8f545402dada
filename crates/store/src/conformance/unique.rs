//! What can be there only once.

use reeve_authz::{Action, Entity, RoleId, Scope, SubjectKey};
use reeve_types::ProjectId;

use super::world::{NOW, World, entry, group, parsed};
use crate::{AuditAction, StoreError};

fn is_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
}

/// Clusters in the account, departments and projects in their cluster, workloads in their project, people, accounts.
pub async fn names_are_unique_in_their_scope(mut world: World) {
    let (a, b) = (world.cluster(10, "a").await.id, world.cluster(11, "b").await.id);
    is_conflict(world.try_cluster(12, "a").await);
    let vision = world.department(a, "vision").await.id;
    let language = world.department(a, "language").await.id;
    let other = world.department(b, "vision").await.id;
    is_conflict(world.try_department(a, "vision").await);
    let robots = world.project(vision, "robots").await.id;
    is_conflict(world.try_project(language, "robots", "another").await);
    is_conflict(world.try_project(language, "another", "reeve-robots").await);
    world.project(other, "robots").await;
    world.try_workload(100, robots, "train").await.unwrap();
    is_conflict(world.try_workload(101, robots, "train").await);
    world.try_user(2, "alice@example.com", None).await.unwrap();
    is_conflict(world.try_user(3, "Alice@Example.com", None).await);
    world.service_account(20, "ci").await;
    let granted = world.may(Action::Create, Entity::ServiceAccount, Scope::Account);
    let new = crate::NewServiceAccount {
        id: super::world::id(21),
        name: parsed("ci"),
        secret: crate::Verifier::new("hash"),
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    is_conflict(
        world
            .store
            .create_service_account(&granted, new, entry(AuditAction::Create))
            .await,
    );
}

/// A number is not given again when what had it is gone.
pub async fn numbers_are_never_given_twice(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let department = world.department(cluster, "vision").await.id;
    let first = world.project(department, "robots").await.id;
    let rule = world
        .rule(group("g"), RoleId::VIEWER, Scope::Project(first))
        .await;
    world.delete_rule(&rule).await.unwrap();
    let granted = world.may(Action::Delete, Entity::Project, Scope::Project(first));
    world
        .store
        .delete_project(&granted, first, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    let second = world.project(department, "robots").await.id;
    assert_eq!(ProjectId::new(first.number() + 1), Some(second));
    let again = world
        .rule(group("g"), RoleId::VIEWER, Scope::Project(second))
        .await;
    assert!(again.id > rule.id);
}

/// The same subject, role and scope: once, unless deleted before.
pub async fn a_rule_exists_once(mut world: World) {
    let cluster = Scope::Cluster(world.cluster(10, "a").await.id);
    let rule = world.rule(group("g"), RoleId::VIEWER, cluster).await;
    is_conflict(world.try_rule(group("g"), RoleId::VIEWER, cluster).await);
    world.rule(group("g"), RoleId::L1_RESEARCHER, cluster).await;
    world.rule(group("g"), RoleId::VIEWER, Scope::Account).await;
    world.delete_rule(&rule).await.unwrap();
    world.rule(group("g"), RoleId::VIEWER, cluster).await;
    let gone = world.delete_rule(&rule).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
}

/// Unknown people and accounts are refused, whatever the scope; groups exist by being named.
pub async fn a_rule_needs_a_subject_and_a_scope_that_exist(world: World) {
    for subject in [
        SubjectKey::User(parsed("nobody@example.com")),
        SubjectKey::ServiceAccount(parsed("nobody")),
    ] {
        let refused = world.try_rule(subject, RoleId::VIEWER, Scope::Account).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    world
        .try_rule(group("anybody"), RoleId::VIEWER, Scope::Account)
        .await
        .unwrap();
}
