//! Service accounts (older name: applications).

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::list::{ListQuery, ServiceAccountColumn};
use reeve_types::{AccessRuleId, ServiceAccountId, ServiceAccountName, Timestamp};

use crate::{AuditEntry, Committed, CredentialHash, Page, ServiceAccountFacts, StoreError};

/// A service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountRow {
    /// Its id.
    pub id: ServiceAccountId,
    /// Its name, unique: its client id, and the key that rules name it by.
    pub name: ServiceAccountName,
    /// False when its tokens and rules are out of effect.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last got a token.
    pub last_login: Option<Timestamp>,
}

/// A service account to make.
#[derive(Debug, Clone)]
pub struct NewServiceAccount {
    /// Its id, drawn by the caller.
    pub id: ServiceAccountId,
    /// Its name.
    pub name: ServiceAccountName,
    /// What checks its secret.
    pub secret: CredentialHash,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// Repository of service accounts. Every `granted` here is for service-account at account scope.
#[async_trait]
pub trait ServiceAccounts {
    /// A page, by name. `granted`: read.
    async fn service_accounts(
        &self,
        granted: &Granted,
        query: &ListQuery<ServiceAccountColumn>,
    ) -> Result<Page<ServiceAccountRow>, StoreError>;

    /// All that somebody of this name made, by name. `granted`: read.
    async fn service_accounts_made_by(
        &self,
        granted: &Granted,
        maker: &str,
    ) -> Result<Vec<ServiceAccountRow>, StoreError>;

    /// One. `granted`: read.
    async fn service_account(
        &self,
        granted: &Granted,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountRow>, StoreError>;

    /// Makes one. `granted`: create.
    async fn create_service_account(
        &self,
        granted: &Granted,
        new: NewServiceAccount,
        entry: AuditEntry,
    ) -> Result<Committed<ServiceAccountRow>, StoreError>;

    /// Enables or disables it. Disabling takes its rules out of every cluster's desired state and ends its sessions, as
    /// [`crate::Users::end_sessions`] does; enabling brings the rules back. `granted`: update.
    async fn set_service_account_enabled(
        &self,
        granted: &Granted,
        id: ServiceAccountId,
        enabled: bool,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<ServiceAccountFacts>, StoreError>;

    /// Gives it another secret and ends its sessions, as [`crate::Users::end_sessions`] does and answers. `granted`: update.
    async fn set_service_account_secret(
        &self,
        granted: &Granted,
        id: ServiceAccountId,
        secret: CredentialHash,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError>;

    /// Removes it and soft-deletes its rules; answers those rules. `granted`: delete.
    async fn delete_service_account(
        &self,
        granted: &Granted,
        id: ServiceAccountId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError>;
}
