//! The road under the clock: how long until a rule counts, until it counts no more, until a container runs, and what our
//! policies cost a pod.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{Api, ListParams, PostParams, WatchEvent, WatchParams};
use reeve_demo::{Organization, Rest, Road, organization};
use serde_json::json;

use crate::figures::Series;

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// Rule → RoleBinding, revocation → RoleBinding and → REST, `rounds` times.
///
/// # Errors
/// The road refuses, or a change does not arrive within 30 s.
pub async fn rules(road: &Road, organization: &Organization, rounds: usize) -> Result<Vec<Series>> {
    let robots = organization.projects.get("robots").context("project robots")?;
    let person = organization::create_user(&road.admin, "bench", None).await?;
    let caller = road.admin.sign_in(&person.username, &person.password).await?;
    let bindings: Api<RoleBinding> = Api::namespaced(road.cluster.client().await?, "reeve-robots");
    let mut arrives = Series::new("rule -> RoleBinding");
    let mut leaves = Series::new("revocation -> RoleBinding");
    let mut refused = Series::new("revocation -> refused by REST");
    for _ in 0..rounds {
        let watch = Watch::open(&bindings).await?;
        let started = now();
        let rule = organization::create_rule(
            &road.admin,
            "user",
            &person.username,
            "L1 researcher",
            "project",
            robots,
        )
        .await?;
        watch.until(&person.username, true).await?;
        arrives.samples.push(started.elapsed());

        let watch = Watch::open(&bindings).await?;
        let started = now();
        road.admin
            .delete(&format!("/api/v1/authorization/access-rules/{rule}"))
            .await?
            .expect(204)?;
        until_refused(&caller, robots).await?;
        refused.samples.push(started.elapsed());
        watch.until(&person.username, false).await?;
        leaves.samples.push(started.elapsed());
    }
    Ok(vec![arrives, leaves, refused])
}

async fn until_refused(caller: &Rest, project: &str) -> Result<()> {
    while caller
        .get(&format!("/api/v1/org-unit/projects/{project}"))
        .await?
        .status
        != 403
    {}
    Ok(())
}

/// A watch of RoleBindings that was open before the change was asked for.
struct Watch {
    stream: futures::stream::BoxStream<'static, kube::Result<WatchEvent<RoleBinding>>>,
}

impl Watch {
    async fn open(bindings: &Api<RoleBinding>) -> Result<Self> {
        let version = bindings
            .list(&ListParams::default())
            .await?
            .metadata
            .resource_version
            .unwrap_or_default();
        Ok(Self {
            stream: bindings.watch(&WatchParams::default(), &version).await?.boxed(),
        })
    }

    async fn until(mut self, subject: &str, present: bool) -> Result<()> {
        let wait = async {
            while let Some(event) = self.stream.try_next().await? {
                let (binding, gone) = match event {
                    WatchEvent::Added(binding) | WatchEvent::Modified(binding) => (binding, false),
                    WatchEvent::Deleted(binding) => (binding, true),
                    _ => continue,
                };
                if binding.role_ref.name != "reeve-l1-researcher" {
                    continue;
                }
                let named = binding
                    .subjects
                    .unwrap_or_default()
                    .iter()
                    .any(|s| s.name == subject);
                if (named && !gone) == present {
                    return Ok(());
                }
            }
            anyhow::bail!("the watch ended")
        };
        tokio::time::timeout(Duration::from_secs(30), wait)
            .await
            .context("the binding did not change within 30 s")?
    }
}

/// Submit → container running beside a bare apply of the same Job, taking turns.
///
/// # Errors
/// The road refuses, or a container does not start within 60 s.
pub async fn submissions(road: &Road, organization: &Organization, rounds: usize) -> Result<Vec<Series>> {
    let robots = organization.projects.get("robots").context("project robots")?;
    let alice = organization.person("alice")?;
    let alice = road.admin.sign_in(&alice.username, &alice.password).await?;
    let client = road.kubernetes(&road.kubernetes_token(&alice).await?).await?;
    let pods: Api<Pod> = Api::namespaced(road.cluster.client().await?, "reeve-robots");
    let jobs: Api<k8s_openapi::api::batch::v1::Job> = Api::namespaced(client, "reeve-robots");
    let mut submitted = Series::new("submit -> container running");
    let mut applied = Series::new("bare apply of the same Job -> container running");
    let mut answered = Series::new("submit -> answer");
    for round in 0..rounds {
        let name = format!("bench-{round}");
        let started = now();
        let body = json!({"name": name, "projectId": robots, "clusterId": road.cluster_id, "spec": {
            "image": reeve_testkit::images::TOOLS, "command": "sleep 2"}});
        alice
            .post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        answered.samples.push(started.elapsed());
        until_running(&pods, &format!("reeve.dev/workload={name}")).await?;
        submitted.samples.push(started.elapsed());

        let name = format!("bare-{round}");
        let job = json!({"metadata": {"name": name}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": reeve_testkit::images::TOOLS, "command": ["sleep", "2"]}]}}}});
        let started = now();
        jobs.create(&PostParams::default(), &serde_json::from_value(job)?)
            .await?;
        until_running(&pods, &format!("batch.kubernetes.io/job-name={name}")).await?;
        applied.samples.push(started.elapsed());
    }
    Ok(vec![submitted, applied, answered])
}

async fn until_running(pods: &Api<Pod>, selector: &str) -> Result<()> {
    let list = ListParams::default().labels(selector);
    let wait = async {
        loop {
            let started = |p: &Pod| {
                p.status
                    .as_ref()
                    .and_then(|s| s.phase.as_deref())
                    .is_some_and(|p| p != "Pending")
            };
            if pods.list(&list).await?.items.iter().any(started) {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .with_context(|| format!("no container of {selector} ran"))?
}

/// Creating a pod (dry run) as alice with nothing missing and with an identity to fill in, and by the administrator in a
/// namespace that no policy of ours selects, taking turns on one connection each.
///
/// # Errors
/// A pod is refused.
pub async fn pods(road: &Road, organization: &Organization, rounds: usize) -> Result<Vec<Series>> {
    let alice = organization.person("alice")?;
    let caller = road.admin.sign_in(&alice.username, &alice.password).await?;
    let token = road.kubernetes_token(&caller).await?;
    let hers: Api<Pod> = Api::namespaced(road.kubernetes(&token).await?, "reeve-robots");
    let plain = road
        .cluster
        .namespace_with("plain", &[("pod-security.kubernetes.io/enforce", "restricted")])
        .await?;
    let free: Api<Pod> = Api::namespaced(road.cluster.client().await?, &plain);
    let bare: Pod = serde_json::from_value(
        json!({"metadata": {"generateName": "bench-"}, "spec": {"containers": [
        {"name": "main", "image": reeve_testkit::images::TOOLS}]}}),
    )?;
    let complete: Pod = serde_json::from_value(
        json!({"metadata": {"generateName": "bench-", "annotations": {
        "reeve.dev/runs-as": format!("{}/70012/5000/5001", alice.id)}}, "spec": {
        "securityContext": {"runAsUser": 70012, "runAsGroup": 5000, "supplementalGroups": [5001],
            "supplementalGroupsPolicy": "Strict", "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": reeve_testkit::images::TOOLS, "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}}),
    )?;
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let mut without = Series::new("pod create, a namespace without our policies");
    let mut nothing_missing = Series::new("pod create, our policies, nothing missing");
    let mut filled_in = Series::new("pod create, our policies, identity filled in");
    for round in 0..rounds + 50 {
        for (series, api, pod) in [
            (&mut without, &free, &complete),
            (&mut nothing_missing, &hers, &complete),
            (&mut filled_in, &hers, &bare),
        ] {
            let started = now();
            api.create(&dry, pod).await?;
            // The first fifty of each warm up.
            if round >= 50 {
                series.samples.push(started.elapsed());
            }
        }
    }
    Ok(vec![without, nothing_missing, filled_in])
}
