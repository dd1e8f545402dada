//! The reference's unmodified Python client (`runapy` 1.224.0) against the program itself: the calls are a table in
//! `tests/compat/calls.py`, and what Reeve does not have is in `tests/compat/absent.txt` by name.

use std::path::Path;
use std::process::Command;

use reeve_testkit::{not_on_postgres, output_with_input, own_postgres, reference_client};
use reqwest::Method;
use serde_json::{Value, json};

use crate::process::{Running, fresh};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_references_client_works_over_sqlite() {
    if not_on_postgres("the same on PostgreSQL is a test beside it") {
        return;
    }
    let Some(python) = reference_client() else { return };
    every_call(python, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_references_client_works_over_postgres() {
    let Some(python) = reference_client() else { return };
    let Some(postgres) = own_postgres() else { return };
    every_call(python, &["--database-url", &postgres.url("postgres")]).await;
}

/// Makes what the client cannot, then hands over to the table.
async fn every_call(python: &Path, flags: &[&str]) {
    let (dir, data) = fresh();
    let file = dir.path().join("password");
    std::fs::write(&file, "Given-Pass-1!\n").unwrap();
    let flags = [&["--admin-password-file", file.to_str().unwrap()], flags].concat();
    let running = Running::start(&data, &flags).await;
    let token: Value = running.sign_in("Given-Pass-1!").await.json().await.unwrap();
    let make = async |path: &str, body: Value| -> Value {
        let request = running.client.request(Method::POST, running.url(path));
        let request = request.bearer_auth(token["accessToken"].as_str().unwrap());
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{path}");
        answer.json().await.unwrap()
    };
    // The client signs in as a service account alone.
    let account = make("/api/v1/service-accounts", json!({"name": "compat"})).await;
    let rule = json!({
        "subjectType": "service-account", "subjectId": "compat", "roleId": 1, "scopeType": "tenant", "scopeId": "1",
    });
    make("/api/v1/authorization/access-rules", rule).await;
    // And it cannot give anybody a uid.
    let numbers = json!({"uid": 70012, "gid": 5000});
    let person = make(
        "/api/v1/users",
        json!({"email": "person@example.com", "posix": numbers, "resetPassword": false}),
    )
    .await;
    let setting = json!({
        "url": running.announced["url"], "caFile": running.announced["caFile"],
        "clientId": account["clientId"], "clientSecret": account["clientSecret"],
        "person": {"email": "person@example.com", "password": person["tempPassword"]},
    });
    let mut calls = Command::new(python);
    calls.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/compat/calls.py"));
    calls.env("PYTHONDONTWRITEBYTECODE", "1");
    let ran = tokio::task::spawn_blocking(move || output_with_input(calls, &setting.to_string()));
    let ran = ran.await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    running.stop().await;
}
