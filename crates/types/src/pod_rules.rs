//! What the control plane decided of the pods of one project. The operator writes it to the project's namespace, where the
//! policies read it; what is absent here nobody decided here, and the namespace keeps what the cluster's installers wrote.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::{InvalidName, NodePoolName, PriorityClassName, SecondWriter, TaintKey};

/// How many entries a list may have.
pub const MOST_ENTRIES: usize = 32;

/// The rules. No field loosens what the cluster's own settings (`ReeveConfig`) enforce.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodRules {
    /// The Pod Security level. The stricter of this and the cluster's holds, so that `baseline` is the same as the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_security: Option<PodSecurity>,
    /// The node pools that its pods run on, at most 32; empty is every node. What is submitted without one runs on the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub node_pools: Option<Vec<NodePoolName>>,
    /// The priority classes that its pods may name, at most 32; empty is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub priority_classes: Option<Vec<PriorityClassName>>,
    /// The taints under `node-role.kubernetes.io/` that its pods may tolerate, at most 32; empty is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub tolerations: Option<Vec<TaintKey>>,
    /// Which of the cluster's trusted second writers may change where its pods run, at most 32; empty is none. One that the
    /// cluster's settings do not name is trusted nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub trusted_mutators: Option<Vec<SecondWriter>>,
}

impl PodRules {
    /// Whether nothing was decided.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The name of a list that is too long.
    pub fn too_long(&self) -> Option<&'static str> {
        fn is_long<T>(list: Option<&Vec<T>>) -> bool {
            list.is_some_and(|list| list.len() > MOST_ENTRIES)
        }
        [
            ("nodePools", is_long(self.node_pools.as_ref())),
            ("priorityClasses", is_long(self.priority_classes.as_ref())),
            ("tolerations", is_long(self.tolerations.as_ref())),
            ("trustedMutators", is_long(self.trusted_mutators.as_ref())),
        ]
        .into_iter()
        .find_map(|(name, long)| long.then_some(name))
    }
}

/// Levels of Pod Security that a project can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PodSecurity {
    /// Pods that ask for it may gain privileges, where the cluster's settings allow that.
    Baseline,
    /// No container gains privileges, whatever the cluster's settings say.
    Restricted,
}

impl FromStr for PodSecurity {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text {
            "baseline" => Ok(Self::Baseline),
            "restricted" => Ok(Self::Restricted),
            _ => Err(InvalidName::new(
                "Pod Security level",
                "baseline or restricted",
                text,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_of_its_kind_is_refused() {
        let parse = |text: &str| serde_json::from_str::<PodRules>(text);
        for (text, valid) in [
            (r#"{"nodePools":["gpu","CPU_1.a"]}"#, true),
            (r#"{"nodePools":["a,b"]}"#, false),
            (r#"{"nodePools":[""]}"#, false),
            (r#"{"nodePools":["-a"]}"#, false),
            (r#"{"priorityClasses":["build.low"]}"#, true),
            (r#"{"priorityClasses":["system-node-critical"]}"#, false),
            (r#"{"priorityClasses":["Build"]}"#, false),
            (r#"{"tolerations":["node-role.kubernetes.io/gpu"]}"#, true),
            (r#"{"tolerations":["nvidia.com/gpu"]}"#, false),
            (r#"{"tolerations":["node-role.kubernetes.io/"]}"#, false),
            (r#"{"trustedMutators":["kueue-system/kueue"]}"#, true),
            (r#"{"trustedMutators":["kueue"]}"#, false),
            (r#"{"trustedMutators":["a/b=nodeSelector"]}"#, false),
            (r#"{"podSecurity":"restricted"}"#, true),
            (r#"{"podSecurity":"privileged"}"#, false),
            (r#"{"x":1}"#, false),
        ] {
            assert_eq!(parse(text).is_ok(), valid, "{text}");
        }
    }
}
