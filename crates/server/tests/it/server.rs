//! A server in this process.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use reeve_authz::{BootstrapException, Granted, Principal, SubjectKey};
use reeve_identity::{Audience, Claims, MasterKey, Random, SubjectKind, VerifiedIdentity};
use reeve_server::app::{App, Settings};
use reeve_server::bootstrap;
use reeve_server::caller::Caller;
use reeve_server::outgoing::Patience;
use reeve_server::router::router;
use reeve_server::security::Security;
use reeve_store::{AuditAction, AuditEntry, NewSession, SessionFacts, Store, SubjectId};
use reeve_store_sql::SqlStore;
use reeve_types::{Clock, Email, Secret, ServiceAccountId, SessionId, SignInMethod, Timestamp, UserId};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::contract;
use crate::database::Data;

pub(crate) const URL: &str = "https://reeve.test";
pub(crate) const ADMIN: &str = "admin@reeve.example";
pub(crate) const ADMIN_PASSWORD: &str = "First-Pass-1!";

/// How long a session lasts at most.
pub(crate) const SESSION_SECONDS: i64 = 24 * 3600;
/// For how long a refresh token is good unless it is used.
pub(crate) const IDLE_SECONDS: i64 = 8 * 3600;
/// For how many days a key signs.
pub(crate) const KEY_DAYS: u32 = 30;

/// A user who calls, without a token: for what the store is asked directly.
pub(crate) fn caller(id: SubjectId, email: &Email) -> Caller {
    Caller {
        access_key: None,
        has_temporary_password: false,
        id,
        session: SessionId::from_uuid(uuid::Uuid::nil()),
        shown_by: SessionId::from_uuid(uuid::Uuid::nil()),
        principal: Principal::alone(SubjectKey::User(email.clone())),
        name: email.to_string(),
    }
}

/// The server, and the data it lives on.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) router: Router,
    pub(crate) clock: Clock,
    pub(crate) sql: Arc<SqlStore>,
    pub(crate) dir: Arc<Data>,
    pub(crate) admin: String,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// An error in the one shape.
    pub(crate) fn refused(&self, status: u16) -> String {
        let body = self.is(status);
        assert_eq!(body["code"], status, "{body}");
        assert_eq!(self.headers["content-type"], "application/json");
        body["message"].as_str().unwrap().to_owned()
    }
}

impl Server {
    pub(crate) async fn new() -> Self {
        Self::at(Timestamp::from_millis(1_700_000_000_000)).await
    }

    /// One whose clock stands there.
    pub(crate) async fn at(now: Timestamp) -> Self {
        Self::open(Data::new().await, Clock::fixed(now)).await
    }

    /// Over data that are there.
    pub(crate) async fn open(dir: Arc<Data>, clock: Clock) -> Self {
        Self::over(dir, clock, Patience::default(), true, Random::seeded(7)).await
    }

    /// Over a copy of the data that a server of this process had: it draws other ids than that one did.
    pub(crate) async fn open_copy(dir: Arc<Data>, clock: Clock) -> Self {
        Self::over(dir, clock, Patience::default(), true, Random::seeded(8)).await
    }

    /// One that waits only so long for an operator that does not read.
    pub(crate) async fn with_patience(patience: Patience) -> Self {
        let clock = Clock::fixed(Timestamp::from_millis(1_700_000_000_000));
        Self::over(Data::new().await, clock, patience, true, Random::seeded(7)).await
    }

    /// Over a database of PostgreSQL that the test has made, whatever `DATABASE` asks for.
    pub(crate) async fn open_postgres(url: &str, clock: Clock) -> Self {
        Self::open(Data::given(url), clock).await
    }

    /// One that lets nobody make roles, as the program by default.
    pub(crate) async fn without_custom_roles() -> Self {
        let clock = Clock::fixed(Timestamp::from_millis(1_700_000_000_000));
        let (dir, random) = (Data::new().await, Random::seeded(7));
        Self::over(dir, clock, Patience::default(), false, random).await
    }

    async fn over(
        dir: Arc<Data>,
        clock: Clock,
        patience: Patience,
        custom_roles: bool,
        random: Random,
    ) -> Self {
        let store = Arc::new(dir.store(clock.now()).await);
        let master = MasterKey::from_bytes(&[7; 32]).unwrap();
        if !reeve_store::Installation::is_initialized(store.as_ref())
            .await
            .unwrap()
        {
            let (email, password) = (ADMIN.parse().unwrap(), Secret::new(ADMIN_PASSWORD));
            bootstrap::first_start(
                store.as_ref(),
                &master,
                &random,
                &email,
                &password,
                false,
                clock.now(),
            )
            .await
            .unwrap();
        }
        let installed = bootstrap::installed(store.as_ref(), &master).await.unwrap();
        let security = Security::new(&master, installed.keys, URL, random).unwrap();
        let settings = Settings {
            public_url: URL.to_owned(),
            namespace_prefix: "reeve-".to_owned(),
            reserved_namespaces: reeve_types::ReservedNamespaces::default(),
            workloads_per_project: 50,
            account_created_at: installed.created_at,
            heartbeat: Duration::from_millis(50),
            link_patience: patience,
            shared_database: true,
            failed_attempts_days: Some(90),
            session_seconds: SESSION_SECONDS,
            refresh_idle_seconds: IDLE_SECONDS,
            custom_roles,
            charts: reeve_server::installation::Charts::default(),
            idp_certificate_authority: None,
            signing_key_days: Some(KEY_DAYS),
        };
        let app = App::new(
            Arc::clone(&store) as Arc<dyn Store>,
            clock.clone(),
            security,
            settings,
            Arc::default(),
        )
        .await
        .unwrap();
        let router = router(Arc::clone(&app));
        let id = app.directory().user_by_email(&ADMIN.parse().unwrap()).unwrap().id;
        let mut server = Self {
            app,
            router,
            clock,
            sql: store,
            dir,
            admin: String::new(),
        };
        server.admin = server.token_of(SubjectId::User(id)).await;
        server
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        contract::check(&method, &path, &parts, &text);
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    pub(crate) async fn call(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, Method::POST, path, body.to_string()).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::DELETE, path, Body::empty()).await
    }

    /// A REST token without the password queue.
    pub(crate) async fn token_of(&self, subject: SubjectId) -> String {
        let proven = {
            let known = self.app.directory().snapshot();
            let user = known
                .users
                .into_iter()
                .find(|it| SubjectId::User(it.id) == subject);
            let account = known.service_accounts.into_iter();
            let account = account
                .into_iter()
                .find(|it| SubjectId::ServiceAccount(it.id) == subject);
            (user, account)
        };
        let store = &self.app.store;
        let proven = match proven {
            (Some(user), _) => store.password_verifier(&user.email).await.unwrap().unwrap().1,
            (_, Some(account)) => store.secret_verifier(&account.name).await.unwrap().unwrap().1,
            _ => panic!("{subject:?} is not there"),
        };
        let new = NewSession {
            // Not the seeded ones: they would be drawn again after a restart.
            id: SessionId::from_uuid(Random::system().uuid().unwrap()),
            subject,
            method: SignInMethod::Password,
            groups: Vec::new(),
            posix: None,
            until: self.clock.now().plus_seconds(SESSION_SECONDS),
            go_on_until: None,
            provider: None,
            access_key: None,
        };
        let granted = Granted::bootstrap(BootstrapException::SessionRecord);
        let entry = self.signed_in(subject);
        let begun = store.begin_session(&granted, new, Some(&proven), entry).await;
        self.app.catch_up().await.unwrap();
        self.token_in(&begun.unwrap().value.unwrap())
    }

    fn signed_in(&self, subject: SubjectId) -> AuditEntry {
        let id = Random::system().uuid().unwrap().to_string();
        let entry = AuditEntry::of_the_system(AuditAction::SignIn, "users", id, self.clock.now());
        match subject {
            SubjectId::User(id) => entry.about(id, ""),
            SubjectId::ServiceAccount(id) => entry.about(id, ""),
        }
    }

    /// Another token of a session.
    pub(crate) fn token_in(&self, session: &SessionFacts) -> String {
        let directory = self.app.directory();
        let token = self
            .app
            .security
            .rest_token(session, &directory, self.clock.now());
        token.unwrap().0.expose().to_owned()
    }

    /// Signs somebody in by an identity provider that says this; the road of every sign-in.
    pub(crate) async fn provided(&self, user: UserId, groups: &[&str], posix: Value) -> SessionFacts {
        let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
        let posix = (!posix.is_null()).then(|| serde_json::from_value(posix).unwrap());
        let identity = VerifiedIdentity::by_provider(user, groups, posix).unwrap();
        let entry = self.signed_in(SubjectId::User(user));
        let begun = self.app.sign_in(&identity, None, false, entry).await;
        begun.unwrap().expect("the user is there")
    }

    /// A person and her token.
    pub(crate) async fn user(&self, email: &str, posix: Value) -> (UserId, String) {
        let mut body = json!({"email": email, "resetPassword": false});
        if !posix.is_null() {
            body["posix"] = posix;
        }
        let made = self.post(&self.admin, "/api/v1/users", body).await.is(201);
        let id: UserId = made["id"].as_str().unwrap().parse().unwrap();
        (id, self.token_of(SubjectId::User(id)).await)
    }

    /// A service account and its token.
    pub(crate) async fn service_account(&self, name: &str) -> (ServiceAccountId, String) {
        let made = self
            .post(&self.admin, "/api/v1/service-accounts", json!({"name": name}))
            .await
            .is(201);
        let id: ServiceAccountId = made["id"].as_str().unwrap().parse().unwrap();
        (id, self.token_of(SubjectId::ServiceAccount(id)).await)
    }

    /// A cluster, and its secret.
    pub(crate) async fn cluster(&self, name: &str) -> (String, String) {
        let made = self
            .post(&self.admin, "/api/v1/clusters", json!({"name": name}))
            .await
            .is(201);
        (
            made["uuid"].as_str().unwrap().to_owned(),
            made["clientSecret"].as_str().unwrap().to_owned(),
        )
    }

    pub(crate) async fn department(&self, cluster: &str, name: &str) -> String {
        let body = json!({"name": name, "clusterId": cluster, "resources": []});
        let made = self
            .post(&self.admin, "/api/v1/org-unit/departments", body)
            .await
            .is(201);
        made["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn project(&self, cluster: &str, department: &str, name: &str) -> String {
        let body = json!({"name": name, "clusterId": cluster, "parentId": department, "resources": []});
        let made = self
            .post(&self.admin, "/api/v1/org-unit/projects", body)
            .await
            .is(201);
        made["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn rule(&self, subject: (&str, &str), role: i64, scope: (&str, &str)) -> i64 {
        let made = self
            .post(
                &self.admin,
                "/api/v1/authorization/access-rules",
                rule(subject, role, scope),
            )
            .await;
        made.is(201)["id"].as_i64().unwrap()
    }

    /// A token of the link.
    pub(crate) async fn link_token(&self, cluster: &str, secret: &str) -> String {
        let body = json!({"clusterId": cluster, "clientSecret": secret});
        let answer = self.post("", "/link/v1/token", body).await.is(200);
        answer["accessToken"].as_str().unwrap().to_owned()
    }
}

/// The body of a rule.
pub(crate) fn rule(subject: (&str, &str), role: i64, scope: (&str, &str)) -> Value {
    json!({
        "subjectType": subject.0, "subjectId": subject.1, "roleId": role, "scopeType": scope.0, "scopeId": scope.1,
    })
}

/// The people and places of the demo.
pub(crate) struct OrganizationFixture {
    pub(crate) server: Server,
    pub(crate) cluster: String,
    pub(crate) secret: String,
    pub(crate) vision: String,
    pub(crate) language: String,
    pub(crate) robots: String,
    pub(crate) captions: String,
    pub(crate) alice: String,
    pub(crate) alice_id: UserId,
    pub(crate) alice_rule: i64,
    pub(crate) bob: String,
    pub(crate) ci: String,
    pub(crate) ci_id: ServiceAccountId,
    /// Somebody without any rule.
    pub(crate) nobody: String,
}

impl OrganizationFixture {
    pub(crate) async fn new() -> Self {
        Self::on(Server::new().await).await
    }

    /// On a server with nothing in it.
    pub(crate) async fn on(server: Server) -> Self {
        let (cluster, secret) = server.cluster("demo").await;
        let vision = server.department(&cluster, "vision").await;
        let language = server.department(&cluster, "language").await;
        let robots = server.project(&cluster, &vision, "robots").await;
        let captions = server.project(&cluster, &language, "captions").await;
        let numbers = json!({"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]});
        let (alice_id, alice) = server.user("alice@example.com", numbers).await;
        let (_, bob) = server.user("bob@example.com", Value::Null).await;
        let (_, nobody) = server.user("nobody@example.com", Value::Null).await;
        let (ci_id, ci) = server.service_account("ci").await;
        let alice_rule = server
            .rule(("user", "alice@example.com"), 5, ("project", &robots))
            .await;
        server
            .rule(("user", "bob@example.com"), 9, ("department", &language))
            .await;
        server
            .rule(("service-account", "ci"), 5, ("project", &robots))
            .await;
        Self {
            server,
            cluster,
            secret,
            vision,
            language,
            robots,
            captions,
            alice,
            alice_id,
            alice_rule,
            bob,
            ci,
            ci_id,
            nobody,
        }
    }
}

/// Calls and answers, as a page to be read.
pub(crate) struct Transcript<'s> {
    server: &'s Server,
    page: String,
}

impl<'s> Transcript<'s> {
    pub(crate) fn of(server: &'s Server) -> Self {
        Self {
            server,
            page: String::new(),
        }
    }

    pub(crate) async fn call(
        &mut self,
        what: &str,
        token: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> Answer {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = self.server.call(token, method.clone(), path, text).await;
        let _ = writeln!(self.page, "## {what}\n{method} {path}");
        if !body.is_null() {
            let _ = writeln!(self.page, "{body}");
        }
        let _ = write!(self.page, "=> {}", answer.status.as_u16());
        if let Ok(mut body) = serde_json::from_str::<Value>(&answer.text) {
            for secret in ["tempPassword", "clientSecret", "secret", "accessToken", "token"] {
                if let Some(text) = body.get_mut(secret).filter(|it| it.is_string()) {
                    *text = json!("[shown once]");
                }
            }
            let _ = write!(self.page, " {}", serde_json::to_string_pretty(&body).unwrap());
        } else if !answer.text.is_empty() {
            let _ = write!(self.page, " {}", answer.text);
        }
        self.page.push_str("\n\n");
        answer
    }

    pub(crate) async fn get(&mut self, what: &str, token: &str, path: &str) -> Answer {
        self.call(what, token, Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&mut self, what: &str, token: &str, path: &str, body: Value) -> Answer {
        self.call(what, token, Method::POST, path, body).await
    }

    pub(crate) async fn delete(&mut self, what: &str, token: &str, path: &str) -> Answer {
        self.call(what, token, Method::DELETE, path, Value::Null).await
    }

    pub(crate) fn page(self) -> String {
        self.page
    }
}

/// A token made with a key of another server, or with other claims.
pub(crate) fn forged(
    issuer: &str,
    audience: Audience,
    seconds: i64,
    now: Timestamp,
    subject: &UserId,
) -> String {
    let key = reeve_identity::SigningKey::generate().unwrap();
    let subject = (SubjectKind::User, subject.as_uuid());
    let id = Random::seeded(1).uuid().unwrap();
    key.sign(&Claims::new(issuer, audience, subject, "x", now, seconds, id))
        .unwrap()
        .expose()
        .to_owned()
}

/// Writes into the database beside the server.
pub(crate) async fn write_beside(server: &Server, statement: &str) {
    server.dir.beside().write(statement).await;
}
