//! How an installer gets what connects a cluster, who may, and what ends it.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_store::Outcome;
use serde_json::Value;

use crate::audit::events;
use crate::link::Watch;
use crate::server::{Answer, OrganizationFixture, Server, write_beside};

async fn info(server: &Server, token: &str, cluster: &str, query: &str) -> Answer {
    let path = format!("/api/v1/clusters/{cluster}/cluster-install-info{query}");
    server.get(token, &path).await
}

/// What the printed commands tell the chart by its Secret.
fn told(info: &Value, key: &str) -> String {
    let text = info["installationStr"].as_str().unwrap();
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("{key}: ")))
        .unwrap_or_else(|| panic!("no {key} in {text}"));
    String::from_utf8(STANDARD.decode(line).unwrap()).unwrap()
}

#[tokio::test]
async fn the_commands_hold_the_clusters_own_secret_which_earns_a_token() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let shown = info(
        server,
        &server.admin,
        cluster,
        "?version=0.1.0&remoteClusterUrl=https%3A%2F%2Fk8s.example%3A6443",
    )
    .await
    .is(200);
    assert_eq!(shown["clientSecret"], *organization.secret);
    assert_eq!(
        (&shown["repositoryName"], &shown["chartRepoURL"]),
        (&"reeve".into(), &"".into())
    );
    let text = shown["installationStr"].as_str().unwrap();
    for part in [
        "helm upgrade --install reeve charts/reeve-cluster --namespace reeve-system",
        "--set controlPlane.url=https://reeve.test",
        "--set controlPlane.existingSecret=reeve-control-plane",
        &format!("--set cluster.uid={cluster}"),
        "--set apiServer.url='https://k8s.example:6443'",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        !text.contains(&organization.secret),
        "only as the Secret holds it: {text}"
    );
    // What is printed connects.
    let token = server.link_token(cluster, &told(&shown, "clientSecret")).await;
    assert_eq!(
        Watch::open(server, &token, None).await.news().await.unwrap()["type"],
        "welcome"
    );
    // It is the same each time, and over a restart.
    let again = Server::open(std::sync::Arc::clone(&server.dir), server.clock.clone()).await;
    let shown = info(&again, &again.admin, cluster, "?version=0.1.0")
        .await
        .is(200);
    assert_eq!(shown["clientSecret"], *organization.secret);
}

/// Planted fault: with the permission to read clusters in place of the one to change them, bob is shown the secret.
#[tokio::test]
async fn the_secret_is_shown_to_whoever_may_change_the_cluster_and_that_is_recorded() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let viewer = server.user("viewer@example.com", Value::Null).await.1;
    server
        .rule(("user", "viewer@example.com"), 7, ("tenant", "1"))
        .await;
    server
        .get(&viewer, &format!("/api/v1/clusters/{cluster}"))
        .await
        .is(200);
    for token in [
        &viewer,
        &organization.alice,
        &organization.bob,
        &organization.ci,
        &organization.nobody,
    ] {
        info(server, token, cluster, "?version=0.1.0").await.refused(403);
    }
    info(server, "", cluster, "?version=0.1.0").await.refused(401);
    let link = server.link_token(cluster, &organization.secret).await;
    info(server, &link, cluster, "?version=0.1.0").await.refused(401);
    let before = events(server).await.len();
    info(server, &server.admin, cluster, "?version=0.1.0")
        .await
        .is(200);
    let told = events(server).await.split_off(before);
    let event = &told.last().unwrap().entry;
    assert_eq!(
        (
            event.metadata["linkSecret"].as_str(),
            event.result,
            event.entity_id.as_str()
        ),
        ("shown", Outcome::Succeeded, cluster)
    );
    assert!(
        !serde_json::to_string(event)
            .unwrap()
            .contains(&organization.secret)
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    for (query, says) in [
        ("?version=1%3Bid", "`version`"),
        ("?version=1&remoteClusterUrl=http%3A%2F%2Fa", "`remoteClusterUrl`"),
        (
            "?version=1&remoteClusterUrl=https%3A%2F%2Fa%2Cb%3Dc",
            "`remoteClusterUrl`",
        ),
        ("?version=1&colour=red", "`colour`"),
    ] {
        let refused = info(server, &server.admin, cluster, query).await.refused(400);
        assert!(refused.contains(says), "{query}: {refused}");
    }
    let nowhere = "00000000-0000-4000-8000-000000000000";
    info(server, &server.admin, nowhere, "?version=1")
        .await
        .refused(404);
}

#[tokio::test]
async fn a_withdrawn_secret_is_worth_nothing_and_a_new_one_lets_the_operator_back_in() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let path = format!("/api/v1/clusters/{cluster}/secret");
    let token = server.link_token(cluster, &organization.secret).await;
    let mut watch = Watch::open(server, &token, None).await;
    server.delete(&organization.alice, &path).await.refused(403);
    server.delete(&server.admin, &path).await.is(204);
    while watch.line().await.is_some() {}
    server
        .post(&token, "/link/v1/status", serde_json::json!({}))
        .await
        .refused(401);
    let old = serde_json::json!({"clusterId": cluster, "clientSecret": organization.secret});
    server.post("", "/link/v1/token", old).await.refused(400);
    let refused = info(server, &server.admin, cluster, "?version=1")
        .await
        .refused(409);
    assert!(
        refused.contains(&format!("`reeve cluster new-secret {cluster}`")),
        "{refused}"
    );
    let last = events(server).await;
    assert!(
        last.iter().any(|row| row
            .entry
            .metadata
            .get("linkSecret")
            .is_some_and(|it| it == "withdrawn")),
        "it is recorded"
    );

    let made = server.call(&server.admin, Method::POST, &path, "").await.is(200);
    let shown = info(server, &server.admin, cluster, "?version=1").await.is(200);
    assert_eq!(shown["clientSecret"], made["clientSecret"]);
    assert_ne!(shown["clientSecret"], *organization.secret);
    server.link_token(cluster, &told(&shown, "clientSecret")).await;
}

/// Planted fault: a sealed value that is bound to nothing opens in another cluster's row, and its installer is shown a secret that is
/// not this cluster's.
#[tokio::test]
async fn a_sealed_secret_opens_for_its_own_cluster_alone() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (other, _) = server.cluster("other").await;
    write_beside(
        server,
        "UPDATE clusters SET sealed_secret = (SELECT sealed_secret FROM clusters WHERE name = 'demo') WHERE name = 'other'",
    ).await;
    info(server, &server.admin, &other, "?version=1")
        .await
        .refused(500);
    // One of before it was kept, and one that came back with a backup, cannot be shown.
    for statement in [
        "UPDATE clusters SET sealed_secret = NULL",
        "UPDATE clusters SET sealed_secret = NULL, credential = 'suspended:' || credential",
    ] {
        write_beside(server, statement).await;
        info(server, &server.admin, &organization.cluster, "?version=1")
            .await
            .refused(409);
    }
}

#[tokio::test]
async fn the_values_of_the_chart_are_for_who_may_read_the_cluster_and_hold_no_secret() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let get = async |token: &str, cluster: &str, query: &str| {
        let path = format!("/v1/k8s/clusters/{cluster}/installfile{query}");
        server.get(token, &path).await
    };
    let values = get(&server.admin, cluster, "").await.is(200);
    assert_eq!(
        values,
        serde_json::json!({
            "global": {"openshift": false},
            "controlPlane": {"url": "https://reeve.test", "existingSecret": "reeve-control-plane"},
            "cluster": {"uid": cluster},
        })
    );
    assert!(!values.to_string().contains(&organization.secret), "{values}");
    let openshift = get(&server.admin, cluster, "?cloud=openshift&format=yaml&clusterip=")
        .await
        .is(200);
    assert_eq!(openshift["global"]["openshift"], true);
    for (query, word) in [
        ("?cloud=moon", "`cloud`"),
        ("?format=xml", "`format`"),
        ("?clusterip=10.0.0.1", "`clusterip`"),
        ("?secret=yes", "`secret`"),
    ] {
        let said = get(&server.admin, cluster, query).await.refused(400);
        assert!(said.contains(word), "{said}");
    }
    get(&server.admin, "00000000-0000-4000-8000-000000000000", "")
        .await
        .refused(404);
    get(&organization.nobody, cluster, "").await.refused(403);
    get("", cluster, "").await.refused(401);
}
