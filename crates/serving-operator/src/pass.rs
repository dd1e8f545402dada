//! What every pass ends in: what is planned is applied, the status says what came of it, and events tell what is new.

use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::object::HasStatus;
use kube::{Resource, ResourceExt};
use reeve_kube_kit::events::{EventNote, Events};
use reeve_kube_kit::{ClientError, ObjectName, Queue, ReconcileError, Retry, apply::covers};
use reeve_serving::engine::Verdict;
use reeve_serving::fault::{Category, Fault};
use reeve_serving::labels::{self, Controller};
use reeve_serving::news;
use reeve_serving::plan::{Child, Plan, Standing};
use serde::Serialize;
use serde_json::Value;

use crate::applied::Applied;
use crate::owned::{self, More};
use crate::shared::Shared;
use crate::write::{self, Target};

/// A kind that has a controller.
pub(crate) trait Managed:
    Resource<DynamicType = ()>
    + HasStatus<Status: Standing + Serialize + Default + Clone + Send + Sync>
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
}
impl<K> Managed for K where
    K: Resource<DynamicType = ()>
        + HasStatus<Status: Standing + Serialize + Default + Clone + Send + Sync>
        + Clone
        + Debug
        + Send
        + Sync
        + 'static
{
}

/// Why a pass has to be done again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassFailed {
    #[error("cannot apply {kind} `{name}`")]
    Apply {
        kind: String,
        name: ObjectName,
        source: ClientError,
    },
    #[error("cannot apply what was planned")]
    Planned(#[from] write::Nameless),
    #[error("cannot write the status")]
    Status(#[source] ClientError),
    #[error("cannot write the finalizers")]
    Finalizers(#[source] ClientError),
    #[error("cannot delete `{name}`")]
    Delete { name: ObjectName, source: ClientError },
    #[error("something that is needed cannot be reached: {0}")]
    Away(String),
}

impl ReconcileError for PassFailed {
    fn reason(&self) -> &'static str {
        match self {
            Self::Apply { .. } | Self::Planned(_) => "ApplyFailed",
            Self::Status(_) => "StatusNotWritten",
            Self::Finalizers(_) => "FinalizersNotWritten",
            Self::Delete { .. } => "DeleteFailed",
            Self::Away(_) => "Unreachable",
        }
    }

    /// Also after a refusal: what refuses (a quota, a policy, a schema) may change, and tells nobody.
    fn retry(&self) -> Retry {
        Retry::Backoff
    }
}

/// What the passes of one controller share.
pub(crate) struct Rounds {
    pub(crate) shared: Arc<Shared>,
    pub(crate) controller: Controller,
    pub(crate) queue: Queue<ObjectName>,
    manager: String,
    events: Events,
    applied: Applied,
}

impl Rounds {
    pub(crate) fn new(shared: &Arc<Shared>, controller: Controller, queue: &Queue<ObjectName>) -> Arc<Self> {
        let manager = controller.manager();
        Arc::new(Self {
            shared: shared.clone(),
            controller,
            queue: queue.clone(),
            events: Events::new(shared.context.client.clone(), &manager),
            manager,
            applied: Applied::default(),
        })
    }

    /// Applies what is planned, then says in the status what came of it.
    pub(crate) async fn finish<K: Managed>(
        &self,
        object: &K,
        mut plan: Plan<K::Status>,
    ) -> Result<(), PassFailed> {
        let now = self.shared.now();
        let before = object.status().cloned().unwrap_or_default();
        let judge = |plan: &Plan<K::Status>| plan.judge(before.conditions(), object.meta().generation, &now);
        let mut verdict = judge(&plan);
        let mut applied = Ok(());
        if verdict.apply {
            applied = self.apply_all(&mut plan).await;
            if applied.is_err() {
                verdict = judge(&plan);
            }
        }
        self.report(object, &before, &plan, &verdict).await?;
        if let Some(pause) = plan.again {
            self.queue.add_after(ObjectName::of(object), pause);
        }
        applied?;
        match verdict.retry {
            true => Err(PassFailed::Away(in_the_way(&verdict))),
            false => Ok(()),
        }
    }

    /// Writes what is missing or differs, in order; the first that fails is its component's fault and ends it.
    async fn apply_all<S>(&self, plan: &mut Plan<S>) -> Result<(), PassFailed> {
        for child in plan.children.clone() {
            let Err(failed) = self.apply(&child).await else {
                continue;
            };
            if let PassFailed::Apply { kind, name, source } = &failed {
                plan.blame(child.component, fault(kind, name, source));
            }
            return Err(failed);
        }
        Ok(())
    }

    async fn apply(&self, child: &Child) -> Result<(), PassFailed> {
        let target = Target::of(&child.object)?;
        let found = self.shared.caches.find(&target.kind, &target.name);
        if found.is_some_and(|found| child.once || self.is_as_wanted(&target, &found, &child.object)) {
            return Ok(());
        }
        let client = &self.shared.context.client;
        tracing::info!(controller = self.controller.as_str(), kind = target.kind, name = %target.name, "applying");
        match write::apply(client, &self.manager, &target, &child.object).await {
            Ok(()) => {
                self.applied.remember(&target, &child.object);
                Ok(())
            }
            Err(source) => Err(PassFailed::Apply {
                kind: target.kind,
                name: target.name,
                source,
            }),
        }
    }

    /// Whether an apply would change nothing. What more there is within a list that is ours as a whole is applied against once.
    fn is_as_wanted(&self, target: &Target, found: &Value, wanted: &Value) -> bool {
        covers(found, wanted)
            && match owned::more(found, &self.manager, wanted) {
                More::Nothing => true,
                More::Within => self.applied.is_last(target, wanted),
                More::Field => false,
            }
    }

    async fn report<K: Managed>(
        &self,
        object: &K,
        before: &K::Status,
        plan: &Plan<K::Status>,
        verdict: &Verdict,
    ) -> Result<(), PassFailed> {
        let mut status = plan.status.clone();
        status.set(verdict, object.meta().generation);
        let (old, new) = (json(object.status()), json(Some(&status)));
        let client = &self.shared.context.client;
        write::status(client, &self.manager, object, &old, &new)
            .await
            .map_err(PassFailed::Status)?;
        for told in news::of_pass(before.conditions(), &verdict.conditions, &plan.components) {
            let note = EventNote {
                warning: told.warning,
                reason: &told.reason,
                note: &told.message,
            };
            self.events.publish(object, &told.reason, &note).await;
        }
        Ok(())
    }

    /// Adds a finalizer, or takes it away. Answers whether anything was written: the watch then brings the object again.
    pub(crate) async fn finalizer<K: Managed>(
        &self,
        object: &K,
        finalizer: &str,
        wanted: bool,
    ) -> Result<bool, PassFailed> {
        let held = object.finalizers();
        if held.iter().any(|name| name == finalizer) == wanted {
            return Ok(false);
        }
        let mut names: Vec<String> = held.iter().filter(|name| *name != finalizer).cloned().collect();
        names.extend(wanted.then(|| finalizer.to_owned()));
        let client = &self.shared.context.client;
        write::finalizers(client, &self.manager, object, &names)
            .await
            .map_err(PassFailed::Finalizers)?;
        Ok(true)
    }

    /// Deletes what was made for an object that goes. What is gone already, or may not be deleted, holds nothing up.
    pub(crate) async fn delete<K>(&self, api: &kube::Api<K>, object: &K) -> Result<(), PassFailed>
    where
        K: Resource<DynamicType = ()> + serde::de::DeserializeOwned + Clone + Debug,
    {
        let name = ObjectName::of(object);
        match self.shared.context.writes.delete(api, &name, None).await {
            Err(failed) if !failed.is_without_right() => Err(PassFailed::Delete {
                name,
                source: failed.source,
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.shared.now()
    }
}

/// Whether nothing is to be done about the object.
pub(crate) fn is_paused<K: ResourceExt>(object: &K) -> bool {
    object
        .annotations()
        .get(labels::PAUSED)
        .is_some_and(|paused| paused == "true")
}

/// Whether it is being deleted.
pub(crate) fn is_going<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}

fn json<S: Serialize + Default>(status: Option<&S>) -> Value {
    status
        .and_then(|status| serde_json::to_value(status).ok())
        .unwrap_or_default()
}

/// A refusal as a fault, in the API server's words. A namespace or kind that is not there is somebody else's to make.
fn fault(kind: &str, name: &ObjectName, error: &ClientError) -> Fault {
    let (category, reason) = match error.status() {
        Some(404) => (Category::Infrastructure, "NotFound"),
        Some(status) => Category::of_refusal(status, ""),
        None => (Category::Infrastructure, "NetworkError"),
    };
    Fault::new(category, reason, format!("{kind} `{name}`: {error}"))
}

fn in_the_way(verdict: &Verdict) -> String {
    let mut conditions = verdict.conditions.iter();
    let found = conditions.find(|condition| condition.type_ == "DependenciesReachable");
    found
        .map(|condition| condition.message.clone())
        .unwrap_or_default()
}

impl Debug for Rounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rounds")
            .field("controller", &self.controller)
            .finish_non_exhaustive()
    }
}
