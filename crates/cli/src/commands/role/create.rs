//! `reeve role create`.

use reeve_api::custom_role::RoleV2;

use super::{BASE, InClusters, Wanted, allows, difference, sets};
use crate::args::CreateRole;
use crate::commands::objects;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::Printer;

pub(super) async fn run(printer: &mut Printer, api: &Api, arguments: &CreateRole) -> Result<(), Failure> {
    let what = format!("cannot make role `{}`", arguments.name);
    let all = sets::all(api, &what).await?;
    let made_of = sets::named(&all, &arguments.permission_sets, &what)?;
    let wanted = Wanted {
        name: arguments.name.clone(),
        description: arguments.description.clone(),
        enabled: !arguments.disabled,
        permission_sets: sets::references(&made_of),
        kubernetes_permissions: InClusters {
            predefined_role: arguments.kubernetes_role.clone(),
        },
    };
    if arguments.dry_run {
        let after = difference::all_of(made_of.iter().flat_map(|set| &set.permissions));
        return difference::show(printer, &wanted, 0, &difference::Allowed::new(), &after);
    }
    let made: RoleV2 = api
        .post(BASE, &wanted)
        .await
        .map_err(|error| error.explain(what))?;
    objects::show(printer, &made, &allows(&made))
}
