//! How long a revocation takes while somebody without rights asks as fast as he can: guesses at secrets, and changes that he may not make.
//! A server by itself; no Kubernetes.
//!
//! The mix is that of `crates/server/tests/it/floods.rs`, which fails in CI where a revocation is delayed; here is by how much.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reeve_e2e::simulated::Plane;
use reeve_e2e::{Database, Rest};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::figures::{Series, now};

const RULES: &str = "/api/v1/authorization/access-rules";
const TOKEN: &str = "/api/v1/token";
/// How long it goes on.
const FLOOD: Duration = Duration::from_secs(20);
/// From the beginning of one deletion to that of the next, unless it takes longer.
const PACE: Duration = Duration::from_millis(200);
/// Deletions before anybody else asks.
const CALM: usize = 20;
/// Deletions during the flood: as many as the pace leaves room for.
const RULES_FOR_THE_FLOOD: usize = 100;
/// Fewer answers are no flood.
const LEAST: usize = 1_000;
/// More connections than the flood opens.
const CONNECTIONS: usize = 500;

/// What was measured.
pub struct Measured {
    /// The times.
    pub series: Vec<Series>,
    /// How much was asked meanwhile.
    pub text: String,
}

/// Deletes rules, at first alone and then for twenty seconds amid the flood, over each database.
///
/// # Errors
/// The server does not start, refuses a deletion, or there was no flood.
pub async fn run(dir: &Path) -> Result<Measured> {
    let names = [
        "a rule deleted -> answered, nobody else asks",
        "a rule deleted -> answered, amid a flood of guesses",
    ];
    let mut all = over(&dir.join("sqlite"), Database::Sqlite, names).await?;
    let names = [
        "the same over PostgreSQL, nobody else asks",
        "the same over PostgreSQL, amid a flood of guesses",
    ];
    let postgres = over(&dir.join("postgres"), Database::Postgres, names).await?;
    all.series.extend(postgres.series);
    all.text += &postgres.text;
    Ok(all)
}

async fn over(dir: &Path, database: Database, [calm, amid]: [&'static str; 2]) -> Result<Measured> {
    let plane = Plane::start(dir, database, CONNECTIONS).await?;
    let admin = &plane.admin;
    let made = admin
        .post("/api/v1/service-accounts", json!({"name": "idle"}))
        .await?;
    let made = made.expect(201)?;
    let secret = made.get("clientSecret").and_then(Value::as_str);
    let idle = admin
        .sign_in_application("idle", secret.context("the application's secret")?)
        .await?;
    let clusters = plane.register(1).await?;
    let cluster = &clusters.first().context("a cluster")?.id;
    let mut rules = Vec::new();
    for number in 0..CALM + RULES_FOR_THE_FLOOD {
        let rule = json!({"subjectType": "group", "subjectId": format!("g{number}"), "roleId": 9,
            "scopeType": "tenant", "scopeId": "1"});
        let made = admin.post(RULES, rule).await?.expect(201)?;
        rules.push(made.get("id").context("the rule's id")?.to_string());
    }
    // Somebody else, from elsewhere.
    let elsewhere = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let revoking = Rest::connecting(admin.url(), &plane.ca_file, |client| {
        client.local_address(elsewhere)
    })?
    .with_token(admin.token());

    let (before, during) = rules.split_at(CALM);
    let mut calm = Series::new(calm);
    for rule in before {
        calm.samples.push(deleted(&revoking, rule).await?);
    }
    let mut flood = Flood::begin(&plane, &idle, cluster)?;
    let mut amid = Series::new(amid);
    let end = Instant::now() + FLOOD;
    for rule in during {
        let next = Instant::now() + PACE;
        amid.samples.push(deleted(&revoking, rule).await?);
        tokio::time::sleep_until(next.min(end)).await;
        if Instant::now() >= end {
            break;
        }
    }
    let answers = flood.end();
    ensure!(answers >= LEAST, "{answers} answers in {FLOOD:?} are no flood");
    let text = format!(
        "the flood over {database:?}: {} at a time, {answers} guesses and refused changes answered in {} s\n",
        flood.width,
        FLOOD.as_secs()
    );
    Ok(Measured {
        series: vec![calm, amid],
        text,
    })
}

/// How long it took until the deletion was acknowledged.
async fn deleted(admin: &Rest, rule: &str) -> Result<Duration> {
    let started = now();
    admin.delete(&format!("{RULES}/{rule}")).await?.expect(204)?;
    Ok(started.elapsed())
}

/// Those who ask until it is over.
struct Flood {
    asking: JoinSet<()>,
    answers: Arc<AtomicUsize>,
    width: usize,
}

impl Flood {
    /// One client over HTTP/1.1, which opens many connections, and four over HTTP/2.
    fn begin(plane: &Plane, idle: &Rest, cluster: &str) -> Result<Self> {
        let mut flood = Self {
            asking: JoinSet::new(),
            answers: Arc::default(),
            width: 0,
        };
        let (url, ca_file) = (plane.admin.url(), &plane.ca_file);
        let first = Rest::connecting(url, ca_file, |client| client.http1_only())?;
        flood.ask_all(&first, 20, idle, cluster);
        for _ in 0..4 {
            let client = Rest::connecting(url, ca_file, |client| client.http2_prior_knowledge())?;
            flood.ask_all(&client, 15, idle, cluster);
        }
        Ok(flood)
    }

    fn ask_all(&mut self, client: &Rest, each: usize, idle: &Rest, cluster: &str) {
        let application = |name: String| json!({"grantType": "client_credentials", "clientID": name, "clientSecret": "wrong"});
        let person = json!({"grantType": "password", "username": "admin@reeve.example", "password": "wrong"});
        let link = json!({"clusterId": cluster, "clientSecret": "wrong"});
        let known = application("idle".to_owned());
        self.ask(client, each, move |client| guess(client, TOKEN, known.clone()));
        self.ask(client, each / 5, move |client| {
            guess(client, TOKEN, person.clone())
        });
        self.ask(client, each / 8, move |client| {
            guess(client, "/link/v1/token", link.clone())
        });
        let number = Arc::new(AtomicUsize::new(0));
        self.ask(client, each / 8, move |client| {
            let name = format!("nobody-{}", number.fetch_add(1, Ordering::Relaxed));
            guess(client, TOKEN, application(name))
        });
        let without_right = client.with_token(idle.token());
        self.ask(&without_right, each / 3, |client| async move {
            client
                .delete(&format!("{RULES}/1"))
                .await
                .map(|answer| answer.status)
        });
    }

    /// So many ask at a time.
    fn ask<F>(&mut self, client: &Rest, many: usize, request: impl Fn(Rest) -> F + Clone + Send + 'static)
    where
        F: Future<Output = Result<u16>> + Send,
    {
        for _ in 0..many {
            let (client, request, answers) = (client.clone(), request.clone(), Arc::clone(&self.answers));
            self.width += 1;
            self.asking.spawn(async move {
                loop {
                    match request(client.clone()).await {
                        Ok(_) => {
                            answers.fetch_add(1, Ordering::Relaxed);
                        }
                        // The server may close what it likes.
                        Err(_) => sleep(Duration::from_millis(10)).await,
                    }
                }
            });
        }
    }

    /// How much was answered.
    fn end(&mut self) -> usize {
        self.asking.abort_all();
        self.answers.load(Ordering::Relaxed)
    }
}

async fn guess(client: Rest, path: &'static str, body: Value) -> Result<u16> {
    client.post(path, body).await.map(|answer| answer.status)
}
