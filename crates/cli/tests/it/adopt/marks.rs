//! Which marks are found, and which of them are left to people.

use reeve_cli::adopt::{kinds, report};
use serde_json::{Value, json};

use super::objects::{STAMP, inventory, object, of, owned, plain, put, revision};
use super::plan::{new, places};

#[test]
fn a_mark_is_found_wherever_it_is_planted() {
    for kind in kinds() {
        for place in places(kind.name) {
            for (field, key) in [("annotations", "reeve.dev/runs-as"), ("labels", "reeve.dev/user")] {
                let mut planted = new(kind.name);
                put(&mut planted, &format!("{place}/{field}"), key, STAMP);
                let found = of(vec![planted]);
                let [mark] = found.marks.as_slice() else {
                    panic!("{} {place} {field}", kind.name)
                };
                assert_eq!((&*mark.key, &*mark.value), (key, STAMP));
                assert_eq!(mark.place, format!("{place}/{field}"));
                assert!(found.in_the_way(false)[0].remedy.contains("--drop-stamps"));
                assert!(found.runs.len() + found.counted.ended.len() == 1, "{}", kind.name);
            }
        }
    }
}

#[test]
fn a_revision_is_searched_to_its_ground() {
    let odd = revision(
        "x",
        &json!({"Annotations": {"reeve.dev/runs-as": STAMP}, "list": [{"reeve.dev/a": 1}]}),
    );
    let found = of(vec![odd]);
    assert_eq!(found.marks.len(), 2, "{:?}", found.marks);
    assert_eq!(
        found.removal.by_hand[0].command,
        "kubectl -n old delete controllerrevision x"
    );
}

#[test]
fn a_stamp_that_was_planted_does_not_help_a_template_past_the_rules() {
    let mut planted = object("Deployment", "x", &plain());
    put(
        &mut planted,
        "/spec/template/metadata/annotations",
        "reeve.dev/runs-as",
        STAMP,
    );
    assert_eq!(of(vec![planted]).refused[0].refusals[0].id, "stamp-present");
}

#[test]
fn a_running_pod_is_never_replaced_by_the_plan() {
    let planted = |mut object: Value| {
        put(
            &mut object,
            "/spec/template/metadata/annotations",
            "reeve.dev/runs-as",
            STAMP,
        );
        object
    };
    let mut web = planted(object("Deployment", "web", &plain()));
    web["spec"]["replicas"] = json!(2);
    let mut now = planted(owned(object("ReplicaSet", "web-2", &plain()), &web));
    now["spec"]["replicas"] = json!(2);
    let before = planted(owned(object("ReplicaSet", "web-1", &plain()), &web));
    let mut job = planted(object("Job", "waits", &plain()));
    job["spec"]["suspend"] = json!(true);
    let started = planted(object("Job", "runs", &plain()));
    let found = of(vec![web, now, before, job, started]);
    let patches: Vec<_> = found
        .removal
        .patches
        .iter()
        .map(|patch| patch.name.as_str())
        .collect();
    assert_eq!(patches, ["waits"]);
    let commands: Vec<_> = found
        .removal
        .by_hand
        .iter()
        .map(|step| step.command.as_str())
        .collect();
    let patch = r#"{"spec":{"template":{"metadata":{"annotations":{"reeve.dev/runs-as":null}}}}}"#;
    assert_eq!(
        commands,
        [
            &format!("kubectl -n old patch deployment web --type=merge -p '{patch}'"),
            "kubectl -n old delete replicaset web-1",
            "kubectl -n old delete job runs",
        ]
    );
    assert_eq!(found.in_the_way(true).len(), 3);
}

/// Templates of Ray lie in lists. What runs is left alone; else the marks go from where they lie, and the lists stay.
#[test]
fn marks_of_a_kind_of_others_are_removed_one_by_one() {
    let place = "/spec/workerGroupSpecs/1/template/metadata/annotations";
    let mut planted = object("RayCluster", "x", &plain());
    put(&mut planted, place, "reeve.dev/runs-as", STAMP);
    let patch = json!([{"op": "remove", "path": format!("{place}/reeve.dev~1runs-as")}]);
    let found = of(vec![planted.clone()]);
    assert_eq!(
        (&found.removal.patches[0].patch, found.removal.by_hand.len()),
        (&patch, 0)
    );

    let pod = owned(object("Pod", "x-head", &plain()), &planted);
    let found = of(vec![planted, pod]);
    assert_eq!(found.removal.patches, []);
    assert_eq!(
        found.removal.by_hand[0].command,
        format!("kubectl -n old patch raycluster x --type=json -p '{patch}'")
    );
}

#[test]
fn a_claim_whose_name_says_whose_it_is_is_a_mark() {
    let mut all = inventory(Vec::new());
    let claim = |name: &str| json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name}});
    all.claims = vec![claim("data-u70012-db-0"), claim("data-db-0")];
    let found = report(&all);
    assert_eq!(found.marks.len(), 1);
    assert!(found.removal.by_hand[0].command.contains("data-u70012-db-0"));
}

#[test]
fn marks_of_the_project_itself_are_none_and_those_of_an_earlier_one_are_protected() {
    let mut stamped = object("Deployment", "x", &plain());
    put(
        &mut stamped,
        "/spec/template/metadata/annotations",
        "reeve.dev/runs-as",
        STAMP,
    );
    let mut all = inventory(vec![stamped]);
    all.namespace["metadata"]["labels"] = json!({"reeve.dev/project": "robots", "reeve.dev/project-id": "3"});
    assert_eq!(
        (report(&all).marks.len(), report(&all).in_the_way(false).len()),
        (0, 0)
    );
    all.namespace["metadata"]["labels"]["reeve.dev/project-id"] = json!("2");
    let found = report(&all);
    assert!(!found.can_drop() && !found.already);
    assert!(
        found.in_the_way(true)[0]
            .remedy
            .contains("reeve.dev/project- reeve.dev/project-id-")
    );
}
