//! Wrong input gets its documented status and `{code, message}`; nothing changes, nothing panics.

use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use reeve_api::operation::Method as OperationMethod;
use reeve_api::{OPERATIONS, RequestBody};
use serde_json::json;

use crate::credentials;
use crate::server::{OrganizationFixture, Server};

/// A path with something in the place of its parameter.
fn filled(path: &str) -> String {
    with_id(path, "77")
}

fn with_id(path: &str, id: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { id } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn broken_json_is_400_for_every_operation_with_a_body() {
    let organization = OrganizationFixture::new().await;
    let before = organization.server.app.store.directory().await.unwrap();
    let bodies = [
        "",
        "{",
        "[]",
        "null",
        "{\"name\":",
        "\u{0}",
        "{\"a\":1}",
        "\"x\"",
        "{\"name\":{\"name\":[]}}",
    ];
    for operation in OPERATIONS {
        let says_nothing = match operation.body {
            // A form is no JSON: `refresh_tokens.rs`.
            RequestBody::Unread | RequestBody::Form { .. } => continue,
            RequestBody::Empty => true,
            RequestBody::Json { .. } => false,
        };
        // Nothing at all is what a body that says nothing may be, and an empty list is a list.
        let is_list = operation.name.ends_with("_resources");
        let wrong = bodies
            .into_iter()
            .filter(|body| !says_nothing || !["", "null"].contains(body))
            .filter(|body| !is_list || !["", "[]"].contains(body));
        for body in wrong {
            let path = filled(operation.path);
            let method: Method = operation.method.into();
            let answer = organization
                .server
                .call(&organization.server.admin, method, &path, body)
                .await;
            answer.refused(400);
        }
    }
    assert_eq!(organization.server.app.store.directory().await.unwrap(), before);
}

#[tokio::test]
async fn ten_mebibytes_are_413_for_every_operation_with_a_body() {
    let organization = OrganizationFixture::new().await;
    let before = organization.server.app.store.directory().await.unwrap();
    let big = Bytes::from(vec![b' '; 10 * 1024 * 1024]);
    for operation in OPERATIONS {
        if operation.reads_body() {
            let answer = organization
                .server
                .call(
                    &organization.server.admin,
                    operation.method.into(),
                    &filled(operation.path),
                    big.clone(),
                )
                .await;
            answer.refused(413);
            // Without a length announced.
            let chunks = futures::stream::iter(
                big.chunks(64 * 1024)
                    .map(|it| Ok::<_, std::io::Error>(it.to_vec()))
                    .collect::<Vec<_>>(),
            );
            let body = Body::from_stream(chunks);
            let answer = organization
                .server
                .call(
                    &organization.server.admin,
                    operation.method.into(),
                    &filled(operation.path),
                    body,
                )
                .await;
            answer.refused(413);
        }
    }
    for path in ["/link/v1/token"] {
        organization
            .server
            .call("", Method::POST, path, big.clone())
            .await
            .refused(413);
    }
    assert_eq!(organization.server.app.store.directory().await.unwrap(), before);
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405() {
    let organization = OrganizationFixture::new().await;
    for path in [
        "/",
        "/api",
        "/api/v2/users",
        "/api/v1/users/x/y/z",
        "/link/v1/nope",
        "/api/v1/org_unit/projects",
    ] {
        organization
            .server
            .get(&organization.server.admin, path)
            .await
            .refused(404);
    }
    for (method, path) in [
        (Method::PUT, "/api/v1/users"),
        (Method::PATCH, "/api/v1/clusters"),
        (Method::DELETE, "/healthz"),
        (Method::GET, "/api/v1/token"),
        (Method::GET, "/link/v1/watch"),
    ] {
        organization
            .server
            .call(&organization.server.admin, method, path, "")
            .await
            .refused(405);
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_is_400() {
    let organization = OrganizationFixture::new().await;
    for path in [
        "/api/v1/users?limit=0",
        "/api/v1/users?limit=501",
        "/api/v1/users?offset=-1",
        "/api/v1/users?filterBy=username!=x",
        "/api/v1/users?nonsense=1",
        "/api/v1/org-unit/projects?sortBy=colour",
        "/api/v1/org-unit/projects?sortOrder=SortOrder.ASC",
        "/api/v1/org-unit/departments?verbosity=loud",
        "/api/v1/authorization/access-rules?includeDeleted=maybe",
        "/api/v1/authorization/access-rules?subjectType=robot",
        "/api/v1/workloads?deleted=1",
        "/api/v1/service-accounts?x=1",
    ] {
        organization
            .server
            .get(&organization.server.admin, path)
            .await
            .refused(400);
    }
    // What the reference's client sends without arguments.
    for path in [
        "/api/v1/users?",
        "/api/v1/org-unit/projects?",
        "/api/v1/clusters?",
        "/api/v1/users?search=&limit=",
    ] {
        organization
            .server
            .get(&organization.server.admin, path)
            .await
            .is(200);
    }
}

#[tokio::test]
async fn ids_of_every_shape_are_404_and_never_500() {
    let organization = OrganizationFixture::new().await;
    let before = organization.server.app.store.directory().await.unwrap();
    let ids = [
        "0",
        "-1",
        "99",
        "9999999999999999999",
        "a",
        "%00",
        "%2e%2e",
        "..%2f..",
        "00000000-0000-4000-8000-000000000000",
        "00000000-0000-4000-8000-00000000000g",
        "%F0%9F%92%A5",
        "'",
        "1%20OR%201",
    ];
    for operation in OPERATIONS.iter().filter(|it| it.path.contains('{')) {
        // Everything but the id is right.
        let kind = operation.path.strip_prefix("/api/v1/asset/credentials/");
        let kind = kind.filter(|_| operation.method == OperationMethod::Put);
        let credential = kind
            .and_then(|kind| kind.split('/').next())
            .map_or_else(String::new, |kind| {
                json!({"spec": credentials::spec(kind, "value")}).to_string()
            });
        let body = match operation.name {
            "set_user_posix" => r#"{"uid":61000,"gid":5000}"#,
            "set_cluster_lowest_id" => r#"{"lowestId":500}"#,
            "set_project_networking" => r#"{"allowNetworking":true}"#,
            "set_project_pod_rules" => r#"{"nodePools":["gpu"]}"#,
            "update_department" | "update_project" => r#"{"resources":[]}"#,
            "update_cluster" => r#"{"name":"renamed"}"#,
            "update_security_setting_by_key" => r#"{"enabled":false}"#,
            "update_idp" => {
                r#"{"type":"oidc","oidcData":{"clientId":"a","clientSecret":"b","discoverDocumentUrl":"https://idp.example"}}"#
            }
            "update_idp_mappers" => "{}",
            "update_role" => {
                r#"{"name":"a","description":"b","permissionSets":[{"id":"9cc43da2-fb7b-8760-983d-84d7b0e20ee4"}]}"#
            }
            "update_service_account_by_id" | "update_application_by_id" => r#"{"enabled":false}"#,
            "update_Secret_asset_by_id" => r#"{"meta":{"name":"a"}}"#,
            "patch_cluster" => r#"{"kubernetesEndpoint":{"server":"https://k8s.example"}}"#,
            _ => credential.as_str(),
        };
        for id in ids {
            let path = with_id(operation.path, id);
            let method: Method = operation.method.into();
            let answer = organization
                .server
                .call(&organization.server.admin, method, &path, body.to_owned())
                .await;
            answer.refused(404);
        }
    }
    assert_eq!(organization.server.app.store.directory().await.unwrap(), before);
}

#[tokio::test]
async fn a_head_beyond_its_bounds_is_refused_with_the_bound() {
    let server = Server::new().await;
    let long = "x".repeat(9000);
    let message = server
        .get(&server.admin, &format!("/api/v1/users?search={long}"))
        .await
        .refused(400);
    assert_eq!(
        message,
        "the query string is too long: at most 8192 bytes are possible"
    );
    let message = server
        .get(&server.admin, &format!("/api/v1/users/{long}"))
        .await
        .refused(400);
    assert_eq!(message, "the path is too long: at most 2048 bytes are possible");
    let request = http::Request::get("/api/v1/me")
        .header("x-a", &long)
        .header("x-b", &long);
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    let message = answer.refused(431);
    assert_eq!(
        message,
        "the headers are too large: at most 16384 bytes are possible in all"
    );
    let many = ["name!=x"; 33].join(",");
    let message = server
        .get(
            &server.admin,
            &format!("/api/v1/org-unit/projects?filterBy={many}"),
        )
        .await
        .refused(400);
    assert_eq!(message, "parameter `filterBy`: at most 32 clauses are possible");
}
