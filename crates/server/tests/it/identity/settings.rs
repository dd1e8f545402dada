//! Settings of signing in with a browser: what is set is what the pages do.

use axum::http::Method;
use serde_json::{Value, json};

use super::visitor::{Visitor, authorize, hidden, location, path_of, server, set_up};
use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, OrganizationFixture, Server};

const ALL: &str = "/api/v1/security/settings";

async fn put(server: &Server, token: &str, key: &str, body: Value) -> Answer {
    server
        .call(token, Method::PUT, &format!("{ALL}/{key}"), body.to_string())
        .await
}

/// Planted faults: the page is shown although everybody is sent away; `?password` is not looked at; a provider that is gone is sent to.
#[tokio::test]
async fn everybody_is_sent_to_one_provider_and_passwords_have_a_page_of_their_own() {
    let server = server().await;
    let admin = &server.admin;
    set_up(&server, "corp", "https://127.0.0.1:1", json!(null)).await;
    let mut visitor = Visitor::new(&server);
    for (body, said) in [
        (json!({"enabled": true}), "`idpAlias` is missing"),
        (
            json!({"enabled": true, "idpAlias": "other"}),
            "`idpAlias`: there is no identity provider `other`",
        ),
        (
            json!({"uri": "https://a.example/"}),
            "`uri` is not a field of the setting `autoRedirectSSO`",
        ),
        (json!({"idleTimeout": 60}), "`idleTimeout` is not supported yet"),
        (json!({"enabled": "yes"}), "`enabled`"),
    ] {
        let refused = put(&server, admin, "autoRedirectSSO", body).await.refused(400);
        assert!(refused.starts_with(said), "{refused}");
    }
    let chosen = json!({"enabled": false, "idpAlias": "corp"});
    put(&server, admin, "autoRedirectSSO", chosen.clone())
        .await
        .is(200);
    assert_eq!(
        server.get(admin, &format!("{ALL}/autoRedirectSSO")).await.is(200),
        chosen
    );
    assert_eq!(visitor.get("/sign-in").await.status.as_u16(), 200, "it is off");
    put(
        &server,
        admin,
        "autoRedirectSSO",
        json!({"enabled": true, "idpAlias": "corp"}),
    )
    .await
    .is(200);
    for path in ["/sign-in".to_owned(), authorize()] {
        let to = location(&visitor.get(&path).await);
        assert!(
            path_of(&to).starts_with("/auth/realms/runai/broker/corp/login?attempt="),
            "{to}"
        );
        // The attempt is this browser's: the provider cannot be reached here, and is the next to be asked.
        assert!(visitor.cookies.0.contains_key("__Host-reeve-sign-in"), "{path}");
        visitor.get(path_of(&to)).await.refused_page(502);
    }
    for path in [
        "/sign-in?password".to_owned(),
        format!("{}&password", authorize()),
    ] {
        assert!(
            visitor.get(&path).await.text.contains("Sign in with a password"),
            "{path}"
        );
    }
    server.delete(admin, "/api/v1/idps/corp").await.is(200);
    assert_eq!(
        visitor.get("/sign-in").await.status.as_u16(),
        200,
        "there is nobody to be sent to"
    );
}

/// Planted fault: the policy of the page lets the form end here alone, so that a browser does not follow.
#[tokio::test]
async fn signing_out_ends_where_an_administrator_says() {
    let server = server().await;
    let admin = &server.admin;
    let all = server.get(admin, ALL).await.is(200);
    let nothing = json!({
        "autoRedirectSSO": {"enabled": false, "idpAlias": null}, "logoutRedirectUri": {"uri": ""},
        "deviceAuthorization": {"enabled": false},
    });
    assert_eq!(all, nothing);
    for wrong in [
        "http://a.example/",
        "a.example",
        "https://a;b.example/",
        "javascript:alert(1)",
    ] {
        let refused = put(&server, admin, "logoutRedirectUri", json!({"uri": wrong}))
            .await
            .refused(400);
        assert!(
            refused.starts_with("`uri`") && !refused.contains(wrong),
            "{refused}"
        );
    }
    let mixed = json!({"uri": "https://a.example/", "enabled": true});
    let refused = put(&server, admin, "logoutRedirectUri", mixed).await.refused(400);
    assert_eq!(
        refused,
        "`enabled` is not a field of the setting `logoutRedirectUri`"
    );
    let uri = "https://intranet.example:8443/bye";
    put(&server, admin, "logoutRedirectUri", json!({ "uri": uri }))
        .await
        .is(200);
    assert_eq!(
        server.get(admin, ALL).await.is(200)["logoutRedirectUri"],
        json!({ "uri": uri })
    );
    assert_eq!(location(&signs_out(&server).await), uri);
    put(&server, admin, "logoutRedirectUri", json!({})).await.is(200);
    assert_eq!(server.get(admin, ALL).await.is(200), nothing);
    let to = location(&signs_out(&server).await);
    assert!(path_of(&to).ends_with("/logout"), "{to}");
    let log = "/api/v1/audit/log?start=2023-11-14&end=2099-11-14&filterBy=action==update,entity_name==logoutRedirectUri";
    let log = server.get(admin, log).await.is(200);
    assert_eq!(log["total"], 2, "{log}");
}

/// What the last step of a visit answers.
async fn signs_out(server: &Server) -> Answer {
    let mut visitor = Visitor::new(server);
    visitor.types_password("/sign-in", ADMIN, ADMIN_PASSWORD).await;
    let account = visitor.get("/account").await;
    let policy = account.headers["content-security-policy"].to_str().unwrap();
    let uri = server.get(&server.admin, ALL).await.is(200)["logoutRedirectUri"]["uri"].clone();
    let away = policy.contains("form-action 'self' https://intranet.example:8443;");
    assert_eq!(away, uri != "", "{policy}");
    let token = hidden(&account.text, "token");
    visitor.post("/account", &[("token", token.as_str())]).await
}

#[tokio::test]
async fn settings_are_of_administrators_of_the_account_and_unknown_ones_are_not_there() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for key in ["browserSessionTimeout", "autoRedirectSso", "x"] {
        server
            .get(&server.admin, &format!("{ALL}/{key}"))
            .await
            .refused(404);
        put(server, &server.admin, key, json!({})).await.refused(404);
    }
    // Who administers a cluster does not decide how people of the account sign in.
    server
        .rule(
            ("user", "nobody@example.com"),
            1,
            ("cluster", &organization.cluster),
        )
        .await;
    for token in [&organization.alice, &organization.nobody] {
        server.get(token, ALL).await.refused(403);
        server
            .get(token, &format!("{ALL}/logoutRedirectUri"))
            .await
            .refused(403);
        put(
            server,
            token,
            "logoutRedirectUri",
            json!({"uri": "https://mine.example/"}),
        )
        .await
        .refused(403);
        server.get(token, "/v1/k8s/setting").await.refused(403);
        server
            .get(token, "/v1/k8s/setting/department.use")
            .await
            .refused(403);
        let body = r#"{"key":"department.use","value":true}"#;
        server
            .call(token, Method::PUT, "/v1/k8s/setting", body)
            .await
            .refused(403);
    }
    let all = server.get(&server.admin, "/v1/k8s/setting").await.is(200);
    assert_eq!(
        (&all[0]["key"], &all[0]["value"]),
        (&json!("department.use"), &json!("true"))
    );
    assert_eq!(
        server
            .get(&server.admin, "/v1/k8s/setting/department.use")
            .await
            .is(200),
        json!(true)
    );
    server
        .get(&server.admin, "/v1/k8s/setting/other")
        .await
        .refused(404);
    for (body, status) in [
        (json!({"key": "department.use", "value": true}), 200),
        (json!({"key": "department.use", "value": false}), 400),
        (json!({"key": "department.use", "value": "true"}), 400),
        (json!({"key": "department.use"}), 400),
        (json!({"key": "other", "value": true}), 404),
    ] {
        let answer = server
            .call(&server.admin, Method::PUT, "/v1/k8s/setting", body.to_string())
            .await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
    }
}
