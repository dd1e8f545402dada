//! The page on which a local user sets up an authenticator.

use reeve_identity::totp::{STEP_SECONDS, TotpSecret};
use reeve_types::Secret;
use serde_json::{Value, json};

use super::visitor::{Visitor, hidden, location, path_of};
use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, Server};

const PAGE: &str = "/account/authenticator";

/// Somebody whom the browser knows.
async fn signed_in<'a>(server: &'a Server, email: &str, password: &str) -> Visitor<'a> {
    let mut visitor = Visitor::new(server);
    let answer = visitor.types_password("/sign-in", email, password).await;
    assert_eq!(path_of(&location(&answer)), "/account");
    visitor
}

async fn step(visitor: &mut Visitor<'_>, page: &Answer, step: &str, code: &str) -> Answer {
    let token = hidden(&page.text, "token");
    let form = [("token", token.as_str()), ("step", step), ("code", code)];
    visitor.post(PAGE, &form).await
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text
        .split(from)
        .nth(1)
        .unwrap_or_else(|| panic!("no {from} in {text}"));
    rest.split(to).next().unwrap()
}

/// What an authenticator shows that was given the page's secret.
fn code_of(server: &Server, page: &Answer) -> String {
    let secret = between(&page.text, "<code id=\"secret\">", "<").replace(' ', "");
    let secret = TotpSecret::from_text(&Secret::new(secret)).unwrap();
    secret.code_at(server.clock.now())
}

async fn sign_in(server: &Server, code: Option<&str>) -> Answer {
    let mut body = json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD});
    if let Some(code) = code {
        body["totp"] = json!(code);
    }
    server.post("", "/api/v1/token", body).await
}

/// Planted faults: another secret after a wrong code, with which the one that was typed in shows the wrong ones; a form without the token
/// of its page (`authenticator-form-is-of-any-site`).
#[tokio::test]
async fn a_local_user_sets_up_an_authenticator_and_takes_it_away_in_the_browser() {
    let server = Server::new().await;
    let mut visitor = signed_in(&server, ADMIN, ADMIN_PASSWORD).await;
    let account = visitor.get("/account").await;
    assert!(account.text.contains(PAGE), "{}", account.text);
    let page = visitor.get(PAGE).await;
    // Without the form's token, or with somebody else's, nothing is begun.
    let mut other = signed_in(&server, ADMIN, ADMIN_PASSWORD).await;
    assert_eq!(
        path_of(&location(&visitor.post(PAGE, &[("step", "begin")]).await)),
        PAGE
    );
    assert_eq!(
        path_of(&location(&step(&mut other, &page, "begin", "").await)),
        PAGE
    );
    let mine = server
        .get(&server.admin, "/api/v1/me/authenticator")
        .await
        .is(200);
    assert_eq!(mine["enabled"], false);
    let nothing = step(&mut visitor, &page, "confirm", "123456").await;
    assert_eq!(path_of(&location(&nothing)), PAGE, "none waits");

    let set_up = step(&mut visitor, &page, "begin", "").await;
    assert_eq!(set_up.status.as_u16(), 200, "{}", set_up.text);
    let policy = set_up.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(set_up.headers["cache-control"], "no-store");
    for held in [
        "<svg id=\"qr\" role=\"img\" aria-label=",
        "recovery codes",
        "aria-describedby=\"rule\"",
    ] {
        assert!(set_up.text.contains(held), "{held}: {}", set_up.text);
    }
    assert!(!set_up.text.contains("<script") && !set_up.text.contains(" style="));
    sign_in(&server, None).await.is(200);
    let code = code_of(&server, &set_up);
    let other_code = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    let wrong = step(&mut visitor, &set_up, "confirm", &other_code).await;
    wrong.refused_page(400);
    let picture = |page: &Answer| between(&page.text, "<svg", "</svg>").to_owned();
    assert_eq!(
        picture(&wrong),
        picture(&set_up),
        "what was scanned is still right"
    );
    let done = step(&mut visitor, &wrong, "confirm", &code).await;
    assert_eq!(done.status.as_u16(), 200, "{}", done.text);
    let codes: Vec<_> = between(&done.text, "<ul id=\"recovery-codes\">", "</ul>")
        .split("<code>")
        .skip(1)
        .map(|code| code.split('<').next().unwrap().to_owned())
        .collect();
    assert_eq!(codes.len(), 10);

    sign_in(&server, None).await.refused(400);
    sign_in(&server, Some(&codes[0])).await.is(200);
    let page = visitor.get(PAGE).await;
    assert_eq!(between(&page.text, "<dd id=\"left\">", "<"), "9");
    assert!(
        !page.text.contains(&codes[1]) && !page.text.contains("<svg"),
        "shown once"
    );
    let again = step(&mut visitor, &page, "begin", "").await;
    assert_eq!(path_of(&location(&again)), PAGE, "there is one");
    step(&mut visitor, &page, "remove", "000000")
        .await
        .refused_page(400);
    server.clock.advance_seconds(STEP_SECONDS);
    assert_eq!(
        path_of(&location(&step(&mut visitor, &page, "remove", &codes[1]).await)),
        PAGE
    );
    sign_in(&server, None).await.is(200);
    // Nobody without a session gets there.
    let to = location(&Visitor::new(&server).get(PAGE).await);
    assert_eq!(path_of(&to), "/sign-in");
}

#[tokio::test]
async fn whoever_has_no_password_here_has_no_authenticator_here() {
    let server = Server::new().await;
    let body = json!({"email": "bea@example.com", "resetPassword": false});
    let made = server.post(&server.admin, "/api/v1/users", body).await.is(201);
    let password: &Value = &made["tempPassword"];
    let mut visitor = signed_in(&server, "bea@example.com", password.as_str().unwrap()).await;
    let page = visitor.get(PAGE).await;
    crate::server::write_beside(
        &server,
        "UPDATE users SET password = NULL WHERE email = 'bea@example.com'",
    )
    .await;
    visitor.get(PAGE).await.refused_page(403);
    step(&mut visitor, &page, "begin", "").await.refused_page(403);
    let account = visitor.get("/account").await;
    assert!(!account.text.contains(PAGE), "{}", account.text);
}
