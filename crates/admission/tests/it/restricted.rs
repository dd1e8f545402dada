//! The pods by which Kubernetes tests the level `restricted` of Pod Security: 76 that it refuses and 23 that it admits, on every
//! way into a project where Pod Security itself is off. What judges is ours alone: the policies, or the webhook.
//!
//! They say nothing of whose they are, so the project is one that does not enforce identity; and what judges is there without what
//! fills in, which would make many of the 76 right. That what it makes is right is a test of its own, with Pod Security as judge.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use http::Method;
use reeve_admission::{Operation, Request, names, policies, policies_with_fault};
use reeve_testkit::{apply_yaml, pod_security_fixtures, wait_until};
use serde_json::{Value, json};

use crate::fixture::{self, Answer, KINDS, collection, merge, requester, send, send_as};
use crate::test_cluster::install;
use crate::webhook::Running;

/// The version of Kubernetes whose pods these are: that of the testbed.
const VERSION: &str = "v1.37";
/// The project, and what is there before anything judges.
const PROJECT: &str = "fixtures";
/// No project, with Pod Security.
const GUARDED: &str = "guarded";
const AT_ONCE: usize = 6;
/// The kinds whose templates are changed from good to bad.
const UPDATED: [&str; 3] = ["Deployment", "CronJob", "StatefulSet"];
/// The checks of a pod's shape, each of which some pod of the 76 is for.
const SHAPE: [&str; 16] = [
    "not-root",
    "run-as-non-root",
    "privileged",
    "privilege-escalation",
    "capabilities-add",
    "capabilities-drop",
    "host-process",
    "host-namespaces",
    "host-ports",
    "volume-types",
    "seccomp",
    "app-armor",
    "se-linux",
    "proc-mount",
    "sysctls",
    "host-probes",
];

/// One pod of Kubernetes' own.
#[derive(Clone)]
struct Fixture {
    name: String,
    pod: Value,
    good: bool,
}

fn fixtures() -> Result<Vec<Fixture>> {
    let folder = pod_security_fixtures()?.join("restricted").join(VERSION);
    let mut all = read(&folder.join("fail"), false)?;
    all.extend(read(&folder.join("pass"), true)?);
    let good = all.iter().filter(|f| f.good).count();
    assert_eq!((all.len() - good, good), (76, 23), "of {}", folder.display());
    Ok(all)
}

fn read(folder: &Path, good: bool) -> Result<Vec<Fixture>> {
    let mut all = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let pod: Value = serde_saphyr::from_str(&fs::read_to_string(&path)?)?;
        let stem = path.file_stem().unwrap().to_string_lossy().replace('_', "-");
        let name = format!("{}-{stem}", if good { "good" } else { "bad" });
        all.push(Fixture { name, pod, good });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

impl Fixture {
    fn pod(&self, prefix: &str) -> Value {
        let mut pod = self.pod.clone();
        pod["metadata"]["name"] = json!(format!("{prefix}-{}", self.name));
        pod
    }

    /// Whether the predicates refuse it.
    fn predicted(&self) -> bool {
        let request = Request {
            user: requester("admin", "Pod"),
            object: self.pod.clone(),
            namespace_labels: fixture::labels("no-identity"),
            ..Request::default()
        };
        !reeve_admission::failing(&request).is_empty()
    }

    /// An object of this kind with the pod as its template.
    fn object(&self, kind: &str, name: &str) -> Value {
        if kind == "Pod" {
            let mut pod = self.pod.clone();
            pod["metadata"]["name"] = json!(name);
            return pod;
        }
        let mut object = fixture::minimal(kind, name);
        let labels = fixture::template(&mut object, kind)["metadata"].clone();
        let mut template = json!({"metadata": labels, "spec": self.pod["spec"]});
        if let Some(annotations) = self.pod["metadata"].get("annotations") {
            template["metadata"]["annotations"] = annotations.clone();
        }
        if ["Job", "CronJob"].contains(&kind) {
            template["spec"]["restartPolicy"] = json!("Never");
        }
        *fixture::template(&mut object, kind) = template;
        object
    }
}

/// The ways into a project.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Pod,
    Template,
    DebugContainer,
    Update,
    Apply,
    DryRun,
}

const WAYS: [Way; 6] = [
    Way::Pod,
    Way::Template,
    Way::DebugContainer,
    Way::Update,
    Way::Apply,
    Way::DryRun,
];

/// What was answered to one pod on one way, of one kind.
struct Tried {
    what: String,
    good: bool,
    /// Whether the predicates refuse the pod.
    predicted: bool,
    answer: Answer,
}

impl Tried {
    /// What is not as it should be: the good admitted, all others refused in our words. What the API server itself finds
    /// invalid nobody else is asked about: of that the predicates are.
    fn wrong(&self) -> Option<String> {
        let ours = self.answer.code == 403 && self.answer.message().contains("reeve: R");
        let invalid = self.answer.code == 422 && self.predicted;
        let right = if self.good {
            self.answer.admitted()
        } else {
            ours || invalid
        };
        (!right).then(|| format!("{}: {} {}", self.what, self.answer.code, self.answer.message()))
    }
}

async fn write(client: &kube::Client, object: Value, operation: Operation, dry_run: bool) -> Result<Answer> {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let request = Request {
        user: requester("admin", &kind),
        operation,
        object,
        ..Request::default()
    };
    send(client, PROJECT, &request, dry_run).await
}

async fn apply(client: &kube::Client, object: &Value) -> Result<Answer> {
    let (kind, name) = (
        object["kind"].as_str().unwrap(),
        object["metadata"]["name"].as_str().unwrap(),
    );
    let path = format!("{}/{name}?fieldManager=it", collection(kind, PROJECT));
    let user = requester("admin", kind);
    let body = serde_json::to_vec(object)?;
    send_as(
        client,
        &user,
        Method::PATCH,
        &path,
        "application/apply-patch+yaml",
        body,
    )
    .await
}

/// A debug container that is as it should be, in a pod that is there: the pod is judged as a whole.
async fn debug(client: &kube::Client, fixture: &Fixture) -> Result<Answer> {
    let pod = fixture.pod("debugged");
    let path = format!(
        "{}/{}/ephemeralcontainers",
        collection("Pod", PROJECT),
        pod["metadata"]["name"].as_str().unwrap()
    );
    let read = http::Request::get(path.trim_end_matches("/ephemeralcontainers")).body(Vec::new())?;
    let mut pod: Value = match client.request(read).await {
        Ok(pod) => pod,
        // There is none, since it is invalid.
        Err(_) => return write(client, pod, Operation::Create, true).await,
    };
    let context = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
        "seccompProfile": {"type": "RuntimeDefault"}});
    pod["spec"]["ephemeralContainers"] =
        json!([{"name": "debug", "image": "local.test/x:1", "securityContext": context}]);
    if pod["spec"]["os"]["name"] == "windows" {
        pod["spec"]["ephemeralContainers"][0]
            .as_object_mut()
            .unwrap()
            .remove("securityContext");
    }
    let (user, body) = (requester("admin", "Pod"), serde_json::to_vec(&pod)?);
    send_as(client, &user, Method::PUT, &path, "application/json", body).await
}

/// One pod on one way: once, or once for each kind.
async fn try_one(client: &kube::Client, fixture: &Fixture, way: Way) -> Result<Vec<Tried>> {
    let mut all = Vec::new();
    let mut add = |kind: &str, answer: Answer| {
        let what = format!("{} by {way:?} of {kind}", fixture.name);
        all.push(Tried {
            what,
            good: fixture.good,
            predicted: fixture.predicted(),
            answer,
        });
    };
    match way {
        Way::Pod => add(
            "Pod",
            write(client, fixture.pod("made"), Operation::Create, false).await?,
        ),
        Way::DryRun => add(
            "Pod",
            write(client, fixture.pod("dry"), Operation::Create, true).await?,
        ),
        Way::DebugContainer => add("Pod", debug(client, fixture).await?),
        Way::Template => {
            for kind in &KINDS[1..] {
                let object = fixture.object(kind, &format!("made-{}", fixture.name));
                add(kind, write(client, object, Operation::Create, true).await?);
            }
        }
        Way::Update => {
            for kind in UPDATED {
                let object = fixture.object(kind, "clean");
                add(kind, write(client, object, Operation::Update, true).await?);
            }
        }
        Way::Apply => {
            for kind in ["Pod", "Deployment"] {
                let object = fixture.object(kind, &format!("applied-{}", fixture.name));
                add(kind, apply(client, &object).await?);
            }
        }
    }
    Ok(all)
}

async fn try_all(client: &kube::Client, fixtures: &[Fixture], ways: &[Way]) -> Result<Vec<Tried>> {
    let pairs: Vec<(&Fixture, Way)> = ways
        .iter()
        .flat_map(|way| fixtures.iter().map(move |fixture| (fixture, *way)))
        .collect();
    let tried = stream::iter(pairs)
        .map(|(fixture, way)| try_one(client, fixture, way))
        .buffered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(tried.into_iter().flatten().collect())
}

/// Two namespaces, and in the project the pods that get a debug container and the templates that are changed.
async fn prepare(client: &kube::Client, fixtures: &[Fixture]) -> Result<()> {
    apply_yaml(client, &fixture::ground()).await?;
    let mut project = fixture::labels("no-identity");
    project.insert(names::POD_SECURITY_ENFORCE.to_owned(), "privileged".to_owned());
    let guarded = json!({names::POD_SECURITY_ENFORCE: "restricted"});
    for (name, labels) in [(PROJECT, json!(project)), (GUARDED, guarded)] {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        fixture::create(client, "", &namespace).await?;
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
        let _ = fixture::create(client, name, &account).await;
    }
    for fixture in fixtures {
        let answer = write(client, fixture.pod("debugged"), Operation::Create, false).await?;
        ensure!(
            answer.admitted() || (!fixture.good && answer.code == 422),
            "{}: {}",
            fixture.name,
            answer.message()
        );
    }
    let base = fixtures
        .iter()
        .find(|f| f.name == "good-base")
        .context("no base")?;
    for kind in UPDATED {
        fixture::create(client, PROJECT, &base.object(kind, "clean")).await?;
    }
    Ok(())
}

async fn wait_for_refusals(client: &kube::Client, fixtures: &[Fixture]) -> Result<()> {
    let bad = fixtures.iter().find(|f| !f.good).context("no bad pod")?;
    wait_until("what judges", async || {
        let answer = write(client, bad.pod("probe"), Operation::Create, true).await?;
        Ok((answer.code == 403).then_some(()))
    })
    .await
}

/// The sums of a run, which must be 76 and 23 on every way, as a sentence.
fn check(tried: &[Tried]) -> Result<String> {
    let wrong: Vec<String> = tried.iter().filter_map(Tried::wrong).collect();
    ensure!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        tried.len(),
        wrong.join("\n")
    );
    let good = tried.iter().filter(|t| t.good).count();
    let (refused, invalid) = (
        tried.len() - good,
        tried.iter().filter(|t| t.answer.code == 422).count(),
    );
    // Two of the 76 ask for what Kubernetes lets no pod have any more, on every way.
    ensure!(
        invalid * 76 <= refused * 4,
        "{invalid} refusals say nothing of us"
    );
    Ok(format!(
        "restricted: {refused} refusals ({invalid} by the API server as invalid) and {good} admissions of 76 and 23 pods"
    ))
}

fn of_kind(documents: Vec<Value>, beginning: &str) -> Vec<Value> {
    let begins = |d: &Value| d["kind"].as_str().unwrap().starts_with(beginning);
    documents.into_iter().filter(begins).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_policies_alone_refuse_76_of_76_and_admit_23_of_23_on_six_ways() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let (client, fixtures) = (cluster.installer_client().await?, fixtures()?);
    prepare(&client, &fixtures).await?;
    install(&client, &of_kind(policies(), "Validating")).await?;
    wait_for_refusals(&client, &fixtures).await?;
    let tried = try_all(&client, &fixtures, &WAYS).await?;
    println!("{}", check(&tried)?);
    // A planted fault shows.
    install(&client, &of_kind(policies_with_fault("seccomp"), "Validating")).await?;
    wait_until("the fault to show", async || {
        let tried = try_all(&client, &fixtures, &[Way::DryRun]).await?;
        Ok(check(&tried).is_err().then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_webhook_alone_refuses_76_of_76_and_admits_23_of_23_on_six_ways() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let (client, fixtures) = (cluster.installer_client().await?, fixtures()?);
    let running = Running::start(&cluster).await?;
    prepare(&client, &fixtures).await?;
    install(&client, &of_kind(running.configurations.clone(), "Validating")).await?;
    wait_for_refusals(&client, &fixtures).await?;
    let tried = try_all(&client, &fixtures, &WAYS).await?;
    println!("{}", check(&tried)?);
    // Each check of the shape left out once shows.
    let mut survived = Vec::new();
    for id in SHAPE {
        running.rules.plant(Some(id));
        let tried = try_all(&client, &fixtures, &[Way::DryRun]).await?;
        if check(&tried).is_ok() {
            survived.push(id);
        }
    }
    // A privileged container cannot give up escalation, and host processes need the host's network: other checks refuse both.
    assert_eq!(survived, ["privileged", "host-process"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_filled_in_makes_a_pod_right_by_pod_security_or_it_is_refused() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let (client, fixtures) = (cluster.installer_client().await?, fixtures()?);
    prepare(&client, &fixtures).await?;
    install(&client, &policies()).await?;
    let base = fixtures
        .iter()
        .find(|f| f.name == "bad-runasnonroot0")
        .context("no such pod")?;
    wait_until("what fills in", async || {
        let answer = write(&client, base.pod("probe"), Operation::Create, true).await?;
        Ok((answer.body["spec"]["securityContext"]["runAsNonRoot"] == json!(true)).then_some(()))
    })
    .await?;
    wait_for_refusals(&client, &fixtures).await?;
    let (mut refused, mut made_right) = (0, 0);
    for fixture in &fixtures {
        let answer = write(&client, fixture.pod("filled"), Operation::Create, true).await?;
        if !answer.admitted() {
            ensure!(
                !fixture.good && [403, 422].contains(&answer.code),
                "{}: {} {}",
                fixture.name,
                answer.code,
                answer.message()
            );
            refused += 1;
            continue;
        }
        if let Err(error) = judged_by_pod_security(&client, &answer.body).await {
            bail!("{}: {error:#}", fixture.name);
        }
        made_right += usize::from(!fixture.good);
    }
    println!("restricted: of 76 pods {refused} refused, {made_right} made right by what is filled in");
    assert_eq!(refused + made_right, 76);
    Ok(())
}

async fn judged_by_pod_security(client: &kube::Client, made: &Value) -> Result<()> {
    let mut pod = made.clone();
    merge(
        &mut pod,
        &json!({"status": null, "metadata": {"namespace": null, "uid": null, "resourceVersion": null, "creationTimestamp": null, "managedFields": null}}),
    );
    let request = Request {
        user: requester("admin", "Pod"),
        object: pod,
        ..Request::default()
    };
    let answer = send(client, GUARDED, &request, true).await?;
    ensure!(
        answer.admitted(),
        "Pod Security: {} {}",
        answer.code,
        answer.message()
    );
    Ok(())
}
