//! `reeve role update`. The control plane takes a role as a whole: what the command line does not name is what was read just before.

use reeve_api::custom_role::{PermissionSet, RoleV2};

use super::{BASE, InClusters, Wanted, allows, difference, get, sets};
use crate::args::UpdateRole;
use crate::commands::objects;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::Printer;

pub(super) async fn run(printer: &mut Printer, api: &Api, arguments: &UpdateRole) -> Result<(), Failure> {
    let what = format!("cannot change role `{}`", arguments.role);
    let before = get(api, &arguments.role, &what).await?;
    if !before.custom {
        let cause = format!(
            "role `{}` is predefined: it can be neither changed nor deleted",
            before.name
        );
        return Err(Failure::refused(what).cause(cause));
    }
    let path = format!("{BASE}/{}", before.id);
    // By the operation for it: that works also where custom roles are switched off.
    if arguments.only_switches() && !arguments.dry_run {
        let switch = if arguments.enable { "enable" } else { "disable" };
        let switched = api.ask(&format!("{path}/{switch}")).await;
        switched.map_err(|error| error.explain(what.as_str()))?;
        let now: Result<RoleV2, _> = api.get(&path, &[]).await;
        let now = now.map_err(|error| error.explain(what))?;
        return objects::show(printer, &now, &allows(&now));
    }
    let all = sets::all(api, &what).await?;
    let words: Vec<String> = if arguments.permission_sets.is_empty() {
        before
            .permission_sets
            .iter()
            .map(|set| set.id.to_string())
            .collect()
    } else {
        arguments.permission_sets.clone()
    };
    let made_of = sets::named(&all, &words, &what)?;
    let wanted = changed(&before, arguments, &made_of);
    if arguments.dry_run {
        let rules = difference::rules_that_give(api, before.id, &what).await?;
        let after = difference::all_of(made_of.iter().flat_map(|set| &set.permissions));
        return difference::show(
            printer,
            &wanted,
            rules,
            &difference::all_of(&before.permissions),
            &after,
        );
    }
    let now: RoleV2 = api
        .put(&path, &wanted)
        .await
        .map_err(|error| error.explain(what))?;
    objects::show(printer, &now, &allows(&now))
}

fn changed(before: &RoleV2, arguments: &UpdateRole, made_of: &[&PermissionSet]) -> Wanted {
    let bound = &before.kubernetes_permissions.predefined_role;
    let bound = arguments.kubernetes_role.as_ref().or(bound.as_ref());
    Wanted {
        name: arguments.name.clone().unwrap_or_else(|| before.name.clone()),
        description: arguments
            .description
            .clone()
            .unwrap_or_else(|| before.description.clone()),
        enabled: arguments.enable || (before.enabled && !arguments.disable),
        permission_sets: sets::references(made_of),
        kubernetes_permissions: InClusters {
            predefined_role: bound.filter(|_| !arguments.no_kubernetes_role).cloned(),
        },
    }
}
