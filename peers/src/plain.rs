//! An organization, its roles and its rules as lists of numbers, and what a change does to them.
//!
//! Whoever reads this page has read the whole model: scopes in four levels, roles that are sets of permissions, rules that give a
//! subject a role at a scope. No indexes, no sharing, no shortcuts.

use std::fmt;

/// A scope.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Everything.
    Account,
    /// A cluster, by its number.
    Cluster(u8),
    /// A department.
    Department(u32),
    /// A project.
    Project(u32),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("account"),
            Self::Cluster(number) => write!(f, "cluster/{number}"),
            Self::Department(number) => write!(f, "department/{number}"),
            Self::Project(number) => write!(f, "project/{number}"),
        }
    }
}

/// Whom a rule can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// A person.
    User(u32),
    /// A service account.
    ServiceAccount(u32),
    /// A group.
    Group(u32),
}

impl Subject {
    /// Its name. Some of different kinds are called the same, on purpose: every other group as a service account, the others as a
    /// person.
    pub fn name(self) -> String {
        match self {
            Self::Group(number) if number % 2 == 0 => Self::ServiceAccount(number / 2).name(),
            Self::Group(number) => Self::User(number / 2).name(),
            Self::ServiceAccount(number) => format!("ci-{number}"),
            Self::User(number) => format!("person.{number}@research.example.com"),
        }
    }

    /// Its name after its kind, for who has names alone to tell subjects by.
    pub fn key(self) -> String {
        let kind = match self {
            Self::User(_) => "user",
            Self::ServiceAccount(_) => "service-account",
            Self::Group(_) => "group",
        };
        format!("{kind}/{}", self.name())
    }
}

/// A permission, by its place in [`crate::rights::Rights::permissions`].
pub type Permission = u16;

/// A role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// Its number on the wire.
    pub id: i64,
    /// Whether it may do each permission, in the order of their numbers.
    pub may: Vec<bool>,
}

impl Role {
    /// Whether it may do this.
    pub fn allows(&self, permission: Permission) -> bool {
        self.may.get(usize::from(permission)).copied().unwrap_or(false)
    }
}

/// A rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rule {
    /// Its number.
    pub id: i64,
    /// Who.
    pub subject: Subject,
    /// Is what.
    pub role: i64,
    /// Where, and in everything below.
    pub scope: Scope,
}

/// Who asks: a person or a service account, and the groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Who.
    pub subject: Subject,
    /// In which groups.
    pub groups: Vec<Subject>,
}

/// Everything that an answer depends on.
#[derive(Clone, Default, Debug)]
pub struct Organization {
    /// The clusters.
    pub clusters: Vec<u8>,
    /// Each department with its cluster.
    pub departments: Vec<(u32, u8)>,
    /// Each project with its department.
    pub projects: Vec<(u32, u32)>,
    /// The roles, predefined ones too.
    pub roles: Vec<Role>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// Everybody who asks.
    pub callers: Vec<Caller>,
}

/// Something that happens between two questions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A cluster is added.
    AddCluster(u8),
    /// A department is added to a cluster.
    AddDepartment(u32, u8),
    /// A project is added to a department.
    AddProject(u32, u32),
    /// A scope goes, with everything below it and every rule there.
    RemoveScope(Scope),
    /// A rule is added, in place of one with its number.
    PutRule(Rule),
    /// A rule goes.
    RemoveRule(i64),
    /// A role that is not predefined is made, or may do something else from now on.
    PutRole(Role),
    /// A role that is not predefined goes, with every rule that gives it. A predefined one stays.
    RemoveRole(i64),
    /// Somebody is in other groups from now on.
    SetGroups(Subject, Vec<Subject>),
}

/// The greatest number of a predefined role; what is made at run time has greater ones here.
pub const LAST_PREDEFINED: i64 = 99;

impl Organization {
    /// Every scope that exists.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut all = vec![Scope::Account];
        all.extend(self.clusters.iter().map(|cluster| Scope::Cluster(*cluster)));
        all.extend(self.departments.iter().map(|(id, _)| Scope::Department(*id)));
        all.extend(self.projects.iter().map(|(id, _)| Scope::Project(*id)));
        all
    }

    /// What is directly above a scope: `None` for the account, and for a scope that does not exist.
    pub fn parent(&self, scope: Scope) -> Option<Scope> {
        match scope {
            Scope::Account => None,
            Scope::Cluster(id) => self.clusters.contains(&id).then_some(Scope::Account),
            Scope::Department(id) => {
                let found = self.departments.iter().find(|(other, _)| *other == id);
                found.map(|(_, cluster)| Scope::Cluster(*cluster))
            }
            Scope::Project(id) => {
                let found = self.projects.iter().find(|(other, _)| *other == id);
                found.map(|(_, department)| Scope::Department(*department))
            }
        }
    }

    /// A scope and what is above it; nothing for a scope that does not exist.
    pub fn chain(&self, scope: Scope) -> Vec<Scope> {
        let mut chain = vec![scope];
        let mut here = scope;
        while let Some(above) = self.parent(here) {
            chain.push(above);
            here = above;
        }
        if here == Scope::Account { chain } else { Vec::new() }
    }

    /// Whether a scope exists.
    pub fn has(&self, scope: Scope) -> bool {
        scope == Scope::Account || self.parent(scope).is_some()
    }

    /// The role with this number.
    pub fn role(&self, id: i64) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// Makes a change. True where anything is different now, or, for a rule, where it is kept.
    pub fn apply(&mut self, change: &Change) -> bool {
        match change {
            Change::AddCluster(id) => {
                let new = !self.has(Scope::Cluster(*id));
                if new {
                    self.clusters.push(*id);
                }
                new
            }
            Change::AddDepartment(id, cluster) => {
                let new = self.has(Scope::Cluster(*cluster)) && !self.has(Scope::Department(*id));
                if new {
                    self.departments.push((*id, *cluster));
                }
                new
            }
            Change::AddProject(id, department) => {
                let new = self.has(Scope::Department(*department)) && !self.has(Scope::Project(*id));
                if new {
                    self.projects.push((*id, *department));
                }
                new
            }
            Change::RemoveScope(scope) => self.remove_scope(*scope),
            Change::PutRule(rule) => {
                self.rules.retain(|other| other.id != rule.id);
                let kept = self.has(rule.scope) && self.role(rule.role).is_some();
                if kept {
                    self.rules.push(*rule);
                }
                kept
            }
            Change::RemoveRule(id) => {
                let before = self.rules.len();
                self.rules.retain(|rule| rule.id != *id);
                self.rules.len() != before
            }
            Change::PutRole(role) => {
                self.roles.retain(|other| other.id != role.id);
                self.roles.push(role.clone());
                true
            }
            Change::RemoveRole(id) => {
                let goes = *id > LAST_PREDEFINED && self.role(*id).is_some();
                if goes {
                    self.roles.retain(|role| role.id != *id);
                    self.rules.retain(|rule| rule.role != *id);
                }
                goes
            }
            Change::SetGroups(subject, groups) => {
                let mut found = false;
                for caller in self
                    .callers
                    .iter_mut()
                    .filter(|caller| caller.subject == *subject)
                {
                    caller.groups.clone_from(groups);
                    found = true;
                }
                found
            }
        }
    }

    fn remove_scope(&mut self, scope: Scope) -> bool {
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
        !gone.is_empty()
    }
}
