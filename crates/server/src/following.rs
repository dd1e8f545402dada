//! The directory of a running server, and how far it may be behind the store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::Mutex;

use crate::directory::Directory;

/// The directory, and how far it is to be trusted.
#[derive(Debug, Default)]
pub(crate) struct Following {
    directory: RwLock<Directory>,
    /// Whoever applies changes holds it, so that streams hear of them in their order, too.
    pub(crate) order: Mutex<()>,
    /// How often it became unknown whether something was committed.
    pub(crate) doubts: AtomicU64,
    /// How many of these are settled: the log was read since. Nothing is decided while one is not.
    pub(crate) settled: AtomicU64,
    /// How often the log, or what a change needs, was not answered.
    pub(crate) failures: AtomicU64,
    /// How often the database was found restored.
    restored: AtomicU64,
    /// The directory is of a database that was replaced since.
    pub(crate) replaced: AtomicBool,
}

impl Following {
    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the directory may be behind what was committed, until it has followed the log again.
    pub(crate) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::SeqCst);
    }

    /// How often the log could not be read so far: see `up_to_date_since` of the application.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    /// Something else than the log was waited for in vain: whoever has waited since is answered, as when the log cannot be read.
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::SeqCst);
    }

    /// How often the database was found restored while the server ran.
    pub(crate) fn restored(&self) -> u64 {
        self.restored.load(Ordering::SeqCst)
    }

    /// From now on the directory is that of a database that is no more.
    pub(crate) fn is_replaced(&self) {
        self.doubt();
        self.replaced.store(true, Ordering::SeqCst);
        self.restored.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn in_doubt(&self) -> bool {
        self.settled.load(Ordering::SeqCst) < self.doubts.load(Ordering::SeqCst)
    }
}
