//! Namespaces that are no projects: nothing there may bear our labels and annotations, because one of them may become a
//! project later, and what is written in it then counts (R17).

use constcat::concat;
use serde_json::Value;

use super::{Check, Policy, Rule};
use crate::entries::{self, MOST, maps_crowded_cel};
use crate::names;
use crate::request::{Operation, Request, map, template_path, text};
use crate::view::{Variable, stamp_of, template_cel};

/// Where an object, its templates and what a controller keeps of them have labels and annotations.
fn places(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" | "Binding" => &["/metadata"],
        "CronJob" => &[
            "/metadata",
            "/spec/jobTemplate/metadata",
            "/spec/jobTemplate/spec/template/metadata",
        ],
        "ControllerRevision" => &["/metadata"],
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
    let object = &request.object;
    places(request.kind())
        .iter()
        .any(|place| !marks(object, place).is_empty())
        || revision(object) == Revision::Marked
}

/// Whether the labels and annotations are more than may be gone through (R40); of such an object outside of projects nothing else is.
pub(super) fn is_crowded(request: &Request) -> bool {
    let entries = |place: &&str| {
        let of = |field: &str| map(&request.object, &format!("{place}/{field}")).len();
        of("annotations") + of("labels")
    };
    let is_written = [Operation::Create, Operation::Update].contains(&request.operation);
    let too_many = || places(request.kind()).iter().map(entries).sum::<usize>() > MOST;
    is_written && (too_many() || revision(&request.object) == Revision::TooLarge)
}

/// The policy's match condition: something to refuse. It is all that others' objects are asked.
///
/// Pods, of which there are most, have an expression of their own that takes half as long.
pub(crate) fn concerned_cel() -> String {
    format!(
        "object.kind == 'Pod' ? ({}) : ([{}].exists(maps, {} || maps.exists(m, {})) || ({}))",
        pod_concerned_cel(),
        maps_cel("object"),
        maps_crowded_cel("maps"),
        is_mark("m"),
        revision_cel("object", "true", &is_mark("m"))
    )
}

/// The same of a pod, whose labels and annotations are in one place and seldom many.
fn pod_concerned_cel() -> String {
    let maps = ["object.metadata.annotations", "object.metadata.labels"];
    let size = maps.map(|map| format!("(has({map}) ? {map}.size() : 0)"));
    let marked = maps.map(|map| format!("(has({map}) && {})", is_mark(map)));
    format!("{} > {MOST} || {}", size.join(" + "), marked.join(" || "))
}

/// The fields of a revision's data on the way to the marks of its template.
const REVISION_PATH: [&[&str]; 4] = [
    &["spec"],
    &["template"],
    &["metadata"],
    &["annotations", "labels"],
];

/// What is found in the template that a ControllerRevision keeps.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Revision {
    Unmarked,
    Marked,
    /// A map on the way has more than may be gone through (R40).
    TooLarge,
}

/// Its controller reads the names of fields in any case; another controller may keep anything, which is no template then.
fn revision(object: &Value) -> Revision {
    fn found(value: &Value, path: &[&[&str]]) -> Revision {
        let Some(fields) = value.as_object() else {
            return Revision::Unmarked;
        };
        if fields.len() > MOST {
            return Revision::TooLarge;
        }
        let Some((names, rest)) = path.split_first() else {
            let marked = fields.keys().any(|key| key.starts_with(names::PREFIX));
            return if marked {
                Revision::Marked
            } else {
                Revision::Unmarked
            };
        };
        let on_the_way = fields
            .iter()
            .filter(|(name, _)| names.contains(&folded(name).as_str()));
        let all = on_the_way.map(|(_, value)| found(value, rest));
        all.max().unwrap_or(Revision::Unmarked)
    }
    if text(object, "/kind") != "ControllerRevision" {
        return Revision::Unmarked;
    }
    object
        .get("data")
        .map_or(Revision::Unmarked, |data| found(data, &REVISION_PATH))
}

/// A field's name as Go's `encoding/json` compares it: two letters beyond ASCII fold into it.
fn folded(name: &str) -> String {
    name.replace('\u{17f}', "s")
        .replace('\u{212a}', "k")
        .to_ascii_lowercase()
}

/// The same as CEL: what a map that is too large comes to, and what is asked of the marks `m`.
fn revision_cel(object: &str, too_large: &str, marks: &str) -> String {
    let level = |map: &str, inner: &str| {
        format!("type({map}) == map && ({map}.size() > {MOST} ? {too_large} : {inner})")
    };
    let mut inner = level("m", marks);
    for (number, names) in REVISION_PATH.iter().enumerate().rev() {
        let (of, next) = (format!("l{number}"), format!("l{}", number + 1));
        let next = if number + 1 == REVISION_PATH.len() {
            "m"
        } else {
            &next
        };
        let each = format!(
            "{of}.exists(k, k.replace('\\u017f', 's').replace('\\u212a', 'k').lowerAscii() in {} && [{of}[k]].exists({next}, {inner}))",
            crate::cel::cel_list(names)
        );
        inner = level(&of, &each);
    }
    format!(
        "{object}.kind == 'ControllerRevision' && [dyn({object}).?data.orValue(dyn({{}}))].exists(l0, {inner})"
    )
}

fn is_mark(map: &str) -> String {
    format!("{map}.exists(x, x.startsWith('{}'))", names::PREFIX)
}

/// The label and annotation maps of an object as CEL, in the order of [`places`].
fn maps_cel(object: &str) -> String {
    let of =
        |meta: &str| format!("{meta}.?annotations.orValue(dyn({{}})), {meta}.?labels.orValue(dyn({{}}))");
    format!(
        "[{}] + ({object}.kind in ['Pod', 'Binding'] ? [] : {object}.kind == 'CronJob' ? [{}, {}] : \
         {object}.kind == 'ControllerRevision' ? [] : [{}])",
        of(&format!("dyn({object}.metadata)")),
        of(&format!("dyn({object}.spec.jobTemplate).?metadata")),
        of(&format!("dyn({object}.spec.jobTemplate.spec.template).?metadata")),
        of(&format!("dyn({object}.spec.template).?metadata")),
    )
}

/// The variables beside those of the requester.
pub(crate) fn variables() -> Vec<Variable> {
    let template = |when: &str, object: &str| {
        format!(
            "{when}object.kind in ['Binding', 'ControllerRevision'] ? dyn({{}}) : ({})",
            template_cel(object)
        )
    };
    vec![
        ("update", "request.operation == 'UPDATE'".to_owned()),
        ("template", template("", "object")),
        ("oldTemplate", template("!variables.update || ", "oldObject")),
        ("revisionMarked", revision_cel("object", "false", &is_mark("m"))),
        ("maps", maps_cel("object")),
        (
            entries::VARIABLE,
            format!(
                "{} || ({})",
                maps_crowded_cel("variables.maps"),
                revision_cel("object", "true", "false")
            ),
        ),
        (
            "oldMaps",
            format!(
                "variables.update ? ({}) : variables.maps.map(m, dyn({{}}))",
                maps_cel("oldObject")
            ),
        ),
    ]
}

pub(super) static CHECKS: [Check; 1] = [Check {
    id: "planted-mark",
    policy: Policy::Outside,
    rule: Rule(17),
    problem: concat!(
        "labels and annotations under ",
        names::PREFIX,
        " count in projects only, and this namespace is none"
    ),
    named: None,
    remedy: "remove them from the metadata of the object and of its template, also from what an earlier project left",
    cel: concat!(
        "variables.crowded || variables.operator || (variables.maps.all(i, m, m.all(k, !k.startsWith('",
        names::PREFIX,
        "') || \
          (k in variables.oldMaps[i] && variables.oldMaps[i][k] == m[k]))) && (!variables.revisionMarked || \
          (variables.update && dyn(object).?data == dyn(oldObject).?data)) && (!variables.update || object.kind in \
          ['Binding', 'ControllerRevision'] || !('",
        names::RUNS_AS,
        "' in \
          variables.template.?metadata.?annotations.orValue(dyn({}))) || variables.template.?spec == \
          variables.oldTemplate.?spec))"
    ),
    predicate: |r| {
        let old = r.old_object.as_ref().filter(|_| r.operation == Operation::Update);
        let kept = |place: &&str| {
            let before = old.map(|old| marks(old, place)).unwrap_or_default();
            marks(&r.object, place).iter().all(|mark| before.contains(mark))
        };
        let same_data = old.is_some_and(|old| old.get("data") == r.object.get("data"));
        // A stamp that was left behind vouches for what it was given to, and for nothing that is written under it since.
        let path = template_path(r.kind()).unwrap_or("/none");
        let template = r.object.pointer(path);
        let stamped = template.is_some_and(|t| !stamp_of(t).is_empty());
        let same =
            |o: &Value| o.pointer(path).and_then(|t| t.get("spec")) == template.and_then(|t| t.get("spec"));
        r.user.is_operator()
            || is_crowded(r)
            || ((!stamped || old.is_none_or(same))
                && places(r.kind()).iter().all(kept)
                && (same_data || revision(&r.object) != Revision::Marked))
    },
}];
