use std::time::Duration;

use reeve_crds::AccessRule;
use reeve_kube_kit::ObjectName;
use reeve_link::{Batch, Resume, Versioned};
use reeve_operator::fingerprint::Fingerprint;
use reeve_operator::link::completing::Completing;
use reeve_operator::link::pause::Pauses;
use reeve_operator::link::record::{Record, Version};
use reeve_operator::link::retry::RetryPlan;
use reeve_operator::link::written::{Found, Listed, WrittenObjects};
use reeve_types::Revision;
use serde_json::json;
use tokio::time::Instant;

use crate::rig::{project, project_key, rule, rule_key};

fn record(name: &str, revision: u64) -> Record {
    Record {
        name: ObjectName::cluster(name),
        spec: Fingerprint::of(&json!({})),
        place: None,
        revision: Revision(revision),
    }
}

fn at(revision: u64) -> Resume {
    Resume {
        revision: Revision(revision),
        token: "123e4567e89b12d3a456426614174000".parse().unwrap(),
    }
}

#[test]
fn it_resumes_from_the_last_batch_it_applied_and_at_first_from_nothing() {
    let mut written = WrittenObjects::default();
    written.set(project_key(1), record("a", 3));
    assert_eq!(written.resume(), None, "what it finds says nothing");
    written.applied(Some(at(3)), false);
    assert_eq!(written.resume(), None, "and neither does what changed later");
    written.begin_complete();
    written.applied(Some(at(9)), true);
    assert_eq!(written.resume(), Some(at(9)));
    written.applied(Some(at(12)), false);
    assert_eq!(written.resume(), Some(at(12)));
    written.begin_complete();
    assert_eq!(written.resume(), None, "the complete state was cut in the middle");
}

#[test]
fn what_was_refused_is_asked_for_until_everything_came() {
    let mut written = WrittenObjects::default();
    written.applied(Some(at(1)), true);
    written.applied(Some(at(2)), false);
    written.forget_position();
    written.applied(Some(at(3)), false);
    assert_eq!(written.resume(), None);
    written.begin_complete();
    written.applied(Some(at(3)), true);
    assert_eq!(written.resume(), Some(at(3)));
}

#[test]
fn drift_that_is_seen_while_everything_is_applied_is_not_forgotten_at_its_end() {
    let mut written = WrittenObjects::default();
    written.applied(Some(at(1)), true);
    written.set_drifted();
    assert_eq!(written.resume(), None);
    written.applied(Some(at(2)), false);
    assert_eq!(written.resume(), None, "a change does not mend it");

    written.begin_complete();
    assert!(!written.has_drifted(), "what was done until now will be seen");
    written.set_drifted();
    written.applied(Some(at(3)), true);
    assert!(written.has_drifted());
    assert_eq!(written.resume(), None);

    written.begin_complete();
    written.applied(Some(at(3)), true);
    assert_eq!(written.resume(), Some(at(3)));
}

#[test]
fn a_retry_never_ends_the_connection_that_it_led_to() {
    let mut retry = RetryPlan::default();
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
    let mut written = WrittenObjects::default();
    written.set(project_key(1), record("a", 3));
    assert_eq!(
        written.in_the_way(project_key(2), &ObjectName::cluster("a")),
        Some(project_key(1))
    );
    assert_eq!(
        written.in_the_way(project_key(1), &ObjectName::cluster("a")),
        None
    );
    assert_eq!(written.in_the_way(rule_key(2), &ObjectName::cluster("a")), None);
}

#[test]
fn pauses_grow_to_eight_seconds_and_differ_between_operators() {
    let mut tenth = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let mut pauses = Pauses::new(seed);
        for round in 0..2 {
            for failures in 0..40 {
                let full = Duration::from_millis(250)
                    .saturating_mul(1 << failures.min(10))
                    .min(Duration::from_secs(8));
                let pause = pauses.after_failure();
                assert!(pause >= full / 2 && pause <= full, "{failures} {seed} {pause:?}");
                if (round, failures) == (0, 9) {
                    tenth.insert(pause);
                }
            }
            // After a connection it begins anew.
            pauses.connected();
        }
    }
    assert!(tenth.len() > 20);
}

#[test]
fn later_refusals_neither_put_off_what_is_planned_nor_double_the_pause() {
    let mut retry = RetryPlan::default();
    let start = Instant::now();
    let seconds = Duration::from_secs;
    for second in 0..9 {
        retry.refused(start + seconds(second));
        assert_eq!(retry.at(), Some(start + seconds(10)));
    }
    retry.asked();
    retry.refused(start + seconds(10));
    retry.refused(start + seconds(29));
    assert_eq!(retry.at(), Some(start + seconds(30)), "doubled once");
}

fn version(uid: &str, number: u64) -> Version {
    Version {
        uid: uid.to_owned(),
        number,
    }
}

/// Rule 1, as the watch shows it.
fn found(uid: &str, number: u64, v: u32) -> Found {
    Found {
        name: ObjectName::cluster("rule-1"),
        version: version(uid, number),
        annotated: true,
        spec: Fingerprint::of(&json!({"v": v})),
    }
}

fn wanted(revision: u64, v: u32) -> Record {
    Record {
        spec: Fingerprint::of(&json!({"v": v})),
        ..record("rule-1", revision)
    }
}

/// One that has compared what is there, and found nothing.
fn compared() -> WrittenObjects {
    let mut written = WrittenObjects::default();
    written.reload(vec![]);
    written
}

/// `tell` of rule 1, the object before given by uid and number.
fn tell(written: &mut WrittenObjects, before: Option<(&str, u64)>, now: Option<Found>) -> bool {
    let before = before.map(|(uid, number)| version(uid, number));
    written.tell(rule_key(1), before.as_ref(), now.as_ref())
}

#[test]
fn the_watchs_news_of_our_own_writes_is_no_drift_and_everything_else_is() {
    let mut written = compared();
    written.set(rule_key(1), wanted(3, 1));
    assert!(
        !tell(&mut written, None, Some(found("a", 10, 1))),
        "before the answer"
    );
    written.written(rule_key(1), version("a", 10));
    written.set(rule_key(1), wanted(4, 2));
    assert!(
        !tell(&mut written, Some(("a", 10)), Some(found("a", 11, 1))),
        "a status, before the write"
    );
    assert!(!tell(&mut written, Some(("a", 11)), Some(found("a", 12, 2))));
    written.written(rule_key(1), version("a", 12));
    assert!(
        !tell(&mut written, Some(("a", 12)), Some(found("a", 13, 2))),
        "a status"
    );
    assert!(
        !tell(&mut written, Some(("a", 10)), Some(found("a", 11, 1))),
        "old news"
    );

    // Whatever the annotation says of the revision.
    assert!(tell(&mut written, Some(("a", 13)), Some(found("a", 14, 9))));
    assert!(
        tell(&mut written, Some(("a", 13)), Some(found("a", 14, 1))),
        "an old one applied again"
    );
    assert!(tell(&mut written, Some(("a", 13)), None), "deleted");
    assert!(
        tell(&mut written, None, Some(found("b", 15, 2))),
        "deleted and made again"
    );
    let unmarked = Found {
        annotated: false,
        ..found("a", 14, 9)
    };
    assert!(tell(&mut written, Some(("a", 13)), Some(unmarked)));
}

#[test]
fn what_was_deleted_may_not_come_back_and_old_news_of_it_is_no_surprise() {
    let mut written = compared();
    written.set(rule_key(1), wanted(3, 1));
    written.written(rule_key(1), version("a", 10));
    written.bury(rule_key(1)).unwrap();
    // The watch is behind: it tells of the whole life of it.
    assert!(!tell(&mut written, None, Some(found("a", 10, 1))));
    assert!(!tell(&mut written, Some(("a", 10)), Some(found("a", 11, 1))));
    assert!(
        tell(&mut written, None, Some(found("b", 14, 1))),
        "somebody applied it again"
    );
    assert!(!tell(&mut written, Some(("a", 11)), None));
    assert!(
        tell(&mut written, None, Some(found("a", 10, 1))),
        "a backup of the cluster brought it back"
    );
    assert!(!tell(&mut written, Some(("b", 14)), None), "it is not missed");

    // The control plane made it again meanwhile.
    written.set(rule_key(1), wanted(5, 1));
    written.written(rule_key(1), version("c", 20));
    written.bury(rule_key(1)).unwrap();
    written.set(rule_key(1), wanted(6, 2));
    assert!(!tell(&mut written, None, Some(found("c", 20, 1))));
    assert!(!tell(&mut written, Some(("c", 20)), None));
    assert!(!tell(&mut written, None, Some(found("d", 22, 2))));
    written.written(rule_key(1), version("d", 22));
    assert!(tell(&mut written, Some(("d", 22)), None));

    // What could not be deleted is as before.
    let entry = written.bury(rule_key(1)).unwrap();
    written.unbury(rule_key(1), entry);
    assert!(tell(&mut written, Some(("d", 22)), Some(found("d", 23, 9))));
    assert!(tell(&mut written, Some(("d", 23)), None));
}

#[test]
fn what_bears_our_annotation_and_is_unknown_is_drift_and_what_is_somebodys_own_is_not() {
    let mut written = WrittenObjects::default();
    assert!(
        !tell(&mut written, None, Some(found("a", 10, 1))),
        "nothing was compared yet"
    );
    written.reload(vec![]);
    assert!(tell(&mut written, None, Some(found("a", 10, 1))));
    let own = Found {
        annotated: false,
        ..found("a", 10, 1)
    };
    assert!(!tell(&mut written, None, Some(own)));
    assert!(!tell(&mut written, Some(("a", 10)), None));
}

#[test]
fn a_cluster_that_was_restored_from_a_backup_is_noticed_although_its_versions_are_older() {
    let rule: AccessRule = serde_json::from_value(json!({
        "metadata": {"name": "rule-1", "uid": "a", "resourceVersion": "1000", "annotations": {"reeve.dev/revision": "7"}},
        "spec": {"id": 1, "subject": {"kind": "group", "name": "g"}, "role": "viewer", "scope": {"type": "cluster"}}
    }))
    .unwrap();
    let mut written = WrittenObjects::default();
    written.reload(vec![Listed::of(&rule).unwrap()]);
    let spec = written.get(rule_key(1)).unwrap().spec;
    let at = |number| Found {
        spec,
        ..found("a", number, 0)
    };
    assert!(!tell(&mut written, None, Some(at(1000))));
    assert!(!tell(&mut written, Some(("a", 1000)), Some(at(1001))));
    assert!(tell(&mut written, Some(("a", 1001)), Some(found("a", 900, 9))));
    assert!(
        tell(&mut written, Some(("a", 1001)), Some(at(900))),
        "even if it says the same"
    );
}

/// A part of a complete state that names rules, by number, and projects.
fn part(rules: &[i64], projects: &[i64], rules_end: bool, more: bool) -> Batch {
    let rules = rules
        .iter()
        .map(|id| rule(*id, "a@example.com", "viewer", json!({"type": "cluster"})));
    let projects = projects.iter().map(|id| project(*id, &format!("p{id}")));
    Batch {
        complete: true,
        rules_end,
        more,
        upserts: rules
            .chain(projects)
            .map(|object| Versioned {
                revision: Revision(1),
                object,
            })
            .collect(),
        ..Batch::default()
    }
}

/// Planted fault: without the condition on the end mark the first part removes project 9.
#[test]
fn of_a_complete_state_rules_are_missed_when_all_were_named_and_the_rest_at_the_end_mark() {
    let written = [
        rule_key(1),
        rule_key(2),
        rule_key(8),
        project_key(3),
        project_key(9),
    ];
    let mut completing = Completing::default();
    assert_eq!(completing.take(&part(&[1], &[], false, true), &written), []);
    assert_eq!(
        completing.take(&part(&[2], &[], true, true), &written),
        [rule_key(8)]
    );
    let written = [rule_key(1), rule_key(2), project_key(3), project_key(9)];
    assert_eq!(completing.take(&part(&[], &[4], false, true), &written), []);
    assert_eq!(
        completing.take(&part(&[], &[3], false, false), &written),
        [project_key(9)]
    );
    // One that was interrupted starts anew: what only its lost parts named is missed.
    let mut anew = Completing::default();
    assert_eq!(anew.take(&part(&[1], &[], true, true), &written), [rule_key(2)]);
}

#[test]
fn a_fingerprint_can_be_kept_as_text() {
    let of = Fingerprint::of(&json!({"a": 1}));
    assert_eq!(Fingerprint::from_text(&of.to_text()), Some(of));
    assert_ne!(of, Fingerprint::of(&json!({"a": 2})));
    for broken in ["", "zz", &of.to_text()[1..], &format!("{}00", of.to_text())] {
        assert_eq!(Fingerprint::from_text(broken), None, "{broken}");
    }
}
