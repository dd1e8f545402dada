use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use kube::api::DeleteParams;
use reeve_crds::{AccessRule, ReeveConfig};
use reeve_link::StatusPhase;
use reeve_testkit::{apply_yaml, wait_until};

use crate::rig::{Rig, of_project, project, project_key, rule, rule_key, workload};
use crate::scripted_link::Door;

const DELETED: &str = "DeletedOnControlPlane";

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_deleted_on_the_control_plane_unbinds_people_and_leaves_everything_else() {
    let Some(mut rig) = Rig::start().await else { return };
    let train = workload(1, "train", 3);
    let key = train.key();
    rig.link.change(
        &[],
        vec![
            project(3, "robots"),
            rule(1, "alice@example.com", "l1-researcher", of_project(3)),
            train,
        ],
    );
    rig.phase(project_key(3), StatusPhase::Ready).await;
    rig.phase(key, StatusPhase::Pending).await;
    rig.phase(rule_key(1), StatusPhase::Ready).await;
    // Somebody's own, from Git.
    apply_yaml(
        &rig.installer,
        "{apiVersion: reeve.dev/v1alpha1, kind: AccessRule, metadata: {name: rule-900}, spec: {id: 900, role: viewer, \
         subject: {kind: user, name: git@example.com}, scope: {type: project, id: '3'}}}",
    )
    .await
    .unwrap();
    let alice: (&str, &[&str]) = ("reeve-l1-researcher", &["User alice@example.com"]);
    let git: (&str, &[&str]) = ("reeve-viewer", &["User git@example.com"]);
    rig.wait_for_bindings("reeve-robots", &[alice, git]).await;
    assert_eq!(rig.condition(DELETED).await, None);

    // A refused secret is no such news: it goes on enforcing.
    rig.link.answer(Door::Closed);
    wait_until("a refusal", async || {
        Ok(rig.log().contains("refused to get a token: 400").then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(rig.bindings("reeve-robots").await.len(), 2);

    rig.link.answer(Door::Deleted);
    rig.wait_for_bindings("reeve-robots", &[git]).await;
    deleted(&rig, Some("True")).await;
    told(&rig, "Warning", "ClusterDeleted", 1).await;
    assert!(rig.ask("/metrics").await.1.contains("reeve_cluster_deleted 1"));
    let rules = Api::<AccessRule>::all(rig.client.clone());
    assert!(rules.get_opt("rule-1").await.unwrap().is_none());
    assert!(rules.get_opt("rule-900").await.unwrap().is_some());
    let jobs = Api::<Job>::namespaced(rig.client.clone(), "reeve-robots");
    assert!(
        jobs.get("train")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_none()
    );
    assert!(rig.namespace("reeve-robots").await.is_some());
    rig.ready().await;

    // A restart changes nothing of that, and says it no second time.
    rig.kill();
    let mark = rig.cluster.audit_mark();
    rig.run(&[]);
    rig.ready().await;
    wait_until("the answer again", async || {
        let told = rig
            .log()
            .matches("was deleted on the control plane: removing")
            .count();
        Ok((told == 2).then_some(()))
    })
    .await
    .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(rig.writes(mark), Vec::<String>::new());

    // Without a control plane there is none that says so.
    rig.kill();
    rig.run_alone();
    deleted(&rig, None).await;
    rig.wait_for_bindings("reeve-robots", &[git]).await;

    // The control plane was restored from a backup: the cluster is there again.
    rig.kill();
    rig.run(&[]);
    deleted(&rig, Some("True")).await;
    rig.kill();
    rig.link.answer(Door::Open);
    rig.run(&[]);
    rig.wait_for_bindings("reeve-robots", &[alice, git]).await;
    deleted(&rig, None).await;
    told(&rig, "Normal", "ClusterNotDeleted", 2).await;
    assert!(rig.ask("/metrics").await.1.contains("reeve_cluster_deleted 0"));

    // A cluster without settings, which no chart makes, says it too.
    let before = rig.events("ClusterDeleted").len();
    Api::<ReeveConfig>::all(rig.installer.clone())
        .delete("reeve", &DeleteParams::default())
        .await
        .unwrap();
    rig.link.answer(Door::Deleted);
    rig.wait_for_bindings("reeve-robots", &[git]).await;
    told(&rig, "Warning", "ClusterDeleted", before + 1).await;
    assert!(rig.ask("/metrics").await.1.contains("reeve_cluster_deleted 1"));
}

async fn deleted(rig: &Rig, wanted: Option<&str>) {
    wait_until(&format!("the condition {wanted:?}"), async || {
        let found = rig.condition(DELETED).await.map(|condition| condition.status);
        Ok((found.as_deref() == wanted).then_some(()))
    })
    .await
    .unwrap();
}

/// Waits until there are this many events of a reason, all of one type.
async fn told(rig: &Rig, type_: &str, reason: &str, times: usize) {
    wait_until(&format!("{times} events `{reason}`"), async || {
        let types = rig.events(reason);
        anyhow::ensure!(types.len() == times, "{types:?}");
        Ok(types.iter().all(|found| found == type_).then_some(()))
    })
    .await
    .unwrap();
}
