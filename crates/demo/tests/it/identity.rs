//! The container is the person, on a real node.

use anyhow::{Result, ensure};
use kube::Client;
use reeve_demo::Road;
use serde_json::{Value, json};

use crate::attacks::kubectl_of;
use crate::harness::{Team, bare_job, create, deployment, must_be_refused, on_the_road, output_of};

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

#[test]
fn what_she_wrote_before_her_groups_changed_comes_back_with_her_new_ones() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let alice = &team.researcher;
        let client = alice.kubernetes(road).await?;
        create(&client, &team.namespace, deployment("service", 1)).await?;
        let kubectl = kubectl_of(road, &team, alice).await?;
        let often = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "often"}, "spec": {
            "schedule": "0 3 1 1 *", "jobTemplate": {"spec": bare_job("x", &["id"])["spec"]}}});
        kubectl.must_with_input(&["apply", "-f", "-"], &often.to_string())?;
        let exported = kubectl.must(&["get", "deployment", "service", "-o", "json"])?;
        let settled = ["rollout", "status", "deployment/service", "--timeout=60s"];
        kubectl.must(&settled)?;

        let posix = json!({"uid": alice.uid, "gid": 5002, "supplementaryGroups": [5003]});
        road.admin
            .put(&format!("/api/v1/users/{}/posix", alice.person.id), posix)
            .await?
            .expect(200)?;
        let kubectl = kubectl_of(road, &team, alice).await?;
        let stamp = format!("{}/{}/5002/5003", alice.person.id, alice.uid);
        let as_now = async |what: &str| -> Result<()> {
            let object: Value =
                serde_json::from_str(&kubectl.must(&["get", "deployment", "service", "-o", "json"])?)?;
            let template = &object["spec"]["template"];
            ensure!(
                template["metadata"]["annotations"]["reeve.dev/runs-as"] == stamp,
                "{what}: {template}"
            );
            let context = &template["spec"]["securityContext"];
            ensure!(
                context["runAsGroup"] == 5002 && context["supplementalGroups"] == json!([5003]),
                "{what}: {context}"
            );
            Ok(())
        };
        kubectl.must(&["set", "env", "deployment/service", "ROUND=two"])?;
        as_now("a change").await?;
        kubectl.must(&settled)?;
        // The revision that comes back carries her older stamp and numbers.
        kubectl.must(&["rollout", "undo", "deployment/service"])?;
        as_now("rollout undo").await?;
        kubectl.must(&settled)?;
        kubectl.must(&["delete", "deployment", "service"])?;
        let mut exported: Value = serde_json::from_str(&exported)?;
        for field in [
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "generation",
            "managedFields",
        ] {
            if let Some(metadata) = exported["metadata"].as_object_mut() {
                metadata.remove(field);
            }
        }
        kubectl.must_with_input(&["apply", "-f", "-"], &exported.to_string())?;
        as_now("exported YAML").await?;
        // And so does a Job from her older CronJob, down to the container.
        kubectl.must(&["create", "job", "--from=cronjob/often", "now"])?;
        let output = output_of(road, &team.namespace, "batch.kubernetes.io/job-name=now").await?;
        ensure!(
            output.contains(&format!("uid={} gid=5002 groups=5002,5003", alice.uid)),
            "{output}"
        );
        // What was never hers is refused as ever.
        exported["metadata"]["name"] = json!("foreign");
        exported["spec"]["template"]["spec"]["securityContext"]["supplementalGroups"] = json!([5001, 5099]);
        let answer = kubectl.run_with_input(&["apply", "-f", "-"], &exported.to_string())?;
        let said = String::from_utf8_lossy(&answer.stderr);
        ensure!(!answer.status.success() && said.contains("R6"), "{said}");
        kubectl.must(&["delete", "deployment", "service"])?;
        Ok(())
    });
}
