//! Access rules made by others than the account's administrator.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::server::{OrganizationFixture, rule};

const RULES: &str = "/api/v1/authorization/access-rules";
const ROLES: &str = "/api/v1/authorization/roles";

#[tokio::test]
async fn a_department_administrator_gives_the_listed_roles_in_her_department_and_nothing_else() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    server
        .rule(
            ("user", "dora@example.com"),
            2,
            ("department", &organization.language),
        )
        .await;

    let roles = server.get(&dora, ROLES).await.is(200);
    let inside = [
        ("department", &organization.language),
        ("project", &organization.captions),
    ];
    for role in roles.as_array().unwrap() {
        let id = role["id"].as_i64().unwrap();
        let listed = [4, 5, 6, 7, 9].contains(&id);
        for (kind, scope) in inside {
            let body = rule(("group", "team"), id, (kind, scope));
            let answer = server.post(&dora, RULES, body).await;
            if listed {
                answer.is(201);
            } else {
                let message = answer.refused(403);
                let name = role["name"].as_str().unwrap();
                assert!(message.contains(&format!("may give `{name}`")), "{message}");
                assert!(message.contains("admin@reeve.example"), "{message}");
            }
        }
        let outside = [
            ("project", &organization.robots),
            ("department", &organization.vision),
        ];
        for (kind, scope) in outside {
            let body = rule(("group", "team"), id, (kind, scope));
            let answer = server.post(&dora, RULES, body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "role {id}: {}", answer.text);
        }
        let account = rule(("group", "team"), id, ("tenant", "1"));
        server.post(&dora, RULES, account).await.refused(403);
    }
    assert!(roles.as_array().unwrap().len() >= 19);

    // Neither by a rule for herself, nor by the rights that changing somebody else would give.
    let herself = rule(
        ("user", "dora@example.com"),
        1,
        ("department", &organization.language),
    );
    server.post(&dora, RULES, herself).await.refused(403);
    let secret = format!("/api/v1/service-accounts/{}/secret", organization.ci_id);
    server.post(&dora, &secret, json!({})).await.refused(403);
}

#[tokio::test]
async fn what_a_delegated_rule_gives_is_there_at_once_and_goes_with_it() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    server
        .rule(
            ("user", "dora@example.com"),
            2,
            ("department", &organization.language),
        )
        .await;
    let body = json!({"name": "x", "projectId": organization.captions, "clusterId": organization.cluster, "spec": {"image": "i"}});
    let submit = async || {
        server
            .post(&organization.nobody, "/api/v1/workloads/trainings", body.clone())
            .await
    };
    // The nearest who can help is named, where she may be: by who sees the project.
    submit().await.refused(403);
    let viewer = rule(
        ("user", "nobody@example.com"),
        9,
        ("project", &organization.captions),
    );
    server.post(&dora, RULES, viewer).await.is(201);
    let message = submit().await.refused(403);
    assert!(
        message.contains("dora@example.com") && !message.contains("admin@"),
        "{message}"
    );
    let researcher = rule(
        ("user", "nobody@example.com"),
        5,
        ("project", &organization.captions),
    );
    let made = server.post(&dora, RULES, researcher).await.is(201);
    assert_eq!(made["createdBy"], "dora@example.com");
    assert_ne!(submit().await.status, StatusCode::FORBIDDEN);
    server
        .delete(&dora, &format!("{RULES}/{}", made["id"]))
        .await
        .is(204);
    submit().await.refused(403);
}

/// Planted fault: by the right to delete access rules in her department alone she would take away the rules of those who made
/// her its administrator.
#[tokio::test]
async fn what_somebody_could_not_give_they_do_not_take_away() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    let department = ("department", organization.language.as_str());
    let own = server.rule(("user", "dora@example.com"), 2, department).await;
    let above = rule(("user", "nobody@example.com"), 1, department);
    let above = server.post(&server.admin, RULES, above).await.is(201);
    let given = server
        .post(&dora, RULES, rule(("group", "team"), 5, department))
        .await
        .is(201);
    let message = server
        .delete(&dora, &format!("{RULES}/{}", above["id"]))
        .await
        .refused(403);
    assert!(message.contains("System administrator"), "{message}");
    server
        .delete(&dora, &format!("{RULES}/{}", given["id"]))
        .await
        .is(204);
    server.delete(&dora, &format!("{RULES}/{own}")).await.is(204);
}

/// Who is Department administrator of the whole account gives in departments and projects, and makes no rule of the account.
#[tokio::test]
async fn a_listed_role_is_given_below_clusters_alone() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, dora) = server.user("dora@example.com", Value::Null).await;
    server
        .rule(("user", "dora@example.com"), 2, ("tenant", "1"))
        .await;
    for (kind, id) in [("tenant", "1"), ("cluster", &organization.cluster)] {
        server
            .post(&dora, RULES, rule(("group", "everybody"), 5, (kind, id)))
            .await
            .refused(403);
    }
    for (kind, id) in [
        ("department", &organization.language),
        ("project", &organization.captions),
    ] {
        server
            .post(&dora, RULES, rule(("group", "team"), 5, (kind, id)))
            .await
            .is(201);
    }
}

/// The answer to a new rule shows its subject. Planted fault: an id that is looked up for everybody tells a Project administrator
/// the email that belongs to it.
#[tokio::test]
async fn an_id_is_turned_into_a_name_only_for_who_may_read_it() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, paul) = server.user("paul@example.com", Value::Null).await;
    server
        .rule(
            ("user", "paul@example.com"),
            19,
            ("project", &organization.robots),
        )
        .await;
    let (eve, _) = server.user("eve@example.com", Value::Null).await;
    let by_id = |kind: &str, id: String| rule((kind, &id), 9, ("project", &organization.robots));
    for (kind, known) in [
        ("user", eve.to_string()),
        ("service-account", organization.ci_id.to_string()),
    ] {
        // Nobody's, and else the same: an id may be a name, too.
        let last = if known.ends_with('0') { "1" } else { "0" };
        let unknown = format!("{}{last}", &known[..known.len() - 1]);
        let told = server.post(&paul, RULES, by_id(kind, known.clone())).await;
        let other = server.post(&paul, RULES, by_id(kind, unknown.clone())).await;
        for answer in [&told, &other] {
            assert!([400, 404].contains(&answer.status.as_u16()), "{}", answer.text);
        }
        assert_eq!(
            told.text.replace(&known, "ID"),
            other.text.replace(&unknown, "ID")
        );
        let made = server
            .post(&server.admin, RULES, by_id(kind, known))
            .await
            .is(201);
        let name = made["subjectId"].as_str().unwrap();
        assert!(["eve@example.com", "ci"].contains(&name), "{made}");
        assert!(
            !told.text.contains("eve@") && !told.text.contains("`ci`"),
            "{}",
            told.text
        );
    }
    // By her name he gives it.
    let named = rule(("user", "eve@example.com"), 6, ("project", &organization.robots));
    server.post(&paul, RULES, named).await.is(201);
}
