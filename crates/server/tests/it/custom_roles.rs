//! Roles that are made here of permission sets.

use std::process::{Command, Output};

use axum::http::Method;
use reeve_testkit::{binary, output_with_input};
use serde_json::{Value, json};

use crate::followed::is_fresh;
use crate::link::Watch;
use crate::process::{Running, fresh};
use crate::server::{Answer, OrganizationFixture, Server, rule};

const ROLES: &str = "/api/v2/authorization/roles";
const RULES: &str = "/api/v1/authorization/access-rules";

/// The id of a permission set by its name.
async fn set(server: &Server, name: &str) -> Value {
    let all = server
        .get(&server.admin, "/api/v1/authorization/permission-sets")
        .await
        .is(200);
    let sets = all["permissionSets"].as_array().unwrap();
    let found = sets.iter().find(|it| it["name"] == name);
    json!({"id": found.unwrap_or_else(|| panic!("no set {name}"))["id"]})
}

pub(crate) async fn body(server: &Server, name: &str, sets: &[&str], cluster_role: Option<&str>) -> Value {
    let mut all = Vec::new();
    for name in sets {
        all.push(set(server, name).await);
    }
    json!({"name": name, "description": "For the tests.", "permissionSets": all,
        "kubernetesPermissions": {"predefinedRole": cluster_role}})
}

async fn put(server: &Server, token: &str, id: i64, body: &Value) -> Answer {
    server
        .call(token, Method::PUT, &format!("{ROLES}/{id}"), body.to_string())
        .await
}

/// Planted faults: a deletion without the look at rules; a rule's role read as a predefined one.
#[tokio::test]
async fn a_role_is_made_given_changed_and_deleted() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let readers = body(
        server,
        "Readers",
        &["Projects viewer", "Departments viewer"],
        Some("viewer"),
    )
    .await;
    let made = server.post(&server.admin, ROLES, readers.clone()).await.is(201);
    let id = made["id"].as_i64().unwrap();
    assert_eq!(
        (id, &made["custom"], &made["createdBy"]),
        (1001, &json!(true), &json!("admin@reeve.example"))
    );
    assert_eq!(made["kubernetesPermissions"]["predefinedRole"], "viewer");
    is_fresh(server, "a role was made").await;
    // Both versions show it.
    let one = server
        .get(&server.admin, &format!("/api/v1/authorization/roles/{id}"))
        .await
        .is(200);
    assert_eq!((&one["name"], &one["custom"]), (&json!("Readers"), &json!(true)));
    let path = format!("{ROLES}?filterBy=custom==true,name=@READ&sortBy=name&limit=1");
    let listed = server.get(&server.admin, &path).await.is(200);
    assert_eq!(
        (
            listed["roles"].as_array().unwrap().len(),
            &listed["roles"][0]["id"]
        ),
        (1, &json!(id))
    );
    assert_eq!(listed.get("next"), None);
    // Who has it may do what it says, and no more, in the cluster too.
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    server.get(&dora, "/api/v1/org-unit/projects").await.refused(403);
    let here = ("department", organization.vision.as_str());
    let given = server
        .post(&server.admin, RULES, rule(("user", "dora@example.com"), id, here))
        .await
        .is(201);
    assert_eq!(given["roleName"], "Readers");
    let seen = server.get(&dora, "/api/v1/org-unit/projects").await.is(200);
    assert_eq!(seen["projects"].as_array().unwrap().len(), 1);
    server.get(&dora, "/api/v1/workloads").await.refused(403);
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open(server, &token, None).await;
    watch.news().await.unwrap();
    let desired = watch.news().await.unwrap();
    let told = desired["upserts"].as_array().unwrap().iter();
    let mut told = told
        .map(|it| &it["object"]["spec"])
        .filter(|it| it.to_string().contains("dora@example.com"));
    assert_eq!(told.next().unwrap()["role"], "viewer", "{desired}");
    let by_name = server
        .get(&server.admin, &format!("{RULES}?filterBy=roleName==readers"))
        .await
        .is(200);
    assert_eq!(by_name["totalRecords"], 1);
    // In use it keeps its name's place, its rights in clusters, and stays.
    for refused in [
        server.delete(&server.admin, &format!("{ROLES}/{id}")).await,
        server
            .post(&server.admin, &format!("{ROLES}/{id}/disable"), Value::Null)
            .await,
        put(
            server,
            &server.admin,
            id,
            &body(server, "Readers", &["Projects viewer"], Some("l1-researcher")).await,
        )
        .await,
    ] {
        assert!(
            refused.refused(409).contains("is given by access rules: 1"),
            "{}",
            refused.text
        );
    }
    // What it allows changes for who has it, at once.
    let wider = body(server, "Watchers", &["Workloads viewer"], Some("viewer")).await;
    put(server, &server.admin, id, &wider).await.is(200);
    is_fresh(server, "a role was changed").await;
    server.get(&dora, "/api/v1/workloads").await.is(200);
    server.get(&dora, "/api/v1/org-unit/projects").await.refused(403);
    server
        .delete(&server.admin, &format!("{RULES}/{}", given["id"]))
        .await
        .is(204);
    server
        .post(&server.admin, &format!("{ROLES}/{id}/disable"), Value::Null)
        .await
        .is(204);
    let again = rule(("user", "dora@example.com"), id, here);
    server
        .post(&server.admin, RULES, again.clone())
        .await
        .refused(409);
    server
        .post(&server.admin, &format!("{ROLES}/{id}/enable"), Value::Null)
        .await
        .is(204);
    server
        .delete(&server.admin, &format!("{ROLES}/{id}"))
        .await
        .is(204);
    is_fresh(server, "a role was deleted").await;
    server
        .get(&server.admin, &format!("{ROLES}/{id}"))
        .await
        .refused(404);
    server.post(&server.admin, RULES, again).await.refused(404);
    // Its name is free again, and its number is not.
    let next = server.post(&server.admin, ROLES, readers).await.is(201);
    assert_eq!(next["id"], 1002);
}

/// Planted fault: a role judged by the right to make roles alone.
#[tokio::test]
async fn nobody_makes_or_changes_a_role_beyond_what_they_may_do() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let sets = [
        "Roles administrator",
        "Access rules administrator",
        "Projects viewer",
    ];
    let makers = body(server, "Makers", &sets, None).await;
    let maker = server.post(&server.admin, ROLES, makers).await.is(201)["id"]
        .as_i64()
        .unwrap();
    let (_, mia) = server.user("mia@example.com", Value::Null).await;
    server
        .rule(("user", "mia@example.com"), maker, ("tenant", "1"))
        .await;
    let own = body(server, "Mine", &["Projects viewer"], None).await;
    let mine = server.post(&mia, ROLES, own).await.is(201)["id"]
        .as_i64()
        .unwrap();
    for (name, sets, cluster_role) in [
        ("Wider", vec!["Projects administrator"], None),
        ("Other", vec!["Projects viewer", "Users viewer"], None),
        ("In clusters", vec!["Projects viewer"], Some("viewer")),
    ] {
        let wider = body(server, name, &sets, cluster_role).await;
        server.post(&mia, ROLES, wider.clone()).await.refused(403);
        put(server, &mia, mine, &wider).await.refused(403);
        put(server, &mia, maker, &wider).await.refused(403);
    }
    // She gives what she holds, and nothing else.
    server
        .post(&mia, RULES, rule(("group", "g"), mine, ("tenant", "1")))
        .await
        .is(201);
    server
        .post(&mia, RULES, rule(("group", "g"), 9, ("tenant", "1")))
        .await
        .refused(403);
    // Who may make roles in a cluster alone may not: a role is the account's.
    let scope = ("cluster", organization.cluster.as_str());
    server.rule(("user", "nobody@example.com"), 1, scope).await;
    let small = body(server, "Small", &["Projects viewer"], None).await;
    server
        .post(&organization.nobody, ROLES, small.clone())
        .await
        .refused(403);
    server.post(&organization.alice, ROLES, small).await.refused(403);
}

#[tokio::test]
async fn names_sets_and_predefined_roles_are_looked_at() {
    let server = Server::new().await;
    let good = body(&server, "Readers", &["Projects viewer"], None).await;
    server.post(&server.admin, ROLES, good.clone()).await.is(201);
    for (field, value, status) in [
        ("name", json!("rEADERS"), 409),
        ("name", json!("Viewer"), 409),
        ("name", json!(" Spaced"), 400),
        ("name", json!(""), 400),
        ("name", json!("x".repeat(256)), 400),
        ("description", json!(""), 400),
        ("permissionSets", json!([]), 400),
        (
            "permissionSets",
            json!([good["permissionSets"][0], good["permissionSets"][0]]),
            400,
        ),
        (
            "permissionSets",
            json!([{"id": "00000000-0000-4000-8000-000000000000"}]),
            404,
        ),
        (
            "kubernetesPermissions",
            json!({"predefinedRole": "cluster-admin"}),
            400,
        ),
    ] {
        let mut wrong = good.clone();
        wrong["name"] = json!("Others");
        wrong[field] = value;
        server
            .post(&server.admin, ROLES, wrong.clone())
            .await
            .refused(status);
    }
    for refused in [
        put(&server, &server.admin, 9, &good).await,
        server.delete(&server.admin, &format!("{ROLES}/9")).await,
        server
            .post(&server.admin, &format!("{ROLES}/9/disable"), Value::Null)
            .await,
    ] {
        assert!(refused.refused(403).contains("is predefined"), "{}", refused.text);
    }
    server
        .delete(&server.admin, &format!("{ROLES}/4711"))
        .await
        .refused(404);
    // As many as there may be, and no more.
    for number in 1..reeve_store::MOST_CUSTOM_ROLES {
        let mut more = good.clone();
        more["name"] = json!(format!("Readers {number}"));
        server.post(&server.admin, ROLES, more).await.is(201);
    }
    let mut more = good;
    more["name"] = json!("One more");
    server.post(&server.admin, ROLES, more).await.refused(409);
}

/// Planted fault: the setting not asked.
#[tokio::test]
async fn roles_are_made_only_where_the_setting_says_so() {
    let server = Server::without_custom_roles().await;
    let readers = body(&server, "Readers", &["Projects viewer"], None).await;
    let refused = server.post(&server.admin, ROLES, readers).await.refused(403);
    assert!(refused.contains("--custom-roles"), "{refused}");
    let listed = server
        .get(&server.admin, &format!("{ROLES}?limit=500"))
        .await
        .is(200);
    let custom = |it: &Value| it["custom"] == true;
    assert!(
        !listed["roles"].as_array().unwrap().iter().any(custom),
        "{listed}"
    );
}

/// The command line against the program: what it sends is what this server takes, and what the server refuses is shown. Planted fault:
/// a body of the command line with a field of another name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_makes_changes_and_deletes_roles() {
    let (dir, data) = fresh();
    let file = dir.path().join("password");
    std::fs::write(&file, "Given-Pass-1!\n").unwrap();
    let flags = ["--admin-password-file", file.to_str().unwrap()];
    let on = [&flags[..], &["--custom-roles"]].concat();
    let settings = dir.path().join("reeve");
    let reeve = |words: &[&str], input: &str| -> Output {
        let mut command = Command::new(binary("reeve").unwrap());
        command.env("REEVE_CONFIG_DIR", &settings).args(words);
        command.env("REEVE_TOKEN_STORE", "file");
        output_with_input(command, input).unwrap()
    };
    let sign_in = |running: &Running| {
        let (url, ca) = (&running.announced["url"], &running.announced["caFile"]);
        let words = [
            "login",
            "user",
            "--url",
            url.as_str().unwrap(),
            "--ca-file",
            ca.as_str().unwrap(),
        ];
        let person = [
            "-u",
            running.announced["adminUsername"].as_str().unwrap(),
            "--password-stdin",
        ];
        let output = reeve(&[&words[..], &person].concat(), "Given-Pass-1!");
        assert!(output.status.success(), "{output:?}");
    };
    let must = |words: &[&str]| -> Value {
        let output = reeve(&[&["role"], words, &["-o", "json"]].concat(), "");
        assert!(output.status.success(), "{words:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let refused = |words: &[&str], said: &str| {
        let output = reeve(&[&["role"], words].concat(), "");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(1) && error.contains(said),
            "{words:?}: {error}"
        );
    };
    let running = Running::start(&data, &on).await;
    sign_in(&running);
    let make = [
        "create",
        "Readers",
        "--description",
        "See projects.",
        "--permission-set",
        "Projects viewer",
    ];
    let preview = must(&[&make[..], &["--dry-run"]].concat());
    assert_eq!(preview["gains"], json!({"project": ["read"]}));
    refused(&["get", "Readers"], "`Readers`");
    let made = must(&make);
    assert_eq!(
        (&made["id"], &made["enabled"], &made["custom"]),
        (&json!(1001), &json!(true), &json!(true))
    );
    refused(&make, "(409)");
    refused(
        &[&make[..], &["--kubernetes-role", "cluster-admin"]].concat(),
        "predefinedRole",
    );
    let more = [
        "update",
        "Readers",
        "--permission-set",
        "Projects viewer",
        "--permission-set",
        "Users viewer",
    ];
    let preview = must(&[&more[..], &["--dry-run"]].concat());
    assert_eq!(
        (&preview["gains"], &preview["loses"]),
        (&json!({"users": ["read"]}), &json!({}))
    );
    assert_eq!(
        must(&["get", "1001"])["permissionSets"].as_array().unwrap().len(),
        1
    );
    assert_eq!(must(&more)["description"], "See projects.");
    let renamed = must(&[
        "update",
        "1001",
        "--name",
        "Watchers",
        "--kubernetes-role",
        "viewer",
    ]);
    assert_eq!(
        (
            &renamed["kubernetesPermissions"]["predefinedRole"],
            renamed["permissionSets"].as_array().unwrap().len()
        ),
        (&json!("viewer"), 2)
    );
    running.stop().await;
    // Without the setting, what is there is disabled and deleted, and nothing is made.
    let running = Running::start(&data, &flags).await;
    sign_in(&running);
    refused(&make, "custom roles are switched off");
    refused(
        &["update", "Watchers", "--description", "x"],
        "custom roles are switched off",
    );
    assert_eq!(must(&["update", "Watchers", "--disable"])["enabled"], false);
    refused(
        &["update", "Watchers", "--enable"],
        "custom roles are switched off",
    );
    refused(&["delete", "Viewer"], "predefined");
    must(&["delete", "Watchers"]);
    refused(&["get", "Watchers"], "there is no role `Watchers`");
    running.stop().await;
}
