//! Planted faults: each check once replaced by `true` on the API server; the case table must turn red.

use std::collections::BTreeSet;

use anyhow::Result;
use reeve_admission::{checks, failing, fill, policies, policies_with_fault};
use reeve_testkit::{Options, Tier, own_cluster, wait_for};

use crate::stage::{Stage, judge};
use crate::table::{Row, rows};
use crate::world;

/// What every run tries; `MUTANTS=all` tries every check.
const SAMPLE: [&str; 12] = [
    "stamp-unchanged",
    "verified-identity",
    "template-owner",
    "controller-owner",
    "own-stamp",
    "pod-user",
    "groups-policy",
    "privilege-escalation",
    "protected-labels",
    "token-secret",
    "external-ips",
    "operator-binding-namespace",
];

/// The checks to try, and how many there must be.
fn chosen() -> (Vec<&'static str>, usize) {
    match std::env::var_os("MUTANTS") {
        Some(value) if value == "all" => (checks().map(|c| c.id).collect(), checks().count()),
        Some(value) if value != "sample" => panic!("MUTANTS must be `all` or `sample`, it is {value:?}"),
        _ => (SAMPLE.to_vec(), 12),
    }
}

/// Up to three rows that this check alone refuses, or at least that it refuses first.
fn candidates(all: &[Row], id: &str) -> Vec<Row> {
    let alone = |row: &Row| {
        let mut request = row.request(
            row.base
                .as_deref()
                .map(|owner| world::base(&row.kind, owner))
                .as_ref(),
        );
        fill(&mut request);
        failing(&request).len() == 1
    };
    let mut rows: Vec<Row> = all
        .iter()
        .filter(|r| r.refused && r.check == id)
        .cloned()
        .collect();
    rows.sort_by_key(|row| !alone(row));
    rows.truncate(3);
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_fault_in_any_check_turns_the_table_red() -> Result<()> {
    let options = Options {
        tier: Tier::ApiServer,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    let (chosen, wanted) = chosen();
    let all = rows()?;
    let per_check: Vec<(&str, Vec<Row>)> = chosen.iter().map(|id| (*id, candidates(&all, id))).collect();
    let needed: Vec<Row> = per_check.iter().flat_map(|(_, rows)| rows.clone()).collect();
    let stage = Stage::set(&cluster, &needed, &["privileged"]).await?;
    let needed: Vec<&Row> = needed.iter().collect();
    let wrong = stage.try_rows(&needed, "privileged").await?;
    assert!(wrong.is_empty(), "without a fault: {}", wrong.join("\n"));
    let sound = policies();
    let mut red = Vec::new();
    let mut survived = Vec::new();
    for (id, candidates) in &per_check {
        let faulty = policies_with_fault(id);
        let at = sound
            .iter()
            .zip(&faulty)
            .position(|(a, b)| a != b)
            .expect("a fault changes a policy");
        stage.install(&faulty[at..=at]).await?;
        let noticed = wait_for(std::time::Duration::from_secs(15), id, async || {
            for row in candidates {
                let (_, answer) = stage.try_row(row, "privileged").await?;
                if judge(row, "privileged", &answer).is_some() {
                    return Ok(Some(row.to_string()));
                }
            }
            Ok(None)
        })
        .await;
        stage.install(&sound[at..=at]).await?;
        match noticed {
            Ok(row) => red.push(format!("{id}: {row}")),
            Err(_) => survived.push(*id),
        }
    }
    println!(
        "{}\nmutants: admission checks: {} planted faults, {} noticed",
        red.join("\n"),
        chosen.len(),
        red.len()
    );
    assert!(
        survived.is_empty(),
        "no row notices that these checks are gone: {survived:?}"
    );
    let distinct: BTreeSet<&str> = chosen.into_iter().collect();
    assert_eq!(distinct.len(), wanted, "fewer faults than checks");
    assert_eq!(red.len(), wanted, "fewer faults than checks were noticed");
    Ok(())
}
