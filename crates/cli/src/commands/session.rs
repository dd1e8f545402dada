//! A process in a container, joined to this terminal: what `exec`, `bash` and `attach` have in common.
//!
//! The API server checks rights at the start and has no way to end a connection afterwards. Sessions are not cut and opened
//! again as `logs -f` is, because a shell that ends every few minutes is of no use; instead this program looks whether the pod
//! may still be read, and ends the session when not ([`right`], which says its limits). The process in the container may go on.

use std::io::Write;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::AttachParams;
use tokio::time::{Instant, interval_at};

use crate::Context;
use crate::channels::{KEEP_ALIVE, Receiver, Sender};
use crate::commands::pod::Found;
use crate::commands::pod::right;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::terminal::{self, RawMode};

const INPUT: u8 = 0;
const OUTPUT: u8 = 1;
const ERRORS: u8 = 2;
const STATUS: u8 = 3;
const SIZE: u8 = 4;

/// Which of the remote process's ends are joined to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Joined {
    /// Standard input.
    pub(super) stdin: bool,
    /// A terminal, which mixes output and errors.
    pub(super) tty: bool,
}

impl Joined {
    /// As the API server is asked for it.
    pub(super) fn parameters(self, container: &str) -> AttachParams {
        AttachParams::default()
            .container(container)
            .stdin(self.stdin)
            .tty(self.tty)
            .stderr(!self.tty)
    }
}

/// How the remote side says that it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It ran, and ended with this exit code.
    Code(u8),
    /// It did not run, or was lost: the cluster's words.
    Lost(String),
}

/// A terminal can only be had where there is one.
pub(super) fn need_terminal(what: &str, hint: &str) -> Result<(), Failure> {
    if terminal::is_interactive() {
        return Ok(());
    }
    Err(Failure::failed(what)
        .cause("standard input is not a terminal")
        .hint(hint))
}

/// Carries bytes both ways until the remote process ends, or the person may not read the pod any more.
///
/// # Errors
/// The right is gone, the connection breaks, or our own ends fail.
pub(super) async fn join(
    context: &mut Context,
    (mut to, mut from): (Sender, Receiver),
    joined: Joined,
    found: &mut Found,
    what: &str,
) -> Result<Ending, Failure> {
    let broke = |error: std::io::Error| Failure::failed(what).because(error);
    let raw = joined.tty && joined.stdin;
    let _raw_mode = if raw {
        Some(RawMode::enter().map_err(broke)?)
    } else {
        None
    };
    let signalled = async {
        if raw {
            terminal::asked_to_end().await
        } else {
            // The system's own way to end is fine where there is nothing to give back.
            std::future::pending().await
        }
    };
    tokio::select! {
        ending = receive(&mut context.printer, &mut from, what) => ending,
        failed = send(&mut to, joined) => Err(broke(failed)),
        refused = right::gone(found) => Err(refused),
        signalled = signalled => {
            signalled.map_err(broke)?;
            Err(Failure::failed(what).cause("this command was asked to end by a signal"))
        }
    }
}

/// Everything that comes, up to the status at the end.
async fn receive(printer: &mut Printer, from: &mut Receiver, what: &str) -> Result<Ending, Failure> {
    let lost = |why: &str| {
        let cause = format!("the connection ended before the command did{why}");
        Failure::failed(what).cause(cause)
    };
    while let Some(message) = from.next().await {
        let (channel, bytes) = message.map_err(|error| lost(&format!(": {error}")))?;
        match channel {
            OUTPUT => printer.raw(&bytes)?,
            ERRORS => std::io::stderr().write_all(&bytes).map_err(Failure::output)?,
            // The protocol opens every channel with an empty message.
            STATUS if !bytes.is_empty() => {
                let status = serde_json::from_slice(&bytes);
                return status.map(|status| ending(&status)).map_err(|_| lost(""));
            }
            _ => {}
        }
    }
    Err(lost(""))
}

/// Sends what is typed, and the size of the window; comes back only with an error of standard input. A send that fails
/// is no news: the receiving side learns how the connection ended.
async fn send(to: &mut Sender, joined: Joined) -> std::io::Error {
    let mut input = joined.stdin.then(terminal::input);
    let mut resized = if joined.tty {
        terminal::resized().ok()
    } else {
        None
    };
    let mut alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    if joined.tty {
        let _ = send_size(to).await;
    }
    loop {
        let sent = tokio::select! {
            typed = next(&mut input) => match typed {
                Some(Ok(bytes)) => to.send(INPUT, &bytes).await,
                Some(Err(error)) => return error,
                None => {
                    input = None;
                    to.end(INPUT).await
                }
            },
            () = changed(&mut resized) => send_size(to).await,
            _ = alive.tick() => to.keep_alive().await,
        };
        if sent.is_err() {
            return std::future::pending().await;
        }
    }
}

async fn send_size(to: &mut Sender) -> std::io::Result<()> {
    match terminal::size() {
        Some(size) => to.send(SIZE, &size).await,
        None => Ok(()),
    }
}

/// The next of something that may be absent, and then never comes.
async fn next<T>(source: &mut Option<tokio::sync::mpsc::Receiver<T>>) -> Option<T> {
    match source {
        Some(source) => source.recv().await,
        None => std::future::pending().await,
    }
}

async fn changed(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

fn ending(status: &Status) -> Ending {
    if status.status.as_deref() == Some("Success") {
        return Ending::Code(0);
    }
    let causes = status
        .details
        .as_ref()
        .and_then(|details| details.causes.as_ref());
    let code = causes
        .into_iter()
        .flatten()
        .find(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .and_then(|cause| cause.message.as_deref()?.parse::<i32>().ok());
    match code {
        // A code that no process can have is still one of failure.
        Some(code) => Ending::Code(u8::try_from(code).unwrap_or(u8::MAX)),
        None => Ending::Lost(
            status
                .message
                .clone()
                .unwrap_or_else(|| "no reason given".to_owned()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(status: serde_json::Value) -> Ending {
        ending(&serde_json::from_value(status).unwrap())
    }

    #[test]
    fn the_status_tells_the_exit_code() {
        assert_eq!(read(json!({"status": "Success"})), Ending::Code(0));
        let code = |code: &str| {
            read(
                json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
                "details": {"causes": [{"reason": "ExitCode", "message": code}]}}),
            )
        };
        assert_eq!(code("130"), Ending::Code(130));
        assert_eq!(code("-1"), Ending::Code(255));
        assert_eq!(code("many"), Ending::Lost("command terminated".to_owned()));
    }

    #[test]
    fn a_command_that_did_not_run_has_no_exit_code() {
        let status = json!({"status": "Failure", "reason": "InternalError", "message": "no such file"});
        assert_eq!(read(status), Ending::Lost("no such file".to_owned()));
        assert_eq!(read(json!({})), Ending::Lost("no reason given".to_owned()));
    }

    #[test]
    fn a_terminal_has_no_separate_errors() {
        let parameters = Joined {
            stdin: true,
            tty: true,
        }
        .parameters("first");
        assert!(parameters.tty && parameters.stdin && parameters.stdout && !parameters.stderr);
        let parameters = Joined {
            stdin: false,
            tty: false,
        }
        .parameters("first");
        assert!(!parameters.tty && !parameters.stdin && parameters.stdout && parameters.stderr);
    }
}
