//! The flags that say which database, and which master key: of every command that reads or writes one.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use reeve_store_sql::DatabaseUrl;
use reeve_types::Secret;

use crate::bootstrap::DataDir;
use crate::master_key::GivenMasterKey;

/// Which database, of every command that reads or writes one.
#[derive(Debug, Clone, Default, Args)]
pub struct Database {
    /// A PostgreSQL database instead of the SQLite file in the data directory, as `postgres://user:password@host:port/name`. The
    /// connection is encrypted and the certificate checked (`sslmode=verify-full`, `sslrootcert=FILE` for an authority of your
    /// own), unless the address says otherwise or is of this machine. Give it by the environment: others see flags.
    #[arg(
        long = "database-url",
        env = "REEVE_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = unread
    )]
    given: Option<Secret>,
    #[command(flatten)]
    master: Master,
    /// A file with the keys that credentials are sealed with, one a line, `number base64`, the newest first, instead of
    /// `credential-keys` in the data directory. Without either a key derived from the master key is used. All processes over one
    /// PostgreSQL need the same.
    #[arg(
        long = "credential-keys-file",
        env = "REEVE_CREDENTIAL_KEYS_FILE",
        value_name = "FILE"
    )]
    credential_keys: Option<PathBuf>,
}

/// The key to what is sealed in the database.
#[derive(Debug, Clone, Default, Args)]
pub struct Master {
    /// A file with the master key, 32 bytes in base64, instead of `master.key` in the data directory; or the key itself in the
    /// environment variable REEVE_MASTER_KEY. All processes over one PostgreSQL need the same.
    #[arg(
        long = "master-key-file",
        env = "REEVE_MASTER_KEY_FILE",
        value_name = "FILE",
        conflicts_with = "text"
    )]
    file: Option<PathBuf>,
    // Others see flags: this one is for the environment alone.
    #[arg(
        id = "text",
        long = "master-key",
        env = "REEVE_MASTER_KEY",
        hide = true,
        hide_env_values = true,
        value_parser = unread
    )]
    text: Option<Secret>,
}

impl Master {
    /// The key that was given, if one was.
    pub(crate) fn given(&self) -> Option<GivenMasterKey> {
        match (&self.file, &self.text) {
            (Some(file), _) => Some(GivenMasterKey::File(file.clone())),
            (None, Some(text)) => Some(GivenMasterKey::Text(text.clone())),
            (None, None) => None,
        }
    }
}

/// Takes any text: clap prints a value that it cannot read, and this one may hold a password.
#[expect(clippy::unnecessary_wraps, reason = "what a value parser answers")]
pub(crate) fn unread(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

impl Database {
    /// The PostgreSQL database, if one was given.
    ///
    /// # Errors
    /// When its address cannot be read; it is not repeated.
    pub fn url(&self) -> anyhow::Result<Option<DatabaseUrl>> {
        let read = self.given.as_ref().map(|given| given.expose().parse());
        read.transpose().context("`--database-url` (REEVE_DATABASE_URL)")
    }

    /// A data directory with this database and this master key.
    ///
    /// # Errors
    /// When the directory cannot be opened, or the database's address not be read.
    pub(crate) fn at(&self, data_dir: &Path) -> anyhow::Result<DataDir> {
        let dir = DataDir::open(data_dir)?.given(self.master.given());
        Ok(dir.with(self.url()?).keys_in(self.credential_keys.clone()))
    }
}
