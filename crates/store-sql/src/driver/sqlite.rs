//! SQLite: one connection that writes, some that read.

use std::path::Path;
use std::time::Duration;

use reeve_store::StoreError;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{QueryBuilder, SqlSafeStr, Sqlite, Transaction};

use super::{Arg, Migrations, StoreResultExt, migrations};

const MIGRATIONS: Migrations = migrations(
    include_str!("../../migrations/0006_bounds.sql"),
    include_str!("../../migrations/0014_lists.sql"),
    include_str!("../../migrations/0020_audit_columns.sql"),
);

/// How many connections read at a time.
const READERS: u32 = 4;

/// How many rows a connection reads ahead: some of them are large.
const READ_AHEAD: usize = 16;

#[derive(Debug)]
pub(super) struct SqlitePools {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqlitePools {
    pub(super) async fn open(file: &Path) -> Result<Self, StoreError> {
        const OPERATION: &str = "open the database";
        // FULL: each commit reaches the disk before it is acknowledged, so it survives a power cut as well as SIGKILL.
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true);
        // A connection to a file does not go away by itself: asking whether it is still there would cost each transaction a turn.
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await
            .context(OPERATION)?;
        Migrator::with_migrations(listed(&MIGRATIONS))
            .run(&writer)
            .await
            .map_err(|source| StoreError::Database {
                operation: "migrate the database",
                source: Box::new(source),
            })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .connect_with(options.pragma("query_only", "1").row_buffer_size(READ_AHEAD))
            .await
            .context(OPERATION)?;
        Ok(Self { writer, readers })
    }

    pub(super) async fn open_read_only(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("query_only", "1");
        let readers = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .context("open the database for reading")?;
        Ok(Self {
            writer: readers.clone(),
            readers,
        })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// IMMEDIATE: a transaction that reads first and then writes would otherwise fail at once, whatever the timeout.
    pub(super) async fn begin_write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
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

    pub(super) async fn begin_read(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.readers.begin().await
    }
}

/// Binds a value in a statement that is put together.
pub(super) fn push(builder: &mut QueryBuilder<Sqlite>, value: &Arg) {
    match value {
        Arg::Text(value) => builder.push_bind(value.clone()),
        Arg::Int(value) => builder.push_bind(*value),
        Arg::Bool(value) => builder.push_bind(*value),
    };
}

/// For sqlx.
pub(crate) fn listed(migrations: &Migrations) -> Vec<Migration> {
    let migration = |(version, description, sql): &(i64, &'static str, &'static str)| {
        let sql = sql.into_sql_str();
        Migration::new(*version, (*description).into(), MigrationType::Simple, sql, false)
    };
    migrations.iter().map(migration).collect()
}

pub(super) fn bind<'q>(
    sql: &'static str,
    args: &[Arg],
) -> sqlx::query::Query<'q, Sqlite, <Sqlite as sqlx::Database>::Arguments> {
    args.iter().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Text(value) => query.bind(value.clone()),
        Arg::Int(value) => query.bind(*value),
        Arg::Bool(value) => query.bind(*value),
    })
}
