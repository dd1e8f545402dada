//! `reeve login`: the browser of this machine signs in, and brings a code to a port that this process listens on.

use std::time::Duration;

use reqwest::Url;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::code::{PROTOCOL, Proof, redeem};
use super::{begin, kept};
use crate::Context;
use crate::args::LoginBrowser;
use crate::failure::Failure;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a browser may take to send a request.
const REQUEST: Duration = Duration::from_secs(10);
/// The longest first line of one, in bytes.
const LINE: u64 = 16 * 1024;

const DONE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Signed in</title><h1>Signed in</h1>\
<p>The command line has what it needs. You can close this window.</p></html>";

pub(in crate::commands) async fn run(context: &mut Context, arguments: LoginBrowser) -> Result<(), Failure> {
    let (control_plane, place) = begin(context, &arguments.at).await?;
    let address = (arguments.listen_host, arguments.listen_port);
    if !arguments.listen_host.is_loopback() {
        return Err(
            Failure::failed(format!("cannot listen on `{}`", arguments.listen_host))
                .cause("a code is only brought to an address of this machine alone")
                .hint("use 127.0.0.1, or `reeve login sso` where the browser is on another machine"),
        );
    }
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!("cannot listen on port {}", arguments.listen_port))
            .because(error)
            .hint("choose another one: `--listen-port 0` takes a free one")
    })?;
    let port = listener
        .local_addr()
        .map_err(|error| Failure::failed("cannot listen").because(error))?
        .port();
    let host = match arguments.listen_host {
        std::net::IpAddr::V4(host) => host.to_string(),
        std::net::IpAddr::V6(host) => format!("[{host}]"),
    };
    let redirect_uri = format!("http://{host}:{port}/");
    let proof = Proof::new()?;
    let mut link = crate::http::parse_address(&format!("{}{PROTOCOL}/auth", control_plane.url))?;
    link.query_pairs_mut().extend_pairs(proof.request(&redirect_uri));
    context
        .printer
        .note(&format!("open this address to sign in:\n{link}\n"))?;
    if !arguments.no_browser {
        open(&link);
    }
    let code = tokio::time::timeout(PATIENCE, brought(&listener, &proof.state))
        .await
        .map_err(|_| {
            Failure::failed("nobody signed in within ten minutes").hint("run the command again")
        })??;
    let sign_in = redeem(context, &control_plane, &proof, &redirect_uri, &code).await?;
    kept(context, &control_plane, place, &sign_in).await
}

/// Asks the desktop. Where there is none, the link that was printed is enough.
fn open(link: &Url) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let _ = Command::new(program)
        .arg(link.as_str())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
}

/// The code of this sign-in: whatever else knocks is answered and forgotten.
async fn brought(listener: &TcpListener, state: &str) -> Result<String, Failure> {
    loop {
        let (stream, _) = listener
            .accept()
            .await
            .map_err(|error| Failure::failed("cannot listen").because(error))?;
        if let Ok(Some(code)) = tokio::time::timeout(REQUEST, answer(stream, state)).await {
            return Ok(code);
        }
    }
}

async fn answer(stream: TcpStream, state: &str) -> Option<String> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(LINE).read_line(&mut line).await.ok()?;
    let code = code(&line, state);
    // What else a browser says; it may take a refused connection for a fault otherwise.
    let mut more = String::new();
    while more.len() < 64 * 1024 {
        let before = more.len();
        (&mut stream).take(LINE).read_line(&mut more).await.ok()?;
        if more.get(before..).is_none_or(|last| last.trim().is_empty()) {
            break;
        }
    }
    let (status, body) = match code {
        Some(_) => ("200 OK", DONE),
        None => ("404 Not Found", ""),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nContent-Security-Policy: default-src \
         'none'\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
    let _ = stream.shutdown().await;
    code
}

/// The code in the first line of a request, when it is of this sign-in.
fn code(line: &str, state: &str) -> Option<String> {
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let url = Url::parse("http://localhost").ok()?.join(target).ok()?;
    let one = |name: &str| {
        let mut all = url
            .query_pairs()
            .filter(|(its, _)| its == name)
            .map(|(_, value)| value.into_owned());
        all.next().filter(|_| all.next().is_none())
    };
    (url.path() == "/" && one("state")? == state)
        .then(|| one("code"))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_counts_with_the_state_of_this_sign_in_alone() {
        let read = |target: &str| code(&format!("GET {target} HTTP/1.1\r\n"), "s1");
        assert_eq!(read("/?code=c%2B1&iss=x&state=s1").as_deref(), Some("c+1"));
        for wrong in [
            "/?code=c",
            "/?code=c&state=s2",
            "/?code=c&state=s1&state=s1",
            "/?state=s1",
            "/favicon.ico",
            "/x?code=c&state=s1",
            "",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(code("POST /?code=c&state=s1 HTTP/1.1\r\n", "s1"), None);
    }
}
