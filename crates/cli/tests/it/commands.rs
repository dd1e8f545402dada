//! What each command asks, and what it shows.

use serde_json::{Value, json};

use crate::receiver::{CLUSTER, Receiver, TOKEN, project, text, training, workload};

#[tokio::test]
async fn a_submission_takes_two_calls() {
    let receiver = Receiver::signed_in().await;
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    receiver.answers("POST /api/v1/workloads/trainings", 202, training());
    let submit = [
        "submit",
        "first",
        "-p",
        "robots",
        "-i",
        "local.test/tools:1",
        "--run-as-user",
        "--create-home-dir",
        "--",
        "id",
    ];
    insta::assert_snapshot!(receiver.shown(&submit).await);
    let calls = receiver.calls();
    assert_eq!(
        calls.iter().map(|call| call.line.as_str()).collect::<Vec<_>>(),
        [
            "GET /api/v1/org-unit/projects?filterBy=name%3D%3Drobots&limit=10",
            "POST /api/v1/workloads/trainings",
        ]
    );
    assert!(
        calls
            .iter()
            .all(|call| call.authorization.as_deref() == Some(&format!("Bearer {TOKEN}")))
    );
    let expected = json!({
        "name": "first", "projectId": "33", "clusterId": CLUSTER,
        "spec": {"image": "local.test/tools:1", "args": "id", "createHomeDir": true, "security": {"uidGidSource": "fromIdpToken"}},
    });
    assert_eq!(calls[1].body, expected);
}

#[tokio::test]
async fn a_workload_is_described_without_the_values_of_its_variables() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": [workload()]}));
    let mut first = training();
    first["spec"] = json!({
        "image": "local.test/tools:1", "args": "sh -c 'id\nid'", "compute": {"gpuDevicesRequest": 2, "largeShmRequest": true},
        "environmentVariables": [{"name": "PASSWORD", "value": "hunter2"}, {"name": "A", "value": "b"}],
    });
    let path = "GET /api/v1/workloads/trainings/323e4567-e89b-12d3-a456-426614174000";
    receiver.answers(path, 200, first);
    let shown = receiver
        .shown(&["describe", "job", "first", "-p", "robots"])
        .await;
    assert!(!shown.contains("hunter2"), "{shown}");
    let age = shown
        .lines()
        .find(|line| line.starts_with("age"))
        .unwrap()
        .to_owned();
    insta::assert_snapshot!(shown.replace(&age, "age AGE"));
}

#[tokio::test]
async fn several_workloads_are_deleted_one_after_another() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": [workload()]}));
    let path = "DELETE /api/v1/workloads/trainings/323e4567-e89b-12d3-a456-426614174000";
    receiver.answers(path, 202, json!({"code": 202, "message": "accepted"}));
    let output = receiver.run(&["delete", "first", "none", "-p", "robots"]).await;
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "the second is not there");
    assert!(
        out.contains("deleted `first`") && err.contains("`none`"),
        "{out} {err}"
    );
}

#[tokio::test]
async fn a_refusal_shows_who_could_grant_what_is_missing() {
    let receiver = Receiver::signed_in().await;
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    let message =
        "`trainings:create` is missing in project `robots`; user `admin@reeve.example` could grant it there";
    let refusal = json!({"code": 403, "message": message});
    receiver.answers("POST /api/v1/workloads/trainings", 403, refusal);
    insta::assert_snapshot!(
        receiver
            .shown(&["submit", "first", "-p", "robots", "-i", "i"])
            .await
    );
}

#[tokio::test]
async fn a_project_that_is_not_there_is_not_found() {
    let receiver = Receiver::signed_in().await;
    // A near miss that the filter, which knows no case, may bring along.
    let mut other = project();
    other["name"] = json!("ROBOTS");
    receiver.answers("GET /api/v1/org-unit/projects", 200, json!({"projects": [other]}));
    insta::assert_snapshot!(
        receiver
            .shown(&["submit", "first", "-p", "robots", "-i", "i"])
            .await
    );
    assert_eq!(receiver.calls().len(), 1, "nothing was submitted");
}

/// Of lists whose answers do not say whether there is more: behind a full page the next one is asked for. Planted fault:
/// `only-the-first-page-is-shown`.
#[tokio::test]
async fn lists_without_a_next_page_go_on_behind_a_full_one() {
    let receiver = Receiver::signed_in().await;
    let clusters = |from: usize, count: usize| -> Value {
        let named = |number: usize| cluster(&format!("c{number}"), "Connected", "", "");
        (from..from + count).map(named).collect()
    };
    receiver.answers("GET /api/v1/clusters", 200, clusters(0, 500));
    let second = "GET /api/v1/clusters?limit=500&offset=500";
    receiver.answers(second, 200, clusters(500, 2));
    let output = receiver.run(&["cluster", "list", "-o", "json"]).await;
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = |it: &Value| it["name"].as_str().unwrap().to_owned();
    let names: Vec<_> = shown.as_array().unwrap().iter().map(named).collect();
    let expected: Vec<_> = (0..502).map(|number| format!("c{number}")).collect();
    assert_eq!(names, expected);
    let lines: Vec<_> = receiver.calls().into_iter().map(|call| call.line).collect();
    assert_eq!(lines, ["GET /api/v1/clusters", second]);
    // A server of before there were pages answers more at once.
    receiver.answers("GET /api/v1/clusters", 200, clusters(0, 700));
    receiver.run(&["cluster", "list"]).await;
    assert_eq!(receiver.calls().len(), 1);
}

#[tokio::test]
async fn lists_follow_their_pages() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": [workload()]}));
    let shown = receiver.shown(&["list", "-p", "robots"]).await;
    assert!(shown.contains("\nfirst"), "{shown}");
    let age = regex_free_age(&shown);
    insta::assert_snapshot!(shown.replace(&age, "AGE"));
    receiver.calls();
    // The same page again and again would never end; a `next` that does not move does.
    receiver.answers(
        "GET /api/v1/workloads",
        200,
        json!({"workloads": [workload()], "next": 500}),
    );
    let output = receiver.run(&["list", "-o", "json"]).await;
    let lines: Vec<_> = receiver.calls().into_iter().map(|call| call.line).collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/workloads?sortBy=name&limit=500&offset=0",
            "GET /api/v1/workloads?sortBy=name&limit=500&offset=500",
        ]
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&output.stdout)
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

/// The days since 2020, as the table shows them.
fn regex_free_age(shown: &str) -> String {
    let digits = |word: &&str| {
        word.ends_with('d') && word.len() > 1 && word[..word.len() - 1].bytes().all(|b| b.is_ascii_digit())
    };
    shown.split_whitespace().find(digits).unwrap().to_owned()
}

#[tokio::test]
async fn an_empty_project_is_told_from_a_missing_one() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": []}));
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    let empty = receiver.run(&["list", "-p", "robots"]).await;
    assert_eq!(
        (empty.status.code(), text(&empty.stdout).as_str()),
        (Some(0), "no workloads\n")
    );
    receiver.answers("GET /api/v1/org-unit/projects", 200, json!({"projects": []}));
    assert_eq!(
        receiver.run(&["list", "-p", "robots"]).await.status.code(),
        Some(1)
    );
}

#[tokio::test]
async fn projects_are_listed_with_where_they_live() {
    let receiver = Receiver::signed_in().await;
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    insta::assert_snapshot!(receiver.shown(&["project", "list"]).await);
}

#[tokio::test]
async fn a_workload_is_deleted_by_its_id() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": [workload()]}));
    let path = "DELETE /api/v1/workloads/trainings/323e4567-e89b-12d3-a456-426614174000";
    receiver.answers(path, 202, json!({"code": 202, "message": "accepted"}));
    insta::assert_snapshot!(receiver.shown(&["delete", "first", "-p", "robots"]).await);
    assert_eq!(receiver.calls()[1].line, path);
    receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": []}));
    insta::assert_snapshot!(
        "deleting_what_is_not_there",
        receiver.shown(&["delete", "first", "-p", "robots"]).await
    );
}

#[tokio::test]
async fn whoami_shows_numbers_and_roles() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/me", 200, json!({
        "id": "223e4567-e89b-12d3-a456-426614174000", "username": "alice@reeve.example", "type": "user", "groups": ["ml"],
        "posix": {"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]},
        "roles": [
            {"roleId": 5, "roleName": "L1 researcher", "scopeType": "project", "scopeId": "33", "scopeName": "robots"},
            {"roleId": 9, "roleName": "Viewer", "scopeType": "tenant", "scopeId": "1", "scopeName": "account", "throughGroup": "ml"},
        ],
    }));
    insta::assert_snapshot!(receiver.shown(&["whoami"]).await);
}

#[tokio::test]
async fn every_kind_of_bad_answer_has_its_exit_code() {
    let receiver = Receiver::signed_in().await;
    let error = |code: u16| json!({"code": code, "message": "because"}).to_string();
    for (status, body, exit) in [
        (400, error(400), 1),
        (401, error(401), 1),
        (403, error(403), 1),
        (404, error(404), 1),
        (409, error(409), 1),
        (500, error(500), 2),
        (503, error(503), 2),
        (502, "<html>bad gateway</html>".to_owned(), 2),
        (200, "<html>welcome</html>".to_owned(), 2),
        (302, String::new(), 2),
    ] {
        receiver.says("GET /api/v1/me", status, &body);
        let output = receiver.run(&["whoami"]).await;
        assert_eq!(
            output.status.code(),
            Some(exit),
            "{status}: {}",
            text(&output.stderr)
        );
        assert!(
            text(&output.stderr).starts_with("reeve: cannot find out who you are\n  cause: "),
            "{}",
            text(&output.stderr)
        );
        assert!(!text(&output.stderr).contains(TOKEN));
    }
    receiver.says("GET /api/v1/me", 401, &error(401));
    insta::assert_snapshot!(receiver.shown(&["whoami"]).await);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure_with_a_hint() {
    let receiver = Receiver::signed_in().await;
    let config = receiver.home().join("reeve/config.json");
    // Port 1 of this machine: nobody listens there.
    std::fs::write(config, r#"{"url": "http://127.0.0.1:1"}"#).unwrap();
    let output = receiver.run(&["whoami"]).await;
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("cannot reach `http://127.0.0.1:1`") && said.contains("hint: is the address right"),
        "{said}"
    );
}

fn cluster(name: &str, state: &str, reason: &str, message: &str) -> Value {
    json!({
        "uuid": CLUSTER, "tenantId": 1, "name": name, "createdAt": "2026-01-01T00:00:00Z", "domain": null, "version": null,
        "status": {"state": state, "stateSince": "2026-01-01T00:00:00Z", "stateReason": reason, "stateMessage": message,
            "conditions": [], "platform": null, "dependencies": null},
        "updatedAt": null, "deletedAt": null, "lastLiveness": null, "deleteRequestedAt": null,
    })
}

#[tokio::test]
async fn clusters_are_listed_with_their_state_why_and_since_when() {
    let receiver = Receiver::signed_in().await;
    let mut named = cluster("named", "Connected", "", "");
    named["status"] = Value::Null;
    let all = json!([
        cluster("gpu-1", "Connected", "Connected", ""),
        cluster(
            "gpu-2",
            "MissingPrerequisites",
            "PrerequisiteMissing",
            "upgrade the cluster"
        ),
        named,
    ]);
    receiver.answers("GET /api/v1/clusters", 200, all);
    let shown = receiver.run(&["cluster", "list"]).await;
    let shown = text(&shown.stdout);
    let lines: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0],
        [
            "CLUSTER", "ID", "STATE", "SINCE", "LAST", "HEARD", "REASON", "MESSAGE"
        ]
    );
    assert_eq!(lines[1][..3], ["gpu-1", CLUSTER, "Connected"]);
    assert!(lines[1][3].ends_with('d'), "{shown}");
    assert_eq!(lines[2][2], "MissingPrerequisites");
    assert_eq!(
        lines[2][4..],
        ["PrerequisiteMissing", "upgrade", "the", "cluster"]
    );
    assert_eq!(lines[3], ["named", CLUSTER]);
}

#[tokio::test]
async fn a_cluster_is_made_and_the_commands_that_install_it_are_printed_as_they_are() {
    let receiver = Receiver::signed_in().await;
    let mut made = cluster("gpu-1", "WaitingToConnect", "NeverConnected", "");
    made["clientSecret"] = json!("hunter2");
    receiver.answers("POST /api/v1/clusters", 201, made);
    let shown = receiver.shown(&["cluster", "create", "gpu-1"]).await;
    assert!(
        shown.contains(&format!("reeve cluster install-info {CLUSTER}")),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(receiver.calls()[0].body, json!({"name": "gpu-1"}));
    let commands =
        "kubectl apply --server-side -f - <<'END'\nkind: Secret\nEND\nhelm upgrade \\\n  --set a=b\n";
    let info = json!({"installationStr": commands, "repositoryName": "reeve", "chartRepoURL": "", "clientSecret": "hunter2"});
    receiver.answers(
        &format!("GET /api/v1/clusters/{CLUSTER}/cluster-install-info"),
        200,
        info,
    );
    let output = receiver
        .run(&[
            "cluster",
            "install-info",
            CLUSTER,
            "--api-server",
            "https://k8s.example:6443",
        ])
        .await;
    assert_eq!(text(&output.stdout), commands);
    let line = &receiver.calls()[0].line;
    assert!(
        line.contains("version=") && line.ends_with("remoteClusterUrl=https%3A%2F%2Fk8s.example%3A6443"),
        "{line}"
    );
    receiver.says(&format!("DELETE /api/v1/clusters/{CLUSTER}/secret"), 204, "");
    let shown = receiver.shown(&["cluster", "withdraw-secret", CLUSTER]).await;
    assert!(shown.contains("exit 0") && shown.contains("cut off"), "{shown}");
}
