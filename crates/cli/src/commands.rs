//! The commands, one file each.

mod attach;
mod bash;
mod cluster;
mod delete;
mod exec;
mod find;
mod kubeconfig;
mod kubernetes_token;
mod list;
mod login;
mod logout;
mod logs;
mod pod;
mod port_forward;
mod project;
mod session;
mod submit;
mod whoami;

use crate::Context;
use crate::args::{Cluster, Command, Kubeconfig, Login, Project};
use crate::failure::Failure;

/// Runs a command.
///
/// # Errors
/// [`Failure`], which says everything.
pub async fn run(context: &mut Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Login(Login::User(arguments)) => login::user::run(context, arguments).await,
        Command::Logout => logout::run(context),
        Command::Whoami => whoami::run(context).await,
        Command::Project(Project::List) => project::list::run(context).await,
        Command::Project(Project::Adopt(arguments)) => project::adopt::run(context, arguments).await,
        Command::Cluster(Cluster::NewSecret(arguments)) => cluster::new_secret::run(context, arguments).await,
        Command::Cluster(Cluster::SetEndpoint(arguments)) => {
            cluster::set_endpoint::run(context, arguments).await
        }
        Command::Submit(arguments) => submit::run(context, arguments).await,
        Command::List(arguments) => list::run(context, arguments).await,
        Command::Logs(arguments) => logs::run(context, arguments).await,
        Command::Exec(arguments) => exec::run(context, arguments).await,
        Command::Bash(arguments) => bash::run(context, arguments).await,
        Command::Attach(arguments) => attach::run(context, arguments).await,
        Command::PortForward(arguments) => port_forward::run(context, arguments).await,
        Command::Delete(arguments) => delete::run(context, arguments).await,
        Command::Kubeconfig(Kubeconfig::Set(arguments)) => kubeconfig::set::run(context, arguments).await,
        Command::KubernetesToken(arguments) => kubernetes_token::run(context, arguments).await,
    }
}
