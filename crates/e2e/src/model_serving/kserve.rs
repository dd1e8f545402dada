//! The real KServe's manager, as a process of this machine, in the mode that needs no Knative: an InferenceService becomes a Deployment.
//!
//! It runs as the ServiceAccount of its own chart, under the rights that this chart gives it.
//!
//! **Limits.** It makes no route; ours does. The port of its webhooks is open on every address of the machine: it has no flag for another.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_testkit::{Cluster, apply_yaml, wait_for, wait_until};
use serde_json::{Value, json};

use crate::in_pods::{Made, certificate};
use crate::{kubeconfig, write_private};

/// The namespace of its chart.
pub const NAMESPACE: &str = "kserve";
/// The ServiceAccount that its chart makes.
pub const ACCOUNT: &str = "kserve-controller-manager";
/// What of its chart is used: the account and its rights. The program is a process of this machine.
const RIGHTS: [&str; 5] = [
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
];
/// How long its token is good for: longer than any demo.
const TOKEN_SECONDS: i64 = 24 * 3600;
/// The webhooks for InferenceServices, and for pods that are of one. The others are for kinds of which nothing is made here.
const WEBHOOKS: &str = "inferenceservice.serving.kserve.io";
/// Until its caches are full; it says that it is ready long before.
const SETTLE: Duration = Duration::from_secs(60);

/// In its folder.
const KUBECONFIG: &str = "kubeconfig";

/// Runs the program until standard input is closed, which it also is when this process is killed.
const UNTIL_CLOSED: &str = "\"$@\" < /dev/null & cat > /dev/null; kill $!; wait";

/// It ends with the value, and with this process.
pub(super) struct Kserve {
    process: Child,
}

impl Drop for Kserve {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl Kserve {
    /// Definitions, settings, certificate, process and webhooks.
    ///
    /// # Errors
    /// It cannot be built, or does not come up; the message shows its last words.
    pub(super) async fn start(cluster: &Cluster, folder: &Path) -> Result<Self> {
        let installed = tokio::task::spawn_blocking(reeve_testkit::kserve).await??;
        let client = cluster.installer_client().await?;
        define(cluster, &client, &installed.join("definitions")).await?;
        apply_yaml(&client, &settings()).await?;
        let chart = std::fs::read_to_string(installed.join("resources.yaml"))?;
        apply_yaml(&client, &rights(&chart)?).await?;
        let token = cluster
            .service_account_token(NAMESPACE, ACCOUNT, TOKEN_SECONDS)
            .await?;
        std::fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
        write_private(&folder.join(KUBECONFIG), &kubeconfig(cluster, &token, None))?;
        let made = certificate(&["127.0.0.1".to_owned()])?;
        let [metrics, probes, webhooks] = ports()?;
        let log = folder.join("log");
        let process = spawn(&installed, folder, &log, &made, [metrics, probes, webhooks])?;
        let kserve = Self { process };
        let started = wait_for(SETTLE, "KServe to work", async || {
            let said = std::fs::read_to_string(&log)?;
            let works = |line: &str| line.contains("Starting workers") && line.contains("inferenceservice");
            Ok(said.lines().any(works).then_some(()))
        });
        started.await.with_context(|| last_words(&log))?;
        let text = std::fs::read_to_string(installed.join("webhooks.yaml"))?;
        apply_yaml(&client, &at_this_machine(&text, webhooks, &made.ca)?).await?;
        Ok(kserve)
    }
}

async fn define(cluster: &Cluster, client: &kube::Client, folder: &Path) -> Result<()> {
    let mut kinds = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading `{}`", folder.display()))? {
        let path = entry?.path();
        apply_yaml(client, &std::fs::read_to_string(&path)?).await?;
        // The files are named GROUP_PLURAL.yaml.
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (group, plural) = name.split_once('_').context("a file of no kind")?;
        kinds.push(format!("{plural}.{group}"));
    }
    let kubectl = cluster.kubectl();
    wait_until("KServe's kinds", async || {
        kubectl
            .must(&["get", "--all-namespaces", &kinds.join(",")])
            .map(Some)
    })
    .await
    .map(drop)
}

/// The least that it works with. It reads these at each pass.
fn settings() -> String {
    let quantities = json!({
        "image": "local.test/none:1", "memoryRequest": "16Mi", "memoryLimit": "64Mi", "cpuRequest": "10m", "cpuLimit": "100m",
    });
    let data = json!({
        "deploy": json!({"defaultDeploymentMode": "Standard"}).to_string(),
        "ingress": json!({
            "ingressGateway": "none/none", "ingressDomain": "example.com", "disableIstioVirtualHost": true,
            "enableGatewayApi": false, "disableIngressCreation": true,
        }).to_string(),
        "storageInitializer": quantities.to_string(),
        "logger": quantities.to_string(),
        "batcher": quantities.to_string(),
        "agent": quantities.to_string(),
        "security": json!({"autoMountServiceAccountToken": true}).to_string(),
    });
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "inferenceservice-config", "namespace": NAMESPACE}, "data": data,
    });
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n---\n{map}\n")
}

/// Of what its chart makes the account and its rights.
fn rights(chart: &str) -> Result<String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(chart)?;
    let is_right = |document: &&Value| {
        let kind = document.get("kind").and_then(Value::as_str);
        kind.is_some_and(|kind| RIGHTS.contains(&kind))
    };
    let taken: Vec<String> = documents
        .iter()
        .filter(is_right)
        .map(|document| format!("---\n{document}\n"))
        .collect();
    ensure!(!taken.is_empty(), "KServe's chart gives no rights");
    Ok(taken.concat())
}

/// Three that are free now.
fn ports() -> Result<[u16; 3]> {
    let held: Vec<TcpListener> = (0..3)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    let ports: Vec<u16> = held
        .iter()
        .map(|port| port.local_addr().map(|at| at.port()))
        .collect::<Result<_, _>>()?;
    ports.try_into().ok().context("three ports")
}

fn spawn(
    installed: &Path,
    folder: &Path,
    log: &Path,
    made: &Made,
    [metrics, probes, webhooks]: [u16; 3],
) -> Result<Child> {
    // It looks for its certificate below the folder for temporary files, and has no flag for another.
    let folder = std::path::absolute(folder)?;
    let certificates: PathBuf = folder.join("k8s-webhook-server/serving-certs");
    std::fs::create_dir_all(&certificates).with_context(|| format!("making `{}`", certificates.display()))?;
    std::fs::write(certificates.join("tls.crt"), &made.certificate)?;
    std::fs::write(certificates.join("tls.key"), &made.key)?;
    Command::new("sh")
        .args(["-c", UNTIL_CLOSED, "kserve"])
        .arg(installed.join("kserve-manager"))
        .arg(format!("--metrics-addr=127.0.0.1:{metrics}"))
        .arg(format!("--health-probe-addr=127.0.0.1:{probes}"))
        .arg(format!("--webhook-port={webhooks}"))
        .env("KUBECONFIG", folder.join(KUBECONFIG))
        .env("TMPDIR", &folder)
        .env("POD_NAMESPACE", NAMESPACE)
        // Ctrl-C is for the demo alone, which then ends it.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(File::create(log)?)
        .spawn()
        .context("cannot start KServe")
}

/// Its webhooks, which ask a process of this machine in place of a Service.
fn at_this_machine(text: &str, port: u16, authority: &str) -> Result<String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).context("reading KServe's webhooks")?;
    let mut taken = Vec::new();
    for mut document in documents {
        if document.pointer("/metadata/name") != Some(&json!(WEBHOOKS)) {
            continue;
        }
        if let Value::Object(fields) = &mut document {
            let metadata = json!({"name": format!("it-{WEBHOOKS}")});
            fields.insert("metadata".to_owned(), metadata);
        }
        let all = document.get_mut("webhooks").and_then(Value::as_array_mut);
        for webhook in all.into_iter().flatten() {
            let path = webhook
                .pointer("/clientConfig/service/path")
                .and_then(Value::as_str)
                .context("a webhook without a path")?;
            let client = json!({
                "url": format!("https://127.0.0.1:{port}{path}"), "caBundle": STANDARD.encode(authority),
            });
            if let Value::Object(fields) = webhook {
                fields.insert("clientConfig".to_owned(), client);
            }
        }
        taken.push(format!("---\n{document}\n"));
    }
    ensure!(
        taken.len() == 2,
        "KServe has {} configurations of webhooks",
        taken.len()
    );
    Ok(taken.concat())
}

fn last_words(log: &Path) -> String {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let mut end: Vec<&str> = said.lines().rev().take(15).collect();
    end.reverse();
    format!("KServe's last words:\n{}", end.join("\n"))
}
