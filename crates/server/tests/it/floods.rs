//! Floods against the real program over real sockets: what they cannot delay, and what they leave behind.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reeve_authz::{Action, BootstrapException, Entity, Granted};
use reeve_identity::{MasterKey, Random};
use reeve_server::bootstrap::DataDir;
use reeve_store::{Audit, AuditRow, Outcome};
use serde_json::{Value, json};

use crate::connections::connected;
use crate::database::{self, Beside};
use crate::process::{Running, fresh};
use crate::server::rule;

pub(crate) const PASSWORD: &str = "Given-Pass-1!";
const RULES: &str = "/api/v1/authorization/access-rules";
/// What a revocation may take during a flood.
const BOUND: Duration = Duration::from_secs(2);

pub(crate) async fn started(data: &Path, flags: &[&str]) -> Running {
    let file = data.with_extension("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let password = ["--admin-password-file", file.to_str().unwrap()];
    Running::start(data, &[&password[..], flags].concat()).await
}

pub(crate) async fn text(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

pub(crate) async fn token(running: &Running, body: Value) -> String {
    let sent = running
        .client
        .post(running.url("/api/v1/token"))
        .body(body.to_string());
    let (status, answer) = text(sent.send().await.unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    answer["accessToken"].as_str().unwrap().to_owned()
}

pub(crate) async fn administrator(running: &Running) -> String {
    let body = json!({"grantType": "password", "username": running.announced["adminUsername"], "password": PASSWORD});
    token(running, body).await
}

pub(crate) async fn made(running: &Running, token: &str, path: &str, body: Value) -> Value {
    let sent = running
        .client
        .post(running.url(path))
        .bearer_auth(token)
        .body(body.to_string());
    let (status, answer) = text(sent.send().await.unwrap()).await;
    assert_eq!(status, 201, "{answer}");
    answer
}

/// So many rules of the account; their ids.
pub(crate) async fn made_rules(running: &Running, token: &str, many: usize) -> Vec<Value> {
    let mut rules = Vec::new();
    for number in 0..many {
        let name = format!("g{number}");
        let body = rule(("group", &name), 9, ("tenant", "1"));
        rules.push(made(running, token, RULES, body).await["id"].clone());
    }
    rules
}

/// What goes on asking until it is over.
struct Flood {
    over: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    asking: Vec<tokio::task::JoinHandle<()>>,
}

impl Flood {
    fn new() -> Self {
        Self {
            over: Arc::default(),
            answers: Arc::default(),
            asking: Vec::new(),
        }
    }

    /// So many ask at a time with each of these clients.
    fn ask(
        &mut self,
        clients: &[reqwest::Client],
        each: usize,
        request: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder + Clone + Send + Sync + 'static,
    ) {
        for client in clients {
            for _ in 0..each {
                let (over, answers) = (Arc::clone(&self.over), Arc::clone(&self.answers));
                let (client, request) = (client.clone(), request.clone());
                self.asking.push(tokio::spawn(async move {
                    while !over.load(Ordering::SeqCst) {
                        if request(&client).send().await.is_ok() {
                            answers.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }));
            }
        }
    }

    async fn end(self) -> usize {
        self.over.store(true, Ordering::SeqCst);
        for asking in self.asking {
            asking.abort();
        }
        self.answers.load(Ordering::SeqCst)
    }
}

/// The data directory of a server that does not run, or is read beside it.
fn opened(data: &Path) -> (DataDir, MasterKey) {
    let url = database::of_program(data).map(|url| url.parse().unwrap());
    let dir = DataDir::open(data).unwrap().with(url);
    let master = dir.master_key(&Random::system(), true).unwrap();
    (dir, master)
}

/// All events; the chain is whole.
async fn events(data: &Path) -> Vec<AuditRow> {
    let (dir, master) = opened(data);
    let store = dir.store_to_read(Some(&master)).await.unwrap();
    let directory =
        reeve_server::directory::Directory::load(reeve_store::Directory::directory(&store).await.unwrap());
    let user = directory
        .user_by_email(&"admin@reeve.example".parse().unwrap())
        .unwrap();
    let id = reeve_store::SubjectId::User(user.id);
    let caller = crate::server::caller(id, &user.email);
    let granted = directory
        .allow_in_account(&caller, Action::Read, Entity::EventsHistory)
        .unwrap();
    store.verify_audit_chain(&granted).await.unwrap();
    let events = store.audit_events(&granted, 0, 100_000).await.unwrap();
    store.close().await;
    events
}

/// The status of an answer, and how long it took.
async fn timed(request: reqwest::RequestBuilder) -> (u16, Duration) {
    let begun = tokio::time::Instant::now();
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), begun.elapsed())
}

/// Deletes a rule; how much longer that took than reading did at the same moment.
async fn revoked(running: &Running, client: &reqwest::Client, admin: &str, rule: &Value) -> Duration {
    let deletion = client.delete(running.url(&format!("{RULES}/{rule}")));
    let reading = client.get(running.url("/api/v1/me"));
    let ((status, deletion), (_, reading)) = tokio::join!(
        timed(deletion.bearer_auth(admin)),
        timed(reading.bearer_auth(admin))
    );
    assert_eq!(status, 204);
    deletion.saturating_sub(reading)
}

/// Guesses at secrets and changes that `idle` may not make, some hundred at a time.
fn guesses(running: &Running, idle: &str, cluster: &Value) -> Flood {
    let mut flood = Flood::new();
    let http1 = [running.client(|client| client.http1_only())];
    let http2: Vec<_> = (0..4)
        .map(|_| running.client(|client| client.http2_prior_knowledge()))
        .collect();
    for (clients, each) in [(&http1[..], 20), (&http2[..], 15)] {
        let url = running.url("/api/v1/token");
        let guess = json!({"grantType": "client_credentials", "clientID": "idle", "clientSecret": "wrong"})
            .to_string();
        flood.ask(clients, each, move |client| client.post(&url).body(guess.clone()));
        let url = running.url("/api/v1/token");
        let guess = json!({"grantType": "password", "username": "admin@reeve.example", "password": "wrong"})
            .to_string();
        flood.ask(clients, each / 5, move |client| {
            client.post(&url).body(guess.clone())
        });
        let (url, token) = (running.url(&format!("{RULES}/1")), idle.to_owned());
        flood.ask(clients, each / 3, move |client| {
            client.delete(&url).bearer_auth(&token)
        });
        let url = running.url("/link/v1/token");
        let guess = json!({"clusterId": cluster["uuid"], "clientSecret": "wrong"}).to_string();
        flood.ask(clients, each / 8, move |client| {
            client.post(&url).body(guess.clone())
        });
        let (url, number) = (running.url("/api/v1/token"), Arc::new(AtomicUsize::new(0)));
        flood.ask(clients, each / 8, move |client| {
            let name = format!("nobody-{}", number.fetch_add(1, Ordering::SeqCst));
            let guess = json!({"grantType": "client_credentials", "clientID": name, "clientSecret": "wrong"});
            client.post(&url).body(guess.to_string())
        });
    }
    flood
}

/// For twenty seconds guesses at the secrets of an application, a person and a cluster, at names that nobody has, and refused
/// changes of somebody without rights, over both versions of HTTP. Meanwhile rules are deleted, each within the bound, beside what
/// reading takes at that moment and deleting took before: what others take of processor and disk delays those as well. What is left of the flood are a few rows that count it.
///
/// The planted fault is in `reeve-store-sql`, `changes_go_before_recordings`: what waits in one line delays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_guesses_and_refused_changes_delays_no_revocation() {
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let admin = administrator(&running).await;
    let secret = made(
        &running,
        &admin,
        "/api/v1/service-accounts",
        json!({"name": "idle"}),
    )
    .await;
    let idle = json!({"grantType": "client_credentials", "clientID": "idle", "clientSecret": secret["clientSecret"]});
    let idle = token(&running, idle).await;
    let cluster = made(&running, &admin, "/api/v1/clusters", json!({"name": "gpu"})).await;
    let rules = made_rules(&running, &admin, 17).await;
    // Somebody else, from elsewhere.
    let revoking = running.client(|client| client.local_address(std::net::IpAddr::from([127, 0, 0, 2])));
    let (before, rules) = rules.split_at(3);
    let mut calm = Duration::ZERO;
    for rule in before {
        calm = calm.max(revoked(&running, &revoking, &admin, rule).await);
    }
    let flood = guesses(&running, &idle, &cluster);
    let mut slowest = Duration::ZERO;
    for rule in rules {
        tokio::time::sleep(Duration::from_millis(1400)).await;
        slowest = slowest.max(revoked(&running, &revoking, &admin, rule).await);
    }
    let answers = flood.end().await;
    assert!(
        slowest < BOUND + 4 * calm,
        "a revocation took {slowest:?} longer than reading, {calm:?} before, while {answers} others were answered"
    );
    assert!(answers > 200, "this was no flood: {answers}");
    running.stop().await;
    let failed: Vec<_> = events(&data)
        .await
        .into_iter()
        .filter(|event| event.entry.result == Outcome::Failed)
        .collect();
    // Three kinds of guess and the refused change, each summed up; names that nobody has are not recorded.
    assert!(failed.len() <= 20, "{} rows", failed.len());
    let attempts: usize = failed
        .iter()
        .map(|event| event.entry.metadata["attempts"].parse::<usize>().unwrap())
        .sum();
    assert!(attempts > 100, "{attempts} of {answers} were counted");
}

/// Unknown and known names answer alike: nothing is written before a wrong secret is answered. While somebody else holds the
/// database's one place to write, all are answered; whoever recorded first would wait for it, ten seconds and longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_secrets_are_answered_while_nothing_can_be_written_whoever_is_named() {
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let admin = administrator(&running).await;
    let accounts = "/api/v1/service-accounts";
    made(&running, &admin, accounts, json!({"name": "robot"})).await;
    let cluster = made(&running, &admin, "/api/v1/clusters", json!({"name": "gpu"})).await;
    let held = Beside::program(&data).hold().await;
    let application =
        |name: &str| json!({"grantType": "client_credentials", "clientID": name, "clientSecret": "wrong"});
    let person = |name: &str| json!({"grantType": "password", "username": name, "password": "wrong"});
    let link = |id: &str| json!({"clusterId": id, "clientSecret": "wrong"});
    let (rest, link_token) = ("/api/v1/token", "/link/v1/token");
    let asked = [
        (rest, application("robot")),
        (rest, application("nobody")),
        (rest, person("admin@reeve.example")),
        (rest, person("nobody@reeve.example")),
        (link_token, link(cluster["uuid"].as_str().unwrap())),
        (link_token, link("00000000-0000-4000-8000-000000000000")),
    ];
    for (path, body) in asked {
        let sent = running.client.post(running.url(path)).body(body.to_string());
        let answer = tokio::time::timeout(Duration::from_secs(8), sent.send()).await;
        let answer = answer.unwrap_or_else(|_| panic!("{path} {body} waits for the database"));
        assert_eq!(answer.unwrap().status(), 400, "{path} {body}");
    }
    // The naive receiver: what records before its answer, as a right secret does, waits.
    let right = json!({"grantType": "password", "username": "admin@reeve.example", "password": PASSWORD});
    let sent = running.client.post(running.url(rest)).body(right.to_string());
    let waited = tokio::time::timeout(Duration::from_secs(2), sent.send()).await;
    assert!(
        waited.is_err(),
        "the database could be written: this test shows nothing"
    );
    held.release().await;
    running.stop().await;
}

const DAY: i64 = 24 * 60 * 60;

/// A server that was stopped, with a failed sign-in of just now and more of them that are so many days older.
async fn with_failed_attempts(data: &Path, days: &[i64]) {
    let running = started(data, &[]).await;
    assert_eq!(running.sign_in("Wrong-Pass-1!").await.status(), 400);
    running.stop().await;
    let (dir, master) = opened(data);
    let store = dir
        .store(&master, reeve_types::Timestamp::from_millis(0))
        .await
        .unwrap();
    let fresh = events(data).await.pop().unwrap().entry;
    assert_eq!(fresh.result, Outcome::Failed);
    let older = days.iter().map(|days| {
        let mut attempt = fresh.clone();
        attempt.timestamp = fresh.timestamp.plus_seconds(-days * DAY);
        attempt
    });
    let granted = Granted::bootstrap(BootstrapException::SessionRecord);
    store.record_attempts(&granted, older.collect()).await.unwrap();
    store.close().await;
}

/// Serves once, for long enough to prune.
async fn served(data: &Path, flags: &[&str]) {
    let running = started(data, flags).await;
    assert_eq!(running.sign_in(PASSWORD).await.status(), 200);
    tokio::time::sleep(Duration::from_secs(3)).await;
    running.stop().await;
}

/// What is pruned at the start is named in the chain, which can be verified afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_failed_attempts_are_pruned_by_the_running_server() {
    let (_dir, data) = fresh();
    with_failed_attempts(&data, &[91, 0]).await;
    let before = events(&data).await.len();
    served(&data, &[]).await;
    let after = events(&data).await;
    let pruned: Vec<_> = after
        .iter()
        .filter_map(|event| event.entry.metadata.get(reeve_store::PRUNED))
        .collect();
    assert_eq!(pruned.len(), 1, "{after:?}");
    // One went, two came: what says so, and the sign-in.
    assert_eq!(after.len(), before + 1);
}

/// How many days older than the newest the failed attempts are that are kept, the oldest first.
async fn ages(data: &Path) -> Vec<i64> {
    let all = events(data).await;
    let failed = all.iter().filter(|event| event.entry.result == Outcome::Failed);
    let mut at: Vec<i64> = failed.map(|event| event.entry.timestamp.as_seconds()).collect();
    at.sort_unstable();
    let newest = at.last().copied().unwrap_or_default();
    at.into_iter().map(|at| (newest - at) / DAY).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_attempts_are_kept_for_as_many_days_as_is_set_and_with_0_for_ever() {
    let (_dir, data) = fresh();
    with_failed_attempts(&data, &[400, 8, 6]).await;
    served(&data, &["--failed-attempts-days", "0"]).await;
    assert_eq!(ages(&data).await, [400, 8, 6, 0]);
    served(&data, &["--failed-attempts-days", "7"]).await;
    assert_eq!(ages(&data).await, [6, 0]);
}

/// What the process has in memory, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_after_a_flood_the_memory_is_free_again() {
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let admin = administrator(&running).await;
    let users = running.url("/api/v1/users");
    let before = resident(running.pid());
    // Who asks for nothing: a finished handshake, and half of what HTTP/2 begins with.
    let mut idle: Vec<_> = (0..40).map(|_| connected(&running, "h2")).collect();
    for stream in &mut idle {
        stream.write_all(b"PRI * HTTP/2.0").unwrap();
        stream.flush().unwrap();
    }
    let mut flood = Flood::new();
    let body = bytes::Bytes::from(vec![b' '; 1024 * 1024]);
    let http1: Vec<_> = (0..120)
        .map(|_| running.client(|client| client.http1_only()))
        .collect();
    let http2: Vec<_> = (0..60)
        .map(|_| running.client(|client| client.http2_prior_knowledge()))
        .collect();
    for clients in [&http1[..], &http2[..]] {
        // Bodies where nobody is known yet, where somebody is, and guesses.
        let (url, sent) = (running.url("/api/v1/token"), body.clone());
        flood.ask(clients, 1, move |client| client.post(&url).body(sent.clone()));
        let (url, sent) = (running.url("/link/v1/token"), body.clone());
        flood.ask(clients, 1, move |client| client.post(&url).body(sent.clone()));
        let (url, sent, token) = (users.clone(), body.clone(), admin.clone());
        flood.ask(&clients[..10], 1, move |client| {
            client.post(&url).bearer_auth(&token).body(sent.clone())
        });
        let url = running.url("/api/v1/token");
        let guess = json!({"grantType": "password", "username": "admin@reeve.example", "password": "wrong"})
            .to_string();
        flood.ask(clients, 1, move |client| client.post(&url).body(guess.clone()));
    }
    let mut most = before;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        most = most.max(resident(running.pid()));
    }
    let answers = flood.end().await;
    drop((http1, http2, idle));
    let bound = before * 3 / 2;
    let mut after = resident(running.pid());
    for _ in 0..60 {
        if after <= bound {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        after = resident(running.pid());
    }
    println!("resident: {before} KiB before, {most} KiB in the flood of {answers}, {after} KiB after");
    assert!(
        after <= bound,
        "{before} KiB before, {most} KiB in the flood of {answers}, {after} KiB a minute after"
    );
}
