//! Every promise of a store, on SQLite.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reeve_store::Store;
use reeve_store_sql::{AuditKey, SqlStore};
use reeve_types::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) async fn fresh() -> (Arc<dyn Store>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("reeve.db")).await;
    (Arc::new(store), dir)
}

/// The key of every chain in these tests.
pub(crate) fn key() -> AuditKey {
    AuditKey::new([7; 32].into())
}

pub(crate) async fn open(file: &Path) -> SqlStore {
    SqlStore::open_sqlite(file, key(), Timestamp::from_millis(1_700_000_000_000))
        .await
        .unwrap()
}

/// A connection of its own to the file of a store, open or not.
pub(crate) fn beside(file: &Path) -> Connection {
    Connection::open(file).unwrap()
}

/// Runs statements on the file of a store, open or not.
pub(crate) fn write_beside(file: &Path, statements: &str) {
    beside(file).execute_batch(statements).unwrap();
}

/// A file that holds what was dumped from a store of before.
pub(crate) fn written(dump: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.db");
    // Its rows come table by table, whichever names the other.
    write_beside(&file, &format!("PRAGMA foreign_keys = OFF; {dump}"));
    (dir, file)
}

async fn found() -> Option<(Arc<dyn Store>, TempDir)> {
    Some(fresh().await)
}

reeve_store::conformance_tests!(found);
