//! The testbed's programs and images: found in the cache or built into it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::environment;
use crate::images;
use crate::tier::Tier;

/// What `serve` prints when the cluster is ready. Unknown fields are ignored.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct LaunchLine {
    pub server: String,
    pub ca_file: PathBuf,
    pub kubeconfigs: Kubeconfigs,
    pub audit_log: PathBuf,
    pub authentication_config: PathBuf,
    pub real_node: bool,
    pub real_node_reason: String,
    pub node_name: String,
    #[serde(default)]
    pub node_address: String,
    #[serde(default)]
    pub host_address: String,
    #[serde(default)]
    pub no_services_reason: String,
    pub images: Vec<String>,
    pub kubectl: PathBuf,
    pub dir: PathBuf,
    pub version: String,
    pub pid: u32,
}

/// Kubeconfigs of the two administrators.
#[derive(Debug, Clone, Deserialize)]
pub struct Kubeconfigs {
    /// In `system:masters` only.
    pub admin: PathBuf,
    /// Also in `reeve:installers`.
    pub installer: PathBuf,
}

/// The programs of one tier, ready to start.
#[derive(Debug, Clone)]
pub struct Testbed {
    tier: Tier,
    controlplane: PathBuf,
    node: Option<Result<Node, String>>,
}

#[derive(Debug, Clone)]
struct Node {
    containerd: PathBuf,
    tools: PathBuf,
    images: Vec<PathBuf>,
}

impl Testbed {
    /// Finds what the tier needs in the cache, or builds it; a first build takes minutes and says so on standard error.
    ///
    /// Without root there is no real node anyway, so nothing is built for one; `serve` names the reason.
    ///
    /// # Errors
    ///
    /// When the control plane cannot be built. A missing part of the node is no error here: `serve` reports it.
    pub fn prepare(tier: Tier) -> Result<Self> {
        static CONTROL_PLANE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        static NODE: OnceLock<Result<Node, String>> = OnceLock::new();

        let controlplane = CONTROL_PLANE
            .get_or_init(|| build("controlplane").map_err(|error| format!("{error:#}")))
            .clone()
            .map_err(|error| anyhow!(error))?;
        let node = (tier == Tier::Node && nix::unistd::Uid::effective().is_root()).then(|| {
            NODE.get_or_init(|| prepare_node().map_err(|error| format!("{error:#}")))
                .clone()
        });
        Ok(Self {
            tier,
            controlplane,
            node,
        })
    }

    pub(crate) const fn has_node(&self) -> bool {
        matches!(self.node, Some(Ok(_)))
    }

    /// The command that serves a cluster of this tier. It wants standard input kept open.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.controlplane.join("reeve-kubernetes"));
        command.args(["serve", "--tier", self.tier.name()]);
        match &self.node {
            Some(Ok(node)) => {
                command.arg("--containerd-dir").arg(&node.containerd);
                command.arg("--coredns").arg(node.tools.join("coredns"));
                for image in &node.images {
                    command.arg("--image").arg(image);
                }
            }
            Some(Err(why)) => {
                command.arg("--no-node").arg(why);
            }
            None => {}
        }
        command
    }
}

fn prepare_node() -> Result<Node> {
    script("install-packages.sh", &[])?;
    Ok(Node {
        containerd: build("containerd")?,
        tools: build("tools")?,
        images: images::archives(&environment::cache())?,
    })
}

/// Runs `testbed/build.sh` for one part and gives back its folder. Standard error is passed on: it shows progress.
pub(crate) fn build(part: &str) -> Result<PathBuf> {
    let output = script("build.sh", &[part])?;
    Ok(PathBuf::from(output.trim()))
}

/// The pods by which Kubernetes itself tests Pod Security, `LEVEL/VERSION/{pass,fail}/*.yaml`: as the module has them that the
/// testbed's Kubernetes is built with.
///
/// # Errors
/// When the module cannot be had.
pub fn pod_security_fixtures() -> Result<PathBuf> {
    build("fixtures")
}

/// The real Kueue: the program `kueue`, and its manifests in `components/`. A first build takes minutes.
///
/// # Errors
/// When it cannot be built.
pub fn kueue() -> Result<PathBuf> {
    build("kueue")
}

/// The real KServe: the program `kserve-manager`, its webhooks in `webhooks.yaml`, what its chart makes in `resources.yaml`, and `definitions/` with its kinds and Gateway API's
/// HTTPRoute. A first build takes minutes.
///
/// # Errors
/// When it cannot be built.
pub fn kserve() -> Result<PathBuf> {
    build("kserve")
}

/// The real cert-manager: the program `cert-manager`, which reads `KUBECONFIG`, and `definitions/` with its kinds. A first build takes a
/// minute.
///
/// # Errors
/// When it cannot be built.
pub fn cert_manager() -> Result<PathBuf> {
    build("certmanager")
}

/// The custom resource definitions of others, as their modules have them: one folder a project, `PROJECT/*.yaml`.
///
/// # Errors
/// When a module cannot be had, or is not the one that was reviewed.
pub fn definitions_of_others() -> Result<PathBuf> {
    build("kinds")
}

fn script(name: &str, arguments: &[&str]) -> Result<String> {
    let path = folder().join(name);
    let output = Command::new(&path)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run `{}`", path.display()))?;
    if !output.status.success() {
        bail!(
            "testbed/{name} {} ended with {}; its messages are above",
            arguments.join(" "),
            output.status
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The folder `testbed/` of the checkout this crate was built in.
fn folder() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).join("testbed")
}
