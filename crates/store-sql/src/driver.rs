//! What differs between databases: opening, transactions, binding and reading values.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use reeve_store::StoreError;
use reeve_types::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, SqlSafeStr, Sqlite, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::chain::AuditKey;

/// One file, applied in a transaction of its own.
const MIGRATIONS: [(i64, &str, &str); 9] = [
    (1, "begin", include_str!("../migrations/0001_begin.sql")),
    (2, "former", include_str!("../migrations/0002_former.sql")),
    (3, "histories", include_str!("../migrations/0003_histories.sql")),
    (4, "sessions", include_str!("../migrations/0004_sessions.sql")),
    (5, "attempts", include_str!("../migrations/0005_attempts.sql")),
    (6, "bounds", include_str!("../migrations/0006_bounds.sql")),
    (7, "fence", include_str!("../migrations/0007_fence.sql")),
    (8, "lowest id", include_str!("../migrations/0008_lowest_id.sql")),
    (9, "change log", include_str!("../migrations/0009_change_log.sql")),
];

/// How many connections read at a time.
const READERS: u32 = 4;

/// How many rows a connection reads ahead: some of them are large.
const READ_AHEAD: usize = 16;

/// The connections: one that writes, some that read.
#[derive(Debug)]
pub(crate) struct Pools {
    writer: SqlitePool,
    readers: SqlitePool,
    key: Option<AuditKey>,
    /// Who only records waits here, one at a time for the writer: a change has at most one of them before it.
    recording: Arc<Semaphore>,
}

impl Pools {
    pub(crate) async fn open_sqlite(file: &Path, key: AuditKey) -> Result<Self, StoreError> {
        const OPERATION: &str = "open the database";
        // FULL: each commit reaches the disk before it is acknowledged, so it survives a power cut as well as SIGKILL.
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .during(OPERATION)?;
        let migrations = MIGRATIONS.map(|(version, description, sql)| {
            Migration::new(
                version,
                description.into(),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        });
        Migrator::with_migrations(migrations.to_vec())
            .run(&writer)
            .await
            .map_err(|source| StoreError::Database {
                operation: "migrate the database",
                source: Box::new(source),
            })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.pragma("query_only", "1").row_buffer_size(READ_AHEAD))
            .await
            .during(OPERATION)?;
        Ok(Self {
            writer,
            readers,
            key: Some(key),
            recording: Arc::new(Semaphore::new(1)),
        })
    }

    /// Without making, migrating or writing anything: beside a server that runs.
    pub(crate) async fn open_sqlite_read_only(
        file: &Path,
        key: Option<AuditKey>,
    ) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("query_only", "1");
        let readers = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .during("open the database for reading")?;
        Ok(Self {
            writer: readers.clone(),
            readers,
            key,
            recording: Arc::new(Semaphore::new(1)),
        })
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// IMMEDIATE: a transaction that reads first and then writes would otherwise fail at once, whatever the timeout.
    pub(crate) async fn begin_write(&self) -> Result<Tx, sqlx::Error> {
        Ok(Tx(self.begin_immediate().await?, self.key.clone(), None))
    }

    async fn begin_immediate(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        match self.writer.begin_with("BEGIN IMMEDIATE").await {
            // SQLite ends a transaction by itself when the disk is full, and sqlx goes on counting it: that connection is of
            // no more use.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.writer.acquire().await?.close().await?;
                self.writer.begin_with("BEGIN IMMEDIATE").await
            }
            begun => begun,
        }
    }

    /// As [`Pools::begin_write`], for what may wait: sign-ins, refusals, signs of life. Changes go before it.
    pub(crate) async fn begin_recording(&self) -> Result<Tx, sqlx::Error> {
        let turn = Arc::clone(&self.recording).acquire_owned().await;
        let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
        Ok(Tx(self.begin_immediate().await?, self.key.clone(), Some(turn)))
    }

    pub(crate) async fn begin_read(&self) -> Result<Tx, sqlx::Error> {
        Ok(Tx(self.readers.begin().await?, self.key.clone(), None))
    }
}

/// A transaction, the key of the audit events it writes, and the turn of those that only record.
pub(crate) struct Tx(
    Transaction<'static, Sqlite>,
    Option<AuditKey>,
    #[expect(dead_code, reason = "held, not read: dropping it gives the turn up")]
    Option<OwnedSemaphorePermit>,
);

impl Tx {
    /// The key of the audit log's chain; none where nothing is written.
    pub(crate) const fn key(&self) -> Option<&AuditKey> {
        self.1.as_ref()
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: &'static str, args: &[Arg]) -> Result<u64, sqlx::Error> {
        Ok(bind(sql, args).execute(&mut *self.0).await?.rows_affected())
    }

    /// Runs a query; all its rows.
    pub(crate) async fn rows(&mut self, sql: &'static str, args: &[Arg]) -> Result<Vec<Row>, sqlx::Error> {
        Ok(bind(sql, args)
            .fetch_all(&mut *self.0)
            .await?
            .into_iter()
            .map(Row)
            .collect())
    }

    /// Runs a query and hands out its rows one by one, until there are none or `wanted` says that it has enough. What was
    /// not taken is not held.
    pub(crate) async fn each(
        &mut self,
        sql: &'static str,
        args: &[Arg],
        operation: &'static str,
        mut wanted: impl FnMut(&Row) -> Result<bool, StoreError> + Send,
    ) -> Result<(), StoreError> {
        let mut rows = bind(sql, args).fetch(&mut *self.0);
        while let Some(row) = rows.try_next().await.during(operation)? {
            if !wanted(&Row(row))? {
                break;
            }
        }
        Ok(())
    }

    /// Runs a query; its first row.
    pub(crate) async fn row(&mut self, sql: &'static str, args: &[Arg]) -> Result<Option<Row>, sqlx::Error> {
        Ok(bind(sql, args).fetch_optional(&mut *self.0).await?.map(Row))
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
            .during(operation)?
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
            .during(operation)?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// Whether there is a table of this name.
    pub(crate) async fn has_table(&mut self, name: &'static str) -> Result<bool, sqlx::Error> {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1";
        Ok(self.row(sql, &[name.into()]).await?.is_some())
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.0.commit().await
    }

    /// The next number of a counter; drawn for good when the transaction commits.
    pub(crate) async fn next_number(&mut self, counter: &'static str) -> Result<i64, StoreError> {
        let row = self
            .row(
                "UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value",
                &[counter.into()],
            )
            .await
            .during("draw a number")?
            .ok_or_else(|| StoreError::Corrupt {
                what: "counter",
                reason: format!("`{counter}` is missing"),
            })?;
        row.int("value")
    }
}

fn bind<'q>(
    sql: &'static str,
    args: &[Arg],
) -> sqlx::query::Query<'q, Sqlite, <Sqlite as sqlx::Database>::Arguments> {
    args.iter().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Text(value) => query.bind(value.clone()),
        Arg::Int(value) => query.bind(*value),
        Arg::Bool(value) => query.bind(*value),
    })
}

/// A value for a placeholder. Absent ones are typed too: PostgreSQL wants to know.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Text(Option<String>),
    Int(Option<i64>),
    Bool(bool),
}

impl Arg {
    /// Anything that is kept as its text.
    pub(crate) fn text(value: impl ToString) -> Self {
        Self::Text(Some(value.to_string()))
    }

    /// Anything that may be absent and is kept as its text.
    pub(crate) fn opt_text(value: Option<impl ToString>) -> Self {
        Self::Text(value.map(|v| v.to_string()))
    }

    /// A JSON text.
    pub(crate) fn json(value: &impl serde::Serialize) -> Result<Self, StoreError> {
        serde_json::to_string(value)
            .map(|text| Self::Text(Some(text)))
            .map_err(|e| StoreError::Corrupt {
                what: "value to keep as JSON",
                reason: e.to_string(),
            })
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Arg {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Arg {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Timestamp> for Arg {
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.as_millis()))
    }
}

/// A row.
pub(crate) struct Row(SqliteRow);

impl Row {
    fn get<'r, T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(
        &'r self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.0.try_get(column).map_err(|e| StoreError::Corrupt {
            what: column,
            reason: e.to_string(),
        })
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(crate) fn opt_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(crate) fn opt_int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    pub(crate) fn bool(&self, column: &'static str) -> Result<bool, StoreError> {
        self.get(column)
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_millis)
    }

    pub(crate) fn opt_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_millis))
    }

    /// Something that is kept as its text.
    pub(crate) fn parsed<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        self.text(column)?
            .parse()
            .map_err(|e: T::Err| StoreError::Corrupt {
                what: column,
                reason: e.to_string(),
            })
    }

    /// Something that may be absent and is kept as its text.
    pub(crate) fn opt_parsed<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        self.opt_text(column)?
            .map(|text| {
                text.parse().map_err(|e: T::Err| StoreError::Corrupt {
                    what: column,
                    reason: e.to_string(),
                })
            })
            .transpose()
    }

    /// A JSON text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        from_json(column, &self.text(column)?)
    }

    /// A JSON text that may be absent.
    pub(crate) fn opt_json<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?
            .map(|text| from_json(column, &text))
            .transpose()
    }

    /// A number that is an id.
    pub(crate) fn number<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(i64) -> Option<T>,
    ) -> Result<T, StoreError> {
        let number = self.int(column)?;
        read(number).ok_or_else(|| StoreError::Corrupt {
            what: column,
            reason: format!("{number} is out of range"),
        })
    }
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt {
        what,
        reason: e.to_string(),
    })
}

/// Says what was tried when the database failed.
pub(crate) trait During<T> {
    /// The failure of `operation`.
    fn during(self, operation: &'static str) -> Result<T, StoreError>;

    /// The failure of `operation`, or `conflict` where a row of the same key was there.
    fn or_conflict(
        self,
        operation: &'static str,
        conflict: impl FnOnce() -> StoreError,
    ) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| failure(operation, source))
    }

    fn or_conflict(
        self,
        operation: &'static str,
        conflict: impl FnOnce() -> StoreError,
    ) -> Result<T, StoreError> {
        self.map_err(|source| match source.as_database_error() {
            Some(e) if e.is_unique_violation() => conflict(),
            _ => failure(operation, source),
        })
    }
}

fn failure(operation: &'static str, source: sqlx::Error) -> StoreError {
    // SQLITE_FULL: also what SQLite makes of ENOSPC and EDQUOT.
    let full = source
        .as_database_error()
        .is_some_and(|error| error.code().as_deref() == Some("13"));
    if full {
        return StoreError::Full { operation };
    }
    StoreError::Database {
        operation,
        source: Box::new(source),
    }
}
