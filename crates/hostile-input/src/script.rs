//! Inputs that name what was signed by number. A byte below 128 is itself; one above is a piece of a message that the target made,
//! as a fuzzer cannot make it: a signed element, a key, a part of a token.

/// The longest text that is made, in bytes: what is longer says nothing new and costs time.
const LONGEST: usize = 64 * 1024;

/// The text of an input. A number that no piece has is the piece that many places on, from the beginning again.
pub fn expand<S: AsRef<str>>(input: &[u8], pieces: &[S]) -> String {
    let mut text = String::new();
    for byte in input {
        match usize::from(*byte).checked_sub(128) {
            None => text.push(char::from(*byte)),
            Some(number) => {
                let piece = pieces.get(number % pieces.len().max(1));
                text.push_str(piece.map_or("", AsRef::as_ref));
            }
        }
        if text.len() > LONGEST {
            break;
        }
    }
    text
}

/// The bytes that name `count` pieces from `first` on.
///
/// # Panics
/// When there are more than 128 pieces.
pub fn pieces(first: usize, count: usize) -> Vec<u8> {
    (first..first + count)
        .map(|number| u8::try_from(number + 128).unwrap())
        .collect()
}

/// The input of a text in which U+0080 to U+00FF name pieces.
///
/// # Panics
/// When there are other characters.
pub fn input(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_bytes_are_themselves_and_high_ones_are_pieces() {
        assert_eq!(expand(b"a\x80b\x81\x82", &["X", "Y"]), "aXbYX");
        assert_eq!(expand::<&str>(b"\x80a", &[]), "a");
        assert_eq!(pieces(1, 2), [129, 130]);
        assert_eq!(input("a\u{80}"), b"a\x80");
    }
}
