//! Signing keys: ECDSA on P-256. One signs; the next ones and the former ones are published beside it ([`KeyRing`]).

mod ring;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use ring::KeyRing;

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// None could be made.
    #[error("no signing key could be made")]
    Generate,
    /// The kept one cannot be read.
    #[error("a kept signing key is no ECDSA key on P-256 in PKCS#8 form")]
    Read,
    /// The library refused to sign.
    #[error("a token could not be signed")]
    Sign,
}

/// A key pair that signs tokens. Prints its id only.
pub struct SigningKey {
    kid: String,
    pkcs8: Zeroizing<Vec<u8>>,
    pair: EcdsaKeyPair,
    decoding: DecodingKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// A public key (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `EC`
    pub kty: String,
    /// `P-256`
    pub crv: String,
    /// The point, in URL-safe base64.
    pub x: String,
    /// The point, in URL-safe base64.
    pub y: String,
    /// The key's id.
    pub kid: String,
    /// `sig`
    #[serde(rename = "use")]
    pub usage: String,
    /// `ES256`
    pub alg: String,
}

impl SigningKey {
    /// A new one, with the library's randomness.
    ///
    /// # Errors
    /// [`KeyError::Generate`].
    pub fn generate() -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        Self::from_pkcs8(document.map_err(|_| KeyError::Generate)?.as_ref())
    }

    /// One that was kept.
    ///
    /// # Errors
    /// [`KeyError::Read`].
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| KeyError::Read)?;
        let point = pair.public_key().as_ref();
        let fingerprint = digest::digest(&digest::SHA256, point);
        // Hexadecimal, so that the id can stand anywhere.
        let kid = fingerprint
            .as_ref()
            .iter()
            .take(12)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let decoding = DecodingKey::from_ec_der(point);
        Ok(Self {
            kid,
            pkcs8: Zeroizing::new(pkcs8.to_vec()),
            decoding,
            pair,
        })
    }

    /// Its id: a fingerprint of the public key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private key, to be sealed and kept.
    pub fn expose_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public key.
    pub fn jwk(&self) -> Jwk {
        // An uncompressed point: 04, 32 bytes of x, 32 bytes of y.
        let point = self.pair.public_key().as_ref();
        let part = |from: usize| URL_SAFE_NO_PAD.encode(point.get(from..from + 32).unwrap_or_default());
        Jwk {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            x: part(1),
            y: part(33),
            kid: self.kid.clone(),
            usage: "sig".to_owned(),
            alg: "ES256".to_owned(),
        }
    }

    pub(crate) const fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// The signature of ES256 (RFC 7518, section 3.4): r and s, 32 bytes each.
    pub(crate) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self
            .pair
            .sign(&SystemRandom::new(), message)
            .map_err(|_| KeyError::Sign)?;
        Ok(signature.as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_is_the_same_key() {
        let key = SigningKey::generate().unwrap();
        let kept = SigningKey::from_pkcs8(key.expose_pkcs8()).unwrap();
        assert_eq!((key.kid(), key.jwk()), (kept.kid(), kept.jwk()));
        assert_ne!(key.kid(), SigningKey::generate().unwrap().kid());
        assert!(matches!(SigningKey::from_pkcs8(b"nonsense"), Err(KeyError::Read)));
        assert!(!format!("{key:?}").contains("pkcs8"));
    }

    #[test]
    fn the_public_key_has_both_halves_of_the_point() {
        let jwk = SigningKey::generate().unwrap().jwk();
        assert_eq!((jwk.x.len(), jwk.y.len()), (43, 43));
        assert_ne!(jwk.x, jwk.y);
        assert!(
            serde_json::to_string(&jwk)
                .unwrap()
                .contains(r#""use":"sig","alg":"ES256""#)
        );
    }
}
