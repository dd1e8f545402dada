//! What an installation knows of itself: that it was started once, and its settings.

use async_trait::async_trait;
use reeve_authz::Granted;

use crate::{AccessRuleRow, AuditEntry, Committed, NewSigningKey, NewUser, StoreError, UserRow};

/// What the first start makes, all at once.
#[derive(Debug, Clone)]
pub struct FirstStart {
    /// The break-glass administrator.
    pub administrator: NewUser,
    /// The first key that signs, and the next one.
    pub signing_keys: [NewSigningKey; 2],
    /// Settings, by name.
    pub values: Vec<(String, String)>,
}

/// The installation.
#[async_trait]
pub trait Installation {
    /// A value by name.
    async fn installation_value(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Whether the database can be written to now, and not only read, as a PostgreSQL server that was a primary and is not any
    /// more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer.
    async fn is_writable(&self) -> Result<bool, StoreError>;

    /// True when the account was made.
    async fn is_initialized(&self) -> Result<bool, StoreError>;

    /// Makes the account: the administrator, her rule at account scope, the values. `granted` is the bootstrap exception for
    /// the first start.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was made before.
    async fn first_start(
        &self,
        granted: &Granted,
        first: FirstStart,
        entry: AuditEntry,
    ) -> Result<Committed<(UserRow, AccessRuleRow)>, StoreError>;
}
