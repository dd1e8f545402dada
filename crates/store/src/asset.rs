//! What credentials and secret assets have in common: both are somebody's assets, kept for a scope.

use reeve_authz::Scope;
use reeve_types::list::PageQuery;
use reeve_types::{ClusterId, DepartmentId, ProjectId, Timestamp};

/// How many assets of one kind one scope has at most.
pub const ASSETS_OF_A_SCOPE: i64 = 200;

/// Whose an asset is, and who made and changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetOrigin {
    /// Whose it is.
    pub scope: Scope,
    /// The scope's cluster; `None` for the account.
    pub cluster_id: Option<ClusterId>,
    /// The scope's department.
    pub department_id: Option<DepartmentId>,
    /// The scope's project.
    pub project_id: Option<ProjectId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: String,
    /// How often it was changed.
    pub update_count: i64,
}

/// Which assets of a kind are listed.
#[derive(Debug, Clone, Default)]
pub struct AssetFilter {
    /// Of this name.
    pub name: Option<String>,
    /// Of such a scope.
    pub scope_type: Option<&'static str>,
    /// Of this cluster.
    pub cluster_id: Option<String>,
    /// Of this department.
    pub department_id: Option<i64>,
    /// Of this project.
    pub project_id: Option<i64>,
    /// Of those that are left a page; all, where there is none.
    pub page: Option<PageQuery>,
}
