//! How an object stands, and what is in its way.

use serde_json::Value;

use super::kind::{Kind, text};

/// How far it is from what is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is there.
    Ready,
    /// It comes, or may.
    Waits(String),
    /// It failed. Most failures stay; the operator tries some again by itself, as a registry that did not answer.
    Failed(String),
    /// It is on its way out.
    Gone,
}

/// What its status comes to. One that speaks of an older generation says nothing of what is wanted now.
pub(super) fn of(kind: &Kind, object: &Value) -> Standing {
    let state = text(object, "/status/status");
    let said = object
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    let wanted = object.pointer("/metadata/generation").and_then(Value::as_i64);
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return Standing::Gone;
    }
    // The reference operator writes no generation into some statuses.
    if state.is_empty() || said.is_some() && said != wanted {
        return Standing::Waits("the operator has not looked at it yet".to_owned());
    }
    let why = why(object);
    match state.as_str() {
        state if state == kind.ready => Standing::Ready,
        "Failed" | "NotAvailable" => Standing::Failed(format!("{state}{why}")),
        _ => Standing::Waits(format!("{state}{why}")),
    }
}

/// The condition that holds it up, after a colon; empty where none does.
pub(super) fn why(object: &Value) -> String {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let mut in_the_way = conditions.into_iter().flatten().filter(|condition| {
        let type_ = text(condition, "/type");
        type_ != "Ready" && type_.ends_with("Ready") && text(condition, "/status") != "True"
    });
    let Some(condition) = in_the_way.next() else {
        return String::new();
    };
    let message = text(condition, "/message");
    let message = if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    };
    format!(
        ": {} {}{message}",
        text(condition, "/type"),
        text(condition, "/reason")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kind::{ARTIFACT, SERVICE};
    use super::*;

    fn service(state: &str, observed: i64) -> Value {
        json!({
            "metadata": {"generation": 2},
            "status": {"status": state, "observedGeneration": observed, "conditions": [
                {"type": "Ready", "status": "False", "reason": "x", "message": "all of it"},
                {"type": "ModelReady", "status": "True", "reason": "Found", "message": ""},
                {"type": "CacheReady", "status": "False", "reason": "AuthError", "message": "gated"},
            ]},
        })
    }

    /// Planted fault: the generation is not compared, and `wait` ends with what ran before the change.
    #[test]
    fn what_a_status_of_an_older_generation_says_counts_for_nothing() {
        assert_eq!(of(&SERVICE, &service("Running", 2)), Standing::Ready);
        for state in ["Running", "Failed"] {
            assert!(
                matches!(of(&SERVICE, &service(state, 1)), Standing::Waits(_)),
                "{state}"
            );
        }
    }

    #[test]
    fn what_failed_is_told_with_the_condition_that_holds_it_up() {
        let why = "Failed: CacheReady AuthError: gated";
        assert_eq!(
            of(&SERVICE, &service("Failed", 2)),
            Standing::Failed(why.to_owned())
        );
        let why = "Degraded: CacheReady AuthError: gated";
        assert_eq!(
            of(&SERVICE, &service("Degraded", 2)),
            Standing::Waits(why.to_owned())
        );
        assert!(matches!(
            of(&ARTIFACT, &json!({"metadata": {}})),
            Standing::Waits(_)
        ));
        let going = json!({"metadata": {"deletionTimestamp": "x"}, "status": {"status": "Ready"}});
        assert_eq!(of(&ARTIFACT, &going), Standing::Gone);
    }
}
