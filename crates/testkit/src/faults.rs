//! Between a program and a real API server: what is in the way of one request, answer or event, at a place that is counted.
//!
//! Everything that is not the fault goes to the API server and comes from it, so that what a test sees at the end is what the
//! program made of a real one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use kube::Client;
use tokio::sync::Notify;

use crate::passing::{self, pass_on};

/// No list of a test is larger.
const BODY: usize = 8 << 20;

/// What is in the way. Places count from 1: writes, events of watches, requests that begin a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The program ends before this write leaves it.
    DieBefore(usize),
    /// The program ends before it hears that this write was done.
    DieAfter(usize),
    /// This write is refused with a status, and not done.
    Refuse(usize, u16),
    /// This write is done, and answered as if the API server had failed.
    Deny(usize),
    /// The watch that would tell this event ends in front of it.
    CutWatch(usize),
    /// This watch is told that what it goes on from is forgotten (410).
    Expire(usize),
    /// The first list of each kind is as it was so many starts before.
    Stale(usize),
}

#[derive(Debug, Default)]
struct Counted {
    writes: usize,
    events: usize,
    watches: usize,
    lists: usize,
    dead: bool,
    down: bool,
    done: BTreeMap<String, usize>,
    /// Of each list what it answered first, start after start.
    history: HashMap<String, Vec<Bytes>>,
    listed: Vec<String>,
}

struct Inner {
    client: Client,
    fault: Mutex<Fault>,
    counted: Mutex<Counted>,
    died: Notify,
}

/// The faults on one way to the API server. Clones are the same.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

impl Faults {
    /// In front of this client.
    pub fn new(client: Client) -> Self {
        Self(Arc::new(Inner {
            client,
            fault: Mutex::new(Fault::None),
            counted: Mutex::default(),
            died: Notify::new(),
        }))
    }

    /// The client of a program that starts now, with this fault and everything counted from 0.
    pub fn start(&self, fault: Fault) -> Client {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        let mut counted = self.counted();
        let (history, done) = (
            std::mem::take(&mut counted.history),
            std::mem::take(&mut counted.done),
        );
        *counted = Counted {
            history,
            done,
            ..Counted::default()
        };
        drop(counted);
        Client::new(Router::new().fallback(pass).with_state(self.clone()), "default")
    }

    /// Returns when the program has ended by the fault.
    pub async fn died(&self) {
        loop {
            let notified = self.0.died.notified();
            if self.counted().dead {
                return;
            }
            notified.await;
        }
    }

    /// Nothing of the program passes any more, whatever of it still runs.
    pub fn kill(&self) {
        self.counted().dead = true;
        self.0.died.notify_waiters();
    }

    /// While it is down every request is answered 503.
    pub fn set_down(&self, down: bool) {
        self.counted().down = down;
    }

    /// Writes, events and watches so far.
    pub fn places(&self) -> (usize, usize, usize) {
        let counted = self.counted();
        (counted.writes, counted.events, counted.watches)
    }

    /// Lists so far, also refused ones.
    pub fn lists(&self) -> usize {
        self.counted().lists
    }

    /// What was done, by verb and resource, since this was asked last: deletions and creations.
    pub fn take_done(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.counted().done)
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> Fault {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(status: u16) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = match status {
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    passing::refusal(code, reason, "a fault of the test")
}

/// The resource of a path, which names no object.
fn resource(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let rest = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => &[],
    };
    match rest {
        ["namespaces", _, resource, ..] | [resource, ..] => (*resource).to_owned(),
        [] => String::new(),
    }
}

async fn pass(State(faults): State<Faults>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    if faults.counted().dead {
        std::future::pending::<()>().await;
    }
    if faults.counted().down {
        faults.counted().lists += usize::from(request.method() == Method::GET);
        return refusal(503);
    }
    // Questions and leases change nothing that is looked at.
    let changes = request.method() != Method::GET && !path.contains("/authorization.k8s.io/");
    let outcome = if changes {
        write(&faults, request, &path).await
    } else if query.contains("watch=true") || query.contains("watch=1") {
        watch(&faults, request).await
    } else if request.method() == Method::GET {
        list(&faults, request, &path).await
    } else {
        pass_on(&faults.0.client, request).await
    };
    outcome.unwrap_or_else(|_| refusal(500))
}

async fn write(faults: &Faults, request: Request, path: &str) -> anyhow::Result<Response> {
    let place = {
        let mut counted = faults.counted();
        counted.writes += 1;
        counted.writes
    };
    let verb = request.method().to_string();
    let fault = faults.fault();
    match fault {
        Fault::DieBefore(at) if at == place => {
            faults.kill();
            std::future::pending::<()>().await;
        }
        Fault::Refuse(at, status) if at == place => return Ok(refusal(status)),
        _ => {}
    }
    let response = pass_on(&faults.0.client, request).await?;
    let made = response.status() == StatusCode::CREATED;
    // A collection is swept again and again, whatever is in it.
    let is_sweep = verb == "DELETE" && path.ends_with(&format!("/{}", resource(path)));
    if response.status().is_success() && (made || verb == "DELETE") && !is_sweep {
        let what = if made { "made" } else { "deleted" };
        let name = format!("{what} {}", resource(path));
        if !name.ends_with("events") {
            *faults.counted().done.entry(name).or_default() += 1;
        }
    }
    match fault {
        Fault::DieAfter(at) if at == place => {
            faults.kill();
            std::future::pending::<()>().await;
        }
        Fault::Deny(at) if at == place => return Ok(refusal(500)),
        _ => {}
    }
    Ok(response)
}

async fn watch(faults: &Faults, request: Request) -> anyhow::Result<Response> {
    let place = {
        let mut counted = faults.counted();
        counted.watches += 1;
        counted.watches
    };
    if faults.fault() == Fault::Expire(place) {
        return Ok(refusal(410));
    }
    let (parts, body) = pass_on(&faults.0.client, request).await?.into_parts();
    let faults = faults.clone();
    let cut = body.into_data_stream().map(move |chunk| {
        let Ok(bytes) = &chunk else { return Some(chunk) };
        if faults.counted().dead {
            return None;
        }
        let events = bytes.iter().filter(|byte| **byte == b'\n').count();
        let before = {
            let mut counted = faults.counted();
            counted.events += events;
            counted.events - events
        };
        match faults.fault() {
            Fault::CutWatch(at) if at > before && at <= before + events => None,
            _ => Some(chunk),
        }
    });
    let cut = cut.take_while(|chunk| std::future::ready(chunk.is_some()));
    let cut = cut.filter_map(std::future::ready);
    Ok(Response::from_parts(parts, Body::from_stream(cut)))
}

async fn list(faults: &Faults, request: Request, path: &str) -> anyhow::Result<Response> {
    let key = format!("{path}?{}", request.uri().query().unwrap_or_default());
    let (parts, body) = pass_on(&faults.0.client, request).await?.into_parts();
    let bytes = to_bytes(body, BODY).await?;
    let mut counted = faults.counted();
    counted.lists += 1;
    if counted.listed.contains(&key) {
        return Ok(Response::from_parts(parts, Body::from(bytes)));
    }
    counted.listed.push(key.clone());
    let history = counted.history.entry(key).or_default();
    history.push(bytes.clone());
    let old = match faults.fault() {
        Fault::Stale(starts) => history.iter().rev().nth(starts).cloned(),
        _ => None,
    };
    drop(counted);
    match old {
        Some(old) => Ok(([("content-type", "application/json")], old).into_response()),
        None => Ok(Response::from_parts(parts, Body::from(bytes))),
    }
}
