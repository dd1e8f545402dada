//! The SQLite database that is moved: its tables, in an order in which each comes after those it refers to, and their rows.

use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt;
use reeve_store::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ColumnIndex, ConnectOptions, Database, Decode, Executor, Row, Type};

use super::MoveFailed;
use super::value::Value;
use crate::driver::{StoreResultExt, newest_migration, storable};

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

    /// A row of [`Table::select`].
    pub(super) fn read<'r, R>(&self, row: &'r R) -> Result<Vec<Value>, StoreError>
    where
        R: Row,
        usize: ColumnIndex<R>,
        Option<String>: Decode<'r, R::Database> + Type<R::Database>,
        Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
        Option<bool>: Decode<'r, R::Database> + Type<R::Database>,
        R::Database: Database,
    {
        let value = |(at, (_, kind)): (usize, &(String, Kind))| {
            Ok(match kind {
                Kind::Text => {
                    let text: Option<String> = row.try_get(at)?;
                    Value::Text(text.as_deref().map(storable))
                }
                Kind::Int => Value::Int(row.try_get(at)?),
                Kind::Bool => Value::Bool(row.try_get(at)?),
            })
        };
        let values: Result<Vec<_>, sqlx::Error> = self.columns.iter().enumerate().map(value).collect();
        values.context(READ)
    }
}

/// The database, in one transaction that reads.
#[derive(Debug)]
pub(super) struct Source {
    connection: SqliteConnection,
    tables: Vec<Table>,
}

impl Source {
    pub(super) async fn open(file: &Path) -> Result<Self, MoveFailed> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("query_only", "1");
        let mut connection = options.connect().await.context(READ)?;
        connection.execute("BEGIN").await.context(READ)?;
        let version = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE success");
        let version: Option<i64> = version.fetch_one(&mut connection).await.context(READ)?;
        if version != Some(newest_migration()) {
            return Err(MoveFailed::Version);
        }
        let tables = tables(&mut connection).await?;
        Ok(Self { connection, tables })
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
        let mut rows = sqlx::query(AssertSqlSafe(table.select(""))).fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await.context(READ)? {
            take(&table.read(&row)?).await?;
        }
        Ok(())
    }
}

/// All tables but sqlx' own, each after those it refers to.
async fn tables(connection: &mut SqliteConnection) -> Result<Vec<Table>, MoveFailed> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
               AND name <> '_sqlx_migrations' ORDER BY name";
    let mut names: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(&mut *connection)
        .await
        .context(READ)?;
    let mut ordered: Vec<Table> = Vec::new();
    while !names.is_empty() {
        let (mut later, before) = (Vec::new(), ordered.len());
        for name in names {
            let sql = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?)";
            let parents: Vec<String> = sqlx::query_scalar(sql)
                .bind(&name)
                .fetch_all(&mut *connection)
                .await
                .context(READ)?;
            let is_there = |parent: &String| *parent == name || ordered.iter().any(|it| it.name == *parent);
            if parents.iter().all(is_there) {
                ordered.push(table(connection, name).await?);
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

async fn table(connection: &mut SqliteConnection, name: String) -> Result<Table, MoveFailed> {
    let sql = "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid";
    let rows = sqlx::query(sql).bind(&name).fetch_all(connection).await;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for row in rows.context(READ)? {
        let column: String = row.try_get(0).context(READ)?;
        let declared: String = row.try_get(1).context(READ)?;
        let place: i64 = row.try_get(2).context(READ)?;
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
