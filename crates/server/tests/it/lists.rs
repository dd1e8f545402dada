//! Lists out of the database: what is beside what the caller may see changes no byte of an answer, and no parameter becomes SQL.

mod questions;

use axum::http::Method;
use reeve_testkit::own_postgres;
use reeve_types::{Clock, Timestamp};
use serde_json::{Value, json};

use crate::server::{OrganizationFixture, Server, rule};
use crate::{credentials, secret_assets};

const LISTS: [&str; 5] = [
    "/api/v1/org-unit/departments",
    "/api/v1/org-unit/projects",
    "/api/v1/authorization/access-rules",
    "/api/v1/workloads",
    "/api/v1/workloads/trainings",
];

async fn on_postgres() -> Option<(OrganizationFixture, reeve_testkit::Postgres)> {
    let postgres = own_postgres()?;
    let clock = Clock::fixed(Timestamp::from_millis(1_700_000_000_000));
    let server = Server::open_postgres(&postgres.url("postgres"), clock).await;
    Some((OrganizationFixture::on(server).await, postgres))
}

async fn answers(organization: &OrganizationFixture, token: &str) -> Vec<(String, u16, String)> {
    let mut all = Vec::new();
    for question in questions::all(organization) {
        let text = question.text();
        let body = match &question.body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let server = &organization.server;
        let answer = server.call(token, question.method, &question.path, body).await;
        all.push((text, answer.status.as_u16(), answer.text));
    }
    all
}

/// A credential, a secret asset of it and a policy in a project.
async fn furnish(server: &Server, project: &str, name: &str) {
    let scope = ("project", project);
    let admin = server.admin.as_str();
    let credential = credentials::keep(server, admin, "password", name, scope).await;
    secret_assets::keep(server, admin, name, scope, &credential).await;
    let policy = json!({"meta": {"name": "hardening", "scope": "project", "projectId": project.parse::<u32>().unwrap()},
        "policy": {"defaults": {"compute": {"gpuDevicesRequest": 1}}}});
    let written = server.call(admin, Method::PUT, "/api/v2/policy/trainings", policy.to_string());
    written.await.is(200);
}

/// A department of another name with 500 projects of names like those that are seen, with rules, workloads, credentials, secret assets
/// and policies in them.
async fn furnish_another(organization: &OrganizationFixture) {
    let server = &organization.server;
    let other = server.department(&organization.cluster, "languages").await;
    for number in 0..500 {
        let project = server
            .project(&organization.cluster, &other, &format!("captions-{number}"))
            .await;
        if number % 5 == 0 {
            server
                .rule(("group", &format!("g{number}")), 9, ("project", &project))
                .await;
        }
        if number % 25 == 0 {
            furnish(server, &project, &format!("token-{number}")).await;
            let train = json!({"name": "train", "projectId": project, "clusterId": organization.cluster, "spec": {"image": "i"}});
            server
                .rule(("user", "alice@example.com"), 5, ("project", &project))
                .await;
            server
                .post(&organization.alice, "/api/v1/workloads/trainings", train)
                .await
                .is(202);
        }
    }
}

async fn what_is_hidden_changes_no_byte(organization: &OrganizationFixture) {
    let server = &organization.server;
    let (_, dana) = server.user("dana@example.com", json!(null)).await;
    // Who may read all there is in one department.
    server
        .rule(
            ("user", "dana@example.com"),
            1,
            ("department", &organization.language),
        )
        .await;
    let train = json!({"name": "train", "projectId": organization.captions, "clusterId": organization.cluster, "spec": {"image": "i"}});
    server
        .rule(
            ("user", "alice@example.com"),
            5,
            ("project", &organization.captions),
        )
        .await;
    server
        .post(&organization.alice, "/api/v1/workloads/trainings", train)
        .await
        .is(202);
    furnish(server, &organization.captions, "token").await;
    let before = answers(organization, &dana).await;
    furnish_another(organization).await;
    let after = answers(organization, &dana).await;
    assert_eq!(before.len(), after.len());
    for (one, other) in before.iter().zip(&after) {
        assert_eq!(one, other);
    }
    // And those that answer something answered it.
    let shown = |path: &str| {
        let asked = format!("GET {path}");
        &before.iter().find(|(question, ..)| *question == asked).unwrap().2
    };
    assert!(shown(LISTS[1]).contains("captions"));
    assert!(shown(LISTS[3]).contains("train"));
    assert!(shown("/api/v1/org-unit/projects/7").contains("does not exist"));
    for list in [
        "/api/v1/asset/credentials",
        "/api/v1/asset/credentials/password",
        "/api/v1/asset/datasource/secrets",
    ] {
        assert!(shown(list).contains("\"token\""), "{list}");
    }
    assert!(shown("/api/v2/policy").contains("hardening"));
    assert!(shown("/api/v1/authorization/me/access-rules").contains("language"));
    for question in ["who-can", "explain", "permitted-scopes"] {
        let path = format!("POST /api/v1/authorization/{question} ");
        let answered = before
            .iter()
            .filter(|(asked, status, _)| asked.starts_with(&path) && *status == 200);
        assert!(answered.count() > 0, "{question}");
    }
    // Who sees everything does see it.
    let count = server.get(&server.admin, "/api/v1/org-unit/projects/count").await;
    assert_eq!(count.is(200)["count"], 502);
    for (list, entries) in [
        ("/api/v1/asset/credentials", "entries"),
        ("/api/v1/asset/datasource/secrets", "entries"),
        ("/api/v2/policy", "policies"),
    ] {
        let all = server.get(&server.admin, list).await.is(200);
        assert_eq!(all[entries].as_array().unwrap().len(), 21, "{list}");
    }
}

/// Planted faults: a list whose statement leaves the scopes out shows the other department's; policies that are not cut by them.
#[tokio::test]
async fn what_may_not_be_seen_changes_no_byte_of_an_answer() {
    what_is_hidden_changes_no_byte(&OrganizationFixture::new().await).await;
}

#[tokio::test]
async fn what_may_not_be_seen_changes_no_byte_of_an_answer_on_postgres() {
    if let Some((organization, _postgres)) = on_postgres().await {
        what_is_hidden_changes_no_byte(&organization).await;
    }
}

/// Texts that would end a string, a pattern or a statement.
const INJECTIONS: [&str; 8] = [
    "'",
    "\"",
    "' OR '1'='1",
    "'; DROP TABLE projects; --",
    "%' OR 1=1 --",
    "\\",
    "1) UNION SELECT 1 --",
    "$1",
];

async fn nothing_becomes_sql(organization: &OrganizationFixture) {
    let server = &organization.server;
    let admin = &server.admin;
    let mut before = Vec::new();
    for list in LISTS {
        before.push(server.get(admin, list).await.text);
    }
    let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    for list in LISTS
        .into_iter()
        .chain(["/api/v1/users", "/api/v1/service-accounts"])
    {
        for text in INJECTIONS {
            let text = encoded(text);
            for parameter in ["sortBy", "sortOrder", "offset", "limit", text.as_str()] {
                let answer = server.get(admin, &format!("{list}?{parameter}={text}")).await;
                answer.refused(400);
            }
            let field = format!("{list}?filterBy={text}==x");
            server.get(admin, &field).await.refused(400);
            let column = if list.ends_with("users") {
                "username"
            } else {
                "createdAt"
            };
            let column = if list.ends_with("rules") {
                "scopeName"
            } else {
                column
            };
            let name = if column == "createdAt" { "name" } else { column };
            for query in [format!("search={text}"), format!("filterBy={name}=={text}")] {
                let answer = server.get(admin, &format!("{list}?{query}")).await;
                answer.is(200);
                assert!(!answer.text.contains("robots"), "{query}: {}", answer.text);
            }
        }
    }
    let rules = LISTS[2];
    for text in INJECTIONS.map(encoded) {
        for parameter in ["subjectIdFilter", "subjectIds", "clusterId", "scopeId", "roleId"] {
            let answer = server.get(admin, &format!("{rules}?{parameter}={text}")).await;
            assert_eq!(answer.is(200)["totalRecords"], 0, "{parameter}={text}");
        }
        for parameter in ["subjectType", "scopeType", "includeDeleted", "lastUpdated"] {
            let answer = server.get(admin, &format!("{rules}?{parameter}={text}")).await;
            answer.refused(400);
        }
    }
    for (list, before) in LISTS.into_iter().zip(before) {
        assert_eq!(server.get(admin, list).await.text, before, "{list}");
    }
}

#[tokio::test]
async fn no_parameter_becomes_sql() {
    nothing_becomes_sql(&OrganizationFixture::new().await).await;
}

#[tokio::test]
async fn no_parameter_becomes_sql_on_postgres() {
    if let Some((organization, _postgres)) = on_postgres().await {
        nothing_becomes_sql(&organization).await;
    }
}

/// The columns of a list are named to whom asks for another one.
#[tokio::test]
async fn an_unknown_column_is_answered_with_those_there_are() {
    let server = Server::new().await;
    for query in ["sortBy=colour", "filterBy=colour==red", "sortBy=description"] {
        let path = format!("/api/v1/org-unit/departments?{query}");
        let message = server.get(&server.admin, &path).await.refused(400);
        assert!(
            message.contains("is not one of id, name, clusterId, createdAt"),
            "{message}"
        );
    }
}

/// What a list shows as a phase finds it again: filters, in the database, and the shape, in the server, are of one mind.
#[tokio::test]
async fn every_phase_is_found_by_the_name_that_is_shown() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let train = json!({"name": "train", "projectId": organization.robots, "clusterId": organization.cluster, "spec": {"image": "i"}});
    let made = server
        .post(&organization.alice, "/api/v1/workloads/trainings", train)
        .await
        .is(202);
    let link = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let phases = [
        "Creating",
        "Ready",
        "NotReady",
        "Pending",
        "Running",
        "Completed",
        "Failed",
        "Deleting",
        "Deleted",
    ];
    let rules = LISTS[2];
    let given = rule(("group", "only"), 9, ("project", &organization.robots));
    let given = server.post(&server.admin, rules, given).await.is(201);
    for phase in phases {
        let about = |kind: &str, id: &Value| json!({"kind": kind, "id": id, "phase": phase, "message": ""});
        let report = json!({"objects": [
            about("Project", &json!(organization.robots)),
            about("Workload", &made["workloadId"]),
            about("AccessRule", &given["id"]),
        ]});
        let answer = server.post(&link, "/link/v1/status", report).await;
        assert!(answer.status.is_success(), "{phase}: {}", answer.text);
        let lists = [
            (LISTS[1], "projects", "name==robots", "/status/phase"),
            (LISTS[3], "workloads", "name==train", "/phase"),
            (rules, "accessRules", "subjectId==only", "/status/phase"),
        ];
        for (list, key, which, place) in lists {
            let found = server
                .get(&server.admin, &format!("{list}?filterBy={which}"))
                .await
                .is(200);
            let shown = found[key][0].pointer(place).unwrap().as_str().unwrap().to_owned();
            let again = format!("{list}?filterBy={which},phase=={shown}");
            let again = server.get(&server.admin, &again).await.is(200);
            assert_eq!(again[key], found[key], "{phase} is shown as {shown} in {list}");
        }
    }
}
