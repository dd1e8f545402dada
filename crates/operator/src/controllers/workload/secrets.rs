//! The Secrets that a workload finds as files. Pure.
//!
//! Its Job is made when the project's status says that the copy of each credential is there. So what is mounted is that credential's, and
//! not what somebody made under its name; and what is missing is named, with why.

use std::fmt;

use reeve_crds::desired::{SecretVolume, Workload as Checked};
use reeve_crds::{Phase, Project, SecretCopy, SecretState, Workload};
use reeve_kube_kit::Change;
use reeve_tenancy::credentials::origin;

/// A Secret that a workload waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSecret {
    /// Its name.
    secret: String,
    /// What is in the way of its copy; empty where nothing is known of one.
    why: String,
}

impl fmt::Display for MissingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = &self.secret;
        write!(f, "it waits for the Secret `{secret}`, which it mounts: ")?;
        if self.why.is_empty() {
            f.write_str(
                "its credential is not in this namespace (yet); where it was deleted, or another one has its name, submit the \
                 workload again",
            )
        } else {
            f.write_str(&self.why)
        }
    }
}

/// The first of a workload's Secrets that is not there as the credential's copy.
pub(super) fn missing(workload: &Checked, copies: &[SecretCopy]) -> Option<MissingSecret> {
    let is_there = |volume: &&SecretVolume| {
        let copy = of(volume, copies);
        copy.is_some_and(|copy| copy.state == SecretState::Copied)
    };
    let mut volumes = workload.secret_volumes.iter();
    let volume = volumes.find(|volume| !is_there(volume))?;
    Some(MissingSecret {
        secret: volume.secret.to_string(),
        why: of(volume, copies)
            .map(|copy| copy.message.clone())
            .unwrap_or_default(),
    })
}

/// The copy of this credential, and of no other that has the name.
fn of<'a>(volume: &SecretVolume, copies: &'a [SecretCopy]) -> Option<&'a SecretCopy> {
    let from = origin(volume.credential_id);
    let named = |copy: &&SecretCopy| copy.name == volume.secret.as_str();
    copies.iter().filter(named).find(|copy| copy.from == from)
}

/// The namespace of a project of whose Secrets another thing is known now.
pub(super) fn changed_in(change: &Change<Project>) -> Option<String> {
    let secrets = |project: &Project| project.status.as_ref().map(|status| status.secrets.clone());
    let before = change.old.as_ref().and_then(|project| secrets(project));
    let project = change.new.as_ref()?;
    (before != secrets(project)).then(|| project.spec.namespace.clone())
}

/// Whether a workload may be waiting for a Secret.
pub(super) fn may_wait(workload: &Workload) -> bool {
    let phase = workload.status.as_ref().and_then(|status| status.phase);
    let starts = !matches!(phase, Some(Phase::Running | Phase::Completed | Phase::Failed));
    starts && !workload.spec.secret_volumes.is_empty()
}
