//! Every condition and every reason that a status may have ([`reeve_serving_specs::conditions`]) is reached by an input: what was seen of
//! a cluster goes through the plan of its kind and the judgement, as in a pass of the operator. `conditions/reached.txt` says of each by
//! which input.

mod artifacts;
mod caches;
mod framework;
mod models;
mod pods;
mod services;
mod sources;
mod templates;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use reeve_serving::config::{ConfigNotFound, RuntimeConfig, resolve};
use reeve_serving::plan::{Plan, Standing};
use reeve_serving_specs::KINDS;
use reeve_serving_specs::conditions::{Case, PASSED, Row, Told, UNSAID, missing, reached, rows};

use crate::things::{of, time};

const NOW: &str = "2026-03-01T12:00:00Z";

/// The conditions that a plan leads to.
fn case<S: Standing>(kind: &'static str, name: impl Into<String>, plan: &Plan<S>) -> Case {
    after(kind, name, plan, &[])
}

/// The conditions that a plan leads to after those of before.
fn after<S: Standing>(
    kind: &'static str,
    name: impl Into<String>,
    plan: &Plan<S>,
    before: &[Condition],
) -> Case {
    let verdict = plan.judge(before, Some(1), &time(NOW));
    Case {
        kind,
        name: name.into(),
        told: told(&verdict.conditions),
    }
}

/// Conditions as the table has them.
fn told(conditions: &[Condition]) -> Vec<Told> {
    let told = conditions.iter().map(|condition| Told {
        condition: condition.type_.clone(),
        holds: condition.status == "True",
        reason: condition.reason.clone(),
    });
    told.collect()
}

/// A runtime configuration that is there, none where none is named, and one that is named and not there.
fn configs() -> [(&'static str, Result<RuntimeConfig, ConfigNotFound>); 3] {
    let there = of(serde_json::json!({}));
    [
        (
            "a runtime configuration that is there",
            resolve("c", Some(&there), None),
        ),
        ("no runtime configuration", resolve("default", None, None)),
        (
            "a runtime configuration that is not there",
            resolve("none", None, None),
        ),
    ]
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(framework::cases());
    cases.extend(models::cases());
    cases.extend(sources::cases());
    cases.extend(templates::cases());
    cases.extend(caches::cases());
    cases.extend(artifacts::cases());
    cases.extend(services::cases());
    cases
}

#[test]
fn every_condition_and_reason_is_reached_and_no_other_is() {
    let (rows, cases) = (rows(), cases());
    let reached =
        reached(&rows, &cases).unwrap_or_else(|undeclared| panic!("declared nowhere:\n{undeclared}"));
    assert_eq!(
        missing(&rows, &reached),
        Vec::<String>::new(),
        "no input leads to these"
    );
    let by_first = |row: &Row| format!("{row}: {}\n", reached[row].first().unwrap());
    let listing: String = rows.iter().map(by_first).collect();
    let committed = include_str!("conditions/reached.txt");
    assert!(
        listing == committed,
        "tests/it/conditions/reached.txt is to be:\n{listing}"
    );
}

// Planted faults: an input that is taken away, and one with a reason that stands nowhere.
#[test]
fn a_reason_that_no_input_reaches_and_one_that_is_declared_nowhere_are_named() {
    let rows = rows();
    let mut fewer = cases();
    fewer.retain(|case| case.name != "a source without filters");
    let of_fewer = reached(&rows, &fewer).unwrap();
    assert_eq!(
        missing(&rows, &of_fewer),
        ["AIMClusterModelSource FiltersReady True NoFilters"]
    );
    let word = |condition: &str, reason: &str| Case {
        kind: "AIMService",
        name: "made up".to_owned(),
        told: vec![Told {
            condition: condition.to_owned(),
            holds: false,
            reason: reason.to_owned(),
        }],
    };
    for (condition, reason) in [
        ("CacheReady", "CacheGone"),
        ("Ready", "StorageFull"),
        ("Cache", "CacheLost"),
    ] {
        let why = reached(&rows, &[word(condition, reason)]).unwrap_err();
        assert_eq!(why, format!("AIMService {condition} False {reason}: made up"));
    }
}

#[test]
fn every_reason_is_declared_once_and_of_a_kind_that_is_there() {
    let rows = rows();
    for row in &rows {
        assert!(KINDS.contains(&row.kind) || row.kind == "any kind", "{row}");
        let same = |other: &&Row| other.to_string() == row.to_string();
        assert_eq!(rows.iter().filter(same).count(), 1, "{row}");
    }
    for (kind, condition, reason, why) in UNSAID {
        let said = rows
            .iter()
            .find(|row| (row.kind, row.condition, row.reason) == (*kind, *condition, *reason));
        assert_eq!(said, None, "said not to be said: {why}");
    }
}

/// The page for those who read statuses has all of them.
#[test]
fn the_page_of_conditions_has_every_reason() {
    let page = include_str!("../../../../docs/serving/conditions.md");
    let mut lacking = String::new();
    for row in rows() {
        let heading = match row.kind {
            "any kind" => "Every kind",
            kind => kind,
        };
        let section = page
            .split("\n## ")
            .find(|section| section.lines().next() == Some(heading));
        let section =
            section.unwrap_or_else(|| panic!("docs/serving/conditions.md has no section `{heading}`"));
        let reason = match row.reason {
            PASSED => "another's",
            reason => reason,
        };
        let holds = if row.holds { "True" } else { "False" };
        let start = format!("| `{}` | {holds} |", row.condition);
        let is_listed = section
            .lines()
            .filter(|line| line.starts_with(&start))
            .any(|line| line.contains(&format!("`{reason}`")) || line.contains(&format!(" {reason} ")));
        if !is_listed {
            lacking += &format!("{row}\n");
        }
    }
    assert!(lacking.is_empty(), "docs/serving/conditions.md lacks:\n{lacking}");
}
