//! Policies of others that add a container to every pod, as a mesh does: alone and amid others, in whatever order the API
//! server asks them.

use anyhow::{Context, Result, bail};
use reeve_admission::{names, policies};
use reeve_testkit::{Cluster, Kubectl, Options, Tier, apply_yaml, own_cluster, wait_until};
use serde_json::{Value, json};

use crate::world;

const NAMESPACE: &str = world::ROBOTS;

/// A pod that says nothing of security, and one that leaves nothing to fill in.
fn pods() -> [(&'static str, Value); 2] {
    let complete = {
        let mut pod = world::base("Pod", "alice");
        pod["metadata"]["name"] = json!("complete");
        pod
    };
    [("bare", world::minimal("Pod", "bare")), ("complete", complete)]
}

/// A policy that adds a container of which it says nothing but name and image, and its binding.
fn injector(name: &str) -> String {
    let expression = format!(
        "[JSONPatch{{op: 'add', path: '/spec/containers/-', value: {{'name': '{name}', 'image': 'local.test/mesh:1'}}}}]"
    );
    let version = "admissionregistration.k8s.io/v1";
    let policy = json!({"apiVersion": version, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
        "failurePolicy": "Fail", "reinvocationPolicy": "Never",
        "matchConstraints": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
            "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}]}});
    let binding = json!({"apiVersion": version, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name}});
    format!("{policy}\n---\n{binding}\n")
}

/// What became of a pod.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Every container has what it needs.
    Filled,
    /// Admitted, and some container has not.
    Incomplete,
    /// Refused by a sentence of ours.
    Refused,
}

struct Stage {
    kubectl: Kubectl,
}

impl Stage {
    async fn set(cluster: &Cluster) -> Result<Self> {
        let installer = cluster.installer_client().await?;
        apply_yaml(&installer, world::GROUND).await?;
        let labels = json!({names::PROJECT: "robots", names::POD_SECURITY_ENFORCE: "privileged"});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}});
        apply_yaml(&installer, &namespace.to_string()).await?;
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}});
        apply_yaml(&installer, &account.to_string()).await?;
        let stage = Self {
            kubectl: cluster.kubectl(),
        };
        stage.install(&ours("reeve-pods"))?;
        let mut wrong = world::base("Pod", "alice");
        wrong["spec"]["securityContext"]["runAsUser"] = json!(70013);
        wait_until("the policy that judges", async || {
            Ok((stage.try_pod(&wrong)?.0 == Outcome::Refused).then_some(()))
        })
        .await?;
        Ok(stage)
    }

    /// Removes our policies and makes them again, so that the API server lists all of them anew.
    fn install(&self, policies: &[Value]) -> Result<()> {
        for policy in policies {
            let text = policy.to_string();
            self.kubectl
                .must_with_input(&["delete", "--ignore-not-found", "-f", "-"], &text)?;
            self.kubectl.must_with_input(&["create", "-f", "-"], &text)?;
        }
        Ok(())
    }

    fn try_pod(&self, pod: &Value) -> Result<(Outcome, usize)> {
        let arguments = [
            &["create", "--dry-run=server", "-o", "json", "-f", "-"][..],
            &world::AS_ALICE,
        ]
        .concat();
        let output = self.kubectl.run_with_input(&arguments, &pod.to_string())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("reeve: R6: ") {
                return Ok((Outcome::Refused, 0));
            }
            bail!("no verdict of ours: {said}");
        }
        let made: Value = serde_json::from_slice(&output.stdout)?;
        let containers = made["spec"]["containers"].as_array().context("no containers")?;
        let whole = |c: &Value| c["securityContext"]["capabilities"]["drop"] == json!(["ALL"]);
        let outcome = if containers.iter().all(whole) {
            Outcome::Filled
        } else {
            Outcome::Incomplete
        };
        Ok((outcome, containers.len()))
    }

    /// What becomes of each pod, over and over again, each time with injectors that were made anew.
    async fn outcomes(
        &self,
        ours: &[Value],
        injectors: usize,
        tries: usize,
    ) -> Result<Vec<(&'static str, Outcome)>> {
        let mut outcomes = Vec::new();
        for round in 0..tries {
            self.install(ours)?;
            let names: Vec<String> = (0..injectors).map(|n| format!("mesh-{round}-{n}")).collect();
            for name in &names {
                self.kubectl
                    .must_with_input(&["create", "-f", "-"], &injector(name))?;
            }
            let bare = &pods()[0].1;
            wait_until("all policies to be in force", async || {
                let (outcome, containers) = self.try_pod(bare)?;
                Ok((outcome == Outcome::Refused || containers == injectors + 1).then_some(()))
            })
            .await?;
            for (name, pod) in pods() {
                outcomes.push((name, self.try_pod(&pod)?.0));
            }
            for name in &names {
                self.kubectl
                    .must_with_input(&["delete", "-f", "-"], &injector(name))?;
            }
        }
        Ok(outcomes)
    }
}

/// One of our policies, and its binding.
fn ours(name: &str) -> Vec<Value> {
    let wanted = |policy: &Value| policy["metadata"]["name"] == name;
    policies().into_iter().filter(wanted).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_add_to_a_pod_is_filled_in_or_refused_in_any_order() -> Result<()> {
    let options = Options {
        tier: Tier::ApiServer,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    let stage = Stage::set(&cluster).await?;
    let defaults = ours("reeve-defaults");
    for (injectors, tries) in [(1, 5), (4, 3)] {
        for (pod, outcome) in stage.outcomes(&defaults, injectors, tries).await? {
            assert_ne!(outcome, Outcome::Incomplete, "{pod} amid {injectors}");
        }
    }
    // Judged by nobody, some would get in incomplete.
    for policy in ours("reeve-pods") {
        stage
            .kubectl
            .must_with_input(&["delete", "-f", "-"], &policy.to_string())?;
    }
    wait_until("an incomplete pod", async || {
        let outcomes = stage.outcomes(&defaults, 1, 1).await?;
        let incomplete = |(_, outcome): &(&str, Outcome)| *outcome == Outcome::Incomplete;
        Ok(outcomes.iter().any(incomplete).then_some(()))
    })
    .await
}
