//! Everything that the operator does in its life, by which it needs each of its rights: jobs that run, are deleted or refused, rules,
//! projects and Secrets that come and go, a change of settings, a policy that is looked at.

use std::time::Duration;

use anyhow::{Result, ensure};
use reeve_e2e::{Organization, Rest, Stack, organization, unused_rights};
use reeve_testkit::{AuditEvent, Kubectl, wait_for, wait_until};
use serde_json::{Value, json};

use crate::harness::{change_settings, fresh, merge};

/// Whom the operator is to the API server.
pub(crate) const OPERATOR: &str = "system:serviceaccount:reeve-system:reeve-operator";

/// On a stack with the organization; with a restart it is complete.
pub(crate) async fn is_lived(stack: &Stack, organization: &Organization) -> Result<()> {
    workloads_come_and_go(stack, organization).await?;
    rules_and_projects_come_and_go(stack, organization).await?;
    settings_and_policies_change(stack).await?;
    a_registry_secret_comes_and_changes(stack).await?;
    a_credential_comes_changes_and_goes(stack).await
}

/// In the API server's log no right of the operator's is missing, and none of the whole table is unused.
pub(crate) fn needs_exactly_its_rights(events: &[AuditEvent]) -> Result<()> {
    let of_operator: Vec<AuditEvent> = events.iter().filter(|e| e.user == OPERATOR).cloned().collect();
    let refused: Vec<String> = of_operator
        .iter()
        .filter(|e| e.decision() == Some("forbid"))
        .map(line)
        .collect();
    ensure!(refused.is_empty(), "rights are missing:\n{}", refused.join("\n"));
    let unused = unused_rights(reeve_tenancy::Switches::default(), &of_operator);
    ensure!(
        unused.is_empty(),
        "rights that nothing used:\n{}",
        unused.join("\n")
    );
    Ok(())
}

/// A Secret by which images are pulled is shared with every project, and changed.
async fn a_registry_secret_comes_and_changes(stack: &Stack) -> Result<()> {
    let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
    for value in ["eyJhdXRocyI6e319", "eyJhdXRocyI6e319Cg=="] {
        let object = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "registry", "namespace": "reeve-secrets", "labels": {"reeve.dev/cluster-wide": "true"}},
            "data": {".dockerconfigjson": value}});
        installer.must_with_input(&["apply", "-f", "-"], &object.to_string())?;
        wait_until("the copy", async || {
            let found = installer.must(&[
                "-n",
                "reeve-robots",
                "get",
                "secrets",
                "-o",
                "jsonpath={.items[*].data}",
            ])?;
            Ok(found.contains(&format!("\"{value}\"")).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// A credential of the whole account is kept in the control plane, changed, and deleted; every project has it meanwhile. No answer
/// holds a value.
async fn a_credential_comes_changes_and_goes(stack: &Stack) -> Result<()> {
    let base = "/api/v1/asset/credentials/password";
    let meta = json!({"name": "kept", "scope": "tenant"});
    let made = stack
        .admin
        .post(
            base,
            json!({"meta": meta, "spec": {"user": "u", "password": "canary-one"}}),
        )
        .await?
        .expect(202)?;
    ensure!(!made.to_string().contains("canary"), "{made}");
    let path = format!("{base}/{}", made["meta"]["id"].as_str().unwrap_or_default());
    let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
    let password = |value: &'static str| {
        let installer = &installer;
        wait_until("the copy of the credential", async move || {
            let asked = [
                "-n",
                "reeve-robots",
                "get",
                "secret",
                "kept",
                "--ignore-not-found",
                "-o",
                "jsonpath={.data.password}",
            ];
            let found = installer.must(&asked)?;
            Ok((found == value).then_some(()))
        })
    };
    password("Y2FuYXJ5LW9uZQ==").await?;
    wait_until("the status of the credential", async || {
        let shown = stack.admin.get(&path).await?.expect(200)?;
        Ok((shown["status"]["status"] == "No issues found").then_some(()))
    })
    .await?;
    let change = json!({"spec": {"user": "u", "password": "canary-two"}});
    stack.admin.put(&path, change).await?.expect(202)?;
    password("Y2FuYXJ5LXR3bw==").await?;
    stack.admin.delete(&path).await?.expect(202)?;
    password("").await
}

/// Two trainings run, one of them goes, and one is refused by one quota and then by another before it runs.
async fn workloads_come_and_go(stack: &Stack, organization: &Organization) -> Result<()> {
    let alice = organization.person("alice")?;
    let alice = stack.admin.sign_in(&alice.username, &alice.password).await?;
    let robots = organization.projects.get("robots").cloned().unwrap_or_default();
    let submit = async |name: &str| {
        let body = json!({"name": name, "projectId": robots, "clusterId": stack.cluster_id,
            "spec": {"image": reeve_testkit::images::TOOLS, "command": "true"}});
        let path = "/api/v1/workloads/trainings";
        let made = alice.post(path, body).await?.expect(202)?;
        anyhow::Ok(made["workloadId"].as_str().unwrap_or_default().to_owned())
    };
    let (one, two) = (submit("one").await?, submit("two").await?);
    for id in [&one, &two] {
        until_workload(&alice, id, "it to complete", |it| it["phase"] == "Completed").await?;
    }
    alice
        .delete(&format!("/api/v1/workloads/trainings/{one}"))
        .await?
        .expect(202)?;

    let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
    let no_jobs = |name: &str| {
        let quota = [
            "create",
            "quota",
            name,
            "-n",
            "reeve-robots",
            "--hard=count/jobs.batch=0",
        ];
        installer.must(&quota)
    };
    let jobs_again = |name: &str| installer.must(&["delete", "quota", name, "-n", "reeve-robots"]);
    let refused_by = async |id: &str, quota: &str| {
        let words = format!("quota: {quota}");
        let says = |it: &Value| it["phaseMessage"].as_str().is_some_and(|it| it.contains(&words));
        until_workload(&alice, id, "the quota to refuse it", says).await
    };
    no_jobs("first")?;
    let three = submit("three").await?;
    refused_by(&three, "first").await?;
    // The same reason in other words: the news joins the series of the first.
    no_jobs("second")?;
    jobs_again("first")?;
    refused_by(&three, "second").await?;
    jobs_again("second")?;
    until_workload(&alice, &three, "it to complete", |it| it["phase"] == "Completed").await?;
    // A Job is made and its pod refused: what refuses it, only the Job's events say.
    installer.must(&[
        "create",
        "quota",
        "third",
        "-n",
        "reeve-robots",
        "--hard=count/pods=0",
    ])?;
    let four = submit("four").await?;
    refused_by(&four, "third").await?;
    jobs_again("third")?;
    until_workload(&alice, &four, "it to complete", |it| it["phase"] == "Completed").await
}

/// What a quota refused is tried again every fifteen seconds.
async fn until_workload(rest: &Rest, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Result<()> {
    wait_for(Duration::from_secs(60), what, async || {
        let path = format!("/api/v1/workloads/{id}");
        let workload = rest.get(&path).await?.expect(200)?;
        ensure!(is(&workload), "{workload}");
        Ok(Some(()))
    })
    .await
}

async fn rules_and_projects_come_and_go(stack: &Stack, organization: &Organization) -> Result<()> {
    let admin = &stack.admin;
    let robots = organization.projects.get("robots").cloned().unwrap_or_default();
    // Each role that has a ClusterRole of its own and that nobody else here is given.
    for role in ["Viewer", "L2 researcher", "AI practitioner"] {
        let rule =
            organization::create_rule(admin, "group", &fresh("group"), role, "project", &robots).await?;
        let path = format!("/api/v1/authorization/access-rules/{rule}");
        wait_until("the rule to be Ready", async || {
            let rule = admin.get(&path).await?.expect(200)?;
            Ok((rule["status"]["phase"] == "Ready").then_some(()))
        })
        .await?;
        admin.delete(&path).await?.expect(204)?;
    }
    let vision = organization
        .departments
        .get("vision")
        .cloned()
        .unwrap_or_default();
    let brief = organization::create_project(stack, "brief", &vision).await?;
    organization::wait_until_ready(admin, &brief).await?;
    admin
        .delete(&format!("/api/v1/org-unit/projects/{brief}"))
        .await?
        .expect(204)
        .map(drop)
}

/// What pods of projects run under on OpenShift is bound and taken away.
async fn constraints_come_and_go(installer: &Kubectl) -> Result<()> {
    for on in ["true", "false"] {
        let change = format!(r#"{{"spec":{{"openShift":{{"securityContextConstraints":{on}}}}}}}"#);
        change_settings(installer, &change)?;
        wait_until("the constraints", async || {
            let found = installer.must(&["get", "rolebindings", "-n", "reeve-robots", "-o", "name"])?;
            Ok((found.contains("reeve-user-job") == (on == "true")).then_some(()))
        })
        .await?;
    }
    Ok(())
}

async fn settings_and_policies_change(stack: &Stack) -> Result<()> {
    let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
    for value in ["false", "true"] {
        let change = format!(r#"{{"spec":{{"enforceRunAsUser":{value}}}}}"#);
        change_settings(&installer, &change)?;
        wait_until("the namespace to carry the setting", async || {
            let label = installer.must(&[
                "get",
                "namespace",
                "reeve-robots",
                "-o",
                r"jsonpath={.metadata.labels.reeve\.dev/enforce-run-as-user}",
            ])?;
            Ok((label.trim() == value).then_some(()))
        })
        .await?;
    }
    for (on, there) in [(false, ""), (true, "reeve-limit-range")] {
        let change = format!(r#"{{"spec":{{"project-controller":{{"limitRange":{on}}}}}}}"#);
        change_settings(&installer, &change)?;
        wait_until("the LimitRange to go and come", async || {
            let names = installer.must(&[
                "-n",
                "reeve-robots",
                "get",
                "limitranges",
                "-o",
                "jsonpath={.items[*].metadata.name}",
            ])?;
            Ok((names.trim() == there).then_some(()))
        })
        .await?;
    }
    constraints_come_and_go(&installer).await?;
    // Twice, so that the second alarm joins the series of the first.
    for _ in 0..2 {
        let policies = "validatingadmissionpolicies.admissionregistration.k8s.io";
        let change = r#"{"spec":{"failurePolicy":"Ignore"}}"#;
        merge(&installer, policies, "reeve-operator-bindings", change)?;
        until_state(stack, "ServiceIssues").await?;
        let client = stack.cluster.installer_client().await?;
        reeve_testkit::apply_yaml(&client, &reeve_admission::policies_yaml()).await?;
        until_state(stack, "Connected").await?;
    }
    Ok(())
}

async fn until_state(stack: &Stack, state: &str) -> Result<()> {
    wait_for(Duration::from_secs(60), state, async || {
        let cluster = stack
            .admin
            .get(&format!("/api/v1/clusters/{}", stack.cluster_id))
            .await?
            .expect(200)?;
        Ok((cluster["status"]["state"] == state).then_some(()))
    })
    .await
}

/// An event in one line.
pub(crate) fn line(event: &AuditEvent) -> String {
    format!(
        "{} {} {}/{} {} in `{}`: {} {}",
        event.user,
        event.verb,
        event.api_group,
        event.resource,
        event.name,
        event.namespace,
        event.code,
        event.message
    )
}
