//! Words of closed lists.

/// Text that is no action or entity of the wire contract (control-plane 2.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}: one of {expected} is needed")]
pub struct UnknownWord {
    kind: &'static str,
    text: String,
    expected: String,
}

/// Reads a word of a closed list.
pub(crate) fn word<T: Copy>(
    kind: &'static str,
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownWord> {
    all.iter()
        .copied()
        .find(|one| name(*one) == text)
        .ok_or_else(|| UnknownWord {
            kind,
            text: text.chars().take(80).collect(),
            expected: all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", "),
        })
}
