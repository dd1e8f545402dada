//! Access rules (control-plane 2.4 and 4.2).

use reeve_authz::{Action, Entity};
use reeve_types::{AccessRuleId, ClusterId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::fields::filled;
use crate::body::{InvalidBody, TypedBody};
use crate::error::Count;
use crate::operation::{delete, get, may, operations, post};
use reeve_types::list::ACCESS_RULES;

operations! {
    /// Operations on access rules.
    OPERATIONS: AccessRuleOperation as AccessRule, "Access rules";
    /// List access rules.
    GetAccessRules = get("get_access_rules", "/api/v1/authorization/access-rules", may(Action::Read, Entity::AccessRules))
        .lists(&ACCESS_RULES).answers::<AccessRules>(200);
    /// Create an access rule.
    CreateAccessRule = post("create_access_rule", "/api/v1/authorization/access-rules", may(Action::Create, Entity::AccessRules))
        .takes::<CreateAccessRule>().answers::<AccessRule>(201).also(&[404, 409]);
    /// Count access rules.
    CountAccessRules = get("count_access_rules", "/api/v1/authorization/access-rules/count", may(Action::Read, Entity::AccessRules))
        .lists(&ACCESS_RULES).answers::<Count>(200);
    /// Get an access rule.
    GetAccessRule = get("get_access_rule", "/api/v1/authorization/access-rules/{accessRuleId}", may(Action::Read, Entity::AccessRules))
        .answers::<AccessRule>(200);
    /// Delete an access rule.
    DeleteAccessRule = delete("delete_access_rule", "/api/v1/authorization/access-rules/{accessRuleId}", may(Action::Delete, Entity::AccessRules))
        .answers_nothing(204).also(&[409]);
    /// Delete access rules, each as if it was alone, or ask which the caller may delete.
    BatchAccessRules = post("access_rules_batch", "/api/v1/authorization/access-rules/batch", may(Action::Delete, Entity::AccessRules))
        .takes::<BatchAccessRules>().answers::<BatchDeleted>(200);
    /// Give each subject a role in each scope, each as if it was alone.
    BatchCreateAccessRules = post("access_rules_batch_create", "/api/v1/authorization/access-rules/batch-create", may(Action::Create, Entity::AccessRules))
        .takes::<BatchCreateAccessRules>().answers::<BatchCreated>(200);
}

/// How many rules a batch deletes, and how many it makes: subjects times scopes.
const MOST_IN_A_BATCH: usize = 500;
/// How many subjects, and how many scopes, a batch names.
const MOST_NAMED: usize = 100;

/// What the subject of a rule is. `app` is taken for `service-account` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectType {
    /// A user.
    User,
    /// A service account; `app` is the deprecated spelling.
    #[serde(alias = "app")]
    ServiceAccount,
    /// A group.
    Group,
}

impl SubjectType {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServiceAccount => "service-account",
            Self::Group => "group",
        }
    }
}

/// What the scope of a rule is, with all that is below it. The reference's `system` has no meaning here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeType {
    /// The account, whose id is `1`.
    Tenant,
    /// A cluster.
    Cluster,
    /// A department.
    Department,
    /// A project.
    Project,
}

impl ScopeType {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Cluster => "cluster",
            Self::Department => "department",
            Self::Project => "project",
        }
    }
}

/// `POST /api/v1/authorization/access-rules`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "subjectType": "user", "subjectId": "erin@example.com", "roleId": 5, "scopeType": "project", "scopeId": "33"
}))]
pub struct CreateAccessRule {
    /// Whom it is for: a user's email or id, a group's name, a service account's name or id. At most 255 bytes.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub subject_id: String,
    /// What `subjectId` names.
    pub subject_type: SubjectType,
    /// The role it gives, by id.
    pub role_id: i64,
    /// Where it holds: `1` for the account, or the id of a cluster, department or project.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub scope_id: String,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// The scope's cluster; it may be left out, and must be right when it is given.
    #[serde(default)]
    pub cluster_id: Option<ClusterId>,
}

impl TypedBody for CreateAccessRule {}

/// `POST /api/v1/authorization/access-rules/batch`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"ids": ["12", "13"], "action": "validate_delete"}))]
pub struct BatchAccessRules {
    /// The numbers of the rules, in quotes: from 1 to 500.
    #[schemars(length(min = 1, max = 500))]
    pub ids: Vec<String>,
    /// What to do.
    pub action: BatchAction,
}

/// What is done to rules together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchAction {
    /// They are deleted.
    Delete,
    /// Nothing: the answer says which the caller may delete.
    ValidateDelete,
}

impl TypedBody for BatchAccessRules {
    fn check(&self) -> Result<(), InvalidBody> {
        if self.ids.is_empty() || self.ids.len() > MOST_IN_A_BATCH {
            return Err(InvalidBody::wrong("ids", "from 1 to 500 are possible"));
        }
        Ok(())
    }
}

/// What became of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchDeleted {
    /// The id of the request.
    #[schemars(extend("format" = "uuid"))]
    pub id: String,
    /// Those that were deleted, or may be, as they were sent.
    pub succeeded: Vec<String>,
    /// Those that were not, each with why.
    pub failed: Vec<BatchFailure>,
}

/// A rule that was not deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchFailure {
    /// Its number, as it was sent.
    pub id: String,
    /// The status that its deletion alone would be answered with.
    pub code: u16,
    /// What that would say.
    pub message: String,
}

/// `POST /api/v1/authorization/access-rules/batch-create`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"payload": {
    "roleId": 5, "subjects": [{"subjectType": "group", "subjectId": "ml"}], "scopes": [{"scopeType": "project", "scopeId": "33"}]
}}))]
pub struct BatchCreateAccessRules {
    /// What to give to whom and where.
    pub payload: BatchGrant,
}

/// A role for subjects in scopes: at most 500 rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchGrant {
    /// The role, by id.
    pub role_id: i64,
    /// The cluster of all scopes; it may be left out.
    #[serde(default)]
    pub cluster_id: Option<ClusterId>,
    /// For whom: from 1 to 100.
    #[schemars(length(min = 1, max = 100))]
    pub subjects: Vec<BatchSubject>,
    /// Where: from 1 to 100.
    #[schemars(length(min = 1, max = 100))]
    pub scopes: Vec<BatchScope>,
}

/// A subject of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchSubject {
    /// A user's email or id, a group's name, a service account's name or id. At most 255 bytes.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub subject_id: String,
    /// What `subjectId` names.
    pub subject_type: SubjectType,
}

/// A scope of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchScope {
    /// `1` for the account, or the id of a cluster, department or project.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub scope_id: String,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
}

impl TypedBody for BatchCreateAccessRules {
    fn check(&self) -> Result<(), InvalidBody> {
        let (subjects, scopes) = (self.payload.subjects.len(), self.payload.scopes.len());
        for (path, count) in [("payload.subjects", subjects), ("payload.scopes", scopes)] {
            if count == 0 || count > MOST_NAMED {
                return Err(InvalidBody::wrong(path, "from 1 to 100 are possible"));
            }
        }
        if subjects.saturating_mul(scopes) > MOST_IN_A_BATCH {
            return Err(InvalidBody::wrong(
                "payload.subjects",
                "at most 500 rules are made at once: subjects times scopes",
            ));
        }
        Ok(())
    }
}

/// What became of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchCreated {
    /// The rules that were made.
    pub succeeded: Vec<AccessRule>,
    /// Those that were not.
    pub failed: Vec<BatchNotCreated>,
}

/// A rule that was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchNotCreated {
    /// The rule that was asked for, in the fields that were sent.
    pub payload: AccessRuleFields,
    /// The status that it alone would be answered with.
    pub code: u16,
    /// What that would say.
    pub message: String,
}

/// What a rule is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRuleFields {
    /// Whom it is for.
    pub subject_id: String,
    /// What `subjectId` names.
    pub subject_type: SubjectType,
    /// The role it gives, by id.
    pub role_id: i64,
    /// Where it holds.
    pub scope_id: String,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// The scope's cluster, where the request named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
}

impl AccessRuleFields {
    /// Those of a rule to make.
    pub fn of(wanted: &CreateAccessRule) -> Self {
        Self {
            subject_id: wanted.subject_id.clone(),
            subject_type: wanted.subject_type,
            role_id: wanted.role_id,
            scope_id: wanted.scope_id.clone(),
            scope_type: wanted.scope_type,
            cluster_id: wanted.cluster_id,
        }
    }
}

/// An access rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRule {
    /// Its number: an integer, not a string.
    pub id: AccessRuleId,
    /// Whom it is for: a user's email, a group's name, a service account's name.
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
    /// When it was made.
    pub created_at: Timestamp,
    /// Equals `createdAt`: rules do not change.
    pub updated_at: Timestamp,
    /// When it was deleted; null as long as it holds.
    pub deleted_at: Option<Timestamp>,
    /// Who made it: a user's email or a service account's name.
    pub created_by: String,
    /// How far it has come in the clusters that are to have it; absent when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccessRuleStatus>,
    /// From the account down to the scope, by name; only in the answer for one rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_path: Option<String>,
}

/// How far a rule has come in the clusters it reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessRuleStatus {
    /// In one word.
    pub phase: AccessRulePhase,
    /// Why, for people; empty when there is nothing to say.
    pub message: String,
    /// The same for each cluster; absent when there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// Phases of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessRulePhase {
    /// Not yet everywhere.
    Creating,
    /// In force everywhere.
    Ready,
    /// Something is in the way.
    NotReady,
    /// Not yet gone everywhere.
    Deleting,
}

impl AccessRulePhase {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Ready => "Ready",
            Self::NotReady => "NotReady",
            Self::Deleting => "Deleting",
        }
    }
}

/// A page of access rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRules {
    /// How many match in all.
    pub total_records: usize,
    /// How many are on this page.
    pub display_records: usize,
    /// Those of this page, that the caller may see.
    pub access_rules: Vec<AccessRule>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body as _;

    #[test]
    fn the_deprecated_subject_type_is_understood_and_the_system_scope_is_not() {
        let parse = |kind: &str, scope: &str| {
            let text = format!(
                r#"{{"subjectId":"ci","subjectType":"{kind}","roleId":5,"scopeId":"1","scopeType":"{scope}"}}"#
            );
            CreateAccessRule::parse(text.as_bytes()).map_err(|error| error.to_string())
        };
        assert_eq!(
            parse("app", "tenant").unwrap().subject_type,
            SubjectType::ServiceAccount
        );
        assert_eq!(
            parse("user", "system").unwrap_err(),
            "`scopeType`: one of `tenant`, `cluster`, `department`, `project` is needed"
        );
        assert!(
            parse("robot", "tenant")
                .unwrap_err()
                .starts_with("`subjectType`: one of `user`")
        );
        let empty = CreateAccessRule::parse(
            br#"{"subjectId":"","subjectType":"user","roleId":5,"scopeId":"1","scopeType":"tenant"}"#,
        );
        assert_eq!(empty.unwrap_err().to_string(), "`subjectId` is missing");
    }
}
