//! Every promise of a store, on SQLite.

use std::sync::Arc;

use reeve_store::Store;
use reeve_store_sql::SqlStore;
use tempfile::TempDir;

pub(crate) async fn fresh() -> (Arc<dyn Store>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqlStore::open_sqlite(&dir.path().join("reeve.db")).await.unwrap();
    (Arc::new(store), dir)
}

reeve_store::conformance_tests!(fresh);
