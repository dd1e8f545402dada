//! What is written: children by server-side apply that takes nobody's fields, status and finalizers by merge patches.

use std::time::Duration;

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Resource, ResourceExt};
use reeve_kube_kit::{ClientError, ObjectName};
use serde_json::{Map, Value, json};

/// How long a write waits for its answer.
const PATIENCE: Duration = Duration::from_secs(75);

/// An object that has no apiVersion, kind or name. Nothing that is planned is so.
#[derive(Debug, thiserror::Error)]
#[error("the planned object has no apiVersion, kind or name")]
pub(crate) struct Nameless;

/// Which object a planned one is.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) kind: String,
    pub(crate) name: ObjectName,
    resource: ApiResource,
}

impl Target {
    pub(crate) fn of(object: &Value) -> Result<Self, Nameless> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (version, kind) = (
            text("/apiVersion").ok_or(Nameless)?,
            text("/kind").ok_or(Nameless)?,
        );
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        Ok(Self {
            kind: kind.to_owned(),
            name: ObjectName {
                namespace: text("/metadata/namespace").unwrap_or_default().to_owned(),
                name: text("/metadata/name").ok_or(Nameless)?.to_owned(),
            },
            resource: ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind)),
        })
    }

    fn api(&self, client: &Client) -> Api<DynamicObject> {
        api(client, &self.resource, &self.name.namespace)
    }
}

fn api(client: &Client, resource: &ApiResource, namespace: &str) -> Api<DynamicObject> {
    if namespace.is_empty() {
        Api::all_with(client.clone(), resource)
    } else {
        Api::namespaced_with(client.clone(), namespace, resource)
    }
}

/// Server-side apply as `manager`. A field that somebody else owns with another value is a conflict, not taken.
pub(crate) async fn apply(
    client: &Client,
    manager: &str,
    target: &Target,
    object: &Value,
) -> Result<(), ClientError> {
    let parameters = PatchParams::apply(manager);
    within(
        target
            .api(client)
            .patch(&target.name.name, &parameters, &Patch::Apply(object)),
    )
    .await
}

/// Brings the status from `old` to `new`, field by field: what others write into it meanwhile stays. Answers whether anything
/// was written. An object that is gone, or another one of the name, needs no status.
pub(crate) async fn status<K>(
    client: &Client,
    manager: &str,
    object: &K,
    old: &Value,
    new: &Value,
) -> Result<bool, ClientError>
where
    K: Resource<DynamicType = ()>,
{
    let Some(difference) = difference(old, new) else {
        return Ok(false);
    };
    let patch = json!({"metadata": {"uid": object.uid()}, "status": difference});
    let api = api(
        client,
        &ApiResource::erase::<K>(&()),
        &object.namespace().unwrap_or_default(),
    );
    let parameters = by(manager);
    match within(api.patch_status(&object.name_any(), &parameters, &Patch::Merge(&patch))).await {
        Err(gone) if gone.is_not_found() => Ok(false),
        outcome => outcome.map(|()| true),
    }
}

/// Sets the finalizers of an object, of this very version of it.
pub(crate) async fn finalizers<K>(
    client: &Client,
    manager: &str,
    object: &K,
    wanted: &[String],
) -> Result<(), ClientError>
where
    K: Resource<DynamicType = ()>,
{
    let patch = json!({"metadata": {
        "uid": object.uid(),
        "resourceVersion": object.resource_version(),
        "finalizers": wanted,
    }});
    let api = api(
        client,
        &ApiResource::erase::<K>(&()),
        &object.namespace().unwrap_or_default(),
    );
    match within(api.patch(&object.name_any(), &by(manager), &Patch::Merge(&patch))).await {
        Err(gone) if gone.is_not_found() => Ok(()),
        outcome => outcome,
    }
}

fn by(manager: &str) -> PatchParams {
    PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    }
}

async fn within<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Result<(), ClientError> {
    match tokio::time::timeout(PATIENCE, request).await {
        Ok(answer) => answer.map(drop).map_err(ClientError::from),
        Err(_) => Err(ClientError::Late(PATIENCE)),
    }
}

/// The merge patch (RFC 7386) that makes `new` of `old`; `None` when they are equal.
fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut patch = Map::new();
    for (key, value) in after {
        let changed = match before.get(key) {
            Some(old) => difference(old, value),
            None => Some(value.clone()),
        };
        patch.extend(changed.map(|changed| (key.clone(), changed)));
    }
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    patch.extend(gone.map(|key| (key.clone(), Value::Null)));
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client whose server answers everything with this status.
    fn answering(status: u16) -> Client {
        let answer = move |_: http::Request<kube::client::Body>| async move {
            let reason = if status == 404 { "NotFound" } else { "Conflict" };
            let body = json!({"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": "m"});
            let response = http::Response::builder().status(status);
            response.body(kube::client::Body::from(body.to_string().into_bytes()))
        };
        Client::new(tower::service_fn(answer), "default")
    }

    // Planted fault: an arm that takes a 409 for success, as the reference does.
    #[tokio::test]
    async fn q10_a_status_that_was_refused_for_a_conflict_is_written_again() {
        use reeve_kube_kit::{ReconcileError, Retry};
        let service = json!({"metadata": {"namespace": "ns", "name": "s"}, "spec": {"model": {"name": "m"}}});
        let service: reeve_serving_crds::AimService = serde_json::from_value(service).unwrap();
        let write = async |code: u16| {
            let (old, new) = (json!({}), json!({"status": "Running"}));
            status(&answering(code), "m", &service, &old, &new).await
        };
        let conflict = crate::pass::PassFailed::Status(write(409).await.unwrap_err());
        assert_eq!(conflict.retry(), Retry::Backoff);
        assert!(!write(404).await.unwrap(), "one that is gone needs none");
    }

    #[test]
    fn a_status_is_changed_only_where_it_differs() {
        let old = json!({"a": 1, "progress": {"percentage": 4, "total": 9}, "gone": {"x": 1}, "list": [1]});
        let new = json!({"a": 1, "progress": {"percentage": 5, "total": 9}, "list": [1, 2]});
        let patch = difference(&old, &new);
        assert_eq!(
            patch,
            Some(json!({"progress": {"percentage": 5}, "gone": null, "list": [1, 2]}))
        );
        assert_eq!(difference(&new, &new), None);
    }
}
