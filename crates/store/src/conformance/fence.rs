//! Restored databases, and uids that are made free again.

use reeve_authz::{Action, BootstrapException, Entity, Scope};
use reeve_types::UserId;

use super::world::{NOW, World, entry, exception, id, posix};
use crate::{
    AuditAction, AuditHead, CredentialKind, CredentialNumber, EMAIL_RESTS_SECONDS, Fenced, StoreError,
    SubjectId,
};

/// Not while somebody has it, not while a token may name it; then it is anybody's.
pub async fn a_released_uid_is_free_and_only_when_nobody_has_it(world: World) {
    let granted = world.may(Action::Update, Entity::Users, Scope::Account);
    let release = |uid, at| {
        world
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
    let alice = world
        .try_user(2, "alice@example.com", Some(posix(70012)))
        .await
        .unwrap();
    in_use(release(70012, later).await, "`alice@example.com` has it now");
    let set = |user, uid| {
        world
            .store
            .set_posix(&granted, user, Some(posix(uid)), NOW, entry(AuditAction::Update))
    };
    set(alice.id, 70013).await.unwrap();
    in_use(release(70012, NOW).await, "may be good until");
    let dave = world.try_user(3, "dave@example.com", None).await.unwrap();
    assert!(matches!(set(dave.id, 70012).await, Err(StoreError::UidTaken(_))));
    release(70012, later).await.unwrap();
    assert!(matches!(
        release(70012, later).await,
        Err(StoreError::NotFound { .. })
    ));
    set(dave.id, 70012).await.unwrap();
    assert!(matches!(set(alice.id, 70012).await, Err(StoreError::UidTaken(_))));
    // Also one whose owner is gone.
    world.delete_user(alice.id).await.unwrap();
    in_use(release(70013, NOW).await, "may be good until");
    release(70013, later).await.unwrap();
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
pub async fn a_restored_store_ends_everything_it_holds(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let department = world.department(cluster, "vision").await.id;
    let account = world.service_account(20, "ci").await;
    let store = world.store.clone();
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
    let (admin, password) = (SubjectId::User(world.admin_row.id), world.admin_password().await);
    let of_it = SubjectId::ServiceAccount(account.id);
    let (_, secret) = store.secret_verifier(&account.name).await.unwrap().unwrap();
    let sessions = [
        world.sign_in(admin, password, NOW).await.unwrap(),
        world.sign_in(of_it, secret, NOW).await.unwrap(),
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
    for verifier in [world.admin_password().await, secret, credential] {
        assert!(verifier.is_suspended());
    }
    let taken = world.try_user(2, "dave@example.com", Some(posix(70012))).await;
    assert!(matches!(taken, Err(StoreError::UidTaken(_))), "{taken:?}");
    assert_eq!(world.project(department, "robots").await.id.number(), 8);
    for kind in CredentialKind::ALL {
        let confirmed = store.confirm(&granted, kind, entry(AuditAction::Confirm)).await;
        assert_eq!(confirmed.unwrap(), 1);
    }
    assert!(store.suspended().await.unwrap().is_empty());
    assert_eq!(world.admin_password().await.as_str(), "hash");
}

/// Whatever numbers a lost copy gave, the same backup restored again gives greater ones.
pub async fn eras_of_link_secrets_never_meet(mut world: World) {
    let cluster = world.cluster(10, "a").await.id;
    let granted = exception(BootstrapException::Recovery);
    let number = async || {
        let (_, number) = world.store.link_verifier(cluster).await.unwrap().unwrap();
        number
    };
    let mut before = number().await;
    // The fence's era counts even where the copy knows none of it, and the copy's where the fence was lost.
    for era in [0, 5, 0] {
        let lost = fenced(99, era);
        let recovered = world
            .store
            .recover(&granted, &lost, &[], entry(AuditAction::Restore));
        let era = recovered.await.unwrap().era;
        let now = number().await;
        assert_eq!(now, CredentialNumber(era << 32));
        assert!(now.0 > before.0);
        before = now;
    }
}
