//! JSON that plain base64 can carry.

use std::fmt::Write;

/// Writes every character that is not ASCII, and `>`, `?`, `~` and DEL, as `\u` escapes. In ASCII text only these four
/// have six low bits that URL-safe base64 spells `-` or `_`, and a base64 group that mixes two bytes never reaches them.
/// All of them can occur only inside JSON strings, where an escape means the same.
pub(super) fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0u16; 2];
    for character in json.chars() {
        match character {
            '>' | '?' | '~' | '\u{7f}' | '\u{80}'.. => {
                for unit in character.encode_utf16(&mut units) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_survives_and_its_base64_has_neither_hyphen_nor_underscore(text in ".{0,80}", padding in 0usize..3) {
            let json = serde_json::to_string(&("x".repeat(padding), &text)).unwrap();
            let escaped = escape(&json);
            prop_assert!(escaped.is_ascii());
            prop_assert_eq!(serde_json::from_str::<(String, String)>(&escaped).unwrap().1, text);
            let encoded = URL_SAFE_NO_PAD.encode(&escaped);
            prop_assert!(!encoded.contains(['-', '_']), "{}", encoded);
        }
    }

    #[test]
    fn every_single_character_at_every_place_in_a_group() {
        for code in 0..=0x2fff_u32 {
            let Some(character) = char::from_u32(code) else {
                continue;
            };
            for padding in ["", "a", "aa"] {
                let text = format!("{padding}{character}");
                let escaped = escape(&serde_json::to_string(&text).unwrap());
                assert!(!URL_SAFE_NO_PAD.encode(&escaped).contains(['-', '_']), "{code:x}");
                assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
            }
        }
    }

    #[test]
    fn without_escaping_the_trap_is_real() {
        // Were this not so, the two tests above could not fail.
        let plain = serde_json::to_string("aa?~>\u{7f}aa?~>\u{7f}a?~>\u{7f}").unwrap();
        assert!(URL_SAFE_NO_PAD.encode(&plain).contains(['-', '_']));
    }
}
