//! `reeve role`: version 2 of the roles, which knows permission sets; the list is that of version 1, which names more.

mod create;
mod difference;
mod sets;
mod update;

use reeve_api::custom_role::RoleV2;
use reeve_api::role::Role;
use serde::Serialize;

use super::find;
use super::objects::{self, Object};
use crate::Context;
use crate::args;
use crate::failure::Failure;
use crate::http::Api;

const LIST: &str = "/api/v1/authorization/roles";
const BASE: &str = "/api/v2/authorization/roles";

impl Object for Role {
    const KIND: &'static str = "role";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ID", self.id.to_string()),
            ("ROLE", self.name.clone()),
            (
                "IN CLUSTERS",
                in_clusters(self.kubernetes_permissions.predefined_role.as_deref()),
            ),
            ("FOR", self.description.clone()),
        ]
    }
}

impl Object for RoleV2 {
    const KIND: &'static str = "role";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let sets: Vec<String> = self
            .permission_sets
            .iter()
            .map(|set| set.name.clone().unwrap_or_else(|| set.id.to_string()))
            .collect();
        vec![
            ("ID", self.id.to_string()),
            ("ROLE", self.name.clone()),
            (
                "IN CLUSTERS",
                in_clusters(self.kubernetes_permissions.predefined_role.as_deref()),
            ),
            ("FOR", self.description.clone()),
            ("MADE OF", sets.join(", ")),
            ("BY", self.created_by.clone()),
            (
                "STATUS",
                if self.enabled {
                    "can be given"
                } else {
                    "cannot be given"
                }
                .to_owned(),
            ),
        ]
    }
}

fn in_clusters(cluster_role: Option<&str>) -> String {
    cluster_role.unwrap_or("nothing").to_owned()
}

pub(super) async fn run(context: &mut Context, command: args::Role) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        args::Role::List => {
            let found: Vec<Role> = api
                .get(LIST, &[])
                .await
                .map_err(|error| error.explain("cannot list roles"))?;
            objects::list(printer, &found)
        }
        args::Role::Get(one) => {
            let found = get(&api, &one.role, &format!("cannot show role `{}`", one.role)).await?;
            objects::show(printer, &found, &allows(&found))
        }
        args::Role::PermissionSets => {
            let found = sets::all(&api, "cannot list permission sets").await?;
            objects::list(printer, &found)
        }
        args::Role::Create(arguments) => create::run(printer, &api, &arguments).await,
        args::Role::Update(arguments) => update::run(printer, &api, &arguments).await,
        args::Role::Delete(one) => {
            let what = format!("cannot delete role `{}`", one.role);
            let id = find::role(&api, &one.role, &what).await?;
            let (): () = api
                .delete(&format!("{BASE}/{id}"))
                .await
                .map_err(|error| error.explain(what))?;
            let said = format!("role `{}` is deleted", one.role);
            objects::deleted::<RoleV2>(printer, &[one.role], &said)
        }
    }
}

/// The role of this name or number.
async fn get(api: &Api, role: &str, what: &str) -> Result<RoleV2, Failure> {
    let id = find::role(api, role, what).await?;
    let found = api.get(&format!("{BASE}/{id}"), &[]).await;
    found.map_err(|error| error.explain(what))
}

/// What a role allows, a line for each type of resource.
fn allows(role: &RoleV2) -> String {
    difference::lines(&difference::all_of(&role.permissions), "  ")
}

/// What is kept of a role, as the control plane takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    name: String,
    description: String,
    enabled: bool,
    permission_sets: Vec<sets::Named>,
    kubernetes_permissions: InClusters,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InClusters {
    predefined_role: Option<String>,
}
