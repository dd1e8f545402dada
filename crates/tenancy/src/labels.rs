//! The labels and annotations of a project's namespace.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_crds::{ReeveConfigSpec, TrustedController, desired::Project};
use reeve_types::{PodSecurity, PolicyKind, Switch};

use crate::limits::Limits;

/// The settings as they hold in one project: what the control plane decided of its pods makes them stricter, never looser.
pub fn settings_of(project: &Project, settings: &ReeveConfigSpec) -> ReeveConfigSpec {
    let rules = &project.pod_rules;
    let mut here = settings.clone();
    here.enforce_prevent_privilege_escalation |= rules.pod_security == Some(PodSecurity::Restricted);
    if let Some(trusted) = &rules.trusted_mutators {
        here.trusted_mutators.retain(|mutator| {
            let name = format!("{}/{}", mutator.namespace, mutator.service_account);
            trusted.iter().any(|one| one.as_str() == name)
        });
    }
    here
}

/// The labels that say whose a namespace is, carry the cluster's settings to the admission policies, and set Pod
/// Security: `restricted`, or `baseline` where privilege escalation is allowed (under `restricted` it would be void). What the
/// project allows is among them where the control plane decided it, and otherwise left to the cluster's installers. `current` are
/// the annotations of the namespace as it is: others write some of those that bound its pods.
pub fn namespace_labels(
    project: &Project,
    settings: &ReeveConfigSpec,
    current: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let id = project.id.to_string();
    let settings = &settings_of(project, settings);
    let level = if settings.enforce_prevent_privilege_escalation {
        "restricted"
    } else {
        "baseline"
    };
    [
        (names::PROJECT, project.name.as_str()),
        (names::PROJECT_ID, id.as_str()),
        (names::QUEUE, project.name.as_str()),
        (
            names::ENFORCE_RUN_AS_USER,
            on_or_off(settings.enforce_run_as_user),
        ),
        (
            names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION,
            on_or_off(settings.enforce_prevent_privilege_escalation),
        ),
        (names::SCALE_BY_GPU, on_or_off(limits(settings).is_some())),
        (names::POD_SECURITY_ENFORCE, level),
        (names::POD_SECURITY_AUDIT, level),
        (names::POD_SECURITY_WARN, level),
        (
            names::ALLOW_ANY_UID,
            on_or_off(settings.open_shift.security_context_constraints),
        ),
        (
            names::WORKLOAD_POLICIES,
            on_or_off(!project.workload_limits.is_empty()),
        ),
        (names::BOUNDS_PODS, on_or_off(bounds_pods(project, current))),
    ]
    .into_iter()
    .chain(
        project
            .allow_networking
            .map(|on| (names::ALLOW_NETWORKING, on_or_off(on))),
    )
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// Whether the namespace says on which nodes, or with which ids, its pods run.
fn bounds_pods(project: &Project, current: &BTreeMap<String, String>) -> bool {
    let says = |key: &str| current.get(key).is_some_and(|value| !value.is_empty());
    let has_pools = match &project.pod_rules.node_pools {
        Some(pools) => !pools.is_empty(),
        None => says(names::NODE_POOLS),
    };
    has_pools || says(names::OPENSHIFT_UID_RANGE) || says(names::OPENSHIFT_GROUPS)
}

const fn on_or_off(on: bool) -> &'static str {
    if on { "true" } else { names::OFF }
}

/// The annotations of the namespace: the settings that are lists. An empty one is written too, so that one that was taken
/// away is.
pub fn namespace_annotations(project: &Project, settings: &ReeveConfigSpec) -> BTreeMap<String, String> {
    let here = settings_of(project, settings);
    let mutators: Vec<String> = here
        .trusted_mutators
        .iter()
        .map(|mutator| {
            let fields: Vec<&str> = mutator.fields.iter().map(|field| field.as_str()).collect();
            format!(
                "{}={}",
                account(&mutator.namespace, &mutator.service_account),
                fields.join("+")
            )
        })
        .collect();
    let factors = limits(settings).map(|limits| limits.gpu_factors());
    let rules = &project.pod_rules;
    // Both or none: where one is missing nothing is admitted.
    let limits = &project.workload_limits;
    let of = |kind| (!limits.is_empty()).then(|| limits.of(kind).to_string());
    [
        (names::TRUSTED_MUTATORS, Some(mutators.join(","))),
        (
            names::TRUSTED_CONTROLLERS,
            Some(trusted_controllers(&here.trusted_controllers)),
        ),
        (names::GPU_FACTORS, Some(factors.unwrap_or_default())),
        (names::NODE_POOLS, list(rules.node_pools.as_ref())),
        (names::PRIORITY_CLASSES, list(rules.priority_classes.as_ref())),
        (names::TOLERATIONS, list(rules.tolerations.as_ref())),
        (names::TRAINING_POLICY, of(PolicyKind::Training)),
        (names::WORKSPACE_POLICY, of(PolicyKind::Workspace)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
    .collect()
}

/// The controllers of others that are listed, as policies read them.
pub fn trusted_controllers(listed: &[TrustedController]) -> String {
    let entry = |controller: &TrustedController| {
        let kinds: Vec<&str> = controller.kinds.iter().map(|kind| kind.name()).collect();
        format!(
            "{}={}",
            account(&controller.namespace, &controller.service_account),
            kinds.join("+")
        )
    };
    listed.iter().map(entry).collect::<Vec<_>>().join(",")
}

/// A ServiceAccount, as the API server calls it.
fn account(namespace: &str, name: &str) -> String {
    format!("{}{namespace}:{name}", names::SERVICE_ACCOUNT_PREFIX)
}

/// What is set for containers; `None` where the switch is off, or what is set cannot be used.
fn limits(settings: &ReeveConfigSpec) -> Option<Limits> {
    if !settings.switches().is_on(Switch::LimitRange) {
        return None;
    }
    Limits::new(settings.limit_range.as_ref()).ok()
}

/// A list as policies read it; `None` where nobody decided it on the control plane.
fn list<T: ToString>(names: Option<&Vec<T>>) -> Option<String> {
    names.map(|names| names.iter().map(T::to_string).collect::<Vec<_>>().join(","))
}

/// The namespace of a project, as the operator creates it. Of an adopted one only these labels and annotations are set; the
/// rest stays. `actual` is the one that is there.
pub fn namespace(project: &Project, settings: &ReeveConfigSpec, actual: Option<&Namespace>) -> Namespace {
    let current = actual.and_then(|actual| actual.metadata.annotations.as_ref());
    Namespace {
        metadata: ObjectMeta {
            name: Some(project.namespace.clone()),
            labels: Some(namespace_labels(
                project,
                settings,
                current.unwrap_or(&BTreeMap::new()),
            )),
            annotations: Some(namespace_annotations(project, settings)),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    }
}
