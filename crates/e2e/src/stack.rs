//! The parts, put together in the order of `docs/install.md`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use reeve_testkit::{Cluster, Kubectl, OPERATOR_ENVIRONMENT, Postgres, RoundRobin, Tier};
use serde_json::json;

use crate::arguments::{ADMINISTRATOR, flags, text, with_command};
use crate::install::install_chart;
use crate::kubeconfig::{kubeconfig, write_private};
use crate::process::Process;
use crate::rest::Rest;
use crate::servers::{Database, Replica, Servers};

/// How long the ServiceAccount token of a program of ours lives: longer than any demo.
pub(crate) const TOKEN_SECONDS: i64 = 24 * 3600;

/// What to put together.
pub struct Options {
    /// Where logs, data and kubeconfigs go; made when missing.
    pub dir: PathBuf,
    /// Which Kubernetes.
    pub tier: Tier,
    /// Hears what is being done and how long it took.
    pub tell: fn(&str),
    /// Whether the operator holds a lease, as several replicas would. After a kill the next waits until it ran out.
    pub leader_elect: bool,
    /// On what the server runs.
    pub database: Database,
    /// OCI archives that the node gets besides those of the tests and of Reeve.
    pub images: Vec<PathBuf>,
    /// Whether the controllers check the types in admission policies.
    pub type_checking: bool,
}

impl Options {
    /// In this folder, on this Kubernetes, silently, with one operator and one server on SQLite.
    pub fn new(dir: PathBuf, tier: Tier) -> Self {
        Self {
            dir,
            tier,
            tell: |_| (),
            leader_elect: false,
            database: Database::default(),
            images: Vec::new(),
            type_checking: false,
        }
    }
}

/// Of which cluster an operator is, and how it reaches it.
#[derive(Debug, Clone)]
pub struct OperatorOf {
    /// How it reaches the Kubernetes, as whom.
    pub kubeconfig: PathBuf,
    /// The cluster's id in the control plane.
    pub cluster_id: String,
    /// The file that holds the cluster's own secret on the link.
    pub secret_file: PathBuf,
}

/// Everything running. Dropping it ends the operator, then the server, then the Kubernetes.
pub struct Stack {
    operator: Option<Process>,
    server: Option<Process>,
    replica: Option<Process>,
    servers: Servers,
    /// The Kubernetes.
    pub cluster: Cluster,
    /// The control plane, with the administrator's token.
    pub admin: Rest,
    /// Her password.
    pub admin_password: String,
    /// The cluster's id in the control plane.
    pub cluster_id: String,
    /// The cluster's own secret on the link.
    pub link_secret: String,
    /// The server's certificate authority.
    pub ca_file: PathBuf,
    dir: PathBuf,
    leader_elect: bool,
}

impl Stack {
    /// Starts the parts one after the other and waits for each. Where no node can run it goes on without one.
    ///
    /// # Errors
    /// A part that does not come up; the error shows the end of its log.
    pub async fn up(options: Options) -> Result<Self> {
        let control_plane = ControlPlane::start(&options).await?;
        (options.tell)("starting Kubernetes");
        let cluster = Cluster::start(control_plane.cluster_options(&options)?).await?;
        control_plane.connect(options, cluster).await
    }

    /// The same for tests. Where the Kubernetes of the wanted tier cannot be had it answers why, which each of the tests
    /// hands to [`reeve_testkit::skip`].
    ///
    /// # Errors
    /// As [`Stack::up`].
    pub async fn up_or_reason(options: Options) -> Result<Result<Self, String>> {
        let control_plane = ControlPlane::start(&options).await?;
        match reeve_testkit::own_cluster_or_reason(control_plane.cluster_options(&options)?).await {
            Ok(cluster) => control_plane.connect(options, cluster).await.map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    /// With server and operator in pods that somebody else installed: there are no processes to kill or start.
    pub(crate) fn of_pods(
        options: Options,
        cluster: Cluster,
        admin: Rest,
        admin_password: String,
        ca_file: PathBuf,
        [cluster_id, link_secret]: [String; 2],
        database: Option<(Postgres, RoundRobin)>,
    ) -> Self {
        Self {
            operator: None,
            server: None,
            replica: None,
            servers: Servers::in_pods(&options.dir, database),
            cluster,
            admin,
            admin_password,
            cluster_id,
            link_secret,
            ca_file,
            dir: options.dir,
            leader_elect: true,
        }
    }

    /// The folder with logs, data and kubeconfigs.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A Kubernetes client for whoever holds this token.
    ///
    /// # Errors
    /// The client cannot be made.
    pub async fn kubernetes(&self, token: &str) -> Result<kube::Client> {
        self.cluster.client_with_token(token).await
    }

    /// A Kubernetes token for the caller of this client.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn kubernetes_token(&self, caller: &Rest) -> Result<String> {
        let path = format!("/api/v1/clusters/{}/kubernetes-token", self.cluster_id);
        text(&caller.post(&path, json!({})).await?.expect(200)?, "token")
    }

    /// kubectl with this kubeconfig.
    pub fn kubectl(&self, kubeconfig: &Path) -> Kubectl {
        Kubectl::new(self.cluster.kubectl_path(), kubeconfig)
    }

    /// The server's process, while it runs.
    pub fn server(&self) -> Option<&Process> {
        self.server.as_ref()
    }

    /// The second process of the server, while it runs.
    pub fn replica(&self) -> Option<&Process> {
        self.replica.as_ref()
    }

    /// The PostgreSQL that the server runs on, where it does.
    pub const fn postgres(&self) -> Option<&Postgres> {
        self.servers.postgres()
    }

    /// A caller of the port where a running process of the server shows its metrics. In pods these are for who may, and not here.
    ///
    /// # Errors
    /// No process runs.
    pub fn metrics(&self) -> Result<Rest> {
        let running = [
            (Replica::First, self.server.is_some()),
            (Replica::Second, self.replica.is_some()),
        ];
        let of = running.into_iter().find(|(_, runs)| *runs);
        let (replica, _) = of.context("no process of the server runs that would show metrics")?;
        let url = self.servers.metrics_url(replica)?;
        Rest::new(url.trim_end_matches("/metrics"), &self.ca_file)
    }

    /// The folder of a process of the server.
    pub fn data_dir(&self, replica: Replica) -> PathBuf {
        self.servers.data_dir(replica)
    }

    /// The variables that tell a command of the server which database is meant.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.servers.environment()
    }

    /// The operator's process, while it runs.
    pub fn operator(&self) -> Option<&Process> {
        self.operator.as_ref()
    }

    /// SIGKILL for the server.
    ///
    /// # Errors
    /// It is not running.
    pub fn kill_server(&mut self) -> Result<()> {
        self.server.take().context("the server is not running")?.kill()
    }

    /// SIGKILL for the second process of the server.
    ///
    /// # Errors
    /// It is not running.
    pub fn kill_replica(&mut self) -> Result<()> {
        self.replica.take().context("the replica is not running")?.kill()
    }

    /// Starts the second process of the server again.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn start_replica(&mut self) -> Result<()> {
        let (replica, _) = self.servers.start(Replica::Second).await?;
        self.replica = Some(replica);
        Ok(())
    }

    /// SIGKILL for the operator.
    ///
    /// # Errors
    /// It is not running.
    pub fn kill_operator(&mut self) -> Result<()> {
        self.operator
            .take()
            .context("the operator is not running")?
            .kill()
    }

    /// Starts the server again on its data and its old port.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn start_server(&mut self) -> Result<()> {
        let (server, _) = self.servers.start(Replica::First).await?;
        self.server = Some(server);
        Ok(())
    }

    /// Starts the operator.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn start_operator(&mut self) -> Result<()> {
        let of = OperatorOf {
            kubeconfig: self.operator_kubeconfig(),
            cluster_id: self.cluster_id.clone(),
            secret_file: self.dir.join("link-secret"),
        };
        self.start_operator_of(&of).await
    }

    /// Starts an operator that the control plane knows as the one of another cluster, or that reaches the Kubernetes by another
    /// way. The one of before was killed: two write the same objects.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn start_operator_of(&mut self, of: &OperatorOf) -> Result<()> {
        let announcement = self.dir.join("operator.json");
        let _ = std::fs::remove_file(&announcement);
        let mut arguments = flags(&[
            ("--kubeconfig", &of.kubeconfig.display().to_string()),
            ("--server-url", self.admin.url()),
            ("--ca-file", &self.ca_file.display().to_string()),
            ("--cluster-id", &of.cluster_id),
            ("--client-secret-file", &of.secret_file.display().to_string()),
            ("--listen", "127.0.0.1:0"),
            ("--announce-file", &announcement.display().to_string()),
            ("--advertise-api-server", self.cluster.server()),
            (
                "--advertise-api-server-ca",
                &self.cluster.ca_file().display().to_string(),
            ),
            ("--log-format", "json"),
        ]);
        if self.leader_elect {
            arguments.push("--leader-elect".to_owned());
        }
        let program = reeve_testkit::binary("reeve-operator")?;
        let mut operator = Process::start_with(
            "reeve-operator",
            &program,
            &with_command("run", arguments),
            &OPERATOR_ENVIRONMENT.map(|(name, value)| (name, value.to_owned())),
            &self.dir.join("operator.log"),
        )?;
        operator.announced(&announcement).await?;
        self.operator = Some(operator);
        Ok(())
    }

    /// Ends everything in order, giving each part time to say goodbye.
    pub async fn down(mut self) {
        if let Some(operator) = self.operator.take() {
            operator.stop().await;
        }
        for server in [self.replica.take(), self.server.take()].into_iter().flatten() {
            server.stop().await;
        }
    }

    /// The kubeconfig of the operator's ServiceAccount.
    pub fn operator_kubeconfig(&self) -> PathBuf {
        self.dir.join("operator.kubeconfig")
    }

    /// A token of the operator's ServiceAccount.
    ///
    /// # Errors
    /// The API server gives none.
    pub async fn operator_token(&self) -> Result<String> {
        let cluster = &self.cluster;
        cluster
            .service_account_token("reeve-system", "reeve-operator", TOKEN_SECONDS)
            .await
    }

    async fn write_operator_kubeconfig(&self) -> Result<()> {
        let token = self.operator_token().await?;
        write_private(
            &self.operator_kubeconfig(),
            &kubeconfig(&self.cluster, &token, None),
        )
    }

    /// Until the control plane knows where the cluster's API server is, the operator has not reported.
    pub(crate) async fn wait_until_connected(&self) -> Result<()> {
        let path = format!("/api/v1/clusters/{}/kubernetes-endpoint", self.cluster_id);
        reeve_testkit::wait_until("the operator's first report", async || {
            Ok((self.admin.get(&path).await?.status == 200).then_some(()))
        })
        .await
    }
}

/// The server with a cluster made in it, before there is a Kubernetes.
struct ControlPlane {
    servers: Servers,
    server: Process,
    replica: Option<Process>,
    admin: Rest,
    admin_password: String,
    ca_file: PathBuf,
    cluster_id: String,
    link_secret: String,
}

impl ControlPlane {
    async fn start(options: &Options) -> Result<Self> {
        crate::install_crypto();
        let dir = &options.dir;
        std::fs::create_dir_all(dir).with_context(|| format!("making `{}`", dir.display()))?;
        (options.tell)(&format!("starting reeve-server on {}", options.database.name()));
        let admin_password = write_new_password(&dir.join("admin-password"))?;
        let mut servers = Servers::new(dir, options.database).await?;
        let (server, announced) = servers.start(Replica::First).await?;
        let replica = match servers.are_two() {
            true => Some(servers.start(Replica::Second).await?.0),
            false => None,
        };
        let url = text(&announced, "url")?;
        let ca_file = PathBuf::from(text(&announced, "caFile")?);
        let admin = Rest::new(&url, &ca_file)?
            .sign_in(ADMINISTRATOR, &admin_password)
            .await?;
        let created = admin
            .post("/api/v1/clusters", json!({"name": "demo"}))
            .await?
            .expect(201)?;
        let (cluster_id, link_secret) = (text(&created, "uuid")?, text(&created, "clientSecret")?);
        write_private(&dir.join("link-secret"), &link_secret)?;
        Ok(Self {
            servers,
            server,
            replica,
            admin,
            admin_password,
            ca_file,
            cluster_id,
            link_secret,
        })
    }

    fn cluster_options(&self, options: &Options) -> Result<reeve_testkit::Options> {
        Ok(reeve_testkit::Options {
            tier: options.tier,
            authentication_config: Some(authentication_config(&self.servers, &self.cluster_id)?),
            dir: Some(options.dir.join("kubernetes")),
            images: options.images.clone(),
            type_checking: options.type_checking,
        })
    }

    async fn connect(self, options: Options, cluster: Cluster) -> Result<Stack> {
        (options.tell)("installing custom resources, policies and RBAC");
        let settings = json!({"enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true});
        install_chart(&cluster, &settings).await?;
        let mut stack = Stack {
            operator: None,
            server: Some(self.server),
            replica: self.replica,
            servers: self.servers,
            cluster,
            admin: self.admin,
            admin_password: self.admin_password,
            cluster_id: self.cluster_id,
            link_secret: self.link_secret,
            ca_file: self.ca_file,
            dir: options.dir,
            leader_elect: options.leader_elect,
        };
        (options.tell)("starting reeve-operator under its own ServiceAccount");
        stack.write_operator_kubeconfig().await?;
        stack.start_operator().await?;
        stack.wait_until_connected().await?;
        Ok(stack)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The operator first: it must not report on a cluster that is being taken down.
        drop(self.operator.take());
        drop(self.replica.take());
        drop(self.server.take());
    }
}

fn authentication_config(servers: &Servers, cluster_id: &str) -> Result<String> {
    let output = std::process::Command::new(reeve_testkit::binary("reeve-server")?)
        .arg("authentication-config")
        .arg("--data-dir")
        .arg(servers.data_dir(Replica::First))
        .args(["--cluster", cluster_id])
        .envs(servers.environment())
        .output()
        .context("running `reeve-server authentication-config`")?;
    anyhow::ensure!(
        output.status.success(),
        "`reeve-server authentication-config` failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("reading the authentication configuration")
}

/// A password that satisfies the published rule, random in 120 bits.
pub(crate) fn write_new_password(file: &Path) -> Result<String> {
    let mut bytes = [0_u8; 15];
    rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut bytes)
        .context("asking the system for randomness")?;
    let password = format!(
        "Aa1!{}",
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
    );
    write_private(file, &password)?;
    Ok(password)
}
