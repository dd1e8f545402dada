//! An assertion is good once.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use reeve_types::Timestamp;

use crate::SamlError;
use crate::sign_in::SignIn;
use crate::write::hex;

/// What has to be remembered of an assertion, so that it is not taken again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneUse {
    issuer: String,
    id: String,
    until: Timestamp,
}

impl OneUse {
    pub(crate) const fn new(issuer: String, id: String, until: Timestamp) -> Self {
        Self { issuer, id, until }
    }

    /// 64 hexadecimal digits of the issuer and the assertion's id, of which nobody can choose one to fall together with another.
    pub fn key(&self) -> String {
        let length = self.issuer.len().to_be_bytes();
        let parts = [length.as_slice(), self.issuer.as_bytes(), self.id.as_bytes()].concat();
        hex(digest(&SHA256, &parts).as_ref())
    }

    /// When it may be forgotten: the checks of time refuse the assertion from then on.
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

/// What a cache says of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is the first, and remembered now.
    First,
    /// It was remembered already.
    Before,
}

/// Where uses are remembered, for all processes of a control plane together.
pub trait ReplayCache {
    /// Why it cannot say.
    type Error: fmt::Display;

    /// Remembers the use and says whether it was there, in one step: of two processes that ask at once, one is told `First`.
    ///
    /// # Errors
    /// What makes it impossible to say; the sign-in is refused then.
    fn remember(&self, one: &OneUse) -> impl Future<Output = Result<Seen, Self::Error>> + Send;
}

/// Somebody whose response passed every check but the last. Who it is can be learned only by using the assertion up.
pub struct Unspent {
    one: OneUse,
    sign_in: SignIn,
}

impl fmt::Debug for Unspent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unspent")
            .field("one", &self.one)
            .finish_non_exhaustive()
    }
}

impl Unspent {
    pub(crate) const fn new(one: OneUse, sign_in: SignIn) -> Self {
        Self { one, sign_in }
    }

    /// Uses the assertion up.
    ///
    /// # Errors
    /// [`SamlError::Replayed`]; [`SamlError::ReplayCache`] where the cache cannot say.
    pub async fn redeem<C: ReplayCache>(self, cache: &C) -> Result<SignIn, SamlError> {
        match cache.remember(&self.one).await {
            Ok(Seen::First) => Ok(self.sign_in),
            Ok(Seen::Before) => Err(SamlError::Replayed { id: self.one.id }),
            Err(error) => Err(SamlError::ReplayCache {
                reason: error.to_string(),
            }),
        }
    }
}
