//! Who owns what, who wants how many pods, and what has ended.

use std::collections::BTreeMap;

use reeve_admission::has_ended;
use serde_json::Value;

use super::inventory::{list, text};

/// As many steps up as any built-in chain of owners has, and then some. References can be forged into a circle.
const STEPS: usize = 8;

/// The listed objects, with their owners.
pub(super) struct Objects<'a> {
    pub(super) all: &'a [Value],
    by_uid: BTreeMap<&'a str, &'a Value>,
    pods: BTreeMap<*const Value, usize>,
}

impl<'a> Objects<'a> {
    pub(super) fn new(all: &'a [Value]) -> Self {
        let by_uid = all
            .iter()
            .map(|object| (text(object, "/metadata/uid"), object))
            .filter(|(uid, _)| !uid.is_empty())
            .collect();
        let mut objects = Self {
            all,
            by_uid,
            pods: BTreeMap::new(),
        };
        objects.count_pods();
        objects
    }

    fn count_pods(&mut self) {
        let mut pods = BTreeMap::new();
        for pod in self.all.iter().filter(|o| is_pod(o) && !has_ended(o)) {
            for above in self.chain(pod) {
                *pods.entry(std::ptr::from_ref(above)).or_default() += 1;
            }
        }
        self.pods = pods;
    }

    /// The listed object that controls this one.
    pub(super) fn owner(&self, object: &Value) -> Option<&'a Value> {
        self.by_uid.get(text(controller(object)?, "/uid")).copied()
    }

    /// The object and everything listed above it.
    fn chain(&self, object: &'a Value) -> Vec<&'a Value> {
        let mut chain = vec![object];
        let mut above = self.owner(object);
        while let (Some(owner), true) = (above, chain.len() <= STEPS) {
            chain.push(owner);
            above = self.owner(owner);
        }
        chain
    }

    /// What is listed in the object's place: the last of its owners; itself where owners go in a circle.
    pub(super) fn root(&self, object: &'a Value) -> &'a Value {
        let last = self.chain(object).pop().unwrap_or(object);
        if self.owner(last).is_some() { object } else { last }
    }

    /// Whether the object stands for itself in the report.
    pub(super) fn is_top(&self, object: &'a Value) -> bool {
        std::ptr::eq(self.root(object), object)
    }

    /// How many pods below the object (itself, when it is one) have not ended.
    pub(super) fn pods(&self, object: &Value) -> usize {
        self.pods.get(&std::ptr::from_ref(object)).copied().unwrap_or(0)
    }

    /// Whether a change of the object's template would replace pods.
    pub(super) fn is_busy(&self, object: &Value) -> bool {
        self.pods(object) > 0 || wanted(object) > 0
    }
}

/// The reference to whatever controls the object.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    let owners = list(object, "/metadata/ownerReferences");
    owners
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}

pub(super) fn is_pod(object: &Value) -> bool {
    text(object, "/kind") == "Pod"
}

fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// How many pods a controller of running pods is to have.
fn wanted(object: &Value) -> i64 {
    match text(object, "/kind") {
        "DaemonSet" => number(object, "/status/desiredNumberScheduled").unwrap_or(0),
        "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" => {
            number(object, "/spec/replicas").unwrap_or(1)
        }
        _ => 0,
    }
}

/// The same for people.
pub(super) fn replicas(object: &Value) -> String {
    let suspended = object.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true);
    match text(object, "/kind") {
        "Pod" => text(object, "/status/phase").to_owned(),
        "Job" | "CronJob" | "RayCluster" | "RayJob" | "RayService" if suspended => "suspended".to_owned(),
        "Job" => format!("{} active", number(object, "/status/active").unwrap_or(0)),
        "CronJob" => format!("{} active", list(object, "/status/active").len()),
        "ControllerRevision" => String::new(),
        "RayCluster" => workers(object, "/spec"),
        "RayJob" => workers(object, "/spec/rayClusterSpec"),
        "RayService" => workers(object, "/spec/rayClusterConfig"),
        _ => wanted(object).to_string(),
    }
}

/// How many pods the groups of a Ray cluster are to have beside its head.
fn workers(object: &Value, at: &str) -> String {
    let groups = list(object, &format!("{at}/workerGroupSpecs")).iter();
    let all: i64 = groups.filter_map(|group| number(group, "/replicas")).sum();
    format!("1 + {all}")
}

/// Whether a Job waits and has never been started: only then its template's metadata can still change.
pub(super) fn is_unstarted(job: &Value) -> bool {
    job.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true)
        && job.pointer("/status/startTime").is_none_or(Value::is_null)
        && !has_ended(job)
}
