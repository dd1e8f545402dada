//! What is known of GPUs, and which a cluster has.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};
use reeve_serving_crds::GpuRequirements;

use crate::quantity;

/// The label by which pods are sent to nodes.
pub const DEVICE_ID_LABEL: &str = "amd.com/gpu.device-id";

const GIB: i64 = 1 << 30;

/// Model, device ids, GiB of memory.
const MODELS: &[(&str, &[&str], i64)] = &[
    ("MI100", &["738c", "738e"], 32),
    ("MI210", &["740f", "7410"], 64),
    ("MI250X", &["7408", "740c"], 128),
    ("MI300A", &["74a0"], 128),
    ("MI300X", &["74a1", "74a9", "74b5", "74bd"], 192),
    ("MI308X", &["74a2", "74a8", "74b6"], 128),
    ("MI325X", &["74a5", "74b9"], 256),
    ("MI350X", &["75a0", "75b0"], 288),
    ("MI355X", &["75a3", "75b3"], 288),
    ("V710", &["7460", "7461"], 32),
    ("W7900", &["7448", "744a"], 48),
    ("W7800", &["7449", "745e"], 32),
    ("W6900X", &["73a2"], 32),
    ("W6800", &["73a3"], 32),
    ("W6800X", &["73ab"], 32),
    ("V620", &["73a1", "73ae"], 32),
    ("RX9070", &["7550"], 16),
    ("RX7900", &["744c"], 24),
    ("RX6900", &["73af"], 16),
    ("RX6800", &["73bf"], 16),
];

/// The GPU models of a cluster, with the bytes of memory of a device; 0 when nobody knows.
pub type Inventory = BTreeMap<String, i64>;

/// A model in the words of the table: `Instinct-MI325X` is `MI325X`.
pub fn normalize(model: &str) -> String {
    let upper = model.trim().to_uppercase().replace('_', "-");
    let tokens: Vec<&str> = upper
        .split(['-', ' ', '/', ':'])
        .filter(|token| !token.is_empty())
        .collect();
    let known = tokens
        .iter()
        .find(|token| !["AMD", "INSTINCT"].contains(token) && is_model(token));
    known
        .or(tokens.first())
        .map(|token| (*token).to_owned())
        .unwrap_or_default()
}

/// Letters, then digits, then anything of both.
fn is_model(token: &str) -> bool {
    let rest = token.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The model of a device id.
pub fn of_device(id: &str) -> String {
    let lower = id.to_lowercase();
    let id = lower.strip_prefix("0x").unwrap_or(&lower);
    MODELS.iter().find(|(_, ids, _)| ids.contains(&id)).map_or_else(
        || format!("AMD-{}", id.to_uppercase()),
        |(model, ..)| (*model).to_owned(),
    )
}

/// Bytes of a label such as `192G`: G and T are binary, no letter is bytes, anything else is 0.
pub fn vram(text: &str) -> i64 {
    let (number, factor) = match text.strip_suffix('G') {
        Some(number) => (number, GIB),
        None => text
            .strip_suffix('T')
            .map_or((text, 1), |number| (number, GIB << 10)),
    };
    let whole = number.chars().all(|c| c.is_ascii_digit());
    number
        .parse::<i64>()
        .ok()
        .filter(|_| whole)
        .and_then(|n| n.checked_mul(factor))
        .unwrap_or(0)
}

/// The GPU models of nodes, given the labels of each.
pub fn inventory<'a>(nodes: impl IntoIterator<Item = &'a BTreeMap<String, String>>) -> Inventory {
    let mut inventory = Inventory::new();
    for labels in nodes {
        if let Some(model) = model_of(labels) {
            inventory
                .entry(model.clone())
                .or_insert_with(|| vram_of(labels, &model));
        }
    }
    inventory
}

fn vram_of(labels: &BTreeMap<String, String>, model: &str) -> i64 {
    let said = ["amd.com/gpu.vram", "beta.amd.com/gpu.vram"]
        .iter()
        .find_map(|key| labels.get(*key));
    let known = || {
        MODELS
            .iter()
            .find(|(known, ..)| *known == model)
            .map_or(0, |(_, _, gib)| gib * GIB)
    };
    said.map(|text| vram(text))
        .filter(|bytes| *bytes > 0)
        .unwrap_or_else(known)
}

fn model_of(labels: &BTreeMap<String, String>) -> Option<String> {
    let plain = |key: &str| labels.get(key).filter(|value| !value.is_empty()).cloned();
    let counted = |key: &str| {
        let prefix = format!("{key}.");
        let there = |(key, count): (&String, &String)| {
            let id = key.strip_prefix(&prefix)?;
            (!count.is_empty() && count != "0").then(|| id.to_owned())
        };
        labels.iter().find_map(there)
    };
    let keys = |what: &str| [format!("amd.com/gpu.{what}"), format!("beta.amd.com/gpu.{what}")];
    let [device, beta_device] = keys("device-id");
    let [family, beta_family] = keys("family");
    let id = plain(&device).or_else(|| plain(&beta_device));
    let id = id.or_else(|| counted(&device)).or_else(|| counted(&beta_device));
    let by_family = || {
        let name = plain(&family).or_else(|| plain(&beta_family));
        let name = name
            .or_else(|| counted(&family))
            .or_else(|| counted(&beta_family));
        name.map(|name| normalize(&name))
    };
    id.map(|id| of_device(&id)).or_else(by_family)
}

/// Whether a template needs a GPU: some, or one of a model.
pub fn is_needed(gpu: Option<&GpuRequirements>) -> bool {
    gpu.is_some_and(|gpu| {
        gpu.requests.unwrap_or(0) > 0 || gpu.model.as_deref().is_some_and(|m| !m.is_empty())
    })
}

/// Why a cluster cannot run what needs a GPU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuMissing {
    /// There is none of the model, or none at all.
    #[error("no node has a GPU {wanted}; the cluster has {there}")]
    Model {
        /// What is wanted.
        wanted: String,
        /// What there is, sorted.
        there: String,
    },
    /// None has enough memory.
    #[error("no GPU has {wanted} of memory; the cluster has {there}")]
    Vram {
        /// What is wanted.
        wanted: String,
        /// What there is, sorted.
        there: String,
    },
}

impl GpuMissing {
    /// The reason of the condition.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Model { .. } => "GPUNotAvailable",
            Self::Vram { .. } => "VRAMNotAvailable",
        }
    }
}

/// Whether the cluster has the GPU.
///
/// # Errors
/// What is missing.
pub fn available(gpu: &GpuRequirements, inventory: &Inventory) -> Result<(), GpuMissing> {
    let there = || match inventory.keys().cloned().collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    };
    if let Some(least) = gpu.min_vram.as_ref().and_then(quantity::bytes)
        && !inventory.values().any(|bytes| *bytes >= least)
    {
        let wanted = gpu.min_vram.as_ref().map(quantity::canonical).unwrap_or_default();
        return Err(GpuMissing::Vram {
            wanted,
            there: there(),
        });
    }
    let model = gpu
        .model
        .as_deref()
        .filter(|model| !model.is_empty())
        .map(normalize);
    let found = match &model {
        Some(model) => inventory.contains_key(model),
        None => !inventory.is_empty(),
    };
    if found {
        return Ok(());
    }
    let wanted = model
        .map(|model| format!("of the model {model}"))
        .unwrap_or_default();
    Err(GpuMissing::Model {
        wanted,
        there: there(),
    })
}

/// The nodes on which a GPU of this kind is: by the ids of its model, or of every model of the cluster with enough memory.
/// `None` without such a wish, or when nothing fits it. The ids are sorted, so that the same wish is always the same text.
pub fn affinity(gpu: Option<&GpuRequirements>, inventory: &Inventory) -> Option<NodeAffinity> {
    let gpu = gpu?;
    let model = gpu
        .model
        .as_deref()
        .filter(|model| !model.is_empty())
        .map(normalize);
    let least = gpu.min_vram.as_ref().and_then(quantity::bytes);
    let wanted: BTreeSet<String> = match (model, least) {
        (Some(model), _) => BTreeSet::from([model]),
        (None, Some(least)) => {
            let enough = inventory.iter().filter(|(_, bytes)| **bytes >= least);
            enough.map(|(model, _)| model.clone()).collect()
        }
        (None, None) => return None,
    };
    let known = MODELS.iter().filter(|(model, ..)| wanted.contains(*model));
    let ids: BTreeSet<&str> = known.flat_map(|(_, ids, _)| ids.iter().copied()).collect();
    if ids.is_empty() {
        return None;
    }
    let requirement = NodeSelectorRequirement {
        key: DEVICE_ID_LABEL.to_owned(),
        operator: "In".to_owned(),
        values: Some(ids.into_iter().map(str::to_owned).collect()),
    };
    Some(NodeAffinity {
        required_during_scheduling_ignored_during_execution: Some(NodeSelector {
            node_selector_terms: vec![NodeSelectorTerm {
                match_expressions: Some(vec![requirement]),
                match_fields: None,
            }],
        }),
        preferred_during_scheduling_ignored_during_execution: None,
    })
}
