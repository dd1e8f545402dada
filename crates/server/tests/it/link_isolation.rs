//! One cluster's agent cannot see another cluster, nor speak for it: every route of the link, every kind of object, and what else its
//! token could be shown to.

use axum::http::Method;
use reeve_api::{Access, OPERATIONS};
use reeve_link::ObjectKey;
use reeve_server::link::LinkRoute;
use serde_json::{Value, json};

use crate::credentials;
use crate::link::{Watch, large};
use crate::server::{OrganizationFixture, Server, rule};

/// Two clusters: the one of the organization, whose agent tries, and another with a project, rule and workload of its own.
struct Two {
    organization: OrganizationFixture,
    token: String,
    other: String,
    other_secret: String,
    theirs: Vec<ObjectKey>,
}

impl Two {
    async fn new() -> Self {
        let organization = OrganizationFixture::new().await;
        let server = &organization.server;
        let (other, other_secret) = server.cluster("other").await;
        let department = server.department(&other, "theirs").await;
        let project = server.project(&other, &department, "secret-project").await;
        let rule = server
            .rule(("user", "alice@example.com"), 5, ("project", &project))
            .await;
        let mut training = large(&organization, "their-training");
        training["projectId"] = json!(project);
        training["clusterId"] = json!(other);
        let made = server
            .post(&organization.alice, "/api/v1/workloads/trainings", training)
            .await
            .is(202);
        let scope = ("project", project.as_str());
        let credential = credentials::keep(server, &server.admin, "password", "theirs", scope).await;
        let theirs = vec![
            ObjectKey::Project(project.parse().unwrap()),
            ObjectKey::AccessRule(rule.to_string().parse().unwrap()),
            ObjectKey::Workload(made["workloadId"].as_str().unwrap().parse().unwrap()),
            ObjectKey::Credential(credential.parse().unwrap()),
        ];
        let token = server
            .link_token(&organization.cluster, &organization.secret)
            .await;
        Self {
            organization,
            token,
            other,
            other_secret,
            theirs,
        }
    }
}

/// Every row that a report could change, of every cluster.
async fn kept(server: &Server) -> Vec<String> {
    let mut all = Vec::new();
    for query in [
        "SELECT * FROM object_status ORDER BY cluster_id, kind, object_id",
        "SELECT id, settings, kubernetes_endpoint, reported_endpoint, applied_revision, last_liveness, connected_since, wrong_since
         FROM clusters WHERE name = 'other'",
        "SELECT * FROM desired_objects ORDER BY cluster_id, kind, object_id",
    ] {
        let rows = server.dir.beside().read(query).await;
        all.extend(rows.iter().map(Value::to_string));
    }
    all
}

fn status(key: &ObjectKey, phase: &str) -> Value {
    let mut status = json!(key);
    status["phase"] = json!(phase);
    status["message"] = json!("a lie");
    status
}

/// Planted fault: `report-about-anothers-object` in `hack/mutants-control-plane.yaml`; with it a report about another cluster's object is
/// kept, and shown there.
#[tokio::test]
async fn a_report_about_another_clusters_objects_changes_nothing() {
    let two = Two::new().await;
    let (server, organization) = (&two.organization.server, &two.organization);
    let before = kept(server).await;
    for key in &two.theirs {
        // A kind that is added is one that has to be tried here.
        match key {
            ObjectKey::Project(_)
            | ObjectKey::AccessRule(_)
            | ObjectKey::Workload(_)
            | ObjectKey::Credential(_) => {}
        }
        for phase in ["Ready", "Failed", "Deleting", "Deleted"] {
            let report = json!({"objects": [status(key, phase)]});
            server
                .post(&two.token, LinkRoute::Status.path(), report)
                .await
                .is(204);
        }
    }
    // All at once, among true ones.
    let own = status(&ObjectKey::Project(organization.robots.parse().unwrap()), "Ready");
    let mut objects: Vec<_> = two.theirs.iter().map(|key| status(key, "Failed")).collect();
    objects.push(own);
    let report = json!({"objects": objects});
    server
        .post(&two.token, LinkRoute::Status.path(), report)
        .await
        .is(204);
    let mut after = kept(server).await;
    let told: Vec<_> = after.extract_if(.., |row| row.contains("a lie")).collect();
    assert_eq!(told.len(), 1, "its own project's status alone: {told:?}");
    assert!(
        told[0].contains(&organization.cluster) && told[0].contains("Ready"),
        "{told:?}"
    );
    assert_eq!(after, before);
}

/// A cluster's id has a place in one message alone, and there its secret decides.
#[tokio::test]
async fn on_every_route_a_cluster_is_who_its_credential_says() {
    let two = Two::new().await;
    let (server, organization) = (&two.organization.server, &two.organization);
    let others = server.link_token(&two.other, &two.other_secret).await;
    let mut theirs = Watch::open(server, &others, None).await;
    let (mut position, mut seen) = (Value::Null, Vec::new());
    while position.is_null() {
        let message = theirs.news().await.unwrap();
        seen.push(message.to_string());
        if message["type"] == "batch" && message["more"] != true {
            position = json!({"revision": message["revision"], "token": message["token"]});
        }
    }
    assert!(seen.concat().contains("secret-project"));
    let before = kept(server).await;
    for route in LinkRoute::ALL {
        match route {
            LinkRoute::Token => {
                for body in [
                    json!({"clusterId": two.other, "clientSecret": organization.secret}),
                    json!({"clusterId": organization.cluster, "clientSecret": two.other_secret}),
                ] {
                    server.post("", route.path(), body).await.refused(400);
                }
            }
            LinkRoute::Watch => {
                // With another cluster's position, and with its id in the hello.
                let resume = serde_json::from_value(position.clone()).unwrap();
                let mut watch = Watch::open_from(server, &two.token, Some(resume)).await;
                let welcome = watch.news().await.unwrap();
                assert_eq!(welcome["clusterId"], *organization.cluster);
                let all = watch.news().await.unwrap();
                assert_eq!(all["complete"], true, "another's position leads nowhere");
                let text = all.to_string();
                assert!(
                    !text.contains("secret-project") && !text.contains("their-training"),
                    "{text}"
                );
                let hello = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "x", "clusterId": two.other});
                server.post(&two.token, route.path(), hello).await.refused(400);
            }
            LinkRoute::Status => {
                let report = json!({"clusterId": two.other, "objects": []});
                server.post(&two.token, route.path(), report).await.refused(400);
            }
        }
    }
    // The other's stream was told nothing by any of it, and nothing of it was written.
    assert_eq!(kept(server).await, before);
    let rule = rule(("group", "g"), 9, ("tenant", "1"));
    let path = "/api/v1/authorization/access-rules";
    server.post(&server.admin, path, rule).await.is(201);
    let next = theirs.news().await.unwrap();
    let kind = &next["upserts"][0]["object"]["kind"];
    assert_eq!(kind, "AccessRule", "what it is told next is a change: {next}");
}

/// A link token is worth nothing to REST, and no other token to the link: from the table of operations.
#[tokio::test]
async fn a_token_of_the_link_is_refused_by_every_operation_and_others_by_the_link() {
    let two = Two::new().await;
    let (server, organization) = (&two.organization.server, &two.organization);
    let before = kept(server).await;
    for operation in OPERATIONS.iter().filter(|it| it.access != Access::Public) {
        let path: Vec<_> = operation
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { &*two.other } else { part })
            .collect();
        let method: Method = operation.method.into();
        let answer = server.call(&two.token, method, &path.join("/"), "{}").await;
        assert_eq!(answer.status, 401, "{}: {}", operation.name, answer.text);
    }
    let path = format!("/api/v1/clusters/{}/kubernetes-token", organization.cluster);
    let kubernetes = server.post(&organization.alice, &path, Value::Null).await.is(200);
    for token in [
        &server.admin,
        &organization.alice,
        &organization.ci,
        kubernetes["token"].as_str().unwrap(),
    ] {
        for route in [LinkRoute::Watch, LinkRoute::Status] {
            let body = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "x"});
            server.post(token, route.path(), body).await.refused(401);
        }
    }
    assert_eq!(kept(server).await, before);
}
