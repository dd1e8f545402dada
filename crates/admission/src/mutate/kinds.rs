//! What is filled in into kinds of others: the stamp of each template of a person, and nothing else. The numbers that belong to
//! it are filled in into what the listed controller makes of the template (`mutate.rs`), since what older controllers copy lacks
//! the newer fields.
//!
//! The same of a kind of model serving, whose stamp is on the object itself.
//!
//! A `RayJob` without a template for its submitter gets the one that KubeRay would make, so that this pod is hers too.

use serde_json::{Value, json};

use super::json::{object_at, put};
use crate::entries::{CONDITION, bounded_kind_cel};
use crate::kinds::{is_changed, places, stamps};
use crate::names;
use crate::request::{Operation, Request, list, text};
use crate::view::{Variable, kind_variables, requester_variables};

/// How KubeRay calls the container that submits.
const SUBMITTER: &str = "ray-job-submitter";

/// Whom the policy looks at: people, as far as can be seen without the namespace.
pub(crate) fn match_conditions() -> Vec<Variable> {
    let person = format!(
        "has(request.userInfo.extra) && '{}' in request.userInfo.extra",
        names::EXTRA_UID
    );
    vec![("a-person", person), (CONDITION, bounded_kind_cel())]
}

/// The policy's variables.
pub(crate) fn variables() -> Vec<Variable> {
    let mut all = requester_variables();
    all.push(("update", "request.operation == 'UPDATE'".to_owned()));
    all.extend(kind_variables());
    all.extend([
        (
            "filling",
            "variables.person && variables.changed && variables.own".to_owned(),
        ),
        (
            "unstamped",
            "variables.templates.filter(x, [x.t.?metadata.?annotations.orValue(dyn({}))[?variables.key].orValue('')]\
             .exists(s, s != variables.claimed && (s == '' || s.startsWith(variables.userId + '/'))))"
                .to_owned(),
        ),
    ]);
    all
}

/// The one expression.
pub(crate) fn expression() -> String {
    let escaped = names::RUNS_AS.replace('/', "~1");
    let stamp = format!(
        "variables.unstamped.map(x, JSONPatch{{op: 'add', path: string(x.m) + (!has(x.t.metadata) ? '' : \
         !has(x.t.metadata.annotations) ? '/annotations' : '/annotations/{escaped}'), value: !has(x.t.metadata) ? dyn({{'annotations': \
         {{variables.key: variables.claimed}}}}) : !has(x.t.metadata.annotations) ? dyn({{variables.key: \
         variables.claimed}}) : dyn(variables.claimed)}})"
    );
    let container = format!(
        "{{'name': dyn('{SUBMITTER}'), 'image': \
         dyn(string(object.spec.rayClusterSpec.headGroupSpec.template.spec.containers[0].image)), 'resources': \
         dyn({{'limits': {{'cpu': '1', 'memory': '1Gi'}}, 'requests': {{'cpu': '500m', 'memory': '200Mi'}}}})}}"
    );
    let submitter = format!(
        "(object.kind == 'RayJob' && object.spec.?submissionMode.orValue('K8sJobMode') == 'K8sJobMode' && \
         !has(object.spec.submitterPodTemplate) && has(object.spec.rayClusterSpec) && \
         has(object.spec.rayClusterSpec.headGroupSpec.template.spec.containers[0].image) ? [JSONPatch{{op: 'add', path: \
         '/spec/submitterPodTemplate', value: dyn({{'metadata': dyn({{'annotations': dyn({{variables.key: \
         variables.claimed}})}}), 'spec': dyn({{'restartPolicy': dyn('Never'), 'containers': dyn([{container}])}})}})}}] \
         : [])"
    );
    format!("!variables.filling ? [] : {stamp} + {submitter}")
}

/// The same, in Rust.
pub(super) fn fill(request: &mut Request) {
    let mine = request.user.stamp();
    let old = request
        .old_object
        .as_ref()
        .filter(|_| request.operation == Operation::Update);
    let own = |stamp: &str| {
        stamp.is_empty()
            || stamp
                .strip_prefix(request.user.uid.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let hers = old.is_none_or(|old| stamps(old).into_iter().all(own));
    if mine.is_empty() || !request.in_project() || !is_changed(request) || !hers {
        return;
    }
    let places: Vec<String> = places(&request.object)
        .into_iter()
        .zip(stamps(&request.object))
        .filter(|(_, stamp)| own(stamp))
        .map(|(place, _)| place.metadata)
        .collect();
    for at in places {
        if let Some((parent, last)) = at.rsplit_once('/')
            && let Some(parent) = request.object.pointer_mut(parent)
        {
            put(
                object_at(object_at(parent, last), "annotations"),
                names::RUNS_AS,
                json!(mine),
            );
        }
    }
    fill_submitter(&mut request.object, &mine);
}

fn fill_submitter(object: &mut Value, mine: &str) {
    let head = list(
        object,
        "/spec/rayClusterSpec/headGroupSpec/template/spec/containers",
    );
    let image = head.first().map(|container| text(container, "/image").to_owned());
    let (kind, mode) = (text(object, "/kind"), text(object, "/spec/submissionMode"));
    let own_pod = kind == "RayJob" && ["", "K8sJobMode"].contains(&mode);
    let Some(image) = image.filter(|image| own_pod && !image.is_empty()) else {
        return;
    };
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    if spec.get("submitterPodTemplate").is_none() {
        let template = json!({
            "metadata": {"annotations": {names::RUNS_AS: mine}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": SUBMITTER, "image": image, "resources": {
                "limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "200Mi"}}}]},
        });
        put(spec, "submitterPodTemplate", template);
    }
}
