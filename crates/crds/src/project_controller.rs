//! The section `project-controller` of `ReeveConfig`: the four switches, by the keys of every era.

use std::borrow::Cow;
use std::collections::BTreeMap;

use constcat::concat;
use reeve_types::{Switch, Switches};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Keys and values as they were written. A map, so that the schema itself refuses an unknown key by its name on every road:
/// where a struct's schema has no such field, the API server drops it without a word, and a switch that somebody meant to turn
/// off stays on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectController(pub BTreeMap<String, bool>);

impl ProjectController {
    /// What is written for these switches: those that are off.
    pub fn of(switches: Switches) -> Self {
        let off = |switch: &Switch| !switches.is_on(*switch);
        let key = |switch: Switch| (switch.key().to_owned(), false);
        Self(Switch::ALL.into_iter().filter(off).map(key).collect())
    }

    /// Whether nothing is written, so that every switch is on.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The switches. A key that the schema would refuse says nothing.
    pub fn switches(&self) -> Switches {
        let known = reeve_types::switches::known_keys();
        let keys = self.0.iter().map(|(key, on)| (key.as_str(), *on));
        Switches::of_keys(keys.filter(|(key, _)| known.contains(key))).unwrap_or_default()
    }
}

const KNOWN: &str = "['createNamespaces', 'createNamespacesAndRoleBindings', 'createRoleBindings', 'CreateRoleBindings', \
     'clusterWideSecret', 'limitRange']";

impl JsonSchema for ProjectController {
    fn schema_name() -> Cow<'static, str> {
        "ProjectController".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": {"type": "boolean"},
            "maxProperties": 6,
            "x-kubernetes-validations": [{
                "rule": concat!("self.all(key, key in ", KNOWN, ")"),
                "message": concat!("project-controller knows these keys only: ", KNOWN),
                "messageExpression": concat!(
                    "self.filter(key, !(key in ", KNOWN, "))[0] + ' is unknown: project-controller knows createNamespaces, \
                    createRoleBindings, clusterWideSecret, limitRange'"
                ),
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_the_keys_of_every_era_and_no_others() {
        let mut keys: Vec<String> = reeve_types::switches::known_keys()
            .iter()
            .map(|key| format!("'{key}'"))
            .collect();
        keys.sort_by_key(|key| key.to_lowercase());
        let mut known: Vec<&str> = KNOWN.trim_matches(['[', ']']).split(", ").collect();
        known.sort_by_key(|key| key.to_lowercase());
        keys.sort();
        known.sort_unstable();
        assert_eq!(known, keys);
    }

    #[test]
    fn what_is_written_is_read() {
        for switches in Switches::combinations() {
            assert_eq!(ProjectController::of(switches).switches(), switches);
        }
        assert_eq!(ProjectController::default().switches(), Switches::default());
    }
}
