//! What is installed, as the API server has it: policies and their bindings, or the webhooks in their place.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration,
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
};
use kube::{Resource, ResourceExt};
use reeve_kube_kit::events::{EventNote, Events};
use reeve_kube_kit::{Cache, Controller, ObjectName, Registry, Watch};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Expected, content};
use crate::args::Admission;

/// Of an API server that has no policies that fill in, only the webhooks are watched: it does not know the others' kind.
pub(super) enum Installed {
    Policies {
        validating: Arc<Cache<ValidatingAdmissionPolicy>>,
        validating_bindings: Arc<Cache<ValidatingAdmissionPolicyBinding>>,
        mutating: Arc<Cache<MutatingAdmissionPolicy>>,
        mutating_bindings: Arc<Cache<MutatingAdmissionPolicyBinding>>,
    },
    Webhooks {
        validating: Arc<Cache<ValidatingWebhookConfiguration>>,
        mutating: Arc<Cache<MutatingWebhookConfiguration>>,
    },
}

impl Installed {
    pub(super) fn watched(admission: Admission, registry: &mut Registry) -> Self {
        match admission {
            Admission::Policies => Self::Policies {
                validating: registry.cache(Watch::default()),
                validating_bindings: registry.cache(Watch::default()),
                mutating: registry.cache(Watch::default()),
                mutating_bindings: registry.cache(Watch::default()),
            },
            Admission::Webhook => Self::Webhooks {
                validating: registry.cache(Watch::default()),
                mutating: registry.cache(Watch::default()),
            },
        }
    }

    /// The controller, which every change wakes.
    pub(super) fn wakes(&self, controller: Controller<()>) -> Controller<()> {
        match self {
            Self::Policies {
                validating,
                validating_bindings,
                mutating,
                mutating_bindings,
            } => controller
                .watches(validating, |queue, _| queue.add(()))
                .watches(validating_bindings, |queue, _| queue.add(()))
                .watches(mutating, |queue, _| queue.add(()))
                .watches(mutating_bindings, |queue, _| queue.add(())),
            Self::Webhooks { validating, mutating } => controller
                .watches(validating, |queue, _| queue.add(()))
                .watches(mutating, |queue, _| queue.add(())),
        }
    }

    /// What each says, by kind and name.
    pub(super) fn found(&self) -> BTreeMap<(String, String), Value> {
        let mut found = BTreeMap::new();
        match self {
            Self::Policies {
                validating,
                validating_bindings,
                mutating,
                mutating_bindings,
            } => {
                contents(validating, &mut found);
                contents(validating_bindings, &mut found);
                contents(mutating, &mut found);
                contents(mutating_bindings, &mut found);
            }
            Self::Webhooks { validating, mutating } => {
                contents(validating, &mut found);
                contents(mutating, &mut found);
            }
        }
        found
    }

    /// Publishes an event about one of them.
    pub(super) async fn publish(&self, events: &Events, policy: &Expected, note: &EventNote<'_>) {
        match (self, policy.kind.as_str()) {
            (Self::Policies { validating, .. }, "ValidatingAdmissionPolicy") => {
                about(validating, events, policy, note).await;
            }
            (
                Self::Policies {
                    validating_bindings, ..
                },
                "ValidatingAdmissionPolicyBinding",
            ) => about(validating_bindings, events, policy, note).await,
            (Self::Policies { mutating, .. }, "MutatingAdmissionPolicy") => {
                about(mutating, events, policy, note).await;
            }
            (
                Self::Policies {
                    mutating_bindings, ..
                },
                _,
            ) => {
                about(mutating_bindings, events, policy, note).await;
            }
            (Self::Webhooks { validating, .. }, "ValidatingWebhookConfiguration") => {
                about(validating, events, policy, note).await;
            }
            (Self::Webhooks { mutating, .. }, _) => about(mutating, events, policy, note).await,
        }
    }
}

/// The event is about the policy itself, also when it is gone.
async fn about<K>(cache: &Cache<K>, events: &Events, policy: &Expected, note: &EventNote<'_>)
where
    K: Resource<DynamicType = ()> + DeserializeOwned,
{
    match cache.get(&ObjectName::cluster(policy.name.clone())) {
        Some(object) => events.publish(&*object, "WatchPolicies", note).await,
        None => {
            let stand_in = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": policy.name}});
            if let Ok(object) = serde_json::from_value::<K>(stand_in) {
                events.publish(&object, "WatchPolicies", note).await;
            }
        }
    }
}

fn contents<K>(cache: &Cache<K>, found: &mut BTreeMap<(String, String), Value>)
where
    K: Resource<DynamicType = ()> + Serialize,
{
    for object in cache.all() {
        let said = serde_json::to_value(&*object).map(|value| content(&value));
        found.insert(
            (K::kind(&()).into_owned(), object.name_any()),
            said.unwrap_or_default(),
        );
    }
}
