//! The real Kueue as a second writer (R22), with its own ServiceAccount and its own role: it suspends, admits and places a
//! person's Job, which then runs as her on a real node; and what it is not trusted with is refused.
//!
//! `make kueue`: the first build of Kueue takes ten minutes.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_admission::{names, policies_yaml};
use reeve_testkit::images::TOOLS;
use reeve_testkit::{
    Cluster, KillOnDrop, Kubectl, Options, Tier, apply_yaml, kueue, own_cluster, skip_unasked, wait_until,
};
use serde_json::{Value, json};

use crate::fixture;

const SYSTEM: &str = "kueue-system";
const ACCOUNT: &str = "kueue-controller-manager";
/// A project that trusts Kueue with where things run, and one that does not.
const TRUSTING: &str = "reeve-robots";
const DISTRUSTING: &str = "reeve-vision";
const POOL: &str = "local.test/pool";

/// What Kueue is told: Jobs alone, and everything that listens on loopback.
fn configuration(folder: &Path) -> Result<(String, u16)> {
    let ports: Vec<TcpListener> = (0..3)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    let port = |i: usize| ports[i].local_addr().map(|at| at.port());
    let (health, metrics, webhook) = (port(0)?, port(1)?, port(2)?);
    let certificates = folder.display();
    let text = format!(
        "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\nnamespace: {SYSTEM}\n\
         health: {{healthProbeBindAddress: \"127.0.0.1:{health}\"}}\n\
         metrics: {{bindAddress: \"127.0.0.1:{metrics}\"}}\n\
         webhook: {{host: 127.0.0.1, port: {webhook}, certDir: {certificates}}}\n\
         leaderElection: {{leaderElect: false}}\ninternalCertManagement: {{enable: false}}\n\
         integrations: {{frameworks: [\"batch/job\"]}}\n"
    );
    Ok((text, webhook))
}

/// Kueue's webhooks for its own kinds and for Jobs, which ask this process at loopback.
fn webhooks(components: &Path, port: u16, authority: &str) -> Result<String> {
    let text = fs::read_to_string(components.join("webhook/manifests.yaml"))?;
    let mut documents: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    for document in &mut documents {
        let name = document["metadata"]["name"].as_str().unwrap().to_owned();
        document["metadata"]["name"] = json!(format!("kueue-{name}"));
        let all = document["webhooks"].as_array_mut().unwrap();
        all.retain(|webhook| {
            let group = &webhook["rules"][0]["apiGroups"][0];
            group == "batch" || group == "kueue.x-k8s.io"
        });
        for webhook in all {
            let path = webhook["clientConfig"]["service"]["path"].as_str().unwrap();
            webhook["clientConfig"] = json!({"url": format!("https://127.0.0.1:{port}{path}"),
                "caBundle": STANDARD.encode(authority)});
        }
    }
    Ok(documents.iter().map(|d| format!("---\n{d}\n")).collect())
}

/// The kubeconfig of Kueue's ServiceAccount.
async fn kubeconfig(cluster: &Cluster, folder: &Path) -> Result<PathBuf> {
    let token = cluster.service_account_token(SYSTEM, ACCOUNT, 3600).await?;
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": cluster.server(), "certificate-authority": cluster.ca_file()}}],
        "users": [{"name": "c", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}]});
    let path = folder.join("kubeconfig");
    fs::write(&path, config.to_string())?;
    Ok(path)
}

/// Kinds, role, account, webhooks and the program; it ends with the value.
async fn start(cluster: &Cluster, folder: &Path) -> Result<KillOnDrop> {
    let installed = tokio::task::spawn_blocking(kueue).await??;
    let components = installed.join("components");
    let client = cluster.installer_client().await?;
    let mut kinds = Vec::new();
    for entry in fs::read_dir(components.join("crd/bases"))? {
        let path = entry?.path();
        apply_yaml(&client, &fs::read_to_string(&path)?).await?;
        // The files are named GROUP_PLURAL.yaml.
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (group, plural) = name.split_once('_').context("a file of no kind")?;
        kinds.push(format!("{plural}.{group}"));
    }
    let kubectl = cluster.kubectl();
    wait_until("Kueue's kinds", async || {
        kubectl
            .must(&["get", "--all-namespaces", &kinds.join(",")])
            .map(Some)
    })
    .await?;
    apply_yaml(&client, &fs::read_to_string(components.join("rbac/role.yaml"))?).await?;
    apply_yaml(
        &client,
        &format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {SYSTEM}}}\n---\n\
             apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {ACCOUNT}, namespace: {SYSTEM}}}\n---\n\
             apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: kueue}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: manager-role}}\n\
             subjects: [{{kind: ServiceAccount, name: {ACCOUNT}, namespace: {SYSTEM}}}]\n"
        ),
    )
    .await?;
    // Of Secrets it reads those of its own namespace.
    for file in ["manager_secrets_role.yaml", "manager_secrets_role_binding.yaml"] {
        let text = fs::read_to_string(components.join("rbac").join(file))?;
        let text = text
            .replace("namespace: system", &format!("namespace: {SYSTEM}"))
            .replace("name: controller-manager", &format!("name: {ACCOUNT}"));
        apply_yaml(&client, &text).await?;
    }
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    fs::write(folder.join("tls.crt"), made.cert.pem())?;
    fs::write(folder.join("tls.key"), made.signing_key.serialize_pem())?;
    let (text, port) = configuration(folder)?;
    let file = folder.join("kueue.yaml");
    fs::write(&file, text)?;
    let log = fs::File::create(folder.join("log"))?;
    // It reads the certificate of its metrics from a fixed place, which is a private one here.
    let in_private = "mount -t tmpfs none /etc && mkdir -p /etc/kueue/metrics/certs && cp \"$0\"/tls.* \
                      /etc/kueue/metrics/certs && exec \"$@\"";
    let child = Command::new("unshare")
        .args(["--mount", "sh", "-ec", in_private])
        .arg(folder)
        .arg(installed.join("kueue"))
        .arg("--config")
        .arg(&file)
        .args(["--feature-gates=VisibilityOnDemand=false", "--zap-log-level=2"])
        .env("KUBECONFIG", kubeconfig(cluster, folder).await?)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .context("cannot start Kueue")?;
    let running = KillOnDrop(child);
    apply_yaml(&client, &webhooks(&components, port, &made.cert.pem())?).await?;
    Ok(running)
}

/// Two projects, of which one trusts Kueue, and a queue in each whose flavour is a pool of nodes.
async fn projects(cluster: &Cluster) -> Result<()> {
    let client = cluster.installer_client().await?;
    apply_yaml(&client, &fixture::ground()).await?;
    let trust = format!(
        "{}{SYSTEM}:{ACCOUNT}=nodeSelector+tolerations+schedulingGates+labels+annotations",
        names::SERVICE_ACCOUNT_PREFIX
    );
    for (name, annotations) in [
        (TRUSTING, json!({names::TRUSTED_MUTATORS: trust})),
        (DISTRUSTING, json!({})),
    ] {
        let labels = json!({names::PROJECT: name, names::POD_SECURITY_ENFORCE: "restricted"});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels, "annotations": annotations}});
        apply_yaml(&client, &namespace.to_string()).await?;
    }
    apply_yaml(&client, &policies_yaml()).await?;
    Ok(())
}

/// As soon as Kueue's webhook answers.
async fn queues(kubectl: &Kubectl) -> Result<()> {
    let version = "kueue.x-k8s.io/v1beta2";
    let text = format!(
        "apiVersion: {version}\nkind: ResourceFlavor\nmetadata: {{name: pool-a}}\nspec: {{nodeLabels: {{{POOL}: a}}}}\n---\n\
         apiVersion: {version}\nkind: ClusterQueue\nmetadata: {{name: all}}\n\
         spec:\n  namespaceSelector: {{}}\n  resourceGroups:\n  - coveredResources: [cpu]\n    flavors:\n    - name: pool-a\n      \
         resources: [{{name: cpu, nominalQuota: 4}}]\n---\n\
         apiVersion: {version}\nkind: LocalQueue\nmetadata: {{name: team, namespace: {TRUSTING}}}\nspec: {{clusterQueue: all}}\n---\n\
         apiVersion: {version}\nkind: LocalQueue\nmetadata: {{name: team, namespace: {DISTRUSTING}}}\nspec: {{clusterQueue: all}}\n"
    );
    wait_until("Kueue to take queues", async || {
        let output = kubectl.run_with_input(&["apply", "-f", "-"], &text)?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(Some(()))
    })
    .await
}

fn job(name: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, labels: {{kueue.x-k8s.io/queue-name: team}}}}\n\
         spec:\n  backoffLimit: 0\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: c\n        \
         image: {TOOLS}\n        imagePullPolicy: IfNotPresent\n        command: [sh, -c, id]\n        \
         resources: {{requests: {{cpu: 10m}}}}\n"
    )
}

/// The flags of kubectl for alice in a namespace.
fn as_alice(namespace: &str) -> Vec<&str> {
    let mut flags = fixture::AS_ALICE.to_vec();
    let last = flags.len() - 1;
    flags[last] = namespace;
    flags
}

fn get(kubectl: &Kubectl, namespace: &str, what: &[&str]) -> Result<Value> {
    let text = kubectl.must(&[&["-n", namespace, "get", "-o", "json"], what].concat())?;
    Ok(serde_json::from_str(&text)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_kueue_suspends_admits_and_places_her_job_and_changes_nothing_else() -> Result<()> {
    if std::env::var_os("KUEUE").is_none() {
        skip_unasked("Kueue's first build takes ten minutes: make kueue");
        return Ok(());
    }
    let options = Options {
        tier: Tier::Node,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    let folder = cluster.dir().join("kueue");
    fs::create_dir_all(&folder)?;
    projects(&cluster).await?;
    let kueue = start(&cluster, &folder).await?;
    let kubectl = cluster.kubectl();
    let checked = async {
        queues(&kubectl).await?;
        runs_as_her_where_kueue_says(&cluster, &kubectl).await?;
        nothing_else_is_its_to_change(&kubectl)?;
        stays_suspended_where_nobody_trusts_it(&kubectl, &folder).await
    };
    let checked = checked.await;
    drop(kueue);
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    let end: Vec<&str> = log.lines().rev().take(15).collect();
    checked.with_context(|| format!("Kueue's last words, newest first:\n{}", end.join("\n")))
}

async fn runs_as_her_where_kueue_says(cluster: &Cluster, kubectl: &Kubectl) -> Result<()> {
    let alice = as_alice(TRUSTING);
    kubectl.must_with_input(&[&alice[..], &["create", "-f", "-"]].concat(), &job("train"))?;
    // No node is of the pool yet, so that what Kueue wrote is seen before anything runs.
    let placed = wait_until("Kueue to admit and place the Job", async || {
        let job = get(kubectl, TRUSTING, &["job", "train"])?;
        ensure!(
            job["spec"]["suspend"] == json!(false),
            "suspended: {}",
            job["spec"]["suspend"]
        );
        Ok(Some(job))
    })
    .await?;
    let template = &placed["spec"]["template"];
    assert_eq!(template["spec"]["nodeSelector"][POOL], json!("a"), "{template}");
    let stamp = fixture::stamp("alice").to_string();
    assert_eq!(template["metadata"]["annotations"][names::RUNS_AS], json!(stamp));
    let workloads = get(kubectl, TRUSTING, &["workloads.kueue.x-k8s.io"])?;
    let admitted = |c: &Value| c["type"] == "Admitted" && c["status"] == "True";
    let conditions = workloads["items"][0]["status"]["conditions"].as_array();
    ensure!(
        conditions.is_some_and(|all| all.iter().any(admitted)),
        "{workloads}"
    );
    let node = cluster.node_name().context("no node")?;
    kubectl.must(&["label", "node", node, &format!("{POOL}=a")])?;
    let logs = wait_until("the Job to end on its node", async || {
        let job = get(kubectl, TRUSTING, &["job", "train"])?;
        ensure!(job["status"]["succeeded"] == json!(1), "{}", job["status"]);
        kubectl.must(&["-n", TRUSTING, "logs", "job/train"]).map(Some)
    })
    .await?;
    assert!(logs.starts_with("uid=70012 gid=5000"), "{logs}");
    let pods = get(kubectl, TRUSTING, &["pods", "-l", "job-name=train"])?;
    assert_eq!(
        pods["items"][0]["metadata"]["annotations"][names::RUNS_AS],
        json!(stamp)
    );
    assert_eq!(pods["items"][0]["spec"]["nodeName"], json!(node));
    Ok(())
}

/// Taken over, it would try these, with the rights that its own role gives it; of each a word of ours.
fn nothing_else_is_its_to_change(kubectl: &Kubectl) -> Result<()> {
    let alice = as_alice(TRUSTING);
    let mut held = job("held").replace("cpu: 10m", "cpu: \"64\"");
    held.push_str("  suspend: true\n");
    kubectl.must_with_input(&[&alice[..], &["create", "-f", "-"]].concat(), &held)?;
    let cron = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: often}\nspec:\n  schedule: '0 3 * * *'\n  jobTemplate:\n    \
                spec:\n      template:\n        spec:\n          restartPolicy: Never\n          containers: [{name: c, image: x}]\n";
    kubectl.must_with_input(&[&alice[..], &["create", "-f", "-"]].concat(), cron)?;
    // Its own role reaches Jobs; what it would do with more is tried with more.
    let account = format!("--as={}{SYSTEM}:{ACCOUNT}", names::SERVICE_ACCOUNT_PREFIX);
    let patch = |kind: &str, name: &str, patch: Value| {
        let patch = patch.to_string();
        let flags = [
            "-n",
            TRUSTING,
            &account,
            "--as-group=it:everything",
            "patch",
            kind,
            name,
            "--type=merge",
            "-p",
        ];
        kubectl.run(&[&flags[..], &[patch.as_str()]].concat())
    };
    let dave = fixture::stamp("dave").to_string();
    let in_cron = |template: Value| json!({"spec": {"jobTemplate": {"spec": {"template": template}}}});
    let tries = [
        (
            "job",
            "held",
            json!({"spec": {"template": {"metadata": {"annotations": {names::RUNS_AS: dave}}}}}),
        ),
        (
            "job",
            "held",
            json!({"spec": {"template": {"metadata": {"annotations": {names::RUNS_AS: null}}}}}),
        ),
        (
            "cronjob",
            "often",
            in_cron(json!({"spec": {"containers": [{"name": "c", "image": "evil"}]}})),
        ),
        (
            "cronjob",
            "often",
            in_cron(json!({"spec": {"securityContext": {"runAsUser": 70014}}})),
        ),
        (
            "cronjob",
            "often",
            in_cron(json!({"metadata": {"annotations": {names::RUNS_AS: dave}}})),
        ),
    ];
    for (kind, name, change) in tries {
        let output = patch(kind, name, change.clone())?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            !output.status.success() && said.contains("reeve: R"),
            "{change}: {said}"
        );
    }
    let allowed = patch(
        "cronjob",
        "often",
        in_cron(json!({"spec": {"nodeSelector": {POOL: "b"}}})),
    )?;
    ensure!(
        allowed.status.success(),
        "{}",
        String::from_utf8_lossy(&allowed.stderr)
    );
    Ok(())
}

/// The control: the same Job where the namespace does not trust it.
async fn stays_suspended_where_nobody_trusts_it(kubectl: &Kubectl, folder: &Path) -> Result<()> {
    let alice = as_alice(DISTRUSTING);
    kubectl.must_with_input(&[&alice[..], &["create", "-f", "-"]].concat(), &job("waiting"))?;
    wait_until("Kueue to be refused", async || {
        let log = fs::read_to_string(folder.join("log"))?;
        Ok((log.contains("reeve: R") && log.contains("waiting")).then_some(()))
    })
    .await?;
    let job = get(kubectl, DISTRUSTING, &["job", "waiting"])?;
    assert_eq!(job["spec"]["suspend"], json!(true), "{job}");
    Ok(())
}

/// Past the test runner's capture, since the test seems to pass.
#[test]
fn without_its_command_it_is_skipped_by_its_name() -> Result<()> {
    const TEST: &str = "kueue::the_real_kueue_suspends_admits_and_places_her_job_and_changes_nothing_else";
    let output = Command::new(std::env::current_exe()?)
        .args(["--exact", TEST])
        .env_remove("KUEUE")
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    let named = said
        .lines()
        .any(|line| line.starts_with("SKIPPED: ") && line.contains(TEST) && line.contains("make kueue"));
    ensure!(named, "`{TEST}` is not named in:\n{said}");
    Ok(())
}
