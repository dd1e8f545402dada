//! A person with a real browser, a headless Chromium, and a real provider, at the program itself.

use reeve_testkit::{identity_provider, saml_provider};
use serde_json::{Value, json};

use super::real::{register, says};
use crate::floods::{PASSWORD, started};
use crate::process::{Running, fresh};

async fn set_up(running: &Running, idp: &Value) {
    let answer = running.sign_in(PASSWORD).await.text().await.unwrap();
    let token: Value = serde_json::from_str(&answer).unwrap();
    let made = running
        .client
        .post(running.url("/api/v1/idps"))
        .bearer_auth(token["accessToken"].as_str().unwrap())
        .header("content-type", "application/json")
        .body(idp.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(made.status().as_u16(), 201);
}

/// With the keyboard alone, and without a complaint of the browser about a page of ours.
#[tokio::test]
async fn a_person_signs_in_with_a_browser_at_the_provider_and_with_a_password() {
    let Some(provider) = identity_provider() else {
        return;
    };
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let plain = reqwest::Client::new();
    let redirect_uri = running.url("/auth/realms/runai/broker/corp/endpoint");
    let idp = register(&plain, provider, &redirect_uri, "corp").await;
    set_up(&running, &idp).await;
    says(
        &plain,
        provider,
        "bea",
        &json!({"email": "bea@example.com", "groups": ["ml"], "uid": 2201, "gid": 2202}),
    )
    .await;

    let browse = |login: &'static str, local: Option<(&'static str, &'static str)>, alias: &'static str| {
        let url = running.url("/sign-in");
        tokio::task::spawn_blocking(move || provider.sign_in(&url, alias, login, local).unwrap())
    };
    let shown = browse("bea", None, "corp").await.unwrap();
    assert_eq!(
        shown["seen"].as_array().unwrap().first(),
        Some(&json!("Sign in")),
        "{shown}"
    );
    assert_eq!(shown["user"], "bea@example.com", "{shown}");
    assert_eq!(
        (&shown["groups"], &shown["posix"]),
        (&json!("ml"), &json!("2201/2202/")),
        "{shown}"
    );
    let cookies = shown["cookies"].as_array().unwrap();
    assert_eq!(cookies.len(), 1, "{shown}");
    for cookie in cookies {
        assert_eq!(
            (&cookie["httpOnly"], &cookie["secure"], &cookie["sameSite"]),
            (&json!(true), &json!(true), &json!("Lax"))
        );
    }
    let shown = browse("-", Some(("admin@reeve.example", PASSWORD)), "-")
        .await
        .unwrap();
    assert_eq!(
        (&shown["user"], &shown["problems"]),
        (&json!("admin@reeve.example"), &json!([])),
        "{shown}"
    );
}

/// The provider is the npm package `samlp`; its response comes by a form of another site, which is what the browser's rules for cookies
/// are about. The planted fault: with the attempt in the `Lax` cookie alone the browser does not send it, and the page is of a sign-in
/// that was not begun here.
#[tokio::test]
async fn a_person_signs_in_with_a_browser_through_a_provider_of_saml() {
    let Some(provider) = saml_provider() else {
        return;
    };
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let metadata = format!("{}/metadata", provider.issuer());
    let idp = json!({"name": "corp-saml", "type": "saml", "samlData": {"metadataXmlUrl": metadata}});
    set_up(&running, &idp).await;
    let said =
        json!({"email": "cleo@example.com", "GROUPS": ["ml", "/ml/vision"], "UID": "2301", "GID": "2302"});
    says(&reqwest::Client::new(), provider, "cleo", &said).await;
    let url = running.url("/sign-in");
    let browse = move || provider.sign_in(&url, "corp-saml", "cleo", None).unwrap();
    let shown = tokio::task::spawn_blocking(browse).await.unwrap();
    assert_eq!(shown["user"], "cleo@example.com", "{shown}");
    assert_eq!(
        (&shown["groups"], &shown["posix"]),
        (&json!("/ml/vision, ml"), &json!("2301/2302/")),
        "{shown}"
    );
    let cookies = shown["cookies"].as_array().unwrap();
    let names: Vec<_> = cookies.iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["__Host-reeve-session"], "{shown}");
}

/// With the keyboard alone, and without a complaint of the browser about the picture in the page: its policy lets nothing in that is not of
/// the page itself.
#[tokio::test]
async fn a_person_sets_up_an_authenticator_with_a_browser() {
    let Some(provider) = identity_provider() else {
        return;
    };
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let url = running.url("/sign-in");
    let browse = move || {
        provider
            .set_up_authenticator(&url, "admin@reeve.example", PASSWORD)
            .unwrap()
    };
    let shown = tokio::task::spawn_blocking(browse).await.unwrap();
    assert_eq!(
        shown["seen"],
        json!([
            "Your account",
            "One-time codes",
            "Set up an authenticator",
            "Your recovery codes"
        ]),
        "{shown}"
    );
    assert_eq!(
        (shown["codes"].as_array().map(Vec::len), &shown["problems"]),
        (Some(10), &json!([])),
        "{shown}"
    );
    // It is drawn as large as a camera needs, and the dark part of it lies inside, with a margin.
    let side = |it: &str, what: &str| shown[it][what].as_f64().unwrap();
    assert!(
        side("drawn", "width") >= 200.0 && side("dark", "width") > 150.0,
        "{shown}"
    );
    assert!(side("dark", "x") - side("drawn", "x") >= 10.0, "{shown}");
}

/// Chromium's own virtual authenticator, which is no code of ours; by the address `localhost`, since passkeys are bound to a name. What the
/// browser says of a page with status 400 is no complaint of its.
#[tokio::test]
async fn a_person_makes_a_passkey_and_signs_in_with_it_in_a_browser() {
    let Some(provider) = identity_provider() else {
        return;
    };
    let (_dir, data) = fresh();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let (listen, public) = (format!("127.0.0.1:{port}"), format!("https://localhost:{port}"));
    let running = started(&data, &["--listen", &listen, "--public-url", &public]).await;
    let url = running.url("/sign-in");
    assert!(url.starts_with("https://localhost:"), "{url}");
    let browse = move || {
        provider
            .use_passkey(&url, "admin@reeve.example", PASSWORD)
            .unwrap()
    };
    let shown = tokio::task::spawn_blocking(browse).await.unwrap();
    assert_eq!(
        shown["seen"],
        json!([
            "Your account",
            "Passkeys",
            "Your recovery codes",
            "Sign in",
            "Your account",
            "Your account",
            "Passkeys",
            "Sign in"
        ]),
        "{shown}"
    );
    assert_eq!(shown["codes"].as_array().map(Vec::len), Some(10), "{shown}");
    assert_eq!(shown["kept"][0]["rpId"], "localhost", "{shown}");
    assert_eq!(shown["kept"][0]["isResidentCredential"], true, "{shown}");
    let says = |name: &str, what: &str| {
        let text = shown[name].as_str().unwrap();
        assert!(text.contains(what), "{name}: {shown}");
    };
    says("alone", "This account has a passkey");
    says("user", "admin@reeve.example");
    says("unverified", "No passkey was used");
    says("gone", "The passkey is not right");
    let list = shown["list"].as_array().unwrap();
    assert!(
        list.len() == 1 && list[0].as_str().unwrap().starts_with("Virtual: made"),
        "{shown}"
    );
    let problems = shown["problems"].as_array().unwrap();
    let of_a_page = |it: &Value| it.as_str().unwrap().contains("status of 400");
    assert!(problems.iter().all(of_a_page), "{shown}");
}
