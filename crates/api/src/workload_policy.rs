//! Workload policies: defaults and rules of a scope (control-plane 4.6, 4.7).

use reeve_authz::{Action, Entity};
use reeve_types::workload_policy::{Defaults, Policy, PolicyKind, Rules, ScopeType};
use reeve_types::{ClusterId, DepartmentId, PolicyId, ProjectId, Timestamp};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::body::fields::filled;
use crate::body::{InvalidBody, object, read};
use crate::operation::{QueryParameter, delete, get, may, operations, put};

const fn parameter(
    name: &'static str,
    values: &'static [&'static str],
    about: &'static str,
) -> QueryParameter {
    QueryParameter { name, values, about }
}

const SCOPES: &[&str] = &["tenant", "cluster", "department", "project"];
const SCOPE: QueryParameter = parameter(
    "scope",
    SCOPES,
    "The type of the scope. Needed, with the id that belongs to it.",
);
const DEPARTMENT: QueryParameter = parameter("departmentId", &[], "The department, for that scope.");
const PROJECT: QueryParameter = parameter("projectId", &[], "The project, for that scope.");
const CLUSTER: QueryParameter = parameter("clusterId", &[], "The cluster, for that scope.");
const APPROVE: QueryParameter = parameter(
    "approveClusterDeletion",
    &["true", "false"],
    "Taken since the reference's client sends it; there are no clusters that need it.",
);

const LISTED: &[QueryParameter] = &[
    parameter(
        "workloadType",
        &["Workspace", "Training"],
        "Those of this kind alone.",
    ),
    parameter("scope", SCOPES, "Those of scopes of this type alone."),
    DEPARTMENT,
    PROJECT,
    CLUSTER,
    parameter(
        "includeFallbackPolicies",
        &["true", "false"],
        "Taken since the reference's client sends it; there are none.",
    ),
];
const READ: &[QueryParameter] = &[SCOPE, DEPARTMENT, PROJECT, CLUSTER];
const WRITTEN: &[QueryParameter] = &[
    parameter(
        "validateOnly",
        &["true", "false"],
        "Whether it is only checked, and nothing written.",
    ),
    APPROVE,
];
const DELETED: &[QueryParameter] = &[SCOPE, DEPARTMENT, PROJECT, CLUSTER, APPROVE];

operations! {
    /// Operations on workload policies.
    OPERATIONS: WorkloadPolicyOperation as WorkloadPolicy, "Policy";
    /// List workload policies.
    ListPolicies = get("list_policies", "/api/v2/policy", may(Action::Read, Entity::Policies))
        .asks(LISTED)
        .answers::<WorkloadPolicies>(200);
    /// Get the training policy of a scope, and what holds there.
    GetTrainingPolicy = get("get_training_policy_v2", "/api/v2/policy/trainings", may(Action::Read, Entity::Policies))
        .asks(READ).answers::<WorkloadPolicy>(200).also(&[404]);
    /// Write the training policy of a scope.
    SetTrainingPolicy = put("overwrite_training_policy_v2", "/api/v2/policy/trainings", may(Action::Update, Entity::Policies))
        .asks(WRITTEN)
        .takes::<SetWorkloadPolicy>().answers::<WorkloadPolicy>(200).also(&[404]);
    /// Delete the training policy of a scope.
    DeleteTrainingPolicy = delete("delete_training_policy", "/api/v2/policy/trainings", may(Action::Delete, Entity::Policies))
        .asks(DELETED).answers_nothing(204).also(&[404]);
    /// Get the workspace policy of a scope, and what holds there.
    GetWorkspacePolicy = get("get_workspace_policy_v2", "/api/v2/policy/workspaces", may(Action::Read, Entity::Policies))
        .asks(READ).answers::<WorkloadPolicy>(200).also(&[404]);
    /// Write the workspace policy of a scope.
    SetWorkspacePolicy = put("overwrite_workspace_policy_v2", "/api/v2/policy/workspaces", may(Action::Update, Entity::Policies))
        .asks(WRITTEN)
        .takes::<SetWorkloadPolicy>().answers::<WorkloadPolicy>(200).also(&[404]);
    /// Delete the workspace policy of a scope.
    DeleteWorkspacePolicy = delete("delete_workspace_policy", "/api/v2/policy/workspaces", may(Action::Delete, Entity::Policies))
        .asks(DELETED).answers_nothing(204).also(&[404]);
}

/// `PUT /api/v2/policy/…`: the policy that stands in a scope from then on, whole.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "meta": {"scope": "tenant", "name": "hardening"},
    "policy": {
        "defaults": {"security": {"allowPrivilegeEscalation": false}},
        "rules": {"security": {"allowPrivilegeEscalation": {"canEdit": false}, "runAsUid": {"min": 1, "max": 32700}}}
    }
}))]
pub struct SetWorkloadPolicy {
    /// Where it is, and what it is called.
    pub meta: PolicyPlace,
    /// What it says.
    pub policy: Policy,
}

/// Where a policy is, and what it is called.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyPlace {
    /// The type of the scope.
    pub scope: ScopeType,
    /// Its name for people, at most 255 bytes.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The project, for that scope: its number, with or without quotes.
    #[serde(default, deserialize_with = "project")]
    pub project_id: Option<ProjectId>,
    /// The department, for that scope.
    #[serde(default)]
    pub department_id: Option<DepartmentId>,
    /// The cluster, for that scope.
    #[serde(default)]
    pub cluster_id: Option<ClusterId>,
}

/// The reference sends it as a number.
fn project<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProjectId>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    text.parse()
        .map(Some)
        .map_err(|_| D::Error::custom("the number of a project is needed"))
}

/// Fields of the reference's policies that are not acted on yet, at whatever depth.
const NOT_YET: &[&str] = &[
    "annotations",
    "args",
    "autoDeletionTimeAfterCompletionSeconds",
    "backoffLimit",
    "capabilities",
    "category",
    "command",
    "completions",
    "configMapVolume",
    "cpuCoreLimit",
    "cpuCoreRequest",
    "cpuMemoryLimit",
    "cpuMemoryRequest",
    "createHomeDir",
    "dataVolume",
    "defaultFrom",
    "emptyDirVolume",
    "environmentVariables",
    "exposedUrls",
    "extendedResources",
    "git",
    "gpuMemoryLimit",
    "gpuMemoryRequest",
    "gpuPortionLimit",
    "gpuPortionRequest",
    "gpuRequestType",
    "imagePullPolicy",
    "imagePullSecrets",
    "imposedAssets",
    "labels",
    "largeShmRequest",
    "nfs",
    "nodeAffinityRequired",
    "nodePools",
    "nodeType",
    "parallelism",
    "podAffinity",
    "ports",
    "preemptibility",
    "priorityClass",
    "probes",
    "pvc",
    "readOnlyRootFilesystem",
    "relatedUrls",
    "restartPolicy",
    "runAsGid",
    "runAsUid",
    "s3",
    "secretVolume",
    "status",
    "stdin",
    "storage",
    "supplementalGroups",
    "terminateAfterPreemption",
    "terminationGracePeriodSeconds",
    "tolerations",
    "tty",
    "workingDir",
];

impl crate::body::Body for SetWorkloadPolicy {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body: Self = read(object(bytes)?).map_err(|error| match error {
            InvalidBody::Unknown { path } if is_not_yet(&path) => InvalidBody::Unsupported { path },
            error => error,
        })?;
        body.policy.rules = body.policy.rules.without_sources();
        let wrong = |error: reeve_types::workload_policy::InvalidPolicy| {
            InvalidBody::wrong(format!("policy.{}", error.path), error.problem)
        };
        body.policy.check().map_err(wrong)?;
        Ok(body)
    }
}

fn is_not_yet(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    path.starts_with("policy.") && NOT_YET.contains(&last)
}

/// A policy, and what holds where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadPolicy {
    /// Where it is and whose; absent where the scope has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<PolicyMeta>,
    /// What it says; absent where the scope has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// What holds in the scope, of this policy and of those above it.
    pub effective: EffectivePolicy,
    /// When the scope's own policy was last changed; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_updated_at: Option<Timestamp>,
}

/// What holds in a scope.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EffectivePolicy {
    /// What a workload gets that says nothing of it itself.
    #[serde(default)]
    pub defaults: Defaults,
    /// What a workload may say, each with `sourceOfRule`.
    #[serde(default)]
    pub rules: Rules,
}

/// Where a policy is and whose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyMeta {
    /// Its id: kept when it is overwritten.
    pub id: PolicyId,
    /// The account's id.
    pub tenant_id: i32,
    /// Its name for people.
    pub name: String,
    /// The type of the scope.
    pub scope: ScopeType,
    /// The project's number, for that scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<i64>,
    /// The department, for that scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<DepartmentId>,
    /// The cluster, for that scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    /// Who made it: a user's email or a service account's name.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who changed it last: at first, who made it.
    pub updated_by: String,
    /// When it was last changed: at first, made.
    pub updated_at: Timestamp,
}

/// Workload policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadPolicies {
    /// Those that the caller may read, by scope from the account down.
    pub policies: Vec<PolicyEntry>,
}

/// A policy of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyEntry {
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: PolicyKind,
    /// Where it is and whose.
    pub meta: PolicyMeta,
}
