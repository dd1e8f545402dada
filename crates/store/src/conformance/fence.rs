//! Restored databases, and uids that are made free again.

use reeve_authz::{Action, BootstrapException, Entity, RoleId, Scope};
use reeve_types::UserId;

use super::organization::{NOW, Organization, entry, exception, group, id, posix};
use crate::{
    AuditAction, AuditHead, ChangeMark, CredentialKind, CredentialNumber, EMAIL_RESTS_SECONDS, Evidence,
    Fenced, Loss, StoreError, SubjectId,
};

/// Not while somebody has it, not while a token may name it; then it is anybody's.
pub async fn a_released_uid_is_free_and_only_when_nobody_has_it(organization: Organization) {
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let release = |uid, at| {
        organization
            .store
            .release_uid(&granted, posix(uid).uid(), at, entry(AuditAction::Release))
    };
    let in_use = |result: Result<(), StoreError>, why: &str| {
        let said = result.unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    };
    let later = NOW.plus_seconds(EMAIL_RESTS_SECONDS);
    assert!(matches!(
        release(70012, later).await,
        Err(StoreError::NotFound { .. })
    ));
    let alice = organization
        .try_user(2, "alice@example.com", Some(posix(70012)))
        .await
        .unwrap();
    in_use(release(70012, later).await, "`alice@example.com` has it now");
    let set = |user, uid| {
        organization
            .store
            .set_posix(&granted, user, Some(posix(uid)), NOW, entry(AuditAction::Update))
    };
    set(alice.id, 70013).await.unwrap();
    in_use(release(70012, NOW).await, "may be good until");
    let dave = organization.try_user(3, "dave@example.com", None).await.unwrap();
    assert!(matches!(set(dave.id, 70012).await, Err(StoreError::UidTaken(_))));
    release(70012, later).await.unwrap();
    assert!(matches!(
        release(70012, later).await,
        Err(StoreError::NotFound { .. })
    ));
    set(dave.id, 70012).await.unwrap();
    assert!(matches!(set(alice.id, 70012).await, Err(StoreError::UidTaken(_))));
    // Also one whose owner is gone.
    organization.delete_user(alice.id).await.unwrap();
    in_use(release(70013, NOW).await, "may be good until");
    release(70013, later).await.unwrap();
}

/// So that whoever keeps down how far the database has come need not look, and never misses a number or a uid.
pub async fn what_a_write_says_it_added_is_what_is_read_of_it(mut organization: Organization) {
    let store = organization.store.clone();
    let read = || async { store.fence_news(-1).await.unwrap() };
    let news = read().await;
    let mut known = Fenced {
        head: news.head,
        era: news.era,
        numbers: news.numbers,
    };
    let mut steps = Vec::new();
    let cluster = organization.cluster(10, "a").await.id;
    known.head = read().await.head;
    let department = organization.try_department(cluster, "vision").await.unwrap();
    organization.index.add_department(department.value.id, cluster);
    steps.push(department.step);
    let project = organization
        .try_project(department.value.id, "robots", "reeve-robots")
        .await
        .unwrap();
    organization
        .index
        .add_project(project.value.id, department.value.id);
    steps.push(project.step);
    let rule = organization
        .try_rule(group("staff"), RoleId::VIEWER, Scope::Project(project.value.id))
        .await
        .unwrap();
    organization.index.add_rule(rule.value.rule());
    steps.push(rule.step);
    steps.push(organization.delete_rule(&rule.value).await.unwrap().step);
    let steps: Vec<_> = steps.into_iter().map(Option::unwrap).collect();
    // Of these only the deletion of the rule draws no number and ends no credential.
    let can_wait: Vec<bool> = steps.iter().map(|step| step.can_wait).collect();
    assert_eq!(can_wait, [false, false, false, true]);
    for step in steps {
        known = known.after(&step).unwrap();
    }
    let news = read().await;
    assert_eq!((&known.head, known.era), (&news.head, news.era));
    assert_eq!(known.numbers, news.numbers);
    // A uid that was given or made free has to be read.
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let alice = organization.try_user(2, "alice@example.com", None).await.unwrap();
    let set = |uid| {
        let entry = entry(AuditAction::Update);
        store.set_posix(&granted, alice.id, Some(posix(uid)), NOW, entry)
    };
    assert_eq!(set(70012).await.unwrap().step, None);
    // The place that a write went on from is another one by now.
    let step = organization.delete_user(alice.id).await.unwrap().step.unwrap();
    assert_eq!(known.after(&step), None);
    assert!(!step.can_wait, "a user's sessions end with her");
    assert_eq!(read().await.head, step.to);
}

fn fenced(sequence: i64, era: i64) -> Fenced {
    Fenced {
        head: AuditHead {
            sequence,
            mac: "of a lost event".to_owned(),
        },
        era,
        numbers: [("project".to_owned(), 7)].into(),
    }
}

/// Sessions, passwords, secrets, link secrets, numbers and uids.
pub async fn a_restored_store_ends_everything_it_holds(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let account = organization.service_account(20, "ci").await;
    let store = organization.store.clone();
    let head = store.fence_news(0).await.unwrap().head;
    assert!(store.knows_head(&head).await.unwrap());
    let lost = fenced(head.sequence, 0);
    assert!(!store.knows_head(&lost.head).await.unwrap());
    assert!(
        !store
            .knows_head(&fenced(head.sequence + 1, 0).head)
            .await
            .unwrap()
    );
    let other: UserId = id(77);
    let uids = [(posix(70012).uid(), other)];
    let (admin, password) = (
        SubjectId::User(organization.admin_row.id),
        organization.admin_password().await,
    );
    let of_it = SubjectId::ServiceAccount(account.id);
    let (_, secret) = store.secret_verifier(&account.name).await.unwrap().unwrap();
    let sessions = [
        organization.sign_in(admin, password, NOW).await.unwrap(),
        organization.sign_in(of_it, secret, NOW).await.unwrap(),
    ];
    let granted = exception(BootstrapException::Recovery);
    let recovered = store
        .recover(&granted, &lost, &uids, entry(AuditAction::Restore))
        .await
        .unwrap();
    let known = store.directory().await.unwrap().sessions;
    assert_eq!(known, [], "of {sessions:?} none is good any more");
    let counts = recovered.suspended;
    assert_eq!((counts.passwords, counts.secrets, counts.clusters), (1, 1, 1));
    assert_eq!(store.suspended().await.unwrap(), counts);
    let (_, secret) = store.secret_verifier(&account.name).await.unwrap().unwrap();
    let (credential, number) = store.link_verifier(cluster).await.unwrap().unwrap();
    assert_eq!(
        number,
        CredentialNumber(recovered.era << 32),
        "link tokens end too"
    );
    let known = store.directory().await.unwrap().clusters;
    assert_eq!(known.first().map(|cluster| cluster.credential), Some(number));
    for verifier in [organization.admin_password().await, secret, credential] {
        assert!(verifier.is_suspended());
    }
    let taken = organization
        .try_user(2, "dave@example.com", Some(posix(70012)))
        .await;
    assert!(matches!(taken, Err(StoreError::UidTaken(_))), "{taken:?}");
    assert_eq!(organization.project(department, "robots").await.id.number(), 8);
    for kind in CredentialKind::ALL {
        let confirmed = store.confirm(&granted, kind, entry(AuditAction::Confirm)).await;
        assert_eq!(confirmed.unwrap(), 1);
    }
    assert!(store.suspended().await.unwrap().is_empty());
    assert_eq!(organization.admin_password().await.as_str(), "hash");
}

/// Whatever numbers a lost copy gave, the same backup restored again gives greater ones.
pub async fn eras_of_link_secrets_never_meet(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let granted = exception(BootstrapException::Recovery);
    let number = async || {
        let (_, number) = organization.store.link_verifier(cluster).await.unwrap().unwrap();
        number
    };
    let mut before = number().await;
    // The fence's era counts even where the copy knows none of it, and the copy's where the fence was lost.
    for era in [0, 5, 0] {
        let lost = fenced(99, era);
        let recovered = organization
            .store
            .recover(&granted, &lost, &[], entry(AuditAction::Restore));
        let era = recovered.await.unwrap().era;
        let now = number().await;
        assert_eq!(now, CredentialNumber(era << 32));
        assert!(now.0 > before.0);
        before = now;
    }
}

/// Two servers over one store, each with a fence of its own, find it restored one after the other. Planted fault: where the era
/// does not count, the second one suspends what was given anew after the first.
pub async fn one_of_two_fences_ends_a_restored_store(mut organization: Organization) {
    let store = organization.store.clone();
    let granted = exception(BootstrapException::Recovery);
    let end = async |fenced: &Fenced, evidence: Evidence, uids: &[_]| {
        let entry = entry(AuditAction::Restore);
        let ended = store.recover_lost(&granted, fenced, uids, &evidence, entry);
        ended.await.unwrap()
    };
    let head = store.fence_news(0).await.unwrap().head;
    let known = Fenced {
        head: head.clone(),
        ..fenced(0, 0)
    };
    let before = organization.audited().await;
    assert_eq!(end(&known, Evidence::Head, &[]).await, Loss::Nothing);
    assert_eq!(store.fence_news_after(&head).await.unwrap().unwrap().head, head);
    let (one, other) = (fenced(head.sequence, 0), fenced(head.sequence + 3, 0));
    assert_eq!(store.fence_news_after(&one.head).await.unwrap(), None);
    assert_eq!(organization.audited().await, before, "nothing was written so far");
    let Loss::Ended(recovered) = end(&one, Evidence::Head, &[]).await else {
        panic!("the first one ends it");
    };
    store
        .confirm(&granted, CredentialKind::Passwords, entry(AuditAction::Confirm))
        .await
        .unwrap();
    let uids = [(posix(70012).uid(), id(77))];
    let settled = Loss::Settled(recovered.era);
    assert_eq!(end(&other, Evidence::Head, &uids).await, settled);
    assert!(!organization.admin_password().await.is_suspended());
    let events = organization.audited().await;
    assert_eq!(end(&other, Evidence::Head, &uids).await, settled);
    assert_eq!(
        organization.audited().await,
        events,
        "once it is known there is nothing to record"
    );
    let taken = organization
        .try_user(2, "dave@example.com", Some(posix(70012)))
        .await;
    assert!(matches!(taken, Err(StoreError::UidTaken(_))), "{taken:?}");
    // The same by a place of the change log, and with the era of then.
    let mark = store.directory().await.unwrap().reached;
    let lost = ChangeMark {
        tag: "of an entry that is lost".to_owned(),
        ..mark.clone()
    };
    let evidence = |mark: &ChangeMark, era| Evidence::Mark {
        mark: mark.clone(),
        era,
    };
    assert_eq!(
        end(&known, evidence(&mark, recovered.era), &[]).await,
        Loss::Nothing
    );
    assert_eq!(end(&known, evidence(&lost, 0), &[]).await, settled);
    let again = end(&known, evidence(&lost, recovered.era), &[]).await;
    assert!(
        matches!(again, Loss::Ended(again) if again.era == recovered.era + 1),
        "{again:?}"
    );
    assert_eq!(store.fence_news(0).await.unwrap().era, recovered.era + 1);
    organization.cluster(10, "a").await;
}

/// Decided, then something else was changed by somebody else: what was decided may not hold any more. Planted fault: without the
/// comparison a granter whose rule is gone still writes. What clusters report is no such change.
pub async fn a_permission_of_before_a_change_is_refused(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let reached = async |organization: &mut Organization| {
        let reached = organization.store.directory().await.unwrap().reached.number.0;
        organization.index.set_version(reached);
    };
    reached(&mut organization).await;
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let admin = organization.admin_row.id;
    let end = async |organization: &Organization, granted| {
        let ended = organization
            .store
            .end_sessions(granted, admin, entry(AuditAction::SignOut));
        ended.await
    };
    let report = reeve_link::StatusReport {
        revision: reeve_types::Revision(1),
        ..Default::default()
    };
    let link = exception(BootstrapException::LinkStatus);
    let kept = organization
        .store
        .report(&link, cluster, &report, NOW, entry(AuditAction::Update));
    assert!(!kept.await.unwrap().log.is_empty());
    end(&organization, &granted).await.unwrap();
    let late = end(&organization, &granted).await;
    assert!(matches!(late, Err(StoreError::Again { .. })), "{late:?}");
    reached(&mut organization).await;
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    end(&organization, &granted).await.unwrap();
}
