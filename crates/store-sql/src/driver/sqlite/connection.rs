//! A connection to a file: opening, migrating, binding, and what its failures are to sqlx, whose errors the store knows.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql, TransactionBehavior, ffi};
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx_core::migrate::{MigrateError, Migration};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::PATIENCE;
use crate::driver::Arg;

/// More than there are statements, so that each is understood once.
const STATEMENTS: usize = 512;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Makes the file where there is none.
    Write,
    /// Beside the one that writes.
    Read,
    /// Beside a server that runs: the file is not written to in any way.
    Look,
}

/// Does work that may take long in this very thread, after telling the executor where it has more than this one.
pub(super) fn here<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

pub(super) fn open(file: &Path, access: Access) -> rusqlite::Result<Connection> {
    let flags = match access {
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Look => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(PATIENCE)?;
    match access {
        Access::Write => {
            // FULL: each commit reaches the disk before it is acknowledged, so it survives a power cut as well as SIGKILL.
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
            )?;
        }
        Access::Read | Access::Look => connection.execute_batch("PRAGMA query_only = ON")?,
    }
    Ok(connection)
}

/// For whoever has the file alone, and writes nothing.
pub(crate) fn open_to_read(file: &Path) -> Result<Connection, sqlx::Error> {
    open(file, Access::Look).map_err(said)
}

/// Applies those migrations that were not, all of them or none; their table is sqlx' own, as on PostgreSQL.
///
/// # Errors
/// When one of them fails, or was another one when it was applied, or is not known here.
pub(super) fn migrate(connection: &mut Connection, migrations: &[Migration]) -> Result<(), MigrateError> {
    let failed = |error| MigrateError::Execute(said(error));
    let tx = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let applied = applied(&tx).map_err(failed)?;
    if let Some((version, _)) = applied.iter().find(|(_, (_, success))| !success) {
        return Err(MigrateError::Dirty(*version));
    }
    let is_known = |version: &i64| migrations.iter().any(|it| it.version == *version);
    if let Some(unknown) = applied.keys().find(|version| !is_known(version)) {
        return Err(MigrateError::VersionMissing(*unknown));
    }
    for migration in migrations {
        let version = migration.version;
        match applied.get(&version) {
            Some((checksum, _)) if *checksum == *migration.checksum => {}
            Some(_) => return Err(MigrateError::VersionMismatch(version)),
            None => {
                apply(&tx, migration).map_err(|error| MigrateError::ExecuteMigration(said(error), version))?
            }
        }
    }
    tx.commit().map_err(failed)
}

/// Which were applied: their checksums, and whether they succeeded.
fn applied(connection: &Connection) -> rusqlite::Result<HashMap<i64, (Vec<u8>, bool)>> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
             version BIGINT PRIMARY KEY,
             description TEXT NOT NULL,
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
             success BOOLEAN NOT NULL,
             checksum BLOB NOT NULL,
             execution_time BIGINT NOT NULL
         )",
    )?;
    let mut statement = connection.prepare("SELECT version, checksum, success FROM _sqlx_migrations")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    rows.collect()
}

fn apply(connection: &Connection, migration: &Migration) -> rusqlite::Result<()> {
    connection.execute_batch(migration.sql.as_str())?;
    connection.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (?1, ?2, TRUE, ?3, 0)",
        (migration.version, &migration.description, &migration.checksum),
    )?;
    Ok(())
}

impl ToSql for Arg {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Text(text) => text.as_deref().into(),
            Self::Int(number) => number.map_or(ValueRef::Null, ValueRef::Integer),
            Self::Bool(is) => ValueRef::Integer(i64::from(*is)),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// Binds each value where the statement says its number: to SQLite `$1` is a name like any other.
pub(super) fn bound(statement: &mut Statement<'_>, args: &[Arg]) -> rusqlite::Result<()> {
    for at in 1..=statement.parameter_count() {
        let number = statement
            .parameter_name(at)
            .and_then(|name| name.get(1..)?.parse::<usize>().ok());
        let arg = number.and_then(|number| args.get(number.checked_sub(1)?));
        let arg = arg.ok_or(rusqlite::Error::InvalidParameterCount(at, args.len()))?;
        statement.raw_bind_parameter(at, arg)?;
    }
    Ok(())
}

/// As sqlx would have said it.
pub(crate) fn said(error: rusqlite::Error) -> sqlx::Error {
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            let message = message.unwrap_or_else(|| failure.to_string());
            let code = failure.extended_code;
            sqlx::Error::Database(Box::new(SqliteFailure { code, message }))
        }
        other => sqlx::Error::AnyDriverError(Box::new(other)),
    }
}

/// What SQLite says went wrong.
#[derive(Debug)]
struct SqliteFailure {
    /// An extended result code.
    code: i32,
    message: String,
}

impl fmt::Display for SqliteFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(code: {}) {}", self.code, self.message)
    }
}

impl std::error::Error for SqliteFailure {}

impl DatabaseError for SqliteFailure {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        match self.code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => ErrorKind::UniqueViolation,
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ErrorKind::ForeignKeyViolation,
            ffi::SQLITE_CONSTRAINT_NOTNULL => ErrorKind::NotNullViolation,
            ffi::SQLITE_CONSTRAINT_CHECK => ErrorKind::CheckViolation,
            _ => ErrorKind::Other,
        }
    }
}
