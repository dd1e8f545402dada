//! A project's status: what was applied, or what is in the way.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Api;
use reeve_admission::names;
use reeve_crds::{Phase, Project, ProjectStatus, ReeveConfigSpec};
use reeve_kube_kit::condition::{self, ConditionUpdate, Outcome};
use reeve_kube_kit::events::EventNote;
use reeve_kube_kit::ready_status;
use reeve_kube_kit::{ObjectName, ReconcileError};
use reeve_types::{ErrorChain, Switch, Timestamp};

use super::error::bind_by_hand;
use super::survey::Survey;
use super::{ProjectError, Reconciler, by_hand};
use crate::secret_reports::SecretReport;
use crate::settings::{IDENTITY_BOUNDARY, identity_boundary};
use crate::{authors, limit_ranges};

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
/// The condition that says whether every Secret that is for the project is copied.
pub(in crate::controllers) const SECRETS: &str = "SecretsPropagated";

/// The condition that says whether the project's LimitRange is as the settings say; absent where the switch is off.
const LIMIT_RANGE: &str = "LimitRange";

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

/// The condition that says who binds people, while the operator does not. It is there only then.
const USER_ASSIGNMENT: &str = "UserAssignment";
/// The condition that says that a label of another namespace names the project. It is there only then.
const LABELLED_ELSEWHERE: &str = "LabelledElsewhere";

/// Says what is so only sometimes: without a message the condition goes.
fn say_while(conditions: &mut Vec<Condition>, update: ConditionUpdate<'_>, now: Timestamp) {
    if update.message.is_empty() {
        conditions.retain(|condition| condition.type_ != update.type_);
    } else {
        condition::set(conditions, &update, now);
    }
}

/// What is left to people, and what the labels of other namespaces say: of each nothing when there is nothing to say.
fn left_to_people(project: &Project, settings: &ReeveConfigSpec, elsewhere: &[String]) -> [String; 2] {
    let namespace = &project.spec.namespace;
    let users = if settings.switches().is_on(Switch::UserAssignment) {
        String::new()
    } else {
        format!(
            "automatic user assignment is off (project-controller.createRoleBindings): access rules bind nobody here; a member of \
             {} binds people by hand: {}",
            names::INSTALLERS,
            bind_by_hand(namespace)
        )
    };
    let labels = elsewhere.first().map(|other| {
        format!(
            "namespace `{}` is labelled as this project's, which is bound to `{namespace}`: the label counts for nothing; take it \
             off (kubectl label namespace {other} {}- {}-), or make a project whose requested namespace it is",
            elsewhere.join("`, `"),
            names::PROJECT,
            names::QUEUE
        )
    });
    [users, labels.unwrap_or_default()]
}

/// What others know of the project's namespace.
struct Known {
    /// How its Secrets stand; `None` until something is known: then what was said before stays.
    secrets: Option<Arc<SecretReport>>,
    /// How its LimitRange stands.
    limits: Option<limit_ranges::Outcome>,
    /// Other namespaces that are labelled as the project's.
    elsewhere: Vec<String>,
}

fn status(
    project: &Project,
    report: &Report,
    known: &Known,
    settings: &ReeveConfigSpec,
    now: Timestamp,
) -> ProjectStatus {
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
    if known.limits.is_none() && !settings.switches().is_on(Switch::LimitRange) {
        status.conditions.retain(|it| it.type_ != LIMIT_RANGE);
    }
    let mut say = |type_, holds: Option<bool>, reason, message: &str| {
        let update = ConditionUpdate {
            type_,
            status: holds,
            reason,
            message,
            generation,
        };
        condition::set(&mut status.conditions, &update, now);
    };
    if let Some(limits) = &known.limits {
        say(LIMIT_RANGE, Some(limits.holds), limits.reason, &limits.message);
    }
    let (holds, reason, message) = identity_boundary(settings);
    say(IDENTITY_BOUNDARY, Some(holds), reason, message);
    if let Some(survey) = &report.survey {
        let message = if survey.is_clean() {
            String::new()
        } else {
            survey.message()
        };
        say(
            ADMISSIBLE,
            Some(survey.is_clean()),
            went_by(survey, settings),
            &message,
        );
        status.surveyed_settings = Some(survey.settings());
    }
    if let Some(secrets) = &known.secrets {
        say(SECRETS, secrets.propagated, secrets.reason, &secrets.message);
        status.secrets.clone_from(&secrets.secrets);
    }
    let [users, labels] = left_to_people(project, settings, &known.elsewhere);
    for (type_, holds, reason, message) in [
        (USER_ASSIGNMENT, false, "ByHand", &users),
        (LABELLED_ELSEWHERE, true, "NamespaceOfAnotherName", &labels),
    ] {
        let update = ConditionUpdate {
            type_,
            status: Some(holds),
            reason,
            message,
            generation,
        };
        say_while(&mut status.conditions, update, now);
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
        let settings = self.caches.settings();
        let settings = match project.checked() {
            Ok(checked) => reeve_tenancy::settings_of(&checked, &settings),
            Err(_) => settings,
        };
        let known = self.known(&project);
        let status = status(&project, report, &known, &settings, self.context.clock.now());
        if project.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let api = Api::<Project>::all(self.context.client.clone());
        let written = self.context.writes.report(&api, &*project, &status).await;
        self.announce(&project, report, known.secrets.as_deref()).await;
        written?;
        Ok(())
    }

    /// Says that something was put back, who had changed it, and what.
    pub(super) async fn tell_of_drift(&self, project: &str, about: &str, what: &str) {
        tracing::warn!(
            project,
            about,
            what,
            "somebody else changed what this operator keeps; put back"
        );
        let Some(project) = self.caches.projects.get(&ObjectName::cluster(project)) else {
            return;
        };
        let note = format!("{about} was put back: {what}");
        let note = EventNote {
            warning: true,
            reason: "DriftRepaired",
            note: &note,
        };
        self.context
            .events
            .publish(&*project, &authors::action(about, what), &note)
            .await;
    }

    fn known(&self, project: &Project) -> Known {
        let checked = project.checked().ok();
        let elsewhere = checked.as_ref().map(|checked| {
            let all = self.caches.namespaces.all();
            by_hand::labelled_elsewhere(checked, all.iter().map(|namespace| &**namespace))
        });
        Known {
            elsewhere: elsewhere.unwrap_or_default(),
            limits: self.caches.limit_ranges.outcome(&project.spec.namespace),
            secrets: checked.and_then(|it| self.secret_reports.of(&it.namespace, it.id)),
        }
    }

    async fn announce(&self, project: &Project, report: &Report, secrets: Option<&SecretReport>) {
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
        if let Some(secrets) = secrets.filter(|it| it.propagated != Some(true) || !it.secrets.is_empty()) {
            let all_copied = secrets.propagated == Some(true);
            let note = EventNote {
                warning: !all_copied && secrets.reason != "SwitchedOff",
                reason: secrets.reason,
                note: if all_copied {
                    "every Secret that is for the project is copied"
                } else {
                    &secrets.message
                },
            };
            events.publish(project, "PropagateSecrets", &note).await;
        }
        let note = EventNote {
            warning: report.phase != Phase::Ready,
            reason: report.reason,
            note: &text,
        };
        events.publish(project, ACTION, &note).await;
    }
}
