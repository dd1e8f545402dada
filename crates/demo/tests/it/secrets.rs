//! Secrets planted in every input appear in no log, event, status, audit entry or error, and no password or secret lies
//! readable in the server's data.
//!
//! One input is left out of "nowhere": the values of a submission's `environmentVariables`. By design they stand readable
//! in the database, the Workload and its Job, where everybody who may read the project's workloads sees them. They must
//! still come out in no log, no event and no audit entry.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reeve_demo::{Road, organization};
use serde_json::json;

use crate::harness::{Team, fresh, on_the_road};

/// A secret, and what it is called when it was found.
type Named<'a> = (&'a str, &'a str);

fn must_not_hold(place: &str, text: &[u8], secrets: &[Named<'_>]) -> Result<()> {
    for (what, secret) in secrets {
        ensure!(secret.len() >= 8, "{what} is too short to be looked for");
        let found = text.windows(secret.len()).any(|w| w == secret.as_bytes());
        ensure!(!found, "{place} holds {what}");
    }
    Ok(())
}

/// Every file below a folder, as path and content.
fn files_below(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading `{}`", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files_below(&path)?);
        } else if path.is_file() {
            all.push((path.display().to_string(), std::fs::read(&path)?));
        }
    }
    Ok(all)
}

/// Sends what REST clients do not: the secret in headers, in the query and in the path.
async fn send_it_outside_the_body(road: &Road, planted: &str) -> Result<String> {
    let authority = reqwest::Certificate::from_pem(&std::fs::read(&road.ca_file)?)?;
    let client = reqwest::Client::builder().tls_certs_only([authority]).build()?;
    let token = road.admin.token().unwrap_or_default();
    let mut said = String::new();
    for path in [
        format!("/api/v1/me?token={planted}"),
        format!("/api/v1/users?filter=name:{planted}"),
        format!("/api/v1/users?{planted}=1"),
        format!("/api/v1/token?client_secret={planted}"),
        "/api/v1/me".to_owned(),
    ] {
        for header in ["x-api-key", "cookie", "user-agent", "x-request-id", "referer"] {
            let value = format!("session={planted}");
            for bearer in [token, planted] {
                let answer = client
                    .get(format!("{}{path}", road.admin.url()))
                    .header(header, &value)
                    .bearer_auth(bearer)
                    .send()
                    .await?;
                said += &format!("{:?}", answer.headers());
                let text = answer.text().await?;
                // A wrong parameter is named to the one who sent it: that is an answer about the input's name.
                if !path.contains(&format!("?{planted}=")) {
                    said += &text;
                }
            }
        }
        let basic = client
            .get(format!("{}{path}", road.admin.url()))
            .basic_auth("ci", Some(planted))
            .send()
            .await?;
        said += &format!("{:?}", basic.headers());
    }
    Ok(said)
}

#[test]
fn nothing_that_was_planted_comes_out_anywhere() {
    on_the_road(async |road| {
        let team = Team::form(road).await?;
        let planted = format!("PLANTED{}", "s3cr3t-of-this-test");
        let environment = format!("PLANTED{}", "-in-the-environment");
        let nobody = road.admin.with_token(None);
        let mut said = send_it_outside_the_body(road, &planted).await?;
        // As a password, a secret, a token, in a body that is broken and one that is not.
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
        // In a submission that is taken, and in one that is refused for another reason.
        for (name, image, status) in [
            (fresh("env"), json!(reeve_testkit::images::TOOLS), 202),
            (fresh("env"), json!(7), 400),
        ] {
            let body = json!({"name": name, "projectId": team.project, "clusterId": road.cluster_id, "spec": {"image": image,
                "command": "true", "environmentVariables": [{"name": "TOKEN", "value": environment}]}});
            let answer = team
                .researcher
                .rest
                .post("/api/v1/workloads/trainings", body)
                .await?;
            ensure!(answer.status == status, "{answer:?}");
            if status == 400 {
                said += &answer.body.to_string();
                continue;
            }
            let kubectl = road.cluster.kubectl();
            reeve_testkit::wait_until("the Workload to be there", async || {
                Ok(kubectl
                    .must(&["get", "workloads.reeve.dev", &name, "-n", &team.namespace])
                    .ok())
            })
            .await?;
        }
        let inputs: [Named<'_>; 2] = [
            ("what was planted", &planted),
            ("a value of the environment", &environment),
        ];
        must_not_hold("an answer", said.as_bytes(), &inputs)?;

        // A password that works, a secret that works and tokens: none of them is written down.
        let application = organization::create_application(&road.admin, &fresh("app")).await?;
        road.admin
            .sign_in_application(&application.client_id, &application.client_secret)
            .await?;
        let kubernetes = road.kubernetes_token(&team.researcher.rest).await?;
        road.cluster.wait_until_token_accepted(&kubernetes).await?;
        let mut secrets: Vec<Named<'_>> = vec![
            ("what was planted", &planted),
            ("the administrator's password", &road.admin_password),
            ("a person's password", &team.researcher.person.password),
            ("an application's secret", &application.client_secret),
            ("the cluster's secret", &road.link_secret),
            (
                "a REST token",
                road.admin.token().context("the administrator has no token")?,
            ),
            ("a Kubernetes token", &kubernetes),
        ];

        // The server's data, where a value of the environment is by design.
        let data = files_below(&road.dir().join("server"))?;
        let database = data
            .iter()
            .any(|(_, bytes)| bytes.starts_with(b"SQLite format 3\0"));
        ensure!(database, "no SQLite file is below the server's folder");
        let holds = |text: &str| {
            data.iter()
                .any(|(_, bytes)| bytes.windows(text.len()).any(|w| w == text.as_bytes()))
        };
        ensure!(
            holds(&team.researcher.person.username) && holds(&environment),
            "what is known to be in the database is not found, so this search shows nothing"
        );
        for (file, bytes) in &data {
            must_not_hold(file, bytes, &secrets)?;
        }

        secrets.push(("a value of the environment", &environment));
        let logs = road.server().map(|p| p.log()).unwrap_or_default()
            + &road.operator().map(|p| p.log()).unwrap_or_default();
        ensure!(
            logs.lines().count() > 20,
            "the logs say nothing, so this test shows nothing"
        );
        must_not_hold("a log", logs.as_bytes(), &secrets)?;
        let audit = std::fs::read(road.cluster.audit_log())?;
        ensure!(!audit.is_empty(), "the API server's audit log is empty");
        must_not_hold("the API server's audit log", &audit, &secrets)?;

        let kubectl = road.cluster.kubectl();
        let events = kubectl.must(&["get", "events", "-A", "-o", "json"])?;
        must_not_hold("an event", events.as_bytes(), &secrets)?;
        let clusters = road.admin.get("/api/v1/clusters").await?.expect(200)?;
        must_not_hold("a cluster's status", clusters.to_string().as_bytes(), &secrets)?;
        secrets.pop();
        let state = kubectl.must(&[
            "get",
            "projects.reeve.dev,accessrules.reeve.dev,workloads.reeve.dev,reeveconfigs.reeve.dev",
            "-A",
            "-o",
            "json",
        ])?;
        must_not_hold("the cluster's state", state.as_bytes(), &secrets)
    });
}
