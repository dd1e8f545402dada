use std::time::Duration;

use reeve_kube_kit::Name;
use reeve_link::Batch;
use reeve_operator::link::known::{Known, Record};
use reeve_operator::link::pause::pause;
use reeve_types::Revision;
use serde_json::json;

use crate::rig::{project_key, rule_key};

fn record(name: &str, revision: u64, waits: Option<u64>) -> Record {
    Record {
        name: Name::cluster(name),
        spec: json!({}),
        revision: Revision(revision),
        waits: waits.map(Revision),
    }
}

#[test]
fn it_resumes_from_the_greatest_revision_but_before_what_waits() {
    let mut known = Known::default();
    assert_eq!(known.resume_from(), None);
    known.set(project_key(1), record("a", 3, None));
    known.set(rule_key(1), record("rule-1", 9, None));
    assert_eq!(known.resume_from(), Some(Revision(9)));
    known.set(project_key(1), record("a", 3, Some(5)));
    assert_eq!(known.resume_from(), Some(Revision(4)));
    known.forget_position();
    assert_eq!(known.resume_from(), None);
    let batch = |revision, complete| Batch {
        revision: Revision(revision),
        complete,
        ..Batch::default()
    };
    known.applied(&batch(12, false));
    assert_eq!(known.resume_from(), None);
    known.applied(&batch(12, true));
    assert_eq!(known.resume_from(), Some(Revision(4)));
    // Revisions of deletions leave no object behind.
    known.set(project_key(1), record("a", 3, None));
    assert_eq!(known.resume_from(), Some(Revision(12)));
}

#[test]
fn a_project_of_the_same_name_and_another_id_is_in_the_way() {
    let mut known = Known::default();
    known.set(project_key(1), record("a", 3, None));
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
        name: Name::cluster("rule-1"),
        spec: json!({"v": v}),
        revision: Revision(revision),
        waits: None,
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
