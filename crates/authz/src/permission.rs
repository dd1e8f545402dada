//! Permissions: an action on an entity, and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::entity::Entity;
use crate::word::{UnknownWord, word};

/// What is done. On the wire in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Make a new one.
    Create,
    /// See it, alone or in a list.
    Read,
    /// Change it.
    Update,
    /// Remove it.
    Delete,
}

impl Action {
    /// All of them, in the order in which the wire names them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    /// The word on the wire.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}

impl FromStr for Action {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        word("action", text, &Self::ALL, Self::wire_name)
    }
}

/// One action on one entity. Written `entity:action`, as in `workloads:create`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Permission {
    /// To what.
    pub entity: Entity,
    /// What is done.
    pub action: Action,
}

impl Permission {
    /// The permission to do `action` to `entity`.
    pub const fn new(action: Action, entity: Entity) -> Self {
        Self { entity, action }
    }

    /// Every permission there is, entity by entity.
    pub fn all() -> impl Iterator<Item = Self> {
        Entity::ALL
            .into_iter()
            .flat_map(|entity| Action::ALL.into_iter().map(move |action| Self { entity, action }))
    }

    /// How many there are.
    pub(crate) const COUNT: usize = Entity::ALL.len() * Action::ALL.len();

    /// Its place among all of them, below [`Permission::COUNT`].
    pub(crate) const fn number(self) -> usize {
        self.entity as usize * Action::ALL.len() + self.action as usize
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entity, self.action)
    }
}

const WORD: usize = u64::BITS as usize;
const WORDS: usize = Permission::COUNT.div_ceil(WORD);

/// A set of permissions. As wide as the resource types of `roles.txt` need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PermissionSet([u64; WORDS]);

impl PermissionSet {
    /// The empty set.
    pub const NONE: Self = Self([0; WORDS]);

    /// The set that a column of `roles.txt` says: for each of [`Entity::ALL`] a bit for each of [`Action::ALL`].
    pub(crate) const fn of_cells(cells: &[u8; Entity::ALL.len()]) -> Self {
        let mut found = Self::NONE;
        let mut entities: &[Entity] = &Entity::ALL;
        let mut cells: &[u8] = cells;
        while let ([entity, other_entities @ ..], [cell, other_cells @ ..]) = (entities, cells) {
            let mut actions: &[Action] = &Action::ALL;
            while let [action, other_actions @ ..] = actions {
                if *cell >> *action as u8 & 1 != 0 {
                    found = found.with(Permission::new(*action, *entity));
                }
                actions = other_actions;
            }
            (entities, cells) = (other_entities, other_cells);
        }
        found
    }

    /// Whether it is in the set.
    pub const fn contains(self, permission: Permission) -> bool {
        let number = permission.number();
        let (mut words, mut skip): (&[u64], usize) = (&self.0, number / WORD);
        while let [word, rest @ ..] = words {
            if skip == 0 {
                return *word >> (number % WORD) & 1 != 0;
            }
            (words, skip) = (rest, skip - 1);
        }
        false
    }

    /// The set with one more.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        let number = permission.number();
        let mut set = self;
        let (mut words, mut skip): (&mut [u64], usize) = (&mut set.0, number / WORD);
        while let [word, rest @ ..] = words {
            if skip == 0 {
                *word |= 1 << (number % WORD);
                break;
            }
            (words, skip) = (rest, skip - 1);
        }
        set
    }

    fn zipped(mut self, other: Self, with: fn(u64, u64) -> u64) -> Self {
        for (here, there) in self.0.iter_mut().zip(other.0) {
            *here = with(*here, there);
        }
        self
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        self.zipped(other, |here, there| here | there)
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        self.zipped(other, |here, there| here & !there)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        self.zipped(other, |here, there| here & there)
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// What is in it, entity by entity.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(move |permission| self.contains(*permission))
    }

    /// The actions on each entity that has any, in the order of [`Entity::ALL`]: the shape of the wire's lists.
    pub fn by_entity(self) -> impl Iterator<Item = (Entity, Vec<Action>)> {
        Entity::ALL.into_iter().filter_map(move |entity| {
            let on = |action: &Action| self.contains(Permission::new(*action, entity));
            let actions: Vec<Action> = Action::ALL.into_iter().filter(on).collect();
            (!actions.is_empty()).then_some((entity, actions))
        })
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|permission| permission.to_string()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_a_bit_of_its_own() {
        let mut seen = PermissionSet::NONE;
        for permission in Permission::all() {
            assert!(!seen.contains(permission), "{permission}");
            seen = seen.with(permission);
        }
        assert_eq!(seen.iter().count(), Permission::COUNT);
        assert_eq!(seen.without(seen), PermissionSet::NONE);
        assert_eq!(seen, Permission::all().collect());
    }

    #[test]
    fn words_read_back_what_they_write_and_serde_says_the_same() {
        for entity in Entity::ALL {
            assert_eq!(entity.wire_name().parse(), Ok(entity));
            assert_eq!(serde_json::to_string(&entity).unwrap(), format!("\"{entity}\""));
        }
        for action in Action::ALL {
            assert_eq!(action.wire_name().parse(), Ok(action));
            assert_eq!(serde_json::to_string(&action).unwrap(), format!("\"{action}\""));
        }
        let refused = "Create".parse::<Action>().unwrap_err().to_string();
        assert_eq!(
            refused,
            "`Create` is no action: one of create, read, update, delete is needed"
        );
        assert!("access-rules".parse::<Entity>().is_err());
    }
}
