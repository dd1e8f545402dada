//! Clusters.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reeve_authz::{Granted, Visible};
use reeve_link::{ClusterSettings, KubernetesEndpoint};
use reeve_types::list::PageQuery;
use reeve_types::{AccessRuleId, ClusterId, ClusterName, LowestId, Revision, Timestamp};

use crate::{AuditEntry, Committed, CredentialHash, CredentialNumber, StoreError};

/// How long after its last word a cluster without an open stream still counts as connected, in seconds.
pub const CONNECTED_SECONDS: i64 = 30;

/// What is wrong while a cluster reports another address of its API server than the one that people are sent to.
pub const REPORTED_ENDPOINT: &str = "KubernetesEndpoint";

/// Since when something has been wrong, by what it is about.
pub type WrongSince = BTreeMap<String, Timestamp>;

/// Since when each of these has been wrong, if they are what is wrong now: what was wrong before stays so since then.
pub fn wrong_since(
    before: &WrongSince,
    kinds: impl IntoIterator<Item = String>,
    now: Timestamp,
) -> WrongSince {
    let since = |kind: String| {
        let since = before.get(&kind).copied().unwrap_or(now);
        (kind, since)
    };
    kinds.into_iter().map(since).collect()
}

/// What is kept of a cluster's link secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSecret {
    /// What checks it.
    pub credential: CredentialHash,
    /// The secret itself, sealed with the master key for the cluster's id, so that an installer can be shown it again; `None` where
    /// nobody is to be shown it, and for secrets of before it was kept.
    pub sealed: Option<String>,
}

impl From<CredentialHash> for LinkSecret {
    /// One that is shown to nobody.
    fn from(credential: CredentialHash) -> Self {
        Self {
            credential,
            sealed: None,
        }
    }
}

/// A cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterRow {
    /// Its id.
    pub id: ClusterId,
    /// Its name, unique in the account.
    pub name: ClusterName,
    /// Where it says it can be reached; not used by us.
    pub domain: Option<String>,
    /// The version asked for at creation.
    pub version: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// What its operator said of itself; absent until it first connected.
    pub settings: Option<ClusterSettings>,
    /// Where people reach its API server: set by an administrator, or pinned at the first report.
    pub endpoint: Option<KubernetesEndpoint>,
    /// What its operator, or whoever holds its link secret, says instead of that. It is served to nobody, and stays until an
    /// administrator sets the address.
    pub reported_endpoint: Option<KubernetesEndpoint>,
    /// When its operator was last heard of, as far as that was written down.
    pub last_liveness: Option<Timestamp>,
    /// Since when its operator has been connected, or was when it was last heard of: a gap shorter than [`CONNECTED_SECONDS`]
    /// does not count.
    pub connected_since: Option<Timestamp>,
    /// Since when each thing that is wrong has been, by what it is about: the kinds of [`ClusterSettings::wrong`], and
    /// [`REPORTED_ENDPOINT`].
    pub wrong_since: WrongSince,
    /// How far its desired state has come.
    pub revision: Revision,
    /// How far its operator has come, as it said last.
    pub applied_revision: Revision,
    /// The lowest uid and gid that people may have there.
    pub lowest_id: LowestId,
    /// True when whoever asked may see its id and its name only; the rest is empty then, but for dates.
    pub name_only: bool,
}

impl ClusterRow {
    /// What somebody is shown who sees something in it but not the cluster itself.
    #[must_use]
    pub fn named(self) -> Self {
        Self {
            domain: None,
            version: None,
            created_by: String::new(),
            settings: None,
            endpoint: None,
            reported_endpoint: None,
            last_liveness: None,
            connected_since: None,
            wrong_since: WrongSince::new(),
            name_only: true,
            ..self
        }
    }
}

/// A cluster to make.
#[derive(Debug, Clone)]
pub struct NewCluster {
    /// Its id, drawn by the caller.
    pub id: ClusterId,
    /// Its name.
    pub name: ClusterName,
    /// See [`ClusterRow::domain`].
    pub domain: Option<String>,
    /// See [`ClusterRow::version`].
    pub version: Option<String>,
    /// Its link secret.
    pub secret: LinkSecret,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// Repository of clusters.
#[async_trait]
pub trait Clusters {
    /// A page of those that may be seen, by name; by their name alone those above something that may be seen.
    async fn clusters(&self, visible: &Visible, page: PageQuery) -> Result<Vec<ClusterRow>, StoreError>;

    /// The name of one alone, of which that may be seen.
    async fn cluster_name(&self, visible: &Visible, id: ClusterId) -> Result<Option<ClusterRow>, StoreError>;

    /// One. `granted`: read of cluster there.
    async fn cluster(&self, granted: &Granted, id: ClusterId) -> Result<Option<ClusterRow>, StoreError>;

    /// Makes one; account-scope rules are its first desired state. `granted`: create of cluster at account scope.
    async fn create_cluster(
        &self,
        granted: &Granted,
        new: NewCluster,
        entry: AuditEntry,
    ) -> Result<Committed<ClusterRow>, StoreError>;

    /// Gives it another name, in the access rules of it too. The event says before and after. `granted`: update of cluster there.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name that is taken.
    async fn rename_cluster(
        &self,
        granted: &Granted,
        id: ClusterId,
        name: ClusterName,
        entry: AuditEntry,
    ) -> Result<Committed<ClusterRow>, StoreError>;

    /// Sets the lowest uid and gid that people may have there. The event says before and after. `granted`: update of cluster at
    /// account scope: the numbers are the account's.
    async fn set_lowest_id(
        &self,
        granted: &Granted,
        id: ClusterId,
        lowest: LowestId,
        entry: AuditEntry,
    ) -> Result<Committed<ClusterRow>, StoreError>;

    /// Sets where people reach its API server; what was reported instead is forgotten. `granted`: update of cluster there.
    async fn set_kubernetes_endpoint(
        &self,
        granted: &Granted,
        id: ClusterId,
        endpoint: KubernetesEndpoint,
        entry: AuditEntry,
    ) -> Result<Committed<ClusterRow>, StoreError>;

    /// Gives its link another secret; answers the number that tokens have to carry from now on. `granted`: update of cluster
    /// there.
    async fn set_cluster_credential(
        &self,
        granted: &Granted,
        id: ClusterId,
        secret: LinkSecret,
        entry: AuditEntry,
    ) -> Result<Committed<CredentialNumber>, StoreError>;

    /// What is kept of its link secret, for whoever is to be shown it. That it was shown is an event. `granted`: update of
    /// cluster there, as for another secret: whoever holds it can speak as the cluster.
    async fn reveal_cluster_secret(
        &self,
        granted: &Granted,
        id: ClusterId,
        entry: AuditEntry,
    ) -> Result<Committed<LinkSecret>, StoreError>;

    /// Removes it with its departments, projects, workloads and desired state, and soft-deletes the rules under it; answers
    /// those rules. What checks its link secret is kept aside ([`crate::Credentials::deleted_link_verifier`]). `granted`: delete of cluster there.
    async fn delete_cluster(
        &self,
        granted: &Granted,
        id: ClusterId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError>;
}
