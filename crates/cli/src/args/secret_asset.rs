//! Arguments of `reeve secret-asset`.

use clap::{Args, Subcommand};
use reeve_types::CredentialAssetName;

use super::AssetPlace;

/// `reeve secret-asset`
#[derive(Debug, Subcommand)]
pub enum SecretAsset {
    /// List the secret assets that you can see
    List,
    /// Show a secret asset
    Get(OneSecretAsset),
    /// Make a source of data of a credential
    Create(CreateSecretAsset),
    /// Change a secret asset; what is not named stays
    Update(UpdateSecretAsset),
    /// Delete a secret asset; its credential stays
    Delete(OneSecretAsset),
}

/// `reeve secret-asset get`, `reeve secret-asset delete`
#[derive(Debug, Args)]
pub struct OneSecretAsset {
    /// Its name, or its id where several have the name
    pub name: String,
}

/// `reeve secret-asset create`
#[derive(Debug, Args)]
pub struct CreateSecretAsset {
    /// Its name
    pub name: CredentialAssetName,
    /// The credential, by name, or by id where several have the name: of the same scope or a wider one
    #[arg(long, value_name = "NAME")]
    pub credential: String,
    /// Where a container is to find the Secret
    #[arg(long, value_name = "PATH")]
    pub mount_path: Option<String>,
    /// The mode of the files there, as 0444
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// Whose it is.
    #[command(flatten)]
    pub place: AssetPlace,
    /// For people
    #[arg(long)]
    pub description: Option<String>,
}

/// `reeve secret-asset update`
#[derive(Debug, Args)]
pub struct UpdateSecretAsset {
    /// Its name, or its id where several have the name
    pub name: String,
    /// What it is called from now on
    #[arg(long, value_name = "NAME")]
    pub new_name: Option<CredentialAssetName>,
    /// Another credential, by name or id
    #[arg(long, value_name = "NAME")]
    pub credential: Option<String>,
    /// Where a container is to find the Secret; `""` removes it
    #[arg(long, value_name = "PATH")]
    pub mount_path: Option<String>,
    /// The mode of the files there; `""` removes it
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// For people; `""` removes it
    #[arg(long)]
    pub description: Option<String>,
}
