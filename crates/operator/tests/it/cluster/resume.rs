use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use reeve_crds::{AccessRule, Project, Workload};
use reeve_link::desired::DesiredObject;
use reeve_link::{Resume, StatusPhase};
use reeve_testkit::wait_until;
use serde_json::json;

use crate::rig::{Rig, of_project, project, project_in, project_key, rule, rule_key, workload};

/// What the custom resources say, in the link's words.
async fn mirrored(rig: &Rig) -> Vec<DesiredObject> {
    let all = ListParams::default();
    let projects = Api::<Project>::all(rig.client.clone()).list(&all).await.unwrap();
    let rules = Api::<AccessRule>::all(rig.client.clone())
        .list(&all)
        .await
        .unwrap();
    let workloads = Api::<Workload>::all(rig.client.clone()).list(&all).await.unwrap();
    let mut found: Vec<DesiredObject> = projects
        .iter()
        .map(|p| DesiredObject::Project(p.checked().unwrap()))
        .collect();
    found.extend(
        rules
            .iter()
            .map(|r| DesiredObject::AccessRule(r.checked().unwrap())),
    );
    found.extend(
        workloads
            .iter()
            .map(|w| DesiredObject::Workload(Box::new(w.checked().unwrap()))),
    );
    found.sort_by_key(DesiredObject::key);
    found
}

async fn converged(rig: &Rig) {
    wait_until("the cluster to equal the desired state", async || {
        Ok((mirrored(rig).await == rig.link.objects()).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_changes_it_ends_with_every_one() {
    let Some(mut rig) = Rig::start().await else { return };
    rig.link.change(&[], vec![project(3, "robots")]);
    rig.phase(project_key(3), StatusPhase::Ready).await;
    // How many hellos there were when the living process was started.
    let mut before = 0;
    for round in 0..5i64 {
        for step in 0..40 {
            let id = round * 40 + step + 1;
            rig.link.change(
                &[],
                vec![rule(
                    id,
                    &format!("user{id}@example.com"),
                    "viewer",
                    of_project(3),
                )],
            );
            if id > 10 && step % 3 == 0 {
                rig.link.change(&[rule_key(id - 10)], vec![]);
            }
            if step == 20 {
                // Seeded: another point of each round's work.
                asks_for_everything_after(&rig, before).await;
                tokio::time::sleep(Duration::from_millis(37 * (round as u64 + 1))).await;
                rig.kill();
                before = rig.link.hellos().len();
                rig.run(&[]);
            }
        }
    }
    converged(&rig).await;
    let names: Vec<String> = rig
        .link
        .objects()
        .iter()
        .filter_map(|object| match object {
            DesiredObject::AccessRule(rule) => Some(format!("User {}", rule.subject.name)),
            _ => None,
        })
        .collect();
    assert!(names.len() > 100);
    wait_until("every subject", async || {
        let bindings = rig.bindings("reeve-robots").await;
        let mut wanted = names.clone();
        wanted.sort();
        Ok((bindings.first().is_some_and(|(_, subjects)| *subjects == wanted)).then_some(()))
    })
    .await
    .unwrap();
    asks_for_everything_after(&rig, before).await;

    // One change among many sends one object, and a later connection of the same process is sent only what is later.
    let before = rig.link.sent();
    rig.link
        .change(&[], vec![rule(1000, "last@example.com", "viewer", of_project(3))]);
    rig.phase(rule_key(1000), StatusPhase::Ready).await;
    assert_eq!(rig.link.sent() - before, 1);
    let position = applied(&rig).await;
    rig.link.cut();
    rig.link.change(
        &[],
        vec![rule(1001, "later@example.com", "viewer", of_project(3))],
    );
    rig.phase(rule_key(1001), StatusPhase::Ready).await;
    assert_eq!(rig.link.hellos().last().unwrap().resume, Some(position));
    assert_eq!(rig.link.sent(), 1);

    edits_by_hand(&rig).await;
    an_old_copy_of_what_was_revoked(&rig).await;
    edits_while_it_is_down(&mut rig).await;
}

/// Waits until everything is applied; answers which position that is.
async fn applied(rig: &Rig) -> Resume {
    let position = rig.link.position();
    wait_until("the last revision to be applied", async || {
        let told = rig.link.reports().pop();
        Ok(told.filter(|report| report.revision == position.revision))
    })
    .await
    .unwrap();
    position
}

/// A process that has just started believes nothing that it finds.
async fn asks_for_everything_after(rig: &Rig, hellos: usize) {
    wait_until("a hello that asks for everything", async || {
        let new = rig.link.hellos();
        Ok(new
            .iter()
            .skip(hellos)
            .any(|hello| hello.resume.is_none())
            .then_some(()))
    })
    .await
    .unwrap();
}

/// What the link wrote and somebody else deletes or edits is asked for again.
async fn edits_by_hand(rig: &Rig) {
    let rules = Api::<AccessRule>::all(rig.installer.clone());
    rules.delete("rule-1000", &DeleteParams::default()).await.unwrap();
    wait_until("the rule to return", async || {
        Ok(rules.get_opt("rule-1000").await?)
    })
    .await
    .unwrap();
    assert_eq!(rig.link.hellos().last().unwrap().resume, None);
    let told = [
        "it was deleted; who did it is in the API server's audit log",
        "the AccessRule `rule-1000`",
    ];
    rig.event_says("DriftFound", &told).await;
    let eve = Patch::Merge(json!({"spec": {"subject": {"name": "eve@example.com"}}}));
    let by = PatchParams {
        field_manager: Some("eves-editor".to_owned()),
        ..PatchParams::default()
    };
    rules.patch("rule-1001", &by, &eve).await.unwrap();
    let told = [
        "changed: `spec.subject.name` by `eves-editor`",
        "the AccessRule `rule-1001`",
    ];
    rig.event_says("DriftFound", &told).await;
    converged(rig).await;
    wait_until("eve to go", async || {
        let bindings = rig.bindings("reeve-robots").await;
        Ok((!bindings
            .iter()
            .any(|(_, subjects)| subjects.contains(&"User eve@example.com".to_owned())))
        .then_some(()))
    })
    .await
    .unwrap();
}

/// As somebody keeps it in a file: with what the link wrote on it.
fn copy_of(rule: &AccessRule) -> AccessRule {
    let copy = json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "AccessRule", "spec": rule.spec,
        "metadata": {"name": rule.name_any(), "annotations": rule.annotations(), "labels": rule.labels()}});
    serde_json::from_value(copy).unwrap()
}

async fn revoke(rig: &Rig, id: i64) -> AccessRule {
    let rules = Api::<AccessRule>::all(rig.installer.clone());
    let name = format!("rule-{id}");
    let revoked = rules.get(&name).await.unwrap();
    rig.link.change(&[rule_key(id)], vec![]);
    wait_until("the rule to go", async || {
        Ok(rules.get_opt(&name).await?.is_none().then_some(()))
    })
    .await
    .unwrap();
    revoked
}

/// What was revoked while the process lives, and is applied again by hand, goes again.
async fn an_old_copy_of_what_was_revoked(rig: &Rig) {
    rig.link
        .change(&[], vec![rule(1002, "gone@example.com", "viewer", of_project(3))]);
    rig.phase(rule_key(1002), StatusPhase::Ready).await;
    let revoked = revoke(rig, 1002).await;
    rig.phase(rule_key(1002), StatusPhase::Deleted).await;
    let rules = Api::<AccessRule>::all(rig.installer.clone());
    rules
        .create(&PostParams::default(), &copy_of(&revoked))
        .await
        .unwrap();
    converged(rig).await;
    wait_until("its subject to go", async || {
        let bindings = rig.bindings("reeve-robots").await;
        Ok((!bindings
            .iter()
            .any(|(_, subjects)| subjects.contains(&"User gone@example.com".to_owned())))
        .then_some(()))
    })
    .await
    .unwrap();
}

/// The annotations may say what they like.
async fn edits_while_it_is_down(rig: &mut Rig) {
    let rules = Api::<AccessRule>::all(rig.installer.clone());
    let revoked = revoke(rig, 1001).await;
    rig.kill();
    rules.delete("rule-1000", &DeleteParams::default()).await.unwrap();
    rules
        .create(&PostParams::default(), &copy_of(&revoked))
        .await
        .unwrap();
    rig.run(&[]);
    converged(rig).await;
    wait_until("the right subjects", async || {
        let bindings = rig.bindings("reeve-robots").await;
        let subjects = bindings.into_iter().next().map(|(_, subjects)| subjects);
        let subjects = subjects.unwrap_or_default();
        let has = |name: &str| subjects.iter().any(|subject| subject == name);
        Ok((has("User last@example.com") && !has("User later@example.com")).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_revision_that_was_cut_in_the_middle_everything_arrives_and_a_refused_end_is_tried_again() {
    let Some(mut rig) = Rig::start().await else { return };
    rig.link.change(&[], vec![project(3, "robots")]);
    rig.phase(project_key(3), StatusPhase::Ready).await;
    // One revision writes many objects; the process dies somewhere among them.
    let many: Vec<DesiredObject> = (1..=300)
        .map(|id| rule(id, &format!("u{id}@example.com"), "viewer", of_project(3)))
        .collect();
    rig.link.change(&[], many);
    let rules = Api::<AccessRule>::all(rig.client.clone());
    let count = async || {
        rules
            .list_metadata(&ListParams::default())
            .await
            .unwrap()
            .items
            .len()
    };
    wait_until("some of them", async || Ok((count().await > 20).then_some(())))
        .await
        .unwrap();
    rig.kill();
    let written = count().await;
    assert!(written < 300, "too late to show anything: {written}");
    rig.run(&[]);
    converged(&rig).await;

    // The right to delete is gone for a while, as it is when a chart is upgraded: a revocation is not lost over that.
    let roles = Api::<ClusterRole>::all(rig.installer.clone());
    let whole = roles.get("reeve-operator").await.unwrap();
    let mut without = whole.clone();
    for rule in without.rules.iter_mut().flatten() {
        rule.verbs.retain(|verb| verb != "delete");
    }
    let manager = PatchParams::apply("reeve-testkit").force();
    let as_applied = |role: &ClusterRole| {
        Patch::Apply(
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reeve-operator"}, "rules": role.rules}),
        )
    };
    roles
        .patch("reeve-operator", &manager, &as_applied(&without))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    rig.link.change(&[rule_key(1)], vec![]);
    rig.link.change(
        &[],
        vec![rule(1000, "later@example.com", "viewer", of_project(3))],
    );
    wait_until("a refusal", async || {
        Ok(rig
            .log()
            .contains("cannot delete AccessRule `rule-1`")
            .then_some(()))
    })
    .await
    .unwrap();
    assert!(rules.get_opt("rule-1").await.unwrap().is_some());
    rig.kill();
    rig.run(&[]);
    roles
        .patch("reeve-operator", &manager, &as_applied(&whole))
        .await
        .unwrap();
    converged(&rig).await;
    assert!(rules.get_opt("rule-1").await.unwrap().is_none());

    // Neither is anything else that is refused: it is told, passed over, and tried again.
    let mut without = whole.clone();
    for rule in without.rules.iter_mut().flatten() {
        rule.verbs.retain(|verb| verb != "create");
    }
    roles
        .patch("reeve-operator", &manager, &as_applied(&without))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    rig.link.change(
        &[],
        vec![rule(1001, "refused@example.com", "viewer", of_project(3))],
    );
    let words = "cannot apply AccessRule `rule-1001`";
    rig.says(rule_key(1001), StatusPhase::NotReady, words).await;
    rig.link.change(&[rule_key(2)], vec![]);
    wait_until("rule 2 to go", async || {
        Ok(rules.get_opt("rule-2").await?.is_none().then_some(()))
    })
    .await
    .unwrap();
    let hellos = rig.link.hellos().len();
    roles
        .patch("reeve-operator", &manager, &as_applied(&whole))
        .await
        .unwrap();
    rig.phase(rule_key(1001), StatusPhase::Ready).await;
    converged(&rig).await;
    // It asked when the pause was over, not over and over: the retry ends no connection but one.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let asked = rig.link.hellos().len() - hellos;
    assert!((1..=2).contains(&asked), "{asked} connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_waits_for_its_namespace_also_across_connections_and_a_restart_and_holds_nobody_up() {
    let Some(mut rig) = Rig::start().await else { return };
    let namespaces = Api::<Namespace>::all(rig.installer.clone());
    let old: Namespace = serde_json::from_value(json!({"metadata": {"name": "old"}})).unwrap();
    namespaces.create(&PostParams::default(), &old).await.unwrap();
    let waits = workload(1, "waits", 3);
    let key = waits.key();
    rig.link.change(
        &[],
        vec![project_in(3, "robots", "old"), waits, project(4, "captions")],
    );
    rig.link
        .change(&[], vec![rule(1, "alice@example.com", "viewer", of_project(4))]);
    rig.phase(rule_key(1), StatusPhase::Ready).await;
    let message = rig.phase(key, StatusPhase::Creating).await;
    assert!(message.contains("namespace is not ready"), "{message}");

    // The next process is sent it again, and keeps it in memory when its connection ends.
    rig.kill();
    let before = rig.link.hellos().len();
    rig.run(&[]);
    rig.ready().await;
    asks_for_everything_after(&rig, before).await;
    rig.link
        .change(&[], vec![rule(2, "bob@example.com", "viewer", of_project(4))]);
    rig.phase(rule_key(2), StatusPhase::Ready).await;
    let position = applied(&rig).await;
    rig.link.cut();
    wait_until("a connection that resumes", async || {
        let last = rig.link.hellos().pop();
        Ok(last.filter(|hello| hello.resume == Some(position)))
    })
    .await
    .unwrap();
    let label = Patch::Merge(json!({"metadata": {"labels": {"reeve.dev/project": "robots"}}}));
    namespaces
        .patch("old", &PatchParams::default(), &label)
        .await
        .unwrap();
    rig.phase(key, StatusPhase::Pending).await;
    converged(&rig).await;
}
