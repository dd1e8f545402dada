//! From names to objects, in one call each.

use reeve_api::org::{Project, Projects};
use reeve_api::role::Role;
use reeve_api::workload::{Workload, Workloads};
use reeve_types::list::MAX_LIMIT;
use reeve_types::{OrgUnitName, WorkloadName};
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::http::{Api, CallError};

/// Where projects are.
pub(super) const PROJECTS: &str = "/api/v1/org-unit/projects";

/// The project of this name.
pub(super) async fn project(api: &Api, name: &OrgUnitName, what: &str) -> Result<Project, Failure> {
    let filter = format!("name=={name}");
    let query = [("filterBy", filter.as_str()), ("limit", "10")];
    let found: Projects = api
        .get(PROJECTS, &query)
        .await
        .map_err(|error| error.explain(what))?;
    let missing = || {
        Failure::refused(what)
            .cause(format!("there is no project `{name}` that you can see"))
            .hint("`reeve project list` shows yours")
    };
    only(
        found
            .projects
            .into_iter()
            .filter(|project| project.name == name.as_str()),
        what,
        missing,
    )
}

/// The workload of this name in that project.
pub(super) async fn workload(
    api: &Api,
    project: &OrgUnitName,
    name: &WorkloadName,
    what: &str,
) -> Result<Workload, Failure> {
    let filter = format!("projectName=={project},name=={name}");
    let query = [("filterBy", filter.as_str()), ("limit", "10")];
    let found: Workloads = api
        .get("/api/v1/workloads", &query)
        .await
        .map_err(|error| error.explain(what))?;
    let missing = || {
        Failure::refused(what)
            .cause(format!(
                "there is no workload `{name}` in a project `{project}` that you can see"
            ))
            .hint(format!("`reeve list -p {project}` shows what is there"))
    };
    let same =
        |workload: &Workload| workload.name == name.as_str() && workload.project_name == project.as_str();
    only(found.workloads.into_iter().filter(same), what, missing)
}

fn only<T>(
    mut found: impl Iterator<Item = T>,
    what: &str,
    missing: impl FnOnce() -> Failure,
) -> Result<T, Failure> {
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(missing()),
        (Some(_), Some(_)) => {
            Err(Failure::failed(what).cause("several clusters have a project of this name"))
        }
    }
}

/// The one among those that fit a name or an id. `kind` is in words, and so is the command that lists them.
pub(super) fn named<T>(
    fitting: impl Iterator<Item = T>,
    id: impl Fn(&T) -> String,
    (kind, name): (&str, &str),
    what: &str,
) -> Result<T, Failure> {
    let list = format!("reeve {} list", kind.replace(' ', "-"));
    let mut found: Vec<T> = fitting.collect();
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(id).collect();
        return Err(Failure::refused(what)
            .cause(format!(
                "several scopes have a {kind} `{name}`: {}",
                ids.join(", ")
            ))
            .hint(format!("give the id instead; `{list}` shows whose each is")));
    }
    found.pop().ok_or_else(|| {
        Failure::refused(what)
            .cause(format!("there is no {kind} `{name}` that you can see"))
            .hint(format!("`{list}` shows yours"))
    })
}

/// All pages of a list.
pub(super) async fn pages<P: DeserializeOwned, T>(
    api: &Api,
    path: &str,
    query: &[(&str, &str)],
    open: fn(P) -> (Vec<T>, Option<usize>),
) -> Result<Vec<T>, CallError> {
    let (mut all, mut offset) = (Vec::new(), 0_usize);
    loop {
        let (start, limit) = (offset.to_string(), MAX_LIMIT.to_string());
        let mut pairs = query.to_vec();
        pairs.extend([("limit", limit.as_str()), ("offset", start.as_str())]);
        let (items, next) = open(api.get(path, &pairs).await?);
        all.extend(items);
        match next {
            Some(next) if next > offset => offset = next,
            _ => return Ok(all),
        }
    }
}

/// All pages of a list whose answer does not say whether there is another one. The first is asked for without parameters: a server
/// of before there were pages answers everything at once.
pub(super) async fn silent_pages<P: DeserializeOwned, T>(
    api: &Api,
    path: &str,
    query: &[(&str, &str)],
    open: fn(P) -> Vec<T>,
) -> Result<Vec<T>, CallError> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let (offset, limit) = (all.len().to_string(), MAX_LIMIT.to_string());
        let mut pairs = query.to_vec();
        if !all.is_empty() {
            pairs.extend([("limit", limit.as_str()), ("offset", offset.as_str())]);
        }
        let page = open(api.get(path, &pairs).await?);
        let last = page.len() != MAX_LIMIT;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// The number of a role that is named by it, or by its name.
pub(super) async fn role(api: &Api, role: &str, what: &str) -> Result<i64, Failure> {
    if let Ok(number) = role.parse() {
        return Ok(number);
    }
    let all: Vec<Role> = api
        .get("/api/v1/authorization/roles", &[])
        .await
        .map_err(|error| error.explain(what))?;
    let same = |it: &&Role| it.name.eq_ignore_ascii_case(role);
    all.iter().find(same).map(|it| it.id).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
        Failure::refused(what)
            .cause(format!("there is no role `{role}`"))
            .hint(format!("one of: {}", names.join(", ")))
    })
}
