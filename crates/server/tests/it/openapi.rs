//! The OpenAPI document and its page as served, and every operation's success, query and body against it. Each answer is
//! compared with the document by [`contract`](crate::contract).

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use reeve_api::operation::Method as OperationMethod;
use reeve_api::{Access, OPERATIONS, Operation, PathParameter, Query, RequestBody, openapi};
use reeve_types::CredentialAssetKind;
use serde_json::{Value, json};

use crate::credentials;
use crate::passkeys;
use crate::second_factor;
use crate::secret_assets;
use crate::server::{ADMIN, ADMIN_PASSWORD, OrganizationFixture};

#[tokio::test]
async fn the_document_is_served_to_everybody_as_it_is_committed() {
    let organization = OrganizationFixture::new().await;
    let answer = organization.server.get("", "/api/openapi.json").await;
    assert_eq!(answer.is(200)["openapi"], "3.1.0");
    assert_eq!(answer.text, openapi::text());
    for secret in [
        &organization.cluster,
        &organization.robots,
        &organization.alice_id.to_string(),
    ] {
        // Of this installation it says nothing. Ids of one digit are everywhere.
        assert!(secret.len() < 3 || !answer.text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_page_runs_nothing_and_loads_nothing() {
    let organization = OrganizationFixture::new().await;
    let answer = organization.server.get("", "/docs").await;
    assert_eq!(answer.status, 200);
    let header = |name: &str| answer.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy = header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    for open in ["unsafe", "script-src", "http:", "https:", "*"] {
        assert!(!policy.contains(open), "{policy}");
    }
    for operation in OPERATIONS {
        let place = format!("<h3 id=\"{}\">", operation.name);
        assert!(answer.text.contains(&place), "{place}");
    }
}

/// A permission set.
const PROJECTS_VIEWER: &str = "9cc43da2-fb7b-8760-983d-84d7b0e20ee4";

/// What is there for each parameter of a path, and the bodies that make sense in this town.
fn call(organization: &OrganizationFixture, operation: &Operation, ids: &Ids) -> (String, Value) {
    let id = match operation.parameter() {
        None => String::new(),
        Some(PathParameter::AccessKey | PathParameter::UserApplication) => {
            ids.access_keys[access_key_of(operation)].clone()
        }
        Some(PathParameter::AccessRule) => organization.alice_rule.to_string(),
        Some(PathParameter::Cluster) => organization.cluster.clone(),
        Some(PathParameter::Credential) => ids.credentials[slug(operation)].clone(),
        Some(PathParameter::SecretAsset) => ids.secret_asset.clone(),
        Some(PathParameter::Department) => organization.language.clone(),
        Some(PathParameter::Passkey) => ids.passkey.clone(),
        Some(PathParameter::Idp) => "corp".to_owned(),
        Some(PathParameter::Project) => organization.captions.clone(),
        // The first that was made here, by the operations before.
        Some(PathParameter::Role) if operation.method != OperationMethod::Get => "1001".to_owned(),
        Some(PathParameter::Role) => "5".to_owned(),
        Some(PathParameter::PermissionSet) => PROJECTS_VIEWER.to_owned(),
        Some(PathParameter::SecuritySetting) => "logoutRedirectUri".to_owned(),
        Some(PathParameter::TenantSetting) => "department.use".to_owned(),
        // Each road to its deletion has one of its own.
        Some(PathParameter::ServiceAccount) if operation.path.starts_with("/api/v1/apps") => {
            ids.application.clone()
        }
        Some(PathParameter::ServiceAccount) => organization.ci_id.to_string(),
        Some(PathParameter::Session) => ids.session.clone(),
        Some(PathParameter::Uid) => "61000".to_owned(),
        Some(PathParameter::User) => ids.user.clone(),
        Some(PathParameter::Workload) => ids.workload.clone(),
    };
    let cluster = &organization.cluster;
    let body = match operation.name {
        "grant_token" => json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD}),
        "grant_token_v2" => {
            json!(
                format!("grant_type=password&username={ADMIN}&password={ADMIN_PASSWORD}").replace('@', "%40")
            )
        }
        "app_token" => json!({"id": ids.application, "name": "older", "secret": ids.application_secret}),
        "create_cluster" | "create_service_account" | "create_access_key1" => json!({"name": "another"}),
        "create_user_application" | "create_application" => json!({"name": "one-more"}),
        "create_department" => json!({"name": "another", "clusterId": cluster, "resources": ids.resources}),
        "create_project" => {
            json!({"name": "another", "clusterId": cluster, "parentId": organization.vision, "resources": ids.resources,
                "schedulingRules": {"trainingJobTimeLimitSeconds": 60}, "nodeTypes": {"training": ["a"]}})
        }
        "update_department" | "update_project" => {
            json!({"description": "Changed.", "resources": ids.resources,
                "schedulingRules": {"trainingJobTimeLimitSeconds": 60}, "nodeTypes": {"training": ["a"]}})
        }
        name if name.ends_with("_resources") => ids.resources.clone(),
        "update_cluster" => json!({"name": "renamed"}),
        "update_security_setting_by_key" => json!({"uri": "https://intranet.example/"}),
        "update_tenant_setting" => json!({"key": "department.use", "value": true}),
        "change_user_password" => json!({"currentPassword": ADMIN_PASSWORD, "newPassword": "Chosen-Pass-1!"}),
        "confirm_authenticator" | "remove_authenticator" => json!({"code": "123456"}),
        "create_passkey" => ids.created.clone(),
        "create_user" => json!({"email": "another@example.com"}),
        "create_access_rule" => {
            json!({"subjectType": "group", "subjectId": "g", "roleId": 9, "scopeType": "project", "scopeId": organization.robots})
        }
        "create_role" | "update_role" => {
            json!({"name": "Readers", "description": "See projects.", "permissionSets": [{"id": PROJECTS_VIEWER}]})
        }
        "access_rules_batch" => json!({"ids": ["1"], "action": "validate_delete"}),
        "access_rules_batch_create" => {
            json!({"payload": {"roleId": 9, "subjects": [{"subjectType": "group", "subjectId": "h"}],
            "scopes": [{"scopeType": "project", "scopeId": organization.robots}]}})
        }
        "offboard" => json!({"user": ids.user, "workloads": "delete", "dryRun": true}),
        "get_permitted_scopes" => json!({"resourceType": "trainings"}),
        "explain" | "who_can" => {
            json!({"resourceType": "trainings", "action": "create", "scopeType": "project", "scopeId": organization.robots})
        }
        "what_can" => json!({"subject": {"subjectType": "user", "subjectId": "alice@example.com"}}),
        "preview" => json!({"groups": [{"user": "alice@example.com", "join": ["ml"]}]}),
        "create_training1" => {
            json!({"name": "another", "projectId": organization.robots, "clusterId": cluster, "spec": {"image": "x"}})
        }
        "create_idp" | "update_idp" => {
            json!({"name": "corp", "type": "oidc",
                "oidcData": {"clientId": "reeve", "clientSecret": "x", "discoverDocumentUrl": "https://idp.example"}})
        }
        "update_idp_mappers" => json!({"groups": "groups"}),
        "rotate_signing_keys" => json!({"atOnce": true}),
        "set_user_posix" => json!({"uid": 61_001, "gid": 5000}),
        "set_cluster_lowest_id" => json!({"lowestId": 500}),
        "set_project_networking" => json!({"allowNetworking": true}),
        "set_project_pod_rules" => json!({"podSecurity": "restricted", "nodePools": ["gpu"]}),
        "patch_cluster" => json!({"kubernetesEndpoint": {"server": "https://k8s.example:6443"}}),
        "update_service_account_by_id" | "update_application_by_id" => json!({"enabled": true}),
        "create_secret_asset" => secret_assets::body("another", ("tenant", ""), &ids.credentials["password"]),
        "update_Secret_asset_by_id" => {
            json!({"meta": {"name": "renamed"}, "spec": secret_assets::spec(&ids.credentials["password"])})
        }
        _ if operation.path.starts_with("/api/v1/asset/credentials/") => match operation.method {
            OperationMethod::Post => credentials::body(
                slug(operation),
                &format!("new-{}", slug(operation)),
                ("tenant", ""),
            ),
            OperationMethod::Put => json!({"spec": credentials::spec(slug(operation), "value")}),
            _ => Value::Null,
        },
        _ => Value::Null,
    };
    if operation.path.starts_with("/api/v2/policy/") {
        let body = match operation.method {
            OperationMethod::Put => json!({"meta": {"scope": "tenant", "name": "hardening"},
                "policy": {"rules": {"compute": {"gpuDevicesRequest": {"max": 4}}}}}),
            _ => Value::Null,
        };
        let query = if operation.method == OperationMethod::Put {
            ""
        } else {
            "?scope=tenant"
        };
        return (format!("{}{query}", operation.path), body);
    }
    if operation.name.ends_with("_audit_logs") {
        let path = format!("{}?start=2023-11-14&end=2033-11-14", operation.path);
        return (path, Value::Null);
    }
    let part = |part: &str| {
        if part.starts_with('{') {
            id.clone()
        } else {
            part.to_owned()
        }
    };
    (
        operation.path.split('/').map(part).collect::<Vec<_>>().join("/"),
        body,
    )
}

/// Which kind of credential an operation is about.
fn slug(operation: &Operation) -> &'static str {
    operation.path.split('/').nth(5).unwrap()
}

/// Each road to the deletion of an access key has one of its own.
fn access_key_of(operation: &Operation) -> usize {
    let administration = operation.path.starts_with("/api/v1/administration/");
    usize::from(administration)
        + if operation.path.contains("user-applications") {
            2
        } else {
            0
        }
}

struct Ids {
    /// A passkey of Alice's.
    passkey: String,
    /// What makes her another one.
    created: Value,
    access_keys: Vec<String>,
    application: String,
    application_secret: String,
    credentials: BTreeMap<&'static str, String>,
    secret_asset: String,
    session: String,
    user: String,
    workload: String,
    resources: Value,
}

async fn ids(organization: &OrganizationFixture) -> Ids {
    let server = &organization.server;
    let posix = json!({"uid": 61_000, "gid": 5000, "supplementaryGroups": [5001]});
    let (user, erin) = server.user("erin@example.com", posix).await;
    server
        .post(&erin, "/api/v1/me/authenticator", Value::Null)
        .await
        .is(201);
    passkeys::make(server, &erin, "Laptop").await;
    let (_, passkey) = passkeys::make(server, &organization.alice, "Laptop").await;
    let created = passkeys::another(server, &organization.alice, "Telephone").await;
    let spec = json!({"image": "x", "command": "sh", "environmentVariables": [{"name": "A", "value": "b"}],
        "compute": {"gpuDevicesRequest": 1}, "security": {"uidGidSource": "fromIdpToken"}});
    let body = json!({"name": "train", "projectId": organization.robots, "clusterId": organization.cluster, "spec": spec});
    let made = server
        .post(&organization.alice, "/api/v1/workloads/trainings", body)
        .await
        .is(202);
    let mut kept = BTreeMap::new();
    for kind in CredentialAssetKind::ALL {
        let slug = kind.slug();
        kept.insert(
            slug,
            credentials::keep(server, &server.admin, slug, slug, ("tenant", "")).await,
        );
    }
    let account = ("tenant", "");
    let secret_asset = secret_assets::keep(server, &server.admin, "keys", account, &kept["password"]).await;
    let mut access_keys = Vec::new();
    for name in ["first", "second", "third", "fourth"] {
        let made = server
            .post(&server.admin, "/api/v1/access-keys", json!({"name": name}))
            .await
            .is(201);
        access_keys.push(made["id"].as_str().unwrap().to_owned());
    }
    let application = server
        .post(&server.admin, "/api/v1/apps", json!({"name": "older"}))
        .await
        .is(201);
    let signed_in = server.provided(organization.alice_id, &["ml"], Value::Null).await;
    Ids {
        passkey: passkey["id"].as_str().unwrap().to_owned(),
        created,
        access_keys,
        application: application["id"].as_str().unwrap().to_owned(),
        application_secret: application["secret"].as_str().unwrap().to_owned(),
        credentials: kept,
        secret_asset,
        session: signed_in.id.to_string(),
        user: user.to_string(),
        workload: made["workloadId"].as_str().unwrap().to_owned(),
        resources: json!([{"gpu": {"deserved": 1}, "memory": {"deserved": 1024, "units": "Mib"}}]),
    }
}

/// Reads after changes, so that there is something to read; what goes, goes last, from the inside out.
fn in_order() -> Vec<&'static Operation> {
    let last = [
        "passkey",
        "session",
        "training",
        "access_rule",
        "user",
        "service",
        "project",
        "department",
        "cluster",
        "uid",
    ];
    let mut all: Vec<_> = OPERATIONS.iter().collect();
    all.sort_by_key(|row| match row.method {
        OperationMethod::Post | OperationMethod::Put | OperationMethod::Patch => (0, 0),
        OperationMethod::Get => (1, 0),
        OperationMethod::Delete => {
            let place = last.iter().position(|word| row.name.contains(word));
            (2, place.unwrap_or(usize::MAX))
        }
    });
    all
}

#[tokio::test]
async fn every_operation_succeeds_as_documented() {
    // The test of a provider asks it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let ids = ids(&organization).await;
    let mut seen = BTreeSet::new();
    for operation in in_order() {
        if operation.name == "release_uid" {
            // Until then a Kubernetes token may be good that names the uid.
            server.clock.advance_seconds(400);
        }
        let (mut path, mut body) = call(&organization, operation, &ids);
        if ["confirm_authenticator", "remove_authenticator"].contains(&operation.name) {
            // A code is good once.
            server.clock.advance_seconds(60);
            body = json!({"code": second_factor::code_of(server, ADMIN).await});
        }
        if operation.name == "get_cluster_install_info_by_uuid" {
            path.push_str("?version=0.1.0");
        }
        // The trainings are Alice's to make; everything else is the administrator's.
        let token = match operation.access {
            Access::Public => "",
            _ if operation.name == "create_training1" => &organization.alice,
            _ if ["create_passkey", "delete_passkey"].contains(&operation.name) => &organization.alice,
            _ if operation.name == "logout_me" => &organization.nobody,
            _ => &server.admin,
        };
        let text = match &body {
            Value::Null => String::new(),
            // A form.
            Value::String(form) => form.clone(),
            body => body.to_string(),
        };
        let method: Method = operation.method.into();
        let answer = server.call(token, method, &path, text).await;
        assert_eq!(
            answer.status.as_u16(),
            operation.success,
            "{}: {}",
            operation.name,
            answer.text
        );
        seen.insert(operation.name);
    }
    assert_eq!(seen.len(), OPERATIONS.len());
}

#[tokio::test]
async fn every_body_refuses_a_field_that_the_document_does_not_name() {
    let organization = OrganizationFixture::new().await;
    let ids = ids(&organization).await;
    for operation in OPERATIONS {
        if !matches!(
            operation.body,
            RequestBody::Json {
                credentials: false,
                ..
            }
        ) {
            continue;
        }
        let (path, mut body) = call(&organization, operation, &ids);
        if body.is_array() {
            continue;
        }
        body["nonsense"] = json!("hunter2");
        let method: Method = operation.method.into();
        let answer = organization
            .server
            .call(&organization.server.admin, method, &path, body.to_string())
            .await;
        assert_eq!(
            answer.refused(400),
            "`nonsense` is not a field of this request",
            "{}",
            operation.name
        );
    }
}

#[tokio::test]
async fn every_parameter_of_the_document_is_taken_and_no_other() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let ids = ids(&organization).await;
    for operation in OPERATIONS.iter().filter(|row| row.method == OperationMethod::Get) {
        let (path, _) = call(&organization, operation, &ids);
        // Its parameters belong together: policies.rs.
        if path.contains('?') {
            continue;
        }
        let mut right = Vec::new();
        match operation.query {
            Query::Nothing => continue,
            Query::List(spec) => {
                right.extend([
                    "offset=0".to_owned(),
                    "limit=1".to_owned(),
                    "sortOrder=desc".to_owned(),
                ]);
                right.extend(spec.fields().map(|field| format!("sortBy={field}")));
                let searched = spec.columns.iter().any(|column| column.searched);
                right.extend(searched.then(|| "search=x".to_owned()));
                // Values of the others differ; empty is as good as absent.
                right.extend(spec.extras.iter().map(|name| format!("{name}=")));
            }
            Query::Parameters(parameters) => {
                let each = |it: &reeve_api::operation::QueryParameter| {
                    // Of free text, empty is as good as absent; a version is needed.
                    let values = match (it.name, it.values) {
                        ("version", _) => &["0.1.0"],
                        (_, []) => &[""],
                        (_, values) => values,
                    };
                    values
                        .iter()
                        .map(|value| format!("{}={value}", it.name))
                        .collect::<Vec<_>>()
                };
                right.extend(parameters.iter().flat_map(each));
            }
        }
        for query in right {
            server
                .get(&server.admin, &format!("{path}?{query}"))
                .await
                .is(200);
        }
        server
            .get(&server.admin, &format!("{path}?nonsense=1"))
            .await
            .refused(400);
    }
}
