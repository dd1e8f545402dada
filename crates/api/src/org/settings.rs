//! What departments and projects have in common: settings that are kept and shown, and handed to a scheduler once there
//! is one that takes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body::{InvalidBody, Object};

/// `DataUpdatableFields` of the reference, and `resources`. Serializes as the middle of a department or project, and as
/// the text a store keeps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgUnitSettings {
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Limits on time.
    #[serde(default)]
    pub scheduling_rules: Option<SchedulingRules>,
    /// Names of node pools, in order of preference.
    #[serde(default)]
    pub default_node_pools: Option<Vec<String>>,
    /// Kinds of node per kind of workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_types: Option<NodeTypes>,
    /// Quotas per node pool.
    #[serde(default)]
    pub resources: Vec<Resources>,
}

impl OrgUnitSettings {
    /// Takes the settings out of a body.
    pub(super) fn take(body: &mut Object) -> Result<Self, InvalidBody> {
        let settings = Self {
            description: body.text("description", 1024)?.unwrap_or_default(),
            scheduling_rules: body.optional("schedulingRules")?,
            default_node_pools: body.optional("defaultNodePools")?,
            node_types: body.optional("nodeTypes")?,
            resources: body.required("resources")?,
        };
        if let Some(rules) = &settings.scheduling_rules {
            rules.check()?;
        }
        Ok(settings)
    }

    /// The sum of all quotas; null where nobody gave one.
    pub fn total(&self) -> TotalResources {
        let sum =
            |pick: fn(&Resources) -> Option<f64>| self.resources.iter().filter_map(pick).reduce(|a, b| a + b);
        TotalResources {
            gpu_quota: sum(|r| r.gpu.deserved),
            cpu_quota: sum(|r| r.cpu.as_ref()?.deserved),
            memory_quota: sum(|r| r.memory.as_ref()?.deserved),
        }
    }
}

/// Seconds, at least 1 each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SchedulingRules {
    /// How long an interactive workload may take.
    pub interactive_job_time_limit_seconds: Option<i64>,
    /// How long it may idle.
    pub interactive_job_max_idle_duration_seconds: Option<i64>,
    /// How long a preemptible one may idle.
    pub interactive_job_preempt_idle_duration_seconds: Option<i64>,
    /// How long a training may idle.
    pub training_job_max_idle_duration_seconds: Option<i64>,
    /// How long it may take.
    pub training_job_time_limit_seconds: Option<i64>,
}

impl SchedulingRules {
    fn check(&self) -> Result<(), InvalidBody> {
        let all = [
            self.interactive_job_time_limit_seconds,
            self.interactive_job_max_idle_duration_seconds,
            self.interactive_job_preempt_idle_duration_seconds,
            self.training_job_max_idle_duration_seconds,
            self.training_job_time_limit_seconds,
        ];
        match all.into_iter().flatten().find(|seconds| *seconds < 1) {
            Some(seconds) => Err(InvalidBody::wrong(
                "schedulingRules",
                format!("`{seconds}` seconds: at least 1 is needed"),
            )),
            None => Ok(()),
        }
    }
}

/// Kinds of node per kind of workload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NodeTypes {
    /// For trainings.
    pub training: Vec<String>,
    /// For workspaces.
    pub workspace: Vec<String>,
    /// Their display names.
    pub names: Option<BTreeMap<String, String>>,
}

/// The quota in one node pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// Which; null for the cluster's default one.
    #[serde(default)]
    pub node_pool: Option<NodePool>,
    /// GPUs.
    #[serde(default)]
    pub gpu: Quota,
    /// Millicores.
    #[serde(default)]
    pub cpu: Option<Quota>,
    /// Memory.
    #[serde(default)]
    pub memory: Option<MemoryQuota>,
    /// Rank among the projects of the pool.
    #[serde(default)]
    pub priority: Option<String>,
}

/// A node pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePool {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A quota.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// What is guaranteed.
    #[serde(default)]
    pub deserved: Option<f64>,
    /// What is possible.
    #[serde(default)]
    pub limit: Option<f64>,
    /// The share of what others leave.
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

/// A quota with a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemoryQuota {
    /// What is guaranteed.
    #[serde(default)]
    pub deserved: Option<f64>,
    /// What is possible.
    #[serde(default)]
    pub limit: Option<f64>,
    /// The share of what others leave.
    #[serde(default)]
    pub over_quota_weight: Option<f64>,
    /// The unit.
    pub units: MemoryUnit,
}

/// The units of memory that the reference knows, in its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemoryUnit {
    /// Mebibytes.
    Mib,
    /// Megabytes.
    MB,
    /// Gigabytes.
    GB,
}

/// Sums of [`Resources`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TotalResources {
    /// GPUs.
    pub gpu_quota: Option<f64>,
    /// Millicores.
    pub cpu_quota: Option<f64>,
    /// Memory, in the unit given.
    pub memory_quota: Option<f64>,
}
