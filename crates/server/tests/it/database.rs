//! Where a test's server keeps its data: a directory, and in it a file of SQLite, or beside it, as `DATABASE=postgres` asks for, a
//! database of its own in the PostgreSQL that the tests of this process share.

mod beside;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use reeve_identity::MasterKey;
use reeve_store_sql::{AuditKey, SqlStore};
use reeve_testkit::{Database, Postgres, Template, postgres};
use reeve_types::Timestamp;
use tempfile::TempDir;

pub(crate) use beside::{Beside, beside_sqlite, holds};

use crate::server::Server;

/// The file of SQLite in a data directory.
const FILE: &str = "reeve.db";

/// The data of a server in this process. They go with the value.
pub(crate) struct Data {
    folder: TempDir,
    /// The address of the database, unless it is the file.
    url: Option<String>,
    /// The name of the database that goes with the value.
    own: Option<String>,
}

/// Names of databases whose tests are over. They are removed when the next one is made, where somebody can wait for it.
static OVER: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Drop for Data {
    fn drop(&mut self) {
        let mut over = OVER.lock().unwrap_or_else(PoisonError::into_inner);
        over.extend(self.own.take());
    }
}

impl Data {
    /// Data of nobody yet, on the database that is asked for.
    pub(crate) async fn new() -> Arc<Self> {
        Self::with(match reeve_testkit::database() {
            Database::Sqlite => None,
            Database::Postgres => Some(made().await),
        })
    }

    /// Data in a database that the test has made, and that stays when they go.
    pub(crate) fn given(url: &str) -> Arc<Self> {
        Arc::new(Self {
            folder: tempfile::tempdir().unwrap(),
            url: Some(url.to_owned()),
            own: None,
        })
    }

    fn with(own: Option<String>) -> Arc<Self> {
        let url = own.as_ref().map(|name| shared().url(name));
        let folder = tempfile::tempdir().unwrap();
        Arc::new(Self { folder, url, own })
    }

    /// A copy, of what no store has open any more.
    pub(crate) async fn copy(&self) -> Arc<Self> {
        match (&self.own, self.beside()) {
            (Some(name), _) => Self::with(Some(shared().copy_of(name).await.unwrap())),
            (None, Beside::File(file)) => {
                let copy = Self::with(None);
                // Not the file alone: what some connection still holds open has a part of its content in the log beside it.
                let to = copy.path().join(FILE).display().to_string();
                rusqlite::Connection::open(file)
                    .unwrap()
                    .execute("VACUUM INTO ?", [to])
                    .unwrap();
                copy
            }
            (None, Beside::Url(url)) => panic!("{url} belongs to the test, which knows how to copy it"),
        }
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The database as it is reached beside the server.
    pub(crate) fn beside(&self) -> Beside {
        match &self.url {
            Some(url) => Beside::Url(url.clone()),
            None => Beside::File(self.path().join(FILE)),
        }
    }

    /// A store over them.
    pub(crate) async fn store(&self, now: Timestamp) -> SqlStore {
        match &self.url {
            Some(url) => opened(url, now).await,
            None => {
                let file = self.path().join(FILE);
                SqlStore::open_sqlite(&file, audit_key(), now).await.unwrap()
            }
        }
    }
}

fn audit_key() -> AuditKey {
    AuditKey::new(MasterKey::from_bytes(&[7; 32]).unwrap().audit_key())
}

async fn opened(url: &str, now: Timestamp) -> SqlStore {
    SqlStore::open_postgres(&url.parse().unwrap(), audit_key(), now)
        .await
        .unwrap()
}

fn shared() -> &'static Postgres {
    postgres().expect("DATABASE=postgres, but there is no PostgreSQL")
}

/// A database with the tables of a store in it, and no more; its name.
async fn made() -> String {
    static TABLES: Template = Template::new();
    let over = std::mem::take(&mut *OVER.lock().unwrap_or_else(PoisonError::into_inner));
    for name in over {
        shared().remove_database(&name).await.unwrap();
    }
    let with_tables = async |url: &str| opened(url, Timestamp::from_millis(0)).await.close().await;
    TABLES.copy(shared(), with_tables).await.unwrap()
}

/// The databases of programs, by their data directories.
static OF_PROGRAMS: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// The address of the database of a program with this data directory, where `DATABASE` asks for one and it was made.
pub(crate) fn of_program(data: &Path) -> Option<String> {
    let known = OF_PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(data).cloned()
}

/// The same; it is made, with nothing in it, unless it was. Nothing on SQLite: its file is in the directory.
pub(crate) async fn made_for_program(data: &Path) -> Option<String> {
    if reeve_testkit::database() == Database::Sqlite {
        return None;
    }
    if let Some(url) = of_program(data) {
        return Some(url);
    }
    let url = shared().url(&shared().empty_database().await.unwrap());
    let mut known = OF_PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(data.to_owned(), url.clone());
    Some(url)
}

/// Red where the switch is ignored: everything would be shown on SQLite twice.
#[tokio::test]
async fn servers_run_over_the_database_that_was_asked_for_each_over_its_own() {
    let (one, other) = (Server::new().await, Server::new().await);
    one.user("erin@example.com", serde_json::Value::Null).await;
    let users = "SELECT COUNT(*) AS users FROM users";
    let count = async |server: &Server| server.dir.beside().read(users).await[0]["users"].clone();
    assert_eq!((count(&one).await, count(&other).await), (2.into(), 1.into()));
    let asked = reeve_testkit::database();
    for server in [&one, &other] {
        let is_file = server.dir.path().join(FILE).exists();
        assert_eq!(is_file, asked == Database::Sqlite, "{asked:?}");
    }
    // What is copied is another's from then on.
    one.sql.close().await;
    let copied = Server::open_copy(one.dir.copy().await, one.clock.clone()).await;
    copied.user("frank@example.com", serde_json::Value::Null).await;
    assert_eq!((count(&one).await, count(&copied).await), (2.into(), 3.into()));
}
