//! `Workload`: a batch job somebody submitted, with the identity the server verified.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::job::{AttemptsSpec, OwnMetadataSpec, PlacementSpec, ReadinessProbeSpec};
use crate::status::Phase;

/// What runs, and as whom. People may only read it (admission R12), and nobody may change it.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "reeve.dev",
    version = "v1alpha1",
    kind = "Workload",
    plural = "workloads",
    namespaced,
    status = "WorkloadStatus",
    derive = "PartialEq",
    category = "reeve",
    doc = "A submitted batch job. Written by the link from the control plane; immutable.",
    printcolumn(name = "Submitted-By", type_ = "string", json_path = ".spec.submittedBy"),
    printcolumn(name = "Image", type_ = "string", json_path = ".spec.image"),
    printcolumn(name = "GPUs", type_ = "integer", json_path = ".spec.gpus"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.size() <= 50 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("a workload is named by 1 to 50 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen"),
    validation = Rule::new("!self.spec.passwdEntry || has(self.spec.identity)")
        .message("passwdEntry needs an identity: without one there is nobody to enter"),
    validation = Rule::new("self.spec == oldSelf.spec")
        .message("a workload cannot be changed: delete it and submit another")
)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSpec {
    /// The workload's id in the control plane.
    #[schemars(regex(pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))]
    pub id: String,
    /// The number of its project, whose namespace this is.
    #[schemars(regex(pattern = "^[1-9][0-9]{0,9}$"))]
    pub project_id: String,
    /// The email or service account name that asked.
    #[schemars(length(min = 1, max = 255))]
    pub submitted_by: String,
    /// As whom it runs; absent where identity is not enforced and was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<WorkloadIdentitySpec>,
    /// What runs.
    #[schemars(length(min = 1, max = 1024), regex(pattern = "^[^ \\t\\r\\n]+$"))]
    pub image: String,
    /// When the node gets the image: `Always`, `IfNotPresent` or `Never`; absent: as Kubernetes has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^(Always|IfNotPresent|Never)$"))]
    pub image_pull_policy: Option<String>,
    /// The entry point, replacing the image's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024))]
    pub command: Vec<String>,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024))]
    pub args: Vec<String>,
    /// Environment variables, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024))]
    pub environment: Vec<EnvironmentVariable>,
    /// Whole GPUs (`nvidia.com/gpu`).
    #[serde(default)]
    #[schemars(range(min = 0, max = 1024))]
    pub gpus: i32,
    /// Processors and memory; absent: as the namespace has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ContainerResourcesSpec>,
    /// A writable home in an emptyDir, with `HOME` pointing there.
    #[serde(default)]
    pub create_home_dir: bool,
    /// `allowPrivilegeEscalation: false` was asked for by the submission itself.
    #[serde(default)]
    pub prevent_privilege_escalation: bool,
    /// Let Kubernetes expand `$(NAME)` and halve `$$` in command, args and values. Otherwise they arrive as written here.
    #[serde(default)]
    pub expand_variables: bool,
    /// Put the person into the container's `/etc/passwd` and `/etc/group`, beside what the image has there. It takes an
    /// init container of the same image, which must have `/bin/sh`.
    #[serde(default)]
    pub passwd_entry: bool,
    /// A `/dev/shm` in memory without the runtime's limit of 64 MiB.
    #[serde(default)]
    pub large_shm: bool,
    /// Keep the container's standard input open, for `reeve attach`.
    #[serde(default)]
    pub stdin: bool,
    /// Give the container a terminal.
    #[serde(default)]
    pub tty: bool,
    /// The folder it starts in; absent: the image's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096), regex(pattern = "^/"))]
    pub working_dir: Option<String>,
    /// Credentials that it finds as files, read-only; nothing here says what they hold. Until the project's namespace has the copy of
    /// each, nothing runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["mountPath"])
    )]
    pub secret_volumes: Vec<SecretVolumeSpec>,
    /// How many pods it takes; absent: one, that is tried once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<AttemptsSpec>,
    /// Seconds that a pod has from the signal to end until it is killed; absent: as Kubernetes has it, 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3600))]
    pub termination_grace_period_seconds: Option<i32>,
    /// When its container is ready; absent: while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness_probe: Option<ReadinessProbeSpec>,
    /// Labels and annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<OwnMetadataSpec>,
    /// Which nodes; absent: those of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<PlacementSpec>,
}

/// Processors and memory of a container, as Kubernetes' quantities.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerResourcesSpec {
    /// Processors that the node has to have free for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[1-9][0-9]{0,6}m?$"))]
    pub cpu_request: Option<String>,
    /// Processors that it may use at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[1-9][0-9]{0,6}m?$"))]
    pub cpu_limit: Option<String>,
    /// Memory that the node has to have free for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{1,16}(\.[0-9]{1,3})?([KMGTP]i|[kMGTP])?$"))]
    pub memory_request: Option<String>,
    /// Memory that it may use at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{1,16}(\.[0-9]{1,3})?([KMGTP]i|[kMGTP])?$"))]
    pub memory_limit: Option<String>,
}

/// A credential as files.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretVolumeSpec {
    /// The credential's id in the control plane. A Secret of that name that is of something else is not mounted.
    #[schemars(regex(pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))]
    pub credential_id: String,
    /// The name of its Secret in this namespace.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub secret: String,
    /// Where the container finds its keys as files.
    #[schemars(length(min = 2, max = 4096), regex(pattern = "^/[^:]+$"))]
    pub mount_path: String,
    /// The mode of these files, in octal digits.
    #[schemars(regex(pattern = "^0[0-7]{3}$"))]
    pub default_mode: String,
}

/// The person a workload runs as.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadIdentitySpec {
    /// Her id: the first part of the stamp.
    #[schemars(regex(pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))]
    pub user_id: String,
    /// Her email.
    #[schemars(length(min = 5, max = 254))]
    pub email: String,
    /// Her user id on Linux.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub uid: i64,
    /// Her primary group.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub gid: i64,
    /// Her other groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(range(min = 1, max = 2_147_483_647)))]
    pub supplementary_groups: Vec<i64>,
}

/// One environment variable.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentVariable {
    /// Its name: anything printable but `=`.
    #[schemars(length(min = 1, max = 255), regex(pattern = "^[ -<>-~]+$"))]
    pub name: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
}

/// How a workload stands.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// One word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The uid of the Job that was made for it: a Job that is gone is not made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_uid: Option<String>,
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: the Job was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
