//! `reeve-server database move`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use reeve_testkit::{Postgres, own_postgres};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

use crate::process::{PROGRAM, Running, fresh};
use crate::server::{beside, rule};

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

async fn post(running: &Running, token: &str, path: &str, body: Value) -> Value {
    let request = running.client.post(running.url(path)).bearer_auth(token);
    let answer = request.body(body.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert!(matches!(status, 200 | 201), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
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

/// Some of everything, by REST, in SQLite; the rules there are.
async fn filled(dir: &Path, data: &Path) -> Vec<i64> {
    let password = dir.join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let running = Running::start(data, &["--admin-password-file", password.to_str().unwrap()]).await;
    let admin = sign_in(&running).await;
    let cluster = post(&running, &admin, "/api/v1/clusters", json!({"name": "a"})).await;
    let cluster = cluster["uuid"].clone();
    let body = json!({"name": "vision", "clusterId": cluster, "resources": []});
    let department = post(&running, &admin, "/api/v1/org-unit/departments", body).await;
    let body = json!({"name": "robots", "clusterId": cluster, "parentId": department["id"], "resources": []});
    post(&running, &admin, "/api/v1/org-unit/projects", body).await;
    let body = json!({"email": "alice@example.com", "posix": {"uid": 70_012, "gid": 5000}});
    post(&running, &admin, "/api/v1/users", body).await;
    for group in ["ä", "b", "B"] {
        let body = rule(("group", group), 9, ("tenant", "1"));
        post(&running, &admin, RULES, body).await;
    }
    let rules = rules(&running, &admin).await;
    running.stop().await;
    rules
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_moved_whole_and_the_old_one_is_not_served_by_accident() {
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
    assert!(sums(&moved).len() > 15, "{moved}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_moved_is_refused_and_says_what_to_do() {
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
    beside(&data)
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
async fn a_move_that_is_killed_leaves_a_target_that_is_refused_and_is_done_again() {
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
    // Planted fault: rows that do not arrive, and rows that arrive as others.
    for body in ["RETURN NULL", "NEW.subject = 'x' || NEW.subject; RETURN NEW"] {
        let function = format!(
            "CREATE OR REPLACE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$"
        );
        watcher.execute(sqlx::AssertSqlSafe(function)).await.unwrap();
        let trigger = "CREATE OR REPLACE TRIGGER spoils BEFORE INSERT ON access_rules FOR EACH ROW EXECUTE FUNCTION spoil()";
        watcher.execute(trigger).await.unwrap();
        let spoilt = refused(&mut moving(&data, &to, &[]));
        assert!(
            spoilt.contains("table `access_rules` is not the same in both databases"),
            "{spoilt}"
        );
    }
    watcher
        .execute("DROP TRIGGER spoils ON access_rules")
        .await
        .unwrap();
    let moved = done(&mut moving(&data, &to, &[]));
    assert!(moved.contains("was not finished; all is moved anew"), "{moved}");
    let running = Running::start_with(&data, &[], &[("REEVE_DATABASE_URL", &to)]).await;
    let admin = sign_in(&running).await;
    assert_eq!(rules(&running, &admin).await, before);
    running.stop().await;
}
