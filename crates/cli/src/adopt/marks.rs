//! Labels and annotations under `reeve.dev/`, and names that say whose something is: what a project believes.

use reeve_admission::{is_marked_claim, names, template_places};
use serde::Serialize;
use serde_json::{Value, json};

use super::inventory::{members, text};

/// Something that the rules of projects believe, on an object of a namespace where nobody checked who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// Where on the object, as a JSON pointer to the map that holds it.
    pub place: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl Mark {
    /// Where, as kubectl explains it: `spec.template.metadata.annotations`.
    pub fn path(&self) -> String {
        self.place.trim_start_matches('/').replace('/', ".")
    }

    /// Whether it lies in the object's own metadata.
    pub(super) fn is_own(&self) -> bool {
        self.place.starts_with("/metadata/")
    }

    /// Whether it is a label.
    pub(super) fn is_label(&self) -> bool {
        self.place.ends_with("/labels")
    }
}

/// Where an object has metadata: its own, and that of its templates.
fn places(object: &Value) -> Vec<String> {
    let built_in: &[&str] = match text(object, "/kind") {
        "Pod" | "ControllerRevision" => &[],
        "CronJob" => &[
            "/spec/jobTemplate/metadata",
            "/spec/jobTemplate/spec/template/metadata",
        ],
        _ => &["/spec/template/metadata"],
    };
    let of_others = template_places(object).into_iter().map(|place| place.metadata);
    let others = of_others.filter(|at| at != "/metadata");
    let own = std::iter::once(&"/metadata").chain(built_in);
    own.map(|at| (*at).to_owned()).chain(others).collect()
}

/// The marks of an object.
pub(super) fn marks(object: &Value) -> Vec<Mark> {
    let mut found = Vec::new();
    let kind = text(object, "/kind");
    for place in places(object) {
        for field in ["labels", "annotations"] {
            let place = format!("{place}/{field}");
            let ours = members(object, &place).filter(|(key, _)| key.starts_with(names::PREFIX));
            found.extend(ours.map(|(key, value)| mark(object, &place, key, value)));
        }
    }
    // A revision is merged into the object as a patch of any form, by a decoder that does not mind upper and lower case of
    // field names: a key anywhere in it counts.
    if let ("ControllerRevision", Some(data)) = (kind, object.get("data")) {
        within(object, data, "/data", &mut found);
    }
    found
}

fn within(object: &Value, value: &Value, place: &str, found: &mut Vec<Mark>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if key.starts_with(names::PREFIX) {
                    found.push(mark(object, place, key, inner));
                }
                within(object, inner, &format!("{place}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (i, inner) in items.iter().enumerate() {
                within(object, inner, &format!("{place}/{i}"), found);
            }
        }
        _ => {}
    }
}

fn mark(object: &Value, place: &str, key: &str, value: &Value) -> Mark {
    Mark {
        kind: text(object, "/kind").to_owned(),
        name: text(object, "/metadata/name").to_owned(),
        place: place.to_owned(),
        key: key.to_owned(),
        value: value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned),
    }
}

/// The mark of a claim whose name says that a StatefulSet of some person made it (R21).
pub(super) fn claim_mark(claim: &Value) -> Option<Mark> {
    let name = text(claim, "/metadata/name");
    is_marked_claim(name).then(|| mark(claim, "/metadata", "name", &json!(name)))
}

/// The object without its marks.
pub(super) fn without_marks(object: &Value) -> Value {
    let mut clean = object.clone();
    for mark in marks(object) {
        if let Some(Value::Object(map)) = clean.pointer_mut(&mark.place) {
            map.remove(&mark.key);
        }
    }
    clean
}
