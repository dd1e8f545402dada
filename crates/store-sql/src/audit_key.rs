//! What the hash of a row of the audit log is, and the key of it.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The key of the chain. Cheap to clone; prints as nothing.
#[derive(Clone)]
pub struct AuditKey(Arc<Zeroizing<[u8; 32]>>);

impl AuditKey {
    /// From its 256 bits.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(Arc::new(bytes))
    }

    /// The hash of an event: HMAC-SHA256 (RFC 2104) in hex.
    pub(crate) fn digest(&self, sequence: i64, previous: &str, body: &str) -> String {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of any length; a chain without a key must not go on"
        )]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0[..]).expect("a key of 32 bytes");
        mac.update(text(sequence, previous, body).as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The hash of an event of before the chain was keyed.
pub(crate) fn plain_digest(sequence: i64, previous: &str, body: &str) -> String {
    hex(&Sha256::digest(text(sequence, previous, body)))
}

fn text(sequence: i64, previous: &str, body: &str) -> String {
    format!("{sequence}\n{previous}\n{body}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
