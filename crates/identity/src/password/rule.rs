//! What a password must be, and how one is made.

use reeve_types::Secret;

use crate::random::{NoRandomness, Random};

/// Why a password is refused (control-plane 1.6). Says nothing of the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a password needs 8 to 500 bytes with at least one digit, lower-case letter, upper-case letter and special character, and no control characters"
)]
pub struct WeakPassword;

const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGIT: &[u8] = b"23456789";
const SPECIAL: &[u8] = b"!#%+-.=?@_";
const LENGTH: usize = 20;

/// Checks a password that somebody chose.
///
/// # Errors
/// [`WeakPassword`].
pub fn check_password(password: &Secret) -> Result<(), WeakPassword> {
    let text = password.expose();
    let has = |kind: fn(char) -> bool| text.chars().any(kind);
    let special = |c: char| !c.is_alphanumeric() && !c.is_control() && !c.is_whitespace();
    let strong =
        has(|c| c.is_ascii_digit()) && has(char::is_lowercase) && has(char::is_uppercase) && has(special);
    if strong && (8..=500).contains(&text.len()) && !has(char::is_control) {
        Ok(())
    } else {
        Err(WeakPassword)
    }
}

/// A new password of 20 characters that satisfies the rule, without characters that are easily mistaken for others:
/// more than 115 bits.
///
/// # Errors
/// [`NoRandomness`].
pub fn generate_password(random: &Random) -> Result<Secret, NoRandomness> {
    let all: Vec<u8> = [LOWER, UPPER, DIGIT, SPECIAL].concat();
    loop {
        let mut text = String::with_capacity(LENGTH);
        for _ in 0..LENGTH {
            let at = random.below(all.len())?;
            text.extend(all.get(at).map(|byte| char::from(*byte)));
        }
        let password = Secret::new(text);
        // Drawn again as a whole when a kind is missing, so that every acceptable password is equally likely.
        if check_password(&password).is_ok() {
            return Ok(password);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_password_satisfies_the_rule_and_none_comes_twice() {
        let random = Random::seeded(5);
        let made: std::collections::BTreeSet<_> = (0..500)
            .map(|_| generate_password(&random).unwrap().expose().to_owned())
            .collect();
        assert_eq!(made.len(), 500);
        assert!(
            made.iter()
                .all(|text| text.len() == LENGTH && check_password(&Secret::new(text.clone())).is_ok())
        );
    }

    #[test]
    fn each_missing_kind_is_noticed() {
        for weak in [
            "",
            "Aa1!",
            "aaaaaa1!",
            "AAAAAA1!",
            "aaaaAAA!",
            "aaaaAAA1",
            "aaaaAAA1 ",
            "aA1!aA1!\n",
        ] {
            assert_eq!(check_password(&Secret::new(weak)), Err(WeakPassword), "{weak:?}");
        }
        assert!(check_password(&Secret::new("aA1!aA1!")).is_ok());
        assert!(check_password(&Secret::new("é".repeat(3) + "A1!aaa")).is_ok());
        assert!(check_password(&Secret::new("aA1!".repeat(126))).is_err());
    }
}
