//! An access rule's way into a cluster and out of it.

use anyhow::ensure;
use reeve_demo::organization;
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::harness::{Team, bare_job, create, fresh, on_the_road};

#[test]
fn a_rule_adds_a_subject_to_the_single_binding_of_its_role() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let second = team.hire(road).await?;
        let application = fresh("app");
        organization::create_application(&road.admin, &application).await?;
        organization::create_rule(
            &road.admin,
            "service-account",
            &application,
            "L1 researcher",
            "department",
            &team.department,
        )
        .await?;
        team.wait_until_bound(road, "l1-researcher", &format!("reeve:application:{application}"))
            .await?;
        let subjects = team.subjects(road, "l1-researcher").await?.unwrap_or_default();
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
fn deleting_a_rule_revokes_rest_at_once_and_the_cluster_while_the_token_still_lives() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let alice = &team.researcher;
        let client = alice.kubernetes(road).await?;
        create(&client, &team.namespace, bare_job("before", &["true"])).await?;
        let project = format!("/api/v1/org-unit/projects/{}", team.project);
        alice.rest.get(&project).await?.expect(200)?;

        road.admin
            .delete(&format!("/api/v1/authorization/access-rules/{}", alice.rule))
            .await?
            .expect(204)?;
        // The very next request: she holds the permission nowhere any more.
        let answer = alice.rest.get(&project).await?;
        ensure!(answer.status == 403, "{answer:?}");
        ensure!(!answer.message().is_empty(), "{answer:?}");

        // Her rule was the last of its role, so the binding goes with her.
        wait_until("the binding to go", async || {
            Ok(team
                .subjects(road, "l1-researcher")
                .await?
                .is_none()
                .then_some(()))
        })
        .await?;
        // The API server's own view of bindings may be some milliseconds old.
        wait_until("the API server to refuse her", async || {
            match create(&client, &team.namespace, bare_job(&fresh("after"), &["true"])).await {
                Ok(_) => Ok(None),
                Err(kube::Error::Api(status)) if status.code == 403 => Ok(Some(())),
                Err(other) => Err(other.into()),
            }
        })
        .await?;
        let path = format!("/api/v1/clusters/{}/kubernetes-token", road.cluster_id);
        ensure!(
            alice.rest.post(&path, json!({})).await?.status == 403,
            "a new token was issued"
        );
        Ok(())
    });
}

#[test]
fn a_rule_that_is_there_already_is_a_conflict_and_its_status_becomes_ready() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let body = json!({"subjectType": "user", "subjectId": team.researcher.person.id, "roleId": 5,
            "scopeType": "project", "scopeId": team.project});
        // By id or by email, it is the same subject.
        let answer = road
            .admin
            .post("/api/v1/authorization/access-rules", body)
            .await?;
        ensure!(answer.status == 409, "{answer:?}");
        let path = format!("/api/v1/authorization/access-rules/{}", team.researcher.rule);
        wait_until("the rule to be Ready", async || {
            let rule = road.admin.get(&path).await?.expect(200)?;
            Ok((rule.pointer("/status/phase").and_then(Value::as_str) == Some("Ready")).then_some(()))
        })
        .await
    });
}
