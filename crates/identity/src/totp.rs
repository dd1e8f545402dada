//! One-time codes of an authenticator (RFC 6238), and recovery codes for whoever has lost it.
//!
//! **What is fixed.** HMAC-SHA-1, six digits, thirty seconds: what every authenticator can do. A code is good in its own thirty seconds and
//! in those before and after, for clocks that differ. Which of these steps it was is answered, so that nobody uses one twice: remembering
//! the step, and refusing it and all before it, is the caller's part.

use aws_lc_rs::{constant_time, hmac};
use data_encoding::BASE32_NOPAD;
use reeve_types::{Secret, Timestamp};

use crate::random::{NoRandomness, Random};

/// How long a code is shown, in seconds.
pub const STEP_SECONDS: i64 = 30;
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// How many steps before and after the present one count.
const SKEW: i64 = 1;
/// Bytes of a secret: as many as a hash of SHA-1 has (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
/// Characters of a recovery code: 80 bits.
const RECOVERY_LENGTH: usize = 16;

/// What an authenticator and we have in common.
pub struct TotpSecret(Vec<u8>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Text that is no secret of an authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no secret of an authenticator")]
pub struct InvalidTotpSecret;

impl TotpSecret {
    /// A new one.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate(random: &Random) -> Result<Self, NoRandomness> {
        let bytes: [u8; SECRET_BYTES] = random.bytes()?;
        Ok(Self(bytes.to_vec()))
    }

    /// From its text.
    ///
    /// # Errors
    /// [`InvalidTotpSecret`].
    pub fn from_text(text: &Secret) -> Result<Self, InvalidTotpSecret> {
        let bytes = BASE32_NOPAD
            .decode(text.expose().as_bytes())
            .map_err(|_| InvalidTotpSecret)?;
        if bytes.len() == SECRET_BYTES {
            Ok(Self(bytes))
        } else {
            Err(InvalidTotpSecret)
        }
    }

    /// As people type it into an authenticator: base 32.
    pub fn text(&self) -> Secret {
        Secret::new(BASE32_NOPAD.encode(&self.0))
    }

    /// The code of a step (RFC 4226, section 5.3).
    fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let digest = tag.as_ref();
        let offset = usize::from(digest.last().copied().unwrap_or_default() & 0x0f);
        let number = digest
            .iter()
            .skip(offset)
            .take(4)
            .fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }

    /// The step whose code this is, of those that are good now; `None` for any other text. The same work whichever it is.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let typed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let present = now.as_seconds().div_euclid(STEP_SECONDS);
        let mut found = None;
        for step in present - SKEW..=present + SKEW {
            let right = self.code(step);
            if constant_time::verify_slices_are_equal(right.as_bytes(), typed.as_bytes()).is_ok() {
                found = Some(step);
            }
        }
        found
    }

    /// The code of this moment, as an authenticator shows it; for tests.
    #[doc(hidden)]
    pub fn code_at(&self, now: Timestamp) -> String {
        self.code(now.as_seconds().div_euclid(STEP_SECONDS))
    }
}

/// A new recovery code, as it is shown.
///
/// # Errors
/// [`NoRandomness`].
pub fn generate_recovery_code(random: &Random) -> Result<Secret, NoRandomness> {
    let bytes: [u8; 10] = random.bytes()?;
    let text = BASE32_NOPAD.encode(&bytes).to_lowercase();
    let mut shown = String::with_capacity(RECOVERY_LENGTH + 3);
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            shown.push('-');
        }
        shown.push(letter);
    }
    Ok(Secret::new(shown))
}

/// What somebody typed, as the recovery code that is kept, if it can be one.
pub fn recovery_code(typed: &str) -> Option<Secret> {
    let letters: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    let plausible =
        letters.len() == RECOVERY_LENGTH && letters.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plausible.then(|| Secret::new(letters.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// RFC 6238, appendix B, for SHA-1: the last six of its eight digits. Planted fault: the sign bit left in, as for 1111111109.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = TotpSecret(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code_at(at(seconds)), code);
            assert_eq!(secret.step_of(code, at(seconds)), Some(seconds / 30));
        }
        assert_eq!(secret.text().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_is_good_in_its_step_and_the_ones_beside_it() {
        let secret = TotpSecret::generate(&Random::seeded(5)).unwrap();
        let again = TotpSecret::from_text(&secret.text()).unwrap();
        let now = 1_700_000_010;
        let code = secret.code_at(at(now));
        let step = now / 30;
        for (later, good) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let found = again.step_of(&code, at(now + later));
            assert_eq!(found, good.then_some(step), "{later}");
        }
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        assert_eq!(secret.step_of(&spaced, at(now)), Some(step));
        for other in ["", "0", &code[..5], &format!("{code}0"), "abcdef", "１２３４５６"] {
            assert_eq!(secret.step_of(other, at(now)), None, "{other}");
        }
        assert!(TotpSecret::from_text(&Secret::new("AAAA")).is_err());
    }

    #[test]
    fn a_recovery_code_is_read_as_it_was_shown() {
        let random = Random::seeded(6);
        let shown = generate_recovery_code(&random).unwrap();
        let other = generate_recovery_code(&random).unwrap();
        assert_eq!(shown.expose().len(), 19, "four groups of four");
        let kept = recovery_code(shown.expose()).unwrap();
        let loud = recovery_code(&format!(" {} ", shown.expose().to_uppercase())).unwrap();
        assert_eq!(kept.expose(), loud.expose());
        assert_ne!(kept.expose(), recovery_code(other.expose()).unwrap().expose());
        for text in ["123456", "", "aaaa-bbbb-cccc-ddd"] {
            assert!(recovery_code(text).is_none(), "{text}");
        }
    }
}
