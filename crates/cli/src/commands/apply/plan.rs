//! What a file asks for that is not there, or is there and differs.

use std::collections::BTreeMap;

use reeve_api::RevealedSecret;
use reeve_api::access_rule::AccessRule;
use reeve_api::org::{Department, Departments, Project, Projects};
use reeve_api::user::{CreatedUser, User};
use reeve_types::{ClusterId, OrgUnitName};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::differences::{Change, Difference, Left};
use super::file::{File, NewRule, Place};
use crate::args::ListAccessRules;
use crate::commands::{access_rule, cluster, department, find, user};
use crate::failure::Failure;
use crate::http::Api;

/// What is done to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Action {
    Make,
    Change,
}

/// Something that was made or changed, or would be.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Done {
    /// What is done to it.
    pub(super) action: Action,
    /// What it is.
    pub(super) kind: &'static str,
    /// Its name, or what an access rule says.
    pub(super) name: String,
    /// What changes of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) changes: Vec<Difference>,
    /// Of a user that was made: the password, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temp_password: Option<RevealedSecret>,
}

/// One thing to do.
enum Step {
    Department(OrgUnitName, Value),
    /// In this department.
    Project(OrgUnitName, OrgUnitName, Value),
    User(String, Value),
    Rule(String, Place, Value),
    Change(Change),
}

/// What is to be done, and what is there.
pub(super) struct Plan {
    cluster: Option<ClusterId>,
    departments: BTreeMap<String, Department>,
    projects: BTreeMap<String, Project>,
    steps: Vec<Step>,
    left: Vec<Left>,
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
            steps: Vec::new(),
            left: Vec::new(),
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
        let found: Vec<Department> = find::pages(api, department::BASE, &query, open)
            .await
            .map_err(|error| error.explain(what))?;
        self.departments = found.into_iter().map(|it| (it.name.clone(), it)).collect();
        let open = |page: Projects| (page.projects, page.next);
        let found: Vec<Project> = find::pages(api, find::PROJECTS, &query, open)
            .await
            .map_err(|error| error.explain(what))?;
        self.projects = found.into_iter().map(|it| (it.name.clone(), it)).collect();
        Ok(())
    }

    fn add_units(&mut self, file: &File, what: &str) -> Result<(), Failure> {
        let mut projects = Vec::new();
        for department in &file.departments {
            let name = &department.name;
            match self.departments.get(name.as_str()) {
                Some(found) => {
                    let change = Change::of_department(found, department);
                    self.steps.extend(change.map(Step::Change));
                }
                None => {
                    let body = json!({"name": name, "description": department.description, "clusterId": self.cluster,
                        "resources": []});
                    self.steps.push(Step::Department(name.clone(), body));
                }
            }
            for project in &department.projects {
                if projects.contains(&&project.name) {
                    return Err(Failure::failed(what).cause(format!(
                        "project `{}` is there twice: a cluster has it once",
                        project.name
                    )));
                }
                projects.push(&project.name);
                let Some(found) = self.projects.get(project.name.as_str()) else {
                    let body = json!({"name": project.name, "description": project.description,
                        "requestedNamespace": project.namespace, "clusterId": self.cluster, "resources": []});
                    self.steps
                        .push(Step::Project(project.name.clone(), name.clone(), body));
                    continue;
                };
                let department = self.departments.get(name.as_str());
                if department.is_none_or(|department| department.id != found.parent_id) {
                    return Err(Failure::failed(what)
                        .cause(format!(
                            "project `{}` is in another department than {name}",
                            project.name
                        ))
                        .hint("a project stays where it was made: move it in the file"));
                }
                let change = Change::of_project(found, project);
                self.left.extend(Left::of_project(found, project));
                self.steps.extend(change.map(Step::Change));
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
            match known.iter().find(|user| user.username == new.email) {
                Some(found) => {
                    let change = Change::of_user(found, new);
                    self.steps.extend(change.map(Step::Change));
                }
                None => {
                    let body = json!({"email": new.email, "posix": new.posix});
                    self.steps.push(Step::User(new.email.to_string(), body));
                }
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
                let found = self.departments.get(name.as_str())?;
                Some(("department", found.id.to_string()))
            }
            Place::Project(name) => {
                let found = self.projects.get(name.as_str())?;
                Some(("project", found.id.to_string()))
            }
        }
    }

    /// What differs and stays, since it can change by nothing.
    pub(super) fn left(&mut self) -> Vec<Left> {
        std::mem::take(&mut self.left)
    }

    /// What is to be done, in this order.
    pub(super) fn steps(&self) -> Vec<Done> {
        self.steps.iter().map(|step| step.done(None)).collect()
    }

    /// Does one after the other, up to the first that cannot be done.
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
                    .post(department::BASE, body)
                    .await
                    .map_err(|error| error.explain(what))?;
                self.departments.insert(name.to_string(), made);
            }
            Step::Project(name, department, body) => {
                let parent = self.departments.get(department.as_str());
                let body = with(body, [("parentId", json!(parent.map(|it| it.id)))]);
                let made: Project = api
                    .post(find::PROJECTS, &body)
                    .await
                    .map_err(|error| error.explain(what))?;
                self.projects.insert(name.to_string(), made);
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
            Step::Change(change) => {
                let _: IgnoredAny = api
                    .put(&change.path, &change.body)
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
            Self::Change(change) => (change.kind, change.name.clone()),
        };
        let (action, changes) = match self {
            Self::Change(change) => (Action::Change, change.differences.clone()),
            _ => (Action::Make, Vec::new()),
        };
        Done {
            action,
            kind,
            name,
            changes,
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
