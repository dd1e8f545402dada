//! Arguments of `reeve credential`. No value that is secret is among them: others see the arguments of a process.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use reeve_types::{ClusterId, CredentialAssetKind, CredentialAssetName, DepartmentId, OrgUnitName};

/// `reeve credential`
#[derive(Debug, Subcommand)]
pub enum Credential {
    /// List the credentials that you can see
    List(ListCredentials),
    /// Show a credential, without what is secret in it
    Get(OneCredential),
    /// Keep a credential, and have it copied into projects
    Create(Box<CreateCredential>),
    /// Change the values or the description of a credential; its copies follow
    Update(UpdateCredential),
    /// Delete a credential, and its copies
    Delete(OneCredential),
}

/// `reeve credential list`
#[derive(Debug, Args)]
pub struct ListCredentials {
    /// Only those of this kind: access-key, password, docker-registry, generic-secret, ngc-api-key
    #[arg(long, value_parser = kind)]
    pub kind: Option<CredentialAssetKind>,
}

/// `reeve credential get`, `reeve credential delete`
#[derive(Debug, Args)]
pub struct OneCredential {
    /// Its name, or its id where several have the name
    pub name: String,
}

/// Whose a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CredentialScope {
    /// Every project of the account
    Tenant,
    /// Every project of a cluster
    Cluster,
    /// Every project of a department
    Department,
    /// One project
    Project,
}

/// Whose a credential or secret asset is to be.
#[derive(Debug, Args)]
pub struct AssetPlace {
    /// Whose it is
    #[arg(long, value_enum, default_value_t = CredentialScope::Project)]
    pub scope: CredentialScope,
    /// The project, by name; absent: the default one
    #[arg(short, long)]
    pub project: Option<OrgUnitName>,
    /// The department, by number
    #[arg(long, required_if_eq("scope", "department"))]
    pub department: Option<DepartmentId>,
    /// The cluster, by id
    #[arg(long, required_if_eq("scope", "cluster"))]
    pub cluster: Option<ClusterId>,
}

/// What its values are made of.
#[derive(Debug, Args)]
pub struct CredentialInput {
    /// Of a registry: its address
    #[arg(long)]
    pub url: Option<String>,
    /// Of a registry or password: the user
    #[arg(long)]
    pub user: Option<String>,
    /// Of an access key: its id
    #[arg(long, value_name = "ID")]
    pub access_key_id: Option<String>,
    /// A file with the password, the secret of the access key or the API key; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Of a generic secret: a key, and the file with its value; again for others. `-` reads standard input
    #[arg(long = "pair", value_name = "KEY=FILE", value_parser = pair)]
    pub pairs: Vec<(String, PathBuf)>,
}

/// `reeve credential create`
#[derive(Debug, Args)]
pub struct CreateCredential {
    /// Its kind: access-key, password, docker-registry, generic-secret, ngc-api-key
    #[arg(value_parser = kind)]
    pub kind: CredentialAssetKind,
    /// Its name, also that of its Secrets
    pub name: CredentialAssetName,
    /// Whose it is.
    #[command(flatten)]
    pub place: AssetPlace,
    /// For people
    #[arg(long)]
    pub description: Option<String>,
    /// Its values.
    #[command(flatten)]
    pub input: CredentialInput,
}

/// `reeve credential update`
#[derive(Debug, Args)]
pub struct UpdateCredential {
    /// Its name, or its id where several have the name
    pub name: String,
    /// For people; `""` removes it
    #[arg(long)]
    pub description: Option<String>,
    /// Its new values, all of them.
    #[command(flatten)]
    pub input: CredentialInput,
}

fn kind(text: &str) -> Result<CredentialAssetKind, String> {
    text.parse()
}

fn pair(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((key, file)) if !key.is_empty() && !file.is_empty() => Ok((key.to_owned(), file.into())),
        _ => Err("KEY=FILE is needed: the value comes from a file, never from an argument".to_owned()),
    }
}
