//! Access rules many at a time, and one's own.

use serde_json::{Value, json};

use crate::audit::events;
use crate::server::{OrganizationFixture, rule};

const RULES: &str = "/api/v1/authorization/access-rules";
const OWN: &str = "/api/v1/authorization/me/access-rules";

/// Planted faults: a batch that asks once and not for each; a refusal that leaves no event.
#[tokio::test]
async fn a_batch_gives_what_each_would_give_alone_and_no_more() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, lea) = server.user("lea@example.com", Value::Null).await;
    let vision = ("department", organization.vision.as_str());
    server.rule(("user", "lea@example.com"), 2, vision).await;
    let batch = |role: i64| {
        json!({"payload": {"roleId": role,
            "subjects": [{"subjectType": "group", "subjectId": "a"}, {"subjectType": "group", "subjectId": "b"}],
            "scopes": [{"scopeType": "project", "scopeId": organization.robots},
                       {"scopeType": "project", "scopeId": organization.captions},
                       {"scopeType": "tenant", "scopeId": "1"}]}})
    };
    let create = format!("{RULES}/batch-create");
    let codes = |answer: &Value| -> Vec<u64> {
        let failed = answer["failed"].as_array().unwrap();
        failed.iter().map(|it| it["code"].as_u64().unwrap()).collect()
    };
    let before = events(server).await.len();
    let done = server.post(&lea, &create, batch(5)).await.is(200);
    let made: Vec<_> = done["succeeded"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].to_string())
        .collect();
    assert_eq!(
        (made.len(), codes(&done)),
        (2, vec![404, 403, 404, 403]),
        "{done}"
    );
    assert_eq!(done["failed"][0]["payload"]["scopeId"], organization.captions);
    let since = events(server).await.split_off(before);
    assert_eq!(
        since.iter().filter(|it| it.entry.http_status_code == 200).count(),
        2
    );
    assert!(since.iter().any(|it| it.entry.http_status_code == 403));
    // The same again is there already; a role beyond the caller's own is given to nobody.
    assert_eq!(
        codes(&server.post(&lea, &create, batch(5)).await.is(200)),
        [409, 404, 403, 409, 404, 403]
    );
    let beyond = server.post(&lea, &create, batch(1)).await.is(200);
    assert_eq!(
        (&beyond["succeeded"], codes(&beyond)),
        (&json!([]), vec![403, 404, 403, 403, 404, 403])
    );
    server
        .post(&organization.alice, &create, batch(5))
        .await
        .refused(403);

    let delete = format!("{RULES}/batch");
    let others = server.rule(("group", "c"), 1, ("tenant", "1")).await.to_string();
    let ids = json!([made[0], others, "999999", made[1]]);
    for (action, left) in [("validate_delete", 200), ("delete", 404)] {
        let done = server
            .post(&lea, &delete, json!({"ids": ids, "action": action}))
            .await
            .is(200);
        assert_eq!(done["succeeded"], json!([made[0], made[1]]), "{done}");
        assert_eq!(codes(&done), [404, 404]);
        let path = format!("{RULES}/{}", made[0]);
        assert_eq!(
            server.get(&server.admin, &path).await.status.as_u16(),
            if left == 200 { 200 } else { 404 }
        );
    }
    server
        .get(&server.admin, &format!("{RULES}/{others}"))
        .await
        .is(200);
    for wrong in [
        json!({"ids": [], "action": "delete"}),
        json!({"ids": ["1"], "action": "burn"}),
        json!({}),
    ] {
        server.post(&server.admin, &delete, wrong).await.refused(400);
    }
    let mut many = batch(5);
    many["payload"]["subjects"] = json!(vec![json!({"subjectType": "group", "subjectId": "a"}); 101]);
    server.post(&server.admin, &create, many).await.refused(400);
}

/// Planted fault: the subject's own rules alone.
#[tokio::test]
async fn ones_own_rules_are_listed_with_those_of_groups() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    server
        .rule(("group", "ml"), 9, ("department", &organization.language))
        .await;
    server.rule(("group", "others"), 9, ("tenant", "1")).await;
    let session = server.provided(organization.alice_id, &["ml"], Value::Null).await;
    let token = server.token_in(&session);
    let own = server.get(&token, OWN).await.is(200);
    let rules = own["accessRules"]["accessRules"].as_array().unwrap();
    let of: Vec<_> = rules.iter().map(|it| it["subjectId"].as_str().unwrap()).collect();
    assert_eq!(of, ["alice@example.com", "ml"], "{own}");
    assert_eq!(
        (&rules[1]["roleName"], &rules[1]["scopeName"]),
        (&json!("Viewer"), &json!("language"))
    );
    let page = server
        .get(&token, &format!("{OWN}?limit=1&offset=1"))
        .await
        .is(200);
    assert_eq!(
        (
            &page["accessRules"]["totalRecords"],
            &page["accessRules"]["displayRecords"]
        ),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        server
            .get(&token, &format!("{OWN}/count?search=RESEARCH"))
            .await
            .is(200),
        json!({"count": 1})
    );
    let none = server.get(&organization.nobody, OWN).await.is(200);
    assert_eq!(none["accessRules"]["accessRules"], json!([]));
    for wrong in ["limit=501", "sortBy=id"] {
        server.get(&token, &format!("{OWN}?{wrong}")).await.refused(400);
    }
    let again = rule(("group", "ml"), 9, ("department", &organization.language));
    server.post(&server.admin, RULES, again).await.refused(409);
}
