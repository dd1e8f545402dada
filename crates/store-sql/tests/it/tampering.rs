//! Somebody with the database file in her hands: what she changed in the audit log shows.

use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_store::StoreError;
use reeve_store::conformance::Organization;

use crate::sqlite::{fresh, key, open, write_beside};

async fn verdict_after(statement: &'static str) -> Result<i64, StoreError> {
    let (store, dir) = fresh().await;
    let mut organization = Organization::new(store).await;
    organization.cluster(10, "a").await;
    organization.cluster(11, "b").await;
    write_beside(&dir.path().join("reeve.db"), statement);
    let granted = organization.may(Action::Read, Entity::EventsHistory, Scope::Account);
    organization.store.verify_audit_chain(&granted).await
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

/// The verdict on a chain of which events 3 and 5 were pruned, by event 7, after somebody did this.
async fn verdict_on_pruned_after(statement: &'static str) -> Result<i64, StoreError> {
    let (store, dir) = fresh().await;
    let mut organization = Organization::new(store).await;
    organization.cluster(10, "a").await;
    let session = Granted::bootstrap(BootstrapException::SessionRecord);
    let attempt = || vec![organization.attempt(0)];
    organization
        .store
        .record_attempts(&session, attempt())
        .await
        .unwrap();
    organization.try_cluster(11, "b").await.unwrap();
    organization
        .store
        .record_attempts(&session, attempt())
        .await
        .unwrap();
    organization.try_cluster(12, "c").await.unwrap();
    let before = organization.attempt(1).timestamp;
    let pruned = organization
        .store
        .prune_attempts(&session, before, i64::MAX, 10, organization.attempt(1))
        .await;
    assert_eq!(pruned.unwrap(), 2);
    write_beside(&dir.path().join("reeve.db"), statement);
    let granted = organization.may(Action::Read, Entity::EventsHistory, Scope::Account);
    organization.store.verify_audit_chain(&granted).await
}

#[tokio::test]
async fn nothing_goes_under_the_cloak_of_a_pruning() {
    assert_eq!(verdict_on_pruned_after("SELECT 1").await.unwrap(), 7);
    for statement in [
        // One event more than what was pruned.
        "DELETE FROM audit_events WHERE sequence = 4",
        "DELETE FROM audit_events WHERE sequence = 2",
        // Nobody says any more that something was pruned.
        "DELETE FROM audit_prunings",
        "DELETE FROM audit_events WHERE sequence = 7; UPDATE counters SET value = 6 WHERE name = 'audit'",
        // It is said of more than it was.
        "UPDATE audit_events SET body = replace(body, '3-3:', '3-4:') WHERE sequence = 7;
         DELETE FROM audit_events WHERE sequence = 4",
        // Events before and after the gap.
        "UPDATE audit_events SET body = replace(body, 'admin@', 'other@') WHERE sequence = 2",
        "UPDATE audit_events SET body = replace(body, 'admin@', 'other@') WHERE sequence = 4",
    ] {
        let verdict = verdict_on_pruned_after(statement).await;
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
    let store = open(&file).await;
    let mut organization = Organization::new(std::sync::Arc::new(store)).await;
    let cluster = organization.cluster(10, "a").await;
    // Neither closed nor dropped: what is on the disk now is what a killed process leaves.
    let copy = dir.path().join("copy.db");
    for side in ["", "-wal"] {
        let name = |file: &std::path::Path| format!("{}{side}", file.display());
        std::fs::copy(name(&file), name(&copy)).unwrap();
    }
    let again = open(&copy).await;
    let directory = reeve_store::Directory::directory(&again).await.unwrap();
    assert_eq!(
        directory.clusters.iter().map(|it| it.id).collect::<Vec<_>>(),
        [cluster.id]
    );
    drop(organization);
}

#[tokio::test]
async fn an_ordinary_person_can_go_though_no_local_administrator_is_left() {
    let (store, dir) = fresh().await;
    let organization = Organization::new(store).await;
    let bob = organization.try_user(2, "bob@example.com", None).await.unwrap();
    write_beside(
        &dir.path().join("reeve.db"),
        "UPDATE access_rules SET deleted_at = 1",
    );
    organization.delete_user(bob.id).await.unwrap();
}

#[tokio::test]
async fn what_is_opened_for_reading_reads_beside_a_writer_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.db");
    assert!(
        reeve_store_sql::SqlStore::open_sqlite_read_only(&file, Some(key()))
            .await
            .is_err()
    );
    assert!(!file.exists(), "it is not made");
    let store = open(&file).await;
    let mut organization = Organization::new(std::sync::Arc::new(store)).await;
    let cluster = organization.cluster(10, "a").await;
    let reader = std::sync::Arc::new(
        reeve_store_sql::SqlStore::open_sqlite_read_only(&file, Some(key()))
            .await
            .unwrap(),
    );
    let directory = reeve_store::Directory::directory(reader.as_ref()).await.unwrap();
    assert_eq!(directory.clusters.len(), 1);
    organization.store = reader;
    let refused = organization.try_department(cluster.id, "vision").await;
    assert!(matches!(refused, Err(StoreError::Database { .. })), "{refused:?}");
}
