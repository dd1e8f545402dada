//! Access rules (control-plane 2.4 and 4.2).

use reeve_types::{AccessRuleId, ClusterId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::body::{Body, InvalidBody};
use crate::list::{FieldValue, Listed};

/// Who a rule speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectType {
    /// A person.
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

/// Where a rule holds. The reference's `system` has no meaning here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeType {
    /// The account; its id is `1`.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAccessRule {
    /// A user's email (or id), a group's name, a service account's name.
    pub subject_id: String,
    /// Which of these.
    pub subject_type: SubjectType,
    /// The role.
    pub role_id: i64,
    /// The id of the account, cluster, department or project.
    pub scope_id: String,
    /// Which of these.
    pub scope_type: ScopeType,
    /// The scope's cluster; when given it must be right.
    pub cluster_id: Option<ClusterId>,
}

impl Body for CreateAccessRule {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let missing = |path: &str| InvalidBody::Missing {
            path: path.to_owned(),
        };
        let parsed = Self {
            subject_id: body.text("subjectId", 255)?.ok_or_else(|| missing("subjectId"))?,
            subject_type: body.required("subjectType")?,
            role_id: body.required("roleId")?,
            scope_id: body.text("scopeId", 255)?.ok_or_else(|| missing("scopeId"))?,
            scope_type: body.required("scopeType")?,
            cluster_id: body.optional("clusterId")?,
        };
        body.finish()?;
        Ok(parsed)
    }
}

/// An access rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRule {
    /// Its number: an integer, not a string.
    pub id: AccessRuleId,
    /// A user's email, a group's name, a service account's name.
    pub subject_id: String,
    /// Which of these.
    pub subject_type: SubjectType,
    /// The role.
    pub role_id: i64,
    /// Its name.
    pub role_name: String,
    /// The id of the account, cluster, department or project.
    pub scope_id: String,
    /// Which of these.
    pub scope_type: ScopeType,
    /// Its name.
    pub scope_name: String,
    /// The scope's cluster; absent for the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    /// [`crate::TENANT_ID`].
    pub tenant_id: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Equals `createdAt`: rules do not change.
    pub updated_at: Timestamp,
    /// Null as long as it holds.
    pub deleted_at: Option<Timestamp>,
    /// Who granted it.
    pub created_by: String,
    /// How far it has come in the clusters that are to have it; absent when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccessRuleStatus>,
    /// From the account down to the scope, by name; only in the answer for one rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_path: Option<String>,
}

/// How far a rule has come in the clusters it reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRuleStatus {
    /// In short.
    pub phase: AccessRulePhase,
    /// Why.
    pub message: String,
    /// Per cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// Phases of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRules {
    /// How many match in all.
    pub total_records: usize,
    /// How many are on this page.
    pub display_records: usize,
    /// Those.
    pub access_rules: Vec<AccessRule>,
}

impl Listed for AccessRule {
    fn field(&self, name: &str) -> FieldValue<'_> {
        match name {
            "subjectId" => FieldValue::text(&self.subject_id),
            "subjectType" => FieldValue::text(self.subject_type.as_str()),
            "roleId" => FieldValue::Number(self.role_id),
            "roleName" => FieldValue::text(&self.role_name),
            "scopeId" => FieldValue::text(&self.scope_id),
            "scopeType" => FieldValue::text(self.scope_type.as_str()),
            "scopeName" => FieldValue::text(&self.scope_name),
            "createdAt" => FieldValue::Time(self.created_at),
            "deletedAt" => FieldValue::time(self.deleted_at),
            "createdBy" => FieldValue::text(&self.created_by),
            "phase" => self.status.as_ref().map_or(FieldValue::Nothing, |status| {
                FieldValue::text(status.phase.as_str())
            }),
            _ => FieldValue::Nothing,
        }
    }

    fn columns(&self) -> Vec<FieldValue<'_>> {
        [
            &self.subject_id,
            &self.role_name,
            &self.scope_name,
            &self.created_by,
        ]
        .into_iter()
        .map(|t| FieldValue::text(t))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
