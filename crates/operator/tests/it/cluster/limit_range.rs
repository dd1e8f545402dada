//! The LimitRange of a project, and what containers get for their GPUs, on a real API server.

use k8s_openapi::api::core::v1::LimitRange;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use reeve_crds::{Project, ReeveConfig};
use reeve_link::StatusPhase;
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::rig::{Rig, project, project_key};

const NAMESPACE: &str = "reeve-robots";

/// A cluster with a project where everybody may make pods.
async fn start() -> Option<Rig> {
    let rig = Rig::start().await?;
    change(&rig, json!({"enforceRunAsUser": false})).await;
    rig.link.change(&[], vec![project(3, "robots")]);
    rig.phase(project_key(3), StatusPhase::Ready).await;
    wait_for_ours(&rig, &["reeve-limit-range"]).await;
    Some(rig)
}

async fn change(rig: &Rig, spec: Value) {
    Api::<ReeveConfig>::all(rig.installer.clone())
        .patch(
            "reeve",
            &PatchParams::default(),
            &Patch::Merge(json!({"spec": spec})),
        )
        .await
        .unwrap();
}

fn ranges(rig: &Rig) -> Api<LimitRange> {
    Api::namespaced(rig.client.clone(), NAMESPACE)
}

async fn wait_for_ours(rig: &Rig, wanted: &[&str]) {
    wait_until(&format!("LimitRanges {wanted:?}"), async || {
        let all = ranges(rig).list(&ListParams::default()).await?;
        let names: Vec<String> = all.into_iter().filter_map(|it| it.metadata.name).collect();
        if names == wanted {
            Ok(Some(()))
        } else {
            Err(anyhow::anyhow!("{names:?}"))
        }
    })
    .await
    .unwrap();
}

async fn wait_for_condition(rig: &Rig, reason: Option<&str>, says: &str) {
    wait_until(&format!("LimitRange {reason:?}: {says}"), async || {
        let project = Api::<Project>::all(rig.client.clone()).get("robots").await?;
        let conditions = project.status.unwrap_or_default().conditions;
        let condition = conditions.into_iter().find(|it| it.type_ == "LimitRange");
        let holds = match (&condition, reason) {
            (None, None) => true,
            (Some(condition), Some(reason)) => condition.reason == reason && condition.message.contains(says),
            _ => false,
        };
        if holds {
            Ok(Some(()))
        } else {
            Err(anyhow::anyhow!("{condition:?}"))
        }
    })
    .await
    .unwrap();
}

fn item(range: &LimitRange) -> Value {
    serde_json::to_value(&range.spec.as_ref().unwrap().limits[0]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_project_has_a_limit_range_and_what_others_wrote_is_left_alone() {
    let Some(rig) = start().await else { return };
    wait_for_condition(&rig, Some("Applied"), "").await;
    let defaults = json!({"cpu": "10m", "memory": "10Mi"});
    let first = ranges(&rig).get("reeve-limit-range").await.unwrap();
    assert_eq!(
        item(&first),
        json!({"type": "Container", "defaultRequest": defaults})
    );

    // The settings change, and so does the object; what somebody changes by hand is put back.
    let container = json!({"default": {"cpu": "4"}, "max": {"cpu": 8, "memory": "16Gi"}});
    change(
        &rig,
        json!({"limitRange": {"cpuDefaultRequestCpuLimitFactorNoGpu": 0.25, "container": container}}),
    )
    .await;
    let wanted = json!({"type": "Container", "default": {"cpu": "4", "memory": "16Gi"}, "defaultRequest": {"cpu": "1",
        "memory": "10Mi"}, "max": {"cpu": "8", "memory": "16Gi"}});
    wait_for_item(&rig, &wanted).await;
    let drift = json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}});
    ranges(&rig)
        .patch("reeve-limit-range", &PatchParams::default(), &Patch::Merge(drift))
        .await
        .unwrap();
    wait_for_item(&rig, &wanted).await;
    what_could_never_start_is_refused(&rig).await;
    change(&rig, json!({"limitRange": null})).await;
    wait_for_item(&rig, &item(&first)).await;

    // A quota under which no container that says nothing could start.
    let kubectl = rig.cluster.kubectl();
    kubectl
        .must(&[
            "-n",
            NAMESPACE,
            "create",
            "quota",
            "team",
            "--hard=requests.cpu=5m",
        ])
        .unwrap();
    wait_for_condition(
        &rig,
        Some("AboveQuota"),
        "`limitRange.container.defaultRequest.cpu` is 10m",
    )
    .await;
    kubectl
        .must(&["-n", NAMESPACE, "delete", "quota", "team"])
        .unwrap();
    wait_for_condition(&rig, Some("Applied"), "").await;

    // Somebody else's.
    let theirs = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "team-limits"},
        "spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}}]}});
    kubectl
        .must_with_input(&["-n", NAMESPACE, "apply", "-f", "-"], &theirs.to_string())
        .unwrap();
    wait_for_ours(&rig, &["team-limits"]).await;
    wait_for_condition(&rig, Some("OtherLimitRange"), "`team-limits`").await;
    ranges(&rig)
        .delete("team-limits", &DeleteParams::default())
        .await
        .unwrap();
    wait_for_ours(&rig, &["reeve-limit-range"]).await;

    // The switch removes only what the operator made.
    change(&rig, json!({"project-controller": {"limitRange": false}})).await;
    wait_for_ours(&rig, &[]).await;
    wait_for_condition(&rig, None, "").await;
    kubectl
        .must_with_input(&["-n", NAMESPACE, "apply", "-f", "-"], &theirs.to_string())
        .unwrap();
    change(&rig, json!({"project-controller": {"limitRange": true}})).await;
    wait_for_condition(&rig, Some("OtherLimitRange"), "`team-limits`").await;
    change(&rig, json!({"project-controller": {"limitRange": false}})).await;
    wait_for_condition(&rig, None, "").await;
    wait_for_ours(&rig, &["team-limits"]).await;
}

async fn wait_for_item(rig: &Rig, wanted: &Value) {
    wait_until(&format!("{wanted}"), async || {
        let found = item(&ranges(rig).get("reeve-limit-range").await?);
        if found == *wanted {
            Ok(Some(()))
        } else {
            Err(anyhow::anyhow!("{found}"))
        }
    })
    .await
    .unwrap();
}

/// The API server names the field, before anything is kept.
async fn what_could_never_start_is_refused(rig: &Rig) {
    let configs = Api::<ReeveConfig>::all(rig.installer.clone());
    for (settings, field) in [
        (
            json!({"container": {"default": {"cpu": "9"}}}),
            "limitRange.container.default.cpu",
        ),
        (
            json!({"container": {"defaultRequest": {"memory": "17Gi"}}}),
            "limitRange.container.defaultRequest.memory",
        ),
        (
            json!({"container": {"maxLimitRequestRatio": {"cpu": "0.5"}}}),
            "limitRange.container.maxLimitRequestRatio.cpu",
        ),
        (
            json!({"cpuDefaultRequestCpuLimitFactorNoGpu": 1.5}),
            "spec.limitRange.cpuDefaultRequestCpuLimitFactorNoGpu",
        ),
        (
            json!({"memoryDefaultRequestGpuFactor": "lots"}),
            "spec.limitRange.memoryDefaultRequestGpuFactor",
        ),
    ] {
        let patch = Patch::Merge(json!({"spec": {"limitRange": settings}}));
        let refusal = configs
            .patch("reeve", &PatchParams::default(), &patch)
            .await
            .unwrap_err()
            .to_string();
        assert!(refusal.contains(field), "{field}: {refusal}");
    }
}

/// What the API server makes of a manifest; `what` is the manner of `kubectl`.
fn made(rig: &Rig, manner: &[&str], manifest: &Value) -> Value {
    let mut arguments = vec!["-n", NAMESPACE];
    arguments.extend(manner);
    arguments.extend(["-o", "json", "-f", "-"]);
    let text = rig
        .cluster
        .kubectl()
        .must_with_input(&arguments, &manifest.to_string())
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

fn container(resources: Value) -> Value {
    json!({"name": "main", "image": "local.test/tools:1", "resources": resources})
}

fn pod(name: &str, resources: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container(resources)]}})
}

fn deployment(gpus: u32) -> Value {
    let labels = json!({"app": "train"});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "train"}, "spec": {"replicas": 0,
        "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [container(json!({"limits": {"nvidia.com/gpu": gpus}}))]}}}})
}

fn resources(object: &Value) -> &Value {
    let template = object.pointer("/spec/template").unwrap_or(object);
    &template["spec"]["containers"][0]["resources"]
}

/// Red with a planted fault: with the label `reeve.dev/scale-by-gpu` written as `false` nothing is filled in.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_gets_what_its_gpus_ask_for_where_it_says_nothing_itself() {
    let Some(rig) = start().await else { return };
    wait_until("the policy", async || {
        let found = made(
            &rig,
            &["create", "--dry-run=server"],
            &pod("p", json!({"limits": {"nvidia.com/gpu": 1}})),
        );
        Ok((resources(&found)["requests"]["cpu"] == "100m").then_some(()))
    })
    .await
    .unwrap();
    let pods = [
        (json!({}), json!({"requests": {"cpu": "10m", "memory": "10Mi"}})),
        (
            json!({"limits": {"amd.com/gpu": 2}}),
            json!({"limits": {"amd.com/gpu": "2"}, "requests": {"amd.com/gpu": "2", "cpu": "200m", "memory": "200Mi"}}),
        ),
        (
            json!({"limits": {"nvidia.com/gpu": 2}, "requests": {"cpu": "3"}}),
            json!({"limits": {"nvidia.com/gpu": "2"}, "requests": {"nvidia.com/gpu": "2", "cpu": "3", "memory": "200Mi"}}),
        ),
        (
            json!({"limits": {"nvidia.com/gpu": 2, "cpu": "50m"}}),
            json!({"limits": {"nvidia.com/gpu": "2", "cpu": "50m"},
                "requests": {"nvidia.com/gpu": "2", "cpu": "50m", "memory": "200Mi"}}),
        ),
        (
            json!({"limits": {"example.com/license": 2}}),
            json!({"limits": {"example.com/license": "2"},
                "requests": {"example.com/license": "2", "cpu": "10m", "memory": "10Mi"}}),
        ),
    ];
    for (written, wanted) in pods {
        let found = made(&rig, &["create", "--dry-run=server"], &pod("p", written.clone()));
        assert_eq!(same_amounts(resources(&found)), wanted, "{written}");
    }
    templates(&rig);
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train"}, "spec": {"suspend": true,
        "template": {"spec": {"restartPolicy": "Never", "containers": [container(json!({"limits": {"nvidia.com/gpu": 3}}))]}}}});
    let found = made(&rig, &["apply"], &job);
    assert_eq!(resources(&found)["requests"]["cpu"], "300m");

    // With limits: never below a request of one's own, never above the highest.
    let settings = json!({"cpuDefaultLimitGpuFactor": "1", "cpuDefaultRequestGpuFactor": 500,
        "container": {"default": {"memory": "1Gi"}, "max": {"cpu": "3"}}});
    change(&rig, json!({"limitRange": settings})).await;
    wait_until("the factors", async || {
        let found = made(
            &rig,
            &["create", "--dry-run=server"],
            &pod("p", json!({"limits": {"nvidia.com/gpu": 1}})),
        );
        Ok((resources(&found)["requests"]["cpu"] == "500m").then_some(()))
    })
    .await
    .unwrap();
    let with_limits = [
        (json!({"nvidia.com/gpu": 2}), json!({}), "1", "2"),
        (json!({"nvidia.com/gpu": 9}), json!({}), "3", "3"),
        (json!({"nvidia.com/gpu": 1}), json!({"cpu": "2"}), "2", "3"),
    ];
    for (limits, requests, request, limit) in with_limits {
        let found = made(
            &rig,
            &["create", "--dry-run=server"],
            &pod("p", json!({"limits": limits, "requests": requests})),
        );
        let found = resources(&found);
        assert_eq!(
            (&found["requests"]["cpu"], &found["limits"]["cpu"]),
            (&json!(request), &json!(limit)),
            "{found}"
        );
    }
    // A default limit below a container's own request would make the pod impossible: it is raised.
    let found = made(
        &rig,
        &["create", "--dry-run=server"],
        &pod("p", json!({"requests": {"memory": "2Gi"}})),
    );
    assert_eq!(resources(&found)["limits"]["memory"], "2Gi");
    many_containers(&rig);
}

/// Anybody may write the annotation in which a LimitRange says what it set. Red with a planted fault: each container looked up among
/// all of its entries, which the API server's evaluator gives up.
fn many_containers(rig: &Rig) {
    let said = json!({"limits": {"nvidia.com/gpu": 1, "cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}});
    let mut many = pod("many", said);
    many["metadata"]["annotations"] = json!({"kubernetes.io/limit-ranger": "x; ".repeat(3_333)});
    let first = many["spec"]["containers"][0].clone();
    let containers = (0..100).map(|number| {
        let mut container = first.clone();
        container["name"] = json!(format!("c{number}"));
        container
    });
    many["spec"]["containers"] = containers.collect();
    let found = made(rig, &["create", "--dry-run=server"], &many);
    assert_eq!(
        found["spec"]["containers"][99]["resources"]["requests"]["cpu"],
        "1"
    );
}

/// Bytes as the API server prints them are as good as the same in a shorter form.
fn same_amounts(found: &Value) -> Value {
    let text = found
        .to_string()
        .replace("\"104857600\"", "\"100Mi\"")
        .replace("\"209715200\"", "\"200Mi\"");
    serde_json::from_str(&text).unwrap()
}

/// A template follows the number of GPUs, by every manner of applying it, and nothing changes when it is applied again.
fn templates(rig: &Rig) {
    for manner in [&["apply"][..], &["apply", "--server-side", "--force-conflicts"]] {
        let first = made(rig, manner, &deployment(2));
        assert_eq!(resources(&first)["requests"]["cpu"], "200m", "{manner:?}");
        let again = made(rig, manner, &deployment(2));
        assert_eq!(
            again["metadata"]["generation"], first["metadata"]["generation"],
            "{manner:?}"
        );
        let more = made(rig, manner, &deployment(4));
        let wanted = json!({"cpu": "400m", "memory": "419430400"});
        assert_eq!(resources(&more)["requests"], wanted, "{manner:?}");
        rig.cluster
            .kubectl()
            .must(&["-n", NAMESPACE, "delete", "deployment", "train"])
            .unwrap();
    }
}
