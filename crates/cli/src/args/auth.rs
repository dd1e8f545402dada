//! Arguments of `reeve auth`.

use clap::{Args, Subcommand};
use reeve_api::authorization::{ActionName, ResourceType};
use reeve_types::{AccessRuleId, ClusterId, DepartmentId, Email, GroupName, OrgUnitName, ServiceAccountName};

use super::Names;

/// `reeve auth`
#[derive(Debug, Subcommand)]
pub enum Auth {
    /// Show why somebody may do something, or what is missing and who could grant it
    Why(Question),
    /// End with exit code 0 where somebody may do something, and with 1 where not
    Check(Question),
    /// Show by which access rules anybody may do something
    WhoCan(WhoCan),
    /// Show the access rules of somebody, and what their roles allow
    WhatCan(WhatCan),
    /// Show who would gain and lose what by a change of access rules or groups; nothing is changed
    Preview(Box<PreviewChange>),
}

/// A permission: `trainings:create`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionWord {
    /// To what.
    pub resource_type: ResourceType,
    /// What is done.
    pub action: ActionName,
}

impl std::str::FromStr for PermissionWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let needed = || "a type of resource and an action are needed, like trainings:create".to_owned();
        let (resource_type, action) = text.split_once(':').ok_or_else(needed)?;
        Ok(Self {
            resource_type: resource_type.parse().map_err(|_| {
                format!("`{resource_type}` is no type of resource; `reeve auth what-can` shows yours")
            })?,
            action: action
                .parse()
                .map_err(|error: <ActionName as std::str::FromStr>::Err| error.to_string())?,
        })
    }
}

/// Where: without any of these in the whole account
#[derive(Debug, Default, Args)]
pub struct Place {
    // Not called `project`: the project that was chosen for commands about workloads is not meant.
    /// In a project
    #[arg(
        id = "in_project",
        short = 'p',
        long = "project",
        value_name = "PROJECT",
        conflicts_with_all = ["department", "cluster"]
    )]
    pub project: Option<OrgUnitName>,
    /// In a department
    #[arg(long, value_name = "ID", conflicts_with = "cluster")]
    pub department: Option<DepartmentId>,
    /// In a cluster
    #[arg(long, value_name = "ID")]
    pub cluster: Option<ClusterId>,
}

/// Who: without any of these yourself
#[derive(Debug, Default, Args)]
pub struct Whom {
    /// A user
    #[arg(long, value_name = "EMAIL", conflicts_with_all = ["group", "service_account"])]
    pub user: Option<Email>,
    /// A group
    #[arg(long, value_name = "NAME", conflicts_with = "service_account")]
    pub group: Option<GroupName>,
    /// A service account
    #[arg(long, value_name = "NAME")]
    pub service_account: Option<ServiceAccountName>,
}

/// `reeve auth why`, `reeve auth check`
#[derive(Debug, Args)]
pub struct Question {
    /// What is to be done, like `trainings:create`
    #[arg(value_name = "PERMISSION")]
    pub permission: PermissionWord,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// Groups to assume that the user is in, instead of those of the open sessions
    #[arg(long, value_name = "GROUPS", requires = "user")]
    pub in_groups: Option<Names<GroupName>>,
}

/// `reeve auth who-can`
#[derive(Debug, Args)]
pub struct WhoCan {
    /// What is to be done, like `trainings:create`
    #[arg(value_name = "PERMISSION")]
    pub permission: PermissionWord,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `reeve auth what-can`
#[derive(Debug, Args)]
pub struct WhatCan {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// Groups to assume that the user is in, instead of those of the open sessions
    #[arg(long, value_name = "GROUPS", requires = "user")]
    pub in_groups: Option<Names<GroupName>>,
}

/// `reeve auth preview`: an access rule more (a subject, `--role` and where), rules less (`--remove`), a user in other groups
/// (`--user` with `--join` and `--leave`), or all of it
#[derive(Debug, Args)]
pub struct PreviewChange {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// The role that an access rule would give, by name or number
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// An access rule that would be deleted; again for others
    #[arg(long, value_name = "ID", value_parser = rule)]
    pub remove: Vec<AccessRuleId>,
    /// A group that the user would come into; again for others
    #[arg(long, value_name = "GROUP", requires = "user")]
    pub join: Vec<GroupName>,
    /// A group that the user would go out of; again for others
    #[arg(long, value_name = "GROUP", requires = "user")]
    pub leave: Vec<GroupName>,
}

/// The number of an access rule.
pub(super) fn rule(text: &str) -> Result<AccessRuleId, &'static str> {
    text.parse().map_err(|_| "the number of an access rule is needed")
}
