//! bob reads `language` only: lists, counts and gets show nothing of `vision` (decision 16 of the design).

use axum::http::Method;
use reeve_api::cluster::ClusterOperation;
use reeve_api::operation::Method as OperationMethod;
use reeve_api::{Access, OPERATIONS, OperationId};
use serde_json::{Value, json};

use crate::server::{OrganizationFixture, rule};
use crate::{credentials, secret_assets};

#[tokio::test]
async fn lists_counts_and_gets_show_nothing_of_what_lies_beside() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let submit = json!({"name": "train", "projectId": organization.robots, "clusterId": organization.cluster, "spec": {"image": "i"}});
    let made = server
        .post(&organization.alice, "/api/v1/workloads/trainings", submit)
        .await
        .is(202);
    let training = format!(
        "/api/v1/workloads/trainings/{}",
        made["workloadId"].as_str().unwrap()
    );

    let departments = server
        .get(&organization.bob, "/api/v1/org-unit/departments")
        .await;
    let projects = server.get(&organization.bob, "/api/v1/org-unit/projects").await;
    let workloads = server.get(&organization.bob, "/api/v1/workloads").await;
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
                .get(&organization.bob, &format!("/api/v1/{list}/count"))
                .await
                .is(200)["count"],
            count
        );
        let filtered = server
            .get(
                &organization.bob,
                &format!("/api/v1/{list}/count?filterBy=name=@r"),
            )
            .await
            .is(200);
        assert_eq!(filtered["count"], 0);
    }
    // What is hidden and what is not there are answered in the same words.
    let pairs = [
        (
            format!("/api/v1/org-unit/departments/{}", organization.vision),
            "/api/v1/org-unit/departments/99".to_owned(),
        ),
        (
            format!("/api/v1/org-unit/projects/{}", organization.robots),
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
            .get(&organization.bob, &hidden)
            .await
            .refused(404)
            .replace(&last(&hidden), "ID");
        let b = server
            .get(&organization.bob, &missing)
            .await
            .refused(404)
            .replace(&last(&missing), "ID");
        assert_eq!(a, b);
    }
}

#[tokio::test]
async fn no_operation_that_reads_shows_anything_of_what_lies_beside() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    // What the role Viewer reads (`crates/authz/tests/it/rights.txt`).
    let reads = [
        "department",
        "project",
        "secret-volume-assets",
        "trainings",
        "workloads",
    ];
    let submit = async |who: &str, name: &str, project: &str| {
        let body = json!({"name": name, "projectId": project, "clusterId": organization.cluster, "spec": {"image": "i"}});
        let made = server.post(who, "/api/v1/workloads/trainings", body).await;
        made.is(202)["workloadId"].as_str().unwrap().to_owned()
    };
    let (_, carol) = server
        .user("carol@example.com", json!({"uid": 70001, "gid": 5000}))
        .await;
    server
        .rule(
            ("user", "carol@example.com"),
            5,
            ("project", &organization.captions),
        )
        .await;
    let hidden = submit(&organization.alice, "grasping", &organization.robots).await;
    let his = submit(&carol, "subtitles", &organization.captions).await;
    let asset = async |name: &str, project: &str| {
        let (admin, scope) = (server.admin.as_str(), ("project", project));
        let credential = credentials::keep(server, admin, "password", name, scope).await;
        secret_assets::keep(server, admin, name, scope, &credential).await
    };
    let (asset_hidden, asset_his) = (
        asset("grasping", &organization.robots).await,
        asset("subtitles", &organization.captions).await,
    );
    for (own, department, project, workload, asset) in [
        (
            true,
            &organization.language,
            &organization.captions,
            &his,
            &asset_his,
        ),
        (
            false,
            &organization.vision,
            &organization.robots,
            &hidden,
            &asset_hidden,
        ),
    ] {
        for operation in OPERATIONS.iter().filter(|it| it.method == OperationMethod::Get) {
            let id = |part: &str| match part {
                "{clusterUuid}" => organization.cluster.clone(),
                "{departmentId}" => department.clone(),
                "{projectId}" => project.clone(),
                "{userId}" => organization.alice_id.to_string(),
                "{serviceAccountId}" => organization.ci_id.to_string(),
                "{accessRuleId}" => organization.alice_rule.to_string(),
                "{idp}" => "corp".to_owned(),
                "{roleIdPath}" => "5".to_owned(),
                "{permissionSetId}" => "9cc43da2-fb7b-8760-983d-84d7b0e20ee4".to_owned(),
                "{key}" => "logoutRedirectUri".to_owned(),
                "{settingKey}" => "department.use".to_owned(),
                "{workloadId}" => workload.clone(),
                "{AssetId}" => asset.clone(),
                // Nobody sees another's.
                "{accessKeyId}" | "{appId}" => hidden.clone(),
                part => {
                    assert!(!part.starts_with('{'), "no id is known for {part}");
                    part.to_owned()
                }
            };
            let path = operation.path.split('/').map(id).collect::<Vec<_>>().join("/");
            let answer = server.get(&organization.bob, &path).await;
            let wanted = match operation.access {
                Access::Requires(_, entity) if !reads.contains(&entity.wire_name()) => 403,
                Access::Requires(..) if path != operation.path && !own => 404,
                Access::Authenticated
                    if operation.path.contains("{accessKeyId}") || operation.path.contains("{appId}") =>
                {
                    404
                }
                // He reaches the cluster; it has not said yet where it is.
                _ if operation.id == OperationId::Cluster(ClusterOperation::GetKubernetesEndpoint) => 404,
                _ => operation.success,
            };
            if wanted == operation.success {
                assert_eq!(answer.status.as_u16(), wanted, "{path}: {}", answer.text);
            } else {
                answer.refused(wanted);
            }
            // Whole words: a metric speaks of revisions.
            let mut words = answer.text.split(|it: char| !it.is_ascii_alphanumeric());
            let shown = words.find(|it| ["vision", "robots", "alice", "grasping", "70012"].contains(it));
            assert_eq!(shown, None, "{path}: {}", answer.text);
            let sent = |id: &str| path.ends_with(id);
            for id in [
                organization.alice_id.to_string(),
                organization.ci_id.to_string(),
                hidden.clone(),
                asset_hidden.clone(),
            ] {
                assert!(
                    !answer.text.contains(&id) || sent(&id),
                    "{path} shows {id}: {}",
                    answer.text
                );
            }
        }
    }
}

#[tokio::test]
async fn held_nowhere_is_403_before_anything_is_looked_up() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let real = format!("/api/v1/org-unit/projects/{}", organization.robots);
    for path in [
        real.as_str(),
        "/api/v1/org-unit/projects/99",
        "/api/v1/org-unit/projects/nonsense",
    ] {
        let get = server.get(&organization.nobody, path).await.refused(403);
        assert!(get.starts_with("needs `project:read`"), "{get}");
        let delete = server.delete(&organization.bob, path).await.refused(403);
        assert!(delete.starts_with("needs `project:delete`"), "{delete}");
    }
    // Not even the body is read.
    let answer = server
        .call(
            &organization.bob,
            Method::POST,
            "/api/v1/org-unit/projects",
            "{broken",
        )
        .await;
    answer.refused(403);
}

#[tokio::test]
async fn a_refusal_names_what_is_missing_and_who_could_grant_it() {
    let organization = OrganizationFixture::new().await;
    let body = json!({"name": "x", "projectId": organization.captions, "clusterId": organization.cluster, "spec": {"image": "i"}});
    let message = organization
        .server
        .post(&organization.bob, "/api/v1/workloads/trainings", body.clone())
        .await
        .refused(403);
    assert!(
        message.contains("`trainings:create`") && message.contains("admin@reeve.example"),
        "{message}"
    );
    organization
        .server
        .rule(("user", "bob@example.com"), 5, ("project", &organization.robots))
        .await;
    let message = organization
        .server
        .post(&organization.bob, "/api/v1/workloads/trainings", body)
        .await
        .refused(403);
    assert!(message.contains("project `captions`"), "{message}");
}

/// Alice sees the project that her own rule is in, and may read no rules.
#[tokio::test]
async fn who_may_read_no_rules_is_not_told_which_there_are() {
    let organization = OrganizationFixture::new().await;
    let path = |id: &str| format!("/api/v1/authorization/access-rules/{id}");
    let (there, gone) = (path(&organization.alice_rule.to_string()), path("999999"));
    let read = organization
        .server
        .get(&organization.alice, &there)
        .await
        .refused(403);
    assert_eq!(
        read,
        organization
            .server
            .get(&organization.alice, &gone)
            .await
            .refused(403)
    );
    let deleted = organization
        .server
        .delete(&organization.alice, &there)
        .await
        .refused(403);
    assert_eq!(
        deleted,
        organization
            .server
            .delete(&organization.alice, &gone)
            .await
            .refused(403)
    );
}

#[tokio::test]
async fn a_department_administrator_sees_her_tree_and_nothing_of_the_account() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, carol) = server.user("carol@example.com", Value::Null).await;
    server
        .rule(
            ("user", "carol@example.com"),
            1,
            ("department", &organization.language),
        )
        .await;
    let new = |parent: &str| json!({"name": "speech", "clusterId": organization.cluster, "parentId": parent, "resources": []});
    server
        .post(&carol, "/api/v1/org-unit/projects", new(&organization.language))
        .await
        .is(201);
    server
        .post(&carol, "/api/v1/org-unit/projects", new(&organization.vision))
        .await
        .refused(404);
    server
        .post(&carol, "/api/v1/clusters", json!({"name": "x"}))
        .await
        .refused(403);
    // Of what is above her she sees the name, or she could not say where her projects are.
    let clusters = server.get(&carol, "/api/v1/clusters").await.is(200);
    assert_eq!(clusters[0]["uuid"], json!(organization.cluster));
    assert_eq!(clusters[0]["status"], Value::Null);
    server
        .delete(&carol, &format!("/api/v1/clusters/{}", organization.cluster))
        .await
        .refused(403);
    server.get(&carol, "/api/v1/users").await.refused(403);
    server.get(&carol, "/api/v1/service-accounts").await.refused(403);
}

#[tokio::test]
async fn who_sees_a_project_sees_the_name_of_its_department_and_no_other_one() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let settings = json!({"name": "deep", "clusterId": organization.cluster, "resources": [], "description": "of the board alone"});
    let deep = server
        .post(&server.admin, "/api/v1/org-unit/departments", settings)
        .await
        .is(201);
    let deep = deep["id"].as_str().unwrap();
    let project = server.project(&organization.cluster, deep, "pool").await;
    server
        .rule(("user", "bob@example.com"), 9, ("project", &project))
        .await;
    let all = "/api/v1/org-unit/departments";
    let seen = server.get(&organization.bob, all).await.is(200);
    let names: Vec<_> = seen["departments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["language", "deep"]);
    assert_eq!(
        server
            .get(&organization.bob, &format!("{all}/count"))
            .await
            .is(200)["count"],
        2
    );
    let one = server.get(&organization.bob, &format!("{all}/{deep}")).await;
    assert_eq!(one.is(200), seen["departments"][1]);
    assert!(
        !one.text.contains("board") && !one.text.contains("admin@"),
        "{}",
        one.text
    );
    server
        .get(&organization.bob, &format!("{all}/{}", organization.vision))
        .await
        .refused(404);
    // Clusters are nothing a Viewer reads, not even by name.
    server
        .get(&organization.bob, "/api/v1/clusters")
        .await
        .refused(403);
}

#[tokio::test]
async fn a_refusal_names_the_nearest_scope_at_which_somebody_could_grant_it_if_the_caller_may_see_it() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for (who, department) in [
        ("lang-admin", &organization.language),
        ("vision-admin", &organization.vision),
    ] {
        let email = format!("{who}@example.com");
        server.user(&email, Value::Null).await;
        server.rule(("user", &email), 1, ("department", department)).await;
    }
    let near = "access rules in department `language` can be created by user `lang-admin@example.com`";
    let by_path = |project: &str| format!("/api/v1/org-unit/projects/{project}");
    let said = server
        .delete(&organization.bob, &by_path(&organization.captions))
        .await
        .refused(403);
    assert_eq!(
        said,
        format!("needs `project:delete` in project `captions`; {near}")
    );
    let training = |project: &str| json!({"name": "x", "projectId": project, "clusterId": organization.cluster, "spec": {"image": "i"}});
    let path = "/api/v1/workloads/trainings";
    let said = server
        .post(&organization.bob, path, training(&organization.captions))
        .await
        .refused(403);
    assert_eq!(
        said,
        format!("needs `trainings:create` in project `captions`; {near}")
    );
    let give = rule(("group", "g"), 9, ("department", &organization.language));
    let path_of_rules = "/api/v1/authorization/access-rules";
    let said = server
        .post(&organization.bob, path_of_rules, give)
        .await
        .refused(403);
    assert_eq!(
        said,
        format!("needs `access_rules:create` in department `language`; {near}")
    );
    // Of what he may not see he learns nothing: the words are those for what is not there.
    let hidden = server
        .post(&organization.bob, path, training(&organization.robots))
        .await
        .refused(403);
    assert!(
        hidden.contains("`trainings:create`, which no access rule gives you"),
        "{hidden}"
    );
    assert_eq!(
        hidden,
        server
            .post(&organization.bob, path, training("999"))
            .await
            .refused(403)
    );
    assert_eq!(
        server
            .delete(&organization.bob, &by_path(&organization.robots))
            .await
            .refused(403),
        server
            .delete(&organization.bob, &by_path("999"))
            .await
            .refused(403)
    );
    assert!(
        !hidden.contains("vision") && !hidden.contains("robots"),
        "{hidden}"
    );
}
