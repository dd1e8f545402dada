//! What is there, without what is of the moment.

use serde_json::{Map, Value, json};

/// Of what a change leaves behind these stay: files that are stored, and what others may use (Q17).
pub(super) fn stays(key: &str) -> bool {
    !["InferenceService ", "HTTPRoute "]
        .iter()
        .any(|kind| key.starts_with(kind))
}

/// An object as it is wanted: what others write into it, and when, is no matter. With its status where that is asked for.
pub(super) fn plain(object: &Value, with_status: bool) -> Value {
    let metadata = &object["metadata"];
    let owners = metadata["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|owner| owner["name"].clone());
    let mut plain = json!({
        "labels": metadata["labels"], "annotations": metadata["annotations"], "owners": owners.collect::<Vec<_>>(),
    });
    // A Job's labels and selectors are the API server's, by its uid.
    if object["kind"] != "Job" {
        plain["spec"] = object["spec"].clone();
    }
    if object["kind"] == "Job" {
        plain = json!({"owners": plain["owners"]});
    }
    if with_status {
        plain["status"] = status(&object["status"]);
    }
    plain
}

fn status(status: &Value) -> Value {
    let mut fields: Map<String, Value> = status.as_object().cloned().unwrap_or_default();
    // What was found out stays known, and so do the models that a source has.
    for moment in [
        "observedGeneration",
        "discoveredSizeBytes",
        "lastSyncTime",
        "discoveredModels",
        "availableModels",
        "discoveryJob",
    ] {
        fields.remove(moment);
    }
    let conditions = fields.remove("conditions").unwrap_or_default();
    let told = conditions.as_array().into_iter().flatten().filter(|condition| {
        // Those of the framework are there after they were `False` once.
        let of_framework = ["AuthValid", "ConfigValid", "DependenciesReachable"]
            .iter()
            .any(|type_| condition["type"] == *type_);
        !(of_framework && condition["status"] == "True") && condition["type"] != "MaxModelsLimitReached"
    });
    for condition in told {
        let said = json!([condition["status"], condition["reason"], condition["message"]]);
        fields.insert(format!("condition {}", condition["type"]), said);
    }
    Value::Object(fields)
}

/// Where two values differ first.
pub(super) fn difference(before: &Value, now: Option<&Value>) -> String {
    let Some(now) = now else {
        return "it is gone".to_owned();
    };
    let (Some(old), Some(new)) = (before.as_object(), now.as_object()) else {
        return format!("{before} became {now}");
    };
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    let mut differing = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    differing.next().map_or_else(String::new, |key| {
        format!(
            "{key}: {}",
            difference(old.get(key).unwrap_or(&Value::Null), new.get(key))
        )
    })
}
