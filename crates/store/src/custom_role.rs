//! Roles that were made here (control-plane 2.6), by System administrators of the account.

use async_trait::async_trait;
use reeve_authz::{Granted, RoleId};
use reeve_types::{PermissionSetId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AuditEntry, Committed, StoreError};

/// How many there may be.
pub const MOST_CUSTOM_ROLES: i64 = 100;

/// A role that was made here, as decisions know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomRoleFacts {
    /// Its number: from 1001 on, and never given twice.
    #[serde(with = "role_number")]
    pub id: RoleId,
    /// Its name, unique among all roles without regard to case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it may be given. One that access rules give is always on.
    pub enabled: bool,
    /// What it may do, by the permission sets that it is made of.
    pub permission_sets: Vec<PermissionSetId>,
    /// The number of the predefined role whose rights in clusters it has.
    pub in_clusters_as: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a role is to be.
#[derive(Debug, Clone)]
pub struct SetCustomRole {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it may be given.
    pub enabled: bool,
    /// The permission sets that it is made of.
    pub permission_sets: Vec<PermissionSetId>,
    /// The predefined role whose rights in clusters it has.
    pub in_clusters_as: Option<RoleId>,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Roles that were made here. All of them are in the directory; nothing else reads them.
#[async_trait]
pub trait CustomRoles {
    /// Makes one. `granted`: create of roles at account scope.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name that a role has, [`StoreError::RolesFull`].
    async fn create_custom_role(
        &self,
        granted: &Granted,
        new: SetCustomRole,
        entry: AuditEntry,
    ) -> Result<Committed<CustomRoleFacts>, StoreError>;

    /// Changes one, as a whole. `granted`: update of roles at account scope.
    ///
    /// # Errors
    /// As of making one; [`StoreError::RoleInUse`] where access rules give it, and it would be switched off or have other rights in
    /// clusters.
    async fn update_custom_role(
        &self,
        granted: &Granted,
        id: RoleId,
        new: SetCustomRole,
        entry: AuditEntry,
    ) -> Result<Committed<CustomRoleFacts>, StoreError>;

    /// Removes one. `granted`: delete of roles at account scope.
    ///
    /// # Errors
    /// [`StoreError::RoleInUse`] where access rules give it.
    async fn delete_custom_role(
        &self,
        granted: &Granted,
        id: RoleId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;
}

/// A role's number, as it is kept.
pub(crate) mod role_number {
    use reeve_authz::RoleId;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(id: &RoleId, serializer: S) -> Result<S::Ok, S::Error> {
        id.number().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RoleId, D::Error> {
        let number = i64::deserialize(deserializer)?;
        RoleId::new(number).ok_or_else(|| D::Error::custom("the number of a role is needed"))
    }
}
