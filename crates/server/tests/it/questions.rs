//! Questions about access: why, who can, what can, and what a change would give and take.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::server::{Answer, OrganizationFixture, rule};

const BASE: &str = "/api/v1/authorization";

struct Asking<'o> {
    organization: &'o OrganizationFixture,
}

impl Asking<'_> {
    async fn ask(&self, who: &str, question: &str, body: Value) -> Answer {
        let server = &self.organization.server;
        server.post(who, &format!("{BASE}/{question}"), body).await
    }

    async fn admin(&self, question: &str, body: Value) -> Value {
        let admin = self.organization.server.admin.clone();
        self.ask(&admin, question, body).await.is(200)
    }
}

fn may(permission: &str, (kind, id): (&str, &str), subject: Value) -> Value {
    let (entity, action) = permission.split_once(':').unwrap();
    json!({"resourceType": entity, "action": action, "scopeType": kind, "scopeId": id, "subject": subject})
}

fn user(name: &str) -> Value {
    json!({"subjectType": "user", "subjectId": format!("{name}@example.com")})
}

fn department_administrator() -> (&'static str, i64) {
    ("dora@example.com", 2)
}

async fn dora(organization: &OrganizationFixture) -> String {
    let (name, role) = department_administrator();
    let (_, token) = organization.server.user(name, Value::Null).await;
    let scope = ("department", organization.language.as_str());
    organization.server.rule(("user", name), role, scope).await;
    token
}

/// Planted fault: a rule is named by its group, and the group's way from the department is left out.
#[tokio::test]
async fn everybody_learns_why_she_may_and_what_she_misses() {
    let organization = OrganizationFixture::new().await;
    let asking = Asking {
        organization: &organization,
    };
    let server = &organization.server;
    let project = ("project", organization.robots.as_str());
    let by_group = server
        .rule(("group", "ml"), 9, ("department", &organization.vision))
        .await;
    let session = server.provided(organization.alice_id, &["ml"], Value::Null).await;
    let alice = server.token_in(&session);

    let yes = asking
        .ask(&alice, "explain", may("trainings:read", project, Value::Null))
        .await
        .is(200);
    assert_eq!(
        (&yes["decision"], &yes["complete"], &yes["missing"]),
        (&json!("allow"), &json!(true), &Value::Null)
    );
    assert_eq!(yes["subject"]["groupsFrom"], "this-session");
    let rules: Vec<i64> = yes["allowedBy"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["accessRuleId"].as_i64().unwrap())
        .collect();
    assert_eq!(rules, [organization.alice_rule, by_group]);
    let group = &yes["allowedBy"][1];
    assert_eq!(
        group["through"],
        json!({"subjectType": "group", "subjectId": "ml"})
    );
    let way: Vec<_> = group["scopePath"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["scopeName"].clone())
        .collect();
    assert_eq!(way, [json!("vision"), json!("robots")]);
    // The number of changes is nothing for her.
    assert_eq!(yes["revision"], Value::Null);

    let no = asking
        .ask(&alice, "explain", may("project:delete", project, Value::Null))
        .await
        .is(200);
    assert_eq!(
        (&no["decision"], &no["allowedBy"]),
        (&json!("refuse"), &json!([]))
    );
    let missing = &no["missing"];
    assert_eq!(missing["permission"], "project:delete");
    assert_eq!(missing["grantableAt"]["scopeType"], "tenant");
    assert_eq!(missing["grantableBy"][0]["subjectId"], "admin@reeve.example");
    // The words are those of the refusal itself.
    let path = format!("/api/v1/org-unit/projects/{}", organization.robots);
    let said = server.delete(&alice, &path).await.refused(403);
    assert_eq!(missing["message"], said);

    // By her name it is the same question; in other groups it is one about others.
    let named = may("trainings:read", project, user("alice"));
    assert_eq!(asking.ask(&alice, "explain", named).await.is(200), yes);
    let mut assumed = user("alice");
    assumed["groups"] = json!(["admins"]);
    asking
        .ask(&alice, "explain", may("trainings:read", project, assumed.clone()))
        .await
        .refused(403);
    let said = asking
        .ask(&alice, "what-can", json!({"subject": assumed}))
        .await
        .refused(403);
    assert!(said.contains("access_rules:read"), "{said}");
}

#[tokio::test]
async fn what_is_out_of_sight_is_answered_as_what_is_not_there() {
    let organization = OrganizationFixture::new().await;
    let asking = Asking {
        organization: &organization,
    };
    let dora = dora(&organization).await;
    for who in [&organization.bob, &organization.nobody, &dora] {
        for question in ["explain", "who-can"] {
            for subject in [Value::Null, user("alice")] {
                let ask = async |id: &str| {
                    let mut body = may("trainings:read", ("project", id), subject.clone());
                    if question == "who-can" {
                        body.as_object_mut().unwrap().remove("subject");
                    }
                    asking.ask(who, question, body).await
                };
                let hidden = ask(&organization.robots).await;
                let missing = ask("987654321").await;
                assert!([403, 404].contains(&hidden.status.as_u16()), "{}", hidden.text);
                assert_eq!(hidden.status, missing.status);
                assert_eq!(
                    hidden.text.replace(&format!("`{}`", organization.robots), "`ID`"),
                    missing.text.replace("`987654321`", "`ID`")
                );
            }
        }
    }
}

/// Planted fault: `explain` counts rules above the department, whose answer then shows them.
#[tokio::test]
async fn who_reads_the_rules_of_a_department_learns_nothing_of_others() {
    let mut answers = Vec::new();
    for crowded in [false, true] {
        let organization = OrganizationFixture::new().await;
        let asking = Asking {
            organization: &organization,
        };
        let server = &organization.server;
        let dora = dora(&organization).await;
        let session = server.provided(organization.alice_id, &["ml"], Value::Null).await;
        if crowded {
            // Names like those in sight, and rules above and beside for those who are asked about.
            let other = server.department(&organization.cluster, "language-two").await;
            for number in 0..10 {
                let project = server
                    .project(&organization.cluster, &other, &format!("captions-{number}"))
                    .await;
                server
                    .rule(("user", "alice@example.com"), 5, ("project", &project))
                    .await;
            }
            server
                .rule(("user", "alice@example.com"), 9, ("tenant", "1"))
                .await;
            server
                .rule(("group", "ml"), 5, ("cluster", &organization.cluster))
                .await;
            server
                .rule(
                    ("user", "bob@example.com"),
                    1,
                    ("department", &organization.vision),
                )
                .await;
        }
        drop(session);
        let captions = ("project", organization.captions.as_str());
        let language = ("department", organization.language.as_str());
        let mut own = String::new();
        for (question, body) in [
            ("explain", may("trainings:create", captions, user("alice"))),
            ("explain", may("trainings:read", captions, user("bob"))),
            ("explain", may("trainings:read", captions, Value::Null)),
            ("explain", may("users:read", captions, Value::Null)),
            (
                "explain",
                may(
                    "trainings:read",
                    captions,
                    json!({"subjectType": "group", "subjectId": "ml"}),
                ),
            ),
            (
                "who-can",
                json!({"resourceType": "trainings", "action": "read", "scopeType": "project", "scopeId": captions.1}),
            ),
            (
                "who-can",
                json!({"resourceType": "trainings", "action": "create", "scopeType": "department", "scopeId": language.1}),
            ),
            ("what-can", json!({})),
            ("what-can", json!({"subject": user("alice")})),
            ("what-can", json!({"subject": user("bob"), "limit": 500})),
            ("permitted-scopes", json!({"resourceType": "project"})),
            (
                "preview",
                json!({"addRules": [rule(("user", "alice@example.com"), 5, captions)]}),
            ),
            (
                "preview",
                json!({"addRules": [rule(("group", "ml"), 9, language)]}),
            ),
            (
                "preview",
                json!({"groups": [{"user": "alice@example.com", "join": ["ml"]}]}),
            ),
        ] {
            let answer = asking.ask(&dora, question, body.clone()).await;
            assert!(
                [200, 403].contains(&answer.status.as_u16()),
                "{question} {body}: {}",
                answer.text
            );
            own += &format!("{question} {body}\n{}\n", answer.text);
        }
        answers.push(own);
    }
    assert_eq!(answers[0], answers[1]);
    let text = &answers[0];
    assert!(
        text.contains(r#""decision":"unknown""#) && text.contains(r#""complete":false"#),
        "{text}"
    );
    assert!(text.contains(r#""groupsFrom":"hidden""#), "{text}");
}

#[tokio::test]
async fn an_administrator_asks_about_anybody_in_the_groups_of_her_sessions() {
    let organization = OrganizationFixture::new().await;
    let asking = Asking {
        organization: &organization,
    };
    let server = &organization.server;
    let project = ("project", organization.captions.as_str());
    server.rule(("group", "ml"), 5, project).await;
    let question = may("trainings:create", project, user("alice"));
    let no = asking.admin("explain", question.clone()).await;
    assert_eq!(
        (&no["decision"], &no["complete"]),
        (&json!("refuse"), &json!(true))
    );
    assert!(no["revision"].as_i64().is_some_and(|number| number > 0), "{no}");
    server
        .provided(organization.alice_id, &["other"], Value::Null)
        .await;
    server.provided(organization.alice_id, &["ml"], Value::Null).await;
    let yes = asking.admin("explain", question).await;
    assert_eq!(yes["decision"], "allow");
    assert_eq!(yes["subject"]["groups"], json!(["ml", "other"]));
    assert_eq!(yes["subject"]["groupsFrom"], "open-sessions");
    let mut assumed = user("alice");
    assumed["groups"] = json!([]);
    let no = asking
        .admin("explain", may("trainings:create", project, assumed))
        .await;
    assert_eq!(
        (&no["decision"], &no["subject"]["groupsFrom"]),
        (&json!("refuse"), &json!("question"))
    );
    // Whoever is nobody yet is refused like somebody without rules.
    let nobody = asking
        .admin("explain", may("trainings:create", project, user("not-there")))
        .await;
    assert_eq!(nobody["decision"], "refuse");
    let id = json!({"subjectType": "user", "subjectId": organization.alice_id.to_string()});
    let by_id = asking
        .admin("explain", may("trainings:create", project, id))
        .await;
    assert_eq!(by_id["subject"]["subjectId"], "alice@example.com");
}

/// Planted fault: an id is resolved for whoever may read users or applications in some scope.
#[tokio::test]
async fn an_id_becomes_a_name_for_nobody_but_who_may_read_them_in_the_whole_account() {
    let organization = OrganizationFixture::new().await;
    let asking = Asking {
        organization: &organization,
    };
    let dora = dora(&organization).await;
    let captions = ("project", organization.captions.as_str());
    let (user, application) = (organization.alice_id.to_string(), organization.ci_id.to_string());
    let said = async |kind: &str, id: &str| {
        let subject = json!({"subjectType": kind, "subjectId": id});
        let questions = [
            ("what-can", json!({"subject": subject})),
            ("explain", may("trainings:read", captions, subject)),
            ("preview", json!({"addRules": [rule((kind, id), 9, captions)]})),
            ("access-rules", rule((kind, id), 9, captions)),
        ];
        let mut said = Vec::new();
        for (question, body) in questions {
            let answer = asking.ask(&dora, question, body).await;
            said.push((answer.status, answer.text));
        }
        said
    };
    for answer in said("user", &user).await {
        assert_eq!(answer.0, StatusCode::NOT_FOUND, "{}", answer.1);
        assert!(!answer.1.contains("alice"), "{}", answer.1);
    }
    // An id may be the name of a service account, too: that is all that it is here.
    for answer in said("service-account", &application).await {
        assert!(!answer.1.contains("\"ci\""), "{}", answer.1);
    }
    // By the name, as before.
    let by_name = json!({"subject": {"subjectType": "user", "subjectId": "alice@example.com"}});
    asking.ask(&dora, "what-can", by_name).await.is(200);
}

#[tokio::test]
async fn who_can_and_what_can_come_in_pages_and_say_by_which_rule() {
    let organization = OrganizationFixture::new().await;
    let asking = Asking {
        organization: &organization,
    };
    let server = &organization.server;
    for number in 0..3 {
        server
            .rule(
                ("group", &format!("g{number}")),
                5,
                ("project", &organization.robots),
            )
            .await;
    }
    let ask = |limit: Value, offset: usize| {
        json!({"resourceType": "trainings", "action": "create", "scopeType": "project", "scopeId": organization.robots,
            "limit": limit, "offset": offset})
    };
    let all = asking.admin("who-can", ask(Value::Null, 0)).await;
    assert_eq!(
        (&all["complete"], &all["totalRecords"], &all["next"]),
        (&json!(true), &json!(6), &Value::Null)
    );
    let mut rules = Vec::new();
    let mut offset = 0;
    loop {
        let page = asking.admin("who-can", ask(json!(4), offset)).await;
        rules.extend(page["rules"].as_array().unwrap().clone());
        match page["next"].as_u64() {
            Some(next) => offset = usize::try_from(next).unwrap(),
            None => break,
        }
    }
    assert_eq!(all["rules"], json!(rules));
    // Nearest first; the account's administrator is last.
    assert_eq!(rules[0]["subject"]["subjectId"], "alice@example.com");
    assert_eq!(rules[5]["scope"]["scopeType"], "tenant");
    // Each of them is allowed by that rule.
    for one in &rules {
        let body = may(
            "trainings:create",
            ("project", &organization.robots),
            one["subject"].clone(),
        );
        let explained = asking.admin("explain", body).await;
        let by = explained["allowedBy"].as_array().unwrap();
        assert!(
            by.iter().any(|it| it["accessRuleId"] == one["accessRuleId"]),
            "{explained}"
        );
    }

    let own = asking.ask(&organization.bob, "what-can", json!({})).await.is(200);
    assert_eq!(
        (&own["complete"], &own["totalRecords"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(own["rules"][0]["scope"]["scopeName"], "language");
    let role = &own["roles"][0];
    assert_eq!(role["roleName"], "Viewer");
    let permissions = role["permissions"].as_array().unwrap();
    assert!(
        permissions.contains(&json!({"resourceType": "trainings", "actions": ["read"]})),
        "{role}"
    );
    assert_eq!(
        asking.admin("what-can", json!({"subject": user("bob")})).await["rules"],
        own["rules"]
    );
    asking
        .ask(&organization.bob, "what-can", json!({"subject": user("alice")}))
        .await
        .refused(403);
}

#[tokio::test]
async fn permissions_and_permitted_scopes_have_the_references_shape() {
    let organization = OrganizationFixture::new().await;
    let asking = Asking {
        organization: &organization,
    };
    let ask = json!({"resourceType": "trainings", "action": "read"});
    let found = asking
        .ask(&organization.bob, "permitted-scopes", ask)
        .await
        .is(200);
    let nothing = json!({"system": false, "tenants": [], "clusters": [], "departments": [], "projects": []});
    let mut read = nothing.clone();
    read["departments"] = json!([organization.language]);
    assert_eq!(
        found,
        json!({"create": nothing, "read": read, "update": nothing, "delete": nothing})
    );
    let all = asking
        .admin("permitted-scopes", json!({"resourceType": "users"}))
        .await;
    for action in ["create", "read", "update", "delete"] {
        assert_eq!(
            (&all[action]["tenants"], &all[action]["tenant"]),
            (&json!(["1"]), &json!("1"))
        );
    }
    asking
        .ask(
            &organization.bob,
            "permitted-scopes",
            json!({"resourceType": "spaceships"}),
        )
        .await
        .refused(400);

    let own = organization
        .server
        .get(&organization.bob, &format!("{BASE}/permissions"))
        .await
        .is(200);
    let trainings = own
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["resourceType"] == "trainings")
        .unwrap();
    assert_eq!(
        (&trainings["actions"], &trainings["groupId"]),
        (&json!(["read"]), &json!("workload"))
    );
    // Names that version 1 of the reference does not have.
    assert!(!own.to_string().contains("-minimal"), "{own}");
    let none = organization
        .server
        .get(&organization.nobody, &format!("{BASE}/permissions"))
        .await
        .is(200);
    assert_eq!(none, json!([]));
}

/// Planted fault: the preview is of the rule's role alone, whatever was held before.
#[tokio::test]
async fn a_preview_says_what_is_gained_and_lost_and_changes_nothing() {
    let organization = OrganizationFixture::new().await;
    let asking = Asking {
        organization: &organization,
    };
    let server = &organization.server;
    let before = server.app.store.directory().await.unwrap();
    let wide = rule(("user", "bob@example.com"), 9, ("cluster", &organization.cluster));
    let preview = asking.admin("preview", json!({"addRules": [wide]})).await;
    assert_eq!(
        (&preview["complete"], &preview["lost"]),
        (&json!(true), &json!([]))
    );
    let gained = preview["gained"].as_array().unwrap();
    assert_eq!(gained.len(), 1, "{preview}");
    assert_eq!(gained[0]["scope"]["scopeName"], "demo");
    assert_eq!(gained[0]["except"][0]["scopeName"], "language");
    assert_eq!(
        gained[0]["subjects"],
        json!([{"subjectId": "bob@example.com", "subjectType": "user"}])
    );

    let removed = asking
        .admin("preview", json!({"removeRules": [organization.alice_rule]}))
        .await;
    assert_eq!(removed["gained"], json!([]));
    let lost = removed["lost"].to_string();
    assert!(
        lost.contains(r#"{"actions":["create","read","update","delete"],"resourceType":"trainings"}"#),
        "{lost}"
    );
    // Given by another rule too, nothing is lost.
    let same = rule(
        ("user", "alice@example.com"),
        5,
        ("project", &organization.robots),
    );
    let swapped = json!({"addRules": [same], "removeRules": [organization.alice_rule]});
    let swapped = asking.admin("preview", swapped).await;
    assert_eq!((&swapped["gained"], &swapped["lost"]), (&json!([]), &json!([])));
    assert_eq!(server.app.store.directory().await.unwrap(), before);

    // A group's rule gives to those who are in it now, but for what they have.
    server.provided(organization.alice_id, &["ml"], Value::Null).await;
    let of_group = rule(("group", "ml"), 5, ("department", &organization.vision));
    let group = asking
        .admin("preview", json!({"addRules": [of_group.clone()]}))
        .await;
    let people = |reach: &Value| reach["subjects"].as_array().unwrap().clone();
    let all: Vec<Value> = group["gained"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(people)
        .collect();
    assert!(
        all.contains(&user("alice")) && all.contains(&json!({"subjectType": "group", "subjectId": "ml"})),
        "{group}"
    );
    let hers = group["gained"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| people(it).contains(&user("alice")))
        .unwrap();
    assert_eq!(hers["except"][0]["scopeName"], "robots");
    server
        .post(&server.admin, &format!("{BASE}/access-rules"), of_group)
        .await
        .is(201);
    let left = json!({"groups": [{"user": "alice@example.com", "leave": ["ml"], "join": ["empty"]}]});
    let left = asking.admin("preview", left).await;
    assert_eq!(
        (&left["gained"], &left["lost"][0]["scope"]),
        (&json!([]), &hers["scope"])
    );
    assert_eq!(left["lost"][0]["permissions"], hers["permissions"]);
}

#[tokio::test]
async fn a_preview_is_refused_like_its_change() {
    let organization = OrganizationFixture::new().await;
    let asking = Asking {
        organization: &organization,
    };
    let server = &organization.server;
    let dora = dora(&organization).await;
    for (role, scope) in [
        (1, ("department", organization.language.as_str())),
        (5, ("project", organization.robots.as_str())),
        (5, ("tenant", "1")),
        (99, ("project", organization.captions.as_str())),
    ] {
        let change = rule(("group", "team"), role, scope);
        let preview = asking
            .ask(&dora, "preview", json!({"addRules": [change.clone()]}))
            .await;
        let made = server.post(&dora, &format!("{BASE}/access-rules"), change).await;
        assert!(
            made.status == StatusCode::FORBIDDEN || made.status == StatusCode::NOT_FOUND,
            "{}",
            made.text
        );
        assert_eq!((preview.status, &preview.text), (made.status, &made.text));
    }
    let gone = asking
        .ask(
            &dora,
            "preview",
            json!({"removeRules": [organization.alice_rule]}),
        )
        .await;
    let path = format!("{BASE}/access-rules/{}", organization.alice_rule);
    let deleted = server.delete(&dora, &path).await;
    assert_eq!((gone.status, gone.text), (deleted.status, deleted.text));
    // Who is in which group is for who may read users.
    let groups = json!({"groups": [{"user": "bob@example.com", "leave": ["x"]}]});
    let said = asking.ask(&dora, "preview", groups).await.refused(403);
    assert!(said.contains("users:read"), "{said}");
    let twice = json!({"groups": [{"user": "bob@example.com"}, {"user": "bob@example.com"}]});
    asking.ask(&server.admin, "preview", twice).await.refused(400);
    asking
        .ask(&organization.bob, "preview", json!({"removeRules": [1]}))
        .await
        .refused(403);
}
