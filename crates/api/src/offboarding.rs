//! `POST /api/v1/offboarding` (ours): somebody leaves, in one call.

use reeve_authz::{Action, Entity};
use reeve_types::{AccessRuleId, Email, ProjectId, UserId, WorkloadId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access_rule::ScopeType;
use crate::body::TypedBody;
use crate::body::fields::filled;
use crate::operation::{may, operations, post};

operations! {
    /// Operations on people who leave.
    OPERATIONS: OffboardingOperation as Offboarding, "Offboarding";
    /// Take away all that a user has, and say what that was and what is left.
    Offboard = post("offboard", "/api/v1/offboarding", may(Action::Delete, Entity::Users))
        .takes::<Offboard>().answers::<Offboarding>(200).also(&[404, 409]);
}

/// `POST /api/v1/offboarding`. Safe to repeat: where it broke off, another call does the rest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"user": "erin@example.com", "workloads": "delete", "dryRun": true}))]
pub struct Offboard {
    /// The user's email or id; the email also of somebody who was deleted before. At most 255 bytes.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub user: String,
    /// What becomes of the workloads that the user submitted.
    pub workloads: LeftWorkloads,
    /// Whether only to say what would be done.
    pub dry_run: bool,
}

impl TypedBody for Offboard {}

/// What becomes of somebody's workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeftWorkloads {
    /// They are deleted, and what runs of them ends. It needs the right to delete trainings in the whole account.
    Delete,
    /// They stay and go on.
    Leave,
}

/// What was taken away, or would be, and what is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Offboarding {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The user's email.
    pub username: Email,
    /// The user's id; null where there is no such user any more.
    pub id: Option<UserId>,
    /// Access rules that named the user.
    pub access_rules: Vec<LostRule>,
    /// How many sessions went on, with their tokens.
    pub sessions: usize,
    /// Workloads that the user submitted.
    pub workloads: Vec<LeftWorkload>,
    /// What there is of the user now: after a dry run all of it, otherwise nothing but workloads that were to be left.
    pub left: Left,
}

/// An access rule that named somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LostRule {
    /// Its number.
    pub id: AccessRuleId,
    /// The role that it gave.
    pub role_name: String,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// Where, by id.
    pub scope_id: String,
    /// Where, by name.
    pub scope_name: String,
}

/// A workload that somebody submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftWorkload {
    /// Its id.
    pub id: WorkloadId,
    /// Its name.
    pub name: String,
    /// Its project, by id.
    pub project_id: ProjectId,
    /// Its project, by name.
    pub project_name: String,
}

/// What was found after it, by looking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// Whether there is a user of that name.
    pub user: bool,
    /// How many access rules name the user.
    pub access_rules: usize,
    /// How many sessions of the user go on.
    pub sessions: usize,
    /// How many workloads there are that the user submitted.
    pub workloads: usize,
}
