//! `reeve secret-asset`: what each command asks, and what it shows.

use serde_json::{Value, json};

use crate::receiver::{Receiver, project, text};

const BASE: &str = "/api/v1/asset/datasource/secrets";
const ASSET: &str = "623e4567-e89b-12d3-a456-426614174000";
const CREDENTIAL: &str = "723e4567-e89b-12d3-a456-426614174000";

pub(crate) fn meta(id: &str, name: &str, kind: &str) -> Value {
    json!({"id": id, "name": name, "kind": kind, "scope": "project", "projectId": 33, "projectName": "robots", "tenantId": 1,
        "createdBy": "admin@reeve.example", "createdAt": "2026-01-01T00:00:00Z", "updatedBy": "admin@reeve.example",
        "updatedAt": "2026-01-01T00:00:00Z", "updateCount": 0, "autoDelete": false, "private": false})
}

pub(crate) fn asset() -> Value {
    json!({"meta": meta(ASSET, "keys", "secret-volume"),
        "spec": {"credentialAssetId": CREDENTIAL, "secretName": "token", "mountPath": "/etc/keys", "defaultMode": "0440"}})
}

/// Planted faults: a change that sends what was not named as nothing; the asset's own name taken for the credential's.
#[tokio::test]
async fn a_secret_asset_is_made_listed_changed_and_deleted_by_name() {
    let receiver = Receiver::signed_in().await;
    let credential = json!({"meta": meta(CREDENTIAL, "token", "password"), "spec": {"password": {"keyId": 0, "user": "robot"}},
        "clusterInfo": {"resources": [{"name": "token"}]}});
    receiver.answers(
        "GET /api/v1/asset/credentials",
        200,
        json!({"entries": [credential]}),
    );
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    receiver.answers(&format!("POST {BASE}"), 202, asset());
    receiver.answers(&format!("GET {BASE}"), 200, json!({"entries": [asset()]}));
    let one = format!("{BASE}/{ASSET}");
    receiver.answers(&format!("PUT {one}"), 202, asset());
    let gone = json!({"code": 202, "message": "deleted"});
    receiver.answers(&format!("DELETE {one}"), 202, gone);

    let create = [
        "secret-asset",
        "create",
        "keys",
        "--credential",
        "token",
        "--mount-path",
        "/etc/keys",
        "--mode",
        "0440",
        "-p",
        "robots",
    ];
    let mut shown = receiver.shown(&create).await;
    let asked = receiver.calls().pop().unwrap();
    assert_eq!(asked.line, format!("POST {BASE}"));
    assert_eq!(
        asked.body,
        json!({"meta": {"name": "keys", "description": null, "scope": "project", "projectId": "33"},
            "spec": {"credentialAssetId": CREDENTIAL, "mountPath": "/etc/keys", "defaultMode": "0440"}})
    );
    for command in [
        &["secret-asset", "list"][..],
        &["secret-asset", "get", "keys"],
        &["secret-asset", "list", "-o", "name"],
    ] {
        shown += &receiver.shown(command).await;
    }
    receiver.calls();
    receiver
        .run(&["secret-asset", "update", "keys", "--mode", ""])
        .await;
    let asked = receiver.calls().pop().unwrap();
    assert_eq!(
        asked.body,
        json!({"meta": {"name": "keys", "description": null},
            "spec": {"credentialAssetId": CREDENTIAL, "mountPath": "/etc/keys", "defaultMode": ""}})
    );
    receiver
        .run(&["secret-asset", "update", "keys", "--new-name", "tokens"])
        .await;
    let asked = receiver.calls().pop().unwrap();
    assert_eq!(
        asked.body,
        json!({"meta": {"name": "tokens", "description": null}})
    );
    shown += &receiver.shown(&["secret-asset", "delete", "keys"]).await;
    assert_eq!(receiver.calls().pop().unwrap().line, format!("DELETE {one}"));
    insta::assert_snapshot!(shown);

    // Of two of a name neither is meant.
    receiver.answers(
        &format!("GET {BASE}"),
        200,
        json!({"entries": [asset(), asset()]}),
    );
    let several = receiver.run(&["secret-asset", "delete", "keys"]).await;
    assert_eq!(several.status.code(), Some(1));
    assert!(text(&several.stderr).contains("several scopes"));
    receiver.answers(&format!("GET {BASE}"), 200, json!({"entries": []}));
    let missing = receiver.run(&["secret-asset", "get", "keys"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("there is no secret asset `keys`"));
}
