//! `Project`: a project of this cluster and the namespace it has.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
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
        validation = Rule::new("!self.startsWith('kube-') && !(self in ['default', 'reeve-system'])")
            .message("a namespace of the system cannot become a project")
    )]
    pub namespace: String,
    /// Whether the people of the project may write Ingresses and NetworkPolicies: the operator writes it to the namespace's
    /// label `reeve.dev/allow-networking`. Absent leaves that label as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_networking: Option<bool>,
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
    /// `WorkloadsAdmissible`: everything in the namespace could make its pods again under the rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// A fingerprint of every setting by which the namespace was looked at for `WorkloadsAdmissible`: its labels and annotations
    /// that policies read. With others it is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surveyed_settings: Option<String>,
}
