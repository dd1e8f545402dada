//! The switches in files of every era: Helm values, and a saved `runaiconfig` or `ReeveConfig`.

use serde_json::{Map, Value};

use super::{Switches, known_keys};

/// Where a section `project-controller` may be.
const PLACES: [&[&str]; 3] = [&["clusterConfig"], &["runai-operator", "config"], &["spec"]];
const SECTION: &str = "project-controller";

/// A file says something of the switches that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValues {
    /// A key that is none.
    #[error("`{0}` is unknown: use one of {known}", known = known_keys().join(", "))]
    UnknownKey(String),
    /// A value that is neither true nor false.
    #[error("`{0}` must be true or false")]
    NotBoolean(String),
    /// A section that is none.
    #[error("`{0}` must be a section with keys of its own")]
    NotASection(String),
}

impl Switches {
    /// What Helm values of any era, or a saved `runaiconfig` or `ReeveConfig`, say. Off wins: one key that says false is enough.
    /// A key without a value says nothing.
    ///
    /// # Errors
    /// [`InvalidValues`], which names the key by its whole path.
    pub fn of_values(values: &Value) -> Result<Self, InvalidValues> {
        let mut switches = Self::default();
        for place in PLACES {
            let path = || format!("{}.{SECTION}", place.join("."));
            let found = place.iter().try_fold(values, |at, name| at.get(name));
            let section = match found.and_then(|it| it.get(SECTION)) {
                None | Some(Value::Null) => continue,
                Some(Value::Object(section)) => section,
                Some(_) => return Err(InvalidValues::NotASection(path())),
            };
            switches = switches.and(of_section(section, &path())?);
        }
        Ok(switches)
    }
}

fn of_section(section: &Map<String, Value>, path: &str) -> Result<Switches, InvalidValues> {
    let mut keys = Vec::new();
    for (key, value) in section {
        match value {
            Value::Null => {}
            Value::Bool(on) => keys.push((key.as_str(), *on)),
            _ => return Err(InvalidValues::NotBoolean(format!("{path}.{key}"))),
        }
    }
    Switches::of_keys(keys).map_err(|unknown| InvalidValues::UnknownKey(format!("{path}.{}", unknown.0)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(values: &Value) -> Result<String, String> {
        Switches::of_values(values)
            .map(|it| it.to_string())
            .map_err(|it| it.to_string())
    }

    #[test]
    fn values_of_every_era_are_read() {
        let all = Switches::default().to_string();
        for (values, off) in [
            (json!({}), ""),
            (json!({"pspEnabled": false, "clusterConfig": null}), ""),
            // 2020.
            (
                json!({"runai-operator": {"config": {"project-controller": {"createNamespacesAndRoleBindings": false},
                    "global": {"openshift": true}}}}),
                "namespace-creation user-assignment",
            ),
            // 2021.
            (
                json!({"runai-operator": {"config": {"project-controller": {"createNamespaces": true,
                    "createRoleBindings": false, "clusterWideSecret": false}}}}),
                "user-assignment secret-propagation",
            ),
            // 2.10: a saved runaiconfig.
            (
                json!({"apiVersion": "run.ai/v1", "kind": "RunaiConfig", "spec": {"project-controller":
                    {"createNamespaces": false}, "limitRange": {"cpuDefaultRequestGpuFactor": "100m"}}}),
                "namespace-creation",
            ),
            // 2.24, and its Helm values beside an older file: off wins.
            (
                json!({"clusterConfig": {"project-controller": {"CreateRoleBindings": false, "limitRange": false}},
                    "runai-operator": {"config": {"project-controller": {"createRoleBindings": true}}}}),
                "user-assignment limit-range",
            ),
        ] {
            let wanted = off.split_whitespace().fold(all.clone(), |all, it| {
                all.replace(&format!("{it}=on"), &format!("{it}=off"))
            });
            assert_eq!(read(&values), Ok(wanted), "{values}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused_by_its_name() {
        for (values, told) in [
            (
                json!({"clusterConfig": {"project-controller": {"createNamespace": false}}}),
                "`clusterConfig.project-controller.createNamespace` is unknown: use one of createNamespaces, ",
            ),
            (
                json!({"spec": {"project-controller": {"limitRange": "off"}}}),
                "`spec.project-controller.limitRange` must be true or false",
            ),
            (
                json!({"runai-operator": {"config": {"project-controller": [1]}}}),
                "`runai-operator.config.project-controller` must be a section",
            ),
        ] {
            let error = read(&values).unwrap_err();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
