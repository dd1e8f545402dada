//! Wrong input gets the documented status and `{code, message}`; nothing changes, nothing panics.

use anyhow::{Context, Result, ensure};
use reeve_api::operation::Method;
use reeve_api::{Access, OPERATIONS, Operation};
use reeve_e2e::organization::{self, Application};
use reeve_e2e::{Answer, Rest, Stack};
use reeve_testkit::{Tier, wait_until};
use serde_json::{Value, json};

use crate::harness::{
    Team, filled, fresh, must_be, nothing_panicked, on_a_stack_of_its_own, on_the_stack, revision_lag,
};
use crate::link;

/// An id that nothing has.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const PROJECTS: &str = "/api/v1/org-unit/projects";
const TRAININGS: &str = "/api/v1/workloads/trainings";
const RULES: &str = "/api/v1/authorization/access-rules";
const ALL_RULES: &str = "/api/v1/authorization/access-rules?limit=500&includeDeleted=true";
const ALL_WORKLOADS: &str = "/api/v1/workloads?limit=500";
/// How many looks in a row must show the same.
const STILL: u32 = 30;

/// Everything the control plane keeps, as it shows it, and where the cluster's desired state stands.
async fn everything(stack: &Stack) -> Result<Value> {
    let mut all = json!({});
    for path in [
        "/api/v1/clusters",
        "/api/v1/org-unit/departments?limit=500",
        "/api/v1/org-unit/projects?limit=500",
        "/api/v1/users?limit=500",
        "/api/v1/service-accounts",
        ALL_RULES,
        ALL_WORKLOADS,
    ] {
        all[path] = stack.admin.get(path).await?.expect(200)?;
    }
    // When the operator was last heard of is no change that anybody made.
    for cluster in all["/api/v1/clusters"].as_array_mut().into_iter().flatten() {
        cluster["lastLiveness"] = Value::Null;
    }
    let (token, revision) = link::position(stack).await?;
    all["desired state"] = json!([token, revision]);
    Ok(all)
}

/// Everything, once the cluster has reported on each part of it and nothing has moved for a while: of a workload it reports
/// first that it has the object, and some hundred milliseconds later how its Job and its pod stand.
async fn everything_settled(stack: &Stack) -> Result<Value> {
    let (mut last, mut same) = (Value::Null, 0);
    wait_until("nothing to move any more", async || {
        let before = std::mem::replace(&mut last, everything(stack).await?);
        same = if before == last { same + 1 } else { 0 };
        let all = |path: &str, list: &str, holds: &dyn Fn(&Value) -> bool| {
            last[path][list]
                .as_array()
                .is_some_and(|all| all.iter().all(holds))
        };
        let applied = revision_lag(stack).await? == 0.0
            && all(ALL_RULES, "accessRules", &|rule| {
                rule["status"]["phase"] == "Ready"
            })
            && all(ALL_WORKLOADS, "workloads", &|workload| {
                workload["updatedAt"] != workload["createdAt"]
            });
        Ok((applied && same >= STILL).then_some(()))
    })
    .await?;
    Ok(last)
}

/// What really is there, for those who may not touch it.
struct Real<'r> {
    stack: &'r Stack,
    team: Team,
    training: String,
    application: Application,
    account: String,
}

impl Real<'_> {
    async fn make(stack: &Stack) -> Result<Real<'_>> {
        let team = Team::form(stack).await?;
        let made = team
            .researcher
            .rest
            .post(TRAININGS, new_training(stack, &team, "train"))
            .await?
            .expect(202)?;
        let application = organization::create_application(&stack.admin, &fresh("app")).await?;
        let accounts = stack.admin.get("/api/v1/service-accounts").await?.expect(200)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no id");
        Ok(Real {
            training: text(&made["workloadId"])?,
            account: text(&accounts[0]["id"])?,
            stack,
            team,
            application,
        })
    }

    fn path(&self, operation: &Operation) -> String {
        let rule = self.team.researcher.rule.to_string();
        filled(operation.path, |name| match name {
            "clusterUuid" => &self.stack.cluster_id,
            "departmentId" => &self.team.department,
            "projectId" => &self.team.project,
            "userId" => &self.team.researcher.person.id,
            "serviceAccountId" => &self.account,
            "accessRuleId" => &rule,
            "workloadId" => &self.training,
            "key" => "logoutRedirectUri",
            "settingKey" => "department.use",
            _ => "5",
        })
    }

    /// A body that would be taken from whoever may send it.
    fn body(&self, operation: &Operation) -> Value {
        let cluster = &self.stack.cluster_id;
        match operation.name {
            "create_cluster"
            | "create_service_account"
            | "create_application"
            | "create_access_key1"
            | "create_user_application" => json!({"name": "unwanted"}),
            "create_department" => json!({"name": "unwanted", "clusterId": cluster, "resources": []}),
            "create_project" => {
                json!({"name": "unwanted", "clusterId": cluster, "parentId": self.team.department, "resources": []})
            }
            "update_department" | "update_project" => {
                json!({"description": "unwanted", "resources": []})
            }
            "update_department_resources"
            | "patch_department_resources"
            | "update_project_resources"
            | "patch_project_resources" => json!([{"gpu": {"deserved": 99}}]),
            "update_cluster" => json!({"name": "unwanted"}),
            "update_security_setting_by_key" => json!({"uri": "https://unwanted.example/"}),
            "update_tenant_setting" => json!({"key": "department.use", "value": true}),
            "change_user_password" => json!({"currentPassword": "unwanted", "newPassword": "Unwanted-1!"}),
            "overwrite_training_policy_v2" | "overwrite_workspace_policy_v2" => {
                json!({"meta": {"scope": "tenant", "name": "unwanted"}, "policy": {}})
            }
            "confirm_authenticator" | "remove_authenticator" => json!({"code": "123456"}),
            "create_passkey" => json!({"ticket": "unwanted", "name": "unwanted", "id": "AQID",
                "clientDataJSON": "e30", "attestationObject": "oA"}),
            "create_user" => json!({"email": "unwanted@reeve.example"}),
            "rotate_signing_keys" => json!({"atOnce": true}),
            "set_user_posix" => json!({"uid": 61_000, "gid": 5000}),
            "set_cluster_lowest_id" => json!({"lowestId": 500}),
            "set_project_networking" => json!({"allowNetworking": true}),
            "set_project_pod_rules" => json!({"podSecurity": "restricted", "nodePools": ["gpu"]}),
            "create_access_rule" => json!({"subjectType": "group", "subjectId": "unwanted", "roleId": 9,
                "scopeType": "project", "scopeId": self.team.project}),
            "create_role" | "update_role" => json!({"name": "unwanted", "description": "Unwanted.",
                "permissionSets": [{"id": "9cc43da2-fb7b-8760-983d-84d7b0e20ee4"}]}),
            "access_rules_batch" => {
                json!({"ids": [self.team.researcher.rule.to_string()], "action": "delete"})
            }
            "access_rules_batch_create" => json!({"payload": {"roleId": 9,
                "subjects": [{"subjectType": "group", "subjectId": "unwanted"}],
                "scopes": [{"scopeType": "project", "scopeId": self.team.project}]}}),
            "get_permitted_scopes" => json!({"resourceType": "trainings"}),
            "explain" | "who_can" => json!({"resourceType": "trainings", "action": "create",
                "scopeType": "project", "scopeId": self.team.project}),
            "preview" => json!({"removeRules": [self.team.researcher.rule]}),
            "update_idp" => {
                json!({"type": "oidc", "oidcData": {"clientId": "unwanted", "clientSecret": "unwanted",
                "discoverDocumentUrl": "https://idp.test"}})
            }
            "create_training1" => new_training(self.stack, &self.team, "unwanted"),
            "create_secret_asset" => json!({"meta": {"name": "unwanted", "scope": "tenant"},
                "spec": {"credentialAssetId": "00000000-0000-4000-8000-000000000000"}}),
            "update_Secret_asset_by_id" => json!({"meta": {"name": "unwanted"}}),
            _ => json!({}),
        }
    }
}

fn new_training(stack: &Stack, team: &Team, name: &str) -> Value {
    json!({"name": name, "projectId": team.project, "clusterId": stack.cluster_id, "spec": {"image": "x"}})
}

/// `None` for PATCH, which the client of these tests does not have: the server's own tests send it.
async fn send(rest: &Rest, method: Method, path: &str, body: Value) -> Result<Option<Answer>> {
    Ok(Some(match method {
        Method::Get => rest.get(path).await?,
        Method::Post => rest.post(path, body).await?,
        Method::Put => rest.put(path, body).await?,
        Method::Delete => rest.delete(path).await?,
        Method::Patch => return Ok(None),
    }))
}

#[test]
fn wrong_input_is_named_and_changes_nothing() {
    on_a_stack_of_its_own("wrong-input", Tier::ApiServer, async |stack| {
        let real = Real::make(&stack).await?;
        let elsewhere = [
            (
                "for a cluster's API server",
                stack.kubernetes_token(&stack.admin).await?,
            ),
            ("for the link", link::token(&stack).await?),
        ];
        let before = everything_settled(&stack).await?;
        let unchanged = async |after: &str| {
            let now = everything(&stack).await?;
            ensure!(now == before, "changed by {after}:\n{before}\n{now}");
            anyhow::Ok(())
        };
        bad_names(&real).await?;
        unchanged("bad names").await?;
        unknown_things(&real).await?;
        unchanged("unknown ids").await?;
        unreadable_bodies(&real).await?;
        unchanged("broken and huge bodies").await?;
        wrong_secrets(&real).await?;
        unchanged("wrong secrets").await?;
        tokens_that_are_not_good(&real, &elsewhere).await?;
        unchanged("bad tokens").await?;
        nothing_panicked(&stack)
    });
}

async fn bad_names(real: &Real<'_>) -> Result<()> {
    let (admin, cluster) = (&real.stack.admin, &real.stack.cluster_id);
    let long = "a".repeat(64);
    for name in ["Proj_1", "", "-a", "ä", &long] {
        let unit =
            json!({"name": name, "clusterId": cluster, "parentId": real.team.department, "resources": []});
        must_be(&admin.post(PROJECTS, unit).await?, 400, "name")?;
        let unit = json!({"name": name, "clusterId": cluster, "resources": []});
        let answer = admin.post("/api/v1/org-unit/departments", unit).await?;
        must_be(&answer, 400, "name")?;
        let training = new_training(real.stack, &real.team, name);
        must_be(&admin.post(TRAININGS, training).await?, 400, "name")?;
    }
    for (path, body, word) in [
        ("/api/v1/clusters", json!({"name": ""}), "name"),
        ("/api/v1/clusters", json!({"name": "a\u{0}b"}), "name"),
        ("/api/v1/service-accounts", json!({"name": "Bad Name"}), "name"),
        ("/api/v1/users", json!({"email": "no-address"}), "email"),
        ("/api/v1/users", json!({"email": 7}), "email"),
    ] {
        must_be(&admin.post(path, body).await?, 400, word)?;
    }
    Ok(())
}

/// Ids that nothing has, in paths and in bodies.
async fn unknown_things(real: &Real<'_>) -> Result<()> {
    let admin = &real.stack.admin;
    for operation in OPERATIONS.iter().filter(|it| it.path.contains('{')) {
        for id in ["999999", "not-a-number", UNKNOWN] {
            let path = filled(operation.path, |_| id);
            if let Some(answer) = send(admin, operation.method, &path, real.body(operation)).await? {
                must_be(&answer, 404, id).with_context(|| format!("{:?} {path}", operation.method))?;
            }
        }
    }
    must_be(&admin.get("/api/v1/no-such-thing").await?, 404, "")?;
    let project = |cluster: &str, parent: Value| json!({"name": "fine", "clusterId": cluster, "parentId": parent, "resources": []});
    let training = |project: &str, cluster: &str| json!({"name": "fine", "projectId": project, "clusterId": cluster, "spec": {"image": "x"}});
    let rule = |role: i64, kind: &str, scope: &str| json!({"subjectType": "group", "subjectId": "g", "roleId": role, "scopeType": kind, "scopeId": scope});
    let (cluster, department) = (&real.stack.cluster_id, json!(real.team.department));
    for (path, body, status, word) in [
        (PROJECTS, project("no-uuid", department.clone()), 400, "clusterId"),
        // The department is there, and not in that cluster; without one there is none to take.
        (PROJECTS, project(UNKNOWN, department), 400, "parentId"),
        (PROJECTS, project(UNKNOWN, Value::Null), 400, "parentId"),
        (PROJECTS, project(cluster, json!("999999")), 404, "999999"),
        (
            "/api/v1/org-unit/departments",
            json!({"name": "fine", "clusterId": UNKNOWN, "resources": []}),
            404,
            UNKNOWN,
        ),
        (TRAININGS, training("999999", cluster), 404, "999999"),
        (RULES, rule(999, "project", &real.team.project), 404, "999"),
        (RULES, rule(9, "project", "999999"), 404, "999999"),
        (RULES, rule(9, "cluster", UNKNOWN), 404, UNKNOWN),
    ] {
        let answer = admin.post(path, body.clone()).await?;
        must_be(&answer, status, word).with_context(|| format!("POST {path} {body}"))?;
    }
    Ok(())
}

async fn unreadable_bodies(real: &Real<'_>) -> Result<()> {
    // A form is no JSON, and refused in the words of OAuth.
    let reads = |it: &&Operation| it.method == Method::Post && it.reads_body() && !it.oauth;
    for operation in OPERATIONS.iter().filter(reads) {
        let path = real.path(operation);
        let post = async |bytes: Vec<u8>| real.stack.admin.post_raw(&path, bytes).await;
        must_be(&post(b"{\"name\": ".to_vec()).await?, 400, "").with_context(|| path.clone())?;
        must_be(&post(vec![b'x'; 10 * 1024 * 1024]).await?, 413, "too large")
            .with_context(|| path.clone())?;
    }
    Ok(())
}

async fn wrong_secrets(real: &Real<'_>) -> Result<()> {
    let nobody = real.stack.admin.with_token(None);
    let (person, client) = (&real.team.researcher.person.username, &real.application.client_id);
    for body in [
        json!({"grantType": "password", "username": person, "password": "wrong"}),
        json!({"grantType": "password", "username": "nobody@reeve.example", "password": "wrong"}),
        json!({"grantType": "client_credentials", "clientID": client, "clientSecret": "wrong"}),
        json!({"grantType": "client_credentials", "clientID": "none", "clientSecret": "wrong"}),
        json!({"grantType": "app_token", "AppId": client, "AppSecret": "wrong"}),
        json!({"grantType": "app_token", "AppId": null, "AppSecret": null}),
        json!({"grantType": "refresh_token", "refreshToken": "rt.1.2.3"}),
        json!({"grantType": "telepathy"}),
        json!({}),
    ] {
        must_be(&nobody.post("/api/v1/token", body).await?, 400, "")?;
    }
    for cluster in [real.stack.cluster_id.as_str(), UNKNOWN] {
        let body = json!({"clusterId": cluster, "clientSecret": "wrong"});
        let answer = nobody.post("/link/v1/token", body).await?;
        must_be(&answer, 400, "credentials are not valid")?;
    }
    Ok(())
}

/// No operation that asks for a token takes one of these, though everything else about the request is right. Tokens that
/// are expired or that another issuer signed are made in the server's own tests, with its clock and its keys.
async fn tokens_that_are_not_good(real: &Real<'_>, elsewhere: &[(&str, String)]) -> Result<()> {
    let admin = &real.stack.admin;
    let good = admin.token().unwrap_or_default().to_owned();
    let mut parts: Vec<&str> = good.split('.').collect();
    parts[2] = "AAAA";
    let forged = parts.join(".");
    let mut bad = vec![
        ("no token", None),
        ("nonsense", Some("nonsense")),
        ("three parts of nothing", Some("a.b.c")),
        ("a signature that is none", Some(forged.as_str())),
    ];
    bad.extend(
        elsewhere
            .iter()
            .map(|(what, token)| (*what, Some(token.as_str()))),
    );
    for (what, token) in bad {
        let rest = admin.with_token(token);
        for operation in OPERATIONS.iter().filter(|it| it.access != Access::Public) {
            let path = real.path(operation);
            if let Some(answer) = send(&rest, operation.method, &path, real.body(operation)).await? {
                must_be(&answer, 401, "")
                    .with_context(|| format!("{what}: {:?} {path}", operation.method))?;
            }
        }
    }
    Ok(())
}

#[test]
fn an_application_signs_in_with_each_spelling_of_the_reference() {
    on_the_stack(async |stack| {
        let application = organization::create_application(&stack.admin, &fresh("app")).await?;
        let (id, secret) = (&application.client_id, &application.client_secret);
        let nobody = stack.admin.with_token(None);
        for body in [
            json!({"grantType": "app_token", "AppId": id, "AppSecret": secret}),
            json!({"grantType": "app_token", "appID": id, "appSecret": secret}),
            json!({"grantType": "client_credentials", "clientId": id, "clientSecret": secret}),
        ] {
            let answer = nobody.post("/api/v1/token", body).await?.expect(200)?;
            let token = answer["accessToken"].as_str().unwrap_or_default();
            let parts: Vec<&str> = token.split('.').collect();
            ensure!(
                parts.len() == 3 && answer["expiresIn"].as_i64() > Some(0),
                "{answer}"
            );
            // Trap 4: the payload decodes with the plain base64 alphabet.
            ensure!(!parts[1].contains(['-', '_']), "{}", parts[1]);
        }
        Ok(())
    });
}

#[test]
fn a_submission_with_a_field_that_is_not_honoured_is_refused() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        for (spec, word) in [
            (json!({"command": "true"}), "image"),
            (
                json!({"image": "x", "security": {"hostNetwork": true}}),
                "hostNetwork",
            ),
            (json!({"image": "x", "command": "sh -c 'unclosed"}), "command"),
            (json!({"image": "x", "nodePools": ["a"]}), "nodePools"),
            (json!({"image": "x", "colour": "blue"}), "colour"),
        ] {
            let body = json!({"name": fresh("job"), "projectId": team.project, "clusterId": stack.cluster_id, "spec": spec});
            let answer = team.researcher.rest.post(TRAININGS, body).await?;
            must_be(&answer, 400, word)?;
        }
        let listed = team.researcher.rest.get(TRAININGS).await?.expect(200)?;
        ensure!(listed["workloads"] == json!([]), "{listed}");
        nothing_panicked(stack)
    });
}
