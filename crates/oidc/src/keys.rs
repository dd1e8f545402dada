//! The keys of a provider (RFC 7517), and which of them a token may be verified with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::json;
use crate::roca;

/// How many keys a set has at most.
pub const MAX_KEYS: usize = 100;

/// The family of keys that an algorithm needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// RSA, 2048 bits or more.
    Rsa,
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
    /// Ed25519.
    Ed25519,
}

/// The algorithms that are taken, each with its family of keys. No `none` and no HMAC: whoever knows the client's secret, or a
/// public key, could make such a token.
pub const ALGORITHMS: [(&str, Algorithm, Family); 9] = [
    ("RS256", Algorithm::RS256, Family::Rsa),
    ("RS384", Algorithm::RS384, Family::Rsa),
    ("RS512", Algorithm::RS512, Family::Rsa),
    ("PS256", Algorithm::PS256, Family::Rsa),
    ("PS384", Algorithm::PS384, Family::Rsa),
    ("PS512", Algorithm::PS512, Family::Rsa),
    ("ES256", Algorithm::ES256, Family::P256),
    ("ES384", Algorithm::ES384, Family::P384),
    ("EdDSA", Algorithm::EdDSA, Family::Ed25519),
];

/// Why there is no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// No key set.
    #[error(
        "the provider's key set is no JSON object with `keys`, has more than {MAX_KEYS} keys, or holds a private one"
    )]
    NotKeys,
    /// The provider may have rotated its keys: read them again.
    #[error("the token is signed with a key that the provider does not publish")]
    Unknown,
    /// Which of several keys it is, nobody says.
    #[error("the token does not say which of several keys it is signed with")]
    Ambiguous,
}

struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    family: Family,
    decoding: DecodingKey,
}

/// A key set. Prints nothing of the keys.
#[derive(Default)]
pub struct Keys(Vec<Key>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// Reads a set. Keys of kinds that are not taken, keys that are not for verifying (`use`, `key_ops`), and RSA keys whose private
    /// half can be computed (CVE-2017-15361) are left out.
    ///
    /// # Errors
    /// [`KeysError::NotKeys`].
    pub fn read(bytes: &[u8]) -> Result<Self, KeysError> {
        let document = json::object(bytes).map_err(|_| KeysError::NotKeys)?;
        let list = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeysError::NotKeys)?;
        // A private key that is published is everybody's; a symmetric one is not for signatures that anybody can check.
        let is_private = |key: &Value| {
            key.get("d").is_some() || key.get("k").is_some() && key.get("kty") != Some(&"oct".into())
        };
        if list.len() > MAX_KEYS || list.iter().any(is_private) {
            return Err(KeysError::NotKeys);
        }
        Ok(Self(list.iter().filter_map(key).collect()))
    }

    /// The one key for a token with this header.
    ///
    /// # Errors
    /// [`KeysError::Unknown`], [`KeysError::Ambiguous`].
    pub fn find(&self, id: Option<&str>, algorithm: &str, family: Family) -> Result<&DecodingKey, KeysError> {
        let fits =
            |key: &&Key| key.family == family && key.algorithm.as_deref().is_none_or(|its| its == algorithm);
        let mut fitting = self
            .0
            .iter()
            .filter(fits)
            .filter(|key| id.is_none() || key.id.as_deref() == id);
        let first = fitting.next().ok_or(KeysError::Unknown)?;
        match fitting.next() {
            None => Ok(&first.decoding),
            Some(_) => Err(KeysError::Ambiguous),
        }
    }
}

fn key(value: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) || !may_verify(value) {
        return None;
    }
    let family = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) if !roca::has_fingerprint(&URL_SAFE_NO_PAD.decode(&key.n).ok()?) => {
            Family::Rsa
        }
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => Family::P256,
            EllipticCurve::P384 => Family::P384,
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Family::Ed25519,
        _ => return None,
    };
    Some(Key {
        id: jwk.common.key_id.clone(),
        algorithm: value.get("alg").and_then(Value::as_str).map(str::to_owned),
        family,
        decoding: DecodingKey::from_jwk(&jwk).ok()?,
    })
}

/// Whether a key that says what it is for (RFC 7517, section 4.3) is for verifying signatures.
fn may_verify(key: &Value) -> bool {
    match key.get("key_ops") {
        None => true,
        Some(Value::Array(uses)) => uses.iter().any(|it| it == "verify"),
        Some(_) => false,
    }
}
