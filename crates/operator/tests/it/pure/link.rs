use std::time::Duration;

use reeve_kube_kit::Name;
use reeve_link::Resume;
use reeve_operator::link::known::{Known, Record};
use reeve_operator::link::pause::pause;
use reeve_operator::link::retry::Retry;
use reeve_types::Revision;
use serde_json::json;
use tokio::time::Instant;

use crate::rig::{project_key, rule_key};

fn record(name: &str, revision: u64) -> Record {
    Record {
        name: Name::cluster(name),
        spec: json!({}),
        revision: Revision(revision),
    }
}

fn at(revision: u64) -> Resume {
    Resume {
        history: "123e4567-e89b-12d3-a456-426614174000".parse().unwrap(),
        revision: Revision(revision),
    }
}

#[test]
fn it_resumes_from_the_last_batch_it_applied_and_at_first_from_nothing() {
    let mut known = Known::default();
    known.set(project_key(1), record("a", 3));
    assert_eq!(known.resume(), None, "what it finds says nothing");
    known.applied(at(3), false);
    assert_eq!(known.resume(), None, "and neither does what changed later");
    known.begin_complete();
    known.applied(at(9), true);
    assert_eq!(known.resume(), Some(at(9)));
    known.applied(at(12), false);
    assert_eq!(known.resume(), Some(at(12)));
    known.begin_complete();
    assert_eq!(known.resume(), None, "the complete state was cut in the middle");
}

#[test]
fn what_was_refused_is_asked_for_until_everything_came() {
    let mut known = Known::default();
    known.applied(at(1), true);
    known.applied(at(2), false);
    known.forget_position();
    known.applied(at(3), false);
    assert_eq!(known.resume(), None);
    known.begin_complete();
    known.applied(at(3), true);
    assert_eq!(known.resume(), Some(at(3)));
}

#[test]
fn drift_that_is_seen_while_everything_is_applied_is_not_forgotten_at_its_end() {
    let mut known = Known::default();
    known.applied(at(1), true);
    known.set_drifted();
    assert_eq!(known.resume(), None);
    known.applied(at(2), false);
    assert_eq!(known.resume(), None, "a change does not mend it");

    known.begin_complete();
    assert!(!known.has_drifted(), "what was done until now will be seen");
    known.set_drifted();
    known.applied(at(3), true);
    assert!(known.has_drifted());
    assert_eq!(known.resume(), None);

    known.begin_complete();
    known.applied(at(3), true);
    assert_eq!(known.resume(), Some(at(3)));
}

#[test]
fn a_retry_never_ends_the_connection_that_it_led_to() {
    let mut retry = Retry::default();
    let start = Instant::now();
    assert_eq!(retry.at(), None);
    retry.refused(start);
    assert_eq!(retry.at(), Some(start + Duration::from_secs(10)));
    // The time comes, or the connection ends before: either way everything is asked for now.
    retry.asked();
    assert_eq!(retry.at(), None);
    // Refused again: later each time, ten minutes at most.
    let mut pauses = Vec::new();
    for _ in 0..8 {
        retry.refused(start);
        pauses.push((retry.at().unwrap() - start).as_secs());
        retry.asked();
    }
    assert_eq!(pauses, [20, 40, 80, 160, 320, 600, 600, 600]);
    retry.refused(start);
    retry.granted();
    assert_eq!(retry.at(), None);
    retry.refused(start);
    assert_eq!(retry.at(), Some(start + Duration::from_secs(10)));
}

#[test]
fn a_project_of_the_same_name_and_another_id_is_in_the_way() {
    let mut known = Known::default();
    known.set(project_key(1), record("a", 3));
    assert_eq!(
        known.in_the_way(project_key(2), &Name::cluster("a")),
        Some(project_key(1))
    );
    assert_eq!(known.in_the_way(project_key(1), &Name::cluster("a")), None);
    assert_eq!(known.in_the_way(rule_key(2), &Name::cluster("a")), None);
}

#[test]
fn pauses_grow_to_eight_seconds_and_differ_between_operators() {
    for seed in 0..50 {
        for failures in 0..40 {
            let full = Duration::from_millis(250)
                .saturating_mul(1 << failures.min(10))
                .min(Duration::from_secs(8));
            let pause = pause(failures, seed);
            assert!(pause >= full / 2 && pause <= full, "{failures} {seed} {pause:?}");
        }
    }
    let different: std::collections::BTreeSet<Duration> = (0..50).map(|seed| pause(9, seed)).collect();
    assert!(different.len() > 20);
}

#[test]
fn the_watchs_news_of_our_own_writes_is_no_drift_and_everything_else_is() {
    let mut known = Known::default();
    let record = |revision, v: u32| Record {
        spec: json!({"v": v}),
        ..record("rule-1", revision)
    };
    known.set(rule_key(1), record(3, 1));
    known.set(rule_key(1), record(3, 2));
    let drift = |revision, spec: Option<u32>| {
        let spec = spec.map(|v| json!({"v": v}));
        known.is_drift(rule_key(1), Revision(revision), spec.as_ref())
    };
    assert!(!drift(3, Some(2)) && !drift(3, Some(1)) && !drift(2, Some(9)) && !drift(2, None));
    assert!(drift(3, Some(9)) && drift(3, None) && drift(u64::MAX, Some(9)));
}
