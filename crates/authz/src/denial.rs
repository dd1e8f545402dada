//! The answer no, and what would help.

use std::fmt;
use std::sync::Arc;

use reeve_types::AccessRuleId;

use crate::entity::Entity;
use crate::permission::{Action, Permission, PermissionSet};
use crate::role::Role;
use crate::scope::Scope;
use crate::subject::SubjectKey;

/// Why something was refused.
///
/// Whoever shows it decides first whether the caller may know of the object at all: the explanation names the scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denial {
    /// What was to be done.
    pub action: Action,
    /// To what.
    pub entity: Entity,
    /// Where.
    pub scope: Scope,
    /// The caller holds the permission in no scope at all: 403 before anything is looked up.
    pub held_nowhere: bool,
    pub(crate) known: bool,
    pub(crate) ungivable: Option<Ungivable>,
    pub(crate) granters: Option<Granters>,
}

/// The caller may create access rules there, but none that give a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ungivable {
    /// No role of the caller's may give this one.
    Kind(Role),
    /// Its subjects could do more in the cluster than the caller can there.
    InClusters(Role),
}

impl Ungivable {
    pub(crate) const fn role(&self) -> &Role {
        match self {
            Self::Kind(role) | Self::InClusters(role) => role,
        }
    }
}

/// The nearest scope, upwards, where somebody can grant what is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Granters {
    pub(crate) at: Scope,
    pub(crate) here: Arc<[GrantersByRole]>,
}

/// The subjects of a scope's rules with one role that can create access rules: the first [`GrantersByRole::NAMED`] of them,
/// each with its oldest rule, in the order of the rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GrantersByRole {
    pub(crate) role: Role,
    /// What the role can hand on.
    pub(crate) conveys: PermissionSet,
    pub(crate) who: Vec<(AccessRuleId, SubjectKey)>,
}

impl GrantersByRole {
    pub(crate) const NAMED: usize = 3;

    /// Whether these can help, by what their role alone allows.
    pub(crate) fn can_grant(&self, missing: Missing<'_>) -> bool {
        match missing {
            Missing::Permission(permission) => self.conveys.contains(permission),
            Missing::Role(role) => self.role.gives(role),
        }
    }
}

/// What somebody would have to grant.
#[derive(Clone, Copy)]
pub(crate) enum Missing<'a> {
    Permission(Permission),
    /// A rule with this role.
    Role(&'a Role),
}

impl Denial {
    /// The permission that is missing. Where the caller holds `access_rules:create` but may not give the role asked for
    /// ([`Denial::ungivable_role`]) it is that one, to be held by another role.
    pub const fn missing(&self) -> Permission {
        Permission::new(self.action, self.entity)
    }

    /// The role that the caller may give to nobody, although they may create access rules there.
    pub fn ungivable_role(&self) -> Option<&Role> {
        self.ungivable.as_ref().map(Ungivable::role)
    }

    /// Whether the index knows the scope. Nobody is allowed anything in an unknown one.
    pub const fn scope_is_known(&self) -> bool {
        self.known
    }

    /// The nearest scope, from the one asked about upwards, where somebody could grant what is missing.
    pub fn grantable_at(&self) -> Option<Scope> {
        self.granters.as_ref().map(|granters| granters.at)
    }

    /// Who could grant it there: at most three subjects, by their oldest rule. Somebody who can create access rules there but
    /// none that give what is missing is not among them.
    pub fn who_could_grant(&self) -> Vec<SubjectKey> {
        let Some(granters) = &self.granters else {
            return Vec::new();
        };
        let mut by_rule: Vec<&(AccessRuleId, SubjectKey)> = granters
            .here
            .iter()
            .filter(|some| some.can_grant(self.needs()))
            .flat_map(|some| &some.who)
            .collect();
        by_rule.sort_unstable_by_key(|(rule, _)| *rule);
        let mut who: Vec<SubjectKey> = Vec::new();
        for (_, subject) in by_rule {
            if who.len() < GrantersByRole::NAMED && !who.contains(subject) {
                who.push(subject.clone());
            }
        }
        who
    }

    fn needs(&self) -> Missing<'_> {
        match &self.ungivable {
            Some(ungivable) => Missing::Role(ungivable.role()),
            None => Missing::Permission(self.missing()),
        }
    }

    /// The whole explanation, scopes by their ids. [`Denial::explanation_with`] names them better.
    pub fn explanation(&self) -> String {
        self.explanation_with(|scope| scope.to_string())
    }

    /// The whole explanation, with scopes written by `name`.
    pub fn explanation_with(&self, name: impl Fn(Scope) -> String) -> String {
        let scope = name(self.scope);
        let needs = match &self.ungivable {
            Some(Ungivable::Kind(role)) => format!("needs a role that may give `{role}` in {scope}"),
            Some(Ungivable::InClusters(role)) => format!(
                "needs the rights of `{}` in the cluster's namespaces, which `{role}` gives, in {scope}",
                role.in_clusters().unwrap_or("nobody")
            ),
            None => format!("needs `{}` in {scope}", self.missing()),
        };
        if !self.known {
            return format!("{needs}, which does not exist");
        }
        match &self.granters {
            None => format!("{needs}; nobody can grant it there"),
            Some(granters) => {
                let who: Vec<String> = self.who_could_grant().iter().map(SubjectKey::to_string).collect();
                let (at, who) = (name(granters.at), who.join(", "));
                format!("{needs}; access rules in {at} can be created by {who}")
            }
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explanation())
    }
}

impl std::error::Error for Denial {}
