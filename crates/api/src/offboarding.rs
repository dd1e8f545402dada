//! `POST /api/v1/offboarding` (ours): somebody or something leaves, in one call.

use reeve_authz::{Action, Entity};
use reeve_types::{
    AccessRuleId, CredentialAssetId, CredentialAssetKind, CredentialAssetName, Email, ProjectId,
    ServiceAccountId, ServiceAccountName, WorkloadId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access_rule::ScopeType;
use crate::body::fields::text;
use crate::body::{InvalidBody, TypedBody};
use crate::operation::{may, operations, post};

operations! {
    /// Operations on whoever leaves.
    OPERATIONS: OffboardingOperation as Offboarding, "Offboarding";
    /// Take away all that a user, an application or a group has, and say what that was and what is left.
    Offboard = post("offboard", "/api/v1/offboarding", may(Action::Delete, Entity::Users))
        .takes::<Offboard>().answers::<Offboarding>(200).also(&[404, 409]);
}

/// `POST /api/v1/offboarding`. Safe to repeat: where it broke off, another call does the rest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"user": "erin@example.com", "workloads": "delete", "dryRun": true}))]
pub struct Offboard {
    /// The user's email or id; the email also of somebody who was deleted before. At most 255 bytes. One of `user`, `serviceAccount` and
    /// `group` is needed.
    #[serde(default, deserialize_with = "text::<_, 255>")]
    #[schemars(length(max = 255))]
    pub user: Option<String>,
    /// The application's name or id; the name also of one that was deleted before. It needs the right to delete service accounts in the
    /// account, too. At most 255 bytes.
    #[serde(default, deserialize_with = "text::<_, 255>")]
    #[schemars(length(max = 255))]
    pub service_account: Option<String>,
    /// The group's name. What goes are the access rules that name it; its members stay, with what they have otherwise. It needs the right to
    /// delete access rules in the account, too. At most 255 bytes.
    #[serde(default, deserialize_with = "text::<_, 255>")]
    #[schemars(length(max = 255))]
    pub group: Option<String>,
    /// What becomes of the workloads that the user or application submitted. A group submits none: with `group` it is left out.
    #[serde(default)]
    pub workloads: Option<LeftWorkloads>,
    /// What becomes of the credentials that the user or application made, of those that the caller may see; absent: they stay. A group
    /// makes none: with `group` it is left out.
    #[serde(default)]
    pub credentials: Option<LeftCredentials>,
    /// Whether only to say what would be done.
    pub dry_run: bool,
}

/// Who leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving<'a> {
    /// A user, by email or id.
    User(&'a str, LeftWorkloads),
    /// An application, by name or id.
    ServiceAccount(&'a str, LeftWorkloads),
    /// A group, by name.
    Group(&'a str),
}

impl Offboard {
    /// Who leaves.
    ///
    /// # Errors
    /// [`InvalidBody`] where it is nobody, or several, or what becomes of workloads is not said.
    pub fn leaving(&self) -> Result<Leaving<'_>, InvalidBody> {
        let workloads = || {
            self.workloads.ok_or_else(|| InvalidBody::Missing {
                path: "workloads".to_owned(),
            })
        };
        match (&self.user, &self.service_account, &self.group) {
            (Some(user), None, None) => Ok(Leaving::User(user, workloads()?)),
            (None, Some(account), None) => Ok(Leaving::ServiceAccount(account, workloads()?)),
            (None, None, Some(_)) if self.workloads.is_some() => Err(InvalidBody::wrong(
                "workloads",
                "a group submits none: leave it out",
            )),
            (None, None, Some(_)) if self.credentials.is_some() => Err(InvalidBody::wrong(
                "credentials",
                "a group makes none: leave it out",
            )),
            (None, None, Some(group)) => Ok(Leaving::Group(group)),
            _ => Err(InvalidBody::wrong(
                "user",
                "exactly one of `user`, `serviceAccount` and `group` is needed",
            )),
        }
    }
}

impl TypedBody for Offboard {
    fn check(&self) -> Result<(), InvalidBody> {
        self.leaving().map(drop)
    }
}

/// What becomes of somebody's workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeftWorkloads {
    /// They are deleted, and what runs of them ends. It needs the right to delete trainings in the whole account.
    Delete,
    /// They stay and go on.
    Leave,
}

/// What becomes of the credentials that somebody made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeftCredentials {
    /// They are deleted, and their copies in clusters. It needs the right to delete credentials in the whole account.
    Delete,
    /// They stay: each belongs to its scope.
    Leave,
}

/// What was taken away, or would be, and what is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Offboarding {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The user's email; absent of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Email>,
    /// The application's name; absent of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountName>,
    /// The group's name; absent of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The id of the user or application, a UUID; null where there is none of that name any more, and of a group.
    pub id: Option<String>,
    /// Access rules that named the user, application or group.
    pub access_rules: Vec<LostRule>,
    /// How many sessions of the user or application went on, with their tokens.
    pub sessions: usize,
    /// Of a group: how many sessions of users show it. They go on, and what its access rules gave does not; absent of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_sessions: Option<usize>,
    /// Workloads that the user or application submitted.
    pub workloads: Vec<LeftWorkload>,
    /// Credentials that the user or application made, of those that the caller may see.
    #[serde(default)]
    pub credentials: Vec<MadeCredential>,
    /// Applications that the user or application made. They stay, and whoever made one has seen its secret. Empty for whoever may not read
    /// applications.
    #[serde(default)]
    pub applications: Vec<MadeApplication>,
    /// What there is now: after a dry run all of it, otherwise nothing but workloads and credentials that were to be left.
    pub left: Left,
}

/// An access rule that named somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LostRule {
    /// The number of the rule.
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
    /// The id of the workload.
    pub id: WorkloadId,
    /// The name of the workload in its project.
    pub name: String,
    /// Its project, by id.
    pub project_id: ProjectId,
    /// Its project, by name.
    pub project_name: String,
}

/// A credential that somebody made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MadeCredential {
    /// The id of the credential.
    pub id: CredentialAssetId,
    /// The name of the credential in its scope.
    pub name: CredentialAssetName,
    /// What kind of credential it is.
    pub kind: CredentialAssetKind,
    /// What `scopeId` names: whose it is.
    pub scope_type: ScopeType,
    /// Whose it is, by id.
    pub scope_id: String,
    /// Whose it is, by name.
    pub scope_name: String,
}

/// An application that somebody made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MadeApplication {
    /// The id of the application.
    pub id: ServiceAccountId,
    /// The name of the application, its client id.
    pub name: ServiceAccountName,
}

/// What was found after it, by looking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// Whether there is a user of that name.
    pub user: bool,
    /// Whether there is an application of that name.
    #[serde(default)]
    pub service_account: bool,
    /// How many access rules name the user, application or group.
    pub access_rules: usize,
    /// How many sessions of the user or application go on.
    pub sessions: usize,
    /// How many workloads there are that the user or application submitted.
    pub workloads: usize,
    /// How many credentials there are that the user or application made.
    #[serde(default)]
    pub credentials: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body as _;

    #[test]
    fn exactly_one_leaves_and_of_workloads_it_is_said_where_there_can_be_some() {
        let parse = |text: &str| Offboard::parse(text.as_bytes()).map_err(|error| error.to_string());
        let taken = parse(r#"{"serviceAccount":"ci","workloads":"leave","dryRun":true}"#).unwrap();
        assert_eq!(
            taken.leaving(),
            Ok(Leaving::ServiceAccount("ci", LeftWorkloads::Leave))
        );
        let taken = parse(r#"{"group":"ml","dryRun":false}"#).unwrap();
        assert_eq!(taken.leaving(), Ok(Leaving::Group("ml")));
        for (text, said) in [
            (r#"{"dryRun":true}"#, "`user`: exactly one of"),
            (
                r#"{"user":"a@b.co","group":"ml","workloads":"leave","dryRun":true}"#,
                "`user`: exactly one of",
            ),
            (
                r#"{"serviceAccount":"ci","dryRun":true}"#,
                "`workloads` is missing",
            ),
            (r#"{"user":"a@b.co","dryRun":true}"#, "`workloads` is missing"),
            (
                r#"{"group":"ml","workloads":"delete","dryRun":true}"#,
                "`workloads`: a group submits none",
            ),
            (
                r#"{"group":"ml","credentials":"leave","dryRun":true}"#,
                "`credentials`: a group makes none",
            ),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.starts_with(said), "{text}: {refused}");
        }
    }
}
