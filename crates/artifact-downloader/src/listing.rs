//! Which files there are.

use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::failure::{Failure, Kind};

/// The folder of what is not whole yet, in the target.
pub(crate) const PARTS: &str = ".reeve-download";

/// By what a file is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Digest {
    /// SHA-256 of its bytes, in hex: files of the Hub's large storage.
    Sha256(String),
    /// SHA-1 as git names a blob, in hex: the Hub's other files.
    GitBlob(String),
    /// MD5 of its bytes, in hex: objects of S3 that were written in one piece.
    Md5(String),
    /// Nothing: its size alone.
    None,
}

/// From where a file comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A web address.
    Web(Url),
    /// An object of the bucket.
    Key(String),
    /// A file.
    File(PathBuf),
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    /// Where it goes, under the target.
    pub(crate) path: PathBuf,
    /// How large it is.
    pub(crate) size: u64,
    pub(crate) digest: Digest,
    pub(crate) origin: Origin,
}

/// All of them.
pub(crate) fn total(files: &[Remote]) -> u64 {
    files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
}

/// A path that stays under the target, whatever a server says.
pub(crate) fn under(path: &str) -> Result<PathBuf, Failure> {
    let read = Path::new(path);
    let stays = !path.is_empty()
        && !path.contains(['\0', '\\'])
        && read.components().all(|part| matches!(part, Component::Normal(_)))
        && !path.ends_with('/')
        && read.components().next() != Some(Component::Normal(PARTS.as_ref()));
    if stays {
        Ok(read.to_owned())
    } else {
        Err(Failure::new(
            Kind::Corrupt,
            format!("the list of files names {path:?}, which is no path under the target"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_target_is_refused() {
        assert_eq!(under("a/b.json").unwrap(), Path::new("a/b.json"));
        for path in [
            "../x",
            "a/../../x",
            "/etc/passwd",
            "",
            "a/",
            ".",
            "a\\..\\b",
            "a\0b",
            ".reeve-download/x",
        ] {
            assert_eq!(under(path).unwrap_err().kind, Kind::Corrupt, "{path:?}");
        }
    }
}
