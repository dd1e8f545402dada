//! What is asked of the API server beside the caches: events and logs of pods that are in trouble, and what Jobs said.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, ListParams, LogParams};
use kube::{Client, ResourceExt};
use reeve_kube_kit::{ClientError, ObjectName};
use reeve_serving::inspect::SeenPod;
use reeve_types::ErrorChain;

/// How much of a log is read at most: what an image says of itself is a few kilobytes.
const LONGEST_LOG: i64 = 4 << 20;
/// How many lines of a failure are read.
const LINES: i64 = 50;
/// How many events of an object are read.
const EVENTS: u32 = 50;

/// A pod, and what else is known of it.
#[derive(Debug)]
pub(crate) struct Looked {
    pod: Arc<Pod>,
    events: Vec<Event>,
    log: String,
}

impl Looked {
    pub(crate) fn seen(&self) -> SeenPod<'_> {
        SeenPod {
            pod: &self.pod,
            events: &self.events,
            log: &self.log,
        }
    }
}

/// Looks at pods: at the events of those that wait and the last lines of those that failed.
pub(crate) async fn pods(client: &Client, pods: Vec<Arc<Pod>>) -> Vec<Looked> {
    let mut looked = Vec::with_capacity(pods.len());
    for pod in pods {
        let phase = phase(&pod).to_owned();
        let events = match phase.as_str() {
            "Pending" => events(client, &*pod).await,
            _ => Vec::new(),
        };
        let log = match (phase.as_str(), ended_container(&pod)) {
            ("Failed", Some(container)) => tail(client, &pod, &container).await.unwrap_or_default(),
            _ => String::new(),
        };
        looked.push(Looked { pod, events, log });
    }
    looked
}

/// The newest pod of a Job.
pub(crate) fn newest(pods: &[Arc<Pod>], job: &str) -> Option<Arc<Pod>> {
    let of_job = pods.iter().filter(|pod| {
        let labels = pod.labels();
        ["job-name", "batch.kubernetes.io/job-name"]
            .iter()
            .any(|key| labels.get(*key).is_some_and(|name| name == job))
    });
    of_job
        .max_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0))
        .cloned()
}

/// The events of an object, in any order; none where they cannot be read.
pub(crate) async fn events<K>(client: &Client, object: &K) -> Vec<Event>
where
    K: kube::Resource<DynamicType = ()>,
{
    let namespace = object.namespace().unwrap_or_default();
    let selector = format!(
        "involvedObject.name={},involvedObject.uid={}",
        object.name_any(),
        object.uid().unwrap_or_default()
    );
    let parameters = ListParams::default().fields(&selector).limit(EVENTS);
    let api = Api::<Event>::namespaced(client.clone(), &namespace);
    match api.list(&parameters).await {
        Ok(list) => list.items,
        Err(error) => {
            untold(&ObjectName::of(object), error);
            Vec::new()
        }
    }
}

/// What a container wrote, from its beginning.
pub(crate) async fn log(client: &Client, pod: &Pod, container: &str) -> Option<String> {
    let parameters = LogParams {
        limit_bytes: Some(LONGEST_LOG),
        ..of_container(container)
    };
    read(client, pod, &parameters).await
}

async fn tail(client: &Client, pod: &Pod, container: &str) -> Option<String> {
    let parameters = LogParams {
        tail_lines: Some(LINES),
        limit_bytes: Some(LONGEST_LOG),
        ..of_container(container)
    };
    read(client, pod, &parameters).await
}

fn of_container(container: &str) -> LogParams {
    LogParams {
        container: Some(container.to_owned()),
        ..LogParams::default()
    }
}

async fn read(client: &Client, pod: &Pod, parameters: &LogParams) -> Option<String> {
    let api = Api::<Pod>::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    match api.logs(&pod.name_any(), parameters).await {
        Ok(text) => Some(text),
        Err(error) => {
            untold(&ObjectName::of(pod), error);
            None
        }
    }
}

fn untold(object: &ObjectName, error: kube::Error) {
    let error = ClientError::from(error);
    tracing::info!(%object, error = %ErrorChain(&error), "log or events cannot be read: the status says less");
}

pub(crate) fn phase(pod: &Pod) -> &str {
    let status = pod.status.as_ref();
    status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default()
}

/// The container that ended, by which a failure is judged.
fn ended_container(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let containers = status
        .container_statuses
        .iter()
        .chain(&status.init_container_statuses)
        .flatten();
    let mut ended = containers.filter(|s| s.state.as_ref().is_some_and(|state| state.terminated.is_some()));
    ended.next().map(|status| status.name.clone())
}
