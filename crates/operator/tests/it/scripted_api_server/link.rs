use reeve_link::desired::DesiredObject;
use reeve_link::{Batch, ObjectKey, StatusPhase, Versioned};
use reeve_operator::link::writer::DesiredStateWriter;
use reeve_testkit::{Answer, ScriptedApiServer};
use reeve_types::{ErrorChain, Revision, RevisionToken};

use super::{Operator, RULES, WORKLOADS, to_value};
use crate::rig::{of_project, rule, rule_key, workload};

fn batch(revision: u64, deletes: &[ObjectKey], upserts: Vec<DesiredObject>) -> Batch {
    Batch {
        revision: Revision(revision),
        token: Some(RevisionToken::from_bytes([1; 16])),
        deletes: deletes.to_vec(),
        upserts: upserts
            .into_iter()
            .map(|object| Versioned {
                revision: Revision(revision),
                object,
            })
            .collect(),
        ..Batch::default()
    }
}

fn alice() -> DesiredObject {
    rule(1, "alice@example.com", "viewer", of_project(3))
}

fn bob() -> DesiredObject {
    rule(2, "bob@example.com", "viewer", of_project(3))
}

fn written(rule: i64) -> String {
    format!("PATCH {RULES}/rule-{rule}")
}

fn start() -> (ScriptedApiServer, Operator, DesiredStateWriter) {
    let server = ScriptedApiServer::default();
    let operator = Operator::new(&server);
    let writer = DesiredStateWriter::new(operator.link());
    (server, operator, writer)
}

/// Planted fault: with `return Err(failed)` for every refusal rule 2 is never written.
#[tokio::test]
async fn an_object_that_is_refused_is_reported_and_holds_up_nobody_else() {
    for (code, asked_again) in [
        (422, false),
        (400, false),
        (403, true),
        (404, true),
        (409, true),
        (500, true),
    ] {
        let (server, mut operator, mut writer) = start();
        server.on(&written(1), Answer::Refuse(code));
        writer.apply(batch(5, &[], vec![alice(), bob()])).await.unwrap();
        let status = operator.status(rule_key(1)).unwrap();
        assert_eq!(status.phase, StatusPhase::NotReady, "{code}");
        assert_eq!(
            status.message,
            format!("cannot apply AccessRule `rule-1`: the API server refused with {code}: scripted")
        );
        assert_eq!(operator.count(&written(2)), 1, "{code}");
        assert_eq!(operator.status(rule_key(2)).unwrap().phase, StatusPhase::Creating);
        // What the schema refuses it will refuse again; the rest is asked for once more after a pause.
        assert_eq!(writer.retry_at().is_some(), asked_again, "{code}");
    }
}

#[tokio::test]
async fn a_write_that_may_succeed_later_ends_the_connection_and_is_made_again_by_the_next() {
    for (answer, why) in [
        (Answer::Refuse(503), "the API server refused with 503: scripted"),
        (Answer::Refuse(504), "the API server refused with 504: scripted"),
        (Answer::Silence, "the API server did not answer within 300ms"),
    ] {
        let (server, mut operator, mut writer) = start();
        server.on(&written(1), answer);
        let all = batch(5, &[], vec![alice(), bob()]);
        let failed = writer.apply(all.clone()).await.unwrap_err();
        assert_eq!(
            ErrorChain(&failed).to_string(),
            format!("cannot apply AccessRule `rule-1`: {why}")
        );
        assert_eq!(operator.count(&written(2)), 0, "what comes after waits");
        assert_eq!(operator.status(rule_key(1)).unwrap().phase, StatusPhase::Creating);
        server.recover();
        writer.begin();
        writer.apply(all).await.unwrap();
        assert_eq!((operator.count(&written(1)), operator.count(&written(2))), (2, 1));
    }
}

/// Planted fault: a deletion that is passed over when it is refused leaves the right in force; `unwrap_err` fails.
#[tokio::test]
async fn a_revocation_that_is_refused_is_never_passed_over_and_one_of_what_is_gone_is_done() {
    let deleted = format!("DELETE {RULES}/rule-1");
    for answer in [
        Answer::Refuse(403),
        Answer::Refuse(409),
        Answer::Refuse(422),
        Answer::Silence,
    ] {
        let (server, mut operator, mut writer) = start();
        writer.apply(batch(5, &[], vec![alice()])).await.unwrap();
        server.on(&deleted, answer);
        let revoked = batch(6, &[rule_key(1)], vec![bob()]);
        for attempt in 1..=2 {
            writer.apply(revoked.clone()).await.unwrap_err();
            assert_eq!(operator.count(&deleted), attempt);
            assert_eq!(operator.count(&written(2)), 0, "deletions come first");
        }
        server.recover();
        server.on(&deleted, Answer::Refuse(404));
        writer.apply(revoked).await.unwrap();
        assert_eq!(operator.status(rule_key(1)).unwrap().phase, StatusPhase::Deleted);
        assert_eq!(operator.count(&written(2)), 1);
    }
}

#[tokio::test]
async fn a_workload_that_may_not_be_deleted_is_reported_and_the_rule_after_it_is_written() {
    let (server, mut operator, mut writer) = start();
    let train = workload(1, "train", 3);
    let key = train.key();
    let DesiredObject::Workload(desired) = &train else {
        unreachable!("a workload")
    };
    let mut object = reeve_crds::Workload::desired(desired, "reeve-robots");
    object.metadata.annotations = Some([("reeve.dev/revision".to_owned(), "5".to_owned())].into());
    server.holds(WORKLOADS, to_value(&object));
    let deleted = "DELETE /apis/reeve.dev/v1alpha1/namespaces/reeve-robots/workloads/train";
    server.on(deleted, Answer::Refuse(403));
    let everything = Batch {
        complete: true,
        ..batch(6, &[], vec![alice()])
    };
    writer.apply(everything).await.unwrap();
    let status = operator.status(key).unwrap();
    assert_eq!(status.phase, StatusPhase::NotReady);
    assert!(
        status
            .message
            .contains("cannot delete Workload `reeve-robots/train`"),
        "{}",
        status.message
    );
    assert_eq!((operator.count(deleted), operator.count(&written(1))), (1, 1));
    assert!(writer.retry_at().is_some(), "and is asked for again");
}

#[tokio::test]
async fn a_complete_state_that_cannot_be_compared_with_what_is_there_removes_nothing_and_writes_nothing() {
    for code in [403, 404, 503] {
        let (server, operator, mut writer) = start();
        server.on(&format!("GET {RULES}"), Answer::Refuse(code));
        let everything = Batch {
            complete: true,
            ..batch(6, &[], vec![alice()])
        };
        let failed = writer.apply(everything).await.unwrap_err();
        assert!(
            ErrorChain(&failed)
                .to_string()
                .starts_with("cannot list AccessRule `*`")
        );
        assert_eq!((operator.count("DELETE"), operator.count("PATCH")), (0, 0));
    }
}
