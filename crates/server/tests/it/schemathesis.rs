//! schemathesis on the OpenAPI document against the program itself, as two users: the administrator of one department, who changes
//! things, and a viewer of another one. It finds nothing that is answered with 5xx, without authentication, or out of the other's
//! department; and a naive receiver, which has all three faults, is found out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use reeve_testkit::{is_whole, output_with_input, schemathesis};
use reeve_types::CredentialAssetKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::floods::{administrator, started, text};
use crate::process::{Running, fresh};
use crate::server::rule;
use crate::{credentials, secret_assets};

const CREDENTIALS: &str = "/api/v1/asset/credentials";
const SECRETS: &str = "/api/v1/asset/datasource/secrets";
const TRAININGS: &str = "/api/v1/workloads/trainings";
const RULES: &str = "/api/v1/authorization/access-rules";
/// Of all that must hold of an answer, whoever asks.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
    ignored_auth,use_after_free,object_level_authorization,nothing_of_another_department";
/// For each operation.
const EXAMPLES: &str = "18";
/// A person can sign out only once.
const NOT_ASKED: [&str; 1] = ["logout_me"];
const SEED: &str = "7";
/// What succeeds now and then in every run.
const CHIEFS: [&str; 8] = [
    "get_project",
    "get_department",
    "get_training",
    "get_access_rule",
    "get_password_by_id",
    "create_project",
    "update_project",
    "update_password",
];
const VIEWERS: [&str; 6] = [
    "get_project",
    "get_projects",
    "get_department",
    "get_training",
    "get_workload",
    "count_projects",
];

/// A department with a project and one of everything in it.
struct Department {
    /// With what every name in it begins, and none beside it.
    mark: String,
    department: String,
    project: String,
    credentials: Vec<(&'static str, String)>,
    secret: String,
    workload: String,
    rule: String,
    user: String,
    application: String,
    key: String,
}

/// The account's administrator, and who else asks.
struct Api<'r> {
    running: &'r Running,
    token: String,
}

impl Api<'_> {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.running.client.request(method, self.running.url(path));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        text(request.send().await.unwrap()).await
    }

    async fn make(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::POST, path, Some(body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// Makes somebody; the id and a way to ask as them.
    async fn user(&self, email: &str, uid: u32) -> (String, Self) {
        let posix = json!({"uid": uid, "gid": 5000});
        let body = json!({"email": email, "resetPassword": false, "posix": posix});
        let made = self.make("/api/v1/users", body).await;
        let grant = json!({"grantType": "password", "username": email, "password": made["tempPassword"]});
        let given = self.make("/api/v1/token", grant).await;
        let token = given["accessToken"].as_str().unwrap().to_owned();
        let running = self.running;
        (text_of(&made["id"]), Self { running, token })
    }

    async fn department(&self, cluster: &str, name: &str, uid: u32) -> Department {
        let named = |what: &str| format!("{name}-{what}");
        let body = json!({"name": named("department"), "clusterId": cluster, "resources": []});
        let department = text_of(&self.make("/api/v1/org-unit/departments", body).await["id"]);
        let body =
            json!({"name": named("project"), "clusterId": cluster, "parentId": department, "resources": []});
        let project = text_of(&self.make("/api/v1/org-unit/projects", body).await["id"]);
        let here = ("project", project.as_str());
        let mut kept = Vec::new();
        for kind in CredentialAssetKind::ALL {
            let body = credentials::body(kind.slug(), &named(kind.slug()), here);
            let made = self.make(&format!("{CREDENTIALS}/{}", kind.slug()), body).await;
            kept.push((kind.slug(), text_of(&made["meta"]["id"])));
        }
        let password = &kept.iter().find(|(slug, _)| *slug == "password").unwrap().1;
        let body = secret_assets::body(&named("secret"), here, password);
        let secret = text_of(&self.make(SECRETS, body).await["meta"]["id"]);
        // Somebody who runs something there, by a program of theirs.
        let email = format!("{}@example.com", named("person"));
        let (user, person) = self.user(&email, uid).await;
        let key = text_of(
            &person
                .make("/api/v1/access-keys", json!({"name": named("key")}))
                .await["id"],
        );
        let given = self.make(RULES, rule(("user", &email), 5, here)).await;
        let application = self
            .make("/api/v1/service-accounts", json!({"name": named("application")}))
            .await;
        self.make(RULES, rule(("service-account", &named("application")), 5, here))
            .await;
        let body = json!({"name": named("work"), "projectId": project, "clusterId": cluster, "spec": {"image": "i"}});
        let work = person.make(TRAININGS, body).await;
        Department {
            mark: named(""),
            rule: given["id"].to_string(),
            workload: text_of(&work["workloadId"]),
            application: text_of(&application["id"]),
            department,
            project,
            credentials: kept,
            secret,
            user,
            key,
        }
    }

    /// All that the account's administrator sees of a department.
    async fn everything_of(&self, department: &Department) -> Vec<Value> {
        let mut paths = vec![
            format!("/api/v1/org-unit/departments/{}", department.department),
            format!("/api/v1/org-unit/projects/{}", department.project),
            format!(
                "/api/v1/org-unit/projects?filterBy=departmentId=={}",
                department.department
            ),
            format!("{RULES}?scopeType=project&scopeId={}", department.project),
            format!("{RULES}?scopeType=department&scopeId={}", department.department),
            format!("{RULES}/{}", department.rule),
            format!("{CREDENTIALS}?projectId={}", department.project),
            format!("{SECRETS}/{}", department.secret),
            format!("{TRAININGS}/{}", department.workload),
            format!("/api/v1/workloads?filterBy=projectId=={}", department.project),
            format!("/api/v1/users/{}", department.user),
            format!("/api/v1/service-accounts/{}", department.application),
            "/api/v1/administration/access-keys".to_owned(),
        ];
        for (slug, id) in &department.credentials {
            paths.push(format!("{CREDENTIALS}/{slug}/{id}"));
        }
        let mut all = Vec::new();
        for path in paths {
            let (status, mut answer) = self.call(Method::GET, &path, None).await;
            assert_eq!(status, 200, "{path}: {answer}");
            if let Some(keys) = answer["accessKeys"].as_array_mut() {
                keys.retain(|key| {
                    key["name"]
                        .as_str()
                        .is_some_and(|name| name.starts_with(&department.mark))
                });
            }
            all.push(answer);
        }
        all
    }
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// Which ids there are for which parameter of a path or field of a body: `hooks.py`.
fn ids(cluster: &str, own: &Department, beside: &Department) -> Value {
    let row = |path: &str, name: &str, own: &[&String], beside: &[&String]| json!({"path": path, "name": name, "own": own, "beside": beside});
    let one =
        |path: &str, name: &str, of: fn(&Department) -> &String| row(path, name, &[of(own)], &[of(beside)]);
    let scopes = |of: &Department| json!([of.department, of.project]);
    let cluster = cluster.to_owned();
    let mut rows = vec![
        one("/api/", "projectId", |it| &it.project),
        one("/api/", "departmentId", |it| &it.department),
        one("/api/v1/org-unit/projects", "parentId", |it| &it.department),
        one(TRAININGS, "workloadId", |it| &it.workload),
        one("/api/v1/workloads", "workloadId", |it| &it.workload),
        one(RULES, "accessRuleId", |it| &it.rule),
        one("/api/v1/users", "userId", |it| &it.user),
        one("/api/v1/service-accounts", "serviceAccountId", |it| {
            &it.application
        }),
        one("/api/v1/apps", "serviceAccountId", |it| &it.application),
        one("/api/v1/access-keys", "accessKeyId", |it| &it.key),
        one("/api/v1/administration/access-keys", "accessKeyId", |it| &it.key),
        one("/api/v1/user-applications", "appId", |it| &it.key),
        one("/api/v1/administration/user-applications", "appId", |it| &it.key),
        row(&format!("{RULES}/batch"), "ids", &[], &[&beside.rule]),
        one(SECRETS, "AssetId", |it| &it.secret),
        row("/api/", "clusterUuid", &[&cluster], &[]),
        row("/api/", "clusterId", &[&cluster], &[]),
        json!({"path": "/api/", "name": "scopeId", "own": scopes(own), "beside": scopes(beside)}),
    ];
    for ((slug, own), (_, beside)) in own.credentials.iter().zip(&beside.credentials) {
        if *slug == "password" {
            rows.push(row(SECRETS, "credentialAssetId", &[own], &[beside]));
        }
        rows.push(row(
            &format!("{CREDENTIALS}/{slug}"),
            "AssetId",
            &[own],
            &[beside],
        ));
    }
    json!(rows)
}

/// One of the two who ask.
struct Asking {
    name: &'static str,
    token: String,
    ids: Value,
    /// What no answer to them may hold.
    mark: String,
}

/// Who asks whom.
struct Run {
    dir: PathBuf,
    url: String,
    ca: Option<String>,
    both: [Asking; 2],
    /// The rules of those who ask.
    kept: Vec<String>,
}

/// What came of it.
struct Report {
    /// The codes of the kinds of failures.
    failures: BTreeSet<String>,
    stats: Value,
    said: String,
}

impl Run {
    /// As one of them, with so many examples for each operation.
    fn of(&self, program: &Path, asking: &Asking, only: &[&str]) -> Report {
        let dir = self.dir.join(asking.name);
        std::fs::create_dir_all(&dir).unwrap();
        let write = |name: &str, text: String| {
            let file = dir.join(name);
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        };
        let known = self.both.each_ref().map(|one| {
            let bearer = format!("Bearer {}", one.token);
            json!({"name": one.name, "fixedHeaders": [{"name": "Authorization", "value": bearer}]})
        });
        let auth = write("auth.json", json!({"auth": known}).to_string());
        let peers = self
            .both
            .each_ref()
            .map(|one| format!("\"{}\"", one.name))
            .join(", ");
        let user = asking.name;
        let config = format!("[auth.wfc]\npath = \"{auth}\"\nuser = \"{user}\"\npeers = [{peers}]\n");
        let config = write("schemathesis.toml", config);
        let stats = dir.join("stats.json");
        let setting = json!({"ids": asking.ids, "kept": self.kept, "mark": asking.mark, "stats": stats});
        let setting = write("setting.json", setting.to_string());
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let (phases, examples) = match is_whole("SCHEMATHESIS") {
            true => ("examples,coverage,fuzzing", "100"),
            false => ("examples,fuzzing", EXAMPLES),
        };
        let mut command = Command::new(program);
        command.current_dir(&dir);
        command
            .env("REEVE_SETTING", setting)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // Nothing of the machine's stands between it and the server.
            .env("NO_PROXY", "127.0.0.1")
            .env_remove("REQUESTS_CA_BUNDLE")
            .env_remove("CURL_CA_BUNDLE");
        command.env("SCHEMATHESIS_HOOKS", here.join("tests/schemathesis/hooks.py"));
        command
            .args(["--config-file", &config, "run"])
            .arg(here.join("docs/openapi.json"));
        command.args([
            "--url",
            &self.url,
            "--checks",
            CHECKS,
            "--seed",
            SEED,
            "--no-color",
            "--no-shrink",
        ]);
        command.args(["--phases", phases, "--continue-on-failure", "--warnings", "off"]);
        command.args(["--max-examples", examples, "--generation-database", "none"]);
        command.args(["--suppress-health-check", "all", "--request-timeout", "60"]);
        command.args(["--report", "json", "--report-json-path", "report.json"]);
        for operation in NOT_ASKED {
            command.args(["--exclude-operation-id", operation]);
        }
        for operation in only {
            command.args(["--include-operation-id", operation]);
        }
        if let Some(ca) = &self.ca {
            command.args(["--tls-verify", ca]);
        }
        let ran = output_with_input(command, "").unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let read = |name: &str| -> Value {
            let text = std::fs::read_to_string(dir.join(name))
                .unwrap_or_else(|error| panic!("{name}: {error}\n{said}"));
            serde_json::from_str(&text).unwrap()
        };
        let report = read("report.json");
        assert_eq!(
            (&report["complete"], &report["errors"]),
            (&json!(true), &json!([])),
            "{said}"
        );
        let failures = report["failures"].as_array().unwrap();
        Report {
            failures: failures.iter().map(|it| text_of(&it["code"])).collect(),
            stats: read("stats.json"),
            said,
        }
    }
}

/// Planted faults: `rule-anywhere-is-enough`, `no-token-is-no-matter`, `unreadable-id-is-a-failure`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_fails_is_open_or_shows_another_department() {
    let Some(program) = schemathesis() else { return };
    let (dir, data) = fresh();
    let running = started(&data, &[]).await;
    let token = administrator(&running).await;
    let admin = Api {
        running: &running,
        token,
    };
    let cluster = text_of(&admin.make("/api/v1/clusters", json!({"name": "demo"})).await["uuid"]);
    // The account is scope 1.
    admin.department(&cluster, "first", 70_000).await;
    let zinnia = admin.department(&cluster, "zinnia", 70_001).await;
    let quartz = admin.department(&cluster, "quartz", 70_002).await;
    let scopes = |of: &Department| BTreeSet::from([of.department.clone(), of.project.clone()]);
    assert!(
        scopes(&zinnia).is_disjoint(&scopes(&quartz)),
        "an id says in which department something is"
    );
    let mut kept = vec![zinnia.rule.clone(), quartz.rule.clone()];
    let mut asking = async |name: &'static str, uid, role, own: &Department, beside: &Department| {
        let email = format!("{name}@example.com");
        let (_, user) = admin.user(&email, uid).await;
        let body = rule(("user", &email), role, ("department", &own.department));
        kept.push(admin.make(RULES, body).await["id"].to_string());
        Asking {
            name,
            token: user.token,
            ids: ids(&cluster, own, beside),
            mark: beside.mark.clone(),
        }
    };
    let chief = asking("administrator", 70_003, 2, &zinnia, &quartz).await;
    let viewer = asking("viewer", 70_004, 9, &quartz, &zinnia).await;
    let before = admin.everything_of(&quartz).await;
    let run = Run {
        dir: dir.path().to_owned(),
        url: running.url(""),
        ca: Some(text_of(&running.announced["caFile"])),
        both: [chief, viewer],
        kept,
    };
    let reports = std::thread::scope(|scope| {
        let run = &run;
        let both = run
            .both
            .each_ref()
            .map(|one| scope.spawn(move || run.of(program, one, &[])));
        both.map(|one| one.join().unwrap())
    });
    let mut requests = 0;
    for report in &reports {
        let Report {
            failures,
            stats,
            said,
        } = report;
        assert!(failures.is_empty(), "{said}");
        requests += stats["requests"].as_u64().unwrap();
        let asked = stats["operations"].as_array().unwrap().len();
        assert_eq!(asked + NOT_ASKED.len(), reeve_api::OPERATIONS.len(), "{stats}");
        assert!(
            stats["reachedFor"].as_u64().is_some_and(|times| times >= 150),
            "{stats}"
        );
    }
    assert!(requests >= 5_000, "{requests}");
    // Who may do nothing at all is shown nothing either.
    for (report, works) in reports.iter().zip([&CHIEFS[..], &VIEWERS[..]]) {
        let done = report.stats["succeeded"].as_array().unwrap();
        let never: Vec<_> = works.iter().filter(|name| !done.contains(&json!(name))).collect();
        assert!(never.is_empty(), "{never:?} never succeeded\n{}", report.stats);
    }
    assert_eq!(admin.everything_of(&quartz).await, before);
    running.stop().await;
    let log = std::fs::read_to_string(crate::process::log(&data)).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

/// Fails for a department, and gives a project of the other department to everybody.
async fn naive(uri: Uri) -> impl IntoResponse {
    let status = match uri.path().starts_with("/api/v1/org-unit/departments") {
        true => StatusCode::INTERNAL_SERVER_ERROR,
        false => StatusCode::OK,
    };
    (status, axum::Json(json!({"id": "1", "name": "quartz-project"})))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_naive_receiver_is_found_out() {
    let Some(program) = schemathesis() else { return };
    let dir = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(axum::serve(listener, Router::new().fallback(naive)).into_future());
    let asking = |name: &'static str| Asking {
        name,
        token: name.to_owned(),
        ids: json!([{"path": "/api/", "name": "projectId", "own": ["2"], "beside": ["1"]}]),
        mark: "quartz-".to_owned(),
    };
    let run = Run {
        dir: dir.path().to_owned(),
        url,
        ca: None,
        both: [asking("administrator"), asking("viewer")],
        kept: Vec::new(),
    };
    let report = run.of(program, &run.both[1], &["get_project", "get_department"]);
    serving.abort();
    // A failure of its own, an answer without authentication, and one with what lies beside.
    for code in ["ST101", "ST401", "ST901"] {
        assert!(
            report.failures.contains(code),
            "{code}: {:?}\n{}",
            report.failures,
            report.said
        );
    }
}
