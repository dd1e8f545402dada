//! Model serving through the real KServe on a real node: the operator and the downloader as pods of the chart, a registry over HTTPS with
//! an authority of its own (`registry.ca`), a hub of files, and `reeve` with the kubeconfig of somebody who has what the page asks for.
//!
//! `make kserve`: the first build of KServe takes minutes.

mod failures;
mod project;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reeve_e2e::model_serving::{CORPUS, IMAGE, KSERVE, KSERVE_ACCOUNT, ModelServing, SYSTEM};
use reeve_e2e::{CommandLine, blocking, kubeconfig, write_private};
use reeve_testkit::{
    Cluster, Kubectl, Options, Tier, binary, own_cluster, skip_unasked, wait_for, wait_until,
};
use serde_json::{Value, json};

const NAMESPACE: &str = "ml-team-a";
/// Longer than a first probe that comes too early, a few times.
const SETTLE: std::time::Duration = std::time::Duration::from_secs(120);

/// Planted faults that turn it red: `registry.ca` not mounted (the image is never asked); the InferenceService's claim left out (the tiny
/// model does not start without its file); `reeve service wait` that ignores the generation (one replica is taken for two).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_goes_from_image_to_running_on_the_real_kserve_and_is_changed_and_deleted() -> Result<()> {
    if std::env::var_os("KSERVE").is_none() {
        skip_unasked("KServe's first build takes minutes: make kserve");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let options = Options {
        tier: Tier::Node,
        images: ModelServing::archives(folder.path())?,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    let serving = ModelServing::install(&cluster, folder.path(), |line| println!("{line}")).await?;
    serving.namespace(&cluster, folder.path(), NAMESPACE)?;
    let somebody = Somebody::new(&cluster, folder.path()).await?;
    let done = async {
        runs(&serving, &cluster, &somebody).await?;
        is_stored_once(&serving, &somebody, &folder.path().join(NAMESPACE))?;
        is_changed(&serving, &cluster, &somebody).await?;
        says_what_is_wrong(&somebody)?;
        failures::are_told_apart(&serving, &cluster, folder.path()).await?;
        is_deleted(&cluster, &somebody).await?;
        nothing_was_refused(&cluster, SYSTEM, "aim-engine-controller-manager")?;
        nothing_was_refused(&cluster, KSERVE, KSERVE_ACCOUNT)
    };
    let done = done.await;
    let kubectl = cluster.kubectl();
    done.with_context(|| {
        let state = kubectl.run(&[
            "-n",
            NAMESPACE,
            "get",
            "aim,isvc,deploy,pods,pvc,jobs",
            "-o",
            "wide",
        ]);
        let events = kubectl.run(&["-n", NAMESPACE, "get", "events"]);
        let said = kubectl.run(&[
            "-n",
            "aim-system",
            "logs",
            "deploy/aim-engine-controller-manager",
            "--tail=40",
        ]);
        let all = [state, events, said].map(|output| {
            output.map_or_else(
                |e| e.to_string(),
                |it| String::from_utf8_lossy(&it.stdout).into_owned(),
            )
        });
        all.join("\n")
    })
}

/// Who has a kubeconfig of the cluster and the rights that the page names, and nothing else.
struct Somebody {
    line: CommandLine,
    kubeconfig: String,
    kubectl: Kubectl,
}

impl Somebody {
    async fn new(cluster: &Cluster, folder: &Path) -> Result<Self> {
        let kubectl = cluster.kubectl();
        kubectl.must(&["-n", NAMESPACE, "create", "serviceaccount", "ann"])?;
        let account = format!("--serviceaccount={NAMESPACE}:ann");
        for role in [
            "aimservice-editor",
            "aimmodel-viewer",
            "aimservicetemplate-viewer",
            "aimartifact-editor",
        ] {
            let role_flag = format!("--clusterrole={role}");
            kubectl.must(&[
                "-n",
                NAMESPACE,
                "create",
                "rolebinding",
                role,
                &role_flag,
                &account,
            ])?;
        }
        let resources = "--resource=pods,pods/log,jobs.batch,inferenceservices.serving.kserve.io,events";
        kubectl.must(&[
            "-n",
            NAMESPACE,
            "create",
            "role",
            "logs",
            "--verb=get,list",
            resources,
        ])?;
        kubectl.must(&[
            "-n",
            NAMESPACE,
            "create",
            "rolebinding",
            "logs",
            "--role=logs",
            &account,
        ])?;
        let token = cluster.service_account_token(NAMESPACE, "ann", 3600).await?;
        let file = folder.join("ann");
        write_private(&file, &kubeconfig(cluster, &token, Some(NAMESPACE)))?;
        Ok(Self {
            line: CommandLine::new(&binary("reeve")?, &folder.join("settings")),
            kubeconfig: file.display().to_string(),
            kubectl,
        })
    }

    fn reeve(&self, words: &[&str]) -> Result<String> {
        let kubeconfig = ["--kubeconfig", &self.kubeconfig];
        blocking(|| self.line.must(&[words, &kubeconfig].concat()))
    }

    fn service(&self, name: &str) -> Result<Value> {
        let printed = self.reeve(&["service", "describe", name, "-o", "json"])?;
        Ok(serde_json::from_str(&printed)?)
    }
}

async fn runs(serving: &ModelServing, cluster: &Cluster, somebody: &Somebody) -> Result<()> {
    let create = [
        "service",
        "create",
        "chat",
        "--image",
        IMAGE,
        "--wait",
        "--timeout",
        "3m",
        "-o",
        "name",
    ];
    assert_eq!(somebody.reeve(&create)?, "service/chat\n");
    let service = somebody.service("chat")?;
    assert_eq!(service["status"]["status"], "Running", "{service:#}");
    assert_eq!(
        service["status"]["observedGeneration"],
        service["metadata"]["generation"]
    );
    let registry = serving.asked_of_the_registry();
    ensure!(
        registry.iter().any(|path| path.contains("/blobs/")),
        "{registry:?}"
    );
    let models = somebody.reeve(&["model", "list", "-o", "wide"])?;
    ensure!(
        models.contains(IMAGE) && models.contains("reeve/tiny"),
        "{models}"
    );

    pods(&somebody.kubectl, 1).await?;
    let answer = serving.ask(cluster, NAMESPACE, "chat", "no pod")?;
    // The words are in the file that was downloaded, and nowhere in the image.
    assert_eq!(answer["text"], "no pod runs as the person who made it may");
    let logs = somebody.reeve(&["service", "logs", "chat"])?;
    ensure!(logs.contains("serving reeve/tiny at port 8000"), "{logs}");
    Ok(())
}

/// Waits until KServe's Deployment has so many pods, all ready.
async fn pods(kubectl: &Kubectl, count: usize) -> Result<()> {
    wait_for(SETTLE, &format!("{count} ready pods"), async || {
        let flags = [
            "-n",
            NAMESPACE,
            "get",
            "pods",
            "-l",
            "component=predictor",
            "-o",
            "json",
        ];
        let found: Value = serde_json::from_str(&blocking(|| kubectl.must(&flags))?)?;
        let all = found["items"].as_array().cloned().unwrap_or_default();
        let ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array();
            let is = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
            conditions.is_some_and(|all| all.iter().any(is)) && pod["metadata"]["deletionTimestamp"].is_null()
        };
        ensure!(all.len() == count, "{} pods", all.len());
        Ok((all.iter().filter(ready).count() == count).then_some(()))
    })
    .await
}

/// Downloaded by our program, as who is not root, from the hub alone, and no second time for the second replica.
fn is_stored_once(serving: &ModelServing, somebody: &Somebody, volume: &Path) -> Result<()> {
    let artifacts: Value = serde_json::from_str(&somebody.reeve(&["artifact", "list", "-o", "json"])?)?;
    let [artifact] = artifacts.as_array().context("no list")?.as_slice() else {
        anyhow::bail!("not one artifact: {artifacts:#}");
    };
    assert_eq!(artifact["status"]["status"], "Ready", "{artifact:#}");
    assert_eq!(artifact["spec"]["sourceUri"], "hf://reeve/tiny");
    let name = artifact["metadata"]["name"].as_str().context("no name")?;
    let logs = somebody.reeve(&["artifact", "logs", name])?;
    ensure!(logs.contains("corpus.txt is there"), "{logs}");
    let stored = find(volume, "corpus.txt")?.context("no file was stored")?;
    assert_eq!(std::fs::read_to_string(&stored)?, CORPUS);
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&stored)?);
    assert_ne!(owner, 0, "the download ran as root");
    let asked = serving.asked_of_the_hub();
    let files = asked.iter().filter(|path| path.ends_with("/corpus.txt")).count();
    assert_eq!(files, 1, "{asked:?}");
    Ok(())
}

fn find(folder: &Path, name: &str) -> Result<Option<std::path::PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name)? {
                return Ok(Some(found));
            }
        } else if path.file_name().is_some_and(|it| it == name) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

async fn is_changed(serving: &ModelServing, cluster: &Cluster, somebody: &Somebody) -> Result<()> {
    let patch = |patch: Value| {
        let text = patch.to_string();
        somebody.kubectl.must(&[
            "-n",
            NAMESPACE,
            "patch",
            "aimservice",
            "chat",
            "--type=merge",
            "-p",
            &text,
        ])
    };
    patch(json!({"spec": {"replicas": 2}}))?;
    pods(&somebody.kubectl, 2).await?;
    somebody.reeve(&["service", "wait", "chat", "--timeout", "2m"])?;
    let replicas = wait_until("the status to count both", async || {
        let service = somebody.service("chat")?;
        let told = service["status"]["runtime"]["replicas"].clone();
        ensure!(told == "2", "{told}");
        Ok(Some(told))
    });
    replicas.await?;
    patch(json!({"spec": {"replicas": 1, "env": [{"name": "CHANGED", "value": "yes"}]}}))?;
    wait_for(SETTLE, "a pod with the new variable alone", async || {
        let flags = [
            "-n",
            NAMESPACE,
            "get",
            "pods",
            "-l",
            "component=predictor",
            "-o",
            "jsonpath={range .items[*]}{.spec.containers[0].env[?(@.name==\"CHANGED\")].value};{end}",
        ];
        let told = blocking(|| somebody.kubectl.must(&flags))?;
        ensure!(told == "yes;", "{told}");
        Ok(Some(()))
    })
    .await?;
    somebody.reeve(&["service", "wait", "chat", "--timeout", "2m"])?;
    let answer = serving.ask(cluster, NAMESPACE, "chat", "every")?;
    assert_eq!(answer["text"], "every pod runs as the person who made it");
    Ok(())
}

/// An image that the registry does not have.
fn says_what_is_wrong(somebody: &Somebody) -> Result<()> {
    let words = [
        "service",
        "create",
        "wrong",
        "--image",
        "registry.example/reeve/none:1",
        "--wait",
        "--timeout",
        "20s",
        "--kubeconfig",
        &somebody.kubeconfig,
    ];
    let output = blocking(|| somebody.line.run(&words, ""))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let model = somebody.reeve(&["model", "list"])?;
    let described = somebody.reeve(&["service", "describe", "wrong"])?;
    ensure!(
        said.contains("ModelReady") || described.contains("ModelReady"),
        "{said}\n{model}\n{described}"
    );
    somebody
        .reeve(&["service", "delete", "wrong", "--wait"])
        .map(drop)
}

/// What served goes, the files stay for the next.
async fn is_deleted(cluster: &Cluster, somebody: &Somebody) -> Result<()> {
    somebody.reeve(&["service", "delete", "chat", "--wait", "--timeout", "1m"])?;
    let kubectl = cluster.kubectl();
    wait_for(SETTLE, "nothing to be left of it", async || {
        let flags = ["-n", NAMESPACE, "get", "isvc,deploy,pods", "-o", "name"];
        let left = blocking(|| kubectl.must(&flags))?;
        let left: Vec<&str> = left.lines().filter(|line| line.contains("chat")).collect();
        ensure!(left.is_empty(), "{left:?}");
        Ok(Some(()))
    })
    .await?;
    let artifacts = somebody.reeve(&["artifact", "list", "-o", "name"])?;
    assert_eq!(artifacts.lines().count(), 1, "{artifacts}");
    Ok(())
}

/// The rights of each chart are enough for what its program does here.
fn nothing_was_refused(cluster: &Cluster, namespace: &str, name: &str) -> Result<()> {
    let account = format!("system:serviceaccount:{namespace}:{name}");
    let events = cluster.audit_events()?;
    let mine: Vec<_> = events.iter().filter(|event| event.user == account).collect();
    ensure!(!mine.is_empty(), "`{name}` asked for nothing");
    let refused: Vec<_> = mine.iter().filter(|event| event.code == 403).collect();
    ensure!(refused.is_empty(), "{refused:#?}");
    Ok(())
}
