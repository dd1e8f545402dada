//! Signing keys: the private part sealed with the master key, and what it is used for.
//!
//! At any time one key is current and signs. One is next: published, so that everybody who verifies tokens knows it before it
//! signs. Those that signed before are retiring: published for as long as a token of theirs may be good. A rotation makes the next
//! one current and the current one retiring; it is one transaction, which names the key that it believes to be current, so that of
//! several processes that want it at once one does it.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AuditEntry, Committed, StoreError};

/// What a key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUse {
    /// It signs.
    Current,
    /// It will.
    Next,
    /// It did.
    Retiring,
}

impl KeyUse {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Current, Self::Next, Self::Retiring];

    /// As it is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
            Self::Retiring => "retiring",
        }
    }
}

impl std::str::FromStr for KeyUse {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|usage| usage.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is no use of a signing key"))
    }
}

/// What everybody may know of a key; it is in the directory and in the change log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningKeyFacts {
    /// Its name here: what its private part is sealed for.
    pub id: String,
    /// What it is used for.
    pub usage: KeyUse,
    /// Since when it is published.
    pub published: Timestamp,
    /// Since when it is used so.
    pub since: Timestamp,
}

/// A key, with its private part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyRow {
    /// What it is used for.
    pub facts: SigningKeyFacts,
    /// The private part, sealed with the master key.
    pub sealed: String,
}

/// A key to keep.
#[derive(Debug, Clone)]
pub struct NewSigningKey {
    /// Its name.
    pub id: String,
    /// The private part, sealed with the master key.
    pub sealed: String,
}

/// Repository of signing keys.
#[async_trait]
pub trait SigningKeys {
    /// All of them: the current one, the next ones, the retiring ones, the oldest of each first. Sealed as they are, they stay
    /// inside the server.
    async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError>;

    /// Makes the oldest next key current, the current one retiring, and `next` the next one, at the moment of `entry`. `granted`:
    /// update of security-settings at account scope, or the bootstrap exception for the rotation of keys, when it is due.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when `current` is not the current key any more, or there is no next one.
    async fn rotate_signing_keys(
        &self,
        granted: &Granted,
        current: &str,
        next: NewSigningKey,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// Forgets a key that leaked, at the moment of `entry`, and ends every session: whoever has the key could make a token in each. A key
    /// that nobody knows yet, `current`, signs from then on, so that whoever keeps the published keys reads them again and forgets the
    /// leaked one, too; the one that was current, where that is another one, retires. Where the leaked one was next, `next` takes its
    /// place. `granted` is the bootstrap exception for recovery.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such key.
    async fn withdraw_signing_key(
        &self,
        granted: &Granted,
        id: &str,
        current: NewSigningKey,
        next: NewSigningKey,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// Forgets keys that retired before `before`, at the moment of `entry`; how many. Without any, nothing is written. `granted`
    /// is the bootstrap exception for the rotation of keys.
    async fn drop_signing_keys(
        &self,
        granted: &Granted,
        before: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError>;
}
