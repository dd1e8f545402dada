//! Logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.6): which of them count.

use serde_json::Value;

use crate::id_token::{self, Expected, IdTokenError, SKEW_SECONDS};
use crate::keys::Keys;
use crate::provider::Provider;

/// What says that it is one.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Longer ids are not remembered, in characters.
const MAX_ID: usize = 255;
/// How far ahead a token may end, in seconds: so long it is remembered. Two minutes are recommended.
const MAX_AHEAD_SECONDS: i64 = 24 * 60 * 60;

/// Somebody who signed out at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutToken {
    /// Who, by the provider's word.
    pub subject: String,
    /// The token's own id: each counts once.
    pub id: String,
    /// Until when it has to be remembered, in seconds since 1970.
    pub until: i64,
}

/// Why a logout token does not count. Nothing of the token is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogoutTokenError {
    /// What every token of a provider has to be.
    #[error("the logout token is held to the rules of ID tokens, and {0}")]
    Token(#[from] IdTokenError),
    /// Another kind of token.
    #[error("the token does not say that it is a logout token (`events`)")]
    Event,
    /// An ID token.
    #[error("the logout token has a nonce, which none may have")]
    Nonce,
    /// One that could be shown again.
    #[error("the logout token has no id (`jti`), or one that is longer than 255 characters")]
    Id,
    /// One that would be remembered for too long.
    #[error("the logout token ends (`exp`) more than a day ahead")]
    Ahead,
}

/// Whom a logout token signs out. One that ends more than a day ahead is refused, since it has to be remembered as long. One that names a session (`sid`) alone is refused for its missing subject: sessions are not known by
/// the provider's names for them, so a provider has to send `sub`, as all do that we know of.
///
/// # Errors
/// [`LogoutTokenError`]; for an unknown key the keys may be read again.
pub fn verify_logout(
    token: &str,
    keys: &Keys,
    provider: &Provider,
    client_id: &str,
    now: i64,
) -> Result<LogoutToken, LogoutTokenError> {
    let expected = Expected {
        provider,
        client_id,
        nonce: None,
        access_token: None,
        now,
    };
    let (claims, _) = id_token::signed(token, keys, &expected, &["JWT", "logout+jwt"])?;
    let is_event = claims
        .get("events")
        .and_then(|events| events.get(EVENT))
        .is_some_and(Value::is_object);
    if !is_event {
        return Err(LogoutTokenError::Event);
    }
    if claims.contains_key("nonce") {
        return Err(LogoutTokenError::Nonce);
    }
    let text = |name| claims.get(name).and_then(Value::as_str);
    let id = text("jti").filter(|id| (1..=MAX_ID).contains(&id.chars().count()));
    let subject = text("sub").ok_or(IdTokenError::Subject)?;
    let ends = id_token::seconds(&claims, "exp")?.unwrap_or(now);
    if ends.saturating_sub(now) > MAX_AHEAD_SECONDS {
        return Err(LogoutTokenError::Ahead);
    }
    Ok(LogoutToken {
        subject: subject.to_owned(),
        id: id.ok_or(LogoutTokenError::Id)?.to_owned(),
        until: ends.saturating_add(SKEW_SECONDS),
    })
}
