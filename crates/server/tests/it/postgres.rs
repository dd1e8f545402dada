//! The server over PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use reeve_server::follow;
use reeve_testkit::{own_postgres, postgres};
use reeve_types::{Clock, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::process::{Running, fresh};
use crate::server::{Answer, Server, rule};

const RULES: &str = "/api/v1/authorization/access-rules";

fn clock() -> Clock {
    Clock::fixed(Timestamp::from_millis(1_700_000_000_000))
}

async fn made(server: &Server, name: &str) -> Answer {
    let body = rule(("group", name), 9, ("tenant", "1"));
    server.post(&server.admin, RULES, body).await
}

/// A database that is away: 503 and when to come back, never 500; and the server goes on by itself when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_everything_is_503_and_then_goes_on() {
    let Some(postgres) = own_postgres() else { return };
    let server = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    made(&server, "before").await.is(201);
    server.get("", "/readyz").await.is(200);
    tokio::task::block_in_place(|| postgres.kill().unwrap());
    for answer in [
        made(&server, "lost").await,
        server.get(&server.admin, RULES).await,
    ] {
        answer.refused(503);
        assert!(answer.headers.contains_key("retry-after"), "{}", answer.text);
    }
    // Of many one finds out: where each tried for itself, one after the other, this would take minutes.
    let begun = Instant::now();
    let names: Vec<_> = (0..30).map(|number| format!("late{number}")).collect();
    let many = futures::future::join_all(names.iter().map(|name| made(&server, name)));
    for answer in many.await {
        answer.refused(503);
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let said = server.get("", "/readyz").await.is(503);
    assert!(
        said["details"]
            .as_str()
            .unwrap()
            .contains("the database does not answer"),
        "{said}"
    );
    server.get("", "/healthz").await.is(200);
    tokio::task::block_in_place(|| postgres.resume().unwrap());
    let begun = Instant::now();
    while server.get("", "/readyz").await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    made(&server, "after").await.is(201);
    let kept = server.get(&server.admin, RULES).await.is(200);
    let kept = kept["accessRules"].as_array().unwrap().len();
    assert_eq!(kept, server.app.directory().snapshot().rules.len());
}

/// What can only be read is read; changes are 503, and `/readyz` says why.
#[tokio::test]
async fn a_database_that_can_only_be_read_refuses_changes_and_answers_questions() {
    use sqlx::{Connection, Executor};
    let Some(postgres) = own_postgres() else { return };
    let server = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    let mut admin = sqlx::PgConnection::connect(&postgres.url("postgres"))
        .await
        .unwrap();
    admin
        .execute("ALTER SYSTEM SET default_transaction_read_only = on")
        .await
        .unwrap();
    admin.execute("SELECT pg_reload_conf()").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let refused = made(&server, "late").await;
    refused.refused(503);
    assert!(refused.headers.contains_key("retry-after"));
    server.get(&server.admin, RULES).await.is(200);
    let said = server.get("", "/readyz").await.is(503);
    assert!(
        said["details"].as_str().unwrap().contains("can only be read"),
        "{said}"
    );
    admin
        .execute("ALTER SYSTEM SET default_transaction_read_only = off")
        .await
        .unwrap();
    admin.execute("SELECT pg_reload_conf()").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    made(&server, "late").await.is(201);
    server.get("", "/readyz").await.is(200);
}

/// Planted fault: without `follow::run` the second process never hears of it.
#[tokio::test]
async fn a_user_who_is_signed_out_at_one_process_is_refused_at_another_within_a_second() {
    let Some(postgres) = postgres() else { return };
    let first = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    let second = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    let following = tokio::spawn(follow::run(Arc::clone(&second.app)));
    second.get(&first.admin, "/api/v1/users").await.is(200);
    let admin = first.app.directory().snapshot().users[0].id;
    first
        .post(
            &first.admin,
            &format!("/api/v1/users/{admin}/logout"),
            json!(null),
        )
        .await
        .is(200);
    let begun = Instant::now();
    while second.get(&first.admin, "/api/v1/users").await.status != 401 {
        assert!(begun.elapsed() < Duration::from_secs(1), "it is not heard of");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    following.abort();
}

/// The program itself, with the address from its environment, which no list of processes shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_serves_over_postgres_and_starts_again_over_it() {
    let Some(postgres) = own_postgres() else { return };
    let (dir, data) = fresh();
    let file = dir.path().join("password");
    std::fs::write(&file, "Given-Pass-1!\n").unwrap();
    let url = postgres.url("postgres");
    let flags = [
        "--admin-password-file",
        file.to_str().unwrap(),
        "--database-url",
        &url,
    ];
    for _ in 0..2 {
        let running = Running::start(&data, &flags).await;
        let body =
            json!({"grantType": "password", "username": "admin@reeve.example", "password": "Given-Pass-1!"});
        let sent = running
            .client
            .post(running.url("/api/v1/token"))
            .body(body.to_string());
        assert_eq!(sent.send().await.unwrap().status(), 200);
        running.stop().await;
    }
    assert!(!data.join("reeve.db").exists());
    let mut verify = std::process::Command::new(crate::process::PROGRAM);
    verify
        .args(["audit", "verify", "--data-dir"])
        .arg(&data)
        .env("REEVE_DATABASE_URL", &url);
    let said = verify.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// The parser of flags prints values that it cannot read; this one holds a password.
#[test]
fn an_address_that_cannot_be_read_is_refused_without_its_password() {
    let url = "postgres://reeve:secret#word@db.example/reeve";
    for by_flag in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_reeve-server"));
        program.args(["serve", "--data-dir"]).arg(dir.path().join("data"));
        if by_flag {
            program.args(["--database-url", url]);
        } else {
            program.env("REEVE_DATABASE_URL", url);
        }
        let output = program.output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success());
        assert!(said.contains("REEVE_DATABASE_URL"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
