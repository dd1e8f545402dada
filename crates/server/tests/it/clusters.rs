//! Clusters.

use axum::http::Method;
use serde_json::{Value, json};

use crate::followed::is_fresh;
use crate::server::{OrganizationFixture, Server, Transcript};

#[tokio::test]
async fn clusters_are_made_listed_shown_and_deleted() {
    let server = Server::new().await;
    let admin = server.admin.clone();
    let mut page = Transcript::of(&server);
    let made = page
        .post(
            "success",
            &admin,
            "/api/v1/clusters",
            json!({"name": "demo", "version": "2.20"}),
        )
        .await
        .is(201);
    let path = format!("/api/v1/clusters/{}", made["uuid"].as_str().unwrap());
    page.get("the list is a bare array", &admin, "/api/v1/clusters?")
        .await;
    page.get("one", &admin, &path).await;
    page.post(
        "the name is taken",
        &admin,
        "/api/v1/clusters",
        json!({"name": "demo"}),
    )
    .await
    .refused(409);
    page.post("a bad name", &admin, "/api/v1/clusters", json!({"name": " demo"}))
        .await
        .refused(400);
    page.post(
        "an unknown field",
        &admin,
        "/api/v1/clusters",
        json!({"name": "b", "colour": 1}),
    )
    .await
    .refused(400);
    page.get("a bad parameter", &admin, "/api/v1/clusters?verbosity=loud")
        .await
        .refused(400);
    page.get(
        "unknown",
        &admin,
        "/api/v1/clusters/00000000-0000-4000-8000-000000000000",
    )
    .await
    .refused(404);
    page.get("no id", &admin, "/api/v1/clusters/demo")
        .await
        .refused(404);
    page.delete("deleted", &admin, &path).await.is(204);
    page.delete("deleted before", &admin, &path).await.refused(404);
    page.get("gone", &admin, "/api/v1/clusters").await;
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn who_may_not_is_told_what_is_missing() {
    let organization = OrganizationFixture::new().await;
    let mut page = Transcript::of(&organization.server);
    let path = format!("/api/v1/clusters/{}", organization.cluster);
    page.post(
        "nobody",
        &organization.nobody,
        "/api/v1/clusters",
        json!({"name": "x"}),
    )
    .await
    .refused(403);
    page.post(
        "alice",
        &organization.alice,
        "/api/v1/clusters",
        json!({"name": "x"}),
    )
    .await
    .refused(403);
    page.get(
        "alice, in a project of it, sees its name",
        &organization.alice,
        &path,
    )
    .await
    .is(200);
    page.get("bob does not hold it", &organization.bob, &path)
        .await
        .refused(403);
    page.get("and in the list", &organization.alice, "/api/v1/clusters")
        .await
        .is(200);
    page.delete("alice deletes", &organization.alice, &path)
        .await
        .refused(403);
    page.get("without a token", "", &path).await.refused(401);
    insta::assert_snapshot!(page.page());
}

/// Planted fault: with a `reaches_cluster` that counts every role, each of these gets a token.
#[tokio::test]
async fn a_role_without_rights_in_clusters_leads_to_no_kubernetes_token() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let paths = ["kubernetes-token", "kubernetes-endpoint"]
        .map(|what| format!("/api/v1/clusters/{}/{what}", organization.cluster));
    let roles = server
        .get(&server.admin, "/api/v1/authorization/roles")
        .await
        .is(200);
    let mut without = 0;
    for role in roles.as_array().unwrap() {
        let id = role["id"].as_i64().unwrap();
        let role = reeve_authz::Role::of(reeve_authz::RoleId::predefined(id).unwrap()).unwrap();
        let email = format!("role-{id}@example.com");
        let (_, token) = server
            .user(&email, json!({"uid": 61_000 + id, "gid": 5000}))
            .await;
        server
            .rule(("user", &email), id, ("project", &organization.robots))
            .await;
        if role.in_clusters().is_some() {
            server.post(&token, &paths[0], Value::Null).await.is(200);
            continue;
        }
        without += 1;
        // Nor where the role may read the cluster's record.
        server.rule(("user", &email), id, ("tenant", "1")).await;
        let refused = server.post(&token, &paths[0], Value::Null).await.refused(403);
        assert!(
            refused.contains("none of your roles gives anything in the cluster"),
            "{refused}"
        );
        server.get(&token, &paths[1]).await.refused(403);
        // With one that has, there is one.
        server
            .rule(("user", &email), 9, ("project", &organization.captions))
            .await;
        server.post(&token, &paths[0], Value::Null).await.is(200);
    }
    assert!(without >= 8, "{without}");
}

#[tokio::test]
async fn a_kubernetes_token_is_for_people_in_the_cluster() {
    let organization = OrganizationFixture::new().await;
    let (other, _) = organization.server.cluster("other").await;
    let mut page = Transcript::of(&organization.server);
    let path = |cluster: &str, what: &str| format!("/api/v1/clusters/{cluster}/{what}");
    for (who, token) in [
        ("alice", &organization.alice),
        ("bob", &organization.bob),
        ("the administrator", &organization.server.admin),
    ] {
        page.post(
            who,
            token,
            &path(&organization.cluster, "kubernetes-token"),
            Value::Null,
        )
        .await
        .is(200);
    }
    page.post(
        "an application",
        &organization.ci,
        &path(&organization.cluster, "kubernetes-token"),
        Value::Null,
    )
    .await
    .refused(403);
    page.post(
        "nobody",
        &organization.nobody,
        &path(&organization.cluster, "kubernetes-token"),
        Value::Null,
    )
    .await
    .refused(403);
    page.post(
        "another cluster",
        &organization.alice,
        &path(&other, "kubernetes-token"),
        Value::Null,
    )
    .await
    .refused(404);
    page.get(
        "not said yet",
        &organization.alice,
        &path(&organization.cluster, "kubernetes-endpoint"),
    )
    .await
    .refused(404);
    let token = organization
        .server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let endpoint = json!({"server": "https://10.0.0.1:6443", "certificateAuthorityData": "Q0E="});
    let settings = json!({
        "enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true, "kubernetesVersion": "v1.37.2",
        "operatorVersion": "0.1.0", "kubernetesEndpoint": endpoint, "policyAlarms": [],
    });
    organization
        .server
        .post(&token, "/link/v1/status", json!({"settings": settings}))
        .await
        .is(204);
    page.get(
        "said",
        &organization.alice,
        &path(&organization.cluster, "kubernetes-endpoint"),
    )
    .await
    .is(200);
    page.get(
        "an application",
        &organization.ci,
        &path(&organization.cluster, "kubernetes-endpoint"),
    )
    .await
    .refused(403);
    page.get(
        "nobody",
        &organization.nobody,
        &path(&organization.cluster, "kubernetes-endpoint"),
    )
    .await
    .refused(403);
    insta::assert_snapshot!(page.page());
    let answer = organization
        .server
        .call(
            &organization.alice,
            Method::POST,
            &path(&organization.cluster, "kubernetes-token"),
            "",
        )
        .await
        .is(200);
    let claims = claims(answer["token"].as_str().unwrap());
    assert_eq!(claims["aud"], format!("reeve-cluster:{}", organization.cluster));
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        300
    );
    assert_eq!(
        (&claims["uid"], &claims["gid"], &claims["supplementaryGroups"]),
        (&json!("70012"), &json!("5000"), &json!(["5001"]))
    );
    assert_eq!(
        (&claims["email"], &claims["sub"]),
        (
            &json!("alice@example.com"),
            &json!(organization.alice_id.to_string())
        )
    );
}

/// What a token says, decoded with plain base64, as the reference's client does (control-plane 0.3, trap 4).
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).unwrap();
    assert!(!payload.contains(['-', '_']), "{payload}");
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(payload)
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn who_sees_something_in_a_cluster_finds_its_id_and_nothing_else_of_it() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (other, _) = server.cluster("other").await;
    let body = json!({"name": "third", "domain": "third.example", "version": "2.20"});
    let third = server.post(&server.admin, "/api/v1/clusters", body).await.is(201);
    let third = third["uuid"].as_str().unwrap();
    let department = server.department(third, "d").await;
    let project = server.project(third, &department, "p").await;
    server
        .rule(("user", "alice@example.com"), 5, ("project", &project))
        .await;
    let seen = server.get(&organization.alice, "/api/v1/clusters").await.is(200);
    let seen = seen.as_array().unwrap();
    let names: Vec<_> = seen
        .iter()
        .map(|cluster| cluster["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["demo", "third"]);
    for cluster in seen {
        for hidden in ["domain", "version", "status", "lastLiveness"] {
            assert_eq!(cluster[hidden], Value::Null, "{cluster}");
        }
    }
    let one = server
        .get(&organization.alice, &format!("/api/v1/clusters/{third}"))
        .await
        .is(200);
    assert_eq!(&one, &seen[1]);
    server
        .get(&organization.alice, &format!("/api/v1/clusters/{other}"))
        .await
        .refused(404);
    // With a rule at the cluster she sees it whole.
    server
        .rule(("user", "alice@example.com"), 5, ("cluster", third))
        .await;
    let whole = server
        .get(&organization.alice, &format!("/api/v1/clusters/{third}"))
        .await
        .is(200);
    assert_eq!(whole["domain"], "third.example");
    assert!(whole["status"].is_object(), "{whole}");
}

#[tokio::test]
async fn a_cluster_is_called_as_people_like() {
    let server = Server::new().await;
    let (cluster, _) = server.cluster("Prod Cluster (Köln)").await;
    let (_, token) = server.user("carol@example.com", Value::Null).await;
    server
        .rule(("user", "carol@example.com"), 5, ("cluster", &cluster))
        .await;
    let body = json!({"name": "x", "clusterId": cluster, "resources": []});
    let refused = server.post(&token, "/api/v1/org-unit/departments", body).await;
    let message = refused.refused(403);
    assert!(message.contains("cluster `Prod Cluster (Köln)`"), "{message}");
    for wrong in ["", " ", "a\nb", "a ", &"x".repeat(51)] {
        server
            .post(&server.admin, "/api/v1/clusters", json!({"name": wrong}))
            .await
            .refused(400);
    }
}

/// Planted faults: access rules keep the name of before; a name that another cluster has.
#[tokio::test]
async fn a_cluster_is_renamed_and_its_rules_say_so() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    server.cluster("other").await;
    let path = format!("/api/v1/clusters/{}", organization.cluster);
    let put = async |token: &str, name: Value| {
        server
            .call(token, Method::PUT, &path, json!({"name": name}).to_string())
            .await
    };
    let rule = server
        .rule(("group", "operators"), 9, ("cluster", &organization.cluster))
        .await;
    put(&server.admin, json!("Production")).await.is(204);
    assert_eq!(
        server.get(&server.admin, &path).await.is(200)["name"],
        "Production"
    );
    is_fresh(server, "a cluster was renamed").await;
    let rules = "/api/v1/authorization/access-rules";
    let shown = server
        .get(&server.admin, &format!("{rules}/{rule}"))
        .await
        .is(200);
    assert_eq!(shown["scopeName"], "Production");
    let found = server
        .get(&server.admin, &format!("{rules}?filterBy=scopeName==production"))
        .await
        .is(200);
    assert_eq!(found["totalRecords"], 1);
    // Itself again is no conflict.
    put(&server.admin, json!("Production")).await.is(204);
    assert!(
        put(&server.admin, json!("other"))
            .await
            .refused(409)
            .contains("`other`")
    );
    for wrong in [
        json!(" x"),
        json!(""),
        json!("x".repeat(51)),
        json!(1),
        json!(null),
    ] {
        assert!(put(&server.admin, wrong).await.refused(400).starts_with("`name`"));
    }
    let unknown = server
        .call(&server.admin, Method::PUT, &path, r#"{"name":"x","domain":"y"}"#)
        .await;
    assert_eq!(unknown.refused(400), "`domain` is not a field of this request");
    put(&organization.alice, json!("mine")).await.refused(403);
    put(&organization.nobody, json!("mine")).await.refused(403);
    assert_eq!(
        server.get(&server.admin, &path).await.is(200)["name"],
        "Production"
    );
    let nowhere = "/api/v1/clusters/00000000-0000-4000-8000-000000000000";
    server
        .call(&server.admin, Method::PUT, nowhere, r#"{"name":"x"}"#)
        .await
        .refused(404);
}
