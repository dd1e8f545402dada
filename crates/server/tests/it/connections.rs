//! Connections and requests that hold places: the real program over real sockets, and the router for what needs no socket.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use futures::StreamExt;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use crate::floods::started;
use crate::link::Watch;
use crate::process::{Running, fresh};
use crate::server::{ADMIN, ADMIN_PASSWORD, OrganizationFixture, Server};

/// A connection after its handshake.
pub(crate) fn connected(
    running: &Running,
    protocol: &str,
) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    let ca = std::fs::read(running.announced["caFile"].as_str().unwrap()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(&ca) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let address = running.announced["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("https://");
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let host = address.split(':').next().unwrap().to_owned().try_into().unwrap();
    let session = rustls::ClientConnection::new(Arc::new(config), host).unwrap();
    let mut stream = rustls::StreamOwned::new(session, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream
}

/// How long it stays open when this is sent and nothing else; with `pings` the other side's are answered.
fn open_for(running: &Running, protocol: &str, sent: &[u8], pings: bool) -> Duration {
    let mut stream = connected(running, protocol);
    let begun = tokio::time::Instant::now();
    stream.write_all(sent).unwrap();
    stream.flush().unwrap();
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return begun.elapsed(),
            Ok(read) => {
                // A frame of kind 6 that is no answer: a ping (RFC 9113, section 6.7).
                if let Some(at) = part[..read].windows(5).position(|it| it == [0, 0, 8, 6, 0])
                    && pings
                {
                    let mut pong = part[at..at + 17].to_vec();
                    pong[4] = 1;
                    stream.write_all(&pong).unwrap();
                    stream.flush().unwrap();
                }
            }
        }
    }
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// The planted fault is in `reeve-server`, `connections::accept::tests`: without the bounds all of these stay open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_asks_for_nothing_is_closed_within_half_a_minute() {
    let (_dir, data) = fresh();
    let running = Arc::new(started(&data, &[]).await);
    let idle = [PREFACE, SETTINGS].concat();
    let cases: [(&str, &str, Vec<u8>, bool); 5] = [
        ("silence", "http/1.1", Vec::new(), false),
        (
            "part of a head",
            "http/1.1",
            b"GET / HTTP/1.1\r\nHost:".to_vec(),
            false,
        ),
        ("part of the preface", "h2", PREFACE[..9].to_vec(), false),
        ("an idle HTTP/2 connection", "h2", idle.clone(), false),
        ("one that answers pings", "h2", idle, true),
    ];
    let waiting: Vec<_> = cases
        .into_iter()
        .map(|(what, protocol, sent, pings)| {
            let running = Arc::clone(&running);
            tokio::task::spawn_blocking(move || (what, open_for(&running, protocol, &sent, pings)))
        })
        .collect();
    for case in waiting {
        let (what, open) = case.await.unwrap();
        // A little more than what is promised: the machine may be busy.
        assert!(open < Duration::from_secs(33), "{what}: open for {open:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_has_so_many_connections_and_takes_no_others() {
    let (_dir, data) = fresh();
    let running = started(
        &data,
        &["--max-connections-per-source", "4", "--max-connections", "6"],
    )
    .await;
    let held: Vec<_> = (0..4).map(|_| connected(&running, "http/1.1")).collect();
    let healthy = async |from: u8| {
        let client = running.client(|client| client.local_address(IpAddr::from([127, 0, 0, from])));
        client.get(running.url("/healthz")).send().await.is_ok()
    };
    assert!(!healthy(1).await, "one more of the same source");
    assert!(healthy(2).await, "another source");
    drop(held);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(healthy(1).await, "places come back");
}

#[tokio::test]
async fn credentials_are_at_most_8_kib_on_both_routes() {
    let server = Server::new().await;
    let long = "x".repeat(9000);
    let bodies = [
        (
            "/api/v1/token",
            json!({"grantType": "password", "username": "a@b.co", "password": long}),
        ),
        (
            "/link/v1/token",
            json!({"clusterId": "00000000-0000-4000-8000-000000000000", "clientSecret": long}),
        ),
    ];
    for (path, body) in bodies {
        let message = server.post("", path, body).await.refused(413);
        assert!(message.contains("at most 8192 bytes"), "{path}: {message}");
    }
}

/// A request whose body begins and does not go on.
fn unfinished(token: &str, path: &str, from: [u8; 4]) -> Request<Body> {
    let first = futures::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"{"))]);
    let mut request = Request::builder().method(Method::POST).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = Body::from_stream(first.chain(futures::stream::pending()));
    let mut request = request.body(body).unwrap();
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from((from, 40_000))));
    request
}

/// Sends so many of them, and waits until each has what it can have.
fn holding(
    organization: &OrganizationFixture,
    count: usize,
    request: impl Fn(usize) -> Request<Body>,
) -> Vec<tokio::task::JoinHandle<u16>> {
    (0..count)
        .map(|number| {
            let (router, request) = (organization.server.router.clone(), request(number));
            tokio::spawn(async move {
                let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
                answer.status().as_u16()
            })
        })
        .collect()
}

#[tokio::test]
async fn requests_in_flight_are_bounded_for_each_and_nobody_takes_anothers_place() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let link = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    // Somebody with a token, and strangers from everywhere on both token routes.
    let mut held = holding(&organization, 200, |_| {
        unfinished(&organization.alice, "/api/v1/workloads/trainings", [10, 0, 0, 1])
    });
    for path in ["/api/v1/token", "/link/v1/token"] {
        held.extend(holding(&organization, 600, |number| {
            unfinished("", path, [10, 0, u8::try_from(number / 100).unwrap(), 1])
        }));
    }
    // Each lane holds what it may: the others are turned away at once.
    let turned_away = || held.iter().filter(|it| it.is_finished()).count();
    let wanted = (200 - 128) + (600 - 512) + (600 - 256);
    for _ in 0..200 {
        if turned_away() >= wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(turned_away(), wanted);
    let busy = server.get(&organization.alice, "/api/v1/me").await;
    let message = busy.refused(503);
    assert!(message.contains("of yours"), "{message}");
    assert_eq!(busy.headers["retry-after"], "1");
    let body = json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD});
    server.post("", "/api/v1/token", body).await.refused(503);
    // Who has a token, and a cluster, go on.
    server.get(&organization.bob, "/api/v1/me").await.is(200);
    let path = format!("/api/v1/authorization/access-rules/{}", organization.alice_rule);
    let mut watch = Watch::open(server, &link, None).await;
    // The welcome, and everything there is.
    watch.news().await.unwrap();
    watch.news().await.unwrap();
    server.delete(&server.admin, &path).await.is(204);
    let told = watch.news().await.unwrap();
    assert_eq!(told["deletes"][0]["id"], organization.alice_rule, "{told}");
    for request in held {
        request.abort();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.get(&organization.alice, "/api/v1/me").await.is(200);
}

/// Planted fault: where a request in flight is counted until its body has ended, the streams take every place of the cluster's and
/// the report is answered 503.
#[tokio::test]
async fn open_streams_hold_no_place() {
    let organization = OrganizationFixture::new().await;
    let link = organization
        .server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut streams = Vec::new();
    for _ in 0..40 {
        streams.push(Watch::open(&organization.server, &link, None).await);
    }
    let report = organization
        .server
        .post(&link, "/link/v1/status", json!({"revision": 0}))
        .await;
    assert!(
        report.status != 503 && report.status != 429,
        "{} {}",
        report.status,
        report.text
    );
    assert_eq!(streams.len(), 40);
}
