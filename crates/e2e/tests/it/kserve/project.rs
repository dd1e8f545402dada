//! Model serving in a project of Reeve, through the real KServe: what serves runs as the person who made the service, and nobody else
//! makes anything run as that person on this way.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reeve_e2e::model_serving::{IMAGE, KSERVE, KSERVE_ACCOUNT, ModelServing, SYSTEM};
use reeve_e2e::{Options, Stack, blocking, kubeconfig, write_private};
use reeve_testkit::{Kubectl, Tier, skip_unasked, wait_for};
use serde_json::{Value, json};

use super::find;
use crate::attacks::{kubectl_of, kubectl_refused};
use crate::harness::{Member, Team, change_settings, on_a_stack_with, wait_until_policies_count};

/// The account of the operator of model serving.
const OPERATOR_ACCOUNT: &str = "aim-engine-controller-manager";
/// From an image to what serves, with a first probe that comes too early.
const SETTLE: Duration = Duration::from_secs(180);
/// What may be written of model serving, by whoever the installers let.
const WRITTEN: &str = "aimservices.aim.eai.amd.com,aimmodels.aim.eai.amd.com,aimservicetemplates.aim.eai.amd.com,\
                       inferenceservices.serving.kserve.io";

/// Planted faults that turn it red: the operator without the stamp in the predictor (nothing serves); a model of somebody else's taken
/// for a person's service (the colleague's service says nothing is wrong); KServe listed for nothing (its Deployment is refused).
#[test]
fn a_service_of_a_project_runs_as_the_person_who_made_it() {
    if std::env::var_os("KSERVE").is_none() {
        skip_unasked("KServe's first build takes minutes: make kserve");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        images: ModelServing::archives(folder.path()).unwrap(),
        ..Options::new(folder.path().join("stack"), Tier::Node)
    };
    on_a_stack_with(options, async |stack| {
        wait_until_policies_count(&stack).await?;
        let serving = ModelServing::install(&stack.cluster, folder.path(), |line| println!("{line}")).await?;
        let team = Team::form(&stack).await?;
        let dave = team.hire(&stack).await?;
        let done = story(&stack, &serving, &team, &dave, folder.path()).await;
        done.with_context(|| told(&stack, &team.namespace))
    });
}

async fn story(
    stack: &Stack,
    serving: &ModelServing,
    team: &Team,
    dave: &Member,
    folder: &Path,
) -> Result<()> {
    let alice = &team.researcher;
    serving.volume(&stack.cluster, folder, &team.namespace)?;
    let hers = kubectl_of(stack, team, alice).await?;
    not_before_it_is_listed(stack, team, &hers)?;
    list_controllers(stack, team).await?;
    let service = json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMService", "metadata": {"name": "chat"},
        "spec": {"model": {"image": IMAGE}}});
    let made = send(&hers, &service)?;
    ensure!(
        made["metadata"]["annotations"]["reeve.dev/runs-as"] == json!(alice.stamp()),
        "{made:#}"
    );
    runs(stack, &team.namespace, "chat").await?;
    it_is_hers(stack, team, folder).await?;
    nobody_else_makes_it_run(stack, team, dave).await?;
    a_colleagues_service_takes_nothing_of_hers(stack, team, dave, &service).await?;
    the_accounts_alone_make_nothing(stack, team, folder).await
}

/// Where nobody listed their controllers, nothing would make pods of them.
fn not_before_it_is_listed(stack: &Stack, team: &Team, hers: &Kubectl) -> Result<()> {
    let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
    let namespace = team.namespace.as_str();
    let resources = format!("--resource={WRITTEN}");
    installer.must(&[
        "-n", namespace, "create", "role", "serving", "--verb=*", &resources,
    ])?;
    installer.must(&[
        "-n",
        namespace,
        "create",
        "rolebinding",
        "serving",
        "--role=serving",
        "--group=system:authenticated",
    ])?;
    let service = json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMService", "metadata": {"name": "early"},
        "spec": {"model": {"image": IMAGE}}});
    kubectl_refused(
        &hers.run_with_input(&["create", "-f", "-"], &service.to_string())?,
        &["R31", "AIMService"],
    )
}

/// As the page says it.
async fn list_controllers(stack: &Stack, team: &Team) -> Result<()> {
    let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
    let listed = json!({"spec": {"trustedControllers": [
        {"namespace": KSERVE, "serviceAccount": KSERVE_ACCOUNT, "kinds": ["InferenceService"]},
        {"namespace": SYSTEM, "serviceAccount": OPERATOR_ACCOUNT,
         "kinds": ["AIMService", "AIMModel", "AIMServiceTemplate", "AIMTemplateCache", "AIMArtifact"]},
    ]}});
    let listed = listed.to_string();
    change_settings(&installer, &listed)?;
    wait_for(SETTLE, "the project to list them", async || {
        let namespace = installer.must(&["get", "namespace", &team.namespace, "-o", "json"])?;
        Ok(namespace
            .contains(&format!("{SYSTEM}:{OPERATOR_ACCOUNT}=AIMService"))
            .then_some(()))
    })
    .await
}

fn send(kubectl: &Kubectl, object: &Value) -> Result<Value> {
    let printed = kubectl.must_with_input(&["create", "-f", "-", "-o", "json"], &object.to_string())?;
    Ok(serde_json::from_str(&printed)?)
}

fn read(kubectl: &Kubectl, words: &[&str]) -> Result<Value> {
    let printed = blocking(|| kubectl.must(&[words, &["-o", "json"]].concat()))?;
    Ok(serde_json::from_str(&printed)?)
}

async fn runs(stack: &Stack, namespace: &str, service: &str) -> Result<()> {
    let kubectl = stack.cluster.kubectl();
    wait_for(SETTLE, &format!("`{service}` to run"), async || {
        let found = read(&kubectl, &["-n", namespace, "get", "aimservice", service])?;
        ensure!(found["status"]["status"] == "Running", "{}", found["status"]);
        Ok(Some(()))
    })
    .await
}

/// The uid of the process, that of the file which the download left behind, and the stamp of everything on the way.
async fn it_is_hers(stack: &Stack, team: &Team, folder: &Path) -> Result<()> {
    let (alice, namespace) = (&team.researcher, team.namespace.as_str());
    let kubectl = stack.cluster.kubectl();
    let kinds = "aimmodels,aimservicetemplates,aimtemplatecaches,aimartifacts";
    let parts = read(&kubectl, &["-n", namespace, "get", kinds])?;
    let parts = parts["items"].as_array().context("no list")?;
    ensure!(parts.len() >= 4, "{parts:#?}");
    for part in parts {
        let stamp = &part["metadata"]["annotations"]["reeve.dev/runs-as"];
        ensure!(*stamp == json!(alice.stamp()), "{part:#}");
    }
    let stored = find(&folder.join(namespace), "corpus.txt")?.context("no file was stored")?;
    assert_eq!(
        std::fs::metadata(&stored)?.uid(),
        alice.uid,
        "the download ran as somebody else"
    );
    let hers = kubectl_of(stack, team, alice).await?;
    let pods = read(&hers, &["get", "pods", "-l", "component=predictor"])?;
    let pod = pods["items"][0]["metadata"]["name"]
        .as_str()
        .context("no pod serves")?;
    let status = blocking(|| {
        hers.must(&[
            "exec",
            pod,
            "-c",
            "kserve-container",
            "--",
            "cat",
            "/proc/1/status",
        ])
    })?;
    let line = |name: &str| -> Vec<String> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let uid = alice.uid.to_string();
    assert_eq!(line("Uid:"), vec![uid; 4], "{status}");
    let groups = line("Groups:");
    ensure!(groups.contains(&"5001".to_owned()), "{status}");
    ensure!(
        groups
            .iter()
            .all(|group| ["5000", "5001"].contains(&group.as_str())),
        "{status}"
    );
    Ok(())
}

/// Each way by which a colleague could have code of his run as her.
async fn nobody_else_makes_it_run(stack: &Stack, team: &Team, dave: &Member) -> Result<()> {
    let stamp = team.researcher.stamp();
    let his = kubectl_of(stack, team, dave).await?;
    let admin = stack.cluster.kubectl();
    let planted = json!({"reeve.dev/runs-as": stamp});
    let container = json!([{"name": "kserve-container", "image": IMAGE}]);
    let namespace = team.namespace.as_str();
    let created = [
        (
            "R32",
            json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMService",
            "metadata": {"name": "planted", "annotations": planted}, "spec": {"model": {"image": IMAGE}}}),
        ),
        (
            "R32",
            json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMModel",
            "metadata": {"name": "planted", "annotations": planted}, "spec": {"image": IMAGE}}),
        ),
        (
            "R32",
            json!({"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "planted"},
            "spec": {"predictor": {"annotations": planted, "containers": container}}}),
        ),
        (
            "R3",
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "planted"}, "spec": {
            "selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}, "annotations": planted},
            "spec": {"containers": container}}}}),
        ),
    ];
    for (rule, object) in &created {
        for kubectl in [&his, &admin] {
            let words = ["-n", namespace, "create", "-f", "-"];
            let answer = blocking(|| kubectl.run_with_input(&words, &object.to_string()))?;
            // Somebody without an identity is told that first.
            let said = String::from_utf8_lossy(&answer.stderr).into_owned();
            ensure!(
                said.contains("reeve: R") && !answer.status.success(),
                "{object:#}: {said}"
            );
            let by_him = std::ptr::eq(kubectl, &his);
            ensure!(
                !by_him || said.contains(&format!("reeve: {rule}: ")),
                "{object:#}: {said}"
            );
        }
    }
    let inference = read(&admin, &["-n", namespace, "get", "inferenceservices"])?;
    let inference = inference["items"][0]["metadata"]["name"]
        .as_str()
        .context("no InferenceService")?;
    let changed = [
        (
            "aimservice",
            "chat",
            json!({"spec": {"env": [{"name": "LD_PRELOAD", "value": "/tmp/his.so"}]}}),
        ),
        (
            "aimservice",
            "chat",
            json!({"metadata": {"annotations": {"reeve.dev/runs-as": dave.stamp()}}}),
        ),
        (
            "aimservice",
            "chat",
            json!({"metadata": {"annotations": {"aim.eai.amd.com/reconciliation-paused": "true"}}}),
        ),
        (
            "inferenceservice",
            inference,
            json!({"spec": {"predictor": {"containers": [
            {"name": "kserve-container", "image": "registry.example/his:1"}]}}}),
        ),
    ];
    for (kind, name, patch) in &changed {
        let patch = patch.to_string();
        let words = ["-n", namespace, "patch", kind, name, "--type=merge", "-p", &patch];
        kubectl_refused(&blocking(|| his.run(&words))?, &["R32"])?;
    }
    let runtime = json!({"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "runtime"},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "x"}, "runtime": "his"}}}});
    let hers = kubectl_of(stack, team, &team.researcher).await?;
    kubectl_refused(
        &blocking(|| hers.run_with_input(&["create", "-f", "-"], &runtime.to_string()))?,
        &["R33"],
    )
}

/// The same image by a colleague: a model of his own, and hers is none for him.
async fn a_colleagues_service_takes_nothing_of_hers(
    stack: &Stack,
    team: &Team,
    dave: &Member,
    service: &Value,
) -> Result<()> {
    let namespace = team.namespace.as_str();
    let kubectl = stack.cluster.kubectl();
    let models = read(&kubectl, &["-n", namespace, "get", "aimmodels"])?;
    let [model] = models["items"].as_array().context("no list")?.as_slice() else {
        anyhow::bail!("not one model: {models:#}");
    };
    let mut named = service.clone();
    named["metadata"]["name"] = json!("named");
    named["spec"]["model"] = json!({"name": model["metadata"]["name"]});
    let mut same = service.clone();
    same["metadata"]["name"] = json!("his");
    let his = kubectl_of(stack, team, dave).await?;
    send(&his, &named)?;
    send(&his, &same)?;
    wait_for(
        SETTLE,
        "a service with somebody else's model to say so",
        async || {
            let found = read(&kubectl, &["-n", namespace, "get", "aimservice", "named"])?;
            let said = found["status"]["conditions"].to_string();
            ensure!(
                said.contains("ModelNotFound") && said.contains("somebody else's"),
                "{said}"
            );
            Ok(Some(()))
        },
    )
    .await?;
    runs(stack, namespace, "his").await?;
    let pods = read(
        &kubectl,
        &["-n", namespace, "get", "pods", "-l", "component=predictor"],
    )?;
    let uids: Vec<_> = pods["items"]
        .as_array()
        .context("no list")?
        .iter()
        .map(|pod| pod["spec"]["securityContext"]["runAsUser"].as_u64())
        .collect();
    let wanted = |uid: u32| uids.contains(&Some(u64::from(uid)));
    ensure!(wanted(dave.uid) && wanted(team.researcher.uid), "{uids:?}");
    Ok(())
}

/// KServe's account and the operator's, with nothing that a person wrote; and what they did so far was let through.
async fn the_accounts_alone_make_nothing(stack: &Stack, team: &Team, folder: &Path) -> Result<()> {
    let namespace = team.namespace.as_str();
    let accounts = [(KSERVE, KSERVE_ACCOUNT), (SYSTEM, OPERATOR_ACCOUNT)];
    for (of, account) in accounts {
        let user = format!("system:serviceaccount:{of}:{account}");
        let events = stack.cluster.audit_events()?;
        let mine: Vec<_> = events.iter().filter(|event| event.user == user).collect();
        ensure!(!mine.is_empty(), "`{account}` asked for nothing");
        let refused: Vec<_> = mine.iter().filter(|event| event.code == 403).collect();
        ensure!(refused.is_empty(), "{refused:#?}");
    }
    let container = json!([{"name": "c", "image": IMAGE}]);
    let annotations = json!({"reeve.dev/runs-as": team.researcher.stamp()});
    let template = json!({"metadata": {"labels": {"app": "x"}, "annotations": annotations}, "spec": {
        "containers": container, "restartPolicy": "Never"}});
    let mut of_deployment = template.clone();
    of_deployment["spec"]["restartPolicy"] = json!("Always");
    let tried = [
        (
            accounts[0],
            "R31",
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "alone"}, "spec": {
            "selector": {"matchLabels": {"app": "x"}}, "template": of_deployment}}),
        ),
        (
            accounts[1],
            "R31",
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "alone"}, "spec": {"template": template}}),
        ),
        (
            accounts[1],
            "R32",
            json!({"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "alone"},
            "spec": {"predictor": {"annotations": annotations, "containers": container}}}),
        ),
    ];
    for ((of, account), rule, object) in tried {
        let token = stack.cluster.service_account_token(of, account, 600).await?;
        let file = folder.join(account);
        write_private(&file, &kubeconfig(&stack.cluster, &token, Some(namespace)))?;
        let kubectl = stack.kubectl(&file);
        let words = ["create", "--validate=false", "-f", "-"];
        let answer = blocking(|| kubectl.run_with_input(&words, &object.to_string()))?;
        kubectl_refused(&answer, &[rule])?;
    }
    Ok(())
}

/// What a failure is looked at by.
fn told(stack: &Stack, namespace: &str) -> String {
    let kubectl = stack.cluster.kubectl();
    let asked: [&[&str]; 3] = [
        &[
            "-n",
            namespace,
            "get",
            "aim,isvc,deploy,pods,pvc,jobs",
            "-o",
            "wide",
        ],
        &["-n", namespace, "get", "events"],
        &[
            "-n",
            SYSTEM,
            "logs",
            "deploy/aim-engine-controller-manager",
            "--tail=40",
        ],
    ];
    let said = asked.map(|words| {
        let output = kubectl.run(words);
        output.map_or_else(
            |e| e.to_string(),
            |it| String::from_utf8_lossy(&it.stdout).into_owned(),
        )
    });
    said.join("\n")
}
