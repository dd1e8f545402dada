//! Service accounts.

use serde_json::json;

use crate::server::{Town, Transcript};

const ALL: &str = "/api/v1/service-accounts";

#[tokio::test]
async fn service_accounts_are_made_listed_shown_and_deleted() {
    let town = Town::new().await;
    let admin = &town.server.admin;
    let mut page = Transcript::of(&town.server);
    let made = page
        .post("success", admin, ALL, json!({"name": "deploy_bot"}))
        .await
        .is(201);
    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    page.get("one: the secret is not readable", admin, &path)
        .await
        .is(200);
    page.get("the list is a bare array", admin, ALL).await.is(200);
    page.post("taken", admin, ALL, json!({"name": "deploy_bot"}))
        .await
        .refused(409);
    page.post("a bad name", admin, ALL, json!({"name": "_x"}))
        .await
        .refused(400);
    page.get(
        "unknown",
        admin,
        &format!("{ALL}/00000000-0000-4000-8000-000000000000"),
    )
    .await
    .refused(404);
    page.post("alice", &town.alice, ALL, json!({"name": "mine"}))
        .await
        .refused(403);
    page.get("alice", &town.alice, &path).await.refused(403);
    page.delete("deleted", admin, &path).await.is(204);
    page.delete("deleted before", admin, &path).await.refused(404);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn a_secret_signs_in_in_every_spelling_until_its_account_is_deleted() {
    let town = Town::new().await;
    let server = &town.server;
    let made = server
        .post(&server.admin, ALL, json!({"name": "bot"}))
        .await
        .is(201);
    let secret = made["clientSecret"].as_str().unwrap();
    for body in [
        json!({"grantType": "client_credentials", "clientID": "bot", "clientSecret": secret}),
        json!({"grantType": "app_token", "AppId": "bot", "AppSecret": secret}),
        json!({"grantType": "app_token", "appID": "bot", "appSecret": secret}),
    ] {
        let answer = server.post("", "/api/v1/token", body).await.is(200);
        server
            .get(answer["accessToken"].as_str().unwrap(), "/api/v1/me")
            .await
            .is(200);
    }
    let body = json!({"grantType": "client_credentials", "clientID": "bot", "clientSecret": secret});
    let token = server.post("", "/api/v1/token", body.clone()).await.is(200);
    let token = token["accessToken"].as_str().unwrap();
    server
        .delete(&server.admin, &format!("{ALL}/{}", made["id"].as_str().unwrap()))
        .await
        .is(204);
    server.get(token, "/api/v1/me").await.refused(401);
    server.post("", "/api/v1/token", body).await.refused(400);
}
