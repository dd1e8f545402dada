//! What a file asks for that is not there.

use std::collections::BTreeMap;

use reeve_api::RevealedSecret;
use reeve_api::access_rule::AccessRule;
use reeve_api::org::{Department, Departments, Project, Projects};
use reeve_api::user::{CreatedUser, User};
use reeve_types::{ClusterId, OrgUnitName};
use serde::Serialize;
use serde_json::{Value, json};

use super::file::{File, NewRule, Place};
use crate::args::ListAccessRules;
use crate::commands::{access_rule, cluster, find, user};
use crate::failure::Failure;
use crate::http::Api;

const DEPARTMENTS: &str = "/api/v1/org-unit/departments";
const PROJECTS: &str = "/api/v1/org-unit/projects";

/// Something that was made, or would be.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Done {
    /// What it is.
    pub(super) kind: &'static str,
    /// Its name, or what an access rule says.
    pub(super) name: String,
    /// Of a user that was made: the password, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temp_password: Option<RevealedSecret>,
}

/// One thing to make.
enum Step {
    Department(OrgUnitName, Value),
    /// In this department.
    Project(OrgUnitName, OrgUnitName, Value),
    User(String, Value),
    Rule(String, Place, Value),
}

/// What is to be made, and the ids of what is there.
pub(super) struct Plan {
    cluster: Option<ClusterId>,
    departments: BTreeMap<String, String>,
    projects: BTreeMap<String, String>,
    /// In which department each project is, by its id.
    parents: BTreeMap<String, String>,
    steps: Vec<Step>,
}

impl Plan {
    /// Compares a file with what there is.
    ///
    /// # Errors
    /// What the file says cannot be, or what there is cannot be read.
    pub(super) async fn of(api: &Api, file: &File, what: &str) -> Result<Self, Failure> {
        let needs_cluster = !file.departments.is_empty()
            || file
                .access_rules
                .iter()
                .any(|rule| !matches!(rule.place(), None | Some(Place::Account)));
        let cluster = match &file.cluster {
            Some(name) => Some(cluster::id(api, name, what).await?),
            None if needs_cluster => Some(cluster::only(api, what).await?),
            None => None,
        };
        let mut plan = Self {
            cluster,
            departments: BTreeMap::new(),
            projects: BTreeMap::new(),
            parents: BTreeMap::new(),
            steps: Vec::new(),
        };
        if let Some(cluster) = cluster {
            plan.read(api, cluster, what).await?;
        }
        plan.add_units(file, what)?;
        plan.add_users(api, file, what).await?;
        plan.add_rules(api, file, what).await?;
        Ok(plan)
    }

    async fn read(&mut self, api: &Api, cluster: ClusterId, what: &str) -> Result<(), Failure> {
        let filter = format!("clusterId=={cluster}");
        let query = [("filterBy", filter.as_str())];
        let open = |page: Departments| (page.departments, page.next);
        let found: Vec<Department> = find::pages(api, DEPARTMENTS, &query, open)
            .await
            .map_err(|error| error.explain(what))?;
        self.departments = found.into_iter().map(|it| (it.name, it.id.to_string())).collect();
        let open = |page: Projects| (page.projects, page.next);
        let found: Vec<Project> = find::pages(api, PROJECTS, &query, open)
            .await
            .map_err(|error| error.explain(what))?;
        let parent = |it: &Project| (it.name.clone(), it.parent_id.to_string());
        self.parents = found.iter().map(parent).collect();
        self.projects = found.into_iter().map(|it| (it.name, it.id.to_string())).collect();
        Ok(())
    }

    fn add_units(&mut self, file: &File, what: &str) -> Result<(), Failure> {
        let mut projects = Vec::new();
        for department in &file.departments {
            let name = &department.name;
            if !self.departments.contains_key(name.as_str()) {
                let body = json!({"name": name, "description": department.description, "clusterId": self.cluster,
                    "resources": []});
                self.steps.push(Step::Department(name.clone(), body));
            }
            for project in &department.projects {
                if projects.contains(&&project.name) {
                    return Err(Failure::failed(what).cause(format!(
                        "project `{}` is there twice: a cluster has it once",
                        project.name
                    )));
                }
                projects.push(&project.name);
                let parent = self.parents.get(project.name.as_str());
                if parent.is_some_and(|parent| self.departments.get(name.as_str()) != Some(parent)) {
                    return Err(Failure::failed(what)
                        .cause(format!(
                            "project `{}` is in another department than {name}",
                            project.name
                        ))
                        .hint("a project stays where it was made: move it in the file"));
                }
                if !self.projects.contains_key(project.name.as_str()) {
                    let body = json!({"name": project.name, "description": project.description,
                        "requestedNamespace": project.namespace, "clusterId": self.cluster, "resources": []});
                    self.steps
                        .push(Step::Project(project.name.clone(), name.clone(), body));
                }
            }
        }
        Ok(())
    }

    async fn add_users(&mut self, api: &Api, file: &File, what: &str) -> Result<(), Failure> {
        if file.users.is_empty() {
            return Ok(());
        }
        let known: Vec<User> = user::all(api, &[], what).await?;
        for new in &file.users {
            if known.iter().all(|user| user.username != new.email) {
                let body = json!({"email": new.email, "posix": new.posix});
                self.steps.push(Step::User(new.email.to_string(), body));
            }
        }
        Ok(())
    }

    async fn add_rules(&mut self, api: &Api, file: &File, what: &str) -> Result<(), Failure> {
        if file.access_rules.is_empty() {
            return Ok(());
        }
        let known = access_rule::list(api, &ListAccessRules::default()).await?;
        for (number, rule) in file.access_rules.iter().enumerate() {
            let wrong = |cause: &str| Failure::failed(what).cause(format!("accessRules[{number}]: {cause}"));
            let (kind, id) = rule
                .subject()
                .ok_or_else(|| wrong("one of `user`, `group` and `serviceAccount` is needed"))?;
            let place = rule
                .place()
                .ok_or_else(|| wrong("one of `account`, `cluster`, `department` and `project` is needed"))?;
            if !self.will_be_there(&place) {
                return Err(wrong(
                    "the cluster has no such department or project, and the file makes none",
                ));
            }
            let role = find::role(api, &rule.role, what).await?;
            let there = self.scope(&place).is_some_and(|(scope_type, scope_id)| {
                let same = |it: &AccessRule| {
                    (it.subject_type.as_str(), &it.subject_id, it.role_id) == (kind, &id, role)
                        && (it.scope_type.as_str(), &it.scope_id) == (scope_type, &scope_id)
                };
                known.iter().any(same)
            });
            if !there {
                let body = json!({"subjectType": kind, "subjectId": id, "roleId": role});
                self.steps
                    .push(Step::Rule(said(rule, kind, &id, &place), place, body));
            }
        }
        Ok(())
    }

    fn will_be_there(&self, place: &Place) -> bool {
        self.scope(place).is_some()
            || self.steps.iter().any(|step| match (step, place) {
                (Step::Department(name, _), Place::Department(wanted))
                | (Step::Project(name, ..), Place::Project(wanted)) => name == wanted,
                _ => false,
            })
    }

    /// `scopeType` and `scopeId`, of what is there by now.
    fn scope(&self, place: &Place) -> Option<(&'static str, String)> {
        match place {
            Place::Account => Some(("tenant", "1".to_owned())),
            Place::Cluster => self.cluster.map(|id| ("cluster", id.to_string())),
            Place::Department(name) => {
                let id = self.departments.get(name.as_str())?;
                Some(("department", id.clone()))
            }
            Place::Project(name) => Some(("project", self.projects.get(name.as_str())?.clone())),
        }
    }

    /// What is to be made, in this order.
    pub(super) fn steps(&self) -> Vec<Done> {
        self.steps.iter().map(|step| step.done(None)).collect()
    }

    /// Makes one after the other, up to the first that cannot be.
    pub(super) async fn apply(&mut self, api: &Api, what: &str) -> (Vec<Done>, Option<Failure>) {
        let mut done = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            match self.make(api, &step, what).await {
                Ok(password) => done.push(step.done(password)),
                Err(failure) => return (done, Some(failure)),
            }
        }
        (done, None)
    }

    async fn make(&mut self, api: &Api, step: &Step, what: &str) -> Result<Option<RevealedSecret>, Failure> {
        let what = format!("{what}: {}", step.done(None).name);
        match step {
            Step::Department(name, body) => {
                let made: Department = api
                    .post(DEPARTMENTS, body)
                    .await
                    .map_err(|error| error.explain(what))?;
                self.departments.insert(name.to_string(), made.id.to_string());
            }
            Step::Project(name, department, body) => {
                let parent = self.departments.get(department.as_str());
                let body = with(body, [("parentId", json!(parent))]);
                let made: Project = api
                    .post(PROJECTS, &body)
                    .await
                    .map_err(|error| error.explain(what))?;
                self.projects.insert(name.to_string(), made.id.to_string());
            }
            Step::User(_, body) => {
                let made: CreatedUser = api
                    .post(user::BASE, body)
                    .await
                    .map_err(|error| error.explain(what))?;
                return Ok(Some(made.temp_password));
            }
            Step::Rule(_, place, body) => {
                let Some((scope_type, scope_id)) = self.scope(place) else {
                    return Err(Failure::failed(what).cause("its scope is not there"));
                };
                let body = with(
                    body,
                    [("scopeType", json!(scope_type)), ("scopeId", json!(scope_id))],
                );
                let _: AccessRule = api
                    .post(access_rule::BASE, &body)
                    .await
                    .map_err(|error| error.explain(what))?;
            }
        }
        Ok(None)
    }
}

/// A body with what is known only when its turn has come.
fn with<const N: usize>(body: &Value, late: [(&str, Value); N]) -> Value {
    let mut fields = body.as_object().cloned().unwrap_or_default();
    fields.extend(late.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(fields)
}

impl Step {
    fn done(&self, temp_password: Option<RevealedSecret>) -> Done {
        let (kind, name) = match self {
            Self::Department(name, _) => ("department", name.to_string()),
            Self::Project(name, department, _) => ("project", format!("{name} in department {department}")),
            Self::User(email, _) => ("user", email.clone()),
            Self::Rule(said, ..) => ("access rule", said.clone()),
        };
        Done {
            kind,
            name,
            temp_password,
        }
    }
}

fn said(rule: &NewRule, kind: &str, id: &str, place: &Place) -> String {
    let place = match place {
        Place::Account => "the whole account".to_owned(),
        Place::Cluster => "the whole cluster".to_owned(),
        Place::Department(name) => format!("department {name}"),
        Place::Project(name) => format!("project {name}"),
    };
    format!("{kind} {id}: {} in {place}", rule.role)
}
