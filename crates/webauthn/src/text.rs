//! Bytes as browsers send them: base64 for addresses, without padding.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::refused::Refused;

/// The most bytes that any part of an answer of a browser has. An attestation object of a long RSA key has less than two thousand.
const MOST_BYTES: usize = 6 * 1024;

/// As text.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a text, one spelling for each; at most [`MOST_BYTES`].
pub(crate) fn decode(name: &'static str, text: &str) -> Result<Vec<u8>, Refused> {
    if text.len() > MOST_BYTES.div_ceil(3) * 4 {
        return Err(Refused::Text(name));
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Text(name))
}
