//! What was applied last, so that what a default or a webhook put into it is not taken for something that we set before, and applied
//! against again in each pass.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use reeve_kube_kit::ObjectName;
use serde_json::Value;

use crate::write::Target;

/// How many are remembered. Whoever makes and deletes services fills no memory; what is forgotten is applied once more, which changes
/// nothing.
const MOST: usize = 4096;

/// Digests of what was applied last, by kind and name. They are of this process alone.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    last: Mutex<BTreeMap<(String, ObjectName), u64>>,
}

impl Applied {
    /// Whether just this was the last that was applied.
    pub(crate) fn is_last(&self, target: &Target, object: &Value) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(&key(target)) == Some(&digest(object))
    }

    /// This was applied.
    pub(crate) fn remember(&self, target: &Target, object: &Value) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= MOST {
            last.clear();
        }
        last.insert(key(target), digest(object));
    }
}

fn key(target: &Target) -> (String, ObjectName) {
    (target.kind.clone(), target.name.clone())
}

fn digest(object: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.to_string().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Planted fault: an answer that is always no writes an InferenceService in each pass where KServe puts limits on containers.
    #[test]
    fn only_the_last_that_was_applied_under_a_name_is_known() {
        let applied = Applied::default();
        let object = |name: &str, limit: &str| json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": name}, "spec": limit});
        let target = |name: &str| Target::of(&object(name, "")).unwrap();
        let (a, b) = (target("a"), target("b"));
        assert!(!applied.is_last(&a, &object("a", "1")));
        applied.remember(&a, &object("a", "1"));
        assert!(applied.is_last(&a, &object("a", "1")));
        assert!(!applied.is_last(&a, &object("a", "2")));
        assert!(!applied.is_last(&b, &object("a", "1")));
        applied.remember(&a, &object("a", "2"));
        assert!(!applied.is_last(&a, &object("a", "1")));
    }

    #[test]
    fn names_without_end_fill_no_memory() {
        let applied = Applied::default();
        for number in 0..MOST + 10 {
            let object = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": number.to_string()}});
            applied.remember(&Target::of(&object).unwrap(), &object);
        }
        let held = applied.last.lock().unwrap().len();
        assert!((1..=MOST).contains(&held), "{held}");
    }
}
