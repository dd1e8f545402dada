//! After convergence nobody writes; and the operator's rights are exactly those it uses.

use std::time::Duration;

use anyhow::{Result, ensure};
use reeve_e2e::{Organization, Stack, organization};
use reeve_testkit::{AuditEvent, wait_for, wait_until};

use crate::harness::{nothing_panicked, on_a_stack_that_rests, revision_lag};
use crate::link;
use crate::operators_life::{self, OPERATOR, line};

const WRITES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];

#[test]
fn for_two_minutes_nobody_writes_and_no_right_of_the_operator_is_missing_or_unused() {
    on_a_stack_that_rests("quiet", async |mut stack| {
        let organization = Organization::make(&stack).await?;
        operators_life::is_lived(&stack, &organization).await?;
        a_hundred_projects(&stack, &organization).await?;
        restart_and_lead(&mut stack).await?;

        // Converged when ten seconds pass without a write; then two minutes are counted.
        let quiet_since = settle(&stack, Duration::from_secs(10)).await?;
        let before = link::position(&stack).await?;
        tokio::time::sleep(Duration::from_secs(120)).await;
        let writes: Vec<String> = writes_since(&stack, quiet_since)?.iter().map(line).collect();
        ensure!(
            writes.is_empty(),
            "somebody wrote although nothing changed:\n{}\nand said:\n{}",
            writes.join("\n"),
            events_of_projects(&stack)?
        );
        let after = link::position(&stack).await?;
        ensure!(before == after, "the desired state moved: {before:?} {after:?}");
        ensure!(revision_lag(&stack).await? == 0.0, "something was left to apply");
        nothing_panicked(&stack)?;

        let events = stack.cluster.audit_events()?;
        operators_life::needs_exactly_its_rights(&events)?;
        no_cluster_life_was_refused(&events)
    });
}

/// All the while no policy of ours refused what a cluster does all day.
fn no_cluster_life_was_refused(events: &[AuditEvent]) -> Result<()> {
    let refused: Vec<String> = events
        .iter()
        .filter(|e| {
            e.code == 403
                && (e.user.starts_with("system:node:")
                    || e.user.starts_with("system:serviceaccount:kube-system:")
                    || e.user.starts_with("system:kube-"))
        })
        .filter(|e| e.message.contains("reeve:"))
        .map(line)
        .collect();
    ensure!(
        refused.is_empty(),
        "the cluster's own work was refused:\n{}",
        refused.join("\n")
    );
    Ok(())
}

/// So that there are a hundred.
async fn a_hundred_projects(stack: &Stack, organization: &Organization) -> Result<()> {
    let vision = organization
        .departments
        .get("vision")
        .cloned()
        .unwrap_or_default();
    let more = 100 - organization.projects.len();
    let mut last = String::new();
    for number in 0..more {
        last = organization::create_project(stack, &format!("many-{number}"), &vision).await?;
    }
    organization::wait_until_ready(&stack.admin, &last).await?;
    let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
    wait_until("a copy of the Secret in each of them", async || {
        let copies = installer.must(&[
            "get",
            "secrets",
            "--all-namespaces",
            "--field-selector=metadata.name=registry",
            "--output=name",
        ])?;
        // And what it was copied from.
        Ok((copies.lines().count() > 100).then_some(()))
    })
    .await
}

/// Kills the operator and starts another, and returns when that one leads. Until the lease of the killed one has run out nobody
/// writes, whatever is left to do.
async fn restart_and_lead(stack: &mut Stack) -> Result<()> {
    let killed = lease_holder(stack)?;
    stack.kill_operator()?;
    stack.start_operator().await?;
    wait_for(Duration::from_secs(60), "the new operator to lead", async || {
        Ok((lease_holder(stack)? != killed).then_some(()))
    })
    .await
}

fn lease_holder(stack: &Stack) -> Result<String> {
    let holder = stack.kubectl(stack.cluster.kubeconfig()).must(&[
        "-n",
        "reeve-system",
        "get",
        "lease",
        "reeve-operator",
        "-o",
        "jsonpath={.spec.holderIdentity}",
    ])?;
    ensure!(!holder.is_empty(), "nobody holds the lease");
    Ok(holder)
}

/// The last that was said of projects, for whoever reads that something was written.
fn events_of_projects(stack: &Stack) -> Result<String> {
    let said = stack.kubectl(stack.cluster.kubeconfig()).must(&[
        "get",
        "events",
        "--field-selector=involvedObject.kind=Project",
        "--sort-by=.metadata.creationTimestamp",
        "--no-headers",
    ])?;
    let lines: Vec<&str> = said.lines().collect();
    Ok(lines[lines.len().saturating_sub(20)..].join("\n"))
}

/// Returns the mark since which nobody wrote.
async fn settle(stack: &Stack, quiet: Duration) -> Result<u64> {
    wait_for(Duration::from_secs(180), "everybody to be done", async || {
        let mark = stack.cluster.audit_mark();
        tokio::time::sleep(quiet).await;
        let writes = writes_since(stack, mark)?;
        ensure!(writes.is_empty(), "{}", line(&writes[0]));
        Ok((revision_lag(stack).await? == 0.0).then_some(mark))
    })
    .await
}

/// Who wrote what, or tried to. Of the operator everything counts but its lease; of everybody else what Reeve is about: its
/// own resources, RBAC, namespaces and Jobs. Leases, the node's heartbeats and the events of Kubernetes are its own life.
fn writes_since(stack: &Stack, mark: u64) -> Result<Vec<AuditEvent>> {
    let mut events = stack.cluster.audit_events_since(mark)?;
    events.retain(|event| {
        let about_reeve = matches!(
            (event.api_group.as_str(), event.resource.as_str()),
            ("reeve.dev" | "rbac.authorization.k8s.io", _) | ("", "namespaces") | ("batch", "jobs")
        );
        let counts = about_reeve || event.user == OPERATOR && event.resource != "leases";
        WRITES.contains(&event.verb.as_str()) && counts
    });
    Ok(events)
}
