//! ID tokens (OpenID Connect Core 1.0, section 3.1.3.7): which of them count.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::json::{self, Claims};
use crate::jws::{self, JwsError};
use crate::keys::{Keys, KeysError};
use crate::provider::Provider;

/// How far a provider's clock and ours may differ, in seconds: for every time in a token.
pub const SKEW_SECONDS: i64 = 60;
/// How old an ID token may be when it is shown, in seconds: it was made a moment ago, for this sign-in.
pub const MAX_AGE_SECONDS: i64 = 600;

/// What an ID token has to say to be one of this sign-in.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Of which provider.
    pub provider: &'a Provider,
    /// For which client.
    pub client_id: &'a str,
    /// With which nonce; `None` for one that a refresh gave, which need not have any.
    pub nonce: Option<&'a str>,
    /// The access token that came with it.
    pub access_token: Option<&'a str>,
    /// The present moment, in seconds since 1970.
    pub now: i64,
}

/// Why an ID token does not count. Nothing of the token is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// No signed JWT.
    #[error("the ID token is no signed JWT")]
    Malformed,
    /// An algorithm that is not taken, or that the provider does not announce.
    #[error(
        "the ID token's algorithm is not one that is taken and that the provider announces; `none` and HMAC never are"
    )]
    Algorithm,
    /// A header that changes what the token means.
    #[error(
        "the ID token's header asks for something that is not known here, or says that it is another kind of token"
    )]
    Header,
    /// No key.
    #[error(transparent)]
    Key(KeysError),
    /// Not signed by that key.
    #[error("the ID token's signature is wrong")]
    Signature,
    /// From another provider.
    #[error("the ID token is of another issuer")]
    Issuer,
    /// For another client.
    #[error("the ID token is for another client")]
    Audience,
    /// Of nobody.
    #[error("the ID token has no subject, or one that is longer than 255 characters")]
    Subject,
    /// Without a time that it must have.
    #[error("the ID token does not say, as a number, when it was made and when it ends")]
    Times,
    /// Its time is over.
    #[error(
        "the ID token has expired, or is older than a sign-in takes: compare the clocks of provider and control plane"
    )]
    Expired,
    /// Its time has not come.
    #[error("the ID token is from the future: compare the clocks of provider and control plane")]
    NotYet,
    /// Of another sign-in.
    #[error("the ID token is of another sign-in")]
    Nonce,
    /// Not of the access token beside it.
    #[error("the ID token does not belong to the access token that came with it")]
    AccessToken,
}

impl From<JwsError> for IdTokenError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Malformed => Self::Malformed,
            JwsError::Algorithm => Self::Algorithm,
            JwsError::Header => Self::Header,
            JwsError::Key(error) => Self::Key(error),
            JwsError::Signature => Self::Signature,
        }
    }
}

/// The claims of a token that counts.
///
/// # Errors
/// [`IdTokenError`]; for [`KeysError::Unknown`] the keys may be read again.
pub fn verify(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, IdTokenError> {
    let (claims, algorithm) = signed(token, keys, expected, &["JWT"])?;
    check_binding(&claims, algorithm, expected)?;
    Ok(claims)
}

/// The claims of a token of one of these kinds that the provider signed for this client and this moment, and its algorithm.
pub(crate) fn signed(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
    kinds: &[&str],
) -> Result<(Claims, &'static str), IdTokenError> {
    let signed = jws::verify(token, keys, &expected.provider.algorithms, kinds)?;
    let claims = json::object(&signed.payload).map_err(|_| IdTokenError::Malformed)?;
    check_parties(&claims, expected)?;
    check_times(&claims, expected.now)?;
    Ok((claims, signed.algorithm))
}

fn check_parties(claims: &Claims, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    if claims.get("iss").and_then(Value::as_str) != Some(&expected.provider.issuer) {
        return Err(IdTokenError::Issuer);
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let audience: Option<Vec<String>> = match claims.get("aud") {
        Some(Value::String(one)) => Some(vec![one.clone()]),
        Some(Value::Array(several)) => several.iter().map(text).collect(),
        _ => None,
    };
    let audience = audience.ok_or(IdTokenError::Audience)?;
    let ours = |name: &str| name == expected.client_id;
    let party = claims.get("azp");
    let party_is_ours = party.and_then(Value::as_str).is_some_and(ours);
    // With other audiences the authorized party has to be this client; where it is named, it always has to.
    let right = audience.iter().any(|name| ours(name))
        && (party.is_none() || party_is_ours)
        && (audience.iter().all(|name| ours(name)) || party_is_ours);
    if !right {
        return Err(IdTokenError::Audience);
    }
    match claims.get("sub").and_then(Value::as_str) {
        Some(subject) if (1..=255).contains(&subject.chars().count()) => Ok(()),
        _ => Err(IdTokenError::Subject),
    }
}

/// Whole seconds of a NumericDate (RFC 7519, section 2). Text is no number, whatever it looks like.
pub(crate) fn seconds(claims: &Claims, name: &str) -> Result<Option<i64>, IdTokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| {
                let number = number.as_f64().filter(|it| it.is_finite() && it.abs() < 1e15)?;
                Some(number.floor() as i64)
            });
            whole.map(Some).ok_or(IdTokenError::Times)
        }
        Some(_) => Err(IdTokenError::Times),
    }
}

fn check_times(claims: &Claims, now: i64) -> Result<(), IdTokenError> {
    let made = seconds(claims, "iat")?.ok_or(IdTokenError::Times)?;
    let ends = seconds(claims, "exp")?.ok_or(IdTokenError::Times)?;
    let begins = seconds(claims, "nbf")?.unwrap_or(made);
    let before = |a: i64, b: i64| a.saturating_add(SKEW_SECONDS) < b;
    if before(ends.saturating_sub(1), now) || before(made.saturating_add(MAX_AGE_SECONDS), now) {
        return Err(IdTokenError::Expired);
    }
    if before(now, made) || before(now, begins) {
        return Err(IdTokenError::NotYet);
    }
    Ok(())
}

fn check_binding(claims: &Claims, algorithm: &str, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let said = claims.get("nonce");
    match (expected.nonce, said.and_then(Value::as_str)) {
        (Some(nonce), Some(said)) if nonce == said => {}
        (None, _) => {}
        _ => return Err(IdTokenError::Nonce),
    }
    match (claims.get("at_hash"), expected.access_token) {
        (None, _) => Ok(()),
        (Some(Value::String(said)), Some(token)) if *said == half_hash(algorithm, token) => Ok(()),
        _ => Err(IdTokenError::AccessToken),
    }
}

/// The left half of a hash (Core 1.0, section 3.1.3.6), by the hash of the signature's algorithm.
pub fn half_hash(algorithm: &str, text: &str) -> String {
    let kind = match algorithm.get(2..) {
        Some("384") => &digest::SHA384,
        Some("512") | Some("DSA") => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let hash = digest::digest(kind, text.as_bytes());
    let half = hash.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..half).unwrap_or_default())
}
