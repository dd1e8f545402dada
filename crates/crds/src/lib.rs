//! The custom resources that are a cluster's memory (DESIGN, decision 5).
//!
//! The link writes them, the operator's reconcilers read nothing else, people read them. Their schemas carry the rules a
//! schema can carry, as CEL; [`convert`] turns them into the checked values of `reeve-link` and back, so that a
//! reconciler never looks at an unchecked spec. An object the API server admitted can still be invalid (an older schema
//! let it in): then [`convert`] says which field and why, and the reconciler puts that into the object's status.
//!
//! | Kind | Scope | Named | Written by |
//! |---|---|---|---|
//! | [`Project`] | cluster | as the project | the link |
//! | [`AccessRule`] | cluster | `rule-<id>` | the link |
//! | [`PodIdentities`] | namespace of the project, one, named `reeve` | | the operator, from the pods |
//! | [`Workload`] | namespace of the project | as the workload | the link; immutable |
//! | [`ReeveConfig`] | cluster, one, named `reeve` | | the cluster's installers |

#[expect(unreachable_pub, reason = "KubeSchema repeats the type inside a function")]
mod access_rule;
#[expect(unreachable_pub, reason = "KubeSchema repeats the type inside a function")]
mod config;
pub mod convert;
mod job;
#[expect(unreachable_pub, reason = "KubeSchema repeats the type inside a function")]
mod limit_range;
#[expect(unreachable_pub, reason = "KubeSchema repeats the type inside a function")]
mod pod_identities;
#[expect(unreachable_pub, reason = "KubeSchema repeats the type inside a function")]
mod project;
mod project_controller;
mod status;
#[expect(unreachable_pub, reason = "KubeSchema repeats the type inside a function")]
mod workload;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use access_rule::{
    AccessRule, AccessRuleSpec, AccessRuleStatus, ScopeSpec, ScopeType, SubjectKind, SubjectSpec,
};
pub use config::{
    OpenShift, PlacementField, ReeveConfig, ReeveConfigSpec, ReeveConfigStatus, TrustedController,
    TrustedMutator,
};
pub use convert::InvalidObject;
pub use job::{AttemptsSpec, OwnMetadataSpec, PlacementSpec, ReadinessProbeSpec, TolerationSpec};
pub use limit_range::{Amount, Amounts, ContainerLimits, Fraction, LimitRangeFactors};
pub use pod_identities::{PodIdentities, PodIdentitiesSpec};
pub use project::{
    PodRulesSpec, Project, ProjectSpec, ProjectStatus, SecretCopy, SecretState, WorkloadLimitsSpec,
};
pub use project_controller::ProjectController;
pub use status::Phase;
pub use workload::{
    ContainerResourcesSpec, EnvironmentVariable, SecretVolumeSpec, Workload, WorkloadIdentitySpec,
    WorkloadSpec, WorkloadStatus,
};

/// The checked values that conversions give.
pub use reeve_link::desired;

/// The words that name and mark custom resources.
pub use reeve_types::kubernetes::{CONFIG_NAME, ID_LABEL, REVISION_ANNOTATION};

/// Every definition, in the order in which they are installed.
pub fn all() -> Vec<CustomResourceDefinition> {
    vec![
        AccessRule::crd(),
        PodIdentities::crd(),
        Project::crd(),
        ReeveConfig::crd(),
        Workload::crd(),
    ]
}

/// Every definition as YAML: file name and text, for the chart's `crds` folder.
///
/// # Errors
/// When a definition cannot be written as YAML, which is a fault of this crate.
pub fn all_yaml() -> Result<Vec<(String, String)>, serde_saphyr::ser::Error> {
    all()
        .iter()
        .map(|crd| {
            let name = crd.metadata.name.clone().unwrap_or_default();
            Ok((format!("{name}.yaml"), serde_saphyr::to_string(crd)?))
        })
        .collect()
}
