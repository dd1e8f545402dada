//! The one key from which the others derive.

use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use crate::client_secret::SecretHasher;
use crate::random::{NoRandomness, Random};
use crate::refresh_token::RefreshTokens;
use crate::seal::Sealer;

/// 256 bits that never leave the server. Prints as nothing; wiped when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

struct Bits256;

impl hkdf::KeyType for Bits256 {
    fn len(&self) -> usize {
        32
    }
}

impl MasterKey {
    /// A new one.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate(random: &Random) -> Result<Self, NoRandomness> {
        Ok(Self(Zeroizing::new(random.bytes()?)))
    }

    /// One that was kept; `None` unless it has 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes
            .try_into()
            .ok()
            .map(|bytes: [u8; 32]| Self(Zeroizing::new(bytes)))
    }

    /// To keep it (in a file that only the server can read).
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hasher of client secrets.
    pub fn secret_hasher(&self) -> SecretHasher {
        SecretHasher::new(&*self.derive(b"reeve client secret v1"))
    }

    /// What makes and knows refresh tokens.
    pub fn refresh_tokens(&self) -> RefreshTokens {
        RefreshTokens::new(&*self.derive(b"reeve refresh token v1"))
    }

    /// The sealer of what is kept readable.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.derive(b"reeve seal v1"))
    }

    /// The sealer of credentials where no ring of keys is given.
    pub(crate) fn credential_sealer(&self) -> Sealer {
        Sealer::new(&self.derive(b"reeve credential v1"))
    }

    /// The key of the audit log's chain.
    pub fn audit_key(&self) -> Zeroizing<[u8; 32]> {
        self.derive(b"reeve audit v1")
    }

    /// HKDF-SHA256 (RFC 5869). A key of 32 bytes is always possible; were it not, every later check would fail closed.
    fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"reeve").extract(&self.0[..]);
        #[expect(
            clippy::expect_used,
            reason = "HKDF-SHA256 gives up to 8160 bytes; 32 cannot fail, and a key of zeros must not go on"
        )]
        extracted
            .expand(&[purpose], Bits256)
            .and_then(|okm| okm.fill(&mut key[..]))
            .expect("32 bytes of HKDF output");
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_its_own_key_and_nothing_prints() {
        let master = MasterKey::from_bytes(&[9; 32]).unwrap();
        assert_ne!(*master.derive(b"a"), *master.derive(b"b"));
        assert_ne!(*master.derive(b"a"), [0; 32]);
        assert_eq!(*master.derive(b"a"), *master.derive(b"a"));
        assert_eq!(format!("{master:?}"), "[secret]");
        assert!(MasterKey::from_bytes(&[9; 31]).is_none());
    }
}
