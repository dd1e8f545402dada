//! Signing in through an OpenShift cluster: the ordinary way, its settings, and how long it lasts. The cluster is a stand-in, named so.

use std::sync::Arc;

use axum::http::Method;
use reeve_server::renewal::{self, UNCONFIRMED_SECONDS};
use serde_json::{Value, json};

use super::stand_in_openshift::{ALICE, CLIENT, Lie, SECRET, StandInOpenshift, person};
use super::visitor::{Visitor, authorize, follow, location, path_of, server};
use crate::clusters::claims;
use crate::database::holds;
use crate::server::Server;

pub(super) const IDPS: &str = "/api/v1/idps";

/// What a request has to say, with numbers from annotations.
pub(super) fn settings(alias: &str, api: &str) -> Value {
    json!({
        "name": alias, "type": "openshift-v4",
        "ocpData": {"clientId": CLIENT, "clientSecret": SECRET, "idpBaseUrl": api},
        "mappers": {
            "uid": "metadata.annotations.example.com/uid", "gid": "metadata.annotations.example.com/gid",
            "supplementaryGroups": "metadata.annotations.example.com/more",
        },
    })
}

/// A server, and a cluster through which people sign in there.
pub(super) async fn cluster() -> (Server, Arc<StandInOpenshift>) {
    let (server, openshift) = (server().await, StandInOpenshift::start().await);
    let body = settings("corp", &openshift.api);
    server.post(&server.admin, IDPS, body).await.is(201);
    (server, openshift)
}

async fn put(server: &Server, path: &str, body: Value) -> crate::server::Answer {
    let path = format!("{IDPS}/{path}");
    server
        .call(&server.admin, Method::PUT, &path, body.to_string())
        .await
}

/// Planted faults: the token is kept to ask again with; a group with a colon is told to the cluster.
#[tokio::test]
async fn a_user_of_a_cluster_signs_in_and_uid_gid_and_groups_arrive() {
    let (server, openshift) = cluster().await;
    let (cluster, _) = server.cluster("demo").await;
    for group in ["ml", "ml:admins"] {
        server.rule(("group", group), 9, ("cluster", &cluster)).await;
    }
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(me["username"], "alice@example.com");
    // The cluster's own groups are left out.
    assert_eq!(me["groups"], json!(["ml", "ml:admins"]));
    assert_eq!(
        me["posix"],
        json!({"uid": 2001, "gid": 2002, "supplementaryGroups": [3001]})
    );
    assert_eq!(me["posixSource"], "identity-provider");
    let path = format!("/api/v1/clusters/{cluster}/kubernetes-token");
    let given = server.post(&token, &path, Value::Null).await.is(200);
    let seen = claims(given["token"].as_str().unwrap());
    assert_eq!(
        (&seen["uid"], &seen["gid"], &seen["groups"]),
        (&json!("2001"), &json!("2002"), &json!(["reeve-group/ml"]))
    );
    // As little as possible was asked for, and what it gave was shown once.
    let calls = openshift.calls.lock().unwrap().clone();
    let shown: Vec<_> = calls
        .iter()
        .filter_map(|it| it.strip_prefix("user Bearer "))
        .collect();
    assert_eq!((calls[1].as_str(), shown.len()), ("authorize user:info", 1));
    let kept = server.dir.beside().everything().await;
    for secret in [shown[0], SECRET] {
        assert!(!holds(&kept, secret), "`{secret}` is kept");
    }
}

/// By the names that count where none are given, the UID of the object is no number, and its name has to be an address.
#[tokio::test]
async fn without_mappers_the_name_is_the_address_and_nobody_has_numbers() {
    let (server, openshift) = (server().await, StandInOpenshift::start().await);
    let mut body = settings("corp", &openshift.api);
    body.as_object_mut().unwrap().remove("mappers");
    server.post(&server.admin, IDPS, body).await.is(201);
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(
        (&me["username"], &me["posix"]),
        (&json!("alice@example.com"), &Value::Null)
    );
    openshift.at_the_browser(person("bob", "0f6f3c1f-3f0e-4a1f-9d27-7b0c9a524a11", &[]));
    let answer = Visitor::new(&server).signs_in("corp").await.unwrap_err();
    assert_eq!(answer.status.as_u16(), 401, "{}", answer.text);
}

#[tokio::test]
async fn a_cluster_is_made_shown_changed_and_removed_and_its_secret_never_shown() {
    let server = server().await;
    let data = |client: &str, secret: &str, address: &str| json!({"type": "openshift-v4", "ocpData": {"clientId": client, "clientSecret": secret, "idpBaseUrl": address}});
    let (api, other) = ("https://api.c.example.com:6443", "https://api.d.example.com:6443");
    let made = server
        .post(&server.admin, IDPS, data("reeve", SECRET, api))
        .await
        .is(201);
    assert_eq!(made, json!({"alias": "openshift-v4"}));
    let shown = server.get(&server.admin, IDPS).await;
    assert!(!shown.text.contains(SECRET), "{}", shown.text);
    let idp = json!({
        "alias": "openshift-v4", "type": "openshift-v4",
        "redirectUri": "https://reeve.test/auth/realms/runai/broker/openshift-v4/endpoint",
        "ocpData": {"clientId": "reeve", "clientSecret": "*******", "idpBaseUrl": api, "scopes": ["user:info"]},
        "mappers": {
            "email": "metadata.name", "groups": "groups", "uid": "metadata.uid", "gid": "metadata.gid",
            "supplementaryGroups": "supplementarygroups",
        },
    });
    assert_eq!(shown.is(200), json!([idp]));
    let one = format!("{IDPS}/openshift-v4");
    assert_eq!(server.get(&server.admin, &one).await.is(200), idp);
    put(&server, "openshift-v4", data("reeve", "*******", api))
        .await
        .is(200);
    // What is kept goes to no other address, and is no other client's.
    for body in [
        data("reeve", "*******", other),
        data("new", "*******", api),
        data("reeve", "***", api),
    ] {
        let said = put(&server, "openshift-v4", body).await.refused(400);
        assert!(said.contains("ocpData.clientSecret"), "{said}");
    }
    let oidc = json!({"type": "oidc", "oidcData": {"clientId": "a", "clientSecret": "b", "discoverDocumentUrl": "https://x.test"}});
    let said = put(&server, "openshift-v4", oidc).await.refused(400);
    assert!(said.contains("`type`"), "{said}");
    put(
        &server,
        "openshift-v4/mappers",
        json!({"email": "metadata.annotations.mail"}),
    )
    .await
    .is(202);
    put(&server, "openshift-v4", data("new", "another", other))
        .await
        .is(200);
    let now = server.get(&server.admin, &one).await.is(200);
    assert_eq!(
        (
            &now["ocpData"]["idpBaseUrl"],
            &now["mappers"]["email"],
            &now["mappers"]["groups"]
        ),
        (
            &json!(other),
            &json!("metadata.annotations.mail"),
            &json!("groups")
        )
    );
    server.delete(&server.admin, &one).await.is(200);
    server.get(&server.admin, &one).await.refused(404);
}

#[tokio::test]
async fn what_cannot_be_a_cluster_is_refused_by_the_name_of_its_field() {
    let server = server().await;
    let api = "https://api.c.example.com:6443";
    let with = |name: &str, value: Value| {
        let mut body = settings("corp", api);
        body["ocpData"][name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = settings("corp", api);
        body["ocpData"].as_object_mut().unwrap().remove(name);
        body
    };
    let both = {
        let mut body = settings("corp", api);
        body["oidcData"] =
            json!({"clientId": "a", "clientSecret": "b", "discoverDocumentUrl": "https://x.test"});
        body
    };
    for (field, body) in [
        ("`ocpData` is missing", json!({"type": "openshift-v4"})),
        ("oidcData", both),
        ("ocpData.clientId", without("clientId")),
        ("ocpData.clientSecret", without("clientSecret")),
        ("ocpData.idpBaseUrl", without("idpBaseUrl")),
        ("ocpData.clientSecret", with("clientSecret", json!("*******"))),
        (
            "ocpData.idpBaseUrl",
            with("idpBaseUrl", json!("http://api.c.example.com:6443")),
        ),
        (
            "ocpData.idpBaseUrl",
            with("idpBaseUrl", json!("https://a:b@api.c.example.com")),
        ),
        (
            "ocpData.idpBaseUrl",
            with("idpBaseUrl", json!("api.c.example.com:6443")),
        ),
        ("ocpData.scopes", with("scopes", json!(["a b\""]))),
        ("user:full", with("scopes", json!(["user:full"]))),
        (
            "user:full",
            with("scopes", json!(["user:info", "role:admin:demo"])),
        ),
        ("ocpData.idpBaseURL", with("idpBaseURL", json!(api))),
    ] {
        let said = server.post(&server.admin, IDPS, body).await.refused(400);
        assert!(said.contains(field), "{field}: {said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}

/// The cluster cannot be asked again: what it said counts for an hour, as of every provider without a refresh token.
#[tokio::test]
async fn what_a_cluster_said_counts_for_an_hour_and_no_longer_than_the_cluster_is_set_up() {
    let (server, openshift) = cluster().await;
    let mut visitor = Visitor::new(&server);
    let back = follow(&visitor.goes_to(&authorize(), "corp").await).await;
    let sent = location(&visitor.get(path_of(&back)).await);
    let given = visitor.redeem(&sent).await.is(200);
    let me = async |token: &str| server.get(token, "/api/v1/me").await;
    server.clock.advance_seconds(UNCONFIRMED_SECONDS - 1);
    assert_eq!(renewal::renew_due(&server.app).await.unwrap(), 0);
    // A token of this moment would be good for longer: it is the session that ends.
    let body = json!({"grantType": "refresh_token", "refreshToken": given["refresh_token"], "clientId": "runai-cli"});
    let renewed = server.post("", "/api/v1/token", body).await.is(200);
    let token = renewed["accessToken"].as_str().unwrap();
    me(token).await.is(200);
    server.clock.advance_seconds(1);
    me(token).await.refused(401);
    // Another sign-in is with the groups of then.
    openshift.at_the_browser(person("alice@example.com", ALICE, &[]));
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    assert_eq!(me(&token).await.is(200)["groups"], json!([]));
    // Other mappers end nothing, another client does.
    put(&server, "corp/mappers", json!({"groups": "groups"}))
        .await
        .is(202);
    me(&token).await.is(200);
    let mut body = settings("corp", &openshift.api);
    body["ocpData"]["clientId"] = json!("new");
    put(&server, "corp", body).await.is(200);
    me(&token).await.refused(401);
    put(&server, "corp", settings("corp", &openshift.api))
        .await
        .is(200);
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    server
        .delete(&server.admin, &format!("{IDPS}/corp"))
        .await
        .is(200);
    me(&token).await.refused(401);
}

#[tokio::test]
async fn the_test_of_a_cluster_walks_it_and_shows_what_arrives() {
    let (server, openshift) = cluster().await;
    let walk = async || {
        server
            .get(&server.admin, &format!("{IDPS}/corp/test"))
            .await
            .is(200)
    };
    let test = walk().await;
    let steps: Vec<_> = test["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["step"].as_str().unwrap(), it["outcome"].as_str().unwrap()))
        .collect();
    let expected = [
        ("metadata", "ok"),
        ("tokenEndpoint", "ok"),
        ("redirect", "ok"),
        ("signIn", "open"),
    ];
    assert_eq!(steps, expected);
    let said = test.to_string();
    assert!(
        said.contains(&openshift.oauth)
            && said.contains("/broker/corp/endpoint")
            && said.contains("redirectURIs"),
        "{said}"
    );
    assert!(!said.contains(SECRET), "{said}");
    let mut visitor = Visitor::new(&server);
    let to = location(&visitor.get(path_of(test["signInUrl"].as_str().unwrap())).await);
    let page = visitor.get(path_of(&follow(&to).await)).await.text;
    for shown in [
        "Test of corp",
        "<dt>metadata.name</dt><dd>alice@example.com</dd>",
        "<dd id=\"user\">alice@example.com</dd>",
        "<dd id=\"groups\">ml, ml:admins</dd>",
        "<dd id=\"posix\">2001/2002/3001</dd>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!visitor.cookies.0.contains_key("__Host-reeve-session"));
    let users = server.get(&server.admin, "/api/v1/users").await.is(200);
    assert!(!users.to_string().contains("alice@example.com"), "{users}");
    // What is wrong is said with what to do, and then no link is given.
    let gone = Lie::Answer(503, "text/plain", String::new());
    for (step, says) in [
        ("metadata", "ocpData.idpBaseUrl"),
        ("tokenEndpoint", "--idp-ca-file"),
    ] {
        openshift.lie(|it| match step {
            "metadata" => it.metadata = Some(gone.clone()),
            _ => (it.metadata, it.token) = (None, Some(gone.clone())),
        });
        let test = walk().await;
        let last = test["steps"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["step"], &last["outcome"]),
            (&json!(step), &json!("failed")),
            "{test}"
        );
        assert!(last["toDo"].as_str().unwrap().contains(says), "{test}");
        assert_eq!(test.get("signInUrl"), None);
    }
    // Nobody is sent anywhere meanwhile.
    openshift.lie(|it| it.metadata = Some(gone));
    server.clock.advance_seconds(3601);
    let mut visitor = Visitor::new(&server);
    let page = visitor.get(&authorize()).await;
    let attempt = super::visitor::hidden(&page.text, "attempt");
    let path = format!("{}/broker/corp/login?attempt={attempt}", super::visitor::REALM);
    visitor.get(&path).await.refused_page(502);
}
