//! `reeve role`.

use reeve_api::role::{Permission, Role};

use super::find;
use super::objects::{self, Object};
use crate::Context;
use crate::args;
use crate::failure::Failure;
use crate::http::Api;

const BASE: &str = "/api/v1/authorization/roles";

impl Object for Role {
    const KIND: &'static str = "role";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let cluster = &self.kubernetes_permissions.predefined_role;
        vec![
            ("ID", self.id.to_string()),
            ("ROLE", self.name.clone()),
            (
                "IN CLUSTERS",
                cluster.clone().unwrap_or_else(|| "nothing".to_owned()),
            ),
            ("FOR", self.description.clone()),
        ]
    }
}

pub(super) async fn run(context: &mut Context, command: args::Role) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now())?;
    match command {
        args::Role::List => {
            let found: Vec<Role> = api
                .get(BASE, &[])
                .await
                .map_err(|error| error.explain("cannot list roles"))?;
            objects::list(&mut context.printer, &found)
        }
        args::Role::Get(one) => {
            let what = format!("cannot show role `{}`", one.role);
            let id = find::role(&api, &one.role, &what).await?;
            let found: Role = api
                .get(&format!("{BASE}/{id}"), &[])
                .await
                .map_err(|error| error.explain(what))?;
            let may: Vec<String> = found.permissions.iter().map(permission).collect();
            objects::show(&mut context.printer, &found, &may.join("\n"))
        }
    }
}

fn permission(permission: &Permission) -> String {
    format!(
        "  {}: {}",
        permission.resource_type,
        permission.actions.join(", ")
    )
}
