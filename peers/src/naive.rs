//! The naive evaluator: plain loops over plain lists.

use crate::plain::{Caller, Organization, Permission, Rule, Scope, Subject};

/// A question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// Who asks.
    pub who: Caller,
    /// What is to be done.
    pub permission: Permission,
    /// Where.
    pub scope: Scope,
}

/// Whether a rule names the caller or a group of the caller's.
pub fn names(rule: &Rule, who: &Caller) -> bool {
    rule.subject == who.subject || who.groups.contains(&rule.subject)
}

impl Organization {
    fn may(&self, rule: &Rule, permission: Permission) -> bool {
        self.role(rule.role).is_some_and(|role| role.allows(permission))
    }

    /// Every rule that allows it, by their numbers.
    pub fn allowing(&self, question: &Question) -> Vec<i64> {
        let chain = self.chain(question.scope);
        let mut found = Vec::new();
        for rule in &self.rules {
            let reaches = chain.contains(&rule.scope) && names(rule, &question.who);
            if reaches && self.may(rule, question.permission) {
                found.push(rule.id);
            }
        }
        found.sort_unstable();
        found
    }

    /// Whether it is allowed.
    pub fn allows(&self, question: &Question) -> bool {
        !self.allowing(question).is_empty()
    }

    /// The scopes of the rules by which somebody may do this, each once.
    pub fn granted_at(&self, who: &Caller, permission: Permission) -> Vec<Scope> {
        let mut found = Vec::new();
        for rule in &self.rules {
            let fits = names(rule, who) && self.may(rule, permission);
            if fits && !found.contains(&rule.scope) {
                found.push(rule.scope);
            }
        }
        found
    }

    /// Every rule by which anybody may do this in a scope.
    pub fn who_can(&self, permission: Permission, scope: Scope) -> Vec<i64> {
        let chain = self.chain(scope);
        let mut found = Vec::new();
        for rule in &self.rules {
            if chain.contains(&rule.scope) && self.may(rule, permission) {
                found.push(rule.id);
            }
        }
        found.sort_unstable();
        found
    }

    /// Every rule that names somebody.
    pub fn what_can(&self, who: &Caller) -> Vec<i64> {
        let mut found = Vec::new();
        for rule in &self.rules {
            if names(rule, who) {
                found.push(rule.id);
            }
        }
        found.sort_unstable();
        found
    }

    /// Everything that somebody may do in a scope.
    pub fn held_at(&self, who: &Caller, scope: Scope, permissions: u16) -> Vec<Permission> {
        let mut found = Vec::new();
        for permission in 0..permissions {
            let question = Question {
                who: who.clone(),
                permission,
                scope,
            };
            if self.allows(&question) {
                found.push(permission);
            }
        }
        found
    }

    /// Everybody whom a rule names.
    pub fn named(&self) -> Vec<Subject> {
        let mut found: Vec<Subject> = self.rules.iter().map(|rule| rule.subject).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
