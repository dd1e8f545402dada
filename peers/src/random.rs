//! Random organizations, what happens in them, and what is asked. Everything follows from the seed.

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use rand::{RngExt as _, SeedableRng as _};

use crate::naive::Question;
use crate::plain::{Caller, Change, LAST_PREDEFINED, Organization, Permission, Role, Rule, Scope, Subject};
use crate::rights::Rights;

/// Numbers of what there can be; what is gone is made again under the same ones.
const CLUSTERS: u8 = 4;
const DEPARTMENTS: u32 = 8;
const PROJECTS: u32 = 20;
const GROUPS: u32 = 10;
const PEOPLE: u32 = 14;
const SERVICE_ACCOUNTS: u32 = 6;
const MADE_ROLES: i64 = 8;
/// In a large organization: with the predefined ones more than the 64 that one word of bits can hold.
const MANY_MADE_ROLES: i64 = 60;

/// An organization in which things happen.
#[derive(Debug)]
pub struct Story {
    /// As it is now.
    pub organization: Organization,
    /// Roles that rules are made of, whether there are such roles now or not.
    drawn: Vec<i64>,
    made: i64,
    rules: usize,
    permissions: u16,
    creates_rules: Option<Permission>,
    random: StdRng,
}

impl Story {
    /// The story with this number. Every eighth is of a large organization.
    pub fn new(rights: &Rights, seed: u64, number: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number);
        let large = number % 8 == 7;
        let predefined: Vec<i64> = rights.roles.iter().map(|role| role.id).collect();
        let made = if large { MANY_MADE_ROLES } else { MADE_ROLES };
        let mut drawn: Vec<i64> = if large {
            predefined
        } else {
            predefined.into_iter().sample(&mut random, 6)
        };
        drawn.extend((1..=made).map(|number| LAST_PREDEFINED + number));
        let rules = if large { 250 } else { random.random_range(15..90) };
        let mut story = Self {
            organization: Organization {
                roles: rights.roles.clone(),
                ..Organization::default()
            },
            drawn,
            made,
            rules,
            permissions: rights.count(),
            creates_rules: rights.number("access_rules", "create"),
            random,
        };
        story.begin();
        story
    }

    fn begin(&mut self) {
        for number in 0..PEOPLE + SERVICE_ACCOUNTS {
            let subject = if number < PEOPLE {
                Subject::User(number)
            } else {
                Subject::ServiceAccount(number - PEOPLE)
            };
            let groups = self.groups();
            self.organization.callers.push(Caller { subject, groups });
        }
        for id in 1..=CLUSTERS / 2 {
            self.organization.clusters.push(id);
        }
        for id in 1..=DEPARTMENTS / 2 {
            let cluster = self.random.random_range(1..=CLUSTERS / 2);
            self.organization.departments.push((id, cluster));
        }
        for id in 1..=PROJECTS / 2 {
            let department = self.random.random_range(1..=DEPARTMENTS / 2);
            self.organization.projects.push((id, department));
        }
        // A large one has all of them from the beginning, and so more than 64 with the predefined ones.
        let large = self.made == MANY_MADE_ROLES;
        let made = if large { self.made } else { self.made / 2 };
        for number in 1..=made {
            let may = self.may();
            let id = LAST_PREDEFINED + number;
            self.organization.roles.push(Role { id, may });
        }
        for _ in 0..self.rules {
            let put = Change::PutRule(self.rule());
            self.organization.apply(&put);
        }
    }

    fn groups(&mut self) -> Vec<Subject> {
        let count = self.random.random_range(0..=4);
        let some = (0..GROUPS).sample(&mut self.random, count);
        some.into_iter().map(Subject::Group).collect()
    }

    /// What a role that is made may do: nothing, little or nearly everything.
    fn may(&mut self) -> Vec<bool> {
        let percent = self.random.random_range(0..70);
        let mut may: Vec<bool> = (0..self.permissions)
            .map(|_| self.random.random_range(0..100) < percent)
            .collect();
        if let Some(at) = self.creates_rules.and_then(|at| may.get_mut(usize::from(at))) {
            *at = self.random.random_range(0..4) == 0;
        }
        may
    }

    /// One group has many rules: beyond sixteen the engine looks for them in another way.
    fn subject(&mut self) -> Subject {
        match self.random.random_range(0..12) {
            10 | 11 => Subject::Group(0),
            0..=3 => Subject::User(self.random.random_range(0..PEOPLE + 2)),
            4 | 5 => Subject::ServiceAccount(self.random.random_range(0..SERVICE_ACCOUNTS + 1)),
            _ => Subject::Group(self.random.random_range(0..GROUPS + 2)),
        }
    }

    /// Any scope there can be; of those that there are, some of every level.
    fn scope(&mut self) -> Scope {
        match self.random.random_range(0..20) {
            0 => Scope::Account,
            1..=3 => Scope::Cluster(self.random.random_range(1..=CLUSTERS)),
            4..=9 => Scope::Department(self.random.random_range(1..=DEPARTMENTS)),
            _ => Scope::Project(self.random.random_range(1..=PROJECTS)),
        }
    }

    fn known_scope(&mut self) -> Scope {
        loop {
            let scope = self.scope();
            if self.organization.has(scope) {
                return scope;
            }
        }
    }

    fn rule(&mut self) -> Rule {
        let greatest = i64::try_from(self.rules).unwrap_or(i64::MAX) * 2;
        let known = self.random.random_range(0..8) != 0;
        let scope = if known { self.known_scope() } else { self.scope() };
        Rule {
            id: self.random.random_range(1..=greatest),
            subject: self.subject(),
            role: self.drawn.choose(&mut self.random).copied().unwrap_or(1),
            scope,
        }
    }

    /// Something that happens now. What it changes, if anything, is to be seen.
    pub fn next_change(&mut self) -> Change {
        let made = LAST_PREDEFINED + self.random.random_range(1..=self.made);
        if self.organization.rules.len() < self.rules / 2 {
            return Change::PutRule(self.rule());
        }
        match self.random.random_range(0..100) {
            0..=2 => Change::AddCluster(self.random.random_range(1..=CLUSTERS)),
            3..=10 => Change::AddDepartment(
                self.random.random_range(1..=DEPARTMENTS),
                self.random.random_range(1..=CLUSTERS),
            ),
            11..=24 => Change::AddProject(
                self.random.random_range(1..=PROJECTS),
                self.random.random_range(1..=DEPARTMENTS),
            ),
            25 => Change::RemoveScope(Scope::Cluster(self.random.random_range(1..=CLUSTERS))),
            26 | 27 => Change::RemoveScope(Scope::Department(self.random.random_range(1..=DEPARTMENTS))),
            28..=33 => Change::RemoveScope(Scope::Project(self.random.random_range(1..=PROJECTS))),
            34..=59 => Change::PutRule(self.rule()),
            60..=73 => {
                let some = self.organization.rules.choose(&mut self.random);
                Change::RemoveRule(some.map_or(1, |rule| rule.id))
            }
            74..=82 => {
                let may = self.may();
                Change::PutRole(Role { id: made, may })
            }
            83 | 84 => Change::RemoveRole(made),
            85 => Change::RemoveRole(self.drawn.first().copied().unwrap_or(1)),
            _ => {
                let who = self.caller().subject;
                Change::SetGroups(who, self.groups())
            }
        }
    }

    /// Somebody who asks, and who may be in groups.
    pub fn caller(&mut self) -> Caller {
        let some = self.organization.callers.choose(&mut self.random);
        some.cloned().unwrap_or(Caller {
            subject: Subject::User(0),
            groups: Vec::new(),
        })
    }

    /// Any permission.
    pub fn permission(&mut self) -> Permission {
        self.random.random_range(0..self.permissions)
    }

    /// Half of the questions are drawn from the rules, so that many are allowed; half are uniform.
    pub fn question(&mut self) -> Question {
        let uniform = Question {
            who: self.caller(),
            permission: self.permission(),
            scope: self.scope(),
        };
        if self.random.random_range(0..2) == 0 {
            return uniform;
        }
        self.question_of_a_rule().unwrap_or(uniform)
    }

    fn question_of_a_rule(&mut self) -> Option<Question> {
        let rule = *self.organization.rules.choose(&mut self.random)?;
        let named =
            |caller: &&Caller| caller.subject == rule.subject || caller.groups.contains(&rule.subject);
        let who = self
            .organization
            .callers
            .iter()
            .filter(named)
            .choose(&mut self.random)?;
        let role = self.organization.role(rule.role)?;
        let may = (0..self.permissions).filter(|permission| role.allows(*permission));
        let permission = may.choose(&mut self.random)?;
        let reached = |scope: &Scope| self.organization.chain(*scope).contains(&rule.scope);
        let below: Vec<Scope> = self.organization.scopes().into_iter().filter(reached).collect();
        Some(Question {
            who: who.clone(),
            permission,
            scope: *below.choose(&mut self.random)?,
        })
    }

    /// Every scope there can be, those too that there are not now.
    pub fn every_scope() -> Vec<Scope> {
        let mut all = vec![Scope::Account];
        all.extend((1..=CLUSTERS).map(Scope::Cluster));
        all.extend((1..=DEPARTMENTS).map(Scope::Department));
        all.extend((1..=PROJECTS).map(Scope::Project));
        all
    }
}
