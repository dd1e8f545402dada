//! The request by which a new pod of something would be made: what the rules will say of it, before anybody asks.

use std::collections::BTreeMap;

use reeve_types::TemplateKind;
use serde_json::{Value, json};

use crate::kinds::{Place, kind_of, places, stamps};
use crate::mutate::fill;
use crate::names;
use crate::request::{Request, User, controlled_by, list, template_path, text};

/// What is sent for the next pod of an object: by the controller that copies its template; for a bare pod by somebody whom no
/// one verified, as whoever made it so far was. Labels and annotations are those of the namespace.
pub fn new_pod(
    object: &Value,
    namespace_labels: &BTreeMap<String, String>,
    namespace_annotations: &BTreeMap<String, String>,
) -> Request {
    let kind = text(object, "/kind");
    let maker = match kind {
        "Deployment" | "ReplicaSet" => Some((":replicaset-controller", "ReplicaSet")),
        "StatefulSet" => Some((":statefulset-controller", kind)),
        "DaemonSet" => Some((":daemon-set-controller", kind)),
        "ReplicationController" => Some((":replication-controller", kind)),
        "Job" | "CronJob" => Some((":job-controller", "Job")),
        _ => None,
    };
    let user = maker.and_then(|(suffix, _)| names::CONTROLLERS.iter().find(|name| name.ends_with(suffix)));
    Request {
        user: user.map(|name| User::named(name)).unwrap_or_default(),
        object: maker.map_or_else(|| unscheduled(object), |(_, owner)| copy(object, owner)),
        namespace_labels: namespace_labels.clone(),
        namespace_annotations: namespace_annotations.clone(),
        ..Request::default()
    }
}

/// The same for every template that the object has. Kinds of others ([`crate::TemplateKind`]) have several; whichever controller the
/// namespace lists for the kind makes pods of them, and where none is listed somebody whom no one verified.
pub fn new_pods(
    object: &Value,
    namespace_labels: &BTreeMap<String, String>,
    namespace_annotations: &BTreeMap<String, String>,
) -> Vec<Request> {
    let Some(kind) = kind_of(object) else {
        return vec![new_pod(object, namespace_labels, namespace_annotations)];
    };
    let nobody = Request {
        namespace_labels: namespace_labels.clone(),
        namespace_annotations: namespace_annotations.clone(),
        ..Request::default()
    };
    let user = nobody.controller_of(kind.name()).map(User::named);
    let request = |template: Value| {
        let mut request = Request {
            user: user.clone().unwrap_or_default(),
            object: copy_of(object, template, kind.name()),
            ..nobody.clone()
        };
        fill(&mut request);
        request
    };
    let template = |place: Place| {
        let part = |at: &str| object.pointer(at).cloned().unwrap_or_else(|| json!({}));
        match kind {
            TemplateKind::InferenceService => of_component(&part(&place.spec)),
            _ => json!({ "metadata": part(&place.metadata), "spec": part(&place.spec) }),
        }
    };
    let mut templates: Vec<Value> = places(object)
        .into_iter()
        .filter(|place| !place.spec.is_empty())
        .map(template)
        .collect();
    if let (true, [stamp]) = (kind.is_stamped_whole(), stamps(object).as_slice()) {
        // Its operator makes some that bear its stamp.
        let annotations = if stamp.is_empty() {
            json!({})
        } else {
            json!({ names::RUNS_AS: stamp })
        };
        templates.push(json!({ "metadata": { "annotations": annotations }, "spec": {} }));
    }
    if templates.is_empty() {
        // Its controller makes one that the object does not show.
        templates.push(json!({ "metadata": {}, "spec": {} }));
    }
    templates.into_iter().map(request).collect()
}

/// The template that KServe makes of a part of an InferenceService, in which pod's fields and KServe's own lie side by side.
fn of_component(component: &Value) -> Value {
    const OF_POD: [&str; 17] = [
        "affinity",
        "automountServiceAccountToken",
        "containers",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "imagePullSecrets",
        "initContainers",
        "nodeName",
        "nodeSelector",
        "os",
        "priorityClassName",
        "runtimeClassName",
        "securityContext",
        "serviceAccountName",
        "tolerations",
        "volumes",
    ];
    let part = |fields: &[&str]| -> Value {
        let of = |field: &&str| Some(((*field).to_owned(), component.get(*field)?.clone()));
        Value::Object(fields.iter().filter_map(of).collect())
    };
    json!({ "metadata": part(&["annotations", "labels"]), "spec": part(&OF_POD) })
}

/// The pod that a controller makes from the template.
fn copy(object: &Value, owner: &str) -> Value {
    let path = template_path(text(object, "/kind")).unwrap_or_default();
    let template = object.pointer(path).cloned().unwrap_or_else(|| json!({}));
    copy_of(object, template, owner)
}

fn copy_of(object: &Value, template: Value, owner: &str) -> Value {
    let name = text(object, "/metadata/name");
    let pod_name = format!("{name}-0");
    let mut pod = template;
    put(&mut pod, "", "apiVersion", json!("v1"));
    put(&mut pod, "", "kind", json!("Pod"));
    if pod.get("metadata").is_none() {
        put(&mut pod, "", "metadata", json!({}));
    }
    let reference = json!([{
        "apiVersion": text(object, "/apiVersion"), "kind": owner, "name": name,
        "uid": text(object, "/metadata/uid"), "controller": true, "blockOwnerDeletion": true,
    }]);
    put(&mut pod, "/metadata", "name", json!(pod_name));
    put(&mut pod, "/metadata", "ownerReferences", reference);
    for claim in list(object, "/spec/volumeClaimTemplates") {
        let volume = text(claim, "/metadata/name");
        let source = json!({ "claimName": format!("{volume}-{pod_name}") });
        let named = |other: &Value| text(other, "/name") == volume;
        let mut volumes: Vec<Value> = list(&pod, "/spec/volumes")
            .iter()
            .filter(|v| !named(v))
            .cloned()
            .collect();
        volumes.push(json!({ "name": volume, "persistentVolumeClaim": source }));
        put(&mut pod, "/spec", "volumes", Value::Array(volumes));
    }
    pod
}

/// A pod as it was before it was placed on a node.
pub fn unscheduled(pod: &Value) -> Value {
    let mut pod = pod.clone();
    if let Some(Value::Object(spec)) = pod.get_mut("spec") {
        spec.remove("nodeName");
    }
    if let Value::Object(pod) = &mut pod {
        pod.remove("status");
    }
    pod
}

fn put(value: &mut Value, at: &str, key: &str, new: Value) {
    if let Some(Value::Object(map)) = value.pointer_mut(at) {
        map.insert(key.to_owned(), new);
    }
}

/// Whether the object stands for itself: nothing that makes pods controls it, and it has not ended.
pub fn stands_for_itself(object: &Value) -> bool {
    let makes_pods = |owner: &Value| template_path(text(owner, "/kind")).is_some();
    !controlled_by(object, makes_pods) && !has_ended(object)
}

/// Whether a pod, Job or RayJob is over.
pub fn has_ended(object: &Value) -> bool {
    let ended = |condition: &Value| {
        ["Complete", "Failed"].contains(&text(condition, "/type")) && text(condition, "/status") == "True"
    };
    match text(object, "/kind") {
        "Pod" => ["Succeeded", "Failed"].contains(&text(object, "/status/phase")),
        "Job" => list(object, "/status/conditions").iter().any(ended),
        "RayJob" => ["Complete", "Failed"].contains(&text(object, "/status/jobDeploymentStatus")),
        _ => false,
    }
}
