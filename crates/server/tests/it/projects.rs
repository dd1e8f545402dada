//! Projects.

use axum::http::Method;
use serde_json::json;

use crate::followed::is_fresh;
use crate::server::{OrganizationFixture, Transcript};

const ALL: &str = "/api/v1/org-unit/projects";

#[tokio::test]
async fn projects_are_made_listed_counted_shown_and_deleted() {
    let organization = OrganizationFixture::new().await;
    let admin = &organization.server.admin;
    let mut page = Transcript::of(&organization.server);
    let body = |name: &str| json!({"name": name, "clusterId": organization.cluster, "parentId": organization.language, "resources": []});
    let made = page.post("success", admin, ALL, body("speech")).await.is(201);
    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    page.get("one", admin, &path).await.is(200);
    page.get(
        "filtered",
        admin,
        &format!("{ALL}?filterBy=parentName==language,name=^sp"),
    )
    .await
    .is(200);
    page.get("the count", admin, &format!("{ALL}/count"))
        .await
        .is(200);
    page.post("taken", admin, ALL, body("speech")).await.refused(409);
    page.post("a bad name", admin, ALL, body("Proj_1"))
        .await
        .refused(400);
    page.post("the cluster's own namespace", admin, ALL, body("system"))
        .await
        .refused(400);
    let mut adopted = body("adopted");
    adopted["requestedNamespace"] = json!("kube-system");
    page.post(
        "the cluster's own namespace, by name",
        admin,
        ALL,
        adopted.clone(),
    )
    .await
    .refused(400);
    adopted["requestedNamespace"] = json!("reeve-robots");
    page.post("another project's namespace", admin, ALL, adopted.clone())
        .await
        .refused(409);
    adopted["requestedNamespace"] = json!("team-x");
    page.post("a namespace by name", admin, ALL, adopted)
        .await
        .is(201);
    let mut homeless = body("homeless");
    homeless["parentId"] = json!(null);
    page.post("no department default", admin, ALL, homeless)
        .await
        .refused(400);
    let mut unknown = body("lost");
    unknown["parentId"] = json!("99");
    page.post("no such department", admin, ALL, unknown)
        .await
        .refused(404);
    page.post("bob makes one", &organization.bob, ALL, body("x"))
        .await
        .refused(403);
    page.get("unknown", admin, &format!("{ALL}/99"))
        .await
        .refused(404);
    page.delete("bob deletes what he sees", &organization.bob, &path)
        .await
        .refused(403);
    page.delete("deleted", admin, &path).await.is(204);
    page.delete("deleted before", admin, &path).await.refused(404);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn a_project_without_a_department_goes_to_the_clusters_default_one() {
    let organization = OrganizationFixture::new().await;
    let default = organization
        .server
        .department(&organization.cluster, "default")
        .await;
    let body = json!({"name": "homeless", "clusterId": organization.cluster, "resources": []});
    let made = organization
        .server
        .post(&organization.server.admin, ALL, body)
        .await
        .is(201);
    assert_eq!(made["parentId"], default);
}

#[tokio::test]
async fn a_name_is_as_long_as_its_namespace_allows() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let body = |name: &str| json!({"name": name, "clusterId": organization.cluster, "parentId": organization.vision, "resources": []});
    let longest = "a".repeat(57);
    let made = server.post(&server.admin, ALL, body(&longest)).await.is(201);
    assert_eq!(made["status"]["namespace"], format!("reeve-{longest}"));
    let mut longer = body(&"a".repeat(58));
    let message = server.post(&server.admin, ALL, longer.clone()).await.refused(400);
    assert!(
        message.starts_with("`name`") && message.contains("at most 57"),
        "{message}"
    );
    longer["requestedNamespace"] = json!("team-a");
    server.post(&server.admin, ALL, longer).await.is(201);
    let message = server
        .post(&server.admin, ALL, body(&"a".repeat(64)))
        .await
        .refused(400);
    assert!(message.contains("1 to 63"), "{message}");
}

#[tokio::test]
async fn a_projects_department_must_be_in_its_cluster() {
    let organization = OrganizationFixture::new().await;
    let (other, _) = organization.server.cluster("other").await;
    let body = json!({"name": "x", "clusterId": other, "parentId": organization.vision, "resources": []});
    let message = organization
        .server
        .post(&organization.server.admin, ALL, body)
        .await
        .refused(400);
    assert!(message.contains("is not in cluster"), "{message}");
}

#[tokio::test]
async fn what_a_project_left_behind_is_not_opened_from_another_department() {
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
    server
        .delete(&server.admin, &format!("{ALL}/{}", organization.robots))
        .await
        .is(204);
    let body = |name: &str, parent: &str| json!({"name": name, "clusterId": organization.cluster, "parentId": parent, "resources": []});
    let message = server
        .post(&carol, ALL, body("robots", &organization.language))
        .await
        .refused(409);
    assert!(
        message.contains("namespace `reeve-robots` belonged to a project of another department")
            && message.contains("choose another name")
            && message.contains("`project:create`"),
        "{message}"
    );
    let mut by_name = body("mine", &organization.language);
    by_name["requestedNamespace"] = json!("reeve-robots");
    server.post(&carol, ALL, by_name).await.refused(409);
    // The same when the whole department went, and after a restart: it is written down.
    let gone = server.department(&organization.cluster, "gone").await;
    server.project(&organization.cluster, &gone, "ghosts").await;
    server
        .delete(&server.admin, &format!("/api/v1/org-unit/departments/{gone}"))
        .await
        .is(204);
    server
        .post(&carol, ALL, body("ghosts", &organization.language))
        .await
        .refused(409);
    // Her own department's she takes up again; anybody's, who administers the cluster.
    server
        .delete(&carol, &format!("{ALL}/{}", organization.captions))
        .await
        .is(204);
    server
        .post(&carol, ALL, body("captions", &organization.language))
        .await
        .is(201);
    let (_, dora) = server.user("dora@example.com", json!(null)).await;
    server
        .rule(
            ("user", "dora@example.com"),
            1,
            ("cluster", &organization.cluster),
        )
        .await;
    server
        .post(&dora, ALL, body("robots", &organization.language))
        .await
        .is(201);
}

#[tokio::test]
async fn who_administers_a_department_chooses_no_namespace_outside_the_prefix() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, erin) = server.user("erin@example.com", json!(null)).await;
    server
        .rule(
            ("user", "erin@example.com"),
            1,
            ("department", &organization.vision),
        )
        .await;
    let (_, carol) = server.user("carol@example.com", json!(null)).await;
    server
        .rule(
            ("user", "carol@example.com"),
            1,
            ("cluster", &organization.cluster),
        )
        .await;
    let body = |name: &str, namespace: &str| {
        json!({"name": name, "clusterId": organization.cluster, "parentId": organization.vision, "resources": [],
               "requestedNamespace": namespace})
    };
    let said = server.post(&erin, ALL, body("a", "team-a")).await.refused(403);
    for part in [
        "`team-a` does not begin with `reeve-`",
        "`project:create` in cluster `demo`",
        "carol@example.com",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    server.post(&erin, ALL, body("b", "reeve-of-erin")).await.is(201);
    let made = json!({"name": "c", "clusterId": organization.cluster, "parentId": organization.vision, "resources": []});
    server.post(&erin, ALL, made).await.is(201);
    server.post(&carol, ALL, body("a", "team-a")).await.is(201);
    // What is reserved is refused for all.
    for token in [&erin, &carol, &server.admin] {
        for namespace in [
            "cert-manager",
            "openshift-ingress",
            "istio-system",
            "gpu-operator",
            "argocd",
            "flux-system",
        ] {
            let said = server.post(token, ALL, body("d", namespace)).await.refused(400);
            assert!(
                said.contains("is reserved here") && said.contains(namespace),
                "{said}"
            );
        }
    }
}

/// Planted fault: with `Scope::Project` asked instead of the cluster's, the Project administrator allows it to himself.
#[tokio::test]
async fn ingresses_are_allowed_by_who_may_change_projects_in_the_whole_cluster() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = format!("{ALL}/{}", organization.robots);
    let decide = |allow: bool| json!({"allowNetworking": allow});
    let put = async |token: &str, body: serde_json::Value| {
        let path = format!("{path}/networking");
        server.call(token, Method::PUT, &path, body.to_string()).await
    };
    let shown = async || server.get(&server.admin, &path).await.is(200)["allowNetworking"].clone();
    assert_eq!(shown().await, json!(null));

    let (_, paul) = server.user("paul@example.com", json!(null)).await;
    server
        .rule(
            ("user", "paul@example.com"),
            19,
            ("project", &organization.robots),
        )
        .await;
    let refused = put(&paul, decide(true)).await.refused(403);
    assert!(refused.contains("needs `project:update` in cluster"), "{refused}");
    put(&organization.alice, decide(true)).await.refused(403);
    put(&organization.nobody, decide(true)).await.refused(403);
    for body in [
        json!({}),
        json!({"allowNetworking": "yes"}),
        json!({"allowNetworking": null}),
        json!({"allow": true}),
    ] {
        put(&server.admin, body).await.refused(400);
    }
    assert_eq!(shown().await, json!(null));

    for allow in [true, false, true] {
        let answer = put(&server.admin, decide(allow)).await.is(200);
        assert_eq!(answer["allowNetworking"], json!(allow));
        assert_eq!(answer["updatedBy"], "admin@reeve.example");
        assert_eq!(shown().await, json!(allow));
    }
    // Who may change projects in the cluster decides it, too.
    let (_, rita) = server.user("rita@example.com", json!(null)).await;
    server
        .rule(
            ("user", "rita@example.com"),
            4,
            ("cluster", &organization.cluster),
        )
        .await;
    put(&rita, decide(false)).await.is(200);
    assert_eq!(shown().await, json!(false));
}

/// Planted fault: with `Scope::Project` asked instead of the cluster's, the Project administrator chooses nodes for himself.
#[tokio::test]
async fn what_pods_may_do_is_decided_by_who_may_change_projects_in_the_whole_cluster() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = format!("{ALL}/{}", organization.robots);
    let put = async |token: &str, body: serde_json::Value| {
        let path = format!("{path}/pod-rules");
        server.call(token, Method::PUT, &path, body.to_string()).await
    };
    let shown = async || server.get(&server.admin, &path).await.is(200)["podRules"].clone();
    assert_eq!(shown().await, json!({}));

    let (_, paul) = server.user("paul@example.com", json!(null)).await;
    server
        .rule(
            ("user", "paul@example.com"),
            19,
            ("project", &organization.robots),
        )
        .await;
    let pools = || json!({"nodePools": ["gpu"]});
    let refused = put(&paul, pools()).await.refused(403);
    assert!(refused.contains("needs `project:update` in cluster"), "{refused}");
    put(&organization.alice, pools()).await.refused(403);
    put(&organization.nobody, pools()).await.refused(403);
    for (body, field) in [
        (json!({"podSecurity": "privileged"}), "podSecurity"),
        (json!({"nodePools": ["a,b"]}), "nodePools[0]"),
        (json!({"nodePools": "gpu"}), "nodePools"),
        (
            json!({"priorityClasses": ["build", "system-node-critical"]}),
            "priorityClasses[1]",
        ),
        (json!({"tolerations": ["nvidia.com/gpu"]}), "tolerations[0]"),
        (json!({"trustedMutators": ["kueue"]}), "trustedMutators[0]"),
        (json!({"nodePools": vec!["gpu"; 33]}), "nodePools"),
        (json!({"pools": []}), "pools"),
    ] {
        let said = put(&server.admin, body).await.refused(400);
        assert!(said.contains(&format!("`{field}`")), "{field}: {said}");
    }
    assert_eq!(shown().await, json!({}));

    let all = json!({"podSecurity": "restricted", "nodePools": ["gpu", "cpu"], "priorityClasses": [],
        "tolerations": ["node-role.kubernetes.io/gpu"], "trustedMutators": ["kueue-system/kueue-controller-manager"]});
    let answer = put(&server.admin, all.clone()).await.is(200);
    assert_eq!(answer["podRules"], all);
    assert_eq!(answer["updatedBy"], "admin@reeve.example");
    assert_eq!(shown().await, all);
    // All of it is replaced.
    put(&server.admin, pools()).await.is(200);
    assert_eq!(shown().await, pools());
}

/// Planted fault: a change takes away what was decided by operations of its own.
#[tokio::test]
async fn a_change_of_a_project_leaves_what_other_operations_decide() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = format!("{ALL}/{}", organization.robots);
    let put = async |token: &str, body: serde_json::Value| {
        server.call(token, Method::PUT, &path, body.to_string()).await
    };
    let networking = format!("{path}/networking");
    server
        .call(
            &server.admin,
            Method::PUT,
            &networking,
            r#"{"allowNetworking":true}"#,
        )
        .await
        .is(200);
    let before = server.get(&server.admin, &path).await.is(200);
    server.clock.advance_seconds(60);
    let body = json!({"description": "Arms.", "resources": [{"gpu": {"deserved": 2}}], "enforceRunaiScheduler": false,
        "schedulingRules": {"trainingJobTimeLimitSeconds": 60}});
    let changed = put(&server.admin, body).await.is(200);
    assert_eq!(
        (
            &changed["description"],
            &changed["enforceRunaiScheduler"],
            &changed["allowNetworking"]
        ),
        (&json!("Arms."), &json!(false), &json!(true))
    );
    assert_eq!(
        changed["effective"]["schedulingRules"]["trainingJobTimeLimitSeconds"],
        60
    );
    for same in ["name", "clusterId", "parentId", "createdAt", "status", "podRules"] {
        assert_eq!(changed[same], before[same], "{same}");
    }
    assert_ne!(changed["updatedAt"], before["updatedAt"]);
    is_fresh(server, "a project was changed").await;
    let found = server
        .get(&server.admin, &format!("{ALL}?search=arms"))
        .await
        .is(200);
    assert_eq!(found["projects"][0]["name"], "robots");
    let second = put(&server.admin, json!({"resources": []})).await.is(200);
    assert_eq!(
        (
            &second["description"],
            &second["enforceRunaiScheduler"],
            &second["effective"]["schedulingRules"]
        ),
        (&json!(""), &json!(true), &json!(null))
    );
    for (body, said) in [
        (json!({}), "`resources` is missing"),
        (
            json!({"resources": [], "parentId": "2"}),
            "`parentId` is not a field of this request",
        ),
        (
            json!({"resources": [], "requestedNamespace": "x"}),
            "`requestedNamespace` is not a field of this request",
        ),
        (
            json!({"resources": [], "enforceRunaiScheduler": "yes"}),
            "`enforceRunaiScheduler`",
        ),
    ] {
        let refused = put(&server.admin, body).await.refused(400);
        assert!(refused.starts_with(said), "{refused}");
    }
    put(&organization.alice, json!({"resources": []}))
        .await
        .refused(403);
    put(&organization.bob, json!({"resources": []}))
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
    // Who administers its department may.
    server
        .rule(
            ("user", "nobody@example.com"),
            2,
            ("department", &organization.vision),
        )
        .await;
    put(
        &organization.nobody,
        json!({"resources": [], "description": "Hers."}),
    )
    .await
    .is(200);
}

/// Planted faults: `PATCH` forgets the quotas of other node pools; either of them forgets the description.
#[tokio::test]
async fn quotas_of_departments_and_projects_are_set_by_node_pool() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let pool = |id: &str, gpus: f64| json!({"nodePool": {"id": id}, "gpu": {"deserved": gpus}});
    let whole = json!({"description": "Kept.", "resources": [pool("a", 1.0)]});
    for (kind, id) in [
        ("departments", &organization.vision),
        ("projects", &organization.robots),
    ] {
        let path = format!("/api/v1/org-unit/{kind}/{id}");
        server
            .call(&server.admin, Method::PUT, &path, whole.to_string())
            .await
            .is(200);
        let quotas = format!("{path}/resources");
        let send = async |token: &str, method: Method, body: &str| {
            server.call(token, method, &quotas, body.to_owned()).await
        };
        let two = json!([pool("a", 2.0), pool("b", 3.0)]).to_string();
        let answer = send(&server.admin, Method::PATCH, &two).await.is(200);
        assert_eq!(
            (answer.as_array().unwrap().len(), &answer[0]["gpu"]["deserved"]),
            (2, &json!(2.0)),
            "{kind}"
        );
        let answer = send(&server.admin, Method::PATCH, &json!([pool("b", 4.0)]).to_string())
            .await
            .is(200);
        assert_eq!(
            (&answer[0]["gpu"]["deserved"], &answer[1]["gpu"]["deserved"]),
            (&json!(2.0), &json!(4.0))
        );
        let shown = server.get(&server.admin, &path).await.is(200);
        assert_eq!(
            (&shown["resources"], &shown["description"]),
            (&answer, &json!("Kept."))
        );
        assert_eq!(shown["totalResources"]["gpuQuota"], 6.0);
        let answer = send(&server.admin, Method::PUT, &json!([pool("b", 5.0)]).to_string())
            .await
            .is(200);
        assert_eq!(answer.as_array().unwrap().len(), 1, "{kind}");
        is_fresh(server, "quotas were set").await;
        for wrong in [
            r#"{"resources":[]}"#,
            r#"[{},{}]"#,
            r#"[{"gpus":1}]"#,
            "null",
            "[1]",
        ] {
            send(&server.admin, Method::PUT, wrong).await.refused(400);
        }
        send(&organization.alice, Method::PUT, &two).await.refused(403);
        send(&organization.bob, Method::PATCH, &two).await.refused(403);
        // The reference's client sends an empty list as nothing at all.
        assert_eq!(
            send(&server.admin, Method::PUT, "").await.is(200),
            json!([]),
            "{kind}"
        );
        let nowhere = format!("/api/v1/org-unit/{kind}/99/resources");
        server
            .call(&server.admin, Method::PUT, &nowhere, "[]")
            .await
            .refused(404);
    }
}
