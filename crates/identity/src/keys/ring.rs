//! The keys in use.

use std::sync::Arc;

use serde::Serialize;

use super::{Jwk, SigningKey};

/// One key that signs and one that will: whoever caches the published set knows it already when its time comes. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: Arc<SigningKey>,
    next: Arc<SigningKey>,
}

/// The published set (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The current key, then the next one.
    pub keys: Vec<Jwk>,
}

impl KeyRing {
    /// Puts keys on a ring.
    pub fn new(current: SigningKey, next: SigningKey) -> Self {
        Self {
            current: Arc::new(current),
            next: Arc::new(next),
        }
    }

    /// The key that signs.
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// The key with this id.
    pub fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.all().into_iter().find(|key| key.kid() == kid)
    }

    /// What is published.
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: self.all().map(SigningKey::jwk).into(),
        }
    }

    fn all(&self) -> [&SigningKey; 2] {
        [&self.current, &self.next]
    }
}
