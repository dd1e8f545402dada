//! `AccessRule`: `subject is a role in a scope`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::Phase;

/// Who has which role where, in this cluster.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "reeve.dev",
    version = "v1alpha1",
    kind = "AccessRule",
    plural = "accessrules",
    status = "AccessRuleStatus",
    derive = "PartialEq",
    category = "reeve",
    doc = "An access rule that reaches this cluster. Written by the link from the control plane.",
    printcolumn(name = "Subject", type_ = "string", json_path = ".spec.subject.name"),
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.role"),
    printcolumn(name = "Scope", type_ = "string", json_path = ".spec.scope.type"),
    printcolumn(name = "Scope-Id", type_ = "string", json_path = ".spec.scope.id"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.matches('^rule-[1-9][0-9]{0,9}$') && int(self.metadata.name.substring(5)) == self.spec.id")
        .message("an access rule is named rule-<id>")
)]
#[serde(rename_all = "camelCase")]
pub struct AccessRuleSpec {
    /// The rule's number in the control plane.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("the id of an access rule cannot change"))]
    pub id: i64,
    /// Who.
    pub subject: SubjectSpec,
    /// As what: the last part of the ClusterRole's name.
    #[schemars(regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"), length(min = 1, max = 50))]
    pub role: String,
    /// Where.
    pub scope: ScopeSpec,
}

/// Whom a rule speaks of.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!self.name.lowerAscii().startsWith('system:') && !self.name.lowerAscii().startsWith('reeve:')")
        .message("names that begin with system: or reeve: belong to the system"),
    validation = Rule::new("self.kind != 'user' || self.name.matches('^[^@ ]+@[^@ ]+[.][^@ ]+$')")
        .message("a user is named by email")
)]
pub struct SubjectSpec {
    /// What kind.
    pub kind: SubjectKind,
    /// Email, group name or service account name.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
}

/// Kinds of subject.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A person.
    User,
    /// A group of the identity provider.
    Group,
    /// A service account of the control plane, not of Kubernetes.
    ServiceAccount,
}

/// Where a rule holds, seen from this cluster.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.type == 'cluster') != has(self.id)").message("a department or project has an id, the cluster has none"))]
pub struct ScopeSpec {
    /// Of what kind.
    #[serde(rename = "type")]
    pub type_: ScopeType,
    /// The number of the department or project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[1-9][0-9]{0,9}$"))]
    pub id: Option<String>,
}

/// Kinds of scope.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeType {
    /// Every project of the cluster.
    Cluster,
    /// Every project of a department.
    Department,
    /// One project.
    Project,
}

/// How a rule stands.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRuleStatus {
    /// One word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
