use reeve_link::{ClusterSettings, Issue, StatusPhase};
use reeve_operator::status_outbox::StatusOutbox;
use reeve_types::Revision;

use crate::rig::{project_key, rule_key};

#[test]
fn only_news_is_sent_and_only_the_last_word() {
    let outbox = StatusOutbox::default();
    assert_eq!(outbox.take(), None);
    outbox.set(rule_key(1), StatusPhase::Creating, "");
    outbox.set(rule_key(1), StatusPhase::Ready, "");
    outbox.set(project_key(1), StatusPhase::Ready, "");
    outbox.set_first(project_key(1), StatusPhase::Creating);
    let report = outbox.take().unwrap();
    assert_eq!(
        report.objects.iter().map(|o| o.phase).collect::<Vec<_>>(),
        [StatusPhase::Ready, StatusPhase::Ready]
    );
    assert_eq!(outbox.take(), None);
    outbox.set(rule_key(1), StatusPhase::Ready, "");
    assert_eq!(outbox.take(), None);
}

#[test]
fn what_did_not_arrive_is_sent_again_in_its_newest_form() {
    let outbox = StatusOutbox::default();
    outbox.set(rule_key(1), StatusPhase::Creating, "");
    let lost = outbox.take().unwrap();
    outbox.set(rule_key(1), StatusPhase::Ready, "");
    outbox.give_back(&lost);
    let report = outbox.take().unwrap();
    assert_eq!(report.objects.len(), 1);
    assert_eq!(report.objects[0].phase, StatusPhase::Ready);
}

#[test]
fn a_new_connection_hears_the_revision_again_and_large_news_in_parts() {
    let outbox = StatusOutbox::default();
    outbox.set_revision(Revision(7));
    assert_eq!(outbox.take().unwrap().revision, Revision(7));
    assert_eq!(outbox.take(), None);
    outbox.connected(Revision(7));
    assert_eq!(outbox.take().unwrap().revision, Revision(7));
    for id in 1..=1200 {
        outbox.set(rule_key(id), StatusPhase::Ready, "");
    }
    let parts: Vec<usize> = std::iter::from_fn(|| outbox.take())
        .map(|report| report.objects.len())
        .collect();
    assert_eq!(parts, [500, 500, 200]);
}

#[test]
fn what_was_under_way_when_a_connection_ended_is_sent_on_the_next() {
    let outbox = StatusOutbox::default();
    outbox.set(rule_key(1), StatusPhase::Ready, "");
    let lost = outbox.take().unwrap();
    assert_eq!(outbox.take(), None);
    outbox.connected(Revision(7));
    assert_eq!(outbox.take().unwrap().objects, lost.objects);
    outbox.sent(&lost);
    outbox.connected(Revision(7));
    assert_eq!(outbox.take().unwrap().objects, []);
}

#[test]
fn whoever_sends_everything_hears_everything_again() {
    let outbox = StatusOutbox::default();
    outbox.set(rule_key(1), StatusPhase::Ready, "");
    outbox.set(project_key(1), StatusPhase::NotReady, "why");
    outbox.set(rule_key(2), StatusPhase::Deleted, "");
    let first = outbox.take().unwrap();
    outbox.sent(&first);
    outbox.connected(Revision(7));
    assert_eq!(
        outbox.take().unwrap().objects,
        [],
        "a mere connection is no reason"
    );
    outbox.say_again();
    let again = outbox.take().unwrap().objects;
    let lasting: Vec<_> = first
        .objects
        .into_iter()
        .filter(|object| object.phase != StatusPhase::Deleted)
        .collect();
    assert_eq!(again, lasting);
    assert_eq!(outbox.take(), None);
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let outbox = StatusOutbox::default();
    outbox.set(rule_key(1), StatusPhase::NotReady, &"é".repeat(2000));
    let message = &outbox.take().unwrap().objects[0].message;
    assert!(message.len() <= 1000 && message.chars().all(|c| c == 'é'));
}

#[test]
fn a_revision_that_the_server_never_sent_is_not_said() {
    let outbox = StatusOutbox::default();
    outbox.set_revision(Revision(9));
    outbox.connected(Revision(7));
    assert_eq!(
        outbox.take().unwrap().revision,
        Revision(0),
        "its database is older than what was applied"
    );
    outbox.set_revision(Revision(8));
    assert_eq!(outbox.take().unwrap().revision, Revision(8));
}

#[test]
fn what_is_reported_keeps_to_the_bounds() {
    let outbox = StatusOutbox::default();
    let issue = Issue {
        kind: "LimitRangeValid".to_owned(),
        reason: "Invalid".to_owned(),
        message: "é".repeat(1000),
    };
    outbox.set_settings(ClusterSettings {
        enforce_run_as_user: true,
        enforce_prevent_privilege_escalation: true,
        kubernetes_version: "v".repeat(500),
        operator_version: "1".to_owned(),
        kubernetes_endpoint: None,
        policy_alarms: vec!["é".repeat(1000); 80],
        dependencies: Vec::new(),
        issues: vec![issue; 80],
    });
    for id in 1..=700 {
        outbox.set(rule_key(id), StatusPhase::NotReady, &"x".repeat(5000));
    }
    let mut reports = 0;
    while let Some(report) = outbox.take() {
        assert_eq!(report.check(), Ok(()));
        if let Some(settings) = report.settings {
            let last = settings.policy_alarms.last().unwrap();
            assert!(last.starts_with("31 more"), "{last}");
        }
        reports += 1;
    }
    assert_eq!(reports, 2);
}
