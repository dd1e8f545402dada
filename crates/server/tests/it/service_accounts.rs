//! Service accounts.

use axum::http::Method;
use reeve_store::{AuditAction, Outcome, SubjectId};
use serde_json::{Value, json};

use crate::audit::events;
use crate::server::{OrganizationFixture, Server, Transcript};

const ALL: &str = "/api/v1/service-accounts";

/// A service account called `bot`, as its creation answers.
async fn bot(server: &Server) -> Value {
    server
        .post(&server.admin, ALL, json!({"name": "bot"}))
        .await
        .is(201)
}

#[tokio::test]
async fn service_accounts_are_made_listed_shown_and_deleted() {
    let organization = OrganizationFixture::new().await;
    let admin = &organization.server.admin;
    let mut page = Transcript::of(&organization.server);
    let made = page
        .post("success", admin, ALL, json!({"name": "deploy_bot"}))
        .await
        .is(201);
    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    page.get("one: the secret is not readable", admin, &path)
        .await
        .is(200);
    page.get("the list is a bare array", admin, ALL).await.is(200);
    page.post("taken", admin, ALL, json!({"name": "deploy_bot"}))
        .await
        .refused(409);
    page.post("a bad name", admin, ALL, json!({"name": "_x"}))
        .await
        .refused(400);
    page.get(
        "unknown",
        admin,
        &format!("{ALL}/00000000-0000-4000-8000-000000000000"),
    )
    .await
    .refused(404);
    page.post("alice", &organization.alice, ALL, json!({"name": "mine"}))
        .await
        .refused(403);
    page.get("alice", &organization.alice, &path).await.refused(403);
    page.delete("deleted", admin, &path).await.is(204);
    page.delete("deleted before", admin, &path).await.refused(404);
    insta::assert_snapshot!(page.page());
}

/// By either name, with the parameters that lists of people take; without them as before. Planted faults:
/// `service-accounts-are-not-paged`, `service-accounts-by-anothers-column`.
#[tokio::test]
async fn service_accounts_are_listed_in_pages() {
    let organization = OrganizationFixture::new().await;
    let (server, admin) = (&organization.server, &organization.server.admin);
    for number in 0..6 {
        server.clock.advance_seconds(1);
        server.service_account(&format!("bot-{number}")).await;
    }
    for list in [ALL, "/api/v1/apps"] {
        let names = async |query: &str| -> Vec<String> {
            let found = server.get(admin, &format!("{list}{query}")).await.is(200);
            let all = found.as_array().unwrap().iter();
            all.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        let all = ["bot-0", "bot-1", "bot-2", "bot-3", "bot-4", "bot-5", "ci"];
        assert_eq!(names("").await, all);
        assert_eq!(names("?limit=3").await, all[..3]);
        assert_eq!(names("?limit=3&offset=3").await, all[3..6]);
        assert_eq!(names("?limit=3&offset=6").await, all[6..]);
        assert_eq!(names("?limit=3&offset=7").await, [""; 0]);
        let newest = names("?sortBy=createdAt&sortOrder=desc&limit=2").await;
        assert_eq!(newest, ["bot-5", "bot-4"]);
        assert_eq!(names("?filterBy=name==bot-3").await, ["bot-3"]);
        assert_eq!(names("?filterBy=name=@t-&search=5").await, ["bot-5"]);
        assert_eq!(names("?filterBy=createdBy==nobody").await, [""; 0]);
        for wrong in [
            "limit=0",
            "limit=501",
            "offset=-1",
            "sortBy=secret",
            "filterBy=secret==x",
            "page=1",
        ] {
            server.get(admin, &format!("{list}?{wrong}")).await.refused(400);
        }
        // Whoever may see none is told the same whatever the question finds.
        let refused = server.get(&organization.alice, list).await;
        refused.refused(403);
        for query in ["filterBy=name==bot-3", "filterBy=name==nobody"] {
            let asked = server.get(&organization.alice, &format!("{list}?{query}")).await;
            assert_eq!((asked.status, &asked.text), (refused.status, &refused.text));
        }
    }
}

/// By either name it is the same account, with the same rights asked for and the same bounds; what differs is what a secret is called.
#[tokio::test]
async fn an_application_is_a_service_account_by_its_older_name() {
    const APPS: &str = "/api/v1/apps";
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (admin, alice) = (&server.admin, &organization.alice);
    let mut page = Transcript::of(server);
    let made = page
        .post("success", admin, APPS, json!({"name": "older"}))
        .await
        .is(201);
    let id = made["id"].as_str().unwrap();
    let (path, newer) = (format!("{APPS}/{id}"), format!("{ALL}/{id}"));
    let shown = page
        .get("one: the secret is not readable", admin, &path)
        .await
        .is(200);
    assert_eq!(shown, server.get(admin, &newer).await.is(200));
    let listed = server.get(admin, APPS).await.is(200);
    assert_eq!(listed, server.get(admin, ALL).await.is(200));
    page.post("taken", admin, APPS, json!({"name": "older"}))
        .await
        .refused(409);
    page.post(
        "taken by the newer name, too",
        admin,
        ALL,
        json!({"name": "older"}),
    )
    .await
    .refused(409);
    page.post("a bad name", admin, APPS, json!({"name": "_x"}))
        .await
        .refused(400);
    let unknown = format!("{APPS}/00000000-0000-4000-8000-000000000000");
    page.get("unknown", admin, &unknown).await.refused(404);

    let sign_in = async |secret: &Value| {
        let body = json!({"grantType": "app_token", "AppId": "older", "AppSecret": secret});
        server.post("", "/api/v1/token", body).await
    };
    let token = sign_in(&made["secret"]).await.is(200)["accessToken"].clone();
    let token = token.as_str().unwrap();
    let secret = format!("{path}/secret");
    page.post("alice gives no secret", alice, &secret, Value::Null)
        .await
        .refused(403);
    page.post("unknown", admin, &format!("{unknown}/secret"), Value::Null)
        .await
        .refused(404);
    let fresh = page
        .post("a new secret", admin, &secret, Value::Null)
        .await
        .is(200);
    sign_in(&made["secret"]).await.refused(400);
    server.get(token, "/api/v1/me").await.refused(401);
    let token = sign_in(&fresh["secret"]).await.is(200)["accessToken"].clone();
    let token = token.as_str().unwrap();

    let switch = async |caller: &str, enabled: bool| {
        let body = json!({"enabled": enabled}).to_string();
        server.call(caller, Method::PATCH, &path, body).await
    };
    switch(alice, false).await.refused(403);
    let off = switch(admin, false).await;
    assert_eq!((off.status.as_u16(), off.text.as_str()), (200, ""));
    server.get(token, "/api/v1/me").await.refused(401);
    sign_in(&fresh["secret"]).await.refused(400);
    assert_eq!(server.get(admin, &newer).await.is(200)["enabled"], false);

    page.post("alice", alice, APPS, json!({"name": "mine"}))
        .await
        .refused(403);
    page.get("alice lists none", alice, APPS).await.refused(403);
    page.get("alice", alice, &path).await.refused(403);
    page.delete("alice deletes none", alice, &path).await.refused(403);
    page.delete("deleted", admin, &path).await.is(204);
    page.delete("deleted before", admin, &path).await.refused(404);
    server.get(admin, &newer).await.refused(404);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn a_secret_signs_in_in_every_spelling_until_its_account_is_deleted() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let made = bot(server).await;
    let secret = made["clientSecret"].as_str().unwrap();
    for body in [
        json!({"grantType": "client_credentials", "clientID": "bot", "clientSecret": secret}),
        json!({"grantType": "app_token", "AppId": "bot", "AppSecret": secret}),
        json!({"grantType": "app_token", "appID": "bot", "appSecret": secret}),
    ] {
        let answer = server.post("", "/api/v1/token", body).await.is(200);
        server
            .get(answer["accessToken"].as_str().unwrap(), "/api/v1/me")
            .await
            .is(200);
    }
    let body = json!({"grantType": "client_credentials", "clientID": "bot", "clientSecret": secret});
    let token = server.post("", "/api/v1/token", body.clone()).await.is(200);
    let token = token["accessToken"].as_str().unwrap();
    server
        .delete(&server.admin, &format!("{ALL}/{}", made["id"].as_str().unwrap()))
        .await
        .is(204);
    server.get(token, "/api/v1/me").await.refused(401);
    server.post("", "/api/v1/token", body).await.refused(400);
}

#[tokio::test]
async fn a_disabled_account_is_out_and_its_old_tokens_stay_out() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = format!("{ALL}/{}", organization.ci_id);
    let nowhere = format!("{ALL}/00000000-0000-4000-8000-000000000000");
    let switch = async |token: &str, path: &str, body: Value| {
        server.call(token, Method::PATCH, path, body.to_string()).await
    };
    switch(&organization.alice, &path, json!({"enabled": false}))
        .await
        .refused(403);
    switch(&server.admin, &nowhere, json!({"enabled": false}))
        .await
        .refused(404);
    switch(&server.admin, &path, json!({"enabled": "no"}))
        .await
        .refused(400);
    let in_clusters = async || {
        let (granted, cluster) = (
            reeve_server::audit::link_status(),
            organization.cluster.parse().unwrap(),
        );
        let store = &server.app.store;
        let all = store
            .desired_all(&granted, cluster, None, usize::MAX)
            .await
            .unwrap();
        serde_json::to_string(&all.unwrap().upserts)
            .unwrap()
            .contains(r#""name":"ci""#)
    };
    server.get(&organization.ci, "/api/v1/me").await.is(200);
    assert!(in_clusters().await);
    let off = switch(&server.admin, &path, json!({"enabled": false})).await;
    assert_eq!((off.status.as_u16(), off.text.as_str()), (200, ""));
    server.get(&organization.ci, "/api/v1/me").await.refused(401);
    assert!(!in_clusters().await);
    assert_eq!(server.get(&server.admin, &path).await.is(200)["enabled"], false);
    assert_eq!(
        switch(&server.admin, &path, json!({"enabled": true}))
            .await
            .status,
        200
    );
    server.get(&organization.ci, "/api/v1/me").await.refused(401);
    let later = server
        .token_of(SubjectId::ServiceAccount(organization.ci_id))
        .await;
    server.get(&later, "/api/v1/me").await.is(200);
    assert!(in_clusters().await);
}

#[tokio::test]
async fn a_new_secret_ends_the_old_one_and_what_it_signed_in() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let made = bot(server).await;
    let path = format!("{ALL}/{}/secret", made["id"].as_str().unwrap());
    let nowhere = format!("{ALL}/00000000-0000-4000-8000-000000000000/secret");
    let sign_in = async |secret: &Value| {
        let body = json!({"grantType": "client_credentials", "clientID": "bot", "clientSecret": secret});
        server.post("", "/api/v1/token", body).await
    };
    let renew = async |token: &str, path: &str| server.call(token, Method::POST, path, "").await;
    renew(&organization.alice, &path).await.refused(403);
    renew(&server.admin, &nowhere).await.refused(404);
    let token = sign_in(&made["clientSecret"]).await.is(200)["accessToken"].clone();
    let token = token.as_str().unwrap();
    server.get(token, "/api/v1/me").await.is(200);
    let fresh = renew(&server.admin, &path).await.is(200);
    server.get(token, "/api/v1/me").await.refused(401);
    sign_in(&made["clientSecret"]).await.refused(400);
    let token = sign_in(&fresh["clientSecret"]).await.is(200)["accessToken"].clone();
    server.get(token.as_str().unwrap(), "/api/v1/me").await.is(200);
}

#[tokio::test]
async fn a_disabled_account_does_not_sign_in() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let made = bot(server).await;
    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    let switch = async |enabled: bool| {
        let body = json!({"enabled": enabled}).to_string();
        server
            .call(&server.admin, Method::PATCH, &path, body)
            .await
            .is(200);
    };
    let sign_in = async || {
        let body = json!({"grantType": "client_credentials", "clientID": "bot", "clientSecret": made["clientSecret"]});
        server.post("", "/api/v1/token", body).await
    };
    sign_in().await.is(200);
    let before = events(server).await.len();
    switch(false).await;
    sign_in().await.refused(400);
    switch(true).await;
    let token = sign_in().await.is(200)["accessToken"].clone();
    server.get(token.as_str().unwrap(), "/api/v1/me").await.is(200);
    let told: Vec<_> = events(server)
        .await
        .into_iter()
        .skip(before)
        .map(|event| (event.entry.action, event.entry.result, event.entry.entity_name))
        .collect();
    let about = |action, result| (action, result, "bot".to_owned());
    assert_eq!(
        told,
        [
            about(AuditAction::Disable, Outcome::Succeeded),
            about(AuditAction::Enable, Outcome::Succeeded),
            about(AuditAction::SignIn, Outcome::Succeeded),
            // Recorded after the answer.
            about(AuditAction::SignIn, Outcome::Failed),
        ]
    );
}

/// Whoever is called as something that was deleted has nothing of it: neither rules, nor tokens, nor secrets. Planted faults: a
/// deletion that leaves its rules (`live_rules_of_subject` answered with none), and a token that is looked up by name.
#[tokio::test]
async fn a_name_that_is_given_again_inherits_nothing() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let admin = &server.admin;
    let first = bot(server).await;
    let sign_in = |made: &Value| json!({"grantType": "client_credentials", "clientID": "bot", "clientSecret": made["clientSecret"]});
    let token = async |made: &Value| {
        let answer = server.post("", "/api/v1/token", sign_in(made)).await.is(200);
        answer["accessToken"].as_str().unwrap().to_owned()
    };
    let old = token(&first).await;
    let mut rules = Vec::new();
    for (role, scope) in [
        (5, ("project", &organization.robots)),
        (5, ("department", &organization.language)),
        (1, ("cluster", &organization.cluster)),
        (9, ("tenant", &"1".to_owned())),
    ] {
        rules.push(
            server
                .rule(("service-account", "bot"), role, (scope.0, scope.1))
                .await,
        );
    }
    let submit = |name: &str| json!({"name": name, "projectId": organization.robots, "clusterId": organization.cluster, "spec": {"image": "i"}});
    server
        .post(&old, "/api/v1/workloads/trainings", submit("of-the-first"))
        .await;
    server
        .delete(admin, &format!("{ALL}/{}", first["id"].as_str().unwrap()))
        .await
        .is(204);

    let second = bot(server).await;
    assert_ne!(second["id"], first["id"]);
    assert_ne!(second["clientSecret"], first["clientSecret"]);
    server
        .post("", "/api/v1/token", sign_in(&first))
        .await
        .refused(400);
    server.get(&old, "/api/v1/me").await.refused(401);
    let new = token(&second).await;
    for path in [
        "/api/v1/org-unit/projects",
        "/api/v1/org-unit/departments",
        "/api/v1/workloads",
        "/api/v1/authorization/access-rules",
        "/api/v1/users",
    ] {
        server.get(&new, path).await.refused(403);
    }
    server
        .post(&new, "/api/v1/workloads/trainings", submit("of-the-second"))
        .await
        .refused(403);
    for rule in rules {
        let shown = server
            .get(admin, &format!("/api/v1/authorization/access-rules/{rule}"))
            .await;
        assert!(
            shown.status == 404 || shown.json()["deletedAt"] != Value::Null,
            "{}",
            shown.text
        );
    }
    // Nor after the server starts anew from the database.
    let snapshot = server.app.store.directory().await.unwrap();
    let named = |rule: &&reeve_authz::Rule| rule.subject.name() == "bot";
    assert_eq!(snapshot.rules.iter().filter(named).count(), 0);
    let account = second["id"].as_str().unwrap();
    server.get(admin, &format!("{ALL}/{account}")).await.is(200);
}

/// The same of what has a scope: ids are never given twice, and rules are by id.
#[tokio::test]
async fn an_org_unit_that_is_called_as_one_that_was_deleted_inherits_nothing() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let admin = &server.admin;
    let (_, carol) = server.user("carol@example.com", Value::Null).await;
    let carols = ("user", "carol@example.com");

    let (cluster, _) = server.cluster("again").await;
    let department = server.department(&cluster, "again").await;
    let project = server.project(&cluster, &department, "again").await;
    for scope in [
        ("cluster", &cluster),
        ("department", &department),
        ("project", &project),
    ] {
        server.rule(carols, 5, (scope.0, scope.1)).await;
    }
    let projects = "/api/v1/org-unit/projects";
    let departments = "/api/v1/org-unit/departments";
    server.get(&carol, &format!("{projects}/{project}")).await.is(200);

    // From the project upwards: each is deleted and made again with the same name.
    server
        .delete(admin, &format!("{projects}/{project}"))
        .await
        .is(204);
    server
        .delete(admin, &format!("{departments}/{department}"))
        .await
        .is(204);
    server.delete(admin, &format!("/api/v1/clusters/{cluster}")).await;
    let (new_cluster, _) = server.cluster("again").await;
    let new_department = server.department(&new_cluster, "again").await;
    let new_project = server.project(&new_cluster, &new_department, "again").await;
    assert!(new_cluster != cluster && new_department != department && new_project != project);
    for path in [
        format!("{projects}/{new_project}"),
        format!("{departments}/{new_department}"),
        format!("/api/v1/clusters/{new_cluster}"),
    ] {
        let answer = server.get(&carol, &path).await;
        assert!(
            [403, 404].contains(&answer.status.as_u16()),
            "{path}: {}",
            answer.text
        );
    }
    let token = format!("/api/v1/clusters/{new_cluster}/kubernetes-token");
    let answer = server.post(&carol, &token, Value::Null).await;
    assert!([403, 404].contains(&answer.status.as_u16()), "{}", answer.text);
}
