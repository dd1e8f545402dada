//! Workload policies (control-plane 4.6 and 4.7, cluster-and-cli 6.2): defaults and rules of a scope for everything below it.
//!
//! Pure. [`Policy`] is what somebody wrote at one scope. [`effective`] makes of those on a way from the account down to a project
//! what holds there: defaults, rules with their source, and the [`Limits`] that are enforced. The same limits judge what is
//! submitted to the control plane and, as a text in an annotation of the project's namespace, every pod and template there; both
//! sides say what they look at as [`Facts`].
//!
//! **What is merged how.** The default of the lowest scope counts. A field is ruled by one scope of a way ([`check_way`] refuses a
//! second one); if there are two nevertheless, both hold. `canEdit: false` fixes a field to the default of the ruling scope or of
//! one above it.

mod document;
mod limits;
mod merge;
#[cfg(test)]
mod tests;

pub use document::{
    ComputeDefaults, ComputeRules, Defaults, HostPathInstances, HostPathRules, InvalidPolicy, Policy, Rule,
    RuleOption, Rules, SecurityDefaults, SecurityRules, SourceOfRule, StorageRules,
};
pub use limits::{Allowed, Entry, Facts, InvalidLimits, LIMITS_PATTERN, Limits, ScopeType, WorkloadLimits};
pub use merge::{Effective, Scoped, check_way, effective};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The highest uid and gid of a person.
const HIGHEST_ID: u32 = i32::MAX as u32;

/// Which workloads a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PolicyKind {
    /// What runs to its end: trainings; of manifests Jobs and CronJobs.
    Training,
    /// What stays: workspaces; of manifests everything else that makes pods.
    Workspace,
}

impl PolicyKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Training, Self::Workspace];

    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Workspace => "workspace",
        }
    }

    /// The kind by its wire name; `None` for any other text.
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Which policy judges a manifest of this kind of object.
    pub fn of_object(kind: &str) -> Self {
        if ["Job", "CronJob"].contains(&kind) {
            Self::Training
        } else {
            Self::Workspace
        }
    }
}

/// A field that rules can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The image of every container.
    Image,
    /// Whole GPUs of all containers together.
    Gpus,
    /// Where uid, gid and groups come from.
    UidGidSource,
    /// The uid of every container.
    RunAsUid,
    /// The gid of every container.
    RunAsGid,
    /// Whether a container may gain privileges.
    Escalation,
    /// Whether the image may choose root: never (R6).
    NonRoot,
    /// Whether it shares the node's IPC: never (R6).
    HostIpc,
    /// Whether it shares the node's network: never (R6).
    HostNetwork,
    /// What containers add to their capabilities.
    Capabilities,
    /// The seccomp profile of every container.
    Seccomp,
}

/// What values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// True or false.
    Flag,
    /// A count.
    Number,
    /// A number of a user or group; it has no default here, since it comes from the verified identity.
    Id,
    /// One word, or a list of them.
    Words,
}

impl Field {
    /// Every one, in the order of documents.
    pub const ALL: [Self; 11] = [
        Self::Image,
        Self::Gpus,
        Self::UidGidSource,
        Self::RunAsUid,
        Self::RunAsGid,
        Self::Escalation,
        Self::NonRoot,
        Self::HostIpc,
        Self::HostNetwork,
        Self::Capabilities,
        Self::Seccomp,
    ];

    /// Its path below `defaults`, `rules` and the spec of a workload.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Gpus => "compute.gpuDevicesRequest",
            Self::UidGidSource => "security.uidGidSource",
            Self::RunAsUid => "security.runAsUid",
            Self::RunAsGid => "security.runAsGid",
            Self::Escalation => "security.allowPrivilegeEscalation",
            Self::NonRoot => "security.runAsNonRoot",
            Self::HostIpc => "security.hostIpc",
            Self::HostNetwork => "security.hostNetwork",
            Self::Capabilities => "security.capabilities",
            Self::Seccomp => "security.seccompProfileType",
        }
    }

    /// What a text of limits calls it; `None` for what holds anyway, so that no limit is needed.
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::Image => Some("image"),
            Self::Gpus => Some("gpus"),
            Self::UidGidSource => Some("source"),
            Self::RunAsUid => Some("uid"),
            Self::RunAsGid => Some("gid"),
            Self::Escalation => Some("escalation"),
            Self::Capabilities => Some("capabilities"),
            Self::Seccomp => Some("seccomp"),
            Self::NonRoot | Self::HostIpc | Self::HostNetwork => None,
        }
    }

    pub(crate) const fn values(self) -> Values {
        match self {
            Self::Image | Self::UidGidSource | Self::Capabilities | Self::Seccomp => Values::Words,
            Self::Gpus => Values::Number,
            Self::RunAsUid | Self::RunAsGid => Values::Id,
            Self::Escalation | Self::NonRoot | Self::HostIpc | Self::HostNetwork => Values::Flag,
        }
    }

    /// What every workload has that says nothing, where that is the same for all of them.
    pub(crate) const fn built_in(self) -> Option<&'static str> {
        match self {
            Self::NonRoot => Some("true"),
            Self::Escalation | Self::HostIpc | Self::HostNetwork => Some("false"),
            Self::Seccomp => Some("RuntimeDefault"),
            _ => None,
        }
    }
}
