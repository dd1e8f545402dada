//! Passkeys in the browser: shown on the sign-in page, made and taken away on the page of the account. The authenticator is the software one
//! of the test kit; a real browser with its own is in `browser.rs`.

use std::sync::Arc;

use reeve_store::Outcome;
use reeve_testkit::own_postgres;
use reeve_testkit::software_authenticator::{Ceremony, KeyKind, PRESENT, Passkey, Shown};
use reeve_types::{Clock, SubjectId, Timestamp};
use serde_json::{Value, json};

use super::visitor::{REALM, REDIRECT, Visitor, authorize, hidden, location, path_of};
use crate::audit::events;
use crate::passkeys::{MINE, RELYING_PARTY, answer, make, passkey_for};

use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, Server, URL};

const PAGE: &str = "/account/passkeys";
const WRONG: &str = "The passkey is not right, or this took longer than five minutes.";

/// What a page asks a browser.
fn options(page: &Answer) -> Value {
    let from = page.text.split("data-options=\"").nth(1);
    let text = from.unwrap_or_else(|| panic!("nothing is asked: {}", page.text));
    let text = text.split('"').next().unwrap();
    serde_json::from_str(&text.replace("&quot;", "\"").replace("&amp;", "&")).unwrap()
}

/// What is asked on a sign-in page.
fn asked(page: &Answer) -> String {
    options(page)["challenge"].as_str().unwrap().to_owned()
}

/// Sends what was shown with the form of a sign-in page.
async fn send(visitor: &mut Visitor<'_>, page: &Answer, shown: &Shown) -> Answer {
    let (attempt, ticket) = (hidden(&page.text, "attempt"), hidden(&page.text, "ticket"));
    let form = [
        ("attempt", attempt.as_str()),
        ("ticket", ticket.as_str()),
        ("id", shown.id.as_str()),
        ("clientDataJSON", shown.client_data.as_str()),
        ("authenticatorData", shown.authenticator_data.as_str()),
        ("signature", shown.signature.as_str()),
        ("userHandle", shown.user_handle.as_str()),
    ];
    visitor
        .post(&format!("{REALM}/login-actions/passkey"), &form)
        .await
}

async fn signs_in<'a>(server: &'a Server, passkey: &mut Passkey) -> (Visitor<'a>, Answer) {
    let mut visitor = Visitor::new(server);
    let page = visitor.get("/sign-in").await;
    let challenge = asked(&page);
    let shown = passkey.assert(&Ceremony::honest(URL, RELYING_PARTY, &challenge));
    let answer = send(&mut visitor, &page, &shown).await;
    (visitor, answer)
}

/// Whether a passkey signs its owner in.
pub(crate) async fn is_good(server: &Server, passkey: &mut Passkey) -> bool {
    let (_, answer) = signs_in(server, passkey).await;
    answer.status.as_u16() == 303
}

fn is_refused(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.text);
    assert!(answer.text.contains(WRONG), "{}", answer.text);
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_password() {
    let server = Server::new().await;
    let (mut passkey, _) = make(&server, &server.admin, "Laptop").await;
    let (mut visitor, answer) = signs_in(&server, &mut passkey).await;
    assert_eq!(path_of(&location(&answer)), "/account");
    let account = visitor.get("/account").await;
    assert!(account.text.contains(ADMIN), "{}", account.text);
    let list = server.get(&server.admin, MINE).await.is(200);
    assert_eq!(list["passkeys"][0]["lastUsed"], json!(server.clock.now()));
    // For a command line as well.
    let mut visitor = Visitor::new(&server);
    let page = visitor.get(&authorize()).await;
    let challenge = asked(&page);
    let shown = passkey.assert(&Ceremony::honest(URL, RELYING_PARTY, &challenge));
    let to = location(&send(&mut visitor, &page, &shown).await);
    assert!(to.starts_with(REDIRECT), "{to}");
    visitor.redeem(&to).await.is(200);
    let told = events(&server).await;
    let mut shown = told
        .iter()
        .filter(|event| event.entry.metadata.get("second_factor").map(String::as_str) == Some("passkey"));
    let event = shown.next().unwrap();
    assert_eq!(event.entry.result, Outcome::Succeeded);
    assert_eq!(
        event.entry.metadata["break_glass"], "true",
        "she administers the account"
    );
    assert_eq!(event.entry.metadata["passkey_name"], "Laptop");
    assert_eq!(shown.count(), 1);
    let metrics = server.app.metrics.text(0, &[]).unwrap();
    assert!(
        metrics.contains("reeve_break_glass_sign_ins_total 2"),
        "{metrics}"
    );
    let me = server.get(&server.admin, "/api/v1/me").await.is(200);
    let path = format!("/api/v1/users/{}/sessions", me["id"].as_str().unwrap());
    let sessions = server.get(&server.admin, &path).await.is(200);
    let methods: Vec<_> = sessions
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["method"])
        .collect();
    assert_eq!(
        methods.iter().filter(|it| **it == "passkey").count(),
        2,
        "{sessions}"
    );
}

/// One sentence, whatever it is, and whoever there is. Planted faults: a counter that is not looked at, a challenge that is good twice
/// (`passkey-challenge-is-good-twice`), and a user whom the passkey does not name (`passkey-of-another-user`).
#[tokio::test]
async fn a_passkey_that_is_not_right_signs_nobody_in() {
    let server = Server::new().await;
    let (mut passkey, _) = make(&server, &server.admin, "Laptop").await;
    let (_, bea) = server.user("bea@example.com", Value::Null).await;
    let (beas, _) = make(&server, &bea, "Hers").await;
    let mut stranger = Passkey::new(KeyKind::Es256, &passkey.user_handle);
    let mut nobodys = Passkey::nobodys(&passkey.user_handle);
    type Lie = fn(Ceremony<'_>) -> Ceremony<'_>;
    let lies: [Lie; 6] = [
        |it| Ceremony {
            challenge: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            ..it
        },
        |it| Ceremony {
            origin: "https://evil.test",
            ..it
        },
        |it| Ceremony {
            relying_party: "evil.test",
            ..it
        },
        |it| Ceremony { flags: PRESENT, ..it },
        |it| Ceremony {
            cross_origin: true,
            ..it
        },
        |it| Ceremony {
            kind: Some("webauthn.create"),
            ..it
        },
    ];
    let mut tried = 0;
    for lie in lies {
        let mut visitor = Visitor::new(&server);
        let page = visitor.get("/sign-in").await;
        let challenge = asked(&page);
        let shown = passkey.assert(&lie(Ceremony::honest(URL, RELYING_PARTY, &challenge)));
        is_refused(&send(&mut visitor, &page, &shown).await);
        tried += 1;
    }
    for other in [&mut stranger, &mut nobodys] {
        is_refused(&signs_in(&server, other).await.1);
        // The id of hers with another key.
        other.id.clone_from(&passkey.id);
        is_refused(&signs_in(&server, other).await.1);
        tried += 2;
    }
    // A right signature of another user's passkey, said to be of hers.
    let mut beas = beas;
    beas.user_handle.clone_from(&passkey.user_handle);
    is_refused(&signs_in(&server, &mut beas).await.1);
    // What was sent to another sign-in, or is no base64.
    let mut visitor = Visitor::new(&server);
    let page = visitor.get("/sign-in").await;
    let other_page = Visitor::new(&server).get("/sign-in").await;
    let challenge = asked(&other_page);
    let shown = passkey.assert(&Ceremony::honest(URL, RELYING_PARTY, &challenge));
    is_refused(&send(&mut visitor, &page, &shown).await);
    let begun_elsewhere = send(&mut visitor, &other_page, &shown).await;
    begun_elsewhere.refused_page(400);
    let broken = Shown {
        signature: "=".to_owned(),
        ..shown
    };
    is_refused(&send(&mut visitor, &page, &broken).await);
    // Two that counted as far: one of them is a copy.
    passkey.counter = Some(50);
    signs_in(&server, &mut passkey).await.1.is_redirect();
    is_refused(&signs_in(&server, &mut passkey).await.1);
    passkey.counter = Some(49);
    is_refused(&signs_in(&server, &mut passkey).await.1);
    tried += 5;
    let told = events(&server).await;
    let wrong = told.iter().filter(|event| event.entry.result == Outcome::Failed);
    let said: Vec<_> = wrong
        .filter_map(|event| event.entry.metadata.get("second_factor"))
        .collect();
    assert!(
        said.iter().any(|it| *it == "passkey-counter-did-not-rise"),
        "{said:?} of {tried}"
    );
    assert!(said.iter().any(|it| *it == "passkey-wrong"), "{said:?}");
    passkey.counter = Some(51);
    signs_in(&server, &mut passkey).await.1.is_redirect();
}

impl Answer {
    fn is_redirect(&self) {
        assert_eq!(path_of(&location(self)), "/account");
    }
}

/// What was shown at one server is not good at another one.
async fn over(one: &Server, two: &Server) {
    let (mut passkey, _) = make(one, &one.admin, "Laptop").await;
    passkey.counter = Some(0);
    let mut visitor = Visitor::new(one);
    let page = visitor.get("/sign-in").await;
    let challenge = asked(&page);
    let shown = passkey.assert(&Ceremony::honest(URL, RELYING_PARTY, &challenge));
    let mut thief = Visitor {
        server: two,
        cookies: visitor.cookies.clone(),
    };
    let (first, second) = tokio::join!(send(&mut visitor, &page, &shown), send(&mut thief, &page, &shown));
    let statuses = [first.status.as_u16(), second.status.as_u16()];
    assert!(statuses == [303, 400] || statuses == [400, 303], "{statuses:?}");
    for server in [one, two] {
        let mut thief = Visitor {
            server,
            cookies: thief.cookies.clone(),
        };
        let again = send(&mut thief, &page, &shown).await;
        assert_eq!(again.status.as_u16(), 400, "{}", again.text);
    }
}

#[tokio::test]
async fn what_was_shown_is_good_once_whichever_server_is_asked() {
    let one = Server::new().await;
    let two = Server::open(Arc::clone(&one.dir), one.clock.clone()).await;
    over(&one, &two).await;
}

#[tokio::test]
async fn what_was_shown_is_good_once_over_postgresql() {
    let Some(postgres) = own_postgres() else {
        return;
    };
    let url = postgres.url("postgres");
    let clock = Clock::fixed(Timestamp::from_millis(1_700_000_000_000));
    let one = Server::open_postgres(&url, clock.clone()).await;
    let two = Server::open_postgres(&url, clock).await;
    over(&one, &two).await;
}

/// Too late, and after it was taken away; a page that was open for long shows a new question.
#[tokio::test]
async fn a_question_is_good_for_five_minutes_and_a_passkey_until_it_is_taken_away() {
    let server = Server::new().await;
    let (mut passkey, made) = make(&server, &server.admin, "Laptop").await;
    let mut visitor = Visitor::new(&server);
    let page = visitor.get("/sign-in").await;
    let challenge = asked(&page);
    let shown = passkey.assert(&Ceremony::honest(URL, RELYING_PARTY, &challenge));
    server.clock.advance_seconds(301);
    let again = send(&mut visitor, &page, &shown).await;
    is_refused(&again);
    let challenge = asked(&again);
    let shown = passkey.assert(&Ceremony::honest(URL, RELYING_PARTY, &challenge));
    send(&mut visitor, &again, &shown).await.is_redirect();
    let path = format!("{MINE}/{}", made["id"].as_str().unwrap());
    server.delete(&server.admin, &path).await.is(204);
    is_refused(&signs_in(&server, &mut passkey).await.1);
}

/// It is no use of the temporary password, and no way around the end of an account.
#[tokio::test]
async fn a_passkey_ends_with_its_owner() {
    let server = Server::new().await;
    let (erin, token) = server.user("erin@example.com", Value::Null).await;
    let (mut passkey, _) = make(&server, &token, "Laptop").await;
    let user = format!("/api/v1/users/{erin}");
    server
        .post(&server.admin, &format!("{user}/password"), Value::Null)
        .await
        .is(200);
    signs_in(&server, &mut passkey).await.1.is_redirect();
    server.delete(&server.admin, &user).await.is(204);
    is_refused(&signs_in(&server, &mut passkey).await.1);
    let left = server
        .app
        .directory()
        .sessions_of(SubjectId::User(erin), server.clock.now());
    assert_eq!(left, 0);
}

#[tokio::test]
async fn after_the_right_password_the_page_asks_for_the_passkey_and_tells_nobody_else() {
    let server = Server::new().await;
    let mut visitor = Visitor::new(&server);
    let page = visitor.types_password("/sign-in", ADMIN, ADMIN_PASSWORD).await;
    page.is_redirect();
    make(&server, &server.admin, "Laptop").await;
    let mut visitor = Visitor::new(&server);
    let right = visitor.types_password("/sign-in", ADMIN, ADMIN_PASSWORD).await;
    right.refused_page(400);
    assert!(
        right.text.contains("This account has a passkey"),
        "{}",
        right.text
    );
    let mut visitor = Visitor::new(&server);
    let wrong = visitor.types_password("/sign-in", ADMIN, "Wrong-Pass-1!").await;
    let nobody = visitor
        .types_password("/sign-in", "nobody@example.com", "Wrong-Pass-1!")
        .await;
    for answer in [wrong, nobody] {
        assert!(!answer.text.contains("This account has"), "{}", answer.text);
    }
}

/// Nothing but the one file may run, and the pages hold no script.
#[tokio::test]
async fn one_script_may_run_on_two_pages_and_none_elsewhere() {
    let server = Server::new().await;
    let mut visitor = Visitor::new(&server);
    visitor
        .types_password("/sign-in", ADMIN, ADMIN_PASSWORD)
        .await
        .is_redirect();
    for (path, runs) in [
        ("/sign-in", true),
        (PAGE, true),
        ("/account", false),
        ("/account/authenticator", false),
    ] {
        let page = visitor.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        let script = "script-src https://reeve.test/passkeys.js;";
        assert_eq!(policy.contains(script), runs, "{path}: {policy}");
        let tags = page.text.matches("<script").count();
        assert_eq!(tags, usize::from(runs), "{path}");
        let file = "<script src=\"https://reeve.test/passkeys.js\" defer></script>";
        assert_eq!(page.text.contains(file), runs, "{path}");
    }
    // Without the script the forms that need it are not shown.
    for path in ["/sign-in", PAGE] {
        let page = visitor.get(path).await;
        let form = page.text.split("data-options=\"").nth(1).unwrap();
        assert!(
            form.split('>').next().unwrap().ends_with("\" hidden"),
            "{path}: {form}"
        );
    }
    let script = visitor.get("/passkeys.js").await;
    assert_eq!(script.status.as_u16(), 200);
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(script.headers["x-content-type-options"], "nosniff");
    assert!(script.text.contains("navigator.credentials.get"));
}

/// Planted faults: a form without the token of its page (`passkey-form-is-of-any-site`).
#[tokio::test]
async fn a_local_user_makes_a_passkey_and_takes_it_away_in_the_browser() {
    let server = Server::new().await;
    let mut visitor = Visitor::new(&server);
    visitor
        .types_password("/sign-in", ADMIN, ADMIN_PASSWORD)
        .await
        .is_redirect();
    assert!(visitor.get("/account").await.text.contains(PAGE));
    let page = visitor.get(PAGE).await;
    assert!(page.text.contains("You have no passkey"), "{}", page.text);
    let passkey = passkey_for(&options(&page));
    let made = answer(&passkey, &options(&page));
    let (token, ticket) = (hidden(&page.text, "token"), hidden(&page.text, "ticket"));
    let form = |token: &str, name: &str| -> Vec<(&'static str, String)> {
        vec![
            ("token", token.to_owned()),
            ("step", "add".to_owned()),
            ("name", name.to_owned()),
            ("ticket", ticket.clone()),
            ("id", made.id.clone()),
            ("clientDataJSON", made.client_data.clone()),
            ("attestationObject", made.attestation_object.clone()),
        ]
    };
    let send = async |visitor: &mut Visitor<'_>, form: Vec<(&'static str, String)>| {
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        visitor.post(PAGE, &form).await
    };
    let of_another_site = send(&mut visitor, form("", "Laptop")).await;
    assert_eq!(path_of(&location(&of_another_site)), PAGE);
    assert!(visitor.get(PAGE).await.text.contains("You have no passkey"));
    let nameless = send(&mut visitor, form(&token, "")).await;
    nameless.refused_page(400);
    let done = send(&mut visitor, form(&token, "Laptop")).await;
    assert_eq!(done.status.as_u16(), 200, "{}", done.text);
    assert_eq!(done.text.matches("<li><code>").count(), 10);
    let twice = send(&mut visitor, form(&token, "Laptop 2")).await;
    twice.refused_page(400);
    let page = visitor.get(PAGE).await;
    assert!(page.text.contains("<strong>Laptop</strong>"), "{}", page.text);
    assert!(page.text.contains("<dd id=\"left\">10</dd>"), "{}", page.text);
    let id = hidden(&page.text, "passkey");

    // Too long after the sign-in it is only shown.
    server.clock.advance_seconds(600);
    let stale = visitor.get(PAGE).await;
    assert!(stale.text.contains("Sign in again") && !stale.text.contains("data-passkey"));
    let remove = |token: &str| {
        vec![
            ("token", token.to_owned()),
            ("step", "remove".to_owned()),
            ("passkey", id.clone()),
        ]
    };
    let refused = send(&mut visitor, remove(&token)).await;
    refused.refused_page(403);
    let mut passkey = passkey;
    let (mut visitor, _) = signs_in(&server, &mut passkey).await;
    let page = visitor.get(PAGE).await;
    let token = hidden(&page.text, "token");
    let gone = send(&mut visitor, remove(&token)).await;
    assert_eq!(path_of(&location(&gone)), PAGE);
    assert!(visitor.get(PAGE).await.text.contains("You have no passkey"));
    let to = location(&Visitor::new(&server).get(PAGE).await);
    assert_eq!(path_of(&to), "/sign-in");
}

#[tokio::test]
async fn whoever_has_no_password_here_has_no_passkey_here() {
    let server = Server::new().await;
    let body = json!({"email": "bea@example.com", "resetPassword": false});
    let made = server.post(&server.admin, "/api/v1/users", body).await.is(201);
    let password = made["tempPassword"].as_str().unwrap();
    let mut visitor = Visitor::new(&server);
    visitor
        .types_password("/sign-in", "bea@example.com", password)
        .await
        .is_redirect();
    crate::server::write_beside(
        &server,
        "UPDATE users SET password = NULL WHERE email = 'bea@example.com'",
    )
    .await;
    visitor.get(PAGE).await.refused_page(403);
}
