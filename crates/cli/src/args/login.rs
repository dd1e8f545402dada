//! Ways to sign in.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use reeve_types::PasskeyName;

use crate::settings::TokenStore;

/// `reeve login`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Login {
    /// Another way than the browser of this machine
    #[command(subcommand)]
    pub way: Option<LoginWay>,
    /// The browser of this machine, which is the usual way.
    #[command(flatten)]
    pub browser: LoginBrowser,
}

/// Other ways to sign in.
#[derive(Debug, Subcommand)]
pub enum LoginWay {
    /// As a local user, with a password
    User(LoginUser),
    /// With a browser on another machine: a link to open there, and a code to bring back
    #[command(visible_alias = "remote-browser")]
    Sso(LoginRemote),
    /// With a browser anywhere: a short code to type there, where the control plane allows it
    Device(LoginRemote),
}

/// Which control plane, and where what it gives is kept.
#[derive(Debug, Args)]
pub struct At {
    /// Address of the control plane; needed the first time
    #[arg(long)]
    pub url: Option<String>,
    /// Its certificate authority in PEM; absent: the one used last for this address, or the machine's
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Where the tokens are kept on this machine
    #[arg(
        long,
        value_enum,
        value_name = "STORE",
        env = "REEVE_TOKEN_STORE",
        hide_env_values = true,
        default_value = "auto"
    )]
    pub token_store: TokenStore,
}

/// `reeve login` with the browser of this machine
#[derive(Debug, Args)]
pub struct LoginBrowser {
    /// Which control plane.
    #[command(flatten)]
    pub at: At,
    /// The address of this machine on which the browser brings the code
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = own_address)]
    pub listen_host: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 43121)]
    pub listen_port: u16,
    /// Print the link and open no browser
    #[arg(long)]
    pub no_browser: bool,
}

/// `localhost` is a name that anybody's resolver may answer: here it is the address that it means.
fn own_address(text: &str) -> Result<IpAddr, std::net::AddrParseError> {
    match text {
        "localhost" => Ok(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)),
        other => other.parse(),
    }
}

/// `reeve login sso`, `reeve login remote-browser`, `reeve login device`
#[derive(Debug, Args)]
pub struct LoginRemote {
    /// Which control plane.
    #[command(flatten)]
    pub at: At,
}

/// `reeve login user`
#[derive(Debug, Args)]
pub struct LoginUser {
    /// Which control plane.
    #[command(flatten)]
    pub at: At,
    /// Your email
    #[arg(short, long = "user", value_name = "EMAIL")]
    pub user: String,
    /// Read the password from standard input instead of the terminal; a second line there is the one to choose where the first is a
    /// temporary one
    #[arg(long)]
    pub password_stdin: bool,
    /// The code that your authenticator shows, or a recovery code, if you have one
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
}

/// `reeve authenticator`
#[derive(Debug, Subcommand)]
pub enum Authenticator {
    /// Say whether you have one
    Show,
    /// Begin to set one up: shows what to type into it
    Create,
    /// Confirm it by the code that it shows; recovery codes are shown once
    Confirm(CodeArgument),
    /// Take it away
    Remove(CodeArgument),
}

/// `reeve authenticator confirm`, `remove`
#[derive(Debug, Args)]
pub struct CodeArgument {
    /// The code that it shows now, or, to take it away, a recovery code
    #[arg(value_name = "CODE")]
    pub code: String,
}

/// `reeve passkey`
#[derive(Debug, Subcommand)]
pub enum Passkeys {
    /// List your passkeys
    List,
    /// Take one away, within ten minutes of your sign-in
    Remove(OnePasskey),
}

/// `reeve passkey remove`
#[derive(Debug, Args)]
pub struct OnePasskey {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: PasskeyName,
}
