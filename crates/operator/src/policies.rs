//! Alarm when an admission policy is missing or changed (admission R1). The operator can only read them: whoever takes it
//! over can switch none off, and whoever else does is reported within moments: readiness, event, metric, status.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError};

use k8s_openapi::api::admissionregistration::v1::{
    MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
};
use kube::{Resource, ResourceExt};
use prometheus_client::metrics::gauge::Gauge;
use reeve_kube_kit::events::Says;
use reeve_kube_kit::{Name, Reconcile, Retry};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::world::World;

/// A policy or binding as it was installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// `ValidatingAdmissionPolicy` and the like.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its spec.
    pub spec: Value,
}

/// What is expected, from the objects that are installed.
pub fn expected(documents: &[Value]) -> Vec<Expected> {
    let text = |document: &Value, pointer| {
        document
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    documents
        .iter()
        .map(|document| Expected {
            kind: text(document, "/kind"),
            name: text(document, "/metadata/name"),
            spec: document.get("spec").cloned().unwrap_or_default(),
        })
        .collect()
}

/// Whether a policy in the cluster says exactly what was installed. What the API server adds by itself is known and
/// allowed; anything else that was added would be a change.
pub fn agrees(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(key, value)| match found.get(key) {
                Some(there) => agrees(there, value),
                None => value.is_null() || *value == json!([]),
            }) && found
                .iter()
                .filter(|(key, _)| !expected.contains_key(*key))
                .all(|(key, value)| is_default(key, value))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| agrees(f, e))
        }
        (found, expected) => found == expected,
    }
}

fn is_default(key: &str, value: &Value) -> bool {
    match key {
        "matchPolicy" => *value == json!("Equivalent"),
        "namespaceSelector" | "objectSelector" => *value == json!({}),
        "scope" => *value == json!("*"),
        "failurePolicy" => *value == json!("Fail"),
        "reinvocationPolicy" => *value == json!("Never"),
        _ => value.is_null(),
    }
}

/// The differences, as sentences; none when all is as installed. Pure.
pub fn differences(expected: &[Expected], found: &BTreeMap<(String, String), Value>) -> Vec<String> {
    expected
        .iter()
        .filter_map(
            |policy| match found.get(&(policy.kind.clone(), policy.name.clone())) {
                None => Some(format!(
                    "{} `{}` is missing: install the chart's policies again",
                    policy.kind, policy.name
                )),
                Some(spec) if !agrees(spec, &policy.spec) => Some(format!(
                    "{} `{}` differs from the installed one: install the chart's policies again",
                    policy.kind, policy.name
                )),
                Some(_) => None,
            },
        )
        .collect()
}

fn specs<K>(mirror: &reeve_kube_kit::Mirror<K>, found: &mut BTreeMap<(String, String), Value>)
where
    K: Resource<DynamicType = ()> + Serialize,
{
    for object in mirror.all() {
        let spec = serde_json::to_value(&*object)
            .ok()
            .and_then(|mut value| value.get_mut("spec").map(Value::take));
        found.insert(
            (K::kind(&()).into_owned(), object.name_any()),
            spec.unwrap_or_default(),
        );
    }
}

/// A pass over the policies cannot fail.
#[derive(Debug, thiserror::Error)]
#[error("unreachable")]
pub struct Failed(Infallible);

impl Reconcile for Failed {
    fn reason(&self) -> &'static str {
        match self.0 {}
    }

    fn retry(&self) -> Retry {
        match self.0 {}
    }
}

/// One pass over the installed policies.
///
/// # Errors
/// Never.
pub async fn reconcile(world: Arc<World>, expected: Arc<Vec<Expected>>, gauge: Gauge) -> Result<(), Failed> {
    let mut found = BTreeMap::new();
    specs(&world.mirrors.validating, &mut found);
    specs(&world.mirrors.validating_bindings, &mut found);
    specs(&world.mirrors.mutating, &mut found);
    specs(&world.mirrors.mutating_bindings, &mut found);
    let alarms = differences(&expected, &found);
    gauge.set(i64::try_from(alarms.len()).unwrap_or(i64::MAX));
    let before = std::mem::replace(
        &mut *world.alarms.write().unwrap_or_else(PoisonError::into_inner),
        alarms.clone(),
    );
    match alarms.is_empty() {
        true => world.readiness.ready("policies"),
        false => world.readiness.missing("policies", alarms.join("; ")),
    }
    if before != alarms {
        let news: Vec<&String> = alarms.iter().filter(|alarm| !before.contains(alarm)).collect();
        for alarm in &news {
            tracing::error!(alarm, "admission policies are not as installed");
        }
        if alarms.is_empty() {
            tracing::info!("admission policies are as installed again");
        }
        for policy in expected.iter() {
            let about = format!("{} `{}` ", policy.kind, policy.name);
            if let Some(alarm) = news.iter().find(|alarm| alarm.starts_with(&about)) {
                announce(
                    &world,
                    policy,
                    &Says {
                        warning: true,
                        reason: "PolicyChanged",
                        note: alarm,
                    },
                )
                .await;
            } else if before.iter().any(|alarm| alarm.starts_with(&about))
                && !alarms.iter().any(|alarm| alarm.starts_with(&about))
            {
                let note = format!("{about}is as installed again");
                announce(
                    &world,
                    policy,
                    &Says {
                        warning: false,
                        reason: "PolicyRestored",
                        note: &note,
                    },
                )
                .await;
            }
        }
    }
    world.queues.config.add(());
    Ok(())
}

/// The event is about the policy itself, also when it is gone.
async fn announce(world: &World, policy: &Expected, says: &Says<'_>) {
    async fn publish<K>(world: &World, mirror: &reeve_kube_kit::Mirror<K>, policy: &Expected, says: &Says<'_>)
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        match mirror.get(&Name::cluster(policy.name.clone())) {
            Some(object) => world.events.publish(&*object, "WatchPolicies", says).await,
            None => {
                let stand_in = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": policy.name}});
                if let Ok(object) = serde_json::from_value::<K>(stand_in) {
                    world.events.publish(&object, "WatchPolicies", says).await;
                }
            }
        }
    }
    match policy.kind.as_str() {
        "ValidatingAdmissionPolicy" => {
            publish::<ValidatingAdmissionPolicy>(world, &world.mirrors.validating, policy, says).await
        }
        "ValidatingAdmissionPolicyBinding" => {
            publish::<ValidatingAdmissionPolicyBinding>(
                world,
                &world.mirrors.validating_bindings,
                policy,
                says,
            )
            .await;
        }
        "MutatingAdmissionPolicy" => {
            publish::<MutatingAdmissionPolicy>(world, &world.mirrors.mutating, policy, says).await
        }
        _ => {
            publish::<MutatingAdmissionPolicyBinding>(world, &world.mirrors.mutating_bindings, policy, says)
                .await
        }
    }
}
