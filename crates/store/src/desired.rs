//! Desired state of clusters: which objects a row becomes, and reading what changed.

use async_trait::async_trait;
use reeve_authz::{Granted, Scope, SubjectKey};
use reeve_link::{Batch, DesiredObject, Subject, SubjectKind};
use reeve_types::{ClusterId, Revision};

use crate::{AccessRuleRow, ProjectRow, StoreError, WorkloadRow};

/// Reading desired state. `granted` is the bootstrap exception for link status: a cluster asks for its own.
#[async_trait]
pub trait DesiredState {
    /// Everything the cluster is to have, as of one moment; `None` when there is no such cluster.
    async fn desired_all(&self, granted: &Granted, cluster: ClusterId) -> Result<Option<Batch>, StoreError>;

    /// What changed later than `since`, as of one moment; `None` when there is no such cluster. Deletions come sorted rules
    /// first, upserts ascending by revision.
    async fn desired_since(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        since: Revision,
    ) -> Result<Option<Batch>, StoreError>;
}

/// The object of a project.
pub fn of_project(row: &ProjectRow) -> DesiredObject {
    DesiredObject::Project(reeve_link::Project {
        id: row.id,
        name: row.name.clone(),
        department_id: row.department_id,
        namespace: row.namespace.clone(),
    })
}

/// The object of a rule, as each cluster that it reaches sees it.
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
        role: row.role.kube_name(),
        scope,
    })
}

/// The object of a workload.
pub fn of_workload(row: &WorkloadRow) -> DesiredObject {
    DesiredObject::Workload(row.desired.clone())
}
