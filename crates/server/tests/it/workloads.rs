//! Workloads.

use axum::http::Method;
use serde_json::{Value, json};

use crate::server::{OrganizationFixture, Transcript, write_beside};

pub(crate) const ALL: &str = "/api/v1/workloads/trainings";

pub(crate) fn training(organization: &OrganizationFixture, name: &str, spec: Value) -> Value {
    json!({"name": name, "projectId": organization.robots, "clusterId": organization.cluster, "spec": spec})
}

#[tokio::test]
async fn trainings_are_submitted_listed_counted_shown_and_deleted() {
    let organization = OrganizationFixture::new().await;
    let mut page = Transcript::of(&organization.server);
    let spec = json!({
        "image": "local.test/tools:1", "command": "sh -c 'id; sleep 1'", "args": "a 'b c'",
        "environmentVariables": [{"name": "A", "value": "b"}], "compute": {"gpuDevicesRequest": 2},
        "createHomeDir": true, "security": {"uidGidSource": "fromIdpToken", "allowPrivilegeEscalation": false},
    });
    let made = page
        .post(
            "success",
            &organization.alice,
            ALL,
            training(&organization, "train", spec.clone()),
        )
        .await
        .is(202);
    let path = format!("{ALL}/{}", made["workloadId"].as_str().unwrap());
    page.get("one", &organization.alice, &path).await.is(200);
    let list = page
        .get("the list", &organization.alice, "/api/v1/workloads")
        .await
        .is(200);
    let item = format!(
        "/api/v1/workloads/{}",
        list["workloads"][0]["id"].as_str().unwrap()
    );
    let followed = organization.server.get(&organization.alice, &item).await.is(200);
    assert_eq!(
        followed, list["workloads"][0],
        "an item of the list can be followed"
    );
    page.get("bob cannot follow it", &organization.bob, &item)
        .await
        .refused(404);
    page.get("nor somebody without a rule", &organization.nobody, &item)
        .await
        .refused(403);
    for query in [
        "",
        "?limit=1&sortBy=name&filterBy=phase==Creating",
        "?deleted=true",
        "?offset=1",
    ] {
        let of = async |path: &str| {
            organization
                .server
                .get(&organization.alice, &format!("{path}{query}"))
                .await
                .is(200)
        };
        assert_eq!(of(ALL).await, of("/api/v1/workloads").await, "{query}");
    }
    let trainings = organization.server.get(&organization.alice, ALL).await.is(200);
    assert_eq!(trainings["workloads"][0], list["workloads"][0]);
    page.get("bob's trainings", &organization.bob, ALL).await.is(200);
    page.get("nobody's trainings", &organization.nobody, ALL)
        .await
        .refused(403);
    page.get(
        "trainings by what they have not",
        &organization.alice,
        &format!("{ALL}?sortBy=colour"),
    )
    .await
    .refused(400);
    page.get("the count", &organization.alice, "/api/v1/workloads/count")
        .await
        .is(200);
    page.post(
        "taken",
        &organization.alice,
        ALL,
        training(&organization, "train", spec.clone()),
    )
    .await
    .refused(409);
    page.post(
        "a bad name",
        &organization.alice,
        ALL,
        training(&organization, "Train", spec.clone()),
    )
    .await
    .refused(400);
    let asked = json!({"image": "i", "storage": {"hostPath": [{"path": "/"}]}});
    page.post(
        "what is not honoured",
        &organization.alice,
        ALL,
        training(&organization, "x", asked),
    )
    .await
    .refused(400);
    page.post(
        "no image",
        &organization.alice,
        ALL,
        training(&organization, "x", json!({})),
    )
    .await
    .refused(400);
    page.post(
        "an application",
        &organization.ci,
        ALL,
        training(&organization, "x", json!({"image": "i"})),
    )
    .await
    .refused(400);
    page.post(
        "bob only looks",
        &organization.bob,
        ALL,
        training(&organization, "x", json!({"image": "i"})),
    )
    .await
    .refused(403);
    let mut elsewhere = training(&organization, "x", spec.clone());
    elsewhere["projectId"] = json!(organization.captions);
    page.post("a project alice cannot see", &organization.alice, ALL, elsewhere)
        .await
        .refused(404);
    let mut elsewhere = training(&organization, "x", spec);
    elsewhere["clusterId"] = json!("00000000-0000-4000-8000-000000000000");
    page.post("another cluster", &organization.alice, ALL, elsewhere)
        .await
        .refused(400);
    page.get("bob cannot see it", &organization.bob, &path)
        .await
        .refused(404);
    page.delete("nor delete it", &organization.bob, &path)
        .await
        .refused(403);
    page.get(
        "unknown",
        &organization.alice,
        &format!("{ALL}/00000000-0000-4000-8000-000000000000"),
    )
    .await
    .refused(404);
    page.delete("deleted", &organization.alice, &path).await.is(202);
    page.delete("deleted before", &organization.alice, &path)
        .await
        .refused(404);
    insta::assert_snapshot!(page.page());
}

pub(crate) async fn enforcing(organization: &OrganizationFixture, enforce: bool) {
    let token = organization
        .server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let settings = json!({
        "enforceRunAsUser": enforce, "enforcePreventPrivilegeEscalation": true,
        "kubernetesVersion": "v1.37.2", "operatorVersion": "0.1.0",
    });
    organization
        .server
        .post(&token, "/link/v1/status", json!({"settings": settings}))
        .await
        .is(204);
}

/// As whom the last workload of the cluster's desired state runs.
async fn identity(organization: &OrganizationFixture) -> Value {
    sent(organization)
        .await
        .get("identity")
        .cloned()
        .unwrap_or_default()
}

/// The workload that its cluster is told of last.
pub(crate) async fn sent(organization: &OrganizationFixture) -> Value {
    let (granted, cluster) = (
        reeve_server::audit::link_status(),
        organization.cluster.parse().unwrap(),
    );
    let batch = organization
        .server
        .app
        .store
        .desired_all(&granted, cluster, None, usize::MAX)
        .await
        .unwrap()
        .unwrap();
    let last = batch.upserts.iter().max_by_key(|it| it.revision).unwrap();
    let last = serde_json::to_value(&last.object).unwrap();
    assert_eq!(last["kind"], "Workload");
    last["spec"].clone()
}

#[tokio::test]
async fn where_identity_is_enforced_or_unknown_everybody_runs_as_herself_or_not_at_all() {
    let organization = OrganizationFixture::new().await;
    let (_, dave) = organization.server.user("dave@example.com", Value::Null).await;
    organization
        .server
        .rule(("user", "dave@example.com"), 5, ("project", &organization.robots))
        .await;
    let alice = json!({"userId": organization.alice_id, "email": "alice@example.com",
        "posix": {"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]}});
    for (round, name) in ["unknown", "enforced"].into_iter().enumerate() {
        if round == 1 {
            enforcing(&organization, true).await;
        }
        organization
            .server
            .post(
                &organization.alice,
                ALL,
                training(&organization, name, json!({"image": "i"})),
            )
            .await
            .is(202);
        assert_eq!(identity(&organization).await, alice);
        let refused = organization
            .server
            .post(&dave, ALL, training(&organization, "x", json!({"image": "i"})))
            .await
            .refused(400);
        assert!(
            refused.contains("/posix")
                && refused.contains("`reeve:installers`")
                && refused.contains("enforceRunAsUser"),
            "{refused}"
        );
        let refused = organization
            .server
            .post(
                &organization.ci,
                ALL,
                training(&organization, "x", json!({"image": "i"})),
            )
            .await
            .refused(400);
        assert!(
            refused.contains("no uid and gid") && refused.contains("enforceRunAsUser"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn where_it_is_not_who_asks_for_it_runs_as_herself() {
    let organization = OrganizationFixture::new().await;
    enforcing(&organization, false).await;
    let asks = json!({"image": "i", "security": {"uidGidSource": "fromIdpToken"}});
    organization
        .server
        .post(
            &organization.alice,
            ALL,
            training(&organization, "plain", json!({"image": "i"})),
        )
        .await
        .is(202);
    assert_eq!(identity(&organization).await, Value::Null);
    organization
        .server
        .post(
            &organization.alice,
            ALL,
            training(&organization, "asked", asks.clone()),
        )
        .await
        .is(202);
    assert_eq!(identity(&organization).await["email"], "alice@example.com");
    organization
        .server
        .post(
            &organization.ci,
            ALL,
            training(&organization, "app", json!({"image": "i"})),
        )
        .await
        .is(202);
    assert_eq!(identity(&organization).await, Value::Null);
    let refused = organization
        .server
        .post(&organization.ci, ALL, training(&organization, "x", asks))
        .await
        .refused(400);
    assert!(
        refused.contains("leave out `uidGidSource: fromIdpToken`"),
        "{refused}"
    );
    assert!(
        !refused.contains("enforceRunAsUser"),
        "it is off already: {refused}"
    );
}

#[tokio::test]
async fn what_a_launch_script_asks_for_reaches_its_cluster() {
    let organization = OrganizationFixture::new().await;
    let plain = json!({"image": "i", "args": "'$(A) $$'"});
    organization
        .server
        .post(&organization.alice, ALL, training(&organization, "plain", plain))
        .await
        .is(202);
    let told = sent(&organization).await;
    assert_eq!(
        told["args"],
        json!(["$(A) $$"]),
        "the operator escapes, at one place"
    );
    assert_eq!(told["expandVariables"], false);
    let spec = json!({
        "image": "i", "expandVariables": true, "passwdEntry": true, "stdin": true, "tty": true, "workingDir": "/work",
        "imagePullPolicy": "Always", "compute": {"largeShmRequest": true, "cpuCoreRequest": 0.5, "cpuCoreLimit": 2, "cpuMemoryRequest": "512Mi", "cpuMemoryLimit": "1.5Gi"},
    });
    organization
        .server
        .post(&organization.alice, ALL, training(&organization, "all", spec))
        .await
        .is(202);
    let told = sent(&organization).await;
    for field in ["expandVariables", "passwdEntry", "stdin", "tty", "largeShm"] {
        assert_eq!(told[field], true, "{field}");
    }
    assert_eq!(told["workingDir"], "/work");
    assert_eq!(told["imagePullPolicy"], "Always");
    assert_eq!(
        told["resources"],
        json!({"cpuRequest": 0.5, "cpuLimit": 2, "memoryRequest": "512Mi", "memoryLimit": "1.5Gi"})
    );
    for (wrong, field) in [
        (json!({"image": "i", "tty": true}), "spec.tty"),
        (json!({"image": "i", "workingDir": "work"}), "spec.workingDir"),
    ] {
        let refused = organization
            .server
            .post(&organization.alice, ALL, training(&organization, "x", wrong))
            .await
            .refused(400);
        assert!(refused.contains(field), "{refused}");
    }
    // Who runs as the image's user cannot be entered as somebody.
    enforcing(&organization, false).await;
    let nobody = json!({"image": "i", "passwdEntry": true});
    let refused = organization
        .server
        .post(&organization.alice, ALL, training(&organization, "x", nobody))
        .await
        .refused(400);
    assert!(
        refused.contains("`spec.passwdEntry`") && refused.contains("`--run-as-user`"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_a_job_is_told_besides_reaches_its_cluster_and_is_shown() {
    let organization = OrganizationFixture::new().await;
    let spec = json!({
        "image": "i", "backoffLimit": 3, "completions": 4, "parallelism": 2, "terminationGracePeriodSeconds": 60,
        "probes": {"readiness": {"periodSeconds": 5, "handler": {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTPS"}}}},
        "labels": [{"name": "team.example/stage", "value": "a"}], "annotations": [{"name": "note", "value": "any text"}],
        "nodeType": "dgx", "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    });
    let made = organization
        .server
        .post(
            &organization.alice,
            ALL,
            training(&organization, "all", spec.clone()),
        )
        .await
        .is(202);
    let path = format!("{ALL}/{}", made["workloadId"].as_str().unwrap());
    let shown = organization.server.get(&organization.alice, &path).await.is(200)["spec"].clone();
    assert_eq!((&made["spec"], &shown), (&spec, &spec));
    let told = sent(&organization).await;
    assert_eq!(
        told["attempts"],
        json!({"backoffLimit": 3, "completions": 4, "parallelism": 2})
    );
    assert_eq!(told["terminationGracePeriodSeconds"], 60);
    assert_eq!(
        told["readinessProbe"],
        json!({"port": 8080, "path": "/ready", "https": true, "periodSeconds": 5})
    );
    assert_eq!(
        told["metadata"],
        json!({"labels": {"team.example/stage": "a"}, "annotations": {"note": "any text"}})
    );
    assert_eq!(
        told["placement"],
        json!({"nodeType": "dgx", "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]})
    );
    for (wrong, field) in [
        (
            json!({"labels": [{"name": "reeve.dev/user", "value": "x"}]}),
            "`spec.labels[0].name`",
        ),
        (
            json!({"annotations": [{"name": "reeve.dev/runs-as", "value": "x"}]}),
            "`spec.annotations[0].name`",
        ),
        (json!({"parallelism": 2}), "`spec.parallelism`"),
        (json!({"ports": [{"container": 80}]}), "`spec.ports`"),
    ] {
        let mut spec = wrong;
        spec["image"] = json!("i");
        let body = training(&organization, "x", spec);
        let refused = organization
            .server
            .post(&organization.alice, ALL, body)
            .await
            .refused(400);
        assert!(refused.contains(field), "{refused}");
    }
}

/// Planted fault: every key is let through, and the cluster alone refuses the Job.
#[tokio::test]
async fn nodes_that_are_closed_to_projects_are_tolerated_as_the_pod_rules_say() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let tolerating = |name: &str, key: &str| {
        let tolerations =
            json!([{"key": "nvidia.com/gpu", "operator": "Exists"}, {"key": key, "operator": "Exists"}]);
        training(
            &organization,
            name,
            json!({"image": "i", "tolerations": tolerations}),
        )
    };
    let refused = async |key: &str| {
        let said = server
            .post(&organization.alice, ALL, tolerating("x", key))
            .await
            .refused(400);
        assert!(said.contains("`spec.tolerations[1].key`"), "{said}");
        // In the words of the policy that would refuse its Job.
        let policy = reeve_admission::check("tolerations").unwrap().problem;
        assert!(
            said.contains(policy) && said.contains("reeve project pod-rules"),
            "{said}"
        );
    };
    refused("node-role.kubernetes.io/gpu").await;
    let path = format!("/api/v1/org-unit/projects/{}/pod-rules", organization.robots);
    let rules = json!({"tolerations": ["node-role.kubernetes.io/gpu"]}).to_string();
    server
        .call(&server.admin, Method::PUT, &path, rules)
        .await
        .is(200);
    refused("node-role.kubernetes.io/control-plane").await;
    server
        .post(
            &organization.alice,
            ALL,
            tolerating("on-gpus", "node-role.kubernetes.io/gpu"),
        )
        .await
        .is(202);
}

#[tokio::test]
async fn a_workloads_phase_is_what_its_cluster_said() {
    let organization = OrganizationFixture::new().await;
    let made = organization
        .server
        .post(
            &organization.alice,
            ALL,
            training(&organization, "train", json!({"image": "i"})),
        )
        .await
        .is(202);
    let id = made["workloadId"].as_str().unwrap();
    let token = organization
        .server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    for (said, shown) in [
        ("Pending", "Pending"),
        ("Running", "Running"),
        ("Completed", "Completed"),
    ] {
        let report = json!({"objects": [{"kind": "Workload", "id": id, "phase": said, "message": "m"}]});
        organization
            .server
            .post(&token, "/link/v1/status", report)
            .await
            .is(204);
        let row = organization
            .server
            .get(&organization.alice, "/api/v1/workloads")
            .await
            .is(200)["workloads"][0]
            .clone();
        assert_eq!(
            (&row["phase"], &row["phaseMessage"]),
            (&json!(shown), &json!("m"))
        );
        assert_eq!(row["completedAt"].is_null(), said != "Completed");
        let one = organization
            .server
            .get(&organization.alice, &format!("{ALL}/{id}"))
            .await
            .is(200);
        assert_eq!(one["actualPhase"], shown);
    }
}

/// The limit of the tests is 50.
#[tokio::test]
async fn a_project_has_at_most_as_many_workloads_as_the_setting_says() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let spec = || json!({"image": "local.test/tools:1"});
    let mut first = String::new();
    for number in 0..50 {
        let body = training(&organization, &format!("t{number}"), spec());
        let made = server.post(&organization.alice, ALL, body).await.is(202);
        if number == 0 {
            first = made["workloadId"].as_str().unwrap().to_owned();
        }
    }
    let one_more = || training(&organization, "one-more", spec());
    let message = server
        .post(&organization.alice, ALL, one_more())
        .await
        .refused(409);
    assert!(
        message.contains("`robots` has 50 workloads") && message.contains("--workloads-per-project"),
        "{message}"
    );
    server
        .delete(&organization.alice, &format!("{ALL}/{first}"))
        .await
        .is(202);
    server.post(&organization.alice, ALL, one_more()).await.is(202);
}

/// Planted fault: a list that selects the requests fails on one that is not JSON, as the last call does.
#[tokio::test]
async fn lists_and_counts_read_nothing_of_what_was_asked_for() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let body = training(&organization, "t", json!({"image": "local.test/tools:1"}));
    let made = server.post(&organization.alice, ALL, body).await.is(202);
    write_beside(server, "UPDATE workload_requests SET request = 'no JSON'").await;
    let list = server.get(&organization.alice, "/api/v1/workloads").await.is(200);
    assert_eq!(list["workloads"][0]["images"], json!(["local.test/tools:1"]));
    server.get(&organization.alice, ALL).await.is(200);
    let count = server
        .get(&organization.alice, "/api/v1/workloads/count")
        .await
        .is(200);
    assert_eq!(count["count"], 1);
    let path = format!("{ALL}/{}", made["workloadId"].as_str().unwrap());
    server.get(&organization.alice, &path).await.refused(500);
}
