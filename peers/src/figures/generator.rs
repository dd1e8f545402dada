//! The rule set, always the same for a number of rules: one account, 4 clusters, 100 departments, 1,000 projects; 8 roles over 6
//! resource types x 4 actions; rules 60 % to users and 40 % to groups, 1 % at the account, 4 % at clusters, 20 % at departments, 75 % at
//! projects; half as many users as rules (at least 100), a twentieth as many groups, five groups a user. Half of the questions are
//! drawn from the rules, half are uniform.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::naive::Question;
use crate::plain::{Caller, LAST_PREDEFINED, Organization, Role, Rule, Scope, Subject};
use crate::rights::Rights;

const SEED: u64 = 20_261_124;
const TYPES: [&str; 6] = [
    "project",
    "department",
    "workloads",
    "trainings",
    "environments",
    "credentials",
];
const CLUSTERS: u8 = 4;
const DEPARTMENTS: u32 = 100;
const PROJECTS: u32 = 1_000;
const ROLES: i64 = 8;
const GROUPS_OF_A_USER: usize = 5;

/// The permissions of the figures, without roles.
pub(super) fn rights() -> Result<Rights> {
    let mut rights = Rights::read()?;
    rights.roles.clear();
    rights
        .permissions
        .retain(|(word, _)| TYPES.contains(&word.as_str()));
    ensure!(rights.count() == 24, "six resource types are needed");
    Ok(rights)
}

fn any<'a, T>(items: &'a [T], random: &mut StdRng) -> Result<&'a T> {
    items.choose(random).context("nothing to choose from")
}

/// The organization with so many rules.
pub(super) fn organization(rights: &Rights, rules: u32) -> Result<Organization> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut made = Organization {
        clusters: (1..=CLUSTERS).collect(),
        ..Organization::default()
    };
    for id in 1..=DEPARTMENTS {
        made.departments.push((id, *any(&made.clusters, &mut random)?));
    }
    for id in 1..=PROJECTS {
        made.projects.push((id, any(&made.departments, &mut random)?.0));
    }
    for number in 1..=ROLES {
        let reads = |at: usize| {
            rights
                .permissions
                .get(at)
                .is_some_and(|(_, action)| *action == "read")
        };
        let may = (0..rights.permissions.len())
            .map(|at| match number {
                1 => true,
                2 => reads(at),
                _ => random.random_range(0..2) == 0,
            })
            .collect();
        let id = LAST_PREDEFINED + number;
        made.roles.push(Role { id, may });
    }
    let (users, groups) = ((rules / 2).max(100), (rules / 20).max(1));
    for number in 0..users {
        let of_user = (0..GROUPS_OF_A_USER).map(|_| Subject::Group(random.random_range(0..groups)));
        made.callers.push(Caller {
            subject: Subject::User(number),
            groups: of_user.collect(),
        });
    }
    for id in 1..=rules {
        let subject = if random.random_range(0..100) < 60 {
            Subject::User(random.random_range(0..users))
        } else {
            Subject::Group(random.random_range(0..groups))
        };
        let scope = match random.random_range(0..100) {
            0 => Scope::Account,
            1..=4 => Scope::Cluster(*any(&made.clusters, &mut random)?),
            5..=24 => Scope::Department(any(&made.departments, &mut random)?.0),
            _ => Scope::Project(any(&made.projects, &mut random)?.0),
        };
        made.rules.push(Rule {
            id: id.into(),
            subject,
            role: any(&made.roles, &mut random)?.id,
            scope,
        });
    }
    Ok(made)
}

/// So many questions, half of them drawn from the rules.
pub(super) fn questions(rights: &Rights, organization: &Organization, count: usize) -> Result<Vec<Question>> {
    let mut random = StdRng::seed_from_u64(SEED + 1);
    let mut below: HashMap<Scope, Vec<Scope>> = HashMap::new();
    for (id, _) in &organization.projects {
        let project = Scope::Project(*id);
        for above in organization.chain(project) {
            below.entry(above).or_default().push(project);
        }
    }
    let mut members: HashMap<Subject, Vec<usize>> = HashMap::new();
    for (at, caller) in organization.callers.iter().enumerate() {
        for group in &caller.groups {
            members.entry(*group).or_default().push(at);
        }
        members.entry(caller.subject).or_default().push(at);
    }
    let mut questions = Vec::with_capacity(count);
    while questions.len() < count {
        let mut question = Question {
            who: any(&organization.callers, &mut random)?.clone(),
            permission: random.random_range(0..rights.count()),
            scope: Scope::Project(any(&organization.projects, &mut random)?.0),
        };
        if questions.len() % 2 == 0 {
            let rule = any(&organization.rules, &mut random)?;
            let (Some(named), Some(projects)) = (members.get(&rule.subject), below.get(&rule.scope)) else {
                // A group of nobody, or a department without projects.
                continue;
            };
            let role = organization.role(rule.role).context("a rule without a role")?;
            let may: Vec<u16> = (0..rights.count()).filter(|at| role.allows(*at)).collect();
            let who = organization.callers.get(*any(named, &mut random)?);
            question = Question {
                who: who.context("a caller")?.clone(),
                permission: *any(&may, &mut random)?,
                scope: *any(projects, &mut random)?,
            };
        }
        questions.push(question);
    }
    Ok(questions)
}
