//! The arguments.

mod adopting;
mod cluster;
mod running;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use reeve_types::{ClusterId, OrgUnitName, WorkloadName};

pub use adopting::Adopt;
pub use cluster::{Cluster, NewSecret, SetEndpoint};
pub use running::{Attach, Bash, Container, Exec, Forward, Logs, PortForward, Target};

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
    /// For programs.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in
    #[command(subcommand)]
    Login(Login),
    /// Forget the sign-in
    Logout,
    /// Show who you are to the control plane
    Whoami,
    /// Projects
    #[command(subcommand)]
    Project(Project),
    /// Clusters; for their administrators
    #[command(subcommand)]
    Cluster(Cluster),
    /// Submit a training
    Submit(Submit),
    /// List workloads
    List(List),
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
    /// Delete a workload
    Delete(Delete),
    /// Access to clusters with kubectl
    #[command(subcommand)]
    Kubeconfig(Kubeconfig),
    /// Answer kubectl with a fresh token (written into kubeconfigs by `kubeconfig set`)
    #[command(hide = true)]
    KubernetesToken(KubernetesToken),
}

/// Ways to sign in.
#[derive(Debug, Subcommand)]
pub enum Login {
    /// As a local user, with a password
    User(LoginUser),
}

/// `reeve login user`
#[derive(Debug, Args)]
pub struct LoginUser {
    /// Address of the control plane; needed the first time
    #[arg(long)]
    pub url: Option<String>,
    /// Its certificate authority in PEM; absent: the one used last for this address, or the machine's
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Your email
    #[arg(short, long = "user", value_name = "EMAIL")]
    pub user: String,
    /// Read the password from standard input instead of the terminal
    #[arg(long)]
    pub password_stdin: bool,
}

/// `reeve project`
#[derive(Debug, Subcommand)]
pub enum Project {
    /// List the projects you can see
    List,
    /// Report on an existing namespace and make it a project's; run by the cluster's installers
    Adopt(Adopt),
}

/// `reeve submit`
#[derive(Debug, Args)]
pub struct Submit {
    /// Its name, unique in the project
    pub name: WorkloadName,
    /// In which project
    #[arg(short, long)]
    pub project: OrgUnitName,
    /// The container image
    #[arg(short, long)]
    pub image: String,
    /// How many GPUs
    #[arg(short, long = "gpu-devices-request", visible_alias = "gpu", value_name = "N")]
    pub gpus: Option<u32>,
    /// Run as yourself: with your uid, gid and groups
    #[arg(long)]
    pub run_as_user: bool,
    /// Forbid the container to gain privileges
    #[arg(long)]
    pub prevent_privilege_escalation: bool,
    /// Make a writable home [default: with --run-as-user]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub create_home_dir: Option<bool>,
    /// Set an environment variable; may be repeated
    #[arg(short, long = "environment", value_name = "KEY=VALUE", value_parser = variable, action = ArgAction::Append)]
    pub environment: Vec<(String, String)>,
    /// The words after `--` replace the image's entry point instead of becoming its arguments
    #[arg(short, long)]
    pub command: bool,
    /// What runs in the container
    #[arg(last = true, value_name = "WORD")]
    pub words: Vec<String>,
}

/// `reeve list`
#[derive(Debug, Args)]
pub struct List {
    /// Of which project; absent: of all you can see
    #[arg(short, long)]
    pub project: Option<OrgUnitName>,
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
    /// Which workload
    #[command(flatten)]
    pub which: Which,
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

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // The text is not repeated by us: it may be a value without its name.
        _ => Err("KEY=VALUE is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn submit(words: &[&str]) -> Submit {
        let all = ["reeve", "submit", "x", "-p", "robots", "-i", "image"]
            .iter()
            .chain(words);
        match Cli::try_parse_from(all).unwrap().command {
            Command::Submit(submit) => submit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_home_can_be_asked_for_and_refused() {
        assert_eq!(submit(&[]).create_home_dir, None);
        assert_eq!(submit(&["--create-home-dir"]).create_home_dir, Some(true));
        assert_eq!(submit(&["--create-home-dir=false"]).create_home_dir, Some(false));
    }

    #[test]
    fn words_after_the_dashes_are_not_looked_at() {
        let parsed = submit(&[
            "-g",
            "2",
            "-e",
            "A=1",
            "-e",
            "B=x=y",
            "--",
            "sh",
            "-c",
            "id -u",
            "--run-as-user",
        ]);
        assert_eq!(parsed.words, ["sh", "-c", "id -u", "--run-as-user"]);
        assert_eq!(
            parsed.environment,
            [
                ("A".to_owned(), "1".to_owned()),
                ("B".to_owned(), "x=y".to_owned())
            ]
        );
        assert!(!parsed.run_as_user && parsed.gpus == Some(2));
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
