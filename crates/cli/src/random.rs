//! Randomness, of the source that TLS uses too.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::failure::Failure;

/// 256 random bits as a text of letters, digits, `-` and `_`.
///
/// # Errors
/// This machine gives none.
pub(crate) fn text() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| Failure::failed("this machine gives no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
