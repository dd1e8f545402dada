//! Signing in with a browser, of this machine or of another one. The receiver is the control plane; the test is the browser.

use reqwest::Url;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::receiver::{Receiver, TOKEN, text};

const PROTOCOL: &str = "/auth/realms/runai/protocol/openid-connect";

async fn receiver() -> Receiver {
    let receiver = Receiver::start().await;
    let token = json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600});
    receiver.answers(&format!("POST {PROTOCOL}/token"), 200, token);
    let me = json!({
        "id": "1", "username": "alice@reeve.example", "type": "user", "groups": [], "posix": null, "roles": [],
    });
    receiver.answers("GET /api/v1/me", 200, me);
    receiver
}

/// Reads up to the link that is to be opened.
async fn link(reader: &mut (impl AsyncBufReadExt + Unpin)) -> Url {
    let mut line = String::new();
    while !line.starts_with("http") {
        line.clear();
        assert_ne!(
            reader.read_line(&mut line).await.unwrap(),
            0,
            "no link was printed"
        );
    }
    line.trim().parse().unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(its, _)| its == name)
        .unwrap()
        .1
        .into_owned()
}

/// What a browser that is sent to `path` of this address is answered.
async fn knock(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn signed_in(receiver: &Receiver, stdout: &[u8]) {
    assert!(
        text(stdout).contains("signed in as `alice@reeve.example`"),
        "{}",
        text(stdout)
    );
    let kept = std::fs::read_to_string(receiver.home().join("reeve/authentication.json")).unwrap();
    assert!(kept.contains(TOKEN), "{kept}");
    let calls = receiver.calls();
    assert_eq!(calls.last().unwrap().line, "GET /api/v1/me");
}

/// The planted fault is the code of somebody else's sign-in, which comes first.
#[tokio::test]
async fn a_browser_brings_the_code_to_this_machine() {
    let receiver = receiver().await;
    let url = receiver.url();
    let mut child = receiver.spawn(&["login", "--no-browser", "--listen-port", "0", "--url", &url]);
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let link = link(&mut reader).await;
    assert_eq!(link.path(), format!("{PROTOCOL}/auth"));
    assert_eq!(
        (
            parameter(&link, "client_id"),
            parameter(&link, "code_challenge_method"),
            parameter(&link, "response_type")
        ),
        ("runai-cli".to_owned(), "S256".to_owned(), "code".to_owned())
    );
    let redirect: Url = parameter(&link, "redirect_uri").parse().unwrap();
    let address = format!("127.0.0.1:{}", redirect.port().unwrap());
    let other = knock(&address, "/?code=evil&state=of-somebody-else").await;
    assert!(other.starts_with("HTTP/1.1 404"), "{other}");
    let state = parameter(&link, "state");
    let answer = knock(&address, &format!("/?code=c1&iss=x&state={state}")).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("<h1>Signed in</h1>"),
        "{answer}"
    );
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    signed_in(&receiver, &output.stdout);
}

#[tokio::test]
async fn a_person_brings_the_code_from_another_machine() {
    let receiver = receiver().await;
    let pushed = json!({"request_uri": "urn:ietf:params:oauth:request_uri:x", "expires_in": 600});
    receiver.answers(&format!("POST {PROTOCOL}/ext/par/request"), 201, pushed);
    let url = receiver.url();
    for way in ["sso", "remote-browser"] {
        let output = receiver.run_with(&["login", way, "--url", &url], "c1\n").await;
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(
            text(&output.stderr).contains("request_uri=urn"),
            "{}",
            text(&output.stderr)
        );
        signed_in(&receiver, &output.stdout);
    }
}

#[tokio::test]
async fn a_code_that_is_refused_leaves_nobody_signed_in() {
    let receiver = receiver().await;
    let pushed = json!({"request_uri": "x", "expires_in": 600});
    receiver.answers(&format!("POST {PROTOCOL}/ext/par/request"), 201, pushed);
    let refusal: Value = json!({"error": "invalid_grant", "error_description": "the code is over"});
    receiver.answers(&format!("POST {PROTOCOL}/token"), 400, refusal);
    let output = receiver
        .run_with(&["login", "sso", "--url", &receiver.url()], "c1\n")
        .await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("the code is over"),
        "{}",
        text(&output.stderr)
    );
    assert!(!receiver.home().join("reeve/authentication.json").exists());
    let output = receiver
        .run(&[
            "login",
            "--no-browser",
            "--listen-host",
            "0.0.0.0",
            "--url",
            &receiver.url(),
        ])
        .await;
    assert!(
        text(&output.stderr).contains("address of this machine"),
        "{}",
        text(&output.stderr)
    );
}

fn device(receiver: &Receiver) {
    let begun = json!({
        "device_code": "secret-of-the-device", "user_code": "WDJB-MJHT\u{1b}[2J", "verification_uri": "https://reeve.example/device",
        "expires_in": 600, "interval": 1,
    });
    receiver.answers(&format!("POST {PROTOCOL}/auth/device"), 200, begun);
}

fn not_yet(receiver: &Receiver, error: &str) {
    let body = json!({"error": error, "error_description": format!("it is {error}")});
    receiver.answers(&format!("POST {PROTOCOL}/token"), 400, body);
}

/// Planted faults: a question that is not asked again; the code of the device shown.
#[tokio::test]
async fn a_device_shows_a_code_and_waits_until_a_person_has_confirmed_it() {
    let receiver = receiver().await;
    device(&receiver);
    not_yet(&receiver, "authorization_pending");
    let url = receiver.url();
    let child = receiver.spawn(&["login", "device", "--url", &url]);
    let mut asked = Vec::new();
    while asked
        .iter()
        .filter(|line| **line == format!("POST {PROTOCOL}/token"))
        .count()
        < 2
    {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        asked.extend(receiver.calls().into_iter().map(|call| call.line));
    }
    let token =
        json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt.1"});
    receiver.answers(&format!("POST {PROTOCOL}/token"), 200, token);
    let output = child.wait_with_output().await.unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    signed_in(&receiver, &output.stdout);
    for held in [
        "https://reeve.example/device\n",
        "code: WDJB-MJHT2J\n",
        "give the code to nobody",
    ] {
        assert!(said.contains(held), "{held}: {said}");
    }
    assert!(
        !said.contains("secret-of-the-device") && !said.contains('\u{1b}'),
        "{said}"
    );
}

#[tokio::test]
async fn a_device_that_is_refused_or_not_wanted_signs_nobody_in() {
    let receiver = receiver().await;
    let url = receiver.url();
    for error in ["access_denied", "expired_token"] {
        device(&receiver);
        not_yet(&receiver, error);
        let output = receiver.run(&["login", "device", "--url", &url]).await;
        assert_eq!(output.status.code(), Some(1), "{error}");
        let said = text(&output.stderr);
        assert!(said.contains(&format!("it is {error} (400)")), "{said}");
    }
    let off = json!({"error": "unauthorized_client", "error_description": "devices are not signed in here"});
    receiver.answers(&format!("POST {PROTOCOL}/auth/device"), 400, off);
    let output = receiver.run(&["login", "device", "--url", &url]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("devices are not signed in here (400)"), "{said}");
    // A code that nobody types in time.
    let short = json!({"device_code": "x", "user_code": "WDJB-MJHT", "verification_uri": "https://reeve.example/device", "expires_in": 2});
    receiver.answers(&format!("POST {PROTOCOL}/auth/device"), 200, short);
    not_yet(&receiver, "authorization_pending");
    let output = receiver.run(&["login", "device", "--url", &url]).await;
    let said = text(&output.stderr);
    assert!(said.contains("nobody typed the code in time"), "{said}");
    assert!(!receiver.home().join("reeve/authentication.json").exists());
}
