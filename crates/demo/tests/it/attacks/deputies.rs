//! Deputies and settings: what a controller's own token may do (R4), who may edit the settings (R13), and who may make a
//! namespace a project's (R2).

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::Client;
use kube::api::{Api, PostParams};
use reeve_admission::{Stamp, mutate};
use reeve_demo::Road;
use serde_json::{Value, json};

use crate::harness::{
    Team, bare_job, create, deployment, fresh, must_be_refused, on_the_road, patch, refusal,
};

/// A token of a controller's ServiceAccount, as its administrator can always have one; bound to a pod when one is given.
async fn token_of(road: &Road, controller: &str, pod: Option<&Pod>) -> Result<String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(road.cluster.client().await?, "kube-system");
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(600),
            bound_object_ref: pod.map(|pod| BoundObjectReference {
                api_version: Some("v1".into()),
                kind: Some("Pod".into()),
                name: pod.metadata.name.clone(),
                uid: pod.metadata.uid.clone(),
            }),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let made = accounts
        .create_token_request(controller, &PostParams::default(), &request)
        .await?;
    made.status
        .and_then(|status| status.token)
        .context("a token request without a token")
}

/// A pod with everything that the policies ask of one that runs as her.
fn pod_of(team: &Team, name: &str, owner: Option<&Value>) -> Result<Value> {
    let mut pod = json!({"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": reeve_testkit::images::TOOLS, "command": ["id"]}]}});
    let stamp: Stamp = team.researcher.stamp().parse()?;
    mutate::fill_for(&mut pod, &stamp, true);
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    if let Some(owner) = owner {
        pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "batch/v1", "kind": "Job", "controller": true,
            "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}]);
    }
    Ok(pod)
}

/// A Job of hers that waits, so that its pods are ours to make.
async fn her_waiting_job(road: &Road, team: &Team) -> Result<Value> {
    let alice = team.researcher.kubernetes(road).await?;
    let mut job = bare_job("waits", &["id"]);
    job["spec"]["suspend"] = json!(true);
    Ok(create(&alice, &team.namespace, job).await?)
}

#[test]
fn r4_a_controller_makes_no_pod_that_nothing_owns() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let job = her_waiting_job(road, &team).await?;
        let client = road
            .kubernetes(&token_of(road, "job-controller", None).await?)
            .await?;
        must_be_refused(
            create(&client, &team.namespace, pod_of(&team, "unowned", None)?).await,
            &["R4", "ownerReference"],
        )?;
        // An owner that is not the controller is none.
        let mut pod = pod_of(&team, "half-owned", Some(&job))?;
        pod["metadata"]["ownerReferences"][0]["controller"] = json!(false);
        must_be_refused(create(&client, &team.namespace, pod).await, &["R4"])?;
        // With an owner the stamp still has to agree with what runs.
        let mut pod = pod_of(&team, "other-uid", Some(&job))?;
        pod["spec"]["securityContext"]["runAsUser"] = json!(team.researcher.uid + 1000);
        must_be_refused(create(&client, &team.namespace, pod).await, &["R6"])?;
        // And this is what controllers do all day.
        create(&client, &team.namespace, pod_of(&team, "owned", Some(&job))?).await?;
        Ok(())
    });
}

#[test]
fn r4_a_controller_changes_no_template() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let alice = team.researcher.kubernetes(road).await?;
        create(&alice, &team.namespace, deployment("service", 0)).await?;
        let client = road
            .kubernetes(&token_of(road, "deployment-controller", None).await?)
            .await?;
        let path = format!("/apis/apps/v1/namespaces/{}/deployments/service", team.namespace);
        let put = async |change: &dyn Fn(&mut Value)| -> Result<kube::Result<Value>> {
            let mut object: Value = client
                .request(http::Request::get(&path).body(Vec::new())?)
                .await?;
            change(&mut object);
            // What the API server keeps of its own accord is not ours to send.
            object["metadata"]
                .as_object_mut()
                .context("no metadata")?
                .remove("resourceVersion");
            let request = http::Request::put(&path)
                .header("content-type", "application/json")
                .body(serde_json::to_vec(&object)?)?;
            Ok(client.request(request).await)
        };
        let image = |o: &mut Value| {
            o["spec"]["template"]["spec"]["containers"][0]["image"] = json!("local.test/evil:1")
        };
        must_be_refused(put(&image).await?, &["R4", "template"])?;
        let stamp = |o: &mut Value| {
            o["spec"]["template"]["metadata"]["annotations"]["reeve.dev/runs-as"] =
                json!("someone/70001/5000/");
        };
        must_be_refused(put(&stamp).await?, &["R"])?;
        let note = |o: &mut Value| o["metadata"]["annotations"]["note"] = json!("not the template");
        put(&note).await??;
        Ok(())
    });
}

#[test]
fn r4_the_token_of_a_pod_is_not_a_controllers() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let job = her_waiting_job(road, &team).await?;
        let admin = road.cluster.client().await?;
        // Somebody who may make pods in kube-system runs one under the controller's account; it need not even start.
        let name = fresh("deputy");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "serviceAccountName": "job-controller", "automountServiceAccountToken": false,
            "nodeSelector": {"nowhere": "true"}, "containers": [{"name": "main", "image": reeve_testkit::images::PAUSE}]}});
        let pods: Api<Pod> = Api::namespaced(admin, "kube-system");
        let made = pods
            .create(&PostParams::default(), &serde_json::from_value(pod)?)
            .await?;
        let token = token_of(road, "job-controller", Some(&made)).await?;
        let client = road.kubernetes(&token).await?;
        let outcome = create(&client, &team.namespace, pod_of(&team, "by-a-pod", Some(&job))?).await;
        pods.delete(&name, &kube::api::DeleteParams::default().grace_period(0))
            .await?;
        must_be_refused(outcome, &["R5", "service account"])
    });
}

#[test]
fn r4_people_write_no_controller_revisions() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let revision = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "forged"}, "revision": 7,
            "data": {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "local.test/evil:1"}]}}}}});
        // No role grants it to her; the policy refuses it to whom RBAC refuses nothing.
        let alice = team.researcher.kubernetes(road).await?;
        must_be_refused(
            create(&alice, &team.namespace, revision.clone()).await,
            &["controllerrevisions"],
        )?;
        let change = json!({"revision": 8});
        must_be_refused(
            patch(&alice, &team.namespace, "ControllerRevision", "any", change).await,
            &["controllerrevisions"],
        )?;
        let admin = road.cluster.client().await?;
        must_be_refused(create(&admin, &team.namespace, revision).await, &["R4"])
    });
}

const CONFIG: &str = "/apis/reeve.dev/v1alpha1/reeveconfigs/reeve";

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Result<kube::Result<Value>> {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/merge-patch+json")
        .body(if method == "PATCH" {
            serde_json::to_vec(body)?
        } else {
            Vec::new()
        })?;
    Ok(client.request(request).await)
}

#[test]
fn r13_nobody_but_an_installer_edits_the_settings() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let admin = road.cluster.client().await?;
        let alice = team.researcher.kubernetes(road).await?;
        let token = road
            .cluster
            .service_account_token("reeve-system", "reeve-operator", 600)
            .await?;
        let operator = road.kubernetes(&token).await?;
        let read = async || -> Result<Value> { Ok(send(&admin, "GET", CONFIG, &Value::Null).await??) };
        let before = read().await?["spec"].clone();
        ensure!(before["enforceRunAsUser"] == true, "{before}");

        // For a dry run the verdict is the same, and nobody else's test runs under other settings if it is wrong.
        let dry = format!("{CONFIG}?dryRun=All");
        let change = json!({"spec": {"enforceRunAsUser": false}});
        must_be_refused(send(&alice, "PATCH", &dry, &change).await?, &["reeveconfigs"])?;
        must_be_refused(send(&operator, "PATCH", &dry, &change).await?, &["reeveconfigs"])?;
        must_be_refused(
            send(&admin, "PATCH", &dry, &change).await?,
            &["R13", "reeve:installers"],
        )?;
        must_be_refused(send(&admin, "DELETE", &dry, &Value::Null).await?, &["R13"])?;
        must_be_refused(
            send(&alice, "DELETE", &dry, &Value::Null).await?,
            &["reeveconfigs"],
        )?;
        // The operator writes the status; what it sends of the spec along with it does not count.
        let status = format!("{CONFIG}/status?dryRun=All");
        let answer = send(&operator, "PATCH", &status, &change).await??;
        ensure!(answer["spec"] == before, "{answer}");
        must_be_refused(
            send(&admin, "PATCH", &status, &json!({"status": {"conditions": []}})).await?,
            &["R13"],
        )?;
        // An installer may.
        let installer = road.cluster.installer_client().await?;
        let answer = send(&installer, "PATCH", &dry, &change).await??;
        ensure!(answer["spec"]["enforceRunAsUser"] == false, "{answer}");
        ensure!(read().await?["spec"] == before);
        Ok(())
    });
}

#[test]
fn r2_not_even_an_administrator_makes_a_namespace_a_projects() {
    on_the_road(async |road| {
        let existing = road.cluster.namespace("existing").await?;
        let label = "reeve.dev/project=stolen";
        let admin = road.cluster.kubectl();
        let operator = road.kubectl(&road.operator_kubeconfig());
        let installer = road.kubectl(road.cluster.installer_kubeconfig());
        let adding = |namespace: &'static str| ["label", "--dry-run=server", "namespace", namespace, label];

        let said = |answer: std::process::Output| {
            let said = String::from_utf8_lossy(&answer.stderr).into_owned();
            (answer.status.success(), said)
        };
        let (admitted, message) =
            said(admin.run(&["label", "--dry-run=server", "namespace", &existing, label])?);
        ensure!(!admitted && message.contains("R2"), "{message}");
        let (admitted, message) =
            said(operator.run(&["label", "--dry-run=server", "namespace", &existing, label])?);
        ensure!(!admitted && message.contains("forbidden"), "{message}");
        for namespace in ["kube-system", "default", "reeve-system"] {
            let (admitted, message) = said(admin.run(&adding(namespace))?);
            ensure!(!admitted && message.contains("reeve: R"), "{message}");
            // Not even an installer makes one of these a project.
            let (admitted, message) = said(installer.run(&adding(namespace))?);
            ensure!(!admitted && message.contains("R11"), "{message}");
        }

        let name = fresh("made");
        let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"reeve.dev/project": "stolen"}}});
        let create = ["create", "--dry-run=server", "-f", "-"];
        let (admitted, message) = said(admin.run_with_input(&create, &manifest.to_string())?);
        ensure!(!admitted && message.contains("R2"), "{message}");
        installer.must_with_input(&create, &manifest.to_string())?;
        // And her token reaches no namespace at all.
        let team = Team::form(road).await?;
        let alice = team.researcher.kubernetes(road).await?;
        let path = format!("/api/v1/namespaces/{}", team.namespace);
        let change = json!({"metadata": {"labels": {"reeve.dev/enforce-run-as-user": "false"}}});
        ensure!(refusal(send(&alice, "PATCH", &path, &change).await?)?.0 == 403);
        Ok(())
    });
}
