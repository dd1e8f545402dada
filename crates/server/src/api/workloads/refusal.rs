//! What is refused of workloads, and in which words.

use reeve_types::kubernetes::INSTALLERS;
use reeve_types::{ClusterId, Email, ProjectId, UserId};

use crate::error::Refusal;

/// Why a training is not submitted: 400.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrainingRefusal {
    /// The project is another cluster's.
    #[error("`clusterId`: project `{project}` is not in cluster `{cluster}`")]
    ProjectElsewhere { project: ProjectId, cluster: ClusterId },
    /// Neither the submission nor a workload policy names an image.
    #[error("`spec.image` is missing, and no workload policy of the project has a default")]
    NoImage,
    /// An entry of `/etc/passwd` is asked for, and there is nobody whose entry it would be.
    #[error(
        "`spec.passwdEntry`: this container would run as the user of its image, so there is nobody \
         to enter: ask to run as yourself as well (`uidGidSource: fromIdpToken`, `--run-as-user`), or leave it out"
    )]
    PasswdEntryOfNobody,
    /// It would run as a service account, which has no numbers.
    #[error(
        "service account `{name}` has no uid and gid to run as{}: submit as a person who has them (mapped by the identity \
         provider, or `posix` set on the user), or {}",
        .asked_by.people_only(),
        .asked_by.remedy()
    )]
    ServiceAccount { name: String, asked_by: AskedBy },
    /// It would run as a user who has no numbers.
    #[error(
        "`{email}` has no uid and gid to run as: ask an administrator of the account to set them \
         (`PUT /api/v1/users/{id}/posix`), or {}",
        .asked_by.remedy()
    )]
    NoNumbers {
        id: UserId,
        email: Email,
        asked_by: AskedBy,
    },
    /// A Secret is not mounted as asked.
    #[error("`spec.storage.secretVolume[{at}].{}`{why}", .why.field())]
    Mount { at: usize, why: MountRefusal },
    /// A taint that closes nodes to projects, and that the project's pod rules do not name: in the words of R20.
    #[error(
        "`spec.tolerations[{at}].key`: a toleration without a key, or of node-role.kubernetes.io/, reaches nodes that are closed to \
         projects: leave it out, or ask somebody who may change projects in the whole cluster to name it in the project's pod rules \
         (`reeve project pod-rules PROJECT --tolerations node-role.kubernetes.io/NAME`)"
    )]
    Toleration { at: usize },
}

impl Refusal for TrainingRefusal {}

/// Why a Secret is not mounted.
#[derive(Debug, thiserror::Error)]
pub(super) enum MountRefusal {
    /// There is no asset, none that may be seen, or none of the credential that the project gets.
    #[error(
        ": no secret asset that you may read gives project `{0}` a Secret of this name: `reeve secret-asset list` shows them, and their \
         Secrets"
    )]
    NoAsset(ProjectId),
    /// Neither the submission nor the one asset says where.
    #[error(" is missing, and there is no one secret asset that says it")]
    NoPath,
    /// Folders of the kernel and the runtime.
    #[error(": `/proc`, `/sys` and `/dev` are the container runtime's")]
    Runtimes,
    /// It would lie over something else of the submission.
    #[error(": a Secret there would hide `{0}`, which the container gets, too")]
    Hides(String),
    /// Where the one is read-only, nothing can be mounted in it.
    #[error(": another Secret is mounted there, above or below it")]
    Overlaps,
    /// What a submission holds is bounded in bytes, those that its assets say for it included.
    #[error(": with it the paths of all Secrets are longer than {0} bytes together")]
    TooLong(usize),
}

impl MountRefusal {
    const fn field(&self) -> &'static str {
        match self {
            Self::NoAsset(_) => "secret",
            Self::NoPath | Self::Runtimes | Self::Hides(_) | Self::Overlaps | Self::TooLong(_) => "mountPath",
        }
    }
}

/// Who wants that it runs as the caller.
#[derive(Debug, Clone, Copy)]
pub(super) enum AskedBy {
    /// The cluster, of everything.
    Cluster,
    /// The submission.
    Submission,
}

impl AskedBy {
    const fn people_only(self) -> &'static str {
        match self {
            Self::Cluster => ", and this cluster runs containers only as people",
            Self::Submission => "",
        }
    }

    /// What to do for want of numbers.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Cluster => constcat::concat!(
                "ask an installer of the cluster (a member of `",
                INSTALLERS,
                "`) to set `enforceRunAsUser: false` in its ReeveConfig \
                 and submit without asking to run as yourself"
            ),
            Self::Submission => {
                "leave out `uidGidSource: fromIdpToken` (`--run-as-user`), which this cluster does not ask for"
            }
        }
    }
}
