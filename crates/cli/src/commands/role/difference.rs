//! What a change of a role would give to its holders, and take from them.

use std::collections::{BTreeMap, BTreeSet};

use reeve_api::access_rule::AccessRules;
use reeve_api::custom_role::RolePermission;
use serde::Serialize;

use super::Wanted;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::Printer;

/// Actions, by type of resource.
pub(super) type Allowed = BTreeMap<String, BTreeSet<String>>;

/// What some permissions come to.
pub(super) fn all_of<'a>(permissions: impl IntoIterator<Item = &'a RolePermission>) -> Allowed {
    let mut all = Allowed::new();
    for permission in permissions {
        let actions = all.entry(permission.resource_type.clone()).or_default();
        actions.extend(permission.actions.iter().cloned());
    }
    all
}

/// What is in the one and not in the other.
fn beyond(one: &Allowed, other: &Allowed) -> Allowed {
    let mut beyond = one.clone();
    for (resource, actions) in &mut beyond {
        if let Some(known) = other.get(resource) {
            actions.retain(|action| !known.contains(action));
        }
    }
    beyond.retain(|_, actions| !actions.is_empty());
    beyond
}

/// A line for each type of resource.
pub(super) fn lines(allowed: &Allowed, indent: &str) -> String {
    let line = |(resource, actions): (&String, &BTreeSet<String>)| {
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        format!("{indent}{resource}: {}", actions.join(", "))
    };
    allowed.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What would be kept, and what it would change for who has the role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Preview<'a> {
    dry_run: bool,
    role: &'a Wanted,
    /// How many access rules give the role now.
    given_by_access_rules: usize,
    /// What its holders could do more.
    gains: Allowed,
    /// What its holders could do no more.
    loses: Allowed,
}

/// Shows what `wanted` would be, which allowed `before` and would allow `after`.
pub(super) fn show(
    printer: &mut Printer,
    wanted: &Wanted,
    given_by_access_rules: usize,
    before: &Allowed,
    after: &Allowed,
) -> Result<(), Failure> {
    let preview = Preview {
        dry_run: true,
        role: wanted,
        given_by_access_rules,
        gains: beyond(after, before),
        loses: beyond(before, after),
    };
    let names = [format!("role/{}", wanted.name)];
    printer.named(&preview, names, || text(&preview))
}

fn text(preview: &Preview<'_>) -> String {
    let role = preview.role;
    let bound = role.kubernetes_permissions.predefined_role.as_deref();
    let mut lines_of_it = vec![
        "Nothing was changed.".to_owned(),
        format!(
            "role `{}`, given by access rules: {}",
            role.name, preview.given_by_access_rules
        ),
        format!("in clusters: {}", super::in_clusters(bound)),
    ];
    for (head, allowed) in [("would gain", &preview.gains), ("would lose", &preview.loses)] {
        let what = if allowed.is_empty() {
            format!("{head}: nothing")
        } else {
            format!("{head}:\n{}", lines(allowed, "  "))
        };
        lines_of_it.push(what);
    }
    lines_of_it.join("\n")
}

/// How many access rules that the caller may see give a role.
pub(super) async fn rules_that_give(api: &Api, role: i64, what: &str) -> Result<usize, Failure> {
    let number = role.to_string();
    let query = [("roleId", number.as_str()), ("limit", "1")];
    let page: AccessRules = api
        .get(crate::commands::access_rule::BASE, &query)
        .await
        .map_err(|error| error.explain(what))?;
    Ok(page.total_records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(all: &[(&str, &[&str])]) -> Allowed {
        let of = |(resource, actions): &(&str, &[&str])| RolePermission {
            resource_type: (*resource).to_owned(),
            actions: actions.iter().map(ToString::to_string).collect(),
        };
        all_of(&all.iter().map(of).collect::<Vec<_>>())
    }

    /// Planted fault: what a type of resource had before counts as gained when an action comes to it.
    #[test]
    fn only_what_was_not_there_is_gained() {
        let before = allowed(&[("project", &["read"]), ("users", &["read", "update"])]);
        let after = allowed(&[("project", &["create", "read"]), ("project", &["delete"])]);
        assert_eq!(
            beyond(&after, &before),
            allowed(&[("project", &["create", "delete"])])
        );
        assert_eq!(
            beyond(&before, &after),
            allowed(&[("users", &["read", "update"])])
        );
        assert_eq!(lines(&beyond(&after, &before), "- "), "- project: create, delete");
    }
}
