//! Somebody leaves, in one call.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::server::{ADMIN, OrganizationFixture};

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
        json!({"user": false, "accessRules": 0, "sessions": 0, "workloads": 0})
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
        json!({"user": false, "accessRules": 0, "sessions": 0, "workloads": 1})
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
