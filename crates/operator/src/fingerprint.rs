//! A short word for a long spec: two specs are the same when their fingerprints are.

use std::fmt::{self, Debug, Formatter};

use serde::Serialize;
use sha2::{Digest, Sha256};

/// SHA-256 of a spec's JSON. Nobody can make another spec with the same one, so a change by somebody else is seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a spec. Specs are plain data: that one has no JSON cannot be.
    pub fn of(spec: &impl Serialize) -> Self {
        let text = serde_json::to_vec(spec).unwrap_or_default();
        Self(Sha256::digest(text).into())
    }

    /// As text, for what keeps text alone.
    pub fn to_text(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// From [`Fingerprint::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        (text.len() == 64).then_some(Self(bytes))
    }
}

impl Debug for Fingerprint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_text().get(..8).unwrap_or_default())
    }
}
