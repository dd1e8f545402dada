//! A project's status: what was applied, or what is in the way.

use kube::Api;
use reeve_crds::{Phase, Project, ProjectStatus, ReeveConfigSpec};
use reeve_kube_kit::apply::apply_status;
use reeve_kube_kit::{Name, condition, events};
use reeve_types::Timestamp;

use super::Failed;
use super::survey::Survey;
use crate::MANAGER;
use crate::config::{IDENTITY_BOUNDARY, identity_boundary};
use crate::world::World;

/// What is said.
pub(super) struct Says {
    pub(super) phase: Phase,
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// What could make no new pod, where it was looked at.
    pub(super) survey: Option<Survey>,
}

/// The condition that says whether everything in the namespace could make its pods again.
const ADMISSIBLE: &str = "WorkloadsAdmissible";

/// The settings a survey went by, as the condition's reason: another one calls for another survey.
fn went_by(settings: &ReeveConfigSpec) -> &'static str {
    match (
        settings.enforce_run_as_user,
        settings.enforce_prevent_privilege_escalation,
    ) {
        (true, true) => "Strict",
        (true, false) => "EscalationAllowed",
        (false, true) => "IdentityNotEnforced",
        (false, false) => "Lenient",
    }
}

/// Whether what the namespace holds is to be looked at: it never was, by these settings, or something was found.
pub(super) fn wants_survey(world: &World, name: &str) -> bool {
    let project = world.mirrors.projects.get(&Name::cluster(name));
    let status = project.and_then(|project| project.status.clone());
    let conditions = status.map(|status| status.conditions).unwrap_or_default();
    let before = conditions.iter().find(|condition| condition.type_ == ADMISSIBLE);
    before.is_none_or(|c| c.status != "True" || c.reason != went_by(&world.settings()))
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
    if let Some(survey) = &says.survey {
        let message = if survey.is_clean() {
            String::new()
        } else {
            survey.message()
        };
        let admissible = condition::Says {
            type_: ADMISSIBLE,
            status: Some(survey.is_clean()),
            reason: went_by(settings),
            message: &message,
            generation: project.metadata.generation,
        };
        condition::set(&mut conditions, &admissible, now);
    }
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
    let found = says.survey.as_ref().filter(|survey| !survey.is_clean());
    if let Some(survey) = found {
        let event = events::Says {
            warning: true,
            reason: "WorkloadsRefused",
            note: &survey.message(),
        };
        world.events.publish(&*project, "ReconcileProject", &event).await;
    }
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
