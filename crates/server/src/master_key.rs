//! Where the master key comes from: a file that was given, the environment, or the data directory.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reeve_identity::MasterKey;
use reeve_types::Secret;

/// A master key that does not lie in the data directory. All processes over one PostgreSQL are given the same.
#[derive(Debug, Clone)]
pub enum GivenMasterKey {
    /// In a file.
    File(PathBuf),
    /// As text, from the environment.
    Text(Secret),
}

impl fmt::Display for GivenMasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "`{}`", file.display()),
            Self::Text(_) => f.write_str("REEVE_MASTER_KEY"),
        }
    }
}

impl GivenMasterKey {
    /// The key.
    ///
    /// # Errors
    /// When its file cannot be read, or it is none. It is not repeated.
    pub fn read(&self) -> anyhow::Result<MasterKey> {
        match self {
            Self::File(file) => read(file),
            Self::Text(text) => {
                decode(text.expose()).with_context(|| format!("{self} holds no master key: {EXPECTED}"))
            }
        }
    }
}

const EXPECTED: &str = "32 bytes in base64 are needed, as `head -c 32 /dev/urandom | base64` prints them";

/// The key in a file.
///
/// # Errors
/// When it cannot be read, or holds none.
pub fn read(file: &Path) -> anyhow::Result<MasterKey> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("failed to read the master key in `{}`", file.display()))?;
    decode(&text).with_context(|| format!("`{}` holds no master key: {EXPECTED}", file.display()))
}

/// The key of a data directory: the given one, which has to be the one that lies there if one does.
///
/// # Errors
/// When it cannot be read, or another one lies in the directory.
pub fn given(given: &GivenMasterKey, kept: &Path) -> anyhow::Result<MasterKey> {
    let key = given.read()?;
    if kept.exists() && read(kept)?.expose() != key.expose() {
        bail!(
            "{given} is another master key than `{}`: give the one that the database was made with, and remove the other",
            kept.display()
        );
    }
    Ok(key)
}

fn decode(text: &str) -> Option<MasterKey> {
    let bytes = STANDARD_NO_PAD.decode(text.trim().trim_end_matches('=')).ok()?;
    MasterKey::from_bytes(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_with_and_without_padding_and_what_is_none_is_not_repeated() {
        let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        for text in [key.to_owned(), format!("{key}=\n")] {
            let read = GivenMasterKey::Text(Secret::new(&text)).read().unwrap();
            assert_eq!(read.expose(), &[7; 32]);
        }
        for text in ["", "secret-word", "BwcH"] {
            let refused = GivenMasterKey::Text(Secret::new(text)).read().unwrap_err();
            let said = format!("{refused:#}");
            assert!(said.contains("REEVE_MASTER_KEY holds no master key"), "{said}");
            assert!(!said.contains("secret-word"));
        }
    }
}
