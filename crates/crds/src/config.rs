//! `ReeveConfig`: what the cluster's installers decided.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use reeve_types::{Switches, TemplateKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LimitRangeFactors, ProjectController};

/// The settings of a cluster. They reach the admission policies as labels of the project namespaces; what is absent is
/// strict, and so is a cluster without a `ReeveConfig` ([`ReeveConfigSpec::default`]).
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "reeve.dev",
    version = "v1alpha1",
    kind = "ReeveConfig",
    plural = "reeveconfigs",
    status = "ReeveConfigStatus",
    derive = "PartialEq",
    category = "reeve",
    doc = "The cluster's settings: one object, named reeve.",
    printcolumn(name = "Run-As-User", type_ = "boolean", json_path = ".spec.enforceRunAsUser"),
    printcolumn(name = "Prevent-Escalation", type_ = "boolean", json_path = ".spec.enforcePreventPrivilegeEscalation"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    validation = Rule::new("self.metadata.name == 'reeve'").message("the only ReeveConfig is named reeve")
)]
#[serde(rename_all = "camelCase")]
pub struct ReeveConfigSpec {
    /// Every container in a project runs as the person who asked for it. False: nothing of identity is filled in unless
    /// asked for.
    #[serde(default = "strict")]
    pub enforce_run_as_user: bool,
    /// No container in a project may gain privileges: Pod Security `restricted`. False: `baseline`.
    #[serde(default = "strict")]
    pub enforce_prevent_privilege_escalation: bool,
    /// Who may change where a pod of a project runs, although it is another's: queue controllers such as Kueue (R22). Never
    /// what runs, as whom, or with which volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub trusted_mutators: Vec<TrustedMutator>,
    /// Controllers of others that make pods of templates in kinds of their own, such as KubeRay, and which kinds (R31): they
    /// are trusted to copy what a person wrote into a template. Such kinds are refused where nobody is listed for them. An
    /// account that is listed twice is trusted with nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub trusted_controllers: Vec<TrustedController>,
    /// The four switches; each is on unless a key of it is false. `createNamespaces`: a namespace is made for each project.
    /// `createRoleBindings`: RoleBindings are made in project namespaces. `clusterWideSecret`: Secrets are copied into project
    /// namespaces. `limitRange`: each project namespace gets a LimitRange. Of earlier eras: `CreateRoleBindings`, and
    /// `createNamespacesAndRoleBindings` for the first two.
    #[serde(
        rename = "project-controller",
        default,
        skip_serializing_if = "ProjectController::is_empty"
    )]
    pub project_controller: ProjectController,
    /// What the LimitRange of each project is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_range: Option<LimitRangeFactors>,
    /// What is installed for OpenShift.
    #[serde(default, skip_serializing_if = "OpenShift::is_default")]
    pub open_shift: OpenShift,
}

impl ReeveConfigSpec {
    /// Which switches are on.
    pub fn switches(&self) -> Switches {
        self.project_controller.switches()
    }
}

/// What is installed for OpenShift; nothing of it means anything elsewhere.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenShift {
    /// The security context constraints `reeve-user-job` of the chart are installed: the operator lets the ServiceAccounts of
    /// projects use them as long as the admission policies are as installed, and people run as themselves, outside of the uids that
    /// OpenShift gave their namespace (R35).
    #[serde(default)]
    pub security_context_constraints: bool,
}

impl OpenShift {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A second writer, and what it is trusted with.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedMutator {
    /// The namespace of its ServiceAccount.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(min = 1, max = 63))]
    pub namespace: String,
    /// The name of its ServiceAccount.
    #[schemars(
        regex(pattern = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
        length(min = 1, max = 253)
    )]
    pub service_account: String,
    /// What it may change of a pod or a template.
    #[schemars(length(min = 1, max = 5))]
    pub fields: Vec<PlacementField>,
}

/// A controller of others, and whose templates it may make pods of.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedController {
    /// The namespace of its ServiceAccount: never that of a project, whose people could run pods under it.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(min = 1, max = 63))]
    pub namespace: String,
    /// The name of its ServiceAccount.
    #[schemars(
        regex(pattern = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
        length(min = 1, max = 253)
    )]
    pub service_account: String,
    /// The kinds that it looks after, and those that it makes of them.
    #[schemars(length(min = 1, max = 16))]
    pub kinds: Vec<TemplateKind>,
}

/// What says where and when a pod runs, and who else is to look at it.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlacementField {
    /// The annotations of a template: what a queue notes there, and what injectors go by. Never those under `reeve.dev/`.
    Annotations,
    /// The labels of a template: what a queue notes there, and what injectors go by. Never those under `reeve.dev/`, and
    /// never those that controllers select by.
    Labels,
    /// `nodeSelector`.
    NodeSelector,
    /// `schedulingGates`.
    SchedulingGates,
    /// `tolerations`.
    Tolerations,
}

impl PlacementField {
    /// As Kubernetes spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Annotations => "annotations",
            Self::Labels => "labels",
            Self::NodeSelector => "nodeSelector",
            Self::SchedulingGates => "schedulingGates",
            Self::Tolerations => "tolerations",
        }
    }
}

const fn strict() -> bool {
    true
}

impl Default for ReeveConfigSpec {
    fn default() -> Self {
        Self {
            enforce_run_as_user: true,
            enforce_prevent_privilege_escalation: true,
            trusted_mutators: Vec::new(),
            trusted_controllers: Vec::new(),
            project_controller: ProjectController::default(),
            limit_range: None,
            open_shift: OpenShift::default(),
        }
    }
}

/// How the settings stand.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReeveConfigStatus {
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: every project namespace has the settings; `PoliciesIntact`: the admission policies are as installed;
    /// `IdentityBoundary`: a container cannot become somebody else than the person it runs as;
    /// `DeletedOnControlPlane`, when True: the control plane deleted this cluster, and nobody has rights from there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
