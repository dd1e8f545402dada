//! Desired state of clusters: which objects a row becomes, and reading it in parts.

use async_trait::async_trait;
use reeve_authz::{Granted, Role, Scope, SubjectKey};
use reeve_link::{DesiredObject, ObjectKey, Resume, Subject, SubjectKind, Versioned};
use reeve_types::{ClusterId, Revision, RevisionToken, RoleName};

use crate::{AccessRuleRow, CredentialAssetRow, ProjectRow, StoreError};

/// Of how many revisions of a cluster the tokens are kept at least; of no more than a hundred others. Who comes from an older one
/// is sent everything. Tombstones of before that are gone.
pub const REVISIONS_KEPT: i64 = 1000;

/// A part of a cluster's desired state, as of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredPart<Next> {
    /// Where the cluster stood at that moment.
    pub revision: Revision,
    /// The token of that revision.
    pub token: RevisionToken,
    /// The objects.
    pub upserts: Vec<Versioned>,
    /// Where the next part begins; `None` when there was nothing more.
    pub next: Option<Next>,
}

/// After which change the next part goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later {
    /// Later than everything of this revision, or
    pub revision: Revision,
    /// later than the change of this object in it.
    pub object: Option<ObjectKey>,
}

/// Reading desired state, part by part: a part ends with the object with which it has `bytes` of JSON or more, so none
/// has to be held whole. Parts are of different moments; an object that changes in between is met again by
/// [`DesiredState::desired_since`] from the revision of the first part. `granted` is the bootstrap exception for link
/// status: a cluster asks for its own.
#[async_trait]
pub trait DesiredState {
    /// Whether everything that a cluster was told up to there was changed here, too: the revision is one of the last
    /// [`REVISIONS_KEPT`], and this is its token. False for an unknown cluster.
    async fn may_resume(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        resume: &Resume,
    ) -> Result<bool, StoreError>;

    /// Everything the cluster is to have, after an object: rules, then projects, then workloads. `None` when there is no
    /// such cluster.
    async fn desired_all(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        after: Option<ObjectKey>,
        bytes: usize,
    ) -> Result<Option<DesiredPart<ObjectKey>>, StoreError>;

    /// What changed later, ascending by revision; `None` when there is no such cluster.
    async fn desired_since(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        since: Later,
        bytes: usize,
    ) -> Result<Option<DesiredPart<Later>>, StoreError>;

    /// What was removed later than `since` and not made again, rules first, and where the cluster stands; `None` when there
    /// is no such cluster. More than `most` are not told, and nothing is when some of it is forgotten: [`Deleted::keys`] is
    /// `None` then, and the complete state has to be told.
    async fn deleted_since(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        since: Revision,
        most: usize,
    ) -> Result<Option<Deleted>, StoreError>;
}

/// What was removed from a cluster's desired state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Where the cluster stood at that moment.
    pub revision: Revision,
    /// The token of that revision.
    pub token: RevisionToken,
    /// What was removed; `None` when it is more than was asked for, or not known any more.
    pub keys: Option<Vec<ObjectKey>>,
}

/// The object of a project.
pub fn of_project(row: &ProjectRow) -> DesiredObject {
    DesiredObject::Project(reeve_link::Project {
        id: row.id,
        name: row.name.clone(),
        department_id: row.department_id,
        namespace: row.namespace.clone(),
        allow_networking: row.allow_networking,
        pod_rules: row.pod_rules.clone(),
        workload_limits: row.workload_limits.clone(),
    })
}

/// The object of a credential, as it is kept: without its values.
pub fn of_credential(row: &CredentialAssetRow) -> DesiredObject {
    let scope = match row.origin.scope {
        Scope::Account | Scope::Cluster(_) => reeve_link::Scope::Cluster,
        Scope::Department(id) => reeve_link::Scope::Department(id),
        Scope::Project(id) => reeve_link::Scope::Project(id),
    };
    DesiredObject::Credential(reeve_link::Credential {
        id: row.id,
        name: row.name.clone(),
        kind: row.kind,
        scope,
        account_wide: row.origin.scope == Scope::Account,
        stamp: row.stamp.clone(),
        values: None,
    })
}

/// The object of a rule, as each cluster that it reaches sees it: its role is the one whose ClusterRole the subject is bound
/// to there, [`RoleName::none`] where the role gives nothing in a cluster.
pub fn of_access_rule(row: &AccessRuleRow) -> DesiredObject {
    let subject = match &row.subject {
        SubjectKey::User(email) => Subject {
            kind: SubjectKind::User,
            name: email.to_string(),
        },
        SubjectKey::Group(name) => Subject {
            kind: SubjectKind::Group,
            name: name.to_string(),
        },
        SubjectKey::ServiceAccount(name) => Subject {
            kind: SubjectKind::ServiceAccount,
            name: name.to_string(),
        },
    };
    let scope = match row.scope {
        Scope::Account | Scope::Cluster(_) => reeve_link::Scope::Cluster,
        Scope::Department(id) => reeve_link::Scope::Department(id),
        Scope::Project(id) => reeve_link::Scope::Project(id),
    };
    DesiredObject::AccessRule(reeve_link::AccessRule {
        id: row.id,
        subject,
        role: Role::of(row.in_clusters_as.unwrap_or(row.role))
            .map_or_else(RoleName::none, Role::cluster_role),
        scope,
    })
}
