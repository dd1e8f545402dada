//! Secrets of service accounts and clusters: so much entropy that a fast keyed hash is enough to keep them.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_types::Secret;

use crate::random::{NoRandomness, Random};

/// A new secret: 256 random bits as 43 characters of URL-safe base64.
///
/// # Errors
/// [`NoRandomness`].
pub fn generate_client_secret(random: &Random) -> Result<Secret, NoRandomness> {
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(random.bytes::<32>()?)))
}

/// What a store keeps of a client secret. Worth nothing without the server's key.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash(Vec<u8>);

impl SecretHash {
    /// As kept.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// To keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hash]")
    }
}

/// Hashes and checks client secrets: HMAC-SHA256.
#[derive(Clone, Debug)]
pub struct SecretHasher(hmac::Key);

impl SecretHasher {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The hash to keep.
    pub fn hash(&self, secret: &Secret) -> SecretHash {
        SecretHash(hmac::sign(&self.0, secret.expose().as_bytes()).as_ref().to_vec())
    }

    /// Whether this is the secret, in a time that does not depend on where it differs. Without a kept hash the answer is
    /// no, after the same work.
    pub fn verify(&self, secret: &Secret, kept: Option<&SecretHash>) -> bool {
        let given = self.hash(secret);
        let nobody = SecretHash(vec![0; given.0.len()]);
        let equal = constant_time::verify_slices_are_equal(&given.0, &kept.unwrap_or(&nobody).0).is_ok();
        equal && kept.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::master::MasterKey;

    #[test]
    fn only_the_secret_itself_passes_and_only_with_the_same_key() {
        let hasher = MasterKey::from_bytes(&[1; 32]).unwrap().secret_hasher();
        let random = Random::seeded(3);
        let secret = generate_client_secret(&random).unwrap();
        assert_eq!(secret.expose().len(), 43);
        let kept = hasher.hash(&secret);
        assert!(hasher.verify(&secret, Some(&SecretHash::from_bytes(kept.as_bytes()))));
        assert!(!hasher.verify(&secret, None));
        assert!(!hasher.verify(&generate_client_secret(&random).unwrap(), Some(&kept)));
        assert!(!hasher.verify(&secret, Some(&SecretHash::from_bytes(&kept.as_bytes()[..31]))));
        assert!(!hasher.verify(&secret, Some(&SecretHash::from_bytes(Vec::new()))));
        let other = MasterKey::from_bytes(&[2; 32]).unwrap().secret_hasher();
        assert!(!other.verify(&secret, Some(&kept)));
    }
}
