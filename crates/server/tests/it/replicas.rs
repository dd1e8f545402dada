//! Two processes of the server over one PostgreSQL, behind one address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::{Stream, StreamExt};
use reeve_server::follow;
use reeve_testkit::{Postgres, RoundRobin, own_postgres, postgres};
use reeve_types::{Clock, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::process::{PROGRAM, Running, fresh};
use crate::server::{Server, rule};

const PASSWORD: &str = "Given-Pass-1!";
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const OTHER_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
const RULES: &str = "/api/v1/authorization/access-rules";

/// What all processes of one installation are given.
struct Given {
    folder: PathBuf,
    database: String,
    public: String,
}

impl Given {
    fn new(folder: &Path, postgres: &Postgres, public: SocketAddr) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem();
        for (name, text) in [
            ("password", PASSWORD),
            ("master-key", KEY),
            ("tls.crt", &made.cert.pem()),
            ("tls.key", &key),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        Self {
            folder: folder.to_owned(),
            database: postgres.url("postgres"),
            public: format!("https://{public}"),
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn flags(&self, listen: SocketAddr) -> Vec<String> {
        let certificate = self.file("tls.crt");
        [
            ("--listen", listen.to_string()),
            ("--public-url", self.public.clone()),
            ("--admin-password-file", self.file("password")),
            ("--tls-certificate", certificate.clone()),
            ("--tls-key", self.file("tls.key")),
            ("--tls-ca", certificate),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect()
    }
}

/// One of them.
struct Replica {
    running: Running,
    url: String,
}

impl Replica {
    async fn start(given: &Given, name: &str, listen: SocketAddr, key: (&str, &str)) -> Self {
        let flags = given.flags(listen);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let variables = [("REEVE_DATABASE_URL", given.database.as_str()), key];
        let running = Running::start_with(&given.folder.join(name), &flags, &variables).await;
        Self {
            running,
            url: format!("https://{listen}"),
        }
    }

    fn api(&self, token: &str) -> Api {
        Api {
            client: self.running.client.clone(),
            url: self.url.clone(),
            token: token.to_owned(),
        }
    }
}

/// A caller at one address.
#[derive(Clone)]
struct Api {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Api {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        let (answered, value) = self.call(Method::POST, path, Some(body)).await;
        assert_eq!(answered, status, "{path}: {value}");
        value
    }

    async fn status(&self, path: &str) -> u16 {
        self.call(Method::GET, path, None).await.0
    }

    async fn sign_in(&self, email: &str, password: &str) -> Self {
        let body = json!({"grantType": "password", "username": email, "password": password});
        let nobody = Self {
            token: String::new(),
            ..self.clone()
        };
        let answer = nobody.post("/api/v1/token", body, 200).await;
        Self {
            token: answer["accessToken"].as_str().unwrap().to_owned(),
            ..self.clone()
        }
    }

    /// At another address.
    fn at(&self, replica: &Replica) -> Self {
        Self {
            client: replica.running.client.clone(),
            url: replica.url.clone(),
            ..self.clone()
        }
    }
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

/// Two of them and what is before them; the key comes to one from a file, to the other from its environment.
struct Pair {
    given: Given,
    balancer: RoundRobin,
    addresses: [SocketAddr; 2],
    first: Replica,
    second: Replica,
}

impl Pair {
    async fn start(folder: &Path, postgres: &Postgres) -> Self {
        let addresses = [free(), free()];
        let balancer = RoundRobin::start(addresses.to_vec()).await.unwrap();
        let given = Given::new(folder, postgres, balancer.address());
        let key = given.file("master-key");
        let first = Replica::start(&given, "first", addresses[0], ("REEVE_MASTER_KEY_FILE", &key)).await;
        let second = Replica::start(&given, "second", addresses[1], ("REEVE_MASTER_KEY", KEY)).await;
        Self {
            given,
            balancer,
            addresses,
            first,
            second,
        }
    }
}

/// Whether within a second somebody is refused at one address who was answered there until now.
async fn refused_within_a_second(caller: &Api, path: &str) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    loop {
        let status = caller.status(path).await;
        if status == 403 {
            return Ok(begun.elapsed());
        }
        ensure!(status == 200, "{status}");
        ensure!(
            begun.elapsed() < Duration::from_secs(1),
            "still answered after a second"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Each of the two, ten times, also by way of the one address. No key lies in a data directory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_deleted_through_one_replica_refuses_the_next_request_at_the_other() {
    let Some(postgres) = own_postgres() else { return };
    let (dir, _) = fresh();
    let pair = Pair::start(dir.path(), &postgres).await;
    for name in ["first", "second"] {
        assert!(!dir.path().join(name).join("master.key").exists(), "{name}");
    }
    let admin = pair.first.api("").sign_in("admin@reeve.example", PASSWORD).await;
    let body = json!({"email": "alice@example.com", "resetPassword": false});
    let made = admin.post("/api/v1/users", body, 201).await;
    let password = made["tempPassword"].as_str().unwrap().to_owned();
    let one_address = Api {
        url: pair.given.public.clone(),
        ..admin.clone()
    };
    assert_eq!(one_address.url, format!("https://{}", pair.balancer.address()));
    let alice = one_address.sign_in("alice@example.com", &password).await;
    for round in 0..10 {
        let (here, there) = match round % 2 {
            0 => (&pair.first, &pair.second),
            _ => (&pair.second, &pair.first),
        };
        let body = rule(("user", "alice@example.com"), 1, ("tenant", "1"));
        let made = admin.at(here).post(RULES, body, 201).await;
        let alice = alice.at(there);
        let begun = Instant::now();
        while alice.status("/api/v1/users").await != 200 {
            assert!(begun.elapsed() < Duration::from_secs(1), "round {round}");
        }
        let path = format!("{RULES}/{}", made["id"]);
        let (status, said) = admin.at(here).call(Method::DELETE, &path, None).await;
        assert_eq!(status, 204, "{said}");
        assert_eq!(
            alice.at(here).status("/api/v1/users").await,
            403,
            "where it was deleted"
        );
        refused_within_a_second(&alice, "/api/v1/users").await.unwrap();
    }
}

/// Planted fault: a process that does not follow the change log. The question of the test above turns red.
#[tokio::test]
async fn a_replica_that_does_not_hear_is_found() {
    let Some(postgres) = own_postgres() else { return };
    let clock = Clock::fixed(Timestamp::from_millis(1_700_000_000_000));
    let url = postgres.url("postgres");
    let here = Server::open_postgres(&url, clock.clone()).await;
    let made = here.rule(("group", "g"), 9, ("tenant", "1")).await;
    let deaf = Server::open_postgres(&url, clock).await;
    let asked = async |server: &Server| -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let answer = server.get(&here.admin, &format!("{RULES}/{made}")).await;
            let known = server.app.directory().snapshot();
            if known
                .rules
                .iter()
                .all(|rule| rule.id.to_string() != made.to_string())
            {
                return Ok(());
            }
            ensure!(
                begun.elapsed() < Duration::from_secs(1),
                "not heard of: {}",
                answer.status
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    here.delete(&here.admin, &format!("{RULES}/{made}")).await.is(204);
    let said = asked(&deaf).await.unwrap_err().to_string();
    assert!(said.contains("not heard of"), "{said}");
    let hearing = tokio::spawn(follow::run(std::sync::Arc::clone(&deaf.app)));
    asked(&deaf).await.unwrap();
    hearing.abort();
}

/// The lines of a stream of the link.
struct Lines {
    bytes: std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<axum::body::Bytes>> + Send>>,
    rest: Vec<u8>,
}

impl Lines {
    async fn open(api: &Api, resume: Option<&Value>) -> Self {
        let mut hello = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "test"});
        if let Some(resume) = resume {
            hello["resume"] = resume.clone();
        }
        let request = api
            .client
            .post(format!("{}/link/v1/watch", api.url))
            .bearer_auth(&api.token);
        let answer = request.body(hello.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Self {
            bytes: Box::pin(answer.bytes_stream()),
            rest: Vec::new(),
        }
    }

    /// The next batch that ends something.
    async fn batch(&mut self) -> anyhow::Result<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                let message: Value = serde_json::from_slice(&line)?;
                if message["type"] == "batch" && message["more"] != true {
                    return Ok(message);
                }
                continue;
            }
            let next = tokio::time::timeout(Duration::from_secs(20), self.bytes.next()).await;
            let chunk = next.context("nothing came")?.context("the stream ended")??;
            self.rest.extend_from_slice(&chunk);
        }
    }
}

fn position(batch: &Value) -> Value {
    json!({"revision": batch["revision"], "token": batch["token"]})
}

/// And whether the cluster is connected is known at both, and a report is taken at either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_resumes_at_either_replica_and_each_stream_gets_each_change() {
    let Some(postgres) = own_postgres() else { return };
    let (dir, _) = fresh();
    let pair = Pair::start(dir.path(), &postgres).await;
    let admin = pair.first.api("").sign_in("admin@reeve.example", PASSWORD).await;
    let made = admin.post("/api/v1/clusters", json!({"name": "a"}), 201).await;
    let secret = json!({"clusterId": made["uuid"], "clientSecret": made["clientSecret"]});
    // At the other one, at once: it may not have heard of the cluster yet.
    let other = admin.at(&pair.second);
    let nobody = Api {
        token: String::new(),
        ..other.clone()
    };
    let token = nobody.post("/link/v1/token", secret, 200).await;
    let operator = Api {
        token: token["accessToken"].as_str().unwrap().to_owned(),
        ..other.clone()
    };
    let mut lines = Lines::open(&operator, None).await;
    let all = lines.batch().await.unwrap();
    assert_eq!(all["complete"], true);
    let cluster = format!("/api/v1/clusters/{}", made["uuid"].as_str().unwrap());
    for api in [&admin, &other] {
        let (_, shown) = api.call(Method::GET, &cluster, None).await;
        assert_eq!(shown["status"]["state"], "Connected", "{}: {shown}", api.url);
    }

    // A change at the first shows on the stream of the second, in one batch of one object.
    let begun = Instant::now();
    admin
        .post(RULES, rule(("group", "g1"), 9, ("tenant", "1")), 201)
        .await;
    let change = lines.batch().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(
        (&change["complete"], change["upserts"].as_array().unwrap().len()),
        (&json!(false), 1)
    );
    // A report of that revision is taken at the first as well.
    let report = json!({"revision": change["revision"]});
    let (status, said) = operator
        .at(&pair.first)
        .call(Method::POST, "/link/v1/status", Some(report))
        .await;
    assert_eq!(status, 204, "{said}");

    // Cut off, it resumes at the first: only what is later comes.
    drop(lines);
    other
        .post(RULES, rule(("group", "g2"), 9, ("tenant", "1")), 201)
        .await;
    let mut lines = Lines::open(&operator.at(&pair.first), Some(&position(&change))).await;
    let later = lines.batch().await.unwrap();
    assert_eq!(
        (&later["complete"], later["upserts"].as_array().unwrap().len()),
        (&json!(false), 1),
        "{later}"
    );

    // Its server is gone: by the one address it resumes at the other.
    let Pair {
        given,
        balancer,
        addresses,
        first,
        second,
    } = pair;
    drop(first);
    other
        .post(RULES, rule(("group", "g3"), 9, ("tenant", "1")), 201)
        .await;
    let behind = Api {
        url: format!("https://{}", balancer.address()),
        ..operator.clone()
    };
    let mut lines = Lines::open(&behind, Some(&position(&later))).await;
    let last = lines.batch().await.unwrap();
    assert_eq!(
        (&last["complete"], last["upserts"].as_array().unwrap().len()),
        (&json!(false), 1),
        "{last}"
    );
    drop(lines);
    // And at the first, which has started again.
    let key = given.file("master-key");
    let first = Replica::start(&given, "first", addresses[0], ("REEVE_MASTER_KEY_FILE", &key)).await;
    other
        .post(RULES, rule(("group", "g4"), 9, ("tenant", "1")), 201)
        .await;
    let mut lines = Lines::open(&operator.at(&first), Some(&position(&last))).await;
    assert_eq!(lines.batch().await.unwrap()["complete"], false);
    drop(second);
}

fn start(given: &Given, name: &str, key: Option<(&str, &str)>) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("serve").args(given.flags(free()));
    command
        .arg("--data-dir")
        .arg(given.folder.join(name))
        .env("REEVE_DATABASE_URL", &given.database);
    if let Some((name, value)) = key {
        command.env(name, value);
    }
    command.output().unwrap()
}

/// Before it writes anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_with_another_master_key_or_none_is_refused() {
    let Some(postgres) = own_postgres() else { return };
    let (dir, data) = fresh();
    let given = Given::new(dir.path(), &postgres, free());
    let first = Replica::start(&given, "first", free(), ("REEVE_MASTER_KEY", KEY)).await;
    let said = |output: Output| {
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let none = said(start(&given, "second", None));
    assert!(none.contains("give it by `--master-key-file`"), "{none}");
    let other = said(start(&given, "second", Some(("REEVE_MASTER_KEY", OTHER_KEY))));
    assert!(
        other.contains("sealed with another master key: every process over it needs the same"),
        "{other}"
    );
    // A directory that has a key of its own, from an earlier life.
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("master.key"), OTHER_KEY).unwrap();
    let kept = said(start(&given, "data", Some(("REEVE_MASTER_KEY", KEY))));
    assert!(
        kept.contains("REEVE_MASTER_KEY is another master key than"),
        "{kept}"
    );
    for said in [none, other, kept] {
        assert!(!said.contains(KEY) && !said.contains(OTHER_KEY), "{said}");
    }
    first.running.stop().await;
    let verify = Command::new(PROGRAM)
        .args(["audit", "verify", "--data-dir"])
        .arg(given.folder.join("first"))
        .env("REEVE_DATABASE_URL", &given.database)
        .env("REEVE_MASTER_KEY", KEY)
        .output()
        .unwrap();
    assert!(verify.status.success(), "{verify:?}");
    assert!(!String::from_utf8_lossy(&verify.stdout).contains("unkeyed"));
}

/// A report of what another process sent is taken, although this one has not heard of it.
#[tokio::test]
async fn a_report_of_a_revision_that_is_not_known_here_yet_is_taken() {
    let Some(postgres) = postgres() else { return };
    let clock = Clock::fixed(Timestamp::from_millis(1_700_000_000_000));
    let own = own_database(postgres).await;
    let first = Server::open_postgres(&own, clock.clone()).await;
    let (cluster, secret) = first.cluster("a").await;
    let second = Server::open_postgres(&own, clock).await;
    let token = second.link_token(&cluster, &secret).await;
    first.rule(("group", "g"), 9, ("tenant", "1")).await;
    second
        .post(&token, "/link/v1/status", json!({"revision": 2}))
        .await
        .is(204);
    // What was never sent is refused all the same.
    second
        .post(&token, "/link/v1/status", json!({"revision": 3}))
        .await
        .refused(400);
}

async fn own_database(postgres: &Postgres) -> String {
    use sqlx::{Connection, Executor};
    let mut admin = sqlx::PgConnection::connect(&postgres.url("postgres"))
        .await
        .unwrap();
    admin.execute("CREATE DATABASE reports").await.unwrap();
    postgres.url("reports")
}
