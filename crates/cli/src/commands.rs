//! The commands, one file each.

mod access_key;
mod access_rule;
mod application;
mod apply;
mod attach;
mod audit;
mod auth;
mod authenticator;
mod bash;
mod cluster;
mod credential;
mod delete;
mod department;
mod describe;
mod exec;
mod find;
mod idp;
mod kubeconfig;
mod kubernetes_token;
mod list;
mod login;
mod logout;
mod logs;
mod objects;
mod offboarding;
mod passkey;
mod pod;
mod policy;
mod port_forward;
mod project;
mod role;
mod secret_asset;
mod serving;
mod session;
mod settings;
mod submit;
mod uid;
mod user;
mod whoami;

use crate::Context;
use crate::args::{
    AccessKeys, Application, Artifact, Cluster, Command, Config, Format, Group, Idp, Kubeconfig, Listed,
    Login, LoginWay, Model, Project, Service, Training, Uids, User, Works,
};
use crate::failure::Failure;

/// Runs a command.
///
/// # Errors
/// [`Failure`], which says everything.
pub async fn run(context: &mut Context, command: Command) -> Result<(), Failure> {
    // Before anything is done of which the answer could not be printed.
    let format = context.printer.format();
    if format == Format::Html && !matches!(command, Command::Cluster(Cluster::Permissions(_))) {
        return Err(Failure::failed("cannot print html").hint("use -o table, -o json or -o yaml"));
    }
    if format == Format::Name && !prints_names(&command) {
        return Err(Failure::failed("cannot print names").hint("use -o table, -o json or -o yaml"));
    }
    let has_more = matches!(
        command,
        Command::Model(_)
            | Command::Service(_)
            | Command::Artifact(_)
            | Command::User(User::List | User::Get(_))
    );
    if format == Format::Wide && !has_more {
        return Err(Failure::failed("cannot print more columns").hint("use -o table, -o json or -o yaml"));
    }
    match command {
        Command::Login(Login { way, browser }) => match way {
            None => login::browser::run(context, browser).await,
            Some(LoginWay::User(arguments)) => login::user::run(context, arguments).await,
            Some(LoginWay::Sso(arguments)) => login::remote::run(context, arguments).await,
            Some(LoginWay::Device(arguments)) => login::device::run(context, arguments).await,
        },
        Command::Logout => logout::run(context).await,
        Command::Whoami => whoami::run(context).await,
        Command::Project(Project::List) => project::list::run(context).await,
        Command::Project(Project::Adopt(arguments)) => project::adopt::run(context, arguments).await,
        Command::Project(Project::AllowNetworking(arguments)) => {
            project::allow_networking::run(context, arguments).await
        }
        Command::Project(Project::PodRules(arguments)) => project::pod_rules::run(context, *arguments).await,
        Command::Cluster(Cluster::List) => cluster::list::run(context).await,
        Command::Cluster(Cluster::Create(arguments)) => cluster::create::run(context, arguments).await,
        Command::Cluster(Cluster::InstallInfo(arguments)) => {
            cluster::install_info::run(context, arguments).await
        }
        Command::Cluster(Cluster::WithdrawSecret(arguments)) => {
            cluster::withdraw_secret::run(context, arguments).await
        }
        Command::Project(Project::Get(one)) => project::objects::get(context, one).await,
        Command::Project(Project::Create(arguments)) => project::objects::create(context, arguments).await,
        Command::Project(Project::Update(arguments)) => project::objects::update(context, arguments).await,
        Command::Project(Project::Delete(one)) => project::objects::delete(context, one).await,
        Command::Cluster(Cluster::Get(one)) => cluster::objects::get(context, one).await,
        Command::Cluster(Cluster::Rename(arguments)) => cluster::objects::rename(context, arguments).await,
        Command::Cluster(Cluster::Delete(one)) => cluster::objects::delete(context, one).await,
        Command::User(command) => user::run(context, command).await,
        Command::Department(command) => department::run(context, command).await,
        Command::AccessRule(command) => access_rule::run(context, command).await,
        Command::Role(command) => role::run(context, command).await,
        Command::Audit(command) => audit::run(context, command).await,
        Command::Application(command) => application::run(context, command).await,
        Command::Group(Group::Offboard(arguments)) => offboarding::group(context, arguments).await,
        Command::AccessKey(command) => access_key::run(context, command).await,
        Command::Authenticator(command) => authenticator::run(context, command).await,
        Command::Passkey(command) => passkey::run(context, command).await,
        Command::Apply(arguments) => apply::run(context, arguments).await,
        Command::Auth(command) => auth::run(context, command).await,
        Command::Policy(command) => policy::run(context, command).await,
        Command::Cluster(Cluster::NewSecret(arguments)) => cluster::new_secret::run(context, arguments).await,
        Command::Cluster(Cluster::SetEndpoint(arguments)) => {
            cluster::set_endpoint::run(context, arguments).await
        }
        Command::Cluster(Cluster::SetLowestId(arguments)) => {
            cluster::set_lowest_id::run(context, arguments).await
        }
        Command::Cluster(Cluster::Permissions(arguments)) => cluster::permissions::run(context, &arguments),
        Command::Cluster(Cluster::Bindings(arguments)) => cluster::bindings::run(context, &arguments),
        Command::Idp(Idp::Test(arguments)) => idp::test::run(context, arguments).await,
        Command::Settings(command) => settings::run(context, command).await,
        Command::Credential(command) => credential::run(context, command).await,
        Command::SecretAsset(command) => secret_asset::run(context, command).await,
        Command::Uid(Uids::Release(arguments)) => uid::release::run(context, arguments).await,
        Command::Service(command) => serving::service(context, command).await,
        Command::Model(command) => serving::model(context, command).await,
        Command::Artifact(command) => serving::artifact(context, command).await,
        Command::Works(works)
        | Command::Workload(works)
        | Command::Training(Training::Works(works) | Training::Standard(works)) => work(context, works).await,
        Command::Config(Config::Project(arguments)) | Command::Project(Project::Set(arguments)) => {
            project::set::run(context, arguments).await
        }
        Command::Kubeconfig(Kubeconfig::Set(arguments)) => kubeconfig::set::run(context, arguments).await,
        Command::KubernetesToken(arguments) => kubernetes_token::run(context, arguments).await,
    }
}

/// Whether a command is about objects with a name, and shows nothing that is shown once.
const fn prints_names(command: &Command) -> bool {
    match command {
        Command::User(command) => !matches!(command, User::Create(_) | User::Offboard(_)),
        Command::Application(command) => {
            !matches!(command, Application::Create(_) | Application::Offboard(_))
        }
        Command::AccessKey(command) => matches!(command, AccessKeys::List | AccessKeys::Delete(_)),
        Command::Service(Service::Logs(_))
        | Command::Model(Model::Logs(_))
        | Command::Artifact(Artifact::Logs(_)) => false,
        Command::Department(_)
        | Command::AccessRule(_)
        | Command::Role(_)
        | Command::SecretAsset(_)
        | Command::Service(_)
        | Command::Model(_)
        | Command::Artifact(_)
        | Command::Audit(_) => true,
        Command::Project(command) => matches!(
            command,
            Project::List | Project::Get(_) | Project::Create(_) | Project::Update(_) | Project::Delete(_)
        ),
        Command::Cluster(command) => {
            matches!(command, Cluster::List | Cluster::Get(_) | Cluster::Delete(_))
        }
        _ => false,
    }
}

async fn work(context: &mut Context, works: Works) -> Result<(), Failure> {
    match works {
        Works::Submit(arguments) => submit::run(context, *arguments).await,
        Works::List(arguments) if arguments.kind == Listed::Projects => project::list::run(context).await,
        Works::List(arguments) => list::run(context, arguments).await,
        Works::Describe(arguments) => describe::run(context, arguments).await,
        Works::Logs(arguments) => logs::run(context, arguments).await,
        Works::Exec(arguments) => exec::run(context, arguments).await,
        Works::Bash(arguments) => bash::run(context, arguments).await,
        Works::Attach(arguments) => attach::run(context, arguments).await,
        Works::PortForward(arguments) => port_forward::run(context, arguments).await,
        Works::Delete(arguments) => delete::run(context, arguments).await,
    }
}
