//! Sessions: what a sign-in showed reaches as far as its session does, and no further.

use std::sync::Arc;

use axum::http::Method;
use reeve_server::upkeep;
use reeve_store::{ENDED_SHOWN_SECONDS, SessionFacts, SubjectId};
use reeve_types::UserId;
use serde_json::{Value, json};

use crate::clusters::claims;
use crate::server::{OrganizationFixture, SESSION_SECONDS, Server};

const RULES: &str = "/api/v1/authorization/access-rules";

/// A user of whom an identity provider says this, and a token of theirs.
async fn member(
    server: &Server,
    email: &str,
    groups: &[&str],
    posix: Value,
) -> (UserId, SessionFacts, String) {
    let (id, _) = server.user(email, Value::Null).await;
    let session = server.provided(id, groups, posix).await;
    let token = server.token_in(&session);
    (id, session, token)
}

/// The planted fault is the same user in a session in which the group is missing: nothing is reached.
#[tokio::test]
async fn a_rule_for_a_group_reaches_its_members_from_the_next_request_on_and_no_longer_than_it_lasts() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (carol, _, token) = member(server, "carol@example.com", &["ml", "vpn"], Value::Null).await;
    let dropped = server.token_of(SubjectId::User(carol)).await;
    let project = format!("/api/v1/org-unit/projects/{}", organization.robots);
    server.get(&token, &project).await.refused(403);
    let rule = server
        .rule(("group", "ml"), 9, ("project", &organization.robots))
        .await;
    server.get(&token, &project).await.is(200);
    server.get(&dropped, &project).await.refused(403);
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(me["groups"], json!(["ml", "vpn"]));
    assert_eq!(me["roles"][0]["throughGroup"], "ml");
    let me = server.get(&dropped, "/api/v1/me").await.is(200);
    assert_eq!((&me["groups"], &me["roles"]), (&json!([]), &json!([])));
    // The name is compared as it was sent.
    for other in [["ML"], ["/ml"], ["org/ml"], ["ml "]] {
        let session = server.provided(carol, &other, Value::Null).await;
        server
            .get(&server.token_in(&session), &project)
            .await
            .refused(403);
    }
    server
        .delete(&server.admin, &format!("{RULES}/{rule}"))
        .await
        .is(204);
    server.get(&token, &project).await.refused(403);
}

#[tokio::test]
async fn the_groups_of_the_last_sign_in_are_shown_and_nothing_before_there_was_one() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let made = json!({"email": "carol@example.com"});
    let made = server.post(&server.admin, "/api/v1/users", made).await.is(201);
    let path = format!("/api/v1/users/{}", made["id"].as_str().unwrap());
    let groups = async || server.get(&server.admin, &path).await.is(200)["groups"].clone();
    assert_eq!(groups().await, Value::Null);
    let id = made["id"].as_str().unwrap().parse().unwrap();
    server.provided(id, &["vpn", "ml", "ml"], Value::Null).await;
    assert_eq!(groups().await, json!(["ml", "vpn"]));
    let password =
        json!({"grantType": "password", "username": "carol@example.com", "password": made["tempPassword"]});
    server.post("", "/api/v1/token", password).await.is(200);
    assert_eq!(groups().await, json!([]));
    let listed = server.get(&server.admin, "/api/v1/users").await.is(200);
    let carol = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == made["id"]);
    assert_eq!(carol.unwrap()["groups"], json!([]));
}

#[tokio::test]
async fn one_session_ends_at_once_in_every_process_and_the_others_go_on() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let replica = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    let other = server.token_of(SubjectId::User(organization.alice_id)).await;
    // The other process has not heard of the session, and does not take it for one that ended.
    replica.get(&other, "/api/v1/me").await.is(200);
    let list = format!("/api/v1/users/{}/sessions", organization.alice_id);
    server.get(&organization.alice, &list).await.refused(403);
    let nowhere = "/api/v1/users/00000000-0000-4000-8000-000000000000/sessions";
    server.get(&server.admin, nowhere).await.refused(404);
    let sessions = server.get(&server.admin, &list).await.is(200);
    let (first, second) = (
        claims(&organization.alice)["sid"].clone(),
        claims(&other)["sid"].clone(),
    );
    let shown: Vec<_> = sessions
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    assert!(
        shown.len() == 2 && shown.contains(&first) && shown.contains(&second),
        "{sessions}"
    );
    assert_eq!(sessions[0]["method"], "password");
    let path = format!("/api/v1/sessions/{}", first.as_str().unwrap());
    server.delete(&organization.bob, &path).await.refused(403);
    let answer = server.delete(&server.admin, &path).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    server.delete(&server.admin, &path).await.refused(404);
    server.get(&organization.alice, "/api/v1/me").await.refused(401);
    server.get(&other, "/api/v1/me").await.is(200);
    replica.app.catch_up().await.unwrap();
    replica.get(&organization.alice, "/api/v1/me").await.refused(401);
    replica.get(&other, "/api/v1/me").await.is(200);
    let ended = server.get(&server.admin, &list).await.is(200);
    let ended = ended
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == first)
        .unwrap()
        .clone();
    assert!(ended["endedAt"].is_string(), "{ended}");
}

#[tokio::test]
async fn whoever_signs_out_ends_the_session_of_that_token_alone() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for (token, subject) in [
        (&organization.alice, SubjectId::User(organization.alice_id)),
        (&organization.ci, SubjectId::ServiceAccount(organization.ci_id)),
    ] {
        let other = server.token_of(subject).await;
        let answer = server.call(token, Method::POST, "/api/v1/me/logout", "").await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
        server.get(token, "/api/v1/me").await.refused(401);
        server
            .call(token, Method::POST, "/api/v1/me/logout", "")
            .await
            .refused(401);
        server.get(&other, "/api/v1/me").await.is(200);
    }
}

/// An ended or unknown session makes nobody read the database for long: only a token that is so young that another process may
/// have given it.
#[tokio::test]
async fn a_session_that_nobody_knows_is_looked_for_only_while_it_may_be_new() {
    let organization = OrganizationFixture::new().await;
    let replica = Server::open(
        Arc::clone(&organization.server.dir),
        organization.server.clock.clone(),
    )
    .await;
    let token = organization
        .server
        .token_of(SubjectId::User(organization.alice_id))
        .await;
    organization.server.clock.advance_seconds(31);
    replica.get(&token, "/api/v1/me").await.refused(401);
    replica.app.catch_up().await.unwrap();
    replica.get(&token, "/api/v1/me").await.is(200);
}

#[tokio::test]
async fn a_session_ends_by_itself_and_is_forgotten_a_day_later() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let session = server.provided(organization.alice_id, &["ml"], Value::Null).await;
    server.clock.advance_seconds(SESSION_SECONDS - 100);
    let last = server.token_in(&session);
    assert_eq!(claims(&last)["exp"], session.until.as_seconds());
    server.get(&last, "/api/v1/me").await.is(200);
    // Not by the token's end alone, which is the same.
    let (app, end) = (&server.app, session.until);
    let known = |now| {
        app.directory()
            .authenticate(session.subject, session.id, now)
            .is_some()
    };
    assert!(known(end.plus_seconds(-1)) && !known(end));
    server.clock.advance_seconds(100);
    server.get(&last, "/api/v1/me").await.refused(401);
    upkeep::forget_sessions(&server.app).await;
    assert!(server.app.directory().session(session.id).is_some());
    server.clock.advance_seconds(ENDED_SHOWN_SECONDS + 1);
    upkeep::forget_sessions(&server.app).await;
    assert!(server.app.directory().session(session.id).is_none());
    assert_eq!(server.app.store.directory().await.unwrap().sessions, []);
}

#[tokio::test]
async fn an_application_has_one_session_however_often_it_signs_in() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let made = server
        .post(&server.admin, "/api/v1/service-accounts", json!({"name": "bot"}))
        .await
        .is(201);
    let sign_in = async || {
        let body = json!({"grantType": "client_credentials", "clientID": "bot", "clientSecret": made["clientSecret"]});
        let answer = server.post("", "/api/v1/token", body).await.is(200);
        assert_eq!(answer["expiresIn"], 36_000);
        answer["accessToken"].as_str().unwrap().to_owned()
    };
    let (one, other) = (sign_in().await, sign_in().await);
    let sid = claims(&one)["sid"].clone();
    assert_eq!(claims(&other)["sid"], sid);
    server.clock.advance_seconds(SESSION_SECONDS / 2 + 1);
    let later = sign_in().await;
    assert_ne!(claims(&later)["sid"], sid, "too little of it is left for a token");
    let path = format!("/api/v1/sessions/{}", claims(&later)["sid"].as_str().unwrap());
    server
        .delete(
            &server.token_of(SubjectId::User(organization.alice_id)).await,
            &path,
        )
        .await
        .refused(403);
    let admin = server
        .app
        .directory()
        .user_by_email(&crate::server::ADMIN.parse().unwrap())
        .unwrap()
        .id;
    let admin = server.token_of(SubjectId::User(admin)).await;
    server.delete(&admin, &path).await.is(204);
    server.get(&later, "/api/v1/me").await.refused(401);
}

/// Planted faults: a group that no rule of the cluster names, one that only another cluster's rule names, and one whose name a
/// cluster may have bound to anything. None of them gets in, and what gets in has the prefix.
#[tokio::test]
async fn a_cluster_is_told_those_groups_alone_that_its_rules_name() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (elsewhere, _) = server.cluster("elsewhere").await;
    let everything = ["ml", "vpn", "other", "oidc:admins", "everywhere"];
    let (_, _, token) = member(server, "carol@example.com", &everything, Value::Null).await;
    for (group, scope) in [
        ("ml", ("project", organization.robots.as_str())),
        ("oidc:admins", ("project", &organization.robots)),
        ("other", ("cluster", &elsewhere)),
        ("everywhere", ("tenant", "1")),
    ] {
        server.rule(("group", group), 9, scope).await;
    }
    let told = async |cluster: &str| {
        let path = format!("/api/v1/clusters/{cluster}/kubernetes-token");
        let answer = server.post(&token, &path, Value::Null).await.is(200);
        claims(answer["token"].as_str().unwrap())["groups"].clone()
    };
    assert_eq!(
        told(&organization.cluster).await,
        json!(["reeve-group/everywhere", "reeve-group/ml"])
    );
    assert_eq!(
        told(&elsewhere).await,
        json!(["reeve-group/everywhere", "reeve-group/other"])
    );
    assert_eq!(claims(&token)["groups"], Value::Null, "REST goes by the session");
}

#[tokio::test]
async fn the_identity_providers_posix_identity_counts_until_an_administrator_says_another() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let given = json!({"uid": 70_500, "gid": 5100, "supplementaryGroups": [5101]});
    let (carol, _, token) = member(server, "carol@example.com", &["ml"], given.clone()).await;
    server
        .rule(("group", "ml"), 5, ("project", &organization.robots))
        .await;
    let posix = async || server.get(&token, "/api/v1/me").await.is(200)["posix"].clone();
    let in_cluster = async || {
        let path = format!("/api/v1/clusters/{}/kubernetes-token", organization.cluster);
        let answer = server.post(&token, &path, Value::Null).await.is(200);
        claims(answer["token"].as_str().unwrap())
    };
    assert_eq!(posix().await, given);
    let told = in_cluster().await;
    assert_eq!(
        (&told["uid"], &told["supplementaryGroups"]),
        (&json!("70500"), &json!(["5101"]))
    );
    let spec = json!({"image": "x", "security": {"uidGidSource": "fromIdpToken"}});
    let train = |name: &str| json!({"name": name, "projectId": organization.robots, "clusterId": organization.cluster, "spec": spec});
    server
        .post(&token, "/api/v1/workloads/trainings", train("mine"))
        .await
        .is(202);
    // Whole: no group of the provider's stays.
    let set = json!({"uid": 70_600, "gid": 5200});
    let path = format!("/api/v1/users/{carol}/posix");
    server
        .call(&server.admin, Method::PUT, &path, set.to_string())
        .await
        .is(200);
    assert_eq!(
        posix().await,
        json!({"uid": 70_600, "gid": 5200, "supplementaryGroups": []})
    );
    let told = in_cluster().await;
    assert_eq!(
        (&told["uid"], &told["supplementaryGroups"]),
        (&json!("70600"), &json!([]))
    );
    // What the provider gave once stays this user's.
    let other = json!({"email": "dave@example.com", "posix": {"uid": 70_500, "gid": 5000}});
    server
        .post(&server.admin, "/api/v1/users", other)
        .await
        .refused(409);
}

/// What a session takes of the memory of each process: this, its groups' names, and the map's own room.
#[test]
fn a_session_is_small() {
    assert!(size_of::<SessionFacts>() <= 120, "{}", size_of::<SessionFacts>());
}
