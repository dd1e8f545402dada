//! The server's end of the link, played from a script: it keeps the promise that `reeve-link` writes down and no more.
//! The real one is met in the end-to-end suite.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use reeve_link::desired::DesiredObject;
use reeve_link::{
    Batch, ClusterDeleted, Hello, ObjectKey, ObjectStatus, Resume, ServerMessage, StatusReport, TokenRequest,
    Versioned,
};
use reeve_types::{ClusterId, Revision, RevisionToken};
use serde_json::json;
use tokio::sync::broadcast;

pub(crate) const SECRET: &str = "a-secret-that-must-not-leak";
const TOKEN: &str = "a-token-that-must-not-leak";

pub(crate) struct ScriptedLink {
    pub(crate) url: String,
    pub(crate) ca: String,
    pub(crate) cluster: ClusterId,
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
    config: RustlsConfig,
    address: SocketAddr,
}

struct Shared {
    cluster: ClusterId,
    script: Mutex<Script>,
    live: Mutex<broadcast::Sender<Option<Batch>>>,
}

#[derive(Default)]
struct Script {
    revision: u64,
    objects: BTreeMap<ObjectKey, Versioned>,
    deleted: Vec<(u64, ObjectKey)>,
    hellos: Vec<Hello>,
    reports: Vec<StatusReport>,
    statuses: BTreeMap<ObjectKey, ObjectStatus>,
    /// How many objects each connection was sent, in the order of their hellos.
    sent: Vec<usize>,
    door: Door,
    parts: Parts,
    /// What the next reports are answered, before they are kept.
    refusals: Vec<StatusCode>,
}

/// How a complete state is sent.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Parts {
    /// In one.
    #[default]
    One,
    /// One object a part.
    Each,
    /// One object a part, and the stream ends after so many.
    Cut(usize),
}

/// What whoever asks for a token is told.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Door {
    #[default]
    Open,
    /// As to a wrong secret.
    Closed,
    /// The cluster was deleted.
    Deleted,
}

/// The token of a revision.
fn token_of(revision: u64) -> RevisionToken {
    RevisionToken::from_bytes(u128::from(revision).to_be_bytes())
}

impl ScriptedLink {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let ca = made.cert.pem();
        let config = RustlsConfig::from_pem(
            ca.clone().into_bytes(),
            made.signing_key.serialize_pem().into_bytes(),
        )
        .await
        .unwrap();
        let cluster: ClusterId = "7c9e6679-7425-40de-944b-e07fc1f90ae7".parse().unwrap();
        let shared = Arc::new(Shared {
            cluster,
            script: Mutex::default(),
            live: Mutex::new(broadcast::Sender::new(4096)),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut link = Self {
            url: format!("https://{address}"),
            ca,
            cluster,
            shared,
            handle: Handle::new(),
            config,
            address,
        };
        link.listen(listener);
        link
    }

    fn listen(&mut self, listener: std::net::TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let router = Router::new()
            .route("/link/v1/token", post(token))
            .route("/link/v1/watch", post(watch))
            .route("/link/v1/status", post(status))
            .with_state(self.shared.clone());
        self.handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, self.config.clone())
            .unwrap()
            .handle(self.handle.clone());
        tokio::spawn(server.serve(router.into_make_service()));
    }

    /// Cuts every operator off.
    pub(crate) fn stop(&self) {
        self.handle.shutdown();
        self.cut();
    }

    /// Ends every stream; a new one may be opened at once.
    pub(crate) fn cut(&self) {
        *self.shared.live.lock().unwrap() = broadcast::Sender::new(4096);
    }

    /// From now on this is told at the door. Tokens that were given before are worth nothing, and streams end.
    pub(crate) fn answer(&self, door: Door) {
        self.shared.script.lock().unwrap().door = door;
        self.cut();
    }

    /// The next reports are answered so.
    pub(crate) fn refuse_reports(&self, statuses: &[StatusCode]) {
        self.shared.script.lock().unwrap().refusals = statuses.to_vec();
    }

    /// How many of those answers are still to be given.
    pub(crate) fn refusals_left(&self) -> usize {
        self.shared.script.lock().unwrap().refusals.len()
    }

    /// From now on complete states are sent like this.
    pub(crate) fn send_in(&self, parts: Parts) {
        self.shared.script.lock().unwrap().parts = parts;
    }

    /// What a complete stream has reached.
    pub(crate) fn position(&self) -> Resume {
        let script = self.shared.script.lock().unwrap();
        Resume {
            revision: Revision(script.revision),
            token: token_of(script.revision),
        }
    }

    pub(crate) async fn resume(&mut self) {
        for _ in 0..100 {
            if let Ok(listener) = std::net::TcpListener::bind(self.address) {
                return self.listen(listener);
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the address is still taken");
    }

    /// One committed change.
    pub(crate) fn change(&self, deletes: &[ObjectKey], upserts: Vec<DesiredObject>) -> Revision {
        let batch = {
            let mut script = self.shared.script.lock().unwrap();
            script.revision += 1;
            let revision = script.revision;
            for key in deletes {
                script.objects.remove(key);
                script.deleted.push((revision, *key));
            }
            let upserts: Vec<Versioned> = upserts
                .into_iter()
                .map(|object| Versioned {
                    revision: Revision(revision),
                    object,
                })
                .collect();
            for upsert in &upserts {
                script.objects.insert(upsert.object.key(), upsert.clone());
            }
            Batch {
                revision: Revision(revision),
                token: Some(token_of(revision)),
                deletes: deletes.to_vec(),
                upserts,
                ..Batch::default()
            }
        };
        let revision = batch.revision;
        let _ = self.shared.live.lock().unwrap().send(Some(batch));
        revision
    }

    pub(crate) fn objects(&self) -> Vec<DesiredObject> {
        self.shared
            .script
            .lock()
            .unwrap()
            .objects
            .values()
            .map(|versioned| versioned.object.clone())
            .collect()
    }

    pub(crate) fn hellos(&self) -> Vec<Hello> {
        self.shared.script.lock().unwrap().hellos.clone()
    }

    pub(crate) fn reports(&self) -> Vec<StatusReport> {
        self.shared.script.lock().unwrap().reports.clone()
    }

    /// How many objects (upserts and deletions) the last connection was sent so far. Not all connections together: what is
    /// still written to the stream of a killed process reaches nobody.
    pub(crate) fn sent(&self) -> usize {
        self.shared
            .script
            .lock()
            .unwrap()
            .sent
            .last()
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn status(&self, key: ObjectKey) -> Option<ObjectStatus> {
        self.shared.script.lock().unwrap().statuses.get(&key).cloned()
    }
}

/// The batches with which a stream begins.
fn first_batches(
    revision: Revision,
    complete: bool,
    deletes: Vec<ObjectKey>,
    mut upserts: Vec<Versioned>,
    parts: Parts,
) -> Vec<Batch> {
    if !complete || parts == Parts::One {
        return vec![Batch {
            revision,
            token: Some(token_of(revision.0)),
            complete,
            rules_end: complete,
            deletes,
            upserts,
            ..Batch::default()
        }];
    }
    let rank = |key| match key {
        ObjectKey::AccessRule(_) => 0,
        ObjectKey::Credential(_) => 1,
        ObjectKey::Project(_) => 2,
        ObjectKey::Workload(_) => 3,
    };
    upserts.sort_by_key(|it| rank(it.object.key()));
    let is_rule = |it: &Versioned| rank(it.object.key()) == 0;
    let rules = upserts.iter().filter(|it| is_rule(it)).count();
    let count = upserts.len();
    let mut all: Vec<Batch> = upserts
        .into_iter()
        .enumerate()
        .map(|(at, upsert)| Batch {
            revision,
            token: (at + 1 == count).then(|| token_of(revision.0)),
            complete: true,
            rules_end: at == rules,
            more: at + 1 < count,
            upserts: vec![upsert],
            ..Batch::default()
        })
        .collect();
    if let Parts::Cut(after) = parts {
        all.truncate(after);
        all.iter_mut().for_each(|batch| batch.more = true);
    }
    all
}

async fn token(State(shared): State<Arc<Shared>>, Json(request): Json<TokenRequest>) -> impl IntoResponse {
    if request.client_secret.expose() != SECRET || request.cluster_id != shared.cluster {
        return (StatusCode::BAD_REQUEST, Json(json!({"message": "no"})));
    }
    match shared.script.lock().unwrap().door {
        Door::Open => (
            StatusCode::OK,
            Json(json!({"accessToken": TOKEN, "expiresIn": 300})),
        ),
        Door::Closed => (StatusCode::BAD_REQUEST, Json(json!({"message": "no"}))),
        Door::Deleted => {
            let answer = ClusterDeleted {
                code: 410,
                message: "the cluster was deleted".to_owned(),
                deleted_cluster_id: shared.cluster,
            };
            (StatusCode::GONE, Json(json!(answer)))
        }
    }
}

fn authorized(shared: &Shared, headers: &HeaderMap) -> bool {
    shared.script.lock().unwrap().door == Door::Open
        && headers
            .get("authorization")
            .is_some_and(|value| *value == format!("Bearer {TOKEN}"))
}

async fn watch(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(hello): Json<Hello>,
) -> impl IntoResponse {
    if !authorized(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let live = shared.live.lock().unwrap().subscribe();
    let (welcome, first, connection) = {
        let mut script = shared.script.lock().unwrap();
        script.hellos.push(hello.clone());
        script.sent.push(0);
        let connection = script.sent.len() - 1;
        let revision = Revision(script.revision);
        let welcome = ServerMessage::Welcome {
            protocol: reeve_link::PROTOCOL_VERSION,
            cluster_id: shared.cluster,
            revision,
        };
        let resume = hello
            .resume
            .filter(|resume| resume.token == token_of(resume.revision.0));
        let since = resume.map_or(0, |resume| resume.revision.0);
        let mut upserts: Vec<Versioned> = script
            .objects
            .values()
            .filter(|v| v.revision.0 > since)
            .cloned()
            .collect();
        upserts.sort_by_key(|v| v.revision);
        let complete = resume.is_none();
        let mut deletes: Vec<ObjectKey> = script
            .deleted
            .iter()
            .filter(|(at, _)| !complete && *at > since)
            .map(|(_, key)| *key)
            .collect();
        deletes.retain(|key| !script.objects.contains_key(key));
        deletes.sort_unstable();
        (
            welcome,
            first_batches(revision, complete, deletes, upserts, script.parts),
            connection,
        )
    };
    let live = stream::unfold(live, |mut live| async move {
        match tokio::time::timeout(std::time::Duration::from_secs(5), live.recv()).await {
            Err(_) => Some((ServerMessage::Heartbeat, live)),
            Ok(Ok(Some(batch))) => Some((ServerMessage::Batch(batch), live)),
            Ok(_) => None,
        }
    });
    let counted = shared.clone();
    let live: BoxStream<'static, ServerMessage> = if first.iter().any(|batch| !batch.more) {
        live.boxed()
    } else {
        // Cut in the middle.
        stream::empty().boxed()
    };
    let lines = stream::iter([welcome])
        .chain(stream::iter(first.into_iter().map(ServerMessage::Batch)))
        .chain(live)
        .map(move |message| {
            if let ServerMessage::Batch(batch) = &message {
                counted.script.lock().unwrap().sent[connection] += batch.upserts.len() + batch.deletes.len();
            }
            let mut line = serde_json::to_vec(&message).unwrap();
            line.push(b'\n');
            Ok::<_, Infallible>(Bytes::from(line))
        });
    Body::from_stream(lines).into_response()
}

async fn status(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(report): Json<StatusReport>,
) -> impl IntoResponse {
    let wait = [("retry-after", "1")];
    if !authorized(&shared, &headers) {
        return (StatusCode::UNAUTHORIZED, wait);
    }
    assert_eq!(report.check(), Ok(()), "the operator keeps to the bounds");
    let mut script = shared.script.lock().unwrap();
    if let Some(status) = script.refusals.pop() {
        return (status, wait);
    }
    for object in &report.objects {
        script.statuses.insert(object.key, object.clone());
    }
    script.reports.push(report);
    (StatusCode::NO_CONTENT, wait)
}
