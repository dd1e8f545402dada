use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use reeve_crds::ReeveConfig;
use reeve_link::StatusPhase;
use reeve_testkit::{apply_yaml, wait_until};
use serde_json::{Value, json};

use crate::rig::{Rig, project_in, project_key};

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_was_there_is_adopted_only_when_an_installer_says_so() {
    let Some(rig) = Rig::start().await else { return };
    apply_yaml(
        &rig.installer,
        "{apiVersion: v1, kind: Namespace, metadata: {name: old, labels: {team: a}}}",
    )
    .await
    .unwrap();
    before_adoption(&rig).await;
    let words = "kubectl label namespace old reeve.dev/project=robots";
    rig.says(project_key(3), StatusPhase::NotReady, words).await;
    assert_eq!(rig.bindings("old").await, []);
    assert!(
        !rig.namespace("old")
            .await
            .unwrap()
            .labels()
            .contains_key("runai/queue")
    );

    let namespaces = Api::<Namespace>::all(rig.installer.clone());
    let label = |name: &str| Patch::Merge(json!({"metadata": {"labels": {"reeve.dev/project": name}}}));
    namespaces
        .patch("old", &PatchParams::default(), &label("other"))
        .await
        .unwrap();
    wait_until("another message", async || {
        Ok(rig
            .link
            .status(project_key(3))
            .filter(|s| s.message.contains("is labelled as project `other`'s")))
    })
    .await
    .unwrap();
    // What is nobody's to set does not hold the settings up.
    wait_until("the settings to be applied", async || {
        let ready = rig.condition("Ready").await;
        Ok(ready.filter(|condition| condition.status == "True"))
    })
    .await
    .unwrap();
    namespaces
        .patch("old", &PatchParams::default(), &label("robots"))
        .await
        .unwrap();
    rig.phase(project_key(3), StatusPhase::Ready).await;
    let labels = rig.namespace("old").await.unwrap().labels().clone();
    assert_eq!(
        (labels["team"].as_str(), labels["runai/queue"].as_str()),
        ("a", "robots")
    );
    after_adoption(&rig).await;
    networking(&rig).await;

    // The second project of a namespace has to find another.
    rig.link.change(&[], vec![project_in(4, "late", "old")]);
    let words = "is project `robots`'s";
    rig.says(project_key(4), StatusPhase::NotReady, words).await;

    // Nor is a reserved one made; that holds the settings up as little.
    rig.link.change(&[], vec![project_in(6, "certs", "cert-manager")]);
    let words = "namespace `cert-manager` is reserved in this cluster (`cert-manager`)";
    rig.says(project_key(6), StatusPhase::NotReady, words).await;
    assert!(rig.namespace("cert-manager").await.is_none());
    wait_until("the settings to be applied all the same", async || {
        let ready = rig.condition("Ready").await;
        Ok(ready.filter(|condition| condition.status == "True"))
    })
    .await
    .unwrap();
    apply_yaml(
        &rig.installer,
        "{apiVersion: v1, kind: Namespace, metadata: {name: cert-manager, labels: {reeve.dev/project: certs}}}",
    )
    .await
    .unwrap();
    rig.phase(project_key(6), StatusPhase::Ready).await;

    // The system's namespaces are nobody's.
    rig.link.change(&[], vec![project_in(5, "thief", "kube-system")]);
    let words = "a namespace of the system cannot become a project";
    rig.says(project_key(5), StatusPhase::NotReady, words).await;
    assert!(
        !rig.namespace("kube-system")
            .await
            .unwrap()
            .labels()
            .contains_key("reeve.dev/project")
    );

    settings(&rig).await;
    alarms(&rig).await;
}

/// What the status of a project says of what its namespace holds.
async fn admissible(rig: &Rig, project: &str, what: &str, fits: impl Fn(&Value) -> bool) {
    wait_until(what, async || {
        let path = r#"jsonpath={.status.conditions[?(@.type=="WorkloadsAdmissible")]}"#;
        let kubectl = rig.cluster.kubectl();
        let text = kubectl.must(&["get", "projects.reeve.dev", project, "-o", path])?;
        let condition: Value = serde_json::from_str(&text).unwrap_or_default();
        anyhow::ensure!(fits(&condition), "{condition}");
        Ok(Some(()))
    })
    .await
    .unwrap();
}

/// Waits for an event that says so of what could make no new pod.
async fn refused(rig: &Rig, words: &str) {
    wait_until(&format!("an event with {words}"), async || {
        let notes = "jsonpath={.items[*].note}";
        let arguments = [
            "get",
            "events.events.k8s.io",
            "-A",
            "--field-selector=reason=WorkloadsRefused",
            "-o",
            notes,
        ];
        let said = rig.cluster.kubectl().must(&arguments)?;
        anyhow::ensure!(said.contains(words), "{said}");
        Ok(Some(()))
    })
    .await
    .unwrap();
}

/// A Deployment and a Job in the namespace before it is the project's: its status says what of it could not be made again.
async fn before_adoption(rig: &Rig) {
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "nightly", "namespace": "old"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "local.test/none:1"}]}}}});
    let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "old"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "local.test/none:1"}]}}}});
    for object in [job, web] {
        apply_yaml(&rig.installer, &object.to_string()).await.unwrap();
    }
    rig.link.change(&[], vec![project_in(3, "robots", "old")]);
    let what = "what is there to be said before the adoption";
    admissible(rig, "robots", what, |said| {
        let message = said["message"].as_str().unwrap_or_default();
        said["status"] == "False"
            && said["reason"] == "BeforeAdoption"
            && message.contains("Job `nightly` (R")
    })
    .await;
}

/// Then all of it, an event says so, and a setting that an installer changes by hand calls for another look. Planted faults:
/// without the event the list of events is empty; with a fingerprint of the two switches alone the last wait ends in vain, since
/// what was found clean is not looked at again.
async fn after_adoption(rig: &Rig) {
    let what = "what is there to be said after the adoption";
    admissible(rig, "robots", what, |said| {
        let message = said["message"].as_str().unwrap_or_default();
        let named = message.contains("Deployment `web` (R") && message.contains("Job `nightly` (R");
        said["reason"] == "Strict" && named
    })
    .await;
    refused(rig, "Deployment `web` (R").await;
    let kubectl = rig.cluster.kubectl();
    let delete = [
        "-n",
        "old",
        "delete",
        "deployment/web",
        "job/nightly",
        "--wait=false",
    ];
    kubectl.must(&delete).unwrap();
    let surveyed = || {
        let path = "jsonpath={.status.surveyedSettings}";
        let found = kubectl.must(&["get", "projects.reeve.dev", "robots", "-o", path]);
        found.unwrap()
    };
    let allow = async |classes: &str| {
        let namespaces = Api::<Namespace>::all(rig.installer.clone());
        let patch =
            Patch::Merge(json!({"metadata": {"annotations": {"reeve.dev/priority-classes": classes}}}));
        namespaces
            .patch("old", &PatchParams::default(), &patch)
            .await
            .unwrap();
    };
    // The look of every minute is not waited for: another setting calls for one.
    let before = surveyed();
    allow("gold").await;
    admissible(rig, "robots", "nothing to be left", |said| {
        said["status"] == "True"
    })
    .await;
    let clean = surveyed();
    assert_ne!(clean, before);
    allow("silver").await;
    wait_until("another look", async || Ok((surveyed() != clean).then_some(())))
        .await
        .unwrap();
}

/// What the control plane decides of Ingresses and NetworkPolicies is the namespace's label, whatever was there.
async fn networking(rig: &Rig) {
    let decided = |on: bool| {
        let spec = json!({"id": "3", "name": "robots", "departmentId": "1", "namespace": "old", "allowNetworking": on});
        serde_json::from_value(json!({"kind": "Project", "spec": spec})).unwrap()
    };
    for on in [true, false] {
        rig.link.change(&[], vec![decided(on)]);
        wait_until("the label", async || {
            let labels = rig.namespace("old").await.unwrap().labels().clone();
            let said = labels.get("reeve.dev/allow-networking").cloned();
            Ok((said == Some(on.to_string())).then_some(()))
        })
        .await
        .unwrap();
    }
}

/// What is said of identity as a boundary, by the settings, the project and the metric. Planted faults: `project/status.rs`
/// or `config.rs` without the condition, and a gauge that is never set.
async fn boundary(rig: &Rig, status: &str, gauge: &str) {
    wait_until(&format!("identity is a boundary: {status}"), async || {
        let settings = rig.condition("IdentityBoundary").await.map(|it| it.status);
        let path = r#"jsonpath={.status.conditions[?(@.type=="IdentityBoundary")].status}"#;
        let project = rig
            .cluster
            .kubectl()
            .must(&["get", "projects.reeve.dev", "robots", "-o", path])?;
        let metrics = rig.ask("/metrics").await.1;
        let counted = metrics
            .lines()
            .find(|line| line.starts_with("reeve_identity_boundary "))
            .map(str::to_owned);
        let said = (settings.as_deref(), project.as_str(), counted.as_deref());
        anyhow::ensure!(
            said == (
                Some(status),
                status,
                Some(format!("reeve_identity_boundary {gauge}").as_str())
            ),
            "{said:?}"
        );
        Ok(Some(()))
    })
    .await
    .unwrap();
}

/// What may run as nobody as long as the settings are weak, in a project that has no event yet: one of the same reason would
/// keep its words for some minutes.
async fn runs_as_nobody(rig: &Rig) {
    rig.link.change(&[], vec![project_in(7, "lax", "reeve-lax")]);
    rig.phase(project_key(7), StatusPhase::Ready).await;
    let late = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "late", "namespace": "reeve-lax"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "late"}}, "template": {"metadata": {"labels": {"app": "late"}},
            "spec": {"containers": [{"name": "c", "image": "local.test/none:1"}]}}}});
    apply_yaml(&rig.installer, &late.to_string()).await.unwrap();
    admissible(rig, "lax", "nothing to be said of it", |said| {
        said["status"] == "True" && said["reason"] == "Lenient"
    })
    .await;
}

/// Planted faults: a fingerprint of annotations alone, by which nothing is looked at again when a switch is turned; no event.
async fn settings(rig: &Rig) {
    boundary(rig, "True", "1").await;
    let configs = Api::<ReeveConfig>::all(rig.installer.clone());
    let weaker = Patch::Merge(
        json!({"spec": {"enforceRunAsUser": false, "enforcePreventPrivilegeEscalation": false}}),
    );
    configs
        .patch("reeve", &PatchParams::default(), &weaker)
        .await
        .unwrap();
    let wait = async |user: &str, level: &str| {
        wait_until(&format!("{user} {level}"), async || {
            let labels = rig.namespace("old").await.unwrap().labels().clone();
            let now = (
                labels["reeve.dev/enforce-run-as-user"].as_str(),
                labels["pod-security.kubernetes.io/enforce"].as_str(),
            );
            Ok((now == (user, level)).then_some(()))
        })
        .await
        .unwrap();
    };
    wait("false", "baseline").await;
    boundary(rig, "False", "0").await;
    runs_as_nobody(rig).await;
    wait_until("the settings at the control plane", async || {
        Ok(rig
            .link
            .reports()
            .iter()
            .rev()
            .find_map(|r| r.settings.clone())
            .filter(|s| !s.enforce_run_as_user))
    })
    .await
    .unwrap();
    // Without settings everything is strict.
    configs.delete("reeve", &DeleteParams::default()).await.unwrap();
    wait("true", "restricted").await;
    admissible(rig, "lax", "what became inadmissible to be said", |said| {
        let message = said["message"].as_str().unwrap_or_default();
        let named = message.contains("1 could make no new pod: Deployment `late` (R");
        said["status"] == "False" && said["reason"] == "Strict" && named
    })
    .await;
    refused(rig, "Deployment `late` (R").await;
    apply_yaml(
        &rig.installer,
        "{apiVersion: reeve.dev/v1alpha1, kind: ReeveConfig, metadata: {name: reeve}, spec: {}}",
    )
    .await
    .unwrap();
    boundary(rig, "True", "1").await;
}

async fn alarms(rig: &Rig) {
    let alarmed = async |wanted: &str| {
        wait_until(&format!("alarm `{wanted}`"), async || {
            let (status, text) = rig.ask("/readyz").await;
            let settings = rig
                .link
                .reports()
                .iter()
                .rev()
                .find_map(|report| report.settings.clone())
                .unwrap();
            let told = settings.policy_alarms.iter().any(|alarm| alarm.contains(wanted));
            let red = status == 503 && text.contains(wanted);
            if wanted.is_empty() {
                Ok((status == 200 && settings.policy_alarms.is_empty()).then_some(()))
            } else {
                Ok((red && told).then_some(()))
            }
        })
        .await
        .unwrap();
    };
    alarmed("").await;
    Api::<ValidatingAdmissionPolicyBinding>::all(rig.client.clone())
        .delete("reeve-pods", &DeleteParams::default())
        .await
        .unwrap();
    alarmed("ValidatingAdmissionPolicyBinding `reeve-pods` is missing").await;
    assert!(rig.ask("/metrics").await.1.contains("reeve_policy_alarms 1"));
    let policies = Api::<ValidatingAdmissionPolicy>::all(rig.client.clone());
    let never =
        Patch::Merge(json!({"spec": {"matchConditions": [{"name": "never", "expression": "false"}]}}));
    policies
        .patch("reeve-pods", &PatchParams::default(), &never)
        .await
        .unwrap();
    alarmed("ValidatingAdmissionPolicy `reeve-pods` differs").await;
    let events = rig
        .cluster
        .kubectl()
        .must(&["-n", "default", "get", "events.events.k8s.io", "-o", "yaml"])
        .unwrap();
    assert!(
        events.contains("reason: PolicyChanged") && events.contains("type: Warning"),
        "{events}"
    );
    policies
        .delete("reeve-pods", &DeleteParams::default())
        .await
        .unwrap();
    apply_yaml(&rig.installer, &reeve_admission::policies_yaml())
        .await
        .unwrap();
    alarmed("").await;
}
