//! Signing in through a real provider, the npm package `oidc-provider`, without a browser: its pages are forms.

use reeve_server::renewal::{self, EACH_SECONDS};
use reeve_testkit::{IdentityProvider, identity_provider};
use serde_json::{Value, json};

use super::visitor::{Cookies, Visitor, authorize, location, path_of, server};
use crate::clusters::claims;
use crate::server::Server;

/// A client of ours at the provider, set up here under `alias`.
pub(super) async fn register(
    client: &reqwest::Client,
    provider: &IdentityProvider,
    redirect_uri: &str,
    alias: &str,
) -> Value {
    let metadata = json!({
        "redirect_uris": [redirect_uri], "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid email profile groups offline_access",
    });
    let answer = client
        .post(format!("{}/reg", provider.issuer()))
        .header("content-type", "application/json")
        .body(metadata.to_string())
        .send()
        .await
        .unwrap();
    let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    json!({
        "name": alias, "type": "oidc",
        "oidcData": {
            "clientId": made["client_id"], "clientSecret": made["client_secret"], "discoverDocumentUrl": provider.issuer(),
            "scopes": ["email", "groups"],
        },
        "mappers": {"groups": "groups", "uid": "uid", "gid": "gid", "supplementaryGroups": "supplementary_groups"},
    })
}

/// What the provider says of somebody from now on.
pub(super) async fn says(client: &reqwest::Client, provider: &IdentityProvider, name: &str, claims: &Value) {
    let answer = client
        .put(provider.user(name))
        .body(claims.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 204);
}

/// Follows the provider's pages with its cookies until it sends back to us.
async fn at_provider(client: &reqwest::Client, issuer: &str, mut address: String, login: &str) -> String {
    let mut cookies = Cookies::default();
    for _ in 0..20 {
        if !address.starts_with(issuer) {
            return address;
        }
        let answer = client
            .get(&address)
            .header("cookie", cookies.header())
            .send()
            .await
            .unwrap();
        cookies.keep(answer.headers());
        let next = answer
            .headers()
            .get("location")
            .map(|it| it.to_str().unwrap().to_owned());
        let next = match next {
            Some(next) => next,
            None => {
                let page = answer.text().await.unwrap();
                let form = if page.contains("name=\"login\"") {
                    format!("prompt=login&login={login}&password=any")
                } else {
                    "prompt=consent".to_owned()
                };
                let answer = client
                    .post(&address)
                    .header("cookie", cookies.header())
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(form)
                    .send()
                    .await
                    .unwrap();
                cookies.keep(answer.headers());
                answer.headers()["location"].to_str().unwrap().to_owned()
            }
        };
        address = if next.starts_with('/') {
            format!("{issuer}{next}")
        } else {
            next
        };
    }
    panic!("the provider does not come to an end: {address}")
}

async fn sign_in(
    server: &Server,
    client: &reqwest::Client,
    provider: &IdentityProvider,
    login: &str,
) -> String {
    let mut visitor = Visitor::new(server);
    let to = visitor.goes_to(&authorize(), "corp").await;
    let back = at_provider(client, provider.issuer(), to, login).await;
    let sent = location(&visitor.get(path_of(&back)).await);
    let token = visitor.redeem(&sent).await.is(200);
    token["access_token"].as_str().unwrap().to_owned()
}

/// uid, gid and groups arrive in `/me` and in the token that a cluster sees; taken away there, they are gone at the next look.
#[tokio::test]
async fn what_a_real_provider_says_arrives_and_what_it_takes_away_goes() {
    let Some(provider) = identity_provider() else {
        return;
    };
    let server = server().await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let redirect_uri = "https://reeve.test/auth/realms/runai/broker/corp/endpoint";
    let idp = register(&client, provider, redirect_uri, "corp").await;
    server.post(&server.admin, "/api/v1/idps", idp).await.is(201);
    let said = json!({
        "email": "Anna@Example.com", "email_verified": true, "groups": ["/ml/vision", "vision", "system:masters"],
        "uid": "2101", "gid": 2102, "supplementary_groups": ["3101"],
    });
    says(&client, provider, "anna", &said).await;
    let (cluster, _) = server.cluster("demo").await;
    server.rule(("group", "vision"), 9, ("cluster", &cluster)).await;

    let token = sign_in(&server, &client, provider, "anna").await;
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(me["username"], "anna@example.com");
    assert_eq!(me["groups"], json!(["/ml/vision", "vision"]));
    assert_eq!(
        me["posix"],
        json!({"uid": 2101, "gid": 2102, "supplementaryGroups": [3101]})
    );
    assert_eq!(me["roles"][0]["throughGroup"], "vision");
    let path = format!("/api/v1/clusters/{cluster}/kubernetes-token");
    let given = server.post(&token, &path, Value::Null).await.is(200);
    let seen = claims(given["token"].as_str().unwrap());
    assert_eq!(
        (&seen["uid"], &seen["gid"], &seen["email"]),
        (&json!("2101"), &json!("2102"), &json!("anna@example.com"))
    );
    assert_eq!(seen["supplementaryGroups"], json!(["3101"]));
    assert_eq!(seen["groups"], json!(["reeve-group/vision"]));

    says(
        &client,
        provider,
        "anna",
        &json!({"email": "anna@example.com", "groups": []}),
    )
    .await;
    server.clock.advance_seconds(EACH_SECONDS + 1);
    assert_eq!(renewal::renew_due(&server.app).await.unwrap(), 1);
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(
        (&me["groups"], &me["posix"], &me["roles"]),
        (&json!([]), &Value::Null, &json!([]))
    );
    // Whoever is gone there is out.
    client.delete(provider.user("anna")).send().await.unwrap();
    server.clock.advance_seconds(EACH_SECONDS + 1);
    renewal::renew_due(&server.app).await.unwrap();
    server.get(&token, "/api/v1/me").await.refused(401);
}
