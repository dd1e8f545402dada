//! The client of image registries, against stand-ins in this process that speak the distribution API, and against hosts that
//! attack it.

mod reasons;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use reeve_serving_operator::registry::credentials::Keyring;
use reeve_serving_operator::registry::{Registry, RegistryError, RegistrySettings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PASSWORD: &str = "CANARY-password";
/// What a registry or a victim says, and no error may repeat.
const SAID: &str = "CANARY-said";

/// Serves a stand-in, and answers where.
async fn serve(answer: impl Fn(&str, &HeaderMap) -> Response + Clone + Send + Sync + 'static) -> SocketAddr {
    let handler = move |request: Request| {
        let answer = answer.clone();
        async move {
            let path = request.uri().path_and_query().unwrap().to_string();
            answer(&path, request.headers())
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

/// Answers each connection with these bytes, then with `more` for ever.
async fn serve_raw(first: &'static str, more: &'static str, pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(first.as_bytes()).await;
                while stream.write_all(more.as_bytes()).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
            });
        }
    });
    address
}

/// A client for which `registry.example` is this stand-in, and these others are named too.
fn client(at: SocketAddr, others: &[(&str, SocketAddr)]) -> Registry {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let named = [("registry.example", at)];
    let endpoints = named.iter().chain(others);
    let endpoints: BTreeMap<_, _> = endpoints
        .map(|(name, at)| ((*name).to_owned(), format!("http://{at}").parse().unwrap()))
        .collect();
    Registry::new(&RegistrySettings {
        endpoints,
        patience: Some(Duration::from_secs(5)),
        ..RegistrySettings::default()
    })
    .unwrap()
}

fn keyring() -> Keyring {
    let auths = json!({"auths": {
        "registry.example": {"username": "ann", "password": PASSWORD},
        "ghcr.io": {"username": "ann", "password": PASSWORD},
    }});
    let mut keyring = Keyring::default();
    keyring
        .add(&Secret {
            data: Some(
                [(
                    ".dockerconfigjson".to_owned(),
                    ByteString(auths.to_string().into_bytes()),
                )]
                .into(),
            ),
            ..Secret::default()
        })
        .unwrap();
    keyring
}

fn digest(bytes: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(bytes.as_bytes());
    format!(
        "sha256:{}",
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    )
}

fn redirect(to: &str) -> Response {
    (
        StatusCode::TEMPORARY_REDIRECT,
        [(header::LOCATION, to.to_owned())],
    )
        .into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, SAID).into_response()
}

fn config() -> String {
    json!({"architecture": "amd64", "config": {"Labels": {"com.amd.aim.model.canonicalName": "org/tiny"}}})
        .to_string()
}

fn manifest() -> String {
    json!({"schemaVersion": 2, "config": {"digest": digest(&config()), "size": 1}, "layers": []}).to_string()
}

fn index() -> String {
    json!({"schemaVersion": 2, "manifests": [
        {"digest": digest("other"), "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": digest(&manifest()), "platform": {"os": "linux", "architecture": "amd64"}},
    ]})
    .to_string()
}

/// An image without any access control.
fn open_image(path: &str) -> Response {
    if path.ends_with("/manifests/1") {
        index().into_response()
    } else if path.ends_with(&format!("/manifests/{}", digest(&manifest()))) {
        manifest().into_response()
    } else if path.ends_with(&format!("/blobs/{}", digest(&config()))) {
        config().into_response()
    } else {
        not_found()
    }
}

async fn error(registry: &Registry, image: &str) -> RegistryError {
    let error = registry.labels(image, &keyring()).await.unwrap_err();
    let told = format!("{error} {error:?} {}", error.fault());
    assert!(!told.contains("CANARY"), "{told}");
    error
}

// Planted fault: sending the token along with every redirect makes the storage see it.
#[tokio::test]
async fn the_labels_of_an_image_are_read_with_a_token_which_no_other_host_sees() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let storage = serve(move |_, headers| {
        log.lock()
            .unwrap()
            .push(headers.get(header::AUTHORIZATION).cloned());
        config().into_response()
    })
    .await;
    let registry = serve(move |path, headers| {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        if let Some(query) = path.strip_prefix("/token?") {
            use base64::Engine;
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("ann:{PASSWORD}"));
            assert_eq!(authorization, Some(format!("Basic {basic}").as_str()));
            assert_eq!(query, "service=registry&scope=repository%3Aorg%2Ftiny%3Apull");
            return json!({"token": "t0k3n"}).to_string().into_response();
        }
        if authorization != Some("Bearer t0k3n") {
            let host = headers[header::HOST].to_str().unwrap();
            let challenge = format!(
                r#"Bearer realm="http://{host}/token",service="registry",scope="repository:org/tiny:pull""#
            );
            return (
                StatusCode::UNAUTHORIZED,
                [(header::WWW_AUTHENTICATE, challenge)],
                SAID,
            )
                .into_response();
        }
        if path.contains("/blobs/") {
            return redirect(&format!("http://{storage}/somewhere"));
        }
        open_image(path)
    })
    .await;
    let client = client(registry, &[("storage.example", storage)]);
    let labels = client
        .labels("registry.example/org/tiny:1", &keyring())
        .await
        .unwrap();
    assert_eq!(labels["com.amd.aim.model.canonicalName"], "org/tiny");
    assert_eq!(*seen.lock().unwrap(), [None]);
    // Without credentials, and with a token that the registry does not take.
    let refused = client
        .labels("registry.example/org/tiny:1", &Keyring::default())
        .await;
    assert!(refused.is_err());
}

// Planted fault: without `check` after a manifest or a configuration the forged labels are read.
#[tokio::test]
async fn what_is_not_what_its_digest_says_is_not_read() {
    for forged in ["/blobs/", "/manifests/sha256:"] {
        let registry = serve(move |path, _| match path.contains(forged) {
            true => json!({"config": {"digest": digest(&config()), "Labels": {"forged": SAID}}})
                .to_string()
                .into_response(),
            false => open_image(path),
        })
        .await;
        let error = error(&client(registry, &[]), "registry.example/org/tiny:1").await;
        assert_eq!(error.reason(), "ImageDigestMismatch", "{forged}");
    }
    let registry = serve(|path, _| open_image(path)).await;
    let client = client(registry, &[]);
    let pinned = format!("registry.example/org/tiny:1@{}", digest("something else"));
    assert_eq!(error(&client, &pinned).await.reason(), "ImageNotFound");
}

// Planted fault: following redirects in the HTTP client itself, unchecked, reaches the victim.
#[tokio::test]
async fn nothing_leads_to_an_address_that_a_user_may_not_choose() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let victim = serve(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        SAID.into_response()
    })
    .await;
    let port = victim.port();
    let targets = [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://[::ffff:169.254.169.254]/".to_owned(),
        "https://0xa9fea9fe/".to_owned(),
        format!("http://{victim}/"),
        format!("https://{victim}/"),
        format!("https://localhost:{port}/"),
        format!("https://[::1]:{port}/"),
        "file:///etc/passwd".to_owned(),
        "https://user@registry.example/".to_owned(),
    ];
    for target in targets {
        let to = target.clone();
        let led = serve(move |_, _| redirect(&to)).await;
        let by_redirect = error(&client(led, &[]), "registry.example/org/tiny:1").await;
        assert_eq!(
            by_redirect.reason(),
            "RegistryAddressRefused",
            "{target}: {by_redirect}"
        );
        let to = target.clone();
        let led = serve(move |_, _| {
            let challenge = format!(r#"Bearer realm="{to}""#);
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
        })
        .await;
        let by_realm = error(&client(led, &[]), "registry.example/org/tiny:1").await;
        assert_eq!(
            by_realm.reason(),
            "RegistryAddressRefused",
            "{target}: {by_realm}"
        );
    }
    let client = client(victim, &[]);
    for image in [
        format!("127.0.0.1:{}/org/tiny:1", port.wrapping_add(1)),
        format!("localhost:{port}/org/tiny:1"),
        "169.254.169.254/latest/meta-data:1".to_owned(),
        "2852039166.:443/x:1".to_owned(),
    ] {
        assert_eq!(
            error(&client, &image).await.reason(),
            "RegistryAddressRefused",
            "{image}"
        );
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

// Planted fault: `response.bytes()` in place of the bounded reading never ends with the endless answer.
#[tokio::test]
async fn answers_are_bounded_in_bytes_time_and_redirects() {
    let huge = serve(|_, _| vec![b' '; 5 << 20].into_response()).await;
    let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    // Large ones: so many small ones take a busy machine longer to read than the client has patience.
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
    let chunks: &'static str = Box::leak(chunk.into_boxed_str());
    let unending = serve_raw(endless, chunks, Duration::ZERO).await;
    for at in [huge, unending] {
        let error = error(&client(at, &[]), "registry.example/org/tiny:1").await;
        assert_eq!(error.reason(), "RegistryAnswerTooLarge");
    }
    let slow = serve_raw(endless, "1\r\n{\r\n", Duration::from_millis(50)).await;
    let settings = RegistrySettings {
        endpoints: [(
            "registry.example".to_owned(),
            format!("http://{slow}").parse().unwrap(),
        )]
        .into(),
        patience: Some(Duration::from_millis(500)),
        ..RegistrySettings::default()
    };
    let error_of_slow = error(&Registry::new(&settings).unwrap(), "registry.example/org/tiny:1").await;
    assert_eq!(error_of_slow.reason(), "NetworkTimeout");
    let circle = serve(|_, _| redirect("/v2/again")).await;
    let error_of_circle = error(&client(circle, &[]), "registry.example/org/tiny:1").await;
    assert_eq!(error_of_circle.reason(), "RegistryRedirects");
}

#[tokio::test]
async fn every_failure_has_its_own_reason() {
    for (status, reason) in [
        (401, "RegistryUnauthorized"),
        (403, "RegistryUnauthorized"),
        (404, "ImageNotFound"),
        (429, "RateLimited"),
        (500, "RegistryError"),
    ] {
        let registry = serve(move |_, _| (StatusCode::from_u16(status).unwrap(), SAID).into_response()).await;
        let error = error(&client(registry, &[]), "registry.example/org/tiny:1").await;
        assert_eq!(error.reason(), reason);
    }
    let registry = serve(|_, _| SAID.into_response()).await;
    let client_of_open = client(registry, &[]);
    let reason = async |image: &str| error(&client_of_open, image).await.reason();
    assert_eq!(
        reason("registry.example/org/tiny:1").await,
        "RegistryAnswerUnreadable"
    );
    assert_eq!(
        reason("registry.example/org/../tiny:1").await,
        "RegistryAnswerUnreadable"
    );
    assert_eq!(
        reason("registry.example/org/tiny:a?b").await,
        "RegistryAnswerUnreadable"
    );
    assert_eq!(reason("a b").await, "InvalidImageReference");
    assert_eq!(reason("nowhere.invalid/org/tiny:1").await, "DNSFailure");
    let arm = serve(|_, _| {
        json!({"manifests": [{"digest": digest("x")}]})
            .to_string()
            .into_response()
    })
    .await;
    assert_eq!(
        error(&client(arm, &[]), "registry.example/org/tiny:1")
            .await
            .reason(),
        "ImagePlatformMissing"
    );
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(
        error(&client(closed, &[]), "registry.example/org/tiny:1")
            .await
            .reason(),
        "ConnectionRefused"
    );
}

fn link(to: &str, body: &Value) -> Response {
    (
        [(header::LINK, format!("<{to}>; rel=\"next\""))],
        body.to_string(),
    )
        .into_response()
}

#[tokio::test]
async fn lists_are_read_page_by_page_and_only_where_they_began() {
    let elsewhere = serve(|_, _| {
        json!({"tags": [SAID], "results": [{"name": SAID}]})
            .to_string()
            .into_response()
    })
    .await;
    let registry = serve(move |path, _| match path {
        "/v2/org/tiny/tags/list?n=100" => link(
            "/v2/org/tiny/tags/list?n=100&last=b",
            &json!({"tags": ["a", "b"]}),
        ),
        "/v2/org/tiny/tags/list?n=100&last=b" => {
            link(&format!("http://{elsewhere}/"), &json!({"tags": ["c"]}))
        }
        "/v2/org/circle/tags/list?n=100" => link("/v2/org/circle/tags/list?n=100", &json!({"tags": ["a"]})),
        "/v2/_catalog?n=100" => json!({"repositories": ["org/tiny", "other/x"]})
            .to_string()
            .into_response(),
        "/v2/namespaces/org/repositories?page_size=100" => {
            json!({"next": "/v2/page2", "results": [{"name": "a"}]})
                .to_string()
                .into_response()
        }
        "/v2/page2" => json!({"next": format!("http://{elsewhere}/"), "results": [{"name": "b"}]})
            .to_string()
            .into_response(),
        _ => not_found(),
    })
    .await;
    let github = serve(|path, headers| {
        assert_eq!(
            headers[header::AUTHORIZATION],
            format!("Bearer {PASSWORD}").as_str()
        );
        match path {
            "/orgs/org/packages?package_type=container&per_page=100&page=1" => {
                json!([{"name": "tiny"}]).to_string().into_response()
            }
            _ => not_found(),
        }
    })
    .await;
    let named = [
        ("hub.docker.com", registry),
        ("api.github.com", github),
        ("elsewhere.example", elsewhere),
    ];
    let client = client(registry, &named);
    let keyring = keyring();
    let tags = client
        .tags("registry.example", "org/tiny", &keyring)
        .await
        .unwrap();
    assert_eq!(tags, ["a", "b", "c"]);
    let all = client
        .repositories("registry.example", "org/*", &keyring)
        .await
        .unwrap();
    assert_eq!(all, ["org/tiny", "other/x"]);
    let of_hub = client.repositories("docker.io", "org/*", &keyring).await.unwrap();
    assert_eq!(of_hub, ["org/a", "org/b"]);
    let of_github = client.repositories("ghcr.io", "org/*", &keyring).await.unwrap();
    assert_eq!(of_github, ["org/tiny"]);
    let circle = client
        .tags("registry.example", "org/circle", &keyring)
        .await
        .unwrap_err();
    assert_eq!(circle.reason(), "RegistryAnswerTooLarge");
    let nobody = client
        .repositories("ghcr.io", "org/*", &Keyring::default())
        .await
        .unwrap_err();
    assert_eq!(nobody.reason(), "RegistryUnauthorized");
}

/// An endpoint's path comes before the repository; Docker Hub's own images are `library`'s.
#[tokio::test]
async fn a_mirror_is_asked_in_the_place_of_a_registry() {
    let mirror = serve(|path, _| match path.strip_prefix("/v2/hub/library/tiny/") {
        Some(rest) => open_image(&format!("/{rest}")),
        None => not_found(),
    })
    .await;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = Registry::new(&RegistrySettings {
        endpoints: [(
            "docker.io".to_owned(),
            format!("http://{mirror}/hub").parse().unwrap(),
        )]
        .into(),
        ..RegistrySettings::default()
    })
    .unwrap();
    assert_eq!(
        client.labels("tiny:1", &Keyring::default()).await.unwrap().len(),
        1
    );
}

/// Planted fault: only the outermost of the errors that wrap one of TLS is looked at, and the reason is `NetworkError`.
#[tokio::test]
async fn a_certificate_of_an_authority_that_nobody_named_is_told_as_such() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = axum_server::tls_rustls::RustlsConfig::from_pem(pem.clone().into_bytes(), key.into_bytes());
    let tls = tls.await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
    let router = Router::new().fallback(|uri: Uri| async move { open_image(uri.path()) });
    tokio::spawn(server.serve(router.into_make_service()));
    let client = |authority: Option<String>| {
        let endpoint = format!("https://{address}").parse().unwrap();
        Registry::new(&RegistrySettings {
            endpoints: [("registry.example".to_owned(), endpoint)].into(),
            authority,
            ..RegistrySettings::default()
        })
        .unwrap()
    };
    let image = "registry.example/team/tiny:1";
    let unknown = client(None).labels(image, &Keyring::default()).await.unwrap_err();
    assert_eq!(unknown.reason(), "CertificateNotTrusted", "{unknown}");
    let known = client(Some(pem))
        .labels(image, &Keyring::default())
        .await
        .unwrap();
    assert_eq!(known.len(), 1);
}
