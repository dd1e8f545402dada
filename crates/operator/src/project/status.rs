//! A project's status: what was applied, or what is in the way.

use kube::Api;
use reeve_crds::{Phase, Project, ProjectStatus, ReeveConfigSpec};
use reeve_kube_kit::apply::apply_status;
use reeve_kube_kit::{Name, condition, events};
use reeve_types::Timestamp;

use super::Failed;
use crate::MANAGER;
use crate::config::{IDENTITY_BOUNDARY, identity_boundary};
use crate::world::World;

/// What is said.
pub(super) struct Says {
    pub(super) phase: Phase,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

fn status(project: &Project, says: &Says, settings: &ReeveConfigSpec, now: Timestamp) -> ProjectStatus {
    let mut conditions = project
        .status
        .as_ref()
        .map(|status| status.conditions.clone())
        .unwrap_or_default();
    let ready = condition::Says {
        type_: "Ready",
        status: Some(says.phase == Phase::Ready),
        reason: says.reason,
        message: &says.message,
        generation: project.metadata.generation,
    };
    condition::set(&mut conditions, &ready, now);
    let (holds, reason, message) = identity_boundary(settings);
    let boundary = condition::Says {
        type_: IDENTITY_BOUNDARY,
        status: Some(holds),
        reason,
        message,
        generation: project.metadata.generation,
    };
    condition::set(&mut conditions, &boundary, now);
    ProjectStatus {
        phase: Some(says.phase),
        message: says.message.clone(),
        observed_generation: project.metadata.generation,
        conditions,
    }
}

/// Writes the status when it differs, and publishes an event when the phase does.
pub(super) async fn report(world: &World, name: &str, says: &Says) -> Result<(), Failed> {
    let Some(project) = world.mirrors.projects.get(&Name::cluster(name)) else {
        return Ok(());
    };
    let status = status(&project, says, &world.settings(), world.clock.now());
    if project.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let written = apply_status(
        &Api::<Project>::all(world.client.clone()),
        MANAGER,
        &*project,
        &status,
    )
    .await;
    let note = if says.message.is_empty() {
        format!("namespace `{}` is as it should be", project.spec.namespace)
    } else {
        says.message.clone()
    };
    let event = events::Says {
        warning: says.phase != Phase::Ready,
        reason: says.reason,
        note: &note,
    };
    world.events.publish(&*project, "ReconcileProject", &event).await;
    match written {
        // Gone in the meantime: nobody is left to read it.
        Err(failed) if failed.is_not_found() => Ok(()),
        other => other.map_err(Failed::Write),
    }
}
