//! The server over a PostgreSQL that fails it: cut connections, silence, a restored database, another server's changes, and its
//! own sudden end.

use std::sync::Arc;
use std::time::Duration;

use reeve_identity::Random;
use reeve_server::fence::{Fence, Found};
use reeve_server::follow;
use reeve_store::Credentials;
use reeve_testkit::{Middle, Postgres, is_whole, own_postgres};
use reeve_types::{Clock, Timestamp};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::process::{PROGRAM, Running, fresh};
use crate::server::{Answer, Server, rule};

const RULES: &str = "/api/v1/authorization/access-rules";
const USERS: &str = "/api/v1/users";

fn clock() -> Clock {
    Clock::fixed(Timestamp::from_millis(1_700_000_000_000))
}

async fn made(server: &Server, name: &str) -> Answer {
    let body = rule(("group", name), 9, ("tenant", "1"));
    server.post(&server.admin, RULES, body).await
}

/// 503 and when to come back, in the one shape; never anything else.
fn is_away(answer: &Answer) {
    answer.refused(503);
    assert!(answer.headers.contains_key("retry-after"), "{}", answer.text);
}

/// A server that keeps a fence of its own and follows the log, as the program does.
async fn complete(url: &str) -> (Server, JoinHandle<()>) {
    let server = Server::open_postgres(url, clock()).await;
    let store = server.app.store.as_ref();
    let (random, now) = (Random::system(), clock().now());
    let opened = Fence::open(server.dir.path(), store, false, &random, now);
    let (fence, found) = opened.await.unwrap();
    assert_eq!(found, Found::Nothing);
    server.app.keep_fence(fence);
    let following = tokio::spawn(follow::run(Arc::clone(&server.app)));
    (server, following)
}

pub(crate) async fn admin(postgres: &Postgres) -> PgConnection {
    PgConnection::connect(&postgres.url("postgres")).await.unwrap()
}

pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    connection.execute(sql).await.unwrap();
}

/// Nobody is connected, and nobody can.
pub(crate) async fn shut(admin: &mut PgConnection, database: &str) {
    run(
        admin,
        &format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
    )
    .await;
    let end =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'");
    run(admin, &end).await;
}

/// A copy of the database as it is now.
pub(crate) async fn back_up(admin: &mut PgConnection) {
    shut(admin, "live").await;
    run(admin, "CREATE DATABASE backup TEMPLATE live").await;
    run(admin, "ALTER DATABASE live ALLOW_CONNECTIONS true").await;
}

/// The copy in the place of the database, under a server that runs.
async fn restore(admin: &mut PgConnection) {
    shut(admin, "live").await;
    run(admin, "DROP DATABASE live").await;
    run(admin, "ALTER DATABASE backup RENAME TO live").await;
    run(admin, "ALTER DATABASE live ALLOW_CONNECTIONS true").await;
}

/// Asks until the answer is this one. What it was before: nothing but what the test allows.
async fn until(server: &Server, token: &str, path: &str, status: u16, before: &[u16]) {
    let begun = Instant::now();
    loop {
        let answer = server.get(token, path).await;
        if answer.status.as_u16() == status {
            return;
        }
        assert!(before.contains(&answer.status.as_u16()), "{}", answer.text);
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn events(server: &Server, action: &str) -> usize {
    let page = server.sql.audit_page(0, 1000).await.unwrap();
    let action = json!(action);
    page.iter()
        .filter(|row| serde_json::to_value(&row.entry).unwrap()["action"] == action)
        .count()
}

/// Planted fault: where the head is written down without asking whether the one before is known, and a lower number only makes the
/// directory be read anew, the session that was ended after the backup is good again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_put_back_under_a_running_server_revives_nothing() {
    let Some(postgres) = own_postgres() else { return };
    let mut admin = admin(&postgres).await;
    run(&mut admin, "CREATE DATABASE live").await;
    let (server, following) = complete(&postgres.url("live")).await;
    let (alice, token) = server.user("alice@example.com", Value::Null).await;
    until(&server, &token, "/api/v1/me", 200, &[]).await;
    made(&server, "before").await.is(201);
    back_up(&mut admin).await;
    until(&server, "", "/readyz", 200, &[503]).await;
    let out = format!("{USERS}/{alice}/logout");
    server.post(&server.admin, &out, Value::Null).await.is(200);
    server.get(&token, "/api/v1/me").await.refused(401);
    restore(&mut admin).await;
    // Nobody changes anything: the log alone shows it.
    until(&server, &server.admin, "/api/v1/me", 401, &[200, 503]).await;
    server.get(&token, "/api/v1/me").await.refused(401);
    until(&server, "", "/readyz", 200, &[503]).await;
    assert_eq!(events(&server, "restore").await, 1);
    let email = "alice@example.com".parse().unwrap();
    let (_, verifier) = server.sql.password_verifier(&email).await.unwrap().unwrap();
    assert!(verifier.is_suspended());
    // It is over: nothing is ended once more.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    server.app.advance_fence(None).await;
    assert_eq!(events(&server, "restore").await, 1);
    following.abort();
}

/// The numbers of the log are the same again when the server looks: only the tags of its entries differ. Planted fault: by numbers
/// alone the server goes on from a directory that is of another database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_log_with_the_same_numbers_is_another_log() {
    let Some(postgres) = own_postgres() else { return };
    let mut admin = admin(&postgres).await;
    run(&mut admin, "CREATE DATABASE live").await;
    let (server, following) = complete(&postgres.url("live")).await;
    following.abort();
    back_up(&mut admin).await;
    until(&server, "", "/readyz", 200, &[503]).await;
    made(&server, "lost1").await.is(201);
    made(&server, "lost2").await.is(201);
    restore(&mut admin).await;
    // Another server over what was put back, without a fence: it writes as many entries, and more.
    let other = Server::open_postgres(&postgres.url("live"), clock()).await;
    for name in ["kept1", "kept2", "kept3"] {
        made(&other, name).await.is(201);
    }
    let following = tokio::spawn(follow::run(Arc::clone(&server.app)));
    until(&server, &server.admin, "/api/v1/me", 401, &[200, 503]).await;
    let known = server.app.directory().snapshot();
    let names: Vec<_> = known
        .rules
        .iter()
        .map(|rule| rule.subject.name().to_owned())
        .collect();
    assert!(
        names.contains(&"kept3".to_owned()) && !names.contains(&"lost2".to_owned()),
        "{names:?}"
    );
    following.abort();
}

/// The second server has not heard of it yet: it decides from what it knows, and is refused by the store. Planted fault: without the
/// comparison the rule of somebody who may give none any more is made.
#[tokio::test]
async fn a_granter_who_was_revoked_at_another_server_writes_nothing() {
    let Some(postgres) = own_postgres() else { return };
    let first = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    let (_, granter) = first.user("granter@example.com", Value::Null).await;
    let body = rule(("user", "granter@example.com"), 1, ("tenant", "1"));
    let given = first.post(&first.admin, RULES, body).await.is(201);
    // It does not follow: as one does whose word of the change is still on its way.
    let second = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    let other = |name: &str| rule(("group", name), 9, ("tenant", "1"));
    second.post(&granter, RULES, other("early")).await.is(201);
    let gone = format!("{RULES}/{}", given["id"]);
    let gone = gone.replace('"', "");
    first.delete(&first.admin, &gone).await;
    second.post(&granter, RULES, other("late")).await.refused(403);
    // Who still may is decided again, and is not refused for what others did.
    made(&first, "x").await.is(201);
    made(&second, "y").await.is(201);
    let rules = first.app.store.directory().await.unwrap().rules;
    assert!(!rules.iter().any(|rule| rule.subject.name() == "late"));
}

/// The second server has not heard of it: it takes the token for good, and decides again when the store says that something changed.
/// Planted fault: `signed-out-and-decided-again`.
#[tokio::test]
async fn somebody_who_was_signed_out_at_another_server_writes_nothing() {
    let Some(postgres) = own_postgres() else { return };
    let first = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    let (granter, token) = first.user("granter@example.com", Value::Null).await;
    let body = rule(("user", "granter@example.com"), 1, ("tenant", "1"));
    first.post(&first.admin, RULES, body).await.is(201);
    let second = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    let other = |name: &str| rule(("group", name), 9, ("tenant", "1"));
    second.post(&token, RULES, other("early")).await.is(201);
    let out = format!("{USERS}/{granter}/logout");
    first.post(&first.admin, &out, json!({})).await.is(200);
    second.post(&token, RULES, other("late")).await.refused(401);
    let rules = first.app.store.directory().await.unwrap().rules;
    assert!(!rules.iter().any(|rule| rule.subject.name() == "late"));
}

/// Whatever was answered with 201 is there, what was answered otherwise was answered with 503, and nothing is there by half.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_nothing_that_was_answered() {
    let Some(postgres) = own_postgres() else { return };
    let middle = Middle::before(postgres.port()).await.unwrap();
    let server = Server::open_postgres(&postgres.url_by(middle.port(), "postgres"), clock()).await;
    let following = tokio::spawn(follow::run(Arc::clone(&server.app)));
    let mut acknowledged = Vec::new();
    let writes = async {
        for number in 0..120 {
            let name = format!("g{number}");
            let answer = made(&server, &name).await;
            match answer.status.as_u16() {
                201 => acknowledged.push(name),
                _ => is_away(&answer),
            }
        }
    };
    let cuts = async {
        for _ in 0..12 {
            tokio::time::sleep(Duration::from_millis(130)).await;
            middle.cut();
        }
    };
    tokio::join!(writes, cuts);
    until(&server, "", "/readyz", 200, &[503]).await;
    assert!(acknowledged.len() > 60, "{}", acknowledged.len());
    let fresh = reeve_server::directory::Directory::load(server.app.store.directory().await.unwrap());
    assert_eq!(server.app.directory().snapshot(), fresh.snapshot());
    let there = fresh.snapshot().rules;
    for name in acknowledged {
        assert!(there.iter().any(|rule| rule.subject.name() == name), "{name}");
    }
    server.sql.verify_audit(&[]).await.unwrap().unwrap();
    following.abort();
}

/// For how long the database is silent: 15 seconds, in which the store gives three answers up; `make chaos` waits for 60.
fn silence() -> Duration {
    Duration::from_secs(if is_whole("CHAOS") { 60 } else { 15 })
}

/// Also where nobody follows the change log, whose failures would tell it as well. Planted fault: `all-who-wait-wait-again`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_behind_a_change_that_is_not_answered_is_answered_with_it() {
    let Some(postgres) = own_postgres() else { return };
    let middle = Middle::before(postgres.port()).await.unwrap();
    let server = Server::open_postgres(&postgres.url_by(middle.port(), "postgres"), clock()).await;
    made(&server, "before").await.is(201);
    middle.swallow();
    let asked = Instant::now();
    let late = async || is_away(&made(&server, "late").await);
    tokio::join!(late(), late());
    assert!(asked.elapsed() < Duration::from_secs(9), "{:?}", asked.elapsed());
}

/// As a machine that lost its power: nothing comes back, not even that nothing does. Nobody waits much longer than for one answer:
/// 5 seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_database_is_503_and_the_server_goes_on_by_itself() {
    let Some(postgres) = own_postgres() else { return };
    let middle = Middle::before(postgres.port()).await.unwrap();
    let server = Server::open_postgres(&postgres.url_by(middle.port(), "postgres"), clock()).await;
    let following = tokio::spawn(follow::run(Arc::clone(&server.app)));
    made(&server, "before").await.is(201);
    middle.swallow();
    let begun = Instant::now();
    while begun.elapsed() < silence() {
        let asked = Instant::now();
        // One of the changes waits for its turn behind the others.
        let late = async || is_away(&made(&server, "late").await);
        let (_, _, _, listed, ready) = tokio::join!(
            late(),
            late(),
            late(),
            server.get(&server.admin, RULES),
            server.get("", "/readyz")
        );
        is_away(&listed);
        let said = ready.is(503);
        assert!(
            said["details"].as_str().unwrap().contains("does not answer"),
            "{said}"
        );
        server.get("", "/healthz").await.is(200);
        assert!(asked.elapsed() < Duration::from_secs(9), "{:?}", asked.elapsed());
    }
    middle.pass();
    until(&server, "", "/readyz", 200, &[503]).await;
    made(&server, "after").await.is(201);
    let fresh = reeve_server::directory::Directory::load(server.app.store.directory().await.unwrap());
    assert_eq!(server.app.directory().snapshot(), fresh.snapshot());
    following.abort();
}

/// The program, killed in the middle of writes and started again over what it left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_amid_writes_has_lost_nothing_that_it_answered() {
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
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let running = Running::start(&data, &flags).await;
        let answer = running.sign_in("Given-Pass-1!").await;
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let token = answer["accessToken"].as_str().unwrap().to_owned();
        let (client, to) = (running.client.clone(), running.url(RULES));
        let writing = tokio::spawn(async move {
            let mut names = Vec::new();
            for number in 0.. {
                let name = format!("r{round}-{number}");
                let body = rule(("group", &name), 9, ("tenant", "1")).to_string();
                let sent = client.post(&to).bearer_auth(&token).body(body).send().await;
                match sent {
                    Ok(answer) if answer.status() == 201 => names.push(name),
                    Ok(answer) => panic!("{}", answer.status()),
                    Err(_) => return names,
                }
            }
            names
        });
        tokio::time::sleep(Duration::from_millis(700 + round * 90)).await;
        // By SIGKILL.
        drop(running);
        acknowledged.extend(writing.await.unwrap());
    }
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    let mut verify = std::process::Command::new(PROGRAM);
    verify.args(["audit", "verify", "--data-dir"]).arg(&data);
    let said = verify.env("REEVE_DATABASE_URL", &url).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let mut database = PgConnection::connect(&url).await.unwrap();
    let count = async |database: &mut PgConnection, sql: &'static str| -> i64 {
        sqlx::query_scalar(sql).fetch_one(database).await.unwrap()
    };
    let rules = count(
        &mut database,
        "SELECT COUNT(*) FROM access_rules WHERE subject_kind = 'group'",
    )
    .await;
    let events = count(
        &mut database,
        "SELECT COUNT(*) FROM audit_events WHERE body LIKE '%\"entity_type\":\"access_rules\"%'",
    )
    .await;
    assert_eq!(rules, events, "each with its event");
    for name in acknowledged {
        let found = sqlx::query("SELECT id FROM access_rules WHERE subject = $1").bind(name);
        found.fetch_one(&mut database).await.unwrap();
    }
}

/// The operator has it from the other server; this one has not heard of it yet. Planted fault: without looking once it is refused
/// as a revision that was never sent.
#[tokio::test]
async fn a_report_of_what_another_server_sent_is_kept() {
    let Some(postgres) = own_postgres() else { return };
    let first = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    let body = json!({"name": "demo"});
    let cluster = first.post(&first.admin, "/api/v1/clusters", body).await.is(201);
    let second = Server::open_postgres(&postgres.url("postgres"), clock()).await;
    made(&first, "news").await.is(201);
    let body = json!({"clusterId": cluster["uuid"], "clientSecret": cluster["clientSecret"]});
    let token = second.post("", "/link/v1/token", body).await.is(200);
    let token = token["accessToken"].as_str().unwrap();
    let reached = first.app.cluster_streams.revisions()[0].1;
    let report = json!({"revision": reached, "objects": []});
    second.post(token, "/link/v1/status", report).await.is(204);
    let report = json!({"revision": reached.0 + 1, "objects": []});
    second.post(token, "/link/v1/status", report).await.refused(400);
}
