//! Random organizations, and the comparison of the index with the oracle on them. Everything follows from the seed.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reeve_authz::{
    Action, CustomRole, Entity, Index, Permission, PermissionSet, Principal, Role, RoleId, Rule, Scope,
    SubjectKey,
};
use reeve_types::{AccessRuleId, GroupName};

use crate::oracle::{Fault, Oracle};
use crate::people::{cluster_id, department_id, project_id};

/// An organization with its rules, as the index and as the oracle know it, and its callers.
pub(crate) struct Organization {
    pub(crate) index: Index,
    pub(crate) oracle: Oracle,
    pub(crate) callers: Vec<Principal>,
    pub(crate) scopes: Vec<Scope>,
    /// Of which every list is compared: a quarter of all in each organization, in turn.
    entities: Vec<Entity>,
    /// The predefined ones, then those made at run time.
    pub(crate) roles: Vec<RoleId>,
    random: StdRng,
}

/// A question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) who: Principal,
    pub(crate) action: Action,
    pub(crate) entity: Entity,
    pub(crate) scope: Scope,
}

/// How many roles are made at run time in each organization: with the predefined ones more than 64, so that some share a bit
/// of the filter in front of a check.
const CUSTOM_ROLES: i64 = 60;

/// A role that is made at run time. One in four creates access rules.
pub(crate) fn custom_role(id: i64, permissions: PermissionSet) -> Role {
    Role::custom(CustomRole {
        id: RoleId::new(id).unwrap(),
        name: format!("Custom {id}"),
        description: "Made by a test.".to_owned(),
        in_clusters_as: None,
        permissions,
    })
    .unwrap()
}

/// The same with the rights in clusters of a predefined role.
pub(crate) fn custom_role_in_clusters(id: i64, as_: RoleId, permissions: PermissionSet) -> Role {
    Role::custom(CustomRole {
        id: RoleId::new(id).unwrap(),
        name: format!("Custom {id}"),
        description: "Made by a test.".to_owned(),
        in_clusters_as: Some(as_),
        permissions,
    })
    .unwrap()
}

fn random_permissions(random: &mut StdRng) -> PermissionSet {
    let share = random.random_range(1..60);
    let create = Permission::new(Action::Create, Entity::AccessRules);
    let grants = random.random_range(0..4) == 0;
    Permission::all()
        .filter(|permission| *permission != create && random.random_range(0..100) < share)
        .chain(grants.then_some(create))
        .collect()
}

fn subject(kind: u32, number: u32) -> SubjectKey {
    // Equal names for different kinds, on purpose: `ci-3` is a group and a service account, `u3@example.com` a user and
    // a group.
    match kind {
        0 => SubjectKey::User(format!("u{number}@example.com").parse().unwrap()),
        1 => SubjectKey::ServiceAccount(format!("ci-{number}").parse().unwrap()),
        2 => SubjectKey::Group(format!("ci-{number}").parse().unwrap()),
        _ => SubjectKey::Group(format!("u{number}@example.com").parse().unwrap()),
    }
}

impl Organization {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut oracle = Oracle::new();
        let mut index = Index::new();
        for number in 1..=3 {
            oracle.clusters.push(cluster_id(number));
            assert!(index.add_cluster(cluster_id(number)));
        }
        for number in 1..=8 {
            let (id, cluster) = (
                department_id(number),
                *oracle.clusters.choose(&mut random).unwrap(),
            );
            oracle.departments.push((id, cluster));
            assert!(index.add_department(id, cluster));
        }
        for number in 1..=24 {
            let (id, department) = (
                project_id(number),
                oracle.departments.choose(&mut random).unwrap().0,
            );
            oracle.projects.push((id, department));
            assert!(index.add_project(id, department));
        }
        let mut roles: Vec<RoleId> = Role::all_predefined().iter().map(Role::id).collect();
        for number in 0..CUSTOM_ROLES {
            let (id, permissions) = (100 + number * 7, random_permissions(&mut random));
            let predefined = Role::all_predefined();
            let role = match random.random_range(0..3) {
                0 => custom_role(id, permissions),
                _ => {
                    let as_ = predefined[random.random_range(0..predefined.len())].id();
                    custom_role_in_clusters(id, as_, permissions)
                }
            };
            oracle.add_role(role.id(), role.permissions(), role.in_clusters());
            roles.push(role.id());
            assert!(index.put_role(role));
        }
        for number in 1..=240 {
            let scope = random_scope(&oracle, &mut random);
            let kind = random.random_range(0..4);
            let predefined = Role::all_predefined().len();
            let among = if random.random_range(0..3) == 0 {
                &roles[predefined..]
            } else {
                &roles[..predefined]
            };
            let role = *among.choose(&mut random).unwrap();
            let id = AccessRuleId::new(number).unwrap();
            let rule = Rule {
                id,
                subject: subject(kind, random.random_range(0..25)),
                role,
                scope,
            };
            assert!(oracle.add_rule(rule.clone()));
            assert!(index.add_rule(rule));
        }
        let mut callers = Vec::new();
        for number in 0..40 {
            let mut groups: Vec<GroupName> = Vec::new();
            for _ in 0..random.random_range(0..=3) {
                let kind = random.random_range(2..4);
                if let SubjectKey::Group(name) = subject(kind, random.random_range(0..25)) {
                    groups.push(name);
                }
            }
            let kind = u32::from(number % 4 == 3);
            callers.push(Principal {
                subject: subject(kind, random.random_range(0..25)),
                groups,
            });
        }
        let mut scopes = oracle.scopes();
        scopes.push(Scope::Project(project_id(999)));
        scopes.push(Scope::Cluster(cluster_id(99)));
        Self {
            index,
            oracle,
            callers,
            scopes,
            entities: Entity::ALL
                .into_iter()
                .skip(seed as usize % 4)
                .step_by(4)
                .collect(),
            roles,
            random,
        }
    }

    /// Half drawn from the rules, so that many are allowed; half uniform.
    pub(crate) fn question(&mut self) -> Question {
        let random = &mut self.random;
        let mut question = Question {
            who: self.callers.choose(random).unwrap().clone(),
            action: *Action::ALL.choose(random).unwrap(),
            entity: *Entity::ALL.choose(random).unwrap(),
            scope: *self.scopes.choose(random).unwrap(),
        };
        if random.random_range(0..2) == 0 {
            let rule = self.oracle.rules.choose(random).unwrap();
            match &rule.subject {
                SubjectKey::Group(name) => question.who.groups.push(name.clone()),
                other => question.who.subject = other.clone(),
            }
            let below: Vec<&Scope> = self
                .scopes
                .iter()
                .filter(|scope| self.oracle.chain(**scope).contains(&rule.scope))
                .collect();
            question.scope = match random.random_range(0..4) {
                0 => rule.scope,
                _ => **below.choose(random).unwrap(),
            };
            // A role that was made at run time may be one that may do nothing.
            let something = self.oracle.role_may_something(rule.role);
            while something && !self.oracle.role_may(rule.role, question.action, question.entity) {
                question.action = *Action::ALL.choose(random).unwrap();
                question.entity = *Entity::ALL.choose(random).unwrap();
            }
        }
        question
    }
}

fn random_scope(oracle: &Oracle, random: &mut StdRng) -> Scope {
    match random.random_range(0..20) {
        0 => Scope::Account,
        1..=3 => Scope::Cluster(*oracle.clusters.choose(random).unwrap()),
        4..=9 => Scope::Department(oracle.departments.choose(random).unwrap().0),
        _ => Scope::Project(oracle.projects.choose(random).unwrap().0),
    }
}

/// What a comparison saw.
#[derive(Default, Debug)]
pub(crate) struct Seen {
    pub(crate) decisions: usize,
    pub(crate) allowed: usize,
    /// By role, type of the rule's scope and type of the scope asked about.
    pub(crate) allowed_by: BTreeMap<(RoleId, &'static str, &'static str), usize>,
    /// By type of the scope asked about.
    pub(crate) refused_at: BTreeMap<&'static str, usize>,
    pub(crate) through_groups: usize,
    pub(crate) in_unknown_scopes: usize,
    /// Where the two disagreed.
    pub(crate) decisions_wrong: usize,
    pub(crate) lists: usize,
    pub(crate) lists_wrong: usize,
}

/// Compares `decisions` answers in each of `worlds` organizations, and every list of every caller in each; the oracle
/// suffers from `fault`.
pub(crate) fn compare(seed: u64, worlds: u64, decisions: usize, fault: Fault) -> Seen {
    let mut seen = Seen::default();
    for number in 0..worlds {
        let mut organization = Organization::new(seed + number);
        let questions: Vec<Question> = (0..decisions).map(|_| organization.question()).collect();
        organization.oracle.fault = fault;
        for question in &questions {
            compare_decision(&organization, question, &mut seen);
        }
        compare_lists(&organization, &mut seen);
    }
    seen
}

fn compare_decision(organization: &Organization, question: &Question, seen: &mut Seen) {
    let Question {
        who,
        action,
        entity,
        scope,
    } = question.clone();
    seen.decisions += 1;
    let allowing = organization.oracle.allowing(&who, action, entity, scope);
    match organization.index.decide(&who, action, entity, scope) {
        Ok(granted) => {
            let because = granted.because().unwrap();
            seen.allowed += 1;
            seen.through_groups += usize::from(because.through != who.subject);
            let key = (because.role.id(), because.at.wire_type(), scope.wire_type());
            *seen.allowed_by.entry(key).or_default() += 1;
            let rule = organization
                .oracle
                .rules
                .iter()
                .find(|rule| rule.id == because.rule)
                .unwrap();
            let told =
                rule.subject == because.through && rule.role == because.role.id() && rule.scope == because.at;
            let mut reasons: Vec<_> = organization
                .index
                .reasons(&who, action, entity, scope)
                .iter()
                .map(|reason| reason.rule)
                .collect();
            reasons.sort();
            reasons.dedup();
            seen.decisions_wrong +=
                usize::from(reasons != allowing || !allowing.contains(&because.rule) || !told);
        }
        Err(denial) => {
            *seen.refused_at.entry(scope.wire_type()).or_default() += 1;
            seen.in_unknown_scopes += usize::from(!denial.scope_is_known());
            let nowhere = !organization.oracle.allows_anywhere(&who, action, entity);
            let granters = organization.oracle.granters(action, entity, scope);
            let told = denial.grantable_at() == granters.as_ref().map(|(at, _)| *at)
                && denial.who_could_grant() == granters.map(|(_, who)| who).unwrap_or_default();
            seen.decisions_wrong +=
                usize::from(!allowing.is_empty() || denial.held_nowhere != nowhere || !told);
        }
    }
}

/// Whether both say the same about giving a role, and about who could where the caller may give it to nobody.
fn grants_agree(organization: &Organization, who: &Principal, role: RoleId, scope: Scope) -> bool {
    let oracle = &organization.oracle;
    match organization.index.may_grant(who, role, scope) {
        Ok(granted) => oracle.may_grant(who, role, scope) && granted.covers(role, scope),
        Err(denial) => {
            let granters = match denial.ungivable_role() {
                Some(ungivable) if ungivable.id() != role => return false,
                Some(_) => oracle.givers(role, scope),
                None => oracle.granters(denial.action, denial.entity, scope),
            };
            let told = (denial.grantable_at(), denial.who_could_grant());
            !oracle.may_grant(who, role, scope)
                && told == granters.map_or((None, Vec::new()), |(at, who)| (Some(at), who))
        }
    }
}

fn compare_lists(organization: &Organization, seen: &mut Seen) {
    let Organization {
        index,
        oracle,
        callers,
        scopes,
        entities,
        roles,
        ..
    } = organization;
    let mut judge = |agree: bool| {
        seen.lists += 1;
        seen.lists_wrong += usize::from(!agree);
    };
    for who in callers {
        for entity in entities.iter().copied() {
            let visible = index.visible(who, entity);
            let naive: Vec<Scope> = scopes
                .iter()
                .copied()
                .filter(|scope| oracle.allows(who, Action::Read, entity, *scope))
                .collect();
            let shown: Vec<Scope> = match &visible {
                Ok(visible) => scopes
                    .iter()
                    .copied()
                    .filter(|scope| visible.contains(*scope))
                    .collect(),
                Err(_) => Vec::new(),
            };
            judge(shown == naive && visible.is_ok() == oracle.allows_anywhere(who, Action::Read, entity));
            if let Ok(visible) = visible {
                judge(visible.everything() == naive.contains(&Scope::Account));
                let named = |scope: &Scope| {
                    !oracle.chain(*scope).is_empty()
                        && (naive.contains(scope)
                            || naive.iter().any(|seen| oracle.chain(*seen).contains(scope)))
                };
                judge(
                    scopes
                        .iter()
                        .all(|scope| visible.contains_name(*scope) == named(scope)),
                );
            }
            for action in Action::ALL {
                let granted = index.permitted_scopes(who, action, entity);
                judge(granted == oracle.granted_at(who, action, entity));
                judge(index.holds_anywhere(who, action, entity) != granted.is_empty());
            }
        }
        for number in [1, 2, 3, 99] {
            judge(
                index.reaches_cluster(who, cluster_id(number))
                    == oracle.reaches_cluster(who, cluster_id(number)),
            );
        }
        for role in roles.iter().step_by(5) {
            judge(
                scopes
                    .iter()
                    .all(|scope| grants_agree(organization, who, *role, *scope)),
            );
        }
    }
    for entity in entities.iter().copied() {
        for action in Action::ALL {
            judge(scopes.iter().all(|scope| {
                let mut ids: Vec<_> = index
                    .who_can(action, entity, *scope)
                    .iter()
                    .map(|reason| reason.rule)
                    .collect();
                ids.sort();
                ids == oracle.who_can(action, entity, *scope)
            }));
        }
    }
}
