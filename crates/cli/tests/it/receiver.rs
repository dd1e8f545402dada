//! A receiver of REST calls: it answers what it was told to and remembers what it was asked. It is no control plane.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

pub(crate) const CLUSTER: &str = "123e4567-e89b-12d3-a456-426614174000";
pub(crate) const TOKEN: &str = "header.payload.signature";

/// One call that was made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

/// What is done before an answer goes out.
type Deed = Box<dyn Fn() + Send>;

#[derive(Default)]
struct Inner {
    answers: BTreeMap<String, (u16, String)>,
    deeds: BTreeMap<String, Deed>,
    calls: Vec<Call>,
}

/// The receiver, and one person's settings folder.
pub(crate) struct Receiver {
    inner: Arc<Mutex<Inner>>,
    address: SocketAddr,
    home: tempfile::TempDir,
    session: Vec<(&'static str, String)>,
}

impl Receiver {
    /// Its commands have no session bus.
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let home = tempfile::tempdir().unwrap();
        // Without it, the bus of whoever runs the tests would be looked for.
        let session = vec![("XDG_RUNTIME_DIR", home.path().display().to_string())];
        let receiver = Self {
            inner,
            address,
            home,
            session,
        };
        receiver.answers(
            "POST /api/v1/token",
            200,
            json!({ "accessToken": TOKEN, "expiresIn": 3600 }),
        );
        receiver
    }

    /// Its commands have this session bus, and the keyring on it.
    pub(crate) async fn start_beside(keyring: &reeve_testkit::Keyring) -> Self {
        Self {
            session: keyring.environment().to_vec(),
            ..Self::start().await
        }
    }

    /// A receiver with somebody signed in.
    pub(crate) async fn signed_in() -> Self {
        let receiver = Self::start().await;
        let output = receiver
            .run_with(
                &[
                    "login",
                    "user",
                    "--url",
                    &receiver.url(),
                    "-u",
                    "alice@reeve.example",
                    "--password-stdin",
                ],
                "aA1!aA1!\n",
            )
            .await;
        assert!(output.status.success(), "{}", text(&output.stderr));
        receiver.calls();
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Sets the answer to `METHOD /path` whatever the query, or to `METHOD /path?query` alone.
    pub(crate) fn answers(&self, call: &str, status: u16, body: Value) {
        self.says(call, status, &body.to_string());
    }

    pub(crate) fn says(&self, call: &str, status: u16, text: &str) {
        self.inner
            .lock()
            .unwrap()
            .answers
            .insert(call.to_owned(), (status, text.to_owned()));
    }

    /// Does something before it answers `METHOD /path`.
    pub(crate) fn does(&self, call: &str, deed: impl Fn() + Send + 'static) {
        self.inner
            .lock()
            .unwrap()
            .deeds
            .insert(call.to_owned(), Box::new(deed));
    }

    /// Takes the calls made so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.inner.lock().unwrap().calls)
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "").await
    }

    pub(crate) async fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.spawn(arguments);
        let mut stdin = child.stdin.take().unwrap();
        let typed = async move {
            // A command that reads nothing may be gone already.
            let _ = stdin.write_all(input.as_bytes()).await;
        };
        tokio::join!(typed, child.wait_with_output()).1.unwrap()
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> tokio::process::Child {
        program(env!("CARGO_BIN_EXE_reeve"))
            .args(arguments)
            .env("HOME", self.home.path())
            .env("REEVE_CONFIG_DIR", self.home.path().join("reeve"))
            .envs(self.session.iter().map(|(name, value)| (name, value)))
            // Which planted fault is at work.
            .envs(std::env::vars_os().filter(|(name, _)| name.to_string_lossy().ends_with("_FAULT")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Exit code, standard output and standard error, with what differs from run to run replaced.
    pub(crate) async fn shown(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let all = format!(
            "$ reeve {}\nexit {}\n--- out\n{}--- err\n{}",
            arguments.join(" "),
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr)
        );
        all.replace(&self.address.to_string(), "ADDRESS")
            .replace(&self.home.path().display().to_string(), "HOME")
    }
}

/// How a person signs in with a password, which comes by standard input.
pub(crate) const fn as_alice(url: &str) -> [&str; 7] {
    [
        "login",
        "user",
        "--url",
        url,
        "-u",
        "alice@reeve.example",
        "--password-stdin",
    ]
}

/// A program that knows nothing of the environment of the tests but which planted fault is at work
/// (`docs/development/planted-faults.md`).
pub(crate) fn program(path: &str) -> Command {
    const FAULT: &str = concat!("REEVE", "_FAULT");
    let mut command = Command::new(path);
    command.env_clear();
    if let Some(fault) = std::env::var_os(FAULT) {
        command.env(FAULT, fault);
    }
    command
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let mut inner = inner.lock().unwrap();
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned());
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    inner.calls.push(Call {
        line: format!("{method} {uri}"),
        authorization,
        body,
    });
    let missing = (
        404,
        json!({ "code": 404, "message": format!("the receiver knows no {method} {}", uri.path()) })
            .to_string(),
    );
    let called = format!("{method} {}", uri.path());
    if let Some(deed) = inner.deeds.get(&called) {
        deed();
    }
    let known = inner
        .answers
        .get(&format!("{method} {uri}"))
        .or_else(|| inner.answers.get(&called));
    let (status, text) = known.cloned().unwrap_or(missing);
    (
        StatusCode::from_u16(status).unwrap(),
        [(header::CONTENT_TYPE, "application/json")],
        text,
    )
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn project() -> Value {
    json!({
        "id": "33", "name": "robots", "clusterId": CLUSTER, "parentId": "2", "parent": {"id": "2", "name": "vision"},
        "requestedNamespace": null, "enforceRunaiScheduler": true, "description": "", "resources": [],
        "effective": {}, "totalResources": {"gpuQuota": null, "cpuQuota": null, "memoryQuota": null},
        "status": {"namespace": "reeve-robots", "phase": "Ready", "phaseMessage": null, "lastUpdatedTime": null},
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "createdBy": "admin@reeve.example",
        "updatedBy": "admin@reeve.example",
    })
}

pub(crate) fn workload() -> Value {
    json!({
        "tenantId": 1, "id": "323e4567-e89b-12d3-a456-426614174000", "name": "first", "type": "Training",
        "category": "Train", "source": "Control-plane", "submittedBy": "alice@reeve.example", "clusterId": CLUSTER,
        "projectId": "33", "projectName": "robots", "departmentId": "2", "departmentName": "vision",
        "namespace": "reeve-robots", "priority": null, "priorityClassName": "", "createdAt": "2020-01-01T00:00:00Z",
        "updatedAt": "2020-01-01T00:00:00Z", "deletedAt": null, "phase": "Running", "phaseMessage": "",
        "phaseUpdatedAt": "2020-01-01T00:00:00Z", "k8sPhase": "Running", "k8sPhaseUpdatedAt": "2020-01-01T00:00:00Z",
        "conditions": [], "runningPods": 1, "images": ["local.test/tools:1"],
    })
}

pub(crate) fn training() -> Value {
    json!({
        "name": "first", "requestedName": "first", "workloadId": "323e4567-e89b-12d3-a456-426614174000", "projectId": "33",
        "departmentId": "2", "clusterId": CLUSTER, "createdBy": "alice@reeve.example", "createdAt": "2026-01-01T00:00:00Z",
        "deletedAt": null, "desiredPhase": "Running", "actualPhase": "Creating", "spec": {"image": "local.test/tools:1"},
    })
}
