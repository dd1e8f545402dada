//! JSON objects in which no member comes twice, and looking into them.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Text that is no JSON object, or one that can be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no JSON object, or a member comes twice in it")]
pub struct InvalidJson;

/// The claims of somebody, as a provider says them.
pub type Claims = Map<String, Value>;

/// Reads an object. Parsers differ in which of two members of one name counts; so there must not be two.
///
/// # Errors
/// [`InvalidJson`].
pub fn object(bytes: &[u8]) -> Result<Claims, InvalidJson> {
    match serde_json::from_slice::<Once>(bytes) {
        Ok(Once(Value::Object(members))) => Ok(members),
        _ => Err(InvalidJson),
    }
}

/// The claim of this name, or else the one at the end of this path of names with dots between them. What is left of a path may be one
/// name that has dots itself, as an address or the key of an annotation, and that is looked for first. `null` is the same as absent.
pub fn claim<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let (mut members, mut rest) = (claims, name);
    let found = loop {
        if let Some(found) = members.get(rest) {
            break found;
        }
        let (first, others) = rest.split_once('.')?;
        (members, rest) = (members.get(first)?.as_object()?, others);
    };
    Some(found).filter(|value| !value.is_null())
}

struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Self)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Once(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Once(value))) = map.next_entry::<String, Once>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member comes twice"));
            }
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The naive reader beside it takes the last of two.
    #[test]
    fn a_member_that_comes_twice_is_refused_at_any_depth() {
        let twice = br#"{"a":{"sub":"alice","sub":"admin"}}"#;
        assert!(serde_json::from_slice::<Value>(twice).is_ok());
        assert_eq!(object(twice), Err(InvalidJson));
        assert!(object(br#"{"a":[{"b":1},{"b":2}],"c":null}"#).is_ok());
        for other in ["[]", "\"a\"", "", "{", "{}{}"] {
            assert_eq!(object(other.as_bytes()), Err(InvalidJson), "{other}");
        }
    }

    #[test]
    fn a_name_with_dots_is_a_name_first_and_a_path_then() {
        let claims = object(br#"{"https://a.b/g":1,"a":{"b":{"c":2}},"a.b":{"c":3},"n":null}"#).unwrap();
        let number = |name: &str| claim(&claims, name).and_then(Value::as_i64);
        assert_eq!((number("https://a.b/g"), number("a.b.c")), (Some(1), Some(2)));
        assert_eq!((claim(&claims, "n"), claim(&claims, "a.x.c")), (None, None));
        let annotated =
            object(br#"{"metadata":{"annotations":{"example.com/uid":"7","example":{"com/uid":"8"}}}}"#);
        let annotated = annotated.unwrap();
        let uid = claim(&annotated, "metadata.annotations.example.com/uid");
        assert_eq!(uid.and_then(Value::as_str), Some("7"));
    }
}
