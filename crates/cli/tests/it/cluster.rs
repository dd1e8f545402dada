//! A receiver that stands in for a cluster's API server: it answers what it was told to, streams and WebSockets included,
//! and remembers what it was asked. It decides nothing.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::receiver::{CLUSTER, Receiver, workload};
use crate::websocket::{self, Behaviour};

pub(crate) const PODS: &str = "/api/v1/namespaces/reeve-robots/pods";
pub(crate) const WORKLOAD: &str = "/apis/reeve.dev/v1alpha1/namespaces/reeve-robots/workloads/first";
pub(crate) const JOB: &str = "723e4567-e89b-12d3-a456-426614174000";

/// What it does when a path is asked for.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A whole answer.
    Json(u16, String),
    /// Text that ends.
    Text(Vec<u8>),
    /// Text after which nothing comes and the connection stays.
    Open(Vec<u8>),
    /// A WebSocket.
    Session(Behaviour),
}

#[derive(Default)]
pub(crate) struct Inner {
    answers: BTreeMap<String, VecDeque<Answer>>,
    /// The request lines, without the version.
    calls: Vec<String>,
    /// What came over WebSockets: channel and bytes.
    pub(crate) frames: Vec<(u8, Vec<u8>)>,
    /// The values of `Authorization`.
    tokens: Vec<String>,
}

/// The receiver.
pub(crate) struct Cluster {
    inner: Arc<Mutex<Inner>>,
    address: SocketAddr,
}

impl Cluster {
    /// A cluster with one running pod `first-abcde` of the workload `first`, and a control plane that knows both.
    pub(crate) async fn with_a_workload() -> (Receiver, Self) {
        let receiver = Receiver::signed_in().await;
        let cluster = Self::start().await;
        receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": [workload()]}));
        let server = format!("http://{}", cluster.address);
        let base = format!("/api/v1/clusters/{CLUSTER}");
        let endpoint = json!({"server": server, "certificateAuthorityData": ""});
        receiver.answers(&format!("GET {base}/kubernetes-endpoint"), 200, endpoint);
        let token = json!({"token": "kubernetes.token.here", "expirationTimestamp": "2026-01-01T00:05:00Z"});
        receiver.answers(&format!("POST {base}/kubernetes-token"), 200, token);
        cluster.answers(WORKLOAD, [json_answer(200, &in_cluster())]);
        let pod = pod("first-abcde", &json!({"running": {}}));
        cluster.answers(PODS, [json_answer(200, &pods(std::slice::from_ref(&pod)))]);
        cluster.answers(&format!("{PODS}/first-abcde"), [json_answer(200, &pod)]);
        (receiver, cluster)
    }

    async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { inner, address }
    }

    /// Sets the answers to a path, whatever the query: one after the other, the last again and again.
    pub(crate) fn answers(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        let answers = answers.into_iter().collect();
        self.inner
            .lock()
            .unwrap()
            .answers
            .insert(path.to_owned(), answers);
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether anybody called.
    pub(crate) fn was_called(&self) -> bool {
        !self.inner.lock().unwrap().calls.is_empty()
    }

    /// The calls made so far to paths that end so.
    pub(crate) fn calls(&self, end: &str) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        let path = |call: &&String| call.split('?').next().is_some_and(|path| path.ends_with(end));
        inner.calls.iter().filter(path).cloned().collect()
    }

    /// Whether every call showed the token for Kubernetes and no other.
    pub(crate) fn saw_only_its_own_token(&self) -> bool {
        let inner = self.inner.lock().unwrap();
        let all = inner.tokens.iter();
        !inner.calls.is_empty()
            && inner.tokens.len() == inner.calls.len()
            && all
                .into_iter()
                .all(|token| token == "Bearer kubernetes.token.here")
    }

    /// What came on a channel of any WebSocket.
    pub(crate) fn received(&self, channel: u8) -> Vec<u8> {
        let inner = self.inner.lock().unwrap();
        let frames = inner.frames.iter().filter(|(of, _)| *of == channel);
        frames.flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

async fn serve(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        read.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let Some(call) = head
        .first()
        .map(|line| line.trim_end_matches(" HTTP/1.1").to_owned())
    else {
        return;
    };
    let header = |name: &str| {
        let of = |line: &String| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        head.iter().find_map(of)
    };
    let answer = {
        let mut inner = inner.lock().unwrap();
        inner.tokens.extend(header("authorization"));
        let path = call.split(['?', ' ']).nth(1).unwrap_or_default().to_owned();
        inner.calls.push(call);
        inner
            .answers
            .get_mut(&path)
            .and_then(|answers| match answers.len() {
                0 | 1 => answers.front().cloned(),
                _ => answers.pop_front(),
            })
    };
    let key = header("sec-websocket-key");
    match (answer, key) {
        (Some(Answer::Session(behaviour)), Some(key)) => {
            websocket::accept(&mut write, &key).await;
            websocket::behave(behaviour, &mut read, &mut write, &inner).await;
        }
        // As the API server answers who is allowed but does not ask for a WebSocket.
        (Some(Answer::Session(_)), None) => {
            let status = status(400, "Upgrade request required");
            whole(&mut write, 400, &status).await;
        }
        (Some(Answer::Json(status, body)), _) => whole(&mut write, status, &body).await,
        (Some(Answer::Text(text)), _) => stream_head(&mut write, &text).await,
        (Some(Answer::Open(text)), _) => {
            stream_head(&mut write, &text).await;
            let mut nothing = String::new();
            let _ = read.read_line(&mut nothing).await;
        }
        (None, _) => whole(&mut write, 404, &status(404, "not found")).await,
    }
    let _ = write.shutdown().await;
}

async fn whole(write: &mut (impl AsyncWriteExt + Unpin), status: u16, body: &str) {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let _ = write.write_all(text.as_bytes()).await;
}

async fn stream_head(write: &mut (impl AsyncWriteExt + Unpin), text: &[u8]) {
    let head = "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nconnection: close\r\n\r\n";
    let _ = write.write_all(head.as_bytes()).await;
    let _ = write.write_all(text).await;
    let _ = write.flush().await;
}

pub(crate) fn json_answer(status: u16, body: &Value) -> Answer {
    Answer::Json(status, body.to_string())
}

/// A refusal in the API server's form.
pub(crate) fn refusal(message: &str) -> Answer {
    Answer::Json(403, status(403, message))
}

fn status(code: u16, message: &str) -> String {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code})
        .to_string()
}

/// The `Workload` object.
pub(crate) fn in_cluster() -> Value {
    json!({
        "apiVersion": "reeve.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "first"},
        "spec": {"id": "323e4567-e89b-12d3-a456-426614174000", "image": "i"}, "status": {"jobUid": JOB},
    })
}

/// A pod of the workload's Job with two containers, of which the first was put there by the cluster.
pub(crate) fn pod(name: &str, state: &Value) -> Value {
    let container = |name: &str, state: &Value| json!({"name": name, "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": state});
    json!({
        "metadata": {
            "name": name, "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"reeve.dev/workload": "first", "batch.kubernetes.io/controller-uid": JOB},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "first", "uid": JOB, "controller": true}],
        },
        "spec": {"containers": [{"name": "injected"}, {"name": "first"}]},
        "status": {"phase": "Running", "containerStatuses": [
            container("injected", &json!({"running": {}})), container("first", state),
        ]},
    })
}

pub(crate) fn pods(items: &[Value]) -> Value {
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
}
