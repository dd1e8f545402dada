//! The arguments.

mod admin;
mod adopting;
mod auth;
mod by_kubeconfig;
mod cluster;
mod credential;
mod job;
mod login;
mod role;
mod running;
mod secret_asset;
mod serving;
mod submitting;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use reeve_types::{
    ClusterId, IdpAlias, NodePoolName, OrgUnitName, PodSecurity, PolicyKind, PriorityClassName, SecondWriter,
    TaintKey, WorkloadName,
};

pub use admin::{
    AccessKeys, AccessRule, Application, Apply, Audit, AutoRedirect, CreateAccessRule, CreateDepartment,
    CreateProject, CreateUser, DeleteAccessRules, Department, DeviceAuthorization, Group, ListAccessRules,
    ListAudit, LogoutRedirect, OffboardApplication, OffboardGroup, OffboardUser, OneAccessKey, OneAccessRule,
    OneApplication, OneCluster, OneDepartment, OneProject, OneUser, RenameCluster, SignInSettings, Sure,
    UpdateDepartment, UpdateProject, User, Workloads, department_number,
};
pub use adopting::Adopt;
pub use auth::{Auth, PermissionWord, Place, PreviewChange, Question, WhatCan, WhoCan, Whom};
pub use by_kubeconfig::ByKubeconfig;
pub use cluster::{
    Bindings, Cluster, CreateCluster, InstallInfo, NewSecret, Permissions, Platform, ReleaseUid, SetEndpoint,
    SetLowestId, Switched, Uids,
};
pub use credential::{
    AssetPlace, CreateCredential, Credential, CredentialInput, CredentialScope, ListCredentials,
    OneCredential, UpdateCredential,
};
pub use login::{
    At, Authenticator, CodeArgument, Login, LoginBrowser, LoginRemote, LoginUser, LoginWay, OnePasskey,
    Passkeys,
};
pub use role::{CreateRole, OneRole, Role, UpdateRole};
pub use running::{Attach, Bash, Container, Exec, Forward, Logs, PortForward, Target};
pub use secret_asset::{CreateSecretAsset, OneSecretAsset, SecretAsset, UpdateSecretAsset};
pub use serving::{
    Artifact, CachingWord, CreateArtifact, CreateModel, CreateService, DeleteModels, DeleteServed,
    FromSecret, Gateway, Goal, ListServed, LogPart, LogsOfModel, LogsOfServed, MetricWord, Model, OneModel,
    OneServed, Patience, PatienceWithFailures, PrecisionWord, Service, Until, Variables, WaitForModel,
    WaitForServed, Within,
};
pub use submitting::Submit;

/// Who may run what, where and as whom, from the command line.
#[derive(Debug, Parser)]
#[command(name = "reeve", version, max_term_width = 110)]
pub struct Cli {
    /// Where settings are kept
    #[arg(
        long,
        env = "REEVE_CONFIG_DIR",
        global = true,
        value_name = "DIR",
        hide_env_values = true
    )]
    pub config_dir: Option<PathBuf>,

    /// How answers are printed
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub output: Format,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// With more columns; of lists that have some.
    Wide,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
    /// Kind and name of each object; of commands about objects that have one.
    Name,
    /// A page for a browser; of `cluster permissions` only.
    #[value(hide = true)]
    Html,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in, with a browser or another way
    Login(Login),
    /// End the session and forget the sign-in
    Logout,
    /// Show who you are to the control plane
    Whoami,
    /// Projects
    #[command(subcommand)]
    Project(Project),
    /// Users; for administrators of the account
    #[command(subcommand)]
    User(User),
    /// Departments
    #[command(subcommand)]
    Department(Department),
    /// Access rules: who has which role where
    #[command(subcommand)]
    AccessRule(AccessRule),
    /// Roles
    #[command(subcommand)]
    Role(Role),
    /// The audit log; for administrators of the account
    #[command(subcommand)]
    Audit(Audit),
    /// Applications: service accounts for programs
    #[command(subcommand, visible_alias = "service-account")]
    Application(Application),
    /// Groups of identity providers; for administrators of the account
    #[command(subcommand)]
    Group(Group),
    /// Access keys: secrets with which programs act as you
    #[command(subcommand)]
    AccessKey(AccessKeys),
    /// Your authenticator: one-time codes beside a local user's password
    #[command(subcommand)]
    Authenticator(Authenticator),
    /// Your passkeys, with which you sign in without a password; they are made in a browser, on the page of your account
    #[command(subcommand)]
    Passkey(Passkeys),
    /// Make the departments, projects, users and access rules of a file that are not there yet, and change what differs
    Apply(Apply),
    /// Questions about access: who may do what where, why, and what a change would give and take
    #[command(subcommand)]
    Auth(Auth),
    /// Workload policies: defaults and rules of what may run
    #[command(subcommand)]
    Policy(Policy),
    /// Clusters; for their administrators
    #[command(subcommand)]
    Cluster(Cluster),
    /// Identity providers; for administrators of the account
    #[command(subcommand)]
    Idp(Idp),
    /// Settings of signing in with a browser; for administrators of the account
    #[command(subcommand)]
    Settings(SignInSettings),
    /// Credentials that the control plane keeps and copies into projects
    #[command(subcommand)]
    Credential(Credential),
    /// Credentials as sources of data, with the path where workloads find them
    #[command(subcommand)]
    SecretAsset(SecretAsset),
    /// Numbers that were given to people; for administrators of the account
    #[command(subcommand)]
    Uid(Uids),
    /// Models that can be served
    #[command(subcommand)]
    Model(Model),
    /// Models that are served
    #[command(subcommand)]
    Service(Service),
    /// Stored files of models
    #[command(subcommand)]
    Artifact(Artifact),
    /// What to do with workloads.
    #[command(flatten)]
    Works(Works),
    /// Settings of this command line
    #[command(subcommand)]
    Config(Config),
    /// The commands for workloads, where the reference has them
    #[command(subcommand, hide = true)]
    Training(Training),
    /// The same, without `submit` in the reference
    #[command(subcommand, hide = true)]
    Workload(Works),
    /// Access to clusters with kubectl
    #[command(subcommand)]
    Kubeconfig(Kubeconfig),
    /// Answer kubectl with a fresh token (written into kubeconfigs by `kubeconfig set`)
    #[command(hide = true)]
    KubernetesToken(KubernetesToken),
}

/// `reeve idp`
#[derive(Debug, Subcommand)]
pub enum Idp {
    /// Walk through an identity provider's set-up, step by step, and say what to do
    Test(TestIdp),
}

/// `reeve idp test`
#[derive(Debug, Args)]
pub struct TestIdp {
    /// Its alias
    pub alias: IdpAlias,
}

/// What to do with workloads.
#[derive(Debug, Subcommand)]
pub enum Works {
    /// Submit a training
    Submit(Box<Submit>),
    /// List workloads
    List(List),
    /// Show how a workload stands and what it was submitted with
    Describe(Describe),
    /// Show what a workload's container prints
    Logs(Logs),
    /// Run a command in a workload's container
    Exec(Exec),
    /// Open a shell in a workload's container
    Bash(Bash),
    /// Join the main process of a workload's container
    Attach(Attach),
    /// Reach ports of a workload's pod from this machine
    PortForward(PortForward),
    /// Delete workloads
    Delete(Delete),
}

/// `reeve training`: the reference groups what one does with trainings.
#[derive(Debug, Subcommand)]
pub enum Training {
    /// The same as without the group.
    #[command(flatten)]
    Works(Works),
    /// Trainings that are not distributed, which all are
    #[command(subcommand)]
    Standard(Works),
}

/// `reeve config`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Choose the project that commands mean when they name none
    Project(DefaultProject),
}

/// `reeve config project`, `reeve project set`
#[derive(Debug, Args)]
pub struct DefaultProject {
    /// The project
    pub name: OrgUnitName,
}

/// `reeve project`
#[derive(Debug, Subcommand)]
pub enum Project {
    /// List the projects you can see
    List,
    /// Show a project
    Get(OneProject),
    /// Make a project
    Create(CreateProject),
    /// Change a project's description
    Update(UpdateProject),
    /// Delete a project; its namespace and what runs there stay
    Delete(OneProject),
    /// Choose the project that commands mean when they name none
    Set(DefaultProject),
    /// Report on an existing namespace and make it a project's; run by the cluster's installers
    Adopt(Adopt),
    /// Allow the people of a project to write Ingresses and NetworkPolicies, or take it away
    AllowNetworking(AllowNetworking),
    /// Show or decide what the pods of a project may do: node pools, priorities, tolerations, second writers, Pod Security
    PodRules(Box<ProjectPodRules>),
}

/// `reeve policy`
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// List the policies you can see
    List,
    /// Show the policy of a scope, and what holds there
    #[command(visible_alias = "get")]
    Describe(PolicyOf),
    /// Write the policy of a scope, whole, from a file
    Apply(ApplyPolicy),
    /// Delete the policy of a scope
    Delete(PolicyOf),
}

/// Which policy: without a scope that of the whole account
#[derive(Debug, Args)]
pub struct PolicyOf {
    /// `training` or `workspace`
    #[arg(value_name = "KIND")]
    pub kind: KindOfPolicy,
    /// Whose
    #[command(flatten)]
    pub place: Place,
}

/// `reeve policy apply`
#[derive(Debug, Args)]
pub struct ApplyPolicy {
    /// `training` or `workspace`
    #[arg(value_name = "KIND")]
    pub kind: KindOfPolicy,
    /// YAML or JSON with `meta` and `policy`, as the REST API takes it
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// Check it, and write nothing
    #[arg(long)]
    pub validate_only: bool,
}

/// A kind of workload that has policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindOfPolicy(pub PolicyKind);

impl KindOfPolicy {
    /// Where the control plane has it.
    pub const fn path(self) -> &'static str {
        match self.0 {
            PolicyKind::Training => "/api/v2/policy/trainings",
            PolicyKind::Workspace => "/api/v2/policy/workspaces",
        }
    }
}

impl std::str::FromStr for KindOfPolicy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind = PolicyKind::from_wire(text);
        kind.map(Self).ok_or("`training` or `workspace` is needed")
    }
}

/// `reeve project pod-rules`; a list is separated by commas, and `""` is an empty one
#[derive(Debug, Args)]
pub struct ProjectPodRules {
    /// The project
    #[arg(value_name = "NAME")]
    pub name: OrgUnitName,
    /// `restricted` or `baseline`; the stricter of this and the cluster's settings holds
    #[arg(long, value_name = "LEVEL")]
    pub pod_security: Option<PodSecurity>,
    /// Node pools that pods run on; empty is every node
    #[arg(long, value_name = "POOLS")]
    pub node_pools: Option<Names<NodePoolName>>,
    /// Priority classes that pods may name; empty is none
    #[arg(long, value_name = "CLASSES")]
    pub priority_classes: Option<Names<PriorityClassName>>,
    /// Taints under node-role.kubernetes.io/ that pods may tolerate; empty is none
    #[arg(long, value_name = "KEYS")]
    pub tolerations: Option<Names<TaintKey>>,
    /// Which of the cluster's trusted second writers count here, as NAMESPACE/NAME; empty is none
    #[arg(long, value_name = "WRITERS")]
    pub trusted_mutators: Option<Names<SecondWriter>>,
    /// Decide nothing any more that this command does not name: the cluster's installers do
    #[arg(long)]
    pub forget: bool,
}

/// Names, separated by commas; none is an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names<T>(pub Vec<T>);

impl<T: std::str::FromStr> std::str::FromStr for Names<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        let words = text.split(',').filter(|_| !text.is_empty());
        words.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// `reeve project allow-networking`
#[derive(Debug, Args)]
pub struct AllowNetworking {
    /// The project
    #[arg(value_name = "NAME")]
    pub name: OrgUnitName,
    /// Take it away; what is there stays
    #[arg(long)]
    pub off: bool,
}

/// `reeve list`
#[derive(Debug, Args)]
pub struct List {
    /// What to list
    #[arg(value_enum, default_value_t, hide_default_value = true, value_name = "KIND")]
    pub kind: Listed,
    /// Of which project; absent: of all you can see
    #[arg(short, long)]
    pub project: Option<OrgUnitName>,
    /// Of all projects, although there is a default one
    #[arg(short = 'A', long, alias = "all")]
    pub all_projects: bool,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Listed {
    /// Workloads.
    #[default]
    #[value(alias = "job")]
    Jobs,
    /// Projects.
    #[value(alias = "project")]
    Projects,
}

/// `reeve describe`
#[derive(Debug, Args)]
pub struct Describe {
    /// The workload; the reference's `job` before it may be there
    #[arg(required = true, num_args = 1..=2, value_name = "[job] NAME")]
    pub words: Vec<String>,
    /// In which project
    #[arg(short, long)]
    pub project: OrgUnitName,
}

/// Names one workload.
#[derive(Debug, Args)]
pub struct Which {
    /// The workload
    pub name: WorkloadName,
    /// In which project
    #[arg(short, long)]
    pub project: OrgUnitName,
}

/// `reeve delete`
#[derive(Debug, Args)]
pub struct Delete {
    /// The workloads
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<WorkloadName>,
    /// In which project
    #[arg(short, long)]
    pub project: OrgUnitName,
}

/// `reeve kubeconfig`
#[derive(Debug, Subcommand)]
pub enum Kubeconfig {
    /// Write a cluster, yourself and a context into the kubeconfig
    Set(KubeconfigSet),
}

/// `reeve kubeconfig set`
#[derive(Debug, Args)]
pub struct KubeconfigSet {
    /// Which cluster; absent: the only one you can reach
    #[arg(long, value_name = "ID")]
    pub cluster: Option<ClusterId>,
    /// Take an address or certificate authority of the API server that differs from the one of first use
    #[arg(long)]
    pub accept_new_endpoint: bool,
    /// Into which file [default: the first of KUBECONFIG that exists, or ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The list of files that kubectl uses
    #[arg(long, env = "KUBECONFIG", hide = true, hide_env = true)]
    pub kubeconfig_list: Option<std::ffi::OsString>,
}

/// `reeve kubernetes-token`
#[derive(Debug, Args)]
pub struct KubernetesToken {
    /// For which cluster
    #[arg(long, value_name = "ID")]
    pub cluster: ClusterId,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_password_cannot_be_an_argument() {
        for words in [
            ["-p", "hunter2"],
            ["--password", "hunter2"],
            ["--password-stdin", "hunter2"],
        ] {
            let all = ["reeve", "login", "user", "-u", "a@b.co"].iter().chain(&words);
            assert!(Cli::try_parse_from(all).is_err(), "{words:?}");
        }
    }
}
