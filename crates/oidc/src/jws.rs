//! Compact JWS (RFC 7515): what a key of the provider signed. What the octets say is not looked at here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::json::{self, Claims};
use crate::keys::{ALGORITHMS, Keys, KeysError};

/// Longer tokens are not looked at, in bytes.
const MAX_BYTES: usize = 128 * 1024;

/// Why a token is not signed. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// No compact JWS.
    #[error("the token is no signed JWT")]
    Malformed,
    /// An algorithm that is not taken, or that was not announced.
    #[error("the token's algorithm is not one that is taken and announced")]
    Algorithm,
    /// A header that changes what the token means.
    #[error(
        "the token's header asks for something that is not known here, or says that it is another kind of token"
    )]
    Header,
    /// No key.
    #[error(transparent)]
    Key(KeysError),
    /// Not signed by that key.
    #[error("the token's signature is wrong")]
    Signature,
}

/// Octets that a key of the provider signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The octets.
    pub payload: Vec<u8>,
    /// By which algorithm.
    pub algorithm: &'static str,
}

/// The payload of a token that one of `keys` signed, by an algorithm that is taken here and that is one of `algorithms`. A `typ`
/// in its header has to be one of `kinds`.
///
/// # Errors
/// [`JwsError`].
pub fn verify(token: &str, keys: &Keys, algorithms: &[String], kinds: &[&str]) -> Result<Signed, JwsError> {
    let parts: Vec<&str> = token.split('.').collect();
    let ([header, payload, signature], true) = (parts.as_slice(), token.len() <= MAX_BYTES) else {
        return Err(JwsError::Malformed);
    };
    let header = json::object(&part(header)?).map_err(|_| JwsError::Malformed)?;
    let named = header
        .get("alg")
        .and_then(Value::as_str)
        .ok_or(JwsError::Algorithm)?;
    let (name, algorithm, family) = ALGORITHMS
        .into_iter()
        .find(|(name, ..)| *name == named && algorithms.iter().any(|it| it == name))
        .ok_or(JwsError::Algorithm)?;
    check_header(&header, kinds)?;
    let id = match header.get("kid") {
        None => None,
        Some(id) => Some(id.as_str().ok_or(JwsError::Header)?),
    };
    let key = keys.find(id, name, family).map_err(JwsError::Key)?;
    let message = token.rsplit_once('.').map_or("", |(message, _)| message);
    match jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm) {
        Ok(true) => {}
        _ => return Err(JwsError::Signature),
    }
    Ok(Signed {
        payload: part(payload)?,
        algorithm: name,
    })
}

fn part(text: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Malformed)
}

/// Keys that a token brings along (`jku`, `jwk`, `x5u`) are never looked at.
fn check_header(header: &Claims, kinds: &[&str]) -> Result<(), JwsError> {
    let other_kind = match header.get("typ") {
        None => false,
        Some(Value::String(kind)) => !kinds.iter().any(|it| kind.eq_ignore_ascii_case(it)),
        Some(_) => true,
    };
    if other_kind
        || ["crit", "enc", "zip", "b64"]
            .iter()
            .any(|name| header.contains_key(*name))
    {
        return Err(JwsError::Header);
    }
    Ok(())
}
