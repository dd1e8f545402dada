//! Alarm when an admission policy is missing or changed (admission R1). The operator can only read them: whoever takes it
//! over can switch none off, and whoever else does is reported within moments: readiness, event, metric, status. Where a
//! webhook stands in for the policies, the alarm is about its configurations.

mod installed;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;
use reeve_admission::webhooks::{Reach, webhooks};
use reeve_kube_kit::events::EventNote;
use reeve_kube_kit::{Context, Controller, Queue, ReconcileError, Registry, Retry};
use serde_json::{Value, json};

use self::installed::Installed;
use crate::args::Admission;
use crate::cluster::ClusterState;
use crate::shared::Shared;

/// The controller of the alarm. It alone reads the policies, so it has them cached itself.
pub fn controller(shared: &Shared, registry: &mut Registry, metrics: &mut Metrics) -> Controller<()> {
    let alarms = Gauge::default();
    metrics.register(
        "reeve_policy_alarms",
        "Admission policies, or webhooks in their place, that are missing or changed",
        alarms.clone(),
    );
    let documents = match shared.admission {
        Admission::Policies => reeve_admission::policies(),
        Admission::Webhook => webhooks(&Reach::Service, ""),
    };
    let reconciler = Arc::new(Reconciler {
        context: shared.context.clone(),
        cluster: shared.cluster.clone(),
        expected: expected(&documents),
        alarms,
        installed: Installed::watched(shared.admission, registry),
    });
    let look = reconciler.clone();
    let controller = Controller::new("policies", Queue::new(), 1, move |()| look.clone().reconcile());
    reconciler
        .installed
        .wakes(controller)
        // Without any policy nothing ever changes.
        .starts_with(())
}

struct Reconciler {
    context: Arc<Context>,
    cluster: Arc<ClusterState>,
    expected: Vec<Expected>,
    alarms: Gauge,
    installed: Installed,
}

impl Reconciler {
    async fn reconcile(self: Arc<Self>) -> Result<(), Never> {
        let found = self.installed.found();
        let alarms = differences(&self.expected, &found);
        self.alarms.set(i64::try_from(alarms.len()).unwrap_or(i64::MAX));
        let before = self
            .cluster
            .replace_alarms(alarms.clone(), none_installed(&self.expected, &found));
        match alarms.is_empty() {
            true => self.context.readiness.ready("policies"),
            false => self.context.readiness.missing("policies", alarms.join("; ")),
        }
        if before != alarms {
            self.tell(&before, &alarms).await;
        }
        self.cluster.changed.tell(&());
        Ok(())
    }

    /// Logs what is news, and publishes an event for each policy of which it is.
    async fn tell(&self, before: &[String], alarms: &[String]) {
        let news: Vec<&String> = alarms.iter().filter(|alarm| !before.contains(alarm)).collect();
        for alarm in &news {
            tracing::error!(alarm, "admission policies are not as installed");
        }
        if alarms.is_empty() {
            tracing::info!("admission policies are as installed again");
        }
        for policy in &self.expected {
            let about = format!("{} `{}` ", policy.kind, policy.name);
            let speaks_of_it = |alarm: &String| alarm.starts_with(&about);
            if let Some(alarm) = news.iter().find(|alarm| speaks_of_it(alarm)) {
                self.announce(policy, true, "PolicyChanged", alarm).await;
            } else if before.iter().any(speaks_of_it) && !alarms.iter().any(speaks_of_it) {
                let note = format!("{about}is as installed again");
                self.announce(policy, false, "PolicyRestored", &note).await;
            }
        }
    }

    async fn announce(&self, policy: &Expected, warning: bool, reason: &str, note: &str) {
        let note = EventNote {
            warning,
            reason,
            note,
        };
        self.installed.publish(&self.context.events, policy, &note).await;
    }
}

/// A pass over the policies cannot fail.
#[derive(Debug, thiserror::Error)]
#[error("unreachable")]
struct Never(Infallible);

impl ReconcileError for Never {
    fn reason(&self) -> &'static str {
        match self.0 {}
    }

    fn retry(&self) -> Retry {
        match self.0 {}
    }
}

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
            spec: content(document),
        })
        .collect()
}

/// What a document says: the spec of a policy, the webhooks of a configuration. Whose certificate a webhook trusts differs from
/// cluster to cluster; where it is asked does not.
fn content(document: &Value) -> Value {
    let Some(webhooks) = document.get("webhooks") else {
        return document.get("spec").cloned().unwrap_or_default();
    };
    let mut webhooks = webhooks.clone();
    for webhook in webhooks.as_array_mut().into_iter().flatten() {
        if let Some(Value::Object(client)) = webhook.get_mut("clientConfig") {
            client.remove("caBundle");
        }
    }
    json!({ "webhooks": webhooks })
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

/// Whether nothing of what is expected is there: nothing was installed, or somebody took all of it away. Pure.
pub fn none_installed(expected: &[Expected], found: &BTreeMap<(String, String), Value>) -> bool {
    let is_there = |policy: &Expected| found.contains_key(&(policy.kind.clone(), policy.name.clone()));
    !expected.iter().any(is_there)
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
