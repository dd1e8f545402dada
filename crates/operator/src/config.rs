//! The cluster's settings: from `ReeveConfig` to labels of every project's namespace, which the project passes write;
//! here is what they are, and the status of the object.

use std::sync::{Arc, PoisonError};

use kube::{Api, ResourceExt};
use reeve_crds::{ReeveConfig, ReeveConfigSpec, ReeveConfigStatus};
use reeve_kube_kit::apply::{WriteFailed, apply_status};
use reeve_kube_kit::error::is_transient;
use reeve_kube_kit::{Name, Reconcile, Retry, condition};

use crate::MANAGER;
use crate::world::World;

/// What holds: strict without any object, and of several the strictest (admission R13; the schema allows one only).
pub fn strictest(all: &[ReeveConfigSpec]) -> ReeveConfigSpec {
    if all.is_empty() {
        return ReeveConfigSpec::default();
    }
    ReeveConfigSpec {
        enforce_run_as_user: all.iter().any(|one| one.enforce_run_as_user),
        enforce_prevent_privilege_escalation: all.iter().any(|one| one.enforce_prevent_privilege_escalation),
    }
}

/// The status could not be written.
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
            Retry::OnChange
        }
    }
}

/// The namespaces of valid projects whose labels are not yet what the settings say.
fn behind(world: &World) -> Vec<String> {
    let settings = world.settings();
    let namespaces = world.org().namespaces();
    let lags = |namespace: &String| {
        let first = world.claimants(namespace).into_iter().next();
        let Some(project) = first.and_then(|claimant| claimant.checked.ok()) else {
            return false;
        };
        let Some(object) = world.mirrors.namespaces.get(&Name::cluster(namespace.clone())) else {
            return true;
        };
        let labels = object.labels();
        reeve_tenancy::namespace_labels(&project, settings)
            .iter()
            .any(|(key, value)| labels.get(key) != Some(value))
    };
    let mut behind: Vec<String> = namespaces.into_iter().filter(lags).collect();
    behind.sort();
    behind.dedup();
    behind
}

/// One pass over the status of the settings, and over what the control plane is told of them.
///
/// # Errors
/// When the status cannot be written.
pub async fn reconcile(world: Arc<World>) -> Result<(), Failed> {
    world.board.set_settings(world.cluster_settings());
    let Some(config) = world.config() else {
        return Ok(());
    };
    let behind = behind(&world);
    let applied = match behind.first() {
        None => (true, "Applied", String::new()),
        Some(first) => (
            false,
            "NamespacesBehind",
            format!(
                "{} namespaces do not have the settings yet, the first is `{first}`",
                behind.len()
            ),
        ),
    };
    let alarms = world
        .alarms
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let intact = if alarms.is_empty() {
        (true, "Intact", String::new())
    } else {
        (false, "Changed", alarms.join("; "))
    };
    let mut conditions = config
        .status
        .as_ref()
        .map(|status| status.conditions.clone())
        .unwrap_or_default();
    for (type_, (status, reason, message)) in [("Ready", &applied), ("PoliciesIntact", &intact)] {
        let says = condition::Says {
            type_,
            status: Some(*status),
            reason,
            message,
            generation: config.metadata.generation,
        };
        condition::set(&mut conditions, &says, world.clock.now());
    }
    let status = ReeveConfigStatus {
        observed_generation: config.metadata.generation,
        conditions,
    };
    if config.status.as_ref() == Some(&status) {
        return Ok(());
    }
    match apply_status(
        &Api::<ReeveConfig>::all(world.client.clone()),
        MANAGER,
        &*config,
        &status,
    )
    .await
    {
        Err(failed) if failed.is_not_found() => Ok(()),
        other => other.map_err(Failed),
    }
}
