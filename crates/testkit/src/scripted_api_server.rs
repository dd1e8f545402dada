//! An API server that is none: it answers what a test tells it to. For failure paths alone, which a real one does not give on
//! request; whatever a real one can show is tested on a real one.
//!
//! It lists the objects it was given, watches without news, and takes every write as if it had succeeded, unless the test
//! scripted another answer. It checks nothing, stores nothing and knows no kind.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use kube::Client;
use serde_json::{Value, json};

use crate::passing::refusal;

/// No object of a test is larger.
const BODY: usize = 1 << 20;

/// What a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A refusal with this HTTP status and the message `scripted`.
    Refuse(u16),
    /// Nothing, for ever.
    Silence,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `PATCH /api/v1/namespaces/a`, without the query.
    pub line: String,
    /// What was sent; null when nothing was.
    pub body: Value,
}

#[derive(Debug)]
struct Scripted {
    request: String,
    answer: Answer,
    left: usize,
}

#[derive(Debug, Default)]
struct Script {
    objects: Vec<(String, Value)>,
    answers: Vec<Scripted>,
    seen: Vec<Seen>,
}

/// The server. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct ScriptedApiServer(Arc<Mutex<Script>>);

impl ScriptedApiServer {
    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client of it, without a network between.
    pub fn client(&self) -> Client {
        let service = Router::new().fallback(answer).with_state(self.clone());
        Client::new(service, "default")
    }

    /// Lists this object at this path, `/apis/reeve.dev/v1alpha1/projects`.
    pub fn holds(&self, path: &str, mut object: Value) {
        let mut script = self.script();
        let number = script.objects.len() + 1;
        stamp(&mut object, &number.to_string(), &format!("uid-{number}"));
        script.objects.push((path.to_owned(), object));
    }

    /// Answers every request whose line begins so in this way: `PATCH /api/v1/namespaces/a`.
    pub fn on(&self, request: &str, answer: Answer) {
        self.on_times(usize::MAX, request, answer);
    }

    /// Answers so many of these requests so.
    pub fn on_times(&self, times: usize, request: &str, answer: Answer) {
        self.script().answers.push(Scripted {
            request: request.to_owned(),
            answer,
            left: times,
        });
    }

    /// From now on every request is answered as usual again.
    pub fn recover(&self) {
        self.script().answers.clear();
    }

    /// Every request so far whose line begins so.
    pub fn seen(&self, line: &str) -> Vec<Seen> {
        let script = self.script();
        let of_line = script.seen.iter().filter(|seen| seen.line.starts_with(line));
        of_line.cloned().collect()
    }

    /// The scripted answer to a request, which is remembered.
    fn scripted(&self, seen: Seen) -> Option<Answer> {
        let mut script = self.script();
        let answer = script
            .answers
            .iter_mut()
            .find(|scripted| scripted.left > 0 && seen.line.starts_with(&scripted.request))
            .map(|scripted| {
                scripted.left -= 1;
                scripted.answer.clone()
            });
        script.seen.push(seen);
        answer
    }

    fn list(&self, path: &str) -> Value {
        let script = self.script();
        let (all, namespace) = of_namespace(path);
        let is_there = |object: &Value| {
            namespace.is_none_or(|namespace| text(object, "/metadata/namespace") == Some(namespace))
        };
        let of_path = script.objects.iter().filter(|(at, _)| *at == all);
        let items: Vec<&Value> = of_path
            .map(|(_, object)| object)
            .filter(|object| is_there(object))
            .collect();
        json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1000"}, "items": items})
    }

    /// The object whose status this is, with it.
    fn with_status(&self, written: &Value) -> Option<Value> {
        let script = self.script();
        let same = |object: &Value, field| text(object, field) == text(written, field);
        let is_it = |object: &Value| same(object, "/kind") && same(object, "/metadata/name");
        let (_, object) = script.objects.iter().find(|(_, object)| is_it(object))?;
        let mut object = object.clone();
        let fields = object.as_object_mut()?;
        fields.insert("status".to_owned(), written.get("status").cloned()?);
        Some(object)
    }
}

/// The path of all objects of the kind, and the namespace, of a path that names one.
fn of_namespace(path: &str) -> (String, Option<&str>) {
    let Some((group, rest)) = path.split_once("/namespaces/") else {
        return (path.to_owned(), None);
    };
    match rest.split_once('/') {
        Some((namespace, plural)) => (format!("{group}/{plural}"), Some(namespace)),
        None => (path.to_owned(), None),
    }
}

async fn answer(State(server): State<ScriptedApiServer>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, BODY).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let seen = Seen {
        line: format!("{} {path}", head.method),
        body: body.clone(),
    };
    match server.scripted(seen) {
        Some(Answer::Refuse(code)) => return refuse(code),
        Some(Answer::Silence) => {
            tokio::time::sleep(Duration::MAX).await;
        }
        None => {}
    }
    let is_watch = head.uri.query().is_some_and(|query| query.contains("watch=true"));
    let value = match head.method {
        Method::GET if is_watch => return no_news(),
        Method::GET => server.list(&path),
        Method::DELETE => json!({"apiVersion": "v1", "kind": "Status", "status": "Success"}),
        _ => {
            let with_status = path
                .ends_with("/status")
                .then(|| server.with_status(&body))
                .flatten();
            with_status.unwrap_or_else(|| taken(body))
        }
    };
    axum::Json(value).into_response()
}

fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.pointer(field).and_then(Value::as_str)
}

/// Gives an object the marks of one that the API server holds.
fn stamp(object: &mut Value, version: &str, uid: &str) {
    if let Some(Value::Object(metadata)) = object.pointer_mut("/metadata") {
        metadata.insert("resourceVersion".to_owned(), json!(version));
        metadata.insert("uid".to_owned(), json!(uid));
    }
}

/// What was sent, as one that was written.
fn taken(mut object: Value) -> Value {
    stamp(&mut object, "2000", "uid-taken");
    if text(&object, "/kind") == Some("SelfSubjectAccessReview")
        && let Some(fields) = object.as_object_mut()
    {
        fields.insert("status".to_owned(), json!({"allowed": true}));
    }
    object
}

/// A stream on which nothing comes.
fn no_news() -> Response {
    Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>()).into_response()
}

fn refuse(code: u16) -> Response {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        409 => "AlreadyExists",
        422 => "Invalid",
        504 => "Timeout",
        _ => "InternalError",
    };
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refusal(code, reason, "scripted")
}
