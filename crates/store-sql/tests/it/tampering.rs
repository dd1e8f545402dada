//! Somebody with the database file in her hands: what she changed in the audit log shows.

use reeve_authz::{Action, Entity, Scope};
use reeve_store::StoreError;
use reeve_store::conformance::World;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::sqlite::fresh;

async fn verdict_after(statement: &'static str) -> Result<i64, StoreError> {
    let (store, dir) = fresh().await;
    let mut world = World::new(store).await;
    world.cluster(10, "a").await;
    world.cluster(11, "b").await;
    let options = SqliteConnectOptions::new().filename(dir.path().join("reeve.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
    let granted = world.may(Action::Read, Entity::EventsHistory, Scope::Account);
    world.store.verify_audit_chain(&granted).await
}

#[tokio::test]
async fn an_untouched_chain_is_whole() {
    assert_eq!(verdict_after("SELECT 1").await.unwrap(), 3);
}

#[tokio::test]
async fn an_altered_removed_or_cut_event_shows() {
    for statement in [
        "UPDATE audit_events SET body = replace(body, 'admin@', 'other@') WHERE sequence = 2",
        "DELETE FROM audit_events WHERE sequence = 2",
        "DELETE FROM audit_events WHERE sequence = 3",
        "UPDATE audit_events SET hash = previous WHERE sequence = 1",
    ] {
        let verdict = verdict_after(statement).await;
        assert!(
            matches!(verdict, Err(StoreError::Corrupt { .. })),
            "{statement}: {verdict:?}"
        );
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_the_process_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.db");
    let store = reeve_store_sql::SqlStore::open_sqlite(&file).await.unwrap();
    let mut world = World::new(std::sync::Arc::new(store)).await;
    let cluster = world.cluster(10, "a").await;
    // Neither closed nor dropped: what is on the disk now is what a killed process leaves.
    let copy = dir.path().join("copy.db");
    for side in ["", "-wal"] {
        let name = |file: &std::path::Path| format!("{}{side}", file.display());
        std::fs::copy(name(&file), name(&copy)).unwrap();
    }
    let again = reeve_store_sql::SqlStore::open_sqlite(&copy).await.unwrap();
    let directory = reeve_store::Directory::directory(&again).await.unwrap();
    assert_eq!(
        directory.clusters.iter().map(|it| it.id).collect::<Vec<_>>(),
        [cluster.id]
    );
    drop(world);
}
