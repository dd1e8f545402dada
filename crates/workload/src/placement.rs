//! Which nodes a workload's pods may run on; the project's pool comes besides ([`crate::run_on_pool`]).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Toleration;
use reeve_admission::names;
use reeve_crds::desired::Workload;

/// Nodes of the type that was asked for.
pub(crate) fn node_selector(workload: &Workload) -> Option<BTreeMap<String, String>> {
    let node_type = workload.placement.node_type.as_ref()?;
    Some(BTreeMap::from([(
        names::NODE_TYPE.to_owned(),
        node_type.to_string(),
    )]))
}

/// The taints that it is put up with.
pub(crate) fn tolerations(workload: &Workload) -> Option<Vec<Toleration>> {
    let all = workload.placement.tolerations.iter().map(|it| Toleration {
        key: Some(it.key.to_string()),
        operator: Some(it.operator.to_string()),
        value: it.value.as_ref().map(ToString::to_string),
        effect: it.effect.map(|effect| effect.to_string()),
        toleration_seconds: it.seconds.map(i64::from),
    });
    let all: Vec<_> = all.collect();
    (!all.is_empty()).then_some(all)
}
