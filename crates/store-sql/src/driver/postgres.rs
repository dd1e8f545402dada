//! PostgreSQL: connections that write, others that read, and one that listens.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reeve_store::StoreError;
use reeve_types::ClusterId;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::{Connection, Postgres, QueryBuilder, Row as _, Transaction};
use sqlx_core::migrate::Migrator;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::patience::{ACQUIRE, PING, Patience, in_time, silence};
use super::sqlite::listed;
use super::{Arg, Migrations, StoreResultExt};
use crate::DatabaseUrl;

const MIGRATIONS: Migrations = super::migrations(
    include_str!("../../migrations/0006_bounds.postgres.sql"),
    include_str!("../../migrations/0014_lists.postgres.sql"),
    include_str!("../../migrations/0020_audit_columns.postgres.sql"),
    include_str!("../../migrations/0031_asset_lists.postgres.sql"),
);

/// The migrations of this database.
pub(crate) const fn migrations() -> Migrations {
    MIGRATIONS
}

/// How many connections write: one change, and reports of as many clusters as are left.
const WRITERS: u32 = 4;
/// How many connections read.
const READERS: u32 = 6;
/// How often the change log is compared without having been woken: the connection that listens may be lost, or a pooler in
/// between may pass nothing on.
const COMPARISON: Duration = Duration::from_millis(500);
/// How long the listener waits before it connects again, at first and in the end.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_AT_MOST: Duration = Duration::from_secs(15);
/// What the session of the listener is begun with, and has to have: one that a pooler deals out by the transaction has it not.
/// To listen in such a session would be worse than not to listen: whoever gets it next is told what it did not ask for.
const OWN: &str = "reeve.own";
/// How long the listener believes in a connection on which nothing is said.
const QUIET: Duration = Duration::from_secs(60);
/// How old a connection is at least before it is given up for one that may lead to another machine.
const SETTLED: Duration = Duration::from_secs(2);

/// What every transaction says of itself, in one message with its beginning, so that a pooler in between is no matter. Whoever
/// opened it may be gone without a word, with its machine or with the network: then the database itself ends it and frees
/// what it has locked, which every other writer is waiting for. 4 and 4.5 seconds are a little less than the 5 for which an
/// answer is waited for. And no plan is compiled: a page looks dear to the planner by all that it might read, and compiling takes
/// longer than reading what it does read, 30 of 80 ms and the loading of a compiler besides (measured with 10,000 projects).
macro_rules! begin {
    ($kind:literal, $statement_timeout:literal) => {
        concat!(
            "BEGIN ISOLATION LEVEL ",
            $kind,
            "; SET LOCAL idle_in_transaction_session_timeout = 8000; SET LOCAL lock_timeout = 4000; \
             SET LOCAL jit = off; SET LOCAL statement_timeout = ",
            $statement_timeout,
            "; SET LOCAL tcp_keepalives_idle = 4; SET LOCAL tcp_keepalives_interval = 2; \
             SET LOCAL tcp_keepalives_count = 2; SET LOCAL tcp_user_timeout = 8000"
        )
    };
}

const BEGIN_WRITE: &str = begin!("READ COMMITTED", "4500");
const BEGIN_WRITE_READ_ONLY: &str = begin!("READ COMMITTED READ ONLY", "4500");
const BEGIN_READ: &str = begin!("REPEATABLE READ READ ONLY", "4500");
/// For what reads whole tables, row by row.
const BEGIN_LOAD: &str = begin!("REPEATABLE READ READ ONLY", "0");
/// Migrations of two servers that start at a time wait for each other: all of them are one transaction, and the lock is the
/// transaction's. The number is of no meaning and must stay.
const BEGIN_MIGRATION: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; \
     SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 60000; \
     SELECT pg_advisory_xact_lock(7245903318)";

/// The channel of the word that something was written.
const CHANNEL: &str = "reeve_changes";
/// Says so, when the transaction commits.
pub(super) const WAKE: &str = "SELECT pg_notify('reeve_changes', '')";

#[derive(Debug)]
pub(super) struct PostgresPools {
    writers: PgPool,
    readers: PgPool,
    begin_write: &'static str,
    patience: Arc<Patience>,
    word: Arc<Notify>,
    listener: Option<JoinHandle<()>>,
}

impl Drop for PostgresPools {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl PostgresPools {
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        const OPERATION: &str = "connect to the database";
        let patience = Arc::new(Patience::new());
        let options = url.options();
        let writers = pool(WRITERS, Pool::Writers, &patience)
            .connect_with(options.clone())
            .await
            .context(OPERATION)?;
        migrate(&writers).await?;
        let readers = pool(READERS, Pool::Readers, &patience)
            .connect_with(options.clone())
            .await
            .context(OPERATION)?;
        let word = Arc::new(Notify::new());
        let listener = tokio::spawn(listen(options, Arc::clone(&word)));
        Ok(Self {
            writers,
            readers,
            begin_write: BEGIN_WRITE,
            patience,
            word,
            listener: Some(listener),
        })
    }

    pub(super) async fn open_read_only(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let patience = Arc::new(Patience::new());
        let readers = pool(1, Pool::Readers, &patience)
            .connect_with(url.options())
            .await;
        let readers = readers.context("open the database for reading")?;
        Ok(Self {
            writers: readers.clone(),
            readers,
            begin_write: BEGIN_WRITE_READ_ONLY,
            patience,
            word: Arc::default(),
            listener: None,
        })
    }

    pub(super) fn patience(&self) -> Arc<Patience> {
        Arc::clone(&self.patience)
    }

    pub(super) async fn close(&self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
        self.readers.close().await;
        self.writers.close().await;
    }

    pub(super) async fn woken(&self) {
        // Either way the log is read.
        let _ = tokio::time::timeout(COMPARISON, self.word.notified()).await;
    }

    pub(super) async fn is_writable(&self) -> Result<bool, sqlx::Error> {
        let work = async {
            let mut connection = self.writers.acquire().await?;
            Ok(!Standing::of(&mut connection).await?.read_only)
        };
        self.patience.with(work).await
    }

    async fn begin(
        &self,
        pool: &PgPool,
        statement: &'static str,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.patience.with(pool.begin_with(statement)).await
    }

    /// Locks the counter of the audit log: writers are alone, and each sees what the one before it committed.
    pub(super) async fn begin_write(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut tx = self.begin(&self.writers, self.begin_write).await?;
        let lock = bind("SELECT value FROM counters WHERE name = 'audit' FOR UPDATE", &[]);
        self.patience.with(lock.fetch_all(&mut *tx)).await?;
        Ok(tx)
    }

    /// Locks the revision of one cluster: its desired state stays as it is, that of others is nothing to this.
    pub(super) async fn begin_report(
        &self,
        cluster: ClusterId,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut tx = self.begin(&self.writers, self.begin_write).await?;
        let lock = "SELECT revision FROM cluster_revisions WHERE cluster_id = $1 FOR UPDATE";
        let lock = bind(lock, &[Arg::text(cluster)]);
        self.patience.with(lock.fetch_all(&mut *tx)).await?;
        Ok(tx)
    }

    /// All of it sees one moment.
    pub(super) async fn begin_read(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.begin(&self.readers, BEGIN_READ).await
    }

    /// As [`PostgresPools::begin_read`], and its statements may take as long as their rows keep coming.
    pub(super) async fn begin_load(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.begin(&self.readers, BEGIN_LOAD).await
    }
}

/// All migrations that are missing, or none of them.
async fn migrate(writers: &PgPool) -> Result<(), StoreError> {
    const OPERATION: &str = "migrate the database";
    let mut tx = writers.begin_with(BEGIN_MIGRATION).await.context(OPERATION)?;
    let mut migrator = Migrator::with_migrations(listed(&MIGRATIONS));
    // Its own lock belongs to a session, which behind a pooler is somebody else's a moment later.
    migrator.set_locking(false);
    // Nor does it leave its statements behind in such a session, or stumble over those of another one.
    forget_statements(&mut tx).await.context(OPERATION)?;
    match migrator.run(&mut *tx).await {
        Ok(()) => {}
        Err(sqlx_core::migrate::MigrateError::Execute(source)) => return Err(source).context(OPERATION),
        Err(source) => {
            return Err(StoreError::Database {
                operation: OPERATION,
                source: Box::new(source),
            });
        }
    }
    forget_statements(&mut tx).await.context(OPERATION)?;
    tx.commit().await.context(OPERATION)
}

async fn forget_statements(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("DEALLOCATE ALL")
        .execute(connection)
        .await
        .map(drop)
}

/// What a connection is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pool {
    Writers,
    Readers,
}

/// What the machine at the other end is now.
struct Standing {
    /// A standby, which may be behind.
    standby: bool,
    /// A standby, or told to be only read.
    read_only: bool,
}

impl Standing {
    /// By a message of its own, which needs no statement that a pooler could lose.
    async fn of(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let asked = sqlx::raw_sql(
            "SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only",
        );
        let row = asked.fetch_one(connection).await?;
        Ok(Self {
            standby: row.try_get("standby")?,
            read_only: row.try_get("read_only")?,
        })
    }
}

/// Connections are looked at before they are used again: those to a machine that was the primary and is not any more are given
/// up, since the same address may lead to the new one. Where it does not, the standby is read.
fn pool(most: u32, of: Pool, patience: &Arc<Patience>) -> PgPoolOptions {
    let (before, after) = (Arc::clone(patience), Arc::clone(patience));
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(move |connection, found| is_of_use(connection, found, of, Arc::clone(&before)))
        .after_release(move |connection, _| is_alive(connection, Arc::clone(&after)))
}

fn is_of_use(
    connection: &mut PgConnection,
    found: PoolConnectionMetadata,
    of: Pool,
    patience: Arc<Patience>,
) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    Box::pin(async move {
        if patience.outlived(found.age) {
            return Err(silence());
        }
        let standing = patience.bounded(PING, Standing::of(connection)).await?;
        let elsewhere = match of {
            Pool::Writers => standing.read_only,
            Pool::Readers => standing.standby,
        };
        Ok(!elsewhere || found.age < SETTLED)
    })
}

/// sqlx asks as well, and waits for the answer as long as the network does: until then the place of the connection is taken.
fn is_alive(
    connection: &mut PgConnection,
    patience: Arc<Patience>,
) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    Box::pin(async move {
        patience.bounded(PING, connection.ping()).await?;
        Ok(true)
    })
}

/// Passes the word on, and connects again when the connection is lost.
async fn listen(options: PgConnectOptions, word: Arc<Notify>) {
    let options = options.options([(OWN, "yes")]);
    let mut pause = AGAIN;
    loop {
        let Err(error) = heard(options.clone(), &word).await else {
            pause = AGAIN;
            continue;
        };
        if pause == AGAIN {
            tracing::warn!(
                cause = error.to_string(),
                "the database's word of changes is not heard: they are looked for twice a second until it is"
            );
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(AGAIN_AT_MOST);
    }
}

/// Returns when the connection was lost, or nothing was said on it for so long that it may be.
async fn heard(options: PgConnectOptions, word: &Notify) -> Result<(), sqlx::Error> {
    let own = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE);
    let own = own.connect_with(options).await?;
    let mut listener = in_time(PgListener::connect_with(&own)).await?;
    let is_own = sqlx::raw_sql("SELECT COALESCE(current_setting('reeve.own', true), '') = 'yes' AS own");
    let is_own = in_time(is_own.fetch_one(&mut listener)).await?;
    if !is_own.try_get("own")? {
        return Err(sqlx::Error::Protocol(
            "a pooler in between deals connections out by the transaction".to_owned(),
        ));
    }
    in_time(listener.listen(CHANNEL)).await?;
    loop {
        // What was said before it listened.
        word.notify_one();
        match tokio::time::timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(_))) => {}
            Ok(Err(error)) => return Err(error),
            Ok(Ok(None)) | Err(_) => return Ok(()),
        }
    }
}

pub(super) fn bind<'q>(
    sql: &'static str,
    args: &[Arg],
) -> sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments> {
    // Not kept under a name: behind a pooler that deals connections out by the transaction the name may be of another statement.
    args.iter()
        .fold(sqlx::query(sql).persistent(false), |query, arg| match arg {
            Arg::Text(value) => query.bind(value.as_deref().map(storable)),
            Arg::Int(value) => query.bind(*value),
            Arg::Bool(value) => query.bind(*value),
        })
}

/// Binds a value in a statement that is put together.
pub(super) fn push(builder: &mut QueryBuilder<Postgres>, value: &Arg) {
    match value {
        Arg::Text(value) => builder.push_bind(value.as_deref().map(storable)),
        Arg::Int(value) => builder.push_bind(*value),
        Arg::Bool(value) => builder.push_bind(*value),
    };
}

/// PostgreSQL keeps every character but one.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
