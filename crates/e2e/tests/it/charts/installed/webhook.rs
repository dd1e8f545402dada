//! `admission.mode: webhook`: pods of `reeve-webhook` judge and fill in, as the policies did.

use anyhow::{Result, ensure};
use reeve_e2e::in_pods::SYSTEM_NAMESPACE;
use reeve_e2e::organization::{NAMESPACE, kubeconfig_of};
use reeve_testkit::{images, wait_for, wait_until};
use serde_json::{Value, json};

use super::{FAIL_OVER, Installed, metrics};

const POLICIES: &str = "validatingadmissionpolicies,mutatingadmissionpolicies";
const CONFIGURATIONS: &str = "validatingwebhookconfigurations,mutatingwebhookconfigurations";

fn pod(name: &str, uid: Option<u32>) -> String {
    let context = uid.map_or_else(|| json!({}), |uid| json!({"runAsUser": uid}));
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "securityContext": context,
        "containers": [{"name": "main", "image": images::TOOLS, "command": ["id"]}]}})
    .to_string()
}

pub(super) async fn stands_in_for_the_policies(installed: &Installed<'_>) -> Result<()> {
    let left = installed.get(&[POLICIES, "-o=name"])?;
    ensure!(!left.contains("reeve"), "both enforce: {left}");
    let pods = installed.pods(SYSTEM_NAMESPACE, "reeve-webhook")?;
    ensure!(pods.len() == 2, "{pods:?}");
    // The alarm (R1) is about the webhook now.
    let ready = [
        "deployment",
        "reeve-operator",
        "-n",
        SYSTEM_NAMESPACE,
        "-o=jsonpath={.status.readyReplicas}",
    ];
    ensure!(installed.get(&ready)? == "2", "the operator misses something");

    let alice = installed.stack.kubectl(&kubeconfig_of(installed.stack, "alice"));
    let create = ["create", "-n", NAMESPACE, "-f", "-"];
    let refused = alice.run_with_input(&create, &pod("other", Some(70_098)))?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(
        !refused.status.success(),
        "somebody else's uid was let in by the webhook"
    );
    ensure!(
        said.contains("admission webhook") && said.contains("reeve-pods.reeve.dev"),
        "{said}"
    );

    alice.must_with_input(&create, &pod("by-webhook", None))?;
    let made: Value =
        serde_json::from_str(&installed.get(&["pod", "by-webhook", "-n", NAMESPACE, "-o=json"])?)?;
    ensure!(made["spec"]["securityContext"]["runAsUser"] == 70012, "{made}");
    let printed = wait_until("the pod to have run", async || {
        let printed = installed.kubectl.must(&["logs", "by-webhook", "-n", NAMESPACE])?;
        Ok(printed.contains("uid=").then_some(printed))
    })
    .await?;
    ensure!(printed.starts_with("uid=70012 gid=5000"), "{printed}");
    alice.must(&["delete", "pod", "by-webhook", "-n", NAMESPACE, "--wait=false"])?;
    metrics::of(installed, SYSTEM_NAMESPACE, "reeve-webhook", 8443).await?;
    one_of_two_is_enough(installed).await
}

/// While one pod is replaced the other answers.
async fn one_of_two_is_enough(installed: &Installed<'_>) -> Result<()> {
    let [(gone, _), _] = installed
        .pods(SYSTEM_NAMESPACE, "reeve-webhook")?
        .try_into()
        .map_err(|pods| anyhow::anyhow!("{pods:?}"))?;
    installed
        .kubectl
        .must(&["delete", "pod", &gone, "-n", SYSTEM_NAMESPACE, "--wait=false"])?;
    refuses_somebody_elses_uid(installed).await
}

/// It is never let in; until a webhook answers it is refused for want of one.
pub(super) async fn refuses_somebody_elses_uid(installed: &Installed<'_>) -> Result<()> {
    let alice = installed.stack.kubectl(&kubeconfig_of(installed.stack, "alice"));
    wait_for(
        FAIL_OVER,
        "somebody else's uid to be refused by the rule",
        async || {
            let refused = alice.run_with_input(
                &["create", "-n", NAMESPACE, "-f", "-"],
                &pod("other", Some(70_098)),
            )?;
            ensure!(
                !refused.status.success(),
                "somebody else's uid was let in while no webhook answered"
            );
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            Ok(said.contains("reeve-pods.reeve.dev").then_some(()))
        },
    )
    .await
}

/// After the way back.
pub(super) fn is_gone(installed: &Installed<'_>) -> Result<()> {
    let left = installed.get(&[CONFIGURATIONS, "-o=name"])?;
    ensure!(!left.contains("reeve"), "both enforce: {left}");
    let there = installed.get(&[POLICIES, "-o=name"])?;
    ensure!(there.contains("reeve-pods"), "nothing enforces: {there}");
    Ok(())
}
