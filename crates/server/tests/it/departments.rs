//! Departments.

use axum::http::Method;
use serde_json::json;

use crate::followed::is_fresh;
use crate::server::{OrganizationFixture, Transcript};

const ALL: &str = "/api/v1/org-unit/departments";

#[tokio::test]
async fn departments_are_made_listed_counted_shown_and_deleted() {
    let organization = OrganizationFixture::new().await;
    let admin = &organization.server.admin;
    let mut page = Transcript::of(&organization.server);
    let body = json!({
        "name": "audio", "clusterId": organization.cluster, "description": "sounds",
        "resources": [{"nodePool": {"id": "1", "name": "default"}, "gpu": {"deserved": 2.5}, "cpu": {"deserved": 4000}}],
    });
    let made = page.post("success", admin, ALL, body.clone()).await.is(201);
    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    page.get("one", admin, &path).await.is(200);
    page.get("a page", admin, &format!("{ALL}?limit=1&offset=1&sortBy=name"))
        .await
        .is(200);
    page.get("the count", admin, &format!("{ALL}/count?filterBy=name=@a"))
        .await
        .is(200);
    page.post("taken", admin, ALL, body).await.refused(409);
    page.post(
        "a bad name",
        admin,
        ALL,
        json!({"name": "1x", "clusterId": organization.cluster, "resources": []}),
    )
    .await
    .refused(400);
    page.post(
        "nothing of resources",
        admin,
        ALL,
        json!({"name": "x", "clusterId": organization.cluster}),
    )
    .await
    .refused(400);
    let nowhere = "00000000-0000-4000-8000-000000000000";
    page.post(
        "no such cluster",
        admin,
        ALL,
        json!({"name": "x", "clusterId": nowhere, "resources": []}),
    )
    .await
    .refused(404);
    page.get("a bad filter", admin, &format!("{ALL}?filterBy=colour==red"))
        .await
        .refused(400);
    page.get("unknown", admin, &format!("{ALL}/99"))
        .await
        .refused(404);
    page.get("no id", admin, &format!("{ALL}/x")).await.refused(404);
    page.delete("deleted", admin, &path).await.is(204);
    page.delete("deleted before", admin, &path).await.refused(404);
    let body = json!({"name": "x", "clusterId": organization.cluster, "resources": []});
    page.post("bob makes one", &organization.bob, ALL, body)
        .await
        .refused(403);
    page.get("bob sees his own", &organization.bob, ALL).await.is(200);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn with_a_department_go_its_projects_and_rules() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    assert_eq!(
        server
            .get(&organization.alice, "/api/v1/org-unit/projects")
            .await
            .is(200)["projects"][0]["name"],
        "robots"
    );
    server
        .delete(&server.admin, &format!("{ALL}/{}", organization.vision))
        .await
        .is(204);
    server
        .get(&organization.alice, "/api/v1/org-unit/projects")
        .await
        .refused(403);
    server
        .get(
            &server.admin,
            &format!("/api/v1/org-unit/projects/{}", organization.robots),
        )
        .await
        .refused(404);
    let left = server
        .get(&server.admin, "/api/v1/authorization/access-rules")
        .await
        .is(200);
    assert_eq!(left["totalRecords"], 2, "{left}");
    let all = server
        .get(
            &server.admin,
            "/api/v1/authorization/access-rules?includeDeleted=true",
        )
        .await
        .is(200);
    assert_eq!(all["totalRecords"], 4, "{all}");
}

/// Planted faults: what a change leaves out stays; a change by the right to change projects; the list searches what was there before.
#[tokio::test]
async fn a_change_of_a_department_is_its_settings_as_a_whole() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = format!("{ALL}/{}", organization.vision);
    let put = async |token: &str, body: serde_json::Value| {
        server.call(token, Method::PUT, &path, body.to_string()).await
    };
    let quota = json!([{"gpu": {"deserved": 2}}]);
    let first = json!({"description": "Sees.", "resources": quota, "schedulingRules": {"trainingJobTimeLimitSeconds": 60},
        "defaultNodePools": ["a"], "nodeTypes": {"training": ["b"]}});
    server.clock.advance_seconds(60);
    let changed = put(&server.admin, first).await.is(200);
    assert_eq!(
        (&changed["description"], &changed["totalResources"]["gpuQuota"]),
        (&json!("Sees."), &json!(2.0))
    );
    assert_ne!(changed["updatedAt"], changed["createdAt"]);
    assert_eq!(changed["name"], "vision");
    assert_eq!(server.get(&server.admin, &path).await.is(200), changed);
    is_fresh(server, "a department was changed").await;
    let found = server
        .get(&server.admin, &format!("{ALL}?filterBy=name==vision"))
        .await
        .is(200);
    assert_eq!(found["departments"][0]["description"], "Sees.");
    // What is left out is given no more.
    server.clock.advance_seconds(60);
    let second = put(&server.admin, json!({"resources": []})).await.is(200);
    for (field, value) in [
        ("description", json!("")),
        ("resources", json!([])),
        ("schedulingRules", json!(null)),
        ("defaultNodePools", json!(null)),
    ] {
        assert_eq!(second[field], value, "{field}");
    }
    assert_eq!(second.get("nodeTypes"), None);
    // Both are in the audit log, with what was before.
    let query =
        "/api/v1/audit/log?start=2023-11-14&end=2033-11-14&sortBy=timestamp&sortOrder=desc&numberOfSamples=1";
    let log = server
        .get(
            &server.admin,
            &format!("{query}&filterBy=action==update,entity_type==department"),
        )
        .await
        .is(200);
    let event = &log["audit_logs"][0];
    assert_eq!(
        (&log["total"], &event["entity_name"]),
        (&json!(2), &json!("vision"))
    );
    assert!(
        event["metadata"]["settings_before"]
            .as_str()
            .unwrap()
            .contains("Sees."),
        "{event}"
    );
    assert!(
        !event["metadata"]["settings_after"]
            .as_str()
            .unwrap()
            .contains("Sees."),
        "{event}"
    );
    for (body, said) in [
        (json!({}), "`resources` is missing"),
        (
            json!({"resources": [], "name": "other"}),
            "`name` is not a field of this request",
        ),
        (
            json!({"resources": [], "overtimeData": {}}),
            "`overtimeData` is not a field of this request",
        ),
        (
            json!({"resources": [{"gpu": {"deserved": "many"}}]}),
            "`resources[0].gpu.deserved`",
        ),
    ] {
        let refused = put(&server.admin, body).await.refused(400);
        assert!(refused.starts_with(said), "{refused}");
    }
    // Bob is in another department, Alice in a project of this one.
    put(&organization.bob, json!({"resources": []}))
        .await
        .refused(403);
    put(&organization.alice, json!({"resources": []}))
        .await
        .refused(403);
    let unknown = server
        .call(
            &server.admin,
            Method::PUT,
            &format!("{ALL}/99"),
            r#"{"resources":[]}"#,
        )
        .await;
    unknown.refused(404);
}

#[tokio::test]
async fn no_priority_ranks_anything_and_who_may_read_projects_is_told_so() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = "/api/v1/org-unit/priorities";
    let told = server.get(&organization.alice, path).await.is(200);
    assert_eq!(told, json!({"priorities": []}));
    server.get(&organization.nobody, path).await.refused(403);
    server.get("", path).await.refused(401);
}
