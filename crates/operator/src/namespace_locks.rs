//! Who writes into the namespace of a project, and who gives it up: never both at once.
//!
//! A pass reads the caches, and writes a little later. Were the project deleted between, what it writes would come after everything
//! was withdrawn: refused where the operator's rights have ended by then, and left there for good where they have not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// From so many on, locks that nobody holds are forgotten.
const MANY: usize = 256;

/// One lock a namespace. Nobody takes two.
#[derive(Debug, Default)]
pub(crate) struct NamespaceLocks(Mutex<HashMap<String, Weak<RwLock<()>>>>);

impl NamespaceLocks {
    /// While it is held, nobody gives the namespace up. Whether it is a project's still is to be asked after.
    pub(crate) async fn write_into(&self, namespace: &str) -> OwnedRwLockReadGuard<()> {
        self.of(namespace).read_owned().await
    }

    /// While it is held, nobody else writes into it. Waits for the passes that do.
    pub(crate) async fn give_up(&self, namespace: &str) -> OwnedRwLockWriteGuard<()> {
        self.of(namespace).write_owned().await
    }

    fn of(&self, namespace: &str) -> Arc<RwLock<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(namespace).and_then(Weak::upgrade) {
            return lock;
        }
        if locks.len() >= MANY {
            locks.retain(|_, lock| lock.strong_count() > 0);
        }
        let lock = Arc::default();
        locks.insert(namespace.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn writers_share_a_namespace_and_giving_it_up_waits_for_them() {
        let locks = NamespaceLocks::default();
        let one = locks.write_into("a").now_or_never().unwrap();
        let other = locks.write_into("a").now_or_never().unwrap();
        assert!(locks.give_up("b").now_or_never().is_some(), "another namespace");
        assert!(locks.give_up("a").now_or_never().is_none());
        drop((one, other));
        let ending = locks.give_up("a").now_or_never().unwrap();
        assert!(locks.write_into("a").now_or_never().is_none());
        drop(ending);
        assert!(locks.write_into("a").now_or_never().is_some());
    }

    #[test]
    fn what_nobody_holds_is_forgotten() {
        let locks = NamespaceLocks::default();
        let held = locks.write_into("held").now_or_never().unwrap();
        for number in 0..MANY * 3 {
            drop(locks.write_into(&number.to_string()).now_or_never());
        }
        assert!(locks.0.lock().unwrap().len() <= MANY);
        assert!(locks.give_up("held").now_or_never().is_none());
        drop(held);
    }
}
