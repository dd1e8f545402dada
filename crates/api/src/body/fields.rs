//! Fields that many bodies have: text with bounds, and fields of the reference that this version does not honour.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

/// Text of at most `MOST` bytes without control characters but tabs and line ends; empty is absent.
pub(crate) fn text<'de, D: Deserializer<'de>, const MOST: usize>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() > MOST {
        return Err(D::Error::custom(format_args!(
            "at most {MOST} bytes are possible"
        )));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(D::Error::custom("control characters are not possible"));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// As [`text`], and there must be some.
pub(crate) fn filled<'de, D: Deserializer<'de>, const MOST: usize>(
    deserializer: D,
) -> Result<String, D::Error> {
    text::<D, MOST>(deserializer)?.ok_or_else(|| D::Error::missing_field(""))
}

/// A whole number between these, both included.
pub(crate) fn within<'de, D: Deserializer<'de>, const LEAST: u32, const MOST: u32>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    match u32::deserialize(deserializer)? {
        number if (LEAST..=MOST).contains(&number) => Ok(Some(number)),
        _ => Err(D::Error::custom(format_args!(
            "a whole number from {LEAST} to {MOST} is needed"
        ))),
    }
}

/// Something that cannot be asked for, and why; it may ask for nothing.
pub(crate) fn refused<'de, D: Deserializer<'de>>(deserializer: D, why: &'static str) -> Result<(), D::Error> {
    let value = Value::deserialize(deserializer)?;
    if asks_nothing(&value) || value == "" {
        Ok(())
    } else {
        Err(D::Error::custom(why))
    }
}

/// A field of the reference that this version does not honour. It may be there as long as it asks for nothing: absent,
/// null, or empty. Anything else is refused by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Unsupported;

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if asks_nothing(&Value::deserialize(deserializer)?) {
            Ok(Self)
        } else {
            Err(unsupported())
        }
    }
}

impl JsonSchema for Unsupported {
    fn schema_name() -> Cow<'static, str> {
        "Unsupported".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["null", "array", "object"], "maxItems": 0, "maxProperties": 0,
            "description": "Not supported yet: what asks for something is refused by name.",
        })
    }
}

/// The refusal of a field that may ask for nothing: there is no choice of it.
pub(crate) fn unsupported<E: Error>() -> E {
    E::unknown_variant("", &[])
}

/// Null, empty, or made of nothing else.
pub(crate) fn asks_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(asks_nothing),
        _ => false,
    }
}

/// A field that may only say what holds anyway: a type for it, by its one value.
macro_rules! only {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub(crate) struct $name;

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(deserializer)?;
                if asks_nothing(&value) || same(&value, &Value::from($value)) {
                    Ok(Self)
                } else {
                    Err(unsupported())
                }
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "enum": [$value, null],
                    "description": "Nothing else is supported yet, and this holds without being asked for.",
                })
            }
        }
    )*};
}

only! {
    /// `false`.
    OnlyFalse = false;
    /// `1`, or `1.0`.
    OnlyOne = 1;
    /// `"Train"`.
    OnlyTrain = "Train";
    /// `"Never"`.
    OnlyNever = "Never";
    /// `"RuntimeDefault"`.
    OnlyRuntimeDefault = "RuntimeDefault";
    /// `"portion"`: the reference's way to say "whole devices".
    OnlyPortion = "portion";
}

/// Equal, however a number is spelt.
fn same(one: &Value, other: &Value) -> bool {
    one == other || (one.is_number() && one.as_f64() == other.as_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::body::{Body, TypedBody};

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is not looked at")]
    struct Example {
        #[serde(deserialize_with = "filled::<_, 8>")]
        image: String,
        #[serde(default, deserialize_with = "text::<_, 8>")]
        note: Option<String>,
        #[serde(default)]
        storage: Unsupported,
        #[serde(default)]
        tty: OnlyFalse,
        #[serde(default)]
        gpus: Option<u32>,
        #[serde(default)]
        share: Option<f64>,
        #[serde(default)]
        items: Vec<Item>,
    }

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is not looked at")]
    struct Item {
        name: String,
        #[serde(default)]
        on: bool,
    }

    impl TypedBody for Example {}

    fn refused(mut value: Value) -> String {
        if value.get("image").is_none() {
            value["image"] = json!("x");
        }
        Example::parse(value.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn every_refusal_names_its_field_and_what_is_needed() {
        for (body, said) in [
            (json!({"image": null}), "`image` is missing"),
            (json!({"image": ""}), "`image` is missing"),
            (json!({"imagee": null}), "`imagee` is not a field of this request"),
            (
                json!({"storage": {"pvc": [1]}}),
                "`storage` is not supported yet: leave it out",
            ),
            (json!({"tty": true}), "`tty` is not supported yet: leave it out"),
            (
                json!({"note": "123456789"}),
                "`note`: at most 8 bytes are possible",
            ),
            (
                json!({"note": "a\u{7}"}),
                "`note`: control characters are not possible",
            ),
            (
                json!({"gpus": "hunter2"}),
                "`gpus`: a whole number, without quotes, is needed",
            ),
            (
                json!({"gpus": 1.5}),
                "`gpus`: a whole number, without quotes, is needed",
            ),
            (
                json!({"gpus": -1}),
                "`gpus`: a whole number from 0 to 4294967295 is needed",
            ),
            (
                json!({"share": "1"}),
                "`share`: a number, without quotes, is needed",
            ),
            (json!({"note": ["hunter2"]}), "`note`: text in quotes is needed"),
            (json!({"items": {}}), "`items`: a list is needed"),
            (json!({"items": [[]]}), "`items[0]`: a JSON object is needed"),
            (
                json!({"items": [{"name": "a"}, {}]}),
                "`items[1].name` is missing",
            ),
            (
                json!({"items": [{"name": "a", "on": 1}]}),
                "`items[0].on`: `true` or `false` is needed",
            ),
            (
                json!({"items": [{"name": "a", "off": 1}]}),
                "`items[0].off` is not a field of this request",
            ),
        ] {
            assert_eq!(refused(body.clone()), said, "{body}");
        }
        let long = "x".repeat(500);
        assert!(refused(json!({&long: 1})).len() < 130, "names are cut");
    }

    #[test]
    fn what_asks_for_nothing_is_no_reason_to_refuse() {
        for value in [
            json!({"image": "x", "storage": {"pvc": [], "git": null}, "tty": false, "note": null, "gpus": null}),
            json!({"image": "x", "storage": [], "tty": null, "items": null, "note": ""}),
        ] {
            Example::parse(value.to_string().as_bytes()).unwrap();
        }
    }
}
