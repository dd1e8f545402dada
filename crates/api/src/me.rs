//! `GET /api/v1/me` (ours): who the caller is to the control plane.

use reeve_types::PosixIdentity;
use serde::{Deserialize, Serialize};

use crate::access_rule::{ScopeType, SubjectType};

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// Her id.
    pub id: String,
    /// A user's email or a service account's name.
    pub username: String,
    /// `user` or `service-account`.
    #[serde(rename = "type")]
    pub kind: SubjectType,
    /// Her groups.
    pub groups: Vec<String>,
    /// Her numbers in containers; null when she has none.
    pub posix: Option<PosixIdentity>,
    /// What she is, and where.
    pub roles: Vec<HeldRole>,
}

/// One rule that reaches the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldRole {
    /// The role.
    pub role_id: i64,
    /// Its name.
    pub role_name: String,
    /// Where.
    pub scope_type: ScopeType,
    /// Where.
    pub scope_id: String,
    /// Where, by name.
    pub scope_name: String,
    /// The group through which she has it; absent when the rule names her.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through_group: Option<String>,
}
