//! Reading a JSON object field by field, so that every refusal names its field.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::InvalidBody;

/// An object of which every member must be taken before [`Object::finish`].
#[derive(Debug)]
pub(crate) struct Object {
    path: String,
    members: Map<String, Value>,
}

impl Object {
    pub(crate) fn new(path: String, value: Value) -> Result<Self, InvalidBody> {
        match value {
            Value::Object(members) => Ok(Self { path, members }),
            _ => Err(InvalidBody::NotAnObject { path }),
        }
    }

    /// The dotted path of a member.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// A member, left where it is.
    pub(crate) fn peek(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// A member that may be absent or null.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, InvalidBody> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        serde_json::from_value(value)
            .map(Some)
            .map_err(|error| InvalidBody::wrong(self.path(name), problem(&error)))
    }

    /// A member that must be there.
    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, InvalidBody> {
        self.optional(name)?.ok_or_else(|| InvalidBody::Missing {
            path: self.path(name),
        })
    }

    /// Text of at most `most` bytes without control characters; absent, null and empty are `None`.
    pub(crate) fn text(&mut self, name: &str, most: usize) -> Result<Option<String>, InvalidBody> {
        let text: Option<String> = self.optional(name)?;
        match &text {
            Some(text) if text.len() > most => Err(InvalidBody::wrong(
                self.path(name),
                format!("at most {most} bytes are possible"),
            )),
            Some(text) if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') => Err(
                InvalidBody::wrong(self.path(name), "control characters are not possible"),
            ),
            _ => Ok(text.filter(|text| !text.is_empty())),
        }
    }

    /// A member that is itself an object.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>, InvalidBody> {
        let path = self.path(name);
        self.take(name).map(|value| Self::new(path, value)).transpose()
    }

    /// A member that is a list of objects.
    pub(crate) fn objects(&mut self, name: &str) -> Result<Vec<Self>, InvalidBody> {
        let path = self.path(name);
        let values: Vec<Value> = self.optional(name)?.unwrap_or_default();
        values
            .into_iter()
            .enumerate()
            .map(|(at, value)| Self::new(format!("{path}[{at}]"), value))
            .collect()
    }

    /// Members that this version does not honour: fine as long as they ask for nothing.
    pub(crate) fn unsupported(&mut self, names: &[&str]) -> Result<(), InvalidBody> {
        names.iter().try_for_each(|name| self.only(name, &[]))
    }

    /// A member that may only say what holds anyway.
    pub(crate) fn only(&mut self, name: &str, defaults: &[Value]) -> Result<(), InvalidBody> {
        match self.members.remove(name) {
            Some(value) if !asks_nothing(&value) && !defaults.contains(&value) => {
                Err(InvalidBody::Unsupported {
                    path: self.path(name),
                })
            }
            _ => Ok(()),
        }
    }

    /// All members, for the one body whose keys are not exact.
    pub(crate) fn into_members(self) -> Map<String, Value> {
        self.members
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> Result<(), InvalidBody> {
        match self.members.keys().next() {
            Some(name) => Err(InvalidBody::Unknown {
                path: self.path(&name.chars().take(80).collect::<String>()),
            }),
            None => Ok(()),
        }
    }
}

/// Null, empty, or made of nothing else.
fn asks_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(asks_nothing),
        _ => false,
    }
}

/// What serde says, without the value it found: that may be a secret in the wrong place.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let found = ["invalid type:", "invalid value:", "invalid length"]
        .iter()
        .any(|start| text.starts_with(start));
    let unknown = text.starts_with("unknown variant");
    match text.rsplit_once(", expected ") {
        Some((_, expected)) if found => format!("{} is needed", in_words(expected)),
        Some((_, expected)) if unknown => format!("{expected} is needed"),
        _ => text,
    }
}

/// What a type of ours is to who writes JSON.
fn in_words(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => {
            "a whole number, without quotes,"
        }
        "f32" | "f64" => "a number, without quotes,",
        "a string" | "a borrowed string" | "string or map" => "text in quotes",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::new("spec".to_owned(), value).unwrap()
    }

    #[test]
    fn every_refusal_names_its_field() {
        let missing = object(json!({"image": null}))
            .required::<String>("image")
            .unwrap_err();
        assert_eq!(missing.to_string(), "`spec.image` is missing");
        let unknown = object(json!({"imagee": "x"})).finish().unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "`spec.imagee` is not a field of this request"
        );
        let unsupported = object(json!({"storage": {"pvc": [1]}}))
            .unsupported(&["storage"])
            .unwrap_err();
        assert_eq!(
            unsupported.to_string(),
            "`spec.storage` is not supported yet: leave it out"
        );
    }

    #[test]
    fn what_asks_for_nothing_is_no_reason_to_refuse() {
        let value = json!({"storage": {"pvc": [], "git": null}, "tty": false, "labels": null});
        let mut object = object(value);
        object.unsupported(&["storage", "labels"]).unwrap();
        object.only("tty", &[json!(false)]).unwrap();
        object.finish().unwrap();
    }

    #[test]
    fn a_value_of_the_wrong_type_is_not_repeated() {
        let error = object(json!({"gpus": "hunter2"}))
            .required::<u32>("gpus")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`spec.gpus`: a whole number, without quotes, is needed"
        );
        let error = object(json!({"value": ["hunter2"]}))
            .required::<String>("value")
            .unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
