//! A store that forgets to record one of its writes, in the audit log or in the change log: the conformance suite finds each.

use reeve_store::conformance::{
    AUDITED_WRITES, Organization, every_write_is_in_the_audit_log, kinds_of_change,
    the_change_log_tells_all_that_changes,
};
use tokio::task::JoinHandle;

use crate::sqlite::{fresh, write_beside};

#[test]
fn the_suite_exercises_every_write() {
    reeve_store::conformance::the_suite_writes_by_every_method_that_takes_an_event();
}

/// Runs the check over a database that, from its `nth` event on, once takes an event back as if it was never written: with the
/// counter, so that the chain is whole.
async fn with_a_store_that_forgets(nth: usize) -> JoinHandle<()> {
    let (store, dir) = fresh().await;
    let trigger = format!(
        "CREATE TABLE forgotten (once INTEGER);
         CREATE TRIGGER forget AFTER INSERT ON audit_events
         WHEN NEW.sequence = {nth} AND NOT EXISTS (SELECT 1 FROM forgotten)
         BEGIN
             INSERT INTO forgotten VALUES (1);
             DELETE FROM audit_events WHERE sequence = NEW.sequence;
             UPDATE counters SET value = value - 1 WHERE name = 'audit';
         END"
    );
    write_beside(&dir.path().join("reeve.db"), &trigger);
    tokio::spawn(async move {
        let _keep = dir;
        every_write_is_in_the_audit_log(Organization::new(store).await).await;
    })
}

#[tokio::test]
async fn each_forgotten_event_shows() {
    // Without the fault the check passes: nothing comes back.
    let nothing = AUDITED_WRITES.len() + 100;
    with_a_store_that_forgets(nothing).await.await.unwrap();
    // `report` writes two events, three others sign somebody in first, and secret assets need a credential.
    for nth in 1..=AUDITED_WRITES.len() + 5 {
        let outcome = with_a_store_that_forgets(nth).await.await;
        assert!(
            outcome.is_err_and(|error| error.is_panic()),
            "event {nth} was not missed"
        );
    }
}

/// Empties the entries that tell of a kind of change; of the others nothing. Whether the check still passes.
async fn passes_without_changes_of(kind: &str) -> bool {
    let (store, dir) = fresh().await;
    let trigger = format!(
        "CREATE TRIGGER forget AFTER INSERT ON directory_changes WHEN NEW.body LIKE '%\"{kind}\"%'
         BEGIN
             UPDATE directory_changes SET body = '[]' WHERE number = NEW.number;
         END"
    );
    write_beside(&dir.path().join("reeve.db"), &trigger);
    let check = tokio::spawn(async move {
        the_change_log_tells_all_that_changes(Organization::new(store).await).await;
    });
    match check.await {
        Ok(()) => true,
        Err(error) => {
            assert!(error.is_panic());
            false
        }
    }
}

#[tokio::test]
async fn each_kind_of_change_that_is_not_logged_shows() {
    assert!(passes_without_changes_of("none of them").await);
    for kind in kinds_of_change() {
        assert!(
            !passes_without_changes_of(kind).await,
            "nobody missed changes of the kind `{kind}`"
        );
    }
}
