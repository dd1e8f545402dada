//! Services that take over traffic of others (R16).

use anyhow::Context;
use serde_json::json;

use super::{Attacker, attackers, kubectl_of, kubectl_refused};
use crate::harness::{Team, create, on_the_stack, patch};

#[test]
fn r16_a_service_takes_no_addresses_that_an_installer_did_not_give_it() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let kubectl = kubectl_of(stack, &team, &team.researcher).await?;
        let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": team.namespace},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
        kubectl.must_with_input(&["create", "-f", "-"], &service.to_string())?;
        kubectl_refused(
            &kubectl.run(&[
                "patch",
                "service",
                "web",
                "-p",
                r#"{"spec":{"externalIPs":["192.0.2.9"]}}"#,
            ])?,
            &["R16", "remove externalIPs"],
        )?;
        service["metadata"]["name"] = json!("grab");
        service["spec"]["externalIPs"] = json!(["192.0.2.9"]);
        kubectl_refused(
            &kubectl.run_with_input(&["create", "-f", "-"], &service.to_string())?,
            &["R16"],
        )?;
        let addresses = json!({"spec": service["spec"]});
        let attackers = attackers(stack, &team).await?;
        let is_installer = |attacker: &&Attacker| attacker.who == "an installer";
        for attacker in attackers.iter().filter(|it| !is_installer(it)) {
            let refused = create(&attacker.client, &team.namespace, service.clone()).await;
            attacker.must_break(refused, &["R16"], false)?;
            let refused = patch(
                &attacker.client,
                &team.namespace,
                "Service",
                "web",
                addresses.clone(),
            )
            .await;
            attacker.must_break(refused, &["R16"], false)?;
        }
        let installer = attackers.iter().find(is_installer).context("no installer")?;
        create(&installer.client, &team.namespace, service).await?;
        kubectl.must(&["label", "service", "grab", "team=vision"])?;
        kubectl.must(&["delete", "service", "web", "grab"])?;
        Ok(())
    });
}
