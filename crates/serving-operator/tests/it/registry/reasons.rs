//! Every reason that a registry may have against an image is reached by a registry that has it.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use reeve_serving_operator::registry::{Registry, RegistrySettings};
use reeve_serving_specs::conditions::OF_REGISTRIES;
use serde_json::json;
use tokio::net::TcpListener;

use super::{client, digest, error, open_image, redirect, serve, serve_raw};

const IMAGE: &str = "registry.example/org/tiny:1";

/// The reasons of hosts that cannot be asked, or do not answer.
async fn of_hosts() -> Vec<&'static str> {
    let open = client(serve(|path, _| open_image(path)).await, &[]);
    let mut reasons = Vec::new();
    for image in ["a b", "nowhere.invalid/org/tiny:1", "169.254.169.254/x:1"] {
        reasons.push(error(&open, image).await.reason());
    }
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    reasons.push(error(&client(closed, &[]), IMAGE).await.reason());
    // One that hangs up, and one that never ends.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = deaf.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            drop(deaf.accept().await.unwrap());
        }
    });
    reasons.push(error(&client(at, &[]), IMAGE).await.reason());
    let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let slow = serve_raw(endless, "1\r\n{\r\n", std::time::Duration::from_millis(50)).await;
    let settings = RegistrySettings {
        endpoints: [(
            "registry.example".to_owned(),
            format!("http://{slow}").parse().unwrap(),
        )]
        .into(),
        patience: Some(std::time::Duration::from_millis(500)),
        ..RegistrySettings::default()
    };
    reasons.push(error(&Registry::new(&settings).unwrap(), IMAGE).await.reason());
    reasons.push(of_an_unknown_authority().await);
    reasons
}

async fn of_an_unknown_authority() -> &'static str {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = axum_server::tls_rustls::RustlsConfig::from_pem(pem.into_bytes(), key.into_bytes());
    let tls = tls.await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
    tokio::spawn(server.serve(axum::Router::new().into_make_service()));
    let settings = RegistrySettings {
        endpoints: [(
            "registry.example".to_owned(),
            format!("https://{address}").parse().unwrap(),
        )]
        .into(),
        ..RegistrySettings::default()
    };
    error(&Registry::new(&settings).unwrap(), IMAGE).await.reason()
}

/// The reasons of answers.
async fn of_answers() -> Vec<&'static str> {
    let mut reasons = Vec::new();
    for status in [401, 404, 429, 500] {
        let status = StatusCode::from_u16(status).unwrap();
        let at = serve(move |_, _| status.into_response()).await;
        reasons.push(error(&client(at, &[]), IMAGE).await.reason());
    }
    let answers: [fn(&str) -> axum::response::Response; 5] = [
        |_| "no JSON".into_response(),
        |_| vec![b' '; 5 << 20].into_response(),
        |_| redirect("/v2/again"),
        |_| {
            json!({"manifests": [{"digest": digest("x")}]})
                .to_string()
                .into_response()
        },
        |path| match path.contains("/blobs/") {
            true => "forged".into_response(),
            false => open_image(path),
        },
    ];
    for answer in answers {
        let at = serve(move |path, _| answer(path)).await;
        reasons.push(error(&client(at, &[]), IMAGE).await.reason());
    }
    reasons
}

/// Planted fault: a failure whose reason is that of another, and one that stands in no table, are both seen.
#[tokio::test]
async fn every_reason_of_a_registry_is_reached_and_no_other_is() {
    let reached: BTreeSet<&str> = of_hosts().await.into_iter().chain(of_answers().await).collect();
    let elsewhere = |reason: &&&str| reason.starts_with("Secret") || **reason == "ImageLabelsUnreadable";
    let declared: BTreeSet<&str> = OF_REGISTRIES
        .iter()
        .filter(|reason| !elsewhere(reason))
        .copied()
        .collect();
    assert_eq!(reached, declared);
}
