//! Roles that are made here.

use reeve_authz::{Action, Entity, Granted, RoleId, Scope};

use super::super::organization::{NOW, Organization, entry};
use super::Log;
use crate::{AuditAction, SetCustomRole, StoreError};

/// Made, changed and deleted, each by its own permission; in use it is neither switched off nor deleted.
pub(super) async fn are_told(organization: &Organization, log: &mut Log) {
    use AuditAction::{Create, Delete, Update};
    let store = &organization.store;
    let may = |action| organization.may(action, Entity::Roles, Scope::Account);
    let wanted = |name: &str, enabled| SetCustomRole {
        name: name.to_owned(),
        description: "For the tests.".to_owned(),
        enabled,
        permission_sets: vec!["00000000-0000-4000-8000-000000000901".parse().unwrap()],
        in_clusters_as: Some(RoleId::VIEWER),
        at: NOW,
        by: "bea".to_owned(),
    };
    let gate = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Gate { .. })), "{result:?}");
    };
    let create = async |granted: &Granted, name: &str| {
        store
            .create_custom_role(granted, wanted(name, true), entry(Create))
            .await
    };
    gate(create(&may(Action::Update), "Readers").await.map(drop));
    let made = create(&may(Action::Create), "Readers").await.unwrap().value;
    assert_eq!(
        (made.id.number(), made.name.as_str(), made.enabled),
        (1001, "Readers", true)
    );
    log.has(organization, "create_custom_role", Create, 1001, &["role_after"])
        .await;
    for taken in ["rEADERS", "viewer"] {
        let refused = create(&may(Action::Create), taken).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{taken}");
    }
    let update = async |granted: &Granted, new| {
        store
            .update_custom_role(granted, made.id, new, entry(Update))
            .await
    };
    gate(
        update(&may(Action::Create), wanted("Lectors", true))
            .await
            .map(drop),
    );
    let changed = update(&may(Action::Update), wanted("Lectors", false))
        .await
        .unwrap()
        .value;
    assert_eq!((changed.name.as_str(), changed.enabled), ("Lectors", false));
    assert_eq!(store.directory().await.unwrap().roles, [changed]);
    let said = ["role_before", "role_after"];
    log.has(organization, "update_custom_role", Update, 1001, &said)
        .await;
    let delete = async |granted: &Granted| {
        store
            .delete_custom_role(granted, made.id, NOW, entry(Delete))
            .await
    };
    gate(delete(&may(Action::Update)).await.map(drop));
    delete(&may(Action::Delete)).await.unwrap();
    assert!(matches!(
        delete(&may(Action::Delete)).await,
        Err(StoreError::NotFound { .. })
    ));
    log.has(organization, "delete_custom_role", Delete, 1001, &["role_before"])
        .await;
}
