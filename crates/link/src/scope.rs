//! Where something holds.

use reeve_types::{DepartmentId, ProjectId};
use serde::{Deserialize, Serialize};

/// Where a rule holds, seen from one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "kebab-case")]
pub enum Scope {
    /// The account or this whole cluster: every project.
    Cluster,
    /// Every project of a department.
    Department(DepartmentId),
    /// One project.
    Project(ProjectId),
}
