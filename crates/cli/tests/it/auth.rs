//! `reeve auth`: what is asked, what is shown, and the exit code.

use serde_json::{Value, json};

use crate::receiver::{Receiver, project, text};

fn scope(kind: &str, id: &str, name: &str) -> Value {
    json!({"scopeType": kind, "scopeId": id, "scopeName": name})
}

fn explanation(decision: &str) -> Value {
    json!({
        "decision": decision, "resourceType": "trainings", "action": "create", "scope": scope("project", "33", "robots"),
        "subject": {"subjectType": "user", "subjectId": "alice@example.com", "groups": ["ml"], "groupsFrom": "open-sessions"},
        "complete": decision != "unknown", "revision": null,
        "allowedBy": if decision == "allow" {
            json!([{"accessRuleId": 12, "roleId": 5, "roleName": "L1 researcher",
                "through": {"subjectType": "group", "subjectId": "ml"},
                "scopePath": [scope("department", "2", "vision"), scope("project", "33", "robots")]}])
        } else { json!([]) },
        "missing": if decision == "allow" { Value::Null } else {
            json!({"permission": "trainings:create", "grantableAt": scope("tenant", "1", "account"),
                "grantableBy": [{"subjectType": "user", "subjectId": "admin@reeve.example"}],
                "message": "needs `trainings:create` in project `robots`; nobody can grant it there"})
        },
    })
}

const WHY: &str = "POST /api/v1/authorization/explain";

/// Planted fault: `check` ends with 0 where it is not known.
#[tokio::test]
async fn why_says_by_which_rule_and_check_ends_with_what_was_decided() {
    let receiver = Receiver::signed_in().await;
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    let mut page = String::new();
    for decision in ["allow", "refuse", "unknown"] {
        receiver.answers(WHY, 200, explanation(decision));
        let about = ["trainings:create", "-p", "robots", "--user", "alice@example.com"];
        page += &receiver.shown(&[&["auth", "why"][..], &about].concat()).await;
        let check = receiver.run(&[&["auth", "check"][..], &about].concat()).await;
        assert_eq!(
            check.status.code(),
            Some(i32::from(decision != "allow")),
            "{decision}"
        );
        let json = receiver
            .run(&[&["auth", "check", "-o", "json"][..], &about].concat())
            .await;
        assert_eq!(json.status.code(), check.status.code());
        assert_eq!(
            serde_json::from_str::<Value>(&text(&json.stdout)).unwrap(),
            explanation(decision)
        );
    }
    insta::assert_snapshot!(page);
    let calls = receiver.calls();
    let asked = &calls.iter().find(|call| call.line == WHY).unwrap().body;
    assert_eq!(
        *asked,
        json!({"resourceType": "trainings", "action": "create", "scopeType": "project", "scopeId": "33",
            "subject": {"subjectType": "user", "subjectId": "alice@example.com", "groups": null}})
    );
    for wrong in ["trainings", "trainings:fly", "spaceships:create"] {
        let output = receiver.run(&["auth", "why", wrong]).await;
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    assert!(receiver.calls().is_empty());
}

#[tokio::test]
async fn a_preview_asks_for_the_rule_that_was_named_and_follows_pages() {
    let receiver = Receiver::signed_in().await;
    let preview = "POST /api/v1/authorization/preview";
    receiver.answers(
        preview,
        200,
        json!({"complete": true, "revision": 3, "gained": [], "lost": []}),
    );
    let arguments = [
        "auth",
        "preview",
        "--group",
        "ml",
        "--role",
        "9",
        "--department",
        "2",
        "--remove",
        "7",
    ];
    let shown = receiver.shown(&arguments).await;
    assert!(
        shown.contains("exit 0") && shown.contains("nobody gains or loses anything"),
        "{shown}"
    );
    let calls = receiver.calls();
    assert_eq!(
        calls[0].body,
        json!({"addRules": [{"subjectType": "group", "subjectId": "ml", "roleId": 9, "scopeType": "department", "scopeId": "2"}],
            "removeRules": [7]})
    );
    let nothing = receiver.run(&["auth", "preview", "--group", "ml"]).await;
    assert_eq!(nothing.status.code(), Some(2));

    let rule = |id: i64| {
        json!({"accessRuleId": id, "roleId": 9, "roleName": "Viewer", "subject": {"subjectType": "group", "subjectId": "ml"},
            "scope": scope("tenant", "1", "account")})
    };
    let answer = json!({"complete": false, "revision": null, "totalRecords": 2, "next": null, "rules": [rule(3), rule(4)]});
    receiver.answers("POST /api/v1/authorization/who-can", 200, answer);
    let shown = receiver.shown(&["auth", "who-can", "users:read"]).await;
    insta::assert_snapshot!(shown);
}
