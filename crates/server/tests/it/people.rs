//! Users, who the caller is, roles.

use std::sync::Arc;

use axum::http::Method;
use reeve_authz::Role;
use reeve_store::SubjectId;
use serde_json::{Value, json};

use crate::followed::is_fresh;
use crate::server::{ADMIN, ADMIN_PASSWORD, OrganizationFixture, Server, Transcript};

const ALL: &str = "/api/v1/users";

#[tokio::test]
async fn users_are_made_listed_counted_shown_changed_and_deleted() {
    let server = Server::new().await;
    let admin = &server.admin;
    let mut page = Transcript::of(&server);
    let body = json!({"email": "Alice@Example.com", "posix": {"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]}});
    let made = page.post("success", admin, ALL, body.clone()).await.is(201);
    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    page.get("one", admin, &path).await.is(200);
    page.get("the list is a bare array", admin, "/api/v1/users?")
        .await
        .is(200);
    page.get("the count", admin, "/api/v1/users/count?filterBy=isLocal==true")
        .await
        .is(200);
    page.post(
        "the email is taken",
        admin,
        ALL,
        json!({"email": "alice@example.com"}),
    )
    .await
    .refused(409);
    let other = json!({"email": "dave@example.com", "posix": {"uid": 70012, "gid": 5000}});
    page.post("the uid is taken", admin, ALL, other)
        .await
        .refused(409);
    page.post("a bad email", admin, ALL, json!({"email": "alice"}))
        .await
        .refused(400);
    let root = json!({"email": "root@example.com", "posix": {"uid": 0, "gid": 0}});
    page.post("root", admin, ALL, root).await.refused(400);
    let numbers = json!({"uid": 70013, "gid": 5000, "supplementaryGroups": []});
    page.call(
        "other numbers",
        admin,
        Method::PUT,
        &format!("{path}/posix"),
        numbers.clone(),
    )
    .await
    .is(200);
    page.call(
        "no numbers",
        admin,
        Method::PUT,
        &format!("{path}/posix"),
        json!({"uid": 5}),
    )
    .await
    .refused(400);
    let nowhere = "/api/v1/users/00000000-0000-4000-8000-000000000000";
    page.call(
        "unknown",
        admin,
        Method::PUT,
        &format!("{nowhere}/posix"),
        numbers,
    )
    .await
    .refused(404);
    page.get("unknown", admin, nowhere).await.refused(404);
    page.delete("deleted", admin, &path).await.is(204);
    page.delete("deleted before", admin, &path).await.refused(404);
    page.post("her uid stays hers", admin, ALL, body)
        .await
        .refused(409);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn only_an_administrator_of_the_account_gives_numbers() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, carol) = server.user("carol@example.com", json!(null)).await;
    server
        .rule(
            ("user", "carol@example.com"),
            1,
            ("cluster", &organization.cluster),
        )
        .await;
    let body = json!({"email": "mallory@example.com", "posix": {"uid": 70099, "gid": 5000}});
    server.post(&carol, ALL, body.clone()).await.refused(403);
    server.get(&carol, ALL).await.refused(403);
    server
        .get(&carol, &format!("{ALL}/{}", organization.alice_id))
        .await
        .refused(404);
    let path = format!("{ALL}/{}/posix", organization.alice_id);
    server
        .call(
            &carol,
            Method::PUT,
            &path,
            json!({"uid": 70099, "gid": 1000}).to_string(),
        )
        .await
        .refused(404);
    server
        .call(
            &organization.alice,
            Method::PUT,
            &path,
            json!({"uid": 70099, "gid": 1000}).to_string(),
        )
        .await
        .refused(403);
    server.post(&organization.alice, ALL, body).await.refused(403);
}

#[tokio::test]
async fn a_deleted_users_next_request_is_refused_and_her_rules_are_gone() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    server.get(&organization.alice, "/api/v1/me").await.is(200);
    server
        .delete(&server.admin, &format!("{ALL}/{}", organization.alice_id))
        .await
        .is(204);
    server.get(&organization.alice, "/api/v1/me").await.refused(401);
    let path = "/api/v1/authorization/access-rules?subjectIds=alice@example.com";
    assert_eq!(
        server.get(&server.admin, path).await.is(200)["accessRules"],
        json!([])
    );
    server.clock.advance_seconds(reeve_store::EMAIL_RESTS_SECONDS);
    let (_, again) = server.user("alice@example.com", json!(null)).await;
    server.get(&again, "/api/v1/org-unit/projects").await.refused(403);
}

#[tokio::test]
async fn an_email_is_given_again_only_when_no_kubernetes_token_names_it_any_more() {
    const { assert!(reeve_store::EMAIL_RESTS_SECONDS > reeve_identity::token::CLUSTER_SECONDS) };
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = format!("{ALL}/{}", organization.alice_id);
    let password = format!("{path}/password");
    let password = server
        .call(&server.admin, Method::POST, &password, "")
        .await
        .is(200);
    let body = json!({"grantType": "password", "username": "alice@example.com", "password": password["tempPassword"]});
    server.post("", "/api/v1/token", body).await.is(200);
    server.delete(&server.admin, &path).await.is(204);
    let free = server.clock.now().plus_seconds(reeve_store::EMAIL_RESTS_SECONDS);
    let again = || json!({"email": "Alice@example.com"});
    let message = server.post(&server.admin, ALL, again()).await.refused(409);
    assert!(
        message.contains("`alice@example.com` was deleted") && message.contains(&free.to_string()),
        "{message}"
    );
    server.clock.advance_seconds(reeve_store::EMAIL_RESTS_SECONDS - 1);
    server.post(&server.admin, ALL, again()).await.refused(409);
    server.clock.advance_seconds(1);
    server.post(&server.admin, ALL, again()).await.is(201);
}

#[tokio::test]
async fn the_email_of_somebody_who_never_signed_in_is_free_at_once() {
    let server = Server::new().await;
    let body = || json!({"email": "typo@example.com"});
    for _ in 0..2 {
        let made = server.post(&server.admin, ALL, body()).await.is(201);
        let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
        server.delete(&server.admin, &path).await.is(204);
    }
    server.post(&server.admin, ALL, body()).await.is(201);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let server = Server::new().await;
    let me = server.get(&server.admin, "/api/v1/me").await.is(200);
    let path = format!("{ALL}/{}", me["id"].as_str().unwrap());
    let message = server.delete(&server.admin, &path).await.refused(409);
    assert!(message.contains("last local System administrator"), "{message}");
    server
        .delete(&server.admin, "/api/v1/authorization/access-rules/1")
        .await
        .refused(409);
    let body = json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD});
    server.post("", "/api/v1/token", body).await.is(200);
}

#[tokio::test]
async fn everybody_learns_who_she_is() {
    let organization = OrganizationFixture::new().await;
    let mut page = Transcript::of(&organization.server);
    page.get("alice", &organization.alice, "/api/v1/me").await.is(200);
    page.get("an application", &organization.ci, "/api/v1/me")
        .await
        .is(200);
    page.get("nobody", &organization.nobody, "/api/v1/me")
        .await
        .is(200);
    page.get("without a token", "", "/api/v1/me").await.refused(401);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn roles_are_shown_to_who_may_read_them() {
    let organization = OrganizationFixture::new().await;
    let mut page = Transcript::of(&organization.server);
    let admin = &organization.server.admin;
    let roles = page
        .get("all", admin, "/api/v1/authorization/roles")
        .await
        .is(200);
    let names: Vec<_> = roles
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].as_str().unwrap())
        .collect();
    let predefined: Vec<_> = Role::all_predefined().iter().map(Role::display_name).collect();
    assert_eq!(names, predefined);
    for name in ["System administrator", "L1 researcher", "Viewer"] {
        assert!(names.contains(&name), "{name}");
    }
    page.get("one", admin, "/api/v1/authorization/roles/9")
        .await
        .is(200);
    page.get("unknown", admin, "/api/v1/authorization/roles/200")
        .await
        .refused(404);
    page.get(
        "a parameter there is not",
        admin,
        "/api/v1/authorization/roles?search=x",
    )
    .await
    .refused(400);
    page.get("alice", &organization.alice, "/api/v1/authorization/roles")
        .await
        .refused(403);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn the_deprecated_filter_of_the_references_client_is_understood() {
    let organization = OrganizationFixture::new().await;
    let all = async |filter: &str| {
        let path = format!("{ALL}?filter={filter}");
        organization.server.get(&organization.server.admin, &path).await
    };
    let locals = all("runai.is_local:true").await.is(200);
    assert_eq!(locals.as_array().unwrap().len(), 4);
    assert_eq!(all("runai.is_local:false").await.is(200), json!([]));
    let message = all("name:x").await.refused(400);
    assert!(message.contains("`filterBy`"), "{message}");
}

#[tokio::test]
async fn a_new_password_ends_the_old_one_and_what_it_signed_in() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let sign_in = async |word: &str| {
        let body = json!({"grantType": "password", "username": "alice@example.com", "password": word});
        server.post("", "/api/v1/token", body).await
    };
    let path = format!("{ALL}/{}/password", organization.alice_id);
    let nowhere = format!("{ALL}/00000000-0000-4000-8000-000000000000/password");
    let reset = async |token: &str, path: &str| server.call(token, Method::POST, path, "").await;
    reset(&organization.alice, &path).await.refused(403);
    reset(&server.admin, &nowhere).await.refused(404);
    // A password of somebody's choice is not taken; what is refused changes nothing.
    let chosen = json!({"password": "Chosen-1234"});
    server.post(&server.admin, &path, chosen).await.refused(400);
    server.get(&organization.alice, "/api/v1/me").await.is(200);
    let first = reset(&server.admin, &path).await.is(200);
    let first = first["tempPassword"].as_str().unwrap();
    server.get(&organization.alice, "/api/v1/me").await.refused(401);
    let token = sign_in(first).await.is(200)["accessToken"].clone();
    let token = token.as_str().unwrap();
    server.get(token, "/api/v1/me").await.is(200);
    // In the same millisecond as her sign-in.
    let second = reset(&server.admin, &path).await.is(200);
    server.get(token, "/api/v1/me").await.refused(401);
    sign_in(first).await.refused(400);
    // And so is this sign-in, which is good.
    let token = sign_in(second["tempPassword"].as_str().unwrap()).await.is(200)["accessToken"].clone();
    server.get(token.as_str().unwrap(), "/api/v1/me").await.is(200);
}

#[tokio::test]
async fn a_clock_that_ran_ahead_locks_nobody_out() {
    let server = Server::new().await;
    let admin = server
        .app
        .directory()
        .user_by_email(&ADMIN.parse().unwrap())
        .unwrap()
        .id;
    let sign_in = async |server: &Server| {
        let body = json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD});
        let token = server.post("", "/api/v1/token", body).await.is(200)["accessToken"].clone();
        token.as_str().unwrap().to_owned()
    };
    server.clock.advance_seconds(86_400);
    let ahead = sign_in(&server).await;
    server.clock.advance_seconds(-86_400);
    let logout = format!("{ALL}/{admin}/logout");
    server
        .call(&server.admin, Method::POST, &logout, "")
        .await
        .is(200);
    let token = sign_in(&server).await;
    server.get(&token, "/api/v1/me").await.is(200);
    server.get(&ahead, "/api/v1/me").await.refused(401);
    // Nor is what it gave good again once its time has come.
    server.clock.advance_seconds(86_400);
    server.get(&ahead, "/api/v1/me").await.refused(401);
}

#[tokio::test]
async fn a_logout_ends_every_token_and_no_later_one() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = format!("{ALL}/{}/logout", organization.alice_id);
    let nowhere = format!("{ALL}/00000000-0000-4000-8000-000000000000/logout");
    let logout = async |token: &str, path: &str| server.call(token, Method::POST, path, "").await;
    logout(&organization.alice, &path).await.refused(403);
    logout(&server.admin, &nowhere).await.refused(404);
    let answer = logout(&server.admin, &path).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    server.get(&organization.alice, "/api/v1/me").await.refused(401);
    let later = server.token_of(SubjectId::User(organization.alice_id)).await;
    server.get(&later, "/api/v1/me").await.is(200);
    // It is kept, too.
    let again = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    again.get(&organization.alice, "/api/v1/me").await.refused(401);
    again.get(&later, "/api/v1/me").await.is(200);
}

/// Planted faults: the password until now is not asked for; the other sessions go on; a wrong one does not count as a guess.
#[tokio::test]
async fn people_change_their_own_password_by_the_one_until_now() {
    const PATH: &str = "/api/v1/me/password";
    let server = Server::new().await;
    let made = server
        .post(
            &server.admin,
            ALL,
            json!({"email": "alice@example.com", "resetPassword": false}),
        )
        .await
        .is(201);
    let first = made["tempPassword"].as_str().unwrap().to_owned();
    let sign_in = async |password: &str| {
        let body = json!({"grantType": "password", "username": "alice@example.com", "password": password});
        server.post("", "/api/v1/token", body).await
    };
    let token = |answer: Value| answer["accessToken"].as_str().unwrap().to_owned();
    let here = token(sign_in(&first).await.is(200));
    let elsewhere = token(sign_in(&first).await.is(200));
    let key = server
        .post(&here, "/api/v1/access-keys", json!({"name": "notebook"}))
        .await
        .is(201);
    let by_key = json!({"grantType": "client_credentials", "clientId": key["clientId"], "clientSecret": key["clientSecret"]});
    let program = token(server.post("", "/api/v1/token", by_key.clone()).await.is(200));
    let change = async |token: &str, current: &str, new: &str| {
        server
            .post(
                token,
                PATH,
                json!({"currentPassword": current, "newPassword": new}),
            )
            .await
    };
    for (current, new, said) in [
        ("Wrong-Pass-1!", "Chosen-Pass-1!", "`currentPassword` is not"),
        (first.as_str(), "weak", "`newPassword`: a password needs"),
        (
            first.as_str(),
            first.as_str(),
            "`newPassword` is the password until now",
        ),
    ] {
        let refused = change(&here, current, new).await.refused(400);
        assert!(
            refused.starts_with(said) && !refused.contains(current),
            "{refused}"
        );
    }
    change(&program, &first, "Chosen-Pass-1!").await.refused(403);
    let (_, account) = server.service_account("ci").await;
    change(&account, &first, "Chosen-Pass-1!").await.refused(403);
    sign_in("Chosen-Pass-1!").await.refused(400);
    change(&here, &first, "Chosen-Pass-1!").await.is(200);
    // Where it was done goes on; what the password until now began does not.
    server.get(&here, "/api/v1/me").await.is(200);
    server.get(&elsewhere, "/api/v1/me").await.refused(401);
    server.get(&program, "/api/v1/me").await.refused(401);
    is_fresh(&server, "a password was changed").await;
    sign_in(&first).await.refused(400);
    sign_in("Chosen-Pass-1!").await.is(200);
    server.post("", "/api/v1/token", by_key).await.is(200);
    let log = "/api/v1/audit/log?start=2023-11-14&end=2033-11-14&filterBy=subject==alice@example.com,action==reset-password";
    let log = server.get(&server.admin, log).await.is(200);
    assert_eq!(
        (&log["total"], &log["audit_logs"][0]["entity_name"]),
        (&json!(1), &json!("alice@example.com"))
    );
    // Wrong ones count with those of sign-ins, and then the right one is not looked at either.
    for _ in 0..reeve_server::guesses::MOST {
        change(&here, "Wrong-Pass-1!", "Other-Pass-1!").await;
    }
    let answer = change(&here, "Chosen-Pass-1!", "Other-Pass-1!").await;
    answer.refused(429);
    assert!(answer.headers.contains_key("retry-after"));
    sign_in("Chosen-Pass-1!").await.refused(400);
}
