//! Words as they were typed, past Kubernetes' expansion.

use std::borrow::Cow;

/// The text that Kubernetes' expansion of `command`, `args` and the values of `env` turns back into `text`.
///
/// Kubernetes reads `$(NAME)` as a reference and `$$` as one `$`. (It also takes what follows a single `$` for one byte,
/// and breaks a longer character there.) `$$` is the only escape, and it always works; a text that would come through
/// unchanged stays readable as it is.
pub fn literal(text: &str) -> Cow<'_, str> {
    let touched = |pair: &[u8]| matches!(pair, [b'$', b'$' | b'(' | 0x80..]);
    if text.as_bytes().windows(2).any(touched) {
        Cow::Owned(text.replace('$', "$$"))
    } else {
        Cow::Borrowed(text)
    }
}
