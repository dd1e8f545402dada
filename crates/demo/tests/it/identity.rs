//! The container is the person, on a real node.

use anyhow::{Result, ensure};
use kube::Client;
use reeve_demo::Road;
use serde_json::{Value, json};

use crate::harness::{Team, bare_job, create, must_be_refused, on_the_road, output_of};

fn her_id(uid: u32) -> String {
    format!("uid={uid} gid=5000 groups=5000,5001")
}

async fn run(road: &Road, client: &Client, team: &Team, job: Value) -> Result<String> {
    let name = job["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    create(client, &team.namespace, job).await?;
    output_of(
        road,
        &team.namespace,
        &format!("batch.kubernetes.io/job-name={name}"),
    )
    .await
}

#[test]
fn a_submitted_container_runs_as_the_person_with_a_home_of_her_own() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let alice = &team.researcher;
        let body = json!({"name": "hers", "projectId": team.project, "clusterId": road.cluster_id, "spec": {
            "image": reeve_testkit::images::TOOLS, "createHomeDir": true, "security": {"uidGidSource": "fromIdpToken"},
            "command": "sh -c 'id; grep NoNewPrivs /proc/self/status; touch $HOME/mine && echo home is writable'"}});
        let made = alice
            .rest
            .post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        let output = output_of(road, &team.namespace, "reeve.dev/workload=hers").await?;
        ensure!(output.contains(&her_id(alice.uid)), "{output}");
        ensure!(output.contains("NoNewPrivs:\t1"), "{output}");
        ensure!(output.contains("home is writable"), "{output}");
        let id = made["workloadId"].as_str().unwrap_or_default();
        reeve_testkit::wait_until("the training to be Completed", async || {
            let training = alice
                .rest
                .get(&format!("/api/v1/workloads/trainings/{id}"))
                .await?
                .expect(200)?;
            Ok((training["actualPhase"] == "Completed").then_some(()))
        })
        .await
    });
}

#[test]
fn a_bare_job_by_kubectl_runs_as_the_person_too() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let client = team.researcher.kubernetes(road).await?;
        let output = run(
            road,
            &client,
            &team,
            bare_job("bare", &["sh", "-c", "id; grep NoNewPrivs /proc/self/status"]),
        )
        .await?;
        ensure!(output.contains(&her_id(team.researcher.uid)), "{output}");
        ensure!(output.contains("NoNewPrivs:\t1"), "{output}");
        Ok(())
    });
}

#[test]
fn an_image_cannot_put_her_into_more_groups() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let client = team.researcher.kubernetes(road).await?;
        let mut job = bare_job("groups", &["id"]);
        job["spec"]["template"]["spec"]["containers"][0]["image"] = json!(reeve_testkit::images::GROUPS);
        let output = run(road, &client, &team, job.clone()).await?;
        ensure!(!output.contains("7777"), "{output}");
        ensure!(
            output.contains(&format!("uid={}", team.researcher.uid)),
            "{output}"
        );

        job["metadata"]["name"] = json!("merge");
        job["spec"]["template"]["spec"]["securityContext"] = json!({"supplementalGroupsPolicy": "Merge"});
        must_be_refused(create(&client, &team.namespace, job).await, &["R6", "Strict"])
    });
}

#[test]
fn an_application_has_no_identity_and_is_told_what_to_do() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let name = crate::harness::fresh("app");
        let application = reeve_demo::organization::create_application(&road.admin, &name).await?;
        reeve_demo::organization::create_rule(
            &road.admin,
            "service-account",
            &name,
            "L1 researcher",
            "project",
            &team.project,
        )
        .await?;
        let rest = road
            .admin
            .sign_in_application(&application.client_id, &application.client_secret)
            .await?;
        let body = json!({"name": "robot", "projectId": team.project, "clusterId": road.cluster_id,
            "spec": {"image": reeve_testkit::images::TOOLS}});
        let answer = rest.post("/api/v1/workloads/trainings", body).await?;
        ensure!(answer.status == 400, "{answer:?}");
        for word in ["uid", "posix", "enforceRunAsUser"] {
            ensure!(
                answer.message().contains(word),
                "`{word}` is missing in: {}",
                answer.message()
            );
        }
        let token = rest
            .post(
                &format!("/api/v1/clusters/{}/kubernetes-token", road.cluster_id),
                json!({}),
            )
            .await?;
        ensure!(token.status == 403, "{token:?}");
        Ok(())
    });
}
