//! `reeve service|model|artifact wait`, and `--wait`.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::describe::find;
use super::kind::Kind;
use super::server::{Error, Server};
use super::standing::{self, Standing};
use crate::Context;
use crate::args::{Goal, OneServed, Until};
use crate::commands::pod::say_once;
use crate::failure::Failure;

const PAUSE: Duration = Duration::from_secs(1);
/// How long a wait goes on before it is said what for.
const SILENCE: Duration = Duration::from_secs(3);
/// How long the API server may be away.
const AWAY: Duration = Duration::from_secs(30);

pub(super) async fn run(
    context: &mut Context,
    kinds: &[&'static Kind],
    one: &OneServed,
    until: &Until,
) -> Result<(), Failure> {
    let word = kinds.first().map_or("object", |kind| kind.command);
    let what = format!("cannot wait for the {word} `{}`", one.name);
    let server = Server::connect(&one.within, &what).await?;
    let deadline = Instant::now() + until.timeout;
    match until.goal {
        Goal::Ready => {
            let (kind, _) = find(&server, kinds, &one.name, &what).await?;
            let patience = Patience {
                deadline,
                failed_for: until.failed_for,
            };
            let object = ready(&server, kind, &one.name, patience, &what).await?;
            say_ready(context, kind, &object)
        }
        Goal::Deleted => {
            // The one of the cluster that has the same name is another.
            if let Some(kind) = kinds.first() {
                gone(&server, kind, &one.name, None, deadline, &what).await?;
            }
            let names = kinds.first().map(|kind| format!("{}/{}", kind.word, one.name));
            let answer = serde_json::json!({"deleted": [one.name]});
            let said = format!("there is no {word} `{}` any more", one.name);
            context.printer.named(&answer, names, || said)
        }
    }
}

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until when.
    pub(super) deadline: Instant,
    /// How long it may be failed without a break.
    pub(super) failed_for: Duration,
}

/// Tells that it is ready.
pub(super) fn say_ready(context: &mut Context, kind: &Kind, object: &Value) -> Result<(), Failure> {
    let name = super::kind::name(object);
    context.printer.named(object, [kind.named(object)], || {
        format!("the {} `{name}` is {}", kind.command, kind.ready.to_lowercase())
    })
}

/// Waits until it is ready, and answers it.
///
/// # Errors
/// It is gone, has been failed for too long, or is not ready before the deadline.
pub(super) async fn ready(
    server: &Server,
    kind: &'static Kind,
    name: &str,
    patience: Patience,
    what: &str,
) -> Result<Value, Failure> {
    let deadline = patience.deadline;
    let (started, mut heard, mut said) = (Instant::now(), Instant::now(), String::new());
    let mut failed: Option<Instant> = None;
    let look = format!("`reeve {} describe {name} -n {}`", kind.command, server.namespace);
    loop {
        let reason = match server.get(&server.path(kind, false), name).await {
            Ok(object) => {
                heard = Instant::now();
                let standing = standing::of(kind, &object);
                if !matches!(standing, Standing::Failed(_)) {
                    failed = None;
                }
                match standing {
                    Standing::Ready => return Ok(object),
                    Standing::Gone => return Err(Failure::refused(what).cause("it is being deleted")),
                    Standing::Failed(reason) => {
                        if failed.get_or_insert_with(Instant::now).elapsed() >= patience.failed_for {
                            let over = Failure::refused(what).cause(reason);
                            return Err(over.hint(format!("{look} shows it all")));
                        }
                        reason
                    }
                    Standing::Waits(reason) => reason,
                }
            }
            Err(error) => match away(error, heard) {
                Ok(reason) => reason,
                Err(error) => return Err(server.explain(error, kind, Some(name), what)),
            },
        };
        if Instant::now() >= deadline {
            let late = Failure::refused(what).cause(format!("it is not ready in time: {reason}"));
            return Err(late.hint(format!("{look} shows it all; --timeout DURATION waits longer")));
        }
        if started.elapsed() >= SILENCE {
            say_once(&mut said, reason);
        }
        tokio::time::sleep(PAUSE.min(deadline - Instant::now())).await;
    }
}

/// Waits until there is none of this name, or another one than that of this uid.
///
/// # Errors
/// It is still there at the deadline.
pub(super) async fn gone(
    server: &Server,
    kind: &'static Kind,
    name: &str,
    uid: Option<&str>,
    deadline: Instant,
    what: &str,
) -> Result<(), Failure> {
    let mut heard = Instant::now();
    loop {
        match server.get(&server.path(kind, false), name).await {
            Err(Error::Missing) => return Ok(()),
            Ok(object) if uid.is_some_and(|uid| super::kind::text(&object, "/metadata/uid") != uid) => {
                return Ok(());
            }
            Ok(_) => heard = Instant::now(),
            Err(error) => {
                away(error, heard).map_err(|error| server.explain(error, kind, Some(name), what))?;
            }
        }
        if Instant::now() >= deadline {
            return Err(Failure::refused(what).cause("it is still there").hint(
                "its finalizers are taken away by the operator of model serving: look whether that runs",
            ));
        }
        tokio::time::sleep(PAUSE.min(deadline - Instant::now())).await;
    }
}

/// An API server that is not reached for a moment is no end of a wait; what it refuses is.
fn away(error: Error, heard: Instant) -> Result<String, Error> {
    match error {
        Error::Other(kube::Error::Api(status)) if status.code < 500 && status.code != 429 => {
            Err(Error::Other(kube::Error::Api(status)))
        }
        Error::Other(_) if heard.elapsed() < AWAY => {
            Ok("the cluster's API server does not answer".to_owned())
        }
        error => Err(error),
    }
}
