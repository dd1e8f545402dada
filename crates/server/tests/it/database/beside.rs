//! Connections of the tests' own to the database of a server, whether that runs or not.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{FILE, of_program};
use crate::server::ADMIN;

/// A database, beside the server.
pub(crate) enum Beside {
    File(PathBuf),
    Url(String),
}

/// A database in which nobody else can change anything until this is dropped.
pub(crate) enum Held {
    File(rusqlite::Connection),
    Url(PgConnection),
}

impl Held {
    pub(crate) async fn release(self) {
        match self {
            Self::File(connection) => connection.execute_batch("ROLLBACK").unwrap(),
            Self::Url(connection) => connection.close().await.unwrap(),
        }
    }
}

impl Beside {
    /// The database of a program that was started with this data directory.
    pub(crate) fn program(data: &Path) -> Self {
        of_program(data).map_or_else(|| Self::File(data.join(FILE)), Self::Url)
    }

    async fn connect(url: &str) -> PgConnection {
        PgConnection::connect(url).await.unwrap()
    }

    /// Runs statements.
    pub(crate) async fn write(&self, statements: &str) {
        match self {
            Self::File(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.execute_batch(statements).unwrap();
            }
            Self::Url(url) => {
                let mut connection = Self::connect(url).await;
                let statements = AssertSqlSafe(statements.to_owned());
                sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// The rows of a query, each an object with its columns. What is true or false is 1 or 0 on SQLite.
    pub(crate) async fn read(&self, query: &str) -> Vec<Value> {
        match self {
            Self::File(file) => read_file(file, query),
            Self::Url(url) => {
                let mut connection = Self::connect(url).await;
                let as_json = AssertSqlSafe(format!("SELECT to_jsonb(q)::TEXT FROM ({query}) q"));
                let rows = sqlx::raw_sql(as_json).fetch_all(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                let texts = rows.iter().map(|row| row.get::<String, _>(0));
                texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
            }
        }
    }

    /// Keeps everybody else from changing anything.
    pub(crate) async fn hold(&self) -> Held {
        match self {
            Self::File(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                Held::File(connection)
            }
            Self::Url(url) => {
                let mut connection = Self::connect(url).await;
                let lock = "BEGIN; SELECT value FROM counters WHERE name = 'audit' FOR UPDATE";
                sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
                Held::Url(connection)
            }
        }
    }

    /// Everything that is kept, as bytes to look for something in: every file in the directory of SQLite's, with what was deleted
    /// and not yet written over; every row of every table of PostgreSQL.
    ///
    /// # Panics
    /// The administrator's name is not in it: then there would be no use in looking.
    pub(crate) async fn everything(&self) -> Vec<u8> {
        let mut all = Vec::new();
        match self {
            Self::File(file) => {
                for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
                    all.extend(std::fs::read(entry.unwrap().path()).unwrap_or_default());
                }
            }
            Self::Url(_) => {
                let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
                for table in self.read(tables).await {
                    let rows = format!("SELECT * FROM {}", table["table_name"].as_str().unwrap());
                    for row in self.read(&rows).await {
                        all.extend(row.to_string().into_bytes());
                    }
                }
            }
        }
        assert!(holds(&all, ADMIN), "what is searched holds nothing");
        all
    }
}

/// Whether a text is among bytes.
pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|it| it == text.as_bytes())
}

/// A connection to the file of SQLite in a data directory, for tests that are about SQLite alone.
pub(crate) fn beside_sqlite(data: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(data.join(FILE)).unwrap()
}

fn read_file(file: &Path, query: &str) -> Vec<Value> {
    use rusqlite::types::ValueRef;
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut statement = connection.prepare(query).unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let cell = |at: usize| match row.get_ref(at).unwrap() {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => json!(number),
            ValueRef::Real(number) => json!(number),
            ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
            ValueRef::Blob(bytes) => json!(bytes),
        };
        let cells: Map<String, Value> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.clone(), cell(at)))
            .collect();
        all.push(Value::Object(cells));
    }
    all
}
