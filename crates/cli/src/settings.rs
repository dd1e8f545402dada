//! What is kept between commands.

mod clusters;
mod file;
mod keyring;
mod lock;
mod store;

use std::path::{Path, PathBuf};

use reeve_api::RevealedSecret;
use reeve_types::{OrgUnitName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
pub use file::write_atomically;
pub use lock::SignInLock;
pub use store::{Forgotten, Kept, Place, TokenStore};

/// The folder of settings.
#[derive(Debug, Clone)]
pub struct Settings {
    dir: PathBuf,
}

/// Which control plane (`config.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlane {
    /// Its address, without a slash at the end.
    pub url: String,
    /// Its certificate authority in PEM; absent: the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authority: Option<String>,
}

/// The sign-in (`authentication.json`, or an item of the keyring).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// Who.
    pub username: String,
    /// The token.
    pub access_token: RevealedSecret,
    /// Until when.
    pub expires_at: Timestamp,
    /// What another token is got with, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<RevealedSecret>,
}

const CONTROL_PLANE: &str = "config.json";
/// What commands mean when they do not say (`defaults.json`); of one control plane alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Defaults {
    url: String,
    project: OrgUnitName,
}

const DEFAULTS: &str = "defaults.json";

impl Settings {
    /// The given folder, or `~/.reeve`. It need not exist.
    ///
    /// # Errors
    /// There is neither.
    pub fn at(dir: Option<PathBuf>) -> Result<Self, Failure> {
        let home = || {
            std::env::home_dir()
                .filter(|home| !home.as_os_str().is_empty())
                .map(|home| home.join(".reeve"))
        };
        let dir = dir.filter(|dir| !dir.as_os_str().is_empty()).or_else(home);
        dir.map(|dir| Self { dir }).ok_or_else(|| {
            Failure::failed("cannot find your home folder")
                .hint("set REEVE_CONFIG_DIR to a folder of your own")
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Which control plane was used last; `None` before the first sign-in.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn control_plane(&self) -> Result<Option<ControlPlane>, Failure> {
        file::read(&self.dir.join(CONTROL_PLANE))
    }

    /// Keeps both, for the owner's eyes alone; never between a renewal's question and its answer. Where the sign-in is then.
    ///
    /// # Errors
    /// They cannot be written.
    pub async fn keep(
        &self,
        control_plane: &ControlPlane,
        sign_in: &SignIn,
        place: Place,
    ) -> Result<Kept, Failure> {
        let _lock = self.lock_sign_in().await;
        // The old token must never be sent to a new address, so it goes first.
        let left = self.clear().await?;
        file::write(&self.dir.join(CONTROL_PLANE), control_plane)?;
        self.put(sign_in, place, left).await
    }

    /// The project that commands mean when they name none, if one was chosen at this control plane.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub fn default_project(&self) -> Result<Option<OrgUnitName>, Failure> {
        let Some(control_plane) = self.control_plane()? else {
            return Ok(None);
        };
        let defaults: Option<Defaults> = file::read(&self.dir.join(DEFAULTS))?;
        Ok(defaults
            .filter(|defaults| defaults.url == control_plane.url)
            .map(|defaults| defaults.project))
    }

    /// Keeps the project that commands mean when they name none.
    ///
    /// # Errors
    /// It cannot be written, or nobody has signed in.
    pub fn keep_default_project(&self, project: &OrgUnitName) -> Result<(), Failure> {
        let control_plane = self
            .control_plane()?
            .ok_or_else(|| Failure::refused("you are not signed in"))?;
        let defaults = Defaults {
            url: control_plane.url,
            project: project.clone(),
        };
        file::write(&self.dir.join(DEFAULTS), &defaults)
    }
}
