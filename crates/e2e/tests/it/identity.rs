//! The container is the person, on a real node.

use anyhow::{Result, ensure};
use reeve_e2e::Stack;
use reeve_testkit::{Kubectl, images};
use serde_json::{Value, json};

use crate::attacks::kubectl_of;
use crate::harness::{Team, bare_job, create, deployment, must_be_refused, on_the_stack, output_of};

/// All that `id` prints in a container of a member's.
pub(crate) fn her_id(uid: u32) -> String {
    format!("uid={uid} gid=5000 groups=5000,5001")
}

/// Fails unless a container printed these lines and no others.
pub(crate) fn must_have_printed(output: &str, lines: &[&str]) -> Result<()> {
    let printed: Vec<_> = output.trim_end().lines().collect();
    ensure!(printed == lines, "{printed:?} was printed, not {lines:?}");
    Ok(())
}

/// What the one pod of a Job prints that she applies with kubectl.
async fn apply(stack: &Stack, kubectl: &Kubectl, namespace: &str, job: &Value) -> Result<String> {
    kubectl.must_with_input(&["apply", "-n", namespace, "-f", "-"], &job.to_string())?;
    let name = job["metadata"]["name"].as_str().unwrap_or_default();
    output_of(stack, namespace, &format!("batch.kubernetes.io/job-name={name}")).await
}

#[test]
fn a_submitted_container_runs_as_the_person_with_a_home_of_her_own() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let alice = &team.researcher;
        let body = json!({"name": "hers", "projectId": team.project, "clusterId": stack.cluster_id, "spec": {
            "image": images::TOOLS, "createHomeDir": true, "security": {"uidGidSource": "fromIdpToken"},
            "command": "sh -c 'id; grep NoNewPrivs /proc/self/status; touch $HOME/mine && echo home is writable'"}});
        let made = alice
            .rest
            .post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        let output = output_of(stack, &team.namespace, "reeve.dev/workload=hers").await?;
        let all = [&her_id(alice.uid), "NoNewPrivs:\t1", "home is writable"];
        must_have_printed(&output, &all)?;
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
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let kubectl = kubectl_of(stack, &team, &team.researcher).await?;
        let job = bare_job("bare", &["sh", "-c", "id; grep NoNewPrivs /proc/self/status"]);
        let output = apply(stack, &kubectl, &team.namespace, &job).await?;
        must_have_printed(&output, &[&her_id(team.researcher.uid), "NoNewPrivs:\t1"])
    });
}

/// What the refusal of another group's gid advises, done with the commands that it names.
#[test]
fn a_folder_is_given_to_one_of_her_other_groups_as_the_refusal_says() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let alice = &team.researcher;
        let client = alice.kubernetes(stack).await?;
        let script = "cd /work && mkdir shared && touch shared/before && chgrp 5001 shared && chmod g+s shared && touch shared/a && \
                      mkdir shared/sub && touch shared/sub/b && stat -c '%a %u %g %n' shared shared/before shared/a shared/sub/b";
        let mut job = bare_job("shared", &["sh", "-c", script]);
        let pod = &mut job["spec"]["template"]["spec"];
        pod["volumes"] = json!([{"name": "work", "emptyDir": {}}]);
        pod["containers"][0]["volumeMounts"] = json!([{"name": "work", "mountPath": "/work"}]);
        pod["securityContext"] = json!({"runAsGroup": 5001});
        let advice = "give a directory to one of them with chgrp and chmod g+s";
        must_be_refused(
            create(&client, &team.namespace, job.clone()).await,
            &["R6", advice],
        )?;

        job["spec"]["template"]["spec"]["securityContext"] = json!({});
        let kubectl = kubectl_of(stack, &team, alice).await?;
        let output = apply(stack, &kubectl, &team.namespace, &job).await?;
        let uid = alice.uid;
        must_have_printed(
            &output,
            &[
                &format!("2755 {uid} 5001 shared"),
                // What was there before is her own group's still.
                &format!("644 {uid} 5000 shared/before"),
                &format!("644 {uid} 5001 shared/a"),
                &format!("644 {uid} 5001 shared/sub/b"),
            ],
        )
    });
}

#[test]
fn an_image_cannot_put_her_into_more_groups() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        // The image speaks of uid 70012: she is that one here, and nobody else on this stack is.
        let posix = json!({"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]});
        let path = format!("/api/v1/users/{}/posix", team.researcher.person.id);
        stack.admin.put(&path, posix).await?.expect(200)?;
        let client = team.researcher.kubernetes(stack).await?;
        let kubectl = kubectl_of(stack, &team, &team.researcher).await?;
        let mut job = bare_job("groups", &["id"]);
        job["spec"]["template"]["spec"]["containers"][0]["image"] = json!(images::GROUPS);
        // Names are the image's to give, numbers are not.
        let hers = "uid=70012(alice) gid=5000(research) groups=5000(research),5001";
        let output = apply(stack, &kubectl, &team.namespace, &job).await?;
        must_have_printed(&output, &[hers])?;

        // Where no policy says Strict the same image adds its group.
        let unguarded = stack.cluster.namespace("unguarded").await?;
        let mut free = job.clone();
        free["spec"]["template"]["spec"]["securityContext"] =
            json!({"runAsUser": 70012, "runAsGroup": 5000, "supplementalGroups": [5001]});
        let output = apply(stack, &stack.cluster.kubectl(), &unguarded, &free).await?;
        must_have_printed(&output, &[&format!("{hers},7777(secrets)")])?;

        job["metadata"]["name"] = json!("merge");
        job["spec"]["template"]["spec"]["securityContext"] = json!({"supplementalGroupsPolicy": "Merge"});
        must_be_refused(create(&client, &team.namespace, job).await, &["R6", "Strict"])
    });
}

#[test]
fn an_application_has_no_identity_and_is_told_what_to_do() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let name = crate::harness::fresh("app");
        let application = reeve_e2e::organization::create_application(&stack.admin, &name).await?;
        reeve_e2e::organization::create_rule(
            &stack.admin,
            "service-account",
            &name,
            "L1 researcher",
            "project",
            &team.project,
        )
        .await?;
        let rest = stack
            .admin
            .sign_in_application(&application.client_id, &application.client_secret)
            .await?;
        let body = json!({"name": "robot", "projectId": team.project, "clusterId": stack.cluster_id,
            "spec": {"image": images::TOOLS}});
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
                &format!("/api/v1/clusters/{}/kubernetes-token", stack.cluster_id),
                json!({}),
            )
            .await?;
        ensure!(token.status == 403, "{token:?}");
        Ok(())
    });
}

#[test]
fn what_she_wrote_before_her_groups_changed_comes_back_with_her_new_ones() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let alice = &team.researcher;
        let client = alice.kubernetes(stack).await?;
        create(&client, &team.namespace, deployment("service", 1)).await?;
        let kubectl = kubectl_of(stack, &team, alice).await?;
        let often = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "often"}, "spec": {
            "schedule": "0 3 1 1 *", "jobTemplate": {"spec": bare_job("x", &["id"])["spec"]}}});
        kubectl.must_with_input(&["apply", "-f", "-"], &often.to_string())?;
        let exported = kubectl.must(&["get", "deployment", "service", "-o", "json"])?;
        let settled = ["rollout", "status", "deployment/service", "--timeout=60s"];
        kubectl.must(&settled)?;

        let posix = json!({"uid": alice.uid, "gid": 5002, "supplementaryGroups": [5003]});
        stack
            .admin
            .put(&format!("/api/v1/users/{}/posix", alice.person.id), posix)
            .await?
            .expect(200)?;
        let kubectl = kubectl_of(stack, &team, alice).await?;
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
        let output = output_of(stack, &team.namespace, "batch.kubernetes.io/job-name=now").await?;
        let now = format!("uid={} gid=5002 groups=5002,5003", alice.uid);
        must_have_printed(&output, &[&now])?;
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
