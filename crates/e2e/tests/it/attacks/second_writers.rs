//! Second writers: queues that place what runs as somebody (R22), and what injects containers into it.

use anyhow::ensure;
use reeve_testkit::{Tier, images, wait_for, wait_until};
use serde_json::{Value, json};

use crate::attacks::{account_with, attackers};
use crate::cli::terminal;
use crate::harness::{
    Team, change_settings, create, must_be_refused, on_a_stack_of_its_own, on_the_stack, patch,
};

#[test]
fn r22_a_trusted_queue_places_her_job_and_changes_nothing_else_of_it() {
    on_a_stack_of_its_own("queue", Tier::Node, async |stack| {
        let team = Team::form(&stack).await?;
        let namespace = &team.namespace;
        let queue = account_with(&stack, namespace, "queue", "edit").await?;
        let alice = team.researcher.kubernetes(&stack).await?;
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": images::TOOLS, "command": ["id"]}]}});
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "queued"}, "spec": {"suspend": true, "template": template}});
        create(&alice, namespace, job).await?;
        let deployment = crate::harness::deployment("service", 0);
        create(&alice, namespace, deployment).await?;
        let place = json!({"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}]}}}});
        must_be_refused(
            patch(&queue, namespace, "Job", "queued", place.clone()).await,
            &["R5"],
        )?;

        // A scheduler that groups pods notes on them what it made of them: annotations anybody may write whom RBAC lets, labels of
        // her pod only a listed one.
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "grouped"}, "spec": {
            "nodeSelector": {"nowhere": "true"}, "containers": [{"name": "main", "image": images::TOOLS}]}});
        create(&alice, namespace, pod).await?;
        let note = json!({"metadata": {"annotations": {"pod-group-name": "pg"}}});
        patch(&queue, namespace, "Pod", "grouped", note).await?;
        let label = json!({"metadata": {"labels": {"kai.scheduler/subgroup-name": "workers"}}});
        let refused = patch(&queue, namespace, "Pod", "grouped", label.clone()).await;
        must_be_refused(refused, &["reeve: R18: "])?;

        let trusted = json!({"spec": {"trustedMutators": [{"namespace": namespace, "serviceAccount": "queue",
            "fields": ["nodeSelector", "tolerations"]}]}});
        let kubeconfig = stack.kubectl(stack.cluster.installer_kubeconfig());
        change_settings(&kubeconfig, &trusted.to_string())?;
        wait_until("the queue to be trusted", async || {
            Ok(Some(
                patch(&queue, namespace, "Job", "queued", place.clone()).await?,
            ))
        })
        .await?;
        patch(&queue, namespace, "Pod", "grouped", label).await?;
        // Nobody else places it for that.
        let elsewhere = json!({"spec": {"template": {"spec": {"nodeSelector": {"elsewhere": "true"}}}}});
        for attacker in attackers(&stack, &team).await? {
            let refused = patch(&attacker.client, namespace, "Job", "queued", elsewhere.clone()).await;
            attacker.must_break(refused, &["R7"], true)?;
        }
        for change in [
            json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "local.test/evil:1"}]}}}}),
            json!({"spec": {"template": {"spec": {"securityContext": {"runAsUser": 70099}}}}}),
            json!({"spec": {"template": {"spec": {"volumes": [{"name": "x", "secret": {"secretName": "x"}}]}}}}),
            json!({"spec": {"template": {"metadata": {"annotations": {"reeve.dev/runs-as": null}}}}}),
            json!({"spec": {"template": {"spec": {"serviceAccountName": "queue"}}}}),
            json!({"spec": {"template": {"spec": {"nodeName": "reeve-node-1"}}}}),
        ] {
            let outcome = patch(&queue, namespace, "Deployment", "service", change).await;
            must_be_refused(outcome, &["reeve: R"])?;
        }
        // Not every node is the queue's to give either.
        let control_plane =
            json!({"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}});
        must_be_refused(
            patch(&queue, namespace, "Deployment", "service", control_plane).await,
            &["R20"],
        )?;
        // Admitted, it runs as her.
        patch(
            &queue,
            namespace,
            "Job",
            "queued",
            json!({"spec": {"suspend": false}}),
        )
        .await?;
        let printed = crate::harness::output_of(&stack, namespace, "job-name=queued").await?;
        ensure!(
            printed.contains(&format!("uid={}", team.researcher.uid)),
            "{printed}"
        );
        // What was trusted can be taken back.
        let none = json!({"spec": {"trustedMutators": []}}).to_string();
        change_settings(&kubeconfig, &none)?;
        // Another value each time: the same one again would change nothing, and be nobody's business.
        let mut tries = 0;
        wait_until("the queue to be trusted no more", async || {
            tries += 1;
            let other = json!({"spec": {"template": {"spec": {"nodeSelector": {"a": tries.to_string()}}}}});
            let answer = patch(&queue, namespace, "Deployment", "service", other).await;
            Ok(must_be_refused(answer, &["R5"]).ok())
        })
        .await
    });
}

/// A value as a CEL literal, whose parts need not be of one type.
fn cel(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> = map.iter().map(|(k, v)| format!("{k:?}: {}", cel(v))).collect();
            format!("dyn({{{}}})", fields.join(", "))
        }
        Value::Array(list) => {
            let entries: Vec<String> = list.iter().map(cel).collect();
            format!("dyn([{}])", entries.join(", "))
        }
        other => format!("dyn({other})"),
    }
}

/// A policy of somebody else that adds a container to the pods of a namespace, as a mesh does.
fn injector(namespace: &str, container: &Value) -> String {
    let expression = format!(
        "[JSONPatch{{op: \"add\", path: \"/spec/containers/-\", value: {}}}]",
        cel(container)
    );
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": format!("mesh-{namespace}")}, "spec": {"failurePolicy": "Fail", "reinvocationPolicy": "Never",
        "matchConstraints": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}]}});
    let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": format!("mesh-{namespace}")}, "spec": {"policyName": format!("mesh-{namespace}")}});
    format!("{policy}\n---\n{binding}\n")
}

#[test]
fn an_injected_container_without_a_context_is_refused_where_she_looks() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let namespace = &team.namespace;
        let kubectl = stack.cluster.kubectl();
        let bad = json!({"name": "proxy", "image": images::TOOLS, "command": ["sleep", "20"]});
        kubectl.must_with_input(&["apply", "-f", "-"], &injector(namespace, &bad))?;
        wait_until("the injector to be in force", async || {
            let alice = team.researcher.kubernetes(stack).await?;
            let probe = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": {
                "nodeSelector": {"nowhere": "true"}, "containers": [{"name": "main", "image": images::TOOLS}]}});
            let made = create(&alice, namespace, probe).await;
            if let Ok(pod) = &made {
                kubectl.must(&["delete", "pod", "probe", "-n", namespace, "--grace-period=0", "--force"])?;
                return Ok((pod["spec"]["containers"].as_array().map(Vec::len) == Some(2)).then_some(()));
            }
            Ok(Some(()))
        })
        .await?;
        let body = json!({"name": "meshed", "projectId": team.project, "clusterId": stack.cluster_id,
            "spec": {"image": images::TOOLS, "command": "echo she speaks"}});
        team.researcher
            .rest
            .post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        let status = async |word: &'static str, phase: &'static str| {
            wait_until(word, async || {
                let status = kubectl.must(&[
                    "get",
                    "workload",
                    "meshed",
                    "-n",
                    namespace,
                    "-o",
                    "jsonpath={.status}",
                ])?;
                ensure!(status.contains(word) && status.contains(phase), "{status}");
                Ok(Some(status))
            })
            .await
        };
        let refused = status("violates PodSecurity", "Pending").await?;
        ensure!(refused.contains(r#""status":"False""#), "{refused}");
        // With the context that everybody else has it is let in, and is not taken for the workload.
        let script = "echo the proxy speaks; sleep 20";
        let good = json!({"name": "proxy", "image": images::TOOLS, "command": ["sh", "-c", script], "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}});
        kubectl.must_with_input(&["apply", "-f", "-"], &injector(namespace, &good))?;
        status("the pod goes on until the container `proxy`", "Running").await?;
        // Planted fault: without `?container=` the API server answers "a container name must be specified".
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &team.researcher.person, settings.path())?;
        let logs = ["logs", "meshed", "-p", &team.project_name];
        let (own, other) = (
            reeve.must(&logs)?,
            reeve.must(&[&logs[..], &["-c", "proxy"]].concat())?,
        );
        ensure!(
            own == "she speaks\n" && other == "the proxy speaks\n",
            "{own} {other}"
        );
        kubectl.must(&[
            "delete",
            "mutatingadmissionpolicybinding",
            &format!("mesh-{namespace}"),
        ])?;
        kubectl.must(&["delete", "mutatingadmissionpolicy", &format!("mesh-{namespace}")])?;
        Ok(())
    });
}

/// Our own rule refuses the pods of a workload, not Pod Security. Planted faults: the check `container-user` replaced by
/// `true` (the pod runs), and `workload::refused` that lists no events (the message stays empty).
#[test]
fn r6_a_container_that_is_injected_with_another_uid_is_refused_where_she_looks_until_it_is_over() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let namespace = &team.namespace;
        let kubectl = stack.cluster.kubectl();
        let foreign = json!({"name": "proxy", "image": images::TOOLS, "command": ["true"], "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsUser": 70099}});
        kubectl.must_with_input(&["apply", "-f", "-"], &injector(namespace, &foreign))?;
        let alice = team.researcher.kubernetes(stack).await?;
        wait_until("the injector to be in force", async || {
            let probe = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": {
                "nodeSelector": {"nowhere": "true"}, "containers": [{"name": "main", "image": images::TOOLS}]}});
            if create(&alice, namespace, probe).await.is_ok() {
                kubectl.must(&["delete", "pod", "probe", "-n", namespace, "--grace-period=0", "--force"])?;
                return Ok(None);
            }
            Ok(Some(()))
        })
        .await?;
        let body = json!({"name": "meshed", "projectId": team.project, "clusterId": stack.cluster_id,
            "spec": {"image": images::TOOLS, "command": "true"}});
        let made = team.researcher.rest.post("/api/v1/workloads/trainings", body);
        made.await?.expect(202)?;
        let get = ["get", "workload", "meshed", "-n", namespace, "-o", "json"];
        let status = || anyhow::Ok(serde_json::from_str::<Value>(&kubectl.must(&get)?)?["status"].take());
        let ready = |status: &Value| {
            let all = status["conditions"].as_array().into_iter().flatten();
            all.filter(|it| it["type"] == "Ready")
                .map(|it| it["status"].as_str().unwrap_or_default().to_owned())
                .collect::<String>()
        };
        wait_until("our rule in the workload's message", async || {
            let status = status()?;
            let message = status["message"].as_str().unwrap_or_default();
            ensure!(
                message.contains("reeve: R6: ") && ready(&status) == "False",
                "{status}"
            );
            Ok(Some(()))
        })
        .await?;
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &team.researcher.person, settings.path())?;
        let told = reeve.run(&["logs", "meshed", "-p", &team.project_name], "")?;
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        ensure!(told.contains("reeve: R6: "), "{told}");
        for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
            kubectl.must(&["delete", kind, &format!("mesh-{namespace}")])?;
        }
        // The Job controller tries again less and less often.
        let patience = std::time::Duration::from_secs(120);
        wait_for(patience, "the refusal to be gone", async || {
            let status = status()?;
            ensure!(
                status["message"].as_str().unwrap_or_default().is_empty()
                    && status["phase"] == "Completed"
                    && ready(&status) == "True",
                "{status}"
            );
            Ok(Some(()))
        })
        .await
    });
}
