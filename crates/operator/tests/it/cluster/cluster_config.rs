//! The reference's `cluster-config`: the text of the brief, word for word, on a real API server.

use std::time::Duration;

use kube::Api;
use kube::api::{Patch, PatchParams};
use reeve_crds::ReeveConfig;
use reeve_link::StatusPhase;
use reeve_testkit::{wait_for, wait_until};
use serde_json::{Value, json};

use crate::rig::{Rig, project, project_key};

/// Page 2 of the brief, as it is.
const BRIEF: &str = r#"
apiVersion: v1
data:
  config: |
    enforceRunAsUser: true
    enforcePreventPrivilegeEscalation: true
kind: ConfigMap
metadata:
  name: cluster-config
  namespace: runai
  labels:
    runai/cluster-config: "true"
"#;

const NAMESPACE: &str = "reeve-robots";

/// A pod of the image's user, who may become root by a setuid file.
fn pod(name: &str, context: &Value) -> String {
    let container = json!({"name": "main", "image": "local.test/tools:1", "securityContext": context});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}).to_string()
}

/// What the API server says to the pod: empty when it takes it. Nothing is made.
fn told(rig: &Rig, context: &Value) -> String {
    let arguments = ["-n", NAMESPACE, "create", "--dry-run=server", "-f", "-"];
    let output = rig
        .cluster
        .kubectl()
        .run_with_input(&arguments, &pod("probe", context))
        .unwrap();
    if output.status.success() {
        String::new()
    } else {
        String::from_utf8(output.stderr).unwrap()
    }
}

async fn wait_for_labels(rig: &Rig, enforced: &str) {
    // The promise is a few seconds; the bound is for a machine that does much else.
    wait_for(
        Duration::from_secs(20),
        &format!("enforced: {enforced}"),
        async || {
            let namespace = rig.namespace(NAMESPACE).await.unwrap_or_default();
            let labels = namespace.metadata.labels.unwrap_or_default();
            let has = |key: &str| labels.get(key).map(String::as_str) == Some(enforced);
            let both =
                has("reeve.dev/enforce-run-as-user") && has("reeve.dev/enforce-prevent-privilege-escalation");
            Ok(both.then_some(()))
        },
    )
    .await
    .unwrap();
}

async fn wait_for_condition(rig: &Rig, status: Option<&str>, says: &str) {
    wait_until(&format!("ClusterConfigValid {status:?}: {says}"), async || {
        let condition = rig.condition("ClusterConfigValid").await;
        let holds = match (&condition, status) {
            (None, None) => true,
            (Some(condition), Some(status)) => condition.status == status && condition.message.contains(says),
            _ => false,
        };
        if holds {
            Ok(Some(()))
        } else {
            Err(anyhow::anyhow!("{condition:?}"))
        }
    })
    .await
    .unwrap();
}

fn write(rig: &Rig, config: Option<&str>) {
    let data = config.map_or(json!({"other": "x"}), |config| json!({"config": config}));
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": {"name": "second", "namespace": "reeve-system", "labels": {"runai/cluster-config": "true"}}});
    let arguments = ["apply", "-f", "-"];
    rig.cluster
        .kubectl()
        .must_with_input(&arguments, &object.to_string())
        .unwrap();
}

/// Red with a planted fault: without `with_demanded` in `Caches::settings` the labels stay `false`.
#[tokio::test(flavor = "multi_thread")]
async fn the_config_map_of_the_brief_turns_enforcement_on_for_every_pod_within_seconds() {
    let Some(mut rig) = Rig::start().await else { return };
    let lax = json!({"spec": {"enforceRunAsUser": false, "enforcePreventPrivilegeEscalation": false}});
    Api::<ReeveConfig>::all(rig.installer.clone())
        .patch("reeve", &PatchParams::default(), &Patch::Merge(lax))
        .await
        .unwrap();
    rig.link.change(&[], vec![project(3, "robots")]);
    rig.phase(project_key(3), StatusPhase::Ready).await;
    wait_for_labels(&rig, "false").await;
    let setuid = json!({"runAsUser": 1234, "allowPrivilegeEscalation": true});
    let root = json!({"runAsUser": 0, "runAsNonRoot": false});
    let ordinary = json!({"runAsUser": 1234});
    for context in [&ordinary, &setuid] {
        assert_eq!(told(&rig, context), "", "{context}");
    }

    let kubectl = rig.cluster.kubectl();
    kubectl.must_with_input(&["apply", "-f", "-"], BRIEF).unwrap();
    wait_for_labels(&rig, "true").await;
    // Pod Security is set by the same setting, and comes before our own policies.
    for (context, says) in [
        (&ordinary, "reeve: R5: "),
        (&setuid, "violates PodSecurity \"restricted"),
        (&root, "violates PodSecurity \"restricted"),
    ] {
        let refusal = told(&rig, context);
        assert!(refusal.contains(says), "{context}: {refusal}");
    }
    wait_for_condition(&rig, Some("True"), "`runai/cluster-config`").await;

    only_administrators_write_it(&rig);

    // Of several the strictest counts, whatever a second one says.
    write(
        &rig,
        Some("enforceRunAsUser: false\nenforcePreventPrivilegeEscalation: false"),
    );
    wait_for_condition(&rig, Some("True"), "reeve-system/second").await;
    wait_for_labels(&rig, "true").await;
    kubectl
        .must(&["-n", "runai", "delete", "configmap", "cluster-config"])
        .unwrap();
    wait_for_labels(&rig, "false").await;

    // What cannot be understood enforces, and says what to write.
    for (config, says) in [
        (Some("enforceRunAsUser: perhaps"), "neither true nor false"),
        (None, "no key `config`"),
    ] {
        write(&rig, config);
        wait_for_labels(&rig, "true").await;
        wait_for_condition(&rig, Some("False"), says).await;
        write(&rig, Some("enforceRunAsUser: false"));
        wait_for_labels(&rig, "false").await;
    }
    assert!(
        rig.events("ClusterConfigMalformed")
            .contains(&"Warning".to_owned())
    );

    // What cannot be read enforces too, and holds up nothing else.
    kubectl
        .must(&["-n", "runai", "delete", "rolebinding", "reeve-operator"])
        .unwrap();
    rig.kill();
    rig.run(&[]);
    rig.ready().await;
    wait_for_labels(&rig, "true").await;
    wait_for_condition(&rig, Some("False"), "cannot be read").await;
}

/// Admission R13.
fn only_administrators_write_it(rig: &Rig) {
    let kubectl = rig.cluster.kubectl();
    let robot = "system:serviceaccount:runai:default";
    kubectl
        .must(&[
            "-n",
            "runai",
            "create",
            "rolebinding",
            "robot",
            "--clusterrole=edit",
            "--user",
            robot,
        ])
        .unwrap();
    for verb in ["delete", "label"] {
        let mut arguments = vec!["--as", robot, "-n", "runai", verb, "configmap", "cluster-config"];
        if verb == "label" {
            arguments.push("runai/cluster-config-");
        }
        let output = kubectl.run(&arguments).unwrap();
        let refusal = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && refusal.contains("reeve: R13: "),
            "{verb}: {refusal}"
        );
    }
}
