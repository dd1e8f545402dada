//! Backups that are put back, and the audit log from the command line: the program itself.

use std::path::{Path, PathBuf};
use std::process::Output;

use reeve_testkit::{Postgres, not_on_postgres, own_postgres};
use reqwest::Method;
use serde_json::{Value, json};

use crate::postgres_faults;
use crate::process::{Running, fresh, log, program};

const ADMIN: &str = "admin@reeve.example";
const DATABASE_URL: &str = "REEVE_DATABASE_URL";

const FILES: &str = "its backup is a copy of files";

/// Runs a subcommand over a data directory.
fn run(data: &Path, words: &[&str]) -> Output {
    run_with(data, words, &[])
}

/// With these variables in its environment.
fn run_with(data: &Path, words: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = program(data);
    command.args(words).arg("--data-dir").arg(data);
    command.envs(variables.iter().copied()).output().unwrap()
}

fn text(output: &Output) -> (Option<i32>, String) {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// The events of an action, exported.
fn exported(data: &Path, action: &str) -> Vec<Value> {
    of_action(&text(&run(data, &["audit", "export"])), action)
}

fn of_action((code, lines): &(Option<i32>, String), action: &str) -> Vec<Value> {
    assert_eq!(*code, Some(0), "{lines}");
    let events = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|it| it["event"]["action"] == action).collect()
}

struct Api<'r> {
    running: &'r Running,
    token: String,
}

impl<'r> Api<'r> {
    async fn of(running: &'r Running, password: &str) -> Self {
        let token = sign_in(running, ADMIN, password)
            .await
            .expect("the administrator signs in");
        Self { running, token }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        call(self.running, &self.token, method, path, body).await
    }
}

async fn call(running: &Running, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
    let mut request = running
        .client
        .request(method, running.url(path))
        .bearer_auth(token);
    if !body.is_null() {
        request = request.body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn token(running: &Running, body: Value) -> Option<String> {
    let sent = running
        .client
        .post(running.url("/api/v1/token"))
        .body(body.to_string())
        .send();
    let answer: Value = serde_json::from_str(&sent.await.unwrap().text().await.unwrap()).unwrap();
    answer["accessToken"].as_str().map(str::to_owned)
}

async fn sign_in(running: &Running, name: &str, password: &str) -> Option<String> {
    token(
        running,
        json!({"grantType": "password", "username": name, "password": password}),
    )
    .await
}

async fn sign_in_as_application(running: &Running, secret: &str) -> Option<String> {
    token(
        running,
        json!({"grantType": "client_credentials", "clientId": "ci", "clientSecret": secret}),
    )
    .await
}

async fn is_in(running: &Running, token: &str) -> bool {
    call(running, token, Method::GET, "/api/v1/me", Value::Null)
        .await
        .0
        == 200
}

/// Where the database is, which is copied while the server runs, and put back.
enum Database {
    /// `reeve.db` in the data directory.
    Sqlite,
    /// The database `live` of this PostgreSQL, and its copy `backup`.
    Postgres(Postgres),
}

impl Database {
    async fn in_postgresql(postgres: Postgres) -> Self {
        let mut admin = postgres_faults::admin(&postgres).await;
        postgres_faults::run(&mut admin, "CREATE DATABASE live").await;
        Self::Postgres(postgres)
    }

    /// The address of it, if it has one.
    fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres(postgres) => Some(postgres.url("live")),
        }
    }

    async fn back_up(&self, data: &Path, backup: &Path) {
        match self {
            // As a copying program does it: the database, and its log beside it.
            Self::Sqlite => {
                for side in ["", "-wal"] {
                    let of = |file: &Path| PathBuf::from(format!("{}{side}", file.display()));
                    std::fs::copy(of(&data.join("reeve.db")), of(backup)).unwrap();
                }
            }
            Self::Postgres(postgres) => {
                postgres_faults::back_up(&mut postgres_faults::admin(postgres).await).await;
            }
        }
    }

    /// Puts the backup in the place of the database, and keeps it.
    async fn restore(&self, data: &Path, backup: &Path) {
        match self {
            Self::Sqlite => {
                for side in ["", "-wal", "-shm"] {
                    let of = |file: &Path| PathBuf::from(format!("{}{side}", file.display()));
                    let _ = std::fs::remove_file(of(&data.join("reeve.db")));
                    let _ = std::fs::copy(of(backup), of(&data.join("reeve.db")));
                }
            }
            Self::Postgres(postgres) => {
                let mut admin = postgres_faults::admin(postgres).await;
                postgres_faults::shut(&mut admin, "live").await;
                postgres_faults::run(&mut admin, "DROP DATABASE live").await;
                postgres_faults::run(&mut admin, "CREATE DATABASE live TEMPLATE backup").await;
            }
        }
    }
}

/// Waits until the server has its database again, whose connections a copy may have cut.
async fn is_ready(running: &Running) {
    for _ in 0..200 {
        let sent = running.client.get(running.url("/readyz")).send();
        if sent.await.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the server did not get ready again");
}

/// What somebody had before the backup, and lost after it.
struct Story {
    _dir: tempfile::TempDir,
    database: Database,
    data: PathBuf,
    backup: PathBuf,
    admin_password: String,
    /// Of alice, whose sessions were ended after the backup.
    old_token: String,
    /// Of alice, given after that, and ended with the password.
    later_token: String,
    old_password: String,
    old_secret: String,
    cluster: Value,
    /// The address of all its servers: tokens of another issuer would be refused for that alone.
    address: String,
}

/// A server whose database was copied while it ran, and that went on: a sign-out, a reset, a new secret, a uid for dave.
async fn story(database: Database) -> Story {
    let (dir, data) = fresh();
    let file = dir.path().join("password");
    std::fs::write(&file, "Given-Pass-1!\n").unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let flags = [
        "--listen",
        &address,
        "--admin-password-file",
        file.to_str().unwrap(),
    ];
    let url = database.url();
    let variables: Vec<_> = url.iter().map(|url| (DATABASE_URL, url.as_str())).collect();
    let running = Running::start_with(&data, &flags, &variables).await;
    let api = Api::of(&running, "Given-Pass-1!").await;
    let (_, alice) = api
        .call(
            Method::POST,
            "/api/v1/users",
            json!({"email": "alice@example.com", "resetPassword": false}),
        )
        .await;
    let (_, dave) = api
        .call(
            Method::POST,
            "/api/v1/users",
            json!({"email": "dave@example.com"}),
        )
        .await;
    let (_, ci) = api
        .call(Method::POST, "/api/v1/service-accounts", json!({"name": "ci"}))
        .await;
    let (_, cluster) = api
        .call(Method::POST, "/api/v1/clusters", json!({"name": "demo"}))
        .await;
    let old_password = alice["tempPassword"].as_str().unwrap().to_owned();
    let old_secret = ci["clientSecret"].as_str().unwrap().to_owned();
    let old_token = sign_in(&running, "alice@example.com", &old_password)
        .await
        .unwrap();
    let backup = dir.path().join("backup.db");
    database.back_up(&data, &backup).await;
    is_ready(&running).await;
    let user = |it: &Value, what: &str| format!("/api/v1/users/{}/{what}", it["id"].as_str().unwrap());
    assert_eq!(
        api.call(Method::POST, &user(&alice, "logout"), Value::Null)
            .await
            .0,
        200
    );
    let later_token = sign_in(&running, "alice@example.com", &old_password)
        .await
        .unwrap();
    assert_eq!(
        api.call(Method::POST, &user(&alice, "password"), Value::Null)
            .await
            .0,
        200
    );
    let secret = format!("/api/v1/service-accounts/{}/secret", ci["id"].as_str().unwrap());
    assert_eq!(api.call(Method::POST, &secret, Value::Null).await.0, 200);
    let numbers = json!({"uid": 70012, "gid": 5000});
    assert_eq!(api.call(Method::PUT, &user(&dave, "posix"), numbers).await.0, 200);
    for gone in [&old_token, &later_token] {
        assert!(!is_in(&running, gone).await);
    }
    assert!(
        sign_in(&running, "alice@example.com", &old_password)
            .await
            .is_none()
    );
    assert!(sign_in_as_application(&running, &old_secret).await.is_none());
    // Killed: what was answered is known all the same.
    drop(running);
    Story {
        _dir: dir,
        database,
        data,
        backup,
        admin_password: "Given-Pass-1!".to_owned(),
        old_token,
        later_token,
        old_password,
        old_secret,
        cluster,
        address,
    }
}

impl Story {
    async fn start(&self) -> Running {
        let url = self.database.url();
        let variables: Vec<_> = url.iter().map(|url| (DATABASE_URL, url.as_str())).collect();
        Running::start_with(&self.data, &["--listen", &self.address], &variables).await
    }

    /// Puts the backup in the place of the database.
    async fn restore(&self) {
        self.database.restore(&self.data, &self.backup).await;
    }

    /// A subcommand over the story's database: its code, and what it said.
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let url = self.database.url();
        let variables: Vec<_> = url.iter().map(|url| (DATABASE_URL, url.as_str())).collect();
        text(&run_with(&self.data, words, &variables))
    }

    fn exported(&self, action: &str) -> Vec<Value> {
        of_action(&self.run(&["audit", "export"]), action)
    }

    fn forget(&self) {
        for file in ["last-change", "given-uids"] {
            std::fs::remove_file(self.data.join(file)).unwrap();
        }
    }

    async fn operator_gets_a_token(&self, running: &Running) -> bool {
        let body = json!({"clusterId": self.cluster["uuid"], "clientSecret": self.cluster["clientSecret"]});
        let sent = running
            .client
            .post(running.url("/link/v1/token"))
            .body(body.to_string())
            .send();
        sent.await.unwrap().status() == 200
    }
}

#[tokio::test]
async fn a_restored_backup_of_sqlite_revives_no_session_password_secret_or_uid() {
    if not_on_postgres(FILES) {
        return;
    }
    revives_nothing(story(Database::Sqlite).await).await;
}

/// The same where the database is a server of its own, which was put back while ours was not running.
#[tokio::test]
async fn a_restored_backup_of_postgresql_revives_no_session_password_secret_or_uid() {
    let Some(postgres) = own_postgres() else { return };
    revives_nothing(story(Database::in_postgresql(postgres).await).await).await;
}

async fn revives_nothing(story: Story) {
    story.restore().await;
    let broken = story.run(&["audit", "verify"]);
    assert_eq!(broken.0, Some(1), "before a start the end is missing: {broken:?}");
    let running = story.start().await;
    for gone in [&story.old_token, &story.later_token] {
        assert!(!is_in(&running, gone).await);
    }
    assert!(
        sign_in(&running, "alice@example.com", &story.old_password)
            .await
            .is_none()
    );
    assert!(
        sign_in_as_application(&running, &story.old_secret)
            .await
            .is_none()
    );
    assert!(sign_in(&running, ADMIN, &story.admin_password).await.is_none());
    assert!(!story.operator_gets_a_token(&running).await);
    assert!(running.stop().await.status.success());
    let said = std::fs::read_to_string(log(&story.data)).unwrap();
    for part in [
        "was restored from a backup",
        "restored reset-password --email",
        "restored confirm",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let events = story.exported("restore");
    assert_eq!(events.len(), 1, "once");
    let told = &events[0]["event"]["metadata"];
    assert_eq!(
        (&told["suspended_passwords"], &told["suspended_secrets"]),
        (&json!("3"), &json!("1"))
    );
    assert!(told["kept_uid_70012"].is_string(), "{told}");

    // She who is at the machine begins anew.
    let (code, said) = story.run(&["restored", "reset-password", "--email", ADMIN]);
    assert_eq!(code, Some(0), "{said}");
    let password = said.trim_end().rsplit(' ').next().unwrap().to_owned();
    let running = story.start().await;
    let api = Api::of(&running, &password).await;
    let (_, users) = api.call(Method::GET, "/api/v1/users", Value::Null).await;
    let id = |email: &str| {
        let user = users
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["username"] == email)
            .unwrap();
        user["id"].as_str().unwrap().to_owned()
    };
    let numbers = json!({"uid": 70012, "gid": 5000});
    let posix = |email: &str| format!("/api/v1/users/{}/posix", id(email));
    let (status, answer) = api
        .call(Method::PUT, &posix("alice@example.com"), numbers.clone())
        .await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(
        api.call(Method::PUT, &posix("dave@example.com"), numbers).await.0,
        200
    );
    let reset = format!("/api/v1/users/{}/password", id("alice@example.com"));
    let (_, fresh) = api.call(Method::POST, &reset, Value::Null).await;
    let fresh = fresh["tempPassword"].as_str().unwrap();
    assert!(sign_in(&running, "alice@example.com", fresh).await.is_some());
    assert!(
        sign_in(&running, "alice@example.com", &story.old_password)
            .await
            .is_none()
    );
    let api_token = api.token.clone();
    assert!(running.stop().await.status.success());
    assert_eq!(story.exported("restore").len(), 1, "no second time");
    assert_eq!(story.run(&["audit", "verify"]).0, Some(0));

    // The same backup once more: also what was given since is void.
    story.restore().await;
    let running = story.start().await;
    assert!(!is_in(&running, &api_token).await && !is_in(&running, &story.later_token).await);
    assert!(sign_in(&running, ADMIN, &password).await.is_none());
    drop(running);
    let (code, said) = story.run(&["restored", "confirm", "--passwords", "--secrets", "--clusters"]);
    assert_eq!(
        (code, said.contains("3 passwords count again")),
        (Some(0), true),
        "{said}"
    );
    let running = story.start().await;
    assert!(sign_in(&running, ADMIN, &story.admin_password).await.is_some());
    assert!(story.operator_gets_a_token(&running).await);
    assert!(!is_in(&running, &story.later_token).await, "sessions stay ended");
}

/// The planted fault, which shows that the attack is real: nothing beside the database to compare with.
#[tokio::test]
async fn without_the_files_sqlite_revives_everything_unless_it_is_declared() {
    if not_on_postgres(FILES) {
        return;
    }
    revives_everything(story(Database::Sqlite).await).await;
}

#[tokio::test]
async fn without_the_files_postgresql_revives_everything_too_unless_it_is_declared() {
    let Some(postgres) = own_postgres() else { return };
    revives_everything(story(Database::in_postgresql(postgres).await).await).await;
}

async fn revives_everything(story: Story) {
    story.restore().await;
    story.forget();
    let running = story.start().await;
    assert!(is_in(&running, &story.old_token).await);
    assert!(
        sign_in(&running, "alice@example.com", &story.old_password)
            .await
            .is_some()
    );
    assert!(
        sign_in_as_application(&running, &story.old_secret)
            .await
            .is_some()
    );
    let api = Api::of(&running, &story.admin_password).await;
    let again = json!({"email": "mallory@example.com", "posix": {"uid": 70012, "gid": 5000}});
    assert_eq!(api.call(Method::POST, "/api/v1/users", again).await.0, 201);
    drop(running);
    assert!(
        std::fs::read_to_string(log(&story.data))
            .unwrap()
            .contains("restored declare")
    );
    let (code, said) = story.run(&["restored", "declare"]);
    assert_eq!((code, said.contains("4 passwords")), (Some(0), true), "{said}");
    let running = story.start().await;
    assert!(!is_in(&running, &story.old_token).await);
    assert!(
        sign_in(&running, "alice@example.com", &story.old_password)
            .await
            .is_none()
    );
}

#[tokio::test]
async fn a_server_that_was_killed_is_not_taken_for_a_restored_one() {
    let (dir, data) = fresh();
    let file = dir.path().join("password");
    std::fs::write(&file, "Given-Pass-1!\n").unwrap();
    let flags = ["--admin-password-file", file.to_str().unwrap()];
    for round in 0..5 {
        let running = Running::start(&data, &flags).await;
        let api = Api::of(&running, "Given-Pass-1!").await;
        // Killed amid changes, wherever they are.
        let changes = async {
            for number in 0.. {
                let email = format!("u{round}-{number}@example.com");
                let body =
                    json!({"email": email, "posix": {"uid": 70000 + round * 1000 + number, "gid": 5000}});
                api.call(Method::POST, "/api/v1/users", body).await;
            }
        };
        let _ = tokio::time::timeout(std::time::Duration::from_millis(700 + 130 * round), changes).await;
        drop(running);
    }
    let running = Running::start(&data, &flags).await;
    assert!(sign_in(&running, ADMIN, "Given-Pass-1!").await.is_some());
    drop(running);
    assert_eq!(exported(&data, "restore"), Vec::<Value>::new());
    let (code, said) = text(&run(&data, &["audit", "verify"]));
    assert_eq!(code, Some(0), "{said}");
}

// Red where a change whose answer does not wait for the disk is not written down before its answer.
#[tokio::test]
async fn a_backup_of_sqlite_that_lacks_no_more_than_the_deletion_of_a_rule_is_known_as_one() {
    if not_on_postgres(FILES) {
        return;
    }
    let (dir, data) = fresh();
    let file = dir.path().join("password");
    std::fs::write(&file, "Given-Pass-1!\n").unwrap();
    let flags = ["--admin-password-file", file.to_str().unwrap()];
    let running = Running::start(&data, &flags).await;
    let api = Api::of(&running, "Given-Pass-1!").await;
    let rule = crate::server::rule(("group", "staff"), 1, ("tenant", "1"));
    let (code, rule) = api
        .call(Method::POST, "/api/v1/authorization/access-rules", rule)
        .await;
    assert_eq!(code, 201, "{rule}");
    let backup = dir.path().join("backup.db");
    Database::Sqlite.back_up(&data, &backup).await;
    let path = format!("/api/v1/authorization/access-rules/{}", rule["id"]);
    assert_eq!(api.call(Method::DELETE, &path, Value::Null).await.0, 204);
    // Killed with the answer.
    drop(running);
    Database::Sqlite.restore(&data, &backup).await;
    drop(Running::start(&data, &flags).await);
    assert_eq!(exported(&data, "restore").len(), 1);
}

#[tokio::test]
async fn the_audit_log_is_verified_and_exported_beside_a_server_and_without_one() {
    let (dir, data) = fresh();
    let running = Running::start(&data, &[]).await;
    let verify = |head: Option<&str>| {
        let mut words = vec!["audit", "verify"];
        words.extend(head.into_iter().flat_map(|head| ["--head", head]));
        text(&run(&data, &words))
    };
    let beside = verify(None);
    assert_eq!(beside.0, Some(0), "{beside:?}");
    assert!(beside.1.starts_with("sound: 1 events\nhead 1:"), "{beside:?}");
    assert!(running.stop().await.status.success());
    let told = std::fs::read_to_string(log(&data)).unwrap();
    let told = told
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let head = told
        .filter_map(|line| line["audit_head"].as_str().map(str::to_owned))
        .next_back();
    let head = head.expect("the head is told at the end");
    assert_eq!(verify(Some(&head)).0, Some(0));
    assert!(beside.1.contains(&head), "nothing happened meanwhile");
    let other = head.replace("1:", "7:");
    let cut = verify(Some(&other));
    assert_eq!(cut.0, Some(1), "{cut:?}");
    assert!(
        cut.1.contains("broken at row 2") && cut.1.contains("the end was cut"),
        "{cut:?}"
    );
    assert_eq!(verify(Some("nonsense")).0, Some(2));

    let file = dir.path().join("events");
    let output = |more: &[&str]| {
        let words = ["audit", "export", "--output", file.to_str().unwrap()];
        run(&data, &[&words, more].concat())
    };
    assert_eq!(output(&[]).status.code(), Some(0));
    let line: Value = serde_json::from_str(std::fs::read_to_string(&file).unwrap().trim_end()).unwrap();
    assert_eq!((&line["sequence"], &line["keyed"]), (&json!(1), &json!(true)));
    assert_eq!(line["event"]["entity_type"], "tenant");
    assert_eq!(
        output(&[]).status.code(),
        Some(2),
        "what is there is not written over"
    );
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        output(&["--until", "2020-01-01T00:00:00Z"]).status.code(),
        Some(0)
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
    assert_eq!(output(&["--since", "yesterday"]).status.code(), Some(2));
    let nowhere = text(&run(&dir.path().join("nowhere"), &["audit", "verify"]));
    assert_eq!(nowhere.0, Some(2), "{nowhere:?}");
}
