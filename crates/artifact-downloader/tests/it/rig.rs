//! A stand-in of a web server, and the program.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio_util::io::ReaderStream;

/// A credential, which may be in nothing that the program says.
pub(crate) const CANARY: &str = "CANARY-secret";

/// One request: path with query, headers, body.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

pub(crate) async fn serve(answer: impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static) -> SocketAddr {
    let handler = move |request: Request| {
        let answer = answer.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
            let path = parts.uri.path_and_query().unwrap().to_string();
            answer(&Asked {
                path,
                headers: parts.headers,
                body,
            })
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        axum::serve(listener, Router::new().fallback(handler))
            .await
            .unwrap();
    });
    address
}

pub(crate) fn command(arguments: &[&str], target: &Path, env: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reeve-artifact-downloader"));
    command
        .args(arguments)
        .env_clear()
        .env("TARGET_DIR", target)
        .env("RETRY_PAUSE", "0.01")
        .env("HF_TOKEN", CANARY)
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", CANARY)
        .envs(env.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

pub(crate) async fn run(uri: &str, target: &Path, env: &[(&str, String)]) -> Output {
    let output = command(&[uri], target, env).output().await.unwrap();
    assert!(!said(&output).contains(CANARY), "{}", said(&output));
    output
}

pub(crate) fn start(uri: &str, target: &Path, env: &[(&str, String)]) -> Child {
    command(&[uri], target, env).spawn().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(error)
    )
}

/// The kind in the last line, and the exit code.
pub(crate) fn kind(output: &Output) -> (String, i32) {
    let error = String::from_utf8_lossy(&output.stderr);
    let last = error.lines().last().unwrap_or_default();
    let kind = last
        .strip_prefix("download failed (")
        .and_then(|rest| rest.split_once(')'));
    (
        kind.map(|(kind, _)| kind).unwrap_or(last).to_owned(),
        output.status.code().unwrap(),
    )
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that are not all alike.
pub(crate) fn weights(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap())
        .collect()
}

/// What the Hub says of a large and a small file.
pub(crate) fn large(name: &str, bytes: &[u8]) -> Value {
    json!({"rfilename": name, "size": bytes.len(), "blobId": "0", "lfs": {
        "sha256": hex(digest(&SHA256, bytes).as_ref()), "size": bytes.len(),
    }})
}

pub(crate) fn small(name: &str, bytes: &[u8]) -> Value {
    let mut blob = format!("blob {}\0", bytes.len()).into_bytes();
    blob.extend_from_slice(bytes);
    json!({"rfilename": name, "size": bytes.len(), "blobId": hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &blob).as_ref())})
}

pub(crate) fn model(files: &[Value]) -> Response {
    json!({"sha": "c0ffee", "siblings": files})
        .to_string()
        .into_response()
}

/// A file, from where it is asked for when the tag fits.
pub(crate) fn file(asked: &Asked, bytes: &[u8], tag: &str) -> Response {
    let from = asked
        .header("range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match from.filter(|_| asked.header("if-range") == Some(tag)) {
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            let headers = [(header::CONTENT_RANGE, range), (header::ETAG, tag.to_owned())];
            (StatusCode::PARTIAL_CONTENT, headers, bytes[from..].to_vec()).into_response()
        }
        None => ([(header::ETAG, tag.to_owned())], bytes.to_vec()).into_response(),
    }
}

/// The beginning of a file, then nothing: the connection stays open, or is cut.
pub(crate) fn beginning(bytes: &[u8], whole: usize, tag: &str, hangs: bool) -> Response {
    let (mut writer, reader) = tokio::io::duplex(1 << 20);
    let bytes = bytes.to_vec();
    tokio::spawn(async move {
        writer.write_all(&bytes).await.unwrap();
        if hangs {
            std::future::pending::<()>().await;
        }
    });
    let headers = [
        (header::ETAG, tag.to_owned()),
        (header::CONTENT_LENGTH, whole.to_string()),
    ];
    (headers, Body::from_stream(ReaderStream::new(reader))).into_response()
}

pub(crate) fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}
