//! bob reads department `language` only; of `vision` he sees nothing, counts nothing and gets nothing.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use reeve_api::cluster::ClusterOperation;
use reeve_api::operation::Method;
use reeve_api::{Access, OPERATIONS, OperationId};
use reeve_e2e::{Rest, Stack, organization};
use serde_json::json;

use crate::harness::{Member, Team, filled, fresh, must_be, on_the_stack};

/// A viewer of one team's department.
async fn viewer(stack: &Stack, department: &str) -> Result<Rest> {
    let bob = organization::create_user(&stack.admin, &fresh("bob"), None).await?;
    organization::create_rule(
        &stack.admin,
        "user",
        &bob.username,
        "Viewer",
        "department",
        department,
    )
    .await?;
    stack.admin.sign_in(&bob.username, &bob.password).await
}

#[test]
fn a_viewer_of_one_department_sees_nothing_of_another() {
    on_the_stack(async |stack| {
        let language = Team::form(stack).await?;
        let vision = Team::form(stack).await?;
        let training = submit(stack, &vision.researcher, &vision).await?;
        let seen = submit(stack, &language.researcher, &language).await?;
        let bob = viewer(stack, &language.department).await?;

        for (path, list, count) in [
            ("/api/v1/org-unit/departments", "departments", 1),
            ("/api/v1/org-unit/projects", "projects", 1),
            ("/api/v1/workloads", "workloads", 1),
        ] {
            let body = bob.get(path).await?.expect(200)?;
            let shown = body[list].as_array().map(Vec::len);
            ensure!(shown == Some(count), "{path}: {body}");
            ensure!(
                !body.to_string().contains(&vision.project_name),
                "{path} shows the other department: {body}"
            );
            let counted = bob.get(&format!("{path}/count")).await?.expect(200)?;
            ensure!(counted["count"] == json!(count), "{path}/count: {counted}");
        }
        bob.get(&format!("/api/v1/org-unit/projects/{}", language.project))
            .await?
            .expect(200)?;
        bob.get(&format!("/api/v1/workloads/trainings/{seen}"))
            .await?
            .expect(200)?;
        for path in [
            format!("/api/v1/org-unit/projects/{}", vision.project),
            format!("/api/v1/org-unit/departments/{}", vision.department),
            format!("/api/v1/workloads/trainings/{training}"),
        ] {
            // The same answer as for what does not exist.
            must_be(
                &bob.get(&path).await?,
                404,
                "does not exist, or you may not see it",
            )?;
        }
        Ok(())
    });
}

/// Ids by the name of the parameter that takes them.
type Ids = BTreeMap<&'static str, String>;

/// Asks every operation that reads, with these ids, and answers everything that was said. `own`: whether what the ids name
/// is the caller's to read.
async fn read_everything(bob: &Rest, ids: &Ids, own: bool) -> Result<String> {
    // What the role Viewer reads (`crates/authz/tests/it/rights.txt`).
    let reads = [
        "department",
        "project",
        "secret-volume-assets",
        "trainings",
        "workloads",
    ];
    let mut said = String::new();
    for operation in OPERATIONS.iter().filter(|it| it.method == Method::Get) {
        let unnamed: Vec<_> = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .filter(|name| !ids.contains_key(name))
            .collect();
        ensure!(unnamed.is_empty(), "no id is known for {unnamed:?}");
        let path = filled(operation.path, |name| ids.get(name).map_or("", String::as_str));
        let of_one = operation.path.contains('{');
        let wanted = match operation.access {
            Access::Requires(_, entity) if !reads.contains(&entity.wire_name()) => 403,
            Access::Requires(..) if of_one && !own => 404,
            Access::Authenticated
                if operation.path.contains("{accessKeyId}") || operation.path.contains("{appId}") =>
            {
                404
            }
            _ => operation.success,
        };
        let answer = bob.get(&path).await?;
        if wanted == operation.success {
            ensure!(answer.status == wanted, "{path}: wanted {wanted}: {answer:?}");
        } else {
            must_be(&answer, wanted, "").with_context(|| path.clone())?;
        }
        // The address of the cluster's API server is one for everybody with a rule in the cluster.
        if operation.id != OperationId::Cluster(ClusterOperation::GetKubernetesEndpoint) {
            said += &format!("GET {path}\n{}\n", answer.body);
        }
    }
    Ok(said)
}

#[test]
fn no_operation_that_reads_shows_a_viewer_anything_of_another_department() {
    on_the_stack(async |stack| {
        let language = Team::form(stack).await?;
        let vision = Team::form(stack).await?;
        let application = organization::create_application(&stack.admin, &fresh("hidden-app")).await?;
        let accounts = stack.admin.get("/api/v1/service-accounts").await?.expect(200)?;
        let account = accounts
            .as_array()
            .into_iter()
            .flatten()
            .find(|it| it["clientId"] == json!(application.client_id))
            .and_then(|it| it["id"].as_str())
            .context("the application is not listed")?
            .to_owned();
        let ids = async |team: &Team| {
            let ids: Ids = [
                ("clusterUuid", stack.cluster_id.clone()),
                ("departmentId", team.department.clone()),
                ("projectId", team.project.clone()),
                ("userId", team.researcher.person.id.clone()),
                ("serviceAccountId", account.clone()),
                ("accessRuleId", team.researcher.rule.to_string()),
                ("roleIdPath", "5".to_owned()),
                ("key", "logoutRedirectUri".to_owned()),
                ("settingKey", "department.use".to_owned()),
                (
                    "permissionSetId",
                    "9cc43da2-fb7b-8760-983d-84d7b0e20ee4".to_owned(),
                ),
                ("workloadId", submit(stack, &team.researcher, team).await?),
                ("AssetId", secret_asset(stack, team).await?),
                ("idp", "corporate".to_owned()),
                // Nobody's: everybody sees access keys of their own alone.
                ("accessKeyId", "00000000-0000-4000-8000-000000000000".to_owned()),
                ("appId", "00000000-0000-4000-8000-000000000000".to_owned()),
            ]
            .into();
            anyhow::Ok(ids)
        };
        let (his, hidden) = (ids(&language).await?, ids(&vision).await?);
        let bob = viewer(stack, &language.department).await?;
        let seen = read_everything(&bob, &his, true).await?;
        ensure!(
            seen.contains(&language.project_name),
            "he does not see his own, so this shows nothing"
        );
        let said = seen + &read_everything(&bob, &hidden, false).await?;
        let department = stack
            .admin
            .get(&format!("/api/v1/org-unit/departments/{}", vision.department))
            .await?
            .expect(200)?;
        let name = department["name"].as_str().context("no name")?;
        for hidden in [
            name,
            &vision.project_name,
            &vision.namespace,
            &vision.researcher.person.username,
            &application.client_id,
            &format!("registry-of-{}", vision.project_name),
            &format!("keys-of-{}", vision.project_name),
        ] {
            let word = format!("\"{hidden}\"");
            // Names are numbered: `proj-1` is also the beginning of `proj-12`.
            let found = said
                .lines()
                .find(|line| line.contains(&word) || line.contains(&format!("`{hidden}`")));
            ensure!(found.is_none(), "`{hidden}` is shown: {found:?}");
        }
        // Ids, save those that bob sent himself and hears again.
        for id in [
            &vision.researcher.person.id,
            &hidden["workloadId"],
            &hidden["AssetId"],
        ] {
            let found = said.lines().find(|line| {
                line.contains(id.as_str()) && !line.starts_with("GET ") && !line.contains("does not exist")
            });
            ensure!(found.is_none(), "`{id}` is shown: {found:?}");
        }
        Ok(())
    });
}

#[test]
fn invisible_is_404_visible_but_not_permitted_403_and_held_nowhere_403() {
    on_the_stack(async |stack| {
        let language = Team::form(stack).await?;
        let vision = Team::form(stack).await?;
        let training = submit(stack, &vision.researcher, &vision).await?;
        let hers = submit(stack, &language.researcher, &language).await?;
        let bob = viewer(stack, &language.department).await?;
        let delete = |id: &str| format!("/api/v1/workloads/trainings/{id}");

        // bob may delete trainings nowhere: 403, whether they exist or not.
        for id in [
            hers.as_str(),
            training.as_str(),
            "00000000-0000-4000-8000-000000000000",
        ] {
            must_be(&bob.delete(&delete(id)).await?, 403, "trainings:delete")?;
        }
        // A researcher may, in her own project; what she cannot see does not exist for her.
        let outside = language.researcher.rest.delete(&delete(&training)).await?;
        must_be(&outside, 404, &training)?;
        // Researcher in one project, viewer of another: visible, not permitted.
        organization::create_rule(
            &stack.admin,
            "user",
            &language.researcher.person.username,
            "Viewer",
            "project",
            &vision.project,
        )
        .await?;
        let visible = language.researcher.rest.delete(&delete(&training)).await?;
        must_be(&visible, 403, "trainings:delete")?;
        language
            .researcher
            .rest
            .delete(&delete(&hers))
            .await?
            .expect(202)?;
        Ok(())
    });
}

#[test]
fn nobody_grants_what_they_do_not_hold() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let eve = organization::create_user(&stack.admin, &fresh("eve"), None).await?;
        let rule = |role: i64, scope_type: &str, scope: &str| json!({"subjectType": "user", "subjectId": eve.username, "roleId": role, "scopeType": scope_type, "scopeId": scope});
        for body in [rule(5, "project", &team.project), rule(1, "tenant", "1")] {
            let answer = team
                .researcher
                .rest
                .post("/api/v1/authorization/access-rules", body)
                .await?;
            must_be(&answer, 403, "access_rules:create")?;
        }
        // posix is an account-scope administrator's to give: a department's System administrator may not. She may update
        // users, if only where none are, and people belong to the account: she sees none (decision 16).
        let chief = organization::create_user(&stack.admin, &fresh("chief"), None).await?;
        organization::create_rule(
            &stack.admin,
            "user",
            &chief.username,
            "System administrator",
            "department",
            &team.department,
        )
        .await?;
        let chief = stack.admin.sign_in(&chief.username, &chief.password).await?;
        let answer = chief
            .put(
                &format!("/api/v1/users/{}/posix", eve.id),
                json!({"uid": 61234, "gid": 5000}),
            )
            .await?;
        must_be(&answer, 404, &eve.id)?;
        chief
            .post(
                "/api/v1/authorization/access-rules",
                rule(5, "project", &team.project),
            )
            .await?
            .expect(201)?;
        let above = chief
            .post("/api/v1/authorization/access-rules", rule(9, "tenant", "1"))
            .await?;
        must_be(&above, 403, "access_rules:create")?;
        Ok(())
    });
}

#[test]
fn a_uid_is_never_given_again() {
    on_the_stack(async |stack| {
        let posix = json!({"uid": 55_123, "gid": 5000});
        let first = organization::create_user(&stack.admin, &fresh("first"), Some(posix.clone())).await?;
        let body = json!({"email": format!("{}@reeve.example", fresh("second")), "posix": posix});
        let second = stack.admin.post("/api/v1/users", body.clone()).await?;
        must_be(&second, 409, "55123")?;
        stack
            .admin
            .delete(&format!("/api/v1/users/{}", first.id))
            .await?
            .expect(204)?;
        let again = stack.admin.post("/api/v1/users", body).await?;
        must_be(&again, 409, "55123")
    });
}

/// A credential of the team's project, of the kind `password`.
async fn password(stack: &Stack, team: &Team) -> Result<String> {
    let meta = json!({"name": format!("registry-of-{}", team.project_name), "scope": "project", "projectId": team.project});
    let body = json!({"meta": meta, "spec": {"user": "robot", "password": "not-to-be-read"}});
    let made = stack
        .admin
        .post("/api/v1/asset/credentials/password", body)
        .await?;
    let made = made.expect(202)?;
    let id = made["meta"]["id"].as_str().context("the credential has no id")?;
    Ok(id.to_owned())
}

/// A secret asset of the team's project, which names a credential of it. Whoever may read none of the credentials is told that
/// before any id is looked up.
async fn secret_asset(stack: &Stack, team: &Team) -> Result<String> {
    let credential = password(stack, team).await?;
    let meta = json!({"name": format!("keys-of-{}", team.project_name), "scope": "project", "projectId": team.project});
    let body = json!({"meta": meta, "spec": {"credentialAssetId": credential, "mountPath": "/keys"}});
    let made = stack.admin.post("/api/v1/asset/datasource/secrets", body).await?;
    let made = made.expect(202)?;
    let id = made["meta"]["id"]
        .as_str()
        .context("the secret asset has no id")?;
    Ok(id.to_owned())
}

async fn submit(stack: &Stack, member: &Member, team: &Team) -> Result<String> {
    let body = json!({"name": fresh("job"), "projectId": team.project, "clusterId": stack.cluster_id,
        "spec": {"image": reeve_testkit::images::TOOLS, "command": "true"}});
    let made = member
        .rest
        .post("/api/v1/workloads/trainings", body)
        .await?
        .expect(202)?;
    Ok(made["workloadId"].as_str().unwrap_or_default().to_owned())
}

/// Kept here because every list must say the same about itself: a page's items are what its count counts.
#[test]
fn a_page_never_holds_more_than_was_asked_for() {
    on_the_stack(async |stack| {
        Team::form(stack).await?;
        Team::form(stack).await?;
        let page = stack
            .admin
            .get("/api/v1/org-unit/projects?limit=1")
            .await?
            .expect(200)?;
        ensure!(page["projects"].as_array().map(Vec::len) == Some(1), "{page}");
        ensure!(page["next"] == json!(1), "{page}");
        for query in [
            "limit=0",
            "limit=501",
            "offset=-1",
            "filterBy=colour==blue",
            "sortBy=colour",
        ] {
            let answer = stack
                .admin
                .get(&format!("/api/v1/org-unit/projects?{query}"))
                .await?;
            must_be(&answer, 400, "").with_context(|| query)?;
        }
        stack.admin.get("/api/v1/org-unit/projects?").await?.expect(200)?;
        Ok(())
    });
}
