//! Rules by subject.

use std::collections::HashMap;
use std::hash::Hash;
use std::slice;

use reeve_types::{AccessRuleId, Email, GroupName, ServiceAccountName};

use crate::permission::Permission;
use crate::role::Role;
use crate::subject::SubjectKey;
use crate::tree::At;

/// A rule as its subject holds it. Ordered by scope, then id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Grant {
    pub(super) at: At,
    pub(super) rule: AccessRuleId,
    pub(super) role: Role,
}

/// One map per kind, so that names of different kinds can never meet.
#[derive(Clone, Debug, Default)]
pub(super) struct Subjects {
    users: HashMap<Email, Grants>,
    groups: HashMap<GroupName, Grants>,
    service_accounts: HashMap<ServiceAccountName, Grants>,
}

impl Subjects {
    pub(super) fn get(&self, key: &SubjectKey) -> Option<&Grants> {
        match key {
            SubjectKey::User(email) => self.users.get(email),
            SubjectKey::Group(name) => self.groups.get(name),
            SubjectKey::ServiceAccount(name) => self.service_accounts.get(name),
        }
    }

    pub(super) fn group(&self, name: &GroupName) -> Option<&Grants> {
        self.groups.get(name)
    }

    pub(super) fn add(&mut self, key: &SubjectKey, grant: Grant) {
        match key {
            SubjectKey::User(email) => add(&mut self.users, email, grant),
            SubjectKey::Group(name) => add(&mut self.groups, name, grant),
            SubjectKey::ServiceAccount(name) => add(&mut self.service_accounts, name, grant),
        }
    }

    pub(super) fn remove(&mut self, key: &SubjectKey, grant: Grant) {
        match key {
            SubjectKey::User(email) => remove(&mut self.users, email, grant),
            SubjectKey::Group(name) => remove(&mut self.groups, name, grant),
            SubjectKey::ServiceAccount(name) => remove(&mut self.service_accounts, name, grant),
        }
    }
}

fn add<K: Clone + Eq + Hash>(map: &mut HashMap<K, Grants>, key: &K, grant: Grant) {
    match map.get_mut(key) {
        Some(grants) => grants.add(grant),
        None => {
            map.insert(
                key.clone(),
                Grants {
                    roles: grant.role.mask(),
                    kept: Kept::One(grant),
                },
            );
        }
    }
}

fn remove<K: Eq + Hash>(map: &mut HashMap<K, Grants>, key: &K, grant: Grant) {
    if map.get_mut(key).is_some_and(|grants| grants.remove(grant)) {
        map.remove(key);
    }
}

/// The rules of one subject: at least one.
#[derive(Clone, Debug)]
pub(super) struct Grants {
    /// The roles among them, a bit each.
    roles: u8,
    kept: Kept,
}

/// Most subjects have a single rule, which needs no memory of its own.
#[derive(Clone, Debug)]
enum Kept {
    One(Grant),
    /// Sorted.
    Many(Vec<Grant>),
}

impl Grants {
    pub(super) fn all(&self) -> &[Grant] {
        match &self.kept {
            Kept::One(grant) => slice::from_ref(grant),
            Kept::Many(grants) => grants,
        }
    }

    /// Those at exactly this scope.
    pub(super) fn at(&self, at: At) -> &[Grant] {
        let all = self.all();
        let start = all.partition_point(|grant| grant.at < at);
        let rest = all.get(start..).unwrap_or_default();
        let end = rest.iter().position(|grant| grant.at != at).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Whether any role here has the permission.
    pub(super) fn may(&self, permission: Permission) -> bool {
        Role::ALL
            .into_iter()
            .any(|role| self.roles & role.mask() != 0 && role.allows(permission))
    }

    fn add(&mut self, grant: Grant) {
        self.roles |= grant.role.mask();
        match &mut self.kept {
            Kept::One(other) => {
                let mut grants = vec![*other, grant];
                grants.sort_unstable();
                self.kept = Kept::Many(grants);
            }
            Kept::Many(grants) => {
                if grants.len() == grants.capacity() {
                    // By half instead of double: there are as many of these as there are subjects.
                    grants.reserve_exact(grants.len().div_ceil(2));
                }
                let place = grants.partition_point(|other| *other < grant);
                grants.insert(place, grant);
            }
        }
    }

    /// Whether nothing is left.
    fn remove(&mut self, grant: Grant) -> bool {
        match &mut self.kept {
            Kept::One(only) => *only == grant,
            Kept::Many(grants) => {
                if let Ok(place) = grants.binary_search(&grant) {
                    grants.remove(place);
                }
                self.roles = grants.iter().fold(0, |roles, grant| roles | grant.role.mask());
                match grants.as_slice() {
                    [] => return true,
                    [only] => self.kept = Kept::One(*only),
                    rest if rest.len() * 4 <= grants.capacity() => grants.shrink_to(rest.len() * 2),
                    _ => {}
                }
                false
            }
        }
    }
}
