//! What PostgreSQL and the network before it do to a store, other than ending: machines that fall silent, primaries that are none
//! any more, transactions that meet, collations, certificates, a pooler.

use std::sync::Arc;
use std::time::Duration;

use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_link::StatusReport;
use reeve_store::conformance::Organization;
use reeve_store::{ChangeLog, Later, LogAfter, Store, StoreError};
use reeve_store_sql::SqlStore;
use reeve_testkit::{Middle, Pgbouncer, Postgres, own_postgres, postgres};
use reeve_types::Revision;
use sqlx::{Connection, Executor};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::postgres::{NOW, connect, empty, open, opened, update};
use crate::sqlite::key;

/// The name of the database in an address.
fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

fn is_away<T: std::fmt::Debug>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable { .. }))
}

/// A store with something in between, which can be told to swallow what is sent.
async fn behind(postgres: &Postgres) -> (String, Middle, SqlStore) {
    let url = empty(postgres).await;
    let middle = Middle::before(postgres.port()).await.unwrap();
    let store = open(&postgres.url_by(middle.port(), name(&url))).await;
    (url, middle, store)
}

/// A writer falls silent with the lock of all writers in its hand. Planted fault: without `idle_in_transaction_session_timeout` in
/// what begins a transaction the others wait until the kernel gives the connection up, hours later.
#[tokio::test]
async fn a_writer_that_falls_silent_holds_nobody_up_for_long() {
    let Some(postgres) = postgres() else { return };
    let (url, middle, store) = behind(postgres).await;
    let organization = Organization::new(Arc::new(store)).await;
    let other = open(&url).await;
    // The change stops at its last statement, with all its locks.
    let mut gate = connect(postgres, name(&url)).await;
    let mut gate = gate.begin().await.unwrap();
    gate.execute("LOCK TABLE audit_events IN EXCLUSIVE MODE")
        .await
        .unwrap();
    let silent = async {
        let refused = organization.try_cluster(10, "a").await;
        assert!(is_away(&refused), "{refused:?}");
    };
    let falls_silent = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        middle.swallow();
        gate.rollback().await.unwrap();
    };
    let ((), ()) = tokio::join!(silent, falls_silent);
    let begun = Instant::now();
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    loop {
        let ended =
            reeve_store::Users::end_sessions(&other, &granted, organization.admin_row.id, update()).await;
        match ended {
            Ok(_) => break,
            Err(StoreError::Unavailable { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the lock is still held"
        );
    }
    let clusters = reeve_store::Directory::directory(&other).await.unwrap().clusters;
    assert_eq!(clusters, [], "nothing of the silent one's change is there");
}

/// Planted fault: where each waits for its turn without a bound, the fifth is answered after 25 seconds.
#[tokio::test]
async fn who_only_records_does_not_queue_behind_a_silent_database() {
    let Some(postgres) = postgres() else { return };
    let (_, middle, store) = behind(postgres).await;
    let organization = Organization::new(Arc::new(store)).await;
    middle.swallow();
    let granted = Granted::bootstrap(BootstrapException::SessionRecord);
    let begun = Instant::now();
    let records = (0..5).map(|_| organization.store.record(&granted, update()));
    for recorded in futures::future::join_all(records).await {
        assert!(is_away(&recorded), "{recorded:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
}

/// Planted fault: where connections of before the silence are tried one after the other, each of them costs its time.
#[tokio::test]
async fn after_a_silence_the_first_to_ask_is_answered() {
    let Some(postgres) = postgres() else { return };
    let (_, middle, store) = behind(postgres).await;
    let many = async || {
        let asked = (0..6).map(|_| reeve_store::Directory::directory(&store));
        futures::future::join_all(asked).await
    };
    assert!(many().await.iter().all(Result::is_ok));
    middle.swallow();
    let one = reeve_store::Directory::directory(&store).await;
    assert!(is_away(&one), "{:?}", one.is_ok());
    middle.pass();
    let begun = Instant::now();
    for answer in many().await {
        answer.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // Those that were cut while they were idle are no matter either.
    middle.cut();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(many().await.iter().all(Result::is_ok));
}

/// The address leads to a standby that is behind, and later to the primary again. Planted fault: without the look before each use
/// connections to the standby stay, and nothing can be written until the process is started anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_none_any_more_is_left_for_the_new_one() {
    let Some(primary) = own_postgres() else { return };
    let (_, middle, store) = behind(&primary).await;
    let organization = Organization::new(Arc::new(store)).await;
    organization.try_cluster(10, "a").await.unwrap();
    let standby = tokio::task::block_in_place(|| {
        primary.kill().unwrap();
        let standby = primary.standby().unwrap();
        primary.resume().unwrap();
        standby
    });
    let reached = organization.store.directory().await;
    // Its connections were cut: the first one may say so.
    drop(reached);
    organization.try_cluster(11, "b").await.unwrap();
    let reached = organization.store.directory().await.unwrap().reached;
    middle.lead_to(standby.port());
    middle.cut();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let late = organization.try_cluster(12, "c").await;
    assert!(is_away(&late), "{late:?}");
    assert!(!organization.store.is_writable().await.unwrap());
    let behind = organization.store.directory().await.unwrap();
    assert_eq!(behind.clusters.len(), 1, "what it has is read");
    assert_eq!(
        organization.store.changes_since(&reached, 10).await.unwrap(),
        LogAfter::Unknown
    );
    middle.lead_to(primary.port());
    tokio::time::sleep(Duration::from_millis(2500)).await;
    organization.try_cluster(12, "c").await.unwrap();
    assert_eq!(organization.store.directory().await.unwrap().clusters.len(), 3);
}

/// Planted fault: where the cluster's revision is locked last, the two wait for each other, and one is undone.
#[tokio::test]
async fn a_cluster_is_deleted_beside_its_reports() {
    let Some(postgres) = postgres() else { return };
    let url = opened(postgres).await;
    let mut organization = Organization::new(Arc::new(open(&url).await)).await;
    let link = Granted::bootstrap(BootstrapException::LinkStatus);
    for number in 0..12 {
        let cluster = organization.cluster(100 + number, &format!("c{number}")).await.id;
        let granted = organization.may(Action::Delete, Entity::Cluster, Scope::Cluster(cluster));
        let reports = async {
            for revision in 1..200 {
                let report = StatusReport {
                    revision: Revision(revision),
                    ..StatusReport::default()
                };
                match organization
                    .store
                    .report(&link, cluster, &report, NOW, update())
                    .await
                {
                    Ok(_) => {}
                    Err(StoreError::NotFound { .. }) => return revision,
                    Err(error) => panic!("{error:?}"),
                }
            }
            panic!("it was never deleted");
        };
        let deleted = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let deleted = organization
                .store
                .delete_cluster(&granted, cluster, NOW, update())
                .await;
            deleted.unwrap();
        };
        let (reported, ()) = tokio::join!(reports, deleted);
        assert!(reported > 0);
    }
}

/// Two transactions that lock the same in another order: the one that is undone says that it can be done again.
#[tokio::test]
async fn a_change_that_is_undone_for_another_one_can_be_done_again() {
    let Some(postgres) = postgres() else { return };
    let url = opened(postgres).await;
    let organization = Organization::new(Arc::new(open(&url).await)).await;
    let mut other = connect(postgres, name(&url)).await;
    // The other one is never the victim.
    other.execute("SET deadlock_timeout = '1h'").await.unwrap();
    let mut other = other.begin().await.unwrap();
    let lock = "SELECT value FROM counters WHERE name = 'directory' FOR UPDATE";
    other.execute(lock).await.unwrap();
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let change = organization
        .store
        .end_sessions(&granted, organization.admin_row.id, update());
    let meets = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let lock = "SELECT value FROM counters WHERE name = 'audit' FOR UPDATE";
        other.execute(lock).await.unwrap();
        other.rollback().await.unwrap();
    };
    let (undone, ()) = tokio::join!(change, meets);
    assert!(matches!(undone, Err(StoreError::Again { .. })), "{undone:?}");
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let change = organization
        .store
        .end_sessions(&granted, organization.admin_row.id, update());
    change.await.unwrap();
}

/// A database that sorts as people do: letters after `~`. Planted fault: where a kind is compared with `~`, everything of a
/// revision that a cluster has already is sent once more.
#[tokio::test]
async fn a_cluster_goes_on_behind_its_revision_whatever_the_collation() {
    let Some(postgres) = postgres() else { return };
    let mut admin = connect(postgres, "postgres").await;
    let made = admin
        .execute("CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
        .await;
    made.unwrap();
    let mut organization = Organization::new(Arc::new(open(&postgres.url("icu")).await)).await;
    let cluster = organization.cluster(10, "a").await;
    let department = organization.department(cluster.id, "vision").await.id;
    for project in ["robots", "arms", "legs"] {
        organization.project(department, project).await;
    }
    let link = Granted::bootstrap(BootstrapException::LinkStatus);
    let since = async |revision: Revision| {
        let later = Later {
            revision,
            object: None,
        };
        let part = organization
            .store
            .desired_since(&link, cluster.id, later, usize::MAX)
            .await;
        let part = part.unwrap().unwrap();
        (part.revision, part.upserts.len())
    };
    let (reached, all) = since(Revision(0)).await;
    assert!(all >= 4, "{all}");
    assert_eq!(since(reached).await, (reached, 0));
    let before = Revision(reached.0 - 1);
    assert_eq!(since(before).await, (reached, 1));
}

/// Planted fault: with sqlx's own lock, or none, one of the two fails over tables that are there already.
#[tokio::test]
async fn servers_that_start_at_a_time_migrate_once() {
    let Some(postgres) = postgres() else { return };
    let url = empty(postgres).await;
    let opened = futures::future::join_all((0..4).map(|_| open(&url))).await;
    for store in &opened {
        assert_eq!(
            reeve_store::Directory::directory(store).await.unwrap().clusters,
            []
        );
    }
}

mod pooled {
    //! Through a pooler that deals a few connections out by the transaction. Planted faults: with statements that are kept under
    //! names, those of another session are met; with a listener that listens all the same, others are told of changes.

    use super::*;

    /// One pooler for all, and one test at a time: what waits for its few connections waits for this test alone.
    async fn fresh() -> Option<(Arc<dyn Store>, SemaphorePermit<'static>)> {
        static TURN: Semaphore = Semaphore::const_new(1);
        let postgres = postgres()?;
        let turn = TURN.acquire().await.unwrap();
        let url = opened(postgres).await;
        let url = postgres.url_by(pooler(postgres), name(&url));
        Some((Arc::new(open(&url).await), turn))
    }

    fn pooler(postgres: &'static Postgres) -> u16 {
        static SHARED: std::sync::OnceLock<Pgbouncer> = std::sync::OnceLock::new();
        SHARED
            .get_or_init(|| Pgbouncer::start(postgres, 6).unwrap())
            .port()
    }

    reeve_store::conformance_tests!(fresh);

    /// Nobody passes the word of a change on: the comparison finds it.
    #[tokio::test]
    async fn a_change_is_found_without_a_word() {
        let Some(postgres) = postgres() else { return };
        let url = opened(postgres).await;
        let pooler = Pgbouncer::start(postgres, 4).unwrap();
        let pooled = postgres.url_by(pooler.port(), name(&url));
        let (one, other) = (open(&pooled).await, open(&pooled).await);
        let organization = Organization::new(Arc::new(one)).await;
        for number in 0..20 {
            let reached = reeve_store::Directory::directory(&other).await.unwrap().reached;
            let made = organization
                .try_cluster(10 + number, &format!("c{number}"))
                .await
                .unwrap();
            let begun = Instant::now();
            loop {
                tokio::time::timeout(Duration::from_secs(2), other.woken())
                    .await
                    .unwrap();
                match other.changes_since(&reached, 10).await.unwrap() {
                    LogAfter::Entries(log) if log.is_empty() => {}
                    LogAfter::Entries(log) => break assert_eq!(log, made.log),
                    lost => panic!("{lost:?}"),
                }
                assert!(begun.elapsed() < Duration::from_secs(2));
            }
        }
        assert_eq!(organization.audited().await, 21);
    }
}

/// A certificate's authority, and a certificate it gave for a name or an address, with its key.
fn certificates(name: &str) -> (String, String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(params, ca_key);
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap().pem();
    (ca, leaf, key.serialize_pem())
}

/// Planted fault: `sslmode=require` accepts what `verify-full` refuses, which the last two lines show.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_by_its_certificate_alone() {
    if postgres().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ca, certificate, key_of_server) = certificates("127.0.0.1");
    let (right, wrong) = (
        file("ca.pem", &ca),
        file("other.pem", &certificates("127.0.0.1").0),
    );
    let opened = async |postgres: &Postgres, parameters: &str| {
        let url = format!("{}?{parameters}", postgres.url("postgres"));
        let opened = SqlStore::open_postgres(&url.parse().unwrap(), key(), NOW).await;
        opened.map(|_| ())
    };
    let postgres = tokio::task::block_in_place(|| Postgres::start_tls(&certificate, &key_of_server).unwrap());
    opened(&postgres, &format!("sslrootcert={right}")).await.unwrap();
    opened(&postgres, &format!("sslmode=verify-full&sslrootcert={right}"))
        .await
        .unwrap();
    let refused = opened(&postgres, &format!("sslrootcert={wrong}")).await;
    assert!(is_away(&refused), "{refused:?}");
    opened(&postgres, "sslmode=require").await.unwrap();
    drop(postgres);
    let (ca, certificate, key_of_server) = certificates("db.example");
    let right = file("ca2.pem", &ca);
    let postgres = tokio::task::block_in_place(|| Postgres::start_tls(&certificate, &key_of_server).unwrap());
    let refused = opened(&postgres, &format!("sslrootcert={right}")).await;
    assert!(is_away(&refused), "another one's certificate: {refused:?}");
    opened(&postgres, &format!("sslmode=verify-ca&sslrootcert={right}"))
        .await
        .unwrap();
    // One that speaks without encryption.
    let plain = reeve_testkit::postgres().unwrap();
    let refused = opened(plain, &format!("sslrootcert={right}")).await;
    assert!(refused.is_err(), "{refused:?}");
}
