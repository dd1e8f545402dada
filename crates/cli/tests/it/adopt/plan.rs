//! That what the plan says removes every mark.

use reeve_cli::adopt::{Inventory, Plan, kinds, report};
use serde_json::{Value, json};

use super::objects::{STAMP, apply, inventory, object, owned, plain, put, revision};

pub(super) fn places(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" => &["/metadata"],
        "CronJob" => &[
            "/metadata",
            "/spec/jobTemplate/metadata",
            "/spec/jobTemplate/spec/template/metadata",
        ],
        "RayCluster" => &[
            "/metadata",
            "/spec/headGroupSpec/template/metadata",
            "/spec/workerGroupSpecs/1/template/metadata",
        ],
        "RayJob" => &[
            "/metadata",
            "/spec/rayClusterSpec/workerGroupSpecs/0/template/metadata",
            "/spec/submitterPodTemplate/metadata",
        ],
        "RayService" => &[
            "/metadata",
            "/spec/rayClusterConfig/headGroupSpec/template/metadata",
            "/spec/rayClusterConfig/workerGroupSpecs/0/template/metadata",
        ],
        "InferenceService" => &["/metadata", "/spec/predictor"],
        _ if kind.starts_with("AIM") => &["/metadata"],
        "ControllerRevision" => &["/metadata", "/data/spec/template/metadata"],
        _ => &["/metadata", "/spec/template/metadata"],
    }
}

pub(super) fn new(kind: &str) -> Value {
    if kind == "ControllerRevision" {
        revision("x", &json!({}))
    } else {
        object(kind, "x", &plain())
    }
}

/// Does what the plan says, the steps by hand as well, as often as it takes.
fn follow(all: &mut Inventory) {
    for _ in 0..4 {
        let plan = report(all).removal;
        if plan == Plan::default() {
            return;
        }
        for patch in &plan.patches {
            let mine = |o: &&mut Value| o["kind"] == *patch.kind && o["metadata"]["name"] == *patch.name;
            apply(all.objects.iter_mut().find(mine).unwrap(), &patch.patch);
        }
        for step in plan.by_hand {
            let title = |o: &Value| {
                format!(
                    "{}/{}",
                    o["kind"].as_str().unwrap(),
                    o["metadata"]["name"].as_str().unwrap()
                )
            };
            if let Some((_, patch)) = step.command.split_once(" -p '") {
                let patch: Value = serde_json::from_str(patch.trim_end_matches('\'')).unwrap();
                assert_eq!(step.command.contains("--type=json"), patch.is_array());
                apply(
                    all.objects.iter_mut().find(|o| title(o) == step.object).unwrap(),
                    &patch,
                );
            } else if step.command.contains(" delete ") {
                all.objects.retain(|o| title(o) != step.object);
            } else {
                // The rollout that is waited for has ended.
                let old = all.objects.iter_mut().find(|o| title(o) == step.object).unwrap();
                old["spec"]["replicas"] = json!(0);
            }
        }
    }
}

/// Every kind, in every state, with every set of places marked, by itself and under an owner that is marked or not.
#[test]
fn following_the_plan_leaves_no_mark() {
    let mut seen = 0;
    for kind in kinds() {
        let places = places(kind.name);
        let states = match kind.name {
            "CronJob" | "ControllerRevision" => 1,
            // Whether pods run is all that counts.
            "RayCluster" | "RayJob" | "RayService" | "InferenceService" => 2,
            _ if kind.name.starts_with("AIM") => 2,
            _ => 4,
        };
        for state in 0..states {
            for marked in 1..(1_u32 << (places.len() * 2)) {
                for owner in 0..if owned_by_others(kind.name) { 3 } else { 1 } {
                    let mut all = inventory(case(kind.name, places, state, marked, owner));
                    follow(&mut all);
                    assert_eq!(report(&all).marks, [], "{} {state} {marked} {owner}", kind.name);
                    let left = json!(all.objects).to_string();
                    assert!(
                        !left.contains("\"reeve.dev/"),
                        "a naive look finds none either: {left}"
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 500, "{seen}");
}

fn owned_by_others(kind: &str) -> bool {
    ["ReplicaSet", "Job", "ControllerRevision", "Pod"].contains(&kind)
}

fn case(kind: &str, places: &[&str], state: u32, marked: u32, owner: u32) -> Vec<Value> {
    let mut planted = new(kind);
    match state {
        0 => {}
        1 => planted["spec"]["replicas"] = json!(2),
        2 => planted["spec"]["suspend"] = json!(true),
        _ => {
            planted["status"] = json!({
                "desiredNumberScheduled": 1, "phase": "Succeeded", "conditions": [{"type": "Failed", "status": "True"}],
            });
        }
    }
    for (i, place) in places.iter().enumerate() {
        if marked & (1 << (2 * i)) != 0 {
            put(
                &mut planted,
                &format!("{place}/annotations"),
                "reeve.dev/runs-as",
                STAMP,
            );
        }
        if marked & (2 << (2 * i)) != 0 {
            put(&mut planted, &format!("{place}/labels"), "reeve.dev/user", "123");
            let selects = place.ends_with("template/metadata") && state < 2;
            if selects && ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].contains(&kind) {
                put(
                    &mut planted,
                    "/spec/selector/matchLabels",
                    "reeve.dev/user",
                    "123",
                );
            } else if selects && kind == "ReplicationController" {
                put(&mut planted, "/spec/selector", "reeve.dev/user", "123");
            }
        }
    }
    let mut all = under(planted, owner);
    if state == 1 && kind.starts_with("Ray") {
        let pod = owned(object("Pod", "of-x", &plain()), &all[all.len() - 1]);
        all.push(pod);
    }
    all
}

/// By itself, below a Deployment that runs, or below one that is marked as well.
fn under(planted: Value, owner: u32) -> Vec<Value> {
    if owner == 0 {
        return vec![planted];
    }
    let mut above = object("Deployment", "above", &plain());
    above["spec"]["replicas"] = json!(1);
    if owner == 2 {
        put(
            &mut above,
            "/spec/template/metadata/labels",
            "reeve.dev/user",
            "123",
        );
        put(&mut above, "/spec/selector/matchLabels", "reeve.dev/user", "123");
    }
    vec![above.clone(), owned(planted, &above)]
}
