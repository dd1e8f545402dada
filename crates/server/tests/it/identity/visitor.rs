//! Somebody with a browser, in this process: cookies are kept, redirects are followed by the test.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use reeve_oidc::challenge_of;
use reeve_types::Clock;
use serde_json::Value;
use url::Url;

use crate::server::{Answer, Server, URL};

pub(super) const REALM: &str = "/auth/realms/runai";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const REDIRECT: &str = "http://127.0.0.1:43121/";

/// A server whose clock stands at the present moment: the provider has its own.
pub(super) async fn server() -> Server {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Server::at(Clock::system().now()).await
}

/// Cookies of one host.
#[derive(Debug, Default, Clone)]
pub(super) struct Cookies(pub(super) BTreeMap<String, String>);

impl Cookies {
    pub(super) fn keep(&mut self, headers: &HeaderMap) {
        for value in headers.get_all("set-cookie") {
            let (name, rest) = value.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(super) fn header(&self) -> String {
        let all: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        all.join("; ")
    }
}

/// The visitor of a server.
pub(super) struct Visitor<'a> {
    pub(super) server: &'a Server,
    pub(super) cookies: Cookies,
}

/// A path of an address of the server.
pub(super) fn path_of(address: &str) -> &str {
    address
        .strip_prefix(URL)
        .unwrap_or_else(|| panic!("{address} is not ours"))
}

/// Where an answer sends to.
pub(super) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
    answer.headers["location"].to_str().unwrap().to_owned()
}

/// A parameter of an address.
pub(super) fn parameter(address: &str, name: &str) -> String {
    let url = Url::parse(address).unwrap();
    let found = url.query_pairs().find(|(its, _)| its == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {address}"))
        .1
        .into_owned()
}

/// The hidden value of a form.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let from = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    from.unwrap_or_else(|| panic!("no {name} in {page}"))
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

/// What a command line asks for.
pub(super) fn authorize() -> String {
    let mut url = Url::parse(URL).unwrap();
    url.set_path(&format!("{REALM}/protocol/openid-connect/auth"));
    url.query_pairs_mut()
        .append_pair("client_id", "runai-cli")
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("state", "of the command line")
        .append_pair("code_challenge", &challenge_of(VERIFIER))
        .append_pair("code_challenge_method", "S256");
    path_of(url.as_str()).to_owned()
}

impl<'a> Visitor<'a> {
    pub(super) fn new(server: &'a Server) -> Self {
        Self {
            server,
            cookies: Cookies::default(),
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        let request = Request::builder()
            .uri(path)
            .header("cookie", self.cookies.header());
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", self.cookies.header());
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn send(&mut self, request: Request<Body>) -> Answer {
        let answer = self.server.send(request).await;
        self.cookies.keep(&answer.headers);
        answer
    }

    /// Chooses a provider on the page of `path`; where it is sent to.
    pub(super) async fn goes_to(&mut self, path: &str, alias: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status.as_u16(), 200, "{}", page.text);
        let attempt = hidden(&page.text, "attempt");
        location(
            &self
                .get(&format!("{REALM}/broker/{alias}/login?attempt={attempt}"))
                .await,
        )
    }

    /// Types an email and a password into the form of the page of `path`.
    pub(super) async fn types_password(&mut self, path: &str, email: &str, password: &str) -> Answer {
        let page = self.get(path).await;
        let attempt = hidden(&page.text, "attempt");
        let form = [
            ("username", email),
            ("password", password),
            ("attempt", attempt.as_str()),
        ];
        self.post(&format!("{REALM}/login-actions/authenticate"), &form)
            .await
    }

    /// Chooses another password for a temporary one.
    pub(super) async fn chooses_password(&mut self, ticket: &str, new: &str, again: &str) -> Answer {
        let form = [
            ("ticket", ticket),
            ("new-password", new),
            ("new-password-again", again),
        ];
        self.post(&format!("{REALM}/login-actions/required-action"), &form)
            .await
    }

    /// As a command line on a machine without a browser: the path at which a person with one gets a code to carry by hand.
    pub(super) async fn asks_for_a_code_by_hand(&mut self) -> String {
        let challenge = challenge_of(VERIFIER);
        let form = [
            ("client_id", "runai-cli"),
            ("response_type", "code"),
            ("redirect_uri", "https://reeve.test/oauth-code"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let pushed = self
            .post(&format!("{REALM}/protocol/openid-connect/ext/par/request"), &form)
            .await
            .is(201);
        let uri = pushed["request_uri"].as_str().unwrap();
        let uri: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
        format!("{REALM}/protocol/openid-connect/auth?client_id=runai-cli&request_uri={uri}")
    }

    /// The code that a redirect to a command line brings, redeemed.
    pub(super) async fn redeem(&mut self, address: &str) -> Answer {
        assert!(address.starts_with(REDIRECT), "{address}");
        assert_eq!(parameter(address, "state"), "of the command line");
        assert_eq!(parameter(address, "iss"), format!("{URL}{REALM}"));
        self.redeem_code(&parameter(address, "code"), VERIFIER).await
    }

    pub(super) async fn redeem_code(&mut self, code: &str, verifier: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "runai-cli"),
            ("redirect_uri", REDIRECT),
            ("code", code),
            ("code_verifier", verifier),
        ];
        self.post(&format!("{REALM}/protocol/openid-connect/token"), &form)
            .await
    }

    /// A token by way of the provider that sends back at once.
    pub(super) async fn signs_in(&mut self, alias: &str) -> Result<String, Answer> {
        let to = self.goes_to(&authorize(), alias).await;
        let back = follow(&to).await;
        let answer = self.get(path_of(&back)).await;
        if answer.status.as_u16() != 303 {
            return Err(answer);
        }
        let token = self.redeem(&location(&answer)).await.is(200);
        Ok(token["access_token"].as_str().unwrap().to_owned())
    }
}

/// Where a provider without pages sends back to.
pub(super) async fn follow(address: &str) -> String {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = client.get(address).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// Sets a provider up.
pub(super) async fn set_up(server: &Server, alias: &str, issuer: &str, more: Value) {
    let mut body = serde_json::json!({
        "name": alias, "type": "oidc",
        "oidcData": {"clientId": "reeve", "clientSecret": "s:e&cret", "discoverDocumentUrl": issuer, "scopes": ["email", "groups"]},
        "mappers": {"groups": "groups", "uid": "uid", "gid": "gid", "supplementaryGroups": "supplementary_groups"},
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body["oidcData"][name] = value.clone();
    }
    server.post(&server.admin, "/api/v1/idps", body).await.is(201);
}
