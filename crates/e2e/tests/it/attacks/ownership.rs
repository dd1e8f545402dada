//! What controllers believe (R18, R19): the ways in which a colleague made her workload end, or took her pod's place, by a
//! reference, a label or a finalizer.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use reeve_e2e::Stack;
use reeve_testkit::{images, wait_until};
use serde_json::{Value, json};

use super::{attackers, kubectl_of, kubectl_refused};
use crate::harness::{Team, create, deployment, must_be_refused, on_the_stack, patch};

/// Her Job, running, as Kubernetes has it.
async fn her_job(stack: &Stack, team: &Team) -> Result<Value> {
    let client = team.researcher.kubernetes(stack).await?;
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train1"}, "spec": {"template": {"spec": {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": images::TOOLS, "command": ["sleep", "600"]}]}}}});
    let made = create(&client, &team.namespace, job).await?;
    let pods: Api<Pod> = Api::namespaced(client, &team.namespace);
    wait_until("her Job's pod to run", async || {
        let list = pods
            .list(&ListParams::default().labels("job-name=train1"))
            .await?;
        let running = |p: &Pod| p.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Running");
        Ok(list.items.iter().any(running).then_some(()))
    })
    .await?;
    Ok(made)
}

/// A pod that ends well at once.
pub(super) fn ending_pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"restartPolicy": "Never",
        "containers": [{"name": "main", "image": images::TOOLS, "command": ["true"]}]}})
}

/// By these labels the Job controller knows its pods.
fn labels_of_job(uid: &str) -> Value {
    json!({"batch.kubernetes.io/controller-uid": uid, "controller-uid": uid, "job-name": "train1"})
}

fn reference_to_job(uid: &str) -> Value {
    json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "train1", "uid": uid, "controller": true}])
}

/// Pods made with the reference, the labels or the finalizer that the Job controller looks at.
pub(super) fn dressed_up(uid: &str) -> [Value; 3] {
    [
        ("referring", "ownerReferences", reference_to_job(uid)),
        ("labelled", "labels", labels_of_job(uid)),
        (
            "counted",
            "finalizers",
            json!(["batch.kubernetes.io/job-tracking"]),
        ),
    ]
    .map(|(name, field, value)| {
        let mut pod = ending_pod(name);
        pod["metadata"][field] = value;
        pod
    })
}

#[test]
fn r18_no_pod_of_a_colleague_ends_her_job() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let job = her_job(stack, &team).await?;
        let uid = job["metadata"]["uid"].as_str().context("no uid")?;
        let namespace = &team.namespace;
        let attackers = attackers(stack, &team).await?;
        let dave = attackers[0].client.clone();
        let words = ["controller: true", "batch.kubernetes.io/", "job-tracking"];
        for (attack, word) in dressed_up(uid).into_iter().zip(words) {
            must_be_refused(create(&dave, namespace, attack.clone()).await, &["R18", word])?;
            for attacker in &attackers {
                let refused = create(&attacker.client, namespace, attack.clone()).await;
                attacker.must_break(refused, &["R18"], true)?;
            }
        }

        // Made harmless, and dressed up once it has ended well: a label alone was enough.
        create(&dave, namespace, ending_pod("harmless")).await?;
        let pods: Api<Pod> = Api::namespaced(dave.clone(), namespace);
        wait_until("his pod to end", async || {
            let phase = pods.get("harmless").await?.status.and_then(|s| s.phase);
            Ok((phase.as_deref() == Some("Succeeded")).then_some(()))
        })
        .await?;
        for change in [
            json!({"metadata": {"labels": labels_of_job(uid)}}),
            json!({"metadata": {"ownerReferences": reference_to_job(uid)}}),
            json!({"metadata": {"finalizers": ["batch.kubernetes.io/job-tracking"]}}),
        ] {
            // Nor by whom RBAC refuses nothing, and R5 either: nothing that runs is changed.
            for attacker in &attackers {
                let refused = patch(&attacker.client, namespace, "Pod", "harmless", change.clone()).await;
                attacker.must_break(refused, &["R18"], false)?;
            }
        }
        let jobs: Api<k8s_openapi::api::batch::v1::Job> = Api::namespaced(dave, namespace);
        let status = jobs.get("train1").await?.status.context("no status")?;
        ensure!(
            status.active == Some(1) && status.succeeded.is_none(),
            "{status:?}"
        );
        Ok(())
    });
}

#[test]
fn r18_no_job_of_a_colleague_is_taken_for_her_workload() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let attackers = attackers(stack, &team).await?;
        let client = attackers[0].client.clone();
        let job = |reference: Value, labels: Value| {
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train1",
            "labels": labels, "ownerReferences": reference}, "spec": {"template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "main", "image": images::TOOLS, "command": ["echo", "forged"]}]}}}})
        };
        let reference = json!([{"apiVersion": "reeve.dev/v1alpha1", "kind": "Workload", "name": "train1", "uid": "u-1", "controller": true}]);
        must_be_refused(
            create(&client, &team.namespace, job(reference.clone(), json!({}))).await,
            &["R18", "reeve submit"],
        )?;
        must_be_refused(
            create(
                &client,
                &team.namespace,
                job(json!([]), json!({"reeve.dev/workload": "train1"})),
            )
            .await,
            &["R18", "reeve.dev/"],
        )?;
        for attacker in &attackers {
            let labels = json!({"reeve.dev/workload": "train1"});
            for forged in [job(reference.clone(), json!({})), job(json!([]), labels)] {
                let refused = create(&attacker.client, &team.namespace, forged).await;
                attacker.must_break(refused, &["R18"], true)?;
            }
        }
        // A Job of that name he may make; it stays what it is, and her workload says what is in the way.
        create(&client, &team.namespace, job(json!([]), json!({}))).await?;
        for attacker in &attackers {
            for change in [
                json!({"metadata": {"ownerReferences": reference}}),
                json!({"metadata": {"labels": {"reeve.dev/workload": "train1"}}}),
            ] {
                let refused = patch(&attacker.client, &team.namespace, "Job", "train1", change).await;
                attacker.must_break(refused, &["R18"], false)?;
            }
        }
        let body = json!({"name": "train1", "projectId": team.project, "clusterId": stack.cluster_id,
            "spec": {"image": images::TOOLS, "command": "true"}});
        team.researcher
            .rest
            .post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        wait_until("her workload to say what is in the way", async || {
            let kubectl = stack.cluster.kubectl();
            let status = kubectl.must(&[
                "get",
                "workload",
                "train1",
                "-n",
                &team.namespace,
                "-o",
                "jsonpath={.status}",
            ])?;
            ensure!(status.contains("is not this workload's"), "{status}");
            Ok(Some(()))
        })
        .await
    });
}

#[test]
fn r19_no_pod_of_a_colleague_is_adopted_by_her_replica_set() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let alice = team.researcher.kubernetes(stack).await?;
        let dave = team.hire(stack).await?;
        let client = dave.kubernetes(stack).await?;
        let namespace = &team.namespace;
        let hers = create(&alice, namespace, deployment("service", 1)).await?;
        let user = &team.researcher.person.id;
        ensure!(
            hers["spec"]["selector"]["matchLabels"]["reeve.dev/user"] == json!(user),
            "{hers}"
        );

        // A running pod of his with every label of hers that he may write.
        let mut twin = deployment("twin", 1);
        twin["spec"]["selector"]["matchLabels"] = json!({"app": "service", "twin": "yes"});
        twin["spec"]["template"]["metadata"]["labels"] = json!({"app": "service", "twin": "yes"});
        create(&client, namespace, twin).await?;
        let kubectl = kubectl_of(stack, &team, &dave).await?;
        let his = wait_until("his pod to run", async || {
            let name = kubectl.must(&[
                "get",
                "pods",
                "-l",
                "twin=yes",
                "-o",
                "jsonpath={.items[?(@.status.phase=='Running')].metadata.name}",
            ])?;
            Ok((!name.is_empty()).then_some(name))
        })
        .await?;
        kubectl_refused(
            &kubectl.run(&[
                "label",
                "pod",
                &his,
                &format!("reeve.dev/user={user}"),
                "--overwrite",
            ])?,
            &["R19"],
        )?;
        let attackers = attackers(stack, &team).await?;
        let nobody_labels_it = async |label: &str, value: &str| {
            let change = json!({"metadata": {"labels": {label: value}}});
            for attacker in &attackers {
                let refused = patch(&attacker.client, namespace, "Pod", &his, change.clone()).await;
                attacker.must_break(refused, &["R18", "R19"], false)?;
            }
            anyhow::Ok(())
        };
        nobody_labels_it("reeve.dev/user", user).await?;
        // Set free of everything that made it, as GC does it, it is still nobody else's.
        kubectl.must(&["delete", "deployment", "twin", "--cascade=orphan"])?;
        kubectl.must(&["delete", "replicaset", "-l", "twin=yes", "--cascade=orphan"])?;
        wait_until("his pod to have no owner", async || {
            let owners = kubectl.must(&["get", "pod", &his, "-o", "jsonpath={.metadata.ownerReferences}"])?;
            Ok(owners.is_empty().then_some(()))
        })
        .await?;
        let hash = kubectl.must(&[
            "get",
            "replicasets",
            "-l",
            "app=service",
            "-o",
            "jsonpath={.items[0].metadata.labels.pod-template-hash}",
        ])?;
        kubectl_refused(
            &kubectl.run(&[
                "label",
                "pod",
                &his,
                &format!("pod-template-hash={hash}"),
                "--overwrite",
            ])?,
            &["R18"],
        )?;
        nobody_labels_it("pod-template-hash", &hash).await?;
        // Her controller looks again, and takes nothing.
        patch(
            &alice,
            namespace,
            "Deployment",
            "service",
            json!({"spec": {"replicas": 2}}),
        )
        .await?;
        wait_until("two pods of hers", async || {
            let owned = stack.cluster.kubectl().must(&[
                "get",
                "pods",
                "-n",
                namespace,
                "-l",
                &format!("reeve.dev/user={user},app=service"),
                "-o",
                "jsonpath={.items[?(@.status.phase=='Running')].metadata.name}",
            ])?;
            Ok((owned.split_whitespace().count() == 2).then_some(()))
        })
        .await?;
        let owners = kubectl.must(&["get", "pod", &his, "-o", "jsonpath={.metadata.ownerReferences}"])?;
        ensure!(owners.is_empty(), "{owners}");
        Ok(())
    });
}

/// What `docs/security/rules.md` says of the garbage collector's finalizers: a colleague writes none, and what her own keeps is a pod
/// of hers, found by its stamp, which everybody of the project can delete.
#[test]
fn r18_finalizers_of_the_garbage_collector_harm_nobody() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, namespace) = (&team.researcher, &team.namespace);
        let body = json!({"name": "kept", "projectId": team.project, "clusterId": stack.cluster_id, "spec": {
            "image": images::TOOLS, "security": {"uidGidSource": "fromIdpToken"}, "command": "sleep 600"}});
        let made = alice
            .rest
            .post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        let client = alice.kubernetes(stack).await?;
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        let of_workload = ListParams::default().labels("reeve.dev/workload=kept");
        let running = async || {
            let list = pods.list(&of_workload).await?;
            let runs = |p: &Pod| p.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Running");
            anyhow::Ok(list.items.into_iter().find(runs))
        };
        wait_until("its pod to run", &running).await?;

        let dave = team.hire(stack).await?.kubernetes(stack).await?;
        let finalizer = |name: &str| json!({"metadata": {"finalizers": [name]}});
        for name in ["orphan", "foregroundDeletion"] {
            let refused = patch(&dave, namespace, "Job", "kept", finalizer(name)).await;
            must_be_refused(refused, &["R18"])?;
        }
        patch(&client, namespace, "Job", "kept", finalizer("orphan")).await?;
        let id = made["workloadId"].as_str().context("no id")?;
        alice
            .rest
            .delete(&format!("/api/v1/workloads/trainings/{id}"))
            .await?
            .expect(202)?;
        let jobs: Api<k8s_openapi::api::batch::v1::Job> = Api::namespaced(client, namespace);
        wait_until("its Job to be gone", async || {
            Ok(jobs.get_opt("kept").await?.is_none().then_some(()))
        })
        .await?;
        let left = running().await?.context("its pod is gone")?;
        let stamp = left
            .metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get("reeve.dev/runs-as"));
        ensure!(stamp == Some(&alice.stamp()), "{stamp:?}");
        ensure!(
            left.metadata.owner_references.iter().flatten().count() == 0,
            "{:?}",
            left.metadata.owner_references
        );
        let name = left.metadata.name.context("no name")?;
        crate::harness::delete(&dave, namespace, "Pod", &name).await?;
        wait_until("her pod to be gone", async || {
            Ok(pods.get_opt(&name).await?.is_none().then_some(()))
        })
        .await
    });
}
