//! Templates from before: nobody's stamp is on them, and the project runs containers as people. Whoever writes one again
//! makes it hers; whoever only labels or scales it does not. With `kubectl`, as people do it.

use anyhow::{Context, Result};
use reeve_admission::{names, policies};
use reeve_testkit::{Cluster, Kubectl, apply_yaml, wait_until};
use serde_json::{Value, json};

use crate::fixture::{self, AS_ALICE, CHANGEABLE, ROBOTS, api_server};

const ALICE: &str = "123e4567-e89b-12d3-a456-426614174000/70012/5000/5001";

struct Before {
    kubectl: Kubectl,
}

impl Before {
    /// Objects of nobody, and only then the policies.
    async fn set(cluster: &Cluster, settings: Value) -> Result<Self> {
        Self::set_with(cluster, settings, "apply", &policies()).await
    }

    async fn set_with(cluster: &Cluster, settings: Value, verb: &str, policies: &[Value]) -> Result<Self> {
        let installer = cluster.installer_client().await?;
        apply_yaml(&installer, &fixture::ground()).await?;
        let mut labels = json!({names::PROJECT: "robots", names::POD_SECURITY_ENFORCE: "privileged"});
        fixture::merge(&mut labels, &settings);
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ROBOTS, "labels": labels}});
        apply_yaml(&installer, &namespace.to_string()).await?;
        // Made by the controller-manager elsewhere; there is none here.
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": ROBOTS}});
        apply_yaml(&installer, &account.to_string()).await?;
        let before = Self {
            kubectl: cluster.kubectl(),
        };
        for kind in CHANGEABLE.iter().copied().chain(["Job"]) {
            let object = fixture::minimal(kind, "old").to_string();
            before
                .kubectl
                .must_with_input(&["-n", ROBOTS, verb, "-f", "-"], &object)?;
        }
        before.install(policies).await?;
        Ok(before)
    }

    async fn install(&self, policies: &[Value]) -> Result<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": policies}).to_string();
        self.kubectl
            .must_with_input(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &list)?;
        let mut probe = fixture::minimal("Pod", "probe");
        probe["spec"]["securityContext"] = json!({"supplementalGroupsPolicy": "Merge", "runAsUser": 0});
        wait_until("the policy that judges", async || {
            let arguments = [&["create", "--dry-run=server", "-f", "-"][..], &AS_ALICE].concat();
            let output = self.kubectl.run_with_input(&arguments, &probe.to_string())?;
            Ok(String::from_utf8_lossy(&output.stderr)
                .contains("reeve: R")
                .then_some(()))
        })
        .await?;
        let bare = fixture::minimal("Pod", "probe").to_string();
        wait_until("the policy that fills in", async || {
            let arguments = [
                &["create", "--dry-run=server", "-o", "json", "-f", "-"][..],
                &AS_ALICE,
            ]
            .concat();
            let output = self.kubectl.run_with_input(&arguments, &bare)?;
            Ok(String::from_utf8_lossy(&output.stdout)
                .contains(ALICE)
                .then_some(()))
        })
        .await
    }

    fn alice(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl.must(&[&AS_ALICE[..], arguments].concat())
    }

    fn get(&self, kind: &str) -> Result<Value> {
        let text = self
            .kubectl
            .must(&["-n", ROBOTS, "get", kind, "old", "-o", "json"])?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Whose it is, and as whom it runs.
    fn stamp(&self, kind: &str) -> Result<(Option<String>, Value)> {
        let object = self.get(kind)?;
        let at = reeve_admission::request::template_path(kind).context("a kind with a template")?;
        let template = object.pointer(at).context("a template")?;
        let stamp = template["metadata"]["annotations"][names::RUNS_AS].as_str();
        Ok((
            stamp.map(str::to_owned),
            template["spec"]["securityContext"]["runAsUser"].clone(),
        ))
    }

    /// The advice of R4, word by word.
    fn replace(&self, kind: &str) -> Result<()> {
        let text = self.alice(&["get", kind, "old", "-o", "yaml"])?;
        let arguments = [&AS_ALICE[..], &["replace", "-f", "-"]].concat();
        self.kubectl.must_with_input(&arguments, &text)?;
        Ok(())
    }

    /// What people do to objects of others all day.
    fn use_otherwise(&self, kind: &str) -> Result<()> {
        self.alice(&["label", kind, "old", "team=a"])?;
        self.alice(&["annotate", kind, "old", "note=x"])?;
        if kind == "CronJob" {
            self.alice(&[
                "patch",
                kind,
                "old",
                "--type=merge",
                "-p",
                r#"{"spec":{"suspend":true}}"#,
            ])?;
        } else if kind != "DaemonSet" {
            self.alice(&[
                "patch",
                kind,
                "old",
                "--type=merge",
                "-p",
                r#"{"spec":{"replicas":2}}"#,
            ])?;
            self.alice(&["scale", kind, "old", "--replicas=1"])?;
        }
        let status = r#"{"status":{"observedGeneration":1}}"#;
        if kind != "CronJob" {
            self.alice(&[
                "patch",
                kind,
                "old",
                "--subresource=status",
                "--type=merge",
                "-p",
                status,
            ])?;
        }
        Ok(())
    }
}

fn nobody() -> (Option<String>, Value) {
    (None, Value::Null)
}

fn hers() -> (Option<String>, Value) {
    (Some(ALICE.to_owned()), json!(70012))
}

/// The policy that fills in, which does not look for what is written again.
fn with_fault() -> Result<Vec<Value>> {
    let text = serde_json::to_string(&policies())?;
    let guard = "request.operation == 'UPDATE' && !(object.kind in ['Job', 'Pod'])";
    assert!(text.contains(guard), "the fault changes nothing");
    Ok(serde_json::from_str(
        &text.replace(guard, &format!("false && {guard}")),
    )?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_a_template_of_before_again_makes_it_hers() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let before = Before::set(&cluster, json!({})).await?;
    for kind in CHANGEABLE.iter().copied() {
        before.use_otherwise(kind)?;
        assert_eq!(before.stamp(kind)?, nobody(), "{kind} is hers by a label");
        before.replace(kind)?;
        assert_eq!(before.stamp(kind)?, hers(), "{kind} written again");
        // `kubectl replace` itself writes an annotation each time, which counts as a generation of a Deployment.
        let spec = before.get(kind)?["spec"].clone();
        before.replace(kind)?;
        assert_eq!(before.get(kind)?["spec"], spec, "{kind} changes each time");
    }
    // A Job as it is can be replaced, as ever; what helps is to make it anew.
    before.replace("Job")?;
    assert_eq!(before.stamp("Job")?, nobody());
    let force = [&AS_ALICE[..], &["replace", "--force", "-f", "-"]].concat();
    before
        .kubectl
        .must_with_input(&force, &fixture::minimal("Job", "old").to_string())?;
    assert_eq!(before.stamp("Job")?, hers());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_applies_a_template_of_before_makes_it_the_persons_who_applies() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    // What the client applied, an apply by the server takes over with all its fields.
    let before = Before::set_with(&cluster, json!({}), "create", &policies()).await?;
    let apply = [
        &AS_ALICE[..],
        &[
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=repository",
            "-f",
            "-",
        ],
    ]
    .concat();
    // An apply of nothing but a label says nothing of the template.
    for kind in CHANGEABLE.iter().copied() {
        let label = json!({"apiVersion": fixture::api_version(kind), "kind": kind,
            "metadata": {"name": "old", "labels": {"from": "elsewhere"}}});
        before
            .kubectl
            .must_with_input(&[&apply[..], &["--validate=false"]].concat(), &label.to_string())?;
        assert_eq!(before.stamp(kind)?, nobody(), "{kind} is hers by a label");
    }
    for kind in CHANGEABLE.iter().copied() {
        // Something beside the template differs, and the template is named.
        let mut object = fixture::minimal(kind, "old");
        object["metadata"]["labels"] = json!({"from": "repository"});
        before.kubectl.must_with_input(&apply, &object.to_string())?;
        assert_eq!(before.stamp(kind)?, hers(), "{kind}");
        let generation = before.get(kind)?["metadata"]["generation"].clone();
        before.kubectl.must_with_input(&apply, &object.to_string())?;
        let again = before.get(kind)?["metadata"]["generation"].clone();
        assert_eq!(generation, again, "{kind} changes each time");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_identity_is_not_enforced_what_is_written_again_stays_as_it_is() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let before = Before::set(&cluster, json!({names::ENFORCE_RUN_AS_USER: "false"})).await?;
    for kind in CHANGEABLE.iter().copied() {
        let object = before.get(kind)?;
        before.replace(kind)?;
        let after = before.get(kind)?;
        assert_eq!(object["spec"], after["spec"], "{kind}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_looks_at_changed_templates_alone_is_noticed() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let before = Before::set_with(&cluster, json!({}), "apply", &with_fault()?).await?;
    before.replace("StatefulSet")?;
    assert_eq!(before.stamp("StatefulSet")?, nobody());
    Ok(())
}
