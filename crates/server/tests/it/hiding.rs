//! bob reads `language` only: lists, counts and gets show nothing of `vision` (decision 16 of the design).

use axum::http::Method;
use serde_json::{Value, json};

use crate::server::Town;

#[tokio::test]
async fn lists_counts_and_gets_show_nothing_of_what_lies_beside() {
    let town = Town::new().await;
    let server = &town.server;
    let submit =
        json!({"name": "train", "projectId": town.robots, "clusterId": town.cluster, "spec": {"image": "i"}});
    let made = server
        .post(&town.alice, "/api/v1/workloads/trainings", submit)
        .await
        .is(202);
    let training = format!(
        "/api/v1/workloads/trainings/{}",
        made["workloadId"].as_str().unwrap()
    );

    let departments = server.get(&town.bob, "/api/v1/org-unit/departments").await;
    let projects = server.get(&town.bob, "/api/v1/org-unit/projects").await;
    let workloads = server.get(&town.bob, "/api/v1/workloads").await;
    for answer in [&departments, &projects, &workloads] {
        answer.is(200);
        assert!(
            !answer.text.contains("vision") && !answer.text.contains("robots"),
            "{}",
            answer.text
        );
    }
    assert_eq!(departments.json()["departments"].as_array().unwrap().len(), 1);
    assert_eq!(projects.json()["projects"].as_array().unwrap().len(), 1);
    assert_eq!(workloads.json()["workloads"], json!([]));
    for (list, count) in [
        ("org-unit/departments", 1),
        ("org-unit/projects", 1),
        ("workloads", 0),
    ] {
        assert_eq!(
            server
                .get(&town.bob, &format!("/api/v1/{list}/count"))
                .await
                .is(200)["count"],
            count
        );
        let filtered = server
            .get(&town.bob, &format!("/api/v1/{list}/count?filterBy=name=@r"))
            .await
            .is(200);
        assert_eq!(filtered["count"], 0);
    }
    // What is hidden and what is not there are answered in the same words.
    let pairs = [
        (
            format!("/api/v1/org-unit/departments/{}", town.vision),
            "/api/v1/org-unit/departments/99".to_owned(),
        ),
        (
            format!("/api/v1/org-unit/projects/{}", town.robots),
            "/api/v1/org-unit/projects/99".to_owned(),
        ),
        (
            training,
            "/api/v1/workloads/trainings/00000000-0000-4000-8000-000000000000".to_owned(),
        ),
    ];
    for (hidden, missing) in pairs {
        let last = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        let a = server
            .get(&town.bob, &hidden)
            .await
            .refused(404)
            .replace(&last(&hidden), "ID");
        let b = server
            .get(&town.bob, &missing)
            .await
            .refused(404)
            .replace(&last(&missing), "ID");
        assert_eq!(a, b);
    }
}

#[tokio::test]
async fn held_nowhere_is_403_before_anything_is_looked_up() {
    let town = Town::new().await;
    let server = &town.server;
    let real = format!("/api/v1/org-unit/projects/{}", town.robots);
    for path in [
        real.as_str(),
        "/api/v1/org-unit/projects/99",
        "/api/v1/org-unit/projects/nonsense",
    ] {
        let get = server.get(&town.nobody, path).await.refused(403);
        assert!(get.starts_with("needs `project:read`"), "{get}");
        let delete = server.delete(&town.bob, path).await.refused(403);
        assert!(delete.starts_with("needs `project:delete`"), "{delete}");
    }
    // Not even the body is read.
    let answer = server
        .call(&town.bob, Method::POST, "/api/v1/org-unit/projects", "{broken")
        .await;
    answer.refused(403);
}

#[tokio::test]
async fn a_refusal_names_what_is_missing_and_who_could_grant_it() {
    let town = Town::new().await;
    let body =
        json!({"name": "x", "projectId": town.captions, "clusterId": town.cluster, "spec": {"image": "i"}});
    let message = town
        .server
        .post(&town.bob, "/api/v1/workloads/trainings", body.clone())
        .await
        .refused(403);
    assert!(
        message.contains("`trainings:create`") && message.contains("admin@reeve.example"),
        "{message}"
    );
    town.server
        .rule(("user", "bob@example.com"), 5, ("project", &town.robots))
        .await;
    let message = town
        .server
        .post(&town.bob, "/api/v1/workloads/trainings", body)
        .await
        .refused(403);
    assert!(message.contains("project `captions`"), "{message}");
}

#[tokio::test]
async fn a_department_administrator_sees_her_tree_and_nothing_of_the_account() {
    let town = Town::new().await;
    let server = &town.server;
    let (_, carol) = server.user("carol@example.com", Value::Null).await;
    server
        .rule(("user", "carol@example.com"), 1, ("department", &town.language))
        .await;
    let new = |parent: &str| json!({"name": "speech", "clusterId": town.cluster, "parentId": parent, "resources": []});
    server
        .post(&carol, "/api/v1/org-unit/projects", new(&town.language))
        .await
        .is(201);
    server
        .post(&carol, "/api/v1/org-unit/projects", new(&town.vision))
        .await
        .refused(404);
    server
        .post(&carol, "/api/v1/clusters", json!({"name": "x"}))
        .await
        .refused(403);
    assert_eq!(server.get(&carol, "/api/v1/clusters").await.is(200), json!([]));
    server.get(&carol, "/api/v1/users").await.refused(403);
    server.get(&carol, "/api/v1/service-accounts").await.refused(403);
}
