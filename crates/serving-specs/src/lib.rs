//! Specs of the ten model-serving kinds, generated from the schemas that the API server gets, for tests. Development only.
//!
//! [`Specs::spec`] gives the spec of a number: the same for the same seed, kind and number, so that one that found a fault is found
//! again alone. Every one is what the API server accepts: types, enumerations, bounds, patterns, lists that are maps, and the CEL rules,
//! which are known here by their text ([`rules`]). Fields that may be left out are left out, `null`, empty or filled. Texts are of two
//! sorts, by the place where they stand ([`words`]): those that can be followed and those that no schema refuses and nobody can follow;
//! [`wrong`] says of a spec which conditions have to tell so.
//!
//! [`around`] has what is there beside an object: models, templates and runtime configurations that a spec may name. [`conditions`] has
//! every condition and reason that a status may have.
#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "for tests: a schema that is not understood ends the test"
)]

pub mod around;
pub mod conditions;
mod generate;
pub mod rules;
pub mod words;
pub mod wrong;

use reeve_serving_crds::all;
use serde_json::{Value, json};

/// Every kind.
pub const KINDS: [&str; 10] = [
    "AIMArtifact",
    "AIMClusterModel",
    "AIMClusterModelSource",
    "AIMClusterRuntimeConfig",
    "AIMClusterServiceTemplate",
    "AIMModel",
    "AIMRuntimeConfig",
    "AIMService",
    "AIMServiceTemplate",
    "AIMTemplateCache",
];

/// The schemas of one kind, and specs of it.
#[derive(Debug, Clone)]
pub struct Specs {
    /// The kind.
    pub kind: &'static str,
    spec: Value,
    status: Value,
}

impl Specs {
    /// Those of a kind of [`KINDS`].
    pub fn of(kind: &'static str) -> Self {
        let definitions = all().unwrap();
        let definition = definitions.iter().find(|d| d.spec.names.kind == kind).unwrap();
        let root = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
        let part = |name: &str| root["openAPIV3Schema"]["properties"][name].clone();
        Self {
            kind,
            spec: part("spec"),
            status: part("status"),
        }
    }

    /// The spec of a number. No field is as the API server would make it: that is [`Self::admitted`].
    pub fn spec(&self, seed: u64, number: u64) -> Value {
        generate::spec(&self.spec, seed, self.kind, number)
    }

    /// A spec that a person might write, from which a sequence begins and to which it comes back; there are two.
    pub fn seed(&self, number: u64) -> Value {
        let source = json!({"modelId": "org/name", "sourceUri": "hf://org/name", "size": "1Gi"});
        let first = number.is_multiple_of(2);
        let spec = match self.kind {
            "AIMArtifact" if first => json!({"sourceUri": "hf://org/name", "size": "1Gi"}),
            "AIMArtifact" => json!({"sourceUri": "hf://org/name"}),
            "AIMModel" | "AIMClusterModel" if first => {
                json!({"image": "org/aim:1", "imageMetadata": {"model": {
                "canonicalName": "org/name", "recommendedDeployments": [{"metric": "latency", "precision": "fp16"}]}}})
            }
            "AIMModel" | "AIMClusterModel" => json!({"image": "registry.example/team/tiny:1.2.0"}),
            "AIMClusterModelSource" if first => {
                json!({"registry": "registry.example", "filters": [{"image": "team/tiny:1.0.0"}]})
            }
            "AIMClusterModelSource" => {
                json!({"registry": "registry.example", "filters": [{"image": "team/*", "versions": [">=1.0"]}]})
            }
            "AIMServiceTemplate" if first => {
                json!({"modelName": "m", "modelSources": [source], "caching": {"enabled": true}})
            }
            "AIMClusterServiceTemplate" if first => json!({"modelName": "m", "modelSources": [source]}),
            "AIMServiceTemplate" | "AIMClusterServiceTemplate" => json!({"modelName": "m"}),
            "AIMTemplateCache" if first => json!({"templateName": "files", "templateScope": "Namespace"}),
            "AIMTemplateCache" => {
                json!({"templateName": "files", "templateScope": "Unknown", "mode": "Dedicated"})
            }
            "AIMService" if first => {
                json!({"model": {"name": "served"}, "routing": {"enabled": true, "gatewayRef": {"name": "g"}}})
            }
            "AIMService" => json!({"model": {"name": "served"}}),
            _ if first => {
                json!({"routing": {"enabled": true, "gatewayRef": {"name": "g"}}, "env": [{"name": "A", "value": "1"}]})
            }
            _ => json!({}),
        };
        self.admitted(&spec)
    }

    /// The spec as the API server stores it: without `null`, with defaults.
    pub fn admitted(&self, spec: &Value) -> Value {
        rules::admitted(&self.spec, spec)
    }

    /// With the fields of `before` in place of those that may not be changed.
    pub fn changeable(&self, before: &Value, spec: &Value) -> Value {
        rules::pinned(&self.spec, before, spec)
    }

    /// Why the API server would refuse a spec; `before`: the one that it replaces.
    pub fn refusal(&self, spec: &Value, before: Option<&Value>) -> Option<String> {
        rules::refusal(&self.spec, "spec", spec, before)
    }

    /// Why the API server would refuse a status.
    pub fn status_refusal(&self, status: &Value) -> Option<String> {
        rules::refusal(&self.status, "status", status, None)
    }
}
