//! Planted faults: each check once replaced by `true` on the API server; the case table must turn red.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use reeve_admission::{
    Check, GRANTED_FIELDS, SHORTCUTS, check, checks, failing, fill, plain_faults, policies,
    policies_with_fault,
};
use reeve_testkit::{is_whole, wait_until};

use crate::fixture::{self, Answer};
use crate::table::{Row, rows};
use crate::test_cluster::{TestCluster, says};

/// What every run tries; `MUTANTS=all` tries every check. At least ten are wanted in every run: these are of every policy
/// that shares no expression with the others.
const SAMPLE: [&str; 30] = [
    "too-many-entries",
    "too-many-entries-outside",
    "too-many-entries-of-others",
    "relayed-owner",
    "kind-status",
    "kind-owner",
    "planted-template",
    "operator-copy",
    "source-scope",
    "connect-owner",
    "connect-current",
    "planted-mark",
    "controller-reference",
    "controller-labels",
    "fs-group-volumes",
    "node-pool",
    "uid-range",
    "policy-gpus",
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

/// Of so many parts of what a plain pod is every run tries one.
const PLAIN_ONE_OF: usize = 4;

/// The faults to try, and how many there must be: checks, the shortcuts past them, what second writers are trusted with, and the
/// parts of what a plain pod is.
fn chosen() -> (Vec<&'static str>, usize) {
    let (mut all, one_of) = if is_whole("MUTANTS") {
        (checks().map(|c| c.id).collect(), 1)
    } else {
        (SAMPLE.to_vec(), PLAIN_ONE_OF)
    };
    all.extend(SHORTCUTS);
    all.push(GRANTED_FIELDS);
    all.extend(plain_faults().map(|(part, _)| part).step_by(one_of));
    let count = all.len();
    (all, count)
}

/// Whether a fault of this name lets pass what the check refuses.
fn concerns(id: &str, check: &Check) -> bool {
    check.id == id
        || (SHORTCUTS.contains(&id) && check.cel.starts_with(&format!("variables.{id} || ")))
        || plain_faults().any(|(part, stands_for)| part == id && stands_for.contains(&check.id))
}

/// Whether a second writer that is trusted with one field tries another one.
fn is_beyond_its_field(row: &Row) -> bool {
    row.requester.starts_with("queue-for-")
}

/// Up to three rows that this check alone refuses, or at least that it refuses first; of a shortcut, of any check behind it.
pub(crate) fn candidates(all: &[Row], id: &str) -> Vec<Row> {
    let alone = |row: &Row| {
        let mut request = row.request(
            row.base
                .as_deref()
                .map(|owner| fixture::base(&row.kind, owner))
                .as_ref(),
        );
        fill(&mut request);
        failing(&request).len() == 1
    };
    let mut rows: Vec<Row> = all
        .iter()
        .filter(|r| r.refused)
        .filter(|r| match id {
            GRANTED_FIELDS => is_beyond_its_field(r),
            id => check(&r.check).is_some_and(|check| concerns(id, check)),
        })
        .cloned()
        .collect();
    rows.sort_by_key(|row| !alone(row));
    // What is refused with such a part left out need not be plain otherwise.
    rows.truncate(if plain_faults().any(|(part, _)| part == id) {
        24
    } else {
        3
    });
    rows
}

/// Whether the check that refused the row is missed: it is admitted, or another check refuses it. No other answer says
/// anything of checks: too many requests, an invalid object, a refusal that is none of ours.
pub(crate) fn misses(row: &Row, answer: &Answer) -> Result<bool> {
    let own = check(&row.check).unwrap();
    if answer.admitted() {
        return Ok(true);
    }
    if says(answer, own) {
        return Ok(false);
    }
    if checks().any(|other| says(answer, other)) {
        return Ok(true);
    }
    bail!(
        "{row}: no verdict of a check: {} {}",
        answer.code,
        answer.message()
    )
}

#[test]
fn a_fault_is_noticed_by_an_admission_or_by_another_refusal_of_ours_only() {
    let row = rows()
        .unwrap()
        .into_iter()
        .find(|r| r.check == "not-root")
        .unwrap();
    let answer = |code: u16, message: String| Answer {
        connected: false,
        code,
        body: serde_json::json!({"message": message}),
    };
    let refusal = |id| format!("denied request: {}", check(id).unwrap().message());
    assert!(misses(&row, &answer(201, String::new())).unwrap());
    assert!(misses(&row, &answer(403, refusal("privileged"))).unwrap());
    assert!(!misses(&row, &answer(403, refusal("not-root"))).unwrap());
    for (code, message) in [
        (429, "too many requests, please try again later".to_owned()),
        (422, "Pod \"row\" is invalid".to_owned()),
        (422, refusal("privileged")),
        (403, "violates PodSecurity \"restricted:latest\"".to_owned()),
        (403, "pods is forbidden: User \"alice\" cannot create".to_owned()),
        (500, "etcdserver: request timed out".to_owned()),
    ] {
        assert!(
            misses(&row, &answer(code, message.clone())).is_err(),
            "{code} {message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_fault_in_any_check_turns_the_table_red() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let (chosen, wanted) = chosen();
    let all = rows()?;
    let per_check: Vec<(&str, Vec<Row>)> = chosen.iter().map(|id| (*id, candidates(&all, id))).collect();
    let needed: Vec<Row> = per_check.iter().flat_map(|(_, rows)| rows.clone()).collect();
    let stage = TestCluster::set(&cluster, &needed, &["privileged"]).await?;
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
        let noticed = wait_until(id, async || {
            for row in candidates {
                let (_, answer) = stage.try_row(row, "privileged").await?;
                if misses(row, &answer)? {
                    return Ok(Some(row.to_string()));
                }
            }
            Ok(None)
        })
        .await;
        stage.install(&sound[at..=at]).await?;
        match noticed {
            Ok(row) => red.push(format!("{id}: {row}")),
            Err(error) => survived.push(format!("{id}: {error:#}")),
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
        "no row notices that these checks are gone:\n{}",
        survived.join("\n")
    );
    let distinct: BTreeSet<&str> = chosen.into_iter().collect();
    assert_eq!(distinct.len(), wanted, "fewer faults than checks");
    assert_eq!(red.len(), wanted, "fewer faults than checks were noticed");
    Ok(())
}
