//! What can be in the way of a workload, with the remedy.

use std::time::Duration;

use reeve_crds::InvalidObject;
use reeve_kube_kit::{ReconcileError, Retry, WriteFailed};
use reeve_types::ProjectId;

use super::secrets::MissingSecret;

/// Why a workload has no Job.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// Its object breaks a rule.
    #[error(transparent)]
    Invalid(InvalidObject),
    /// It lies where its project is not.
    #[error(
        "namespace `{namespace}` is not the namespace of project {project}: a workload runs in its own project only"
    )]
    NoProject {
        /// Where it lies.
        namespace: String,
        /// The project it names.
        project: ProjectId,
    },
    /// Identity is enforced and it has none.
    #[error(
        "this cluster runs containers as people and the workload has no verified uid and gid: submit it as a person who has \
         them, map them at the identity provider or set `posix` on the user, or set enforceRunAsUser of ReeveConfig to false"
    )]
    NoIdentity,
    /// The Job of an earlier workload of the same name is still being removed.
    #[error("the Job `{name}` of an earlier workload is still being removed")]
    OldJob {
        /// Its name.
        name: String,
    },
    /// A Job of somebody else has its name.
    #[error(
        "Job `{namespace}/{name}` is not this workload's and is in the way: delete it, or submit under another name"
    )]
    ForeignJob {
        /// The namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A Secret that it mounts is not there.
    #[error("{0}")]
    NoSecret(MissingSecret),
    /// A write failed.
    #[error(transparent)]
    Write(#[from] WriteFailed),
}

impl ReconcileError for WorkloadError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "Invalid",
            Self::NoProject { .. } => "NoProject",
            Self::NoIdentity => "NoIdentity",
            Self::OldJob { .. } => "OldJobGoes",
            Self::ForeignJob { .. } => "JobInTheWay",
            Self::NoSecret(_) => "WaitsForSecret",
            Self::Write(_) => "WriteFailed",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Write(failed) if failed.is_transient() => Retry::Backoff,
            // Nothing tells us of a change of policies, quotas or of a Job that bears no label of ours.
            Self::Write(_) | Self::ForeignJob { .. } => Retry::After(Duration::from_secs(15)),
            _ => Retry::OnChange,
        }
    }
}
