//! What the cluster's installers bind by hand in a project's namespace while automatic user assignment is off.

use std::fmt::Write;

use k8s_openapi::api::rbac::v1::RoleBinding;
use reeve_types::{Switch, Switches};

use crate::people;

/// What the name of a binding of people ends with that is made by hand: the operator keeps those without it.
pub const MANUAL: &str = "-manual";

/// The template: the operator's bindings with these switches, and for each role of people one without subjects, to be filled in.
/// None of them bears the mark of what the operator keeps, so that it never touches them.
///
/// # Errors
/// When an object cannot be written as YAML, which is a fault of this crate.
pub fn by_hand_yaml(namespace: &str, switches: Switches) -> Result<String, serde_saphyr::ser::Error> {
    let mut text = String::from(
        "# What the operator may do in this namespace. Without the first it can do nothing here.\n",
    );
    for mut binding in crate::operator_bindings(namespace, switches.without(Switch::UserAssignment)) {
        binding.metadata.labels = None;
        text += &document(&binding)?;
    }
    text += "# What people may do in this namespace: fill in the subjects, remove the roles that nobody is to have. A user is\n\
             #   - {apiGroup: rbac.authorization.k8s.io, kind: User, name: alice@example.com}\n\
             # and a group of the control plane\n\
             #   - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: reeve-group/ml}\n";
    for role in people::roles() {
        let name = format!("{}{MANUAL}", role.cluster_role);
        let mut binding = crate::binding::unmarked(namespace, &name, role.cluster_role);
        binding.subjects = Some(Vec::new());
        text += &document(&binding)?;
    }
    Ok(text)
}

fn document(binding: &RoleBinding) -> Result<String, serde_saphyr::ser::Error> {
    let mut text = String::from("---\n");
    let _ = writeln!(text, "{}", serde_saphyr::to_string(binding)?.trim_end());
    Ok(text)
}
