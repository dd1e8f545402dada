//! Identity providers over REST.

use axum::http::Method;
use serde_json::{Value, json};

use super::visitor::{server, set_up};
use crate::server::OrganizationFixture;

#[tokio::test]
async fn a_provider_is_made_shown_changed_and_removed_and_its_secret_never_shown() {
    let server = server().await;
    set_up(
        &server,
        "corp",
        "https://idp.test/realm",
        json!({"mandatoryClaim": {"claim": "dept", "values": ["ml"]}}),
    )
    .await;
    let shown = server.get(&server.admin, "/api/v1/idps").await;
    assert!(!shown.text.contains("e&cret"), "{}", shown.text);
    let idp = json!({
        "alias": "corp", "type": "oidc", "redirectUri": "https://reeve.test/auth/realms/runai/broker/corp/endpoint",
        "oidcData": {
            "clientId": "reeve", "clientSecret": "*******", "discoverDocumentUrl": "https://idp.test/realm",
            "scopes": ["email", "groups"], "mandatoryClaim": {"claim": "dept", "values": ["ml"]},
        },
        "mappers": {"email": "email", "groups": "groups", "uid": "uid", "gid": "gid", "supplementaryGroups": "supplementary_groups"},
    });
    assert_eq!(shown.is(200), json!([idp]));
    assert_eq!(server.get(&server.admin, "/api/v1/idps/corp").await.is(200), idp);
    let again = json!({"name": "corp", "type": "oidc", "oidcData": {"clientId": "a", "clientSecret": "b", "discoverDocumentUrl": "https://x.test"}});
    server
        .post(&server.admin, "/api/v1/idps", again.clone())
        .await
        .refused(409);
    let put = async |path: &str, body: Value| {
        server
            .call(&server.admin, Method::PUT, path, body.to_string())
            .await
    };
    assert_eq!(
        put("/api/v1/idps/corp/mappers", json!({"groups": "roles"}))
            .await
            .status
            .as_u16(),
        202
    );
    let mappers = server
        .get(&server.admin, "/api/v1/idps/corp/mappers")
        .await
        .is(200);
    assert_eq!(
        (&mappers["groups"], &mappers["uid"]),
        (&json!("roles"), &json!("UID"))
    );
    let with = |client: &str, secret: &str, address: &str| json!({"type": "oidc", "oidcData": {"clientId": client, "clientSecret": secret, "discoverDocumentUrl": address}});
    let masked = with("reeve", "*******", "https://idp.test/realm");
    put("/api/v1/idps/corp", masked.clone()).await.is(200);
    // What is kept goes to no other address, and is no other client's. Planted fault: either is not compared.
    for (body, why) in [
        (with("reeve", "*******", "https://x.test"), "changes"),
        (with("new", "*******", "https://idp.test/realm"), "changes"),
        (
            with("reeve", "****", "https://idp.test/realm"),
            "the secret itself",
        ),
    ] {
        let said = put("/api/v1/idps/corp", body).await.refused(400);
        assert!(
            said.contains("oidcData.clientSecret") && said.contains(why),
            "{said}"
        );
    }
    put("/api/v1/idps/corp", with("new", "another", "https://x.test"))
        .await
        .is(200);
    let now = server.get(&server.admin, "/api/v1/idps/corp").await.is(200);
    assert_eq!(
        (&now["oidcData"]["clientId"], &now["mappers"]["groups"]),
        (&json!("new"), &json!("roles"))
    );
    server
        .post(&server.admin, "/api/v1/idps", masked)
        .await
        .refused(400);
    server.delete(&server.admin, "/api/v1/idps/corp").await.is(200);
    server
        .delete(&server.admin, "/api/v1/idps/corp")
        .await
        .refused(404);
    server.get(&server.admin, "/api/v1/idps/corp").await.refused(404);
    put("/api/v1/idps/corp", again).await.refused(404);
}

#[tokio::test]
async fn what_cannot_be_a_provider_is_refused_by_the_name_of_its_field() {
    let server = server().await;
    let good = json!({"clientId": "a", "clientSecret": "b", "discoverDocumentUrl": "https://x.test"});
    for (field, body) in [
        ("type", json!({"type": "openshift-v3"})),
        (
            "ocpData",
            json!({"type": "oidc", "oidcData": good, "ocpData": {"clientId": "a", "clientSecret": "b", "idpBaseUrl": "https://x.test"}}),
        ),
        ("samlData", json!({"type": "saml"})),
        (
            "oidcData",
            json!({"type": "saml", "samlData": {"metadataXmlUrl": "idp.test/m"}, "oidcData": good}),
        ),
        (
            "samlData.metadataXmlUrl",
            json!({"type": "saml", "samlData": {"metadataXmlType": "url"}}),
        ),
        (
            "samlData.metadataXmlUrl",
            json!({"type": "saml", "samlData": {"metadataXmlUrl": "http://idp.test/metadata"}}),
        ),
        (
            "samlData.metadataXmlFile",
            json!({"type": "saml", "samlData": {"metadataXmlType": "file"}}),
        ),
        (
            "samlData.metadataXmlFile",
            json!({"type": "saml", "samlData": {"metadataXmlFile": "no base64!"}}),
        ),
        (
            "samlData.metadataXmlFile",
            json!({"type": "saml", "samlData": {"metadataXmlFile": "<html/>"}}),
        ),
        (
            "samlData",
            json!({"type": "oidc", "samlData": {"entityId": "x"}, "oidcData": good}),
        ),
        ("oidcData", json!({"type": "oidc"})),
        (
            "oidcData.clientId",
            json!({"type": "oidc", "oidcData": {"clientSecret": "b", "discoverDocumentUrl": "https://x.test"}}),
        ),
        (
            "discoverDocumentUrl",
            json!({"type": "oidc", "oidcData": {"clientId": "a", "clientSecret": "b", "discoverDocumentUrl": "http://x.test"}}),
        ),
        ("name", json!({"name": "a_b", "type": "oidc", "oidcData": good})),
        (
            "mappers.groups",
            json!({"type": "oidc", "oidcData": good, "mappers": {"groups": ""}}),
        ),
        (
            "oidcData.scopes",
            json!({"type": "oidc", "oidcData": {"clientId": "a", "clientSecret": "b", "discoverDocumentUrl": "https://x.test", "scopes": ["a b\""]}}),
        ),
    ] {
        let message = server
            .post(&server.admin, "/api/v1/idps", body)
            .await
            .refused(400);
        assert!(message.contains(field), "{field}: {message}");
    }
}

#[tokio::test]
async fn only_who_may_change_the_accounts_security_sees_or_changes_a_provider() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    server.get(&organization.alice, "/api/v1/idps").await.refused(403);
    server
        .get(&organization.alice, "/api/v1/idps/corp")
        .await
        .refused(403);
    server
        .delete(&organization.alice, "/api/v1/idps/corp")
        .await
        .refused(403);
    server.get("", "/api/v1/idps").await.refused(401);
    // Whoever has such a right in a department only is refused before anything is read. Planted fault: the check comes after.
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    let department = ("department", organization.vision.as_str());
    server.rule(("user", "dora@example.com"), 1, department).await;
    let unreadable =
        json!({"type": "saml", "samlData": {"metadataXmlType": "file", "metadataXmlFile": "<html/>"}});
    server.post(&dora, "/api/v1/idps", unreadable).await.refused(403);
}
