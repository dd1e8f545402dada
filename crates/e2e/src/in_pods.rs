//! The same stack as an administrator has it who installs the charts: server and operator are pods, under the rights of the
//! charts, in images made by `cargo xtask images`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reeve_testkit::{Cluster, Helm, Kubectl, Postgres, RoundRobin, charts, wait_until};
use serde_json::{Value, json};

use crate::arguments::{ADMINISTRATOR, text};
use crate::kubeconfig::write_private;
use crate::rest::Rest;
use crate::servers::{Database, blocking};
use crate::stack::{Options, Stack, write_new_password};

/// The namespace of the server; the operator's is `reeve-system`.
pub const SERVER_NAMESPACE: &str = "reeve";
/// The operator's namespace.
pub const SYSTEM_NAMESPACE: &str = "reeve-system";
/// The server's port on the node.
const NODE_PORT: u16 = 30443;
/// Who the images run as.
const IMAGE_USER: u32 = 65532;
/// What the images' names begin with.
pub const REGISTRY: &str = "local.test";

/// An archive of each image, as `cargo xtask images` leaves them.
///
/// # Errors
/// They are not there; the message names the command.
fn archives() -> Result<Vec<PathBuf>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.ancestors().nth(2).unwrap_or(here).join("target/images");
    ["reeve-server", "reeve-operator", "reeve-webhook"]
        .map(|program| {
            let archive = folder.join(format!("{program}.tar"));
            anyhow::ensure!(
                archive.is_file(),
                "no `{}`: run `cargo xtask images`",
                archive.display()
            );
            Ok(archive)
        })
        .into_iter()
        .collect()
}

/// The whole stack; the inner error says why no pods can be had. There are no processes to kill or start in it.
///
/// # Errors
/// A part that does not come up.
pub async fn up(options: Options) -> Result<Result<Stack, String>> {
    (options.tell)("starting Kubernetes");
    match cluster(Some(options.dir.join("kubernetes")), &options.images).await? {
        Ok(cluster) => install(options, cluster).await.map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

/// A Kubernetes with the images; the inner error says why it has no pods that reach Services.
async fn cluster(dir: Option<PathBuf>, more: &[PathBuf]) -> Result<Result<Cluster, String>> {
    let mut images = archives()?;
    images.extend_from_slice(more);
    let options = reeve_testkit::Options {
        tier: reeve_testkit::Tier::Node,
        dir,
        images,
        ..reeve_testkit::Options::default()
    };
    let cluster = Cluster::start(options).await?;
    let usable = cluster.services().map_err(str::to_owned);
    Ok(usable.map(|()| cluster))
}

/// Installs both charts and waits until the operator has reported and the API server believes the server's tokens.
///
/// # Errors
/// A step that fails; the message shows what the pods said.
async fn install(options: Options, cluster: Cluster) -> Result<Stack> {
    crate::install_crypto();
    (options.tell)(&format!(
        "installing reeve-server on {} with Helm",
        options.database.name()
    ));
    let installation = Installation::new(&options, cluster)?;
    let database = match options.database {
        Database::Sqlite => None,
        Database::Postgres | Database::Replicas => Some(installation.database().await?),
    };
    let admin_password = installation.server(database.is_some())?;
    let url = installation.url()?;
    let admin = wait_until("the server to answer", async || {
        let rest = Rest::new(&url, &installation.ca_file())?;
        Ok(Some(rest.sign_in(ADMINISTRATOR, &admin_password).await?))
    })
    .await?;
    let created = admin
        .post("/api/v1/clusters", json!({"name": "demo"}))
        .await?
        .expect(201)?;
    let (cluster_id, link_secret) = (text(&created, "uuid")?, text(&created, "clientSecret")?);
    installation.trust(&cluster_id)?;
    (options.tell)("installing reeve-cluster with Helm");
    installation.operator(&cluster_id, &link_secret)?;
    let ca_file = installation.ca_file();
    let stack = Stack::of_pods(
        options,
        installation.cluster,
        admin,
        admin_password,
        ca_file,
        [cluster_id, link_secret],
        database,
    );
    stack.wait_until_connected().await?;
    // What the API server is to believe from now on it reads again only some seconds later.
    let token = stack.kubernetes_token(&stack.admin).await?;
    stack.cluster.wait_until_token_accepted(&token).await?;
    Ok(stack)
}

/// A cluster that is being installed to, as an installer.
struct Installation {
    dir: PathBuf,
    cluster: Cluster,
    helm: Helm,
    kubectl: Kubectl,
}

impl Installation {
    fn new(options: &Options, cluster: Cluster) -> Result<Self> {
        std::fs::create_dir_all(&options.dir)?;
        Ok(Self {
            dir: options.dir.clone(),
            helm: Helm::with_kubeconfig(cluster.installer_kubeconfig())?,
            kubectl: Kubectl::new(cluster.kubectl_path(), cluster.installer_kubeconfig()),
            cluster,
        })
    }

    fn ca_file(&self) -> PathBuf {
        self.dir.join("server-ca.crt")
    }

    fn node(&self) -> Result<&str> {
        self.cluster.node_address().context("there is no node")
    }

    fn url(&self) -> Result<String> {
        Ok(format!("https://{}:{NODE_PORT}", self.node()?))
    }

    fn apply(&self, object: &Value) -> Result<()> {
        let text = object.to_string();
        self.kubectl
            .must_with_input(&["apply", "-f", "-"], &text)
            .map(drop)
    }

    fn secret(&self, namespace: &str, name: &str, data: Value) -> Result<()> {
        self.apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace}, "stringData": data}))
    }

    fn server_namespace(&self) -> Result<()> {
        let restricted = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        self.apply(&json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SERVER_NAMESPACE, "labels": restricted}}))
    }

    /// A PostgreSQL of this machine, where pods reach it, in a Secret as the chart wants it: over TLS,
    /// checked against an authority of its own.
    async fn database(&self) -> Result<(Postgres, RoundRobin)> {
        let machine: IpAddr = self.cluster.host_address().context("there is no node")?.parse()?;
        let made = certificate(&[machine.to_string()])?;
        let postgres = blocking(|| Postgres::start_tls(&made.certificate, &made.key))?;
        let behind = SocketAddr::from((Ipv4Addr::LOCALHOST, postgres.port()));
        let relay = RoundRobin::start_at(machine, vec![behind])
            .await
            .context("listening where pods reach this machine")?;
        let url = postgres.url_at(relay.address(), "postgres") + "?sslrootcert=/etc/reeve/database/ca.crt";
        self.server_namespace()?;
        self.secret(
            SERVER_NAMESPACE,
            "database",
            json!({"url": url, "ca.crt": made.ca}),
        )?;
        Ok((postgres, relay))
    }

    /// The administrator's password.
    fn server(&self, on_postgres: bool) -> Result<String> {
        self.server_namespace()?;
        let password = write_new_password(&self.dir.join("admin-password"))?;
        self.secret(SERVER_NAMESPACE, "administrator", json!({"password": password}))?;
        let (ca, _) = exchange_certificate(
            &self.kubectl,
            SERVER_NAMESPACE,
            "server-tls",
            &server_names(self.node()?),
        )?;
        std::fs::write(self.ca_file(), &ca).context("writing the server's authority")?;
        self.volume()?;
        let mut values = json!({
            "global": {"image": {"registry": REGISTRY}},
            "publicUrl": self.url()?,
            "administrator": {"username": ADMINISTRATOR, "existingSecret": "administrator"},
            "tls": {"existingSecret": "server-tls", "ca": true},
            "persistence": {"existingClaim": "data"},
            "service": {"type": "NodePort", "nodePort": NODE_PORT},
        });
        if let (true, Some(fields)) = (on_postgres, values.as_object_mut()) {
            let database = json!({"existingSecret": "database", "ca": {"existingSecret": "database"}});
            fields.insert("database".to_owned(), database);
        }
        self.helm_install("reeve-server", "reeve-server", SERVER_NAMESPACE, &values)?;
        Ok(password)
    }

    /// A folder of the machine as the volume for the data directory: there is nothing here that provides volumes.
    fn volume(&self) -> Result<()> {
        let data = self.dir.join("server");
        std::fs::create_dir_all(&data)?;
        chown(&data, Some(IMAGE_USER), Some(IMAGE_USER)).context("handing the data directory over")?;
        let size = json!({"storage": "1Gi"});
        self.apply(&json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "reeve-server"},
            "spec": {"capacity": size, "accessModes": ["ReadWriteOnce"], "storageClassName": "",
                "hostPath": {"path": std::path::absolute(&data)?},
                "claimRef": {"namespace": SERVER_NAMESPACE, "name": "data"}}}))?;
        self.apply(&json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": SERVER_NAMESPACE},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": size}}}))
    }

    /// The API server believes the server's tokens.
    fn trust(&self, cluster_id: &str) -> Result<()> {
        let command = [
            "-n",
            SERVER_NAMESPACE,
            "exec",
            "deployment/reeve-server",
            "--",
            "/usr/bin/reeve-server",
        ];
        let what = [
            "authentication-config",
            "--data-dir",
            "/var/lib/reeve",
            "--cluster",
            cluster_id,
        ];
        self.cluster
            .set_authentication(&self.kubectl.must(&[&command[..], &what].concat())?)
    }

    fn operator(&self, cluster_id: &str, link_secret: &str) -> Result<()> {
        let namespace = charts().join("reeve-cluster/namespace.yaml");
        self.kubectl
            .must(&["apply", "-f", &namespace.display().to_string()])?;
        write_private(&self.dir.join("link-secret"), link_secret)?;
        self.secret(
            SYSTEM_NAMESPACE,
            "control-plane",
            json!({
            "clientSecret": link_secret, "ca.crt": std::fs::read_to_string(self.ca_file())?}),
        )?;
        let name = format!("reeve-operator.{SYSTEM_NAMESPACE}.svc");
        exchange_certificate(&self.kubectl, SYSTEM_NAMESPACE, "operator-tls", &[name])?;
        let values = operator_values(cluster_id, self.cluster.server());
        self.helm_install("reeve", "reeve-cluster", SYSTEM_NAMESPACE, &values)
    }

    fn helm_install(&self, release: &str, chart: &str, namespace: &str, values: &Value) -> Result<()> {
        let chart = charts().join(chart).display().to_string();
        let arguments = [
            "install",
            release,
            &chart,
            "--namespace",
            namespace,
            "--wait",
            "--timeout=120s",
            "--values=-",
        ];
        let Err(error) = self.helm.must(&arguments, &values.to_string()) else {
            return Ok(());
        };
        let of_pods = |words: &[&str]| {
            let output = self.kubectl.run(&[&["-n", namespace], words].concat());
            output.map_or_else(
                |error| error.to_string(),
                |output| String::from_utf8_lossy(&output.stdout).into_owned(),
            )
        };
        let pods = of_pods(&["describe", "pods"]);
        let said = of_pods(&[
            "logs",
            "--prefix",
            "--tail=15",
            "--all-containers",
            "-l",
            "app.kubernetes.io/part-of=reeve",
        ]);
        Err(error.context(format!("{pods}\n{said}")))
    }
}

/// Puts another certificate into the Secret of this name, for these names; its authority, and the certificate as DER.
///
/// # Errors
/// The API server refuses.
pub fn exchange_certificate(
    kubectl: &Kubectl,
    namespace: &str,
    secret: &str,
    names: &[String],
) -> Result<(String, Vec<u8>)> {
    let Made {
        ca,
        certificate,
        key,
        der,
    } = certificate(names)?;
    let object = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret, "namespace": namespace},
        "stringData": {"tls.crt": certificate, "tls.key": key, "ca.crt": ca}});
    kubectl.must_with_input(&["apply", "-f", "-"], &object.to_string())?;
    Ok((ca, der))
}

/// What the tests and the demo install the operator with: the server by its name.
pub fn operator_values(cluster_id: &str, api_server: &str) -> Value {
    json!({
        "global": {"image": {"registry": REGISTRY}, "replicaCount": 2},
        "controlPlane": {
            "url": format!("https://reeve-server.{SERVER_NAMESPACE}.svc"),
            "existingSecret": "control-plane",
            "ca": {"existingSecret": "control-plane"},
        },
        "cluster": {"uid": cluster_id},
        "apiServer": {"url": api_server},
        "clusterConfig": {"enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true},
        "metrics": {"tls": {"existingSecret": "operator-tls"}},
    })
}

/// The names of the server: its address on the node, and the one in the cluster.
fn server_names(node: &str) -> [String; 2] {
    [node.to_owned(), format!("reeve-server.{SERVER_NAMESPACE}.svc")]
}

/// An authority, and a certificate of it; all PEM, and the certificate also as DER.
pub(crate) struct Made {
    pub(crate) ca: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
    der: Vec<u8>,
}

pub(crate) fn certificate(names: &[String]) -> Result<Made> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "authority of a demo");
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    Ok(Made {
        ca: issuer.as_ref().pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().to_vec(),
    })
}
