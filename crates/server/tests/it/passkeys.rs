//! Passkeys of local users, made and taken away by REST. The authenticator is the software one of the test kit.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_testkit::software_authenticator::{Ceremony, KeyKind, Made, PRESENT, Passkey};
use serde_json::{Value, json};

use crate::audit::events;
use crate::floods::{administrator, started, text};
use crate::process::fresh;
use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, OrganizationFixture, Server, URL};

pub(crate) const MINE: &str = "/api/v1/me/passkeys";
pub(crate) const RELYING_PARTY: &str = "reeve.test";

/// A passkey for whoever is asked for one by these options.
pub(crate) fn passkey_for(options: &Value) -> Passkey {
    let user = URL_SAFE_NO_PAD
        .decode(options["user"]["id"].as_str().unwrap())
        .unwrap();
    Passkey::new(KeyKind::Es256, &user)
}

/// What its authenticator answers to these options.
pub(crate) fn answer(passkey: &Passkey, options: &Value) -> Made {
    let challenge = options["challenge"].as_str().unwrap();
    passkey.register(&Ceremony::honest(URL, RELYING_PARTY, challenge))
}

async fn begin(server: &Server, token: &str) -> Value {
    let path = format!("{MINE}/begin");
    server.post(token, &path, Value::Null).await.is(200)
}

fn body(begun: &Value, name: &str, made: &Made) -> Value {
    json!({"ticket": begun["ticket"], "name": name, "id": made.id,
        "clientDataJSON": made.client_data, "attestationObject": made.attestation_object})
}

/// What makes somebody a passkey.
pub(crate) async fn another(server: &Server, token: &str, name: &str) -> Value {
    let begun = begin(server, token).await;
    let options = &begun["publicKey"];
    body(&begun, name, &answer(&passkey_for(options), options))
}

/// Somebody's new passkey, and the answer of the server.
pub(crate) async fn make(server: &Server, token: &str, name: &str) -> (Passkey, Value) {
    let begun = begin(server, token).await;
    let options = &begun["publicKey"];
    let passkey = passkey_for(options);
    let made = answer(&passkey, options);
    let answer = server.post(token, MINE, body(&begun, name, &made)).await;
    (passkey, answer.is(201))
}

async fn sign_in(server: &Server, password: &str, code: Option<&str>) -> Answer {
    let mut body = json!({"grantType": "password", "username": ADMIN, "password": password});
    if let Some(code) = code {
        body["totp"] = json!(code);
    }
    server.post("", "/api/v1/token", body).await
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect()
}

/// Planted faults: a second factor that is not asked for (`passkey-is-no-second-factor`).
#[tokio::test]
async fn a_passkey_is_made_listed_and_taken_away() {
    let server = Server::new().await;
    let none = server.get(&server.admin, MINE).await.is(200);
    assert_eq!(none, json!({"passkeys": [], "recoveryCodesLeft": 0}));
    sign_in(&server, ADMIN_PASSWORD, None).await.is(200);
    let options = begin(&server, &server.admin).await["publicKey"].clone();
    assert_eq!(options["rp"], json!({"id": RELYING_PARTY, "name": "Reeve"}));
    assert_eq!(options["user"]["name"], ADMIN);
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");

    let (first, made) = make(&server, &server.admin, "Laptop").await;
    let codes = texts(&made["recoveryCodes"]);
    assert_eq!(codes.len(), 10);
    let options = begin(&server, &server.admin).await["publicKey"].clone();
    let id = URL_SAFE_NO_PAD.encode(&first.id);
    assert_eq!(
        options["excludeCredentials"],
        json!([{"type": "public-key", "id": id}])
    );
    let (_, second) = make(&server, &server.admin, "Blue key").await;
    assert_eq!(second["recoveryCodes"], json!([]), "there are some");
    let list = server.get(&server.admin, MINE).await.is(200);
    let names: Vec<_> = list["passkeys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["Blue key", "Laptop"]);
    assert_eq!(list["recoveryCodesLeft"], 10);
    assert_eq!(list["passkeys"][1]["lastUsed"], Value::Null);

    // The same passkey, and the same name.
    let begun = begin(&server, &server.admin).await;
    let again = body(&begun, "Other", &answer(&first, &begun["publicKey"]));
    server.post(&server.admin, MINE, again).await.refused(409);
    let begun = begin(&server, &server.admin).await;
    let other = answer(&passkey_for(&begun["publicKey"]), &begun["publicKey"]);
    server
        .post(&server.admin, MINE, body(&begun, "Laptop", &other))
        .await
        .refused(409);

    let said = sign_in(&server, ADMIN_PASSWORD, None).await.refused(400);
    assert!(said.contains("passkey") && said.contains("reeve login"), "{said}");
    let invalid = sign_in(&server, "Wrong-Pass-1!", None).await.refused(400);
    assert!(
        !invalid.contains("passkey"),
        "who does not know the password learns nothing"
    );
    assert_eq!(
        sign_in(&server, ADMIN_PASSWORD, Some("123456"))
            .await
            .refused(400),
        invalid
    );
    assert_eq!(
        sign_in(&server, "Wrong-Pass-1!", Some(codes[0]))
            .await
            .refused(400),
        invalid
    );
    sign_in(&server, ADMIN_PASSWORD, Some(codes[0])).await.is(200);
    sign_in(&server, ADMIN_PASSWORD, Some(codes[0]))
        .await
        .refused(400);
    // There is no authenticator that a recovery code could take away.
    let body = json!({"code": codes[1]});
    let path = "/api/v1/me/authenticator/remove";
    server.post(&server.admin, path, body).await.refused(409);

    for (made, left) in [(&made, 1), (&second, 0)] {
        let path = format!("{MINE}/{}", made["id"].as_str().unwrap());
        server.delete(&server.admin, &path).await.is(204);
        server.delete(&server.admin, &path).await.refused(404);
        let list = server.get(&server.admin, MINE).await.is(200);
        assert_eq!(list["passkeys"].as_array().unwrap().len(), left);
    }
    sign_in(&server, ADMIN_PASSWORD, None).await.is(200);
    let told = events(&server).await;
    let of = |name: &str| -> Vec<_> {
        told.iter()
            .filter_map(|event| event.entry.metadata.get(name).cloned())
            .collect()
    };
    assert_eq!(of("passkey"), ["added", "added", "removed", "removed"]);
    assert_eq!(of("passkey_name"), ["Laptop", "Blue key", "Laptop", "Blue key"]);
}

/// Planted faults: a ticket of another session (`passkey-ticket-of-any-session`), a challenge that is good twice
/// (`passkey-challenge-is-good-twice-when-made`), and what the relying party does not look at.
#[tokio::test]
async fn what_a_browser_answered_to_something_else_is_refused() {
    let server = Server::new().await;
    let send = async |token: &str, body: Value| server.post(token, MINE, body).await;
    let begun = begin(&server, &server.admin).await;
    let options = &begun["publicKey"];
    let passkey = passkey_for(options);
    let challenge = options["challenge"].as_str().unwrap();
    let honest = Ceremony::honest(URL, RELYING_PARTY, challenge);
    let elsewhere = begin(&server, &server.admin).await;
    let other = elsewhere["publicKey"]["challenge"].as_str().unwrap();
    for (forged, why) in [
        (
            Ceremony {
                challenge: other,
                ..honest
            },
            "challenge",
        ),
        (
            Ceremony {
                origin: "https://evil.test",
                ..honest
            },
            "origin",
        ),
        (
            Ceremony {
                relying_party: "evil.test",
                ..honest
            },
            "relying party",
        ),
        (
            Ceremony {
                flags: PRESENT,
                ..honest
            },
            "verify",
        ),
        (
            Ceremony {
                kind: Some("webauthn.get"),
                ..honest
            },
            "ceremony",
        ),
    ] {
        let made = passkey.register(&forged);
        let said = send(&server.admin, body(&begun, "Laptop", &made))
            .await
            .refused(400);
        assert!(said.contains(why), "{said}");
    }
    let made = passkey.register(&honest);
    let mut broken = body(&begun, "Laptop", &made);
    broken["attestationObject"] = json!("AAAA");
    send(&server.admin, broken).await.refused(400);
    // Another session of the same user, and another user.
    let signed_in = sign_in(&server, ADMIN_PASSWORD, None).await.is(200);
    let other_session = signed_in["accessToken"].as_str().unwrap();
    send(other_session, body(&begun, "Laptop", &made))
        .await
        .refused(400);
    let (_, erin) = server.user("erin@example.com", Value::Null).await;
    send(&erin, body(&begun, "Laptop", &made)).await.refused(400);
    let mut unsealed = body(&begun, "Laptop", &made);
    unsealed["ticket"] = json!("x");
    send(&server.admin, unsealed).await.refused(400);
    send(&server.admin, body(&begun, "Laptop", &made)).await.is(201);
    // Once, and for five minutes.
    send(&server.admin, body(&begun, "Laptop 2", &made))
        .await
        .refused(400);
    let begun = begin(&server, &server.admin).await;
    server.clock.advance_seconds(301);
    let late = answer(&passkey_for(&begun["publicKey"]), &begun["publicKey"]);
    send(&server.admin, body(&begun, "Late", &late))
        .await
        .refused(400);
}

/// A session that was left open, or a token that was found, is not enough. Planted fault: a session of any age
/// (`passkeys-are-changed-at-any-time`).
#[tokio::test]
async fn passkeys_are_changed_soon_after_a_sign_in_alone() {
    let server = Server::new().await;
    let (_, made) = make(&server, &server.admin, "Laptop").await;
    let codes = texts(&made["recoveryCodes"]);
    let path = format!("{MINE}/{}", made["id"].as_str().unwrap());
    server.clock.advance_seconds(600);
    let begin = format!("{MINE}/begin");
    let said = server.post(&server.admin, &begin, Value::Null).await.refused(403);
    assert!(said.contains("sign in again"), "{said}");
    server.delete(&server.admin, &path).await.refused(403);
    server.get(&server.admin, MINE).await.is(200);
    let signed_in = sign_in(&server, ADMIN_PASSWORD, Some(codes[0])).await.is(200);
    let token = signed_in["accessToken"].as_str().unwrap();
    server.post(token, &begin, Value::Null).await.is(200);
    server.delete(token, &path).await.is(204);
}

#[tokio::test]
async fn whoever_may_change_users_takes_them_away_and_nobody_inherits_them() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (erin, token) = server.user("erin@example.com", Value::Null).await;
    let (_, made) = make(server, &token, "Laptop").await;
    let path = format!("/api/v1/users/{erin}/passkeys");
    let shown = server.get(&server.admin, &path).await.is(200);
    assert_eq!(shown["passkeys"][0]["id"], made["id"]);
    server.get(&organization.alice, &path).await.refused(403);
    server.delete(&organization.alice, &path).await.refused(403);
    // Nobody takes away another's, whatever its id.
    let of_erin = format!("{MINE}/{}", made["id"].as_str().unwrap());
    server.delete(&server.admin, &of_erin).await.refused(404);
    server.delete(&server.admin, &path).await.is(204);
    server.delete(&server.admin, &path).await.refused(404);
    let mine = server.get(&token, MINE).await.is(200);
    assert_eq!(mine, json!({"passkeys": [], "recoveryCodesLeft": 0}));

    make(server, &token, "Laptop").await;
    server
        .delete(&server.admin, &format!("/api/v1/users/{erin}"))
        .await
        .is(204);
    server.clock.advance_seconds(reeve_store::EMAIL_RESTS_SECONDS);
    let (again, token) = server.user("erin@example.com", Value::Null).await;
    assert_ne!(again, erin);
    let mine = server.get(&token, MINE).await.is(200);
    assert_eq!(mine, json!({"passkeys": [], "recoveryCodesLeft": 0}));
}

#[tokio::test]
async fn passkeys_are_for_local_users_in_person() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let begin = format!("{MINE}/begin");
    server
        .post(&organization.ci, &begin, Value::Null)
        .await
        .refused(403);
    server.get(&organization.ci, MINE).await.refused(403);
    let key = server
        .post(&server.admin, "/api/v1/access-keys", json!({"name": "robot"}))
        .await
        .is(201);
    let body = json!({"grantType": "client_credentials", "clientId": key["clientId"], "clientSecret": key["clientSecret"]});
    let by_key = server.post("", "/api/v1/token", body).await.is(200);
    let by_key = by_key["accessToken"].as_str().unwrap();
    server.post(by_key, &begin, Value::Null).await.refused(403);
    crate::server::write_beside(
        server,
        "UPDATE users SET password = NULL WHERE email = 'bob@example.com'",
    )
    .await;
    server
        .post(&organization.bob, &begin, Value::Null)
        .await
        .refused(403);
}

/// Browsers bind passkeys to a name: where the address has none, nothing of them is shown, and everything else is as it was.
#[tokio::test]
async fn where_the_address_has_no_name_there_are_no_passkeys() {
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let token = administrator(&running).await;
    let page = running.client.get(running.url("/sign-in")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(!policy.contains("script-src"), "{policy}");
    let page = page.text().await.unwrap();
    assert!(page.contains("Sign in with a password"), "{page}");
    assert!(!page.contains("<script") && !page.contains("passkey"), "{page}");
    let path = running.url(&format!("{MINE}/begin"));
    let begun = running
        .client
        .post(path)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    let (status, said) = text(begun).await;
    assert_eq!(status, 403, "{said}");
    assert!(said["message"].as_str().unwrap().contains("IP address"), "{said}");
}
