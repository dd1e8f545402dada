//! Environment variables from several places.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::EnvVar;
use serde_json::{Map, Value};

/// The variable whose value is a JSON object, merged leaf by leaf.
pub const ENGINE_ARGS: &str = "AIM_ENGINE_ARGS";

/// A variable with a value.
pub fn plain(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.into()),
        value_from: None,
    }
}

/// `over` over `base`: a variable of the same name takes the place of the one before, a new one comes last. Of two that bear
/// the same name within one list the later counts. [`ENGINE_ARGS`] is merged as a JSON object.
pub fn merge(base: &[EnvVar], over: &[EnvVar]) -> Vec<EnvVar> {
    let mut merged: Vec<EnvVar> = Vec::with_capacity(base.len() + over.len());
    let mut places = BTreeMap::new();
    for (variable, is_over) in base
        .iter()
        .map(|v| (v, false))
        .chain(over.iter().map(|v| (v, true)))
    {
        match places
            .get(&variable.name)
            .and_then(|place: &usize| merged.get_mut(*place))
        {
            Some(before) if is_over && variable.name == ENGINE_ARGS => {
                *before = merge_engine_args(before, variable)
            }
            Some(before) => variable.clone_into(before),
            None => {
                places.insert(variable.name.clone(), merged.len());
                merged.push(variable.clone());
            }
        }
    }
    merged
}

fn merge_engine_args(base: &EnvVar, over: &EnvVar) -> EnvVar {
    let text = |variable: &EnvVar| variable.value.clone().filter(|_| variable.value_from.is_none());
    let (Some(base_text), Some(over_text)) = (text(base), text(over)) else {
        return over.clone();
    };
    if over_text.is_empty() {
        return base.clone();
    }
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let value = match (object(&base_text), object(&over_text)) {
        (Some(base), Some(over)) => Value::Object(merge_objects(base, over)).to_string(),
        _ => over_text,
    };
    plain(ENGINE_ARGS, value)
}

fn merge_objects(mut base: Map<String, Value>, over: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in over {
        let merged = match (base.remove(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => Value::Object(merge_objects(base, over)),
            (_, value) => value,
        };
        base.insert(key, merged);
    }
    base
}

/// Adds a variable unless its value is empty; one of the same name is replaced.
pub(crate) fn set(env: &mut Vec<EnvVar>, name: &str, value: &str) {
    if !value.is_empty() {
        *env = merge(env, &[plain(name, value)]);
    }
}

/// Sorted by name.
pub(crate) fn sorted(mut env: Vec<EnvVar>) -> Vec<EnvVar> {
    env.sort_by(|a, b| a.name.cmp(&b.name));
    env
}
