//! Permission sets: what custom roles are made of (control-plane 2.6). The reference does not say which there are; here there are two of
//! each resource type, one to see it and one to do everything with it that can be done.

use std::sync::LazyLock;

use reeve_authz::{Action, Entity, Permission, PermissionSet, Role, RoleId};
use reeve_types::PermissionSetId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Some permissions with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSet {
    /// Its id: made of the resource type's name, so that it is the same in every installation and version.
    pub id: PermissionSetId,
    /// Its name.
    pub name: String,
    /// What it allows.
    pub permissions: PermissionSet,
}

static ALL: LazyLock<Vec<NamedSet>> = LazyLock::new(|| Entity::ALL.into_iter().flat_map(of).collect());

/// All of them, by resource type.
pub fn all() -> &'static [NamedSet] {
    &ALL
}

/// One of them.
pub fn one(id: PermissionSetId) -> Option<&'static NamedSet> {
    all().iter().find(|set| set.id == id)
}

/// What some of them allow together. What is not known here allows nothing.
pub fn together(ids: &[PermissionSetId]) -> PermissionSet {
    let known = ids.iter().filter_map(|id| one(*id));
    known.fold(PermissionSet::NONE, |all, set| all.union(set.permissions))
}

/// Whoever administers the account may do everything that can be done.
fn of(entity: Entity) -> Vec<NamedSet> {
    let everything = Role::of(RoleId::SYSTEM_ADMINISTRATOR).map_or(PermissionSet::NONE, Role::permissions);
    let actions = |some: &[Action]| -> PermissionSet {
        let wanted = some.iter().map(|action| Permission::new(*action, entity));
        wanted.filter(|it| everything.contains(*it)).collect()
    };
    let (see, administer) = (actions(&[Action::Read]), actions(&Action::ALL));
    let mut sets = vec![named(entity, "viewer", see)];
    if administer != see {
        sets.push(named(entity, "administrator", administer));
    }
    sets
}

fn named(entity: Entity, level: &str, permissions: PermissionSet) -> NamedSet {
    let digest = Sha256::digest(format!("reeve permission set {}:{level}", entity.wire_name()));
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    let id: Uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    NamedSet {
        id: PermissionSetId::from_uuid(id),
        name: format!("{} {level}", entity.display_name()),
        permissions,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_sets_together_are_everything_and_their_ids_stay() {
        let everything = Role::of(RoleId::SYSTEM_ADMINISTRATOR).unwrap().permissions();
        let ids: Vec<_> = all().iter().map(|set| set.id).collect();
        assert_eq!(together(&ids), everything);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(all().iter().all(|set| !set.permissions.is_empty()));
        let projects = all().iter().find(|set| set.name == "Projects viewer").unwrap();
        // Stored roles name it: another value here takes their rights away.
        assert_eq!(projects.id.to_string(), "9cc43da2-fb7b-8760-983d-84d7b0e20ee4");
    }
}
