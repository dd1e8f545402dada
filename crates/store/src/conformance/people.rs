//! People and service accounts.

use reeve_authz::{Action, Entity, RoleId, Scope, SubjectKey};
use reeve_link::ObjectKey;

use super::organization::{NOW, Organization, entry, id, posix};
use crate::{AuditAction, CredentialHash, StoreError, SubjectId};

/// Neither a deletion nor another number frees it; its owner may come back to it.
pub async fn a_uid_stays_with_its_first_owner(organization: Organization) {
    let alice = organization
        .try_user(2, "alice@example.com", Some(posix(70012)))
        .await
        .unwrap();
    let taken = organization
        .try_user(3, "dave@example.com", Some(posix(70012)))
        .await;
    assert!(matches!(taken, Err(StoreError::UidTaken(_))), "{taken:?}");
    let dave = organization.try_user(3, "dave@example.com", None).await.unwrap();
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let set = |user, uid| {
        organization
            .store
            .set_posix(&granted, user, Some(posix(uid)), NOW, entry(AuditAction::Update))
    };
    assert_eq!(
        set(alice.id, 70013).await.unwrap().value.posix,
        Some(posix(70013))
    );
    assert!(matches!(set(dave.id, 70012).await, Err(StoreError::UidTaken(_))));
    assert_eq!(
        set(alice.id, 70012).await.unwrap().value.posix,
        Some(posix(70012))
    );
    organization.delete_user(alice.id).await.unwrap();
    assert!(matches!(set(dave.id, 70012).await, Err(StoreError::UidTaken(_))));
    assert!(matches!(set(dave.id, 70013).await, Err(StoreError::UidTaken(_))));
    let fresh = organization
        .try_user(4, "alice@example.com", Some(posix(70012)))
        .await;
    assert!(matches!(fresh, Err(StoreError::UidTaken(_))), "{fresh:?}");
}

/// If she ever signed in, for [`crate::EMAIL_RESTS_SECONDS`], however often somebody tries.
pub async fn an_email_rests_after_its_owner_went(organization: Organization) {
    let stranger = organization.try_user(2, "alice@example.com", None).await.unwrap();
    organization.delete_user(stranger.id).await.unwrap();
    let alice = organization.try_user(3, "alice@example.com", None).await.unwrap();
    let sign_in = organization.sign_in(SubjectId::User(alice.id), CredentialHash::new("hash"), NOW);
    assert!(sign_in.await.is_some());
    organization.delete_user(alice.id).await.unwrap();
    let until = NOW.plus_seconds(crate::EMAIL_RESTS_SECONDS);
    for _ in 0..2 {
        let refused = organization.try_user(4, "Alice@Example.com", None).await;
        assert!(
            matches!(&refused, Err(StoreError::EmailRests { until: said, .. }) if *said == until),
            "{refused:?}"
        );
    }
    let granted = organization.may(Action::Create, Entity::Users, Scope::Account);
    let new = |created_at| crate::NewUser {
        id: id(4),
        email: alice.email.clone(),
        password: Some(CredentialHash::new("hash")),
        temporary_password: false,
        posix: None,
        created_at,
        created_by: "admin".to_owned(),
    };
    let make = |at| {
        organization
            .store
            .create_user(&granted, new(at), entry(AuditAction::Create))
    };
    assert!(make(until.plus_seconds(-1)).await.is_err());
    make(until).await.unwrap();
}

/// Neither she nor her rule can go, unless there is another one with a password here.
pub async fn the_last_local_administrator_stays(mut organization: Organization) {
    let rule = organization.admin_rule.clone();
    let last = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::LastAdministrator)), "{result:?}")
    };
    last(
        organization
            .delete_user(organization.admin_row.id)
            .await
            .map(drop),
    );
    last(organization.delete_rule(&rule).await.map(drop));
    organization
        .rule(
            super::organization::group("admins"),
            RoleId::SYSTEM_ADMINISTRATOR,
            Scope::Account,
        )
        .await;
    last(organization.delete_rule(&rule).await.map(drop));
    let carol = organization.try_user(2, "carol@example.com", None).await.unwrap();
    let scope = Scope::Cluster(organization.cluster(10, "a").await.id);
    organization
        .rule(
            SubjectKey::User(carol.email.clone()),
            RoleId::SYSTEM_ADMINISTRATOR,
            scope,
        )
        .await;
    last(
        organization
            .delete_user(organization.admin_row.id)
            .await
            .map(drop),
    );
    organization
        .rule(
            SubjectKey::User(carol.email),
            RoleId::SYSTEM_ADMINISTRATOR,
            Scope::Account,
        )
        .await;
    organization.delete_user(organization.admin_row.id).await.unwrap();
    last(organization.delete_user(carol.id).await.map(drop));
}

/// Whatever clocks say: a sign-in under one that ran ahead is ended like any other, and the next one is good.
pub async fn a_changed_password_ends_every_session_before_it(organization: Organization) {
    let admin = organization.admin_row.id;
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let sign_in =
        |proven: &CredentialHash, at| organization.sign_in(SubjectId::User(admin), proven.clone(), at);
    let old = organization.admin_password().await;
    let ahead = sign_in(&old, NOW.plus_seconds(86_400)).await.unwrap();
    let first = sign_in(&old, NOW).await.unwrap();
    assert_ne!(ahead.id, first.id, "each sign-in has a session of its own");
    assert!(organization.lives(&ahead).await && organization.lives(&first).await);
    let new = CredentialHash::new("new");
    let reset = entry(AuditAction::ResetPassword);
    let set = organization
        .store
        .set_password(&granted, admin, new.clone(), NOW, reset);
    assert_eq!(set.await.unwrap().value, 2);
    assert!(!organization.lives(&ahead).await && !organization.lives(&first).await);
    assert_eq!(sign_in(&old, NOW).await, None, "proven against what is gone");
    let second = sign_in(&new, NOW).await.unwrap();
    assert!(organization.lives(&second).await);
    let out = entry(AuditAction::SignOut);
    let ended = organization
        .store
        .end_sessions(&granted, admin, out)
        .await
        .unwrap();
    assert_eq!(ended.value, 1);
    assert!(!organization.lives(&second).await);
    // Proven before she was signed out, recorded after: the session is good.
    let third = sign_in(&new, NOW).await.unwrap();
    assert!(organization.lives(&third).await);
}

/// Also one that was proven while it was enabled.
pub async fn a_disabled_service_account_does_not_sign_in(organization: Organization) {
    let account = organization.service_account(20, "ci").await;
    let granted = organization.may(Action::Update, Entity::ServiceAccount, Scope::Account);
    let switch = async |enabled, action| {
        let entry = entry(action);
        let switched = organization
            .store
            .set_service_account_enabled(&granted, account.id, enabled, NOW, entry);
        switched.await.unwrap();
    };
    let kept = organization.store.secret_verifier(&account.name).await.unwrap();
    let (_, secret) = kept.unwrap();
    let sign_in = || organization.sign_in(SubjectId::ServiceAccount(account.id), secret.clone(), NOW);
    let before = sign_in().await.unwrap();
    let events = organization.audited().await;
    switch(false, AuditAction::Disable).await;
    assert_eq!(sign_in().await, None);
    switch(true, AuditAction::Enable).await;
    assert_eq!(
        organization.audited().await,
        events + 2,
        "who was refused is not recorded"
    );
    assert!(
        !organization.lives(&before).await,
        "its old tokens stay worthless"
    );
    let after = sign_in().await.unwrap();
    assert!(organization.lives(&after).await);
}

/// They leave every cluster in one revision each.
pub async fn a_deleted_users_rules_go_with_her(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let bob = organization.try_user(2, "bob@example.com", None).await.unwrap();
    let subject = SubjectKey::User(bob.email.clone());
    let one = organization
        .rule(subject.clone(), RoleId::VIEWER, Scope::Account)
        .await;
    let two = organization
        .rule(subject, RoleId::VIEWER, Scope::Cluster(cluster))
        .await;
    let before = organization.all(cluster).await.revision;
    let gone = organization.delete_user(bob.id).await.unwrap();
    assert_eq!(gone.value, [one.id, two.id]);
    let batch = organization.since(cluster, before.0).await;
    assert_eq!(batch.revision.0, before.0 + 1);
    assert_eq!(
        batch.deletes,
        [ObjectKey::AccessRule(one.id), ObjectKey::AccessRule(two.id)]
    );
    let granted = organization.may(Action::Read, Entity::AccessRules, Scope::Account);
    let kept = organization
        .store
        .access_rule(&granted, one.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.deleted_at, Some(NOW));
}

/// And come back when it is enabled.
pub async fn a_disabled_service_accounts_rules_leave_the_clusters(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let account = organization.service_account(20, "ci").await;
    let subject = SubjectKey::ServiceAccount(account.name.clone());
    let rule = organization
        .rule(subject.clone(), RoleId::L1_RESEARCHER, Scope::Cluster(cluster))
        .await;
    let granted = organization.may(Action::Update, Entity::ServiceAccount, Scope::Account);
    let switch = |enabled| {
        organization.store.set_service_account_enabled(
            &granted,
            account.id,
            enabled,
            NOW,
            entry(AuditAction::Update),
        )
    };
    let off = switch(false).await.unwrap();
    assert!(!off.value.enabled);
    let before = off.revisions.first().map(|(_, revision)| revision.0).unwrap();
    assert_eq!(
        organization.since(cluster, before - 1).await.deletes,
        [ObjectKey::AccessRule(rule.id)]
    );
    assert_eq!(switch(false).await.unwrap().revisions, []);
    organization
        .try_rule(subject, RoleId::VIEWER, Scope::Account)
        .await
        .unwrap();
    assert_eq!(
        organization.all(cluster).await.upserts.len(),
        1,
        "only the administrator's rule"
    );
    let on = switch(true).await.unwrap().value;
    assert!(on.enabled);
    assert_eq!(organization.all(cluster).await.upserts.len(), 3);
    let of_it = SubjectId::ServiceAccount(account.id);
    let signed_in = organization
        .sign_in(of_it, CredentialHash::new("hash"), NOW)
        .await
        .unwrap();
    let another = CredentialHash::new("another");
    let renewed = organization
        .store
        .set_service_account_secret(
            &granted,
            account.id,
            another.clone(),
            NOW,
            entry(AuditAction::Update),
        )
        .await;
    assert_eq!(renewed.unwrap().value, 1);
    assert!(!organization.lives(&signed_in).await);
    let kept = organization.store.secret_verifier(&account.name).await.unwrap();
    assert_eq!(kept, Some((account.id, another)));
    let granted = organization.may(Action::Delete, Entity::ServiceAccount, Scope::Account);
    let gone = organization
        .store
        .delete_service_account(&granted, account.id, NOW, entry(AuditAction::Delete))
        .await
        .unwrap();
    assert_eq!(gone.value.len(), 2);
    assert_eq!(organization.all(cluster).await.upserts.len(), 1);
}

/// In quarters of an hour that begin with the first, until a right one is given or a new one set.
pub async fn wrong_passwords_are_counted(organization: Organization) {
    let alice = organization.try_user(2, "alice@example.com", None).await.unwrap();
    let store = &organization.store;
    let granted = super::organization::exception(reeve_authz::BootstrapException::SessionRecord);
    let count = async |at: i64| {
        let kept = store.password_check(&alice.email).await.unwrap().unwrap();
        assert_eq!((kept.user, kept.verifier.as_str()), (alice.id, "hash"));
        kept.wrong.count_at(NOW.plus_seconds(at))
    };
    let wrong = async |count: i64, at: i64| {
        let at = NOW.plus_seconds(at);
        store
            .note_wrong_passwords(&granted, &[(alice.id, count), (id(77), 1)], at)
            .await
            .unwrap();
    };
    assert_eq!(count(0).await, 0);
    wrong(3, 0).await;
    wrong(4, 899).await;
    assert_eq!((count(0).await, count(899).await, count(900).await), (7, 7, 0));
    assert_eq!(count(-1).await, 0, "a clock that was set back keeps nobody out");
    wrong(1, 900).await;
    assert_eq!(count(901).await, 1);
    let gate = organization.may(Action::Update, Entity::Users, Scope::Account);
    let refused = store.note_wrong_passwords(&gate, &[(alice.id, 1)], NOW).await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })));
    let password = CredentialHash::new("hash");
    let signed_in = organization.sign_in(SubjectId::User(alice.id), password, NOW.plus_seconds(902));
    assert!(signed_in.await.is_some());
    assert_eq!(count(903).await, 0);
}

/// Until its owner chooses another, or whoever is at the machine gives one. Planted faults: a reset that leaves the mark as it was, and a
/// choice that does.
pub async fn a_password_that_an_administrator_made_is_temporary(organization: Organization) {
    let store = &organization.store;
    let alice = organization.try_user(2, "alice@example.com", None).await.unwrap();
    let temporary = async || {
        let users = store.directory().await.unwrap().users;
        let found = users.into_iter().find(|user| user.id == alice.id).unwrap();
        let reads = organization.may(Action::Read, Entity::Users, Scope::Account);
        let row = store.user(&reads, alice.id).await.unwrap().unwrap();
        assert_eq!(row.temporary_password, found.temporary_password);
        found.temporary_password
    };
    assert!(!temporary().await);
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let given = CredentialHash::new("given");
    let reset = async || {
        let entry = entry(AuditAction::ResetPassword);
        let set = store.set_password(&granted, alice.id, given.clone(), NOW, entry);
        let change = set.await.unwrap();
        assert!(!change.log.is_empty(), "other processes hear of it");
    };
    reset().await;
    assert!(temporary().await);
    let session = organization
        .sign_in(SubjectId::User(alice.id), given.clone(), NOW)
        .await
        .unwrap();
    assert!(session.by_password);
    let record = super::organization::exception(reeve_authz::BootstrapException::SessionRecord);
    let chosen = crate::NewOwnPassword {
        password: CredentialHash::new("chosen"),
        proven: given.clone(),
        session: session.id,
        at: NOW,
    };
    let entry_of = || entry(AuditAction::ResetPassword);
    let changed = store.change_own_password(&record, alice.id, chosen, entry_of());
    assert!(changed.await.unwrap().is_some());
    assert!(!temporary().await);
    assert!(organization.lives(&session).await);
    reset().await;
    let recovery = super::organization::exception(reeve_authz::BootstrapException::Recovery);
    let given = CredentialHash::new("at the machine");
    store
        .recover_password(&recovery, &alice.email, given, NOW, entry_of())
        .await
        .unwrap();
    assert!(!temporary().await);
    let new = crate::NewUser {
        id: id(3),
        email: "bob@example.com".parse().unwrap(),
        password: Some(CredentialHash::new("hash")),
        temporary_password: true,
        posix: None,
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    let granted = organization.may(Action::Create, Entity::Users, Scope::Account);
    let bob = store.create_user(&granted, new, entry(AuditAction::Create)).await;
    let bob = bob.unwrap().value.id;
    let users = store.directory().await.unwrap().users;
    assert!(users.iter().any(|user| user.id == bob && user.temporary_password));
}
