//! Secrets planted in every input appear in no log, event, status, audit entry or error, and no password or secret lies
//! readable in the server's data.
//!
//! Some inputs are left out of "nowhere", each by name in [`Readable`], because being read is what they are for. They must
//! still come out in no log, no event, no status, no audit entry and no error.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reeve_e2e::{Stack, organization};
use serde_json::{Value, json};

use crate::harness::{Team, fresh, on_the_stack};

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
async fn send_it_outside_the_body(stack: &Stack, planted: &str) -> Result<String> {
    let authority = reqwest::Certificate::from_pem(&std::fs::read(&stack.ca_file)?)?;
    let client = reqwest::Client::builder().tls_certs_only([authority]).build()?;
    let token = stack.admin.token().unwrap_or_default();
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
                    .get(format!("{}{path}", stack.admin.url()))
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
            .get(format!("{}{path}", stack.admin.url()))
            .basic_auth("ci", Some(planted))
            .send()
            .await?;
        said += &format!("{:?}", basic.headers());
    }
    Ok(said)
}

/// Inputs that are kept to be read: who may read the department, project or workload reads them there.
struct Readable {
    /// A department's: people explain with it what it is for. In the database alone.
    department_description: &'static str,
    /// A project's, likewise. No cluster is told of it.
    project_description: &'static str,
    /// What is to run. In the database, the Workload and its Job, or it would not run.
    command: &'static str,
    /// Its arguments, likewise.
    args: &'static str,
    /// A value of a submission's `environmentVariables`, likewise; for secrets there will be Secrets.
    environment: &'static str,
}

const READABLE: Readable = Readable {
    department_description: "PLANTED-in-a-departments-description",
    project_description: "PLANTED-in-a-projects-description",
    command: "PLANTED-in-the-command",
    args: "PLANTED-in-the-arguments",
    environment: "PLANTED-in-the-environment",
};

impl Readable {
    fn all(&self) -> [Named<'_>; 5] {
        [
            ("a department's description", self.department_description),
            ("a project's description", self.project_description),
            ("a command", self.command),
            ("an argument", self.args),
            ("a value of the environment", self.environment),
        ]
    }

    /// Of which the cluster knows.
    fn in_the_cluster(&self) -> [Named<'_>; 3] {
        let [_, _, command, args, environment] = self.all();
        [command, args, environment]
    }
}

fn with(mut body: Value, change: Value) -> Value {
    if let (Some(members), Value::Object(change)) = (body.as_object_mut(), change) {
        members.extend(change);
    }
    body
}

/// The secret as a password, a secret, a token, in a body that is broken and one that is not, and where something else
/// belongs. Answers everything that was said.
///
/// Names and ids in their own places are not planted: an error says them back to the one who sent them, who could not
/// tell otherwise which of them is wrong.
async fn send_it_in_bodies(stack: &Stack, team: &Team, planted: &str) -> Result<String> {
    let nobody = stack.admin.with_token(None);
    let mut said = String::new();
    for (path, body) in [
        (
            "/api/v1/token",
            json!({"grantType": "password", "username": "admin@reeve.example", "password": planted}),
        ),
        (
            "/api/v1/token",
            json!({"grantType": "client_credentials", "clientID": "x", "clientSecret": planted}),
        ),
        (
            "/api/v1/token",
            json!({"grantType": "refresh_token", "refreshToken": planted}),
        ),
        ("/api/v1/token", json!({"grantType": planted})),
        (
            "/link/v1/token",
            json!({"clusterId": stack.cluster_id, "clientSecret": planted}),
        ),
    ] {
        let answer = nobody.post(path, body).await?;
        ensure!(answer.status == 400, "{answer:?}");
        said += &answer.body.to_string();
    }
    let as_token = nobody.with_token(Some(planted)).get("/api/v1/me").await?;
    said += &as_token.body.to_string();
    let broken = format!("{{\"password\": \"{planted}\"").into_bytes();
    said += &stack
        .admin
        .post_raw("/api/v1/token", broken)
        .await?
        .body
        .to_string();

    let rule = |change: Value| {
        let body = json!({"subjectType": "group", "subjectId": "g", "roleId": 9, "scopeType": "project", "scopeId": team.project});
        with(body, change)
    };
    let unit = |change: Value| {
        let body = json!({"name": "planted", "clusterId": stack.cluster_id, "parentId": team.department, "resources": []});
        with(body, change)
    };
    for (path, body) in [
        (
            "/api/v1/authorization/access-rules",
            rule(json!({"subjectType": planted})),
        ),
        (
            "/api/v1/authorization/access-rules",
            rule(json!({"scopeType": planted})),
        ),
        (
            "/api/v1/authorization/access-rules",
            rule(json!({"roleId": planted})),
        ),
        (
            "/api/v1/authorization/access-rules",
            rule(json!({"subjectId": [planted]})),
        ),
        (
            "/api/v1/authorization/access-rules",
            rule(json!({"password": planted})),
        ),
        (
            "/api/v1/org-unit/projects",
            unit(json!({"description": {"text": planted}})),
        ),
        ("/api/v1/org-unit/projects", unit(json!({"resources": planted}))),
        ("/api/v1/org-unit/projects", unit(json!({"password": planted}))),
        (
            "/api/v1/users",
            json!({"email": "p@reeve.example", "posix": {"uid": planted, "gid": 1}}),
        ),
        (
            "/api/v1/users",
            json!({"email": "p@reeve.example", "password": planted}),
        ),
        (
            "/api/v1/service-accounts",
            json!({"name": "planted", "clientSecret": planted}),
        ),
        (
            "/api/v1/clusters",
            json!({"name": "planted", "clientSecret": planted}),
        ),
    ] {
        let answer = stack.admin.post(path, body).await?;
        ensure!(answer.status == 400, "{path}: {answer:?}");
        said += &answer.body.to_string();
    }
    Ok(said)
}

/// What is readable, planted in a submission that is taken and in one that is refused for another reason.
async fn submit_it(stack: &Stack, team: &Team) -> Result<String> {
    let mut said = String::new();
    for (image, status) in [(json!(reeve_testkit::images::TOOLS), 202), (json!(7), 400)] {
        let name = fresh("env");
        let body = json!({"name": name, "projectId": team.project, "clusterId": stack.cluster_id, "spec": {"image": image,
            "command": format!("echo {}", READABLE.command), "args": READABLE.args,
            "environmentVariables": [{"name": "TOKEN", "value": READABLE.environment}]}});
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
        let kubectl = stack.cluster.kubectl();
        reeve_testkit::wait_until("the Workload's Job to have begun", async || {
            let jobs = [
                "get",
                "jobs",
                &name,
                "-n",
                &team.namespace,
                "-o",
                "jsonpath={.status.startTime}",
            ];
            Ok((!kubectl.must(&jobs)?.is_empty()).then_some(()))
        })
        .await?;
    }
    Ok(said)
}

/// A department and a project that say it in their descriptions.
async fn describe_it(stack: &Stack) -> Result<()> {
    let unit = |change: Value| {
        with(
            json!({"name": fresh("told"), "clusterId": stack.cluster_id, "resources": []}),
            change,
        )
    };
    let body = unit(json!({"description": READABLE.department_description}));
    let department = stack
        .admin
        .post("/api/v1/org-unit/departments", body)
        .await?
        .expect(201)?;
    let body = unit(json!({"description": READABLE.project_description, "parentId": department["id"]}));
    let project = stack
        .admin
        .post("/api/v1/org-unit/projects", body)
        .await?
        .expect(201)?;
    let id = project["id"].as_str().context("no id")?;
    organization::wait_until_ready(&stack.admin, id).await
}

#[test]
fn nothing_that_was_planted_comes_out_anywhere() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let planted = "PLANTEDs3cr3t-of-this-test".to_owned();
        let mut said = send_it_outside_the_body(stack, &planted).await?;
        said += &send_it_in_bodies(stack, &team, &planted).await?;
        said += &submit_it(stack, &team).await?;
        describe_it(stack).await?;
        let mut inputs = vec![("what was planted", planted.as_str())];
        inputs.extend(READABLE.all());
        must_not_hold("an answer", said.as_bytes(), &inputs)?;

        // A password that works, a secret that works and tokens: none of them is written down.
        let application = organization::create_application(&stack.admin, &fresh("app")).await?;
        stack
            .admin
            .sign_in_application(&application.client_id, &application.client_secret)
            .await?;
        let kubernetes = stack.kubernetes_token(&team.researcher.rest).await?;
        stack.cluster.wait_until_token_accepted(&kubernetes).await?;
        let mut secrets: Vec<Named<'_>> = vec![
            ("what was planted", &planted),
            ("the administrator's password", &stack.admin_password),
            ("a person's password", &team.researcher.person.password),
            ("an application's secret", &application.client_secret),
            ("the cluster's secret", &stack.link_secret),
            (
                "a REST token",
                stack.admin.token().context("the administrator has no token")?,
            ),
            ("a Kubernetes token", &kubernetes),
        ];

        // The server's data, where what is readable is by design.
        let data = files_below(&stack.dir().join("server"))?;
        let database = data
            .iter()
            .any(|(_, bytes)| bytes.starts_with(b"SQLite format 3\0"));
        ensure!(database, "no SQLite file is below the server's folder");
        let holds = |text: &str| {
            data.iter()
                .any(|(_, bytes)| bytes.windows(text.len()).any(|w| w == text.as_bytes()))
        };
        let known = READABLE.all().into_iter().all(|(_, text)| holds(text));
        ensure!(
            holds(&team.researcher.person.username) && known,
            "what is known to be in the database is not found, so this search shows nothing"
        );
        for (file, bytes) in &data {
            must_not_hold(file, bytes, &secrets)?;
        }

        let hidden = secrets.clone();
        secrets.extend(READABLE.all());
        let logs = stack.server().map(|p| p.log()).unwrap_or_default()
            + &stack.operator().map(|p| p.log()).unwrap_or_default();
        ensure!(
            logs.lines().count() > 20,
            "the logs say nothing, so this test shows nothing"
        );
        must_not_hold("a log", logs.as_bytes(), &secrets)?;
        let audit = std::fs::read(stack.cluster.audit_log())?;
        ensure!(!audit.is_empty(), "the API server's audit log is empty");
        must_not_hold("the API server's audit log", &audit, &secrets)?;

        let kubectl = stack.cluster.kubectl();
        let events = kubectl.must(&["get", "events", "-A", "-o", "json"])?;
        must_not_hold("an event", events.as_bytes(), &secrets)?;
        let clusters = stack.admin.get("/api/v1/clusters").await?.expect(200)?;
        must_not_hold("a cluster's status", clusters.to_string().as_bytes(), &secrets)?;
        the_cluster_holds_only_what_it_runs(stack, &secrets, &hidden)
    });
}

/// Of what is readable the cluster knows what it runs, and that in the places where it says what to run.
fn the_cluster_holds_only_what_it_runs(stack: &Stack, all: &[Named<'_>], hidden: &[Named<'_>]) -> Result<()> {
    let kubectl = stack.cluster.kubectl();
    let get = |resources: &str| kubectl.must(&["get", resources, "-A", "-o", "json"]);
    let organization = get("projects.reeve.dev,accessrules.reeve.dev,reeveconfigs.reeve.dev,namespaces")?;
    must_not_hold("the cluster's organization", organization.as_bytes(), all)?;
    let work = get("workloads.reeve.dev,jobs,pods")?;
    must_not_hold("the cluster's work", work.as_bytes(), hidden)?;
    for (what, text) in READABLE.in_the_cluster() {
        ensure!(
            work.contains(text),
            "{what} is not where it runs, so this shows nothing"
        );
    }
    for (what, text) in READABLE.all() {
        let mut work: Value = serde_json::from_str(&work)?;
        for object in work["items"].as_array_mut().into_iter().flatten() {
            object["spec"] = Value::Null;
        }
        let found = work.to_string().contains(text);
        ensure!(!found, "metadata or status of an object hold {what}");
    }
    Ok(())
}
