//! What a pass says of a project's Secrets. Pure.

use std::collections::BTreeMap;

use reeve_admission::names;
use reeve_crds::desired::Project;
use reeve_crds::{SecretCopy, SecretState};
use reeve_kube_kit::ReconcileError;
use reeve_tenancy::secrets::{Copies, Left};
use reeve_tenancy::{Switch, own_binding_name};
use reeve_types::{ErrorChain, ProjectId};

use crate::secret_copies::CopyFailed;
use crate::secret_reports::{SWITCHED_OFF, SecretReport};

/// What projects say while the switch is off.
const OFF: &str = "clusterWideSecret is off: no Secrets are copied into projects";
/// How many of those that are left out are listed.
const MOST_LEFT: usize = 100;

/// What could not be written, by name.
#[derive(Debug, Default)]
pub struct Written(BTreeMap<String, (SecretState, String)>);

impl Written {
    /// A copy could not be written.
    pub fn failed(&mut self, name: &str, failure: &CopyFailed) {
        let state = match failure {
            CopyFailed::Conflict { .. } => SecretState::Conflict,
            _ => SecretState::NotCopied,
        };
        self.0
            .insert(name.to_owned(), (state, ErrorChain(failure).to_string()));
    }
}

/// The report of a pass.
pub fn of_pass(
    project: ProjectId,
    desired: &Copies,
    written: &Written,
    failures: &[CopyFailed],
) -> SecretReport {
    let copied = desired.copies.iter().map(|copy| {
        let (state, message) = written
            .0
            .get(copy.name())
            .cloned()
            .unwrap_or((SecretState::Copied, String::new()));
        SecretCopy {
            name: copy.name().to_owned(),
            from: copy.origin.clone(),
            version: if state == SecretState::Copied {
                copy.version.clone()
            } else {
                String::new()
            },
            state,
            message,
        }
    });
    let left = desired.left.iter().take(MOST_LEFT).map(left_out);
    let secrets: Vec<SecretCopy> = copied.chain(left).collect();
    let first = failures
        .first()
        .map(|failure| (failure.reason(), ErrorChain(failure).to_string()));
    let first = first.or_else(|| {
        let left = desired.left.first()?;
        Some((
            "NotCopied",
            format!("`{}` is not copied: {}", left.origin, left.why),
        ))
    });
    let bad = secrets
        .iter()
        .filter(|copy| copy.state != SecretState::Copied)
        .count();
    let (reason, message) = match first {
        None => ("AllCopied", String::new()),
        Some((reason, message)) if bad <= 1 => (reason, message),
        Some((reason, message)) => (
            reason,
            format!("{bad} Secrets are not copied, see status.secrets: {message}"),
        ),
    };
    SecretReport {
        project,
        propagated: Some(message.is_empty()),
        secrets,
        reason,
        message,
    }
}

fn left_out(left: &Left) -> SecretCopy {
    SecretCopy {
        name: left.name.clone(),
        from: left.origin.clone(),
        state: SecretState::NotCopied,
        message: left.why.to_string(),
        version: String::new(),
    }
}

/// The report while the switch is off.
pub(super) fn switched_off(
    project: ProjectId,
    known: &BTreeMap<String, String>,
    remain: Option<&CopyFailed>,
) -> SecretReport {
    let secrets = known
        .iter()
        .filter(|_| remain.is_some())
        .map(|(name, version)| SecretCopy {
            name: name.clone(),
            from: String::new(),
            state: SecretState::Copied,
            message: "the switch is off and the copy is still there".to_owned(),
            version: version.clone(),
        });
    SecretReport {
        project,
        secrets: secrets.collect(),
        propagated: Some(false),
        reason: if remain.is_some() {
            "CopiesRemain"
        } else {
            SWITCHED_OFF
        },
        message: remain.map_or_else(
            || OFF.to_owned(),
            |failure| {
                format!(
                    "clusterWideSecret is off, and copies are still there: {}",
                    ErrorChain(failure)
                )
            },
        ),
    }
}

/// The report while sources cannot be listed: what was copied stays.
pub(super) fn not_listed(project: ProjectId, said: Vec<SecretCopy>, missing: &[String]) -> SecretReport {
    SecretReport {
        project,
        secrets: said,
        propagated: None,
        reason: "SourcesNotListed",
        message: format!(
            "the operator cannot list the Secrets of namespace `{}`: nothing is copied, changed or removed until it can; is its Role \
             there installed?",
            missing.join("`, `")
        ),
    }
}

/// The report where nobody gave the operator its rights: while user assignment is on it binds them itself.
pub(super) fn unbound(project: &Project, is_on: bool) -> SecretReport {
    let role = names::ROLE_OPERATOR_SECRET_PROPAGATION;
    let message = format!(
        "the operator may not write Secrets in namespace `{namespace}`: kubectl -n {namespace} create rolebinding \
         {own} --clusterrole={role} --serviceaccount={system}:{account}",
        namespace = project.namespace,
        own = own_binding_name(Some(Switch::SecretPropagation)),
        system = names::SYSTEM_NAMESPACE,
        account = names::OPERATOR_SERVICE_ACCOUNT,
    );
    SecretReport {
        project: project.id,
        secrets: Vec::new(),
        propagated: Some(false),
        reason: if is_on { "NotBound" } else { SWITCHED_OFF },
        message: if is_on { message } else { OFF.to_owned() },
    }
}
