//! The SQLite database that is moved: its tables, in an order in which each comes after those it refers to, and their rows.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use reeve_store::StoreError;
use rusqlite::{Connection, OptionalExtension};
use sqlx::Row;
use sqlx::postgres::PgRow;
use tokio::sync::mpsc;

use super::MoveFailed;
use super::value::Value;
use crate::driver::{StoreResultExt, newest_migration, open_to_read, sqlite_said, storable};

const READ: &str = "read the database to move";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Bool,
}

impl Kind {
    /// What PostgreSQL calls it.
    pub(super) const fn in_postgres(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "bigint",
            Self::Bool => "boolean",
        }
    }
}

/// A table, as both databases have it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Kind)>,
    /// The primary key's columns, in its order.
    key: Vec<String>,
}

impl Table {
    /// Its columns, for a statement.
    pub(super) fn list(&self) -> String {
        let quoted: Vec<_> = self
            .columns
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        quoted.join(", ")
    }

    /// All its rows by primary key; texts in the order of their bytes, which PostgreSQL has to be asked for.
    pub(super) fn select(&self, by_bytes: &str) -> String {
        let is_text = |key: &String| self.columns.contains(&(key.clone(), Kind::Text));
        let order: Vec<_> = self
            .key
            .iter()
            .map(|key| format!("\"{key}\" {}", if is_text(key) { by_bytes } else { "" }))
            .collect();
        let (list, name) = (self.list(), &self.name);
        format!("SELECT {list} FROM \"{name}\" ORDER BY {}", order.join(", "))
    }

    /// A row of [`Table::select`] on PostgreSQL.
    pub(super) fn arrived(&self, row: &PgRow) -> Result<Vec<Value>, sqlx::Error> {
        let value = |(at, (_, kind)): (usize, &(String, Kind))| {
            Ok(match kind {
                Kind::Text => Value::Text(row.try_get(at)?),
                Kind::Int => Value::Int(row.try_get(at)?),
                Kind::Bool => Value::Bool(row.try_get(at)?),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }

    /// A row of [`Table::select`] on SQLite, as PostgreSQL can keep it.
    fn sent(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Vec<Value>> {
        let value = |(at, (_, kind)): (usize, &(String, Kind))| {
            Ok(match kind {
                Kind::Text => {
                    let text: Option<String> = row.get(at)?;
                    Value::Text(text.as_deref().map(storable))
                }
                Kind::Int => Value::Int(row.get(at)?),
                Kind::Bool => Value::Bool(row.get(at)?),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }
}

/// How many rows are read before they are taken: some of them are large.
const AHEAD: usize = 16;

/// The database, in one transaction that reads.
#[derive(Debug)]
pub(super) struct Source {
    connection: Arc<Mutex<Connection>>,
    tables: Vec<Table>,
}

impl Source {
    pub(super) fn open(file: &Path) -> Result<Self, MoveFailed> {
        let connection = open_to_read(file).context(READ)?;
        let version = version(&connection).map_err(sqlite_said).context(READ)?;
        if version != Some(newest_migration()) {
            return Err(MoveFailed::Version);
        }
        let tables = tables(&connection)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            tables,
        })
    }

    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.iter().any(|it| it.name == table)
    }

    /// Hands out the rows of a table in the order of its primary key.
    pub(super) async fn each(
        &mut self,
        table: &Table,
        mut take: impl AsyncFnMut(&[Value]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (sender, mut rows) = mpsc::channel(AHEAD);
        let (connection, table) = (Arc::clone(&self.connection), table.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let mut statement = connection.prepare(&table.select(""))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                // Whoever took them has failed.
                if sender.blocking_send(table.sent(row)?).is_err() {
                    break;
                }
            }
            rusqlite::Result::Ok(())
        });
        while let Some(row) = rows.recv().await {
            take(&row).await?;
        }
        match reading.await {
            Ok(read) => read.map_err(sqlite_said).context(READ),
            Err(crashed) => Err(sqlx::Error::AnyDriverError(Box::new(crashed))).context(READ),
        }
    }
}

/// The number of the last migration that was applied; what is read from here on is of one moment.
fn version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.execute_batch("BEGIN")?;
    let sql = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
    connection
        .query_row(sql, [], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}

/// The first column of all rows.
fn texts(connection: &Connection, sql: &str, args: &[&str]) -> Result<Vec<String>, StoreError> {
    let read = || {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(args), |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()
    };
    read().map_err(sqlite_said).context(READ)
}

/// All tables but sqlx' own, each after those it refers to.
fn tables(connection: &Connection) -> Result<Vec<Table>, MoveFailed> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
               AND name <> '_sqlx_migrations' ORDER BY name";
    let mut names = texts(connection, sql, &[])?;
    let mut ordered: Vec<Table> = Vec::new();
    while !names.is_empty() {
        let (mut later, before) = (Vec::new(), ordered.len());
        for name in names {
            let sql = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?)";
            let parents = texts(connection, sql, &[&name])?;
            let is_there = |parent: &String| *parent == name || ordered.iter().any(|it| it.name == *parent);
            if parents.iter().all(is_there) {
                ordered.push(table(connection, name)?);
            } else {
                later.push(name);
            }
        }
        if ordered.len() == before {
            return Err(MoveFailed::Differs {
                table: later.first().cloned().unwrap_or_default(),
                why: "its references go round in a circle".to_owned(),
            });
        }
        names = later;
    }
    Ok(ordered)
}

/// Of each column its name, its declared type, and its place in the primary key.
fn columns(connection: &Connection, name: &str) -> rusqlite::Result<Vec<(String, String, i64)>> {
    let sql = "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn table(connection: &Connection, name: String) -> Result<Table, MoveFailed> {
    let found = columns(connection, &name).map_err(sqlite_said).context(READ)?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for (column, declared, place) in found {
        let kind = match declared.as_str() {
            "TEXT" => Kind::Text,
            "BIGINT" => Kind::Int,
            "BOOLEAN" => Kind::Bool,
            other => {
                return Err(MoveFailed::Differs {
                    table: name,
                    why: format!("column `{column}` is `{other}`, which cannot be moved"),
                });
            }
        };
        if place > 0 {
            key.push((place, column.clone()));
        }
        columns.push((column, kind));
    }
    key.sort();
    let key: Vec<_> = key.into_iter().map(|(_, column)| column).collect();
    if key.is_empty() {
        return Err(MoveFailed::Differs {
            table: name,
            why: "it has no primary key".to_owned(),
        });
    }
    Ok(Table { name, columns, key })
}
