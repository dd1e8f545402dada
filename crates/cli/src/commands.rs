//! The commands, one file each.

mod attach;
mod bash;
mod cluster;
mod credential;
mod delete;
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
mod pod;
mod policy;
mod port_forward;
mod project;
mod session;
mod submit;
mod uid;
mod whoami;

use crate::Context;
use crate::args::{
    Cluster, Command, Config, Format, Idp, Kubeconfig, Listed, Login, LoginWay, Project, Training, Uids,
    Works,
};
use crate::failure::Failure;

/// Runs a command.
///
/// # Errors
/// [`Failure`], which says everything.
pub async fn run(context: &mut Context, command: Command) -> Result<(), Failure> {
    // Before anything is done of which the answer could not be printed.
    if matches!(context.printer.format(), Format::Yaml | Format::Html)
        && !matches!(command, Command::Cluster(Cluster::Permissions(_)))
    {
        return Err(Failure::failed("cannot print yaml or html").hint("use -o table or -o json"));
    }
    match command {
        Command::Login(Login { way, browser }) => match way {
            None => login::browser::run(context, browser).await,
            Some(LoginWay::User(arguments)) => login::user::run(context, arguments).await,
            Some(LoginWay::Sso(arguments)) => login::remote::run(context, arguments).await,
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
        Command::Credential(command) => credential::run(context, command).await,
        Command::Uid(Uids::Release(arguments)) => uid::release::run(context, arguments).await,
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
