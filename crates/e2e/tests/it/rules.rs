//! An access rule's way into a cluster and out of it.

use anyhow::{Result, ensure};
use kube::Client;
use reeve_e2e::{Stack, organization};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::harness::{Member, Team, bare_job, create, fresh, must_be, on_the_stack};

/// Deletes her rule: her very next REST request is refused, for she holds the permission nowhere any more.
async fn revoke(stack: &Stack, team: &Team, member: &Member) -> Result<()> {
    let project = format!("/api/v1/org-unit/projects/{}", team.project);
    member.rest.get(&project).await?.expect(200)?;
    stack
        .admin
        .delete(&format!("/api/v1/authorization/access-rules/{}", member.rule))
        .await?
        .expect(204)?;
    must_be(&member.rest.get(&project).await?, 403, "project:read")?;
    let path = format!("/api/v1/clusters/{}/kubernetes-token", stack.cluster_id);
    must_be(&member.rest.post(&path, json!({})).await?, 403, "")
}

/// Waits until the API server answers 403 to a token that it accepts. Its own view of bindings may be some milliseconds old.
async fn until_refused(client: &Client, team: &Team) -> Result<()> {
    wait_until("the API server to refuse her", async || {
        match create(client, &team.namespace, bare_job(&fresh("after"), &["true"])).await {
            Ok(_) => Ok(None),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(Some(())),
            Err(other) => Err(other.into()),
        }
    })
    .await
}

async fn until_bound_are(stack: &Stack, team: &Team, wanted: Option<&[&str]>) -> Result<()> {
    wait_until("the binding to be as the rules are", async || {
        let subjects = team.subjects(stack, "l1-researcher").await?;
        let same = match (&subjects, wanted) {
            (Some(subjects), Some(wanted)) => subjects.iter().eq(wanted.iter()),
            (subjects, wanted) => subjects.is_none() && wanted.is_none(),
        };
        ensure!(same, "{subjects:?}");
        Ok(Some(()))
    })
    .await
}

#[test]
fn a_rule_adds_a_subject_to_the_single_binding_of_its_role() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let second = team.hire(stack).await?;
        let application = fresh("app");
        organization::create_application(&stack.admin, &application).await?;
        organization::create_rule(
            &stack.admin,
            "service-account",
            &application,
            "L1 researcher",
            "department",
            &team.department,
        )
        .await?;
        team.wait_until_bound(
            stack,
            "l1-researcher",
            &format!("reeve:application:{application}"),
        )
        .await?;
        let subjects = team.subjects(stack, "l1-researcher").await?.unwrap_or_default();
        ensure!(
            subjects.contains(&team.researcher.person.username),
            "{subjects:?}"
        );
        ensure!(subjects.contains(&second.person.username), "{subjects:?}");
        ensure!(subjects.len() == 3, "{subjects:?}");
        Ok(())
    });
}

#[test]
fn deleting_the_last_rule_of_a_role_takes_the_binding_while_the_token_still_lives() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let alice = &team.researcher;
        let client = alice.kubernetes(stack).await?;
        create(&client, &team.namespace, bare_job("before", &["true"])).await?;
        revoke(stack, &team, alice).await?;
        until_bound_are(stack, &team, None).await?;
        until_refused(&client, &team).await
    });
}

#[test]
fn deleting_a_rule_takes_its_own_subject_alone_and_with_the_last_one_the_binding_goes() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, dave) = (&team.researcher, team.hire(stack).await?);
        let (hers, his) = (alice.kubernetes(stack).await?, dave.kubernetes(stack).await?);
        create(&hers, &team.namespace, bare_job("hers", &["true"])).await?;
        create(&his, &team.namespace, bare_job("his", &["true"])).await?;

        revoke(stack, &team, alice).await?;
        until_bound_are(stack, &team, Some(&[dave.person.username.as_str()])).await?;
        until_refused(&hers, &team).await?;
        // He is not touched by that, neither at the control plane nor in the cluster.
        let project = format!("/api/v1/org-unit/projects/{}", team.project);
        dave.rest.get(&project).await?.expect(200)?;
        create(&his, &team.namespace, bare_job("his-next", &["true"])).await?;

        revoke(stack, &team, &dave).await?;
        until_bound_are(stack, &team, None).await?;
        until_refused(&his, &team).await
    });
}

#[test]
fn a_rule_that_is_there_already_is_a_conflict_and_its_status_becomes_ready() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let body = json!({"subjectType": "user", "subjectId": team.researcher.person.id, "roleId": 5,
            "scopeType": "project", "scopeId": team.project});
        // By id or by email, it is the same subject.
        let answer = stack
            .admin
            .post("/api/v1/authorization/access-rules", body)
            .await?;
        must_be(&answer, 409, "")?;
        let path = format!("/api/v1/authorization/access-rules/{}", team.researcher.rule);
        wait_until("the rule to be Ready", async || {
            let rule = stack.admin.get(&path).await?.expect(200)?;
            Ok((rule.pointer("/status/phase").and_then(Value::as_str) == Some("Ready")).then_some(()))
        })
        .await
    });
}
