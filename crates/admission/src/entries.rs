//! How many entries the lists and maps of one object may have (R40).
//!
//! What an expression that goes through a list costs the API server is the square of the list's length: its evaluator looks
//! for what it has counted already among all that it has counted. With 20,000 labels, which fit into one request, one expression
//! takes a second and all policies of a pod five. So no expression of ours goes through more than [`MOST`] entries that
//! somebody chose: a policy that goes through any is asked of nothing that has more, by a match condition, or says itself that it
//! is too much (`check/entries.rs`), in projects and elsewhere. Asking for a size costs nothing.
//!
//! What is there already, from before the policies, stays, and everything of it but its spec, labels, annotations and owners may
//! change: its status, and its finalizers, so that it can go.

use reeve_types::TemplateKind;
use serde_json::Value;

use crate::cel::cel_list;
use crate::kinds;
use crate::names;
use crate::request::{Operation, Request, list, template_path};

/// So many entries may the metadata of one object, one template with the lists of its pod, or the lists of its containers
/// have together.
pub(crate) const MOST: usize = 1_000;
/// So many characters may an annotation have that is taken apart at its separators.
const MOST_CHARACTERS: usize = 10_000;
/// The name of the match condition of a policy that has no other to say it in.
pub(crate) const CONDITION: &str = "bounded";
/// The variable that says that there are more.
pub(crate) const VARIABLE: &str = "crowded";

/// Of metadata.
const OF_METADATA: [&str; 5] = [
    "annotations",
    "finalizers",
    "labels",
    "managedFields",
    "ownerReferences",
];
/// Of these those that policies go by: while they stay, the others may change of what has too many.
const KEPT: [&str; 3] = ["annotations", "labels", "ownerReferences"];
/// Of a pod's spec.
const OF_POD: [&str; 7] = [
    "containers",
    "ephemeralContainers",
    "initContainers",
    "securityContext/supplementalGroups",
    "securityContext/sysctls",
    "tolerations",
    "volumes",
];
/// Of a container. Its variables count where it asks for an entry in `passwd` alone (R23), which looks for some of them.
const OF_CONTAINER: [&str; 4] = [
    "ports",
    "resources/limits",
    "securityContext/capabilities/add",
    "volumeMounts",
];
/// The annotations that are taken apart: a stamp, and what the API server's own admission says it set.
const TAKEN_APART: [&str; 2] = [names::RUNS_AS, SET_BY_LIMIT_RANGE];
/// Where the API server's own admission says what it set by a LimitRange.
pub(crate) const SET_BY_LIMIT_RANGE: &str = "kubernetes.io/limit-ranger";
/// The kinds without a template that are looked at.
const OTHERS: [&str; 4] = [
    "Binding",
    "ControllerRevision",
    "PersistentVolumeClaim",
    "Service",
];
/// The lists of containers.
const CONTAINERS: [&str; 3] = ["containers", "ephemeralContainers", "initContainers"];

/// That the object has no more entries than may be gone through: of a match condition.
pub(crate) fn bounded_cel() -> String {
    format!("!({})", crowded_cel())
}

/// The same of a kind of others.
pub(crate) fn bounded_kind_cel() -> String {
    format!("!({})", crowded_kind_cel())
}

/// A match condition that goes through what the object has, where it has no more than may be gone through.
pub(crate) fn bounded(cel: &str) -> String {
    format!("{} && ({cel})", bounded_cel())
}

/// Whether there are more, in an object of whatever kind is looked at.
pub(crate) fn any_crowded_cel() -> String {
    format!(
        "object.kind in {} ? ({}) : ({})",
        cel_list(&TemplateKind::ALL.map(TemplateKind::name)),
        crowded_kind_cel(),
        crowded_cel()
    )
}

/// The number of entries of some fields of an object, which may be optional.
fn sizes(of: &str, fields: &[&str]) -> String {
    let size = |field: &&str| format!("{of}.?{}.orValue(dyn([])).size()", field.replace('/', ".?"));
    fields.iter().map(size).collect::<Vec<_>>().join(" + ")
}

/// Whether something that makes pods, or an object of ours without a template, has more.
pub(crate) fn crowded_cel() -> String {
    let metadata = |of: &str| format!("{} > {MOST}", sizes(of, &OF_METADATA));
    let spec = "dyn(object).?spec";
    format!(
        "(object.kind != 'Pod' && {object}) || (object.kind == 'CronJob' && {jobs}) || (object.kind == 'Service' && \
         {addresses} > {MOST}) || (object.kind == 'StatefulSet' && [{spec}.?volumeClaimTemplates.orValue(dyn([]))].exists(l, \
         l.size() > {MOST} || l.map(c, {claim}).sum() > {MOST})) || [object.kind == 'Pod' ? dyn(object) : object.kind == \
         'CronJob' ? {spec}.?jobTemplate.?spec.?template.orValue(dyn({{}})) : {spec}.?template.orValue(dyn({{}}))].exists(t, \
         {lists} > {MOST} || {texts} || {inner} > {MOST})",
        object = metadata("dyn(object).?metadata"),
        jobs = metadata(&format!("{spec}.?jobTemplate.?metadata")),
        addresses = sizes(spec, &["externalIPs"]),
        claim = sizes("c.?metadata", &OF_METADATA),
        lists = lists_cel("t"),
        texts = texts_cel("t"),
        inner = inner_cel("t"),
    )
}

/// The lists of a template, but for what its containers and volumes have.
fn lists_cel(template: &str) -> String {
    format!(
        "{} + {}",
        sizes(&format!("{template}.?metadata"), &OF_METADATA),
        sizes(&format!("{template}.?spec"), &OF_POD)
    )
}

/// Whether an annotation that is taken apart is too long for it.
fn texts_cel(template: &str) -> String {
    let one = |name: &&str| format!("{} > {MOST_CHARACTERS}", characters(template, name));
    TAKEN_APART.iter().map(one).collect::<Vec<_>>().join(" || ")
}

/// That of those the one that anybody may write is not too long.
pub(crate) fn set_by_limit_range_fits_cel(template: &str) -> String {
    format!(
        "{} <= {MOST_CHARACTERS}",
        characters(template, SET_BY_LIMIT_RANGE)
    )
}

fn characters(template: &str, annotation: &str) -> String {
    characters_of(&format!("{template}.?metadata"), annotation)
}

fn characters_of(metadata: &str, annotation: &str) -> String {
    format!("{metadata}.?annotations[?'{annotation}'].orValue('').size()")
}

/// What containers and volumes of a template have, all of them together.
fn inner_cel(template: &str) -> String {
    let list = |name: &&str| format!("{template}.?spec.?{name}.orValue(dyn([]))");
    format!(
        "({containers}).map(c, {fields} + ({template}.?metadata.?annotations[?'{passwd}'].hasValue() ? {variables} : 0)).sum() + \
         {volumes}.map(v, {annotations}).sum()",
        containers = CONTAINERS.iter().map(list).collect::<Vec<_>>().join(" + "),
        fields = sizes("c", &OF_CONTAINER),
        passwd = names::PASSWD_ENTRY,
        variables = sizes("c", &["env"]),
        volumes = list(&"volumes"),
        annotations = sizes("v.?ephemeral.?volumeClaimTemplate.?metadata", &OF_METADATA),
    )
}

/// Whether some maps, which an expression gives, have more together.
pub(crate) fn maps_crowded_cel(maps: &str) -> String {
    format!("{maps}.map(m, m.size()).sum() > {MOST}")
}

/// Whether an object of a kind of others has more. Of its pods we look at nothing that their containers have.
fn crowded_kind_cel() -> String {
    let of = |template: &str| format!("{} > {MOST} || {}", lists_cel(template), texts_cel(template));
    // A part of an InferenceService is a pod's metadata and spec in one; so is the object of a kind of model serving its metadata.
    let component = |at: &str| {
        let lists = format!("{} + {}", sizes(at, &OF_METADATA), sizes(at, &OF_POD));
        let texts: Vec<String> = TAKEN_APART
            .iter()
            .map(|name| format!("{} > {MOST_CHARACTERS}", characters_of(at, name)))
            .collect();
        (lists, texts.join(" || "))
    };
    let components = kinds::COMPONENTS.map(|part| {
        let (lists, texts) = component(&format!("o.?{part}"));
        format!("{lists} > {MOST} || {texts}")
    });
    let (of_canary, texts_of_canary) = component("c.?predictor");
    let (_, texts_of_object) = component("dyn(object).?metadata");
    format!(
        "{metadata} > {MOST} || {texts_of_object} || [dyn(object).?spec.orValue(dyn({{}}))].exists(o, {submitter} || {components} || \
         {canaries} > {MOST} || o.?canary.orValue(dyn([])).map(c, {of_canary}).sum() > {MOST} || \
         o.?canary.orValue(dyn([])).exists(c, {texts_of_canary}) || [o, \
         o.?rayClusterSpec.orValue(dyn({{}})), o.?rayClusterConfig.orValue(dyn({{}}))].exists(s, {head} || {groups} > {MOST} || \
         s.?workerGroupSpecs.orValue(dyn([])).map(g, {worker}).sum() > {MOST} || \
         s.?workerGroupSpecs.orValue(dyn([])).exists(g, {texts})))",
        metadata = sizes("dyn(object).?metadata", &OF_METADATA),
        submitter = of("o.?submitterPodTemplate"),
        components = components.join(" || "),
        canaries = sizes("o", &["canary"]),
        head = of("s.?headGroupSpec.?template"),
        groups = sizes("s", &["workerGroupSpecs"]),
        worker = lists_cel("g.?template"),
        texts = texts_cel("g.?template"),
    )
}

/// The same in Rust: whether this is written, of a kind that is looked at, and has more.
pub(crate) fn is_crowded(request: &Request) -> bool {
    let (object, kind) = (&request.object, request.kind());
    if ![Operation::Create, Operation::Update].contains(&request.operation) {
        return false;
    }
    if kinds::kind_of(object).is_some() {
        return is_crowded_kind(object);
    }
    (template_path(kind).is_some() || OTHERS.contains(&kind)) && is_object_crowded(object, kind)
}

fn is_object_crowded(object: &Value, kind: &str) -> bool {
    let metadata = |at: &str| count(object, at, &OF_METADATA) > MOST;
    let claims = || {
        let claims = list(object, "/spec/volumeClaimTemplates");
        let entries = claims.iter().map(|claim| count(claim, "/metadata", &OF_METADATA));
        claims.len() > MOST || entries.sum::<usize>() > MOST
    };
    (kind != "Pod" && metadata("/metadata"))
        || (kind == "CronJob" && metadata("/spec/jobTemplate/metadata"))
        || (kind == "Service" && count(object, "/spec", &["externalIPs"]) > MOST)
        || (kind == "StatefulSet" && claims())
        || template_path(kind)
            .and_then(|at| object.pointer(at))
            .is_some_and(is_template_crowded)
}

fn is_template_crowded(template: &Value) -> bool {
    let named = template
        .pointer("/metadata/annotations")
        .is_some_and(|all| all.get(names::PASSWD_ENTRY).is_some());
    let of_container = |container: &Value| {
        let variables = if named { count(container, "", &["env"]) } else { 0 };
        count(container, "", &OF_CONTAINER) + variables
    };
    let at = |list: &str| format!("/spec/{list}");
    let containers = CONTAINERS.iter().flat_map(|it| list(template, &at(it)));
    let volumes = list(template, "/spec/volumes").iter();
    let of_volume = |volume: &Value| count(volume, "/ephemeral/volumeClaimTemplate/metadata", &OF_METADATA);
    lists(template) > MOST
        || is_text_too_long(template)
        || containers.map(of_container).sum::<usize>() + volumes.map(of_volume).sum::<usize>() > MOST
}

fn is_crowded_kind(object: &Value) -> bool {
    let of = |template: Option<&Value>| template.is_some_and(|it| lists(it) > MOST || is_text_too_long(it));
    let of_cluster = |at: &str| {
        let groups = list(object, &format!("{at}/workerGroupSpecs"));
        let templates = || groups.iter().filter_map(|group| group.get("template"));
        of(object.pointer(&format!("{at}/headGroupSpec/template")))
            || groups.len() > MOST
            || templates().map(lists).sum::<usize>() > MOST
            || templates().any(is_text_too_long)
    };
    let parts = |component: &Value| count(component, "", &OF_METADATA) + count(component, "", &OF_POD);
    let canaries = list(object, "/spec/canary");
    let predictors = || canaries.iter().filter_map(|canary| canary.get("predictor"));
    let components = || {
        kinds::COMPONENTS
            .iter()
            .filter_map(|part| object.get("spec")?.get(part))
    };
    count(object, "/metadata", &OF_METADATA) > MOST
        || is_annotation_too_long(object.pointer("/metadata/annotations"))
        || components().any(|part| parts(part) > MOST || is_annotation_too_long(part.get("annotations")))
        || canaries.len() > MOST
        || predictors().map(parts).sum::<usize>() > MOST
        || predictors().any(|part| is_annotation_too_long(part.get("annotations")))
        || of(object.pointer("/spec/submitterPodTemplate"))
        || ["/spec", "/spec/rayClusterSpec", "/spec/rayClusterConfig"]
            .into_iter()
            .any(of_cluster)
}

fn lists(template: &Value) -> usize {
    count(template, "/metadata", &OF_METADATA) + count(template, "/spec", &OF_POD)
}

fn is_text_too_long(template: &Value) -> bool {
    is_annotation_too_long(template.pointer("/metadata/annotations"))
}

fn is_annotation_too_long(annotations: Option<&Value>) -> bool {
    TAKEN_APART.iter().any(|name| {
        let value = annotations.and_then(|all| all.get(name)).and_then(Value::as_str);
        value.is_some_and(|value| value.chars().count() > MOST_CHARACTERS)
    })
}

/// The number of entries of some fields below a pointer.
fn count(value: &Value, at: &str, fields: &[&str]) -> usize {
    let size = |field: &&str| match value.pointer(&format!("{at}/{field}")) {
        Some(Value::Array(list)) => list.len(),
        Some(Value::Object(map)) => map.len(),
        _ => 0,
    };
    fields.iter().map(size).sum()
}

/// Whether nothing changes of what policies go through: its status does, or its finalizers.
pub(crate) fn is_kept(request: &Request) -> bool {
    let old = request
        .old_object
        .as_ref()
        .filter(|_| request.operation == Operation::Update);
    let same = |at: &str| old.and_then(|old| old.pointer(at)) == request.object.pointer(at);
    old.is_some()
        && ["/spec", "/data"].into_iter().all(same)
        && KEPT.iter().all(|field| same(&format!("/metadata/{field}")))
}
