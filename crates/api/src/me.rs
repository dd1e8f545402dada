//! `GET /api/v1/me` (ours): who the caller is to the control plane.

use reeve_authz::Entity;
use reeve_types::{AccessRuleId, ClusterId, PosixIdentity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access_rule::{ScopeType, SubjectType};
use crate::error::Count;
use crate::operation::Access::Authenticated;
use crate::operation::{QueryParameter, get, operations, post};

operations! {
    /// Operations of everybody who has signed in.
    OPERATIONS: MeOperation as Me, "Me";
    /// Who the caller is.
    GetMe = get("get_me", "/api/v1/me", Authenticated).answers::<Me>(200);
    /// Sign out: end the session of the token that is shown.
    LogoutMe = post("logout_me", "/api/v1/me/logout", Authenticated)
        .answers_nothing(200).signs_out_of(Entity::Users);
    /// The access rules that reach the caller, those of the session's groups too.
    GetMyAccessRules = get("get_me_access_rules", "/api/v1/authorization/me/access-rules", Authenticated)
        .asks(&[
            QueryParameter { name: "limit", values: &[], about: "The most on a page, from 1 to 500; 50 by default." },
            QueryParameter { name: "offset", values: &[], about: "How many to leave out at the front." },
            QueryParameter { name: "search", values: &[], about: "Text that subject, role or scope holds." },
        ]).answers::<MyAccessRules>(200);
    /// Count the access rules that reach the caller.
    CountMyAccessRules = get("count_me_access_rules", "/api/v1/authorization/me/access-rules/count", Authenticated)
        .asks(&[QueryParameter { name: "search", values: &[], about: "Text that subject, role or scope holds." }])
        .answers::<Count>(200);
}

/// The access rules that reach the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyAccessRules {
    /// A page of them: the reference nests it.
    pub access_rules: MyAccessRulesPage,
}

/// A page of the access rules that reach the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyAccessRulesPage {
    /// How many all pages hold.
    pub total_records: usize,
    /// How many are on this page.
    pub display_records: usize,
    /// The rules, the oldest first.
    pub access_rules: Vec<MyAccessRule>,
}

/// An access rule that reaches the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyAccessRule {
    /// Its number: an integer, not a string.
    pub id: AccessRuleId,
    /// The caller, or the group through which the rule reaches the caller.
    pub subject_id: String,
    /// What `subjectId` names.
    pub subject_type: SubjectType,
    /// The role it gives, by id.
    pub role_id: i64,
    /// The role's name.
    pub role_name: String,
    /// Where it holds: `1` for the account, or the id of a cluster, department or project.
    pub scope_id: String,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// The scope's name.
    pub scope_name: String,
    /// The scope's cluster; absent for the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    /// Always 1: an installation is one account.
    pub tenant_id: i32,
}

/// Whoever the token of the request stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// The UUID of the user or service account.
    pub id: String,
    /// A user's email or a service account's name.
    pub username: String,
    /// `user` or `service-account`.
    #[serde(rename = "type")]
    pub kind: SubjectType,
    /// The groups that count for the caller's rights: those that the sign-in of this session showed.
    pub groups: Vec<String>,
    /// The POSIX identity that the caller's containers run with: the one that an administrator set, or else the identity
    /// provider's; null when there is none.
    pub posix: Option<PosixIdentity>,
    /// Who gave it: `administrator` or `identity-provider`; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posix_source: Option<PosixGiver>,
    /// Which roles the caller holds, and where.
    pub roles: Vec<HeldRole>,
}

/// Who gave a POSIX identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PosixGiver {
    /// An administrator of the account, on the user.
    Administrator,
    /// The identity provider, at the sign-in or since.
    IdentityProvider,
}

/// One rule that reaches the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldRole {
    /// The role, by id.
    pub role_id: i64,
    /// The role's name.
    pub role_name: String,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// Where it holds, by id.
    pub scope_id: String,
    /// Where it holds, by name.
    pub scope_name: String,
    /// The group through which the caller has it; absent when the rule names the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through_group: Option<String>,
}
