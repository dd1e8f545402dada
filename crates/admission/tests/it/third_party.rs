//! Kinds of others with their real definitions, and stand-ins for their controllers: each makes of a template what the real one
//! makes, under a ServiceAccount of its own. The rows of the table use definitions that let everything pass.

use std::fs;

use anyhow::{Result, ensure};
use http::Method;
use reeve_admission::{Operation, Request, names};
use reeve_testkit::{apply_yaml, definitions_of_others, wait_until};
use serde_json::{Value, json};

use crate::fixture::{self, Answer, merge, requester, send, send_as};
use crate::test_cluster::{TestCluster, create_request, namespace};

const SETTINGS: &str = "relaying";

/// Puts the real definitions of a project in the place of what the table uses.
async fn define(stage: &TestCluster, project: &str) -> Result<()> {
    let folder = tokio::task::spawn_blocking(definitions_of_others).await??;
    for entry in fs::read_dir(folder.join(project))? {
        apply_yaml(&stage.client, &fs::read_to_string(entry?.path())?).await?;
    }
    Ok(())
}

/// Sends a write that stays.
async fn write(stage: &TestCluster, level: &str, request: &Request) -> Result<Answer> {
    send(&stage.client, &namespace(level, SETTINGS), request, false).await
}

async fn create(stage: &TestCluster, level: &str, who: &str, object: Value) -> Result<Value> {
    let answer = write(stage, level, &create_request(who, SETTINGS, object)).await?;
    ensure!(
        answer.admitted(),
        "{who} at {level}: {} {}",
        answer.code,
        answer.message()
    );
    Ok(answer.body)
}

/// A change of what is there; `subresource` may be empty.
fn change(who: &str, old: &Value, subresource: &str, patch: &Value) -> Request {
    let mut request = create_request(who, SETTINGS, old.clone());
    merge(&mut request.object, patch);
    request.operation = Operation::Update;
    subresource.clone_into(&mut request.subresource);
    request.old_object = Some(old.clone());
    request
}

async fn must_be_refused(stage: &TestCluster, level: &str, rule: &str, request: &Request) -> Result<()> {
    let answer = write(stage, level, request).await?;
    let said = answer.message().contains(&format!("reeve: {rule}: "));
    ensure!(
        answer.code == 403 && said,
        "{rule} was to be said: {} {}",
        answer.code,
        answer.message()
    );
    Ok(())
}

/// Whether every template at these pointers bears alice's stamp.
fn stamped(object: &Value, templates: &[&str]) -> Result<()> {
    let stamp = json!(fixture::stamp("alice").to_string());
    for at in templates {
        let annotations = object.pointer(&format!("{at}/annotations"));
        let found = annotations.and_then(|all| all.get(names::RUNS_AS));
        ensure!(found == Some(&stamp), "{at}: {found:?} in {object}");
    }
    Ok(())
}

/// Whether a pod, or what makes pods, runs as alice in every number.
fn runs_as_alice(object: &Value, template: &str) -> Result<()> {
    let context = object.pointer(&format!("{template}/spec/securityContext"));
    let wanted = json!({"runAsUser": 70012, "runAsGroup": 5000, "supplementalGroups": [5001],
        "supplementalGroupsPolicy": "Strict", "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    ensure!(context == Some(&wanted), "{context:?}");
    Ok(())
}

fn owned_by(owner: &Value) -> Value {
    json!([{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}])
}

fn template(container: &str) -> Value {
    let resources =
        json!({"limits": {"cpu": "10m", "memory": "10Mi"}, "requests": {"cpu": "10m", "memory": "10Mi"}});
    json!({"metadata": {"labels": {"team": "a"}}, "spec": {"containers": [
        {"name": container, "image": "local.test/ray:1", "resources": resources}]}})
}

fn ray_cluster_spec() -> Value {
    json!({"headGroupSpec": {"rayStartParams": {}, "template": template("ray-head")},
        "workerGroupSpecs": [{"groupName": "small", "rayStartParams": {}, "replicas": 1, "minReplicas": 0, "maxReplicas": 3,
            "template": template("ray-worker")}]})
}

/// The pods that KubeRay makes of a cluster: labels of its own, an init container for workers and shared memory.
fn stand_in_for_kuberay(cluster: &Value) -> Vec<Value> {
    let pod = |template: &Value, kind: &str, name: &str| {
        let mut pod = template.clone();
        merge(
            &mut pod,
            &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "ownerReferences": owned_by(cluster),
                "labels": {"ray.io/cluster": cluster["metadata"]["name"], "ray.io/node-type": kind, "ray.io/is-ray-node": "yes"}},
                "spec": {"volumes": [{"name": "shared-mem", "emptyDir": {"medium": "Memory"}}]}}),
        );
        let container = &mut pod["spec"]["containers"][0];
        container["command"] = json!(["/bin/bash", "-c", "--"]);
        container["volumeMounts"] = json!([{"name": "shared-mem", "mountPath": "/dev/shm"}]);
        pod
    };
    let spec = &cluster["spec"];
    let name = cluster["metadata"]["name"].as_str().unwrap();
    let head = pod(
        &spec["headGroupSpec"]["template"],
        "head",
        &format!("{name}-head"),
    );
    let mut worker = pod(
        &spec["workerGroupSpecs"][0]["template"],
        "worker",
        &format!("{name}-worker"),
    );
    worker["spec"]["initContainers"] =
        json!([{"name": "wait-gcs-ready", "image": "local.test/ray:1", "command": ["sleep", "1"]}]);
    vec![head, worker]
}

/// Ray: a cluster, and a job that makes one, from manifests that say nothing of security.
pub(crate) async fn ray(stage: &TestCluster) -> Result<()> {
    define(stage, "kuberay").await?;
    // The table's definition has no such version.
    wait_until("the real definition of RayCluster", async || {
        let path = format!(
            "/apis/ray.io/v1alpha1/namespaces/{}/rayclusters?dryRun=All",
            namespace("privileged", SETTINGS)
        );
        let object = json!({"apiVersion": "ray.io/v1alpha1", "kind": "RayCluster", "metadata": {"name": "older"}, "spec": ray_cluster_spec()});
        let user = requester("alice", "RayCluster");
        let body = serde_json::to_vec(&object)?;
        let answer = send_as(&stage.client, &user, Method::POST, &path, "application/json", body).await?;
        // In the older version too: what is sent in it is looked at in the version that admission knows.
        let templates = ["/spec/headGroupSpec/template/metadata"];
        ensure!(answer.admitted(), "{} {}", answer.code, answer.message());
        stamped(&answer.body, &templates).map(Some)
    })
    .await?;
    for level in ["privileged", "restricted"] {
        a_ray_cluster(stage, level).await?;
        a_ray_job(stage, level).await?;
    }
    Ok(())
}

async fn a_ray_cluster(stage: &TestCluster, level: &str) -> Result<()> {
    let object = json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "hers"}, "spec": ray_cluster_spec()});
    let hers = create(stage, level, "alice", object).await?;
    let workers = "/spec/workerGroupSpecs/0/template/metadata";
    stamped(&hers, &["/spec/headGroupSpec/template/metadata", workers])?;
    for pod in stand_in_for_kuberay(&hers) {
        runs_as_alice(&create(stage, level, "kuberay", pod).await?, "")?;
    }
    // The same pods by anybody else, or with what dave would like to have in them.
    let [mut head, _] = <[Value; 2]>::try_from(stand_in_for_kuberay(&hers)).unwrap();
    head["metadata"]["name"] = json!("another");
    must_be_refused(
        stage,
        level,
        "R5",
        &create_request("custom-controller", SETTINGS, head.clone()),
    )
    .await?;
    must_be_refused(
        stage,
        level,
        "R31",
        &create_request("dave", SETTINGS, {
            let mut planted = head.clone();
            planted["metadata"]["ownerReferences"] = json!([]);
            planted["metadata"]["annotations"] = json!({});
            planted["spec"]["securityContext"] = Value::Null;
            planted
        }),
    )
    .await?;
    let mut evil = hers["spec"]["workerGroupSpecs"].clone();
    evil[0]["template"]["spec"]["containers"][0]["image"] = json!("local.test/evil:1");
    let patch = json!({"spec": {"workerGroupSpecs": evil}});
    must_be_refused(stage, level, "R32", &change("dave", &hers, "", &patch)).await?;
    // Scaling is anybody's, and what runs is hers to change.
    let mut scaled = hers["spec"]["workerGroupSpecs"].clone();
    scaled[0]["replicas"] = json!(2);
    let patch = json!({"spec": {"workerGroupSpecs": scaled}});
    let answer = write(stage, level, &change("dave", &hers, "", &patch)).await?;
    ensure!(answer.admitted(), "{} {}", answer.code, answer.message());
    stamped(&answer.body, &[workers])?;
    let mut newer = answer.body["spec"]["workerGroupSpecs"].clone();
    newer[0]["template"] = template("ray-worker");
    newer[0]["template"]["spec"]["containers"][0]["image"] = json!("local.test/ray:2");
    let patch = json!({"spec": {"workerGroupSpecs": newer}});
    let answer = write(stage, level, &change("alice", &answer.body, "", &patch)).await?;
    ensure!(answer.admitted(), "{} {}", answer.code, answer.message());
    stamped(&answer.body, &[workers])
}

async fn a_ray_job(stage: &TestCluster, level: &str) -> Result<()> {
    let job = |name: &str, spec: Value| json!({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": name}, "spec": spec});
    let spec = json!({"entrypoint": "python train.py", "rayClusterSpec": ray_cluster_spec()});
    let hers = create(stage, level, "alice", job("hers", spec)).await?;
    let submitter = "/spec/submitterPodTemplate";
    stamped(
        &hers,
        &[
            "/spec/rayClusterSpec/headGroupSpec/template/metadata",
            "/spec/submitterPodTemplate/metadata",
        ],
    )?;
    let image = hers.pointer(&format!("{submitter}/spec/containers/0/image"));
    ensure!(image == Some(&json!("local.test/ray:1")), "{image:?}");
    // KubeRay writes which cluster is the job's, makes it, and makes a Job that submits to it.
    let status = json!({"status": {"rayClusterName": "hers-x", "jobId": "hers-1"}});
    must_be_refused(stage, level, "R31", &change("dave", &hers, "status", &status)).await?;
    let answer = write(stage, level, &change("kuberay", &hers, "status", &status)).await?;
    ensure!(answer.admitted(), "{} {}", answer.code, answer.message());
    let cluster = json!({"apiVersion": "ray.io/v1", "kind": "RayCluster",
        "metadata": {"name": "hers-x", "ownerReferences": owned_by(&hers)}, "spec": hers["spec"]["rayClusterSpec"]});
    let cluster = create(stage, level, "kuberay", cluster).await?;
    for pod in stand_in_for_kuberay(&cluster) {
        runs_as_alice(&create(stage, level, "kuberay", pod).await?, "")?;
    }
    let submits = json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "hers", "ownerReferences": owned_by(&hers)},
        "spec": {"backoffLimit": 2, "template": hers["spec"]["submitterPodTemplate"]}});
    runs_as_alice(&create(stage, level, "kuberay", submits).await?, "/spec/template")?;
    // Onto a colleague's cluster no job goes.
    let onto = job(
        "onto",
        json!({"entrypoint": "id", "clusterSelector": {"ray.io/cluster": "hers-x"}}),
    );
    must_be_refused(stage, level, "R33", &create_request("dave", SETTINGS, onto)).await
}
