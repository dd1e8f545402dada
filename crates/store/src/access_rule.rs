//! Access rules: immutable; made and soft-deleted.

use async_trait::async_trait;
use reeve_authz::{Granted, GrantedRole, RoleId, Rule, Scope, SubjectKey, Visible};
use reeve_types::list::{AccessRuleColumn, ListQuery};
use reeve_types::{AccessRuleId, ClusterId, Timestamp};

use crate::{AccessRuleFilter, AuditEntry, Committed, Page, StatusRow, StoreError};

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessRuleRow {
    /// Its number, never given twice.
    pub id: AccessRuleId,
    /// Who.
    pub subject: SubjectKey,
    /// As what.
    pub role: RoleId,
    /// Of a role that was made here, the predefined one whose rights in clusters it has.
    pub in_clusters_as: Option<RoleId>,
    /// Where.
    pub scope: Scope,
    /// The name of where, as it was when the rule was made.
    pub scope_name: String,
    /// The cluster of the scope; absent at account scope.
    pub cluster_id: Option<ClusterId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was deleted, if it was.
    pub deleted_at: Option<Timestamp>,
    /// How it stands in each cluster that said so.
    pub statuses: Vec<(ClusterId, StatusRow)>,
}

impl AccessRuleRow {
    /// The rule as the decision index knows it.
    pub fn rule(&self) -> Rule {
        Rule {
            id: self.id,
            subject: self.subject.clone(),
            role: self.role,
            scope: self.scope,
        }
    }
}

/// A rule to make.
#[derive(Debug, Clone)]
pub struct NewAccessRule {
    /// Who.
    pub subject: SubjectKey,
    /// As what.
    pub role: RoleId,
    /// Where.
    pub scope: Scope,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// Repository of access rules.
#[async_trait]
pub trait AccessRules {
    /// A page of those whose scope may be seen, by number where nothing else is asked for, and how many there are on all
    /// pages; deleted ones only on request.
    async fn access_rules(
        &self,
        visible: &Visible,
        query: &ListQuery<AccessRuleColumn>,
        filter: &AccessRuleFilter,
    ) -> Result<(Page<AccessRuleRow>, u64), StoreError>;

    /// How many the pages of [`AccessRules::access_rules`] hold together.
    async fn count_access_rules(
        &self,
        visible: &Visible,
        query: &ListQuery<AccessRuleColumn>,
        filter: &AccessRuleFilter,
    ) -> Result<u64, StoreError>;

    /// One, also when deleted. `granted`: read of access_rules in the rule's scope.
    async fn access_rule(
        &self,
        granted: &Granted,
        id: AccessRuleId,
    ) -> Result<Option<AccessRuleRow>, StoreError>;

    /// Makes one. `granted`: its role in its scope.
    ///
    /// # Errors
    /// [`StoreError::Gate`] where another role or scope was judged, [`StoreError::NotFound`] for an unknown user, service account or scope, [`StoreError::Conflict`] for a duplicate.
    async fn create_access_rule(
        &self,
        granted: &GrantedRole,
        new: NewAccessRule,
        entry: AuditEntry,
    ) -> Result<Committed<AccessRuleRow>, StoreError>;

    /// Soft-deletes one. `granted`: delete of access_rules in its scope.
    ///
    /// # Errors
    /// [`StoreError::LastAdministrator`]; [`StoreError::NotFound`] also when it was deleted before.
    async fn delete_access_rule(
        &self,
        granted: &Granted,
        id: AccessRuleId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;
}
