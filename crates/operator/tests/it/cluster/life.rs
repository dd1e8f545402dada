use k8s_openapi::api::batch::v1::Job;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use reeve_link::StatusPhase;
use reeve_testkit::wait_until;

use crate::rig::{Rig, of_project, project, project_key, rule, rule_key, workload};
use crate::scripted_link::SECRET;

#[tokio::test(flavor = "multi_thread")]
async fn a_project_its_rules_and_its_workloads_live_and_end_as_the_link_says() {
    let Some(rig) = Rig::start().await else { return };
    let alice = || rule(1, "alice@example.com", "l1-researcher", of_project(3));
    rig.link
        .change(&[], vec![project(3, "robots"), project(4, "captions")]);
    rig.link.change(&[], vec![alice()]);
    rig.wait_for_bindings(
        "reeve-robots",
        &[("reeve-l1-researcher", &["User alice@example.com"])],
    )
    .await;
    rig.phase(project_key(3), StatusPhase::Ready).await;
    rig.phase(rule_key(1), StatusPhase::Ready).await;
    let labels = rig.namespace("reeve-robots").await.unwrap();
    insta::assert_json_snapshot!(labels.labels());

    // One binding per role, whatever the number of rules; a rule of the cluster reaches every project.
    rig.link.change(
        &[],
        vec![rule(
            2,
            "dave@example.com",
            "l1-researcher",
            serde_json::json!({"type": "cluster"}),
        )],
    );
    rig.wait_for_bindings(
        "reeve-robots",
        &[(
            "reeve-l1-researcher",
            &["User alice@example.com", "User dave@example.com"],
        )],
    )
    .await;
    rig.wait_for_bindings(
        "reeve-captions",
        &[("reeve-l1-researcher", &["User dave@example.com"])],
    )
    .await;

    rig.link.change(&[rule_key(1)], vec![]);
    rig.wait_for_bindings(
        "reeve-robots",
        &[("reeve-l1-researcher", &["User dave@example.com"])],
    )
    .await;
    rig.link.change(&[rule_key(2)], vec![alice()]);
    rig.wait_for_bindings("reeve-captions", &[]).await;
    rig.wait_for_bindings(
        "reeve-robots",
        &[("reeve-l1-researcher", &["User alice@example.com"])],
    )
    .await;

    // A role without a ClusterRole gives nothing and says so.
    rig.link
        .change(&[], vec![rule(5, "eve@example.com", "emperor", of_project(3))]);
    let words = "`emperor` has no ClusterRole";
    rig.says(rule_key(5), StatusPhase::NotReady, words).await;

    a_workload(&rig).await;

    // Deleting a project takes rights, nothing else: what runs there goes on.
    let stays = workload(9, "stays", 3);
    let key = stays.key();
    rig.link.change(&[], vec![stays]);
    rig.phase(key, StatusPhase::Pending).await;
    rig.link
        .change(&[project_key(3), key, rule_key(1), rule_key(5)], vec![]);
    rig.phase(project_key(3), StatusPhase::Deleted).await;
    wait_until("no bindings", async || {
        let all =
            Api::<k8s_openapi::api::rbac::v1::RoleBinding>::namespaced(rig.client.clone(), "reeve-robots");
        Ok(all
            .list(&ListParams::default())
            .await?
            .items
            .is_empty()
            .then_some(()))
    })
    .await
    .unwrap();
    let left = rig.namespace("reeve-robots").await.unwrap();
    assert_eq!(left.labels()["reeve.dev/project"], "robots");
    let jobs = Api::<Job>::namespaced(rig.client.clone(), "reeve-robots");
    wait_until("the Job to have no owner", async || {
        Ok(jobs
            .get("stays")
            .await?
            .owner_references()
            .is_empty()
            .then_some(()))
    })
    .await
    .unwrap();

    // The name of a deleted project does not open what it left.
    rig.link.change(
        &[],
        vec![
            project(7, "robots"),
            rule(7, "eve@example.com", "l1-researcher", of_project(7)),
        ],
    );
    let words = "kubectl label --overwrite namespace reeve-robots reeve.dev/project-id=7";
    rig.says(project_key(7), StatusPhase::NotReady, words).await;
    assert_eq!(rig.bindings("reeve-robots").await, []);
    rig.cluster
        .kubectl()
        .must(&[
            "--kubeconfig",
            &rig.cluster.installer_kubeconfig().display().to_string(),
            "label",
            "--overwrite",
            "namespace",
            "reeve-robots",
            "reeve.dev/project-id=7",
        ])
        .unwrap();
    rig.wait_for_bindings(
        "reeve-robots",
        &[("reeve-l1-researcher", &["User eve@example.com"])],
    )
    .await;

    let log = rig.log();
    assert!(log.lines().count() > 20 && !log.contains(SECRET) && !log.contains("must-not-leak"));
    // All of that was the link's own doing.
    assert!(!log.contains("somebody else changed"), "{log}");
    assert_eq!(rig.link.hellos().len(), 1);
    let settings = rig
        .link
        .reports()
        .into_iter()
        .find_map(|report| report.settings)
        .unwrap();
    assert!(
        settings.enforce_run_as_user && settings.kubernetes_version.starts_with("v1."),
        "{settings:?}"
    );
    assert_eq!(settings.kubernetes_endpoint.unwrap().server, rig.cluster.server());
}

async fn a_workload(rig: &Rig) {
    let train = workload(1, "train", 3);
    let key = train.key();
    rig.link.change(&[], vec![train]);
    rig.phase(key, StatusPhase::Pending).await;
    let jobs = Api::<Job>::namespaced(rig.client.clone(), "reeve-robots");
    let job = jobs.get("train").await.unwrap();
    let template = job.spec.clone().unwrap().template;
    assert_eq!(
        template.metadata.unwrap().annotations.unwrap()["reeve.dev/runs-as"],
        "123e4567-e89b-12d3-a456-426614174000/70012/5000/5001"
    );
    assert_eq!(
        template.spec.unwrap().security_context.unwrap().run_as_user,
        Some(70012)
    );
    let events = rig
        .cluster
        .kubectl()
        .must(&["-n", "reeve-robots", "get", "events.events.k8s.io", "-o", "name"])
        .unwrap();
    assert!(events.contains("train"), "{events}");

    // A Job that is gone is not made again.
    jobs.delete("train", &kube::api::DeleteParams::background())
        .await
        .unwrap();
    let message = rig.phase(key, StatusPhase::Failed).await;
    assert!(message.contains("its Job was deleted"), "{message}");
    assert!(jobs.get_opt("train").await.unwrap().is_none());

    // Another of the same name is another one, and goes with its object.
    rig.link.change(&[key], vec![]);
    let again = workload(2, "train", 3);
    let key = again.key();
    rig.link.change(&[], vec![again]);
    rig.phase(key, StatusPhase::Pending).await;
    rig.link.change(&[key], vec![]);
    rig.phase(key, StatusPhase::Deleted).await;
    wait_until("the Job to go", async || {
        Ok(jobs.get_opt("train").await?.is_none().then_some(()))
    })
    .await
    .unwrap();

    // A Job of somebody else is in the way.
    let foreign = serde_json::json!({
        "metadata": {"name": "mine"}, "apiVersion": "batch/v1", "kind": "Job",
        "spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}
    });
    let robot = reeve_testkit::Impersonate::user("alice@example.com")
        .uid("123e4567-e89b-12d3-a456-426614174000")
        .extra("reeve.dev/uid", "70012")
        .extra("reeve.dev/gid", "5000");
    let hers = Api::<Job>::namespaced(rig.cluster.client_as(&robot).await.unwrap(), "reeve-robots");
    hers.create(
        &kube::api::PostParams::default(),
        &serde_json::from_value(foreign).unwrap(),
    )
    .await
    .unwrap();
    let blocked = workload(3, "mine", 3);
    let key = blocked.key();
    rig.link.change(&[], vec![blocked]);
    let words = "is not this workload's and is in the way";
    rig.says(key, StatusPhase::NotReady, words).await;
    rig.link.change(&[key], vec![]);
}
