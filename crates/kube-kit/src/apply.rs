//! Writing only what differs.

use std::collections::BTreeSet;
use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::describe;

/// A write that failed: which, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {kind} `{name}`: {}", describe(source))]
pub struct WriteFailed {
    /// `apply`, `create`, `delete` or `report the status of`.
    pub verb: &'static str,
    /// The kind of the object.
    pub kind: String,
    /// Its name, with its namespace before it.
    pub name: String,
    /// What the client says.
    #[source]
    pub source: Box<kube::Error>,
}

impl WriteFailed {
    /// The failure of a write to this object.
    pub fn new<K: Resource<DynamicType = ()>>(
        verb: &'static str,
        namespace: Option<&str>,
        name: &str,
        source: kube::Error,
    ) -> Self {
        let name = namespace.map_or_else(|| name.to_owned(), |ns| format!("{ns}/{name}"));
        Self {
            verb,
            kind: K::kind(&()).into_owned(),
            name,
            source: Box::new(source),
        }
    }

    /// Whether the object is gone.
    pub fn is_not_found(&self) -> bool {
        matches!(&*self.source, kube::Error::Api(status) if status.is_not_found())
    }
}

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

/// Server-side apply: the fields of `object` become `manager`'s and have these values.
///
/// # Errors
/// [`WriteFailed`].
pub async fn apply<K>(api: &Api<K>, manager: &str, object: &K) -> Result<K, WriteFailed>
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
{
    let name = object.name_any();
    api.patch(&name, &PatchParams::apply(manager).force(), &Patch::Apply(object))
        .await
        .map_err(|source| WriteFailed::new::<K>("apply", object.meta().namespace.as_deref(), &name, source))
}

/// Server-side apply of a status.
///
/// # Errors
/// [`WriteFailed`].
pub async fn apply_status<K, S>(
    api: &Api<K>,
    manager: &str,
    object: &K,
    status: &S,
) -> Result<(), WriteFailed>
where
    K: Resource<DynamicType = ()> + DeserializeOwned,
    S: Serialize,
{
    let name = object.name_any();
    let patch = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name}, "status": status});
    api.patch_status(&name, &PatchParams::apply(manager).force(), &Patch::Apply(&patch))
        .await
        .map(drop)
        .map_err(|source| {
            WriteFailed::new::<K>(
                "report the status of",
                object.meta().namespace.as_deref(),
                &name,
                source,
            )
        })
}
