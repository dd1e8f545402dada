//! `reeve department`.

use reeve_api::org::{Department, Departments, OrgUnitSettings};
use reeve_types::ClusterId;
use serde_json::json;

use super::find;
use super::objects::{self, Object};
use crate::Context;
use crate::args::{self, department_number};
use crate::failure::Failure;
use crate::http::Api;

pub(super) const BASE: &str = "/api/v1/org-unit/departments";

impl Object for Department {
    const KIND: &'static str = "department";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DEPARTMENT", self.name.clone()),
            ("ID", self.id.to_string()),
            ("CLUSTER", self.cluster_id.to_string()),
            ("FOR", self.settings.description.clone()),
            ("CREATED BY", self.created_by.clone()),
        ]
    }
}

pub(super) async fn run(context: &mut Context, command: args::Department) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        args::Department::List => {
            let open = |page: Departments| (page.departments, page.next);
            let found = find::pages(&api, BASE, &[("sortBy", "name")], open).await;
            objects::list(
                printer,
                &found.map_err(|error| error.explain("cannot list departments"))?,
            )
        }
        args::Department::Get(one) => {
            let what = format!("cannot show department `{}`", one.name);
            objects::show(printer, &find(&api, &one.name, None, &what).await?, "")
        }
        args::Department::Create(arguments) => {
            let what = format!("cannot make department `{}`", arguments.name);
            let cluster = match arguments.cluster {
                Some(id) => id,
                None => super::cluster::only(&api, &what).await?,
            };
            let body = json!({"name": arguments.name, "clusterId": cluster, "resources": [],
                "description": arguments.description});
            let made: Department = api.post(BASE, &body).await.map_err(|error| error.explain(what))?;
            objects::show(printer, &made, "")
        }
        args::Department::Update(arguments) => {
            let what = format!("cannot change department `{}`", arguments.name);
            let found = find(&api, &arguments.name, None, &what).await?;
            // All but the description is what was read just before.
            let body = OrgUnitSettings {
                description: arguments.description,
                ..found.settings
            };
            let path = format!("{BASE}/{}", found.id);
            let now: Department = api.put(&path, &body).await.map_err(|error| error.explain(what))?;
            objects::show(printer, &now, "")
        }
        args::Department::Delete(one) => {
            let what = format!("cannot delete department `{}`", one.name);
            let found = find(&api, &one.name, None, &what).await?;
            let path = format!("{BASE}/{}", found.id);
            let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
            let said = format!("department `{}` is deleted, with its projects", found.name);
            objects::deleted::<Department>(printer, &[found.name()], &said)
        }
    }
}

/// The department of this name or number.
pub(super) async fn find(
    api: &Api,
    name: &str,
    cluster: Option<ClusterId>,
    what: &str,
) -> Result<Department, Failure> {
    let id = department_number(name);
    let filter = match id {
        Some(id) => format!("id=={id}"),
        None => format!("name=={name}"),
    };
    let query = [("filterBy", filter.as_str()), ("limit", "500")];
    let page: Departments = api.get(BASE, &query).await.map_err(|error| error.explain(what))?;
    let fits = |it: &Department| {
        cluster.is_none_or(|cluster| it.cluster_id == cluster)
            && id.map_or_else(|| it.name == name, |id| it.id == id)
    };
    let found: Vec<Department> = page.departments.into_iter().filter(fits).collect();
    match <[Department; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(none) if none.is_empty() => Err(Failure::refused(what)
            .cause(format!("there is no department `{name}` that you can see"))
            .hint("`reeve department list` shows yours")),
        Err(several) => {
            let ids: Vec<String> = several.iter().map(|it| it.id.to_string()).collect();
            Err(Failure::refused(what)
                .cause(format!(
                    "several clusters have a department `{name}`: {}",
                    ids.join(", ")
                ))
                .hint("give the number instead"))
        }
    }
}
