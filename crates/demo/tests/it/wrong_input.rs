//! Wrong input gets the documented status and `{code, message}`; nothing changes.

use anyhow::{Result, ensure};
use reeve_demo::Answer;
use serde_json::json;

use crate::harness::{Team, fresh, on_the_road};

fn must_be(answer: &Answer, status: u16, word: &str) -> Result<()> {
    ensure!(answer.status == status, "wanted {status}: {answer:?}");
    ensure!(answer.body["code"] == json!(status), "{answer:?}");
    ensure!(
        answer.message().contains(word),
        "`{word}` is missing in: {answer:?}"
    );
    Ok(())
}

#[test]
fn wrong_input_is_named_and_changes_nothing() {
    on_the_road(async |road| {
        let admin = &road.admin;
        let before = admin.get("/api/v1/org-unit/projects/count").await?.expect(200)?;
        let project =
            |name: &str, cluster: &str| json!({"name": name, "clusterId": cluster, "resources": []});
        for name in ["Proj_1", "", "-a", "ä", &"a".repeat(64)] {
            let answer = admin
                .post("/api/v1/org-unit/projects", project(name, &road.cluster_id))
                .await?;
            must_be(&answer, 400, "name")?;
        }
        must_be(
            &admin
                .post("/api/v1/org-unit/projects", project("fine", "no-uuid"))
                .await?,
            400,
            "no-uuid",
        )?;
        let unknown = "00000000-0000-4000-8000-000000000000";
        let answer = admin
            .post("/api/v1/org-unit/projects", project("fine", unknown))
            .await?;
        ensure!(answer.status == 404 || answer.status == 400, "{answer:?}");
        must_be(
            &admin
                .post_raw("/api/v1/org-unit/projects", b"{\"name\": ".to_vec())
                .await?,
            400,
            "JSON",
        )?;
        must_be(
            &admin
                .post_raw("/api/v1/org-unit/projects", vec![b'x'; 10 * 1024 * 1024])
                .await?,
            413,
            "",
        )?;
        must_be(
            &admin.get("/api/v1/org-unit/projects/999999").await?,
            404,
            "999999",
        )?;
        let answer = admin.get("/api/v1/org-unit/projects/not-a-number").await?;
        ensure!(answer.status == 404 || answer.status == 400, "{answer:?}");
        must_be(&admin.get("/api/v1/no-such-thing").await?, 404, "")?;
        let after = admin.get("/api/v1/org-unit/projects/count").await?.expect(200)?;
        ensure!(
            before["count"].as_i64() <= after["count"].as_i64(),
            "projects were lost: {before} {after}"
        );
        for name in ["Proj_1", "fine"] {
            let found = admin
                .get(&format!("/api/v1/org-unit/projects?filterBy=name=={name}"))
                .await?
                .expect(200)?;
            ensure!(found["projects"] == json!([]), "{found}");
        }
        Ok(())
    });
}

#[test]
fn tokens_that_are_none_are_401() {
    on_the_road(async |road| {
        let good = road.admin.token().unwrap_or_default().to_owned();
        let mut parts: Vec<&str> = good.split('.').collect();
        parts[2] = "AAAA";
        let forged = parts.join(".");
        for token in [None, Some("nonsense"), Some("a.b.c"), Some(forged.as_str())] {
            must_be(&road.admin.with_token(token).get("/api/v1/me").await?, 401, "")?;
        }
        Ok(())
    });
}

#[test]
fn bad_credentials_are_400_whatever_their_spelling() {
    on_the_road(async |road| {
        let nobody = road.admin.with_token(None);
        for body in [
            json!({"grantType": "password", "username": "admin@reeve.example", "password": "wrong"}),
            json!({"grantType": "password", "username": "nobody@reeve.example", "password": "wrong"}),
            json!({"grantType": "client_credentials", "clientID": "none", "clientSecret": "wrong"}),
            json!({"grantType": "app_token", "AppId": "none", "AppSecret": "wrong"}),
            json!({"grantType": "app_token", "AppId": null, "AppSecret": null}),
            json!({"grantType": "telepathy"}),
            json!({}),
        ] {
            must_be(&nobody.post("/api/v1/token", body).await?, 400, "")?;
        }
        Ok(())
    });
}

#[test]
fn an_application_signs_in_with_each_spelling_of_the_reference() {
    on_the_road(async |road| {
        let application = reeve_demo::organization::create_application(&road.admin, &fresh("app")).await?;
        let (id, secret) = (&application.client_id, &application.client_secret);
        let nobody = road.admin.with_token(None);
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
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let body = |spec: serde_json::Value| json!({"name": fresh("job"), "projectId": team.project, "clusterId": road.cluster_id, "spec": spec});
        let submit = async |spec| {
            team.researcher
                .rest
                .post("/api/v1/workloads/trainings", body(spec))
                .await
        };
        must_be(&submit(json!({"command": "true"})).await?, 400, "image")?;
        must_be(
            &submit(json!({"image": "x", "security": {"hostNetwork": true}})).await?,
            400,
            "hostNetwork",
        )?;
        must_be(
            &submit(json!({"image": "x", "command": "sh -c 'unclosed"})).await?,
            400,
            "command",
        )?;
        must_be(
            &submit(json!({"image": "x", "nodePools": ["a"]})).await?,
            400,
            "nodePools",
        )?;
        must_be(
            &submit(json!({"image": "x", "colour": "blue"})).await?,
            400,
            "colour",
        )?;
        Ok(())
    });
}
