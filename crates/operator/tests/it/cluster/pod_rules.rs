//! What the control plane decides of the pods of one project reaches its namespace, and what somebody else writes there is put back
//! with an event that names the program.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use reeve_link::StatusPhase;
use reeve_testkit::{wait_for, wait_until};
use serde_json::{Value, json};

use crate::rig::{Rig, of_project, project, project_key, rule, workload};

const NAMESPACE: &str = "reeve-robots";

/// A project with rules for its pods.
fn ruled(rules: Value) -> reeve_link::desired::DesiredObject {
    let spec =
        json!({"id": "3", "name": "robots", "departmentId": "1", "namespace": NAMESPACE, "podRules": rules});
    serde_json::from_value(json!({"kind": "Project", "spec": spec})).unwrap()
}

async fn until_says(rig: &Rig, key: &str, wanted: Option<&str>) {
    wait_until(&format!("{key} to be {wanted:?}"), async || {
        let namespace = rig.namespace(NAMESPACE).await.unwrap();
        let found = namespace
            .annotations()
            .get(key)
            .or_else(|| namespace.labels().get(key));
        anyhow::ensure!(found.map(String::as_str) == wanted, "{found:?}");
        Ok(Some(()))
    })
    .await
    .unwrap();
}

/// The notes of the events of drift.
pub(crate) fn drift(rig: &Rig) -> String {
    let path = r"jsonpath={.items[*].note}";
    let selector = "reason=DriftRepaired";
    let arguments = [
        "-n",
        "default",
        "get",
        "events.events.k8s.io",
        "--field-selector",
        selector,
        "-o",
        path,
    ];
    rig.cluster.kubectl().must(&arguments).unwrap()
}

async fn until_drift_says(rig: &Rig, words: &[&str]) {
    // Two seconds, says the issue; five times that on a machine that does other things too.
    wait_for(
        Duration::from_secs(10),
        &format!("an event with {words:?}"),
        async || {
            let said = drift(rig);
            anyhow::ensure!(words.iter().all(|word| said.contains(word)), "{said}");
            Ok(Some(()))
        },
    )
    .await
    .unwrap();
}

/// Planted faults: `namespace_annotations` without one of the lists, `settings_of` without the level, `decide` without the pool; a
/// drift that is told by the newest manager instead of the field's.
#[tokio::test(flavor = "multi_thread")]
async fn rules_of_pods_reach_the_namespace_and_drift_is_put_back_and_told() {
    let Some(rig) = Rig::start().await else { return };
    rig.link.change(
        &[],
        vec![
            project(3, "robots"),
            rule(1, "alice@example.com", "l1-researcher", of_project(3)),
        ],
    );
    rig.phase(project_key(3), StatusPhase::Ready).await;
    rig.wait_for_bindings(NAMESPACE, &[("reeve-l1-researcher", &["User alice@example.com"])])
        .await;
    until_says(&rig, "reeve.dev/node-pools", None).await;
    lists_and_level(&rig).await;
    a_submission_runs_on_the_first_pool(&rig).await;
    drift_is_told(&rig).await;
}

async fn lists_and_level(rig: &Rig) {
    let installer = Api::<reeve_crds::ReeveConfig>::all(rig.installer.clone());
    let lenient = json!({"spec": {"enforcePreventPrivilegeEscalation": false, "trustedMutators": [
        {"namespace": "kueue-system", "serviceAccount": "kueue", "fields": ["nodeSelector"]},
        {"namespace": "other", "serviceAccount": "queue", "fields": ["tolerations"]}]}});
    installer
        .patch("reeve", &PatchParams::default(), &Patch::Merge(lenient))
        .await
        .unwrap();
    until_says(rig, "pod-security.kubernetes.io/enforce", Some("baseline")).await;
    rig.link.change(
        &[],
        vec![ruled(
            json!({"podSecurity": "restricted", "nodePools": ["gpu", "cpu"], "priorityClasses": [],
            "tolerations": ["node-role.kubernetes.io/gpu"], "trustedMutators": ["kueue-system/kueue"]}),
        )],
    );
    for (key, value) in [
        ("pod-security.kubernetes.io/enforce", "restricted"),
        ("reeve.dev/enforce-prevent-privilege-escalation", "true"),
        ("reeve.dev/node-pools", "gpu,cpu"),
        ("reeve.dev/priority-classes", ""),
        ("reeve.dev/tolerations", "node-role.kubernetes.io/gpu"),
        (
            "reeve.dev/trusted-mutators",
            "system:serviceaccount:kueue-system:kueue=nodeSelector",
        ),
    ] {
        until_says(rig, key, Some(value)).await;
    }
    // No project is looser than its cluster.
    let strict = json!({"spec": {"enforcePreventPrivilegeEscalation": true}});
    installer
        .patch("reeve", &PatchParams::default(), &Patch::Merge(strict))
        .await
        .unwrap();
    rig.link.change(
        &[],
        vec![ruled(json!({"podSecurity": "baseline", "nodePools": ["cpu"]}))],
    );
    until_says(rig, "reeve.dev/node-pools", Some("cpu")).await;
    until_says(rig, "pod-security.kubernetes.io/enforce", Some("restricted")).await;
    // What is decided here no more goes, and is the installers' again; what they write stays.
    until_says(rig, "reeve.dev/priority-classes", None).await;
    let classes = json!({"metadata": {"annotations": {"reeve.dev/priority-classes": "gold"}}});
    Api::<Namespace>::all(rig.installer.clone())
        .patch(NAMESPACE, &PatchParams::default(), &Patch::Merge(classes))
        .await
        .unwrap();
    rig.link.change(&[], vec![ruled(json!({"nodePools": ["cpu"]}))]);
    until_says(rig, "reeve.dev/priority-classes", Some("gold")).await;
}

async fn a_submission_runs_on_the_first_pool(rig: &Rig) {
    let train = workload(1, "train", 3);
    let key = train.key();
    rig.link.change(&[], vec![train]);
    rig.phase(key, StatusPhase::Pending).await;
    let jobs = Api::<Job>::namespaced(rig.client.clone(), NAMESPACE);
    let pod = jobs
        .get("train")
        .await
        .unwrap()
        .spec
        .unwrap()
        .template
        .spec
        .unwrap();
    let selector = pod.node_selector.unwrap();
    assert_eq!(selector["node-restriction.kubernetes.io/reeve-node-pool"], "cpu");
    rig.link.change(&[key], vec![]);
    rig.phase(key, StatusPhase::Deleted).await;
}

async fn drift_is_told(rig: &Rig) {
    // Everything until here was the operator's own doing.
    assert_eq!(drift(rig), "");
    let by = |manager: &str| PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    };
    let bindings = Api::<RoleBinding>::namespaced(rig.client.clone(), NAMESPACE);
    let eve = json!({"subjects": [{"kind": "User", "name": "eve@example.com", "apiGroup": "rbac.authorization.k8s.io"}]});
    bindings
        .patch("reeve-l1-researcher", &by("night-shift"), &Patch::Merge(eve))
        .await
        .unwrap();
    until_drift_says(
        rig,
        &[
            "RoleBinding `reeve-robots/reeve-l1-researcher`",
            "`subjects` by `night-shift`",
        ],
    )
    .await;
    rig.wait_for_bindings(NAMESPACE, &[("reeve-l1-researcher", &["User alice@example.com"])])
        .await;
    bindings
        .delete("reeve-l1-researcher", &DeleteParams::default())
        .await
        .unwrap();
    until_drift_says(rig, &["it was deleted"]).await;
    let namespaces = Api::<Namespace>::all(rig.installer.clone());
    let pools = json!({"metadata": {"annotations": {"reeve.dev/node-pools": "fast"}}});
    namespaces
        .patch(NAMESPACE, &by("day-shift"), &Patch::Merge(pools))
        .await
        .unwrap();
    until_drift_says(
        rig,
        &[
            "namespace `reeve-robots`",
            "`metadata.annotations.reeve.dev/node-pools` by `day-shift`",
        ],
    )
    .await;
    until_says(rig, "reeve.dev/node-pools", Some("cpu")).await;
}
