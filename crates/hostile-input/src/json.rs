//! A second reader of JSON, to compare the product's with.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// How many members the objects of a text have, those that come twice counted twice.
struct Written(usize);

struct Count;

/// Whether some object of this JSON has a member twice. Of what is no JSON, no.
pub(crate) fn has_a_member_twice(bytes: &[u8]) -> bool {
    let kept = serde_json::from_slice::<Value>(bytes).map_or(0, |value| members(&value));
    serde_json::from_slice::<Written>(bytes).is_ok_and(|written| written.0 > kept)
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(members).sum(),
        Value::Object(all) => all.len() + all.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Count).map(Self)
    }
}

impl<'de> Visitor<'de> for Count {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_i64<E>(self, _: i64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_u64<E>(self, _: u64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_f64<E>(self, _: f64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_str<E>(self, _: &str) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_unit<E>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mut sum = 0;
        while let Some(Written(count)) = seq.next_element()? {
            sum += count;
        }
        Ok(sum)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let mut sum = 0;
        while let Some((_, Written(count))) = map.next_entry::<IgnoredAny, _>()? {
            sum += 1 + count;
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_comes_twice_is_seen_at_any_depth() {
        assert!(has_a_member_twice(br#"{"a":[{"b":1,"\u0062":2}]}"#));
        assert!(!has_a_member_twice(br#"{"a":[{"b":1},{"b":2}]}"#));
        assert!(!has_a_member_twice(b"{\"a\":1,\"a\""));
    }
}
