//! Kills of everything there is, amid changes, over PostgreSQL with two processes of the server behind one address.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use reeve_e2e::{Replica, Rest, Stack, blocking};
use reeve_testkit::{is_whole, wait_for};
use serde_json::Value;
use tokio::task::JoinSet;

use super::writers::{Progress, lock, make_projects, start_writers};
use super::{all_rules, until_the_cluster_equals_the_database};
use crate::harness::on_a_stack_of_replicas;

const CHANGES: usize = 200;
const WRITERS: u64 = 4;
/// How many runs there are: the sample of every `make test`, and all of `make chaos`.
const SAMPLE: u64 = 2;
const ALL: u64 = 20;

/// What dies.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Server,
    Replica,
    Database,
    Operator,
}

/// Each run: 200 changes of rules, meanwhile a SIGKILL of each of the four in a seeded order at seeded moments. Then the cluster
/// is what the database says, every acknowledged rule is there, no acknowledged deletion came back, the audit chain verifies.
#[test]
fn after_kills_of_server_replica_database_and_operator_the_cluster_equals_the_database() {
    on_a_stack_of_replicas("chaos", async |mut stack| {
        let runs = if is_whole("CHAOS") { ALL } else { SAMPLE };
        let projects = make_projects(&stack).await?;
        for seed in 1..=runs {
            run(&mut stack, &projects, seed)
                .await
                .with_context(|| format!("run {seed}"))?;
        }
        an_operator_that_was_not_killed_was_sent_only_what_was_later(&stack)
    });
}

async fn run(stack: &mut Stack, projects: &[String], seed: u64) -> Result<()> {
    // A token does not live as long as twenty runs.
    stack.admin = signed_in(stack).await?;
    let progress = Progress::new();
    let mut writers = JoinSet::new();
    let books = start_writers(WRITERS, seed, &stack.admin, projects, &progress, &mut writers);
    let mut random = StdRng::seed_from_u64(seed);
    let mut victims = [
        Victim::Server,
        Victim::Replica,
        Victim::Database,
        Victim::Operator,
    ];
    victims.shuffle(&mut random);
    progress.permits.add_permits(CHANGES);
    let share = CHANGES / victims.len();
    for (round, victim) in victims.into_iter().enumerate() {
        let at = round * share + random.random_range(3..share - 12);
        progress.until_however_long(at, &mut writers).await?;
        let absence = Duration::from_millis(random.random_range(0..800));
        strike(stack, victim, absence)
            .await
            .with_context(|| format!("{victim:?} killed at {at} changes"))?;
    }
    progress.until_however_long(CHANGES, &mut writers).await?;
    progress.permits.close();
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    let answered = progress.answered.load(Ordering::SeqCst);
    ensure!(answered == CHANGES, "{answered} changes were answered");
    until_both_answer(stack).await?;
    let ids: BTreeSet<i64> = all_rules(&stack.admin)
        .await?
        .iter()
        .filter_map(|rule| rule["id"].as_i64())
        .collect();
    for book in &books {
        lock(book).must_be_kept_in(&ids)?;
    }
    until_the_cluster_equals_the_database(stack).await?;
    for replica in [Replica::First, Replica::Second] {
        the_audit_chain_verifies(stack, replica)?;
    }
    Ok(())
}

/// Kills one and starts it again after a while.
async fn strike(stack: &mut Stack, victim: Victim, absence: Duration) -> Result<()> {
    match victim {
        Victim::Server => {
            stack.kill_server()?;
            tokio::time::sleep(absence).await;
            stack.start_server().await
        }
        Victim::Replica => {
            stack.kill_replica()?;
            tokio::time::sleep(absence).await;
            stack.start_replica().await
        }
        Victim::Database => {
            let postgres = stack.postgres().context("no PostgreSQL")?;
            blocking(|| postgres.kill())?;
            tokio::time::sleep(absence).await;
            blocking(|| postgres.resume())
        }
        Victim::Operator => {
            stack.kill_operator()?;
            tokio::time::sleep(absence).await;
            stack.start_operator().await
        }
    }
}

async fn signed_in(stack: &Stack) -> Result<Rest> {
    let nobody = stack.admin.with_token(None);
    nobody
        .sign_in(reeve_e2e::ADMINISTRATOR, &stack.admin_password)
        .await
}

/// Two answers in a row by way of the balancer are of either process, and each has found its database again.
async fn until_both_answer(stack: &Stack) -> Result<()> {
    wait_for(
        Duration::from_secs(60),
        "both processes to be ready",
        async || {
            for _ in 0..2 {
                // A client of its own has a connection of its own.
                let fresh = Rest::new(stack.admin.url(), &stack.ca_file)?;
                fresh.get("/readyz").await?.expect(200)?;
            }
            Ok(Some(()))
        },
    )
    .await
}

fn the_audit_chain_verifies(stack: &Stack, replica: Replica) -> Result<()> {
    let output = Command::new(reeve_testkit::binary("reeve-server")?)
        .args(["audit", "verify", "--data-dir"])
        .arg(stack.data_dir(replica))
        .envs(stack.environment())
        .output()?;
    ensure!(
        output.status.success(),
        "{replica:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Whichever process it reconnected to: of all connections after a start of the operator only the first asked for everything.
fn an_operator_that_was_not_killed_was_sent_only_what_was_later(stack: &Stack) -> Result<()> {
    let log = stack.operator().context("the operator is not running")?.log();
    let (mut fresh, mut resumed) = (0, 0);
    for line in log.lines().filter(|line| line.contains("link connected")) {
        let line: Value = serde_json::from_str(line)?;
        match line["resume"].is_null() {
            true => fresh += 1,
            false => resumed += 1,
        }
    }
    let complete = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["message"] == "batch" && line["complete"] == true && line["more"] == false)
        .count();
    ensure!(resumed > 0, "it never resumed: {fresh} fresh connections");
    // Which may have been cut before it had everything.
    ensure!(
        complete <= fresh,
        "{complete} complete states were sent, and {fresh} asked for"
    );
    Ok(())
}
