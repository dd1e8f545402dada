//! What clusters report.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_link::{KubernetesEndpoint, StatusPhase, StatusReport};
use reeve_types::{ClusterId, Revision, Timestamp};

use crate::{AuditEntry, Committed, StoreError};

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

/// What a report has led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// How far the cluster's operator has come.
    pub applied_revision: Revision,
    /// Where people reach its API server now.
    pub endpoint: Option<KubernetesEndpoint>,
}

/// Repository of reports. Every `granted` here is the bootstrap exception for link status: a cluster speaks of itself.
#[async_trait]
pub trait Reports {
    /// Keeps what is new in a report; `None` when nothing was. A report about an object that the cluster is not to have is
    /// dropped, and so is a revision that is behind the one kept. When other settings of the cluster changed, `entry` is
    /// written, with what they were before and are after.
    ///
    /// The first address of the API server that is reported is pinned. A later one that differs is kept beside it
    /// ([`crate::ClusterRow::reported_endpoint`]) and never replaces it. `entry` is also written when an address is pinned, and
    /// when one that differs is reported while none waits: with the address, so that it can be looked for.
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
    ) -> Result<Committed<Option<Reported>>, StoreError>;

    /// Writes down that the cluster was heard of. With `begins` by a connection that begins: unless it was heard of a moment
    /// before, it has been connected since then.
    async fn heard_of(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        at: Timestamp,
        begins: bool,
    ) -> Result<(), StoreError>;
}
