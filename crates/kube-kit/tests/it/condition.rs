use reeve_kube_kit::condition::{ConditionUpdate, set};
use reeve_types::Timestamp;

fn says(status: bool, message: &str) -> ConditionUpdate<'_> {
    ConditionUpdate {
        type_: "Ready",
        status: Some(status),
        reason: "R",
        message,
        generation: Some(1),
    }
}

#[test]
fn saying_the_same_later_changes_nothing_and_only_another_status_moves_the_time() {
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
    let mut conditions = Vec::new();
    assert!(set(&mut conditions, &says(false, "a"), at(10)));
    let first = conditions.clone();
    assert!(!set(&mut conditions, &says(false, "a"), at(20)));
    assert_eq!(conditions, first);
    assert!(!set(&mut conditions, &says(false, "b"), at(30)));
    assert_eq!(conditions[0].last_transition_time, first[0].last_transition_time);
    assert_eq!(conditions[0].message, "b");
    assert!(set(&mut conditions, &says(true, "b"), at(40)));
    assert_ne!(conditions[0].last_transition_time, first[0].last_transition_time);
    assert_eq!(conditions.len(), 1);
}
