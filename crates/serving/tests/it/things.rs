//! What several tests need.

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use reeve_serving::env::plain;
use reeve_serving::labels::Controller;
use reeve_serving::owner::Parent;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) const UID: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const IMAGE: &str = "ghcr.io/silogen/aim-dummy:0.1.10";

/// A value from JSON.
pub(crate) fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn env(pairs: &[(&str, &str)]) -> Vec<EnvVar> {
    pairs.iter().map(|(name, value)| plain(name, *value)).collect()
}

pub(crate) fn time(text: &str) -> Time {
    Time(text.parse::<Timestamp>().unwrap())
}

pub(crate) fn parent(kind: &'static str, name: &str, controller: Controller) -> Parent {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        uid: Some(UID.to_owned()),
        ..ObjectMeta::default()
    };
    Parent::new(kind, &metadata, controller)
}

/// `type status reason`, one a line.
pub(crate) fn lines(conditions: &[Condition]) -> Vec<String> {
    conditions
        .iter()
        .map(|c| format!("{} {} {}", c.type_, c.status, c.reason))
        .collect()
}
