//! Moments in messages, and the one clock skew by which all of them are judged.

use reeve_types::Timestamp;

use crate::SamlError;
use crate::tree::shortened;

/// How far the identity provider's clock may be from ours, either way. Every time of a message, its metadata and its
/// certificates is judged with this.
pub const SKEW_SECONDS: i64 = 60;
/// How old an assertion may be, besides the skew. It is made for the sign-in that is under way; and what is older than this need
/// not be remembered against replay, whatever validity the provider writes.
pub const MAX_ASSERTION_AGE_SECONDS: i64 = 600;

/// Reads an `xs:dateTime` that names its offset, as SAML core 1.3.3 asks for.
pub(crate) fn instant(text: &str, what: &'static str) -> Result<Timestamp, SamlError> {
    let refused = || SamlError::Time {
        what,
        text: shortened(text),
    };
    // jiff reads many other forms as well; two programs have to see the same moment here.
    if !is_date_time(text.as_bytes()) {
        return Err(refused());
    }
    let moment: jiff::Timestamp = text.parse().map_err(|_| refused())?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}

/// `YYYY-MM-DDThh:mm:ss`, perhaps a fraction, and `Z` or `±hh:mm`.
fn is_date_time(text: &[u8]) -> bool {
    let shaped = |text: &[u8], shape: &[u8]| {
        let fits = |(byte, like): (&u8, &u8)| {
            if *like == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == like
            }
        };
        text.len() == shape.len() && text.iter().zip(shape).all(fits)
    };
    let Some((moment, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
        None => rest,
    };
    shaped(moment, b"0000-00-00T00:00:00")
        && (rest == b"Z" || shaped(rest, b"+00:00") || shaped(rest, b"-00:00"))
}

/// Whether the end `end`, which is no longer in, is behind us.
pub(crate) fn is_past(end: Timestamp, now: Timestamp) -> bool {
    now >= end.plus_seconds(SKEW_SECONDS)
}

/// Whether the beginning `start` is still before us.
pub(crate) fn is_future(start: Timestamp, now: Timestamp) -> bool {
    now.plus_seconds(SKEW_SECONDS) < start
}

pub(crate) fn check_not_past(end: Timestamp, now: Timestamp, what: &'static str) -> Result<(), SamlError> {
    if is_past(end, now) {
        return Err(SamlError::Expired { what, at: end, now });
    }
    Ok(())
}

pub(crate) fn check_not_future(
    start: Timestamp,
    now: Timestamp,
    what: &'static str,
) -> Result<(), SamlError> {
    if is_future(start, now) {
        return Err(SamlError::NotYet { what, at: start, now });
    }
    Ok(())
}
