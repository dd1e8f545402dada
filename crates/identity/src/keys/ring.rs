//! The keys in use.

use std::sync::Arc;

use serde::Serialize;

use super::{Jwk, SigningKey};

/// The one key that signs, and those that are published beside it: the ones that will sign, so that whoever keeps a copy of the
/// published set knows them when their time comes, and the ones that did, for as long as a token of theirs may be good. Cheap
/// to clone.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: Arc<SigningKey>,
    others: Arc<[Arc<SigningKey>]>,
}

/// The published set (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The current key, then the others.
    pub keys: Vec<Jwk>,
}

impl KeyRing {
    /// Puts keys on a ring: the one that signs, and those that only verify.
    pub fn new(current: Arc<SigningKey>, others: Vec<Arc<SigningKey>>) -> Self {
        Self {
            current,
            others: others.into(),
        }
    }

    /// The key that signs.
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// The key with this id.
    pub fn find(&self, kid: &str) -> Option<&Arc<SigningKey>> {
        self.all().find(|key| key.kid() == kid)
    }

    /// What is published.
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: self.all().map(|key| key.jwk()).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        std::iter::once(&self.current).chain(self.others.iter())
    }
}
