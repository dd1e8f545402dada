//! Kinds of others that hold pod templates, and where the templates are: of each the same twice, as CEL and as JSON pointers.
//!
//! A kind of model serving holds none: its stamp is on the object itself, and what its operator makes of it bears the same.
//!
//! Admission knows the kinds of this table and no others: what is in no place of it has no stamp that anybody verified. So a
//! controller can be listed for these kinds only, and an owner counts only in the version that the table names.

use reeve_types::TemplateKind;
use serde_json::Value;

use crate::cel::cel_list;
use crate::names;
use crate::request::{Operation, Request, list, text};

/// What anybody may change of a colleague's object: whether it is held back, and how many pods it has.
pub(crate) const FREE_FIELDS: [&str; 1] = ["suspend"];
/// Of a group of workers of Ray.
pub(crate) const FREE_OF_WORKERS: [&str; 5] = [
    "replicas",
    "minReplicas",
    "maxReplicas",
    "scaleStrategy",
    "suspend",
];

/// The parts of an InferenceService that are a pod's spec and its metadata in one.
pub(crate) const COMPONENTS: [&str; 3] = ["predictor", "transformer", "explainer"];

/// Where one template lies: what is its metadata, and what is its pod's spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A JSON pointer to what has `annotations` and `labels`.
    pub metadata: String,
    /// A JSON pointer to what has `securityContext` and containers; empty where the object holds no template.
    pub spec: String,
}

impl Place {
    /// Of a `PodTemplateSpec`.
    fn of_template(at: &str) -> Self {
        Self {
            metadata: format!("{at}/metadata"),
            spec: format!("{at}/spec"),
        }
    }

    /// Of a part of an InferenceService.
    fn of_component(at: &str) -> Self {
        Self {
            metadata: at.to_owned(),
            spec: at.to_owned(),
        }
    }
}

/// The kind of an object, if it is one of the table in the version that the table names.
pub(crate) fn kind_of(object: &Value) -> Option<TemplateKind> {
    let kind = TemplateKind::of_name(text(object, "/kind"))?;
    (text(object, "/apiVersion") == kind.api_version()).then_some(kind)
}

/// Every template of an object of the table; none of any other object.
pub fn places(object: &Value) -> Vec<Place> {
    match kind_of(object) {
        Some(TemplateKind::RayCluster) => of_ray(object, "/spec"),
        Some(TemplateKind::RayJob) => {
            let mut all = of_ray(object, "/spec/rayClusterSpec");
            let submitter = "/spec/submitterPodTemplate";
            all.extend(object.pointer(submitter).map(|_| Place::of_template(submitter)));
            all
        }
        Some(TemplateKind::RayService) => of_ray(object, "/spec/rayClusterConfig"),
        Some(TemplateKind::InferenceService) => of_kserve(object),
        Some(kind) if kind.is_stamped_whole() => vec![Place {
            metadata: "/metadata".to_owned(),
            spec: String::new(),
        }],
        Some(_) | None => Vec::new(),
    }
}

/// The stamps of these, empty where there is none.
pub(crate) fn stamps(object: &Value) -> Vec<&str> {
    let stamp = |place: &Place| {
        let metadata = object.pointer(&place.metadata);
        let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
        annotations
            .and_then(|annotations| annotations.get(names::RUNS_AS))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    places(object).iter().map(stamp).collect()
}

/// Whether the object is of a kind whose stamp is on the object itself.
pub(crate) fn is_whole(object: &Value) -> bool {
    kind_of(object).is_some_and(TemplateKind::is_stamped_whole)
}

/// The same as CEL.
pub(crate) fn whole_cel() -> String {
    let whole = TemplateKind::ALL
        .into_iter()
        .filter(|kind| kind.is_stamped_whole());
    let names: Vec<&str> = whole.map(TemplateKind::name).collect();
    format!("object.kind in {}", cel_list(&names))
}

fn of_kserve(object: &Value) -> Vec<Place> {
    let canaries = list(object, "/spec/canary").len();
    COMPONENTS
        .iter()
        .map(|part| format!("/spec/{part}"))
        .chain((0..canaries).map(|i| format!("/spec/canary/{i}/predictor")))
        .filter(|at| object.pointer(at).is_some())
        .map(|at| Place::of_component(&at))
        .collect()
}

fn of_ray(object: &Value, at: &str) -> Vec<Place> {
    let workers = list(object, &format!("{at}/workerGroupSpecs")).len();
    let of_worker = |i| format!("{at}/workerGroupSpecs/{i}/template");
    [format!("{at}/headGroupSpec/template")]
        .into_iter()
        .chain((0..workers).map(of_worker))
        .filter(|at| object.pointer(at).is_some())
        .map(|at| Place::of_template(&at))
        .collect()
}

/// Whether the request changes what runs: more than what is free to everybody.
pub(crate) fn is_changed(request: &Request) -> bool {
    let Some(old) = request
        .old_object
        .as_ref()
        .filter(|_| request.operation == Operation::Update)
    else {
        return true;
    };
    let spec = |object: &Value| object.get("spec").cloned().unwrap_or_default();
    request.subresource.is_empty()
        && (without_free(spec(&request.object)) != without_free(spec(old))
            || stamps(&request.object) != stamps(old))
}

/// A spec without what is free to everybody.
fn without_free(mut spec: Value) -> Value {
    let remove = |value: &mut Value, fields: &[&str]| {
        if let Value::Object(map) = value {
            map.retain(|key, _| !fields.contains(&key.as_str()));
        }
    };
    remove(&mut spec, &FREE_FIELDS);
    let groups = spec.get_mut("workerGroupSpecs").and_then(Value::as_array_mut);
    for group in groups.into_iter().flatten() {
        remove(group, &FREE_OF_WORKERS);
    }
    spec
}

/// The same as CEL: a list of maps with `t`, the template, and `m` and `s`, the pointers to its metadata and spec.
pub(crate) fn templates_cel(object: &str) -> String {
    let spec = format!("dyn({object}).?spec.orValue(dyn({{}}))");
    // Below the spec, by the names of fields; each step may be absent.
    let ray = |field: &str, at: &str| {
        let cluster = if field.is_empty() {
            spec.clone()
        } else {
            format!("{spec}.?{field}.orValue(dyn({{}}))")
        };
        format!(
            "[{cluster}].map(s, (s.?headGroupSpec.?template.hasValue() ? [{head}] : []) + \
             s.?workerGroupSpecs.orValue(dyn([])).transformList(i, g, has(g.template), {worker}))[0]",
            head = entry_cel(
                "s.headGroupSpec.template",
                &format!("'{at}/headGroupSpec/template'")
            ),
            worker = entry_cel(
                "g.template",
                &format!("'{at}/workerGroupSpecs/' + string(i) + '/template'")
            ),
        )
    };
    let job = format!(
        "{} + (has({object}.spec.submitterPodTemplate) ? [{}] : [])",
        ray("rayClusterSpec", "/spec/rayClusterSpec"),
        entry_cel(
            &format!("dyn({object}.spec.submitterPodTemplate)"),
            "'/spec/submitterPodTemplate'"
        )
    );
    format!(
        "{object}.kind == 'RayCluster' ? {} : {object}.kind == 'RayJob' ? {job} : {object}.kind == 'RayService' ? {} : \
         {object}.kind == 'InferenceService' ? {} : {} ? [dyn({{'t': dyn({{'metadata': dyn({object}.metadata)}}), 'm': \
         dyn('/metadata'), 's': dyn('')}})] : []",
        ray("", "/spec"),
        ray("rayClusterConfig", "/spec/rayClusterConfig"),
        kserve_cel(&spec),
        whole_cel(),
    )
}

/// The templates of an InferenceService, whose spec an expression gives.
fn kserve_cel(spec: &str) -> String {
    let entry = |part: &str, at: &str| {
        format!(
            "dyn({{'t': dyn({{'metadata': dyn({part}), 'spec': dyn({part})}}), 'm': dyn({at}), 's': dyn({at})}})"
        )
    };
    let component = |name: &&str| {
        format!(
            "(has(s.{name}) ? [{}] : [])",
            entry(&format!("s.{name}"), &format!("'/spec/{name}'"))
        )
    };
    format!(
        "[{spec}].map(s, {} + s.?canary.orValue(dyn([])).transformList(i, c, has(c.predictor), {}))[0]",
        COMPONENTS.iter().map(component).collect::<Vec<_>>().join(" + "),
        entry("c.predictor", "'/spec/canary/' + string(i) + '/predictor'"),
    )
}

/// One entry, of a `PodTemplateSpec` at a pointer.
fn entry_cel(template: &str, at: &str) -> String {
    format!("dyn({{'t': dyn({template}), 'm': dyn({at} + '/metadata'), 's': dyn({at} + '/spec')}})")
}

/// The API version of a kind by its name, as a CEL map.
pub(crate) fn versions_cel() -> String {
    let entries: Vec<String> = TemplateKind::ALL
        .iter()
        .map(|kind| format!("'{}': '{}'", kind.name(), kind.api_version()))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// Whether a template of the object has a stamp, of whomever.
pub(crate) fn is_marked(object: &Value) -> bool {
    let annotations = |place: &Place| {
        object
            .pointer(&format!("{}/annotations", place.metadata))
            .cloned()
    };
    places(object)
        .iter()
        .filter_map(annotations)
        .any(|annotations| annotations.get(names::RUNS_AS).is_some())
}

/// The same as CEL that Kubernetes 1.30 understands, for match conditions.
pub(crate) fn marked_cel() -> String {
    let of = |metadata: &str| {
        format!(
            "'{}' in {metadata}.?annotations.orValue(dyn({{}}))",
            names::RUNS_AS
        )
    };
    let components: Vec<String> = COMPONENTS.iter().map(|part| of(&format!("o.?{part}"))).collect();
    format!(
        "({} && {}) || [dyn(object).?spec.orValue(dyn({{}}))].exists(o, {} || {} || \
         o.?canary.orValue(dyn([])).exists(c, {}) || [o, o.?rayClusterSpec.orValue(dyn({{}})), \
         o.?rayClusterConfig.orValue(dyn({{}}))].exists(s, {} || s.?workerGroupSpecs.orValue(dyn([])).exists(g, {})))",
        whole_cel(),
        of("dyn(object).?metadata"),
        of("o.?submitterPodTemplate.?metadata"),
        components.join(" || "),
        of("c.?predictor"),
        of("s.?headGroupSpec.?template.?metadata"),
        of("g.?template.?metadata"),
    )
}
