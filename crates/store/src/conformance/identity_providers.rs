//! Identity providers: who somebody is, what is used once, and how sessions go on.

use reeve_authz::{Action, BootstrapException, Entity, Scope};
use reeve_types::UserId;

use super::organization::{NOW, Organization, entry, exception, id};
use crate::{
    AuditAction, IdpRow, MOST_IDENTITY_PROVIDERS, NewSession, ProvidedIdentity, RenewedSession, SessionFacts,
    SessionProvider, StoreError, SubjectId,
};

/// A provider of this alias.
pub(super) fn provider(alias: &str) -> IdpRow {
    IdpRow {
        alias: alias.parse().unwrap(),
        kind: "oidc".to_owned(),
        settings: "{\"clientId\":\"reeve\"}".to_owned(),
        sealed: "sealed".to_owned(),
        mappers: "{\"email\":\"email\"}".to_owned(),
        created_at: NOW,
        updated_at: NOW,
    }
}

/// Somebody of whom it speaks.
pub(super) fn identity(subject: &str, email: &str, number: u64) -> ProvidedIdentity {
    ProvidedIdentity {
        alias: "corp".parse().unwrap(),
        issuer: "https://idp.test".to_owned(),
        subject: subject.to_owned(),
        email: email.parse().unwrap(),
        uid: None,
        new_id: id(number),
    }
}

async fn user(organization: &Organization, identity: ProvidedIdentity) -> Result<UserId, StoreError> {
    let granted = exception(BootstrapException::SessionRecord);
    let entry = entry(AuditAction::Create);
    let made = organization
        .store
        .provided_user(&granted, identity, entry)
        .await?;
    Ok(made.value)
}

/// Planted fault: `providers-without-end`.
pub async fn an_account_has_so_many_identity_providers_at_most(organization: Organization) {
    let granted = organization.may(Action::Create, Entity::SecuritySettings, Scope::Account);
    let store = &organization.store;
    let make = async |number: i64| {
        let row = provider(&format!("corp-{number}"));
        let made = store.create_identity_provider(&granted, row, entry(AuditAction::Create));
        made.await
    };
    for number in 0..MOST_IDENTITY_PROVIDERS {
        make(number).await.unwrap();
    }
    let refused = make(MOST_IDENTITY_PROVIDERS).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::ProvidersFull {
                most: MOST_IDENTITY_PROVIDERS
            })
        ),
        "{refused:?}"
    );
    let granted = organization.may(Action::Read, Entity::SecuritySettings, Scope::Account);
    let there = store.identity_providers(&granted).await.unwrap().len();
    assert_eq!(i64::try_from(there), Ok(MOST_IDENTITY_PROVIDERS));
}

/// The planted fault is in the words: whoever went by the email would answer another account in each of the refusals.
pub async fn one_person_is_known_by_issuer_and_subject_alone(organization: Organization) {
    let local = organization
        .try_user(2, "local@example.com", None)
        .await
        .unwrap()
        .id;
    let alice = user(&organization, identity("alice", "Alice@Example.com", 10))
        .await
        .unwrap();
    let row = organization.may(Action::Read, Entity::Users, Scope::Account);
    let row = organization.store.user(&row, alice).await.unwrap().unwrap();
    assert_eq!((row.email.as_str(), row.is_local), ("alice@example.com", false));
    assert_eq!(row.created_by, "identity provider corp");
    // She is the same whatever she is called, and keeps her account's name.
    let renamed = identity("alice", "alice.miller@example.com", 11);
    assert_eq!(user(&organization, renamed).await.unwrap(), alice);
    // Her address, or a local user's, is no way into the account, whatever its case.
    for (subject, email) in [("mallory", "ALICE@example.com"), ("mallory", "local@example.com")] {
        let refused = user(&organization, identity(subject, email, 12)).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict { .. })),
            "{email}: {refused:?}"
        );
    }
    // The same subject of another issuer is another person.
    let elsewhere = ProvidedIdentity {
        issuer: "https://other.test".to_owned(),
        ..identity("alice", "a@other.test", 13)
    };
    assert_ne!(user(&organization, elsewhere).await.unwrap(), alice);
    let local_now = organization.store.directory().await.unwrap();
    assert!(local_now.users.iter().any(|it| it.id == local));
    // Whoever is deleted comes back as somebody new.
    organization.delete_user(alice).await.unwrap();
    let again = identity("alice", "alice.miller@example.com", 14);
    assert_eq!(user(&organization, again).await.unwrap(), id(14));
}

/// Something may be used once, and is forgotten when its time is over.
pub async fn something_is_used_once(organization: Organization) {
    let granted = exception(BootstrapException::SessionRecord);
    let (now, until) = (NOW, NOW.plus_seconds(60));
    let store = &organization.store;
    assert!(store.use_once(&granted, "a", now, until).await.unwrap());
    assert!(store.use_once(&granted, "b", now, until).await.unwrap());
    assert!(!store.use_once(&granted, "a", now, until).await.unwrap());
    let later = until.plus_seconds(1);
    assert!(store.use_once(&granted, "a", later, later).await.unwrap());
    let wrong = organization.may(Action::Read, Entity::Users, Scope::Account);
    assert!(matches!(
        store.use_once(&wrong, "d", now, until).await,
        Err(StoreError::Gate { .. })
    ));
}

async fn provided(organization: &Organization) -> SessionFacts {
    let granted = exception(BootstrapException::SessionRecord);
    let alice = user(organization, identity("alice", "alice@example.com", 10))
        .await
        .unwrap();
    let new = NewSession {
        groups: vec!["ml".parse().unwrap()],
        provider: Some(SessionProvider {
            alias: "corp".parse().unwrap(),
            renewal: Some("sealed 1".to_owned()),
        }),
        ..organization.new_session(SubjectId::User(alice))
    };
    let begun = organization
        .store
        .begin_session(&granted, new, None, entry(AuditAction::SignIn))
        .await;
    begun.unwrap().value.unwrap()
}

/// A provider is asked again by one process, what it says counts, and its sessions end when it is removed.
pub async fn a_session_goes_on_as_its_provider_says_and_ends_with_it(organization: Organization) {
    let (granted, store) = (exception(BootstrapException::SessionRecord), &organization.store);
    let may = |action| organization.may(action, Entity::SecuritySettings, Scope::Account);
    store
        .create_identity_provider(&may(Action::Create), provider("corp"), entry(AuditAction::Create))
        .await
        .unwrap();
    let session = provided(&organization).await;
    let later = NOW.plus_seconds(300);
    assert_eq!(store.due_sessions(&granted, NOW, 10).await.unwrap(), []);
    let due = store.due_sessions(&granted, later, 10).await.unwrap();
    let due = due.first().unwrap();
    assert_eq!(
        (due.facts.id, due.provider.renewal.as_deref()),
        (session.id, Some("sealed 1"))
    );
    let take = || store.take_due_session(&granted, session.id, due.checked_at, later);
    assert_eq!((take().await.unwrap(), take().await.unwrap()), (true, false));
    let renewed = |groups: &[&str]| RenewedSession {
        id: session.id,
        groups: groups.iter().map(|it| it.parse().unwrap()).collect(),
        posix: None,
        renewal: "sealed 2".to_owned(),
        until: NOW.plus_seconds(900),
    };
    for groups in [&["ml"][..], &[]] {
        store
            .renew_session(&granted, renewed(groups), entry(AuditAction::Update))
            .await
            .unwrap();
    }
    let held = store.directory().await.unwrap().sessions;
    let held = held.iter().find(|it| it.id == session.id).unwrap();
    assert_eq!((held.groups.len(), held.until), (0, NOW.plus_seconds(900)));
    // Signed out by its provider: this person alone, and what this provider began alone. The planted faults: a statement without the
    // provider, or without the person, would end one of the others.
    let ends = async |alias: &str, subject: &str| {
        let (alias, out) = (alias.parse().unwrap(), entry(AuditAction::SignOut));
        let ended = store.end_provided_sessions(&granted, &alias, "https://idp.test", subject, out);
        ended.await.unwrap().value
    };
    let more = provided(&organization).await;
    assert_eq!(
        (ends("corp", "mallory").await, ends("other", "alice").await),
        (0, 0)
    );
    assert_eq!((ends("corp", "alice").await, ends("corp", "alice").await), (2, 0));
    let left = store.directory().await.unwrap().sessions;
    assert!(left.iter().all(|it| ![session.id, more.id].contains(&it.id)));
    let wrong = organization.may(Action::Read, Entity::Users, Scope::Account);
    let (corp, out) = ("corp".parse().unwrap(), entry(AuditAction::SignOut));
    let refused = store.end_provided_sessions(&wrong, &corp, "https://idp.test", "alice", out);
    assert!(matches!(refused.await, Err(StoreError::Gate { .. })));
    let session = provided(&organization).await;
    store
        .delete_identity_provider(
            &may(Action::Delete),
            &"corp".parse().unwrap(),
            entry(AuditAction::Delete),
        )
        .await
        .unwrap();
    assert!(
        store
            .directory()
            .await
            .unwrap()
            .sessions
            .iter()
            .all(|it| it.id != session.id)
    );
    // One that ended does not come back.
    store
        .renew_session(&granted, renewed(&["ml"]), entry(AuditAction::Update))
        .await
        .unwrap();
    assert!(
        store
            .directory()
            .await
            .unwrap()
            .sessions
            .iter()
            .all(|it| it.id != session.id)
    );
    assert_eq!(
        store
            .due_sessions(&granted, later.plus_seconds(900), 10)
            .await
            .unwrap(),
        []
    );
}
