//! A cluster that lies, and people who bring what they were not given. In each test the honest way is taken first: that is the planted
//! fault turned round.

use std::sync::Arc;

use reeve_store::{AuditAction, Outcome};
use serde_json::{Value, json};

use super::openshift::{IDPS, cluster, settings};
use super::stand_in_openshift::{ALICE, Lie, Lies, StandInOpenshift, person};
use super::visitor::{Visitor, authorize, follow, location, parameter, path_of};
use crate::audit::events;
use crate::server::Server;

const BOB: &str = "0f6f3c1f-3f0e-4a1f-9d27-7b0c9a524a11";

/// How many sign-ins failed with this status, by the audit log.
async fn failed(server: &Server, status: u16) -> u64 {
    let all = events(server).await;
    let of = all.iter().map(|event| &event.entry).filter(|entry| {
        entry.action == AuditAction::SignIn
            && entry.result == Outcome::Failed
            && entry.http_status_code == status
    });
    of.map(|entry| entry.metadata["attempts"].parse::<u64>().unwrap())
        .sum()
}

/// What the page of a test of the provider says of whoever comes.
async fn tested(server: &Server, link: &str) -> String {
    let mut visitor = Visitor::new(server);
    let to = location(&visitor.get(link).await);
    let page = visitor.get(path_of(&follow(&to).await)).await;
    assert!(!page.headers.contains_key("set-cookie"), "{:?}", page.headers);
    page.text.replace("&#39;", "'")
}

/// A cluster, and where its test is.
struct Attacked {
    server: Server,
    openshift: Arc<StandInOpenshift>,
    link: String,
}

impl Attacked {
    async fn new() -> Self {
        let (server, openshift) = cluster().await;
        let test = server
            .get(&server.admin, &format!("{IDPS}/corp/test"))
            .await
            .is(200);
        let link = path_of(test["signInUrl"].as_str().unwrap()).to_owned();
        Visitor::new(&server).signs_in("corp").await.unwrap();
        Self {
            server,
            openshift,
            link,
        }
    }

    /// Whoever comes now is refused with this status, the log of the check says `why`, and the audit log has it.
    async fn refused(&self, what: &str, status: u16, why: &str) {
        let before = failed(&self.server, status).await;
        let answer = Visitor::new(&self.server).signs_in("corp").await.unwrap_err();
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text);
        answer.refused_page(status);
        assert!(!answer.headers.contains_key("set-cookie"), "{what}");
        let reference = answer.headers["x-request-id"].to_str().unwrap();
        assert!(answer.text.contains(reference), "{what}: {}", answer.text);
        assert_eq!(failed(&self.server, status).await, before + 1, "{what}");
        let page = tested(&self.server, &self.link).await;
        assert!(
            page.contains("Nobody could sign in so") && page.contains(why),
            "{what}: {page}"
        );
    }

    async fn refused_when(&self, what: &str, (status, why): (u16, &str), lie: impl FnOnce(&mut Lies)) {
        self.openshift.lie(lie);
        self.refused(what, status, why).await;
        self.openshift.lie(|it| *it = Lies::default());
        Visitor::new(&self.server).signs_in("corp").await.unwrap();
    }
}

/// `state` and `code` come once, `state` is this attempt's, and `iss`, where it comes, is the cluster's own (RFC 9207). Planted faults:
/// either is not compared.
#[tokio::test]
async fn a_redirect_that_was_changed_is_refused() {
    let it = Attacked::new().await;
    let own = json!(it.openshift.oauth);
    for (what, status, why, redirect) in [
        (
            "another state",
            400,
            "another sign-in",
            vec![("state", json!("other"))],
        ),
        ("no state", 400, "no `state`", vec![("state", Value::Null)]),
        (
            "two states",
            400,
            "no `state`, has it twice",
            vec![("state", json!(["*", "*"]))],
        ),
        (
            "two codes",
            400,
            "no `code`, has it twice",
            vec![("code", json!(["a", "b"]))],
        ),
        (
            "a token in place of a code",
            400,
            "no `code`",
            vec![("code", Value::Null), ("access_token", json!("sha256~token"))],
        ),
        (
            "another issuer",
            400,
            "another provider",
            vec![("iss", json!("https://other.test"))],
        ),
        (
            "two issuers",
            400,
            "no `iss`, has it twice",
            vec![("iss", json!([own, own]))],
        ),
        (
            "no",
            403,
            "refused: `access_denied`",
            vec![("code", Value::Null), ("error", json!("access_denied"))],
        ),
        (
            "a made-up code",
            502,
            "`invalid_grant`",
            vec![("code", json!("sha256~made-up"))],
        ),
    ] {
        it.refused_when(what, (status, why), |lies| lies.redirect = redirect)
            .await;
    }
    // It may name itself.
    it.openshift.lie(|lies| lies.redirect = vec![("iss", own)]);
    Visitor::new(&it.server).signs_in("corp").await.unwrap();
    // One that says it always does has to.
    it.openshift.lie(|lies| {
        lies.redirect = Vec::new();
        lies.document = vec![("authorization_response_iss_parameter_supported", json!(true))];
    });
    it.server.clock.advance_seconds(3601);
    let refused = Visitor::new(&it.server).signs_in("corp").await.unwrap_err();
    refused.refused_page(400);
}

/// Planted faults: a token of another type is shown; what the API server gives is taken without being a User; the bound is away.
#[tokio::test]
async fn answers_that_are_none_are_refused() {
    let it = Attacked::new().await;
    let json = |text: &str| Some(Lie::Answer(200, "application/json", text.to_owned()));
    let large = format!("{{\"kind\":\"{}\"}}", "a".repeat(300_000));
    let elsewhere = StandInOpenshift::start().await;
    let away = || Some(Lie::Elsewhere(format!("{}/oauth/token", elsewhere.oauth)));
    for (what, why, token) in [
        ("no JSON", "is not what it has to be", json("[")),
        ("a large token answer", "is not what it has to be", json(&large)),
        (
            "a page",
            "is not what it has to be",
            Some(Lie::Answer(200, "text/html", "{}".to_owned())),
        ),
        (
            "a token twice",
            "is not what it has to be",
            json(r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#),
        ),
        ("a token endpoint that moved", "status 307", away()),
        (
            "a token endpoint that is ill",
            "status 503",
            Some(Lie::Answer(503, "text/plain", String::new())),
        ),
    ] {
        it.refused_when(what, (502, why), |lies| lies.token = token).await;
    }
    for (what, answer) in [
        ("a MAC token", vec![("token_type", json!("mac"))]),
        ("a token of no type", vec![("token_type", Value::Null)]),
        ("no token", vec![("access_token", Value::Null)]),
    ] {
        it.refused_when(what, (502, "type `Bearer`"), |lies| lies.answer = answer)
            .await;
    }
    let moved = Some(Lie::Elsewhere(format!(
        "{}/apis/user.openshift.io/v1/users/~",
        elsewhere.api
    )));
    let list = r#"{"kind":"UserList","apiVersion":"user.openshift.io/v1","items":[]}"#;
    let review = r#"{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"user":{"username":"admin@example.com"}}}"#;
    for (what, why, user) in [
        (
            "an unknown token",
            "status 401",
            Some(Lie::Answer(401, "application/json", "{}".to_owned())),
        ),
        ("a user object that moved", "status 307", moved),
        ("a large user object", "is not what it has to be", json(&large)),
        ("a list of users", "no `User`", json(list)),
        ("another kind", "no `User`", json(review)),
        ("a list", "no JSON object", json("[]")),
    ] {
        it.refused_when(what, (502, why), |lies| lies.user = user).await;
    }
    assert_eq!(*elsewhere.calls.lock().unwrap(), [""; 0], "it was followed");
}

/// A metadata document that names somebody else's endpoints, or plain ones, sends nobody anywhere.
#[tokio::test]
async fn a_metadata_document_that_is_none_is_refused() {
    let it = Attacked::new().await;
    for (what, why, document) in [
        (
            "a token endpoint elsewhere",
            "they have to be one server",
            ("token_endpoint", json!("http://127.0.0.1:1/oauth/token")),
        ),
        (
            "a page elsewhere",
            "they have to be one server",
            (
                "authorization_endpoint",
                json!("https://evil.test/oauth/authorize"),
            ),
        ),
        (
            "no TLS",
            "cannot be used",
            ("token_endpoint", json!("http://oauth.example.com/oauth/token")),
        ),
        ("no issuer", "no `issuer`", ("issuer", Value::Null)),
        (
            "no S256",
            "`plain`",
            ("code_challenge_methods_supported", json!(["plain"])),
        ),
    ] {
        it.openshift.lie(|lies| lies.document = vec![document]);
        let test = it
            .server
            .get(&it.server.admin, &format!("{IDPS}/corp/test"))
            .await
            .is(200);
        let first = &test["steps"][0];
        assert_eq!(
            (&first["step"], &first["outcome"]),
            (&json!("metadata"), &json!("failed")),
            "{what}: {test}"
        );
        assert!(first["found"].as_str().unwrap().contains(why), "{what}: {test}");
        let before = failed(&it.server, 502).await;
        let mut visitor = Visitor::new(&it.server);
        let page = visitor.get(&authorize()).await;
        let attempt = super::visitor::hidden(&page.text, "attempt");
        let path = format!("{}/broker/corp/login?attempt={attempt}", super::visitor::REALM);
        visitor.get(&path).await.refused_page(502);
        assert_eq!(failed(&it.server, 502).await, before + 1, "{what}");
    }
}

/// Planted faults: the challenge is not sent, so that a code of another sign-in is taken.
#[tokio::test]
async fn a_code_or_token_that_was_given_for_something_else_brings_nobody_in() {
    let it = Attacked::new().await;
    // Bob's code, out of his own sign-in that he did not finish, in a browser of Mallory's.
    it.openshift.at_the_browser(person("bob@example.com", BOB, &[]));
    let mut bob = Visitor::new(&it.server);
    let his = follow(&bob.goes_to(&authorize(), "corp").await).await;
    let code = json!(parameter(&his, "code"));
    it.refused_when("another's code", (502, "`invalid_grant`"), |lies| {
        lies.redirect = vec![("code", code)];
    })
    .await;
    // One that another client was given for the same person: whoever runs it could come as everybody who uses it.
    let ours = "https://reeve.test/auth/realms/runai/broker/corp/endpoint";
    let code = json!(it.openshift.code_of_another_client(ours));
    it.refused_when("another client's code", (502, "`invalid_grant`"), |lies| {
        lies.redirect = vec![("code", code)];
    })
    .await;
    // A token brought along proves nothing, wherever it is shown.
    let token = it.openshift.token_of_another_client();
    let shown = json!(token);
    it.refused_when("another client's token", (400, "no `code`"), |lies| {
        lies.redirect = vec![("code", Value::Null), ("access_token", shown)];
    })
    .await;
    it.server.get(&token, "/api/v1/me").await.refused(401);
    for grant in ["external_token_exchange", "exchange_token"] {
        let body = json!({"grantType": grant, "token": token, "idpAlias": "corp"});
        it.server.post("", "/api/v1/token", body).await.refused(400);
    }
    assert_eq!(it.openshift.count(&format!("user Bearer {token}")), 0);
}

/// Two clusters: what one gave is good at no other's address, and what one says is said of nobody of the other.
#[tokio::test]
async fn what_one_cluster_gave_is_good_at_no_other() {
    let it = Attacked::new().await;
    let (a, b) = (&it.openshift, StandInOpenshift::start().await);
    let body = settings("other", &b.api);
    it.server.post(&it.server.admin, IDPS, body).await.is(201);
    // Another cluster's Alice has her address: nobody is merged.
    let refused = Visitor::new(&it.server).signs_in("other").await.unwrap_err();
    refused.refused_page(409);
    b.at_the_browser(person("bob@example.com", BOB, &[]));
    // Its code, which an attacker who runs it has, at the address of the first.
    let mut bob = Visitor::new(&it.server);
    let his = follow(&bob.goes_to(&authorize(), "other").await).await;
    let code = json!(parameter(&his, "code"));
    it.refused_when("the other's code", (502, "`invalid_grant`"), |lies| {
        lies.redirect = vec![("code", code)];
    })
    .await;
    // The attempt at the one, finished at the address of the other.
    let wrong = path_of(&his).replace("/other/", "/corp/");
    bob.get(&wrong).await.refused_page(400);
    // A token of the other, which the first one's OAuth server gives out as its own, is nobody's at its API server.
    let token = b.token_of_another_client();
    let answer = vec![("access_token", json!(token))];
    it.refused_when("the other's token", (502, "status 401"), |lies| {
        lies.answer = answer
    })
    .await;
    assert_eq!(
        (b.count("user"), b.count(&format!("user Bearer {token}"))),
        (1, 0)
    );
    assert!(a.count(&format!("user Bearer {token}")) > 0);
    // With the same UID of another cluster somebody is somebody else.
    let id = async |alias: &str| {
        let token = Visitor::new(&it.server).signs_in(alias).await.unwrap();
        it.server.get(&token, "/api/v1/me").await.is(200)["id"].clone()
    };
    let first = id("corp").await;
    let mut same = person("alice@other.example.com", ALICE, &[]);
    same["metadata"]["annotations"] = json!({});
    b.at_the_browser(same);
    assert_ne!(id("other").await, first);
    // And where the other says that it is the first.
    b.lie(|lies| lies.document = vec![("issuer", json!(a.oauth))]);
    it.server.clock.advance_seconds(3601);
    let mut visitor = Visitor::new(&it.server);
    let page = visitor.get(&authorize()).await;
    let attempt = super::visitor::hidden(&page.text, "attempt");
    let path = format!("{}/broker/other/login?attempt={attempt}", super::visitor::REALM);
    visitor.get(&path).await.refused_page(502);
}

/// Planted faults: a name with a colon is taken; the name says who somebody is.
#[tokio::test]
async fn only_a_user_that_the_cluster_keeps_is_somebody() {
    let it = Attacked::new().await;
    let shape = |change: &dyn Fn(&mut Value)| {
        let mut changed = person("alice@example.com", ALICE, &["ml"]);
        change(&mut changed);
        changed
    };
    let annotated = |name: &str, value: Value| {
        let mut changed = person("alice@example.com", ALICE, &["ml"]);
        changed["metadata"]["annotations"][name] = value;
        changed
    };
    for (what, status, why, person) in [
        (
            "kube:admin",
            403,
            "nobody's account",
            person("kube:admin", "", &["system:cluster-admins"]),
        ),
        (
            "kube:admin with a UID",
            403,
            "nobody's account",
            person("kube:admin", "cXVpdGU", &[]),
        ),
        ("the system", 403, "has a colon", person("system:admin", BOB, &[])),
        (
            "a program",
            403,
            "has a colon",
            person("system:serviceaccount:demo:runner", BOB, &[]),
        ),
        (
            "a name with a colon",
            403,
            "has a colon",
            person("corp:alice@example.com", BOB, &[]),
        ),
        (
            "nobody that is kept",
            403,
            "no `metadata.uid`",
            shape(&|it| drop(it["metadata"].as_object_mut().unwrap().remove("uid"))),
        ),
        (
            "no name",
            502,
            "no `metadata.name`",
            shape(&|it| it["metadata"]["name"] = json!(["alice@example.com"])),
        ),
        (
            "a name that is no address",
            401,
            "`metadata.name`",
            person("alice", BOB, &[]),
        ),
        (
            "groups in another shape",
            403,
            "a number",
            shape(&|it| it["groups"] = json!([7])),
        ),
        (
            "a group that looks like another",
            403,
            "no group can have",
            shape(&|it| it["groups"] = json!(["ml\u{200b}"])),
        ),
        (
            "a uid with a zero before it",
            403,
            "is no id",
            annotated("example.com/uid", json!("02001")),
        ),
        (
            "a uid without a gid",
            403,
            "needs a uid and a gid",
            annotated("example.com/gid", Value::Null),
        ),
        (
            "root",
            403,
            "is not a valid uid",
            annotated("example.com/uid", json!("0")),
        ),
        (
            "the same name with another UID",
            409,
            "",
            person("alice@example.com", BOB, &[]),
        ),
    ] {
        it.openshift.at_the_browser(person);
        if status == 409 {
            let refused = Visitor::new(&it.server).signs_in("corp").await.unwrap_err();
            refused.refused_page(409);
            continue;
        }
        it.refused(what, status, why).await;
    }
    it.openshift.at_the_browser(person("kube:admin", "", &[]));
    let refused = Visitor::new(&it.server).signs_in("corp").await.unwrap_err();
    assert!(
        refused
            .text
            .contains("as a user of an identity provider, or here with a local account"),
        "{}",
        refused.text
    );
    // Renamed she is the same.
    let id = async || {
        let token = Visitor::new(&it.server).signs_in("corp").await.unwrap();
        it.server.get(&token, "/api/v1/me").await.is(200)["id"].clone()
    };
    it.openshift
        .at_the_browser(person("alice@example.com", ALICE, &[]));
    let before = id().await;
    it.openshift
        .at_the_browser(person("alice.miller@example.com", ALICE, &[]));
    assert_eq!(id().await, before);
}

/// What one browser began is finished in no other, not twice and not later; the code is not even asked about then.
#[tokio::test]
async fn an_attempt_at_a_cluster_is_of_one_browser_and_one_use() {
    let it = Attacked::new().await;
    let mut alice = Visitor::new(&it.server);
    let back = follow(&alice.goes_to(&authorize(), "corp").await).await;
    let mut mallory = Visitor::new(&it.server);
    mallory.get(path_of(&back)).await.refused_page(400);
    mallory.goes_to(&authorize(), "corp").await;
    mallory.get(path_of(&back)).await.refused_page(400);
    let cookies = alice.cookies.clone();
    let asked = it.openshift.count("token");
    let sent = location(&alice.get(path_of(&back)).await);
    alice.cookies = cookies;
    alice.get(path_of(&back)).await.refused_page(400);
    assert_eq!(it.openshift.count("token"), asked + 1);
    alice.redeem(&sent).await.is(200);
    let mut late = Visitor::new(&it.server);
    let back = follow(&late.goes_to(&authorize(), "corp").await).await;
    it.server.clock.advance_seconds(601);
    late.get(path_of(&back)).await.refused_page(400);
}

/// A cluster that never comes to an end holds a sign-in for ten seconds.
#[tokio::test]
async fn a_cluster_that_answers_slowly_is_not_waited_for() {
    let it = Attacked::new().await;
    it.openshift.lie(|lies| lies.user = Some(Lie::Drip));
    let begun = tokio::time::Instant::now();
    let refused = Visitor::new(&it.server).signs_in("corp").await.unwrap_err();
    refused.refused_page(502);
    let seconds = begun.elapsed().as_secs();
    assert!((9..30).contains(&seconds), "{seconds}");
}
