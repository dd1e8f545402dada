//! A second evaluator, written apart: plain lists, plain loops, and the reviewed text instead of the roles' code. Slow
//! and obvious. It shares the input types with the index and nothing else.
//!
//! A [`Fault`] makes it wrong on purpose, to show that a comparison with it notices.

use reeve_authz::{Action, Entity, Permission, PermissionSet, Principal, RoleId, Rule, Scope, SubjectKey};
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
    /// As if a role's place were a bit of eight: the ninth role is taken for the first.
    NinthRoleIsTheFirst,
    /// Whoever creates access rules may give every role.
    ListOfGrantsIgnored,
    /// Whoever creates access rules is named in every refusal.
    EveryGranterIsNamed,
    /// What a role gives in clusters is not compared.
    ClustersIgnored,
    /// A role without rights in clusters leads to them as well.
    EveryRoleReachesClusters,
}

/// What a role may do, by entity and action, in the orders of their lists; and which roles it may give, `None` for any.
#[derive(Clone, Debug)]
struct Rights {
    may: Vec<[bool; 4]>,
    gives: Option<Vec<i64>>,
    /// Its ClusterRole.
    cluster: Option<String>,
}

/// Everything that may be done by each ClusterRole, from the least on: written down apart from the table.
fn as_much_in_clusters(own: Option<&String>, theirs: Option<&String>) -> bool {
    let (Some(own), Some(theirs)) = (own, theirs) else {
        return theirs.is_none();
    };
    let level = |name: &str| match name {
        "viewer" => 0,
        "l2-researcher" | "ai-practitioner" => 1,
        "l1-researcher" => 2,
        "system-administrator" => 3,
        // One that is new belongs into this list: until then it differs from the index.
        _ => 9,
    };
    own == theirs || level(own) > level(theirs)
}

impl Rights {
    fn may(&self, action: Action, entity: Entity) -> bool {
        self.may[entity as usize][action as usize]
    }

    fn creates_rules(&self) -> bool {
        self.may(Action::Create, Entity::AccessRules)
    }

    fn covers(&self, other: &Self) -> bool {
        for (own, theirs) in self.may.iter().zip(&other.may) {
            for (own, theirs) in own.iter().zip(theirs) {
                if *theirs && !own {
                    return false;
                }
            }
        }
        true
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Oracle {
    pub(crate) clusters: Vec<ClusterId>,
    pub(crate) departments: Vec<(DepartmentId, ClusterId)>,
    pub(crate) projects: Vec<(ProjectId, DepartmentId)>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) fault: Fault,
    /// By the number of the role, in that order.
    rights: Vec<(i64, Rights)>,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        let mut rights: Vec<(i64, Rights)> = Vec::new();
        for line in REVIEWED.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if line.starts_with("role ") {
                let gives = match words[3] {
                    "any" => None,
                    "nothing" => Some(Vec::new()),
                    ids => Some(ids.split(',').map(|id| id.parse().unwrap()).collect()),
                };
                let may = vec![[false; 4]; Entity::ALL.len()];
                let cluster = words[6].trim_end_matches(':');
                let cluster = (cluster != "nothing").then(|| cluster.to_owned());
                rights.push((words[1].parse().unwrap(), Rights { may, gives, cluster }));
            } else if let [entity, actions] = words[..] {
                let entity = Entity::ALL.into_iter().find(|e| e.wire_name() == entity).unwrap();
                for action in Action::ALL {
                    rights.last_mut().unwrap().1.may[entity as usize][action as usize] =
                        actions.split(',').any(|word| word == action.wire_name());
                }
            }
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

    /// A role that was made at run time. Such a one may give any.
    pub(crate) fn add_role(&mut self, id: RoleId, permissions: PermissionSet, cluster: Option<&str>) {
        let mut may = vec![[false; 4]; Entity::ALL.len()];
        for permission in permissions.iter() {
            may[permission.entity as usize][permission.action as usize] = true;
        }
        self.rights.retain(|(other, _)| *other != id.number());
        let rights = Rights {
            may,
            gives: None,
            cluster: cluster.map(str::to_owned),
        };
        self.rights.push((id.number(), rights));
        self.rights.sort_by_key(|(id, _)| *id);
    }

    pub(crate) fn permissions(&self, role: RoleId) -> PermissionSet {
        let may = |permission: &Permission| self.rights(role).may(permission.action, permission.entity);
        Permission::all().filter(may).collect()
    }

    pub(crate) fn remove_role(&mut self, id: RoleId) {
        self.rights.retain(|(other, _)| *other != id.number());
        self.rules.retain(|rule| rule.role != id);
    }

    pub(crate) fn knows_role(&self, id: RoleId) -> bool {
        self.rights.iter().any(|(other, _)| *other == id.number())
    }

    fn rights(&self, role: RoleId) -> &Rights {
        let place = self
            .rights
            .iter()
            .position(|(id, _)| *id == role.number())
            .unwrap();
        match self.fault {
            Fault::NinthRoleIsTheFirst => &self.rights[place % 8].1,
            _ => &self.rights[place].1,
        }
    }

    pub(crate) fn role_may_something(&self, role: RoleId) -> bool {
        self.rights(role).may.iter().flatten().any(|may| *may)
    }

    pub(crate) fn role_may(&self, role: RoleId, action: Action, entity: Entity) -> bool {
        let rights = self.rights(role);
        match self.fault {
            Fault::ActionIgnored => rights.may[entity as usize].contains(&true),
            Fault::EntityIgnored => rights.may.iter().any(|actions| actions[action as usize]),
            _ => rights.may(action, entity),
        }
    }

    fn may_give(&self, giver: RoleId, given: RoleId) -> bool {
        let rights = self.rights(giver);
        rights.creates_rules()
            && match &rights.gives {
                None => true,
                Some(_) if self.fault == Fault::ListOfGrantsIgnored => true,
                Some(ids) => ids.contains(&given.number()),
            }
    }

    /// Whether a role creates rules in a scope: one with a list of those that it gives does so in departments and projects.
    fn creates_in(&self, giver: RoleId, scope: Scope) -> bool {
        let listed = self.rights(giver).gives.is_some() && self.fault != Fault::ListOfGrantsIgnored;
        !listed || !matches!(scope, Scope::Account | Scope::Cluster(_))
    }

    /// Whether the holders of a role can give some role that may do this, by what the role alone allows.
    fn can_hand_on(&self, giver: RoleId, action: Action, entity: Entity) -> bool {
        let own = self.rights(giver);
        if self.fault == Fault::EveryGranterIsNamed {
            return own.creates_rules();
        }
        if !own.creates_rules() || !own.may(action, entity) {
            return false;
        }
        if own.gives.is_none() {
            // Itself, to begin with.
            return true;
        }
        for (id, rights) in &self.rights {
            let given = RoleId::new(*id).unwrap();
            let may = rights.may(action, entity) && self.may_give(giver, given);
            if may && own.covers(rights) && self.covers_in_clusters(own, rights) {
                return true;
            }
        }
        false
    }

    fn can_give(&self, giver: RoleId, given: RoleId) -> bool {
        if self.fault == Fault::EveryGranterIsNamed {
            return self.rights(giver).creates_rules();
        }
        let (own, theirs) = (self.rights(giver), self.rights(given));
        self.may_give(giver, given) && own.covers(theirs) && self.covers_in_clusters(own, theirs)
    }

    fn covers_in_clusters(&self, own: &Rights, theirs: &Rights) -> bool {
        self.fault == Fault::ClustersIgnored
            || as_much_in_clusters(own.cluster.as_ref(), theirs.cluster.as_ref())
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

    pub(crate) fn may_grant(&self, who: &Principal, role: RoleId, scope: Scope) -> bool {
        let mut giving = false;
        for id in self.allowing(who, Action::Create, Entity::AccessRules, scope) {
            for rule in &self.rules {
                giving |=
                    rule.id == id && self.may_give(rule.role, role) && self.creates_in(rule.role, scope);
            }
        }
        if !giving {
            return false;
        }
        for entity in Entity::ALL {
            for action in Action::ALL {
                if self.role_may(role, action, entity) && !self.allows(who, action, entity, scope) {
                    return false;
                }
            }
        }
        let given = self.rights(role);
        let mut covered = given.cluster.is_none();
        let chain = self.chain(scope);
        for rule in &self.rules {
            if !covered && chain.contains(&rule.scope) && self.names(rule, who) {
                covered = self.covers_in_clusters(self.rights(rule.role), given);
            }
        }
        covered
    }

    pub(crate) fn reaches_cluster(&self, who: &Principal, cluster: ClusterId) -> bool {
        if !self.clusters.contains(&cluster) {
            return false;
        }
        for rule in &self.rules {
            let reaches =
                rule.scope == Scope::Account || self.chain(rule.scope).contains(&Scope::Cluster(cluster));
            let leads =
                self.rights(rule.role).cluster.is_some() || self.fault == Fault::EveryRoleReachesClusters;
            if reaches && leads && self.names(rule, who) {
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

    /// The nearest scope, upwards, where somebody can grant this, and three of them, by their oldest rule.
    pub(crate) fn granters(
        &self,
        action: Action,
        entity: Entity,
        scope: Scope,
    ) -> Option<(Scope, Vec<SubjectKey>)> {
        self.nearest(scope, |role| self.can_hand_on(role, action, entity))
    }

    /// The same for a rule that gives a role.
    pub(crate) fn givers(&self, given: RoleId, scope: Scope) -> Option<(Scope, Vec<SubjectKey>)> {
        self.nearest(scope, |role| self.can_give(role, given))
    }

    fn nearest(&self, scope: Scope, fits: impl Fn(RoleId) -> bool) -> Option<(Scope, Vec<SubjectKey>)> {
        for here in self.chain(scope) {
            let mut who = Vec::new();
            let mut by_age: Vec<&Rule> = self.rules.iter().filter(|rule| rule.scope == here).collect();
            by_age.sort_by_key(|rule| rule.id);
            for rule in by_age {
                if fits(rule.role) && self.creates_in(rule.role, here) && !who.contains(&rule.subject) {
                    who.push(rule.subject.clone());
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
        let known = self.scopes().contains(&rule.scope) && self.knows_role(rule.role);
        if known {
            self.rules.push(rule);
        }
        known
    }
}
