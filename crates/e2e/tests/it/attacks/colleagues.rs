//! What a colleague may do to what runs as her: edit (R7), debug (R8), scale (R9).

use anyhow::{Context, ensure};
use kube::Client;
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use super::{attackers, her_deployment, kubectl_of, kubectl_refused};
use crate::harness::{Team, create, deployment, must_be_refused, on_the_stack, patch};

#[test]
fn r7_a_colleague_cannot_edit_what_runs_as_her_but_may_scale_it() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let dave = team.hire(stack).await?;
        let pod = her_deployment(stack, &team).await?;
        let attackers = attackers(stack, &team).await?;
        let client: Client = dave.kubernetes(stack).await?;
        let namespace = &team.namespace;
        let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "local.test/evil:1"}]}}}});
        let stamp = json!({"metadata": {"annotations": {"reeve.dev/runs-as": dave.stamp()}}});
        let hers = "only that person may change what runs in it";
        for (kind, name, change, words) in [
            ("Deployment", "service", image.clone(), vec!["R7"]),
            (
                "Deployment",
                "service",
                json!({"spec": {"template": stamp}}),
                vec!["R7", hers],
            ),
            ("Pod", pod.as_str(), image["spec"]["template"].clone(), vec!["R7"]),
            ("Pod", pod.as_str(), stamp, vec!["R3"]),
        ] {
            let refused = patch(&client, namespace, kind, name, change.clone()).await;
            must_be_refused(refused, &words)?;
            for attacker in &attackers {
                let refused = patch(&attacker.client, namespace, kind, name, change.clone()).await;
                attacker.must_break(refused, &words[..1], true)?;
            }
        }
        patch(
            &client,
            namespace,
            "Deployment",
            "service",
            json!({"spec": {"replicas": 2}}),
        )
        .await?;
        for (attacker, replicas) in attackers.iter().zip([1, 2, 1, 2]) {
            let change = json!({"spec": {"replicas": replicas}});
            patch(&attacker.client, namespace, "Deployment", "service", change)
                .await
                .context(attacker.who)?;
        }
        patch(
            &client,
            namespace,
            "Deployment",
            "service",
            json!({"metadata": {"labels": {"seen-by": "dave"}}}),
        )
        .await?;
        // She herself rolls it out again, after the scaling by him.
        let alice = team.researcher.kubernetes(stack).await?;
        patch(
            &alice,
            namespace,
            "Deployment",
            "service",
            json!({"spec": {"template": {"metadata": {"labels": {"round": "two"}}}}}),
        )
        .await?;
        Ok(())
    });
}

#[test]
fn r8_a_colleague_who_is_refused_a_debug_container_can_do_what_the_message_says() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let dave = team.hire(stack).await?;
        let pod = her_deployment(stack, &team).await?;
        let kubectl = kubectl_of(stack, &team, &dave).await?;
        let image = format!("--image={}", reeve_testkit::images::TOOLS);
        let debug = ["debug", pod.as_str(), "--profile=restricted", image.as_str()];
        kubectl_refused(
            &kubectl.run(&[&debug[..], &["--", "id"]].concat())?,
            &["R8", "ask that person", "containers and volumes"],
        )?;
        // A copy by kubectl keeps her securityContext, as the message says.
        kubectl_refused(
            &kubectl.run(&[&debug[..], &["--copy-to=copy", "--", "id"]].concat())?,
            &["R6", "runAsUser"],
        )?;
        // And this is what the message says to do instead.
        let hers: Value = serde_json::from_str(&kubectl.must(&["get", "pod", &pod, "-o", "json"])?)?;
        let mine = json!({"apiVersion": hers["apiVersion"], "kind": hers["kind"], "metadata": {"name": "daves"},
            "spec": {"containers": hers["spec"]["containers"], "volumes": hers["spec"]["volumes"]}});
        kubectl.must_with_input(&["create", "-f", "-"], &mine.to_string())?;
        let made = wait_until("his own pod to run", async || {
            let made: Value = serde_json::from_str(&kubectl.must(&["get", "pod", "daves", "-o", "json"])?)?;
            Ok((made["status"]["phase"] == "Running").then_some(made))
        })
        .await?;
        ensure!(
            made["metadata"]["annotations"]["reeve.dev/runs-as"] == dave.stamp(),
            "{made}"
        );
        ensure!(made["spec"]["securityContext"]["runAsUser"] == dave.uid, "{made}");
        kubectl.must(&["delete", "pod", "daves", "--grace-period=0", "--force"])?;
        Ok(())
    });
}

#[test]
fn r9_the_scale_subresource_is_granted_to_nobody_and_a_patch_scales() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let client = team.researcher.kubernetes(stack).await?;
        let path = format!(
            "/apis/apps/v1/namespaces/{}/deployments/any/scale",
            team.namespace
        );
        let request = http::Request::builder()
            .method("PUT")
            .uri(&path)
            .body(b"{}".to_vec())?;
        must_be_refused(client.request::<Value>(request).await, &["deployments/scale"])?;
        // What R7 tells a colleague to do instead.
        create(&client, &team.namespace, deployment("service", 0)).await?;
        let dave = team.hire(stack).await?;
        let kubectl = kubectl_of(stack, &team, &dave).await?;
        kubectl_refused(
            &kubectl.run(&["scale", "deployment/service", "--replicas=1"])?,
            &["deployments/scale"],
        )?;
        kubectl.must(&["patch", "deployment/service", "-p", r#"{"spec":{"replicas":1}}"#])?;
        kubectl_refused(
            &kubectl.run(&["set", "env", "deployment/service", "EVIL=1"])?,
            &["R7", "spec.replicas", "kubectl patch"],
        )
    });
}
