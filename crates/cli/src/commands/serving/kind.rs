//! The kinds that people have to do with, and what is shown of each.

use reeve_types::Timestamp;
use serde_json::Value;

use crate::printer;

/// A kind of model serving.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// What commands, messages and `-o name` call it.
    pub(super) word: &'static str,
    /// The command that it has.
    pub(super) command: &'static str,
    /// As manifests spell it.
    pub(super) kind: &'static str,
    /// In paths.
    pub(super) plural: &'static str,
    /// Whether it lies in a namespace.
    pub(super) namespaced: bool,
    /// Its helper roles are this with `-viewer` and `-editor`.
    pub(super) role: &'static str,
    /// The state that is waited for.
    pub(super) ready: &'static str,
}

pub(super) const SERVICE: Kind = Kind {
    word: "service",
    command: "service",
    kind: "AIMService",
    plural: "aimservices",
    namespaced: true,
    role: "aimservice",
    ready: "Running",
};
pub(super) const MODEL: Kind = Kind {
    word: "model",
    command: "model",
    kind: "AIMModel",
    plural: "aimmodels",
    namespaced: true,
    role: "aimmodel",
    ready: "Ready",
};
pub(super) const CLUSTER_MODEL: Kind = Kind {
    word: "clustermodel",
    command: "model",
    kind: "AIMClusterModel",
    plural: "aimclustermodels",
    namespaced: false,
    role: "aimclustermodel",
    ready: "Ready",
};
pub(super) const ARTIFACT: Kind = Kind {
    word: "artifact",
    command: "artifact",
    kind: "AIMArtifact",
    plural: "aimartifacts",
    namespaced: true,
    role: "aimartifact",
    ready: "Ready",
};

/// A column: its head, where its cell is in an object, and whether it is one of `-o wide` alone.
type Column = (&'static str, &'static str, bool);

const OF_SERVICES: &[Column] = &[
    ("STATUS", "/status/status", false),
    ("MODEL", "/status/resolvedModel/name", false),
    ("TEMPLATE", "/status/resolvedTemplate/name", false),
    ("REPLICAS", "/status/runtime/replicas", false),
    ("PATH", "/status/routing/path", true),
    ("CACHE", "/status/cache/templateCacheRef/name", true),
    ("IMAGE", "/spec/model/image", true),
];
const OF_MODELS: &[Column] = &[
    ("STATUS", "/status/status", false),
    ("MODEL", "/status/imageMetadata/model/canonicalName", false),
    ("SOURCE", "/status/sourceType", true),
    ("IMAGE", "/spec/image", true),
];
const OF_ARTIFACTS: &[Column] = &[
    ("STATUS", "/status/status", false),
    ("SIZE", "/status/displaySize", false),
    ("PROGRESS", "/status/progress/displayPercentage", false),
    ("SOURCE", "/spec/sourceUri", true),
    ("MODE", "/status/mode", true),
    ("CLAIM", "/status/persistentVolumeClaim", true),
    ("PROTOCOL", "/status/download/protocol", true),
    ("ATTEMPT", "/status/download/attempt", true),
];

impl Kind {
    fn columns(&self) -> &'static [Column] {
        match self.command {
            "service" => OF_SERVICES,
            "model" => OF_MODELS,
            _ => OF_ARTIFACTS,
        }
    }

    /// Heads and cells of an object.
    pub(super) fn cells(&self, object: &Value, wide: bool) -> Vec<(&'static str, String)> {
        let shown = self.columns().iter().filter(|(_, _, is_wide)| wide || !is_wide);
        shown.map(|(head, path, _)| (*head, text(object, path))).collect()
    }

    /// The kind and the name.
    pub(super) fn named(&self, object: &Value) -> String {
        format!("{}/{}", self.word, name(object))
    }
}

/// What an object has there, as text; empty when it has nothing.
pub(super) fn text(object: &Value, path: &str) -> String {
    match object.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// Its name.
pub(super) fn name(object: &Value) -> String {
    text(object, "/metadata/name")
}

/// How old it is.
pub(super) fn age(object: &Value, now: Timestamp) -> String {
    since(object, "/metadata/creationTimestamp", now)
}

/// How long ago a time in it is.
pub(super) fn since(object: &Value, path: &str, now: Timestamp) -> String {
    let then = text(object, path).parse::<k8s_openapi::jiff::Timestamp>();
    then.map(|then| printer::age(now.as_seconds() - then.as_second()))
        .unwrap_or_default()
}
