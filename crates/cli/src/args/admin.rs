//! Arguments of the commands for administrators: users, departments, access rules, applications; and of access keys.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use reeve_types::{
    AccessKeyName, AccessRuleId, ClusterId, ClusterName, DepartmentId, Email, Gid, GroupName, IdpAlias,
    OrgUnitName, ServiceAccountName, Uid,
};

use super::auth::rule;
use super::{Names, Place, Whom};

/// `reeve user`
#[derive(Debug, Subcommand)]
pub enum User {
    /// List users
    List,
    /// Show a user
    Get(OneUser),
    /// Make a local user, and show the password once: a temporary one, with which another has to be chosen
    Create(CreateUser),
    /// Delete a user, with sessions and access rules
    Delete(OneUser),
    /// Take away all that a user has, workloads too if asked, and say what is left
    Offboard(OffboardUser),
}

/// `reeve user get`, `reeve user delete`
#[derive(Debug, Args)]
pub struct OneUser {
    /// The email
    #[arg(value_name = "EMAIL")]
    pub email: Email,
}

/// `reeve user offboard`
#[derive(Debug, Args)]
pub struct OffboardUser {
    /// The email, also of somebody who was deleted before
    #[arg(value_name = "EMAIL")]
    pub email: Email,
    /// What becomes of the workloads that the user submitted
    #[arg(long, value_enum)]
    pub workloads: Workloads,
    /// What becomes of the credentials that the user made, which are named either way
    #[arg(long, value_enum, default_value_t = Workloads::Leave)]
    pub credentials: Workloads,
    /// Whether to do it.
    #[command(flatten)]
    pub sure: Sure,
}

/// Whether something is done that cannot be undone.
#[derive(Debug, Clone, Copy, Args)]
pub struct Sure {
    /// Only say what would be done
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Do it; without this what would be done is shown and nothing done
    #[arg(short, long)]
    pub yes: bool,
}

/// `reeve application offboard`
#[derive(Debug, Args)]
pub struct OffboardApplication {
    /// Its name, also of one that was deleted before
    #[arg(value_name = "NAME")]
    pub name: ServiceAccountName,
    /// What becomes of the workloads that the application submitted
    #[arg(long, value_enum)]
    pub workloads: Workloads,
    /// What becomes of the credentials that the application made, which are named either way
    #[arg(long, value_enum, default_value_t = Workloads::Leave)]
    pub credentials: Workloads,
    /// Whether to do it.
    #[command(flatten)]
    pub sure: Sure,
}

/// `reeve group`
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Take away all access rules that name a group, and say what is left; its members stay
    Offboard(OffboardGroup),
}

/// `reeve group offboard`
#[derive(Debug, Args)]
pub struct OffboardGroup {
    /// The group's name, as access rules have it
    #[arg(value_name = "NAME")]
    pub name: GroupName,
    /// Whether to do it.
    #[command(flatten)]
    pub sure: Sure,
}

/// What becomes of somebody's workloads or credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workloads {
    /// They are deleted.
    Delete,
    /// They stay and go on.
    Leave,
}

/// `reeve user create`
#[derive(Debug, Args)]
pub struct CreateUser {
    /// The email, which is the user name
    #[arg(value_name = "EMAIL")]
    pub email: Email,
    /// The uid that the user's containers run with
    #[arg(long, requires = "gid")]
    pub uid: Option<Uid>,
    /// The gid
    #[arg(long, requires = "uid")]
    pub gid: Option<Gid>,
    /// Supplementary gids, separated by commas
    #[arg(long, value_name = "GIDS", requires = "uid")]
    pub groups: Option<Names<Gid>>,
    /// The password that is shown stays; without this it is temporary: with it another one has to be chosen first
    #[arg(long)]
    pub keep_password: bool,
}

/// `reeve department`
#[derive(Debug, Subcommand)]
pub enum Department {
    /// List the departments you can see
    List,
    /// Show a department
    Get(OneDepartment),
    /// Make a department
    Create(CreateDepartment),
    /// Change a department's description
    Update(UpdateDepartment),
    /// Delete a department with its projects; namespaces and what runs there stay
    Delete(OneDepartment),
}

/// `reeve department get`, `reeve department delete`
#[derive(Debug, Args)]
pub struct OneDepartment {
    /// Its name, or its number where several clusters have the name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `reeve department create`
#[derive(Debug, Args)]
pub struct CreateDepartment {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: OrgUnitName,
    /// The cluster; absent: the only one you can see
    #[arg(long, value_name = "ID")]
    pub cluster: Option<ClusterId>,
    /// For people
    #[arg(long)]
    pub description: Option<String>,
}

/// `reeve department update`
#[derive(Debug, Args)]
pub struct UpdateDepartment {
    /// Its name, or its number where several clusters have the name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// For people; `""` removes it
    #[arg(long)]
    pub description: String,
}

/// `reeve project update`
#[derive(Debug, Args)]
pub struct UpdateProject {
    /// The project
    #[arg(value_name = "NAME")]
    pub name: OrgUnitName,
    /// For people; `""` removes it
    #[arg(long)]
    pub description: String,
}

/// `reeve project get`, `reeve project delete`
#[derive(Debug, Args)]
pub struct OneProject {
    /// The project
    #[arg(value_name = "NAME")]
    pub name: OrgUnitName,
}

/// `reeve project create`
#[derive(Debug, Args)]
pub struct CreateProject {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: OrgUnitName,
    /// Its department, by name or number; absent: the department `default`
    #[arg(long, value_name = "NAME")]
    pub department: Option<String>,
    /// The cluster; absent: the department's, or the only one you can see
    #[arg(long, value_name = "ID")]
    pub cluster: Option<ClusterId>,
    /// The namespace to make or adopt; absent: the installation's prefix and the name
    #[arg(long)]
    pub namespace: Option<String>,
    /// For people
    #[arg(long)]
    pub description: Option<String>,
}

/// `reeve cluster rename`
#[derive(Debug, Args)]
pub struct RenameCluster {
    /// Its name or id
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it is called from now on
    #[arg(value_name = "NEW_NAME")]
    pub new_name: ClusterName,
}

/// `reeve settings`
#[derive(Debug, Subcommand)]
pub enum SignInSettings {
    /// Show the settings of signing in with a browser
    List,
    /// Send everybody who comes to the sign-in page to one identity provider at once
    AutoRedirect(AutoRedirect),
    /// Set where signing out in a browser ends
    LogoutRedirect(LogoutRedirect),
    /// Let devices be signed in by a person with a browser elsewhere (`reeve login device`)
    DeviceAuthorization(DeviceAuthorization),
}

/// `reeve settings device-authorization`
#[derive(Debug, Args)]
pub struct DeviceAuthorization {
    /// Let no device be signed in; what waits gets nothing
    #[arg(long)]
    pub off: bool,
}

/// `reeve settings auto-redirect`
#[derive(Debug, Args)]
pub struct AutoRedirect {
    /// The provider's alias
    #[arg(value_name = "ALIAS", required_unless_present = "off")]
    pub alias: Option<IdpAlias>,
    /// Show the sign-in page to everybody
    #[arg(long, conflicts_with = "alias")]
    pub off: bool,
}

/// `reeve settings logout-redirect`
#[derive(Debug, Args)]
pub struct LogoutRedirect {
    /// An address with https
    #[arg(value_name = "ADDRESS", required_unless_present = "off")]
    pub address: Option<String>,
    /// End on the control plane's own page
    #[arg(long, conflicts_with = "address")]
    pub off: bool,
}

/// `reeve cluster get`, `reeve cluster delete`
#[derive(Debug, Args)]
pub struct OneCluster {
    /// Its name or id
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `reeve access-rule`
#[derive(Debug, Subcommand)]
pub enum AccessRule {
    /// List the access rules you can see
    List(ListAccessRules),
    /// Show an access rule
    Get(OneAccessRule),
    /// Give somebody a role in a scope and in everything below it
    Create(CreateAccessRule),
    /// Delete access rules
    Delete(DeleteAccessRules),
}

/// `reeve access-rule list`
#[derive(Debug, Default, Args)]
pub struct ListAccessRules {
    /// Whose.
    #[command(flatten)]
    pub whom: Whom,
    /// Only those of exactly this scope.
    #[command(flatten)]
    pub place: Place,
    /// Only those that give this role, by name or number
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
}

/// `reeve access-rule get`
#[derive(Debug, Args)]
pub struct OneAccessRule {
    /// Its number
    #[arg(value_name = "ID", value_parser = rule)]
    pub id: AccessRuleId,
}

/// `reeve access-rule create`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").args(["user", "group", "service_account"]).required(true))]
#[command(group = ArgGroup::new("where").args(["account", "in_project", "department", "cluster"]).required(true))]
pub struct CreateAccessRule {
    /// Whom.
    #[command(flatten)]
    pub whom: Whom,
    /// The role, by name or number
    #[arg(long, value_name = "ROLE")]
    pub role: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// In the whole account
    #[arg(long)]
    pub account: bool,
}

/// `reeve access-rule delete`
#[derive(Debug, Args)]
pub struct DeleteAccessRules {
    /// Their numbers
    #[arg(required = true, value_name = "ID", value_parser = rule)]
    pub ids: Vec<AccessRuleId>,
}

/// `reeve audit`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List who did what to what, oldest first: of the last day, unless you say since when
    List(ListAudit),
}

/// `reeve audit list`
#[derive(Debug, Args)]
pub struct ListAudit {
    /// From this moment on, as `2026-01-31T12:00:00Z`, or a date
    #[arg(long, value_name = "MOMENT")]
    pub since: Option<String>,
    /// Up to this moment
    #[arg(long, value_name = "MOMENT")]
    pub until: Option<String>,
    /// Only events that match, as `subject==erin@example.com` or `entity_type=@rule`; all that are given must hold
    #[arg(long, value_name = "FILTER")]
    pub filter: Vec<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: usize,
}

/// `reeve application`
#[derive(Debug, Subcommand)]
pub enum Application {
    /// List applications, which are service accounts
    List,
    /// Show an application
    Get(OneApplication),
    /// Make an application, and show its secret once
    Create(OneApplication),
    /// Delete an application, with its access rules; its tokens are worth nothing at once
    Delete(OneApplication),
    /// Take away all that an application has, workloads too if asked, and say what is left
    Offboard(OffboardApplication),
}

/// `reeve application get`, `create` and `delete`
#[derive(Debug, Args)]
pub struct OneApplication {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: ServiceAccountName,
}

/// `reeve access-key`
#[derive(Debug, Subcommand)]
pub enum AccessKeys {
    /// List your access keys
    List,
    /// Make an access key, and show its secret once
    Create(OneAccessKey),
    /// Give an access key a new secret, shown once; the old one and its tokens are worth nothing at once
    Regenerate(OneAccessKey),
    /// Delete an access key; its tokens are worth nothing at once
    Delete(OneAccessKey),
}

/// `reeve access-key create`, `regenerate` and `delete`
#[derive(Debug, Args)]
pub struct OneAccessKey {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: AccessKeyName,
}

/// `reeve apply`
#[derive(Debug, Args)]
pub struct Apply {
    /// YAML or JSON with departments, projects, users and access rules
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// Do it; without this the plan is shown and nothing done
    #[arg(short, long)]
    pub yes: bool,
}

/// A department that was named by its number.
pub fn department_number(name: &str) -> Option<DepartmentId> {
    name.parse().ok()
}
