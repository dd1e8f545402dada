//! The control plane is away: the cluster goes on as it was, and then catches up.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::DeleteParams;
use kube::{Api, Client};
use nix::sys::signal::Signal;
use reeve_e2e::{Stack, organization};
use reeve_testkit::{AuditEvent, Tier, wait_for, wait_until};
use reeve_types::kubernetes::GROUP_PREFIX;
use serde_json::{Value, json};

use super::{RULES, until_the_cluster_equals_the_database};
use crate::harness::{
    Team, bare_job, create, must_be_refused, on_a_stack_of_its_own, output_of, revision_lag, signal,
    wait_until_policies_count,
};
use crate::identity::her_id;

#[test]
fn without_the_server_the_operator_goes_on_and_then_catches_up_revocations_first() {
    on_a_stack_of_its_own("absence", Tier::Node, async |mut stack| {
        wait_until_policies_count(&stack).await?;
        let team = Team::form(&stack).await?;
        let rule = async |stack: &Stack, group: &str, role: &str| {
            organization::create_rule(&stack.admin, "group", group, role, "project", &team.project).await
        };
        let goes = rule(&stack, "goes", "Viewer").await?;
        team.wait_until_bound(&stack, "viewer", &format!("{GROUP_PREFIX}goes"))
            .await?;
        // Her token is taken while there is somebody to give it.
        let client = team.researcher.kubernetes(&stack).await?;
        wait_until("everything to be applied and reported", async || {
            Ok((revision_lag(&stack).await? == 0.0).then_some(()))
        })
        .await?;

        stack.kill_server()?;
        goes_on_alone(&stack, &team, &client).await?;

        // Grants first and a revocation last, while the operator hears nothing of any: it is stopped, not ended.
        let operator = stack.operator().map(reeve_e2e::Process::id);
        signal(stack.operator(), Signal::SIGSTOP)?;
        stack.start_server().await?;
        let mut grants = Vec::new();
        for (group, role) in [
            ("one", "Viewer"),
            ("two", "L1 researcher"),
            ("three", "System administrator"),
        ] {
            grants.push(rule(&stack, group, role).await?);
        }
        end(&stack, goes).await?;
        let (mark, said) = (stack.cluster.audit_mark(), log_of_operator(&stack)?.len());
        signal(stack.operator(), Signal::SIGCONT)?;
        until_caught_up(&stack, &team, "three", "goes").await?;
        ensure!(
            operator == stack.operator().map(reeve_e2e::Process::id),
            "it is another operator"
        );
        revoked_before_granted(&stack.cluster.audit_events_since(mark)?, goes, &grants)?;
        only_later_revisions(log_of_operator(&stack)?.get(said..).unwrap_or_default())?;

        // One that starts anew asks for everything, and takes revocations first as well.
        stack.kill_operator()?;
        let late = rule(&stack, "late", "Viewer").await?;
        end(&stack, grants[0]).await?;
        let mark = stack.cluster.audit_mark();
        stack.start_operator().await?;
        until_caught_up(&stack, &team, "late", "one").await?;
        revoked_before_granted(&stack.cluster.audit_events_since(mark)?, grants[0], &[late])
    });
}

/// Bindings are repaired, people work under their identity, and what is forbidden is refused.
async fn goes_on_alone(stack: &Stack, team: &Team, alice: &Client) -> Result<()> {
    let bindings: Api<RoleBinding> = Api::namespaced(stack.cluster.client().await?, &team.namespace);
    let before = bindings.get("reeve-l1-researcher").await?;
    bindings
        .delete("reeve-l1-researcher", &DeleteParams::default())
        .await?;
    wait_until("the binding to be repaired without the server", async || {
        let again = bindings.get_opt("reeve-l1-researcher").await?;
        Ok(again.filter(|again| {
            again.metadata.uid != before.metadata.uid
                && again.subjects == before.subjects
                && again.role_ref == before.role_ref
        }))
    })
    .await?;

    // The API server's own view of bindings may be some milliseconds old.
    wait_until("her Job to be admitted", async || {
        create(alice, &team.namespace, bare_job("alone", &["id"])).await?;
        Ok(Some(()))
    })
    .await?;
    let printed = output_of(stack, &team.namespace, "batch.kubernetes.io/job-name=alone").await?;
    ensure!(
        printed.trim_end() == her_id(team.researcher.uid),
        "it ran as somebody else: {printed}"
    );

    let mut forbidden = bare_job("forbidden", &["id"]);
    forbidden["spec"]["template"]["spec"]["securityContext"] = json!({"supplementalGroupsPolicy": "Merge"});
    must_be_refused(create(alice, &team.namespace, forbidden).await, &["R6", "Strict"])
}

async fn end(stack: &Stack, rule: i64) -> Result<()> {
    stack
        .admin
        .delete(&format!("{RULES}/{rule}"))
        .await?
        .expect(204)
        .map(drop)
}

/// Waits until the one is bound, the other is not, and all is as the database says.
async fn until_caught_up(stack: &Stack, team: &Team, comes: &str, goes: &str) -> Result<()> {
    wait_for(Duration::from_secs(60), "the operator to catch up", async || {
        let mut bound = Vec::new();
        for role in ["viewer", "l1-researcher", "system-administrator"] {
            bound.extend(team.subjects(stack, role).await?.unwrap_or_default());
        }
        let has = |group: &str| bound.contains(&format!("{GROUP_PREFIX}{group}"));
        Ok((has(comes) && !has(goes)).then_some(()))
    })
    .await?;
    until_the_cluster_equals_the_database(stack).await
}

/// The order in which they arrived in the cluster: the API server's.
fn revoked_before_granted(events: &[AuditEvent], revoked: i64, granted: &[i64]) -> Result<()> {
    let position = |verbs: &[&str], rule: i64| {
        let name = format!("rule-{rule}");
        events
            .iter()
            .position(|event| {
                event.resource == "accessrules"
                    && event.subresource.is_empty()
                    && event.name == name
                    && verbs.contains(&event.verb.as_str())
                    && event.code < 300
                    && event.stage == "ResponseComplete"
            })
            .with_context(|| format!("no {verbs:?} of {name}"))
    };
    let end = position(&["delete"], revoked)?;
    for rule in granted {
        let begin = position(&["create", "patch"], *rule)?;
        ensure!(
            end < begin,
            "rule {rule} was written before rule {revoked} was revoked"
        );
    }
    Ok(())
}

fn log_of_operator(stack: &Stack) -> Result<String> {
    Ok(stack.operator().context("the operator is not running")?.log())
}

/// What the operator says of the connection it made when it went on: it named the revision it had, and was sent one batch
/// with the three grants and the revocation, and nothing else.
fn only_later_revisions(log: &str) -> Result<()> {
    let lines: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let said =
        |message: &str| -> Vec<&Value> { lines.iter().filter(|line| line["message"] == message).collect() };
    let (connected, batches) = (said("link connected"), said("batch"));
    let [connected] = connected.as_slice() else {
        anyhow::bail!("it connected more or less than once: {connected:?}");
    };
    let [batch] = batches.as_slice() else {
        anyhow::bail!("it was sent more or less than one batch: {batches:?}");
    };
    let had = connected["resume"]
        .as_u64()
        .context("it did not say what it had")?;
    let revision: u64 = batch["revision"].as_str().context("no revision")?.parse()?;
    ensure!(
        batch["complete"] == json!(false)
            && (&batch["deletes"], &batch["upserts"]) == (&json!(1), &json!(3))
            && revision == had + 4,
        "{connected} {batch}"
    );
    Ok(())
}
