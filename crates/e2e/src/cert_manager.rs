//! The real cert-manager, as a process of this machine: what its controllers do and what its injector of authorities does.
//!
//! **Limits.** It runs as a ServiceAccount that is an administrator: its own roles are not what is tested, but admission policies judge it
//! as anybody. Its webhook, which checks what people write, is not there.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reeve_testkit::{Cluster, Kubectl, apply_yaml, wait_until};
use serde_json::json;

use crate::kubeconfig::{kubeconfig, write_private};
use crate::process::Process;

/// cert-manager's namespace, and its ServiceAccount there.
const NAME: &str = "cert-manager";
/// What the program says when all controllers were started.
const STARTED: &str = "controllers run";
/// The issuer that [`CertManager::issuer`] makes.
pub const ISSUER: &str = "issuer";

/// It ends with the value.
pub struct CertManager {
    process: Process,
}

impl CertManager {
    /// Definitions, ServiceAccount and process; `installer` may install all of it, `folder` is for its kubeconfig and its log.
    ///
    /// # Errors
    /// It cannot be built, or does not come up; the message shows its log.
    pub async fn start(cluster: &Cluster, installer: &Kubectl, folder: &Path) -> Result<Self> {
        let installed = tokio::task::spawn_blocking(reeve_testkit::cert_manager).await??;
        define(cluster, installer, &installed.join("definitions")).await?;
        let account = format!("{NAME}:{NAME}");
        installer.must(&["create", "namespace", NAME])?;
        installer.must(&["create", "serviceaccount", NAME, "-n", NAME])?;
        installer.must(&[
            "create",
            "clusterrolebinding",
            NAME,
            "--clusterrole=cluster-admin",
            &format!("--serviceaccount={account}"),
        ])?;
        let token = installer.must(&["create", "token", NAME, "-n", NAME])?;
        let file = folder.join("cert-manager.kubeconfig");
        write_private(&file, &kubeconfig(cluster, token.trim(), None))?;
        let environment = [("KUBECONFIG", std::path::absolute(&file)?.display().to_string())];
        let log = folder.join("cert-manager.log");
        let manager = Self {
            process: Process::start_with(NAME, &installed.join("cert-manager"), &[], &environment, &log)?,
        };
        wait_until("cert-manager to start", async || {
            Ok(manager.log().contains(STARTED).then_some(()))
        })
        .await
        .with_context(|| manager.log())?;
        Ok(manager)
    }

    /// An authority of this namespace, and the issuer [`ISSUER`] of it. Returns when it can issue.
    ///
    /// # Errors
    /// The API server refuses, or cert-manager does not make them.
    pub fn issuer(&self, installer: &Kubectl, namespace: &str) -> Result<()> {
        let api = "cert-manager.io/v1";
        let of = |name: &str| json!({"name": name, "namespace": namespace});
        let all = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": api, "kind": "Issuer", "metadata": of("self-signed"), "spec": {"selfSigned": {}}},
            {"apiVersion": api, "kind": "Certificate", "metadata": of("authority"), "spec": {
                "isCA": true, "commonName": "authority of a test", "secretName": "authority",
                "privateKey": {"algorithm": "ECDSA", "size": 256}, "issuerRef": {"name": "self-signed"}}},
            {"apiVersion": api, "kind": "Issuer", "metadata": of(ISSUER), "spec": {"ca": {"secretName": "authority"}}},
        ]});
        installer.must_with_input(&["apply", "-f", "-"], &all.to_string())?;
        let ready = [
            "-n",
            namespace,
            "wait",
            "--for=condition=Ready",
            "--timeout=60s",
            "issuers.cert-manager.io",
            "--all",
        ];
        installer.must(&ready).map(drop).with_context(|| self.log())
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

async fn define(cluster: &Cluster, installer: &Kubectl, folder: &Path) -> Result<()> {
    let client = cluster.installer_client().await?;
    let mut defined = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading `{}`", folder.display()))? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading `{}`", path.display()))?;
        apply_yaml(&client, &text).await?;
        defined += 1;
    }
    ensure!(defined > 0, "no definitions in `{}`", folder.display());
    wait_until("cert-manager's kinds", async || {
        let kinds =
            "certificates.cert-manager.io,issuers.cert-manager.io,certificaterequests.cert-manager.io";
        installer.must(&["get", "--all-namespaces", kinds]).map(Some)
    })
    .await
    .map(drop)
}
