//! The answer no, and what would help.

use std::fmt;
use std::sync::Arc;

use crate::permission::{Action, Entity, Permission};
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
    pub(crate) granters: Option<Granters>,
}

/// The nearest scope, upwards, where somebody can create access rules, and who: [`Granters::NAMED`] of
/// them at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Granters {
    pub(crate) at: Scope,
    pub(crate) who: Arc<[SubjectKey]>,
}

impl Granters {
    pub(crate) const NAMED: usize = 3;
}

impl Denial {
    /// What is missing.
    pub const fn missing(&self) -> Permission {
        Permission::new(self.action, self.entity)
    }

    /// Whether the index knows the scope. Nobody is allowed anything in an unknown one.
    pub const fn scope_is_known(&self) -> bool {
        self.known
    }

    /// The nearest scope, from the one asked about upwards, where somebody could grant what is missing.
    pub fn grantable_at(&self) -> Option<Scope> {
        self.granters.as_ref().map(|granters| granters.at)
    }

    /// Who could grant it there: at most three subjects, by their oldest rule.
    pub fn who_could_grant(&self) -> &[SubjectKey] {
        self.granters.as_ref().map_or(&[], |granters| &granters.who)
    }

    /// The whole explanation, scopes by their ids. [`Denial::explanation_with`] names them better.
    pub fn explanation(&self) -> String {
        self.explanation_with(|scope| scope.to_string())
    }

    /// The whole explanation, with scopes written by `name`.
    pub fn explanation_with(&self, name: impl Fn(Scope) -> String) -> String {
        let missing = self.missing();
        let scope = name(self.scope);
        if !self.known {
            return format!("needs `{missing}` in {scope}, which does not exist");
        }
        match &self.granters {
            None => {
                format!("needs `{missing}` in {scope}; nobody holds `access_rules:create` there to grant it")
            }
            Some(granters) => {
                let who: Vec<String> = granters.who.iter().map(SubjectKey::to_string).collect();
                let at = name(granters.at);
                format!(
                    "needs `{missing}` in {scope}; access rules in {at} can be created by {}",
                    who.join(", ")
                )
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
