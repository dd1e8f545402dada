//! Workloads.

use serde_json::{Value, json};

use crate::server::{Town, Transcript, write_beside};

const ALL: &str = "/api/v1/workloads/trainings";

fn training(town: &Town, name: &str, spec: Value) -> Value {
    json!({"name": name, "projectId": town.robots, "clusterId": town.cluster, "spec": spec})
}

#[tokio::test]
async fn trainings_are_submitted_listed_counted_shown_and_deleted() {
    let town = Town::new().await;
    let mut page = Transcript::of(&town.server);
    let spec = json!({
        "image": "local.test/tools:1", "command": "sh -c 'id; sleep 1'", "args": "a 'b c'",
        "environmentVariables": [{"name": "A", "value": "b"}], "compute": {"gpuDevicesRequest": 2},
        "createHomeDir": true, "security": {"uidGidSource": "fromIdpToken", "allowPrivilegeEscalation": false},
    });
    let made = page
        .post(
            "success",
            &town.alice,
            ALL,
            training(&town, "train", spec.clone()),
        )
        .await
        .is(202);
    let path = format!("{ALL}/{}", made["workloadId"].as_str().unwrap());
    page.get("one", &town.alice, &path).await.is(200);
    let list = page
        .get("the list", &town.alice, "/api/v1/workloads")
        .await
        .is(200);
    let item = format!(
        "/api/v1/workloads/{}",
        list["workloads"][0]["id"].as_str().unwrap()
    );
    let followed = town.server.get(&town.alice, &item).await.is(200);
    assert_eq!(
        followed, list["workloads"][0],
        "an item of the list can be followed"
    );
    page.get("bob cannot follow it", &town.bob, &item)
        .await
        .refused(404);
    page.get("nor somebody without a rule", &town.nobody, &item)
        .await
        .refused(403);
    for query in [
        "",
        "?limit=1&sortBy=name&filterBy=phase==Creating",
        "?deleted=true",
        "?offset=1",
    ] {
        let of = async |path: &str| {
            town.server
                .get(&town.alice, &format!("{path}{query}"))
                .await
                .is(200)
        };
        assert_eq!(of(ALL).await, of("/api/v1/workloads").await, "{query}");
    }
    let trainings = town.server.get(&town.alice, ALL).await.is(200);
    assert_eq!(trainings["workloads"][0], list["workloads"][0]);
    page.get("bob's trainings", &town.bob, ALL).await.is(200);
    page.get("nobody's trainings", &town.nobody, ALL)
        .await
        .refused(403);
    page.get(
        "trainings by what they have not",
        &town.alice,
        &format!("{ALL}?sortBy=colour"),
    )
    .await
    .refused(400);
    page.get("the count", &town.alice, "/api/v1/workloads/count")
        .await
        .is(200);
    page.post("taken", &town.alice, ALL, training(&town, "train", spec.clone()))
        .await
        .refused(409);
    page.post(
        "a bad name",
        &town.alice,
        ALL,
        training(&town, "Train", spec.clone()),
    )
    .await
    .refused(400);
    let asked = json!({"image": "i", "storage": {"hostPath": [{"path": "/"}]}});
    page.post(
        "what is not honoured",
        &town.alice,
        ALL,
        training(&town, "x", asked),
    )
    .await
    .refused(400);
    page.post("no image", &town.alice, ALL, training(&town, "x", json!({})))
        .await
        .refused(400);
    page.post(
        "an application",
        &town.ci,
        ALL,
        training(&town, "x", json!({"image": "i"})),
    )
    .await
    .refused(400);
    page.post(
        "bob only looks",
        &town.bob,
        ALL,
        training(&town, "x", json!({"image": "i"})),
    )
    .await
    .refused(403);
    let mut elsewhere = training(&town, "x", spec.clone());
    elsewhere["projectId"] = json!(town.captions);
    page.post("a project alice cannot see", &town.alice, ALL, elsewhere)
        .await
        .refused(404);
    let mut elsewhere = training(&town, "x", spec);
    elsewhere["clusterId"] = json!("00000000-0000-4000-8000-000000000000");
    page.post("another cluster", &town.alice, ALL, elsewhere)
        .await
        .refused(400);
    page.get("bob cannot see it", &town.bob, &path).await.refused(404);
    page.delete("nor delete it", &town.bob, &path).await.refused(403);
    page.get(
        "unknown",
        &town.alice,
        &format!("{ALL}/00000000-0000-4000-8000-000000000000"),
    )
    .await
    .refused(404);
    page.delete("deleted", &town.alice, &path).await.is(202);
    page.delete("deleted before", &town.alice, &path)
        .await
        .refused(404);
    insta::assert_snapshot!(page.page());
}

async fn enforcing(town: &Town, enforce: bool) {
    let token = town.server.link_token(&town.cluster, &town.secret).await;
    let settings = json!({
        "enforceRunAsUser": enforce, "enforcePreventPrivilegeEscalation": true,
        "kubernetesVersion": "v1.37.2", "operatorVersion": "0.1.0",
    });
    town.server
        .post(&token, "/link/v1/status", json!({"settings": settings}))
        .await
        .is(204);
}

/// As whom the last workload of the cluster's desired state runs.
async fn identity(town: &Town) -> Value {
    sent(town).await.get("identity").cloned().unwrap_or_default()
}

/// The workload that its cluster is told of last.
async fn sent(town: &Town) -> Value {
    let (granted, cluster) = (reeve_server::audit::link_status(), town.cluster.parse().unwrap());
    let batch = town
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
    let town = Town::new().await;
    let (_, dave) = town.server.user("dave@example.com", Value::Null).await;
    town.server
        .rule(("user", "dave@example.com"), 5, ("project", &town.robots))
        .await;
    let alice = json!({"userId": town.alice_id, "email": "alice@example.com",
        "posix": {"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]}});
    for (round, name) in ["unknown", "enforced"].into_iter().enumerate() {
        if round == 1 {
            enforcing(&town, true).await;
        }
        town.server
            .post(&town.alice, ALL, training(&town, name, json!({"image": "i"})))
            .await
            .is(202);
        assert_eq!(identity(&town).await, alice);
        let refused = town
            .server
            .post(&dave, ALL, training(&town, "x", json!({"image": "i"})))
            .await
            .refused(400);
        assert!(
            refused.contains("/posix")
                && refused.contains("`reeve:installers`")
                && refused.contains("enforceRunAsUser"),
            "{refused}"
        );
        let refused = town
            .server
            .post(&town.ci, ALL, training(&town, "x", json!({"image": "i"})))
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
    let town = Town::new().await;
    enforcing(&town, false).await;
    let asks = json!({"image": "i", "security": {"uidGidSource": "fromIdpToken"}});
    town.server
        .post(&town.alice, ALL, training(&town, "plain", json!({"image": "i"})))
        .await
        .is(202);
    assert_eq!(identity(&town).await, Value::Null);
    town.server
        .post(&town.alice, ALL, training(&town, "asked", asks.clone()))
        .await
        .is(202);
    assert_eq!(identity(&town).await["email"], "alice@example.com");
    town.server
        .post(&town.ci, ALL, training(&town, "app", json!({"image": "i"})))
        .await
        .is(202);
    assert_eq!(identity(&town).await, Value::Null);
    let refused = town
        .server
        .post(&town.ci, ALL, training(&town, "x", asks))
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
    let town = Town::new().await;
    let plain = json!({"image": "i", "args": "'$(A) $$'"});
    town.server
        .post(&town.alice, ALL, training(&town, "plain", plain))
        .await
        .is(202);
    let told = sent(&town).await;
    assert_eq!(
        told["args"],
        json!(["$(A) $$"]),
        "the operator escapes, at one place"
    );
    assert_eq!(told["expandVariables"], false);
    let spec = json!({
        "image": "i", "expandVariables": true, "passwdEntry": true, "stdin": true, "tty": true, "workingDir": "/work",
        "compute": {"largeShmRequest": true},
    });
    town.server
        .post(&town.alice, ALL, training(&town, "all", spec))
        .await
        .is(202);
    let told = sent(&town).await;
    for field in ["expandVariables", "passwdEntry", "stdin", "tty", "largeShm"] {
        assert_eq!(told[field], true, "{field}");
    }
    assert_eq!(told["workingDir"], "/work");
    for (wrong, field) in [
        (json!({"image": "i", "tty": true}), "spec.tty"),
        (json!({"image": "i", "workingDir": "work"}), "spec.workingDir"),
    ] {
        let refused = town
            .server
            .post(&town.alice, ALL, training(&town, "x", wrong))
            .await
            .refused(400);
        assert!(refused.contains(field), "{refused}");
    }
    // Who runs as the image's user cannot be entered as somebody.
    enforcing(&town, false).await;
    let nobody = json!({"image": "i", "passwdEntry": true});
    let refused = town
        .server
        .post(&town.alice, ALL, training(&town, "x", nobody))
        .await
        .refused(400);
    assert!(
        refused.contains("`spec.passwdEntry`") && refused.contains("`--run-as-user`"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_workloads_phase_is_what_its_cluster_said() {
    let town = Town::new().await;
    let made = town
        .server
        .post(&town.alice, ALL, training(&town, "train", json!({"image": "i"})))
        .await
        .is(202);
    let id = made["workloadId"].as_str().unwrap();
    let token = town.server.link_token(&town.cluster, &town.secret).await;
    for (said, shown) in [
        ("Pending", "Pending"),
        ("Running", "Running"),
        ("Completed", "Completed"),
    ] {
        let report = json!({"objects": [{"kind": "Workload", "id": id, "phase": said, "message": "m"}]});
        town.server.post(&token, "/link/v1/status", report).await.is(204);
        let row = town.server.get(&town.alice, "/api/v1/workloads").await.is(200)["workloads"][0].clone();
        assert_eq!(
            (&row["phase"], &row["phaseMessage"]),
            (&json!(shown), &json!("m"))
        );
        assert_eq!(row["completedAt"].is_null(), said != "Completed");
        let one = town.server.get(&town.alice, &format!("{ALL}/{id}")).await.is(200);
        assert_eq!(one["actualPhase"], shown);
    }
}

/// The limit of the tests is 50.
#[tokio::test]
async fn a_project_has_at_most_as_many_workloads_as_the_setting_says() {
    let town = Town::new().await;
    let server = &town.server;
    let spec = || json!({"image": "local.test/tools:1"});
    let mut first = String::new();
    for number in 0..50 {
        let body = training(&town, &format!("t{number}"), spec());
        let made = server.post(&town.alice, ALL, body).await.is(202);
        if number == 0 {
            first = made["workloadId"].as_str().unwrap().to_owned();
        }
    }
    let one_more = || training(&town, "one-more", spec());
    let message = server.post(&town.alice, ALL, one_more()).await.refused(409);
    assert!(
        message.contains("`robots` has 50 workloads") && message.contains("--workloads-per-project"),
        "{message}"
    );
    server
        .delete(&town.alice, &format!("{ALL}/{first}"))
        .await
        .is(202);
    server.post(&town.alice, ALL, one_more()).await.is(202);
}

/// Planted fault: a list that selects the requests fails on one that is not JSON, as the last call does.
#[tokio::test]
async fn lists_and_counts_read_nothing_of_what_was_asked_for() {
    let town = Town::new().await;
    let server = &town.server;
    let body = training(&town, "t", json!({"image": "local.test/tools:1"}));
    let made = server.post(&town.alice, ALL, body).await.is(202);
    write_beside(server, "UPDATE workload_requests SET request = 'no JSON'").await;
    let list = server.get(&town.alice, "/api/v1/workloads").await.is(200);
    assert_eq!(list["workloads"][0]["images"], json!(["local.test/tools:1"]));
    server.get(&town.alice, ALL).await.is(200);
    let count = server.get(&town.alice, "/api/v1/workloads/count").await.is(200);
    assert_eq!(count["count"], 1);
    let path = format!("{ALL}/{}", made["workloadId"].as_str().unwrap());
    server.get(&town.alice, &path).await.refused(500);
}
