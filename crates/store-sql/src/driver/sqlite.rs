//! SQLite: one connection that writes, some that read.
//!
//! Statements run where they are called, not on a thread of their own: most take less time than it takes to wake a thread twice. The
//! executor is told beforehand ([`connection::here`]), so that what else it has to do goes on elsewhere, however long a
//! statement or the disk takes.

mod connection;
mod row;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reeve_store::StoreError;
use rusqlite::{Connection, ErrorCode};
use sqlx::SqlSafeStr;
use sqlx_core::migrate::{Migration, MigrationType};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::{Arg, Migrations, StoreResultExt, migrations};
use connection::{Access, bound, here, migrate};
pub(crate) use connection::{open_to_read, said};
pub(super) use row::{Cell, SqliteRow};

const MIGRATIONS: Migrations = migrations(
    include_str!("../../migrations/0006_bounds.sql"),
    include_str!("../../migrations/0014_lists.sql"),
    include_str!("../../migrations/0020_audit_columns.sql"),
    include_str!("../../migrations/0031_asset_lists.sql"),
);

/// How many connections read at a time.
const READERS: usize = 4;

/// How long another process that writes is waited for, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// What a statement takes that somebody should hear of.
const SLOW: Duration = Duration::from_secs(1);

/// Connections to one file, handed out in the order in which they are asked for.
#[derive(Debug)]
struct Pool {
    file: PathBuf,
    access: Access,
    size: usize,
    turns: Arc<Semaphore>,
    free: Arc<Mutex<Vec<Connection>>>,
}

impl Pool {
    fn new(file: &Path, access: Access, size: usize, open: Vec<Connection>) -> Self {
        Self {
            file: file.to_owned(),
            access,
            size,
            turns: Arc::new(Semaphore::new(size)),
            free: Arc::new(Mutex::new(open)),
        }
    }

    /// A connection, in no transaction yet.
    async fn take(&self) -> Result<SqliteTx, sqlx::Error> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
        let kept = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => here(|| connection::open(&self.file, self.access)).map_err(said)?,
        };
        Ok(SqliteTx {
            connection: Some(connection),
            free: Arc::clone(&self.free),
            _turn: turn,
        })
    }

    /// Waits for what is under way.
    async fn close(&self) {
        let all = u32::try_from(self.size).unwrap_or(u32::MAX);
        let turns = self.turns.acquire_many(all).await;
        self.turns.close();
        let free = std::mem::take(&mut *self.free.lock().unwrap_or_else(PoisonError::into_inner));
        here(|| drop(free));
        drop(turns);
    }
}

#[derive(Debug)]
pub(super) struct SqlitePools {
    /// None where nothing is written.
    writer: Option<Pool>,
    readers: Pool,
}

impl SqlitePools {
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        let mut writer = here(|| connection::open(file, Access::Write))
            .map_err(said)
            .context("open the database")?;
        here(|| migrate(&mut writer, &listed(&MIGRATIONS))).map_err(|source| StoreError::Database {
            operation: "migrate the database",
            source: Box::new(source),
        })?;
        Ok(Self {
            writer: Some(Pool::new(file, Access::Write, 1, vec![writer])),
            readers: Pool::new(file, Access::Read, READERS, Vec::new()),
        })
    }

    pub(super) fn open_read_only(file: &Path) -> Result<Self, StoreError> {
        let reader = here(|| connection::open(file, Access::Look))
            .map_err(said)
            .context("open the database for reading")?;
        Ok(Self {
            writer: None,
            readers: Pool::new(file, Access::Look, 1, vec![reader]),
        })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }

    /// IMMEDIATE: a transaction that reads first and then writes would otherwise fail at once, whatever the timeout. While
    /// another process writes it is asked again, and no thread waits.
    pub(super) async fn begin_write(&self) -> Result<SqliteTx, sqlx::Error> {
        let pool = self.writer.as_ref().unwrap_or(&self.readers);
        let tx = pool.take().await?;
        let begun = Instant::now();
        loop {
            match here(|| tx.connection()?.execute_batch("BEGIN IMMEDIATE")) {
                Err(error)
                    if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                        && begun.elapsed() < PATIENCE => {}
                done => return done.map(|()| tx).map_err(said),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(super) async fn begin_read(&self) -> Result<SqliteTx, sqlx::Error> {
        let tx = self.readers.take().await?;
        here(|| tx.connection()?.execute_batch("BEGIN")).map_err(said)?;
        Ok(tx)
    }
}

/// A transaction. Dropped, it is undone.
#[derive(Debug)]
pub(super) struct SqliteTx {
    /// Absent only when it is given back.
    connection: Option<Connection>,
    free: Arc<Mutex<Vec<Connection>>>,
    _turn: OwnedSemaphorePermit,
}

impl SqliteTx {
    fn connection(&self) -> rusqlite::Result<&Connection> {
        self.connection.as_ref().ok_or(rusqlite::Error::InvalidQuery)
    }

    /// Within the transaction: SQLite ends one by itself when the disk is full, and what came after it would be on its own.
    fn within(&self) -> rusqlite::Result<&Connection> {
        let connection = self.connection()?;
        if connection.is_autocommit() {
            return Err(rusqlite::Error::InvalidQuery);
        }
        Ok(connection)
    }

    /// Runs a statement and hands out its rows until `wanted` has enough; how many rows it changed.
    pub(super) fn each(
        &mut self,
        sql: &str,
        args: &[Arg],
        wanted: impl FnMut(SqliteRow) -> bool,
    ) -> Result<u64, sqlx::Error> {
        let begun = Instant::now();
        let run = || {
            let connection = self.within()?;
            let mut statement = connection.prepare_cached(sql)?;
            bound(&mut statement, args)?;
            row::each(&mut statement, wanted)?;
            Ok(connection.changes())
        };
        let changed = here(run).map_err(said);
        let took = begun.elapsed();
        if took > SLOW {
            tracing::warn!(sql, ?took, "a statement of SQLite took long");
        } else {
            tracing::debug!(sql, ?took, "a statement of SQLite");
        }
        changed
    }

    pub(super) fn rows(&mut self, sql: &str, args: &[Arg]) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut rows = Vec::new();
        self.each(sql, args, |row| {
            rows.push(row);
            true
        })?;
        Ok(rows)
    }

    /// Makes it last.
    pub(super) fn commit(self) -> Result<(), sqlx::Error> {
        here(|| self.within()?.execute_batch("COMMIT")).map_err(said)
    }
}

impl Drop for SqliteTx {
    /// Gives the connection back, unless it cannot leave its transaction: then the next one opens another.
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let is_free = connection.is_autocommit() || here(|| connection.execute_batch("ROLLBACK")).is_ok();
        if is_free {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.push(connection);
        }
    }
}

/// As sqlx lists and sums them, for both databases.
pub(crate) fn listed(migrations: &Migrations) -> Vec<Migration> {
    let migration = |(version, description, sql): &(i64, &'static str, &'static str)| {
        let sql = sql.into_sql_str();
        Migration::new(*version, (*description).into(), MigrationType::Simple, sql, false)
    };
    migrations.iter().map(migration).collect()
}
