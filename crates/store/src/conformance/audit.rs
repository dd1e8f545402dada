//! Permissions and the audit log.

use reeve_authz::{Action, BootstrapException, Entity, RoleId, Scope};

use super::organization::{NOW, Organization, entry, exception, group, link};
use crate::{AuditAction, NewAccessRule, StoreError, SubjectId};

/// Another entity, another action, another scope, another exception: all refused.
pub async fn a_permission_for_one_thing_does_no_other(mut organization: Organization) {
    let gate = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Gate { .. })), "{result:?}")
    };
    let cluster = organization.cluster(10, "a").await.id;
    let other = organization.cluster(11, "b").await.id;
    let at = |action, entity, scope| organization.may(action, entity, scope);
    for granted in [
        at(Action::Read, Entity::Cluster, Scope::Cluster(cluster)),
        at(Action::Delete, Entity::Project, Scope::Cluster(cluster)),
        at(Action::Delete, Entity::Cluster, Scope::Cluster(other)),
        at(Action::Delete, Entity::Cluster, Scope::Account),
        link(),
    ] {
        gate(
            organization
                .store
                .delete_cluster(&granted, cluster, NOW, entry(AuditAction::Delete))
                .await
                .map(drop),
        );
    }
    let session = exception(BootstrapException::SessionRecord);
    gate(
        organization
            .store
            .desired_all(&session, cluster, None, 1)
            .await
            .map(drop),
    );
    gate(
        organization
            .store
            .record(&link(), entry(AuditAction::SignIn))
            .await,
    );
    let rule = organization
        .rule(group("g"), RoleId::VIEWER, Scope::Cluster(cluster))
        .await;
    let granted = organization.may(Action::Delete, Entity::AccessRules, Scope::Cluster(other));
    gate(
        organization
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
        let granted = organization
            .index
            .may_grant(&organization.admin, judged, at)
            .unwrap();
        let new = NewAccessRule {
            subject: group("g"),
            role: RoleId::SYSTEM_ADMINISTRATOR,
            scope: here,
            created_at: NOW,
            created_by: "admin".to_owned(),
        };
        let made = organization
            .store
            .create_access_rule(&granted, new, entry(AuditAction::Create))
            .await;
        gate(made.map(drop));
    }
}

/// No row, no revision, no number, no event.
pub async fn a_refused_write_leaves_nothing_behind(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    organization
        .rule(group("g"), RoleId::VIEWER, Scope::Cluster(cluster))
        .await;
    let (events, state) = (organization.audited().await, organization.all(cluster).await);
    organization
        .try_rule(group("g"), RoleId::VIEWER, Scope::Cluster(cluster))
        .await
        .unwrap_err();
    organization.try_cluster(12, "a").await.unwrap_err();
    organization
        .delete_user(organization.admin_row.id)
        .await
        .unwrap_err();
    assert_eq!(
        (organization.audited().await, organization.all(cluster).await),
        (events, state)
    );
}

/// In order, with who, what and which, each carrying the hash of the one before.
pub async fn every_change_is_in_the_audit_chain(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await;
    let rule = organization
        .rule(group("g"), RoleId::VIEWER, Scope::Cluster(cluster.id))
        .await;
    organization.delete_rule(&rule).await.unwrap();
    let session = exception(BootstrapException::SessionRecord);
    let admin = SubjectId::User(organization.admin_row.id);
    let password = organization.admin_password().await;
    organization.sign_in(admin, password, NOW).await.unwrap();
    organization
        .store
        .record(&session, entry(AuditAction::SignIn))
        .await
        .unwrap();
    let granted = organization.may(Action::Read, Entity::EventsHistory, Scope::Account);
    let events = organization.store.audit_events(&granted, 0, 100).await.unwrap();
    let about: Vec<_> = events
        .iter()
        .map(|it| (it.sequence, it.entry.action, it.entry.entity_id.clone()))
        .collect();
    let id = rule.id.to_string();
    assert_eq!(
        about,
        [
            (1, AuditAction::Create, organization.admin_row.id.to_string()),
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
    assert_eq!(organization.audited().await, 6);
    let fifth: Vec<_> = events.into_iter().skip(4).take(1).collect();
    assert_eq!(
        organization.store.audit_events(&granted, 4, 1).await.unwrap(),
        fifth
    );
    let granted = organization.may(Action::Read, Entity::Users, Scope::Account);
    let row = organization
        .store
        .user(&granted, organization.admin_row.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.last_login, Some(NOW));
}

/// What is pruned is named in the chain, which can be verified after it; other events and newer ones stay.
pub async fn old_failed_attempts_are_pruned_and_the_chain_says_so(mut organization: Organization) {
    let session = exception(BootstrapException::SessionRecord);
    let record = async |organization: &Organization, seconds: &[i64]| {
        let entries = seconds.iter().map(|at| organization.attempt(*at)).collect();
        organization
            .store
            .record_attempts(&session, entries)
            .await
            .unwrap();
    };
    record(&organization, &[0, 1, 2]).await;
    organization.cluster(10, "a").await;
    record(&organization, &[3, 50]).await;
    assert_eq!(organization.audited().await, 7);
    let refused = organization
        .store
        .record_attempts(&link(), vec![organization.attempt(0)])
        .await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");

    let prune_until = async |organization: &Organization, before: i64, end: i64, limit: i64| {
        let before = NOW.plus_seconds(before);
        let said = entry(AuditAction::Prune);
        organization
            .store
            .prune_attempts(&session, before, end, limit, said)
            .await
            .unwrap()
    };
    let prune = async |organization: &Organization, before: i64, limit: i64| {
        prune_until(organization, before, i64::MAX, limit).await
    };
    assert_eq!(prune(&organization, 0, 10).await, 0, "nothing is that old");
    assert_eq!(organization.audited().await, 7, "and so nothing was said");
    assert_eq!(
        prune_until(&organization, 100, 2, 10).await,
        0,
        "nothing from the given event on"
    );
    assert_eq!(organization.audited().await, 7);
    assert_eq!(prune(&organization, 10, 2).await, 2);
    assert_eq!(
        prune(&organization, 10, 10).await,
        2,
        "the rest, which borders on what went before"
    );
    assert_eq!(prune(&organization, 10, 10).await, 0);
    assert_eq!(organization.audited().await, 9, "the chain is whole");
    let granted = organization.may(Action::Read, Entity::EventsHistory, Scope::Account);
    let events = organization.store.audit_events(&granted, 0, 100).await.unwrap();
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
    assert_eq!(prune(&organization, 100, 10).await, 1);
    organization.cluster(11, "b").await;
    assert_eq!(organization.audited().await, 11);
}
