//! Sessions.

use reeve_authz::{Action, BootstrapException, Entity, Scope};
use reeve_types::SignInMethod;

use super::organization::{NOW, Organization, entry, exception, id, parsed, posix};
use crate::{
    AuditAction, CredentialHash, ENDED_SHOWN_SECONDS, SESSIONS_OF_A_SUBJECT, SessionFacts, StoreError,
    SubjectId,
};

/// Not with a permission for something else, not of somebody else, not twice.
pub async fn one_session_ends_and_the_others_go_on(organization: Organization) {
    let alice = organization.try_user(2, "alice@example.com", None).await.unwrap();
    let account = organization.service_account(20, "ci").await;
    let (alice, ci) = (SubjectId::User(alice.id), SubjectId::ServiceAccount(account.id));
    let hash = || CredentialHash::new("hash");
    let one = organization.sign_in(alice, hash(), NOW).await.unwrap();
    let other = organization.sign_in(alice, hash(), NOW).await.unwrap();
    let of_ci = organization.sign_in(ci, hash(), NOW).await.unwrap();
    let store = &organization.store;
    let end = |granted, subject, id| store.end_session(granted, subject, id, entry(AuditAction::SignOut));
    let users = organization.may(Action::Update, Entity::Users, Scope::Account);
    let accounts = organization.may(Action::Update, Entity::ServiceAccount, Scope::Account);
    let gate = end(&accounts, alice, one.id).await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })), "{gate:?}");
    let foreign = end(&users, SubjectId::User(id(77)), one.id).await;
    assert!(matches!(foreign, Err(StoreError::NotFound { .. })), "{foreign:?}");
    end(&users, alice, one.id).await.unwrap();
    assert!(
        !organization.lives(&one).await
            && organization.lives(&other).await
            && organization.lives(&of_ci).await
    );
    let twice = end(&users, alice, one.id).await;
    assert!(matches!(twice, Err(StoreError::NotFound { .. })), "{twice:?}");
    // Whoever signs out needs nobody's permission.
    end(&exception(BootstrapException::SessionRecord), ci, of_ci.id)
        .await
        .unwrap();
    assert!(!organization.lives(&of_ci).await);
    let read = organization.may(Action::Read, Entity::Users, Scope::Account);
    let shown = store.sessions(&read, alice).await.unwrap();
    let ended: Vec<_> = shown
        .iter()
        .map(|row| (row.facts.id, row.ended.is_some()))
        .collect();
    assert!(
        ended.contains(&(one.id, true)) && ended.contains(&(other.id, false)),
        "{ended:?}"
    );
}

/// In the directory, in the list, and on the user.
pub async fn a_session_says_what_the_sign_in_showed(organization: Organization) {
    let alice = organization.try_user(2, "alice@example.com", None).await.unwrap();
    let read = organization.may(Action::Read, Entity::Users, Scope::Account);
    let groups = async || {
        organization
            .store
            .user(&read, alice.id)
            .await
            .unwrap()
            .unwrap()
            .groups
    };
    assert_eq!(groups().await, None, "nobody knows yet");
    let mut new = organization.new_session(SubjectId::User(alice.id));
    new.method = SignInMethod::IdentityProvider;
    new.groups = vec![parsed("ML"), parsed("ml"), parsed("org/ml")];
    new.posix = Some(posix(70_500));
    let expected = SessionFacts {
        id: new.id,
        subject: new.subject,
        groups: new.groups.clone(),
        posix: new.posix.clone(),
        until: new.until,
        access_key: None,
        by_password: false,
    };
    let begun = organization.try_sign_in(new, None, NOW).await.unwrap();
    assert_eq!(begun.value.as_ref(), Some(&expected));
    assert!(!begun.log.is_empty());
    assert!(organization.lives(&expected).await);
    let rows = organization
        .store
        .sessions(&read, expected.subject)
        .await
        .unwrap();
    let row = rows.first().unwrap();
    assert_eq!((rows.len(), &row.facts), (1, &expected));
    assert_eq!(
        (row.method, row.created, row.ended),
        (SignInMethod::IdentityProvider, NOW, None)
    );
    assert_eq!(groups().await, Some(expected.groups));
    let password = CredentialHash::new("hash");
    organization
        .sign_in(expected.subject, password, NOW)
        .await
        .unwrap();
    assert_eq!(groups().await, Some(vec![]), "a password shows none");
    let gone = organization
        .try_sign_in(organization.new_session(SubjectId::User(id(77))), None, NOW)
        .await;
    assert_eq!(gone.unwrap().value, None);
}

/// One more ends the oldest.
pub async fn a_subject_has_so_many_sessions_at_most(organization: Organization) {
    let subject = SubjectId::User(organization.admin_row.id);
    let password = organization.admin_password().await;
    let mut begun = Vec::new();
    for second in 0..SESSIONS_OF_A_SUBJECT + 2 {
        let session = organization
            .sign_in(subject, password.clone(), NOW.plus_seconds(second))
            .await;
        begun.push(session.unwrap());
    }
    let known = organization.store.directory().await.unwrap().sessions;
    assert_eq!(i64::try_from(known.len()), Ok(SESSIONS_OF_A_SUBJECT));
    let (gone, live) = begun.split_at(2);
    assert!(gone.iter().all(|session| !known.contains(session)));
    assert!(live.iter().all(|session| known.contains(session)));
}

/// As long as enough of it is left; nothing in the directory changes then.
pub async fn a_service_account_goes_on_with_its_session(organization: Organization) {
    let account = organization.service_account(20, "ci").await;
    let subject = SubjectId::ServiceAccount(account.id);
    let secret = CredentialHash::new("hash");
    let sign_in = async |until, go_on_until| {
        let mut new = organization.new_session(subject);
        (new.until, new.go_on_until) = (until, Some(go_on_until));
        organization.try_sign_in(new, Some(&secret), NOW).await.unwrap()
    };
    let hours = |hours: i64| NOW.plus_seconds(hours * 3600);
    let first = sign_in(hours(24), hours(12)).await;
    let again = sign_in(hours(25), hours(13)).await;
    assert_eq!((&again.value, &again.log), (&first.value, &vec![]));
    let later = sign_in(hours(37), hours(25)).await;
    assert_ne!(later.value, first.value, "too little of it was left");
    let granted = exception(BootstrapException::SessionRecord);
    let ended = organization.store.end_session(
        &granted,
        subject,
        later.value.unwrap().id,
        entry(AuditAction::SignOut),
    );
    ended.await.unwrap();
    assert_eq!(
        sign_in(hours(25), hours(13)).await.value,
        first.value,
        "what ended is not gone on with"
    );
}

/// And no sooner; whoever ended by the clock alone leaves the directory with it.
pub async fn sessions_that_ended_are_forgotten_later(organization: Organization) {
    let subject = SubjectId::User(organization.admin_row.id);
    let password = organization.admin_password().await;
    let ended = organization
        .sign_in(subject, password.clone(), NOW)
        .await
        .unwrap();
    let granted = exception(BootstrapException::SessionRecord);
    let out = organization
        .store
        .end_session(&granted, subject, ended.id, entry(AuditAction::SignOut));
    out.await.unwrap();
    let expired = organization
        .sign_in(subject, password.clone(), NOW)
        .await
        .unwrap();
    let mut new = organization.new_session(subject);
    new.until = NOW.plus_seconds(1_000_000);
    let live = organization
        .try_sign_in(new, Some(&password), NOW)
        .await
        .unwrap()
        .value
        .unwrap();
    let prune = async |before, limit| {
        let pruned = organization
            .store
            .prune_sessions(&granted, before, limit)
            .await
            .unwrap();
        (pruned.value, !pruned.log.is_empty())
    };
    let events = organization.audited().await;
    assert_eq!(prune(NOW, 10).await, (0, false));
    assert!(
        organization.lives(&expired).await,
        "its end is a matter of the clock"
    );
    let later = expired.until.plus_seconds(ENDED_SHOWN_SECONDS);
    assert_eq!(prune(later, 1).await.0, 1);
    assert_eq!(prune(later, 10).await.0, 1);
    assert_eq!(prune(later, 10).await, (0, false));
    assert!(!organization.lives(&expired).await && organization.lives(&live).await);
    assert_eq!(
        organization.audited().await,
        events,
        "nobody could use them any more"
    );
    let gate = organization
        .store
        .prune_sessions(&super::organization::link(), later, 1)
        .await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })), "{gate:?}");
}

/// As one that an administrator gives; not while it may be used.
pub async fn a_uid_of_an_identity_provider_is_nobody_elses(organization: Organization) {
    let alice = organization.try_user(2, "alice@example.com", None).await.unwrap();
    let dave = organization
        .try_user(3, "dave@example.com", Some(posix(70_600)))
        .await
        .unwrap();
    let provided = |user, uid| {
        let mut new = organization.new_session(SubjectId::User(user));
        new.method = SignInMethod::IdentityProvider;
        new.posix = Some(posix(uid));
        new
    };
    let events = organization.audited().await;
    let taken = organization
        .try_sign_in(provided(alice.id, 70_600), None, NOW)
        .await;
    assert!(matches!(taken, Err(StoreError::UidTaken(_))), "{taken:?}");
    assert_eq!(organization.audited().await, events);
    organization
        .try_sign_in(provided(alice.id, 70_500), None, NOW)
        .await
        .unwrap();
    let erin = organization
        .try_user(4, "erin@example.com", Some(posix(70_500)))
        .await;
    assert!(matches!(erin, Err(StoreError::UidTaken(_))), "{erin:?}");
    // Dave's comes from an administrator: what the provider says is of no effect, and takes nothing.
    organization
        .try_sign_in(provided(dave.id, 70_501), None, NOW)
        .await
        .unwrap();
    organization
        .try_user(4, "erin@example.com", Some(posix(70_501)))
        .await
        .unwrap();
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let release = |at| {
        let uid = posix(70_500).uid();
        organization
            .store
            .release_uid(&granted, uid, at, entry(AuditAction::Release))
    };
    let said = release(NOW.plus_seconds(3600)).await.unwrap_err().to_string();
    assert!(
        said.contains("`alice@example.com` has it from the identity provider"),
        "{said}"
    );
    release(NOW.plus_seconds(3600 + crate::EMAIL_RESTS_SECONDS))
        .await
        .unwrap();
}
