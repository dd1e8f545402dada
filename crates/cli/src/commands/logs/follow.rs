//! `reeve logs --follow`.
//!
//! The API server checks rights at the start of a stream and never again: a stream of logs goes on for days after the
//! right to read them was taken away. So the stream is closed and opened again with a new token before a token's five
//! minutes have passed, which asks the control plane and the API server anew. The command ends with their refusal. What
//! was shown already is recognised by its time stamps ([`super::lines`]).

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::lines::Lines;
use super::{Screen, chunk, open, query};
use crate::args::Logs;
use crate::commands::pod::Found;
use crate::failure::{Failure, REFUSED};

/// How long a server may be away when the stream is to be opened again.
const AWAY: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);

/// Why a stream gives no more.
enum Stopped {
    /// The container ended.
    Ended,
    /// Its time is over.
    Due,
}

/// Shows what comes until the container ends.
pub(super) async fn follow(
    found: &mut Found,
    arguments: &Logs,
    screen: &mut Screen<'_>,
    what: &str,
) -> Result<(), Failure> {
    let mut lines = Lines::new(arguments.timestamps);
    let mut stream = open(found, &query(arguments, None), what).await?;
    // Where nothing was left out, nothing need be when the stream begins anew.
    let limited = arguments.tail >= 0 || arguments.since.is_some();
    let opened = if limited { date(&stream) } else { None };
    loop {
        let due = Instant::now() + arguments.reopen_after;
        if let Stopped::Ended = until(found, due, &mut stream, &mut lines, screen, what).await? {
            return screen.show(&lines.finish());
        }
        // Closed first: between the two there is no stream without a right.
        drop(stream);
        // Where nothing was shown, what came since the first stream began is new.
        let since = lines.resume().or(opened);
        stream = reopen(found, &query(arguments, since), what).await?;
    }
}

/// Shows what comes until the stream ends or its time is over.
async fn until(
    found: &Found,
    due: Instant,
    stream: &mut Response,
    lines: &mut Lines,
    screen: &mut Screen<'_>,
    what: &str,
) -> Result<Stopped, Failure> {
    // A stream that always has something never waits, so the clock is asked here, too.
    while Instant::now() < due {
        match timeout_at(due, chunk(found, stream, what)).await {
            Ok(Ok(Some(bytes))) => screen.show(&lines.push(&bytes))?,
            Ok(Ok(None)) => return Ok(Stopped::Ended),
            Ok(Err(failure)) => return Err(failure),
            Err(_) => break,
        }
    }
    Ok(Stopped::Due)
}

/// Opens the stream again with a new token. A refusal is final; who is away may come back.
async fn reopen(found: &mut Found, query: &[(&str, String)], what: &str) -> Result<Response, Failure> {
    let started = Instant::now();
    loop {
        let opened = match found.server.renew(what).await {
            Ok(()) => open(found, query, what).await,
            Err(failure) => Err(failure),
        };
        match opened {
            Err(failure) if failure.exit_code() != REFUSED && started.elapsed() < AWAY => {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// When the server began to answer, by its own clock.
fn date(stream: &Response) -> Option<Timestamp> {
    let text = stream.headers().get("date")?.to_str().ok()?;
    DateTimeParser::new().parse_timestamp(text).ok()
}
