//! A server that starts again over what it left.

use std::sync::Arc;

use serde_json::json;

use crate::link::Watch;
use crate::server::{ADMIN, ADMIN_PASSWORD, OrganizationFixture, Server};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let organization = OrganizationFixture::new().await;
    let keys = organization
        .server
        .get("", "/auth/realms/runai/protocol/openid-connect/certs")
        .await
        .is(200);
    let projects = organization
        .server
        .get(&organization.alice, "/api/v1/org-unit/projects")
        .await
        .is(200);
    // The first server is still open: as after SIGKILL, nothing was closed in order.
    let again = Server::open(
        Arc::clone(&organization.server.dir),
        organization.server.clock.clone(),
    )
    .await;
    assert_eq!(
        again
            .get("", "/auth/realms/runai/protocol/openid-connect/certs")
            .await
            .is(200),
        keys
    );
    assert_eq!(
        again
            .get(&organization.alice, "/api/v1/org-unit/projects")
            .await
            .is(200),
        projects
    );
    again
        .get(&organization.nobody, "/api/v1/org-unit/projects")
        .await
        .refused(403);
    let body = json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD});
    again.post("", "/api/v1/token", body).await.is(200);
    let token = again
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open(&again, &token, Some(6)).await;
    assert_eq!(watch.news().await.unwrap()["revision"], 6);
    again.rule(("group", "g"), 9, ("tenant", "1")).await;
    assert_eq!(watch.news().await.unwrap()["revision"], 7);
}

#[tokio::test]
async fn the_master_key_is_needed_and_never_made_twice() {
    let dir = tempfile::tempdir().unwrap();
    let data = reeve_server::bootstrap::DataDir::open(&dir.path().join("data")).unwrap();
    let random = reeve_identity::Random::seeded(1);
    let first = data.master_key(&random, false).unwrap();
    assert_eq!(data.master_key(&random, true).unwrap().expose(), first.expose());
    let file = dir.path().join("data/master.key");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    std::fs::remove_file(&file).unwrap();
    let error = data.master_key(&random, true).unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error}");
    std::fs::write(&file, "nonsense").unwrap();
    assert!(data.master_key(&random, true).is_err());
}

#[tokio::test]
async fn a_weak_first_password_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    let random = reeve_identity::Random::seeded(1);
    std::fs::write(&file, "short\n").unwrap();
    assert!(reeve_server::bootstrap::first_password(Some(&file), &random).is_err());
    std::fs::write(&file, "Long-Enough-1!\n").unwrap();
    let given = reeve_server::bootstrap::first_password(Some(&file), &random).unwrap();
    assert_eq!((given.password.expose(), given.made), ("Long-Enough-1!", false));
    assert!(
        reeve_server::bootstrap::first_password(None, &random)
            .unwrap()
            .made
    );
}
