//! Secrets planted in every input appear in no log, event, status, audit entry or error.

use anyhow::ensure;
use reeve_demo::organization;
use serde_json::json;

use crate::harness::{Team, fresh, on_the_road};

#[test]
fn nothing_that_was_planted_comes_out_anywhere() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let planted = format!("PLANTED{}", "s3cr3t-of-this-test");
        let nobody = road.admin.with_token(None);
        let mut said = String::new();
        // As a password, a secret, a token, a header, a query, a body that is broken and one that is not.
        for body in [
            json!({"grantType": "password", "username": "admin@reeve.example", "password": planted}),
            json!({"grantType": "client_credentials", "clientID": "x", "clientSecret": planted}),
            json!({"grantType": "refresh_token", "refreshToken": planted}),
        ] {
            said += &nobody.post("/api/v1/token", body).await?.body.to_string();
        }
        said += &nobody
            .with_token(Some(&planted))
            .get("/api/v1/me")
            .await?
            .body
            .to_string();
        let link = json!({"clusterId": road.cluster_id, "clientSecret": planted});
        said += &nobody.post("/link/v1/token", link).await?.body.to_string();
        said += &road
            .admin
            .post_raw(
                "/api/v1/token",
                format!("{{\"password\": \"{planted}\"").into_bytes(),
            )
            .await?
            .body
            .to_string();
        ensure!(!said.contains(&planted), "an error repeats it: {said}");

        // A password that works, a secret that works and tokens: none of them is written down.
        let application = organization::create_application(&road.admin, &fresh("app")).await?;
        road.admin
            .sign_in_application(&application.client_id, &application.client_secret)
            .await?;
        let kubernetes = road.kubernetes_token(&team.researcher.rest).await?;
        let logs = road.server().map(|p| p.log()).unwrap_or_default()
            + &road.operator().map(|p| p.log()).unwrap_or_default();
        ensure!(
            logs.lines().count() > 20,
            "the logs say nothing, so this test shows nothing"
        );
        for (what, secret) in [
            ("what was planted", planted.as_str()),
            ("the administrator's password", &road.admin_password),
            ("a person's password", &team.researcher.person.password),
            ("an application's secret", &application.client_secret),
            ("the cluster's secret", &road.link_secret),
            ("a REST token", road.admin.token().unwrap_or_default()),
            ("a Kubernetes token", &kubernetes),
        ] {
            ensure!(!logs.contains(secret), "the logs hold {what}");
        }
        let kubectl = road.cluster.kubectl();
        let state = kubectl.must(&[
            "get",
            "projects.reeve.dev,accessrules.reeve.dev,workloads.reeve.dev,reeveconfigs.reeve.dev,events",
            "-A",
            "-o",
            "json",
        ])?;
        for secret in [
            &road.link_secret,
            &application.client_secret,
            &team.researcher.person.password,
            &planted,
        ] {
            ensure!(
                !state.contains(secret.as_str()),
                "the cluster's state holds a secret"
            );
        }
        Ok(())
    });
}
