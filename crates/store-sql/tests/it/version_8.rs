//! A database of the eighth version of the schema, as it was written then, on either database: `tests/data/version_8.*.sql` hold its
//! tables, a row at least in each that anything was kept in, and the digests of the migrations that made it, so that changing one of
//! those turns this red as well.

use reeve_authz::{BootstrapException, Granted};
use reeve_store::{
    AuditAction, AuditEntry, CredentialHash, Credentials, DesiredState, Directory, KeyUse, NewSession,
    Sessions, SigningKeys,
};
use reeve_store_sql::SqlStore;
use reeve_testkit::own_postgres;
use reeve_types::{Email, SignInMethod, SubjectId, Timestamp};

use crate::postgres::opened_after;
use crate::sqlite::{open, written};

const CLUSTER: &str = "00000000-0000-4000-8000-000000000001";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Whatever could be done with what was kept can be done with it still.
async fn is_all_there(store: &SqlStore) {
    let known = store.directory().await.unwrap();
    assert_eq!(known.clusters.len(), 1);
    let cluster = known.clusters.first().unwrap();
    assert_eq!(cluster.id.to_string(), CLUSTER);
    assert_eq!(cluster.lowest_id.number(), 501);
    assert_eq!(cluster.endpoint.as_ref().unwrap().server, "https://k8s.example");
    assert_eq!(cluster.revision.0, 4);
    assert_eq!((known.departments.len(), known.projects.len()), (1, 1));
    assert_eq!(
        known
            .users
            .first()
            .unwrap()
            .posix
            .as_ref()
            .unwrap()
            .uid()
            .number(),
        70_012
    );
    assert!(known.service_accounts.first().unwrap().enabled);
    let rules: Vec<_> = known.rules.iter().map(|rule| rule.id.number()).collect();
    assert_eq!(rules, [1, 2], "not the one that was deleted");
    assert_eq!(known.sessions, [], "numbers of sessions name none");
    assert_eq!(known.era, 1, "what was counted in sessions' numbers");
    let keys: Vec<_> = store.signing_keys().await.unwrap();
    let keys: Vec<_> = keys
        .iter()
        .map(|key| (key.sealed.as_str(), key.facts.usage))
        .collect();
    assert_eq!(keys, [("sealed 1", KeyUse::Current), ("sealed 2", KeyUse::Next)]);

    let verified = store.verify_audit(&[]).await.unwrap().unwrap();
    assert_eq!((verified.events, verified.unkeyed), (4, 2));

    let link = Granted::bootstrap(BootstrapException::LinkStatus);
    let state = store
        .desired_all(&link, cluster.id, None, 1 << 20)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((state.revision.0, state.upserts.len()), (4, 2));
    let gone = "00000000-0000-4000-8000-000000000005".parse().unwrap();
    let kept = store.deleted_link_verifier(gone).await.unwrap().unwrap();
    assert_eq!(kept.as_str(), "hash", "a deleted cluster's operator is told so");

    signs_in(store).await;
}

/// Writing goes on where reading did.
async fn signs_in(store: &SqlStore) {
    let email: Email = "alice@example.com".parse().unwrap();
    let (user, hash) = store.password_verifier(&email).await.unwrap().unwrap();
    assert_eq!(hash, CredentialHash::new("hash"));
    let new = NewSession {
        id: "00000000-0000-4000-8000-000000000009".parse().unwrap(),
        subject: SubjectId::User(user),
        method: SignInMethod::Password,
        groups: Vec::new(),
        posix: None,
        until: NOW.plus_seconds(3600),
        go_on_until: None,
        provider: None,
        access_key: None,
    };
    let granted = Granted::bootstrap(BootstrapException::SessionRecord);
    let entry = AuditEntry::of_the_system(AuditAction::SignIn, "users", String::new(), NOW);
    let begun = store
        .begin_session(&granted, new, Some(&hash), entry)
        .await
        .unwrap();
    assert!(begun.value.is_some());
    assert_eq!(store.verify_audit(&[]).await.unwrap().unwrap().events, 5);
}

#[tokio::test]
async fn a_database_of_version_8_goes_on_on_sqlite() {
    let (_dir, file) = written(include_str!("../data/version_8.sqlite.sql"));
    is_all_there(&open(&file).await).await;
    // And a second start finds nothing to do.
    let again = open(&file).await;
    assert_eq!(again.verify_audit(&[]).await.unwrap().unwrap().events, 5);
}

#[tokio::test]
async fn a_database_of_version_8_goes_on_on_postgres() {
    let Some(postgres) = own_postgres() else { return };
    let store = opened_after(&postgres, include_str!("../data/version_8.postgres.sql")).await;
    is_all_there(&store).await;
}
