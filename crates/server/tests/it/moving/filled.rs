//! A database with rows in every table.

use std::path::Path;

use axum::http::Method;
use serde_json::{Value, json};

use super::{PASSWORD, RULES, post, rules, send, sign_in};
use crate::database::beside_sqlite;
use crate::process::Running;
use crate::server::rule;
use crate::{credentials, secret_assets};

/// Tables that stay empty: only an audit log of which old attempts were removed has the one, and a row of it belongs to what its chain
/// says.
const EMPTY: [&str; 1] = ["audit_prunings"];

/// Rows in every table: by REST, and what takes somebody else beside, by SQL. The rules there are.
pub(super) async fn filled(dir: &Path, data: &Path) -> Vec<i64> {
    let password = dir.join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let running = Running::start(data, &["--admin-password-file", password.to_str().unwrap()]).await;
    let admin = sign_in(&running).await;
    let (cluster, project) = org_units(&running, &admin).await;
    let body = json!({"email": "alice@example.com", "posix": {"uid": 70_012, "gid": 5000}});
    let alice = post(&running, &admin, "/api/v1/users", body).await;
    for group in ["ä", "b", "B"] {
        let body = rule(("group", group), 9, ("tenant", "1"));
        post(&running, &admin, RULES, body).await;
    }
    things(&running, &admin, &cluster, &project).await;
    let rules = rules(&running, &admin).await;
    running.stop().await;
    by_sql(data, &cluster, &project, alice["id"].as_str().unwrap());
    let counted = counts(data);
    let empty = counted.iter().filter(|(_, rows)| *rows == 0);
    assert_eq!(empty.map(|(table, _)| table.as_str()).collect::<Vec<_>>(), EMPTY);
    rules
}

/// How many rows each table has, by name.
pub(super) fn counts(data: &Path) -> Vec<(String, i64)> {
    let connection = beside_sqlite(data);
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations'
               ORDER BY name";
    let mut tables = connection.prepare(sql).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let count = |table: String| {
        let sql = format!("SELECT COUNT(*) FROM \"{table}\"");
        let rows = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        (table, rows)
    };
    tables.map(|table| count(table.unwrap())).collect()
}

/// A cluster and a project; another of each came and went.
async fn org_units(running: &Running, admin: &str) -> (String, String) {
    let text = |made: &Value, field: &str| made[field].as_str().unwrap().to_owned();
    let cluster = post(running, admin, "/api/v1/clusters", json!({"name": "a"})).await;
    let gone = post(running, admin, "/api/v1/clusters", json!({"name": "gone"})).await;
    let path = format!("/api/v1/clusters/{}", text(&gone, "uuid"));
    send(running, admin, Method::DELETE, &path, Value::Null).await;
    let cluster = text(&cluster, "uuid");
    let body = json!({"name": "vision", "clusterId": cluster, "resources": []});
    let department = post(running, admin, "/api/v1/org-unit/departments", body).await;
    let project = async |name: &str| {
        let body = json!({"name": name, "clusterId": cluster, "parentId": department["id"], "resources": []});
        text(
            &post(running, admin, "/api/v1/org-unit/projects", body).await,
            "id",
        )
    };
    let (robots, gone) = (project("robots").await, project("gone").await);
    let path = format!("/api/v1/org-unit/projects/{gone}");
    send(running, admin, Method::DELETE, &path, Value::Null).await;
    (cluster, robots)
}

async fn things(running: &Running, admin: &str, cluster: &str, project: &str) {
    let scope = ("project", project);
    let body = credentials::body("password", "token", scope);
    let credential = post(running, admin, "/api/v1/asset/credentials/password", body).await;
    let credential = credential["meta"]["id"].as_str().unwrap();
    let body = secret_assets::body("keys", scope, credential);
    post(running, admin, "/api/v1/asset/datasource/secrets", body).await;
    let policy = json!({"meta": {"name": "hardening", "scope": "tenant"}, "policy": {"defaults": {"compute": {"gpuDevicesRequest": 1}}}});
    send(running, admin, Method::PUT, "/api/v2/policy/trainings", policy).await;
    let setting = json!({"enabled": true});
    let path = "/api/v1/security/settings/deviceAuthorization";
    send(running, admin, Method::PUT, path, setting).await;
    post(running, admin, "/api/v1/service-accounts", json!({"name": "ci"})).await;
    post(running, admin, "/api/v1/access-keys", json!({"name": "notebook"})).await;
    let me = send(running, admin, Method::GET, "/api/v1/me", Value::Null).await;
    let numbers = json!({"uid": 70_013, "gid": 5000, "supplementaryGroups": []});
    let path = format!("/api/v1/users/{}/posix", me["id"].as_str().unwrap());
    send(running, admin, Method::PUT, &path, numbers).await;
    let train = json!({"name": "train", "projectId": project, "clusterId": cluster, "spec": {"image": "i"}});
    post(running, admin, "/api/v1/workloads/trainings", train).await;
}

/// What an operator, an identity provider, a device, an authenticator and the passing of time would have left.
fn by_sql(data: &Path, cluster: &str, project: &str, alice: &str) {
    let id = |number: u8| format!("00000000-0000-4000-8000-0000000000{number:02}");
    // Later than anything is forgotten.
    let later = 9_000_000_000_000_i64;
    let statements = format!(
        "INSERT INTO object_status VALUES ('{cluster}', 'Project', '{project}', 'Ready', '', 1);
         INSERT INTO custom_roles VALUES (1001, 'Readers', 'readers', '', TRUE, '[]', NULL, 1, 'x', 1, NULL);
         INSERT INTO identity_providers VALUES ('corp', 'oidc', '{{}}', 'sealed', '{{}}', 1, 1);
         INSERT INTO identities VALUES ('https://idp.test', 'anna', '{alice}', 'corp', 'anna@example.com', 1);
         INSERT INTO authenticators VALUES ('{alice}', 'sealed', TRUE, 1, 0, 0, 1);
         INSERT INTO recovery_codes VALUES ('{alice}', 'hash');
         INSERT INTO passkeys VALUES ('{passkey}', '{alice}', 'Laptop', 'credential', 'key', 1, TRUE, FALSE, FALSE, 1, NULL);
         INSERT INTO device_codes VALUES ('device', 'user', 'reeve-cli', NULL, 'n', {later}, {later}, {later}, 5, FALSE, 'waits', NULL);
         INSERT INTO user_code_guesses VALUES ('n', 1, {later});
         INSERT INTO used_once VALUES ('something', {later});
         INSERT INTO former_emails VALUES ('gone@example.com', {later});
         INSERT INTO audit_attempts VALUES (1, {later});",
        passkey = id(50),
    );
    beside_sqlite(data).execute_batch(&statements).unwrap();
}
