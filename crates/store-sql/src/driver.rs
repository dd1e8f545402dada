//! What differs between databases: opening, transactions, binding and reading values, and which failure is which.
//!
//! The statements are the same text for both, with `$1` placeholders, which both understand. A writing transaction is alone: SQLite
//! has one writer, and on PostgreSQL each begins by locking the counter of the audit log, which it would draw from at its end
//! anyway. Reports of clusters lock their own cluster's revision instead, unless they write an audit event.

mod failure;
mod patience;
mod postgres;
mod sqlite;
mod statement;
mod value;

use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use reeve_store::StoreError;
use reeve_types::ClusterId;
use sqlx::{Postgres, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::DatabaseUrl;
use crate::audit_key::AuditKey;
use crate::trail::Trail;
pub(crate) use failure::StoreResultExt;
use patience::Patience;
use postgres::PostgresPools;
pub(crate) use postgres::{migrations as postgres_migrations, storable};
use sqlite::{SqlitePools, SqliteTx};
pub(crate) use sqlite::{listed, open_to_read, said as sqlite_said};
pub(crate) use statement::Statement;
pub(crate) use value::{Arg, Row, from_json};

/// One file, applied in a transaction of its own: number, name, text.
type Migrations = [(i64, &'static str, &'static str); 31];

/// The text of the migrations. That of the sixth moves rows by functions that only SQLite has; the other three tell PostgreSQL to compare
/// text as SQLite does.
const fn migrations(
    sixth: &'static str,
    lists: &'static str,
    audit_columns: &'static str,
    asset_lists: &'static str,
) -> Migrations {
    [
        (1, "begin", include_str!("../migrations/0001_begin.sql")),
        (2, "former", include_str!("../migrations/0002_former.sql")),
        (3, "histories", include_str!("../migrations/0003_histories.sql")),
        (4, "sessions", include_str!("../migrations/0004_sessions.sql")),
        (5, "attempts", include_str!("../migrations/0005_attempts.sql")),
        (6, "bounds", sixth),
        (7, "fence", include_str!("../migrations/0007_fence.sql")),
        (8, "lowest id", include_str!("../migrations/0008_lowest_id.sql")),
        (9, "change log", include_str!("../migrations/0009_change_log.sql")),
        (
            10,
            "change tags",
            include_str!("../migrations/0010_change_tags.sql"),
        ),
        (
            11,
            "revision tokens",
            include_str!("../migrations/0011_revision_tokens.sql"),
        ),
        (
            12,
            "sessions as rows",
            include_str!("../migrations/0012_sessions.sql"),
        ),
        (
            13,
            "networking",
            include_str!("../migrations/0013_networking.sql"),
        ),
        (14, "lists", lists),
        (15, "pod rules", include_str!("../migrations/0015_pod_rules.sql")),
        (
            16,
            "link secrets and states of clusters",
            include_str!("../migrations/0016_cluster_states.sql"),
        ),
        (
            17,
            "credentials",
            include_str!("../migrations/0017_credential_assets.sql"),
        ),
        (
            18,
            "workload policies",
            include_str!("../migrations/0018_workload_policies.sql"),
        ),
        (
            19,
            "identity providers",
            include_str!("../migrations/0019_identity_providers.sql"),
        ),
        (20, "audit columns", audit_columns),
        (
            21,
            "custom roles",
            include_str!("../migrations/0021_custom_roles.sql"),
        ),
        (
            22,
            "access keys",
            include_str!("../migrations/0022_access_keys.sql"),
        ),
        (
            23,
            "wrong passwords",
            include_str!("../migrations/0023_wrong_passwords.sql"),
        ),
        (
            24,
            "authenticators",
            include_str!("../migrations/0024_authenticators.sql"),
        ),
        (
            25,
            "refresh tokens",
            include_str!("../migrations/0025_refresh_tokens.sql"),
        ),
        (
            26,
            "changes and settings",
            include_str!("../migrations/0026_changes_and_settings.sql"),
        ),
        (
            27,
            "temporary passwords",
            include_str!("../migrations/0027_temporary_passwords.sql"),
        ),
        (
            28,
            "secret assets",
            include_str!("../migrations/0028_secret_assets.sql"),
        ),
        (
            29,
            "device codes",
            include_str!("../migrations/0029_device_codes.sql"),
        ),
        (30, "passkeys", include_str!("../migrations/0030_passkeys.sql")),
        (31, "lists of assets", asset_lists),
    ]
}

/// The number of the last migration.
pub(crate) fn newest_migration() -> i64 {
    postgres_migrations()
        .iter()
        .map(|(version, ..)| *version)
        .max()
        .unwrap_or_default()
}

/// The connections: some that write, some that read.
#[derive(Debug)]
pub(crate) struct Pools {
    database: Database,
    key: Option<AuditKey>,
    /// Who only records waits here, one at a time for the writer: a change has at most one of them before it.
    recording: Arc<Semaphore>,
    /// Held by those that read for somebody who is not known yet.
    strangers: Arc<Semaphore>,
}

#[derive(Debug)]
enum Database {
    Sqlite(SqlitePools),
    Postgres(PostgresPools),
}

impl Pools {
    fn new(database: Database, key: Option<AuditKey>) -> Self {
        // Fewer than there are connections that read.
        let strangers = match database {
            Database::Sqlite(_) => 2,
            Database::Postgres(_) => 4,
        };
        Self {
            database,
            key,
            recording: Arc::new(Semaphore::new(1)),
            strangers: Arc::new(Semaphore::new(strangers)),
        }
    }

    pub(crate) async fn open_sqlite(file: &Path, key: AuditKey) -> Result<Self, StoreError> {
        let pools = SqlitePools::open(file)?;
        Ok(Self::new(Database::Sqlite(pools), Some(key)))
    }

    /// Without making, migrating or writing anything: beside a server that runs.
    pub(crate) async fn open_sqlite_read_only(
        file: &Path,
        key: Option<AuditKey>,
    ) -> Result<Self, StoreError> {
        let pools = SqlitePools::open_read_only(file)?;
        Ok(Self::new(Database::Sqlite(pools), key))
    }

    pub(crate) async fn open_postgres(url: &DatabaseUrl, key: AuditKey) -> Result<Self, StoreError> {
        let pools = PostgresPools::open(url).await?;
        Ok(Self::new(Database::Postgres(pools), Some(key)))
    }

    /// Without migrating or writing anything.
    pub(crate) async fn open_postgres_read_only(
        url: &DatabaseUrl,
        key: Option<AuditKey>,
    ) -> Result<Self, StoreError> {
        let pools = PostgresPools::open_read_only(url).await?;
        Ok(Self::new(Database::Postgres(pools), key))
    }

    pub(crate) async fn close(&self) {
        match &self.database {
            Database::Sqlite(pools) => pools.close().await,
            Database::Postgres(pools) => pools.close().await,
        }
    }

    /// Returns when somebody else may have written to the database; where nobody else can, never.
    pub(crate) async fn woken(&self) {
        match &self.database {
            Database::Sqlite(_) => std::future::pending().await,
            Database::Postgres(pools) => pools.woken().await,
        }
    }

    /// Whether what is written would be kept. Nothing is locked for the answer.
    pub(crate) async fn is_writable(&self) -> Result<bool, sqlx::Error> {
        match &self.database {
            Database::Sqlite(_) => Ok(true),
            Database::Postgres(pools) => pools.is_writable().await,
        }
    }

    fn tx(&self, inner: Inner, turn: Option<OwnedSemaphorePermit>) -> Tx {
        Tx {
            inner,
            key: self.key.clone(),
            trail: Trail::default(),
            turn,
        }
    }

    /// A transaction that writes, alone.
    pub(crate) async fn begin_write(&self) -> Result<Tx, sqlx::Error> {
        Ok(self.tx(self.write().await?, None))
    }

    async fn write(&self) -> Result<Inner, sqlx::Error> {
        Ok(match &self.database {
            Database::Sqlite(pools) => Inner::Sqlite(pools.begin_write().await?),
            Database::Postgres(pools) => Inner::Postgres(pools.begin_write().await?, pools.patience()),
        })
    }

    /// A transaction that writes what a cluster reports, and no audit event: beside those that change something.
    pub(crate) async fn begin_report(&self, cluster: ClusterId) -> Result<Tx, sqlx::Error> {
        let inner = match &self.database {
            Database::Sqlite(pools) => Inner::Sqlite(pools.begin_write().await?),
            Database::Postgres(pools) => {
                Inner::Postgres(pools.begin_report(cluster).await?, pools.patience())
            }
        };
        Ok(self.tx(inner, None))
    }

    /// As [`Pools::begin_write`], for what may wait: sign-ins, refusals, signs of life. Changes go before it.
    pub(crate) async fn begin_recording(&self) -> Result<Tx, sqlx::Error> {
        let turn = self.turn(&self.recording).await?;
        Ok(self.tx(self.write().await?, Some(turn)))
    }

    /// As [`Pools::begin_read`], for somebody who is not known yet. Of those there may be any number, so only a few are read for at
    /// a time: the others leave connections and processors to whoever is known.
    pub(crate) async fn begin_read_for_stranger(&self) -> Result<Tx, sqlx::Error> {
        let turn = self.turn(&self.strangers).await?;
        let mut tx = self.begin_read().await?;
        tx.turn = Some(turn);
        Ok(tx)
    }

    async fn turn(&self, of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        let turn = async {
            let turn = Arc::clone(of).acquire_owned().await;
            turn.map_err(|_| sqlx::Error::PoolClosed)
        };
        match &self.database {
            Database::Sqlite(_) => turn.await,
            // Whoever has the turn may be waiting for a machine that does not answer.
            Database::Postgres(_) => patience::in_time(turn).await,
        }
    }

    /// As [`Pools::begin_read`], for what reads whole tables by [`Tx::collect`]: no statement of it is ended for taking long.
    pub(crate) async fn begin_load(&self) -> Result<Tx, sqlx::Error> {
        let inner = match &self.database {
            Database::Sqlite(pools) => Inner::Sqlite(pools.begin_read().await?),
            Database::Postgres(pools) => Inner::Postgres(pools.begin_load().await?, pools.patience()),
        };
        Ok(self.tx(inner, None))
    }

    pub(crate) async fn begin_read(&self) -> Result<Tx, sqlx::Error> {
        let inner = match &self.database {
            Database::Sqlite(pools) => Inner::Sqlite(pools.begin_read().await?),
            Database::Postgres(pools) => Inner::Postgres(pools.begin_read().await?, pools.patience()),
        };
        Ok(self.tx(inner, None))
    }
}

enum Inner {
    Sqlite(SqliteTx),
    Postgres(Transaction<'static, Postgres>, Arc<Patience>),
}

/// A transaction.
pub(crate) struct Tx {
    inner: Inner,
    /// The key of the audit events that it writes.
    key: Option<AuditKey>,
    /// What it did so far of what has to be known outside of the database.
    trail: Trail,
    /// Held, not read: dropping it gives up the turn of those that only record, or of those that nobody knows.
    turn: Option<OwnedSemaphorePermit>,
}

impl Tx {
    /// The key of the audit log's chain; none where nothing is written.
    pub(crate) const fn key(&self) -> Option<&AuditKey> {
        self.key.as_ref()
    }

    /// What it did of what has to be known outside of the database.
    pub(crate) const fn trail(&mut self) -> &mut Trail {
        &mut self.trail
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: &'static str, args: &[Arg]) -> Result<u64, sqlx::Error> {
        match &mut self.inner {
            Inner::Sqlite(tx) => tx.each(sql, args, |_| true),
            Inner::Postgres(tx, patience) => {
                let done = patience
                    .with(postgres::bind(sql, args).execute(&mut **tx))
                    .await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Runs a query; all its rows.
    pub(crate) async fn rows(&mut self, sql: &'static str, args: &[Arg]) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                let rows = tx.rows(sql, args)?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Inner::Postgres(tx, patience) => {
                let rows = patience
                    .with(postgres::bind(sql, args).fetch_all(&mut **tx))
                    .await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs a query that was put together; all its rows.
    pub(crate) async fn select(
        &mut self,
        statement: &Statement,
        operation: &'static str,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                let (sql, args) = statement.sqlite();
                let rows = tx.rows(&sql, &args).context(operation)?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Inner::Postgres(tx, patience) => {
                let mut builder = statement.postgres();
                let rows = patience
                    .with(builder.build().persistent(false).fetch_all(&mut **tx))
                    .await;
                rows.context(operation)?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs a query and hands out its rows one by one, until there are none or `wanted` says that it has enough. What was
    /// not taken is not held; PostgreSQL sends it all the same, so the query says how many rows are wanted at most.
    pub(crate) async fn each(
        &mut self,
        sql: &'static str,
        args: &[Arg],
        operation: &'static str,
        mut wanted: impl FnMut(&Row) -> Result<bool, StoreError> + Send,
    ) -> Result<(), StoreError> {
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                let mut refused = Ok(());
                let take = |row| {
                    let more = wanted(&Row::Sqlite(row));
                    more.unwrap_or_else(|error| {
                        refused = Err(error);
                        false
                    })
                };
                tx.each(sql, args, take).context(operation)?;
                refused?;
            }
            Inner::Postgres(tx, patience) => {
                let mut rows = postgres::bind(sql, args).fetch(&mut **tx);
                while let Some(row) = patience.with(rows.try_next()).await.context(operation)? {
                    if !wanted(&Row::Postgres(row))? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs a query; all its rows, each understood as it comes: however many there are, the rows themselves are not held.
    pub(crate) async fn collect<T: Send>(
        &mut self,
        sql: &'static str,
        args: &[Arg],
        read: impl Fn(&Row) -> Result<T, StoreError> + Send + Sync,
        operation: &'static str,
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        let take = |row: &Row| {
            all.push(read(row)?);
            Ok(true)
        };
        self.each(sql, args, operation, take).await?;
        Ok(all)
    }

    /// Runs a query; its first row.
    pub(crate) async fn row(&mut self, sql: &'static str, args: &[Arg]) -> Result<Option<Row>, sqlx::Error> {
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                let mut first = None;
                tx.each(sql, args, |row| {
                    first = Some(Row::Sqlite(row));
                    false
                })?;
                first
            }
            Inner::Postgres(tx, patience) => {
                let row = patience
                    .with(postgres::bind(sql, args).fetch_optional(&mut **tx))
                    .await?;
                row.map(Row::Postgres)
            }
        })
    }

    /// Runs a query; all its rows, understood.
    pub(crate) async fn all<T>(
        &mut self,
        sql: &'static str,
        args: &[Arg],
        read: fn(&Row) -> Result<T, StoreError>,
        operation: &'static str,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, args)
            .await
            .context(operation)?
            .iter()
            .map(read)
            .collect()
    }

    /// Runs a query; its first row, understood.
    pub(crate) async fn one<T>(
        &mut self,
        sql: &'static str,
        args: &[Arg],
        read: fn(&Row) -> Result<T, StoreError>,
        operation: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.row(sql, args)
            .await
            .context(operation)?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// The statement that adds an entry to the change log: number, text, whether it decides; the database draws its tag.
    pub(crate) const fn append_change(&self) -> &'static str {
        match &self.inner {
            Inner::Sqlite(_) => {
                "INSERT INTO directory_changes (number, body, decides, tag)
                 VALUES ($1, $2, $3, lower(hex(randomblob(16)))) RETURNING tag"
            }
            Inner::Postgres(..) => {
                "INSERT INTO directory_changes (number, body, decides, tag)
                 VALUES ($1, $2, $3, replace(CAST(gen_random_uuid() AS TEXT), '-', '')) RETURNING tag"
            }
        }
    }

    /// Whether there is a table of this name.
    pub(crate) async fn has_table(&mut self, name: &'static str) -> Result<bool, sqlx::Error> {
        let sql = match &self.inner {
            Inner::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1",
            Inner::Postgres(..) => {
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
            }
        };
        Ok(self.row(sql, &[name.into()]).await?.is_some())
    }

    /// Wakes whoever waits in [`Pools::woken`], once this is committed.
    pub(crate) async fn wake(&mut self) -> Result<(), sqlx::Error> {
        if let Inner::Postgres(..) = &self.inner {
            self.execute(postgres::WAKE, &[]).await?;
        }
        Ok(())
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.inner {
            Inner::Sqlite(tx) => tx.commit(),
            Inner::Postgres(tx, patience) => patience.with(tx.commit()).await,
        }
    }

    /// The next number of a counter; drawn for good when the transaction commits.
    pub(crate) async fn next_number(&mut self, counter: &'static str) -> Result<i64, StoreError> {
        let row = self
            .row(
                "UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value",
                &[counter.into()],
            )
            .await
            .context("draw a number")?
            .ok_or_else(|| StoreError::Corrupt {
                what: "counter",
                reason: format!("`{counter}` is missing"),
            })?;
        let number = row.int("value")?;
        self.trail.drew(counter, number);
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planted fault: without turns strangers hold every connection, and nothing is read for anybody.
    #[tokio::test]
    async fn strangers_leave_connections_to_whoever_is_known() {
        const SOON: std::time::Duration = std::time::Duration::from_millis(200);
        let folder = tempfile::tempdir().unwrap();
        let key = AuditKey::new([7; 32].into());
        let pools = Pools::open_sqlite(&folder.path().join("reeve.db"), key)
            .await
            .unwrap();
        let (mut held, mut waited) = (Vec::new(), false);
        while !waited {
            match tokio::time::timeout(SOON, pools.begin_read_for_stranger()).await {
                Ok(tx) => held.push(tx.unwrap()),
                Err(_) => waited = true,
            }
        }
        let known = tokio::time::timeout(SOON, pools.begin_read()).await;
        assert!(
            known.is_ok(),
            "{} strangers hold all there is to read with",
            held.len()
        );
        // Whoever of them waits is next when one has gone.
        drop(held.pop());
        pools.begin_read_for_stranger().await.unwrap();
    }
}
