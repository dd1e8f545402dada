//! Secret assets: a credential as a source of data. They are kept, shown, listed, changed and deleted by scope, and they tell nobody of a
//! credential that is not theirs to read.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use crate::audit::events;
use crate::credentials;
use crate::server::{Answer, OrganizationFixture, Server};

const BASE: &str = "/api/v1/asset/datasource/secrets";
const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

/// What one says of workloads.
pub(crate) fn spec(credential: &str) -> Value {
    json!({"credentialAssetId": credential, "mountPath": "/etc/keys", "defaultMode": "0440"})
}

/// A body that makes one.
pub(crate) fn body(name: &str, scope: (&str, &str), credential: &str) -> Value {
    let mut body = credentials::body("password", name, scope);
    body["spec"] = spec(credential);
    body
}

/// Keeps one; its id.
pub(crate) async fn keep(
    server: &Server,
    token: &str,
    name: &str,
    scope: (&str, &str),
    credential: &str,
) -> String {
    let made = server.post(token, BASE, body(name, scope, credential)).await;
    made.is(202)["meta"]["id"].as_str().unwrap().to_owned()
}

async fn put(server: &Server, token: &str, path: &str, body: Value) -> Answer {
    server.call(token, Method::PUT, path, body.to_string()).await
}

async fn names(server: &Server, token: &str, query: &str) -> Vec<String> {
    let found = server.get(token, &format!("{BASE}{query}")).await.is(200);
    let entries = found["entries"].as_array().unwrap().iter();
    entries
        .map(|it| it["meta"]["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Planted faults: a second one of the name in a scope; a change that drops what it does not name.
#[tokio::test]
async fn a_secret_asset_is_kept_shown_changed_and_deleted() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let admin = server.admin.as_str();
    let robots = ("project", organization.robots.as_str());
    let token = credentials::keep(server, admin, "password", "token", robots).await;
    let made = server.post(admin, BASE, body("keys", robots, &token)).await;
    assert!(!made.text.contains(credentials::CANARY), "{}", made.text);
    let made = made.is(202);
    let of = |field: &str| made["meta"][field].clone();
    assert_eq!(
        (of("kind"), of("projectName"), of("scope")),
        (json!("secret-volume"), json!("robots"), json!("project"))
    );
    let said = json!({"credentialAssetId": token, "secretName": "token", "mountPath": "/etc/keys", "defaultMode": "0440"});
    assert_eq!((&made["spec"], &made["status"]), (&said, &Value::Null));
    let one = format!("{BASE}/{}", of("id").as_str().unwrap());
    assert_eq!(server.get(admin, &one).await.is(200), made);
    let twice = server.post(admin, BASE, body("keys", robots, &token)).await;
    assert!(
        twice
            .refused(409)
            .contains("secret asset `keys` already exists in this scope")
    );
    // In another scope it is another one.
    let vision = ("department", organization.vision.as_str());
    let wider = credentials::keep(server, admin, "password", "token", vision).await;
    keep(server, admin, "keys", vision, &wider).await;

    let renamed = json!({"meta": {"name": "tokens", "description": "of the build"}});
    let renamed = put(server, admin, &one, renamed).await.is(202);
    assert_eq!(
        (&renamed["meta"]["name"], &renamed["meta"]["updateCount"]),
        (&json!("tokens"), &json!(1))
    );
    assert_eq!(renamed["spec"], said, "what it does not name stays");
    let changed =
        json!({"meta": {"name": "tokens"}, "spec": {"credentialAssetId": wider, "mountPath": "/tokens"}});
    let changed = put(server, admin, &one, changed).await.is(202);
    assert_eq!(
        changed["spec"],
        json!({"credentialAssetId": wider, "secretName": "token", "mountPath": "/tokens"})
    );
    assert_eq!(changed["meta"]["description"], "of the build");
    keep(server, admin, "others", robots, &token).await;
    let taken = json!({"meta": {"name": "others"}});
    put(server, admin, &one, taken).await.refused(409);
    for (wrong, field) in [
        (
            json!({"meta": {"name": "x", "scope": "project", "projectId": organization.robots}, "spec": {"mountPath": "/x"}}),
            "`spec.credentialAssetId` is missing",
        ),
        (
            json!({"meta": {"name": "x", "scope": "project"}, "spec": spec(&token)}),
            "`meta.projectId` is missing",
        ),
        (
            json!({"meta": {"name": "x", "scope": "tenant"}, "spec": {"credentialAssetId": token, "secret": "s"}}),
            "`spec.secret` is not a field",
        ),
    ] {
        let refused = server.post(admin, BASE, wrong).await.refused(400);
        assert!(refused.starts_with(field), "{refused}");
    }
    let gone = server.delete(admin, &one).await.is(202);
    assert_eq!(gone["code"], 202);
    server.get(admin, &one).await.refused(404);
    server.delete(admin, &one).await.refused(404);
    put(server, admin, &one, json!({"meta": {"name": "x"}}))
        .await
        .refused(404);
    // The credential is as it was.
    let kept = format!("/api/v1/asset/credentials/password/{token}");
    server.get(admin, &kept).await.is(200);

    let all = events(server).await;
    let told: Vec<_> = all
        .iter()
        .filter(|it| it.entry.entity_type == "secret-volume-assets" && it.entry.entity_id == of("id"))
        .filter(|it| it.entry.http_status_code == 202)
        .map(|it| (it.entry.http_method.as_str(), it.entry.entity_name.as_str()))
        .collect();
    let wanted = [
        ("POST", "keys"),
        ("PUT", "tokens"),
        ("PUT", "tokens"),
        ("DELETE", "tokens"),
    ];
    assert_eq!(told, wanted);
}

/// Planted faults: a credential that may not be read can be named; one of a narrower scope can; a list that shows other scopes.
#[tokio::test]
async fn a_secret_asset_is_its_scopes_and_tells_of_no_other_credential() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (admin, alice) = (server.admin.as_str(), organization.alice.as_str());
    let robots = ("project", organization.robots.as_str());
    let captions = ("project", organization.captions.as_str());
    let vision = ("department", organization.vision.as_str());
    let mut kept = BTreeMap::new();
    for (name, scope) in [
        ("robots", robots),
        ("captions", captions),
        ("vision", vision),
        ("account", ("tenant", "")),
    ] {
        let credential = credentials::keep(server, admin, "password", name, scope).await;
        let asset = keep(server, admin, name, scope, &credential).await;
        kept.insert(name, (credential, asset));
    }
    let credential = |name: &str| kept[name].0.as_str();
    let asset = |name: &str| kept[name].1.as_str();
    let all = ["account", "captions", "robots", "vision"];
    assert_eq!(names(server, admin, "").await, all);
    assert_eq!(names(server, alice, "").await, ["robots"]);
    assert_eq!(names(server, &organization.bob, "").await, ["captions"]);
    server.get(&organization.nobody, BASE).await.refused(403);
    for (query, wanted) in [
        ("?name=robots".to_owned(), vec!["robots"]),
        ("?scope=tenant".to_owned(), vec!["account"]),
        (format!("?departmentId={}", vision.1), vec!["robots", "vision"]),
        (format!("?projectId={}", captions.1), vec!["captions"]),
        (
            format!("?assetIds={},{}", asset("robots"), asset("vision")),
            vec!["robots", "vision"],
        ),
        (
            "?complyToProject=1&complyToWorkloadType=Training&usageInfo=true".to_owned(),
            all.to_vec(),
        ),
    ] {
        assert_eq!(names(server, admin, &query).await, wanted, "{query}");
    }
    for query in [
        "?assetIds=x",
        "?projectId=x",
        "?scope=system",
        "?complyToReplicaType=Chief",
    ] {
        server.get(admin, &format!("{BASE}{query}")).await.refused(400);
    }
    let theirs = format!("?assetIds={}", asset("captions"));
    assert_eq!(names(server, alice, &theirs).await, Vec::<String>::new());

    // She keeps one of her project's own credential, and names no other.
    let own = keep(server, alice, "mine", robots, credential("robots")).await;
    let mut said = Vec::new();
    for hidden in [
        credential("vision"),
        credential("captions"),
        credential("account"),
        NOBODYS,
    ] {
        let refused = server
            .post(alice, BASE, body("other", robots, hidden))
            .await
            .refused(404);
        said.push(refused.replace(hidden, "ID"));
        let change = json!({"meta": {"name": "mine"}, "spec": spec(hidden)});
        let path = format!("{BASE}/{own}");
        let refused = put(server, alice, &path, change).await.refused(404);
        said.push(refused.replace(hidden, "ID"));
    }
    said.dedup();
    assert_eq!(
        said.len(),
        1,
        "hidden and missing are answered in the same words: {said:?}"
    );
    // What is out of sight is not there, and what is wider is not hers to change.
    for name in ["captions", "vision", "account"] {
        let path = format!("{BASE}/{}", asset(name));
        server.get(alice, &path).await.refused(404);
        server.delete(alice, &path).await.refused(404);
        let change = json!({"meta": {"name": "x"}});
        put(server, alice, &path, change).await.refused(404);
    }
    let bobs = format!("{BASE}/{}", asset("captions"));
    server.get(&organization.bob, &bobs).await.is(200);
    server.delete(&organization.bob, &bobs).await.refused(403);
    // The Secret of a narrower credential would be missing in some of the asset's projects.
    for (scope, narrower) in [
        (("tenant", ""), "vision"),
        (vision, "robots"),
        (captions, "robots"),
        (captions, "vision"),
    ] {
        let wrong = body("wide", scope, credential(narrower));
        let refused = server.post(admin, BASE, wrong).await.refused(400);
        assert!(refused.starts_with("`spec.credentialAssetId`"), "{refused}");
    }
    for (number, wider) in ["robots", "vision", "account"].into_iter().enumerate() {
        let name = format!("fits-{number}");
        keep(server, admin, &name, robots, credential(wider)).await;
    }
}

/// Planted faults: one that outlives its project; one that finds a credential again by its name.
#[tokio::test]
async fn it_goes_with_its_scope_and_says_when_its_credential_went() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let admin = server.admin.as_str();
    let account = ("tenant", "");
    let robots = ("project", organization.robots.as_str());
    let token = credentials::keep(server, admin, "password", "token", account).await;
    let of_project = keep(server, admin, "keys", robots, &token).await;
    let of_account = keep(server, admin, "keys", account, &token).await;
    let project = format!("/api/v1/org-unit/projects/{}", organization.robots);
    assert_eq!(server.delete(admin, &project).await.status, 204);
    let path = |id: &str| format!("{BASE}/{id}");
    server.get(admin, &path(&of_project)).await.refused(404);
    // Of what lies in no scope the list of the account would tell.
    assert_eq!(names(server, admin, "").await, ["keys"]);
    let before = server.get(admin, &path(&of_account)).await.is(200);
    assert_eq!(before["status"], Value::Null);

    let credential = format!("/api/v1/asset/credentials/password/{token}");
    server.delete(admin, &credential).await.is(202);
    credentials::keep(server, admin, "password", "token", account).await;
    let left = server.get(admin, &path(&of_account)).await.is(200);
    assert_eq!(left["spec"]["secretName"], Value::Null);
    assert_eq!(
        left["status"],
        json!({"status": "Issues found", "issues": [], "message": "its credential was deleted: name another one"})
    );
    let quiet = format!("{}?statusInfo=false", path(&of_account));
    assert_eq!(server.get(admin, &quiet).await.is(200)["status"], Value::Null);
    // Its name can change all the same.
    let renamed = json!({"meta": {"name": "left"}});
    put(server, admin, &path(&of_account), renamed).await.is(202);
}
