//! Tokens: JWTs (RFC 7519) signed with ES256.

mod ascii;
mod claims;
mod verify;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_types::Secret;

use crate::keys::{KeyError, SigningKey};
pub use claims::{Audience, Claims, SubjectKind};
pub use verify::{InvalidToken, Verifier};

/// Life of a link token, in seconds.
pub const LINK_SECONDS: i64 = 3_600;
/// Life of a REST token that no refresh token renews: a working day. It is checked against the directory at each request, so that
/// whoever is deleted or switched off is out at once.
pub const REST_SECONDS: i64 = 36_000;
/// Life of a REST token beside which a refresh token was given.
pub const RENEWED_SECONDS: i64 = 3_600;
/// Life of a token for a cluster's API server, in seconds: RBAC has no deny, so this is how long a sign-out may take.
pub const CLUSTER_SECONDS: i64 = 300;

impl SigningKey {
    /// Signs claims: three parts, of which the second is ASCII-only JSON whose base64 text has neither `-` nor `_`
    /// (control-plane 0.3, traps 3 and 4).
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn sign(&self, claims: &Claims) -> Result<Secret, KeyError> {
        let payload = serde_json::to_string(claims).map_err(|_| KeyError::Sign)?;
        let header = format!(r#"{{"alg":"ES256","typ":"JWT","kid":"{}"}}"#, self.kid());
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(ascii::escape(&payload))
        );
        let signature = self.signature(message.as_bytes())?;
        Ok(Secret::new(format!(
            "{message}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }
}
