//! Access keys.

use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_types::list::PageQuery;
use reeve_types::{AccessKeyId, SessionId, SignInMethod, UserId};

use super::organization::{NOW, Organization, entry, exception, id, parsed};
use super::told::Log;
use crate::{
    ACCESS_KEYS_OF_A_USER, AccessKeyFilter, AccessKeyRow, AuditAction, CredentialHash, CredentialKind,
    KEY_RESTS_SECONDS, KeySession, NewAccessKey, NewSession, SESSIONS_OF_A_KEY, SessionFacts, StoreError,
    SubjectId,
};

pub(super) fn own() -> Granted {
    exception(BootstrapException::OwnAccessKey)
}

pub(super) fn new_key(user: UserId, number: u64, name: &str) -> NewAccessKey {
    NewAccessKey {
        id: id(number),
        name: parsed(name),
        user,
        secret: CredentialHash::new(format!("secret {number}")),
        created_at: NOW,
    }
}

async fn key(organization: &Organization, user: UserId, number: u64, name: &str) -> AccessKeyRow {
    let (new, own) = (new_key(user, number, name), own());
    let made = organization
        .store
        .create_access_key(&own, new, entry(AuditAction::Create));
    made.await.unwrap().value
}

fn session_of_key(organization: &Organization, key: &AccessKeyRow) -> NewSession {
    NewSession {
        method: SignInMethod::AccessKey,
        access_key: Some(key.id),
        go_on_until: Some(NOW),
        until: NOW.plus_seconds(2 * KEY_RESTS_SECONDS),
        ..organization.new_session(SubjectId::User(key.user))
    }
}

/// What its secret signs in so many seconds after the beginning.
async fn uses(
    organization: &Organization,
    key: &AccessKeyRow,
    secret: &str,
    after: i64,
) -> Option<SessionFacts> {
    let (new, secret) = (session_of_key(organization, key), CredentialHash::new(secret));
    let begun = organization.try_sign_in(new, Some(&secret), NOW.plus_seconds(after));
    begun.await.unwrap().value
}

/// Not another's, not twice the name, not one too many, and nothing of it after she is gone.
pub async fn an_access_key_is_its_owners_alone_and_ends_with_her(organization: Organization) {
    let (store, mine) = (&organization.store, own());
    let alice = organization
        .try_user(2, "alice@example.com", None)
        .await
        .unwrap()
        .id;
    let bob = organization
        .try_user(3, "bob@example.com", None)
        .await
        .unwrap()
        .id;
    let made = key(&organization, alice, 50, "notebook").await;
    let create = |new| store.create_access_key(&mine, new, entry(AuditAction::Create));
    let twice = create(new_key(alice, 51, "notebook"));
    assert!(matches!(twice.await, Err(StoreError::Conflict { .. })));
    key(&organization, bob, 52, "notebook").await;
    // A rule gives no right to others' keys but to see and delete them, and one's own right none to others'.
    let rule = |action| organization.may(action, Entity::AccessKeys, Scope::Account);
    let gate = |error| matches!(error, StoreError::Gate { .. });
    let granted = rule(Action::Create);
    let by_rule = store.create_access_key(&granted, new_key(alice, 53, "other"), entry(AuditAction::Create));
    assert!(gate(by_rule.await.unwrap_err()));
    let filter = AccessKeyFilter::default();
    assert!(gate(store.all_access_keys(&mine, &filter).await.unwrap_err()));
    let anybodys = store.delete_anybodys_access_key(&mine, made.id, entry(AuditAction::Delete));
    assert!(gate(anybodys.await.unwrap_err()));
    let all = store.all_access_keys(&rule(Action::Read), &filter).await.unwrap();
    let names: Vec<_> = all
        .iter()
        .map(|it| (it.owner.as_str(), it.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [("alice@example.com", "notebook"), ("bob@example.com", "notebook")]
    );
    for (offset, expected) in [(0, "alice@example.com"), (1, "bob@example.com")] {
        let filter = AccessKeyFilter {
            page: PageQuery { offset, limit: 1 },
            ..AccessKeyFilter::default()
        };
        let page = store.all_access_keys(&rule(Action::Read), &filter).await.unwrap();
        let owners: Vec<_> = page.iter().map(|it| it.owner.as_str()).collect();
        assert_eq!(owners, [expected]);
    }
    let of = |key: AccessKeyId, user| {
        let secret = CredentialHash::new("another");
        store.set_access_key_secret(&mine, user, key, secret, entry(AuditAction::Update))
    };
    assert!(matches!(of(made.id, bob).await, Err(StoreError::NotFound { .. })));
    let foreign = store.delete_access_key(&mine, bob, made.id, entry(AuditAction::Delete));
    assert!(matches!(foreign.await, Err(StoreError::NotFound { .. })));

    assert_eq!(uses(&organization, &made, "wrong", 0).await, None);
    let begun = uses(&organization, &made, "secret 50", 0).await.unwrap();
    let expected = KeySession {
        key: made.id,
        behind: None,
    };
    assert_eq!(
        (begun.subject, begun.access_key.clone()),
        (SubjectId::User(alice), Some(Box::new(expected)))
    );
    let again = uses(&organization, &made, "secret 50", 1).await.unwrap();
    assert_eq!(again, begun, "it goes on with its session");
    let own_one = organization
        .sign_in(SubjectId::User(alice), CredentialHash::new("hash"), NOW)
        .await
        .unwrap();
    assert_eq!(of(made.id, alice).await.unwrap().value, 1);
    assert!(!organization.lives(&begun).await && organization.lives(&own_one).await);
    assert_eq!(uses(&organization, &made, "secret 50", 2).await, None);
    let renewed = uses(&organization, &made, "another", 2).await.unwrap();
    let shown = store.access_keys(&mine, alice).await.unwrap();
    assert_eq!(
        shown.first().and_then(|it| it.last_login),
        Some(NOW.plus_seconds(2))
    );

    for number in 1..ACCESS_KEYS_OF_A_USER {
        key(
            &organization,
            alice,
            60 + number.unsigned_abs(),
            &format!("key-{number}"),
        )
        .await;
    }
    let more = create(new_key(alice, 90, "one-more"));
    assert!(matches!(more.await, Err(StoreError::AccessKeysFull { .. })));

    organization.delete_user(alice).await.unwrap();
    assert!(!organization.lives(&renewed).await);
    assert_eq!(store.access_key_verifier(made.id).await.unwrap(), None);
    assert_eq!(store.access_keys(&mine, alice).await.unwrap(), []);
    assert_eq!(uses(&organization, &made, "another", 3).await, None);
}

/// Behind its session stands the owner's own, as long as there is one; and where an identity provider alone knows the owner, the key
/// rests when it has not spoken for her for long. Planted faults: `behind` kept at going on, and a note of the owner's sign-in by a key.
pub async fn a_key_shows_what_a_session_of_its_owners_shows_and_rests_without(organization: Organization) {
    let store = &organization.store;
    let record = exception(BootstrapException::SessionRecord);
    let identity = super::identity("alice", "alice@example.com", 10);
    let alice = store
        .provided_user(&record, identity, entry(AuditAction::Create))
        .await
        .unwrap()
        .value;
    let signs_in = async |after| -> SessionFacts {
        let new = NewSession {
            method: SignInMethod::IdentityProvider,
            groups: vec![parsed("ml")],
            ..organization.new_session(SubjectId::User(alice))
        };
        let begun = organization.try_sign_in(
            NewSession {
                until: NOW.plus_seconds(after + 3600),
                ..new
            },
            None,
            NOW.plus_seconds(after),
        );
        begun.await.unwrap().value.unwrap()
    };
    let behind = |session: Option<SessionFacts>| -> Option<SessionId> { session?.access_key?.behind };
    let made = key(&organization, alice, 50, "notebook").await;
    assert_eq!(
        uses(&organization, &made, "secret 50", 0).await,
        None,
        "nobody has signed in yet"
    );
    let first = signs_in(10).await;
    let by_key = uses(&organization, &made, "secret 50", 20).await;
    assert_eq!(behind(by_key.clone()), Some(first.id));
    assert_eq!(
        by_key.map(|it| it.groups),
        Some(Vec::new()),
        "the key itself shows none"
    );
    let second = signs_in(30).await;
    assert_eq!(
        behind(uses(&organization, &made, "secret 50", 40).await),
        Some(second.id)
    );
    let over = uses(&organization, &made, "secret 50", 30 + 3601).await.unwrap();
    assert_eq!(behind(Some(over)), None);
    let last = KEY_RESTS_SECONDS + 30;
    assert!(uses(&organization, &made, "secret 50", last).await.is_some());
    assert_eq!(uses(&organization, &made, "secret 50", last + 1).await, None);
    let third = signs_in(last + 2).await;
    assert_eq!(
        behind(uses(&organization, &made, "secret 50", last + 3).await),
        Some(third.id)
    );

    // Its sessions do not put out those of its owner.
    for second in 0..SESSIONS_OF_A_KEY + 2 {
        let new = NewSession {
            go_on_until: None,
            ..session_of_key(&organization, &made)
        };
        let secret = CredentialHash::new("secret 50");
        let begun = organization.try_sign_in(new, Some(&secret), NOW.plus_seconds(last + 4 + second));
        assert!(begun.await.unwrap().value.is_some());
    }
    let known = store.directory().await.unwrap().sessions;
    let of_key = known.iter().filter(|it| it.access_key.is_some()).count();
    assert_eq!(i64::try_from(of_key), Ok(SESSIONS_OF_A_KEY));
    assert!(organization.lives(&third).await);
}

/// As an application's.
pub async fn a_restored_stores_access_keys_are_suspended(organization: Organization) {
    let store = &organization.store;
    let alice = organization
        .try_user(2, "alice@example.com", None)
        .await
        .unwrap()
        .id;
    let made = key(&organization, alice, 50, "notebook").await;
    let begun = uses(&organization, &made, "secret 50", 0).await.unwrap();
    let recovery = exception(BootstrapException::Recovery);
    let fenced = crate::Fenced {
        head: store.fence_news(0).await.unwrap().head,
        era: 0,
        numbers: Default::default(),
    };
    let recovered = store.recover(&recovery, &fenced, &[], entry(AuditAction::Restore));
    assert_eq!(recovered.await.unwrap().suspended.secrets, 1);
    assert!(!organization.lives(&begun).await);
    let (_, verifier) = store.access_key_verifier(made.id).await.unwrap().unwrap();
    assert!(verifier.is_suspended());
    assert_eq!(uses(&organization, &made, "secret 50", 1).await, None);
    let confirmed = store.confirm(&recovery, CredentialKind::Secrets, entry(AuditAction::Confirm));
    assert_eq!(confirmed.await.unwrap(), 1);
    assert!(uses(&organization, &made, "secret 50", 2).await.is_some());
}

/// Their events, as [`super::every_write_is_in_the_audit_log`] wants them.
pub(super) async fn are_told(organization: &Organization, log: &mut Log) {
    use AuditAction::{Create, Delete, Update};
    let (store, admin) = (&organization.store, organization.admin_row.id);
    let mine = own();
    let whose = ["owner=admin@reeve.example"];
    let mut made = Vec::new();
    for (number, name) in [(80, "one"), (81, "other")] {
        let new = new_key(admin, number, name);
        let id = new.id;
        made.push(id);
        store.create_access_key(&mine, new, entry(Create)).await.unwrap();
        log.has(organization, "create_access_key", Create, id, &whose)
            .await;
    }
    log.done.pop();
    let [one, other] = *made else {
        panic!("two were made")
    };
    let secret = CredentialHash::new("another");
    store
        .set_access_key_secret(&mine, admin, one, secret, entry(Update))
        .await
        .unwrap();
    log.has(organization, "set_access_key_secret", Update, one, &whose)
        .await;
    store
        .delete_access_key(&mine, admin, one, entry(Delete))
        .await
        .unwrap();
    log.has(organization, "delete_access_key", Delete, one, &whose)
        .await;
    let granted = organization.may(Action::Delete, Entity::AccessKeys, Scope::Account);
    store
        .delete_anybodys_access_key(&granted, other, entry(Delete))
        .await
        .unwrap();
    log.has(organization, "delete_anybodys_access_key", Delete, other, &whose)
        .await;
}
