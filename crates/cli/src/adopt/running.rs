//! What runs now in a way that would be refused if it were asked for anew.

use std::collections::BTreeMap;

use reeve_admission::has_ended;
use serde::Serialize;
use serde_json::Value;

use super::inventory::{list, text};
use super::objects::{Objects, is_pod};
use super::refusal::Refused;

/// Pods that run as root, or as whom their image says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// The kind of what made them, or `Pod`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How many.
    pub pods: usize,
    /// `root`, or `no uid`.
    pub runs_as: &'static str,
    /// What becomes of them.
    pub then: &'static str,
}

/// The pods, by what made them.
pub(super) fn running(objects: &Objects<'_>, refused: &[Refused]) -> Vec<Running> {
    let mut counts: BTreeMap<(&str, &str, &'static str), usize> = BTreeMap::new();
    for pod in objects.all.iter().filter(|o| is_pod(o) && !has_ended(o)) {
        let root = objects.root(pod);
        if let Some(runs_as) = runs_as(pod) {
            let key = (text(root, "/kind"), text(root, "/metadata/name"), runs_as);
            *counts.entry(key).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .map(|((kind, name, runs_as), pods)| {
            let ends = refused.iter().any(|r| r.kind == kind && r.name == name);
            Running {
                kind: kind.to_owned(),
                name: name.to_owned(),
                pods,
                runs_as,
                then: if ends {
                    "goes on running; at its next restart, as a new pod, it is refused"
                } else {
                    "goes on running"
                },
            }
        })
        .collect()
}

fn runs_as(pod: &Value) -> Option<&'static str> {
    let user = |at: &Value| at.pointer("/securityContext/runAsUser").and_then(Value::as_i64);
    let of_pod = pod.get("spec").and_then(user);
    let lists = [
        "/spec/containers",
        "/spec/initContainers",
        "/spec/ephemeralContainers",
    ];
    let users: Vec<Option<i64>> = lists
        .iter()
        .flat_map(|at| list(pod, at))
        .map(|container| user(container).or(of_pod))
        .collect();
    if users.contains(&Some(0)) {
        Some("root")
    } else {
        users.contains(&None).then_some("no uid")
    }
}
