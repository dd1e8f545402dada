//! From asking to a running container: `reeve submit` beside a bare `kubectl apply` of the very Job that came of it, and
//! the same submission by REST.
//!
//! Both programs are started anew each time, and the clock starts with them. What `kubectl` is given holds a token
//! already: its credential plugin is a part of Reeve, and would be time on the wrong side.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ObjectMeta};
use reeve_e2e::organization::{NAMESPACE, command_line_of, home_of};
use reeve_e2e::{Organization, Rest, Stack, kubeconfig, write_private};
use reeve_testkit::images;
use serde_json::json;
use tokio::task::block_in_place;

use crate::figures::{Series, now};
use crate::watch::Watch;

/// One way to a container: how long until the answer, and until it runs.
struct Way {
    answered: Series,
    running: Series,
}

impl Way {
    const fn new(answered: &'static str, running: &'static str) -> Self {
        Self {
            answered: Series::new(answered),
            running: Series::new(running),
        }
    }

    fn add(&mut self, (answered, running): (Duration, Duration)) {
        self.answered.samples.push(answered);
        self.running.samples.push(running);
    }
}

/// The three ways, taking turns; each waits until the container before it has ended.
///
/// # Errors
/// The stack refuses, a container fails, or does not start within 60 s.
pub async fn run(stack: &Stack, organization: &Organization, rounds: usize) -> Result<Vec<Series>> {
    organization.sign_everybody_in(stack)?;
    let reeve = command_line_of(stack, "alice")?;
    let alice = organization.person("alice")?;
    let alice = stack.admin.sign_in(&alice.username, &alice.password).await?;
    let robots = organization.projects.get("robots").context("project robots")?;
    let client = stack.cluster.client().await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let jobs: Api<Job> = Api::namespaced(client, NAMESPACE);
    let mut submit = Way::new("reeve submit -> done", "reeve submit -> container running");
    let mut apply = Way::new(
        "kubectl apply of the same Job -> done",
        "kubectl apply of the same Job -> container running",
    );
    let mut post = Way::new(
        "submission by REST -> answer",
        "submission by REST -> container running",
    );
    // The first round fills caches, kubectl's of the API server's resources among them.
    for round in 0..=rounds {
        let name = format!("bench-{round}");
        let words = [
            "submit",
            &name,
            "-p",
            "robots",
            "-i",
            images::TOOLS,
            "--",
            "sleep",
            "1",
        ];
        let submitted = timed(&pods, &name, async || {
            block_in_place(|| reeve.must(&words)).map(drop)
        })
        .await?;

        let bare = format!("bare-{round}");
        let manifest = bare_job(&jobs.get(&name).await?, &bare)?;
        let kubectl = stack.kubectl(&kubeconfig_with_token(stack, &alice).await?);
        let applied = timed(&pods, &bare, async || {
            let words = ["apply", "-n", NAMESPACE, "-f", "-"];
            block_in_place(|| kubectl.must_with_input(&words, &manifest)).map(drop)
        })
        .await?;

        let name = format!("rest-{round}");
        let body = json!({"name": name, "projectId": robots, "clusterId": stack.cluster_id, "spec": {
            "image": images::TOOLS, "args": "sleep 1"}});
        let posted = timed(&pods, &name, async || {
            alice
                .post("/api/v1/workloads/trainings", body)
                .await?
                .expect(202)
                .map(drop)
        })
        .await?;
        if round > 0 {
            submit.add(submitted);
            apply.add(applied);
            post.add(posted);
        }
    }
    Ok(vec![
        submit.running,
        apply.running,
        post.running,
        submit.answered,
        apply.answered,
        post.answered,
    ])
}

/// Asks, and gives how long the answer took and how long it took until a container of the Job ran. Then waits for its end.
async fn timed(
    pods: &Api<Pod>,
    job: &str,
    ask: impl AsyncFnOnce() -> Result<()>,
) -> Result<(Duration, Duration)> {
    let mut watch = Watch::open(pods, &format!("batch.kubernetes.io/job-name={job}")).await?;
    let what = format!("a container of `{job}`");
    let started = now();
    // On its own, for asking may block its thread.
    let running = tokio::spawn(async move {
        watch.until(&what, |pod, _| reached(pod, "Running")).await?;
        let running = started.elapsed();
        watch.until(&what, |pod, _| reached(pod, "Succeeded")).await?;
        anyhow::Ok(running)
    });
    if let Err(refused) = ask().await {
        running.abort();
        return Err(refused);
    }
    let answered = started.elapsed();
    Ok((answered, running.await.context("the watch panicked")??))
}

/// Whether the pod has come as far as this phase; one that failed never does.
fn reached(pod: &Pod, wanted: &str) -> Result<bool> {
    let status = pod.status.as_ref().context("a pod without a status")?;
    match status.phase.as_deref().unwrap_or_default() {
        "Failed" => bail!("the pod failed: {}", json!(status)),
        "Succeeded" => Ok(true),
        phase => Ok(phase == wanted),
    }
}

/// The Job that the operator made, under another name and as nobody's: its pods are the same in all that decides how
/// they run, the stamp too. Labels go: those of the Job controller name the other Job, and ours would make the operator
/// look at it.
fn bare_job(made: &Job, name: &str) -> Result<String> {
    let mut job = Job {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        spec: made.spec.clone(),
        status: None,
    };
    let spec = job.spec.as_mut().context("a Job without a spec")?;
    spec.selector = None;
    if let Some(metadata) = &mut spec.template.metadata {
        metadata.labels = None;
    }
    serde_json::to_string(&job).context("writing the Job")
}

/// A kubeconfig with a fresh token of hers in it, which lives five minutes.
async fn kubeconfig_with_token(stack: &Stack, alice: &Rest) -> Result<PathBuf> {
    let file = home_of(stack, "alice").join("bench.kubeconfig");
    let token = stack.kubernetes_token(alice).await?;
    write_private(&file, &kubeconfig(&stack.cluster, &token, None))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_job_is_the_operators_without_what_ties_it_to_the_other() {
        let made: Job = serde_json::from_value(json!({
            "metadata": {"name": "bench-1", "uid": "u", "labels": {"reeve.dev/workload": "bench-1"},
                "ownerReferences": [{"apiVersion": "reeve.dev/v1alpha1", "kind": "Workload", "name": "bench-1", "uid": "w"}]},
            "spec": {"backoffLimit": 0, "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
                "template": {
                    "metadata": {"labels": {"batch.kubernetes.io/controller-uid": "u"}, "annotations": {"reeve.dev/runs-as": "a/1000/1000/"}},
                    "spec": {"containers": [{"name": "bench-1", "image": "x"}], "securityContext": {"runAsUser": 1000}}}},
            "status": {"succeeded": 1}
        }))
        .unwrap();
        let bare: serde_json::Value = serde_json::from_str(&bare_job(&made, "bare-1").unwrap()).unwrap();
        assert_eq!(
            bare,
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "bare-1"}, "spec": {
                "backoffLimit": 0, "template": {
                    "metadata": {"annotations": {"reeve.dev/runs-as": "a/1000/1000/"}},
                    "spec": {"containers": [{"name": "bench-1", "image": "x"}], "securityContext": {"runAsUser": 1000}}}}})
        );
    }

    #[test]
    fn a_failed_container_is_no_running_one() {
        let pod = |phase: &str| serde_json::from_value::<Pod>(json!({"status": {"phase": phase}})).unwrap();
        assert!(!reached(&pod("Pending"), "Running").unwrap());
        assert!(reached(&pod("Running"), "Running").unwrap());
        assert!(reached(&pod("Succeeded"), "Running").unwrap());
        assert!(!reached(&pod("Running"), "Succeeded").unwrap());
        assert!(reached(&pod("Failed"), "Running").is_err());
    }
}
