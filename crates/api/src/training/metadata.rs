//! Labels and annotations of the submitter's own.

use std::collections::BTreeSet;

use reeve_types::{LabelValue, MetadataName};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::body::InvalidBody;
use crate::body::fields::{OnlyFalse, text};

/// How many labels, and how many annotations: as many as the custom resource holds.
const MOST: usize = 64;
/// Bytes of all names and values of annotations together.
const MOST_BYTES: usize = 16 * 1024;

/// A label of a training's Job and pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Its name.
    pub name: MetadataName,
    /// Its value; may be empty.
    pub value: LabelValue,
}

/// An annotation of a training's pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// Its name.
    pub name: MetadataName,
    /// Its value; may be empty.
    pub value: String,
}

/// A label.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
pub(super) struct SubmittedLabel {
    /// Its name, at most 63 bytes; none that Reeve, the reference, Kubernetes or a controller goes by.
    name: MetadataName,
    /// Its value, at most 63 bytes. Absent: empty.
    #[serde(default)]
    value: LabelValue,
    #[serde(default)]
    exclude: OnlyFalse,
}

/// An annotation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
pub(super) struct SubmittedAnnotation {
    /// Its name, at most 63 bytes; none that Reeve, the reference, Kubernetes or a controller goes by.
    name: MetadataName,
    /// Its value. Absent: empty.
    #[serde(default, deserialize_with = "value")]
    #[schemars(length(max = 16384))]
    value: String,
    #[serde(default)]
    exclude: OnlyFalse,
}

fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text::<D, MOST_BYTES>(deserializer).map(Option::unwrap_or_default)
}

/// What is kept of labels; `None` of none.
pub(super) fn labels(submitted: Vec<SubmittedLabel>) -> Option<Vec<Label>> {
    let all = submitted.into_iter().map(|it| Label {
        name: it.name,
        value: it.value,
    });
    Some(all.collect()).filter(|all: &Vec<_>| !all.is_empty())
}

/// The same of annotations.
pub(super) fn annotations(submitted: Vec<SubmittedAnnotation>) -> Option<Vec<Annotation>> {
    let all = submitted.into_iter().map(|it| Annotation {
        name: it.name,
        value: it.value,
    });
    Some(all.collect()).filter(|all: &Vec<_>| !all.is_empty())
}

/// What each cannot tell alone: how many there are, each name once, and how large all are together.
pub(super) fn check(labels: &[Label], annotations: &[Annotation]) -> Result<(), InvalidBody> {
    each_once("spec.labels", labels.iter().map(|it| &it.name))?;
    each_once("spec.annotations", annotations.iter().map(|it| &it.name))?;
    let mut bytes = 0_usize;
    for (at, it) in annotations.iter().enumerate() {
        bytes = bytes.saturating_add(it.name.as_str().len().saturating_add(it.value.len()));
        if bytes > MOST_BYTES {
            let rule = format!("at most {MOST_BYTES} bytes of all names and values together are possible");
            return Err(InvalidBody::wrong(format!("spec.annotations[{at}].value"), rule));
        }
    }
    Ok(())
}

fn each_once<'a>(
    field: &str,
    names: impl ExactSizeIterator<Item = &'a MetadataName>,
) -> Result<(), InvalidBody> {
    if names.len() > MOST {
        return Err(InvalidBody::too_many(field, MOST, "", names.len()));
    }
    let mut seen = BTreeSet::new();
    for (at, name) in names.enumerate() {
        if !seen.insert(name) {
            let place = format!("{field}[{at}].name");
            return Err(InvalidBody::wrong(place, "this name is given twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::training::TrainingSpec;
    use crate::training::parsed_spec as parse;

    #[test]
    fn labels_and_annotations_are_kept_as_they_were_given() {
        let asked = json!({
            "labels": [{"name": "team.example/stage", "value": "a", "exclude": false}, {"name": "b", "value": null}],
            "annotations": [{"name": "note", "value": "any text\nof two lines"}, {"name": "empty"}],
        });
        let spec = parse(asked).unwrap();
        let kept = serde_json::to_value(&spec).unwrap();
        assert_eq!(
            kept["labels"],
            json!([{"name": "team.example/stage", "value": "a"}, {"name": "b", "value": ""}])
        );
        assert_eq!(
            kept["annotations"],
            json!([{"name": "note", "value": "any text\nof two lines"}, {"name": "empty", "value": ""}])
        );
        assert_eq!(serde_json::from_value::<TrainingSpec>(kept).unwrap(), spec);
        let none = parse(json!({"labels": [], "annotations": null})).unwrap();
        assert_eq!((none.labels, none.annotations), (None, None));
    }

    /// Planted fault: a reserved name that is taken.
    #[test]
    fn a_name_that_somebody_else_goes_by_is_refused_by_its_place() {
        for field in ["labels", "annotations"] {
            for name in [
                "reeve.dev/runs-as",
                "reeve.dev/user",
                "run.ai/type",
                "runai/queue",
                "kubernetes.io/a",
                "batch.kubernetes.io/job-name",
                "kueue.x-k8s.io/queue-name",
                "job-name",
                "workloadName",
                "a b",
            ] {
                let said = parse(json!({field: [{"name": "fine"}, {"name": name}]})).unwrap_err();
                assert!(
                    said.starts_with(&format!("`spec.{field}[1].name`: this is not a valid name")),
                    "{said}"
                );
                assert!(
                    !said.contains("reeve.dev"),
                    "what was sent is not repeated: {said}"
                );
            }
        }
    }

    #[test]
    fn they_are_bounded_in_count_and_bytes_and_named_once() {
        let many = |count: usize, length: usize| -> Value {
            let value = "v".repeat(length);
            (0..count)
                .map(|number| json!({"name": format!("n{number:03}"), "value": value}))
                .collect()
        };
        assert!(parse(json!({"labels": many(64, 63), "annotations": many(64, 252)})).is_ok());
        for (asked, said) in [
            (json!({"labels": many(65, 0)}), "`spec.labels`: at most 64"),
            (
                json!({"annotations": many(65, 0)}),
                "`spec.annotations`: at most 64",
            ),
            (json!({"labels": many(1, 64)}), "`spec.labels[0].value`: "),
            (
                json!({"annotations": many(64, 253)}),
                "`spec.annotations[63].value`: at most 16384 bytes",
            ),
            (
                json!({"annotations": many(1, 16 * 1024 + 1)}),
                "`spec.annotations[0].value`: at most 16384 bytes",
            ),
            (
                json!({"labels": [{"name": "a"}, {"name": "a"}]}),
                "`spec.labels[1].name`: this name is given twice",
            ),
            (
                json!({"labels": [{"name": "a", "exclude": true}]}),
                "`spec.labels[0].exclude` is not supported yet",
            ),
            (
                json!({"labels": [{"value": "a"}]}),
                "`spec.labels[0].name` is missing",
            ),
        ] {
            let found = parse(asked).unwrap_err();
            assert!(found.starts_with(said), "{found}");
        }
    }
}
