//! The desired state of a cluster: four kinds of object.

use reeve_types::{
    AccessRuleId, CpuCores, CredentialAssetId, CredentialAssetName, DepartmentId, Email, FileMode,
    ImagePullPolicy, MemoryAmount, MountPath, OrgUnitName, PodRules, PosixIdentity, ProjectId, RoleName,
    UserId, WorkloadId, WorkloadLimits, WorkloadName,
};
use serde::{Deserialize, Serialize};

pub use crate::credential::{Credential, CredentialValues};
pub use crate::job::{Attempts, OwnMetadata, Placement, ReadinessProbe};
pub use crate::scope::Scope;

/// One object that a cluster is to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "spec")]
pub enum DesiredObject {
    /// A project and its namespace.
    Project(Project),
    /// An access rule that reaches at least one project of the cluster, now or later.
    AccessRule(AccessRule),
    /// A credential that reaches at least one project of the cluster, now or later.
    Credential(Credential),
    /// A submitted workload.
    Workload(Box<Workload>),
}

/// Which object. Sorts access rules before credentials before workloads before projects: the order in which deletions are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id")]
pub enum ObjectKey {
    /// By the rule's number.
    AccessRule(AccessRuleId),
    /// By the credential's id.
    Credential(CredentialAssetId),
    /// By the workload's id.
    Workload(WorkloadId),
    /// By the project's number.
    Project(ProjectId),
}

impl ObjectKey {
    /// The id alone, as text.
    pub fn id(&self) -> String {
        match self {
            Self::AccessRule(id) => id.to_string(),
            Self::Credential(id) => id.to_string(),
            Self::Workload(id) => id.to_string(),
            Self::Project(id) => id.to_string(),
        }
    }
}

impl DesiredObject {
    /// The key of this object.
    pub const fn key(&self) -> ObjectKey {
        match self {
            Self::Project(project) => ObjectKey::Project(project.id),
            Self::AccessRule(rule) => ObjectKey::AccessRule(rule.id),
            Self::Credential(credential) => ObjectKey::Credential(credential.id),
            Self::Workload(workload) => ObjectKey::Workload(workload.id),
        }
    }
}

/// A project of this cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Its number.
    pub id: ProjectId,
    /// Its name, unique in the cluster.
    pub name: OrgUnitName,
    /// Its department.
    pub department_id: DepartmentId,
    /// The namespace to make, or to adopt when an administrator asked for one by name.
    pub namespace: String,
    /// Whether its people may write Ingresses and NetworkPolicies (R24); absent where nobody decided it on the control plane: the
    /// namespace's label stays as the cluster's installers set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_networking: Option<bool>,
    /// What its pods may do.
    #[serde(default, skip_serializing_if = "PodRules::is_empty")]
    pub pod_rules: PodRules,
    /// What workload policies come to for its pods, for each kind of workload.
    #[serde(default, skip_serializing_if = "WorkloadLimits::is_empty")]
    pub workload_limits: WorkloadLimits,
}

/// `subject is a role in a scope`, cut to what a cluster needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRule {
    /// Its number.
    pub id: AccessRuleId,
    /// Who.
    pub subject: Subject,
    /// As what: the kebab-case name, the last part of the ClusterRole's name.
    pub role: RoleName,
    /// Where.
    pub scope: Scope,
}

/// Who a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// What kind.
    pub kind: SubjectKind,
    /// Email, group name or service account name.
    pub name: String,
}

/// Kinds of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A person, by email.
    User,
    /// A group of the identity provider.
    Group,
    /// A service account, by name.
    ServiceAccount,
}

/// A batch job somebody asked for. The identity was verified by the server; nothing in a cluster may change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// Its id.
    pub id: WorkloadId,
    /// Its name, unique in the project.
    pub name: WorkloadName,
    /// In whose namespace.
    pub project_id: ProjectId,
    /// The email or service account name that asked.
    pub submitted_by: String,
    /// As whom it runs; absent where identity is not enforced and was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<WorkloadIdentity>,
    /// What runs.
    pub image: String,
    /// When the node gets the image; absent: as Kubernetes has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// The entry point, replacing the image's; empty keeps it.
    #[serde(default)]
    pub command: Vec<String>,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment variables, in order.
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// Whole GPUs (`nvidia.com/gpu`).
    #[serde(default)]
    pub gpus: u32,
    /// Processors and memory.
    #[serde(default, skip_serializing_if = "ContainerResources::is_none")]
    pub resources: ContainerResources,
    /// A writable home in an emptyDir, with `HOME` pointing there.
    #[serde(default)]
    pub create_home_dir: bool,
    /// `allowPrivilegeEscalation: false` was asked for by the submission itself.
    #[serde(default)]
    pub prevent_privilege_escalation: bool,
    /// Kubernetes expands `$(NAME)` and halves `$$` in words and values; false: they arrive as they were typed.
    #[serde(default)]
    pub expand_variables: bool,
    /// Entries for the person in the container's `/etc/passwd` and `/etc/group`, beside the image's own.
    #[serde(default)]
    pub passwd_entry: bool,
    /// Memory in place of the runtime's 64 MiB at `/dev/shm`.
    #[serde(default)]
    pub large_shm: bool,
    /// The container's standard input stays open, so that somebody can attach to it.
    #[serde(default)]
    pub stdin: bool,
    /// The container has a terminal.
    #[serde(default)]
    pub tty: bool,
    /// Where the container starts; absent: where its image says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Secrets that it finds as files. An operator of a protocol before 6 would drop them without a word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_volumes: Vec<SecretVolume>,
    /// How many pods it takes.
    #[serde(default, skip_serializing_if = "Attempts::is_none")]
    pub attempts: Attempts,
    /// Seconds that a pod has from the signal to end until it is killed; absent: as Kubernetes has it, 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<u32>,
    /// When its container is ready; absent: while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness_probe: Option<ReadinessProbe>,
    /// Labels and annotations.
    #[serde(default, skip_serializing_if = "OwnMetadata::is_none")]
    pub metadata: OwnMetadata,
    /// Which nodes.
    #[serde(default, skip_serializing_if = "Placement::is_none")]
    pub placement: Placement,
}

/// Processors and memory of a container; what is absent is as the namespace has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerResources {
    /// Processors that the node has to have free for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_request: Option<CpuCores>,
    /// Processors that it may use at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<CpuCores>,
    /// Memory that the node has to have free for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_request: Option<MemoryAmount>,
    /// Memory that it may use at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<MemoryAmount>,
}

impl ContainerResources {
    /// Whether nothing is asked for.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A credential that a workload finds as files, read-only. Its values come as a [`Credential`], never with the workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretVolume {
    /// The credential whose Secret is meant: another one's of the same name is not.
    pub credential_id: CredentialAssetId,
    /// The Secret's name in the project's namespace.
    pub secret: CredentialAssetName,
    /// Where the container finds it.
    pub mount_path: MountPath,
    /// The mode of its files.
    pub default_mode: FileMode,
}

/// The person a workload runs as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadIdentity {
    /// Her id: the first part of the stamp.
    pub user_id: UserId,
    /// Her email.
    pub email: Email,
    /// Her numbers.
    pub posix: PosixIdentity,
}
