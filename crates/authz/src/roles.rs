//! The roles that an index knows, arranged for checks.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use foldhash::fast::RandomState;

use crate::permission::{Permission, PermissionSet};
use crate::role::{Role, RoleId};

/// A role, interned. Places of removed roles are given again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct RoleSlot(u32);

impl RoleSlot {
    const fn place(self) -> usize {
        self.0 as usize
    }

    /// Its bit in a [`RoleFilter`].
    pub(crate) const fn filter(self) -> RoleFilter {
        RoleFilter(1 << (self.0 % u64::BITS))
    }
}

/// A set of roles that may say yes too often, never no: one bit for each place, and the same again for every 64. A check asks
/// it first, and [`Roles::allows`] where it says yes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct RoleFilter(u64);

impl RoleFilter {
    pub(crate) const ALL: Self = Self(u64::MAX);

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Predefined roles first, then those made at run time.
#[derive(Clone, Debug)]
pub(crate) struct Roles {
    slots: Vec<Option<Role>>,
    /// By slot; nothing for a free one.
    permissions: Vec<PermissionSet>,
    by_id: HashMap<RoleId, RoleSlot, RandomState>,
    /// By [`Permission::number`]: the roles that may.
    allowing: Vec<RoleFilter>,
}

impl Roles {
    /// The predefined ones, shared by every index that has no others.
    pub(crate) fn predefined() -> Arc<Self> {
        static PREDEFINED: LazyLock<Arc<Roles>> = LazyLock::new(|| {
            let mut roles = Roles {
                slots: Vec::new(),
                permissions: Vec::new(),
                by_id: HashMap::default(),
                allowing: Vec::new(),
            };
            for role in Role::all_predefined() {
                roles.put(role.clone());
            }
            Arc::new(roles)
        });
        Arc::clone(&PREDEFINED)
    }

    pub(crate) fn slot(&self, id: RoleId) -> Option<RoleSlot> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn get(&self, slot: RoleSlot) -> Option<&Role> {
        self.slots.get(slot.place())?.as_ref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Role> + '_ {
        self.slots.iter().flatten()
    }

    /// Whether the role may do this.
    pub(crate) fn allows(&self, slot: RoleSlot, permission: Permission) -> bool {
        self.permissions_of(slot).contains(permission)
    }

    pub(crate) fn permissions_of(&self, slot: RoleSlot) -> PermissionSet {
        self.permissions.get(slot.place()).copied().unwrap_or_default()
    }

    /// The roles that may do this, and perhaps others.
    pub(crate) fn allowing(&self, permission: Permission) -> RoleFilter {
        self.allowing
            .get(permission.number())
            .copied()
            .unwrap_or_default()
    }

    /// Adds a role, in place of one with the same id. `None`, and nothing added, above four thousand million roles.
    pub(crate) fn put(&mut self, role: Role) -> Option<RoleSlot> {
        let slot = match self.slot(role.id()) {
            Some(slot) => slot,
            None => self.free()?,
        };
        self.by_id.insert(role.id(), slot);
        *self.permissions.get_mut(slot.place())? = role.permissions();
        *self.slots.get_mut(slot.place())? = Some(role);
        self.find_allowing();
        Some(slot)
    }

    fn free(&mut self) -> Option<RoleSlot> {
        let place = match self.slots.iter().position(Option::is_none) {
            Some(place) => place,
            None => {
                self.slots.push(None);
                self.permissions.push(PermissionSet::NONE);
                self.slots.len() - 1
            }
        };
        u32::try_from(place).ok().map(RoleSlot)
    }

    pub(crate) fn remove(&mut self, id: RoleId) {
        let Some(slot) = self.by_id.remove(&id) else {
            return;
        };
        if let Some(kept) = self.slots.get_mut(slot.place()) {
            *kept = None;
        }
        if let Some(kept) = self.permissions.get_mut(slot.place()) {
            *kept = PermissionSet::NONE;
        }
        self.find_allowing();
    }

    fn find_allowing(&mut self) {
        self.allowing = vec![RoleFilter::default(); Permission::COUNT];
        for slot in self.by_id.values() {
            for permission in self
                .permissions
                .get(slot.place())
                .copied()
                .unwrap_or_default()
                .iter()
            {
                if let Some(filter) = self.allowing.get_mut(permission.number()) {
                    *filter = filter.or(slot.filter());
                }
            }
        }
    }
}
