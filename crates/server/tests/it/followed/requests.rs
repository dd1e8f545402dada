//! Requests of every kind that changes the directory, in a random order.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::credentials;
use crate::server::{ADMIN, OrganizationFixture, rule};

const DEPARTMENTS: &str = "/api/v1/org-unit/departments";
const PROJECTS: &str = "/api/v1/org-unit/projects";
const ROLES: &str = "/api/v2/authorization/roles";
const RULES: &str = "/api/v1/authorization/access-rules";
const POLICIES: &str = "/api/v2/policy/trainings";

/// What is asked for. Each succeeds at least once in a run.
pub(super) const KINDS: [&str; 20] = [
    "make a department",
    "make a project",
    "make a user",
    "make a service account",
    "make a rule",
    "make a role",
    "write a policy",
    "log out",
    "rename a cluster",
    "change a department",
    "change a project",
    "change a role",
    "make a credential",
    "make an access key",
    "delete a service account",
    "delete a department",
    "delete a user",
    "delete a rule",
    "delete a policy",
    "delete a role",
];

/// How many of them make something: these are drawn more often than those that delete it.
const MAKING: usize = 7;

/// Does one request, whatever is answered; which, and how it ended.
pub(super) async fn request(
    organization: &OrganizationFixture,
    step: usize,
    draw: &mut impl FnMut(usize) -> usize,
) -> (&'static str, StatusCode) {
    let which = match draw(KINDS.len() + MAKING) {
        again if again >= KINDS.len() => again - KINDS.len(),
        which => which,
    };
    let kind = KINDS[which];
    let (method, path, body) = Drawn::among(organization, draw).request(kind, step);
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let server = &organization.server;
    let answer = server.call(&server.admin, method, &path, body).await;
    (kind, answer.status)
}

/// What a request is about: drawn among what there is, `0` where there is nothing. The administrator who asks goes on.
struct Drawn<'o> {
    cluster: &'o str,
    department: String,
    project: String,
    user: String,
    account: String,
    rule: String,
    role: String,
    /// What a policy is of: a scope's type, and its id under the name that requests give it.
    scope: (&'static str, Option<(&'static str, String)>),
}

impl<'o> Drawn<'o> {
    fn among(organization: &'o OrganizationFixture, draw: &mut impl FnMut(usize) -> usize) -> Self {
        let mut known = organization.server.app.directory().snapshot();
        known.users.retain(|it| it.email.to_string() != ADMIN);
        let mut one = |ids: Vec<String>| {
            let at = draw(ids.len().max(1));
            ids.into_iter().nth(at).unwrap_or_else(|| "0".to_owned())
        };
        let department = one(known.departments.iter().map(|it| it.id.to_string()).collect());
        let project = one(known.projects.iter().map(|it| it.id.to_string()).collect());
        let user = one(known.users.iter().map(|it| it.id.to_string()).collect());
        let account = one(known
            .service_accounts
            .iter()
            .map(|it| it.id.to_string())
            .collect());
        let rule = one(known.rules.iter().map(|it| it.id.to_string()).collect());
        let role = one(known.roles.iter().map(|it| it.id.number().to_string()).collect());
        let scope = match draw(3) {
            0 => ("tenant", None),
            1 => ("department", Some(("departmentId", department.clone()))),
            _ => ("project", Some(("projectId", project.clone()))),
        };
        Self {
            cluster: &organization.cluster,
            department,
            project,
            user,
            account,
            rule,
            role,
            scope,
        }
    }

    fn request(&self, kind: &str, step: usize) -> (Method, String, Value) {
        let Self {
            cluster,
            department,
            project,
            user,
            account,
            role,
            ..
        } = self;
        let made = |path: &str, body| (Method::POST, path.to_owned(), body);
        let put = |path: String, body| (Method::PUT, path, body);
        let deleted = |path: String| (Method::DELETE, path, Value::Null);
        let description = format!("Of step {step}.");
        match kind {
            "make a department" => made(
                DEPARTMENTS,
                json!({"name": format!("d{step}"), "clusterId": cluster, "resources": []}),
            ),
            "make a project" => made(
                PROJECTS,
                json!({"name": format!("p{step}"), "clusterId": cluster, "parentId": department, "resources": []}),
            ),
            "make a user" => made(
                "/api/v1/users",
                json!({"email": format!("u{step}@example.com"), "posix": {"uid": 80_000 + step, "gid": 5000}}),
            ),
            "make a service account" => made("/api/v1/service-accounts", json!({"name": format!("s{step}")})),
            "make a rule" => {
                // Of a role of the account's own where there is one: it is then not deleted.
                let role = role
                    .parse()
                    .ok()
                    .filter(|role| *role > 0 && step.is_multiple_of(2));
                let subject = format!("g{step}");
                made(
                    RULES,
                    rule(("group", &subject), role.unwrap_or(9), ("department", department)),
                )
            }
            "make a role" => made(ROLES, of_role(step, &description)),
            "write a policy" => {
                let mut meta = json!({"name": "hardening", "scope": self.scope.0});
                if let Some((field, id)) = &self.scope.1 {
                    meta[*field] = id.parse::<u32>().map_or(json!(id), |number| json!(number));
                }
                let body = json!({"meta": meta, "policy": {"defaults": {"compute": {"gpuDevicesRequest": step % 8}}}});
                put(POLICIES.to_owned(), body)
            }
            "log out" => made(&format!("/api/v1/users/{user}/logout"), Value::Null),
            "rename a cluster" => put(
                format!("/api/v1/clusters/{cluster}"),
                json!({"name": format!("c{step}")}),
            ),
            "change a department" => put(
                format!("{DEPARTMENTS}/{department}"),
                json!({"description": description, "resources": []}),
            ),
            "change a project" => put(
                format!("{PROJECTS}/{project}"),
                json!({"description": description, "resources": []}),
            ),
            "change a role" => put(format!("{ROLES}/{role}"), of_role(step, &description)),
            "make a credential" => made(
                "/api/v1/asset/credentials/password",
                credentials::body("password", &format!("k{step}"), ("project", project)),
            ),
            "make an access key" => made("/api/v1/access-keys", json!({"name": format!("a{step}")})),
            "delete a service account" => deleted(format!("/api/v1/service-accounts/{account}")),
            "delete a department" => deleted(format!("{DEPARTMENTS}/{department}")),
            "delete a user" => deleted(format!("/api/v1/users/{user}")),
            "delete a rule" => deleted(format!("{RULES}/{}", self.rule)),
            "delete a policy" => {
                let id = self.scope.1.iter().map(|(field, id)| format!("&{field}={id}"));
                deleted(format!(
                    "{POLICIES}?scope={}{}",
                    self.scope.0,
                    id.collect::<String>()
                ))
            }
            "delete a role" => deleted(format!("{ROLES}/{role}")),
            other => panic!("`{other}` is in KINDS alone"),
        }
    }
}

fn of_role(step: usize, description: &str) -> Value {
    let set = &reeve_server::permission_sets::all()[0];
    json!({"name": format!("Role {step}"), "description": description, "permissionSets": [{"id": set.id}],
        "kubernetesPermissions": {"predefinedRole": "viewer"}})
}
