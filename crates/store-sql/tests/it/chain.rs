//! Somebody with the database file in her hands, but without the master key: she recomputes hashes, cuts the end together with
//! the counter, or writes the whole log anew.

use std::path::{Path, PathBuf};

use reeve_store::AuditHead;
use reeve_store::conformance::Organization;
use reeve_store_sql::{Broken, SqlStore, Verified};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::sqlite::{beside, key, open, write_beside};

/// A database with four events that nobody has open.
async fn four_events() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.db");
    let store = std::sync::Arc::new(open(&file).await);
    let mut organization = Organization::new(store.clone()).await;
    for number in 10..13 {
        organization.cluster(number, &format!("c{number}")).await;
    }
    drop(organization);
    store.close().await;
    (dir, file)
}

/// Everything from `first` on gets the plain hashes that need no key.
fn recompute(file: &Path, first: i64) {
    let connection = beside(file);
    let mut events = connection
        .prepare("SELECT sequence, hash, body FROM audit_events ORDER BY sequence")
        .unwrap();
    let rows = events.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let rows: Vec<(i64, String, String)> = rows.unwrap().map(Result::unwrap).collect();
    let mut previous = String::new();
    for (sequence, mut hash, body) in rows {
        if sequence >= first {
            let digest = Sha256::digest(format!("{sequence}\n{previous}\n{body}"));
            hash = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let sql = "UPDATE audit_events SET previous = ?2, hash = ?3, keyed = FALSE WHERE sequence = ?1";
            connection.execute(sql, (sequence, &previous, &hash)).unwrap();
        }
        previous = hash;
    }
}

async fn verify(file: &Path, heads: &[AuditHead]) -> Result<Verified, Broken> {
    let store = SqlStore::open_sqlite_read_only(file, Some(key())).await.unwrap();
    let verdict = store.verify_audit(heads).await.unwrap();
    store.close().await;
    verdict
}

async fn broken_at(file: &Path, heads: &[AuditHead]) -> i64 {
    verify(file, heads).await.unwrap_err().row
}

#[tokio::test]
async fn an_end_that_was_cut_shows_by_a_head_of_before() {
    let (_dir, file) = four_events().await;
    let whole = verify(&file, &[]).await.unwrap();
    assert_eq!((whole.events, whole.unkeyed, whole.head.sequence), (4, 0, 4));
    assert_eq!(whole.head.to_string().parse::<AuditHead>().unwrap(), whole.head);
    write_beside(
        &file,
        "DELETE FROM audit_events WHERE sequence = 4; UPDATE counters SET value = 3 WHERE name = 'audit'",
    );
    // The attack is live: the rest fits.
    assert_eq!(verify(&file, &[]).await.unwrap().events, 3);
    assert_eq!(broken_at(&file, &[whole.head]).await, 4);
}

#[tokio::test]
async fn a_changed_row_shows_though_every_hash_that_needs_no_key_was_recomputed() {
    let (_dir, file) = four_events().await;
    let head = verify(&file, &[]).await.unwrap().head;
    write_beside(
        &file,
        "UPDATE audit_events SET body = replace(body, 'admin@', 'other@') WHERE sequence = 2",
    );
    assert_eq!(broken_at(&file, &[]).await, 2);
    recompute(&file, 2);
    assert_eq!(broken_at(&file, &[]).await, 2);
    // The whole log made one of before the key: only what is known outside of the database shows that.
    recompute(&file, 1);
    assert_eq!(verify(&file, &[]).await.unwrap().unkeyed, 4);
    assert_eq!(broken_at(&file, &[head]).await, 4);
}

#[tokio::test]
async fn a_removed_row_shows_and_so_does_another_key() {
    let (_dir, file) = four_events().await;
    let other = reeve_store_sql::AuditKey::new([8; 32].into());
    let store = SqlStore::open_sqlite_read_only(&file, Some(other)).await.unwrap();
    assert_eq!(store.verify_audit(&[]).await.unwrap().unwrap_err().row, 1);
    store.close().await;
    write_beside(&file, "DELETE FROM audit_events WHERE sequence = 2");
    assert_eq!(broken_at(&file, &[]).await, 2);
}

#[tokio::test]
async fn a_log_of_before_the_key_goes_on_with_it_and_cannot_be_changed_any_more() {
    let (_dir, file) = four_events().await;
    recompute(&file, 1);
    let store = open(&file).await;
    let upgraded = store.verify_audit(&[]).await.unwrap().unwrap();
    assert_eq!((upgraded.events, upgraded.unkeyed), (5, 4));
    let last = store.audit_page(4, 1).await.unwrap().remove(0);
    assert!(last.keyed);
    assert!(last.entry.metadata["unkeyed_up_to"].starts_with("4:"), "{last:?}");
    store.close().await;
    // Once only.
    open(&file).await.close().await;
    assert_eq!(verify(&file, &[]).await.unwrap().events, 5);
    write_beside(
        &file,
        "UPDATE audit_events SET body = replace(body, 'admin@', 'other@') WHERE sequence = 2",
    );
    assert_eq!(broken_at(&file, &[]).await, 2);
    let sql = "SELECT previous, hash FROM audit_events WHERE sequence = 5";
    let kept: (String, String) = beside(&file)
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    recompute(&file, 1);
    let sql = "UPDATE audit_events SET previous = ?1, hash = ?2, keyed = TRUE WHERE sequence = 5";
    assert_eq!(beside(&file).execute(sql, kept).unwrap(), 1);
    assert_eq!(
        broken_at(&file, &[]).await,
        5,
        "the first keyed event covers those before it"
    );
}
