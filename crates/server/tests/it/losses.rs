//! What ends with what: the table in `SECURITY.md`, cell by cell.

use axum::body::Body;
use axum::http::Request;
use reeve_authz::{BootstrapException, Granted};
use reeve_store::{AuditAction, AuditEntry, Fenced, RenewedSession, SessionFacts};
use reeve_testkit::software_authenticator::Passkey;
use reeve_types::UserId;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::server::{OrganizationFixture, Server};
use crate::{identity, passkeys};

/// The table, as it is published.
const PUBLISHED: &str = include_str!("../../../../SECURITY.md");
const ROWS: [&str; 13] = [
    "password",
    "passkey",
    "secret of an application",
    "token of an application",
    "secret of an access key",
    "token of an access key",
    "token of a password's session",
    "cookie of that session",
    "refresh token of a password's session",
    "new tokens for a cluster",
    "session of an identity provider",
    "link secret of a cluster",
    "link token of a cluster",
];
const LOSSES: [Loss; 8] = [
    Loss::Rule,
    Loss::Group,
    Loss::Application,
    Loss::Secret,
    Loss::Session,
    Loss::User,
    Loss::Password,
    Loss::Backup,
];

/// What somebody loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// The access rule that names them.
    Rule,
    /// The group, at the identity provider.
    Group,
    /// The application is deleted.
    Application,
    /// Each secret is replaced: of the application, the access key and the cluster.
    Secret,
    /// Every session of theirs is ended.
    Session,
    /// They are deleted.
    User,
    /// They get another password.
    Password,
    /// The database is put back from a backup.
    Backup,
}

/// Everything that somebody can have.
struct Holder {
    organization: OrganizationFixture,
    erin: Value,
    carol: UserId,
    carols: SessionFacts,
    pat: UserId,
    passkey: Mutex<Passkey>,
    application: Value,
    key: Value,
    rule: i64,
    session: String,
    refresh: String,
    by_key: String,
    by_application: String,
    link: String,
}

fn password(erin: &Value) -> Value {
    json!({"grantType": "password", "username": "erin@example.com", "password": erin["tempPassword"]})
}

fn secret(made: &Value) -> Value {
    json!({"grantType": "client_credentials", "clientId": made["clientId"], "clientSecret": made["clientSecret"]})
}

async fn token(server: &Server, body: Value) -> String {
    let answer = server.post("", "/api/v1/token", body).await.is(200);
    answer["accessToken"].as_str().unwrap().to_owned()
}

impl Holder {
    async fn new() -> Self {
        let organization = OrganizationFixture::new().await;
        let server = &organization.server;
        let admin = &server.admin;
        let erin = json!({"email": "erin@example.com", "resetPassword": false, "posix": {"uid": 61_000, "gid": 5000}});
        let erin = server.post(admin, "/api/v1/users", erin).await.is(201);
        let robots = ("project", organization.robots.as_str());
        let rule = server.rule(("user", "erin@example.com"), 5, robots).await;
        server.rule(("group", "ml"), 9, robots).await;
        let mut with_client = password(&erin);
        with_client["clientId"] = json!("reeve-cli");
        let given = server.post("", "/api/v1/token", with_client).await.is(200);
        let text = |name: &str| given[name].as_str().unwrap().to_owned();
        let (session, refresh) = (text("accessToken"), text("refreshToken"));
        let (carol, _) = server.user("carol@example.com", Value::Null).await;
        let carols = server.provided(carol, &["ml"], Value::Null).await;
        let (pat, pats) = server.user("pat@example.com", Value::Null).await;
        let (passkey, _) = passkeys::make(server, &pats, "Laptop").await;
        let application = server
            .post(admin, "/api/v1/service-accounts", json!({"name": "bot"}))
            .await
            .is(201);
        let key = server
            .post(&session, "/api/v1/access-keys", json!({"name": "notebook"}))
            .await
            .is(201);
        let (by_key, by_application) = (
            token(server, secret(&key)).await,
            token(server, secret(&application)).await,
        );
        let link = server
            .link_token(&organization.cluster, &organization.secret)
            .await;
        Self {
            erin,
            carol,
            carols,
            pat,
            passkey: Mutex::new(passkey),
            application,
            key,
            rule,
            session,
            refresh,
            by_key,
            by_application,
            link,
            organization,
        }
    }

    async fn loses(&self, loss: Loss) {
        let (server, admin) = (&self.organization.server, &self.organization.server.admin);
        let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
        let user = format!("/api/v1/users/{}", id(&self.erin));
        let carol = format!("/api/v1/users/{}", self.carol);
        let pat = format!("/api/v1/users/{}", self.pat);
        match loss {
            Loss::Rule => {
                let rule = format!("/api/v1/authorization/access-rules/{}", self.rule);
                server.delete(admin, &rule).await.is(204);
            }
            Loss::Group => {
                let renewed = RenewedSession {
                    id: self.carols.id,
                    groups: Vec::new(),
                    posix: None,
                    renewal: "sealed".to_owned(),
                    until: self.carols.until,
                };
                let granted = Granted::bootstrap(BootstrapException::SessionRecord);
                let now = server.clock.now();
                let entry = AuditEntry::of_the_system(AuditAction::Update, "users", String::new(), now);
                let done = server.app.store.renew_session(&granted, renewed, entry).await;
                done.unwrap();
                server.app.catch_up().await.unwrap();
            }
            Loss::Application => {
                let path = format!("/api/v1/service-accounts/{}", id(&self.application));
                server.delete(admin, &path).await.is(204);
            }
            Loss::Secret => {
                let cluster = &self.organization.cluster;
                for (by, path) in [
                    (
                        admin,
                        format!("/api/v1/service-accounts/{}/secret", id(&self.application)),
                    ),
                    (
                        &self.session,
                        format!("/api/v1/access-keys/{}/secret", id(&self.key)),
                    ),
                    (admin, format!("/api/v1/clusters/{cluster}/secret")),
                ] {
                    server.post(by, &path, Value::Null).await.is(200);
                }
            }
            Loss::Session => {
                for path in [&user, &carol, &pat] {
                    server
                        .post(admin, &format!("{path}/logout"), Value::Null)
                        .await
                        .is(200);
                }
            }
            Loss::User => {
                for path in [&user, &carol, &pat] {
                    server.delete(admin, path).await.is(204);
                }
            }
            Loss::Password => {
                for path in [&user, &pat] {
                    server
                        .post(admin, &format!("{path}/password"), Value::Null)
                        .await
                        .is(200);
                }
            }
            Loss::Backup => {
                let granted = Granted::bootstrap(BootstrapException::Recovery);
                let store = &server.app.store;
                let lost = Fenced {
                    head: store.fence_news(0).await.unwrap().head,
                    era: 0,
                    numbers: Default::default(),
                };
                let now = server.clock.now();
                let entry = AuditEntry::of_the_system(AuditAction::Restore, "tenant", String::new(), now);
                store.recover(&granted, &lost, &[], entry).await.unwrap();
                server.app.catch_up().await.unwrap();
            }
        }
    }

    /// Whether it is still good.
    async fn has(&self, row: &str) -> bool {
        let organization = &self.organization;
        let server = &organization.server;
        let grants = async |body: Value| server.post("", "/api/v1/token", body).await.status == 200;
        let is_in = async |token: &str| server.get(token, "/api/v1/me").await.status == 200;
        match row {
            "password" => grants(password(&self.erin)).await,
            "passkey" => {
                let mut passkey = self.passkey.lock().await;
                identity::passkeys::is_good(server, &mut passkey).await
            }
            "secret of an application" => grants(secret(&self.application)).await,
            "token of an application" => is_in(&self.by_application).await,
            "secret of an access key" => grants(secret(&self.key)).await,
            "token of an access key" => is_in(&self.by_key).await,
            "token of a password's session" => is_in(&self.session).await,
            "cookie of that session" => {
                let request = Request::get("/account")
                    .header("cookie", format!("__Host-reeve-session={}", self.session));
                let answer = server.send(request.body(Body::empty()).unwrap()).await;
                answer.status == 200
            }
            "refresh token of a password's session" => {
                // Shown again within a minute, it gives the same.
                grants(json!({"grantType": "refresh_token", "refreshToken": self.refresh})).await
            }
            "new tokens for a cluster" => {
                let path = format!("/api/v1/clusters/{}/kubernetes-token", organization.cluster);
                server.post(&self.session, &path, Value::Null).await.status == 200
            }
            "session of an identity provider" => {
                // What the group gives is what there is of it.
                let path = format!("/api/v1/org-unit/projects/{}", organization.robots);
                server.get(&server.token_in(&self.carols), &path).await.status == 200
            }
            "link secret of a cluster" => {
                let body = json!({"clusterId": organization.cluster, "clientSecret": organization.secret});
                server.post("", "/link/v1/token", body).await.status == 200
            }
            "link token of a cluster" => {
                let report = json!({"revision": 0, "objects": []});
                server.post(&self.link, "/link/v1/status", report).await.status != 401
            }
            other => panic!("nobody knows how to look at {other}"),
        }
    }
}

/// The cells of the published table, by row.
fn published(row: &str) -> Vec<&'static str> {
    let line = PUBLISHED
        .lines()
        .find(|line| line.starts_with(&format!("| {row} |")));
    let line = line.unwrap_or_else(|| panic!("SECURITY.md has no row `{row}`"));
    line.trim_matches('|').split('|').skip(1).map(str::trim).collect()
}

/// Planted faults: `SECURITY.md` with a word changed; any of the store's `end_all` left out; `users::delete_all` of keys left out.
#[tokio::test]
async fn each_credential_ends_when_security_md_says() {
    let mut wrong = Vec::new();
    for (at, loss) in LOSSES.into_iter().enumerate() {
        let holder = Holder::new().await;
        for row in ROWS {
            assert!(holder.has(row).await, "{row} is good at first");
        }
        holder.loses(loss).await;
        for row in ROWS {
            let found = if holder.has(row).await { "stays" } else { "ends" };
            let said = published(row);
            assert_eq!(said.len(), LOSSES.len(), "{row}");
            if said[at] != found {
                wrong.push(format!(
                    "{row} / {loss:?}: {found}, and SECURITY.md says {}",
                    said[at]
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
