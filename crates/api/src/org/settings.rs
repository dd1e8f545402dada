//! What departments and projects have in common: settings that are kept and shown, and handed to a scheduler once there
//! is one that takes them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::body::{Body, InvalidBody, list};

/// A body that makes or changes a department or project: its own fields and, after them, the settings that both have. They cannot be
/// flattened in: serde would read them ahead, and a refusal could not say at which field.
macro_rules! with_settings {
    ($(#[$attribute:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$attribute])*
        pub struct $name {
            $($own)*
            /// For people, at most 1024 bytes.
            #[serde(default, deserialize_with = "text::<_, 1024>")]
            #[schemars(length(max = 1024))]
            pub description: Option<String>,
            /// Limits on time; kept and shown, not enforced yet.
            #[serde(default)]
            pub scheduling_rules: Option<SchedulingRules>,
            /// Names of node pools, in order of preference; kept and shown, not used yet.
            #[serde(default)]
            pub default_node_pools: Option<Vec<String>>,
            /// Kinds of node for each kind of workload; kept and shown, not used yet.
            #[serde(default)]
            pub node_types: Option<NodeTypes>,
            /// Quotas, one for each node pool; kept and shown, not enforced yet. May be empty.
            pub resources: Vec<Resources>,
        }

        impl $name {
            /// Its settings, as they are kept.
            pub fn settings(&self) -> OrgUnitSettings {
                OrgUnitSettings {
                    description: self.description.clone().unwrap_or_default(),
                    scheduling_rules: self.scheduling_rules.clone(),
                    default_node_pools: self.default_node_pools.clone(),
                    node_types: self.node_types.clone(),
                    resources: self.resources.clone(),
                }
            }
        }
    };
}
pub(crate) use with_settings;

/// `DataUpdatableFields` of the reference, and `resources`. Serializes as the middle of a department or project, and as
/// the text a store keeps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrgUnitSettings {
    /// For people; empty when none was given.
    #[serde(default)]
    pub description: String,
    /// Limits on time; null when none were given.
    #[serde(default)]
    pub scheduling_rules: Option<SchedulingRules>,
    /// Names of node pools, in order of preference; null when none were given.
    #[serde(default)]
    pub default_node_pools: Option<Vec<String>>,
    /// Kinds of node for each kind of workload; absent when none were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_types: Option<NodeTypes>,
    /// Quotas, one for each node pool.
    #[serde(default)]
    pub resources: Vec<Resources>,
}

impl OrgUnitSettings {
    /// The sums over all node pools; null where nobody gave one.
    pub fn total(&self) -> TotalResources {
        let sum =
            |pick: fn(&Resources) -> Option<f64>| self.resources.iter().filter_map(pick).reduce(|a, b| a + b);
        TotalResources {
            gpu_quota: sum(|r| r.gpu.deserved),
            cpu_quota: sum(|r| r.cpu.as_ref()?.deserved),
            memory_quota: sum(|r| r.memory.as_ref()?.deserved_mebibytes()),
        }
    }
}

/// Limits on time, in whole seconds, each at least 1; null means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SchedulingRules {
    /// Seconds that an interactive workload may take.
    #[serde(deserialize_with = "seconds")]
    #[schemars(range(min = 1))]
    pub interactive_job_time_limit_seconds: Option<i64>,
    /// Seconds that an interactive workload may be idle.
    #[serde(deserialize_with = "seconds")]
    #[schemars(range(min = 1))]
    pub interactive_job_max_idle_duration_seconds: Option<i64>,
    /// Seconds that a preemptible interactive workload may be idle.
    #[serde(deserialize_with = "seconds")]
    #[schemars(range(min = 1))]
    pub interactive_job_preempt_idle_duration_seconds: Option<i64>,
    /// Seconds that a training may be idle.
    #[serde(deserialize_with = "seconds")]
    #[schemars(range(min = 1))]
    pub training_job_max_idle_duration_seconds: Option<i64>,
    /// Seconds that a training may take.
    #[serde(deserialize_with = "seconds")]
    #[schemars(range(min = 1))]
    pub training_job_time_limit_seconds: Option<i64>,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    match Option::deserialize(deserializer)? {
        Some(seconds) if seconds < 1 => Err(D::Error::custom("at least 1 second is needed")),
        seconds => Ok(seconds),
    }
}

/// Kinds of node per kind of workload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NodeTypes {
    /// The kinds of node that trainings may use; empty means all.
    pub training: Vec<String>,
    /// The kinds of node that workspaces may use; empty means all.
    pub workspace: Vec<String>,
    /// What a console calls the kinds, by their key; null when they have no other names.
    pub names: Option<BTreeMap<String, String>>,
}

/// The quota in one node pool. Kept and shown, not enforced yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// The node pool; null for the cluster's default one.
    #[serde(default)]
    pub node_pool: Option<NodePool>,
    /// Whole GPUs and parts of them.
    #[serde(default)]
    pub gpu: Quota,
    /// Thousandths of a CPU core; null when none was given.
    #[serde(default)]
    pub cpu: Option<Quota>,
    /// Memory in the unit that it names; null when none was given.
    #[serde(default)]
    pub memory: Option<MemoryQuota>,
    /// The rank among the projects of the pool; null when none was given.
    #[serde(default)]
    pub priority: Option<String>,
}

/// `PUT` and `PATCH …/resources` of departments and projects: quotas, each for another node pool; kept and shown, not enforced yet. An
/// empty body is an empty list.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(example = serde_json::json!([{"nodePool": {"id": "1", "name": "default"}, "gpu": {"deserved": 2}}]))]
pub struct SetResources(Vec<Resources>);

impl Body for SetResources {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let all: Vec<Resources> = list(bytes)?;
        for (at, one) in all.iter().enumerate() {
            if all.iter().take(at).any(|before| before.pool() == one.pool()) {
                let path = format!("[{at}].nodePool");
                return Err(InvalidBody::wrong(
                    path,
                    "another node pool is needed: each has one quota",
                ));
            }
        }
        Ok(Self(all))
    }
}

impl SetResources {
    /// They, and no others.
    pub fn alone(self) -> Vec<Resources> {
        self.0
    }

    /// They in the place of those of the same node pools, and the others of before.
    pub fn over(self, mut before: Vec<Resources>) -> Vec<Resources> {
        for new in self.0 {
            match before.iter_mut().find(|it| it.pool() == new.pool()) {
                Some(old) => *old = new,
                None => before.push(new),
            }
        }
        before
    }
}

impl Resources {
    /// Of which node pool; `None` for the default one.
    fn pool(&self) -> Option<&str> {
        self.node_pool.as_ref().map(|pool| pool.id.as_str())
    }
}

/// A node pool, by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodePool {
    /// Whatever the caller named it by: node pools are not known here, and nothing is looked up.
    pub id: String,
    /// Its name; absent when only the id was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A quota, in the unit of the field that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// What is guaranteed; null for nothing.
    #[serde(default)]
    pub deserved: Option<f64>,
    /// What is possible; null for no limit, and -1 likewise in the reference.
    #[serde(default)]
    pub limit: Option<f64>,
    /// The weight for the share of what others leave; null for the default.
    #[serde(default)]
    pub over_quota_weight: Option<f64>,
}

impl Default for Quota {
    /// The reference's default for GPUs: none guaranteed.
    fn default() -> Self {
        Self {
            deserved: Some(0.0),
            limit: None,
            over_quota_weight: None,
        }
    }
}

/// A quota of memory, with its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemoryQuota {
    /// What is guaranteed; null for nothing.
    #[serde(default)]
    pub deserved: Option<f64>,
    /// What is possible; null for no limit, and -1 likewise in the reference.
    #[serde(default)]
    pub limit: Option<f64>,
    /// The weight for the share of what others leave; null for the default.
    #[serde(default)]
    pub over_quota_weight: Option<f64>,
    /// The unit of `deserved` and `limit`.
    pub units: MemoryUnit,
}

impl MemoryQuota {
    /// What is guaranteed, in mebibytes.
    fn deserved_mebibytes(&self) -> Option<f64> {
        Some(self.deserved? * self.units.bytes() / MemoryUnit::Mib.bytes())
    }
}

/// The units of memory that the reference knows, in its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MemoryUnit {
    /// Mebibytes: 1,048,576 bytes.
    Mib,
    /// Megabytes: 1,000,000 bytes.
    MB,
    /// Gigabytes: 1,000,000,000 bytes.
    GB,
}

impl MemoryUnit {
    const fn bytes(self) -> f64 {
        match self {
            Self::Mib => 1_048_576.0,
            Self::MB => 1_000_000.0,
            Self::GB => 1_000_000_000.0,
        }
    }
}

/// What is guaranteed over all node pools; null where no node pool has a quota.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotalResources {
    /// GPUs, with parts.
    pub gpu_quota: Option<f64>,
    /// Thousandths of a CPU core.
    pub cpu_quota: Option<f64>,
    /// Memory in mebibytes (1,048,576 bytes), whatever units the quotas are given in.
    pub memory_quota: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planted faults: a change of one node pool forgets the others, or adds a second quota of the same.
    #[test]
    fn quotas_are_changed_by_their_node_pools() {
        let parse = |text: &str| SetResources::parse(text.as_bytes());
        let before = parse(r#"[{"nodePool":{"id":"a"},"gpu":{"deserved":1}},{"gpu":{"deserved":2}}]"#);
        let new = r#"[{"nodePool":{"id":"a","name":"A"},"gpu":{"deserved":3}},{"nodePool":{"id":"b"}}]"#;
        let after = parse(new).unwrap().over(before.unwrap().alone());
        let deserved: Vec<_> = after.iter().map(|it| (it.pool(), it.gpu.deserved)).collect();
        assert_eq!(
            deserved,
            [(Some("a"), Some(3.0)), (None, Some(2.0)), (Some("b"), Some(0.0))]
        );
        assert_eq!(parse("").unwrap().alone(), []);
        assert_eq!(parse("\"[]\"").unwrap().alone(), []);
        let twice = parse(r#"[{},{"nodePool":{"id":"a"}},{"nodePool":null}]"#).unwrap_err();
        assert!(twice.to_string().starts_with("`[2].nodePool`"), "{twice}");
        assert_eq!(
            parse("{}").unwrap_err().to_string(),
            "the request body: a list is needed"
        );
        assert_eq!(
            parse(r#"[{"gpus":1}]"#).unwrap_err().to_string(),
            "`[0].gpus` is not a field of this request"
        );
    }

    #[test]
    fn memory_in_different_units_is_added_in_one() {
        let total = |resources: &str| {
            let resources = serde_json::from_str(resources).unwrap();
            let settings = OrgUnitSettings {
                resources,
                ..OrgUnitSettings::default()
            };
            settings.total().memory_quota
        };
        let mixed = r#"[{"memory":{"deserved":1024,"units":"Mib"}},{"memory":{"deserved":1.048576,"units":"GB"}},
            {"memory":{"deserved":1.048576,"units":"MB"}},{"memory":{"deserved":null,"units":"GB"}},{}]"#;
        assert_eq!(total(mixed), Some(1024.0 + 1000.0 + 1.0));
        assert_eq!(total("[]"), None);
        assert_eq!(total(r#"[{"memory":{"units":"GB"}}]"#), None);
    }
}
