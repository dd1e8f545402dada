//! Workload policies: one for each scope and kind of workload, and what they come to in each project.

use async_trait::async_trait;
use reeve_authz::{Granted, Scope, Visible};
use reeve_types::workload_policy::{Effective, Policy, PolicyKind, Scoped, SourceOfRule, effective};
use reeve_types::workload_policy::{ScopeType, WorkloadLimits};
use reeve_types::{ClusterId, DepartmentId, PolicyId, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::scope_text;
use crate::{AuditEntry, Committed, StoreError};

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRow {
    /// Its id: kept when it is overwritten.
    pub id: PolicyId,
    /// Where it is.
    pub scope: Scope,
    /// What it is for.
    pub kind: PolicyKind,
    /// Its name, for people.
    pub name: String,
    /// What it says.
    pub policy: Policy,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was last changed: at first, made.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: String,
}

/// What is known of a policy at each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyFacts {
    /// Where it is.
    #[serde(with = "scope_text")]
    pub scope: Scope,
    /// What it is for.
    pub kind: PolicyKind,
    /// What it says.
    pub policy: Policy,
}

/// A policy to write in the place of whatever is there.
#[derive(Debug, Clone)]
pub struct SetPolicy {
    /// Its id, where there is none yet.
    pub id: PolicyId,
    /// Where.
    pub scope: Scope,
    /// What it is for.
    pub kind: PolicyKind,
    /// Its name, for people.
    pub name: String,
    /// What it says.
    pub policy: Policy,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Which policies a list names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFilter {
    /// Of this kind.
    pub kind: Option<PolicyKind>,
    /// Of scopes of this type, by its name on the wire.
    pub scope_type: Option<&'static str>,
    /// Of this scope, and of that: none, where there are two.
    pub scopes: Vec<Scope>,
}

/// Repository of workload policies. Writing one changes in the same transaction what is enforced in every project below it.
#[async_trait]
pub trait WorkloadPolicies {
    /// Those that fit and whose scope may be seen, by scope and kind: at most two for each scope, and no others are read.
    async fn workload_policies(
        &self,
        visible: &Visible,
        filter: &PolicyFilter,
    ) -> Result<Vec<PolicyRow>, StoreError>;

    /// One. `granted`: read of policies there.
    async fn workload_policy(
        &self,
        granted: &Granted,
        scope: Scope,
        kind: PolicyKind,
    ) -> Result<Option<PolicyRow>, StoreError>;

    /// Writes one whole. The event says before and after. `granted`: update of policies there.
    async fn set_workload_policy(
        &self,
        granted: &Granted,
        new: SetPolicy,
        entry: AuditEntry,
    ) -> Result<Committed<PolicyRow>, StoreError>;

    /// Removes one. `granted`: delete of policies there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none.
    async fn delete_workload_policy(
        &self,
        granted: &Granted,
        scope: Scope,
        kind: PolicyKind,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;
}

/// The scopes on the way to a project, from the account down.
pub const fn way_to(cluster: ClusterId, department: DepartmentId, project: ProjectId) -> [Scope; 4] {
    [
        Scope::Account,
        Scope::Cluster(cluster),
        Scope::Department(department),
        Scope::Project(project),
    ]
}

/// How a policy names its scope.
pub const fn source(scope: Scope) -> SourceOfRule {
    let mut source = SourceOfRule {
        scope: ScopeType::Tenant,
        project_id: None,
        department_id: None,
        cluster_id: None,
    };
    match scope {
        Scope::Account => {}
        Scope::Cluster(id) => {
            source.scope = ScopeType::Cluster;
            source.cluster_id = Some(id);
        }
        Scope::Department(id) => {
            source.scope = ScopeType::Department;
            source.department_id = Some(id);
        }
        Scope::Project(id) => {
            source.scope = ScopeType::Project;
            source.project_id = Some(id);
        }
    }
    source
}

/// What holds at the end of a way.
pub fn effective_on<'a>(
    way: &[Scope],
    policy: impl Fn(Scope) -> Option<&'a Policy>,
    name: impl Fn(Scope) -> String,
) -> Effective {
    effective(&scoped(way, policy, name))
}

/// The policies on a way, as they are merged.
pub fn scoped<'a>(
    way: &[Scope],
    policy: impl Fn(Scope) -> Option<&'a Policy>,
    name: impl Fn(Scope) -> String,
) -> Vec<Scoped<'a>> {
    way.iter()
        .filter_map(|scope| {
            Some(Scoped {
                source: source(*scope),
                name: name(*scope),
                policy: policy(*scope)?,
            })
        })
        .collect()
}

/// What is enforced in a project, of all policies that there are.
pub fn limits_of(way: &[Scope], all: &[PolicyRow]) -> WorkloadLimits {
    let of = |kind| {
        let policy = |scope| {
            all.iter()
                .find(|row| row.scope == scope && row.kind == kind)
                .map(|row| &row.policy)
        };
        effective_on(way, policy, |scope| scope.wire_type().to_owned()).limits
    };
    WorkloadLimits {
        training: of(PolicyKind::Training),
        workspace: of(PolicyKind::Workspace),
    }
}
