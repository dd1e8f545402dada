//! Passkeys.

use reeve_authz::{Action, BootstrapException, Entity, Scope};
use reeve_types::{PasskeyId, UserId};

use super::organization::{NOW, Organization, entry, exception, id, parsed};
use super::told::Log;
use crate::{
    AuditAction, CredentialHash, CredentialKind, Fenced, NewPasskey, PASSKEYS_OF_A_USER, StoreError,
    UsedPasskey,
};

pub(super) fn new_passkey(user: UserId, number: u64, name: &str) -> NewPasskey {
    NewPasskey {
        id: id(number),
        user,
        name: parsed(name),
        credential: format!("credential {number}"),
        key: format!("key {number}"),
        counter: 0,
        backup_eligible: true,
        backed_up: false,
    }
}

pub(super) fn used(passkey: PasskeyId, counter: i64) -> UsedPasskey {
    UsedPasskey {
        id: passkey,
        counter,
        backed_up: true,
        at: NOW.plus_seconds(counter),
    }
}

fn codes(texts: &[&str]) -> Vec<CredentialHash> {
    texts.iter().map(|text| CredentialHash::new(*text)).collect()
}

async fn local(organization: &Organization, number: u64, email: &str) -> UserId {
    organization.try_user(number, email, None).await.unwrap().id
}

/// Not another's, not twice, not one too many; a counter that does not rise is refused; and nothing of it is left when its owner is gone.
/// Planted faults: a counter that is written without a look at the last (`passkey-counter-goes-back`), and passkeys that outlive their
/// owner (`passkeys-outlive-their-owner`).
pub async fn a_passkey_is_its_owners_alone_and_counts_up(organization: Organization) {
    let (store, own) = (&organization.store, exception(BootstrapException::SessionRecord));
    let alice = local(&organization, 2, "alice@example.com").await;
    let bob = local(&organization, 3, "bob@example.com").await;
    let create = |new| store.create_passkey(&own, new, codes(&[]), entry(AuditAction::Update));
    let found = async |credential: &str| store.passkey_of_credential(&own, credential).await.unwrap();
    create(new_passkey(alice, 50, "Laptop")).await.unwrap();
    let kept = found("credential 50").await.unwrap();
    assert_eq!(
        (kept.user, kept.name.as_str(), kept.key.as_str()),
        (alice, "Laptop", "key 50")
    );
    assert_eq!(
        (kept.owner.as_str(), kept.created_at, kept.last_used),
        ("alice@example.com", NOW, None)
    );
    assert_eq!(found("credential 51").await, None);
    let twice = create(new_passkey(alice, 51, "Laptop")).await;
    assert!(matches!(twice, Err(StoreError::Conflict { .. })), "its name");
    let same = NewPasskey {
        credential: "credential 50".to_owned(),
        ..new_passkey(bob, 52, "Laptop")
    };
    assert!(
        matches!(create(same).await, Err(StoreError::Conflict { .. })),
        "its key"
    );
    create(new_passkey(bob, 52, "Laptop")).await.unwrap();
    let nobody = create(new_passkey(id(9), 53, "Laptop")).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })));

    let uses = async |counter| store.use_passkey(&own, &used(kept.id, counter)).await.unwrap();
    for (counter, good) in [
        (0, true),
        (0, true),
        (5, true),
        (5, false),
        (4, false),
        (0, false),
        (6, true),
    ] {
        assert_eq!(uses(counter).await, good, "{counter}");
    }
    let row = found("credential 50").await.unwrap();
    assert_eq!(
        (row.counter, row.backed_up, row.last_used),
        (6, true, Some(NOW.plus_seconds(6)))
    );

    let remove = |user, passkey| store.remove_passkey(&own, user, passkey, entry(AuditAction::Update));
    assert!(matches!(
        remove(bob, kept.id).await,
        Err(StoreError::NotFound { .. })
    ));
    remove(alice, kept.id).await.unwrap();
    assert!(matches!(
        remove(alice, kept.id).await,
        Err(StoreError::NotFound { .. })
    ));
    assert!(!uses(7).await, "it is gone");

    for number in 0..PASSKEYS_OF_A_USER {
        let number = 100 + number.unsigned_abs();
        create(new_passkey(alice, number, &format!("key {number}")))
            .await
            .unwrap();
    }
    let more = create(new_passkey(alice, 99, "one more")).await;
    assert!(matches!(more, Err(StoreError::PasskeysFull { .. })));

    // Whoever administers users sees and removes them.
    let other = organization.may(Action::Update, Entity::AccessRules, Scope::Account);
    let gate = store
        .remove_passkeys(&other, alice, entry(AuditAction::Update))
        .await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })));
    assert!(matches!(
        store.passkeys(&other, alice).await,
        Err(StoreError::Gate { .. })
    ));
    let reads = organization.may(Action::Read, Entity::Users, Scope::Account);
    let shown = store.passkeys(&reads, alice).await.unwrap().passkeys;
    assert_eq!(shown.len(), usize::try_from(PASSKEYS_OF_A_USER).unwrap());
    assert!(shown.is_sorted_by(|a, b| a.name < b.name));
    let users = organization.may(Action::Update, Entity::Users, Scope::Account);
    let removed = store
        .remove_passkeys(&users, alice, entry(AuditAction::Update))
        .await;
    assert_eq!(removed.unwrap().value, PASSKEYS_OF_A_USER.unsigned_abs());
    let none = store
        .remove_passkeys(&users, alice, entry(AuditAction::Update))
        .await;
    assert!(matches!(none, Err(StoreError::NotFound { .. })));

    assert!(found("credential 52").await.is_some());
    organization.delete_user(bob).await.unwrap();
    assert_eq!(found("credential 52").await, None, "it goes with its owner");
    assert!(store.passkeys(&own, bob).await.unwrap().passkeys.is_empty());
    assert!(!store.use_passkey(&own, &used(id(52), 9)).await.unwrap());
}

/// Those of the first second factor, for as long as there is one.
pub async fn recovery_codes_stand_for_any_second_factor(organization: Organization) {
    let (store, own) = (&organization.store, exception(BootstrapException::SessionRecord));
    let alice = local(&organization, 2, "alice@example.com").await;
    let create = async |number, texts: &[&str]| {
        let new = new_passkey(alice, number, &format!("key {number}"));
        let made = store.create_passkey(&own, new, codes(texts), entry(AuditAction::Update));
        made.await.unwrap().value
    };
    let left = async || store.passkeys(&own, alice).await.unwrap().recovery_codes;
    let good = async |text: &str| {
        let code = CredentialHash::new(text);
        store.use_recovery_code(&own, alice, &code).await.unwrap()
    };
    assert!(create(50, &["a", "b"]).await, "the first");
    assert!(!create(51, &["c", "d"]).await, "the second");
    assert!(good("a").await && !good("c").await);
    // Those of an authenticator replace them, and no more come with another passkey.
    let sealed = "sealed".to_owned();
    store
        .create_authenticator(&own, alice, sealed, entry(AuditAction::Update))
        .await
        .unwrap();
    store
        .confirm_authenticator(&own, alice, 7, codes(&["e", "f"]), entry(AuditAction::Update))
        .await
        .unwrap();
    assert!(!create(52, &["g"]).await);
    assert!(!good("b").await && good("e").await);
    store
        .remove_authenticator(&own, alice, entry(AuditAction::Update))
        .await
        .unwrap();
    assert_eq!(left().await, 1, "they stand for the passkeys");
    for number in [50, 51, 52] {
        assert_eq!(left().await, 1);
        store
            .remove_passkey(&own, alice, id(number), entry(AuditAction::Update))
            .await
            .unwrap();
    }
    assert_eq!(left().await, 0, "there is nothing for which they could stand");
    assert!(!good("f").await);
}

/// Nobody knows whether one was removed in the part that is lost.
pub async fn a_restored_stores_passkeys_are_suspended(organization: Organization) {
    let (store, own) = (&organization.store, exception(BootstrapException::SessionRecord));
    let recovery = exception(BootstrapException::Recovery);
    let alice = local(&organization, 2, "alice@example.com").await;
    let new = new_passkey(alice, 50, "Laptop");
    let (passkey, credential) = (new.id, new.credential.clone());
    store
        .create_passkey(&own, new, codes(&["a"]), entry(AuditAction::Update))
        .await
        .unwrap();
    let fenced = Fenced {
        head: store.fence_news(0).await.unwrap().head,
        era: 0,
        numbers: Default::default(),
    };
    store
        .recover(&recovery, &fenced, &[], entry(AuditAction::Restore))
        .await
        .unwrap();
    let row = store.passkey_of_credential(&own, &credential).await.unwrap();
    assert!(row.unwrap().suspended);
    assert!(!store.use_passkey(&own, &used(passkey, 1)).await.unwrap());
    store
        .confirm(&recovery, CredentialKind::Passwords, entry(AuditAction::Confirm))
        .await
        .unwrap();
    assert!(store.use_passkey(&own, &used(passkey, 1)).await.unwrap());
}

/// Their events, as [`super::every_write_is_in_the_audit_log`] wants them.
pub(super) async fn are_told(organization: &Organization, log: &mut Log) {
    let (store, admin) = (&organization.store, organization.admin_row.id);
    let own = exception(BootstrapException::SessionRecord);
    let update = AuditAction::Update;
    for (number, name) in [(80, "one"), (81, "other")] {
        let new = new_passkey(admin, number, name);
        let said = [format!("passkey_id={}", new.id), format!("passkey_name={name}")];
        let said = said.each_ref().map(String::as_str);
        store
            .create_passkey(&own, new, codes(&["code"]), entry(update))
            .await
            .unwrap();
        log.has(organization, "create_passkey", update, admin, &said)
            .await;
    }
    log.done.pop();
    store
        .remove_passkey(&own, admin, id(80), entry(update))
        .await
        .unwrap();
    log.has(
        organization,
        "remove_passkey",
        update,
        admin,
        &["passkey_name=one"],
    )
    .await;
    let users = organization.may(Action::Update, Entity::Users, Scope::Account);
    store.remove_passkeys(&users, admin, entry(update)).await.unwrap();
    log.has(organization, "remove_passkeys", update, admin, &["passkeys=1"])
        .await;
}
