//! One road for all tests, and what each test makes for itself on it.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use kube::Client;
use kube::api::DynamicObject;
use reeve_demo::organization::{self, Person};
use reeve_demo::{Options, Rest, Road};
use reeve_testkit::Tier;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// Tests that have a road to themselves come one after the other: two cores carry two Kubernetes, not five.
static OWN_ROADS: Semaphore = Semaphore::const_new(1);

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

/// Runs a test on the shared road; without a cluster it prints why it was skipped.
pub(crate) fn on_the_road<F: Future<Output = Result<()>>>(test: impl FnOnce(&'static Road) -> F) {
    static ROAD: OnceLock<Option<Road>> = OnceLock::new();
    let road = ROAD.get_or_init(|| {
        // Programs end with the thread that started them: this one stays until the last test is over.
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let options = Options::new(folder("shared"), Tier::Node);
            let road = runtime().block_on(async {
                let road = Road::up_for_test(options).await?;
                if let Some(road) = &road {
                    wait_until_policies_count(road).await?;
                }
                anyhow::Ok(road)
            });
            let _ = send.send(road);
            loop {
                std::thread::park();
            }
        });
        receive
            .recv()
            .expect("starting the road panicked")
            .expect("the road comes up")
    });
    if let Some(road) = road {
        finish(test(road));
    }
}

/// The API server takes up to some seconds from a policy's creation to its first refusal.
async fn wait_until_policies_count(road: &Road) -> Result<()> {
    let kubectl = road.cluster.kubectl();
    let settings = r#"{"spec":{"enforceRunAsUser":false}}"#;
    for (policy, attempt) in [
        (
            "R11",
            vec![
                "label",
                "namespace",
                "default",
                "reeve.dev/project=x",
                "--dry-run=server",
            ],
        ),
        (
            "R13",
            vec![
                "patch",
                "reeveconfigs.reeve.dev",
                "reeve",
                "--type=merge",
                "-p",
                settings,
                "--dry-run=server",
            ],
        ),
    ] {
        reeve_testkit::wait_until("the policies to be in force", async || {
            let answer = kubectl.run(&attempt)?;
            Ok(String::from_utf8_lossy(&answer.stderr)
                .contains(policy)
                .then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Runs a test on a road of its own.
pub(crate) fn on_a_road_of_its_own<F: Future<Output = Result<()>>>(
    name: &'static str,
    tier: Tier,
    test: impl FnOnce(Road) -> F,
) {
    on_a_road_with(Options::new(folder(name), tier), test);
}

/// The same with an operator that is one of several: it holds a lease.
pub(crate) fn on_a_road_with_a_lease<F: Future<Output = Result<()>>>(
    name: &'static str,
    test: impl FnOnce(Road) -> F,
) {
    on_a_road_with(
        Options {
            leader_elect: true,
            ..Options::new(folder(name), Tier::Node)
        },
        test,
    );
}

fn on_a_road_with<F: Future<Output = Result<()>>>(options: Options, test: impl FnOnce(Road) -> F) {
    finish(async move {
        let _alone = OWN_ROADS.acquire().await?;
        match Road::up_for_test(options).await? {
            Some(road) => test(road).await,
            None => Ok(()),
        }
    });
}

fn finish(test: impl Future<Output = Result<()>>) {
    if let Err(error) = runtime().block_on(test) {
        panic!("{error:?}");
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("reeve-road-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// A name nobody else has: `word-7`.
pub(crate) fn fresh(word: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{word}-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// A uid nobody else has.
pub(crate) fn fresh_uid() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(60_000);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// A department and a project of a test's own, with an L1 researcher in it who has an identity.
pub(crate) struct Team {
    pub(crate) department: String,
    pub(crate) project: String,
    pub(crate) project_name: String,
    pub(crate) namespace: String,
    pub(crate) researcher: Member,
}

/// Somebody who signed in.
pub(crate) struct Member {
    pub(crate) person: Person,
    pub(crate) rest: Rest,
    pub(crate) uid: u32,
    /// Her access rule in the team's project.
    pub(crate) rule: i64,
}

impl Team {
    pub(crate) async fn form(road: &Road) -> Result<Self> {
        let department = organization::create_department(road, &fresh("dept")).await?;
        let project_name = fresh("proj");
        let project = organization::create_project(road, &project_name, &department).await?;
        let namespace = format!("reeve-{project_name}");
        organization::wait_until_ready(&road.admin, &project).await?;
        let researcher = Member::join(road, &project).await?;
        let team = Self {
            department,
            project,
            project_name,
            namespace,
            researcher,
        };
        team.wait_until_bound(road, "l1-researcher", &team.researcher.person.username)
            .await?;
        Ok(team)
    }

    /// Another L1 researcher of the project.
    pub(crate) async fn hire(&self, road: &Road) -> Result<Member> {
        let member = Member::join(road, &self.project).await?;
        self.wait_until_bound(road, "l1-researcher", &member.person.username)
            .await?;
        Ok(member)
    }

    pub(crate) async fn subjects(&self, road: &Road, role: &str) -> Result<Option<Vec<String>>> {
        let client = road.cluster.client().await?;
        let bindings: kube::Api<k8s_openapi::api::rbac::v1::RoleBinding> =
            kube::Api::namespaced(client, &self.namespace);
        let list = bindings
            .list(&kube::api::ListParams::default().labels("reeve.dev/managed=access-rules"))
            .await?;
        let of_role: Vec<_> = list
            .items
            .into_iter()
            .filter(|b| b.role_ref.name == format!("reeve-{role}"))
            .collect();
        anyhow::ensure!(
            of_role.len() <= 1,
            "{} bindings of {role} in {}",
            of_role.len(),
            self.namespace
        );
        Ok(of_role.into_iter().next().map(|b| {
            b.subjects
                .unwrap_or_default()
                .into_iter()
                .map(|s| s.name)
                .collect()
        }))
    }

    pub(crate) async fn wait_until_bound(&self, road: &Road, role: &str, subject: &str) -> Result<()> {
        reeve_testkit::wait_until("the subject to be bound", async || {
            let subjects = self.subjects(road, role).await?.unwrap_or_default();
            Ok(subjects.iter().any(|s| s == subject).then_some(()))
        })
        .await
    }
}

impl Member {
    async fn join(road: &Road, project: &str) -> Result<Self> {
        let uid = fresh_uid();
        let posix = json!({"uid": uid, "gid": 5000, "supplementaryGroups": [5001]});
        let person = organization::create_user(&road.admin, &fresh("person"), Some(posix)).await?;
        let rule = organization::create_rule(
            &road.admin,
            "user",
            &person.username,
            "L1 researcher",
            "project",
            project,
        )
        .await?;
        let rest = road.admin.sign_in(&person.username, &person.password).await?;
        Ok(Self {
            person,
            rest,
            uid,
            rule,
        })
    }

    /// Her Kubernetes client, with a token of hers.
    pub(crate) async fn kubernetes(&self, road: &Road) -> Result<Client> {
        let token = road.kubernetes_token(&self.rest).await?;
        road.cluster.wait_until_token_accepted(&token).await?;
        road.kubernetes(&token).await
    }

    /// The stamp of what runs as her.
    pub(crate) fn stamp(&self) -> String {
        format!("{}/{}/5000/5001", self.person.id, self.uid)
    }
}

/// Creates an object from JSON in a namespace and answers what the API server made of it, or its refusal.
pub(crate) async fn create(client: &Client, namespace: &str, object: Value) -> kube::Result<Value> {
    let (resource, name) = resource_of(&object);
    let api: kube::Api<DynamicObject> = kube::Api::namespaced_with(client.clone(), namespace, &resource);
    let mut object: DynamicObject = serde_json::from_value(object).expect("an object");
    object.metadata.name = Some(name);
    let made = api.create(&kube::api::PostParams::default(), &object).await?;
    Ok(serde_json::to_value(made).expect("an object"))
}

/// Patches an object as `kubectl patch` does: lists are merged by name.
pub(crate) async fn patch(
    client: &Client,
    namespace: &str,
    kind: &str,
    name: &str,
    change: Value,
) -> kube::Result<Value> {
    let (resource, _) = resource_of(&json!({"kind": kind, "metadata": {"name": name}}));
    let api: kube::Api<DynamicObject> = kube::Api::namespaced_with(client.clone(), namespace, &resource);
    let made = api
        .patch(
            name,
            &kube::api::PatchParams::default(),
            &kube::api::Patch::Strategic(change),
        )
        .await?;
    Ok(serde_json::to_value(made).expect("an object"))
}

fn resource_of(object: &Value) -> (kube::core::ApiResource, String) {
    let kind = object["kind"].as_str().expect("a kind");
    let (group, version, plural) = match kind {
        "Pod" => ("", "v1", "pods"),
        "Job" => ("batch", "v1", "jobs"),
        "Deployment" => ("apps", "v1", "deployments"),
        "ControllerRevision" => ("apps", "v1", "controllerrevisions"),
        "RoleBinding" => ("rbac.authorization.k8s.io", "v1", "rolebindings"),
        "ServiceAccount" => ("", "v1", "serviceaccounts"),
        "Workload" => ("reeve.dev", "v1alpha1", "workloads"),
        other => panic!("no resource is known for {other}"),
    };
    let gvk = kube::core::GroupVersionKind::gvk(group, version, kind);
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    (kube::core::ApiResource::from_gvk_with_plural(&gvk, plural), name)
}

/// The code and message of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: kube::Result<T>) -> Result<(u16, String)> {
    match outcome {
        Err(kube::Error::Api(status)) => Ok((status.code, status.message)),
        Err(other) => Err(other).context("a refusal was expected, not a failure"),
        Ok(made) => anyhow::bail!("a refusal was expected, but it was admitted: {made:?}"),
    }
}

/// Fails unless the outcome is a 403 whose message holds all of `words`.
pub(crate) fn must_be_refused<T: std::fmt::Debug>(outcome: kube::Result<T>, words: &[&str]) -> Result<()> {
    let (code, message) = refusal(outcome)?;
    anyhow::ensure!(code == 403, "code {code}: {message}");
    for word in words {
        anyhow::ensure!(message.contains(word), "`{word}` is missing in: {message}");
    }
    Ok(())
}

/// A Job that says only image and command.
pub(crate) fn bare_job(name: &str, command: &[&str]) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {
        "spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": reeve_testkit::images::TOOLS, "command": command}]}}}})
}

/// A Deployment that sleeps.
pub(crate) fn deployment(name: &str, replicas: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": replicas,
        "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "main", "image": reeve_testkit::images::TOOLS, "command": ["sleep", "3600"]}]}}}})
}

/// What the one pod of a selector printed once it was over.
pub(crate) async fn output_of(road: &Road, namespace: &str, selector: &str) -> Result<String> {
    use k8s_openapi::api::core::v1::Pod;
    let client = road.cluster.client().await?;
    let pods: kube::Api<Pod> = kube::Api::namespaced(client, namespace);
    let list = kube::api::ListParams::default().labels(selector);
    let name = reeve_testkit::wait_until("a container to run to its end", async || {
        let pod = pods.list(&list).await?.items.into_iter().next();
        let phase = |p: &Pod| {
            p.status
                .as_ref()
                .and_then(|s| s.phase.clone())
                .unwrap_or_default()
        };
        match pod {
            Some(pod) if phase(&pod) == "Succeeded" || phase(&pod) == "Failed" => Ok(pod.metadata.name),
            Some(pod) => anyhow::bail!("{}: {:?}", phase(&pod), pod.status.and_then(|s| s.message)),
            None => anyhow::bail!("no pod yet"),
        }
    })
    .await?;
    road.cluster.pod_logs(namespace, &name).await
}
