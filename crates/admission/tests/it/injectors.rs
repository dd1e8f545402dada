//! Policies and webhooks of others that add a container to every pod, as a mesh does: alone and amid others, in whatever order
//! the API server asks them.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reeve_admission::{names, policies};
use reeve_testkit::{Cluster, Kubectl, apply_yaml, wait_for, wait_until};
use serde_json::{Value, json};

use crate::fixture::{self, api_server};
use crate::mesh::Mesh;
use crate::webhook::Running;

/// Where identity is enforced.
const ENFORCED: &str = fixture::ROBOTS;
/// Where it is not.
const UNENFORCED: &str = "reeve-unenforced";
/// How long an order of policies that does not help is watched. The API server lists them anew within a second.
const WATCHED: Duration = Duration::from_secs(12);

/// A pod that says nothing of security, and one that leaves nothing to fill in.
fn pods() -> [(&'static str, Value); 2] {
    let complete = {
        let mut pod = fixture::base("Pod", "alice");
        pod["metadata"]["name"] = json!("complete");
        pod
    };
    [("bare", fixture::minimal("Pod", "bare")), ("complete", complete)]
}

/// A policy that adds a container of which it says nothing but name and image, and its binding.
fn injector(name: &str) -> String {
    let expression = format!(
        "[JSONPatch{{op: 'add', path: '/spec/containers/-', value: {{'name': '{name}', 'image': 'local.test/mesh:1'}}}}]"
    );
    let version = "admissionregistration.k8s.io/v1";
    let policy = json!({"apiVersion": version, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
        "failurePolicy": "Fail", "reinvocationPolicy": "Never",
        "matchConstraints": {"namespaceSelector": {"matchLabels": {names::PROJECT: "robots"}},
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

struct TestCluster {
    kubectl: Kubectl,
    namespace: &'static str,
}

impl TestCluster {
    /// With the policy that judges.
    async fn set(cluster: &Cluster, namespace: &'static str) -> Result<Self> {
        Self::set_with(cluster, namespace, &ours("reeve-pods")).await
    }

    /// With these in force.
    async fn set_with(cluster: &Cluster, namespace: &'static str, enforcing: &[Value]) -> Result<Self> {
        let installer = cluster.installer_client().await?;
        apply_yaml(&installer, &fixture::ground()).await?;
        for name in [ENFORCED, UNENFORCED] {
            let setting = if name == UNENFORCED { names::OFF } else { "true" };
            let labels = json!({names::PROJECT: "robots", names::POD_SECURITY_ENFORCE: "privileged",
                names::ENFORCE_RUN_AS_USER: setting});
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
            apply_yaml(&installer, &object.to_string()).await?;
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}});
            apply_yaml(&installer, &account.to_string()).await?;
        }
        let stage = Self {
            kubectl: cluster.kubectl(),
            namespace,
        };
        stage.install(enforcing)?;
        let mut wrong = fixture::base("Pod", "alice");
        wrong["spec"]["securityContext"]["runAsUser"] = json!(0);
        wait_until("the policy that judges", async || {
            Ok((stage.try_pod(&wrong)?.0 == Outcome::Refused).then_some(()))
        })
        .await?;
        Ok(stage)
    }

    /// Removes our policies and makes them again, so that the API server lists all of them anew.
    fn install(&self, policies: &[Value]) -> Result<()> {
        self.remove(policies)?;
        let text = json!({"apiVersion": "v1", "kind": "List", "items": policies}).to_string();
        self.kubectl.must_with_input(&["create", "-f", "-"], &text)?;
        Ok(())
    }

    fn remove(&self, policies: &[Value]) -> Result<()> {
        let text = json!({"apiVersion": "v1", "kind": "List", "items": policies}).to_string();
        self.kubectl
            .must_with_input(&["delete", "--ignore-not-found", "-f", "-"], &text)?;
        Ok(())
    }

    fn try_pod(&self, pod: &Value) -> Result<(Outcome, Value)> {
        let mut arguments = fixture::AS_ALICE.to_vec();
        arguments.pop();
        arguments.extend([
            self.namespace,
            "create",
            "--dry-run=server",
            "-o",
            "json",
            "-f",
            "-",
        ]);
        let output = self.kubectl.run_with_input(&arguments, &pod.to_string())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("reeve: R") {
                return Ok((Outcome::Refused, Value::Null));
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
        Ok((outcome, made))
    }

    /// What becomes of a pod amid injectors, once all of them are in force. An order of the policies stays until the next
    /// change of one, so what is refused for that long is refused by it.
    async fn settled(&self, pod: &Value, meshes: &[String]) -> Result<(Outcome, Value)> {
        let filled = wait_for(WATCHED, "a pod with all containers, filled in", async || {
            let (outcome, made) = self.try_pod(pod)?;
            let containers = made["spec"]["containers"].as_array().cloned().unwrap_or_default();
            let there = |mesh: &String| containers.iter().any(|c| c["name"] == mesh.as_str());
            let all = meshes.iter().all(there) && containers.len() == meshes.len() + 1;
            Ok((all && outcome == Outcome::Filled).then_some((outcome, made)))
        })
        .await;
        match filled {
            Ok(filled) => Ok(filled),
            Err(_) => self.try_pod(pod),
        }
    }

    /// What becomes of a pod once a webhook is in force that adds a container of this name. While it is not, the pod comes out
    /// without that container.
    async fn through_webhook(&self, pod: &Value, container: &str) -> Result<(Outcome, Value)> {
        wait_until("the webhook to be asked", async || {
            let (outcome, made) = self.try_pod(pod)?;
            let containers = made["spec"]["containers"].as_array().cloned().unwrap_or_default();
            let asked = outcome == Outcome::Refused || containers.iter().any(|c| c["name"] == container);
            Ok(asked.then_some((outcome, made)))
        })
        .await
    }

    /// What becomes of each pod under a webhook that adds a container, registered anew each time, once our defaults are in force.
    async fn outcomes_of_a_webhook(
        &self,
        ours: &[Value],
        tries: usize,
    ) -> Result<Vec<(&'static str, Outcome, Value)>> {
        self.remove(ours)?;
        let bare = fixture::minimal("Pod", "bare");
        // Else those of before could be taken for these.
        wait_until("our defaults to be gone", async || {
            Ok((self.try_pod(&bare)?.0 != Outcome::Filled).then_some(()))
        })
        .await?;
        self.install(ours)?;
        let names: Vec<String> = (0..tries).map(|round| format!("mesh-{round}")).collect();
        self.outcomes_of_webhooks(&names).await
    }

    /// The same of webhooks of these names, one after the other, with what is installed.
    async fn outcomes_of_webhooks(&self, names: &[String]) -> Result<Vec<(&'static str, Outcome, Value)>> {
        let bare = fixture::minimal("Pod", "bare");
        wait_until("our defaults to be in force", async || {
            Ok((self.try_pod(&bare)?.0 == Outcome::Filled).then_some(()))
        })
        .await?;
        let mesh = Mesh::start().await?;
        let mut outcomes = Vec::new();
        for container in names {
            let webhook = mesh.configuration(container);
            self.kubectl.must_with_input(&["create", "-f", "-"], &webhook)?;
            for (name, pod) in pods() {
                let (outcome, made) = self.through_webhook(&pod, container).await?;
                outcomes.push((name, outcome, made));
            }
            self.kubectl.must_with_input(&["delete", "-f", "-"], &webhook)?;
            // Else the next one is not alone, and what is refused may be so for this one.
            wait_until("the webhook to be asked no more", async || {
                let (outcome, made) = self.try_pod(&bare)?;
                let containers = made["spec"]["containers"].as_array().map(Vec::len);
                Ok((outcome == Outcome::Filled && containers == Some(1)).then_some(()))
            })
            .await?;
        }
        Ok(outcomes)
    }

    /// What becomes of each pod, over and over again, each time with injectors that were made anew; `enough` ends it early.
    async fn outcomes(
        &self,
        ours: &[Value],
        injectors: usize,
        tries: usize,
        enough: impl Fn(&Outcome, &Value) -> bool,
    ) -> Result<Vec<(&'static str, Outcome, Value)>> {
        let mut outcomes = Vec::new();
        for round in 0..tries {
            self.install(ours)?;
            let names: Vec<String> = (0..injectors).map(|n| format!("mesh-{round}-{n}")).collect();
            let meshes: Vec<String> = names.iter().map(|name| injector(name)).collect();
            let meshes = meshes.join("---\n");
            self.kubectl.must_with_input(&["create", "-f", "-"], &meshes)?;
            for (name, pod) in pods() {
                let (outcome, made) = if name == "bare" {
                    self.settled(&pod, &names).await?
                } else {
                    self.try_pod(&pod)?
                };
                let ends = enough(&outcome, &made);
                outcomes.push((name, outcome, made));
                if ends {
                    return Ok(outcomes);
                }
            }
            self.kubectl.must_with_input(&["delete", "-f", "-"], &meshes)?;
        }
        Ok(outcomes)
    }
}

/// Those of our policies whose names begin so, and their bindings.
fn ours(prefix: &str) -> Vec<Value> {
    let wanted = |policy: &Value| {
        policy["metadata"]["name"]
            .as_str()
            .is_some_and(|n| n.starts_with(prefix))
    };
    policies().into_iter().filter(wanted).collect()
}

/// Our defaults, all of them asked again or all of them once.
fn asked(reinvocation: &str) -> Vec<Value> {
    let mut policies = ours("reeve-defaults");
    for policy in policies
        .iter_mut()
        .filter(|p| p["kind"] == "MutatingAdmissionPolicy")
    {
        policy["spec"]["reinvocationPolicy"] = json!(reinvocation);
    }
    policies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_add_to_a_bare_pod_is_filled_in_each_time_where_identity_is_enforced() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let stage = TestCluster::set(&cluster, ENFORCED).await?;
    for injectors in [1, 5] {
        let outcomes = stage
            .outcomes(&ours("reeve-defaults"), injectors, 10, |_, _| false)
            .await?;
        assert_eq!(outcomes.len(), 20);
        for (pod, outcome, made) in outcomes {
            assert_ne!(outcome, Outcome::Incomplete, "{pod} amid {injectors}: {made}");
            if pod == "bare" {
                assert_eq!(outcome, Outcome::Filled, "{pod} amid {injectors}: {made}");
            }
        }
    }
    // Asked once, ours misses what another one adds after it.
    let refused = |outcome: &Outcome, _: &Value| *outcome == Outcome::Refused;
    let outcomes = stage.outcomes(&asked("Never"), 5, 10, refused).await?;
    assert!(
        outcomes.iter().any(|(_, o, made)| refused(o, made)),
        "{outcomes:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_identity_is_not_enforced_an_injector_gives_nobody_her_numbers() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let stage = TestCluster::set(&cluster, UNENFORCED).await?;
    let numbered = |_: &Outcome, made: &Value| made["spec"]["securityContext"].get("runAsUser").is_some();
    let tries = stage
        .outcomes(&ours("reeve-defaults"), 1, 3, |_, _| false)
        .await?;
    for (pod, outcome, made) in tries {
        assert_ne!(outcome, Outcome::Incomplete, "{pod}: {made}");
        if pod == "bare" {
            assert!(!numbered(&outcome, &made), "{made}");
        }
    }
    // Asked again, ours takes its own stamp for her wish.
    let bare =
        |outcome: &Outcome, made: &Value| numbered(outcome, made) && made["metadata"]["name"] == "bare";
    let outcomes = stage.outcomes(&asked("IfNeeded"), 5, 10, bare).await?;
    assert!(outcomes.iter().any(|(_, o, made)| bare(o, made)), "{outcomes:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_policy_that_judges_some_would_get_in_incomplete() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let stage = TestCluster::set(&cluster, ENFORCED).await?;
    for policy in ours("reeve-pods") {
        stage
            .kubectl
            .must_with_input(&["delete", "-f", "-"], &policy.to_string())?;
    }
    wait_until("an incomplete pod", async || {
        let incomplete = |outcome: &Outcome, _: &Value| *outcome == Outcome::Incomplete;
        let outcomes = stage.outcomes(&asked("Never"), 5, 1, incomplete).await?;
        Ok(outcomes
            .iter()
            .any(|(_, o, made)| incomplete(o, made))
            .then_some(()))
    })
    .await
}

/// Meshes and secrets agents are webhooks, which the API server asks after every policy: what they add to a pod that ours filled in
/// gets the same context, and what they add to one that said everything itself is judged as it is. Planted faults: ours asked
/// once (below), and the policy that judges left out, which lets the complete pod in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_webhook_adds_to_a_bare_pod_is_filled_in_each_time_and_to_a_complete_one_refused() -> Result<()>
{
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let stage = TestCluster::set(&cluster, ENFORCED).await?;
    let outcomes = stage.outcomes_of_a_webhook(&ours("reeve-defaults"), 10).await?;
    assert_eq!(outcomes.len(), 20);
    for (pod, outcome, made) in outcomes {
        if pod == "complete" {
            assert_eq!(outcome, Outcome::Refused, "{made}");
            continue;
        }
        assert_eq!(outcome, Outcome::Filled, "{made}");
        let containers = made["spec"]["containers"].as_array().context("no containers")?;
        let [own, injected] = containers.as_slice() else {
            bail!("{made}")
        };
        assert_eq!(injected["securityContext"], own["securityContext"], "{made}");
    }
    // Asked once, ours misses it each time: webhooks come last.
    for (pod, outcome, made) in stage.outcomes_of_a_webhook(&asked("Never"), 2).await? {
        assert_eq!(outcome, Outcome::Refused, "{pod}: {made}");
    }
    Ok(())
}

/// Where identity is not enforced ours is asked once, and so before any webhook.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_identity_is_not_enforced_what_a_webhook_adds_is_refused() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let stage = TestCluster::set(&cluster, UNENFORCED).await?;
    let outcomes = stage.outcomes_of_a_webhook(&ours("reeve-defaults"), 3).await?;
    for (pod, outcome, made) in outcomes {
        assert_eq!(outcome, Outcome::Refused, "{pod}: {made}");
    }
    Ok(())
}

/// Where `reeve-webhook` stands in for the policies it is one webhook among others, which the API server asks in the order of
/// their configurations' names: `reeve` is ours. Asked last it fills in whatever is missing; asked before, it is asked again for
/// what it had filled in, and for nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_webhook_adds_before_or_after_our_webhook_is_filled_in_or_refused() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let running = Running::start(&cluster).await?;
    let stage = TestCluster::set_with(&cluster, ENFORCED, &running.configurations).await?;
    let names = ["before-ours", "when-ours-was-asked"].map(str::to_owned);
    let outcomes = stage.outcomes_of_webhooks(&names).await?;
    let found: Vec<_> = outcomes.iter().map(|(pod, outcome, _)| (*pod, outcome)).collect();
    let wanted = [
        ("bare", &Outcome::Filled),
        ("complete", &Outcome::Filled),
        ("bare", &Outcome::Filled),
        ("complete", &Outcome::Refused),
    ];
    assert_eq!(found, wanted, "{outcomes:?}");
    Ok(())
}
