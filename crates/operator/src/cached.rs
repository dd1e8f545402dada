//! Jobs and pods as they are cached: of their dozens of fields the few that a pass reads. A `Job` and a `Pod` of the API take
//! kilobytes each before anything is in them; tens of thousands of these are kept.
//!
//! They are written by people, and so are their annotations, labels and messages: of those only what a pass reads is kept, cut to a
//! length, so that nobody can fill the operator's memory.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};
use reeve_admission::names;
use reeve_workload::{WORKLOAD_ID_LABEL, WORKLOAD_LABEL};
use serde::{Deserialize, Serialize};

use crate::ownership::is_of_a_workload;

/// The longest message that is kept, in bytes: as long as one that is reported.
const MESSAGE: usize = 1000;
/// The longest stamp that is one: an id, uid, gid and 64 groups. A longer one is nobody's.
const STAMP: usize = 1024;
/// How many states of containers are kept of a pod.
const CONTAINERS: usize = 32;

/// A Job.
#[derive(Debug, Clone, Default, PartialEq, Resource, Serialize, Deserialize)]
#[resource(inherit = Job)]
pub struct CachedJob {
    /// Name, age and whose it is.
    pub metadata: ObjectMeta,
    /// How it stands; nothing where it is no workload's.
    #[serde(default)]
    pub status: CachedJobStatus,
}

/// What is read of a Job's status.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CachedJobStatus {
    /// How many of its pods are ready.
    pub ready: Option<i32>,
    /// Whether it is complete, failed or suspended.
    #[serde(default)]
    pub conditions: Vec<CachedCondition>,
}

/// A condition of a Job or a pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CachedCondition {
    /// What it is about.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One CamelCase word.
    pub reason: Option<String>,
    /// For people.
    pub message: Option<String>,
}

/// A pod.
#[derive(Debug, Clone, Default, PartialEq, Resource, Serialize, Deserialize)]
#[resource(inherit = Pod)]
pub struct CachedPod {
    /// Name, age, whose it is, and its stamp.
    pub metadata: ObjectMeta,
    /// Whether it has ended; of a workload's also why it waits or how it ended.
    #[serde(default)]
    pub status: CachedPodStatus,
}

/// What is read of a pod's status.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedPodStatus {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    #[serde(default)]
    pub phase: String,
    /// Why the whole pod is as it is, in a word.
    pub reason: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// Whether it is scheduled.
    #[serde(default)]
    pub conditions: Vec<CachedCondition>,
    /// Its containers.
    #[serde(default)]
    pub container_statuses: Vec<CachedContainer>,
    /// Those that start first.
    #[serde(default)]
    pub init_container_statuses: Vec<CachedContainer>,
}

/// How a container stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CachedContainer {
    /// Its name.
    pub name: String,
    /// Neither where it runs.
    #[serde(default)]
    pub state: CachedState,
}

/// Why a container waits, or how it ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CachedState {
    /// It waits.
    pub waiting: Option<CachedWaiting>,
    /// It has ended.
    pub terminated: Option<CachedTerminated>,
}

/// Why a container waits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CachedWaiting {
    /// One CamelCase word.
    pub reason: Option<String>,
    /// For people.
    pub message: Option<String>,
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedTerminated {
    /// Of its process.
    pub exit_code: i32,
    /// One CamelCase word.
    pub reason: Option<String>,
}

impl CachedJob {
    /// Of a Job that is a workload's how it stands; of any other that it is there.
    pub fn trim(&mut self) {
        self.metadata = metadata(&mut self.metadata);
        let mut status = std::mem::take(&mut self.status);
        if is_of_a_workload(&self.metadata) {
            keep_conditions(&mut status.conditions, &["Complete", "Failed", "Suspended"]);
            self.status = status;
        }
    }
}

impl CachedPod {
    /// Of a pod whose it is and whether it has ended; of a workload's also why it waits or how it ended.
    pub fn trim(&mut self) {
        let mut annotations = self.metadata.annotations.take().unwrap_or_default();
        annotations.retain(|key, value| key == names::RUNS_AS && value.len() <= STAMP);
        self.metadata = metadata(&mut self.metadata);
        self.metadata.annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
        if !self.labels().contains_key(WORKLOAD_LABEL) {
            self.metadata.labels = None;
            self.metadata.owner_references = None;
            self.status = CachedPodStatus {
                phase: std::mem::take(&mut self.status.phase),
                ..CachedPodStatus::default()
            };
            return;
        }
        let status = &mut self.status;
        cut(&mut status.reason);
        cut(&mut status.message);
        keep_conditions(&mut status.conditions, &["PodScheduled"]);
        for containers in [
            &mut status.container_statuses,
            &mut status.init_container_statuses,
        ] {
            containers.truncate(CONTAINERS);
            containers.shrink_to_fit();
            for state in containers.iter_mut().map(|container| &mut container.state) {
                if let Some(waiting) = &mut state.waiting {
                    cut(&mut waiting.reason);
                    cut(&mut waiting.message);
                }
                if let Some(ended) = &mut state.terminated {
                    cut(&mut ended.reason);
                }
            }
        }
    }
}

/// Name, age and whose it is.
fn metadata(of: &mut ObjectMeta) -> ObjectMeta {
    let mut labels = of.labels.take().unwrap_or_default();
    labels.retain(|key, value| (key == WORKLOAD_LABEL || key == WORKLOAD_ID_LABEL) && value.len() <= 63);
    let mut owners = of.owner_references.take().unwrap_or_default();
    owners.retain(|owner| owner.controller == Some(true));
    ObjectMeta {
        name: of.name.take(),
        namespace: of.namespace.take(),
        uid: of.uid.take(),
        resource_version: of.resource_version.take(),
        creation_timestamp: of.creation_timestamp.take(),
        deletion_timestamp: of.deletion_timestamp.take(),
        labels: Some(labels).filter(|labels| !labels.is_empty()),
        owner_references: Some(owners).filter(|owners| !owners.is_empty()),
        ..ObjectMeta::default()
    }
}

fn keep_conditions(conditions: &mut Vec<CachedCondition>, types: &[&str]) {
    conditions.retain(|condition| types.contains(&&*condition.type_));
    conditions.shrink_to_fit();
    for condition in conditions {
        cut(&mut condition.reason);
        cut(&mut condition.message);
    }
}

/// Keeps the beginning of a text, whole characters only.
fn cut(text: &mut Option<String>) {
    if let Some(text) = text {
        text.truncate(text.floor_char_boundary(MESSAGE));
        text.shrink_to_fit();
    }
}
