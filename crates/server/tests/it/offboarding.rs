//! Somebody leaves, in one call.

use axum::http::{Method, StatusCode};
use reeve_store::SubjectId;
use serde_json::{Value, json};

use crate::audit::events;
use crate::followed::is_fresh;
use crate::server::{ADMIN, OrganizationFixture, Server};
use crate::{credentials, custom_roles};

const PATH: &str = "/api/v1/offboarding";

async fn submitted(organization: &OrganizationFixture, name: &str) -> String {
    let body = json!({"name": name, "projectId": organization.robots, "clusterId": organization.cluster, "spec": {"image": "i"}});
    let server = &organization.server;
    let made = server
        .post(&organization.alice, "/api/v1/workloads/trainings", body)
        .await;
    made.is(202)["workloadId"].as_str().unwrap().to_owned()
}

fn offboard(user: &str, workloads: &str, dry_run: bool) -> Value {
    json!({"user": user, "workloads": workloads, "dryRun": dry_run})
}

/// Planted faults: the dry run deletes; the workloads of others go, too; the sweep is not looked for again.
#[tokio::test]
async fn all_that_somebody_has_goes_in_one_call_and_a_dry_run_says_what_that_is() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let work = [
        submitted(&organization, "one").await,
        submitted(&organization, "two").await,
    ];
    let theirs = json!({"name": "theirs", "projectId": organization.robots, "clusterId": organization.cluster, "spec": {"image": "i"}});
    let others = server
        .post(&organization.ci, "/api/v1/workloads/trainings", theirs)
        .await;
    server
        .rule(
            ("user", "alice@example.com"),
            9,
            ("department", &organization.language),
        )
        .await;
    server.provided(organization.alice_id, &["ml"], Value::Null).await;
    let before = server.app.store.directory().await.unwrap();

    let dry = server
        .post(&server.admin, PATH, offboard("alice@example.com", "delete", true))
        .await
        .is(200);
    assert_eq!(server.app.store.directory().await.unwrap(), before);
    assert_eq!(
        (&dry["dryRun"], &dry["id"]),
        (&json!(true), &json!(organization.alice_id.to_string()))
    );
    assert_eq!(dry["accessRules"].as_array().unwrap().len(), 2);
    assert!(
        dry["sessions"].as_u64().is_some_and(|sessions| sessions >= 1),
        "{dry}"
    );
    let names: Vec<&str> = dry["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(
        (&dry["left"]["user"], &dry["left"]["workloads"]),
        (&json!(true), &json!(2))
    );

    let id = organization.alice_id.to_string();
    let done = server
        .post(&server.admin, PATH, offboard(&id, "delete", false))
        .await
        .is(200);
    for field in ["id", "username", "accessRules", "sessions", "workloads"] {
        assert_eq!(done[field], dry[field], "{field}");
    }
    assert_eq!(
        done["left"],
        json!({"user": false, "serviceAccount": false, "accessRules": 0, "sessions": 0, "workloads": 0, "credentials": 0})
    );
    // By each resource's own word.
    server.get(&organization.alice, "/api/v1/me").await.refused(401);
    for id in work {
        let path = format!("/api/v1/workloads/trainings/{id}");
        server.get(&server.admin, &path).await.refused(404);
    }
    let rules = "/api/v1/authorization/access-rules?subjectType=user&subjectIdFilter=alice@example.com";
    assert_eq!(server.get(&server.admin, rules).await.is(200)["totalRecords"], 0);
    if others.status == StatusCode::ACCEPTED {
        let kept = format!(
            "/api/v1/workloads/trainings/{}",
            others.json()["workloadId"].as_str().unwrap()
        );
        server.get(&server.admin, &kept).await.is(200);
    }

    // Again, by the email: nothing is left to do. The id is nobody's any more.
    let again = server
        .post(
            &server.admin,
            PATH,
            offboard("alice@example.com", "delete", false),
        )
        .await
        .is(200);
    assert_eq!(
        (&again["id"], &again["accessRules"], &again["workloads"]),
        (&Value::Null, &json!([]), &json!([]))
    );
    server
        .post(&server.admin, PATH, offboard(&id, "delete", false))
        .await
        .refused(404);
}

#[tokio::test]
async fn workloads_can_be_left_and_another_call_does_the_rest() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let work = submitted(&organization, "stays").await;
    let done = server
        .post(&server.admin, PATH, offboard("alice@example.com", "leave", false))
        .await
        .is(200);
    assert_eq!(
        done["left"],
        json!({"user": false, "serviceAccount": false, "accessRules": 0, "sessions": 0, "workloads": 1, "credentials": 0})
    );
    server
        .get(&server.admin, &format!("/api/v1/workloads/trainings/{work}"))
        .await
        .is(200);
    // Another call does the rest.
    let rest = server
        .post(
            &server.admin,
            PATH,
            offboard("alice@example.com", "delete", false),
        )
        .await
        .is(200);
    assert_eq!(rest["left"]["workloads"], 0);
}

#[tokio::test]
async fn offboarding_is_for_who_deletes_users_of_the_account_and_not_for_oneself() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    server
        .rule(
            ("user", "dora@example.com"),
            1,
            ("department", &organization.language),
        )
        .await;
    for who in [&dora, &organization.bob] {
        for user in ["alice@example.com", "not-there@example.com"] {
            let said = server
                .post(who, PATH, offboard(user, "delete", false))
                .await
                .refused(403);
            assert!(said.contains("users:delete") && !said.contains(user), "{said}");
        }
    }
    server
        .post(&server.admin, PATH, offboard(ADMIN, "leave", false))
        .await
        .refused(409);
    server
        .post(&server.admin, PATH, offboard("no email", "leave", true))
        .await
        .refused(400);
    server.get(&organization.alice, "/api/v1/me").await.is(200);
}

/// Planted fault: the dry run does not look who is left.
#[tokio::test]
async fn a_dry_run_refuses_what_the_call_refuses_for_the_last_local_administrator() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    // Of an application, which may offboard the administrator but is none that signs in with a password.
    server.rule(("service-account", "ci"), 1, ("tenant", "1")).await;
    let mut said = Vec::new();
    for dry_run in [true, false] {
        let body = offboard(ADMIN, "leave", dry_run);
        said.push(server.post(&organization.ci, PATH, body).await.refused(409));
    }
    assert!(said[0].contains("last local System administrator"), "{}", said[0]);
    assert_eq!(said[0], said[1]);
    // With another one it may be, and is.
    server.rule(("user", "bob@example.com"), 1, ("tenant", "1")).await;
    for dry_run in [true, false] {
        let body = offboard(ADMIN, "leave", dry_run);
        server.post(&organization.ci, PATH, body).await.is(200);
    }
}

/// Planted faults: the rules of a disabled application are not found; its workloads are another's of that name; the dry run deletes.
#[tokio::test]
async fn all_that_an_application_has_goes_in_one_call() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (id, token) = server.service_account("pipeline").await;
    for scope in [
        ("project", &organization.robots),
        ("department", &organization.vision),
    ] {
        server
            .rule(("service-account", "pipeline"), 9, (scope.0, scope.1))
            .await;
    }
    server
        .rule(("service-account", "ci"), 9, ("project", &organization.robots))
        .await;
    let again = server.token_of(SubjectId::ServiceAccount(id)).await;
    let others = rules_of(server, "service-account", "ci").await;
    let offboard =
        |account: &str, dry_run| json!({"serviceAccount": account, "workloads": "delete", "dryRun": dry_run});
    // Whoever deletes users alone is told nothing.
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    let refused = server
        .post(&dora, PATH, offboard("pipeline", true))
        .await
        .refused(403);
    assert!(!refused.contains("pipeline"), "{refused}");

    let dry = server
        .post(&server.admin, PATH, offboard("pipeline", true))
        .await
        .is(200);
    server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(
        (
            &dry["serviceAccount"],
            &dry["id"],
            &dry["username"],
            &dry["memberSessions"]
        ),
        (
            &json!("pipeline"),
            &json!(id.to_string()),
            &Value::Null,
            &Value::Null
        )
    );
    assert_eq!(dry["accessRules"].as_array().unwrap().len(), 2);
    assert!(dry["sessions"].as_u64().unwrap() >= 1, "{dry}");
    assert_eq!(
        (&dry["left"]["serviceAccount"], &dry["left"]["accessRules"]),
        (&json!(true), &json!(2))
    );
    // Disabled it has its rules all the same.
    let path = format!("/api/v1/service-accounts/{id}");
    server
        .call(
            &server.admin,
            Method::PATCH,
            &path,
            json!({"enabled": false}).to_string(),
        )
        .await
        .is(200);
    server.get(&again, "/api/v1/me").await.refused(401);

    let done = server
        .post(&server.admin, PATH, offboard(&id.to_string(), false))
        .await
        .is(200);
    assert_eq!(done["accessRules"], dry["accessRules"]);
    assert_eq!(
        done["left"],
        json!({"user": false, "serviceAccount": false, "accessRules": 0, "sessions": 0, "workloads": 0, "credentials": 0})
    );
    is_fresh(server, "an application was offboarded").await;
    server.get(&server.admin, &path).await.refused(404);
    assert_eq!(rules_of(server, "service-account", "pipeline").await, 0);
    assert_eq!(
        rules_of(server, "service-account", "ci").await,
        others,
        "the other's stay"
    );
    // Again by the name: nothing is left to do. The id is nobody's any more.
    let again = server
        .post(&server.admin, PATH, offboard("pipeline", false))
        .await
        .is(200);
    assert_eq!((&again["id"], &again["accessRules"]), (&Value::Null, &json!([])));
    server
        .post(&server.admin, PATH, offboard(&id.to_string(), false))
        .await
        .refused(404);
    server
        .post(&server.admin, PATH, offboard("Not A Name", true))
        .await
        .refused(400);
    // Nor itself.
    server.rule(("service-account", "ci"), 1, ("tenant", "1")).await;
    server
        .post(&organization.ci, PATH, offboard("ci", false))
        .await
        .refused(409);
}

async fn rules_of(server: &Server, kind: &str, id: &str) -> u64 {
    let path = format!("/api/v1/authorization/access-rules?subjectType={kind}&subjectIdFilter={id}");
    server.get(&server.admin, &path).await.is(200)["totalRecords"]
        .as_u64()
        .unwrap()
}

/// Planted faults: the rules of its members go as well, or those of another group whose name begins with this one's; members are signed
/// out; the sweep is not looked for again.
#[tokio::test]
async fn a_group_loses_its_access_rules_and_its_members_stay() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for (group, role, scope) in [
        ("team", 9, ("project", organization.robots.as_str())),
        ("team", 5, ("department", organization.vision.as_str())),
        ("team", 9, ("tenant", "1")),
        ("team-b", 9, ("tenant", "1")),
    ] {
        server.rule(("group", group), role, scope).await;
    }
    let (person, _) = server.user("member@example.com", Value::Null).await;
    let member = server.provided(person, &["team"], Value::Null).await;
    let member = server.token_in(&member);
    server.get(&member, "/api/v1/org-unit/projects").await.is(200);
    let offboard = |group: &str, dry_run| json!({"group": group, "dryRun": dry_run});
    let dry = server
        .post(&server.admin, PATH, offboard("team", true))
        .await
        .is(200);
    assert_eq!(
        (
            &dry["group"],
            &dry["id"],
            &dry["memberSessions"],
            &dry["workloads"]
        ),
        (&json!("team"), &Value::Null, &json!(1), &json!([]))
    );
    assert_eq!(dry["accessRules"].as_array().unwrap().len(), 3);
    server.get(&member, "/api/v1/org-unit/projects").await.is(200);

    let done = server
        .post(&server.admin, PATH, offboard("team", false))
        .await
        .is(200);
    assert_eq!(done["accessRules"], dry["accessRules"]);
    assert_eq!(
        done["left"],
        json!({"user": false, "serviceAccount": false, "accessRules": 0, "sessions": 0, "workloads": 0, "credentials": 0})
    );
    is_fresh(server, "a group was offboarded").await;
    assert_eq!(rules_of(server, "group", "team").await, 0);
    assert_eq!(rules_of(server, "group", "team-b").await, 1);
    // In force with the next request; the session goes on.
    server
        .get(&member, "/api/v1/org-unit/projects")
        .await
        .refused(403);
    server.get(&member, "/api/v1/me").await.is(200);
    let again = server
        .post(&server.admin, PATH, offboard("team", false))
        .await
        .is(200);
    assert_eq!(
        (&again["accessRules"], &again["memberSessions"]),
        (&json!([]), &json!(1))
    );

    // Whose own rights can hang on it, and who may not delete rules of the whole account.
    server.rule(("group", "bosses"), 1, ("tenant", "1")).await;
    let boss = server.provided(person, &["bosses"], Value::Null).await;
    let boss = server.token_in(&boss);
    for dry_run in [true, false] {
        server
            .post(&boss, PATH, offboard("bosses", dry_run))
            .await
            .refused(409);
    }
    assert_eq!(rules_of(server, "group", "bosses").await, 1);
    server
        .post(&organization.bob, PATH, offboard("bosses", true))
        .await
        .refused(403);
    let named = json!({"group": "bosses", "workloads": "delete", "dryRun": true});
    server.post(&server.admin, PATH, named).await.refused(400);
    server
        .post(&server.admin, PATH, offboard("system:masters", true))
        .await
        .refused(400);
}

fn with_credentials(mut body: Value, credentials: &str) -> Value {
    body["credentials"] = json!(credentials);
    body
}

/// Planted faults: those of others go as well; they go without being asked for; a dry run deletes them; one out of the caller's sight is
/// named.
#[tokio::test]
async fn what_somebody_made_is_named_and_her_credentials_go_when_that_is_asked_for() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    // As Project administrator she keeps credentials, as Application administrator of the account she makes an application.
    for (role, scope) in [
        (19, ("project", organization.robots.as_str())),
        (16, ("tenant", "1")),
    ] {
        server.rule(("user", "dora@example.com"), role, scope).await;
    }
    let robots = ("project", organization.robots.as_str());
    let hers = credentials::keep(server, &dora, "password", "hers", robots).await;
    let others = credentials::keep(server, &server.admin, "password", "others", robots).await;
    let made = server
        .post(&dora, "/api/v1/service-accounts", json!({"name": "robot"}))
        .await;
    let application = made.is(201)["id"].clone();
    let leaves = |credentials: Option<&str>, dry_run| {
        let body = offboard("dora@example.com", "leave", dry_run);
        credentials.map_or(body.clone(), |credentials| with_credentials(body, credentials))
    };
    let path = |id: &str| format!("/api/v1/asset/credentials/password/{id}");
    let named = json!([{"id": hers, "name": "hers", "kind": "password", "scopeType": "project",
        "scopeId": organization.robots, "scopeName": "robots"}]);
    for asked in [None, Some("leave"), Some("delete")] {
        let dry = server
            .post(&server.admin, PATH, leaves(asked, true))
            .await
            .is(200);
        assert_eq!(
            (&dry["credentials"], &dry["left"]["credentials"]),
            (&named, &json!(1))
        );
        assert_eq!(dry["applications"], json!([{"id": application, "name": "robot"}]));
        server.get(&server.admin, &path(&hers)).await.is(200);
    }
    // Left by who does not ask for more; another call does the rest, by the email alone.
    let left = server
        .post(&server.admin, PATH, leaves(None, false))
        .await
        .is(200);
    assert_eq!(
        (&left["credentials"], &left["left"]["credentials"]),
        (&named, &json!(1))
    );
    server.get(&server.admin, &path(&hers)).await.is(200);
    let done = server
        .post(&server.admin, PATH, leaves(Some("delete"), false))
        .await
        .is(200);
    assert_eq!(
        (&done["credentials"], &done["left"]["credentials"]),
        (&named, &json!(0))
    );
    server.get(&server.admin, &path(&hers)).await.refused(404);
    server.get(&server.admin, &path(&others)).await.is(200);
    let kept = format!("/api/v1/service-accounts/{}", application.as_str().unwrap());
    server.get(&server.admin, &kept).await.is(200);
    let deleted = events(server).await.into_iter().rfind(|it| {
        it.entry.entity_type == "credentials" && it.entry.entity_id == hers && it.entry.url == PATH
    });
    assert_eq!(deleted.unwrap().entry.entity_name, "hers");
    let group = json!({"group": "ml", "credentials": "delete", "dryRun": true});
    server.post(&server.admin, PATH, group).await.refused(400);
}

/// Planted fault: the deletion of credentials is not asked for in the whole account.
#[tokio::test]
async fn credentials_go_by_the_right_to_delete_them_in_the_whole_account() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    // All that offboarding needs, and nothing of credentials.
    let role = custom_roles::body(
        server,
        "Leavers",
        &["Users administrator", "Workloads viewer"],
        None,
    )
    .await;
    let role = server
        .post(&server.admin, "/api/v2/authorization/roles", role)
        .await
        .is(201);
    let (_, erin) = server.user("erin@example.com", Value::Null).await;
    server
        .rule(
            ("user", "erin@example.com"),
            role["id"].as_i64().unwrap(),
            ("tenant", "1"),
        )
        .await;
    let robots = ("project", organization.robots.as_str());
    credentials::keep(server, &server.admin, "password", "theirs", robots).await;
    let alice = offboard("alice@example.com", "leave", true);
    let told = server.post(&erin, PATH, alice.clone()).await.is(200);
    assert_eq!(told["credentials"], json!([]));
    let refused = server
        .post(&erin, PATH, with_credentials(alice, "delete"))
        .await
        .refused(403);
    assert!(refused.contains("credentials:delete"), "{refused}");
}
