//! The priorities that quotas may name (control-plane 4.2, tag `Org unit`).

use reeve_authz::{Action, Entity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::operation::{get, may, operations};

operations! {
    /// Operations on departments and projects alike.
    OPERATIONS: OrgUnitOperation as OrgUnit, "Org unit";
    /// List the priorities that rank departments and projects: none, since quotas are kept and not enforced.
    GetPriorities = get("get_priorities", "/api/v1/org-unit/priorities", may(Action::Read, Entity::Project))
        .answers::<Priorities>(200);
}

/// Priorities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Priorities {
    /// Empty: `priority` of a quota is kept and shown as it was given, and ranks nothing yet.
    pub priorities: Vec<Priority>,
}

/// A priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Priority {
    /// Its name.
    pub name: String,
    /// The higher, the earlier.
    pub value: i64,
    /// Whether it is that of a quota that names none.
    pub is_default: bool,
}
