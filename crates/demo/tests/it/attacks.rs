//! The attacks of the admission design, each with real tokens and named after its rule. The exhaustive table of shapes is
//! in `reeve-admission`, tokens that only a foreign issuer would sign (R10) are there too; here is what needs the whole road.

mod deputies;

use anyhow::{Context, Result, ensure};
use kube::Client;
use reeve_demo::organization;
use reeve_testkit::{Tier, wait_for, wait_until};
use serde_json::{Value, json};

use crate::harness::{
    Team, bare_job, create, deployment, must_be_refused, on_a_road_of_its_own, on_the_road, patch, refusal,
};

#[test]
fn r1_a_deleted_policy_is_an_alarm_within_a_minute() {
    on_a_road_of_its_own("policy", Tier::ApiServer, async |road| {
        let policies: kube::Api<k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy> =
            kube::Api::all(road.cluster.installer_client().await?);
        let all = policies.list(&kube::api::ListParams::default()).await?;
        let name = all
            .items
            .into_iter()
            .find_map(|p| p.metadata.name)
            .context("no policy is installed")?;
        policies
            .delete(&name, &kube::api::DeleteParams::default())
            .await?;
        wait_for(
            std::time::Duration::from_secs(60),
            "the control plane to show the alarm",
            async || {
                let cluster = road
                    .admin
                    .get(&format!("/api/v1/clusters/{}", road.cluster_id))
                    .await?
                    .expect(200)?;
                ensure!(
                    cluster["status"]["state"] == "ServiceIssues",
                    "{}",
                    cluster["status"]
                );
                Ok(cluster["status"].to_string().contains(&name).then_some(()))
            },
        )
        .await
    });
}

#[test]
fn r1_the_operator_cannot_change_policies() {
    on_the_road(async |road| {
        let kubectl = road.kubectl(&road.operator_kubeconfig());
        for verb in ["create", "update", "patch", "delete"] {
            let answer = kubectl.run(&[
                "auth",
                "can-i",
                verb,
                "validatingadmissionpolicies.admissionregistration.k8s.io",
            ])?;
            ensure!(
                !answer.status.success(),
                "the operator may {verb} admission policies"
            );
        }
        Ok(())
    });
}

#[test]
fn r2_not_even_an_administrator_removes_the_label_that_selects_the_policies() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        for change in [
            "reeve.dev/project-",
            "reeve.dev/enforce-run-as-user=false",
            "pod-security.kubernetes.io/enforce=privileged",
        ] {
            let answer = road.cluster.kubectl().run(&[
                "label",
                "namespace",
                &team.namespace,
                "--overwrite",
                change,
            ])?;
            let said = String::from_utf8_lossy(&answer.stderr).into_owned();
            ensure!(
                !answer.status.success() && said.contains("R2"),
                "{change}: {said}"
            );
        }
        let installer = road.kubectl(road.cluster.installer_kubeconfig());
        installer.must(&[
            "label",
            "namespace",
            &team.namespace,
            "--overwrite",
            "team=vision",
        ])?;
        road.cluster.kubectl().must(&[
            "label",
            "namespace",
            &team.namespace,
            "--overwrite",
            "colour=blue",
        ])?;
        Ok(())
    });
}

#[test]
fn r3_a_forged_stamp_is_refused() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let dave = team.hire(road).await?;
        let client = dave.kubernetes(road).await?;
        let mut job = bare_job("forged", &["id"]);
        job["spec"]["template"]["metadata"] =
            json!({"annotations": {"reeve.dev/runs-as": team.researcher.stamp()}});
        must_be_refused(
            create(&client, &team.namespace, job.clone()).await,
            &["R3", "reeve.dev/runs-as"],
        )?;
        // With her numbers as well.
        job["spec"]["template"]["spec"]["securityContext"] =
            json!({"runAsUser": team.researcher.uid, "runAsGroup": 5000, "supplementalGroups": [5001]});
        must_be_refused(create(&client, &team.namespace, job).await, &["R3"])
    });
}

#[test]
fn r5_a_service_accounts_token_starts_nothing() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let installer = road.cluster.installer_client().await?;
        create(
            &installer,
            &team.namespace,
            json!({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "runner"}}),
        )
        .await?;
        // Somebody with the right to do so bound it; identity is still missing.
        road.kubectl(road.cluster.installer_kubeconfig()).must(&[
            "create",
            "rolebinding",
            "runner",
            "-n",
            &team.namespace,
            "--clusterrole=edit",
            &format!("--serviceaccount={}:runner", team.namespace),
        ])?;
        let token = road
            .cluster
            .service_account_token(&team.namespace, "runner", 600)
            .await?;
        let client = road.kubernetes(&token).await?;
        wait_until("the binding to count", async || {
            let (code, message) =
                refusal(create(&client, &team.namespace, bare_job("deputy", &["id"])).await)?;
            ensure!(code == 403, "{code}: {message}");
            Ok(message.contains("R5").then_some(()))
        })
        .await?;
        // And she may not ask for such a token at all.
        let alice = team.researcher.kubernetes(road).await?;
        let accounts: kube::Api<k8s_openapi::api::core::v1::ServiceAccount> =
            kube::Api::namespaced(alice, &team.namespace);
        let request = k8s_openapi::api::authentication::v1::TokenRequest::default();
        let (code, _) = refusal(
            accounts
                .create_token_request("runner", &kube::api::PostParams::default(), &request)
                .await,
        )?;
        ensure!(code == 403 || code == 422, "{code}");
        Ok(())
    });
}

#[test]
fn r5_a_person_without_identity_and_the_administrator_are_told_the_remedies() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let person = organization::create_user(&road.admin, &crate::harness::fresh("person"), None).await?;
        organization::create_rule(
            &road.admin,
            "user",
            &person.username,
            "L1 researcher",
            "project",
            &team.project,
        )
        .await?;
        team.wait_until_bound(road, "l1-researcher", &person.username)
            .await?;
        let rest = road.admin.sign_in(&person.username, &person.password).await?;
        let token = road.kubernetes_token(&rest).await?;
        road.cluster.wait_until_token_accepted(&token).await?;
        let remedies = ["R5", "posix", "enforceRunAsUser"];
        must_be_refused(
            create(
                &road.kubernetes(&token).await?,
                &team.namespace,
                bare_job("nobody", &["id"]),
            )
            .await,
            &remedies,
        )?;
        must_be_refused(
            create(
                &road.cluster.client().await?,
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
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let client = team.researcher.kubernetes(road).await?;
        let other = team.researcher.uid + 1000;
        let at_pod = |context: Value| {
            let mut job = bare_job("others", &["id"]);
            job["spec"]["template"]["spec"]["securityContext"] = context;
            job
        };
        for context in [
            json!({"runAsUser": other}),
            json!({"runAsGroup": 5099}),
            json!({"supplementalGroups": [5099]}),
            json!({"fsGroup": 5099}),
        ] {
            must_be_refused(create(&client, &team.namespace, at_pod(context)).await, &["R6"])?;
        }
        let mut job = bare_job("others", &["id"]);
        job["spec"]["template"]["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": other});
        must_be_refused(create(&client, &team.namespace, job).await, &["R6"])?;
        create(&client, &team.namespace, at_pod(json!({"fsGroup": 5001}))).await?;
        Ok(())
    });
}

/// alice's Deployment with its one pod running.
async fn her_deployment(road: &reeve_demo::Road, team: &Team) -> Result<String> {
    let client = team.researcher.kubernetes(road).await?;
    create(&client, &team.namespace, deployment("service", 1)).await?;
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::namespaced(client, &team.namespace);
    wait_until("her pod to run", async || {
        let list = pods
            .list(&kube::api::ListParams::default().labels("app=service"))
            .await?;
        let running = list
            .items
            .into_iter()
            .find(|p| p.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Running"));
        Ok(running.and_then(|p| p.metadata.name))
    })
    .await
}

#[test]
fn r7_a_colleague_cannot_edit_what_runs_as_her_but_may_scale_it() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let dave = team.hire(road).await?;
        let pod = her_deployment(road, &team).await?;
        let client: Client = dave.kubernetes(road).await?;
        let namespace = &team.namespace;
        let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "local.test/evil:1"}]}}}});
        must_be_refused(
            patch(&client, namespace, "Deployment", "service", image).await,
            &["R7"],
        )?;
        let stamp =
            json!({"spec": {"template": {"metadata": {"annotations": {"reeve.dev/runs-as": dave.stamp()}}}}});
        must_be_refused(
            patch(&client, namespace, "Deployment", "service", stamp).await,
            &["R"],
        )?;
        must_be_refused(
            patch(
                &client,
                namespace,
                "Pod",
                &pod,
                json!({"spec": {"containers": [{"name": "main", "image": "local.test/evil:1"}]}}),
            )
            .await,
            &["R7"],
        )?;
        must_be_refused(
            patch(
                &client,
                namespace,
                "Pod",
                &pod,
                json!({"metadata": {"annotations": {"reeve.dev/runs-as": dave.stamp()}}}),
            )
            .await,
            &["R3"],
        )?;
        patch(
            &client,
            namespace,
            "Deployment",
            "service",
            json!({"spec": {"replicas": 2}}),
        )
        .await?;
        patch(
            &client,
            namespace,
            "Deployment",
            "service",
            json!({"metadata": {"labels": {"seen-by": "dave"}}}),
        )
        .await?;
        // She herself rolls it out again, after the scaling by him.
        let alice = team.researcher.kubernetes(road).await?;
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
fn r8_nobody_steps_into_her_pod() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let dave = team.hire(road).await?;
        let pod = her_deployment(road, &team).await?;
        let client = dave.kubernetes(road).await?;
        for (verb, action) in [
            ("POST", "exec?command=id&stdout=true"),
            ("GET", "exec?command=id&stdout=true"),
            ("POST", "attach?stdout=true"),
            ("POST", "portforward"),
            ("GET", "proxy/"),
        ] {
            let path = format!("/api/v1/namespaces/{}/pods/{pod}/{action}", team.namespace);
            let request = http::Request::builder()
                .method(verb)
                .uri(&path)
                .body(Vec::new())?;
            let (code, message) = refusal(client.request::<Value>(request).await)?;
            ensure!(code == 403, "{verb} {action}: {code} {message}");
        }
        Ok(())
    });
}

#[test]
fn r9_the_scale_subresource_is_granted_to_nobody() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let client = team.researcher.kubernetes(road).await?;
        let path = format!(
            "/apis/apps/v1/namespaces/{}/deployments/any/scale",
            team.namespace
        );
        let request = http::Request::builder()
            .method("PUT")
            .uri(&path)
            .body(b"{}".to_vec())?;
        ensure!(refusal(client.request::<Value>(request).await)?.0 == 403);
        Ok(())
    });
}

#[test]
fn r11_the_operator_binds_nothing_outside_projects() {
    on_the_road(async |road| {
        let token = road
            .cluster
            .service_account_token("reeve-system", "reeve-operator", 600)
            .await?;
        let client = road.kubernetes(&token).await?;
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "grab"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reeve-l1-researcher"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory@reeve.example"}]});
        let mut own = binding.clone();
        own["roleRef"]["name"] = json!("reeve-operator-project");
        for namespace in ["kube-system", "default", "reeve-system"] {
            // People's roles it may bind in project namespaces alone: RBAC refuses. Its own it may bind: the policy refuses.
            must_be_refused(create(&client, namespace, binding.clone()).await, &["grab"])?;
            must_be_refused(create(&client, namespace, own.clone()).await, &["R11"])?;
        }
        Ok(())
    });
}

#[test]
fn r12_nobody_but_the_link_writes_workloads() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let workload = json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "forged"}, "spec": {}});
        let alice = team.researcher.kubernetes(road).await?;
        let (code, _) = refusal(create(&alice, &team.namespace, workload).await)?;
        ensure!(code == 403 || code == 422, "{code}");
        let kubectl = road.cluster.kubectl();
        let body = json!({"name": "real", "projectId": team.project, "clusterId": road.cluster_id, "spec": {"image": reeve_testkit::images::TOOLS, "command": "true"}});
        team.researcher
            .rest
            .post("/api/v1/workloads/trainings", body)
            .await?
            .expect(202)?;
        wait_until("the Workload to be there", async || {
            Ok(kubectl
                .must(&["get", "workloads.reeve.dev", "real", "-n", &team.namespace])
                .ok())
        })
        .await?;
        // The administrator holds every right of RBAC, and is refused by the policy.
        let answer = kubectl.run(&[
            "patch",
            "workloads.reeve.dev",
            "real",
            "-n",
            &team.namespace,
            "--subresource=status",
            "--type=merge",
            "-p",
            r#"{"status":{"message":"forged"}}"#,
        ])?;
        ensure!(!answer.status.success(), "an administrator changed a Workload");
        ensure!(
            String::from_utf8_lossy(&answer.stderr).contains("R12"),
            "{answer:?}"
        );
        Ok(())
    });
}

#[test]
fn r14_a_token_is_good_for_one_thing() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let rest_token = team.researcher.rest.token().context("she signed in")?.to_owned();
        let cluster_token = road.kubernetes_token(&team.researcher.rest).await?;
        // REST's on the API server.
        let (code, _) = refusal(
            create(
                &road.kubernetes(&rest_token).await?,
                &team.namespace,
                bare_job("x", &["id"]),
            )
            .await,
        )?;
        ensure!(code == 401, "the API server answered {code}");
        // The cluster's on REST and on the link.
        let caller = road.admin.with_token(Some(&cluster_token));
        ensure!(caller.get("/api/v1/me").await?.status == 401);
        let hello = json!({"protocol": 1, "operatorVersion": "test"});
        for token in [&cluster_token, &rest_token] {
            let answer = road
                .admin
                .with_token(Some(token))
                .post("/link/v1/watch", hello.clone())
                .await?;
            ensure!(answer.status == 401, "{answer:?}");
        }
        // The link's on REST and on the API server; the cluster's secret as an application's.
        let body = json!({"clusterId": road.cluster_id, "clientSecret": road.link_secret});
        let link = road
            .admin
            .with_token(None)
            .post("/link/v1/token", body)
            .await?
            .expect(200)?;
        let link = link["accessToken"].as_str().context("no accessToken")?.to_owned();
        ensure!(road.admin.with_token(Some(&link)).get("/api/v1/me").await?.status == 401);
        let (code, _) = refusal(
            create(
                &road.kubernetes(&link).await?,
                &team.namespace,
                bare_job("x", &["id"]),
            )
            .await,
        )?;
        ensure!(code == 401, "the API server answered {code}");
        ensure!(
            road.admin
                .sign_in_application(&road.cluster_id, &road.link_secret)
                .await
                .is_err()
        );
        // Another cluster's token, and another cluster's secret.
        let other = road
            .admin
            .post(
                "/api/v1/clusters",
                json!({"name": crate::harness::fresh("other")}),
            )
            .await?
            .expect(201)?;
        let (other_id, other_secret) = (
            other["uuid"].as_str().unwrap_or_default(),
            other["clientSecret"].as_str().unwrap_or_default(),
        );
        let foreign = road
            .admin
            .post(
                &format!("/api/v1/clusters/{other_id}/kubernetes-token"),
                json!({}),
            )
            .await?
            .expect(200)?;
        let foreign = road
            .kubernetes(foreign["token"].as_str().unwrap_or_default())
            .await?;
        ensure!(refusal(create(&foreign, &team.namespace, bare_job("x", &["id"])).await)?.0 == 401);
        let body = json!({"clusterId": road.cluster_id, "clientSecret": other_secret});
        let answer = road.admin.with_token(None).post("/link/v1/token", body).await?;
        ensure!(answer.status == 400 || answer.status == 401, "{answer:?}");
        road.admin
            .delete(&format!("/api/v1/clusters/{other_id}?force=true"))
            .await?;
        Ok(())
    });
}

#[test]
fn r15_a_dry_run_has_the_same_verdict_and_no_effect() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let client = team.researcher.kubernetes(road).await?;
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
