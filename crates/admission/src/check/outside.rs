//! Namespaces that are no projects: nothing there may bear our labels and annotations, because one of them may become a
//! project later, and what is written in it then counts (R17).

use serde_json::Value;

use super::{Check, Policy, Rule};
use crate::names;
use crate::request::{Operation, Request, map};

/// Where an object, its templates and what a controller keeps of them have labels and annotations.
fn places(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" | "Binding" => &["/metadata"],
        "CronJob" => &[
            "/metadata",
            "/spec/jobTemplate/metadata",
            "/spec/jobTemplate/spec/template/metadata",
        ],
        "ControllerRevision" => &["/metadata", "/data/spec/template/metadata"],
        _ => &["/metadata", "/spec/template/metadata"],
    }
}

fn marks<'a>(object: &'a Value, place: &str) -> Vec<(bool, &'a str, &'a str)> {
    let of = |field: &str, label: bool| {
        map(object, &format!("{place}/{field}"))
            .into_iter()
            .filter(|(k, _)| k.starts_with(names::PREFIX))
            .map(move |(k, v)| (label, k, v))
            .collect::<Vec<_>>()
    };
    let mut all = of("annotations", false);
    all.extend(of("labels", true));
    all
}

/// Whether anything of the new object bears a mark of ours: the policy's match condition.
pub(super) fn is_marked(request: &Request) -> bool {
    places(request.kind())
        .iter()
        .any(|place| !marks(&request.object, place).is_empty())
}

/// The label and annotation maps of an object as CEL, in the order of [`places`].
pub(crate) fn maps_cel(object: &str) -> String {
    let of = |meta: &str| {
        format!("{meta}.?annotations.orValue(dyn({{}})), {meta}.?labels.orValue(dyn({{}}))")
    };
    format!(
        "[{}] + ({object}.kind in ['Pod', 'Binding'] ? [] : {object}.kind == 'CronJob' ? [{}, {}] : \
         {object}.kind == 'ControllerRevision' ? [{}] : [{}])",
        of(&format!("dyn({object}.metadata)")),
        of(&format!("dyn({object}.spec.jobTemplate).?metadata")),
        of(&format!("dyn({object}.spec.jobTemplate.spec.template).?metadata")),
        of(&format!("dyn({object}).?data.?spec.?template.?metadata")),
        of(&format!("dyn({object}.spec.template).?metadata")),
    )
}

pub(super) static CHECKS: [Check; 1] = [Check {
    id: "planted-mark",
    policy: Policy::Outside,
    rule: Rule(17),
    problem: "labels and annotations under reeve.dev/ count in projects only, and this namespace is none",
    problem_cel: None,
    remedy: "remove them from the metadata of the object and of its template",
    cel: "variables.operator || variables.maps.all(i, m, m.all(k, !k.startsWith('reeve.dev/') || \
          (k in variables.oldMaps[i] && variables.oldMaps[i][k] == m[k])))",
    predicate: |r| {
        let old = r.old_object.as_ref().filter(|_| r.operation == Operation::Update);
        r.user.is_operator()
            || places(r.kind()).iter().all(|place| {
                let before = old.map(|old| marks(old, place)).unwrap_or_default();
                marks(&r.object, place).iter().all(|mark| before.contains(mark))
            })
    },
}];
