//! A provider that lies as it is told, named so. It has no pages: whoever comes is `alice`, and sent back at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reeve_identity::SigningKey;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

/// What it does; a test changes it.
pub(super) struct Lies {
    /// Changes the claims of an ID token, before it is signed.
    pub(super) id_token: Box<dyn Fn(&mut Value) + Send>,
    /// What UserInfo says.
    pub(super) userinfo: Value,
    /// Whether a refresh token is given.
    pub(super) refresh: bool,
    /// What is answered in place of the token endpoint's answer.
    pub(super) token: Option<(u16, &'static str, String)>,
    /// The keys that are published; the last one signs.
    pub(super) keys: Vec<SigningKey>,
    /// How many of them, the first ones, are published.
    pub(super) published: usize,
    /// `iss` of the redirect.
    pub(super) says_issuer: Option<String>,
}

/// It, running; its address is its issuer.
pub(super) struct HostileProvider {
    pub(super) issuer: String,
    pub(super) lies: Arc<Mutex<Lies>>,
    pub(super) calls: Arc<Mutex<Vec<String>>>,
    nonces: Arc<Mutex<HashMap<String, String>>>,
}

type Shared = Arc<HostileProvider>;

impl HostileProvider {
    pub(super) async fn start() -> Shared {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let lies = Lies {
            id_token: Box::new(|_| {}),
            userinfo: json!({"sub": "alice"}),
            refresh: false,
            token: None,
            keys: vec![SigningKey::generate().unwrap()],
            published: 1,
            says_issuer: Some(issuer.clone()),
        };
        let shared = Arc::new(Self {
            issuer,
            lies: Arc::new(Mutex::new(lies)),
            calls: Arc::default(),
            nonces: Arc::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/auth", get(authorize))
            .route("/token", post(token))
            .route("/jwks", get(jwks))
            .route("/me", get(userinfo))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        shared
    }

    /// Lies from now on.
    pub(super) fn lie(&self, change: impl FnOnce(&mut Lies)) {
        change(&mut self.lies.lock().unwrap());
    }

    pub(super) fn count(&self, call: &str) -> usize {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|it| it.starts_with(call))
            .count()
    }

    /// A token with these claims, signed by the newest key.
    pub(super) fn signed(&self, claims: &Value) -> String {
        let lies = self.lies.lock().unwrap();
        let key = lies.keys.last().unwrap();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(key.kid().to_owned());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(key.expose_pkcs8())).unwrap()
    }

    fn note(&self, call: &str) {
        self.calls.lock().unwrap().push(call.to_owned());
    }
}

async fn discovery(State(it): State<Shared>) -> Json<Value> {
    it.note("discovery");
    let at = |path: &str| format!("{}{path}", it.issuer);
    Json(json!({
        "issuer": it.issuer, "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"), "jwks_uri": at("/jwks"),
        "userinfo_endpoint": at("/me"), "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn authorize(State(it): State<Shared>, RawQuery(query): RawQuery) -> Redirect {
    let pairs: HashMap<String, String> = form_urlencoded::parse(query.unwrap().as_bytes())
        .into_owned()
        .collect();
    assert_eq!(
        (
            pairs["response_type"].as_str(),
            pairs["code_challenge_method"].as_str()
        ),
        ("code", "S256")
    );
    assert!(pairs["state"].len() >= 43 && pairs["nonce"].len() >= 43 && pairs["code_challenge"].len() == 43);
    let code = format!("code-{}", it.nonces.lock().unwrap().len());
    let kept = format!("{} {}", pairs["nonce"], pairs["code_challenge"]);
    it.nonces.lock().unwrap().insert(code.clone(), kept);
    let mut to = Url::parse(&pairs["redirect_uri"]).unwrap();
    to.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &pairs["state"]);
    if let Some(issuer) = &it.lies.lock().unwrap().says_issuer {
        to.query_pairs_mut().append_pair("iss", issuer);
    }
    Redirect::to(to.as_str())
}

async fn token(State(it): State<Shared>, headers: HeaderMap, RawForm(form): RawForm) -> Response {
    let pairs: HashMap<String, String> = form_urlencoded::parse(&form).into_owned().collect();
    it.note(&format!(
        "token {} {}",
        pairs["grant_type"],
        headers["authorization"].to_str().unwrap()
    ));
    let lies = it.lies.lock().unwrap();
    if let Some((status, kind, body)) = &lies.token {
        return (
            StatusCode::from_u16(*status).unwrap(),
            [("content-type", *kind)],
            body.clone(),
        )
            .into_response();
    }
    let mut nonce = None;
    if pairs["grant_type"] == "authorization_code" {
        let kept = it.nonces.lock().unwrap().remove(&pairs["code"]).unwrap();
        let (its, challenge) = kept.split_once(' ').unwrap();
        assert_eq!(reeve_oidc::challenge_of(&pairs["code_verifier"]), challenge);
        nonce = Some(its.to_owned());
    } else {
        assert_eq!(pairs["refresh_token"], "refresh");
    }
    let now = reeve_types::Clock::system().now().as_seconds();
    let mut claims = json!({
        "iss": it.issuer, "aud": "reeve", "sub": "alice", "nonce": nonce, "iat": now, "exp": now + 3600, "email": "alice@example.com",
        "groups": ["ml"], "uid": 2001, "gid": 2002, "supplementary_groups": [3001],
    });
    (lies.id_token)(&mut claims);
    let key = lies.keys.last().unwrap();
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(key.kid().to_owned());
    let signed =
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(key.expose_pkcs8())).unwrap();
    let mut body = json!({"access_token": "access", "token_type": "Bearer", "id_token": signed});
    if lies.refresh {
        body["refresh_token"] = json!("refresh");
    }
    Json(body).into_response()
}

async fn jwks(State(it): State<Shared>) -> Json<Value> {
    it.note("jwks");
    let lies = it.lies.lock().unwrap();
    let keys: Vec<_> = lies
        .keys
        .iter()
        .take(lies.published)
        .map(SigningKey::jwk)
        .collect();
    Json(json!({ "keys": keys }))
}

async fn userinfo(State(it): State<Shared>, headers: HeaderMap) -> Json<Value> {
    it.note(&format!(
        "userinfo {}",
        headers["authorization"].to_str().unwrap()
    ));
    Json(it.lies.lock().unwrap().userinfo.clone())
}
