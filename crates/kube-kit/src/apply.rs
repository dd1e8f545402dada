//! What differs from what is desired, so that only that is written.

use std::collections::BTreeSet;

use kube::ResourceExt;
use serde::Serialize;
use serde_json::Value;

/// Whether `actual` already says everything that `desired` says: every field that `desired` has is there with an equal
/// value; lists are equal in length and order. What `desired` does not speak of may be anything.
pub fn covers<A: Serialize, D: Serialize>(actual: &A, desired: &D) -> bool {
    match (serde_json::to_value(actual), serde_json::to_value(desired)) {
        (Ok(actual), Ok(desired)) => holds(&actual, &desired),
        _ => false,
    }
}

fn holds(actual: &Value, desired: &Value) -> bool {
    match (actual, desired) {
        (_, Value::Null) => true,
        (Value::Object(actual), Value::Object(desired)) => desired
            .iter()
            .all(|(key, value)| value.is_null() || actual.get(key).is_some_and(|found| holds(found, value))),
        (Value::Array(actual), Value::Array(desired)) => {
            actual.len() == desired.len() && actual.iter().zip(desired).all(|(a, d)| holds(a, d))
        }
        (actual, desired) => actual == desired,
    }
}

/// What has to be done so that exactly the desired objects are there.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan<'a, K> {
    /// Missing, or different from what is desired.
    pub apply: Vec<&'a K>,
    /// Ours, and not desired: names.
    pub delete: Vec<String>,
}

/// Compares the objects of an owned set with the desired ones, by name. `actual` holds those of ours and may hold others
/// of the same names.
pub fn plan<'a, K: ResourceExt + Serialize>(
    actual: &[impl AsRef<K>],
    desired: &'a [K],
    ours: impl Fn(&K) -> bool,
) -> Plan<'a, K> {
    let find = |name: &str| {
        actual
            .iter()
            .map(AsRef::as_ref)
            .find(|object| object.name_any() == name)
    };
    let wanted: BTreeSet<String> = desired.iter().map(ResourceExt::name_any).collect();
    Plan {
        apply: desired
            .iter()
            .filter(|d| !find(&d.name_any()).is_some_and(|a| covers(a, *d)))
            .collect(),
        delete: actual
            .iter()
            .map(AsRef::as_ref)
            .filter(|a| ours(a))
            .map(ResourceExt::name_any)
            .filter(|name| !wanted.contains(name))
            .collect(),
    }
}
