//! What clusters report.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_link::{StatusPhase, StatusReport};
use reeve_types::{ClusterId, Timestamp};

use crate::{AuditEntry, StoreError};

/// How one object stands in one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// In which phase.
    pub phase: StatusPhase,
    /// Why, for people.
    pub message: String,
    /// Since when this was known.
    pub updated_at: Timestamp,
}

/// Repository of reports. Every `granted` here is the bootstrap exception for link status: a cluster speaks of itself.
#[async_trait]
pub trait Reports {
    /// Keeps what is new in a report; true when anything was. A report about an object that the cluster is not to have is
    /// dropped. When the cluster's settings changed, `entry` is written too, with what they were before and are after.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the cluster is gone.
    async fn report(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        report: &StatusReport,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Writes down that the cluster was heard of.
    async fn heard_of(&self, granted: &Granted, cluster: ClusterId, at: Timestamp) -> Result<(), StoreError>;
}
