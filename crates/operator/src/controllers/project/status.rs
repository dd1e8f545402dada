//! A project's status: what was applied, or what is in the way.

use kube::Api;
use reeve_crds::{Phase, Project, ProjectStatus, ReeveConfigSpec};
use reeve_kube_kit::condition::{self, ConditionUpdate, Outcome};
use reeve_kube_kit::events::EventNote;
use reeve_kube_kit::ready_status;
use reeve_kube_kit::{ObjectName, ReconcileError};
use reeve_types::{ErrorChain, Timestamp};

use super::survey::Survey;
use super::{ProjectError, Reconciler};
use crate::settings::{IDENTITY_BOUNDARY, identity_boundary};

/// What is reported of a pass.
pub(super) struct Report {
    pub(super) phase: Phase,
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// What could make no new pod, where it was looked at.
    pub(super) survey: Option<Survey>,
}

impl Report {
    pub(super) fn of(
        outcome: &Result<Option<Survey>, ProjectError>,
        before_adoption: Option<Survey>,
    ) -> Self {
        match outcome {
            Ok(survey) => Self {
                phase: Phase::Ready,
                reason: "Applied",
                message: String::new(),
                survey: survey.clone(),
            },
            Err(error) => Self {
                phase: Phase::NotReady,
                reason: error.reason(),
                message: ErrorChain(error).to_string(),
                survey: before_adoption,
            },
        }
    }
}

/// The condition that says whether everything in the namespace could make its pods again.
const ADMISSIBLE: &str = "WorkloadsAdmissible";

/// The settings a survey went by, as the condition's reason. Whether it is still good is decided by all of them
/// ([`Survey::settings`]).
fn went_by(survey: &Survey, settings: &ReeveConfigSpec) -> &'static str {
    if survey.is_before_adoption() {
        return "BeforeAdoption";
    }
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

fn status(project: &Project, report: &Report, settings: &ReeveConfigSpec, now: Timestamp) -> ProjectStatus {
    let generation = project.metadata.generation;
    let mut status = project.status.clone().unwrap_or_default();
    let outcome = Outcome {
        phase: report.phase,
        ready: report.phase == Phase::Ready,
        reason: report.reason,
        message: &report.message,
        generation,
    };
    ready_status!(status).set(outcome, now);
    let mut say = |type_, holds, reason, message: &str| {
        let update = ConditionUpdate {
            type_,
            status: Some(holds),
            reason,
            message,
            generation,
        };
        condition::set(&mut status.conditions, &update, now);
    };
    let (holds, reason, message) = identity_boundary(settings);
    say(IDENTITY_BOUNDARY, holds, reason, message);
    if let Some(survey) = &report.survey {
        let message = if survey.is_clean() {
            String::new()
        } else {
            survey.message()
        };
        say(ADMISSIBLE, survey.is_clean(), went_by(survey, settings), &message);
        status.surveyed_settings = Some(survey.settings());
    }
    status
}

impl Reconciler {
    /// Whether what the namespace holds is to be looked at: it never was, by these settings, or something was found.
    pub(super) fn wants_survey(&self, name: &str, settings: &str) -> bool {
        let project = self.caches.projects.get(&ObjectName::cluster(name));
        let status = project.and_then(|project| project.status.clone());
        let Some(status) = status else { return true };
        let before = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == ADMISSIBLE);
        before.is_none_or(|condition| condition.status != "True")
            || status.surveyed_settings.as_deref() != Some(settings)
    }

    /// Writes the status when it differs, and publishes an event when it does.
    pub(super) async fn report(&self, name: &str, report: &Report) -> Result<(), ProjectError> {
        let Some(project) = self.caches.projects.get(&ObjectName::cluster(name)) else {
            return Ok(());
        };
        let status = status(
            &project,
            report,
            &self.caches.settings(),
            self.context.clock.now(),
        );
        if project.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let api = Api::<Project>::all(self.context.client.clone());
        let written = self.context.writes.report(&api, &*project, &status).await;
        self.announce(&project, report).await;
        written?;
        Ok(())
    }

    async fn announce(&self, project: &Project, report: &Report) {
        const ACTION: &str = "ReconcileProject";
        let events = &self.context.events;
        let found = report.survey.as_ref().filter(|survey| !survey.is_clean());
        if let Some(survey) = found {
            let note = EventNote {
                warning: true,
                // An event of the same reason keeps its first words for some minutes.
                reason: if survey.is_before_adoption() {
                    "WorkloadsWouldBeRefused"
                } else {
                    "WorkloadsRefused"
                },
                note: &survey.message(),
            };
            events.publish(project, ACTION, &note).await;
        }
        let text = if report.message.is_empty() {
            format!("namespace `{}` is as it should be", project.spec.namespace)
        } else {
            report.message.clone()
        };
        let note = EventNote {
            warning: report.phase != Phase::Ready,
            reason: report.reason,
            note: &text,
        };
        events.publish(project, ACTION, &note).await;
    }
}
