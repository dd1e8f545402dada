use std::time::Duration;

use anyhow::{Context, ensure};
use reeve_link::{ObjectKey, StatusPhase};
use reeve_testkit::{Answer, ScriptedApiServer, wait_for, wait_until};
use serde_json::json;

use super::{Operator, hold, stray_binding, with_project, with_project_and, with_project_that};
use crate::rig::{of_project, project_key, rule, rule_key, workload};

const BINDING: &str =
    "PATCH /apis/rbac.authorization.k8s.io/v1/namespaces/reeve-robots/rolebindings/reeve-viewer";
const JOBS: &str = "POST /apis/batch/v1/namespaces/reeve-robots/jobs";
const STATUS: &str = "PATCH /apis/reeve.dev/v1alpha1/projects/robots/status";

/// How long a status may take that nothing is in the way of.
const SAID_WITHIN: Duration = Duration::from_secs(20);
const SETTINGS: &str = "PATCH /apis/reeve.dev/v1alpha1/reeveconfigs/reeve/status";

async fn phase(operator: &mut Operator, key: ObjectKey, phase: StatusPhase) -> String {
    wait_until(&format!("{key:?} {phase:?}"), async || {
        match operator.status(key) {
            Some(status) if status.phase == phase => Ok(Some(status.message)),
            other => Err(anyhow::anyhow!("{other:?}")),
        }
    })
    .await
    .unwrap()
}

/// A server with robots and one rule of it, whose binding is to be written.
fn with_rule() -> ScriptedApiServer {
    let server = with_project();
    hold(&server, rule(1, "alice@example.com", "viewer", of_project(3)));
    server
}

/// Planted fault: a reconciler that drops the outcome of the write reports Ready here.
#[tokio::test]
async fn a_binding_that_cannot_be_written_is_said_of_the_project_and_of_its_rules_and_tried_again_when_it_may_pass()
 {
    let refused = "cannot apply RoleBinding `reeve-robots/reeve-viewer`: the API server";
    let cases = [
        (Answer::Refuse(403), "refused with 403: scripted", false),
        (Answer::Refuse(422), "refused with 422: scripted", false),
        (Answer::Refuse(404), "refused with 404: scripted", false),
        (Answer::Refuse(409), "refused with 409: scripted", true),
        (Answer::Refuse(504), "refused with 504: scripted", true),
        (Answer::Silence, "did not answer within 300ms", true),
    ];
    for (answer, why, soon) in cases {
        let server = with_rule();
        server.on(BINDING, answer.clone());
        let mut operator = Operator::new(&server);
        operator.run();
        let message = phase(&mut operator, project_key(3), StatusPhase::NotReady).await;
        assert_eq!(message, format!("{refused} {why}"));
        let of_rule = phase(&mut operator, rule_key(1), StatusPhase::NotReady).await;
        assert_eq!(of_rule, format!("project `robots`: {message}"));
        wait_until("the status", async || Ok(server.seen(STATUS).pop()))
            .await
            .unwrap();
        let status = server.seen(STATUS).pop().unwrap().body["status"].clone();
        assert_eq!(status["conditions"][0]["reason"], "WriteFailed", "{status}");
        if soon {
            server.recover();
            phase(&mut operator, project_key(3), StatusPhase::Ready).await;
            phase(&mut operator, rule_key(1), StatusPhase::Ready).await;
            assert!(operator.count(BINDING) >= 2, "{answer:?}");
        } else {
            // Once for the project, and once when it is known how its Secrets stand.
            assert!(operator.count(BINDING) <= 2, "{answer:?}: nothing changed");
        }
    }
}

/// Planted fault: with `?` after the first binding, which is refused, neither the second nor the label is ever written.
#[tokio::test]
async fn one_binding_that_cannot_be_written_holds_up_neither_the_others_nor_the_labels() {
    let first =
        "PATCH /apis/rbac.authorization.k8s.io/v1/namespaces/reeve-robots/rolebindings/reeve-l1-researcher";
    let labels = "PATCH /api/v1/namespaces/reeve-robots";
    let refused = |role: &str, code| {
        format!(
            "cannot apply RoleBinding `reeve-robots/{role}`: the API server refused with {code}: scripted"
        )
    };
    let one = refused("reeve-l1-researcher", 403);
    let both = format!(
        "2 things could not be written: {one}; {}",
        refused("reeve-viewer", 422)
    );
    for (second, expected) in [(None, one), (Some(422), both)] {
        let server = with_project_that(|project| project.spec.allow_networking = Some(true));
        hold(&server, rule(1, "alice@example.com", "viewer", of_project(3)));
        hold(
            &server,
            rule(2, "bob@example.com", "l1-researcher", of_project(3)),
        );
        server.on(first, Answer::Refuse(403));
        if let Some(code) = second {
            server.on(BINDING, Answer::Refuse(code));
        }
        let mut operator = Operator::new(&server);
        operator.run();
        let message = phase(&mut operator, project_key(3), StatusPhase::NotReady).await;
        assert_eq!(message, expected);
        assert!(operator.count(BINDING) >= 1, "the other binding");
        assert!(operator.count(labels) >= 1, "the labels");
    }
}

#[tokio::test]
async fn a_status_that_nobody_is_left_to_read_is_no_failure_and_one_that_is_refused_is() {
    for (code, reason) in [(404, "Ok"), (403, "WriteFailed")] {
        let server = with_project();
        server.on(STATUS, Answer::Refuse(code));
        let mut operator = Operator::new(&server);
        operator.run();
        let passes = format!(r#"reeve_reconcile_passes_total{{controller="project",reason="{reason}"}}"#);
        wait_until(&passes, async || {
            Ok(operator.metrics().contains(&passes).then_some(()))
        })
        .await
        .unwrap();
        // What was applied is in force, and is said to be.
        phase(&mut operator, project_key(3), StatusPhase::Ready).await;
    }
}

/// Where it is none is said three times: of the settings, of each project, and by the metric.
#[tokio::test]
async fn whether_identity_is_a_boundary_is_said_of_settings_and_projects_and_by_the_metric() {
    for (prevented, holds, gauge) in [(true, "True", 1), (false, "False", 0)] {
        let server = with_project();
        let config = json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "ReeveConfig", "metadata": {"name": "reeve"},
            "spec": {"enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": prevented}});
        server.holds("/apis/reeve.dev/v1alpha1/reeveconfigs", config);
        let mut operator = Operator::new(&server);
        operator.run();
        for object in [SETTINGS, STATUS] {
            wait_for(SAID_WITHIN, object, async || {
                let written = server.seen(object).pop().context("no status is written")?;
                let conditions = written.body["status"]["conditions"].as_array();
                let boundary = conditions
                    .into_iter()
                    .flatten()
                    .find(|condition| condition["type"] == "IdentityBoundary")
                    .with_context(|| written.body.to_string())?;
                ensure!(boundary["status"] == holds, "{boundary}");
                Ok(Some(()))
            })
            .await
            .unwrap();
        }
        let metric = format!("\nreeve_identity_boundary {gauge}\n");
        let metrics = operator.metrics();
        assert!(metrics.contains(&metric), "{metrics}");
    }
}

/// Planted fault: with deletions after the applied bindings alice has her right although another stays that should have ended.
#[tokio::test]
async fn what_is_gone_when_it_is_to_be_deleted_is_as_good_as_deleted_and_what_may_not_be_deleted_is_said() {
    let delete = "DELETE /apis/rbac.authorization.k8s.io/v1/namespaces/reeve-robots/rolebindings/stray";
    for (code, expected) in [(404, StatusPhase::Ready), (403, StatusPhase::NotReady)] {
        let server = with_rule();
        server.holds(super::BINDINGS, stray_binding());
        server.on(delete, Answer::Refuse(code));
        let mut operator = Operator::new(&server);
        operator.run();
        let message = phase(&mut operator, project_key(3), expected).await;
        // Revocations come first: where one fails, nobody gets a right.
        assert_eq!(operator.count(BINDING) > 0, code == 404, "{message}");
    }
}

/// Planted fault: a patch without `resourceVersion` takes away what an installer has written meanwhile.
#[tokio::test]
async fn what_is_decided_no_more_is_taken_away_only_where_the_namespace_is_as_it_was_read() {
    let server = with_project_and(
        |_| (),
        |namespace| {
            namespace["metadata"]["annotations"]["reeve.dev/node-pools"] = json!("cpu");
            namespace["metadata"]["labels"]["reeve.dev/bounds-pods"] = json!("true");
            namespace["metadata"]["managedFields"] = json!([{"manager": reeve_operator::MANAGER, "operation": "Apply",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:annotations": {"f:reeve.dev/node-pools": {}}}}}]);
        },
    );
    let change = "PATCH /api/v1/namespaces/reeve-robots";
    server.on(change, Answer::Refuse(409));
    let mut operator = Operator::new(&server);
    operator.run();
    // A conflict is no failure: the change that made it wakes the next pass.
    phase(&mut operator, project_key(3), StatusPhase::Ready).await;
    let asked = server.seen(change).remove(0).body;
    // The script's second object.
    assert_eq!(asked["metadata"]["resourceVersion"], "2", "{asked}");
    assert_eq!(
        asked["metadata"]["annotations"],
        json!({"reeve.dev/node-pools": null}),
        "{asked}"
    );
}

#[tokio::test]
async fn a_namespace_that_somebody_made_meanwhile_is_looked_at_again() {
    let server = ScriptedApiServer::default();
    hold(&server, crate::rig::project(3, "robots"));
    server.on_times(2, "POST /api/v1/namespaces", Answer::Refuse(409));
    let mut operator = Operator::new(&server);
    operator.run();
    phase(&mut operator, project_key(3), StatusPhase::NotReady).await;
    phase(&mut operator, project_key(3), StatusPhase::Ready).await;
    assert_eq!(
        server
            .seen("POST /api/v1/namespaces")
            .iter()
            .filter(|seen| seen.line.ends_with("/namespaces"))
            .count(),
        3
    );
}

#[tokio::test]
async fn a_job_that_cannot_be_made_is_said_of_its_workload_with_the_remedy() {
    let cases = [
        (
            Answer::Refuse(409),
            "is not this workload's and is in the way: delete it",
        ),
        (
            Answer::Refuse(403),
            "cannot create Job `reeve-robots/train`: the API server refused with 403: scripted",
        ),
        (Answer::Refuse(422), "refused with 422: scripted"),
        (Answer::Silence, "the API server did not answer within 300ms"),
    ];
    for (answer, why) in cases {
        let server = with_project();
        let train = workload(1, "train", 3);
        let key = train.key();
        hold(&server, train);
        server.on(JOBS, answer.clone());
        let mut operator = Operator::new(&server);
        operator.run();
        let message = phase(&mut operator, key, StatusPhase::NotReady).await;
        assert!(message.contains(why), "{answer:?}: {message}");
        if matches!(answer, Answer::Silence) {
            server.recover();
            phase(&mut operator, key, StatusPhase::Pending).await;
            assert!(operator.count(JOBS) >= 2);
        }
    }
}

/// Planted fault: without the `continue` for a binding of somebody else, the log says that it was applied.
#[tokio::test]
async fn a_binding_of_somebody_else_is_said_to_be_in_the_way_and_not_to_be_applied() {
    for (is_in_the_way, expected) in [(false, StatusPhase::Ready), (true, StatusPhase::NotReady)] {
        crate::log::begin();
        let server = with_rule();
        if is_in_the_way {
            let mut theirs = stray_binding();
            theirs["metadata"] = serde_json::json!({"name": "reeve-viewer", "namespace": "reeve-robots"});
            server.holds(super::BINDINGS, theirs);
        }
        let mut operator = Operator::new(&server);
        operator.run();
        let message = phase(&mut operator, project_key(3), expected).await;
        assert_eq!(
            message.contains("`reeve-robots/reeve-viewer` is not ours"),
            is_in_the_way
        );
        assert_eq!(operator.count(BINDING) > 0, !is_in_the_way);
        let log = crate::log::taken();
        assert!(log.contains("caches complete"), "{log}");
        assert_eq!(log.contains("RoleBinding applied"), !is_in_the_way, "{log}");
    }
}
