//! Every promise of a store, on PostgreSQL; and what happens when that goes away, or somebody else writes to it.

use std::sync::Arc;
use std::time::Duration;

use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_link::StatusReport;
use reeve_store::conformance::Organization;
use reeve_store::{AuditAction, AuditEntry, ChangeLog, LogAfter, Store, StoreError};
use reeve_store_sql::SqlStore;
use reeve_testkit::{Postgres, Template, own_postgres, postgres};
use reeve_types::{Revision, Timestamp};
use sqlx::PgConnection;
use sqlx::{Connection, Executor};

use crate::sqlite::key;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) async fn connect(postgres: &Postgres, database: &str) -> PgConnection {
    PgConnection::connect(&postgres.url(database)).await.unwrap()
}

/// A database with nothing in it; its address.
pub(crate) async fn empty(postgres: &Postgres) -> String {
    postgres.url(&postgres.empty_database().await.unwrap())
}

/// A database that a store has been opened on once: it is copied faster than its tables are made.
pub(crate) async fn opened(postgres: &Postgres) -> String {
    static OPENED: Template = Template::new();
    let made = OPENED.copy(postgres, async |url: &str| open(url).await.close().await);
    postgres.url(&made.await.unwrap())
}

pub(crate) async fn open(url: &str) -> SqlStore {
    let url = url.parse().unwrap();
    SqlStore::open_postgres(&url, key(), NOW).await.unwrap()
}

/// A store on what was dumped from one of before, which is all that this PostgreSQL holds.
pub(crate) async fn opened_after(postgres: &Postgres, dump: &'static str) -> SqlStore {
    let mut connection = connect(postgres, "postgres").await;
    sqlx::raw_sql(dump).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    open(&postgres.url("postgres")).await
}

async fn fresh() -> Option<(Arc<dyn Store>, ())> {
    let url = opened(postgres()?).await;
    Some((Arc::new(open(&url).await), ()))
}

reeve_store::conformance_tests!(fresh);

fn report_of(revision: u64) -> StatusReport {
    StatusReport {
        revision: Revision(revision),
        ..StatusReport::default()
    }
}

pub(crate) fn update() -> AuditEntry {
    AuditEntry::of_the_system(AuditAction::Update, "x", String::new(), NOW)
}

/// Planted fault: a report that locks what changes lock waits here until it is given up.
#[tokio::test]
async fn a_report_does_not_wait_for_a_change() {
    let Some(postgres) = postgres() else { return };
    let url = opened(postgres).await;
    let mut organization = Organization::new(Arc::new(open(&url).await)).await;
    let cluster = organization.cluster(10, "a").await.id;
    let mut change = PgConnection::connect(&url).await.unwrap();
    let mut change = change.begin().await.unwrap();
    let lock = "SELECT value FROM counters WHERE name = 'audit' FOR UPDATE";
    change.execute(lock).await.unwrap();
    let link = Granted::bootstrap(BootstrapException::LinkStatus);
    let (report, entry) = (report_of(1), update());
    let kept = organization.store.report(&link, cluster, &report, NOW, entry);
    let kept = tokio::time::timeout(Duration::from_secs(4), kept).await;
    assert!(kept.expect("it waits for the change").unwrap().value.is_some());
    // A change does wait, and says after some seconds that the database is not available.
    let late = organization.try_cluster(11, "b").await;
    assert!(matches!(late, Err(StoreError::Unavailable { .. })), "{late:?}");
    change.rollback().await.unwrap();
    organization.try_cluster(11, "b").await.unwrap();
}

#[tokio::test]
async fn who_waits_is_woken_when_another_process_writes() {
    let Some(postgres) = postgres() else { return };
    let url = opened(postgres).await;
    let mut organization = Organization::new(Arc::new(open(&url).await)).await;
    let other = open(&url).await;
    let reached = organization.store.directory().await.unwrap().reached;
    let cluster = organization.try_cluster(10, "a").await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), other.woken())
        .await
        .unwrap();
    assert_eq!(
        other.changes_since(&reached, 10).await.unwrap(),
        LogAfter::Entries(cluster.log)
    );
    // Without any word, too: it may be lost.
    tokio::time::timeout(Duration::from_secs(5), other.woken())
        .await
        .unwrap();
    // What both write is numbered without a gap, whoever is first.
    let granted = organization.may(Action::Update, Entity::Users, Scope::Account);
    let end = |store: Arc<dyn Store>| {
        let granted = &granted;
        let admin = organization.admin_row.id;
        async move {
            for _ in 0..20 {
                store.end_sessions(granted, admin, update()).await.unwrap();
            }
        }
    };
    futures::join!(end(organization.store.clone()), end(Arc::new(open(&url).await)));
    let LogAfter::Entries(log) = other.changes_since(&reached, 100).await.unwrap() else {
        panic!("the log goes back");
    };
    let numbers: Vec<_> = log
        .iter()
        .map(|entry| entry.number.0 - reached.number.0)
        .collect();
    assert_eq!(numbers, (1..=41).collect::<Vec<_>>());
    organization.index.add_cluster(cluster.value.id);
    organization.audited().await;
}

/// Killed amid writes: what was acknowledged is there, nothing is there by half, and the store goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_killed_is_unavailable_and_comes_back() {
    let Some(postgres) = own_postgres() else { return };
    let url = empty(&postgres).await;
    let organization = Organization::new(Arc::new(open(&url).await)).await;
    let writes = async {
        let mut acknowledged = 0;
        loop {
            match organization
                .try_cluster(100 + acknowledged, &format!("c{acknowledged}"))
                .await
            {
                Ok(_) => acknowledged += 1,
                Err(StoreError::Unavailable { .. }) => return acknowledged,
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    let killed = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        tokio::task::block_in_place(|| postgres.kill().unwrap());
    };
    let (acknowledged, ()) = futures::join!(writes, killed);
    let read = organization.store.directory().await;
    assert!(
        matches!(read, Err(StoreError::Unavailable { .. })),
        "{:?}",
        read.is_ok()
    );
    tokio::task::block_in_place(|| postgres.resume().unwrap());
    let mut directory = organization.store.directory().await;
    for _ in 0..40 {
        if directory.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        directory = organization.store.directory().await;
    }
    let clusters = directory.unwrap().clusters;
    let there = u64::try_from(clusters.len()).unwrap();
    assert!(
        there == acknowledged || there == acknowledged + 1,
        "{there}, {acknowledged}"
    );
    for cluster in clusters {
        assert_eq!(cluster.revision, Revision(1), "with its desired state");
    }
    organization.try_cluster(9, "after").await.unwrap();
    assert_eq!(organization.audited().await, i64::try_from(there).unwrap() + 2);
}

/// As a primary that has become a standby: what can be read is read, and writes are refused until it is one again.
#[tokio::test]
async fn a_database_that_became_read_only_is_unavailable_for_writes() {
    let Some(postgres) = own_postgres() else { return };
    let url = empty(&postgres).await;
    let organization = Organization::new(Arc::new(open(&url).await)).await;
    let mut admin = connect(&postgres, "postgres").await;
    let reload = async |admin: &mut PgConnection, value: &str| {
        let sql = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        admin.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        admin.execute("SELECT pg_reload_conf()").await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    reload(&mut admin, "on").await;
    let refused = organization.try_cluster(10, "a").await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable { .. })),
        "{refused:?}"
    );
    assert_eq!(organization.store.directory().await.unwrap().clusters, []);
    reload(&mut admin, "off").await;
    organization.try_cluster(10, "a").await.unwrap();
}

#[tokio::test]
async fn a_database_can_be_read_beside_a_server_and_only_read() {
    let Some(postgres) = postgres() else { return };
    let url = opened(postgres).await;
    let parsed = url.parse().unwrap();
    let early = SqlStore::open_postgres_read_only(&parsed, None).await.unwrap();
    assert!(!reeve_store::Installation::is_initialized(&early).await.unwrap());
    let organization = Organization::new(Arc::new(open(&url).await)).await;
    let reader = SqlStore::open_postgres_read_only(&parsed, Some(key()))
        .await
        .unwrap();
    assert_eq!(
        reader.verify_audit(&[]).await.unwrap().unwrap().events,
        organization.audited().await
    );
    let link = Granted::bootstrap(BootstrapException::SessionRecord);
    let written = reeve_store::Audit::record(&reader, &link, update()).await;
    assert!(written.is_err(), "{written:?}");
}
