//! With which settings the rules will apply.

use std::collections::BTreeMap;

use reeve_admission::names;
use serde::Serialize;
use serde_json::Value;

use super::inventory::{Inventory, members, text};

/// The settings of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Containers run as the person who wrote them.
    pub enforce_run_as_user: bool,
    /// No container may gain privileges.
    pub enforce_prevent_privilege_escalation: bool,
}

/// A label or annotation of the namespace that loosens the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A namespace as the policies will see it.
pub(super) struct Rules {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// What `ReeveConfig` says; what it does not say is strict.
pub(super) fn settings(config: Option<&Value>) -> Settings {
    let on = |field: &str| {
        let value = config.and_then(|config| config.get("spec")?.get(field)?.as_bool());
        value.unwrap_or(true)
    };
    Settings {
        enforce_run_as_user: on("enforceRunAsUser"),
        enforce_prevent_privilege_escalation: on("enforcePreventPrivilegeEscalation"),
    }
}

/// The namespace once it is a project: the operator's labels over its own, and the controllers of others that the cluster lists.
pub(super) fn rules(inventory: &Inventory, settings: Settings) -> Rules {
    let texts = |at: &str| {
        let all = members(&inventory.namespace, at);
        all.map(|(k, v)| (k.to_owned(), v.as_str().unwrap_or("").to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let mut labels = texts("/metadata/labels");
    let switches = [
        (names::ENFORCE_RUN_AS_USER, settings.enforce_run_as_user),
        (
            names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION,
            settings.enforce_prevent_privilege_escalation,
        ),
    ];
    labels.insert(names::PROJECT.to_owned(), "project".to_owned());
    for (label, on) in switches {
        labels.insert(label.to_owned(), if on { "true" } else { names::OFF }.to_owned());
    }
    let mut annotations = texts("/metadata/annotations");
    let controllers = inventory
        .config
        .as_ref()
        .and_then(|config| config.pointer("/spec/trustedControllers"))
        .and_then(|listed| serde_json::from_value::<Vec<_>>(listed.clone()).ok())
        .unwrap_or_default();
    annotations.insert(
        names::TRUSTED_CONTROLLERS.to_owned(),
        reeve_tenancy::trusted_controllers(&controllers),
    );
    Rules { labels, annotations }
}

/// What the namespace says already and the operator leaves as it is.
pub(super) fn of_namespace(namespace: &Value) -> Vec<Setting> {
    let known = [
        names::PROJECT,
        names::PROJECT_ID,
        names::ENFORCE_RUN_AS_USER,
        names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION,
    ];
    let version = |key: &str, value: &str| key == names::POD_SECURITY_ENFORCE_VERSION && value != "latest";
    let counts = |key: &str, value: &str| {
        (key.starts_with(names::PREFIX) && !known.contains(&key)) || version(key, value)
    };
    ["labels", "annotations"]
        .iter()
        .flat_map(|field| members(namespace, &format!("/metadata/{field}")).collect::<Vec<_>>())
        .map(|(key, value)| (key, value.as_str().unwrap_or("")))
        .filter(|(key, value)| counts(key, value))
        .map(|(key, value)| Setting {
            key: key.to_owned(),
            value: value.to_owned(),
        })
        .collect()
}

/// Whether the namespace bears the label of any project.
pub(super) fn is_labelled(namespace: &Value) -> bool {
    !text(namespace, "/metadata/labels/reeve.dev~1project").is_empty()
}
