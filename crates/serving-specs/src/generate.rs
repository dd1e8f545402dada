//! From a schema to a value of it.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::{rules, words};

/// How often a value is made anew until the rules of its place hold.
const TRIES: usize = 200;
/// The most items of a list and entries of a map.
const MOST: u64 = 3;
const NUMBERS: [i64; 8] = [0, 1, 2, 3, 10, 100, -1, 2_147_483_647];

/// How full a spec is, and how often it says something that cannot be followed.
struct Manner {
    rng: StdRng,
    filled: f64,
    wrong: f64,
}

/// The spec of a number.
pub(crate) fn spec(schema: &Value, seed: u64, kind: &str, number: u64) -> Value {
    let mut bytes = [0_u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    for (place, byte) in bytes[16..].iter_mut().zip(kind.bytes().rev()) {
        *place = byte;
    }
    let mut rng = StdRng::from_seed(bytes);
    let mut manner = Manner {
        filled: *[0.1, 0.3, 0.7].choose(&mut rng).unwrap(),
        wrong: *[0.0, 0.1, 0.4].choose(&mut rng).unwrap(),
        rng,
    };
    manner.value(schema, "")
}

impl Manner {
    fn one_in(&mut self, share: f64) -> bool {
        self.rng.random_bool(share)
    }

    /// A value for which the rules of this place hold.
    fn value(&mut self, schema: &Value, path: &str) -> Value {
        for _ in 0..TRIES {
            let value = self.any(schema, path);
            if rules::refusal_here(schema, &rules::admitted(schema, &value), None).is_none() {
                return value;
            }
        }
        panic!("no value for `{path}` in {TRIES} tries: {schema}");
    }

    fn any(&mut self, schema: &Value, path: &str) -> Value {
        if let Some(choices) = schema["enum"].as_array() {
            return choices.choose(&mut self.rng).unwrap().clone();
        }
        if schema["x-kubernetes-int-or-string"] == true {
            return self.quantity();
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema, path),
            Some("array") => self.list(schema, path),
            Some("string") => self.text(schema, path),
            Some("boolean") => json!(self.one_in(0.5)),
            Some("integer") => self.number(schema),
            other => panic!("`{path}`: no values of the type {other:?} are known"),
        }
    }

    fn object(&mut self, schema: &Value, path: &str) -> Value {
        let mut object = Map::new();
        if let Some(values) = schema.get("additionalProperties") {
            for _ in 0..self.rng.random_range(0..=MOST) {
                let key = self.word(&format!("{path}.*"));
                object.insert(key, self.value(values, path));
            }
            return Value::Object(object);
        }
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let below = format!("{path}.{name}");
            if required.contains(&name.as_str()) || self.one_in(self.filled) {
                object.insert(name.clone(), self.value(inner, &below));
            } else if self.one_in(0.05) {
                object.insert(name.clone(), Value::Null);
            } else if self.one_in(0.05) {
                object.extend(empty(inner).map(|empty| (name.clone(), empty)));
            }
        }
        Value::Object(object)
    }

    fn list(&mut self, schema: &Value, path: &str) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(MOST).min(MOST).max(least);
        let count = self.rng.random_range(least..=most);
        let items: Vec<Value> = (0..count).map(|_| self.value(&schema["items"], path)).collect();
        let keys: Vec<&str> = schema["x-kubernetes-list-map-keys"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut taken = BTreeSet::new();
        let name = |item: &Value| keys.iter().map(|key| item[key].to_string()).collect::<Vec<_>>();
        let mut is_new = |item: &Value| keys.is_empty() || taken.insert(name(item));
        Value::Array(items.into_iter().filter(|item| is_new(item)).collect())
    }

    fn number(&mut self, schema: &Value) -> Value {
        let bound = |key: &str| schema[key].as_f64().map(|bound| bound as i64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        let mut choices = NUMBERS.to_vec();
        choices.extend(least);
        choices.extend(most);
        choices.retain(|n| least.is_none_or(|least| *n >= least) && most.is_none_or(|most| *n <= most));
        json!(choices.choose(&mut self.rng).unwrap())
    }

    fn quantity(&mut self) -> Value {
        if self.one_in(0.1) {
            return json!(self.of_pattern(rules::QUANTITY));
        }
        if self.one_in(self.wrong) {
            return json!(words::WRONG_QUANTITIES.choose(&mut self.rng).unwrap());
        }
        match self.one_in(0.2) {
            true => json!(self.rng.random_range(0..5)),
            false => json!(words::QUANTITIES.choose(&mut self.rng).unwrap()),
        }
    }

    fn text(&mut self, schema: &Value, path: &str) -> Value {
        let pattern = schema["pattern"].as_str();
        match pattern {
            Some(pattern) if words::of(path).is_none() || self.one_in(0.2) => json!(self.of_pattern(pattern)),
            _ => json!(self.word(path)),
        }
    }

    fn word(&mut self, path: &str) -> String {
        let (right, wrong) = words::of(path).unwrap_or((&words::ANY, &[]));
        let from = if !wrong.is_empty() && self.one_in(self.wrong) {
            wrong
        } else {
            right
        };
        (*from.choose(&mut self.rng).unwrap()).to_owned()
    }

    /// A text of a pattern. Anchors go: all of the text is the pattern's anyway.
    fn of_pattern(&mut self, pattern: &str) -> String {
        let mut plain = String::new();
        let (mut in_class, mut escaped) = (false, false);
        for c in pattern.chars() {
            match c {
                '^' | '$' if !in_class && !escaped => {}
                _ => plain.push(c),
            }
            in_class = !escaped && (c == '[' || in_class && c != ']') || escaped && in_class;
            escaped = c == '\\' && !escaped;
        }
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &self.rng.random::<[u8; 32]>());
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let strategy = string_regex(&plain).unwrap();
        strategy.new_tree(&mut runner).unwrap().current()
    }
}

/// What says nothing: an empty list, map or text, a zero.
fn empty(schema: &Value) -> Option<Value> {
    let value = match schema["type"].as_str()? {
        "object" => json!({}),
        "array" => json!([]),
        "string" => json!(""),
        "boolean" => json!(false),
        _ => json!(0),
    };
    let admitted = rules::admitted(schema, &value);
    rules::refusal(schema, "", &admitted, None)
        .is_none()
        .then_some(value)
}
