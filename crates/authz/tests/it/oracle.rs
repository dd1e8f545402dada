//! A second evaluator, written apart: plain lists, plain loops, and the reviewed text instead of the roles' code. Slow
//! and obvious. It shares the input types with the index and nothing else.
//!
//! A [`Fault`] makes it wrong on purpose, to show that a comparison with it notices.

use reeve_authz::{Action, Entity, Principal, Role, Rule, Scope, SubjectKey};
use reeve_types::{AccessRuleId, ClusterId, DepartmentId, ProjectId};

use crate::rights::REVIEWED;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    AncestorsIgnored,
    GroupsIgnored,
    ActionIgnored,
    EntityIgnored,
    KindOfSubjectIgnored,
    ScopeIgnored,
}

#[derive(Clone, Debug)]
pub(crate) struct Oracle {
    pub(crate) clusters: Vec<ClusterId>,
    pub(crate) departments: Vec<(DepartmentId, ClusterId)>,
    pub(crate) projects: Vec<(ProjectId, DepartmentId)>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) fault: Fault,
    rights: Vec<(String, [String; 3])>,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        let mut rights = Vec::new();
        for line in REVIEWED.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words.len(), 4, "{line}");
            rights.push((
                words[0].to_owned(),
                [words[1].to_owned(), words[2].to_owned(), words[3].to_owned()],
            ));
        }
        Self {
            clusters: Vec::new(),
            departments: Vec::new(),
            projects: Vec::new(),
            rules: Vec::new(),
            fault: Fault::None,
            rights,
        }
    }

    pub(crate) fn scopes(&self) -> Vec<Scope> {
        let mut all = vec![Scope::Account];
        for id in &self.clusters {
            all.push(Scope::Cluster(*id));
        }
        for (id, _) in &self.departments {
            all.push(Scope::Department(*id));
        }
        for (id, _) in &self.projects {
            all.push(Scope::Project(*id));
        }
        all
    }

    /// The scope and everything above it; nothing for a scope that does not exist.
    pub(crate) fn chain(&self, scope: Scope) -> Vec<Scope> {
        let mut chain = vec![scope];
        let mut here = scope;
        loop {
            let mut above = None;
            match here {
                Scope::Account => return chain,
                Scope::Cluster(wanted) => {
                    for id in &self.clusters {
                        if *id == wanted {
                            above = Some(Scope::Account);
                        }
                    }
                }
                Scope::Department(wanted) => {
                    for (id, cluster) in &self.departments {
                        if *id == wanted {
                            above = Some(Scope::Cluster(*cluster));
                        }
                    }
                }
                Scope::Project(wanted) => {
                    for (id, department) in &self.projects {
                        if *id == wanted {
                            above = Some(Scope::Department(*department));
                        }
                    }
                }
            }
            match above {
                None => return Vec::new(),
                Some(next) => {
                    chain.push(next);
                    here = next;
                }
            }
        }
    }

    pub(crate) fn role_may(&self, role: Role, action: Action, entity: Entity) -> bool {
        let column = match role.id() {
            1 => 0,
            5 => 1,
            9 => 2,
            other => panic!("no column for role {other}"),
        };
        for (name, cells) in &self.rights {
            if name == entity.wire_name() || self.fault == Fault::EntityIgnored {
                for word in cells[column].split(',') {
                    if word == action.wire_name() || (self.fault == Fault::ActionIgnored && word != "-") {
                        return true;
                    }
                }
            }
        }
        false
    }

    pub(crate) fn names(&self, rule: &Rule, who: &Principal) -> bool {
        if rule.subject == who.subject {
            return true;
        }
        if self.fault == Fault::KindOfSubjectIgnored && rule.subject.name() == who.subject.name() {
            return true;
        }
        if self.fault != Fault::GroupsIgnored {
            for group in &who.groups {
                if rule.subject == SubjectKey::Group(group.clone()) {
                    return true;
                }
            }
        }
        false
    }

    /// Every rule that allows it.
    pub(crate) fn allowing(
        &self,
        who: &Principal,
        action: Action,
        entity: Entity,
        scope: Scope,
    ) -> Vec<AccessRuleId> {
        let chain = self.chain(scope);
        let mut found = Vec::new();
        if chain.is_empty() {
            return found;
        }
        for rule in &self.rules {
            let in_reach = match self.fault {
                Fault::AncestorsIgnored => rule.scope == scope,
                Fault::ScopeIgnored => true,
                _ => chain.contains(&rule.scope),
            };
            if in_reach && self.names(rule, who) && self.role_may(rule.role, action, entity) {
                found.push(rule.id);
            }
        }
        found
    }

    pub(crate) fn allows(&self, who: &Principal, action: Action, entity: Entity, scope: Scope) -> bool {
        !self.allowing(who, action, entity, scope).is_empty()
    }

    pub(crate) fn allows_anywhere(&self, who: &Principal, action: Action, entity: Entity) -> bool {
        for rule in &self.rules {
            if self.names(rule, who) && self.role_may(rule.role, action, entity) {
                return true;
            }
        }
        false
    }

    pub(crate) fn granted_at(&self, who: &Principal, action: Action, entity: Entity) -> Vec<Scope> {
        let mut found = Vec::new();
        for rule in &self.rules {
            let fits = self.names(rule, who) && self.role_may(rule.role, action, entity);
            if fits && !found.contains(&rule.scope) {
                found.push(rule.scope);
            }
        }
        found.sort();
        found
    }

    pub(crate) fn may_grant(&self, who: &Principal, role: Role, scope: Scope) -> bool {
        if !self.allows(who, Action::Create, Entity::AccessRules, scope) {
            return false;
        }
        for entity in Entity::ALL {
            for action in Action::ALL {
                if self.role_may(role, action, entity) && !self.allows(who, action, entity, scope) {
                    return false;
                }
            }
        }
        true
    }

    pub(crate) fn reaches_cluster(&self, who: &Principal, cluster: ClusterId) -> bool {
        if !self.clusters.contains(&cluster) {
            return false;
        }
        for rule in &self.rules {
            let reaches =
                rule.scope == Scope::Account || self.chain(rule.scope).contains(&Scope::Cluster(cluster));
            if reaches && self.names(rule, who) {
                return true;
            }
        }
        false
    }

    pub(crate) fn who_can(&self, action: Action, entity: Entity, scope: Scope) -> Vec<AccessRuleId> {
        let chain = self.chain(scope);
        let mut found = Vec::new();
        for rule in &self.rules {
            if chain.contains(&rule.scope) && self.role_may(rule.role, action, entity) {
                found.push(rule.id);
            }
        }
        found.sort();
        found
    }

    /// The nearest scope, upwards, where somebody can create access rules, and three of them, by their oldest rule.
    pub(crate) fn granters(&self, scope: Scope) -> Option<(Scope, Vec<SubjectKey>)> {
        for here in self.chain(scope) {
            let mut who = Vec::new();
            let mut by_age = self.rules.clone();
            by_age.sort_by_key(|rule| rule.id);
            for rule in by_age {
                let may = rule.scope == here && self.role_may(rule.role, Action::Create, Entity::AccessRules);
                if may && !who.contains(&rule.subject) {
                    who.push(rule.subject);
                }
            }
            if !who.is_empty() {
                who.truncate(3);
                return Some((here, who));
            }
        }
        None
    }

    pub(crate) fn remove_scope(&mut self, scope: Scope) {
        let mut gone = Vec::new();
        for one in self.scopes() {
            if self.chain(one).contains(&scope) {
                gone.push(one);
            }
        }
        self.rules.retain(|rule| !gone.contains(&rule.scope));
        self.projects
            .retain(|(id, _)| !gone.contains(&Scope::Project(*id)));
        self.departments
            .retain(|(id, _)| !gone.contains(&Scope::Department(*id)));
        self.clusters.retain(|id| !gone.contains(&Scope::Cluster(*id)));
    }

    pub(crate) fn add_rule(&mut self, rule: Rule) -> bool {
        self.rules.retain(|other| other.id != rule.id);
        let known = self.scopes().contains(&rule.scope);
        if known {
            self.rules.push(rule);
        }
        known
    }
}
