//! Deputies: what a controller's own token may do (R4), what the operator's may (R11), who writes Workloads (R12).

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{Api, PostParams};
use reeve_admission::{Stamp, mutate};
use reeve_e2e::Stack;
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::harness::{Team, bare_job, create, deployment, fresh, must_be_refused, on_the_stack, patch};

/// A token of a controller's ServiceAccount, as its administrator can always have one; bound to a pod when one is given.
async fn token_of(stack: &Stack, controller: &str, pod: Option<&Pod>) -> Result<String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(stack.cluster.client().await?, "kube-system");
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
async fn her_waiting_job(stack: &Stack, team: &Team) -> Result<Value> {
    let alice = team.researcher.kubernetes(stack).await?;
    let mut job = bare_job("waits", &["id"]);
    job["spec"]["suspend"] = json!(true);
    Ok(create(&alice, &team.namespace, job).await?)
}

#[test]
fn r4_a_controller_makes_no_pod_that_nothing_owns() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let job = her_waiting_job(stack, &team).await?;
        let client = stack
            .kubernetes(&token_of(stack, "job-controller", None).await?)
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
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let alice = team.researcher.kubernetes(stack).await?;
        create(&alice, &team.namespace, deployment("service", 0)).await?;
        let client = stack
            .kubernetes(&token_of(stack, "deployment-controller", None).await?)
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
        must_be_refused(put(&image).await?, &["R4", "only copies templates"])?;
        let stamp = |o: &mut Value| {
            o["spec"]["template"]["metadata"]["annotations"]["reeve.dev/runs-as"] =
                json!("someone/70001/5000/");
        };
        must_be_refused(put(&stamp).await?, &["R4", "only copies templates"])?;
        let note = |o: &mut Value| o["metadata"]["annotations"]["note"] = json!("not the template");
        put(&note).await??;
        Ok(())
    });
}

#[test]
fn r4_the_token_of_a_pod_is_not_a_controllers() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let job = her_waiting_job(stack, &team).await?;
        let admin = stack.cluster.client().await?;
        // Somebody who may make pods in kube-system runs one under the controller's account; it need not even start.
        let name = fresh("deputy");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "serviceAccountName": "job-controller", "automountServiceAccountToken": false,
            "nodeSelector": {"nowhere": "true"}, "containers": [{"name": "main", "image": reeve_testkit::images::PAUSE}]}});
        let pods: Api<Pod> = Api::namespaced(admin, "kube-system");
        let made = pods
            .create(&PostParams::default(), &serde_json::from_value(pod)?)
            .await?;
        let token = token_of(stack, "job-controller", Some(&made)).await?;
        let client = stack.kubernetes(&token).await?;
        let outcome = create(&client, &team.namespace, pod_of(&team, "by-a-pod", Some(&job))?).await;
        pods.delete(&name, &kube::api::DeleteParams::default().grace_period(0))
            .await?;
        must_be_refused(outcome, &["R5", "service account"])
    });
}

#[test]
fn r4_people_write_no_controller_revisions() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let revision = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "forged"}, "revision": 7,
            "data": {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "local.test/evil:1"}]}}}}});
        // No role grants it to her; the policy refuses it to whom RBAC refuses nothing.
        let alice = team.researcher.kubernetes(stack).await?;
        must_be_refused(
            create(&alice, &team.namespace, revision.clone()).await,
            &["controllerrevisions"],
        )?;
        let change = json!({"revision": 8});
        must_be_refused(
            patch(&alice, &team.namespace, "ControllerRevision", "any", change).await,
            &["controllerrevisions"],
        )?;
        let admin = stack.cluster.client().await?;
        must_be_refused(create(&admin, &team.namespace, revision).await, &["R4"])
    });
}

#[test]
fn r11_the_operator_binds_nothing_outside_projects() {
    on_the_stack(async |stack| {
        let token = stack
            .cluster
            .service_account_token("reeve-system", "reeve-operator", 600)
            .await?;
        let client = stack.kubernetes(&token).await?;
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "grab"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reeve-l1-researcher"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory@reeve.example"}]});
        let mut own = binding.clone();
        own["roleRef"]["name"] = json!("reeve-operator-project");
        for namespace in ["kube-system", "default", "reeve-system"] {
            // People's roles it may bind in project namespaces alone: RBAC refuses. Its own it may bind: the policy refuses.
            must_be_refused(
                create(&client, namespace, binding.clone()).await,
                &["attempting to grant RBAC permissions not currently held"],
            )?;
            must_be_refused(
                create(&client, namespace, own.clone()).await,
                &[
                    "R11",
                    &format!("may not bind a role in the namespace {namespace}"),
                ],
            )?;
        }
        Ok(())
    });
}

#[test]
fn r12_nobody_but_the_link_writes_workloads() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let other = team.hire(stack).await?;
        let workload = json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "forged"}, "spec": {
            "id": "00000000-0000-4000-8000-000000000001", "projectId": team.project, "submittedBy": other.person.username,
            "image": reeve_testkit::images::TOOLS, "identity": {"userId": other.person.id, "email": other.person.username,
            "uid": other.uid, "gid": 5000}}});
        let alice = team.researcher.kubernetes(stack).await?;
        must_be_refused(
            create(&alice, &team.namespace, workload.clone()).await,
            &["cannot create resource \"workloads\""],
        )?;
        // Schemas come before policies: that the policy is what refuses an administrator shows that nothing else is wrong.
        let admin = stack.cluster.client().await?;
        must_be_refused(
            create(&admin, &team.namespace, workload).await,
            &["R12", "reeve submit"],
        )?;
        let kubectl = stack.cluster.kubectl();
        let body = json!({"name": "real", "projectId": team.project, "clusterId": stack.cluster_id, "spec": {"image": reeve_testkit::images::TOOLS, "command": "true"}});
        team.researcher
            .rest
            .post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        wait_until("the Workload to be there", async || {
            Ok(kubectl
                .must(&["get", "workloads.reeve.dev", "real", "-n", &team.namespace])
                .ok())
        })
        .await?;
        // The administrator holds every right of RBAC, and is refused by the policy.
        let answer = kubectl.run(&[
            "patch",
            "workloads.reeve.dev",
            "real",
            "-n",
            &team.namespace,
            "--subresource=status",
            "--type=merge",
            "-p",
            r#"{"status":{"message":"forged"}}"#,
        ])?;
        ensure!(!answer.status.success(), "an administrator changed a Workload");
        ensure!(
            String::from_utf8_lossy(&answer.stderr).contains("R12"),
            "{answer:?}"
        );
        Ok(())
    });
}
