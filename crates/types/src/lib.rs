//! The words every part of Reeve shares: ids, checked names, POSIX identities, secrets that cannot be printed, time.
//!
//! A value of a type in this crate has been checked: the only constructors are the parsers, so the rest of the program
//! never looks again. No input or output happens here, and nothing reads a clock or an environment.

pub mod amount;
pub mod clock;
pub mod cookie;
pub mod credential;
pub mod error_chain;
pub mod id;
pub mod image_pull_policy;
pub mod kubernetes;
pub mod list;
pub mod names;
pub mod namespaces;
pub mod pod_rules;
pub mod posix;
pub mod revision_token;
pub mod secret;
pub mod session;
pub mod switches;
pub mod template_kind;
pub mod toleration;
pub mod volume;
pub mod workload_policy;

pub use amount::{CpuCores, InvalidCpuCores, InvalidMemoryAmount, MemoryAmount};
pub use clock::{Clock, Timestamp};
pub use credential::CredentialAssetKind;
pub use error_chain::ErrorChain;
pub use id::{
    AccessKeyId, AccessRuleId, ClusterId, CredentialAssetId, DepartmentId, PasskeyId, PermissionSetId,
    PolicyId, ProjectId, Revision, SecretAssetId, ServiceAccountId, SessionId, UserId, WorkloadId,
};
pub use image_pull_policy::{ImagePullPolicy, InvalidImagePullPolicy};
pub use names::{
    AccessKeyName, ClusterName, CredentialAssetName, Email, GroupName, IdpAlias, InvalidName, LabelValue,
    MetadataName, NodePoolName, NodeTypeName, OrgUnitName, PasskeyName, PriorityClassName, RoleName,
    SecondWriter, ServiceAccountName, TaintKey, TaintName, WorkloadName,
};
pub use namespaces::{NamespacePattern, ReservedNamespaces};
pub use pod_rules::{PodRules, PodSecurity};
pub use posix::{Gid, InvalidPosix, LowestId, PosixIdentity, Uid};
pub use revision_token::{InvalidRevisionToken, RevisionToken};
pub use secret::Secret;
pub use session::{MAX_SESSION_GROUPS, SignInMethod, SubjectId};
pub use switches::{Switch, Switches, UnknownSwitch};
pub use template_kind::TemplateKind;
pub use toleration::{InvalidToleration, TaintEffect, Toleration, TolerationOperator};
pub use volume::{FileMode, InvalidFileMode, InvalidMountPath, MountPath};
pub use workload_policy::{PolicyKind, WorkloadLimits};
