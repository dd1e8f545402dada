//! Departments.

use serde_json::json;

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
