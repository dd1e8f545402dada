//! Pages, local sign-in with a browser, and codes for command lines.

use serde_json::json;

use super::visitor::{
    REALM, REDIRECT, VERIFIER, Visitor, authorize, hidden, location, path_of, server, set_up,
};
use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, Server};

impl Answer {
    /// A page that says no.
    pub(super) fn refused_page(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert!(self.text.contains("role=\"alert\""), "{}", self.text);
    }
}

async fn local(visitor: &mut Visitor<'_>, path: &str, password: &str) -> Answer {
    visitor.types_password(path, ADMIN, password).await
}

#[tokio::test]
async fn every_page_is_guarded_and_runs_no_script_but_that_of_passkeys() {
    let server = server().await;
    set_up(&server, "corp", "https://idp.test", json!(null)).await;
    let mut visitor = Visitor::new(&server);
    for path in [
        authorize(),
        "/sign-in".to_owned(),
        "/account".to_owned(),
        format!("{REALM}/protocol/openid-connect/logout"),
        format!("{REALM}/broker/corp/endpoint"),
    ] {
        let answer = visitor.get(&path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        let file = "<script src=\"https://reeve.test/passkeys.js\" defer></script>";
        let rest = answer.text.replace(file, "");
        assert!(!policy.contains("unsafe") && !rest.contains("<script"), "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
        assert!(answer.headers.contains_key("strict-transport-security"), "{path}");
    }
}

/// AUTH-10: the planted faults are the form without its cookie and the cookie without its form.
#[tokio::test]
async fn a_local_user_signs_in_and_out_with_a_browser_under_a_new_cookie() {
    let server = server().await;
    let mut visitor = Visitor::new(&server);
    let wrong = local(&mut visitor, "/sign-in", "Wrong-Pass-1!").await;
    wrong.refused_page(400);
    assert!(!wrong.text.contains("Wrong-Pass-1!"));
    // A cookie that somebody put there is not taken over.
    visitor
        .cookies
        .0
        .insert("__Host-reeve-session".to_owned(), "fixed".to_owned());
    let to = location(&local(&mut visitor, "/sign-in", ADMIN_PASSWORD).await);
    assert_eq!(path_of(&to), "/account");
    let cookie = visitor.cookies.0["__Host-reeve-session"].clone();
    assert_ne!(cookie, "fixed");
    let account = visitor.get("/account").await;
    assert!(account.text.contains(ADMIN), "{}", account.text);
    // Without the form's token nothing happens.
    assert_eq!(
        path_of(&location(&visitor.post("/account", &[]).await)),
        "/account"
    );
    server.get(&cookie, "/api/v1/me").await.is(200);
    let token = hidden(&account.text, "token");
    visitor.post("/account", &[("token", token.as_str())]).await;
    server.get(&cookie, "/api/v1/me").await.refused(401);
    assert!(!visitor.cookies.0.contains_key("__Host-reeve-session"));
    // The REST API takes no cookie.
    let mut other = Visitor::new(&server);
    local(&mut other, "/sign-in", ADMIN_PASSWORD).await;
    other.get("/api/v1/me").await.refused(401);
    // A form without the cookie of its page.
    let page = other.get("/sign-in").await;
    let attempt = hidden(&page.text, "attempt");
    let form = [
        ("username", ADMIN),
        ("password", ADMIN_PASSWORD),
        ("attempt", attempt.as_str()),
    ];
    Visitor::new(&server)
        .post(&format!("{REALM}/login-actions/authenticate"), &form)
        .await
        .refused_page(400);
}

async fn code(server: &Server) -> (String, Visitor<'_>) {
    let mut visitor = Visitor::new(server);
    let to = location(&local(&mut visitor, &authorize(), ADMIN_PASSWORD).await);
    (super::visitor::parameter(&to, "code"), visitor)
}

#[tokio::test]
async fn a_code_is_good_once_for_whoever_asked_and_ends_its_session_when_it_comes_twice() {
    let server = server().await;
    let (first, mut visitor) = code(&server).await;
    let token = visitor.redeem_code(&first, VERIFIER).await.is(200)["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(
        visitor.redeem_code(&first, VERIFIER).await.is(400)["error"],
        "invalid_grant"
    );
    server.get(&token, "/api/v1/me").await.refused(401);
    // Somebody who saw the code has not the verifier.
    let (second, mut visitor) = code(&server).await;
    assert_eq!(
        visitor
            .redeem_code(&second, "somebody-elses-verifier-somebody-elses-verifier")
            .await
            .is(400)["error"],
        "invalid_grant"
    );
    for cut in [1, second.len() / 2, second.len() - 1] {
        visitor.redeem_code(&second[..cut], VERIFIER).await.is(400);
    }
    let given = visitor.redeem_code(&second, VERIFIER).await.is(200);
    let shown = |token: &serde_json::Value, client: &str| {
        let token = token["refresh_token"].as_str().unwrap().to_owned();
        [
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client.to_owned()),
            ("refresh_token", token),
        ]
    };
    let renew = async |form: [(&'static str, String); 3]| {
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let path = format!("{REALM}/protocol/openid-connect/token");
        Visitor::new(&server).post(&path, &form).await
    };
    for client in ["reeve-cli", ""] {
        renew(shown(&given, client)).await.is(400);
    }
    let next = renew(shown(&given, "runai-cli")).await.is(200);
    let token = next["access_token"].as_str().unwrap();
    server.get(token, "/api/v1/me").await.is(200);
    // By either route.
    let other = json!({"grantType": "refresh_token", "refreshToken": next["refresh_token"]});
    server.post("", "/api/v1/token", other).await.is(200);
    server.clock.advance_seconds(61);
    let reused = renew(shown(&given, "runai-cli")).await.is(400);
    assert_eq!(reused["error"], "invalid_grant");
    server.get(token, "/api/v1/me").await.refused(401);
    let (late, mut visitor) = code(&server).await;
    server.clock.advance_seconds(61);
    visitor.redeem_code(&late, VERIFIER).await.is(400);
    let path = format!("{REALM}/protocol/openid-connect/token");
    let password = [
        ("grant_type", "password"),
        ("username", ADMIN),
        ("password", ADMIN_PASSWORD),
    ];
    assert_eq!(
        visitor.post(&path, &password).await.is(400)["error"],
        "unsupported_grant_type"
    );
}

#[tokio::test]
async fn what_a_command_line_may_not_ask_for_is_said_and_nobody_is_sent_anywhere() {
    let server = server().await;
    let good = authorize();
    for (from, to) in [
        ("runai-cli", "other"),
        ("response_type=code", "response_type=token"),
        ("S256", "plain"),
        ("http%3A%2F%2F127.0.0.1%3A43121%2F", "http%3A%2F%2Fevil.test%2F"),
        (
            "http%3A%2F%2F127.0.0.1%3A43121%2F",
            "https%3A%2F%2Freeve.test%2Foauth-code",
        ),
        ("code_challenge=", "code_challenge=x"),
    ] {
        assert!(good.contains(from), "{from}");
        Visitor::new(&server)
            .get(&good.replace(from, to))
            .await
            .refused_page(400);
    }
}

/// AUTH-11: a link that somebody else sent says who asks, and gives nothing before that is confirmed.
#[tokio::test]
async fn a_code_that_is_carried_by_hand_is_confirmed_first() {
    let server = server().await;
    let mut cli = Visitor::new(&server);
    let path = cli.asks_for_a_code_by_hand().await;
    let mut person = Visitor::new(&server);
    let page = local(&mut person, &path, ADMIN_PASSWORD).await;
    assert_eq!(page.status.as_u16(), 200);
    for said in ["runai-cli", ADMIN, "Started at", "From the address"] {
        assert!(page.text.contains(said), "{}", page.text);
    }
    let ticket = hidden(&page.text, "ticket");
    // What the page holds is no code, and it is of this browser.
    let redeem = async |visitor: &mut Visitor<'_>, code: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "runai-cli"),
            ("redirect_uri", "https://reeve.test/oauth-code"),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        visitor
            .post(&format!("{REALM}/protocol/openid-connect/token"), &form)
            .await
    };
    redeem(&mut cli, &ticket).await.is(400);
    Visitor::new(&server)
        .post("/oauth-code", &[("ticket", ticket.as_str())])
        .await
        .refused_page(400);
    let shown = person.post("/oauth-code", &[("ticket", ticket.as_str())]).await;
    let code = shown
        .text
        .split("<code id=\"code\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    redeem(&mut cli, code).await.is(200);
    assert!(!code.is_empty() && !REDIRECT.contains(code));
}

/// Planted faults: a sign-in with a temporary password that ends as any other; the form without the cookie of its sign-in; the ticket taken
/// after the session ended.
#[tokio::test]
async fn a_temporary_password_leads_to_the_page_for_another_and_then_to_where_the_sign_in_was_for() {
    let server = server().await;
    let made = server
        .post(
            &server.admin,
            "/api/v1/users",
            json!({"email": "erin@example.com"}),
        )
        .await
        .is(201);
    let temporary = made["tempPassword"].as_str().unwrap();
    let begin = async |visitor: &mut Visitor<'_>, path: &str, password: &str| {
        visitor.types_password(path, "erin@example.com", password).await
    };
    let mut visitor = Visitor::new(&server);
    let page = begin(&mut visitor, &authorize(), temporary).await;
    assert_eq!(page.status.as_u16(), 200, "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    for held in [
        "<label for=\"new-password\">",
        "<label for=\"new-password-again\">",
        "autocomplete=\"new-password\"",
        "aria-describedby=\"rule\"",
        "erin@example.com",
    ] {
        assert!(page.text.contains(held), "{held}: {}", page.text);
    }
    assert!(!page.text.contains("<script") && !page.text.contains(temporary));
    let ticket = hidden(&page.text, "ticket");
    for (new, again) in [
        ("Chosen-Pass-1!", "Chosen-Pass-2!"),
        ("weak", "weak"),
        (temporary, temporary),
    ] {
        let refused = visitor.chooses_password(&ticket, new, again).await;
        refused.refused_page(400);
        assert!(
            !refused.text.contains("value=\"Chosen")
                && refused.text.contains("aria-describedby=\"wrong rule\"")
        );
    }
    // Of another browser: one in which nothing was begun, and one with a sign-in of its own.
    let mut other = Visitor::new(&server);
    other
        .chooses_password(&ticket, "Chosen-Pass-1!", "Chosen-Pass-1!")
        .await
        .refused_page(400);
    other.get("/sign-in").await;
    other
        .chooses_password(&ticket, "Chosen-Pass-1!", "Chosen-Pass-1!")
        .await
        .refused_page(400);
    // It goes on to the command line that asked.
    let to = location(
        &visitor
            .chooses_password(&ticket, "Chosen-Pass-1!", "Chosen-Pass-1!")
            .await,
    );
    assert!(to.starts_with(REDIRECT), "{to}");
    let code = super::visitor::parameter(&to, "code");
    let token = visitor.redeem_code(&code, VERIFIER).await.is(200);
    server
        .get(
            token["access_token"].as_str().unwrap(),
            "/api/v1/authorization/me/access-rules",
        )
        .await
        .is(200);
    begin(&mut visitor, "/sign-in", temporary).await.refused_page(400);
    let to = location(&begin(&mut visitor, "/sign-in", "Chosen-Pass-1!").await);
    assert_eq!(path_of(&to), "/account");

    // Whoever was given another one meanwhile begins again.
    let path = format!("/api/v1/users/{}/password", made["id"].as_str().unwrap());
    let reset = async || server.post(&server.admin, &path, json!({})).await.is(200);
    let second = reset().await;
    let page = begin(&mut visitor, "/sign-in", second["tempPassword"].as_str().unwrap()).await;
    let ticket = hidden(&page.text, "ticket");
    reset().await;
    visitor
        .chooses_password(&ticket, "Chosen-Pass-3!", "Chosen-Pass-3!")
        .await
        .refused_page(400);
    begin(&mut visitor, "/sign-in", "Chosen-Pass-3!")
        .await
        .refused_page(400);
}
