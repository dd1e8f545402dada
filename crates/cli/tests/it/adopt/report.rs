//! What the report says of what runs, of what the rules refuse, of access and of the project.

use reeve_admission::{Operation, Request, User, fill};
use reeve_cli::adopt::{Target, kinds, report};
use serde_json::{Value, json};

use super::objects::{inventory, object, of, owned, plain, project, root};

fn makers() -> impl Iterator<Item = &'static str> {
    kinds()
        .map(|kind| kind.name)
        .filter(|kind| *kind != "ControllerRevision")
}

#[test]
fn what_says_nothing_of_whose_it_is_has_to_be_written_again() {
    for kind in makers() {
        let found = of(vec![object(kind, "x", &plain())]);
        let [refused] = found.refused.as_slice() else {
            panic!("{kind}: {:?}", found.refused)
        };
        let wanted = if kind == "Pod" {
            "verified-identity"
        } else {
            "stamp-present"
        };
        assert_eq!(refused.refusals[0].id, wanted, "{kind}");
        assert!(refused.refusals[0].sentence.starts_with("reeve: R"), "{kind}");
        assert_eq!(refused.change_first, [], "{kind}: a person writes it as it is");
        let command = match kind {
            "Deployment" | "StatefulSet" | "DaemonSet" => {
                format!("kubectl -n old rollout restart {}/x", kind.to_lowercase())
            }
            _ => "kubectl -n old replace --force -f x.yaml".to_owned(),
        };
        assert_eq!(refused.command, command);
        assert_eq!(found.in_the_way(false), [], "it does not stand in the way");
    }
}

/// Planted fault: taking the newest entry whatever it is names the controller that wrote status or the revision.
#[test]
fn who_wrote_it_last_is_named_where_the_object_says_so() {
    let mut written = object("Deployment", "x", &plain());
    written["metadata"]["managedFields"] = json!([
        {"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-02T00:00:00Z"},
        {"manager": "helm", "operation": "Update", "time": "2026-01-01T00:00:00Z"},
        {"manager": "kube-controller-manager", "operation": "Update", "time": "2026-01-03T00:00:00Z"},
        {"manager": "probe", "operation": "Update", "time": "2026-01-04T00:00:00Z", "subresource": "status"},
    ]);
    let found = of(vec![written, object("Job", "y", &plain())]);
    let writers: Vec<_> = found
        .refused
        .iter()
        .map(|one| one.last_written_by.as_deref())
        .collect();
    assert_eq!(writers, [Some("kubectl-edit 2026-01-02T00:00:00Z"), None]);
    let text = found.text();
    assert!(
        text.contains("LAST WRITTEN BY") && text.contains("kubectl-edit 2026-01-02T00:00:00Z"),
        "{text}"
    );
}

#[test]
fn root_has_to_be_changed_first() {
    // Kinds of model serving hold no template that could say so.
    for kind in makers().filter(|kind| !kind.starts_with("AIM")) {
        let found = of(vec![object(kind, "x", &root())]);
        let change: Vec<_> = found.refused[0]
            .change_first
            .iter()
            .map(|refusal| refusal.id)
            .collect();
        // In kinds of others whatever number is not the writer's own.
        let wanted = if kind.starts_with("Ray") || kind == "InferenceService" {
            "kind-numbers"
        } else {
            "not-root"
        };
        assert!(change.contains(&wanted), "{kind}: {change:?}");
        assert!(!found.refused[0].command.contains("rollout"), "{kind}");
    }
}

#[test]
fn a_file_that_changes_nothing_gets_a_stamp_as_a_restart_does_and_a_label_does_not() {
    let old = object("Deployment", "x", &plain());
    let stamped = |new: &Value| {
        let extra = |key: &str| (key.to_owned(), vec!["70012".to_owned()]);
        let mut request = Request {
            operation: Operation::Update,
            user: User {
                username: "alice@reeve.example".to_owned(),
                uid: "123e4567".to_owned(),
                extra: [extra("reeve.dev/uid"), extra("reeve.dev/gid")].into(),
                ..User::default()
            },
            object: new.clone(),
            old_object: Some(old.clone()),
            namespace_labels: [("reeve.dev/project".to_owned(), "robots".to_owned())].into(),
            ..Request::default()
        };
        fill(&mut request);
        request.object.to_string().contains("reeve.dev/runs-as")
    };
    assert!(stamped(&old));
    let mut labelled = old.clone();
    labelled["metadata"]["labels"]["team"] = json!("a");
    assert!(!stamped(&labelled));
    let mut restarted = old.clone();
    restarted["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
        json!("now");
    assert!(stamped(&restarted));
}

#[test]
fn the_settings_are_those_of_the_cluster_and_of_the_namespace() {
    let mut strict = inventory(vec![object("Deployment", "x", &plain())]);
    let context = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    let container = json!({"allowPrivilegeEscalation": true, "capabilities": {"drop": ["ALL"]}});
    let spec =
        json!({"securityContext": context, "containers": [{"name": "c", "securityContext": container}]});
    strict.objects[0]["spec"]["template"]["spec"] = spec;
    let mut loose = strict.clone();
    loose.config =
        Some(json!({"spec": {"enforceRunAsUser": false, "enforcePreventPrivilegeEscalation": false}}));
    assert_eq!(report(&strict).refused.len(), 1);
    assert_eq!(report(&loose).refused, []);

    loose.objects[0]["spec"]["template"]["spec"]["priorityClassName"] = json!("high");
    assert_eq!(report(&loose).refused, []);
    loose.namespace["metadata"]["annotations"] = json!({"reeve.dev/priority-classes": "low", "other": "x"});
    let found = report(&loose);
    assert_eq!(found.refused[0].refusals[0].id, "priority-class");
    assert_eq!(found.namespace_settings[0].key, "reeve.dev/priority-classes");
    assert_eq!(found.namespace_settings.len(), 1);
}

/// Planted fault: settings without the controllers that the cluster lists leave every RayCluster to be changed first.
#[test]
fn a_kind_of_others_needs_its_controller_listed() {
    let mut all = inventory(vec![object("RayCluster", "x", &plain())]);
    assert_eq!(report(&all).refused[0].change_first, []);
    all.config = None;
    let change = &report(&all).refused[0].change_first;
    assert_eq!(change[0].id, "kind-listed");
}

#[test]
fn what_belongs_to_something_listed_and_what_is_over_is_counted() {
    let deployment = object("Deployment", "web", &plain());
    let set = owned(object("ReplicaSet", "web-1", &plain()), &deployment);
    let pod = owned(object("Pod", "web-1-a", &root()), &set);
    let mut over = object("Job", "over", &root());
    over["status"]["conditions"] = json!([{"type": "Complete", "status": "True"}]);
    let mut gone = owned(object("Pod", "over-a", &root()), &over);
    gone["status"]["phase"] = json!("Succeeded");
    let bare = object("Pod", "bare", &plain());
    let found = of(vec![deployment, set, over, pod, gone, bare]);
    let rows: Vec<_> = found
        .runs
        .iter()
        .map(|row| (row.kind.as_str(), row.pods))
        .collect();
    assert_eq!(rows, [("Deployment", 1), ("Pod", 1)]);
    assert_eq!(
        json!(found.counted),
        json!({"owned": {"Pod": 1, "ReplicaSet": 1}, "ended": {"Job": 1, "Pod": 1}})
    );
    let running: Vec<_> = found
        .running
        .iter()
        .map(|r| (r.name.as_str(), r.runs_as, r.pods))
        .collect();
    assert_eq!(running, [("web", "root", 1), ("bare", "no uid", 1)]);
    assert!(found.running[0].then.contains("at its next restart"));
}

#[test]
fn owners_in_a_circle_and_owners_elsewhere_hide_nothing() {
    let mut a = object("ReplicaSet", "a", &plain());
    let b = owned(object("Job", "b", &plain()), &a);
    a = owned(a, &b);
    let rollout =
        json!({"apiVersion": "argoproj.io/v1", "kind": "Rollout", "metadata": {"name": "r", "uid": "r"}});
    let c = owned(object("ReplicaSet", "c", &plain()), &rollout);
    let found = of(vec![a, b, c]);
    let names: Vec<_> = found.runs.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(found.runs[2].owner.as_deref(), Some("Rollout/r"));
    assert_eq!(found.refused.len(), 3);
}

#[test]
fn the_claims_of_a_set_are_volumes_of_its_pods() {
    let mut set = object("StatefulSet", "db", &plain());
    set["spec"]["template"]["spec"]["securityContext"] = json!({"fsGroup": 5000});
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": {}}]);
    let refusals = |set: &Value| of(vec![set.clone()]).refused[0].refusals.clone();
    assert!(
        refusals(&set)
            .iter()
            .any(|refusal| refusal.id == "fs-group-volumes")
    );
    set["spec"]["volumeClaimTemplates"] = json!([]);
    assert!(
        refusals(&set)
            .iter()
            .all(|refusal| refusal.id != "fs-group-volumes")
    );
}

#[test]
fn every_binding_is_shown_until_the_namespace_is_the_projects() {
    let mut inventory = inventory(Vec::new());
    let binding = |name: &str, labels: Value| {
        json!({
            "metadata": {"name": name, "labels": labels}, "roleRef": {"kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "User", "name": "bob"}, {"kind": "ServiceAccount", "namespace": "ci", "name": "b"}],
        })
    };
    let ours = json!({"reeve.dev/managed": "access-rules"});
    inventory.bindings = vec![binding("theirs", json!({})), binding("planted", ours)];
    let found = report(&inventory);
    assert_eq!(found.access.len(), 2);
    assert_eq!(found.access[0].role, "ClusterRole/edit");
    assert_eq!(found.access[0].subjects, ["User/bob", "ServiceAccount/ci/b"]);
    inventory.namespace["metadata"]["labels"] =
        json!({"reeve.dev/project": "robots", "reeve.dev/project-id": "3"});
    let found = report(&inventory);
    assert!(found.already && found.access.len() == 1);
}

#[test]
fn the_project_is_the_one_that_asks_for_the_namespace() {
    let target = |name: &str, id: &str| {
        Some(Target {
            name: name.to_owned(),
            id: id.to_owned(),
        })
    };
    let mut all = inventory(Vec::new());
    assert_eq!(report(&all).project, target("robots", "3"));
    assert_eq!(
        report(&all).label,
        Some(json!({"metadata": {"labels": {"reeve.dev/project": "robots"}}}))
    );
    all.wanted = Some("other".to_owned());
    assert!(
        report(&all).obstacles[0]
            .what
            .contains("has the namespace `reeve-other`")
    );
    all.wanted = Some("none".to_owned());
    assert!(report(&all).obstacles[0].what.contains("no project `none`"));
    all.wanted = None;
    all.projects.push(project("robots-2", "5", "old"));
    assert!(report(&all).obstacles[0].remedy.contains("--project"));
    all.projects.clear();
    assert!(
        report(&all).obstacles[0]
            .remedy
            .contains("\"requestedNamespace\": \"old\"")
    );
}

#[test]
fn a_namespace_that_is_anothers_an_earlier_ones_or_the_systems() {
    let mut all = inventory(Vec::new());
    all.namespace["metadata"]["labels"] = json!({"reeve.dev/project": "robots", "reeve.dev/project-id": "2"});
    let label = json!({"metadata": {"labels": {"reeve.dev/project": "robots", "reeve.dev/project-id": "3"}}});
    assert_eq!(
        (report(&all).obstacles, report(&all).label),
        (Vec::new(), Some(label))
    );
    all.projects.push(project("robots-2", "5", "old"));
    all.wanted = Some("robots-2".to_owned());
    assert!(
        report(&all).obstacles[0]
            .what
            .contains("is project `robots`'s, which is still there")
    );
    all.namespace = json!({"metadata": {"name": "kube-system", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    assert_eq!(report(&all).obstacles.len(), 3);
}
