//! The realm's documents, health, readiness, metrics.

use crate::server::{OrganizationFixture, Server, Transcript};

#[tokio::test]
async fn api_servers_find_the_keys() {
    let server = Server::new().await;
    let mut page = Transcript::of(&server);
    page.get(
        "discovery",
        "",
        "/auth/realms/runai/.well-known/openid-configuration",
    )
    .await
    .is(200);
    insta::assert_snapshot!(page.page());
    let keys = server
        .get("", "/auth/realms/runai/protocol/openid-connect/certs")
        .await
        .is(200);
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert!(
        keys.iter()
            .all(|key| key["alg"] == "ES256" && key.get("d").is_none())
    );
    assert_ne!(keys[0]["kid"], keys[1]["kid"]);
}

#[tokio::test]
async fn health_and_readiness_are_open_and_metrics_are_not_there() {
    let organization = OrganizationFixture::new().await;
    let mut page = Transcript::of(&organization.server);
    page.get("alive", "", "/healthz").await.is(200);
    page.get("ready", "", "/readyz").await.is(200);
    organization.server.app.stopping.send_replace(true);
    page.get("ending", "", "/readyz").await.is(503);
    insta::assert_snapshot!(page.page());
    organization
        .server
        .get(&organization.alice, "/api/v1/users")
        .await
        .refused(403);
    // On no route of people's: the metrics have a port of their own.
    organization.server.get("", "/metrics").await.refused(404);
    let metrics = reeve_server::metrics_listener::text(&organization.server.app).unwrap();
    for line in [
        "reeve_requests_total{operation=\"get_users\",status=\"403\"} 1",
        "reeve_decisions_total{operation=\"get_users\",verdict=\"denied\"} 1",
        "reeve_link_streams 0",
        "reeve_clusters 1",
        "reeve_link_revision_lag 6",
        "reeve_certificate_renewal_failing 0",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(
        !metrics.contains(&organization.cluster),
        "who reads this need not be anybody who may see clusters"
    );
}
