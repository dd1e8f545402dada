//! Signing keys.

use reeve_authz::{Action, BootstrapException, Entity, Scope};

use super::organization::{NOW, Organization, entry, exception, link, signing_key};
use crate::{AuditAction, KeyUse, StoreError, SubjectId};

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

/// Whatever a key was used for: it is gone, a key that nobody knew signs, there is a next one, and nobody is signed in.
pub async fn a_withdrawn_key_is_gone_with_every_session(organization: Organization) {
    let store = &organization.store;
    let subject = SubjectId::User(organization.admin_row.id);
    let password = organization.admin_password().await;
    let granted = organization.may(Action::Update, Entity::SecuritySettings, Scope::Account);
    let rotated = store.rotate_signing_keys(&granted, "k1", signing_key("k3"), entry(AuditAction::Rotate));
    rotated.await.unwrap();
    let recovery = exception(BootstrapException::Recovery);
    let withdraw = async |granted, id: &str| {
        let fresh = |what: &str| signing_key(&format!("{what}-for-{id}"));
        let entry = entry(AuditAction::Delete);
        store
            .withdraw_signing_key(granted, id, fresh("current"), fresh("next"), entry)
            .await
    };
    let gate = withdraw(&granted, "k1").await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })), "{gate:?}");
    let unknown = withdraw(&recovery, "k9").await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })), "{unknown:?}");
    for (leaked, left) in [
        // Retiring, current, next.
        ("k1", ["current-for-k1", "k3", "k2"].as_slice()),
        ("current-for-k1", &["current-for-current-for-k1", "k3", "k2"]),
        (
            "k3",
            &[
                "current-for-k3",
                "next-for-k3",
                "current-for-current-for-k1",
                "k2",
            ],
        ),
    ] {
        organization
            .sign_in(subject, password.clone(), NOW)
            .await
            .unwrap();
        let done = withdraw(&recovery, leaked).await.unwrap();
        assert_eq!(done.log.len(), 1);
        let known = store.directory().await.unwrap();
        let mut ids: Vec<_> = known.signing_keys.iter().map(|key| key.id.as_str()).collect();
        let mut wanted = left.to_vec();
        assert_eq!(ids.get(..2), wanted.get(..2), "the current and the next one");
        ids.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(ids, wanted, "{leaked}");
        assert_eq!(known.sessions, [], "{leaked}");
    }
}
