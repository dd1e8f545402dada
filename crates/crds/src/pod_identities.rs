//! `PodIdentities`: whose each pod of a namespace is.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// Whose each pod is that runs in the namespace of a project. The policies of connections read it as their parameter
/// (admission 4): who is in no list is let into no pod. Written by the operator alone, from the pods' own stamps.
///
/// One object holds some 10,000 pods: an object of the API server has at most 1.5 MiB.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "reeve.dev",
    version = "v1alpha1",
    kind = "PodIdentities",
    plural = "podidentities",
    singular = "podidentities",
    namespaced,
    derive = "PartialEq",
    derive = "Default",
    category = "reeve",
    doc = "Whose each pod of the namespace is: who may exec, attach and port-forward. Written by the operator.",
    validation = Rule::new("self.metadata.name == 'reeve'").message("the only PodIdentities of a namespace is named reeve")
)]
#[serde(rename_all = "camelCase")]
pub struct PodIdentitiesSpec {
    /// The names of the pods that run as each person, by stamp: `userid/uid/gid/groups`.
    #[serde(default)]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub runs_as: BTreeMap<String, Vec<String>>,
}
