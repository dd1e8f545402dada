//! Commands of administrators: what each asks, and what it shows.

use serde_json::{Value, json};

use crate::receiver::{CLUSTER, Receiver, project, text};

pub(crate) const USER: &str = "423e4567-e89b-12d3-a456-426614174000";
pub(crate) const SET: &str = "9cc43da2-fb7b-8760-983d-84d7b0e20ee4";

pub(crate) fn user() -> Value {
    json!({"id": USER, "username": "erin@example.com", "createdBy": "admin@reeve.example",
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "lastLogin": null, "isLocal": true,
        "groups": null, "posix": {"uid": 61000, "gid": 5000, "supplementaryGroups": []}})
}

pub(crate) fn department(id: &str, cluster: &str) -> Value {
    json!({"id": id, "name": "vision", "clusterId": cluster, "description": "", "resources": [],
        "totalResources": {"gpuQuota": null, "cpuQuota": null, "memoryQuota": null},
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "createdBy": "admin@reeve.example",
        "updatedBy": "admin@reeve.example"})
}

pub(crate) fn cluster() -> Value {
    json!({"uuid": CLUSTER, "tenantId": 1, "name": "demo", "createdAt": "2026-01-01T00:00:00Z", "domain": null, "version": null,
        "status": null, "updatedAt": null, "deletedAt": null, "lastLiveness": null, "deleteRequestedAt": null})
}

pub(crate) fn rule(id: i64) -> Value {
    json!({"id": id, "subjectId": "ml", "subjectType": "group", "roleId": 5, "roleName": "L1 researcher", "scopeId": "33",
        "scopeType": "project", "scopeName": "robots", "clusterId": CLUSTER, "tenantId": 1,
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "deletedAt": null,
        "createdBy": "admin@reeve.example", "status": {"phase": "Ready", "message": ""}})
}

/// Planted fault: `-o name` prints the id.
#[tokio::test]
async fn a_list_is_a_table_json_yaml_or_names() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/users", 200, json!([user()]));
    let printed = async |format: &str| {
        let output = receiver.run(&["user", "list", "-o", format]).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(printed("name").await, "user/erin@example.com\n");
    let json: Value = serde_json::from_str(&printed("json").await).unwrap();
    let yaml: Value = serde_saphyr::from_str(&printed("yaml").await).unwrap();
    assert_eq!((&json, &json[0]["username"]), (&yaml, &json!("erin@example.com")));
    let table = printed("table").await;
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("USER") && lines[1].contains("61000:5000"),
        "{table}"
    );
}

/// Planted faults: the column in every list; a password of an older control plane's user that is said to be own.
#[tokio::test]
async fn whose_password_is_temporary_is_in_the_wide_list_and_in_the_user() {
    let receiver = Receiver::signed_in().await;
    let with = |temporary: Value| {
        let mut user = user();
        user["temporaryPassword"] = temporary;
        user
    };
    receiver.answers("GET /api/v1/users", 200, json!([with(json!(true)), user()]));
    let wide = receiver.run(&["user", "list", "-o", "wide"]).await;
    let wide = text(&wide.stdout);
    let lines: Vec<&str> = wide.lines().collect();
    assert!(
        lines[0].ends_with("PASSWORD") && lines[1].ends_with("temporary") && lines[2].ends_with(USER),
        "{wide}"
    );
    let table = receiver.run(&["user", "list"]).await;
    assert!(!text(&table.stdout).contains("temporary"));
    for (temporary, said) in [
        (json!(true), "Password     temporary"),
        (json!(false), "Password     own"),
    ] {
        receiver.answers("GET /api/v1/users", 200, json!([with(temporary)]));
        let shown = receiver.run(&["user", "get", "erin@example.com"]).await;
        let shown = text(&shown.stdout);
        assert!(shown.contains(said), "{shown}");
    }
    let departments = receiver.run(&["department", "list", "-o", "wide"]).await;
    assert_eq!(departments.status.code(), Some(2), "it has no more columns");
}

/// Planted fault: the second page asked for as the first.
#[tokio::test]
async fn the_audit_log_is_listed_to_its_end_and_no_further_than_asked() {
    let receiver = Receiver::signed_in().await;
    let event = json!({"id": "523e4567-e89b-82d3-a456-426614174000", "timestamp": "2026-01-01T00:00:00Z", "tenant_id": "1",
        "subject": "admin@reeve.example", "subject_type": "User", "action": "create", "entity_type": "project",
        "entity_name": "robots", "entity_id": "33", "result": "Succeeded", "http_status_code": 201, "metadata": {}});
    let page = json!({"total": 1, "audit_logs": [event]});
    receiver.answers("GET /api/v1/audit/log", 200, page);
    let output = receiver
        .run(&[
            "audit",
            "list",
            "--since",
            "2026-01-01",
            "--filter",
            "action==create",
        ])
        .await;
    let table = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        table.contains("project robots") && table.contains("Succeeded 201"),
        "{table}"
    );
    let more = json!({"total": 3, "next": 2, "audit_logs": [event, event]});
    receiver.answers("GET /api/v1/audit/log", 200, more);
    let output = receiver
        .run(&["audit", "list", "--limit", "2", "-o", "name"])
        .await;
    assert_eq!(text(&output.stdout).lines().count(), 2);
}

#[tokio::test]
async fn a_user_is_made_shown_and_deleted_by_email() {
    let receiver = Receiver::signed_in().await;
    receiver.answers(
        "POST /api/v1/users",
        201,
        json!({"id": USER, "username": "erin@example.com", "tempPassword": "Once-1!"}),
    );
    let create = [
        "user",
        "create",
        "erin@example.com",
        "--uid",
        "61000",
        "--gid",
        "5000",
        "--groups",
        "5001,5002",
    ];
    let shown = receiver.shown(&create).await;
    assert!(shown.contains("shown once: Once-1!"), "{shown}");
    let posix = json!({"uid": 61000, "gid": 5000, "supplementaryGroups": [5001, 5002]});
    assert_eq!(
        receiver.calls()[0].body,
        json!({"email": "erin@example.com", "posix": posix})
    );

    receiver.answers("GET /api/v1/users", 200, json!([user()]));
    receiver.says(&format!("DELETE /api/v1/users/{USER}"), 204, "");
    let shown = receiver
        .shown(&["user", "delete", "erin@example.com", "-o", "name"])
        .await;
    assert!(
        shown.contains("exit 0\n--- out\nuser/erin@example.com\n"),
        "{shown}"
    );
    let missing = receiver.run(&["user", "get", "nobody@example.com"]).await;
    assert_eq!(missing.status.code(), Some(1));
}

#[tokio::test]
async fn passkeys_are_listed_and_taken_away_by_name() {
    let receiver = Receiver::signed_in().await;
    let id = "6f1e0b52-5a4b-4d0c-8a55-1f4f6f0f7d01";
    let kept = json!({"id": id, "name": "Blue key", "backedUp": false, "suspended": false,
        "createdAt": "2026-11-01T00:00:00Z", "lastUsed": null});
    let all = json!({"passkeys": [kept], "recoveryCodesLeft": 10});
    receiver.answers("GET /api/v1/me/passkeys", 200, all);
    let listed = receiver.shown(&["passkey", "list"]).await;
    assert!(
        listed.contains("Blue key") && listed.contains("never"),
        "{listed}"
    );
    receiver.says(&format!("DELETE /api/v1/me/passkeys/{id}"), 204, "");
    let gone = receiver.shown(&["passkey", "remove", "Blue key"]).await;
    assert!(gone.contains("signs you in no more"), "{gone}");
    let missing = receiver.run(&["passkey", "remove", "Other"]).await;
    assert_eq!(missing.status.code(), Some(1));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("you have no passkey `Other`"), "{said}");
}

/// Planted fault: `regenerate` by the name in the place of the id.
#[tokio::test]
async fn an_access_key_is_made_renewed_and_deleted_by_name() {
    let receiver = Receiver::signed_in().await;
    let id = "523e4567-e89b-12d3-a456-426614174000";
    let kept = json!({"id": id, "name": "notebook", "clientId": format!("key.{id}"), "createdAt": "2026-01-01T00:00:00Z",
        "lastLogin": null});
    let mut made = kept.clone();
    made["clientSecret"] = json!("Once");
    receiver.answers("POST /api/v1/access-keys", 201, made);
    let shown = receiver.shown(&["access-key", "create", "notebook"]).await;
    assert!(
        shown.contains(&format!("client id: key.{id}")) && shown.contains("shown once: Once"),
        "{shown}"
    );
    assert_eq!(receiver.calls()[0].body, json!({"name": "notebook"}));

    receiver.answers("GET /api/v1/access-keys", 200, json!({"accessKeys": [kept]}));
    let listed = receiver.shown(&["access-key", "list", "-o", "name"]).await;
    assert!(listed.contains("access-key/notebook"), "{listed}");
    receiver.answers(
        &format!("POST /api/v1/access-keys/{id}/secret"),
        200,
        json!({"clientSecret": "Another"}),
    );
    let renewed = receiver.shown(&["access-key", "regenerate", "notebook"]).await;
    assert!(renewed.contains("shown once: Another"), "{renewed}");
    receiver.says(&format!("DELETE /api/v1/access-keys/{id}"), 204, "");
    let gone = receiver.shown(&["access-key", "delete", "notebook"]).await;
    assert!(gone.contains("exit 0"), "{gone}");
    let missing = receiver.run(&["access-key", "delete", "other"]).await;
    assert_eq!(missing.status.code(), Some(1));
    // What is shown once has no place in a list of names.
    let names = receiver
        .run(&["access-key", "create", "notebook", "-o", "name"])
        .await;
    assert_eq!(names.status.code(), Some(2));
}

#[tokio::test]
async fn an_authenticator_is_set_up_and_taken_away() {
    let receiver = Receiver::signed_in().await;
    let base = "/api/v1/me/authenticator";
    let made = json!({"secret": "GEZDGNBV", "address": "otpauth://totp/Reeve:a?secret=GEZDGNBV"});
    receiver.answers(&format!("POST {base}"), 201, made);
    let shown = receiver.shown(&["authenticator", "create"]).await;
    assert!(
        shown.contains("GEZDGNBV") && shown.contains("otpauth://"),
        "{shown}"
    );
    let codes = json!({"recoveryCodes": ["aaaa-bbbb-cccc-dddd"]});
    receiver.answers(&format!("POST {base}/confirm"), 200, codes);
    let shown = receiver.shown(&["authenticator", "confirm", "123456"]).await;
    assert!(shown.contains("aaaa-bbbb-cccc-dddd"), "{shown}");
    assert_eq!(receiver.calls().last().unwrap().body, json!({"code": "123456"}));
    let kept = json!({"enabled": true, "createdAt": "2026-01-01T00:00:00Z", "recoveryCodesLeft": 9});
    receiver.answers(&format!("GET {base}"), 200, kept);
    let shown = receiver.shown(&["authenticator", "show"]).await;
    assert!(shown.contains("9 recovery codes"), "{shown}");
    receiver.says(&format!("POST {base}/remove"), 200, "");
    let shown = receiver.shown(&["authenticator", "remove", "123456"]).await;
    assert!(shown.contains("exit 0"), "{shown}");
}

#[tokio::test]
async fn departments_and_projects_find_their_cluster() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/clusters", 200, json!([cluster()]));
    receiver.answers("POST /api/v1/org-unit/departments", 201, department("2", CLUSTER));
    let made = receiver.shown(&["department", "create", "vision"]).await;
    assert!(made.contains("exit 0"), "{made}");
    let calls = receiver.calls();
    let body = &calls.last().unwrap().body;
    assert_eq!(
        (&body["name"], &body["clusterId"]),
        (&json!("vision"), &json!(CLUSTER))
    );

    receiver.answers(
        "GET /api/v1/org-unit/departments",
        200,
        json!({"departments": [department("2", CLUSTER)]}),
    );
    receiver.answers("POST /api/v1/org-unit/projects", 201, project());
    let made = receiver
        .shown(&[
            "project",
            "create",
            "robots",
            "--department",
            "vision",
            "-o",
            "name",
        ])
        .await;
    assert!(made.contains("project/robots\n"), "{made}");
    assert_eq!(receiver.calls().last().unwrap().body["parentId"], "2");

    // Two of one name are not chosen between.
    let other = "523e4567-e89b-12d3-a456-426614174000";
    receiver.answers(
        "GET /api/v1/org-unit/departments",
        200,
        json!({"departments": [department("2", CLUSTER), department("3", other)]}),
    );
    let shown = receiver.shown(&["department", "delete", "vision"]).await;
    assert!(shown.contains("exit 1") && shown.contains("2, 3"), "{shown}");
    receiver.answers("GET /api/v1/clusters", 200, json!([cluster(), cluster()]));
    let shown = receiver.run(&["department", "create", "vision"]).await;
    assert_eq!(shown.status.code(), Some(2));
}

/// Planted fault: what the command line does not name is taken away.
#[tokio::test]
async fn a_description_changes_alone_and_a_cluster_gets_another_name() {
    let receiver = Receiver::signed_in().await;
    let mut known = project();
    known["resources"] = json!([{"nodePool": null, "gpu": {"deserved": 2.0, "limit": null, "overQuotaWeight": null}, "cpu": null,
        "memory": null, "priority": null}]);
    known["enforceRunaiScheduler"] = json!(false);
    receiver.answers("GET /api/v1/org-unit/projects", 200, json!({"projects": [known]}));
    receiver.answers("PUT /api/v1/org-unit/projects/33", 200, project());
    let shown = receiver
        .shown(&[
            "project",
            "update",
            "robots",
            "--description",
            "Arms.",
            "-o",
            "name",
        ])
        .await;
    assert!(shown.contains("exit 0\n--- out\nproject/robots\n"), "{shown}");
    let body = receiver.calls().last().unwrap().body.clone();
    assert_eq!(
        (
            &body["description"],
            &body["resources"][0]["gpu"]["deserved"],
            &body["enforceRunaiScheduler"]
        ),
        (&json!("Arms."), &json!(2.0), &json!(false))
    );
    receiver.answers(
        "GET /api/v1/org-unit/departments",
        200,
        json!({"departments": [department("2", CLUSTER)]}),
    );
    receiver.answers(
        "PUT /api/v1/org-unit/departments/2",
        200,
        department("2", CLUSTER),
    );
    receiver
        .run(&["department", "update", "vision", "--description", "Sees."])
        .await;
    assert_eq!(receiver.calls().last().unwrap().body["description"], "Sees.");
    receiver.answers("GET /api/v1/clusters", 200, json!([cluster()]));
    receiver.says(&format!("PUT /api/v1/clusters/{CLUSTER}"), 204, "");
    let mut renamed = cluster();
    renamed["name"] = json!("Production");
    receiver.answers(&format!("GET /api/v1/clusters/{CLUSTER}"), 200, renamed);
    let shown = receiver.shown(&["cluster", "rename", "demo", "Production"]).await;
    assert!(
        shown.contains("`demo` is called `Production` from now on"),
        "{shown}"
    );
    let said = receiver.shown(&["cluster", "rename", "demo", " x"]).await;
    assert!(said.contains("exit 2") && said.contains("NEW_NAME"), "{said}");
    assert!(
        receiver
            .calls()
            .iter()
            .any(|call| call.body == json!({"name": "Production"}))
    );
}

#[tokio::test]
async fn settings_of_signing_in_are_shown_and_set() {
    let receiver = Receiver::signed_in().await;
    let base = "/api/v1/security/settings";
    let found = json!({
        "autoRedirectSSO": {"enabled": true, "idpAlias": "corp"}, "logoutRedirectUri": {"uri": ""},
        "deviceAuthorization": {"enabled": true},
    });
    receiver.answers(&format!("GET {base}"), 200, found);
    for key in ["autoRedirectSSO", "logoutRedirectUri", "deviceAuthorization"] {
        receiver.says(&format!("PUT {base}/{key}"), 200, "");
    }
    for (words, body) in [
        (
            &["auto-redirect", "corp"][..],
            json!({"enabled": true, "idpAlias": "corp"}),
        ),
        (
            &["auto-redirect", "--off"],
            json!({"enabled": false, "idpAlias": null}),
        ),
        (
            &["logout-redirect", "https://a.example"],
            json!({"uri": "https://a.example"}),
        ),
        (&["logout-redirect", "--off"], json!({"uri": null})),
        (&["device-authorization"], json!({"enabled": true})),
        (&["device-authorization", "--off"], json!({"enabled": false})),
    ] {
        let shown = receiver.shown(&[&["settings"], words].concat()).await;
        assert!(
            shown.contains("exit 0")
                && shown.contains("identity provider `corp`")
                && shown.contains("devices            may be signed in"),
            "{shown}"
        );
        assert_eq!(receiver.calls()[0].body, body, "{words:?}");
    }
    for wrong in [
        &["auto-redirect"][..],
        &["logout-redirect"],
        &["auto-redirect", "corp", "--off"],
        &["auto-redirect", "A_B"],
    ] {
        let output = receiver.run(&[&["settings"], wrong].concat()).await;
        assert_eq!(
            (output.status.code(), receiver.calls().len()),
            (Some(2), 0),
            "{wrong:?}"
        );
    }
    let refused = json!({"code": 400, "message": "`idpAlias`: there is no identity provider `other`"});
    receiver.answers(&format!("PUT {base}/autoRedirectSSO"), 400, refused);
    let shown = receiver.shown(&["settings", "auto-redirect", "other"]).await;
    assert!(shown.contains("exit 1") && shown.contains("`other`"), "{shown}");
}

/// Planted fault: a rule that names no scope is one of the whole account.
#[tokio::test]
async fn an_access_rule_names_whom_what_and_where() {
    let receiver = Receiver::signed_in().await;
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    receiver.answers("POST /api/v1/authorization/access-rules", 201, rule(12));
    let create = [
        "access-rule",
        "create",
        "--group",
        "ml",
        "--role",
        "5",
        "-p",
        "robots",
    ];
    let made = receiver.shown(&create).await;
    assert!(made.contains("exit 0") && made.contains("group ml"), "{made}");
    let expected = json!({"subjectType": "group", "subjectId": "ml", "roleId": 5, "scopeType": "project", "scopeId": "33"});
    assert_eq!(receiver.calls().last().unwrap().body, expected);
    // The project that was chosen for workloads is not meant.
    receiver.run(&["config", "project", "robots"]).await;
    receiver.calls();
    let nowhere = receiver
        .run(&["access-rule", "create", "--group", "ml", "--role", "5"])
        .await;
    assert_eq!((nowhere.status.code(), receiver.calls().len()), (Some(2), 0));

    let page = json!({"totalRecords": 2, "displayRecords": 2, "accessRules": [rule(12), rule(13)]});
    receiver.answers("GET /api/v1/authorization/access-rules", 200, page);
    let listed = receiver
        .run(&["access-rule", "list", "--group", "ml", "-o", "name"])
        .await;
    assert_eq!(text(&listed.stdout), "access-rule/12\naccess-rule/13\n");
    assert!(
        receiver.calls()[0]
            .line
            .contains("subjectType=group&subjectIdFilter=ml")
    );

    receiver.says("DELETE /api/v1/authorization/access-rules/12", 204, "");
    let left = receiver.shown(&["access-rule", "delete", "12", "14"]).await;
    assert!(
        left.contains("exit 1") && left.contains("deleted before: 12"),
        "{left}"
    );
}

pub(crate) fn sets() -> Value {
    json!({"permissionSets": [
        {"id": SET, "name": "Projects viewer", "permissions": [{"resourceType": "project", "actions": ["read"]}]},
        {"id": USER, "name": "Users viewer", "permissions": [{"resourceType": "users", "actions": ["read"]}]}]})
}

pub(crate) fn custom_role(enabled: bool) -> Value {
    let sets = json!([{"id": SET, "name": "Projects viewer"}]);
    json!({"id": 1001, "name": "Readers", "description": "See projects.", "enabled": enabled, "custom": true,
        "effectiveEnabled": enabled, "deprecated": false, "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z", "createdBy": "admin@reeve.example", "permissionSets": sets,
        "kubernetesPermissions": {"predefinedRole": "viewer"},
        "permissions": [{"resourceType": "project", "actions": ["read"]}]})
}

/// Planted faults: what an update does not name goes with it; a dry run that writes; `--disable` by way of the whole role.
#[tokio::test]
async fn a_role_is_made_of_named_sets_and_what_is_not_named_stays() {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/authorization/permission-sets", 200, sets());
    receiver.answers("POST /api/v2/authorization/roles", 201, custom_role(true));
    let create = [
        "role",
        "create",
        "Readers",
        "--description",
        "See projects.",
        "--kubernetes-role",
        "viewer",
    ];
    let with = |more: &[&'static str]| [&create[..], more].concat();
    let made = receiver
        .shown(&with(&["--permission-set", "projects viewer"]))
        .await;
    assert!(
        made.contains("exit 0") && made.contains("project: read"),
        "{made}"
    );
    let asked = json!({"name": "Readers", "description": "See projects.", "enabled": true,
        "permissionSets": [{"id": SET, "name": "Projects viewer"}], "kubernetesPermissions": {"predefinedRole": "viewer"}});
    assert_eq!(receiver.calls().last().unwrap().body, asked);
    for (sets, code, said) in [
        (
            &["--permission-set", "Weather viewer"][..],
            1,
            "there is no permission set `Weather viewer`",
        ),
        (
            &["--permission-set", "Users viewer", "--permission-set", USER],
            2,
            "is named twice",
        ),
        (
            &["--permission-set", "Users viewer", "--dry-run"],
            0,
            "users: read",
        ),
    ] {
        let shown = receiver.shown(&with(sets)).await;
        assert!(
            shown.contains(&format!("exit {code}\n")) && shown.contains(said),
            "{shown}"
        );
        assert!(
            receiver.calls().iter().all(|call| call.line.starts_with("GET")),
            "{sets:?}"
        );
    }

    let role = "/api/v2/authorization/roles/1001";
    receiver.answers(&format!("GET {role}"), 200, custom_role(true));
    receiver.answers(&format!("PUT {role}"), 200, custom_role(true));
    receiver
        .run(&["role", "update", "1001", "--description", "See them."])
        .await;
    let mut expected = asked.clone();
    expected["description"] = json!("See them.");
    assert_eq!(receiver.calls().last().unwrap().body, expected);
    receiver
        .run(&[
            "role",
            "update",
            "1001",
            "--no-kubernetes-role",
            "--name",
            "Lookers",
        ])
        .await;
    let body = receiver.calls().last().unwrap().body.clone();
    assert_eq!(
        (&body["name"], &body["kubernetesPermissions"]),
        (&json!("Lookers"), &json!({"predefinedRole": null}))
    );
    let rules = json!({"totalRecords": 3, "displayRecords": 1, "accessRules": [rule(12)]});
    receiver.answers("GET /api/v1/authorization/access-rules", 200, rules);
    let preview = [
        "role",
        "update",
        "1001",
        "--permission-set",
        "Users viewer",
        "--dry-run",
    ];
    let shown = receiver.shown(&preview).await;
    insta::assert_snapshot!(shown);
    assert!(receiver.calls().iter().all(|call| call.line.starts_with("GET")));
    receiver.says(&format!("POST {role}/disable"), 204, "");
    let shown = receiver
        .shown(&["role", "update", "1001", "--disable", "-o", "name"])
        .await;
    assert!(shown.contains("exit 0\n--- out\nrole/Readers\n"), "{shown}");
    let lines: Vec<String> = receiver.calls().into_iter().map(|call| call.line).collect();
    assert!(lines.iter().all(|line| !line.starts_with("PUT")), "{lines:?}");
    let mut predefined = custom_role(true);
    predefined["custom"] = json!(false);
    receiver.answers(&format!("GET {role}"), 200, predefined);
    let shown = receiver.shown(&["role", "update", "1001", "--enable"]).await;
    assert!(
        shown.contains("exit 1") && shown.contains("`Readers` is predefined"),
        "{shown}"
    );
    let in_use = json!({"code": 409, "message": "role `Readers` is given by access rules: 3"});
    receiver.answers(&format!("DELETE {role}"), 409, in_use);
    let shown = receiver.shown(&["role", "delete", "1001"]).await;
    assert!(
        shown.contains("exit 1") && shown.contains("given by access rules: 3"),
        "{shown}"
    );
}

#[tokio::test]
async fn offboarding_says_what_went_and_what_is_left() {
    let receiver = Receiver::signed_in().await;
    let done = json!({"dryRun": false, "username": "erin@example.com", "id": USER, "sessions": 2,
        "accessRules": [{"id": 7, "roleName": "Viewer", "scopeType": "tenant", "scopeId": "1", "scopeName": "account"}],
        "workloads": [{"id": "323e4567-e89b-12d3-a456-426614174000", "name": "first", "projectId": "33", "projectName": "robots"}],
        "left": {"user": false, "accessRules": 0, "sessions": 0, "workloads": 1}});
    receiver.answers("POST /api/v1/offboarding", 200, done);
    let offboard = [
        "user",
        "offboard",
        "erin@example.com",
        "--workloads",
        "leave",
        "--yes",
    ];
    insta::assert_snapshot!(receiver.shown(&offboard).await);
    let asked = json!({"user": "erin@example.com", "workloads": "leave", "dryRun": false});
    assert_eq!(receiver.calls()[0].body, asked);
    // What becomes of the workloads is always said.
    let silent = receiver.run(&["user", "offboard", "erin@example.com"]).await;
    assert_eq!((silent.status.code(), receiver.calls().len()), (Some(2), 0));
}

/// Planted faults: it is done without `--yes`; a name that nobody has ends with exit code 0.
#[tokio::test]
async fn offboarding_asks_first_and_says_so_when_there_is_nobody() {
    let receiver = Receiver::signed_in().await;
    let there = |id: Value| {
        json!({"dryRun": true, "username": "erin@example.com", "id": id, "sessions": 0, "accessRules": [],
        "workloads": [], "left": {"user": !id.is_null(), "accessRules": 0, "sessions": 0, "workloads": 0}})
    };
    receiver.answers("POST /api/v1/offboarding", 200, there(json!(USER)));
    let offboard = |more: Option<&'static str>| {
        let words = ["user", "offboard", "erin@example.com", "--workloads", "delete"];
        words.into_iter().chain(more).collect::<Vec<_>>()
    };
    for (more, code, dry_run) in [
        (None, 1, true),
        (Some("--dry-run"), 0, true),
        (Some("--yes"), 0, false),
    ] {
        let shown = receiver.run(&offboard(more)).await;
        assert_eq!(shown.status.code(), Some(code), "{more:?}");
        assert_eq!(receiver.calls()[0].body["dryRun"], dry_run, "{more:?}");
    }
    receiver.answers("POST /api/v1/offboarding", 200, there(Value::Null));
    for more in [Some("--dry-run"), Some("--yes")] {
        let shown = receiver.shown(&offboard(more)).await;
        assert!(
            shown.contains("exit 1") && shown.contains("there is no user of that name, and nothing"),
            "{shown}"
        );
    }
}

/// Planted faults: the group's workloads are asked for; an application is sent as a user.
#[tokio::test]
async fn an_application_and_a_group_are_offboarded_as_a_user_is() {
    let receiver = Receiver::signed_in().await;
    let rule = json!([{"id": 7, "roleName": "Viewer", "scopeType": "project", "scopeId": "33", "scopeName": "robots"}]);
    let left = json!({"user": false, "accessRules": 0, "sessions": 0, "workloads": 0});
    let path = "POST /api/v1/offboarding";
    let done = json!({"dryRun": false, "serviceAccount": "ci", "id": USER, "sessions": 1, "accessRules": rule,
        "workloads": [], "left": left});
    receiver.answers(path, 200, done);
    let ci = ["application", "offboard", "ci", "--workloads", "delete", "--yes"];
    let shown = receiver.shown(&ci).await;
    let asked = json!({"serviceAccount": "ci", "workloads": "delete", "dryRun": false});
    assert_eq!(receiver.calls()[0].body, asked);
    let group = |dry_run, rules: &Value| {
        json!({"dryRun": dry_run, "group": "ml", "id": null, "sessions": 0, "memberSessions": 4, "accessRules": rules,
            "workloads": [], "left": left})
    };
    receiver.answers(path, 200, group(false, &rule));
    let shown = shown + &receiver.shown(&["group", "offboard", "ml", "--yes"]).await;
    assert_eq!(receiver.calls()[0].body, json!({"group": "ml", "dryRun": false}));
    receiver.answers(path, 200, group(true, &json!([])));
    let shown = shown + &receiver.shown(&["group", "offboard", "ml"]).await;
    assert_eq!(receiver.calls()[0].body, json!({"group": "ml", "dryRun": true}));
    insta::assert_snapshot!(shown);
}

const ORGANIZATION: &str = "
departments:
- name: vision
  projects:
  - name: robots
users:
- email: erin@example.com
  posix: {uid: 61000, gid: 5000}
accessRules:
- {group: ml, role: '5', project: robots}
- {user: erin@example.com, role: '9', account: true}
";

/// Planted faults: the plan is done without `--yes`; what is there is made again.
#[tokio::test]
async fn a_file_makes_what_is_missing_after_its_plan_was_shown() {
    let receiver = Receiver::signed_in().await;
    let file = receiver.home().join("org.yaml");
    std::fs::write(&file, ORGANIZATION).unwrap();
    let nothing = json!({"totalRecords": 0, "displayRecords": 0, "accessRules": []});
    receiver.answers("GET /api/v1/clusters", 200, json!([cluster()]));
    receiver.answers(
        "GET /api/v1/org-unit/departments",
        200,
        json!({"departments": []}),
    );
    receiver.answers("GET /api/v1/org-unit/projects", 200, json!({"projects": []}));
    receiver.answers("GET /api/v1/users", 200, json!([]));
    receiver.answers("GET /api/v1/authorization/access-rules", 200, nothing);
    receiver.answers("POST /api/v1/org-unit/departments", 201, department("2", CLUSTER));
    receiver.answers("POST /api/v1/org-unit/projects", 201, project());
    receiver.answers("POST /api/v1/authorization/access-rules", 201, rule(12));
    let made = json!({"id": USER, "username": "erin@example.com", "tempPassword": "Once-1!"});
    receiver.answers("POST /api/v1/users", 201, made);
    let file = file.to_str().unwrap();

    let plan = receiver.shown(&["apply", "-f", file]).await;
    let posts = |calls: Vec<crate::receiver::Call>| -> Vec<Value> {
        calls
            .into_iter()
            .filter(|call| call.line.starts_with("POST"))
            .map(|call| call.body)
            .collect()
    };
    assert_eq!(posts(receiver.calls()), Vec::<Value>::new(), "{plan}");
    let done = receiver.shown(&["apply", "-f", file, "--yes"]).await;
    insta::assert_snapshot!(format!("{plan}\n{done}"));
    let asked = posts(receiver.calls());
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[1]["parentId"], "2");
    assert_eq!(asked[2]["posix"]["uid"], 61000);
    assert_eq!(
        (&asked[3]["scopeType"], &asked[3]["scopeId"]),
        (&json!("project"), &json!("33"))
    );
    assert_eq!(
        (&asked[4]["scopeType"], &asked[4]["subjectId"]),
        (&json!("tenant"), &json!("erin@example.com"))
    );

    // All of it is there: nothing is done a second time.
    receiver.answers(
        "GET /api/v1/org-unit/departments",
        200,
        json!({"departments": [department("2", CLUSTER)]}),
    );
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    receiver.answers("GET /api/v1/users", 200, json!([user()]));
    let mut hers = rule(13);
    for (field, value) in [
        ("subjectType", json!("user")),
        ("subjectId", json!("erin@example.com")),
        ("roleId", json!(9)),
        ("scopeType", json!("tenant")),
        ("scopeId", json!("1")),
    ] {
        hers[field] = value;
    }
    let rules = json!({"totalRecords": 2, "displayRecords": 2, "accessRules": [rule(12), hers]});
    receiver.answers("GET /api/v1/authorization/access-rules", 200, rules);
    let again = receiver.shown(&["apply", "-f", file, "--yes"]).await;
    assert!(
        again.contains("exit 0") && again.contains("nothing to do"),
        "{again}"
    );
    assert_eq!(posts(receiver.calls()), Vec::<Value>::new());

    let wrong = [
        "accessRules: [{group: ml, role: '5'}]",
        "accessRules: [{role: '5', account: true}]",
        "accessRules: [{group: ml, role: '5', project: nowhere}]",
        "departments: [{name: vision, colour: red}]",
        "departments: [{name: audio, projects: [{name: robots}]}]",
    ];
    for text in wrong {
        std::fs::write(file, text).unwrap();
        let output = receiver.run(&["apply", "-f", file, "--yes"]).await;
        assert_eq!(output.status.code(), Some(2), "{text}");
    }
    assert_eq!(posts(receiver.calls()), Vec::<Value>::new());
}
