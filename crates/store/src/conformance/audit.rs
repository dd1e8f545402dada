//! Permissions and the audit log.

use reeve_authz::{Action, BootstrapException, Entity, RoleId, Scope};

use super::world::{NOW, World, entry, exception, group, link};
use crate::{AuditAction, NewAccessRule, StoreError, SubjectId};

/// Another entity, another action, another scope, another exception: all refused.
pub async fn a_permission_for_one_thing_does_no_other(mut world: World) {
    let gate = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Gate { .. })), "{result:?}")
    };
    let cluster = world.cluster(10, "a").await.id;
    let other = world.cluster(11, "b").await.id;
    let at = |action, entity, scope| world.may(action, entity, scope);
    for granted in [
        at(Action::Read, Entity::Cluster, Scope::Cluster(cluster)),
        at(Action::Delete, Entity::Project, Scope::Cluster(cluster)),
        at(Action::Delete, Entity::Cluster, Scope::Cluster(other)),
        at(Action::Delete, Entity::Cluster, Scope::Account),
        link(),
    ] {
        gate(
            world
                .store
                .delete_cluster(&granted, cluster, NOW, entry(AuditAction::Delete))
                .await
                .map(drop),
        );
    }
    let session = exception(BootstrapException::SessionRecord);
    gate(
        world
            .store
            .desired_all(&session, cluster, None, 1)
            .await
            .map(drop),
    );
    gate(world.store.record(&link(), entry(AuditAction::SignIn)).await);
    let rule = world
        .rule(group("g"), RoleId::VIEWER, Scope::Cluster(cluster))
        .await;
    let granted = world.may(Action::Delete, Entity::AccessRules, Scope::Cluster(other));
    gate(
        world
            .store
            .delete_access_rule(&granted, rule.id, NOW, entry(AuditAction::Delete))
            .await
            .map(drop),
    );
    // The permission to give one role gives no other, and none elsewhere.
    let here = Scope::Cluster(cluster);
    for (judged, at) in [
        (RoleId::VIEWER, here),
        (RoleId::SYSTEM_ADMINISTRATOR, Scope::Cluster(other)),
        (RoleId::SYSTEM_ADMINISTRATOR, Scope::Account),
    ] {
        let granted = world.index.may_grant(&world.admin, judged, at).unwrap();
        let new = NewAccessRule {
            subject: group("g"),
            role: RoleId::SYSTEM_ADMINISTRATOR,
            scope: here,
            created_at: NOW,
            created_by: "admin".to_owned(),
        };
        let made = world
            .store
            .create_access_rule(&granted, new, entry(AuditAction::Create))
            .await;
        gate(made.map(drop));
    }
}

/// No row, no revision, no number, no event.
pub async fn a_refused_write_leaves_nothing_behind(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    world
        .rule(group("g"), RoleId::VIEWER, Scope::Cluster(cluster))
        .await;
    let (events, state) = (world.audited().await, world.all(cluster).await);
    world
        .try_rule(group("g"), RoleId::VIEWER, Scope::Cluster(cluster))
        .await
        .unwrap_err();
    world.try_cluster(12, "a").await.unwrap_err();
    world.delete_user(world.admin_row.id).await.unwrap_err();
    assert_eq!((world.audited().await, world.all(cluster).await), (events, state));
}

/// In order, with who, what and which, each carrying the hash of the one before.
pub async fn every_change_is_in_the_audit_chain(mut world: World) {
    let cluster = world.cluster(10, "a").await;
    let rule = world
        .rule(group("g"), RoleId::VIEWER, Scope::Cluster(cluster.id))
        .await;
    world.delete_rule(&rule).await.unwrap();
    let session = exception(BootstrapException::SessionRecord);
    let admin = SubjectId::User(world.admin_row.id);
    let password = world.admin_password().await;
    world.sign_in(admin, password, NOW).await.unwrap();
    world
        .store
        .record(&session, entry(AuditAction::SignIn))
        .await
        .unwrap();
    let granted = world.may(Action::Read, Entity::EventsHistory, Scope::Account);
    let events = world.store.audit_events(&granted, 0, 100).await.unwrap();
    let about: Vec<_> = events
        .iter()
        .map(|it| (it.sequence, it.entry.action, it.entry.entity_id.clone()))
        .collect();
    let id = rule.id.to_string();
    assert_eq!(
        about,
        [
            (1, AuditAction::Create, world.admin_row.id.to_string()),
            (2, AuditAction::Create, cluster.id.to_string()),
            (3, AuditAction::Create, id.clone()),
            (4, AuditAction::Delete, id),
            (5, AuditAction::SignIn, String::new()),
            (6, AuditAction::SignIn, String::new()),
        ]
    );
    assert!(
        events
            .iter()
            .zip(events.iter().skip(1))
            .all(|(before, after)| before.hash == after.previous)
    );
    assert_eq!(world.audited().await, 6);
    let fifth: Vec<_> = events.into_iter().skip(4).take(1).collect();
    assert_eq!(world.store.audit_events(&granted, 4, 1).await.unwrap(), fifth);
    let granted = world.may(Action::Read, Entity::Users, Scope::Account);
    let row = world
        .store
        .user(&granted, world.admin_row.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.last_login, Some(NOW));
}

/// What is pruned is named in the chain, which can be verified after it; other events and newer ones stay.
pub async fn old_failed_attempts_are_pruned_and_the_chain_says_so(mut world: World) {
    let session = exception(BootstrapException::SessionRecord);
    let record = async |world: &World, seconds: &[i64]| {
        let entries = seconds.iter().map(|at| world.attempt(*at)).collect();
        world.store.record_attempts(&session, entries).await.unwrap();
    };
    record(&world, &[0, 1, 2]).await;
    world.cluster(10, "a").await;
    record(&world, &[3, 50]).await;
    assert_eq!(world.audited().await, 7);
    let refused = world.store.record_attempts(&link(), vec![world.attempt(0)]).await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");

    let prune_until = async |world: &World, before: i64, end: i64, limit: i64| {
        let before = NOW.plus_seconds(before);
        let said = entry(AuditAction::Prune);
        world
            .store
            .prune_attempts(&session, before, end, limit, said)
            .await
            .unwrap()
    };
    let prune =
        async |world: &World, before: i64, limit: i64| prune_until(world, before, i64::MAX, limit).await;
    assert_eq!(prune(&world, 0, 10).await, 0, "nothing is that old");
    assert_eq!(world.audited().await, 7, "and so nothing was said");
    assert_eq!(
        prune_until(&world, 100, 2, 10).await,
        0,
        "nothing from the given event on"
    );
    assert_eq!(world.audited().await, 7);
    assert_eq!(prune(&world, 10, 2).await, 2);
    assert_eq!(
        prune(&world, 10, 10).await,
        2,
        "the rest, which borders on what went before"
    );
    assert_eq!(prune(&world, 10, 10).await, 0);
    assert_eq!(world.audited().await, 9, "the chain is whole");
    let granted = world.may(Action::Read, Entity::EventsHistory, Scope::Account);
    let events = world.store.audit_events(&granted, 0, 100).await.unwrap();
    let left: Vec<_> = events.iter().map(|it| (it.sequence, it.entry.action)).collect();
    assert_eq!(
        left,
        [
            (1, AuditAction::Create),
            (5, AuditAction::Create),
            (7, AuditAction::SignIn),
            (8, AuditAction::Prune),
            (9, AuditAction::Prune),
        ]
    );
    let said = events
        .last()
        .unwrap()
        .entry
        .metadata
        .get(crate::PRUNED)
        .unwrap()
        .clone();
    assert!(said.starts_with("4-4:") && said.contains(",6-6:"), "{said}");
    // The last event of all is one that goes.
    assert_eq!(prune(&world, 100, 10).await, 1);
    world.cluster(11, "b").await;
    assert_eq!(world.audited().await, 11);
}
