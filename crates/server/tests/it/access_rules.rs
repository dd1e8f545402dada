//! Access rules.

use axum::http::Method;
use serde_json::json;

use crate::server::{OrganizationFixture, Transcript, rule};

const ALL: &str = "/api/v1/authorization/access-rules";

#[tokio::test]
async fn rules_are_made_listed_counted_shown_and_deleted() {
    let organization = OrganizationFixture::new().await;
    let admin = &organization.server.admin;
    let mut page = Transcript::of(&organization.server);
    let robots = ("project", organization.robots.as_str());
    let made = page
        .post(
            "by email",
            admin,
            ALL,
            rule(("user", "Bob@Example.com"), 5, robots),
        )
        .await
        .is(201);
    let path = format!("{ALL}/{}", made["id"]);
    page.get("one, with the path of its scope", admin, &path)
        .await
        .is(200);
    page.get("filtered", admin, &format!("{ALL}?subjectType=app&limit=1"))
        .await
        .is(200);
    page.get(
        "the count",
        admin,
        &format!("{ALL}/count?filterBy=roleName==viewer"),
    )
    .await
    .is(200);
    page.post("twice", admin, ALL, rule(("user", "bob@example.com"), 5, robots))
        .await
        .refused(409);
    page.post(
        "a group",
        admin,
        ALL,
        rule(("group", "ml-admins"), 9, ("cluster", &organization.cluster)),
    )
    .await
    .is(201);
    page.post("an app", admin, ALL, rule(("app", "ci"), 9, ("tenant", "1")))
        .await
        .is(201);
    page.post(
        "an unknown user",
        admin,
        ALL,
        rule(("user", "eve@example.com"), 9, robots),
    )
    .await
    .refused(404);
    page.post("an unknown app", admin, ALL, rule(("app", "nope"), 9, robots))
        .await
        .refused(404);
    page.post("an unknown role", admin, ALL, rule(("app", "ci"), 77, robots))
        .await
        .refused(404);
    page.post(
        "an unknown project",
        admin,
        ALL,
        rule(("app", "ci"), 9, ("project", "99")),
    )
    .await
    .refused(404);
    page.post(
        "a project that is none",
        admin,
        ALL,
        rule(("app", "ci"), 9, ("project", "x")),
    )
    .await
    .refused(404);
    page.post(
        "a reserved group",
        admin,
        ALL,
        rule(("group", "system:masters"), 9, robots),
    )
    .await
    .refused(400);
    page.post("a bad email", admin, ALL, rule(("user", "eve"), 9, robots))
        .await
        .refused(400);
    page.post(
        "the scope of a vendor",
        admin,
        ALL,
        rule(("app", "ci"), 9, ("system", "1")),
    )
    .await
    .refused(400);
    let mut elsewhere = rule(("app", "ci"), 9, robots);
    elsewhere["clusterId"] = json!("00000000-0000-4000-8000-000000000000");
    page.post("another cluster", admin, ALL, elsewhere)
        .await
        .refused(400);
    page.get("unknown", admin, &format!("{ALL}/999"))
        .await
        .refused(404);
    page.get("alice may not list", &organization.alice, ALL)
        .await
        .refused(403);
    page.post(
        "alice may not give",
        &organization.alice,
        ALL,
        rule(("app", "ci"), 9, robots),
    )
    .await
    .refused(403);
    page.delete("deleted", admin, &path).await.is(204);
    page.delete("deleted before", admin, &path).await.refused(404);
    page.get("a deleted one is not shown", admin, &path)
        .await
        .refused(404);
    page.get(
        "but by the list, to who asks for it",
        admin,
        &format!("{ALL}?includeDeleted=true&roleId=5&subjectIds=bob@example.com"),
    )
    .await
    .is(200);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn a_users_id_is_taken_for_her_email() {
    let organization = OrganizationFixture::new().await;
    let id = organization.alice_id.to_string();
    let made = organization
        .server
        .post(
            &organization.server.admin,
            ALL,
            rule(("user", &id), 9, ("tenant", "1")),
        )
        .await
        .is(201);
    assert_eq!(made["subjectId"], "alice@example.com");
    let nobody = rule(
        ("user", "00000000-0000-4000-8000-000000000000"),
        9,
        ("tenant", "1"),
    );
    organization
        .server
        .post(&organization.server.admin, ALL, nobody)
        .await
        .refused(404);
}

/// Planted faults: one of the two ways does not look; a name with a blank inside is refused.
#[tokio::test]
async fn no_rule_and_no_preview_of_one_names_a_group_that_looks_like_another() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for name in ["ml\u{202e}", "ml\u{200b}admins", " ml", "ml "] {
        let wanted = rule(("group", name), 9, ("tenant", "1"));
        let said = server.post(&server.admin, ALL, wanted.clone()).await.refused(400);
        assert!(said.contains("subjectId"), "{said}");
        let preview = json!({"addRules": [wanted]});
        server
            .post(&server.admin, "/api/v1/authorization/preview", preview)
            .await
            .refused(400);
    }
    let wanted = rule(("group", "ML admins (Köln)"), 9, ("tenant", "1"));
    server.post(&server.admin, ALL, wanted).await.is(201);
}

#[tokio::test]
async fn deleting_a_rule_revokes_the_next_request() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    server.get(&organization.alice, "/api/v1/workloads").await.is(200);
    server
        .delete(&server.admin, &format!("{ALL}/{}", organization.alice_rule))
        .await
        .is(204);
    server
        .get(&organization.alice, "/api/v1/workloads")
        .await
        .refused(403);
    server
        .rule(
            ("user", "alice@example.com"),
            5,
            ("project", &organization.robots),
        )
        .await;
    server.get(&organization.alice, "/api/v1/workloads").await.is(200);
}

#[tokio::test]
async fn nobody_gives_what_she_does_not_hold_or_where_she_does_not() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, carol) = server.user("carol@example.com", json!(null)).await;
    server
        .rule(
            ("user", "carol@example.com"),
            1,
            ("department", &organization.language),
        )
        .await;
    let give = |role, scope| server.post(&carol, ALL, rule(("group", "g"), role, scope));
    give(1, ("project", organization.captions.as_str())).await.is(201);
    give(9, ("department", organization.language.as_str()))
        .await
        .is(201);
    give(9, ("project", organization.robots.as_str()))
        .await
        .refused(404);
    give(9, ("department", organization.vision.as_str()))
        .await
        .refused(404);
    // She sees the name of the cluster, being above her department: no secret, and no right.
    let message = give(9, ("cluster", organization.cluster.as_str()))
        .await
        .refused(403);
    assert!(
        message.contains("`access_rules:create` in cluster `demo`"),
        "{message}"
    );
    let message = give(9, ("tenant", "1")).await.refused(403);
    assert!(
        message.contains("`access_rules:create` in the account"),
        "{message}"
    );
    server
        .delete(&carol, &format!("{ALL}/{}", organization.alice_rule))
        .await
        .refused(404);
    server.delete(&carol, &format!("{ALL}/1")).await.refused(404);
    let seen = server.get(&carol, ALL).await.is(200);
    assert_eq!(seen["totalRecords"], 4, "{seen}");
}

#[tokio::test]
async fn what_the_clusters_say_of_a_rule_is_shown_with_it() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let report = |phase: &str, message: &str| json!({"objects": [{"kind": "AccessRule", "id": organization.alice_rule, "phase": phase, "message": message}]});
    let path = format!("{ALL}/{}", organization.alice_rule);
    for phase in ["Creating", "Ready"] {
        server
            .post(&token, "/link/v1/status", report(phase, ""))
            .await
            .is(204);
        assert_eq!(
            server.get(&server.admin, &path).await.is(200)["status"]["phase"],
            phase
        );
    }
    server
        .post(
            &token,
            "/link/v1/status",
            report("NotReady", "the namespace is missing"),
        )
        .await
        .is(204);
    let shown = server.get(&server.admin, &path).await.is(200)["status"].clone();
    let details = format!("NotReady: [{}]", organization.cluster);
    assert_eq!(
        shown,
        json!({"phase": "NotReady", "message": "the namespace is missing", "details": details})
    );
}

#[tokio::test]
async fn a_rule_is_being_created_until_every_cluster_it_reaches_has_said_more() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (other, _) = server.cluster("other").await;
    let body = rule(("group", "g"), 9, ("tenant", "1"));
    let made = server.post(&server.admin, ALL, body).await.is(201);
    let path = format!("{ALL}/{}", made["id"]);
    let status = async || {
        let one = server.get(&server.admin, &path).await.is(200)["status"].clone();
        let list = server
            .get(&server.admin, &format!("{ALL}?subjectIds=g"))
            .await
            .is(200);
        assert_eq!(list["accessRules"][0]["status"], one);
        one
    };
    let mut both = [organization.cluster.as_str(), other.as_str()];
    both.sort_unstable();
    let waiting = "not every cluster it reaches has taken it up yet";
    let creating = json!({"phase": "Creating", "message": waiting, "details": format!("Creating: [{}]", both.join(", "))});
    assert_eq!(made["status"], creating);
    assert_eq!(status().await, creating);
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let report =
        json!({"objects": [{"kind": "AccessRule", "id": made["id"], "phase": "Ready", "message": ""}]});
    server.post(&token, "/link/v1/status", report).await.is(204);
    let half = status().await;
    assert_eq!(half["phase"], "Creating");
    assert_eq!(
        half["details"],
        format!("Creating: [{other}]; Ready: [{}]", organization.cluster)
    );
    server
        .delete(&server.admin, &format!("/api/v1/clusters/{other}"))
        .await
        .is(204);
    assert_eq!(status().await["phase"], "Ready");
    server.delete(&server.admin, &path).await.is(204);
    let gone = format!("{ALL}?includeDeleted=true&subjectIds=g");
    let gone = server.get(&server.admin, &gone).await.is(200);
    assert_eq!(gone["accessRules"][0].get("status"), None);
}

#[tokio::test]
async fn a_rule_that_no_cluster_is_to_have_has_no_status() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let made = server
        .post(&server.admin, ALL, rule(("app", "ci"), 9, ("tenant", "1")))
        .await
        .is(201);
    let path = format!("{ALL}/{}", made["id"]);
    assert_eq!(made["status"]["phase"], "Creating");
    for (enabled, phase) in [(false, json!(null)), (true, json!("Creating"))] {
        let account = format!("/api/v1/service-accounts/{}", organization.ci_id);
        let body = json!({"enabled": enabled}).to_string();
        server
            .call(&server.admin, Method::PATCH, &account, body)
            .await
            .is(200);
        assert_eq!(
            server.get(&server.admin, &path).await.is(200)["status"]["phase"],
            phase
        );
    }
    server
        .delete(
            &server.admin,
            &format!("/api/v1/clusters/{}", organization.cluster),
        )
        .await
        .is(204);
    assert_eq!(server.get(&server.admin, &path).await.is(200).get("status"), None);
}

#[tokio::test]
async fn a_wrong_field_is_named_with_what_would_be_right() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let right = || {
        rule(
            ("user", "bob@example.com"),
            9,
            ("project", organization.robots.as_str()),
        )
    };
    for (field, wrong, said) in [
        (
            "roleId",
            json!("9"),
            "`roleId`: a whole number, without quotes, is needed",
        ),
        (
            "scopeType",
            json!("room"),
            "`scopeType`: one of `tenant`, `cluster`, `department`, `project` is needed",
        ),
        ("subjectId", json!(7), "`subjectId`: text in quotes is needed"),
    ] {
        let mut body = right();
        body[field] = wrong;
        assert_eq!(server.post(&server.admin, ALL, body).await.refused(400), said);
    }
    for (kind, wrong, part) in [
        (
            "group",
            "system:masters",
            "`subjectId`: `system:masters` is not a valid group name: ",
        ),
        (
            "group",
            "reeve:installers",
            "`subjectId`: `reeve:installers` is not a valid group name: ",
        ),
        ("user", "alice", "`subjectId`: `alice` is not a valid email: "),
    ] {
        let body = rule((kind, wrong), 9, ("project", &organization.robots));
        let message = server.post(&server.admin, ALL, body).await.refused(400);
        assert!(message.starts_with(part), "{message}");
    }
}

#[tokio::test]
async fn an_application_is_named_by_its_name_or_its_id() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (id, _) = server.service_account("robot").await;
    let body = rule(
        ("service-account", &id.to_string()),
        9,
        ("project", &organization.robots),
    );
    let made = server.post(&server.admin, ALL, body).await.is(201);
    assert_eq!(made["subjectId"], "robot");
}

#[tokio::test]
async fn last_updated_lets_through_what_was_made_or_deleted_since() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    server.clock.advance_seconds(60);
    let fresh = server.rule(("group", "g"), 9, ("tenant", "1")).await;
    server
        .delete(&server.admin, &format!("{ALL}/{}", organization.alice_rule))
        .await
        .is(204);
    let ids = async |query: &str| -> Vec<i64> {
        let list = server.get(&server.admin, &format!("{ALL}?{query}")).await.is(200);
        let rules = list["accessRules"].as_array().unwrap();
        rules.iter().map(|rule| rule["id"].as_i64().unwrap()).collect()
    };
    // The moment of the town is 2023-11-14T22:13:20Z.
    assert_eq!(ids("lastUpdated=2023-11-14T22:14:00Z").await, [fresh]);
    assert_eq!(
        ids("lastUpdated=2023-11-14T22:14:00Z&includeDeleted=true").await,
        [organization.alice_rule, fresh]
    );
    assert!(ids("lastUpdated=2023-11-14T22:13:20Z").await.len() > 1);
    let message = server
        .get(&server.admin, &format!("{ALL}?lastUpdated=yesterday"))
        .await
        .refused(400);
    assert!(message.contains("2026-01-31T12:00:00Z"), "{message}");
}
