//! A receiver that stands in for a cluster: it keeps objects, gives lists in small pages, merges patches, and remembers
//! what it was asked. It decides nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse;
use reeve_cli::adopt::kind;
use serde_json::{Value, json};

use super::objects::{apply, project};
use crate::receiver::Receiver;

const PAGE: usize = 2;
pub(super) const NAMESPACE: &str = "/api/v1/namespaces/old";

#[derive(Default)]
struct Inner {
    objects: BTreeMap<String, Value>,
    refusals: BTreeMap<String, String>,
    writes: Vec<(String, Value)>,
    lists: Vec<String>,
}

pub(super) struct Fake {
    inner: Arc<Mutex<Inner>>,
    receiver: Receiver,
}

impl Fake {
    /// A cluster with the namespace `old`, which project `robots` asks for.
    pub(super) async fn start(objects: &[Value]) -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let fake = Self {
            inner,
            receiver: Receiver::start().await,
        };
        fake.put(NAMESPACE, &json!({"metadata": {"name": "old"}}));
        fake.put(
            "/apis/reeve.dev/v1alpha1/projects/robots",
            &project("robots", "3", "old"),
        );
        for object in objects {
            fake.put(&path(object), object);
        }
        let config = format!(
            "{{clusters: [{{name: a, cluster: {{server: 'http://{address}'}}}}], users: [{{name: a, user: {{token: t}}}}], \
             contexts: [{{name: a, context: {{cluster: a, user: a}}}}], current-context: a}}"
        );
        std::fs::create_dir_all(fake.receiver.home().join(".kube")).unwrap();
        std::fs::write(fake.receiver.home().join(".kube/config"), config).unwrap();
        fake
    }

    pub(super) fn put(&self, path: &str, object: &Value) {
        self.inner
            .lock()
            .unwrap()
            .objects
            .insert(path.to_owned(), object.clone());
    }

    pub(super) fn delete(&self, object: &Value) {
        self.inner.lock().unwrap().objects.remove(&path(object));
    }

    pub(super) fn get(&self, path: &str) -> Value {
        self.inner.lock().unwrap().objects[path].clone()
    }

    /// Patches of this path are refused.
    pub(super) fn refuse(&self, path: &str, sentence: &str) {
        self.inner
            .lock()
            .unwrap()
            .refusals
            .insert(path.to_owned(), sentence.to_owned());
    }

    /// The paths that were written, in order.
    pub(super) fn written(&self) -> Vec<String> {
        self.inner
            .lock()
            .unwrap()
            .writes
            .iter()
            .map(|(path, _)| path.clone())
            .collect()
    }

    pub(super) fn lists(&self, end: &str) -> usize {
        self.inner
            .lock()
            .unwrap()
            .lists
            .iter()
            .filter(|path| path.ends_with(end))
            .count()
    }

    /// Exit code and everything printed.
    pub(super) async fn adopt(&self, flags: &[&str]) -> (i32, String) {
        let all: Vec<&str> = ["project", "adopt", "old"].iter().chain(flags).copied().collect();
        let output = self.receiver.run(&all).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code().unwrap(),
            text(&output.stdout) + &text(&output.stderr),
        )
    }
}

pub(super) fn path(object: &Value) -> String {
    let kind = kind(object["kind"].as_str().unwrap()).unwrap();
    let base = if kind.group.is_empty() {
        "/api/v1".to_owned()
    } else {
        format!("/apis/{}/{}", kind.group, kind.version)
    };
    let name = object["metadata"]["name"].as_str().unwrap();
    format!("{base}/namespaces/old/{}/{name}", kind.plural)
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> impl IntoResponse {
    let mut inner = inner.lock().unwrap();
    let (path, query) = (
        uri.path().trim_end_matches('/').to_owned(),
        uri.query().unwrap_or("").to_owned(),
    );
    let (status, body) = if method == Method::PATCH {
        patch(&mut inner, &path, &query, &body)
    } else if let Some(object) = inner.objects.get(&path) {
        (200, object.clone())
    } else if path.starts_with("/apis/ray.io/") && !inner.objects.keys().any(|key| key.starts_with(&path)) {
        // As an API server without the definition answers.
        (
            404,
            status(404, "the server could not find the requested resource"),
        )
    } else if query.contains("limit=") {
        inner.lists.push(path.clone());
        (200, page(&inner, &path, &query))
    } else {
        (404, status(404, "not found"))
    };
    (
        StatusCode::from_u16(status).unwrap(),
        [("content-type", "application/json")],
        body.to_string(),
    )
}

fn patch(inner: &mut Inner, path: &str, query: &str, body: &[u8]) -> (u16, Value) {
    if let Some(sentence) = inner.refusals.get(path) {
        return (403, status(403, sentence));
    }
    let patch: Value = serde_json::from_slice(body).unwrap();
    let Some(mut object) = inner.objects.get(path).cloned() else {
        return (404, status(404, "not found"));
    };
    apply(&mut object, &patch);
    if !query.contains("dryRun=All") {
        inner.objects.insert(path.to_owned(), object.clone());
        inner.writes.push((path.to_owned(), patch));
    }
    (200, object)
}

/// Some items, without their kind, as in a real list.
fn page(inner: &Inner, path: &str, query: &str) -> Value {
    let of = |key: &String| key.rsplit_once('/').is_some_and(|(parent, _)| parent == path);
    let mut all: Vec<Value> = inner
        .objects
        .iter()
        .filter(|(key, _)| of(key))
        .map(|(_, o)| o.clone())
        .collect();
    for item in &mut all {
        item.as_object_mut().unwrap().remove("kind");
    }
    let begin = query
        .split("continue=")
        .nth(1)
        .map_or(0, |token| token.parse().unwrap());
    let rest = all.split_off(all.len().min(begin));
    let more = if rest.len() > PAGE {
        (begin + PAGE).to_string()
    } else {
        String::new()
    };
    let items: Vec<_> = rest.into_iter().take(PAGE).collect();
    let group: Vec<&str> = path.split('/').skip(2).take(2).collect();
    json!({"kind": "List", "apiVersion": group.join("/"), "metadata": {"continue": more}, "items": items})
}

fn status(code: u16, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "x",
        "code": code,
    })
}
