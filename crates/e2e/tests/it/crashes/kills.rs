//! SIGKILLs in the middle of changes.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reeve_e2e::Stack;
use reeve_testkit::{Tier, wait_until};
use tokio::task::JoinSet;

use super::writers::{Progress, lock, make_projects, start_writers};
use super::{all_rules, found, until_the_cluster_equals_the_database, wanted};
use crate::harness::{on_a_stack_of_its_own, revision_lag, signal};

const CHANGES: usize = 200;
const KILLS: usize = 5;
const SHARE: usize = CHANGES / KILLS;
const WRITERS: u64 = 4;

#[test]
fn after_each_of_five_kills_of_the_server_with_requests_in_flight_the_cluster_equals_the_database() {
    on_a_stack_of_its_own("kill-server", Tier::ApiServer, async |stack| {
        kill_in_the_middle(stack, 7, async |stack, progress| {
            // Stopped wherever it is, so that what is in flight stays so, and then never let go on.
            signal(stack.server(), Signal::SIGSTOP)?;
            wait_until("a request to be in flight", async || {
                Ok((progress.in_flight.load(Ordering::SeqCst) > 0).then_some(()))
            })
            .await?;
            let before = progress.cut.load(Ordering::SeqCst);
            stack.kill_server()?;
            wait_until("what was in flight to be cut off", async || {
                Ok((progress.cut.load(Ordering::SeqCst) > before).then_some(()))
            })
            .await?;
            stack.start_server().await
        })
        .await
    });
}

#[test]
fn after_each_of_five_kills_of_the_operator_with_work_pending_the_cluster_equals_the_database() {
    on_a_stack_of_its_own("kill-operator", Tier::ApiServer, async |stack| {
        kill_in_the_middle(stack, 11, async |stack, _| {
            // Stopped wherever it is, so that what the writers are answered from now on is surely not done when it dies.
            signal(stack.operator(), Signal::SIGSTOP)?;
            wait_until("the operator to be behind the database", async || {
                let lag = revision_lag(stack).await?;
                ensure!(lag >= 1.0, "no revision is pending");
                let differs = wanted(&stack.admin).await? != found(stack).await?;
                Ok(differs.then_some(()))
            })
            .await?;
            stack.kill_operator()?;
            stack.start_operator().await
        })
        .await
    });
}

/// Four writers make and delete rules without pause, 200 changes in all, while `strike` kills and starts again at seeded
/// points of their way. After every start the cluster must become what the database says.
async fn kill_in_the_middle(
    mut stack: Stack,
    seed: u64,
    strike: impl AsyncFn(&mut Stack, &Progress) -> Result<()>,
) -> Result<()> {
    let projects = make_projects(&stack).await?;
    let progress = Progress::new();
    let mut writers = JoinSet::new();
    let books = start_writers(WRITERS, seed, &stack.admin, &projects, &progress, &mut writers);
    let mut random = StdRng::seed_from_u64(seed);
    for round in 0..KILLS {
        // Beyond the kill there is still something to do, or nothing would be pending when it strikes.
        let at = round * SHARE + random.random_range(3..SHARE - 12);
        progress.permits.add_permits(SHARE);
        progress.until(at, &mut writers).await?;
        strike(&mut stack, &progress)
            .await
            .with_context(|| format!("kill {} at {at} changes", round + 1))?;
        progress.until((round + 1) * SHARE, &mut writers).await?;
        let ids: BTreeSet<i64> = all_rules(&stack.admin)
            .await?
            .iter()
            .filter_map(|rule| rule["id"].as_i64())
            .collect();
        for book in &books {
            lock(book).must_be_kept_in(&ids)?;
        }
        until_the_cluster_equals_the_database(&stack)
            .await
            .with_context(|| format!("after kill {} at {at} changes", round + 1))?;
    }
    progress.permits.close();
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    let answered = progress.answered.load(Ordering::SeqCst);
    ensure!(answered == CHANGES, "{answered} changes were answered");
    Ok(())
}
