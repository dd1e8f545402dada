//! Parts of schemas that Kubernetes' own types have in other schemas than the ones generated from them: quantities are numbers
//! or text, lists are maps by name, references are atomic.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

/// The pattern by which Kubernetes' own definitions check quantities.
const QUANTITY: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// Takes out what Kubernetes does not want or what would differ from the group's published schemas: `nullable` (a `null` is to
/// be dropped, and to get the default), titles, the version of JSON Schema.
pub(crate) fn clean(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    for key in ["nullable", "title", "$schema"] {
        object.remove(key);
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(clean);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            clean(inner);
        }
    }
}

fn from(value: Value) -> Schema {
    Schema::try_from(value).unwrap_or_default()
}

fn quantity_value() -> Value {
    json!({"x-kubernetes-int-or-string": true, "pattern": QUANTITY})
}

/// An amount, `16Gi` or `2`.
pub(crate) fn quantity(_: &mut SchemaGenerator) -> Schema {
    from(quantity_value())
}

/// `corev1.ResourceRequirements`.
pub(crate) fn resources(_: &mut SchemaGenerator) -> Schema {
    let amounts = json!({"type": "object", "additionalProperties": quantity_value()});
    from(json!({
        "type": "object",
        "properties": {
            "claims": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "request": {"type": "string"}},
                    "required": ["name"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
            "limits": amounts,
            "requests": amounts,
        },
    }))
}

/// `[]corev1.EnvVar`, a map by name.
pub(crate) fn env(_: &mut SchemaGenerator) -> Schema {
    let key_of = json!({
        "type": "object",
        "properties": {
            "key": {"type": "string"},
            "name": {"type": "string", "default": ""},
            "optional": {"type": "boolean"},
        },
        "required": ["key"],
        "x-kubernetes-map-type": "atomic",
    });
    from(json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "value": {"type": "string"},
                "valueFrom": {
                    "type": "object",
                    "properties": {
                        "configMapKeyRef": key_of,
                        "secretKeyRef": key_of,
                        "fieldRef": {
                            "type": "object",
                            "properties": {"apiVersion": {"type": "string"}, "fieldPath": {"type": "string"}},
                            "required": ["fieldPath"],
                            "x-kubernetes-map-type": "atomic",
                        },
                        "fileKeyRef": {
                            "type": "object",
                            "properties": {
                                "key": {"type": "string"},
                                "optional": {"type": "boolean", "default": false},
                                "path": {"type": "string"},
                                "volumeName": {"type": "string"},
                            },
                            "required": ["key", "path", "volumeName"],
                            "x-kubernetes-map-type": "atomic",
                        },
                        "resourceFieldRef": {
                            "type": "object",
                            "properties": {
                                "containerName": {"type": "string"},
                                "divisor": quantity_value(),
                                "resource": {"type": "string"},
                            },
                            "required": ["resource"],
                            "x-kubernetes-map-type": "atomic",
                        },
                    },
                },
            },
            "required": ["name"],
        },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }))
}

/// The same with at most 64 entries.
pub(crate) fn short_env(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = env(generator);
    schema.insert("maxItems".to_owned(), json!(64));
    schema
}

/// References to Secrets of image registries.
pub(crate) fn pull_secrets(_: &mut SchemaGenerator) -> Schema {
    from(json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string", "default": ""}},
            "x-kubernetes-map-type": "atomic",
        },
    }))
}

/// `[]metav1.Condition`, a map by type.
pub(crate) fn conditions(_: &mut SchemaGenerator) -> Schema {
    from(json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "lastTransitionTime": {"type": "string", "format": "date-time"},
                "message": {"type": "string", "maxLength": 32768},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
                "reason": {
                    "type": "string",
                    "maxLength": 1024,
                    "minLength": 1,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                },
                "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                "type": {
                    "type": "string",
                    "maxLength": 316,
                    "pattern": r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                },
            },
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
        },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    }))
}

/// Anything, kept as it is.
pub(crate) fn anything(_: &mut SchemaGenerator) -> Schema {
    from(json!({"x-kubernetes-preserve-unknown-fields": true}))
}

/// A moment, `2026-01-02T03:04:05Z`.
pub(crate) fn time(_: &mut SchemaGenerator) -> Schema {
    from(json!({"type": "string", "format": "date-time"}))
}
