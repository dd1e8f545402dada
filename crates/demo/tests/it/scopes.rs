//! bob reads department `language` only; of `vision` he sees nothing, counts nothing and gets nothing.

use anyhow::{Result, ensure};
use reeve_demo::organization;
use serde_json::{Value, json};

use crate::harness::{Member, Team, fresh, on_the_road};

/// A viewer of one team's department.
async fn viewer(road: &reeve_demo::Road, department: &str) -> Result<reeve_demo::Rest> {
    let bob = organization::create_user(&road.admin, &fresh("bob"), None).await?;
    organization::create_rule(
        &road.admin,
        "user",
        &bob.username,
        "Viewer",
        "department",
        department,
    )
    .await?;
    road.admin.sign_in(&bob.username, &bob.password).await
}

#[test]
fn a_viewer_of_one_department_sees_nothing_of_another() {
    on_the_road(async |road| {
        let language = Team::form(road).await?;
        let vision = Team::form(road).await?;
        let training = submit(road, &vision.researcher, &vision).await?;
        let seen = submit(road, &language.researcher, &language).await?;
        let bob = viewer(road, &language.department).await?;

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
            let answer = bob.get(&path).await?;
            ensure!(answer.status == 404, "{path}: {answer:?}");
        }
        Ok(())
    });
}

#[test]
fn invisible_is_404_visible_but_not_permitted_403_and_held_nowhere_403() {
    on_the_road(async |road| {
        let language = Team::form(road).await?;
        let vision = Team::form(road).await?;
        let training = submit(road, &vision.researcher, &vision).await?;
        let hers = submit(road, &language.researcher, &language).await?;
        let bob = viewer(road, &language.department).await?;
        let delete = |id: &str| format!("/api/v1/workloads/trainings/{id}");

        // bob may delete trainings nowhere: 403, whether they exist or not.
        for id in [
            hers.as_str(),
            training.as_str(),
            "00000000-0000-4000-8000-000000000000",
        ] {
            let answer = bob.delete(&delete(id)).await?;
            ensure!(answer.status == 403, "{id}: {answer:?}");
        }
        // A researcher may, in her own project; what she cannot see does not exist for her.
        let outside = language.researcher.rest.delete(&delete(&training)).await?;
        ensure!(outside.status == 404, "{outside:?}");
        // Researcher in one project, viewer of another: visible, not permitted.
        organization::create_rule(
            &road.admin,
            "user",
            &language.researcher.person.username,
            "Viewer",
            "project",
            &vision.project,
        )
        .await?;
        let visible = language.researcher.rest.delete(&delete(&training)).await?;
        ensure!(visible.status == 403, "{visible:?}");
        ensure!(visible.message().contains("trainings:delete"), "{visible:?}");
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
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let eve = organization::create_user(&road.admin, &fresh("eve"), None).await?;
        let rule = |role: i64, scope_type: &str, scope: &str| json!({"subjectType": "user", "subjectId": eve.username, "roleId": role, "scopeType": scope_type, "scopeId": scope});
        for body in [rule(5, "project", &team.project), rule(1, "tenant", "1")] {
            let answer = team
                .researcher
                .rest
                .post("/api/v1/authorization/access-rules", body)
                .await?;
            ensure!(answer.status == 403, "{answer:?}");
            ensure!(answer.message().contains("access_rules:create"), "{answer:?}");
        }
        // posix is an account-scope administrator's to give: a department's System administrator may not.
        let chief = organization::create_user(&road.admin, &fresh("chief"), None).await?;
        organization::create_rule(
            &road.admin,
            "user",
            &chief.username,
            "System administrator",
            "department",
            &team.department,
        )
        .await?;
        let chief = road.admin.sign_in(&chief.username, &chief.password).await?;
        let answer = chief
            .put(
                &format!("/api/v1/users/{}/posix", eve.id),
                json!({"uid": 61234, "gid": 5000}),
            )
            .await?;
        ensure!(answer.status == 403 || answer.status == 404, "{answer:?}");
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
        ensure!(above.status == 403, "{above:?}");
        Ok(())
    });
}

#[test]
fn a_uid_is_never_given_again() {
    on_the_road(async |road| {
        let posix = json!({"uid": 55_123, "gid": 5000});
        let first = organization::create_user(&road.admin, &fresh("first"), Some(posix.clone())).await?;
        let body = json!({"email": format!("{}@reeve.example", fresh("second")), "posix": posix});
        ensure!(road.admin.post("/api/v1/users", body.clone()).await?.status == 409);
        road.admin
            .delete(&format!("/api/v1/users/{}", first.id))
            .await?
            .expect(204)?;
        let again = road.admin.post("/api/v1/users", body).await?;
        ensure!(
            again.status == 409 && again.message().contains("55123"),
            "{again:?}"
        );
        Ok(())
    });
}

async fn submit(road: &reeve_demo::Road, member: &Member, team: &Team) -> Result<String> {
    let body = json!({"name": fresh("job"), "projectId": team.project, "clusterId": road.cluster_id,
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
    on_the_road(async |road| {
        Team::form(road).await?;
        Team::form(road).await?;
        let page = road
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
            let answer = road
                .admin
                .get(&format!("/api/v1/org-unit/projects?{query}"))
                .await?;
            ensure!(answer.status == 400, "{query}: {answer:?}");
            ensure!(
                answer.body.get("code") == Some(&Value::from(400)),
                "{query}: {answer:?}"
            );
        }
        road.admin.get("/api/v1/org-unit/projects?").await?.expect(200)?;
        Ok(())
    });
}
