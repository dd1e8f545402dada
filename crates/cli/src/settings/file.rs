//! Files that only their owner can read, written whole or not at all.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use reeve_files::Readers;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// The value in a JSON file; `None` when there is no file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::failed(format!("cannot read `{}`", path.display())).because(error)),
    };
    // The error's text could repeat a part of the token; its place is enough.
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Failure::failed(format!("cannot understand `{}`", path.display()))
            .cause(format!(
                "not the expected JSON at line {}, column {}",
                error.line(),
                error.column()
            ))
            .hint("remove the file and sign in again")
    })
}

/// Writes a value as JSON.
pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from);
    text.and_then(|text| write_atomically(path, (text + "\n").as_bytes()))
        .map_err(|error| Failure::failed(format!("cannot write `{}`", path.display())).because(error))
}

/// Replaces a file by one with mode 0600, or leaves it as it was. A link is followed, so that it stays one. A missing
/// folder is made with mode 0700.
///
/// # Errors
/// Of the file system.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let dir = target
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    private_dir(dir)?;
    reeve_files::replace(&target, bytes, Readers::Owner)
}

fn private_dir(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// A file that only its owner can open, as it is.
pub(super) fn private(path: &Path) -> io::Result<fs::File> {
    if let Some(dir) = path.parent() {
        private_dir(dir)?;
    }
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_can_read_and_nothing_is_left_beside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/file");
        write_atomically(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), mode(&path), mode(&dir.path().join("a"))),
            (b"two".to_vec(), 0o600, 0o700)
        );
        assert_eq!(fs::read_dir(dir.path().join("a/b")).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "one").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_atomically(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"two");
    }

    #[test]
    fn a_broken_file_is_named_and_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("authentication.json");
        fs::write(&path, r#"{"accessToken": hunter2}"#).unwrap();
        let failure = read::<serde_json::Value>(&path).unwrap_err().to_string();
        assert!(
            failure.contains("authentication.json") && !failure.contains("hunter2"),
            "{failure}"
        );
    }
}
