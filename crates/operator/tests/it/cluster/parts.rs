use axum::http::StatusCode;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use reeve_crds::{AccessRule, Workload};
use reeve_link::desired::DesiredObject;
use reeve_link::{ObjectKey, StatusPhase};
use reeve_testkit::wait_until;

use crate::rig::{Rig, of_project, project, project_key, rule, rule_key, workload};
use crate::scripted_link::Parts;

async fn names(rig: &Rig) -> (Vec<String>, Vec<String>) {
    let all = ListParams::default();
    let rules = Api::<AccessRule>::all(rig.client.clone())
        .list(&all)
        .await
        .unwrap();
    let workloads = Api::<Workload>::all(rig.client.clone()).list(&all).await.unwrap();
    let of = |names: &mut dyn Iterator<Item = String>| {
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    (
        of(&mut rules.iter().map(ResourceExt::name_any)),
        of(&mut workloads.iter().map(ResourceExt::name_any)),
    )
}

async fn become_so(rig: &Rig, rules: &[&str], workloads: &[&str]) {
    wait_until(
        &format!("rules {rules:?} and workloads {workloads:?}"),
        async || {
            let found = names(rig).await;
            if found.0 == rules && found.1 == workloads {
                Ok(Some(()))
            } else {
                Err(anyhow::anyhow!("{found:?}"))
            }
        },
    )
    .await
    .unwrap();
}

/// A workload that was accepted before there were bounds: more variables than the custom resource holds.
fn too_large(number: u32, name: &str) -> DesiredObject {
    let DesiredObject::Workload(mut large) = workload(number, name, 3) else {
        unreachable!("a workload")
    };
    large.environment = (0..3900).map(|n| (format!("V{n}"), String::new())).collect();
    DesiredObject::Workload(large)
}

/// Planted fault: an operator that removes what the parts so far did not name removes `two` at the cut; one that waits for the
/// end mark with rules, too, leaves the revoked one in force.
#[tokio::test(flavor = "multi_thread")]
async fn a_complete_state_in_parts_revokes_first_removes_at_its_end_and_is_held_up_by_nothing() {
    let Some(mut rig) = Rig::start().await else { return };
    let (one, two) = (workload(1, "one", 3), workload(2, "two", 3));
    let two_key = two.key();
    rig.link.change(
        &[],
        vec![
            project(3, "robots"),
            rule(1, "alice@example.com", "viewer", of_project(3)),
            rule(2, "bob@example.com", "viewer", of_project(3)),
            one,
            two,
        ],
    );
    become_so(&rig, &["rule-1", "rule-2"], &["one", "two"]).await;

    // Meanwhile a rule and a workload go; the stream breaks after the first project, again and again.
    rig.kill();
    rig.link.change(&[rule_key(2), two_key], vec![]);
    rig.link.send_in(Parts::Cut(2));
    let before = rig.link.hellos().len();
    rig.run(&[]);
    become_so(&rig, &["rule-1"], &["one", "two"]).await;
    wait_until("three connections", async || {
        Ok((rig.link.hellos().len() >= before + 3).then_some(()))
    })
    .await
    .unwrap();
    assert!(
        rig.link.hellos()[before..]
            .iter()
            .all(|hello| hello.resume.is_none()),
        "a state that was cut is asked for anew"
    );
    become_so(&rig, &["rule-1"], &["one", "two"]).await;
    rig.link.send_in(Parts::Each);
    become_so(&rig, &["rule-1"], &["one"]).await;

    // One that the schema refuses, in the middle of the parts: those after it come, and the state ends.
    rig.kill();
    let refused = too_large(3, "refused");
    let key = refused.key();
    rig.link.change(&[], vec![refused, workload(4, "zz", 3)]);
    rig.run(&[]);
    become_so(&rig, &["rule-1"], &["one", "zz"]).await;
    let words = "environment";
    rig.says(key, StatusPhase::NotReady, words).await;
    rig.link
        .change(&[], vec![rule(5, "carol@example.com", "viewer", of_project(3))]);
    rig.phase(rule_key(5), StatusPhase::Ready).await;
    rig.phase(project_key(3), StatusPhase::Ready).await;
    let position = rig.link.position();
    wait_until("the state to be applied to its end", async || {
        Ok(rig
            .link
            .reports()
            .pop()
            .filter(|told| told.revision == position.revision))
    })
    .await
    .unwrap();
    assert!(matches!(key, ObjectKey::Workload(_)));
    refused_reports_end_no_stream(&rig).await;
}

/// Neither does one that is refused for good, nor one that came too soon; that one is sent again.
async fn refused_reports_end_no_stream(rig: &Rig) {
    let hellos = rig.link.hellos().len();
    rig.link
        .refuse_reports(&[StatusCode::TOO_MANY_REQUESTS, StatusCode::TOO_MANY_REQUESTS]);
    rig.link
        .change(&[], vec![rule(6, "dora@example.com", "viewer", of_project(3))]);
    rig.phase(rule_key(6), StatusPhase::Ready).await;
    assert_eq!(rig.link.refusals_left(), 0);
    rig.link.refuse_reports(&[StatusCode::BAD_REQUEST]);
    rig.link
        .change(&[], vec![rule(7, "emil@example.com", "viewer", of_project(3))]);
    wait_until("the refusal", async || {
        Ok((rig.link.refusals_left() == 0).then_some(()))
    })
    .await
    .unwrap();
    rig.link
        .change(&[], vec![rule(8, "fred@example.com", "viewer", of_project(3))]);
    rig.phase(rule_key(8), StatusPhase::Ready).await;
    assert_eq!(rig.link.hellos().len(), hellos, "the stream went on");
}
