//! Model serving as an administrator installs it (`docs/model-serving.md`): the real KServe, and the chart `aim-engine` with our operator
//! and downloader as pods. A registry, a hub of files and a tiny model are of this machine.

mod broken;
mod kserve;
mod outside;
mod tiny;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use reeve_testkit::{Cluster, Helm, Kubectl, charts};
use serde_json::{Value, json};

use crate::in_pods::{REGISTRY, certificate};
use crate::install_crypto;
use kserve::Kserve;
use outside::Outside;

pub use kserve::{ACCOUNT as KSERVE_ACCOUNT, NAMESPACE as KSERVE};
pub use tiny::{CORPUS, IMAGE};

/// The operator's namespace.
pub const SYSTEM: &str = "aim-system";
/// The class of the volumes for files of models.
const CLASS: &str = "models";
/// The authorities of registries, in the operator's namespace.
const AUTHORITIES: &str = "registry-authorities";

/// Model serving in a cluster. It ends with the value, which has to go before the cluster.
pub struct ModelServing {
    outside: Outside,
    _kserve: Kserve,
}

impl ModelServing {
    /// What the node has to have: operator and downloader, as `cargo xtask images` left them, and the tiny model.
    ///
    /// # Errors
    /// They are not there; the message names the command.
    pub fn archives(folder: &Path) -> Result<Vec<PathBuf>> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = here.ancestors().nth(2).unwrap_or(here).join("target/images");
        let mut all = vec![tiny::archive(folder)?];
        for program in ["reeve-serving", "reeve-artifact-downloader"] {
            let archive = built.join(format!("{program}.tar"));
            ensure!(
                archive.is_file(),
                "no `{}`: run `cargo xtask images`",
                archive.display()
            );
            all.push(archive);
        }
        Ok(all)
    }

    /// Installs it in a cluster with a node that has [`ModelServing::archives`]; `folder` is for logs, keys and files of models.
    ///
    /// # Errors
    /// A part that does not come up; the message shows what it said.
    pub async fn install(cluster: &Cluster, folder: &Path, tell: fn(&str)) -> Result<Self> {
        install_crypto();
        std::fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
        tell("starting KServe");
        let kserve = Kserve::start(cluster, &folder.join("kserve")).await?;
        let machine = cluster.host_address().context("there is no node")?;
        let made = certificate(&[machine.to_owned()])?;
        let outside = Outside::start(machine.parse()?, &made).await?;
        tell("installing aim-engine with Helm");
        let kubectl = Kubectl::new(cluster.kubectl_path(), cluster.installer_kubeconfig());
        namespace(&kubectl, SYSTEM)?;
        apply(
            &kubectl,
            &json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": AUTHORITIES, "namespace": SYSTEM},
                "data": {"ca.crt": made.ca},
            }),
        )?;
        install_chart(cluster, &kubectl, &outside)?;
        Ok(Self {
            outside,
            _kserve: kserve,
        })
    }

    /// Makes a namespace under Pod Security `restricted`, and a volume for the files of one model.
    ///
    /// # Errors
    /// The API server refuses.
    pub fn namespace(&self, cluster: &Cluster, folder: &Path, name: &str) -> Result<()> {
        let kubectl = Kubectl::new(cluster.kubectl_path(), cluster.installer_kubeconfig());
        namespace(&kubectl, name)?;
        self.volume(cluster, folder, name)
    }

    /// Makes a volume for the files of models, which lie in a folder of this name.
    ///
    /// # Errors
    /// The API server refuses.
    pub fn volume(&self, cluster: &Cluster, folder: &Path, name: &str) -> Result<()> {
        let kubectl = Kubectl::new(cluster.kubectl_path(), cluster.installer_kubeconfig());
        let files = std::path::absolute(folder.join(name))?;
        std::fs::create_dir_all(&files).with_context(|| format!("making `{}`", files.display()))?;
        // Nothing provides volumes here, and nothing hands this one over to who downloads.
        std::fs::set_permissions(&files, std::fs::Permissions::from_mode(0o777))?;
        apply(
            &kubectl,
            &json!({
                "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": format!("models-{name}")},
                "spec": {
                    "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": CLASS,
                    "hostPath": {"path": files}, "persistentVolumeReclaimPolicy": "Retain",
                },
            }),
        )
    }

    /// Has the tiny model of a service go on from a prompt, by the Service that KServe made: what it answers.
    ///
    /// # Errors
    /// There is no such Service, or it does not answer.
    pub fn ask(&self, cluster: &Cluster, namespace: &str, service: &str, prompt: &str) -> Result<Value> {
        let kubectl = cluster.kubectl();
        let label = format!("aim.eai.amd.com/service={service}");
        let found = kubectl.must(&["-n", namespace, "get", "services", "-l", &label, "-o", "name"])?;
        let [name] = found.lines().collect::<Vec<_>>()[..] else {
            bail!("not one Service: {found}");
        };
        let name = name.trim_start_matches("service/");
        // This machine has no rules for the addresses of Services; the API server finds their pods by itself.
        let path = format!("/api/v1/namespaces/{namespace}/services/http:{name}:80/proxy");
        let prompt = prompt.replace(' ', "+");
        let answer = kubectl.must(&[
            "get",
            "--raw",
            &format!("{path}/cgi-bin/completions?prompt={prompt}"),
        ])?;
        serde_json::from_str(&answer).with_context(|| format!("the model answered `{answer}`"))
    }

    /// What is asked in the place of S3.
    pub fn buckets(&self) -> String {
        self.outside.buckets()
    }

    /// The paths that the hub of files was asked for so far.
    pub fn asked_of_the_hub(&self) -> Vec<String> {
        self.outside.asked_of_the_hub()
    }

    /// The paths that the registry was asked for so far.
    pub fn asked_of_the_registry(&self) -> Vec<String> {
        self.outside.asked_of_the_registry()
    }
}

fn install_chart(cluster: &Cluster, kubectl: &Kubectl, outside: &Outside) -> Result<()> {
    let chart = charts().join("aim-engine");
    let definitions = chart.join("crds").display().to_string();
    kubectl.must(&["apply", "--server-side", "-f", &definitions])?;
    let version = env!("CARGO_PKG_VERSION");
    let values = json!({
        "manager": {
            "image": {"repository": format!("{REGISTRY}/reeve-serving"), "tag": version},
        },
        "downloader": {"image": format!("{REGISTRY}/reeve-artifact-downloader:{version}")},
        "registry": {
            "endpoints": {tiny::REGISTRY: outside.registry()},
            "ca": {"existingConfigMap": AUTHORITIES},
        },
        "clusterRuntimeConfig": {"enable": true, "spec": {
            "env": [{"name": "HF_ENDPOINT", "value": outside.hub()}],
            "storage": {"defaultStorageClassName": CLASS},
        }},
    });
    let chart = chart.display().to_string();
    let arguments = [
        "install",
        "aim-engine",
        &chart,
        "--namespace",
        SYSTEM,
        "--skip-crds",
        "--wait",
        "--timeout=120s",
        "--values=-",
    ];
    let helm = Helm::with_kubeconfig(cluster.installer_kubeconfig())?;
    helm.must(&arguments, &values.to_string())
        .map(drop)
        .map_err(|error| {
            let said = |words: &[&str]| {
                let output = kubectl.run(&[&["-n", SYSTEM], words].concat());
                output.map_or_else(
                    |error| error.to_string(),
                    |output| String::from_utf8_lossy(&output.stdout).into_owned(),
                )
            };
            let pods = said(&["describe", "pods"]);
            let logs = said(&["logs", "--tail=30", "-l", "app.kubernetes.io/name=aim-engine"]);
            error.context(format!("{pods}\n{logs}"))
        })
}

fn namespace(kubectl: &Kubectl, name: &str) -> Result<()> {
    let restricted = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    apply(
        kubectl,
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": restricted}}),
    )
}

fn apply(kubectl: &Kubectl, object: &Value) -> Result<()> {
    let text = object.to_string();
    kubectl.must_with_input(&["apply", "-f", "-"], &text).map(drop)
}
