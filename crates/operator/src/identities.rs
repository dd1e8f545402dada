//! Whose each pod of a project is: its `PodIdentities`, which the API server's policies of connections read (R8).
//!
//! A pod is listed from when it is there until it is being deleted or has ended, under the stamp that it bears; one without
//! a stamp is nobody's and in no list. What is not listed is let into by nobody, so that a late or dead operator keeps
//! people out and lets no stranger in. A name that is taken over while it is still listed is the business of the policy
//! `reeve-connect-pods`.
//!
//! Every change of one pod writes the object of its namespace whole. So a pass that wrote waits before it ends; the changes
//! of that while go out in one write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::{PodIdentities, PodIdentitiesSpec};
use reeve_kube_kit::apply::{WriteFailed, apply};
use reeve_kube_kit::error::is_transient;
use reeve_kube_kit::{Name, Reconcile, Retry};
use reeve_tenancy::OPERATOR_BINDING;

use crate::MANAGER;
use crate::world::World;

/// How long changes are collected after a write. Entries are promised within a second.
const COLLECT: Duration = Duration::from_millis(100);

/// The list could not be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Failed(WriteFailed);

impl Reconcile for Failed {
    fn reason(&self) -> &'static str {
        "WriteFailed"
    }

    fn retry(&self) -> Retry {
        if is_transient(&self.0.source) {
            Retry::Backoff
        } else {
            Retry::After(Duration::from_secs(15))
        }
    }
}

/// Under which stamp a pod is listed; `None` for one that is in no list. Pure.
pub fn stamp(pod: &Pod) -> Option<&str> {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let ends = pod.metadata.deletion_timestamp.is_some() || matches!(phase, Some("Succeeded" | "Failed"));
    pod.annotations()
        .get(names::RUNS_AS)
        .map(String::as_str)
        .filter(|stamp| !ends && !stamp.is_empty())
}

/// The list of a namespace. Pure.
pub fn build(namespace: &str, pods: &[Arc<Pod>]) -> PodIdentities {
    let mut runs_as: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pod in pods {
        if let Some(stamp) = stamp(pod) {
            runs_as.entry(stamp.to_owned()).or_default().push(pod.name_any());
        }
    }
    runs_as.values_mut().for_each(|pods| pods.sort());
    let mut identities = PodIdentities::new(names::POD_IDENTITIES, PodIdentitiesSpec { runs_as });
    identities.metadata.namespace = Some(namespace.to_owned());
    identities
}

/// One pass over a namespace.
///
/// # Errors
/// When the list cannot be written.
pub async fn reconcile(world: Arc<World>, namespace: String) -> Result<(), Failed> {
    let is_project = world
        .claimants(&namespace)
        .first()
        .is_some_and(|claimant| claimant.checked.is_ok());
    let own = Name::namespaced(namespace.clone(), OPERATOR_BINDING);
    let may_write = world.mirrors.bindings.get(&own).is_some() || world.was_just_made(&own);
    if !is_project || !may_write {
        // Asked for again when the project becomes usable.
        return Ok(());
    }
    let desired = build(&namespace, &world.mirrors.pods.in_namespace(&namespace));
    let name = Name::namespaced(namespace.clone(), names::POD_IDENTITIES);
    if world
        .mirrors
        .identities
        .get(&name)
        .is_some_and(|actual| actual.spec == desired.spec)
    {
        return Ok(());
    }
    let api = Api::<PodIdentities>::namespaced(world.client.clone(), &namespace);
    apply(&api, MANAGER, &desired).await.map_err(Failed)?;
    tokio::time::sleep(COLLECT).await;
    Ok(())
}
