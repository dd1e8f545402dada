//! The labels and annotations of a project's namespace.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_crds::{ReeveConfigSpec, desired::Project};

/// The labels that say whose a namespace is, carry the cluster's settings to the admission policies, and set Pod
/// Security: `restricted`, or `baseline` where privilege escalation is allowed (under `restricted` it would be void). What the
/// project allows is among them where the control plane decided it, and otherwise left to the cluster's installers.
pub fn namespace_labels(project: &Project, settings: &ReeveConfigSpec) -> BTreeMap<String, String> {
    let id = project.id.to_string();
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
        (names::POD_SECURITY_ENFORCE, level),
        (names::POD_SECURITY_AUDIT, level),
        (names::POD_SECURITY_WARN, level),
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

const fn on_or_off(on: bool) -> &'static str {
    if on { "true" } else { names::OFF }
}

/// The annotations of the namespace: the settings that are lists. An empty one is written too, so that one that was taken
/// away is.
pub fn namespace_annotations(settings: &ReeveConfigSpec) -> BTreeMap<String, String> {
    let mutators: Vec<String> = settings
        .trusted_mutators
        .iter()
        .map(|mutator| {
            let fields: Vec<&str> = mutator.fields.iter().map(|field| field.as_str()).collect();
            format!(
                "{}{}:{}={}",
                names::SERVICE_ACCOUNT_PREFIX,
                mutator.namespace,
                mutator.service_account,
                fields.join("+")
            )
        })
        .collect();
    BTreeMap::from([(names::TRUSTED_MUTATORS.to_owned(), mutators.join(","))])
}

/// The namespace of a project, as the operator creates it. Of an adopted one only these labels and annotations are set; the
/// rest stays.
pub fn namespace(project: &Project, settings: &ReeveConfigSpec) -> Namespace {
    Namespace {
        metadata: ObjectMeta {
            name: Some(project.namespace.clone()),
            labels: Some(namespace_labels(project, settings)),
            annotations: Some(namespace_annotations(settings)),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    }
}
