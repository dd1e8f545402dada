//! What people do beside writing manifests: step into their own pods and debug them, start again, scale for each other.

use anyhow::{Result, ensure};
use reeve_admission::names;
use reeve_testkit::{images, wait_for, wait_until};
use serde_json::json;

use super::{DEADLINE, Life, NAMESPACE};
use crate::fixture::{self, AS_ALICE};

/// A pod of alice's, and the copy of it that she debugs.
const ENTERED: &str = "entered";
const COPY: &str = "entered-debug";

const AS_DAVE: [&str; 7] = [
    "--as=dave@example.com",
    "--as-uid=123e4567-e89b-12d3-a456-426614174004",
    "--as-group=it:everything",
    "--as-user-extra=reeve.dev/uid=70014",
    "--as-user-extra=reeve.dev/gid=5000",
    "-n",
    NAMESPACE,
];

/// Lists whose the two pods are, as the operator would, of which none runs here; before they are there, so that no `exec` comes
/// too early for the list. Until then it is refused, which is the positive control of what follows.
pub(super) async fn list_whose_they_are(life: &Life<'_>) -> Result<()> {
    let refused = async || stepping_in_says(life, "reeve-connect");
    wait_until("stepping into what is not listed to be refused", refused).await?;
    let list = json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "PodIdentities", "metadata": {"name": names::POD_IDENTITIES},
        "spec": {"runsAs": {fixture::stamp("alice").to_string(): [ENTERED, COPY]}}});
    let operator = format!("--as={}", names::OPERATOR_USER);
    let create = [
        &operator,
        "--as-group=it:everything",
        "-n",
        NAMESPACE,
        "create",
        "-f",
        "-",
    ];
    life.kubectl.must_with_input(&create, &list.to_string())?;
    wait_until("the list to count", async || stepping_in_says(life, "not found")).await
}

fn stepping_in_says(life: &Life<'_>, word: &str) -> Result<Option<()>> {
    // `kubectl exec` would look for the pod first, and not ask.
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{ENTERED}/exec?command=true&stdout=true");
    let all: Vec<&str> = AS_ALICE.iter().chain(&["get", "--raw", &path]).copied().collect();
    let said = String::from_utf8_lossy(&life.kubectl.run(&all)?.stderr).into_owned();
    ensure!(said.contains(word), "{said}");
    Ok(Some(()))
}

/// Steps into a pod of her own, and debugs it as `docs/security/instead-of.md` says: in place, and by a copy. Planted fault:
/// `node-name` without its exemption of updates of pods refuses the debug container.
pub(super) async fn step_in(life: &Life<'_>) -> Result<()> {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ENTERED}, "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "c", "image": images::TOOLS, "command": ["sleep", "600"]}]}});
    let create: Vec<&str> = AS_ALICE.iter().chain(&["create", "-f", "-"]).copied().collect();
    life.kubectl.must_with_input(&create, &pod.to_string())?;
    enter(life, ENTERED).await?;
    let image = format!("--image={}", images::TOOLS);
    let copy = format!("--copy-to={COPY}");
    for (how, pod) in [("--target=c", ENTERED), (copy.as_str(), COPY)] {
        let debug = [
            "debug",
            ENTERED,
            &image,
            how,
            "--profile=restricted",
            "-c",
            "dbg",
            "--",
            "id",
        ];
        life.alice(&debug)?;
        wait_for(DEADLINE, "the debug container to have run", async || {
            let printed = life.alice(&["logs", pod, "-c", "dbg"])?;
            ensure!(printed.starts_with("uid=70012 gid=5000"), "{printed}");
            Ok(Some(()))
        })
        .await?;
    }
    enter(life, COPY).await?;
    life.alice(&["delete", "pod", ENTERED, COPY, "--wait=false"])?;
    Ok(())
}

/// Waits for the pod to run, and looks who she is in there.
async fn enter(life: &Life<'_>, pod: &str) -> Result<()> {
    wait_for(DEADLINE, "the pod to run", async || {
        let running = "jsonpath={.status.containerStatuses[?(@.name=='c')].state.running}";
        Ok((!life.alice(&["get", "pod", pod, "-o", running])?.is_empty()).then_some(()))
    })
    .await?;
    let printed = life.alice(&["exec", pod, "-c", "c", "--", "id"])?;
    ensure!(printed.starts_with("uid=70012 gid=5000"), "{printed}");
    Ok(())
}

/// Starts her own again, as after a change of what is mounted.
pub(super) fn restart(life: &Life<'_>) -> Result<()> {
    for what in super::ROLLING {
        life.alice(&["rollout", "restart", what])?;
        if life.cluster.node_name().is_some() {
            life.alice(&["rollout", "status", what, "--timeout=60s"])?;
        }
    }
    Ok(())
}

/// A colleague scales what runs as her, by a patch as the page says.
pub(super) async fn scaled_by_a_colleague(life: &Life<'_>) -> Result<()> {
    for (what, replicas) in [
        ("deployment/web", 1),
        ("statefulset/db", 2),
        ("replicationcontroller/old", 2),
    ] {
        let change = json!({"spec": {"replicas": replicas}}).to_string();
        let patch: Vec<&str> = AS_DAVE
            .iter()
            .chain(&["patch", what, "-p", &change])
            .copied()
            .collect();
        life.kubectl.must(&patch)?;
    }
    life.pods_of("old", 2).await?;
    if life.cluster.node_name().is_some() {
        // Where nothing runs, the first of them is never ready.
        life.pods_of("db", 2).await?;
    }
    let hers = life.get("pods")?;
    let stamp = fixture::stamp("alice").to_string();
    for pod in hers["items"].as_array().into_iter().flatten() {
        let runs_as = &pod["metadata"]["annotations"][names::RUNS_AS];
        ensure!(*runs_as == stamp, "a pod that he scaled runs as {runs_as}: {pod}");
    }
    Ok(())
}
