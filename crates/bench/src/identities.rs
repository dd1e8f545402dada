//! How long until a pod is on the list that lets its person in: with thousands of pods in one namespace, of which some come
//! and go all the time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, PostParams, WatchEvent, WatchParams};
use reeve_crds::PodIdentities;
use reeve_e2e::{Organization, Stack};
use serde_json::json;

use crate::figures::{Series, now};
use crate::watch::DEADLINE;

const NAMESPACE: &str = "reeve-robots";
/// Between two pods that come: 20 a second.
const PACE: Duration = Duration::from_millis(50);
/// How many pods later one that came goes again.
const STAYS: usize = 40;

/// When each pod was first seen on the list.
type Seen = Arc<Mutex<HashMap<String, Instant>>>;

/// Makes `standing` pods that stay, then `churn` more at twenty a second, each of which goes two seconds later, and times how
/// long each takes from the API server's answer to its entry. The pods are never scheduled: what is timed is the list.
///
/// # Errors
/// A pod is refused, or an entry does not come within 60 s.
pub async fn run(
    stack: &Stack,
    organization: &Organization,
    standing: usize,
    churn: usize,
) -> Result<Vec<Series>> {
    let alice = organization.person("alice")?;
    let caller = stack.admin.sign_in(&alice.username, &alice.password).await?;
    let token = stack.kubernetes_token(&caller).await?;
    let pods: Api<Pod> = Api::namespaced(stack.kubernetes(&token).await?, NAMESPACE);
    let seen = Seen::default();
    let lists: Api<PodIdentities> = Api::namespaced(stack.cluster.client().await?, NAMESPACE);
    let watching = tokio::spawn(watch(lists, seen.clone()));

    for number in 0..standing {
        make(&pods, &format!("standing-{number}")).await?;
    }
    if let Some(last) = standing.checked_sub(1) {
        lags(&seen, &[(format!("standing-{last}"), now())]).await?;
    }
    let mut made = Vec::new();
    let mut due = now();
    for number in 0..churn {
        let name = format!("churn-{number}");
        make(&pods, &name).await?;
        made.push((name, now()));
        if let Some(gone) = number.checked_sub(STAYS) {
            let at_once = DeleteParams::default().grace_period(0);
            pods.delete(&format!("churn-{gone}"), &at_once).await?;
        }
        due += PACE;
        tokio::time::sleep_until(due.into()).await;
    }
    let samples = lags(&seen, &made).await?;
    watching.abort();
    let mut series = Series::new("pod made -> on the list of its person (20 pods/s come and go)");
    series.samples = samples;
    Ok(vec![series])
}

async fn make(pods: &Api<Pod>, name: &str) -> Result<()> {
    let pod = serde_json::from_value(
        json!({"metadata": {"name": name}, "spec": {"nodeSelector": {"bench": "nowhere"},
        "containers": [{"name": "main", "image": reeve_testkit::images::TOOLS}]}}),
    )?;
    let made = pods.create(&PostParams::default(), &pod).await;
    made.map(drop).with_context(|| format!("making the pod `{name}`"))
}

/// Notes when each name is first on the list, until aborted.
async fn watch(lists: Api<PodIdentities>, seen: Seen) -> Result<()> {
    loop {
        let mut events = Box::pin(lists.watch(&WatchParams::default(), "0").await?);
        while let Some(event) = events.try_next().await? {
            let (WatchEvent::Added(list) | WatchEvent::Modified(list)) = event else {
                continue;
            };
            let at = now();
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            for name in list.spec.runs_as.into_values().flatten() {
                seen.entry(name).or_insert(at);
            }
        }
    }
}

/// How long each took, once all are there.
async fn lags(seen: &Seen, made: &[(String, Instant)]) -> Result<Vec<Duration>> {
    let started = now();
    loop {
        {
            let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let all: Option<Vec<Duration>> = made
                .iter()
                .map(|(name, at)| Some(seen.get(name)?.saturating_duration_since(*at)))
                .collect();
            if let Some(all) = all {
                return Ok(all);
            }
        }
        if started.elapsed() > DEADLINE {
            bail!("a pod did not come onto the list in time");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
