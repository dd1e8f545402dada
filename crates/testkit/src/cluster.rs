//! One running cluster.

mod authentication;
mod clients;
mod namespaces;

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use tokio::sync::OnceCell;

use crate::audit::{self, AuditEvent};
use crate::environment::keep_folders;
use crate::kubectl::Kubectl;
use crate::testbed::{LaunchLine, Testbed};
use crate::tier::Tier;

pub use authentication::write_authentication;
pub use clients::Impersonate;

/// What to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much of it.
    pub tier: Tier,
    /// Text of an `AuthenticationConfiguration`. Without one nobody comes in by token but ServiceAccounts. A text that
    /// does not speak of `anonymous` gets the restriction to health paths added.
    pub authentication_config: Option<String>,
    /// Folder for everything; it is kept. Without one a temporary folder is used, and removed at the end.
    pub dir: Option<PathBuf>,
    /// OCI archives that the node gets besides the tests' own images.
    pub images: Vec<PathBuf>,
    /// Whether the controllers check the types in admission policies, as those of a real cluster do: it decides nothing, and takes
    /// them half a minute of a core for ours. Without it they are up before our kinds are, of which the garbage collector then hears
    /// half a minute later; [`wait_until`](crate::wait_until) waits for longer than that.
    pub type_checking: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tier: Tier::ApiServer,
            authentication_config: None,
            dir: None,
            images: Vec::new(),
            type_checking: false,
        }
    }
}

/// A running cluster. Dropping it ends it and waits until nothing of it is left.
#[derive(Debug)]
pub struct Cluster {
    tier: Tier,
    line: LaunchLine,
    /// `serve` ends everything when this closes, which it also does when this process is killed.
    stdin: Option<ChildStdin>,
    serve: Child,
}

impl Cluster {
    /// Starts one: 2 to 4 seconds with the programs in the cache. Otherwise builds them first, which takes minutes.
    ///
    /// # Errors
    ///
    /// When the programs cannot be built or a component does not come up. A missing real node is not an error; see
    /// [`Cluster::real_node`].
    pub async fn start(options: Options) -> Result<Self> {
        tokio::task::spawn_blocking(move || start(&options))
            .await
            .context("the start was interrupted")?
    }

    /// The one cluster of this process and tier. It ends with the process.
    ///
    /// # Errors
    ///
    /// As [`Cluster::start`]; a failed start is not tried again.
    pub async fn shared(tier: Tier) -> Result<&'static Self> {
        static SHARED: [OnceCell<Result<Cluster, String>>; 3] = [const { OnceCell::const_new() }; 3];
        let cell = match tier {
            Tier::ApiServer => &SHARED[0],
            Tier::Controllers => &SHARED[1],
            Tier::Node => &SHARED[2],
        };
        let start = || async {
            Self::start(Options {
                tier,
                ..Options::default()
            })
            .await
            .map_err(|error| format!("{error:#}"))
        };
        cell.get_or_init(start)
            .await
            .as_ref()
            .map_err(|error| anyhow!(error.clone()))
    }

    /// URL of the API server.
    pub fn server(&self) -> &str {
        &self.line.server
    }

    /// Certificate authority of the API server, as a file.
    pub fn ca_file(&self) -> &Path {
        &self.line.ca_file
    }

    /// Certificate authority of the API server, as PEM text.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn ca_pem(&self) -> Result<String> {
        read(self.ca_file())
    }

    /// Kubeconfig of the administrator, who is in `system:masters` only.
    pub fn kubeconfig(&self) -> &Path {
        &self.line.kubeconfigs.admin
    }

    /// Kubeconfig of the administrator who also is in `reeve:installers`.
    pub fn installer_kubeconfig(&self) -> &Path {
        &self.line.kubeconfigs.installer
    }

    /// `kubectl` as the administrator.
    pub fn kubectl(&self) -> Kubectl {
        Kubectl::new(self.kubectl_path(), self.kubeconfig())
    }

    /// The `kubectl` program.
    pub fn kubectl_path(&self) -> &Path {
        &self.line.kubectl
    }

    /// Folder with kubeconfigs, `pki/`, `logs/` and the audit log.
    pub fn dir(&self) -> &Path {
        &self.line.dir
    }

    /// Git version the API server reports.
    pub fn version(&self) -> &str {
        &self.line.version
    }

    /// Process id of the supervisor, the parent of every component.
    pub fn pid(&self) -> u32 {
        self.line.pid
    }

    /// Name of the real node, if there is one.
    pub fn node_name(&self) -> Option<&str> {
        self.line.real_node.then_some(self.line.node_name.as_str())
    }

    /// Whether containers run here.
    ///
    /// # Errors
    ///
    /// The reason why they do not.
    pub fn real_node(&self) -> Result<(), &str> {
        if self.line.real_node {
            Ok(())
        } else {
            Err(&self.line.real_node_reason)
        }
    }

    /// Whether pods reach Services by address and name.
    ///
    /// # Errors
    /// The reason why they do not.
    pub fn services(&self) -> Result<(), &str> {
        self.real_node()?;
        if self.line.no_services_reason.is_empty() {
            Ok(())
        } else {
            Err(&self.line.no_services_reason)
        }
    }

    /// The machine's address towards the node: what listens there is reached from pods.
    pub fn host_address(&self) -> Option<&str> {
        self.line.real_node.then_some(self.line.host_address.as_str())
    }

    /// The node's address, where ports of Services of type `NodePort` are; reached from this machine and from pods.
    pub fn node_address(&self) -> Option<&str> {
        self.line.real_node.then_some(self.line.node_address.as_str())
    }

    /// Names of the images the node has.
    pub fn images(&self) -> &[String] {
        &self.line.images
    }

    /// The API server's audit log: one JSON object a line.
    pub fn audit_log(&self) -> &Path {
        &self.line.audit_log
    }

    /// All requests answered so far.
    ///
    /// # Errors
    ///
    /// When the log cannot be read or parsed.
    pub fn audit_events(&self) -> Result<Vec<AuditEvent>> {
        audit::read(self.audit_log(), 0)
    }

    /// The place in the audit log that has been reached, for [`Cluster::audit_events_since`].
    pub fn audit_mark(&self) -> u64 {
        fs::metadata(self.audit_log()).map_or(0, |file| file.len())
    }

    /// The requests answered after a mark.
    ///
    /// # Errors
    ///
    /// When the log cannot be read or parsed.
    pub fn audit_events_since(&self, mark: u64) -> Result<Vec<AuditEvent>> {
        audit::read(self.audit_log(), mark)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.serve.wait();
    }
}

fn start(options: &Options) -> Result<Cluster> {
    let testbed = Testbed::prepare(options.tier)?;
    let mut command = testbed.command();
    let dir = match &options.dir {
        Some(dir) => dir.clone(),
        None => {
            if !keep_folders() {
                command.arg("--remove-dir");
            }
            tempfile::Builder::new()
                .prefix("reeve-testbed-")
                .tempdir()
                .context("cannot make a folder")?
                .keep()
        }
    };
    command.arg("--dir").arg(&dir);
    if testbed.has_node() {
        for image in &options.images {
            command.arg("--image").arg(image);
        }
    }
    if options.type_checking {
        command.arg("--type-checking");
    }
    if let Some(text) = &options.authentication_config {
        command
            .arg("--authentication-config")
            .arg(write_authentication(&dir, text)?);
    }
    // Not into the folder, which is gone by the time we want to read this.
    let mut complaints = tempfile::tempfile().context("cannot make a file")?;
    let mut serve = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(complaints.try_clone()?)
        .spawn()
        .context("cannot start the testbed")?;
    let stdin = serve.stdin.take();
    let mut first = String::new();
    if let Some(stdout) = serve.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut first)
            .context("cannot read what the testbed says")?;
    }
    if first.is_empty() {
        drop(stdin);
        let status = serve.wait()?;
        let mut said = String::new();
        complaints.rewind()?;
        complaints.read_to_string(&mut said)?;
        bail!("the testbed ended with {status}: {}", said.trim());
    }
    let line = serde_json::from_str(&first).with_context(|| format!("the testbed said `{first}`"))?;
    Ok(Cluster {
        tier: options.tier,
        line,
        stdin,
        serve,
    })
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))
}
