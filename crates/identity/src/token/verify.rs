//! Whether a token is ours, for us, and still good.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use reeve_types::Timestamp;

use super::claims::{Audience, Claims};
use crate::keys::KeyRing;

/// Why a token is refused, always with 401. Nothing of the token is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// No JWT, or not with our claims.
    #[error("the token is not one of ours")]
    Malformed,
    /// Signed in another way than ES256.
    #[error("the token is not signed with ES256")]
    Algorithm,
    /// Signed with a key that is not on the ring.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// Not signed with the key it names.
    #[error("the token's signature is wrong")]
    Signature,
    /// From elsewhere.
    #[error("the token's issuer is not familiar")]
    Issuer,
    /// For somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Its time is over. Programs hear this too, so it does not tell them to sign in.
    #[error("the token has expired: get a new one in the way you got it")]
    Expired,
    /// Its time has not come: a clock is wrong.
    #[error("the token is from the future: check the clocks")]
    NotYet,
}

/// Longer texts are not looked at.
const MAX_BYTES: usize = 16 * 1024;
/// How far a replica's clock may be ahead.
const SKEW_SECONDS: i64 = 60;

/// Checks tokens of one issuer for one audience.
#[derive(Debug, Clone)]
pub struct Verifier {
    validation: Validation,
}

impl Verifier {
    /// For tokens of `issuer` for `audience`.
    pub fn new(issuer: &str, audience: Audience) -> Self {
        let mut validation = Validation::new(Algorithm::ES256);
        // The library would ask the machine's clock; the moment comes in as an argument below.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience.to_string()]);
        Self { validation }
    }

    /// The claims of a good token.
    ///
    /// # Errors
    /// [`InvalidToken`].
    pub fn verify(&self, ring: &KeyRing, token: &str, now: Timestamp) -> Result<Claims, InvalidToken> {
        if token.len() > MAX_BYTES || token.split('.').count() != 3 {
            return Err(InvalidToken::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| InvalidToken::Malformed)?;
        if header.alg != Algorithm::ES256 {
            return Err(InvalidToken::Algorithm);
        }
        let key = header
            .kid
            .as_deref()
            .and_then(|kid| ring.find(kid))
            .ok_or(InvalidToken::UnknownKey)?;
        let decoded = jsonwebtoken::decode::<Claims>(token, key.decoding(), &self.validation);
        let claims = decoded.map_err(|error| reason(error.kind()))?.claims;
        if claims.exp <= now.as_seconds() {
            return Err(InvalidToken::Expired);
        }
        if claims.iat > now.plus_seconds(SKEW_SECONDS).as_seconds() {
            return Err(InvalidToken::NotYet);
        }
        Ok(claims)
    }
}

fn reason(kind: &ErrorKind) -> InvalidToken {
    match kind {
        ErrorKind::InvalidSignature => InvalidToken::Signature,
        ErrorKind::InvalidIssuer => InvalidToken::Issuer,
        ErrorKind::InvalidAudience => InvalidToken::Audience,
        ErrorKind::InvalidAlgorithm => InvalidToken::Algorithm,
        _ => InvalidToken::Malformed,
    }
}
