//! A secret text in the keyring of the desktop: the Secret Service of freedesktop.org, which GNOME, KDE and KeePassXC have.
//!
//! **Guarantees.** The keyring encrypts the text with what its owner unlocks it by; on the session's bus it is encrypted once more, so that no
//! record of what passes there has it. A text replaces the one of the same name, and nothing else is touched. Nobody is waited for longer
//! than [`Ask::patience`].
//!
//! **Limit.** Any program of the same user may ask a keyring that is open. What it keeps a text from is whoever reads the disk, or a backup
//! of it.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod nowhere;

use std::time::Duration;

use tokio::time::timeout;

use crate::failure::Failure;
#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use nowhere as system;

/// Whether a person is asked to unlock a keyring that is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// By the keyring's own window.
    Owner,
    /// A locked one is an error.
    Nobody,
}

impl Ask {
    /// How long all of it may take: a person's time, which is less than others wait for the lock of the sign-in, or a program's.
    const fn patience(self) -> Duration {
        match self {
            Self::Owner => Duration::from_secs(60),
            Self::Nobody => Duration::from_secs(10),
        }
    }
}

/// Why the keyring did not do it.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "keyrings of other systems are not spoken to")
)]
pub(super) enum KeyringError {
    /// Nothing answers where one would be.
    #[error("there is no keyring here")]
    Absent,
    /// It has never been set up.
    #[error("the keyring has no default collection, into which things are put")]
    NotSetUp,
    /// It is locked, and nobody unlocked it.
    #[error("the keyring is locked")]
    Locked,
    /// It did not answer in time, or nobody unlocked it.
    #[error("the keyring did not answer within {} seconds", .0.as_secs())]
    Silent(Duration),
    /// Anything else, in its own words.
    #[error("the keyring failed: {0}")]
    Failed(String),
}

impl KeyringError {
    /// As the end of a command that tried to do `what`.
    pub(super) fn explain(&self, what: impl Into<String>) -> Failure {
        let hint = match self {
            Self::Locked | Self::Silent(_) => {
                "unlock the keyring of your desktop and run the command again, or sign in without it: `reeve login --token-store file`"
            }
            Self::NotSetUp => {
                "set a default keyring up in your desktop's program for passwords, or sign in without it: `reeve login --token-store file`"
            }
            Self::Absent | Self::Failed(_) => {
                "run the command in the session of your desktop, whose bus DBUS_SESSION_BUS_ADDRESS names, or sign in without a keyring: \
                 `reeve login --token-store file`"
            }
        };
        Failure::failed(what).cause(self.to_string()).hint(hint)
    }
}

/// Whether something can be put into it now.
///
/// # Errors
/// It cannot.
pub(super) async fn open(ask: Ask) -> Result<(), KeyringError> {
    within(ask, system::open(ask)).await
}

/// The text of this name, if it is there.
///
/// # Errors
/// The keyring cannot be asked.
pub(super) async fn read(name: &str, ask: Ask) -> Result<Option<Vec<u8>>, KeyringError> {
    within(ask, system::read(name, ask)).await
}

/// Keeps a text under a name, in the place of the one before; people find it by the label.
///
/// # Errors
/// It may have been kept, or not.
pub(super) async fn write(name: &str, label: &str, text: &[u8], ask: Ask) -> Result<(), KeyringError> {
    within(ask, system::write(name, label, text, ask)).await
}

/// Takes the text of this name away; none is as good.
///
/// # Errors
/// It may be there still.
pub(super) async fn remove(name: &str, ask: Ask) -> Result<(), KeyringError> {
    within(ask, system::remove(name, ask)).await
}

async fn within<T>(ask: Ask, work: impl Future<Output = Result<T, KeyringError>>) -> Result<T, KeyringError> {
    let patience = ask.patience();
    timeout(patience, work)
        .await
        .unwrap_or(Err(KeyringError::Silent(patience)))
}
