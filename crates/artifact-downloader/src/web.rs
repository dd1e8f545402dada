//! Requests for something small, and a client.

use std::time::Duration;

use reeve_types::ErrorChain;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode};
use tokio::time::{sleep, timeout};

use crate::args::Args;
use crate::failure::{Failure, Kind};

/// How many times in a row a connection may break before a byte has come.
pub(crate) const ATTEMPTS: u32 = 5;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(30);
/// The largest list of files.
const LIST: usize = 64 << 20;

/// With the usual authorities, for images that have none; SSL_CERT_FILE adds others.
pub(crate) fn client() -> Result<Client, Failure> {
    let cannot = |error: reqwest::Error| Failure::new(Kind::Usage, format!("no HTTP client: {error}"));
    let mut authorities = Vec::new();
    for authority in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        authorities.push(Certificate::from_der(authority).map_err(cannot)?);
    }
    Client::builder()
        .user_agent(concat!("reeve-artifact-downloader/", env!("CARGO_PKG_VERSION")))
        .tls_certs_merge(authorities)
        .connect_timeout(CONNECT)
        .build()
        .map_err(cannot)
}

/// Nothing came for as long as is waited.
pub(crate) fn stalled(arguments: &Args) -> Failure {
    let seconds = arguments.stall_timeout.as_secs_f64();
    Failure::new(
        Kind::Stalled,
        format!("download stalled: no progress for {seconds} s"),
    )
}

/// What the network said, without the address: that may be signed.
pub(crate) fn lost(error: reqwest::Error) -> String {
    ErrorChain(&error.without_url()).to_string()
}

/// A request for something small, tried a few times.
pub(crate) async fn send(request: RequestBuilder, arguments: &Args, what: &str) -> Result<Response, Failure> {
    let mut failures = 0;
    loop {
        let again = request
            .try_clone()
            .ok_or_else(|| Failure::new(Kind::Usage, format!("{what} cannot be asked for")))?;
        let why = match timeout(arguments.stall_timeout, again.send()).await {
            Err(_) => return Err(stalled(arguments)),
            Ok(Ok(response)) => {
                let status = response.status();
                if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS {
                    return Ok(response);
                }
                format!("the server answered {}", status.as_u16())
            }
            Ok(Err(error)) => lost(error),
        };
        failures += 1;
        if failures >= ATTEMPTS {
            return Err(Failure::new(Kind::Unreachable, format!("{what}: {why}")));
        }
        sleep(arguments.retry_pause.saturating_mul(1 << failures.min(6))).await;
    }
}

/// An answer that is read whole.
pub(crate) async fn read_small(mut response: Response, arguments: &Args) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    loop {
        match timeout(arguments.stall_timeout, response.chunk()).await {
            Err(_) => return Err(stalled(arguments)),
            Ok(Err(error)) => return Err(Failure::new(Kind::Unreachable, lost(error))),
            Ok(Ok(None)) => return Ok(bytes),
            Ok(Ok(Some(chunk))) if bytes.len().saturating_add(chunk.len()) <= LIST => {
                bytes.extend_from_slice(&chunk)
            }
            Ok(Ok(Some(_))) => {
                return Err(Failure::new(
                    Kind::Unreachable,
                    "an answer is larger than is read",
                ));
            }
        }
    }
}
