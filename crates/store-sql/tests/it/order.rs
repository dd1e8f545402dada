//! Who waits for whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reeve_authz::{BootstrapException, Granted};
use reeve_store::conformance::Organization;

use crate::sqlite::fresh;

const WAITING: usize = 200;

/// How many of those that came first are done when a change is that came after all of them. They record, or, as the planted
/// fault, stand in the same line as the change.
async fn done_before_a_change(naive: bool) -> usize {
    let (store, _dir) = fresh().await;
    let organization = Arc::new(Organization::new(store).await);
    let done = Arc::new(AtomicUsize::new(0));
    let waiting: Vec<_> = (0..WAITING)
        .map(|number| {
            let (organization, done) = (Arc::clone(&organization), Arc::clone(&done));
            tokio::spawn(async move {
                if naive {
                    let number = 1000 + u64::try_from(number).unwrap();
                    organization
                        .try_cluster(number, &format!("c{number}"))
                        .await
                        .unwrap();
                } else {
                    let granted = Granted::bootstrap(BootstrapException::SessionRecord);
                    let entry = organization.attempt(0);
                    organization.store.record(&granted, entry).await.unwrap();
                }
                done.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    // All of them have asked.
    while done.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let before = done.load(Ordering::SeqCst);
    organization.try_cluster(10, "a").await.unwrap();
    let meanwhile = done.load(Ordering::SeqCst) - before;
    for it in waiting {
        it.await.unwrap();
    }
    meanwhile
}

/// With threads, as a server has them: on one alone each would be done before the next one asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_go_before_recordings() {
    let meanwhile = done_before_a_change(false).await;
    assert!(meanwhile <= 10, "{meanwhile} recordings went before a change");
    let naive = done_before_a_change(true).await;
    assert!(
        naive > WAITING / 2,
        "in one line a change waits for all before it, here {naive}"
    );
}
