//! The keys in use.

use std::sync::Arc;

use serde::Serialize;

use super::{Jwk, SigningKey};

/// One key that signs, one that will, and those that have until their last token ends. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: Arc<SigningKey>,
    others: Vec<Arc<SigningKey>>,
}

/// The published set (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The current key, the next one, then the retired ones.
    pub keys: Vec<Jwk>,
}

impl KeyRing {
    /// Puts keys on a ring.
    pub fn new(current: SigningKey, next: SigningKey, retired: Vec<SigningKey>) -> Self {
        let others = std::iter::once(next).chain(retired).map(Arc::new).collect();
        Self {
            current: Arc::new(current),
            others,
        }
    }

    /// The key that signs.
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// The key with this id.
    pub fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.all().find(|key| key.kid() == kid)
    }

    /// What is published.
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: self.all().map(SigningKey::jwk).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.current)
            .chain(&self.others)
            .map(AsRef::as_ref)
    }
}
