//! The policies themselves (R1), the labels that select them (R2) and the settings they read (R13).

use anyhow::{Context, Result, ensure};
use kube::Client;
use reeve_testkit::{Tier, wait_for};
use serde_json::{Value, json};

use crate::harness::{Team, fresh, must_be_refused, on_a_stack_of_its_own, on_the_stack};

#[test]
fn r1_a_deleted_policy_is_an_alarm_within_a_minute() {
    on_a_stack_of_its_own("policy", Tier::ApiServer, async |stack| {
        let policies: kube::Api<k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy> =
            kube::Api::all(stack.cluster.installer_client().await?);
        let all = policies.list(&kube::api::ListParams::default()).await?;
        let name = all
            .items
            .into_iter()
            .find_map(|p| p.metadata.name)
            .context("no policy is installed")?;
        policies
            .delete(&name, &kube::api::DeleteParams::default())
            .await?;
        wait_for(
            std::time::Duration::from_secs(60),
            "the control plane to show the alarm",
            async || {
                let cluster = stack
                    .admin
                    .get(&format!("/api/v1/clusters/{}", stack.cluster_id))
                    .await?
                    .expect(200)?;
                ensure!(
                    cluster["status"]["state"] == "ServiceIssues",
                    "{}",
                    cluster["status"]
                );
                Ok(cluster["status"].to_string().contains(&name).then_some(()))
            },
        )
        .await
    });
}

#[test]
fn r1_the_operator_cannot_change_policies() {
    on_the_stack(async |stack| {
        let kubectl = stack.kubectl(&stack.operator_kubeconfig());
        for verb in ["create", "update", "patch", "delete"] {
            let answer = kubectl.run(&[
                "auth",
                "can-i",
                verb,
                "validatingadmissionpolicies.admissionregistration.k8s.io",
            ])?;
            let said = String::from_utf8_lossy(&answer.stdout);
            ensure!(
                !answer.status.success() && said.trim_end() == "no",
                "may the operator {verb} admission policies: {said}"
            );
        }
        Ok(())
    });
}

#[test]
fn r2_not_even_an_administrator_removes_the_label_that_selects_the_policies() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        for change in [
            "reeve.dev/project-",
            "reeve.dev/enforce-run-as-user=false",
            "pod-security.kubernetes.io/enforce=privileged",
        ] {
            let answer = stack.cluster.kubectl().run(&[
                "label",
                "namespace",
                &team.namespace,
                "--overwrite",
                change,
            ])?;
            let said = String::from_utf8_lossy(&answer.stderr).into_owned();
            ensure!(
                !answer.status.success() && said.contains("R2"),
                "{change}: {said}"
            );
        }
        let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
        installer.must(&[
            "label",
            "namespace",
            &team.namespace,
            "--overwrite",
            "team=vision",
        ])?;
        stack.cluster.kubectl().must(&[
            "label",
            "namespace",
            &team.namespace,
            "--overwrite",
            "colour=blue",
        ])?;
        Ok(())
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
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let admin = stack.cluster.client().await?;
        let alice = team.researcher.kubernetes(stack).await?;
        let token = stack
            .cluster
            .service_account_token("reeve-system", "reeve-operator", 600)
            .await?;
        let operator = stack.kubernetes(&token).await?;
        let read = async || -> Result<Value> { Ok(send(&admin, "GET", CONFIG, &Value::Null).await??) };
        let before = read().await?["spec"].clone();
        ensure!(before["enforceRunAsUser"] == true, "{before}");

        // For a dry run the verdict is the same, and nobody else's test runs under other settings if it is wrong.
        let dry = format!("{CONFIG}?dryRun=All");
        let change = json!({"spec": {"enforceRunAsUser": false}});
        let by_rbac = ["cannot patch resource \"reeveconfigs\""];
        must_be_refused(send(&alice, "PATCH", &dry, &change).await?, &by_rbac)?;
        must_be_refused(send(&operator, "PATCH", &dry, &change).await?, &by_rbac)?;
        must_be_refused(
            send(&admin, "PATCH", &dry, &change).await?,
            &["R13", "reeve:installers"],
        )?;
        must_be_refused(send(&admin, "DELETE", &dry, &Value::Null).await?, &["R13"])?;
        must_be_refused(
            send(&alice, "DELETE", &dry, &Value::Null).await?,
            &["cannot delete resource \"reeveconfigs\""],
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
        let installer = stack.cluster.installer_client().await?;
        let answer = send(&installer, "PATCH", &dry, &change).await??;
        ensure!(answer["spec"]["enforceRunAsUser"] == false, "{answer}");
        ensure!(read().await?["spec"] == before);
        Ok(())
    });
}

#[test]
fn r2_not_even_an_administrator_makes_a_namespace_a_projects() {
    on_the_stack(async |stack| {
        let existing = stack.cluster.namespace("existing").await?;
        let label = "reeve.dev/project=stolen";
        let admin = stack.cluster.kubectl();
        let operator = stack.kubectl(&stack.operator_kubeconfig());
        let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
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
            ensure!(!admitted && message.contains("reeve: R11: "), "{message}");
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
        let team = Team::form(stack).await?;
        let alice = team.researcher.kubernetes(stack).await?;
        let path = format!("/api/v1/namespaces/{}", team.namespace);
        let change = json!({"metadata": {"labels": {"reeve.dev/enforce-run-as-user": "false"}}});
        must_be_refused(
            send(&alice, "PATCH", &path, &change).await?,
            &["cannot patch resource \"namespaces\""],
        )?;
        Ok(())
    });
}
