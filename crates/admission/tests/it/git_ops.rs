//! What a repository applies, by server and by client: a fresh object has generation 1 after it was applied again, and nothing
//! differs from what the repository says. For every kind that makes pods.

use anyhow::Result;
use reeve_admission::{names, policies};
use reeve_testkit::{Kubectl, apply_yaml, wait_until};
use serde_json::{Value, json};

use crate::fixture::{self, AS_ALICE, KINDS, ROBOTS, api_server};

/// How a tool applies.
#[derive(Clone, Copy, Debug)]
enum How {
    Server,
    Client,
}

impl How {
    fn arguments(self, verb: &'static str) -> Vec<&'static str> {
        let more: &[&str] = match (self, verb) {
            (Self::Server, _) => &["--server-side", "--force-conflicts", "--field-manager=repository"],
            (Self::Client, _) => &[],
        };
        [&[verb], more, &["-f", "-"]].concat()
    }
}

fn as_alice(kubectl: &Kubectl, arguments: &[&str], input: &str) -> Result<String> {
    kubectl.must_with_input(&[&AS_ALICE[..], arguments].concat(), input)
}

/// Applies an object of each kind three times, and says what is not as it was after the first.
fn applied(kubectl: &Kubectl, how: How, prefix: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for kind in KINDS {
        let name = format!("{prefix}-{}", kind.to_lowercase());
        let object = fixture::minimal(kind, &name).to_string();
        let judge = || -> Result<()> {
            for _ in 0..3 {
                as_alice(kubectl, &how.arguments("apply"), &object)?;
            }
            let found = kubectl.must(&["-n", ROBOTS, "get", kind, &name, "-o", "json"])?;
            let generation = serde_json::from_str::<Value>(&found)?["metadata"]["generation"].clone();
            anyhow::ensure!(generation == 1, "generation {generation}");
            // Exit code 1 is a difference, and `must` takes it for a failure.
            let difference = as_alice(kubectl, &how.arguments("diff"), &object)?;
            anyhow::ensure!(difference.is_empty(), "{difference}");
            Ok(())
        };
        if let Err(error) = judge() {
            wrong.push(format!("{kind} {how:?}: {error:#}"));
        }
    }
    wrong
}

fn install(kubectl: &Kubectl, policies: &[Value]) -> Result<()> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": policies}).to_string();
    kubectl.must_with_input(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &list)?;
    Ok(())
}

/// The policies with one that fills in when something is made, and not when it is applied again.
fn only_on_creation() -> Vec<Value> {
    let mut all = policies();
    for policy in all
        .iter_mut()
        .filter(|it| it["kind"] == "MutatingAdmissionPolicy")
    {
        let rules = policy.pointer_mut("/spec/matchConstraints/resourceRules");
        for rule in rules.and_then(Value::as_array_mut).into_iter().flatten() {
            let creates = rule["operations"]
                .as_array()
                .is_some_and(|all| all.contains(&json!("CREATE")));
            if creates {
                rule["operations"] = json!(["CREATE"]);
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_repository_applies_again_has_generation_1_and_no_difference() -> Result<()> {
    let Some(cluster) = api_server().await else {
        return Ok(());
    };
    let installer = cluster.installer_client().await?;
    apply_yaml(&installer, &fixture::ground()).await?;
    let labels = json!({names::PROJECT: "robots", names::POD_SECURITY_ENFORCE: "restricted"});
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ROBOTS, "labels": labels}});
    apply_yaml(&installer, &namespace.to_string()).await?;
    // Made by the controller-manager elsewhere; there is none here.
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": ROBOTS}});
    apply_yaml(&installer, &account.to_string()).await?;
    let kubectl = cluster.kubectl();
    install(&kubectl, &policies())?;
    let probe = fixture::minimal("Deployment", "probe").to_string();
    wait_until("the policies", async || {
        let arguments = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
        let made = as_alice(&kubectl, &arguments, &probe);
        Ok(made.is_ok_and(|made| made.contains("runAsUser")).then_some(()))
    })
    .await?;
    for (how, prefix) in [(How::Server, "server"), (How::Client, "client")] {
        let wrong = applied(&kubectl, how, prefix);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    // Planted fault: the selector is one value for a server-side apply, and comes without the person's id.
    install(&kubectl, &only_on_creation())?;
    let tried = std::cell::Cell::new(0);
    wait_until("the fault to be noticed", async || {
        let number = tried.replace(tried.get() + 1);
        let wrong = applied(&kubectl, How::Server, &format!("fault-{number}"));
        Ok(wrong
            .iter()
            .any(|wrong| wrong.starts_with("Deployment"))
            .then_some(()))
    })
    .await?;
    Ok(())
}
