//! A stand-in for an OpenShift cluster: its API server and, at another address, its OAuth server. A real one cannot be had here, so this is
//! written from the documented endpoints: the metadata document, `/oauth/authorize`, `/oauth/token` and `users/~`. It has no pages: whoever
//! comes is the person of the moment, and sent back at once, as with an OAuthClient of the grant method `auto`.
//!
//! It checks what OpenShift checks: client and secret, the redirect address, the challenge where one came, that a code is used once, and
//! that a token is its own. What a test changes is a lie.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

/// The client that is registered, and its secret.
pub(super) const CLIENT: &str = "reeve";
pub(super) const SECRET: &str = "s:e&cret";
/// Another client of the same cluster, and its secret.
pub(super) const OTHER_CLIENT: &str = "other";
pub(super) const OTHER_SECRET: &str = "of another client";
/// Where the User object is.
const USER: &str = "/apis/user.openshift.io/v1/users/~";

/// An answer in place of the true one.
#[derive(Debug, Clone)]
pub(super) enum Lie {
    /// A status, a content type and a body.
    Answer(u16, &'static str, String),
    /// To another address.
    Elsewhere(String),
    /// One byte a second, for ever.
    Drip,
}

/// What it does; a test changes it.
#[derive(Default)]
pub(super) struct Lies {
    /// In place of the metadata document's answer.
    pub(super) metadata: Option<Lie>,
    /// Members of the metadata document.
    pub(super) document: Vec<(&'static str, Value)>,
    /// Parameters of the redirect: changed, or added; null takes one away.
    pub(super) redirect: Vec<(&'static str, Value)>,
    /// In place of the token endpoint's answer.
    pub(super) token: Option<Lie>,
    /// Members of the token endpoint's answer.
    pub(super) answer: Vec<(&'static str, Value)>,
    /// In place of the User object's answer.
    pub(super) user: Option<Lie>,
}

/// A code that was given, and for what.
#[derive(Debug, Clone)]
struct Code {
    client: String,
    redirect_uri: String,
    challenge: Option<String>,
    scope: String,
    person: Value,
}

/// It, running.
pub(super) struct StandInOpenshift {
    /// The address of its API server.
    pub(super) api: String,
    /// The address, and the issuer, of its OAuth server.
    pub(super) oauth: String,
    pub(super) lies: Mutex<Lies>,
    /// Who is at the browser.
    pub(super) person: Mutex<Value>,
    /// What was asked for, in order.
    pub(super) calls: Mutex<Vec<String>>,
    codes: Mutex<HashMap<String, Code>>,
    tokens: Mutex<HashMap<String, Code>>,
    given: AtomicUsize,
}

type Shared = Arc<StandInOpenshift>;

/// Alice's UID.
pub(super) const ALICE: &str = "7b0c9a52-3f0e-4a1f-9d27-0f6f3c1f4a11";

/// A User object as a cluster has them. Alice's uid in containers is 2001, everybody else's another.
pub(super) fn person(name: &str, uid: &str, groups: &[&str]) -> Value {
    let number = if uid == ALICE { "2001" } else { "2011" };
    json!({
        "kind": "User", "apiVersion": "user.openshift.io/v1",
        "metadata": {
            "name": name, "uid": uid, "resourceVersion": "41210", "creationTimestamp": "2026-01-07T08:01:12Z",
            "annotations": {"example.com/uid": number, "example.com/gid": "2002", "example.com/more": "3001"},
        },
        "identities": [format!("corp:{name}")],
        "groups": groups,
    })
}

impl StandInOpenshift {
    /// With `alice` at the browser.
    pub(super) async fn start() -> Shared {
        let bind = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (api, oauth) = (bind().await, bind().await);
        let address =
            |listener: &tokio::net::TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let alice = person(
            "alice@example.com",
            ALICE,
            &["ml", "ml:admins", "system:cluster-admins"],
        );
        let shared = Arc::new(Self {
            api: address(&api),
            oauth: address(&oauth),
            lies: Mutex::default(),
            person: Mutex::new(alice),
            calls: Mutex::default(),
            codes: Mutex::default(),
            tokens: Mutex::default(),
            given: AtomicUsize::default(),
        });
        let api_server = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route(USER, get(user))
            .with_state(Arc::clone(&shared));
        let oauth_server = Router::new()
            .route("/oauth/authorize", get(authorize))
            .route("/oauth/token", post(token))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(api, api_server).await });
        tokio::spawn(async move { axum::serve(oauth, oauth_server).await });
        shared
    }

    /// Lies from now on.
    pub(super) fn lie(&self, change: impl FnOnce(&mut Lies)) {
        change(&mut self.lies.lock().unwrap());
    }

    /// Somebody else is at the browser.
    pub(super) fn at_the_browser(&self, person: Value) {
        *self.person.lock().unwrap() = person;
    }

    pub(super) fn count(&self, call: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|it| it.starts_with(call)).count()
    }

    /// A code of the person of the moment for another client, as somebody has it who runs that client.
    pub(super) fn code_of_another_client(&self, redirect_uri: &str) -> String {
        self.give_code(Code {
            client: OTHER_CLIENT.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: None,
            scope: "user:full".to_owned(),
            person: self.person.lock().unwrap().clone(),
        })
    }

    /// A token of the person of the moment for another client.
    pub(super) fn token_of_another_client(&self) -> String {
        let code = self.code_of_another_client("https://other.test/callback");
        let code = self.codes.lock().unwrap().remove(&code).unwrap();
        self.give_token(code)
    }

    fn give_code(&self, code: Code) -> String {
        let name = self.another("code");
        self.codes.lock().unwrap().insert(name.clone(), code);
        name
    }

    fn give_token(&self, code: Code) -> String {
        let name = self.another("token");
        self.tokens.lock().unwrap().insert(name.clone(), code);
        name
    }

    /// A name that no stand-in gives twice.
    fn another(&self, kind: &str) -> String {
        let port = self.oauth.rsplit(':').next().unwrap();
        format!(
            "sha256~{kind}-{port}-{}",
            self.given.fetch_add(1, Ordering::Relaxed)
        )
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }
}

/// The lie, if there is one.
fn told(lie: Option<Lie>) -> Option<Response> {
    Some(match lie? {
        Lie::Answer(status, kind, body) => (
            StatusCode::from_u16(status).unwrap(),
            [("content-type", kind)],
            body,
        )
            .into_response(),
        Lie::Elsewhere(address) => Redirect::temporary(&address).into_response(),
        Lie::Drip => {
            let drops = futures::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
            });
            ([("content-type", "application/json")], Body::from_stream(drops)).into_response()
        }
    })
}

fn with(mut object: Value, members: &[(&'static str, Value)]) -> Value {
    for (name, value) in members {
        object[*name] = value.clone();
    }
    object
}

async fn metadata(State(it): State<Shared>) -> Response {
    it.note("metadata".to_owned());
    let lies = it.lies.lock().unwrap();
    if let Some(lie) = told(lies.metadata.clone()) {
        return lie;
    }
    let document = json!({
        "issuer": it.oauth,
        "authorization_endpoint": format!("{}/oauth/authorize", it.oauth),
        "token_endpoint": format!("{}/oauth/token", it.oauth),
        "scopes_supported": ["user:full", "user:info", "user:check-access", "user:list-scoped-projects", "user:list-projects"],
        "response_types_supported": ["code", "token"],
        "grant_types_supported": ["authorization_code", "implicit"],
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    Json(with(document, &lies.document)).into_response()
}

fn pairs(text: &[u8]) -> HashMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

async fn authorize(State(it): State<Shared>, RawQuery(query): RawQuery) -> Redirect {
    let asked = pairs(query.unwrap().as_bytes());
    it.note(format!("authorize {}", asked["scope"]));
    assert_eq!(
        (asked["response_type"].as_str(), asked["client_id"].as_str()),
        ("code", CLIENT)
    );
    assert!(
        asked["state"].len() >= 43 && !asked.contains_key("nonce"),
        "{asked:?}"
    );
    let method = asked.get("code_challenge_method").map(String::as_str);
    let challenge = asked
        .get("code_challenge")
        .filter(|it| method == Some("S256") && !it.is_empty());
    let code = it.give_code(Code {
        client: asked["client_id"].clone(),
        redirect_uri: asked["redirect_uri"].clone(),
        challenge: challenge.cloned(),
        scope: asked["scope"].clone(),
        person: it.person.lock().unwrap().clone(),
    });
    let mut answer: Vec<(String, String)> = vec![
        ("code".to_owned(), code),
        ("state".to_owned(), asked["state"].clone()),
    ];
    for (name, value) in &it.lies.lock().unwrap().redirect {
        answer.retain(|(its, _)| its != name);
        let values = match value {
            Value::Null => Vec::new(),
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        // `*` is what would have been there.
        answer.extend(values.iter().map(|value| match value.as_str().unwrap() {
            "*" => ((*name).to_owned(), asked["state"].clone()),
            text => ((*name).to_owned(), text.to_owned()),
        }));
    }
    let mut to = Url::parse(&asked["redirect_uri"]).unwrap();
    to.query_pairs_mut().extend_pairs(answer);
    Redirect::to(to.as_str())
}

async fn token(State(it): State<Shared>, RawForm(form): RawForm) -> Response {
    let asked = pairs(&form);
    let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    it.note(format!("token {}", get("code")));
    let lies = it.lies.lock().unwrap();
    if let Some(lie) = told(lies.token.clone()) {
        return lie;
    }
    let refused = |word: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": word}))).into_response();
    let known = [(CLIENT, SECRET), (OTHER_CLIENT, OTHER_SECRET)];
    if !known.contains(&(get("client_id"), get("client_secret"))) {
        return refused("unauthorized_client");
    }
    let Some(code) = it.codes.lock().unwrap().remove(get("code")) else {
        return refused("invalid_grant");
    };
    let proven = code
        .challenge
        .as_ref()
        .is_none_or(|challenge| *challenge == reeve_oidc::challenge_of(get("code_verifier")));
    if code.client != get("client_id") || code.redirect_uri != get("redirect_uri") || !proven {
        return refused("invalid_grant");
    }
    let scope = code.scope.clone();
    let answer = json!({
        "access_token": it.give_token(code), "expires_in": 86400, "scope": scope, "token_type": "Bearer",
    });
    Json(with(answer, &lies.answer)).into_response()
}

async fn user(State(it): State<Shared>, headers: HeaderMap) -> Response {
    let shown = headers["authorization"].to_str().unwrap().to_owned();
    it.note(format!("user {shown}"));
    if let Some(lie) = told(it.lies.lock().unwrap().user.clone()) {
        return lie;
    }
    let token = shown.strip_prefix("Bearer ").unwrap_or_default();
    let found = it.tokens.lock().unwrap().get(token).cloned();
    let scopes = found.as_ref().map(|code| code.scope.clone()).unwrap_or_default();
    let may = scopes
        .split(' ')
        .any(|scope| ["user:info", "user:full"].contains(&scope));
    match found {
        Some(code) if may => Json(code.person).into_response(),
        Some(_) => (StatusCode::FORBIDDEN, Json(status("Forbidden"))).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(status("Unauthorized"))).into_response(),
    }
}

fn status(reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason})
}
