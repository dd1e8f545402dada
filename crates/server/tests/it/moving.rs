//! `reeve-server database move`.

mod filled;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use axum::http::Method;
use reeve_store_sql::{AuditKey, SqlStore};
use reeve_testkit::{Postgres, not_on_postgres, own_postgres};
use reeve_types::Timestamp;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};

use self::filled::{counts, filled};
use crate::database::beside_sqlite;
use crate::process::{PROGRAM, Running, fresh};
use crate::server::rule;

const MOVE: &str = "a move begins at its file";
const PASSWORD: &str = "Given-Pass-1!";
const RULES: &str = "/api/v1/authorization/access-rules";

async fn connect(postgres: &Postgres, database: &str) -> PgConnection {
    PgConnection::connect(&postgres.url(database)).await.unwrap()
}

async fn new_database(postgres: &Postgres, name: &str) -> String {
    let mut admin = connect(postgres, "postgres").await;
    let sql = format!("CREATE DATABASE {name}");
    admin.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    postgres.url(name)
}

fn moving(data: &Path, to: &str, flags: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(["database", "move", "--from"])
        .arg(format!("sqlite:{}", data.display()))
        .args(flags)
        .env("REEVE_DATABASE_URL", to)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    said(&output)
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

async fn send(running: &Running, token: &str, method: Method, path: &str, body: Value) -> Value {
    let request = running.client.request(method, running.url(path));
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = request.header("content-type", "application/json");
    let answer = request.bearer_auth(token).body(body).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

async fn post(running: &Running, token: &str, path: &str, body: Value) -> Value {
    send(running, token, Method::POST, path, body).await
}

async fn sign_in(running: &Running) -> String {
    let answer: Value = serde_json::from_str(&running.sign_in(PASSWORD).await.text().await.unwrap()).unwrap();
    answer["accessToken"].as_str().unwrap().to_owned()
}

async fn rules(running: &Running, token: &str) -> Vec<i64> {
    let request = running.client.get(running.url(RULES)).bearer_auth(token);
    let text = request.send().await.unwrap().text().await.unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let rules = value["accessRules"].as_array().unwrap().iter();
    rules.map(|rule| rule["id"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_sqlite_is_moved_whole_and_not_served_by_accident() {
    if not_on_postgres(MOVE) {
        return;
    }
    let Some(postgres) = own_postgres() else { return };
    let (dir, data) = fresh();
    let before = filled(dir.path(), &data).await;
    let file = std::fs::read(data.join("reeve.db")).unwrap();
    let to = new_database(&postgres, "moved").await;

    let dry = done(&mut moving(&data, &to, &["--dry-run"]));
    assert!(dry.contains("Nothing was written"), "{dry}");
    assert!(!data.join("moved-to").exists());
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
    let count: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut connect(&postgres, "moved").await)
        .await
        .unwrap();
    assert_eq!(count, 0);

    let moved = done(&mut moving(&data, &to, &[]));
    let sums = |text: &str| -> Vec<String> {
        let rows = text.lines().skip(1);
        rows.take_while(|line| line.split_whitespace().count() == 3)
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(sums(&moved), sums(&dry), "what a dry run says is what is moved");
    let mut arrived = connect(&postgres, "moved").await;
    let there = counts(&data);
    assert_eq!(sums(&moved).len(), there.len(), "{moved}");
    for (table, rows) in there {
        let sql = format!("SELECT COUNT(*) FROM \"{table}\"");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut arrived)
            .await
            .unwrap();
        assert_eq!(found, rows, "{table}");
    }
    assert!(moved.contains("the audit log is sound"), "{moved}");
    for secret in ["of-the-tests", PASSWORD] {
        assert!(!moved.contains(secret), "{moved}");
    }
    assert_eq!(
        std::fs::read(data.join("reeve.db")).unwrap(),
        file,
        "left as it is"
    );

    // The old one is refused, also to `restored`, which would write to it.
    let mut serve = Command::new(PROGRAM);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data);
    let why = refused(&mut serve);
    assert!(why.contains("was moved to `postgres://127.0.0.1:"), "{why}");
    assert!(why.contains("remove `"), "{why}");
    let mut declare = Command::new(PROGRAM);
    declare.args(["restored", "declare", "--data-dir"]).arg(&data);
    assert!(refused(&mut declare).contains("was moved to"));

    // The new one goes on: password, rules, numbers, and the files that show a restored database.
    let running = Running::start_with(&data, &[], &[("REEVE_DATABASE_URL", &to)]).await;
    let admin = sign_in(&running).await;
    assert_eq!(rules(&running, &admin).await, before);
    let body = rule(("group", "later"), 9, ("tenant", "1"));
    let made = post(&running, &admin, RULES, body).await;
    assert!(made["id"].as_i64() > before.iter().max().copied(), "{made}");
    running.stop().await;
    let log = std::fs::read_to_string(crate::process::log(&data)).unwrap();
    assert!(!log.contains("restored"), "{log}");
    for variables in [vec![("REEVE_DATABASE_URL", to.as_str())], vec![]] {
        let mut verify = Command::new(PROGRAM);
        verify.args(["audit", "verify", "--data-dir"]).arg(&data);
        let output = verify.envs(variables.iter().copied()).output().unwrap();
        // The old one has not the last events any more: its end is cut, and that shows.
        let sound = !variables.is_empty();
        assert_eq!(output.status.success(), sound, "{}", said(&output));
    }
    // And not a second time: something is there.
    let again = refused(&mut moving(&data, &to, &[]));
    assert!(
        again.contains("nothing was moved: the database to move to is not empty"),
        "{again}"
    );
}

/// From now on each row of a table that arrives in a database is changed by these statements.
async fn spoil(target: &mut PgConnection, table: &str, statements: &str) {
    let function = format!(
        "CREATE OR REPLACE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statements}; END $$"
    );
    target.execute(sqlx::AssertSqlSafe(function)).await.unwrap();
    let trigger =
        format!("CREATE TRIGGER spoils BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION spoil()");
    target.execute(sqlx::AssertSqlSafe(trigger)).await.unwrap();
}

/// Of whichever table a row is lost or changed on its way, nothing is moved, and the table is named. Planted fault: `moved-rows-not-compared`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_does_not_arrive_as_it_was_sent_ends_the_move_from_sqlite() {
    if not_on_postgres(MOVE) {
        return;
    }
    let Some(postgres) = own_postgres() else { return };
    let (dir, data) = fresh();
    filled(dir.path(), &data).await;
    let to = new_database(&postgres, "spoilt").await;
    let mut target = connect(&postgres, "spoilt").await;
    // The tables are there, and empty, as a server's first look at a database leaves them.
    let key = AuditKey::new([7; 32].into());
    let now = Timestamp::from_millis(1_700_000_000_000);
    let tables = SqlStore::open_postgres(&to.parse().unwrap(), key, now).await;
    tables.unwrap().close().await;
    for (table, change) in [
        (
            "users",
            "NEW.temporary_password = NOT NEW.temporary_password; RETURN NEW",
        ),
        ("sessions", "NEW.ends_at = NEW.ends_at + 1; RETURN NEW"),
        ("credential_assets", "NEW.sealed = NEW.sealed || ' '; RETURN NEW"),
        ("workload_policies", "RETURN NULL"),
        ("custom_roles", "NEW.in_clusters_as = 0; RETURN NEW"),
        ("access_rules", "NEW.subject = 'x' || NEW.subject; RETURN NEW"),
    ] {
        spoil(&mut target, table, change).await;
        let said = refused(&mut moving(&data, &to, &[]));
        let named = format!("table `{table}` is not the same in both databases");
        assert!(said.contains(&named), "{table}: {said}");
        assert!(!data.join("moved-to").exists());
        let drop = format!("DROP TRIGGER spoils ON {table}");
        target.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
    }
    done(&mut moving(&data, &to, &[]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_moved_from_sqlite_is_refused_and_says_what_to_do() {
    if not_on_postgres(MOVE) {
        return;
    }
    let Some(postgres) = own_postgres() else { return };
    let (dir, data) = fresh();
    filled(dir.path(), &data).await;
    let to = new_database(&postgres, "used").await;
    let mut used = connect(&postgres, "used").await;
    used.execute("CREATE TABLE invoices (id BIGINT)").await.unwrap();
    let said = refused(&mut moving(&data, &to, &[]));
    assert!(
        said.contains("is used by something else: it has a table `invoices`"),
        "{said}"
    );
    used.execute("DROP TABLE invoices").await.unwrap();

    // A server holds the directory.
    let running = Running::start(&data, &[]).await;
    let said = refused(&mut moving(&data, &to, &[]));
    assert!(
        said.contains("is served by another process: end that one first"),
        "{said}"
    );
    running.stop().await;

    let said = refused(&mut moving(&dir.path().join("nowhere"), &to, &[]));
    assert!(said.contains("failed to open"), "{said}");
    let mut wrong = moving(&data, "sqlite:x", &[]);
    let said = refused(&mut wrong);
    assert!(said.contains("has to begin with `postgres://`"), "{said}");

    // A log that was tampered with is not carried on under a new roof.
    beside_sqlite(&data)
        .execute_batch(
            "UPDATE audit_events SET body = replace(body, 'vision', 'nobody') WHERE body LIKE '%vision%'",
        )
        .unwrap();
    let said = refused(&mut moving(&data, &to, &[]));
    assert!(
        said.contains("nothing was moved: the audit log is broken at row"),
        "{said}"
    );
    assert!(!data.join("moved-to").exists());
}

/// With every row written and none committed: what is held back is the end of the mark, which comes last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_from_sqlite_that_is_killed_leaves_a_target_that_is_refused_and_is_done_again() {
    if not_on_postgres(MOVE) {
        return;
    }
    let Some(postgres) = own_postgres() else { return };
    let (dir, data) = fresh();
    let before = filled(dir.path(), &data).await;
    let to = new_database(&postgres, "cut").await;
    // As a first one leaves it that ended at once.
    let mut holder = connect(&postgres, "cut").await;
    for statement in [
        "CREATE TABLE reeve_move (begun BOOLEAN)",
        "BEGIN",
        "SELECT * FROM reeve_move",
    ] {
        holder.execute(statement).await.unwrap();
    }
    let mut child = moving(&data, &to, &[]).spawn().unwrap();
    let mut watcher = connect(&postgres, "cut").await;
    let waits =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DROP TABLE%'";
    let mut waiting = 0_i64;
    for _ in 0..300 {
        waiting = sqlx::query_scalar(waits).fetch_one(&mut watcher).await.unwrap();
        if waiting == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(waiting, 1, "it did not come so far");
    child.kill().unwrap();
    child.wait().unwrap();
    holder.execute("ROLLBACK").await.unwrap();

    for command in ["serve", "audit"] {
        let mut program = Command::new(PROGRAM);
        match command {
            "serve" => program.args(["serve", "--listen", "127.0.0.1:0"]),
            _ => program.args(["audit", "verify"]),
        };
        program
            .arg("--data-dir")
            .arg(&data)
            .env("REEVE_DATABASE_URL", &to);
        let said = refused(&mut program);
        assert!(
            said.contains(
                "was begun and not finished: nothing in it counts. Run `reeve-server database move` again"
            ),
            "{said}"
        );
    }
    let moved = done(&mut moving(&data, &to, &[]));
    assert!(moved.contains("was not finished; all is moved anew"), "{moved}");
    let running = Running::start_with(&data, &[], &[("REEVE_DATABASE_URL", &to)]).await;
    let admin = sign_in(&running).await;
    assert_eq!(rules(&running, &admin).await, before);
    running.stop().await;
}
