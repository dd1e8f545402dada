//! Whose it is: stamps (R3), people without identity (R5), other people's numbers (R6), dry runs (R15).

use anyhow::{Context, ensure};
use reeve_e2e::organization;
use serde_json::{Value, json};

use super::attackers;
use crate::harness::{Member, Team, bare_job, create, fresh, must_be_refused, on_the_stack};

/// A Job that says it is somebody's.
pub(super) fn forged(whose: &Member) -> Value {
    let mut job = bare_job("forged", &["id"]);
    job["spec"]["template"]["metadata"] = json!({"annotations": {"reeve.dev/runs-as": whose.stamp()}});
    job
}

#[test]
fn r3_a_forged_stamp_is_refused() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let dave = team.hire(stack).await?;
        let client = dave.kubernetes(stack).await?;
        let job = forged(&team.researcher);
        must_be_refused(
            create(&client, &team.namespace, job.clone()).await,
            &["R3", "reeve.dev/runs-as"],
        )?;
        // With her numbers as well.
        let mut whole = job.clone();
        whole["spec"]["template"]["spec"]["securityContext"] =
            json!({"runAsUser": team.researcher.uid, "runAsGroup": 5000, "supplementalGroups": [5001]});
        must_be_refused(create(&client, &team.namespace, whole.clone()).await, &["R3"])?;
        for attacker in attackers(stack, &team).await? {
            for forged in [&job, &whole] {
                let refused = create(&attacker.client, &team.namespace, forged.clone()).await;
                attacker.must_break(refused, &["R3"], true)?;
            }
        }
        Ok(())
    });
}

#[test]
fn r5_a_person_without_identity_and_the_administrator_are_told_the_remedies() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let person = organization::create_user(&stack.admin, &fresh("person"), None).await?;
        organization::create_rule(
            &stack.admin,
            "user",
            &person.username,
            "L1 researcher",
            "project",
            &team.project,
        )
        .await?;
        team.wait_until_bound(stack, "l1-researcher", &person.username)
            .await?;
        let rest = stack.admin.sign_in(&person.username, &person.password).await?;
        let token = stack.kubernetes_token(&rest).await?;
        stack.cluster.wait_until_token_accepted(&token).await?;
        let remedies = ["R5", "posix", "enforceRunAsUser"];
        must_be_refused(
            create(
                &stack.kubernetes(&token).await?,
                &team.namespace,
                bare_job("nobody", &["id"]),
            )
            .await,
            &remedies,
        )?;
        must_be_refused(
            create(
                &stack.cluster.client().await?,
                &team.namespace,
                bare_job("admin", &["id"]),
            )
            .await,
            &remedies,
        )
    });
}

#[test]
fn r6_other_peoples_numbers_are_refused_wherever_they_stand() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let client = team.researcher.kubernetes(stack).await?;
        let other = team.researcher.uid + 1000;
        let at_pod = |context: Value| {
            let mut job = bare_job("others", &["id"]);
            job["spec"]["template"]["spec"]["securityContext"] = context;
            job
        };
        let mut at_container = bare_job("others", &["id"]);
        at_container["spec"]["template"]["spec"]["containers"][0]["securityContext"] =
            json!({"runAsUser": other});
        let attackers = attackers(stack, &team).await?;
        for attack in [
            at_pod(json!({"runAsUser": other})),
            at_pod(json!({"runAsGroup": 5099})),
            at_pod(json!({"supplementalGroups": [5099]})),
            at_pod(json!({"fsGroup": 5099})),
            at_container,
        ] {
            must_be_refused(create(&client, &team.namespace, attack.clone()).await, &["R6"])?;
            for attacker in &attackers {
                let refused = create(&attacker.client, &team.namespace, attack.clone()).await;
                attacker.must_break(refused, &["R6"], true)?;
            }
        }
        create(&client, &team.namespace, at_pod(json!({"fsGroup": 5001}))).await?;
        Ok(())
    });
}

#[test]
fn r15_a_dry_run_has_the_same_verdict_and_no_effect() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let client = team.researcher.kubernetes(stack).await?;
        let jobs: kube::Api<k8s_openapi::api::batch::v1::Job> =
            kube::Api::namespaced(client, &team.namespace);
        let dry = kube::api::PostParams {
            dry_run: true,
            ..Default::default()
        };
        let mut job = bare_job("dry", &["id"]);
        let made = jobs.create(&dry, &serde_json::from_value(job.clone())?).await?;
        let template = made.spec.context("no spec")?.template;
        let stamp = template
            .metadata
            .and_then(|m| m.annotations)
            .and_then(|a| a.get("reeve.dev/runs-as").cloned());
        ensure!(stamp == Some(team.researcher.stamp()), "{stamp:?}");
        job["spec"]["template"]["spec"]["securityContext"] = json!({"runAsUser": team.researcher.uid + 1});
        must_be_refused(jobs.create(&dry, &serde_json::from_value(job)?).await, &["R6"])?;
        ensure!(jobs.get_opt("dry").await?.is_none());
        Ok(())
    });
}
