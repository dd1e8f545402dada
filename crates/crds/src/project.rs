//! `Project`: a project of this cluster and the namespace it has.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::Phase;

/// What a project is to have. The project's name is the object's.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "reeve.dev",
    version = "v1alpha1",
    kind = "Project",
    plural = "projects",
    status = "ProjectStatus",
    derive = "PartialEq",
    category = "reeve",
    doc = "A project of this cluster. Written by the link from the control plane.",
    printcolumn(name = "Namespace", type_ = "string", json_path = ".spec.namespace"),
    printcolumn(name = "Department", type_ = "string", json_path = ".spec.departmentId"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("a project is named by 1 to 63 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen")
)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSpec {
    /// The project's number in the control plane.
    #[schemars(regex(pattern = "^[1-9][0-9]{0,9}$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("the id of a project cannot change"))]
    pub id: String,
    /// The number of its department.
    #[schemars(regex(pattern = "^[1-9][0-9]{0,9}$"))]
    pub department_id: String,
    /// The namespace to make, or to adopt when it is there and labelled.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(min = 1, max = 63))]
    #[x_kube(
        validation = Rule::new("self == oldSelf").message("the namespace of a project cannot change"),
        validation = Rule::new("!self.startsWith('kube-') && !(self in ['default', 'reeve-system', 'runai', 'reeve-secrets'])")
            .message("a namespace of the system cannot become a project")
    )]
    pub namespace: String,
    /// Whether the people of the project may write Ingresses and NetworkPolicies: the operator writes it to the namespace's
    /// label `reeve.dev/allow-networking`. Absent leaves that label as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_networking: Option<bool>,
    /// What the pods of the project may do: the operator writes it to labels and annotations of the namespace. What is absent
    /// the cluster's installers decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_rules: Option<PodRulesSpec>,
    /// What workload policies of the control plane come to for the pods and templates of the project: the operator writes it to
    /// annotations of the namespace, by which the admission policy `reeve-workload-policies` goes. Absent is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_limits: Option<WorkloadLimitsSpec>,
}

/// Limits of workloads: entries `key=value=scope`, separated by `;`, like `uid=1,32700,1=department`.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadLimitsSpec {
    /// Of trainings: Jobs and CronJobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z0-9._:/@+|,;=-]+$"), length(max = 65536))]
    pub training: Option<String>,
    /// Of workspaces: everything else that makes pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z0-9._:/@+|,;=-]+$"), length(max = 65536))]
    pub workspace: Option<String>,
}

/// What the pods of a project may do. Nothing of it loosens what `ReeveConfig` enforces.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodRulesSpec {
    /// `restricted` or `baseline`: the stricter of this and the cluster's holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^(restricted|baseline)$"))]
    pub pod_security: Option<String>,
    /// The node pools that pods run on; empty is every node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 32),
        inner(
            regex(pattern = "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"),
            length(max = 63)
        )
    )]
    pub node_pools: Option<Vec<String>>,
    /// The priority classes that pods may name; empty is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 32),
        inner(regex(pattern = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"), length(max = 253))
    )]
    pub priority_classes: Option<Vec<String>>,
    /// The taints under `node-role.kubernetes.io/` that pods may tolerate; empty is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 32),
        inner(
            regex(pattern = "^node-role[.]kubernetes[.]io/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"),
            length(max = 100)
        )
    )]
    pub tolerations: Option<Vec<String>>,
    /// Which of the second writers that `ReeveConfig` trusts may change where pods run here, as `NAMESPACE/NAME`; empty is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 32),
        inner(
            regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
            length(max = 317)
        )
    )]
    pub trusted_mutators: Option<Vec<String>>,
}

/// How a project stands.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectStatus {
    /// One word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`; `IdentityBoundary`: a container cannot become somebody else than the person it runs as;
    /// `WorkloadsAdmissible`: everything in the namespace could make its pods again under the rules;
    /// `SecretsPropagated`: every Secret that is for the project is copied into its namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// A fingerprint of every setting by which the namespace was looked at for `WorkloadsAdmissible`: its labels and annotations
    /// that policies read. With others it is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surveyed_settings: Option<String>,
    /// The Secrets that are for the project, and how the copy of each stands. Nothing here says what they hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub secrets: Vec<SecretCopy>,
}

/// A Secret that is for a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretCopy {
    /// Its name, in the project's namespace too.
    pub name: String,
    /// `namespace/name` of what it is copied from.
    pub from: String,
    /// Whether the copy is there.
    pub state: SecretState,
    /// Why not, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Which state of the source was copied: its uid and revision.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
}

/// How a copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SecretState {
    /// It is there, as the source is.
    Copied,
    /// Somebody else's Secret has its name, and stays.
    Conflict,
    /// It is not there, or not as the source is.
    NotCopied,
}
