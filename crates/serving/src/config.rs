//! The runtime configuration in force: the cluster's with the namespace's over it.

use reeve_serving_crds::{
    AimRuntimeConfigSpec, GatewayReference, LabelPropagation, ModelConfig, ResolvedReference, RoutingConfig,
    Scope, StorageConfig,
};

use crate::env;

/// The configuration that is used where none is named.
pub const DEFAULT_NAME: &str = "default";

/// The name of an object's configuration.
pub fn name(asked: Option<&str>) -> &str {
    asked.filter(|name| !name.is_empty()).unwrap_or(DEFAULT_NAME)
}

/// A configuration was named, and there is none of the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no AIMRuntimeConfig and no AIMClusterRuntimeConfig `{name}`: make one, or leave runtimeConfigName out"
)]
pub struct ConfigNotFound {
    /// The name.
    pub name: String,
}

/// The configuration in force.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuntimeConfig {
    /// What it says.
    pub spec: AimRuntimeConfigSpec,
    /// Where from; `None` when there is none and none was named.
    pub from: Option<ResolvedReference>,
}

impl RuntimeConfig {
    /// The reason of the condition `RuntimeConfigReady`.
    pub const fn reason(&self) -> &'static str {
        if self.from.is_some() {
            "ConfigFound"
        } else {
            "DefaultConfigNotFound"
        }
    }
}

/// The configuration of this name. For objects of the cluster there is no `namespaced` one.
///
/// # Errors
/// When there is none, unless it is the default.
pub fn resolve(
    name: &str,
    cluster: Option<&AimRuntimeConfigSpec>,
    namespaced: Option<&AimRuntimeConfigSpec>,
) -> Result<RuntimeConfig, ConfigNotFound> {
    let (spec, scope) = match (cluster.map(migrated), namespaced.map(migrated)) {
        (Some(cluster), Some(namespaced)) => (merge(cluster, namespaced), Scope::Merged),
        (Some(cluster), None) => (cluster, Scope::Cluster),
        (None, Some(namespaced)) => (namespaced, Scope::Namespace),
        (None, None) if name == DEFAULT_NAME => return Ok(RuntimeConfig::default()),
        (None, None) => {
            return Err(ConfigNotFound {
                name: name.to_owned(),
            });
        }
    };
    let from = ResolvedReference {
        name: Some(name.to_owned()),
        scope: Some(scope),
        ..ResolvedReference::default()
    };
    Ok(RuntimeConfig {
        spec,
        from: Some(from),
    })
}

/// With the deprecated fields in their new places, where those say nothing.
fn migrated(config: &AimRuntimeConfigSpec) -> AimRuntimeConfigSpec {
    let mut config = config.clone();
    let class = config.default_storage_class_name.take();
    let headroom = config.pvc_headroom_percent.take();
    if class.is_some() || headroom.is_some() {
        let storage = config.storage.get_or_insert_default();
        storage.default_storage_class_name = storage.default_storage_class_name.take().or(class);
        storage.pvc_headroom_percent = storage.pvc_headroom_percent.or(headroom);
    }
    config
}

/// What says nothing: `false`, `0` and `""` do not override. A namespace cannot switch off what the cluster switches on; a
/// service can.
trait Empty {
    fn is_empty_value(&self) -> bool;
}
impl Empty for String {
    fn is_empty_value(&self) -> bool {
        self.is_empty()
    }
}
impl Empty for bool {
    fn is_empty_value(&self) -> bool {
        !self
    }
}
impl Empty for i32 {
    fn is_empty_value(&self) -> bool {
        *self == 0
    }
}

fn scalar<T: Empty>(base: Option<T>, over: Option<T>) -> Option<T> {
    match (base, over) {
        (Some(base), Some(over)) if over.is_empty_value() && !base.is_empty_value() => Some(base),
        (base, over) => over.or(base),
    }
}

fn both<T>(base: Option<T>, over: Option<T>, merge: impl FnOnce(T, T) -> T) -> Option<T> {
    match (base, over) {
        (Some(base), Some(over)) => Some(merge(base, over)),
        (base, over) => over.or(base),
    }
}

fn merge(base: AimRuntimeConfigSpec, over: AimRuntimeConfigSpec) -> AimRuntimeConfigSpec {
    AimRuntimeConfigSpec {
        storage: both(base.storage, over.storage, |base, over| StorageConfig {
            default_storage_class_name: scalar(
                base.default_storage_class_name,
                over.default_storage_class_name,
            ),
            pvc_headroom_percent: scalar(base.pvc_headroom_percent, over.pvc_headroom_percent),
        }),
        routing: both(base.routing, over.routing, routing),
        env: env::merge(&base.env, &over.env),
        model: both(base.model, over.model, |base, over| ModelConfig {
            auto_discovery: scalar(base.auto_discovery, over.auto_discovery),
        }),
        label_propagation: both(base.label_propagation, over.label_propagation, |base, over| {
            LabelPropagation {
                enabled: scalar(base.enabled, over.enabled),
                patterns: if over.patterns.is_empty() {
                    base.patterns
                } else {
                    over.patterns
                },
            }
        }),
        default_storage_class_name: None,
        pvc_headroom_percent: None,
    }
}

fn routing(base: RoutingConfig, over: RoutingConfig) -> RoutingConfig {
    let mut annotations = base.annotations;
    annotations.extend(over.annotations);
    RoutingConfig {
        enabled: scalar(base.enabled, over.enabled),
        gateway_ref: both(base.gateway_ref, over.gateway_ref, |base, over| {
            GatewayReference {
                group: scalar(base.group, over.group),
                kind: scalar(base.kind, over.kind),
                name: if over.name.is_empty() {
                    base.name
                } else {
                    over.name
                },
                namespace: scalar(base.namespace, over.namespace),
                section_name: scalar(base.section_name, over.section_name),
                port: scalar(base.port, over.port),
            }
        }),
        path_template: scalar(base.path_template, over.path_template),
        request_timeout: scalar(base.request_timeout, over.request_timeout),
        annotations,
    }
}
