//! Secrets with certificates are exchanged, as cert-manager does it, and the kubelet mounts them anew.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reeve_e2e::in_pods::{SERVER_NAMESPACE, SYSTEM_NAMESPACE, exchange_certificate};
use reeve_testkit::{shown_certificate, wait_for};
use serde_json::{Value, json};

use super::Installed;

/// The programs look at their files every ten seconds. A kubelet mounts what has changed when it has something to do with the pod,
/// and about once a minute otherwise.
const MOUNTED: Duration = Duration::from_secs(25);
/// How often it is given something to do: it may have heard of that before it heard of the Secret.
const TIMES: usize = 6;

/// Of operator and server. The operator goes on trusting the server's first authority alone, so the server gets its first one back.
pub(super) async fn are_exchanged_without_a_restart(installed: &Installed<'_>) -> Result<()> {
    let started = starts(installed)?;
    let name = ["secret", "server-tls", "-n", SERVER_NAMESPACE, "-o=json"];
    let mut first: Value = serde_json::from_str(&installed.get(&name)?)?;
    first["metadata"] = json!({"name": "server-tls", "namespace": SERVER_NAMESPACE});
    let [server] = ports(installed, SERVER_NAMESPACE, "reeve-server")?[..] else {
        anyhow::bail!("there is not one server");
    };
    let shown = shown_certificate(server).await?;
    exchanged(installed, SYSTEM_NAMESPACE, "reeve-operator", "operator-tls").await?;
    exchanged(installed, SERVER_NAMESPACE, "reeve-server", "server-tls").await?;
    installed
        .kubectl
        .must_with_input(&["replace", "-f", "-"], &first.to_string())?;
    shows(installed, SERVER_NAMESPACE, "reeve-server", &shown).await?;
    let now = starts(installed)?;
    ensure!(now == started, "a pod was started again: {started:#?}{now:#?}");
    Ok(())
}

/// Puts another certificate into the Secret and waits until each pod of the program shows it.
async fn exchanged(installed: &Installed<'_>, namespace: &str, program: &str, secret: &str) -> Result<()> {
    let names = [format!("{program}.{namespace}.svc")];
    let (_, next) = exchange_certificate(&installed.kubectl, namespace, secret, &names)?;
    shows(installed, namespace, program, &next).await
}

/// Waits until each pod of the program shows this certificate, which is in its Secret already.
pub(super) async fn shows(
    installed: &Installed<'_>,
    namespace: &str,
    program: &str,
    certificate: &[u8],
) -> Result<()> {
    let mut seen = Ok(());
    for _ in 0..TIMES {
        touch(installed, namespace, program)?;
        seen = wait_for(
            MOUNTED,
            &format!("{program} to show its new certificate"),
            async || {
                // An upgrade may just have replaced pods.
                for port in ports(installed, namespace, program)? {
                    ensure!(
                        shown_certificate(port).await? == certificate,
                        "{port} shows another"
                    );
                }
                Ok(Some(()))
            },
        )
        .await;
        if seen.is_ok() {
            break;
        }
    }
    seen
}

fn ports(installed: &Installed<'_>, namespace: &str, program: &str) -> Result<Vec<SocketAddr>> {
    let pods = installed.pods(namespace, program)?;
    ensure!(!pods.is_empty(), "no pod of {program}");
    Ok(pods
        .into_iter()
        .map(|(_, address)| (address, 8443).into())
        .collect())
}

fn touch(installed: &Installed<'_>, namespace: &str, program: &str) -> Result<()> {
    let label = format!("app.kubernetes.io/name={program}");
    let moment = format!("looked-at={}", crate::harness::fresh("moment"));
    let words = [
        "-n",
        namespace,
        "annotate",
        "pods",
        "--overwrite",
        "-l",
        &label,
        &moment,
    ];
    installed.kubectl.must(&words).map(drop)
}

/// Which pods there are, and how often each was started.
pub(super) fn starts(installed: &Installed<'_>) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for namespace in [SERVER_NAMESPACE, SYSTEM_NAMESPACE] {
        let pods: Value = serde_json::from_str(&installed.get(&["pods", "-n", namespace, "-o=json"])?)?;
        let pods = pods["items"].as_array().context("no list of pods")?;
        // Those that an upgrade replaced may be ending still.
        let staying = pods
            .iter()
            .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        all.extend(staying.map(|pod| {
            let restarts = pod.pointer("/status/containerStatuses/0/restartCount");
            let last = pod.pointer("/status/containerStatuses/0/lastState");
            format!("{}: {restarts:?}, {last:?}", pod["metadata"]["name"])
        }));
    }
    all.sort();
    Ok(all)
}
