//! Questions about access: who may do what where, why, and what a change would give and take (control-plane 2.5; `explain`,
//! `who-can`, `what-can` and `preview` are ours).
//!
//! They are `POST` where the question needs a body, and change nothing.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use reeve_authz::{Action, Entity, UnknownWord};
use reeve_types::{AccessRuleId, GroupName};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::access_rule::{CreateAccessRule, ScopeType, SubjectType};
use crate::body::fields::filled;
use crate::body::{InvalidBody, TypedBody};
use crate::operation::Access::Authenticated;
use crate::operation::{get, may, operations, post};
use crate::role::Permission;

/// How many changes of one kind a preview takes.
const MOST_CHANGES: usize = 100;
/// How many entries an answer has that was asked for no number of them.
pub const DEFAULT_PAGE: usize = 50;
/// How many entries an answer has at most.
const LARGEST_PAGE: u32 = 500;

operations! {
    /// Questions about access.
    OPERATIONS: AuthorizationOperation as Authorization, "Permissions";
    /// What the caller may do in some scope or other.
    GetPermissions = get("get_permissions", "/api/v1/authorization/permissions", Authenticated)
        .answers::<Vec<Permission>>(200);
    /// In which scopes the caller was given permissions on a type of resource.
    GetPermittedScopes = post("get_permitted_scopes", "/api/v1/authorization/permitted-scopes", Authenticated)
        .takes::<AskPermittedScopes>().answers::<PermittedScopesActions>(200).question();
    /// Why somebody may do something, or what is missing and who could grant it.
    Explain = post("explain", "/api/v1/authorization/explain", Authenticated)
        .takes::<Explain>().answers::<Explanation>(200).also(&[404]).question();
    /// By which rules anybody may do something in a scope.
    WhoCan = post("who_can", "/api/v1/authorization/who-can", may(Action::Read, Entity::AccessRules))
        .takes::<AskWhoCan>().answers::<WhoCan>(200).also(&[404]).question();
    /// What somebody may do, rule by rule.
    WhatCan = post("what_can", "/api/v1/authorization/what-can", Authenticated)
        .takes::<AskWhatCan>().answers::<WhatCan>(200).also(&[404]).question();
    /// What a change of access rules or groups would give and take, before it is made.
    Preview = post("preview", "/api/v1/authorization/preview", may(Action::Read, Entity::AccessRules))
        .takes::<AskPreview>().answers::<Preview>(200).also(&[404]).question();
}

/// A word of a closed list of `reeve-authz`, with its schema.
macro_rules! word {
    ($(#[doc = $about:literal])* $name:ident of $word:ty) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $word);

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.wire_name())
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let words: Vec<&str> = <$word>::ALL.into_iter().map(<$word>::wire_name).collect();
                json_schema!({"type": "string", "enum": words, "description": concat!($($about),*).trim_ascii()})
            }
        }
    };
}

word!(
    /// A type of resource, in the reference's spelling.
    ResourceType of Entity
);
word!(
    /// What is done to a resource.
    ActionName of Action
);

/// `POST /api/v1/authorization/permitted-scopes`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"resourceType": "project"}))]
pub struct AskPermittedScopes {
    /// The type of resource.
    pub resource_type: ResourceType,
    /// The one action that is asked about; absent for all four.
    #[serde(default)]
    pub action: Option<ActionName>,
}

impl TypedBody for AskPermittedScopes {}

/// Where each action is permitted. All four are there whatever was asked; what was not asked about is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PermittedScopesActions {
    /// To make new ones.
    pub create: PermittedScopes,
    /// To see them.
    pub read: PermittedScopes,
    /// To change them.
    pub update: PermittedScopes,
    /// To remove them.
    pub delete: PermittedScopes,
}

/// The scopes at which something was granted. What lies below them is not listed, and is permitted too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PermittedScopes {
    /// Always false: there is nothing above the account.
    pub system: bool,
    /// `["1"]` where it was granted for the whole account.
    pub tenants: Vec<String>,
    /// The same alone, as the reference had it before; absent where it was not granted for the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Clusters, by id.
    pub clusters: Vec<String>,
    /// Departments, by id.
    pub departments: Vec<String>,
    /// Projects, by id.
    pub projects: Vec<String>,
}

/// Whom a question is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedSubject {
    /// A user's email or id, a group's name, a service account's name or id. At most 255 bytes.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub subject_id: String,
    /// What `subjectId` names.
    pub subject_type: SubjectType,
    /// Of a user: the groups to assume. Absent: those of the user's open sessions, where the caller may read users.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub groups: Option<Vec<GroupName>>,
}

/// `POST /api/v1/authorization/explain`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "resourceType": "trainings", "action": "create", "scopeType": "project", "scopeId": "33"
}))]
pub struct Explain {
    /// The type of resource.
    pub resource_type: ResourceType,
    /// What is to be done.
    pub action: ActionName,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// Where: `1` for the account, or the id of a cluster, department or project.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub scope_id: String,
    /// Who is to do it; absent: the caller, in the groups of this session. About others may ask who may read the access rules
    /// of the scope.
    #[serde(default)]
    pub subject: Option<AskedSubject>,
}

impl TypedBody for Explain {
    fn check(&self) -> Result<(), InvalidBody> {
        self.subject.as_ref().map_or(Ok(()), AskedSubject::check)
    }
}

impl AskedSubject {
    fn check(&self) -> Result<(), InvalidBody> {
        match &self.groups {
            Some(_) if self.subject_type != SubjectType::User => {
                Err(InvalidBody::wrong("subject.groups", "only users are in groups"))
            }
            Some(groups) if groups.len() > 1000 => {
                Err(InvalidBody::wrong("subject.groups", "at most 1000 are possible"))
            }
            _ => Ok(()),
        }
    }
}

/// Why, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Whether it is allowed.
    pub decision: Decision,
    /// About whom, and by which groups.
    pub subject: JudgedSubject,
    /// The type of resource.
    pub resource_type: ResourceType,
    /// What is to be done.
    pub action: ActionName,
    /// Where it is to be done.
    pub scope: ScopeRef,
    /// Whether everything was looked at that decides. False for a question about others from who may not read all access rules
    /// of the account, or does not know their groups: then rules out of sight count for nothing, whether or not there are any.
    pub complete: bool,
    /// How far the decision had followed the account's changes; null for who may not read all access rules, since it tells how
    /// much others change.
    pub revision: Option<i64>,
    /// Every rule that allows it: the subject's own before those of groups, the nearest first, then the oldest. Empty unless
    /// it is allowed.
    pub allowed_by: Vec<AllowingRule>,
    /// What is missing; null where it is allowed.
    pub missing: Option<Missing>,
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// By a rule, which is named.
    Allow,
    /// By no rule.
    Refuse,
    /// By no rule that the caller may see.
    Unknown,
}

/// Somebody whose access was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JudgedSubject {
    /// A user's email, a group's name, a service account's name.
    pub subject_id: String,
    /// What `subjectId` names.
    pub subject_type: SubjectType,
    /// The groups whose rules counted too.
    pub groups: Vec<String>,
    /// From where these groups are known.
    pub groups_from: GroupsFrom,
}

/// From where a user's groups are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupsFrom {
    /// The session of this request.
    ThisSession,
    /// The user's open sessions, all together: what any of them may do.
    OpenSessions,
    /// The question said so.
    Question,
    /// Not known to the caller, who may not read users.
    Hidden,
    /// Groups and service accounts are in none.
    None,
}

/// The account, a cluster, a department or a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScopeRef {
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// `1` for the account, or the id of a cluster, department or project.
    pub scope_id: String,
    /// The name of what `scopeId` names.
    pub scope_name: String,
}

/// A user, group or service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectRef {
    /// A user's email, a group's name, a service account's name.
    pub subject_id: String,
    /// What `subjectId` names.
    pub subject_type: SubjectType,
}

/// A rule, and how it comes to allow something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowingRule {
    /// The rule, by its number.
    pub access_rule_id: AccessRuleId,
    /// The role that it gives, by id.
    pub role_id: i64,
    /// The role's name.
    pub role_name: String,
    /// Whom the rule names: the subject, or a group of the subject's.
    pub through: SubjectRef,
    /// The way from the scope that the rule names down to the one asked about; one scope where they are the same.
    pub scope_path: Vec<ScopeRef>,
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// The permission, like `trainings:create`.
    pub permission: String,
    /// The nearest scope, from the one asked about upwards, where somebody could grant it; null where nobody could.
    pub grantable_at: Option<ScopeRef>,
    /// Who could grant it there: at most three, by their oldest rule.
    pub grantable_by: Vec<SubjectRef>,
    /// The same in a sentence: what a refused request is answered.
    pub message: String,
}

/// `POST /api/v1/authorization/who-can`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "resourceType": "trainings", "action": "create", "scopeType": "project", "scopeId": "33", "limit": 100
}))]
pub struct AskWhoCan {
    /// The type of resource.
    pub resource_type: ResourceType,
    /// What is to be done.
    pub action: ActionName,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// Where: `1` for the account, or the id of a cluster, department or project.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub scope_id: String,
    /// How many to show, from 1 to 500; absent: 50.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// How many to leave out before; absent: none.
    #[serde(default)]
    pub offset: Option<u32>,
}

impl TypedBody for AskWhoCan {
    fn check(&self) -> Result<(), InvalidBody> {
        check_limit(self.limit)
    }
}

fn check_limit(limit: Option<u32>) -> Result<(), InvalidBody> {
    match limit {
        Some(limit) if !(1..=LARGEST_PAGE).contains(&limit) => Err(InvalidBody::wrong(
            "limit",
            "a whole number from 1 to 500 is needed",
        )),
        _ => Ok(()),
    }
}

/// By which rules somebody may do something: every rule that the caller may see, of the scope and of those above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhoCan {
    /// Whether these are all: the caller may read all access rules of the account.
    pub complete: bool,
    /// How far the answer had followed the account's changes; null for who may not read all access rules.
    pub revision: Option<i64>,
    /// How many there are in all.
    pub total_records: usize,
    /// The offset of the next page; null after the last.
    pub next: Option<usize>,
    /// Those of this page: the nearest scope first, then the oldest.
    pub rules: Vec<RuleRef>,
}

/// A rule, as an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleRef {
    /// The rule, by its number.
    pub access_rule_id: AccessRuleId,
    /// Whom it names.
    pub subject: SubjectRef,
    /// The role that it gives, by id.
    pub role_id: i64,
    /// The role's name.
    pub role_name: String,
    /// Where it gives it.
    pub scope: ScopeRef,
}

/// `POST /api/v1/authorization/what-can`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"subject": {"subjectType": "user", "subjectId": "erin@example.com"}}))]
pub struct AskWhatCan {
    /// Who; absent: the caller, in the groups of this session. About others may ask who may read access rules somewhere, and is
    /// told of those.
    #[serde(default)]
    pub subject: Option<AskedSubject>,
    /// How many rules to show, from 1 to 500; absent: 50.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// How many rules to leave out before; absent: none.
    #[serde(default)]
    pub offset: Option<u32>,
}

impl TypedBody for AskWhatCan {
    fn check(&self) -> Result<(), InvalidBody> {
        check_limit(self.limit)?;
        self.subject.as_ref().map_or(Ok(()), AskedSubject::check)
    }
}

/// What somebody may do: the rules by which, and what their roles allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhatCan {
    /// About whom, and by which groups.
    pub subject: JudgedSubject,
    /// Whether these are all. See the same of `explain`.
    pub complete: bool,
    /// How far the answer had followed the account's changes; null for who may not read all access rules.
    pub revision: Option<i64>,
    /// How many rules there are in all.
    pub total_records: usize,
    /// The offset of the next page; null after the last.
    pub next: Option<usize>,
    /// The rules of this page, by their ids. Each reaches everything below its scope.
    pub rules: Vec<RuleRef>,
    /// The roles that they give, each once, by id.
    pub roles: Vec<RolePermissions>,
}

/// A role, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolePermissions {
    /// The role, by id.
    pub role_id: i64,
    /// The role, by name.
    pub role_name: String,
    /// What it allows.
    pub permissions: Vec<Actions>,
}

/// What may be done to one type of resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Actions {
    /// The type of resource.
    pub resource_type: ResourceType,
    /// What may be done, at least one.
    pub actions: Vec<ActionName>,
}

/// `POST /api/v1/authorization/preview`: what is to be changed. Whoever may make the changes may ask.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "addRules": [{"subjectType": "user", "subjectId": "erin@example.com", "roleId": 5, "scopeType": "project", "scopeId": "33"}]
}))]
pub struct AskPreview {
    /// Access rules that would be made; at most 100.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub add_rules: Vec<CreateAccessRule>,
    /// Access rules that would be deleted; at most 100.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub remove_rules: Vec<AccessRuleId>,
    /// Users whom their identity provider would put into other groups; at most 100. Only for who may read users.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub groups: Vec<GroupsChange>,
}

impl TypedBody for AskPreview {
    fn check(&self) -> Result<(), InvalidBody> {
        let lengths = [
            ("addRules", self.add_rules.len()),
            ("removeRules", self.remove_rules.len()),
            ("groups", self.groups.len()),
        ];
        for (name, length) in lengths {
            if length > MOST_CHANGES {
                return Err(InvalidBody::wrong(name, "at most 100 are possible"));
            }
        }
        if lengths.iter().all(|(_, length)| *length == 0) {
            return Err(InvalidBody::Missing {
                path: "addRules".to_owned(),
            });
        }
        Ok(())
    }
}

/// A user who would be in other groups.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupsChange {
    /// The user's email or id. At most 255 bytes.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub user: String,
    /// Groups that the user would come into.
    #[serde(default)]
    pub join: Vec<GroupName>,
    /// Groups that the user would go out of.
    #[serde(default)]
    pub leave: Vec<GroupName>,
}

/// What a change would give and take, exactly: every permission of everybody it is about, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Whether all rules and all groups were looked at. False for who may not read all access rules and users of the account:
    /// rules out of sight count for nothing, and the members of groups are not listed.
    pub complete: bool,
    /// How far the answer had followed the account's changes; null for who may not read all access rules.
    pub revision: Option<i64>,
    /// What somebody could do after it and not before.
    pub gained: Vec<Reach>,
    /// What somebody could do before it and not after.
    pub lost: Vec<Reach>,
}

/// Permissions of some subjects in a scope and in everything below it, but in some parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// Whose: those whom the change names, and users with an open session in a group that it names.
    pub subjects: Vec<SubjectRef>,
    /// Where, with everything below.
    pub scope: ScopeRef,
    /// What is left out below it, each with everything below: there nothing changes for them.
    pub except: Vec<ScopeRef>,
    /// What may be done.
    pub permissions: Vec<Actions>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body as _;

    #[test]
    fn what_is_asked_has_bounds_and_asks_for_something() {
        let said = |body: serde_json::Value| {
            let text = body.to_string();
            AskPreview::parse(text.as_bytes()).unwrap_err().to_string()
        };
        assert_eq!(said(serde_json::json!({})), "`addRules` is missing");
        let many = vec![1; 101];
        assert_eq!(
            said(serde_json::json!({"removeRules": many})),
            "`removeRules`: at most 100 are possible"
        );
        let ask = |limit: i64| {
            let text = serde_json::json!({"limit": limit}).to_string();
            AskWhatCan::parse(text.as_bytes()).map_err(|error| error.to_string())
        };
        assert!(ask(500).is_ok());
        for wrong in [0, 501] {
            assert_eq!(
                ask(wrong).unwrap_err(),
                "`limit`: a whole number from 1 to 500 is needed"
            );
        }
        let group = br#"{"subject":{"subjectType":"group","subjectId":"a","groups":["b"]}}"#;
        assert_eq!(
            AskWhatCan::parse(group).unwrap_err().to_string(),
            "`subject.groups`: only users are in groups"
        );
    }
}
