//! PostgreSQL: connections that write, others that read, and one that listens.

use std::sync::Arc;
use std::time::Duration;

use reeve_store::StoreError;
use reeve_types::ClusterId;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::sqlite::listed;
use super::{Arg, During, Migrations, in_time};
use crate::DatabaseUrl;

const MIGRATIONS: Migrations = super::migrations(include_str!("../../migrations/0006_bounds.postgres.sql"));

/// The migrations of this database.
pub(crate) const fn migrations() -> Migrations {
    MIGRATIONS
}

/// How many connections write: one change, and reports of as many clusters as are left.
const WRITERS: u32 = 4;
/// How many connections read.
const READERS: u32 = 6;
/// How long a connection, or the answer to a statement, is waited for: after that the database counts as away.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How often the change log is compared without having been woken: the connection that listens may be lost, or a pooler in
/// between may pass nothing on.
const COMPARISON: Duration = Duration::from_millis(500);
/// How long the listener waits before it connects again.
const AGAIN: Duration = Duration::from_millis(500);

/// The channel of the word that something was written.
const CHANNEL: &str = "reeve_changes";
/// Says so, when the transaction commits.
pub(super) const WAKE: &str = "SELECT pg_notify('reeve_changes', '')";

#[derive(Debug)]
pub(super) struct PostgresPools {
    writers: PgPool,
    readers: PgPool,
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
        let options = url.options();
        let writers = pool(WRITERS)
            .connect_with(options.clone())
            .await
            .during(OPERATION)?;
        Migrator::with_migrations(listed(&MIGRATIONS))
            .run(&writers)
            .await
            .map_err(|source| StoreError::Database {
                operation: "migrate the database",
                source: Box::new(source),
            })?;
        let readers = pool(READERS)
            .connect_with(options.clone())
            .await
            .during(OPERATION)?;
        let word = Arc::new(Notify::new());
        let listener = tokio::spawn(listen(options, Arc::clone(&word)));
        Ok(Self {
            writers,
            readers,
            word,
            listener: Some(listener),
        })
    }

    pub(super) async fn open_read_only(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let options = url.options().options([("default_transaction_read_only", "on")]);
        let readers = pool(1).connect_with(options).await;
        let readers = readers.during("open the database for reading")?;
        Ok(Self {
            writers: readers.clone(),
            readers,
            word: Arc::default(),
            listener: None,
        })
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
        let read_only = sqlx::query_scalar("SELECT current_setting('transaction_read_only')");
        let read_only: String = in_time(read_only.fetch_one(&self.writers)).await?;
        Ok(read_only == "off")
    }

    /// Locks the counter of the audit log: writers are alone, and each sees what the one before it committed.
    pub(super) async fn begin_write(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut tx = in_time(self.writers.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")).await?;
        let lock = sqlx::query("SELECT value FROM counters WHERE name = 'audit' FOR UPDATE");
        in_time(lock.fetch_all(&mut *tx)).await?;
        Ok(tx)
    }

    /// Locks the revision of one cluster: its desired state stays as it is, that of others is nothing to this.
    pub(super) async fn begin_report(
        &self,
        cluster: ClusterId,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut tx = in_time(self.writers.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")).await?;
        let lock = sqlx::query("SELECT revision FROM cluster_revisions WHERE cluster_id = $1 FOR UPDATE");
        in_time(lock.bind(cluster.to_string()).fetch_all(&mut *tx)).await?;
        Ok(tx)
    }

    /// All of it sees one moment.
    pub(super) async fn begin_read(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        in_time(
            self.readers
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        )
        .await
    }
}

fn pool(most: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(PATIENCE)
}

/// Passes the word on, and connects again when the connection is lost.
async fn listen(options: PgConnectOptions, word: Arc<Notify>) {
    let mut failed = false;
    loop {
        match heard(options.clone(), &word).await {
            Ok(()) => {}
            Err(error) => {
                if !failed {
                    tracing::warn!(
                        cause = error.to_string(),
                        "the database's word of changes is not heard: they are looked for twice a second until it is"
                    );
                }
                failed = true;
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn heard(options: PgConnectOptions, word: &Notify) -> Result<(), sqlx::Error> {
    let own = pool(1).connect_with(options).await?;
    let mut listener = PgListener::connect_with(&own).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // None: the connection was lost, and what was said meanwhile with it.
        if listener.try_recv().await?.is_none() {
            word.notify_one();
            return Ok(());
        }
        word.notify_one();
    }
}

pub(super) fn bind<'q>(
    sql: &'static str,
    args: &[Arg],
) -> sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments> {
    args.iter().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Text(value) => query.bind(value.as_deref().map(storable)),
        Arg::Int(value) => query.bind(*value),
        Arg::Bool(value) => query.bind(*value),
    })
}

/// PostgreSQL keeps every character but one.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
