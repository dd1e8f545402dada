//! Authenticators.

use reeve_authz::{Action, BootstrapException, Entity, Scope};

use super::organization::{NOW, Organization, entry, exception};
use super::told::Log;
use crate::{AuditAction, CredentialHash, StoreError, WRONG_CODES, WRONG_CODES_REST_SECONDS};

/// Each step once, in order, and each recovery code once; a wrong one is counted until a right one comes. Planted fault: the step written
/// without a look at the last.
pub async fn a_one_time_code_is_used_once(organization: Organization) {
    let store = &organization.store;
    let alice = organization
        .try_user(2, "alice@example.com", None)
        .await
        .unwrap()
        .id;
    let own = exception(BootstrapException::SessionRecord);
    let kept = async || store.authenticator(&own, alice).await.unwrap();
    let create = async |sealed: &str| {
        let made = store.create_authenticator(&own, alice, sealed.to_owned(), entry(AuditAction::Update));
        made.await.map(drop)
    };
    let confirm = async |step, codes: &[&str]| {
        let codes = codes.iter().map(|code| CredentialHash::new(*code)).collect();
        let confirmed = store.confirm_authenticator(&own, alice, step, codes, entry(AuditAction::Update));
        confirmed.await.map(drop)
    };
    assert_eq!(kept().await, None);
    assert!(matches!(
        confirm(10, &["a"]).await,
        Err(StoreError::NotFound { .. })
    ));
    create("first").await.unwrap();
    create("second").await.unwrap();
    let begun = kept().await.unwrap();
    assert_eq!((begun.sealed.as_str(), begun.confirmed), ("second", false));
    assert!(
        !store.use_step(&own, alice, 10).await.unwrap(),
        "not asked for yet"
    );
    confirm(10, &["a", "b"]).await.unwrap();
    assert!(matches!(create("third").await, Err(StoreError::Conflict { .. })));
    assert!(matches!(
        confirm(11, &["c"]).await,
        Err(StoreError::NotFound { .. })
    ));

    for (step, good) in [
        (10, false),
        (11, true),
        (11, false),
        (10, false),
        (13, true),
        (12, false),
    ] {
        assert_eq!(store.use_step(&own, alice, step).await.unwrap(), good, "{step}");
    }
    for number in 0..WRONG_CODES {
        assert_eq!(kept().await.unwrap().rests_until(NOW), None, "{number}");
        store.note_wrong_code(&own, alice, NOW).await.unwrap();
    }
    let until = NOW.plus_seconds(WRONG_CODES_REST_SECONDS);
    let row = kept().await.unwrap();
    assert_eq!(
        (row.rests_until(NOW), row.rests_until(until)),
        (Some(until), None)
    );
    let code = |text: &str| CredentialHash::new(text);
    for (text, good) in [("c", false), ("a", true), ("a", false), ("b", true)] {
        assert_eq!(
            store.use_recovery_code(&own, alice, &code(text)).await.unwrap(),
            good,
            "{text}"
        );
    }
    let row = kept().await.unwrap();
    assert_eq!((row.wrong, row.recovery_codes), (0, 0));

    let other = organization.may(Action::Update, Entity::AccessRules, Scope::Account);
    let gate = store.remove_authenticator(&other, alice, entry(AuditAction::Update));
    assert!(matches!(gate.await, Err(StoreError::Gate { .. })));
    let users = organization.may(Action::Update, Entity::Users, Scope::Account);
    store
        .remove_authenticator(&users, alice, entry(AuditAction::Update))
        .await
        .unwrap();
    assert_eq!(kept().await, None);
    create("again").await.unwrap();
    organization.delete_user(alice).await.unwrap();
    assert_eq!(kept().await, None, "it goes with its owner");
}

/// Their events, as [`super::every_write_is_in_the_audit_log`] wants them.
pub(super) async fn are_told(organization: &Organization, log: &mut Log) {
    let (store, admin) = (&organization.store, organization.admin_row.id);
    let own = exception(BootstrapException::SessionRecord);
    let update = AuditAction::Update;
    let made = store.create_authenticator(&own, admin, "sealed".to_owned(), entry(update));
    made.await.unwrap();
    log.has(organization, "create_authenticator", update, admin, &[])
        .await;
    let codes = vec![CredentialHash::new("code")];
    let confirmed = store.confirm_authenticator(&own, admin, 7, codes, entry(update));
    confirmed.await.unwrap();
    log.has(organization, "confirm_authenticator", update, admin, &[])
        .await;
    store
        .remove_authenticator(&own, admin, entry(update))
        .await
        .unwrap();
    log.has(organization, "remove_authenticator", update, admin, &[])
        .await;
}
