//! Room on the disk for revocations: a file that is taken at the start and given back when the disk is full.
//!
//! While it is given back nothing but revocations, and sign-ins of those who administer the account, is written: what the
//! file held is for them. It is taken again as soon as there is room.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use reeve_identity::Random;

/// How much is kept free: enough for the database's log to grow to where SQLite begins it anew, and for some thousand
/// revocations.
pub const BYTES: usize = 8 * 1024 * 1024;

/// The reserve.
#[derive(Debug, Default)]
pub struct Reserve(Option<Held>);

#[derive(Debug)]
struct Held {
    file: PathBuf,
    random: Random,
    /// How many bytes are free where a file is.
    free: fn(&Path) -> io::Result<u64>,
    /// True while it is given back.
    given: Mutex<bool>,
}

impl Reserve {
    /// Takes it in a directory. Without room for it the server begins as if it had been given back.
    pub fn take(dir: &Path, random: Random) -> Self {
        Self::take_of(dir, random, free_bytes)
    }

    fn take_of(dir: &Path, random: Random, free: fn(&Path) -> io::Result<u64>) -> Self {
        let held = Held {
            file: dir.join("reserve"),
            random,
            free,
            given: Mutex::new(false),
        };
        if let Err(error) = held.take() {
            tracing::error!(
                cause = error.to_string(),
                file = %held.file.display(),
                "there is no room for the reserve: only revocations are written until there is"
            );
            *held.given.lock().unwrap_or_else(PoisonError::into_inner) = true;
        }
        Self(Some(held))
    }

    /// Whether the disk is full and the reserve given back.
    pub fn is_given(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|held| *held.given.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives it back; true when that made room that was not there before.
    pub fn give_back(&self) -> bool {
        let Some(held) = &self.0 else { return false };
        let mut given = held.given.lock().unwrap_or_else(PoisonError::into_inner);
        if *given {
            return false;
        }
        *given = true;
        tracing::error!(
            file = %held.file.display(),
            "the disk is full: the reserve is given back, and only revocations are written until there is room"
        );
        match fs::remove_file(&held.file) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(cause = error.to_string(), "the reserve could not be given back");
                false
            }
        }
    }

    /// Takes it again where it was given back, when there is room for it and as much again: trying must not use up what
    /// revocations need meanwhile.
    pub fn take_again(&self) {
        let Some(held) = &self.0 else { return };
        if !self.is_given() || !held.is_room_for_two() {
            return;
        }
        if held.take().is_ok() {
            *held.given.lock().unwrap_or_else(PoisonError::into_inner) = false;
            tracing::info!("there is room on the disk again: the reserve is taken");
        }
    }
}

/// What of the file system anybody may still write, at the folder of a file.
fn free_bytes(file: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(file.parent().unwrap_or(file))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

impl Held {
    fn is_room_for_two(&self) -> bool {
        (self.free)(&self.file).is_ok_and(|free| free >= 2 * BYTES as u64)
    }

    /// Writes it whole. Random bytes: a file system may keep others in less room than they will need.
    fn take(&self) -> io::Result<()> {
        if fs::metadata(&self.file).is_ok_and(|found| found.len() == BYTES as u64) {
            return Ok(());
        }
        let written = self.write();
        if written.is_err() {
            let _ = fs::remove_file(&self.file);
        }
        written
    }

    fn write(&self) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.file)?;
        for _ in 0..BYTES / 4096 {
            file.write_all(&self.random.bytes::<4096>().map_err(io::Error::other)?)?;
        }
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_back_once_and_taken_again() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::take(dir.path(), Random::seeded(1));
        let size = || {
            fs::metadata(dir.path().join("reserve"))
                .map(|found| found.len())
                .ok()
        };
        assert_eq!((size(), reserve.is_given()), (Some(BYTES as u64), false));
        assert!(reserve.give_back());
        assert_eq!((size(), reserve.is_given()), (None, true));
        assert!(!reserve.give_back(), "there is nothing more to give");
        reserve.take_again();
        assert_eq!((size(), reserve.is_given()), (Some(BYTES as u64), false));
        drop(reserve);
        assert!(
            !Reserve::take(dir.path(), Random::seeded(1)).is_given(),
            "it is there already"
        );
    }

    #[test]
    fn with_room_for_it_alone_it_stays_given() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reserve");
        for (free, taken) in [
            (
                (|_| Ok(2 * BYTES as u64 - 1)) as fn(&Path) -> io::Result<u64>,
                false,
            ),
            (|_| Err(io::Error::other("not known")), false),
            (|_| Ok(2 * BYTES as u64), true),
        ] {
            let reserve = Reserve::take_of(dir.path(), Random::seeded(1), free);
            assert!(reserve.give_back());
            reserve.take_again();
            assert_eq!((file.exists(), !reserve.is_given()), (taken, taken));
        }
        assert!(free_bytes(&file).unwrap() > 0);
    }

    #[test]
    fn without_room_it_counts_as_given() {
        let reserve = Reserve::take(Path::new("/proc/nowhere"), Random::seeded(1));
        assert!(reserve.is_given());
        assert!(!reserve.give_back());
        assert!(
            !Reserve::default().is_given(),
            "who keeps none writes as long as there is room"
        );
    }
}
