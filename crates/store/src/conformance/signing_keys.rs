//! Signing keys.

use reeve_authz::{Action, BootstrapException, Entity, Scope};

use super::organization::{NOW, Organization, entry, exception, link, signing_key};
use crate::{AuditAction, KeyUse, StoreError};

/// Next, current, retiring, gone: each once, by whoever comes first, and known to everybody by the log.
pub async fn keys_are_used_one_after_the_other(organization: Organization) {
    let uses = async || {
        let rows = organization.store.signing_keys().await.unwrap();
        let known = organization.store.directory().await.unwrap().signing_keys;
        let facts: Vec<_> = rows.iter().map(|row| row.facts.clone()).collect();
        assert_eq!(facts, known);
        assert!(rows.iter().all(|row| row.sealed == "sealed"));
        known
            .into_iter()
            .map(|key| (key.id, key.usage))
            .collect::<Vec<_>>()
    };
    let is = |id: &str, usage| (id.to_owned(), usage);
    let (current, next, retiring) = (KeyUse::Current, KeyUse::Next, KeyUse::Retiring);
    assert_eq!(uses().await, [is("k1", current), is("k2", next)]);
    let granted = organization.may(Action::Update, Entity::SecuritySettings, Scope::Account);
    let due = exception(BootstrapException::KeyRotation);
    let rotate = async |granted, current, next, second| {
        let mut entry = entry(AuditAction::Rotate);
        entry.timestamp = NOW.plus_seconds(second);
        let next = signing_key(next);
        organization
            .store
            .rotate_signing_keys(granted, current, next, entry)
            .await
    };
    let (stranger, granted) = (link(), granted);
    let gate = rotate(&stranger, "k1", "k3", 10).await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })), "{gate:?}");
    assert_eq!(rotate(&granted, "k1", "k3", 10).await.unwrap().log.len(), 1);
    assert_eq!(
        uses().await,
        [is("k2", current), is("k3", next), is("k1", retiring)]
    );
    // Another process wanted the same, and came second.
    let second = rotate(&due, "k1", "k4", 10).await;
    assert!(matches!(second, Err(StoreError::NotFound { .. })), "{second:?}");
    rotate(&due, "k2", "k4", 20).await.unwrap();
    let all = [
        is("k3", current),
        is("k4", next),
        is("k1", retiring),
        is("k2", retiring),
    ];
    assert_eq!(uses().await, all);
    let drop = async |granted, second| {
        let before = NOW.plus_seconds(second);
        let entry = entry(AuditAction::Delete);
        organization.store.drop_signing_keys(granted, before, entry).await
    };
    let gate = drop(&granted, 15).await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })), "{gate:?}");
    assert_eq!(
        drop(&due, 10).await.unwrap().value,
        0,
        "it retired at that very moment"
    );
    assert_eq!(drop(&due, 15).await.unwrap().value, 1);
    assert_eq!(
        uses().await,
        [is("k3", current), is("k4", next), is("k2", retiring)]
    );
    assert_eq!(
        drop(&due, 99).await.unwrap().value,
        1,
        "neither the current nor the next key"
    );
}
