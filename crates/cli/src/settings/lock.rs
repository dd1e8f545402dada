//! One process at a time changes the sign-in.

use std::fs::{File, TryLockError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Settings, file};

const LOCK: &str = "authentication.lock";
/// Longer than whoever holds it asks the control plane for.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(20);

/// Held until it is dropped, or the process ends in any way.
#[derive(Debug)]
#[must_use = "dropped, it lets others change the sign-in"]
pub struct SignInLock {
    _file: Option<File>,
}

impl Settings {
    /// Waits until no other process changes the sign-in.
    ///
    /// **Limit.** Where a file cannot be locked, as in folders of some networks, or its holder was stopped, nobody is kept waiting for ever:
    /// then several may renew at once, and the control plane gives all of them the same answer for a minute.
    pub async fn lock_sign_in(&self) -> SignInLock {
        let Ok(file) = file::private(&self.dir().join(LOCK)) else {
            return SignInLock { _file: None };
        };
        let until = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return SignInLock { _file: Some(file) },
                Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(LOOK).await,
                Err(_) => return SignInLock { _file: None },
            }
        }
    }
}
