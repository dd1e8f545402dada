//! What can be in the way of a project, with the remedy.

use std::time::Duration;

use reeve_admission::names;
use reeve_crds::InvalidObject;
use reeve_kube_kit::{ReconcileError, Retry, WriteFailed};
use reeve_tenancy::Switch;
use reeve_types::{ErrorChain, ProjectId};

use crate::secret_copies::CopyFailed;

/// Why a project is not ready.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Its object breaks a rule.
    #[error(transparent)]
    Invalid(InvalidObject),
    /// Another project has the namespace.
    #[error(
        "namespace `{namespace}` is project `{owner}`'s: a namespace has one project; choose another namespace"
    )]
    Contested {
        /// The namespace.
        namespace: String,
        /// Whose it is.
        owner: String,
    },
    /// The namespace was there before and nobody gave it to the project.
    #[error(
        "namespace `{namespace}` exists and is not labelled as this project's{}; to adopt it, a member of {group} looks at \
         it first: reeve project adopt {namespace} --dry-run, and then runs the same without --dry-run (by hand, where \
         nothing in it bears a mark of reeve.dev: kubectl label namespace {namespace} {label}={project})",
        queue_counts_for_nothing(*.queued, .project), group = names::INSTALLERS, label = names::PROJECT
    )]
    NotAdopted {
        /// The namespace.
        namespace: String,
        /// The project.
        project: String,
        /// Whether it bears the reference's label with the project's name.
        queued: bool,
    },
    /// The namespace is labelled for another project.
    #[error(
        "namespace `{namespace}` is labelled as project `{owner}`'s; to give it to this one, a member of {group} runs: \
         kubectl label --overwrite namespace {namespace} {label}={project}",
        group = names::INSTALLERS, label = names::PROJECT
    )]
    Foreign {
        /// The namespace.
        namespace: String,
        /// The project.
        project: String,
        /// Whose it says it is.
        owner: String,
    },
    /// The namespace is what an earlier project of the same name left.
    #[error(
        "namespace `{namespace}` was left by an earlier project `{project}` and holds what is its people's; to give it to this \
         one, a member of {group} runs: kubectl label --overwrite namespace {namespace} {label}={id}",
        group = names::INSTALLERS, label = names::PROJECT_ID
    )]
    LeftOver {
        /// The namespace.
        namespace: String,
        /// The project.
        project: String,
        /// The project's number.
        id: ProjectId,
    },
    /// The namespace is on its way out.
    #[error("namespace `{namespace}` is being deleted; when it is gone it is made anew")]
    Terminating {
        /// The namespace.
        namespace: String,
    },
    /// The namespace is reserved and not there.
    #[error(
        "namespace `{namespace}` is reserved in this cluster (`{pattern}`) and is not made for a project: choose another \
         namespace; where it is meant, a member of {group} makes it and labels it: kubectl create namespace {namespace}; \
         kubectl label namespace {namespace} {label}={project}; or the operator's flag --reserved-namespaces leaves it out",
        group = names::INSTALLERS, label = names::PROJECT
    )]
    Reserved {
        /// The namespace.
        namespace: String,
        /// By which entry of the list.
        pattern: String,
        /// The project.
        project: String,
    },
    /// A RoleBinding of somebody else has the name of one of ours.
    #[error(
        "RoleBinding `{namespace}/{name}` is not ours and is in the way; delete it: kubectl -n {namespace} delete rolebinding {name}"
    )]
    UnmarkedBinding {
        /// The namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The operator's own binding does not work.
    #[error("the operator has no rights in namespace `{namespace}` although its RoleBinding is there; is ClusterRole `{role}` as installed?", role = names::ROLE_OPERATOR_IN_PROJECT)]
    NoRights {
        /// The namespace.
        namespace: String,
    },
    /// The namespace is not there, and the operator makes none.
    #[error(
        "namespace `{namespace}` is not there, and the operator makes none: automatic namespace creation is off \
         (project-controller.createNamespaces). A member of {group} runs: kubectl create namespace {namespace} && kubectl label \
         namespace {namespace} {queue}={project} (or {label}={project})",
        group = names::INSTALLERS, queue = names::QUEUE, label = names::PROJECT
    )]
    NamespaceByHand {
        /// The namespace.
        namespace: String,
        /// The project.
        project: String,
    },
    /// The operator is not bound in the namespace, and binds nobody.
    #[error(
        "the operator has no rights in namespace `{namespace}`, and binds nobody: automatic user assignment is off \
         (project-controller.createRoleBindings), and no RoleBinding there gives it {}. A member of {group} runs: {}",
        .roles.join(", "), bind_by_hand(.namespace), group = names::INSTALLERS
    )]
    NotBound {
        /// The namespace.
        namespace: String,
        /// The ClusterRoles that it needs there.
        roles: Vec<String>,
    },
    /// Bindings that the operator made and has no right to remove.
    #[error(
        "automatic user assignment is off (project-controller.createRoleBindings), and the chart took the operator's rights before \
         it had removed what it bound: {} in namespace `{namespace}` still hold, whatever becomes of the access rules. A member \
         of {group} runs: kubectl delete rolebinding -n {namespace} {}",
        .names.join(", "), .names.join(" "), group = names::INSTALLERS
    )]
    BindingsLeft {
        /// The namespace.
        namespace: String,
        /// The bindings.
        names: Vec<String>,
    },
    /// A switch is on, and the chart did not give its rights.
    #[error(
        "{} is on in ReeveConfig, but the operator has no right to it: install the chart with \
         clusterConfig.project-controller.{key}=true, or turn {key} off in ReeveConfig", .switch.title(), key = .switch.key()
    )]
    SwitchWithoutRights {
        /// The switch.
        switch: Switch,
        /// What was refused.
        source: WriteFailed,
    },
    /// A write failed.
    #[error(transparent)]
    Write(#[from] WriteFailed),
    /// Copies of Secrets could not be removed.
    #[error(transparent)]
    Copies(#[from] CopyFailed),
    /// Several things are in the way; everything else was written.
    #[error("{} things could not be written: {}", .0.len(), listed(.0))]
    Several(Vec<Self>),
}

/// How many are named; of the rest the number is said.
const NAMED: usize = 5;

fn listed(errors: &[ProjectError]) -> String {
    let named = errors
        .iter()
        .take(NAMED)
        .map(|error| ErrorChain(error).to_string());
    let mut texts: Vec<String> = named.collect();
    let more = errors.len().saturating_sub(NAMED);
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join("; ")
}

/// Why a namespace that bears the reference's label is not the project's all the same.
fn queue_counts_for_nothing(queued: bool, project: &str) -> String {
    if !queued {
        return String::new();
    }
    format!(
        " (its label {}={project} counts for nothing: it was set by nobody of {}, or before the admission policies were in force)",
        names::QUEUE,
        names::INSTALLERS
    )
}

/// The command that binds by hand in a namespace what the operator binds itself while user assignment is on.
pub(super) fn bind_by_hand(namespace: &str) -> String {
    format!("reeve cluster bindings {namespace} | kubectl apply -f -")
}

impl ProjectError {
    /// A write that a switch allows failed. Where RBAC refused it, the switch and the chart do not agree.
    pub(super) fn of_switch(switch: Switch, failed: WriteFailed) -> Self {
        if failed.is_without_right() {
            Self::SwitchWithoutRights {
                switch,
                source: failed,
            }
        } else {
            Self::Write(failed)
        }
    }

    /// Whether the namespace could not be made because it is there.
    pub(super) fn is_namespace_there(&self) -> bool {
        matches!(self, Self::Write(failed) if failed.verb == "create" && failed.kind == "Namespace"
            && failed.source.is_already_exists())
    }

    /// What stood in the way of a pass that wrote whatever else it could; nothing where that is nothing.
    pub(super) fn of_all(mut failed: Vec<Self>) -> Result<(), Self> {
        match failed.len() {
            0 => Ok(()),
            1 => failed.pop().map_or(Ok(()), Err),
            _ => Err(Self::Several(failed)),
        }
    }
}

impl ReconcileError for ProjectError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "Invalid",
            Self::Contested { .. } => "NamespaceContested",
            Self::NotAdopted { .. } => "NamespaceNotAdopted",
            Self::Foreign { .. } => "NamespaceOfAnotherProject",
            Self::LeftOver { .. } => "NamespaceLeftOver",
            Self::Terminating { .. } => "NamespaceTerminating",
            Self::Reserved { .. } => "NamespaceReserved",
            Self::UnmarkedBinding { .. } => "RoleBindingInTheWay",
            Self::NoRights { .. } => "NoRights",
            Self::NamespaceByHand { .. } => "NamespaceByHand",
            Self::NotBound { .. } => "OperatorNotBound",
            Self::BindingsLeft { .. } => "RoleBindingsLeft",
            Self::SwitchWithoutRights { .. } => "SwitchWithoutRights",
            Self::Write(_) => "WriteFailed",
            Self::Copies(failed) => failed.reason(),
            Self::Several(_) => "SeveralInTheWay",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Write(failed) if failed.is_transient() => Retry::Backoff,
            // A refusal may come from rights or policies, of whose change nothing tells us.
            Self::Write(_)
            | Self::NoRights { .. }
            | Self::BindingsLeft { .. }
            | Self::SwitchWithoutRights { .. } => Retry::After(Duration::from_secs(10)),
            Self::Copies(failed) => failed.retry(),
            // The soonest of them.
            Self::Several(errors) => {
                let retries: Vec<Retry> = errors.iter().map(Self::retry).collect();
                let soonest = |retry: &&Retry| matches!(retry, Retry::Backoff);
                let waits = |retry: &&Retry| matches!(retry, Retry::After(_));
                let found = retries
                    .iter()
                    .find(soonest)
                    .or_else(|| retries.iter().find(waits));
                found.copied().unwrap_or(Retry::OnChange)
            }
            _ => Retry::OnChange,
        }
    }
}
