//! Files that are replaced whole or not at all, and are on the disk once that is said.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone: mode 0600.
    Owner,
    /// Whoever the process lets read what it makes: mode 0644 without what the umask takes away.
    Usual,
}

impl Readers {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Usual => 0o644,
        }
    }
}

/// Replaces a file, or makes it. Whoever reads meanwhile, and whoever reads after the machine has stopped amid it, finds all of the
/// old text or all of the new one; when this returns, the new one is on the disk under its name. A link at this place is replaced, not
/// followed.
///
/// # Errors
/// Of the file system: the folder is missing, full or not to be written in. The file is as it was, and nothing is left beside it.
pub fn replace(file: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let folder = folder(file);
    let mut fresh = tempfile::Builder::new()
        .prefix(".reeve-")
        .permissions(Permissions::from_mode(readers.mode()))
        .tempfile_in(folder)?;
    fresh.write_all(bytes)?;
    fresh.as_file().sync_all()?;
    fresh.persist(file).map_err(|error| error.error)?;
    sync_folder(file)
}

/// That a file is in its folder, or is gone from it, is on the disk when this returns.
///
/// # Errors
/// Of the file system.
pub fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder(file))?.sync_all()
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_mode_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        for (text, readers) in [("first", Readers::Usual), ("second", Readers::Owner)] {
            replace(&file, text.as_bytes(), readers).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// The planted fault is a file that is written in its place: it loses what it held.
    #[test]
    fn what_cannot_be_replaced_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        fs::create_dir(&file).unwrap();
        fs::write(file.join("inside"), "kept").unwrap();
        replace(&file, b"new", Readers::Usual).unwrap_err();
        assert_eq!(fs::read_to_string(file.join("inside")).unwrap(), "kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        replace(&folder.path().join("missing/file"), b"new", Readers::Owner).unwrap_err();
    }
}
