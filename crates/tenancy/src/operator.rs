//! What the operator may do: the reviewed table behind its ClusterRoles and Roles (DESIGN, decision 8), a file for what it
//! always holds and one for each switch.
//!
//! It reads cluster-wide and writes cluster-wide only what is cluster-scoped. Everything inside a namespace it writes
//! through `reeve-operator-project` and the roles of the switches beside it, bound in project namespaces alone: by itself while
//! user assignment is on (a static policy on its ServiceAccount keeps that to project namespaces and to our own ClusterRoles,
//! admission R11), and by the installers otherwise. A namespace's own labels are written with rights inside that namespace
//! too, so that it can label no namespace that is not a project's. No wildcard, no `escalate`, no `impersonate`, and
//! no Secret that it could read outside of `reeve-secrets`.

mod base;
mod bindings;
mod limits;
mod namespaces;
mod secrets;

use k8s_openapi::api::rbac::v1::PolicyRule;
use reeve_types::{Switch, Switches};

/// Where a right holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Everywhere.
    Cluster,
    /// In project namespaces.
    Projects,
    /// In `reeve-system`.
    System,
    /// In `reeve-secrets`, where Secrets for projects lie and nothing else.
    Sources,
    /// In `runai`, the reference's namespace, where its ConfigMaps of settings are.
    Reference,
    /// In `default`, where Kubernetes keeps the events of cluster-scoped objects.
    Default,
}

impl Reach {
    /// Every place.
    pub const ALL: [Self; 6] = [
        Self::Cluster,
        Self::Projects,
        Self::System,
        Self::Sources,
        Self::Reference,
        Self::Default,
    ];
}

/// One right: what may be done to what, where, and why the operator cannot do without.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// Where.
    pub reach: Reach,
    /// The API group; empty is the core group.
    pub group: &'static str,
    /// The resources.
    pub resources: &'static [&'static str],
    /// Only objects of these names; empty for all.
    pub names: &'static [&'static str],
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Why.
    pub because: &'static str,
    /// The switch that takes it away, and in whose file of the chart it is; `None` for what is always held.
    pub switch: Option<Switch>,
    /// Another switch without which it is not given either.
    pub with: Option<Switch>,
}

impl Grant {
    /// Whether it is given with these switches.
    pub fn is_given(&self, switches: Switches) -> bool {
        let on = |switch: Option<Switch>| switch.is_none_or(|switch| switches.is_on(switch));
        on(self.switch) && on(self.with)
    }

    /// The rule of RBAC.
    pub fn policy_rule(&self) -> PolicyRule {
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        PolicyRule {
            api_groups: Some(owned(&[self.group])),
            resources: Some(owned(self.resources)),
            resource_names: (!self.names.is_empty()).then(|| owned(self.names)),
            verbs: owned(self.verbs),
            ..PolicyRule::default()
        }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ANY: &[&str] = &[];

/// The whole table: what is always held first, then switch by switch.
pub fn grants() -> impl Iterator<Item = &'static Grant> {
    [
        base::GRANTS,
        namespaces::GRANTS,
        bindings::GRANTS,
        secrets::GRANTS,
        limits::GRANTS,
    ]
    .into_iter()
    .flatten()
}

/// What is held with these switches.
pub fn given(switches: Switches) -> impl Iterator<Item = &'static Grant> {
    grants().filter(move |grant| grant.is_given(switches))
}

/// What of the table is in the role of one place and one switch: `None` for the role that is always there.
pub(crate) fn of_role(reach: Reach, switch: Option<Switch>) -> Vec<&'static Grant> {
    grants()
        .filter(|grant| grant.reach == reach && grant.switch == switch)
        .collect()
}

/// The name of that role. In project namespaces it begins with `reeve-operator-project`, elsewhere it is the
/// ServiceAccount's name, and that of the switch follows.
pub fn role_name(reach: Reach, switch: Option<Switch>) -> String {
    let base = match reach {
        Reach::Projects => reeve_admission::names::ROLE_OPERATOR_IN_PROJECT,
        Reach::Cluster | Reach::System | Reach::Sources | Reach::Reference | Reach::Default => {
            reeve_admission::names::OPERATOR_SERVICE_ACCOUNT
        }
    };
    with_slug(base, switch)
}

/// A name with that of a switch behind it.
pub(crate) fn with_slug(base: &str, switch: Option<Switch>) -> String {
    switch.map_or_else(|| base.to_owned(), |switch| format!("{base}-{switch}"))
}

/// The switches of which the operator holds a role of its own inside project namespaces, with `None` for the role that it
/// always holds there: in the order in which it binds them. User assignment is last: where its binding counts, so do the others.
pub fn roles_in_projects(switches: Switches) -> Vec<Option<Switch>> {
    [
        None,
        Some(Switch::NamespaceCreation),
        Some(Switch::SecretPropagation),
        Some(Switch::LimitRange),
        Some(Switch::UserAssignment),
    ]
    .into_iter()
    .filter(|of| of.is_none_or(|switch| switches.is_on(switch)) && !of_role(Reach::Projects, *of).is_empty())
    .collect()
}
