//! Which of all possible states a revision is of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names one revision of a cluster's desired state, and all changes that led to it: 128 bits, as 32 hexadecimal digits on the
/// wire. Two databases of which one is a copy of the other agree in the tokens of the revisions they share, and in no later one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RevisionToken([u8; 16]);

/// Text that is no token. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a valid revision token: 32 hexadecimal digits in lower case are needed")]
pub struct InvalidRevisionToken;

impl RevisionToken {
    /// Of its bits.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for RevisionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RevisionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RevisionToken {
    type Err = InvalidRevisionToken;

    fn from_str(text: &str) -> Result<Self, InvalidRevisionToken> {
        let canonical = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = canonical.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number
            .map(|number| Self(number.to_be_bytes()))
            .ok_or(InvalidRevisionToken)
    }
}

impl Serialize for RevisionToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RevisionToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_written_and_nothing_else_is_one() {
        let token = RevisionToken::from_bytes(*b"\x00\x01\xffabcdefghijklm");
        assert_eq!(token.to_string(), "0001ff6162636465666768696a6b6c6d");
        assert_eq!(token.to_string().parse(), Ok(token));
        for text in [
            "",
            "0",
            &"0".repeat(31),
            &"0".repeat(33),
            &"A".repeat(32),
            &"+".repeat(32),
        ] {
            assert_eq!(text.parse::<RevisionToken>(), Err(InvalidRevisionToken), "{text}");
        }
    }
}
