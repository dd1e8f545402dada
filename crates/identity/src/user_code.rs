//! Codes that a person reads on one device and types on another (RFC 8628, section 6.1).

use reeve_types::Secret;

use crate::random::{NoRandomness, Random};

/// No vowels, so that no word comes out, and none of the digits that look like letters.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// So many letters: about 34.5 bits, which is enough while few guesses are looked at.
const LENGTH: usize = 8;

/// Such a code: eight letters, in upper case.
#[derive(Clone)]
pub struct UserCode(Secret);

impl std::fmt::Debug for UserCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[user code]")
    }
}

impl UserCode {
    /// A new one, each with the same probability.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate(random: &Random) -> Result<Self, NoRandomness> {
        let mut text = String::with_capacity(LENGTH);
        while text.len() < LENGTH {
            let letter = LETTERS.get(random.below(LETTERS.len())?);
            text.extend(letter.map(|letter| char::from(*letter)));
        }
        Ok(Self(Secret::new(text)))
    }

    /// What somebody typed, in whichever case and with blanks and hyphens wherever they are; `None` for what is no such code.
    pub fn typed(text: &str) -> Option<Self> {
        let letters: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .take(LENGTH + 1)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let fits = letters.len() == LENGTH && letters.bytes().all(|letter| LETTERS.contains(&letter));
        fits.then(|| Self(Secret::new(letters)))
    }

    /// The letters alone: what is hashed and compared.
    pub const fn letters(&self) -> &Secret {
        &self.0
    }

    /// As it is shown to people: `WDJB-MJHT`.
    pub fn shown(&self) -> String {
        let text = self.0.expose();
        match text.split_at_checked(LENGTH / 2) {
            Some((first, second)) => format!("{first}-{second}"),
            None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn typed(text: &str) -> Option<String> {
        UserCode::typed(text).map(|code| code.shown())
    }

    /// Planted fault: a remainder of a byte, which favours the first letters by a twelfth.
    #[test]
    fn a_code_is_of_twenty_letters_each_as_likely_as_the_others() {
        let random = Random::seeded(5);
        let mut seen: BTreeMap<char, u32> = BTreeMap::new();
        for _ in 0..25_000 {
            let code = UserCode::generate(&random).unwrap();
            assert_eq!(typed(&code.shown()), Some(code.shown()));
            for letter in code.letters().expose().chars() {
                *seen.entry(letter).or_default() += 1;
            }
        }
        assert_eq!(seen.len(), 20);
        // 10,000 of each are expected, with a standard deviation of 97; the fault gives the last four 9,375.
        assert!(
            seen.values().all(|count| (9_500..10_500).contains(count)),
            "{seen:?}"
        );
        let first: u32 = LETTERS[..16]
            .iter()
            .map(|letter| seen[&char::from(*letter)])
            .sum();
        assert!(first < 160_000 + 800, "{first}");
    }

    #[test]
    fn a_code_is_read_however_it_is_typed_and_nothing_else_is() {
        for text in ["WDJBMJHT", "wdjb-mjht", " WDJB MJHT ", "w-d-j-b-m-j-h-t"] {
            assert_eq!(typed(text).as_deref(), Some("WDJB-MJHT"), "{text}");
        }
        for text in [
            "",
            "WDJBMJH",
            "WDJBMJHTT",
            "ADJBMJHT",
            "1DJBMJHT",
            "WDJBMJHß",
            "WDJB_MJHT",
        ] {
            assert_eq!(typed(text), None, "{text}");
        }
        let shown = format!("{:?}", UserCode::typed("WDJBMJHT").unwrap());
        assert_eq!(shown, "[user code]");
    }
}
