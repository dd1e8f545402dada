//! Client data: what the browser says of the ceremony (WebAuthn, section 5.8.1).

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::refused::Refused;
use crate::relying_party::Challenge;

/// Which ceremony.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ceremony {
    /// A passkey is made.
    Create,
    /// One is shown.
    Get,
}

impl Ceremony {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// Browsers may add members: they are read past. One of these that comes twice is refused.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<IgnoredAny>,
}

/// Looks at all of it.
pub(crate) fn check(
    bytes: &[u8],
    ceremony: Ceremony,
    challenge: &Challenge,
    origin: &str,
) -> Result<(), Refused> {
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| Refused::ClientData)?;
    if data.kind != ceremony.name() {
        return Err(Refused::Ceremony);
    }
    if data.challenge != challenge.as_str() {
        return Err(Refused::Challenge);
    }
    if data.origin != origin {
        return Err(Refused::Origin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(Refused::CrossOrigin);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://reeve.test";

    fn challenge() -> Challenge {
        Challenge::of([7; 32])
    }

    fn checked(text: &str) -> Result<(), Refused> {
        check(text.as_bytes(), Ceremony::Get, &challenge(), ORIGIN)
    }

    #[test]
    fn client_data_is_of_this_ceremony_challenge_and_origin() {
        let honest = format!(
            r#"{{"type":"webauthn.get","challenge":"{}","origin":"{ORIGIN}","crossOrigin":false,"other":{{"a":[1]}}}}"#,
            challenge().as_str()
        );
        assert_eq!(checked(&honest), Ok(()));
        let other = Challenge::of([8; 32]);
        for (old, new, why) in [
            ("webauthn.get", "webauthn.create", Refused::Ceremony),
            ("webauthn.get", "payment.get", Refused::Ceremony),
            (challenge().as_str(), other.as_str(), Refused::Challenge),
            (challenge().as_str(), "", Refused::Challenge),
            (ORIGIN, "https://reeve.test.evil.test", Refused::Origin),
            (ORIGIN, "http://reeve.test", Refused::Origin),
            (ORIGIN, "https://reeve.test:8443", Refused::Origin),
            (ORIGIN, "https://reeve.test/", Refused::Origin),
            ("crossOrigin\":false", "crossOrigin\":true", Refused::CrossOrigin),
            (
                "crossOrigin\":false",
                "topOrigin\":\"https://evil.test\"",
                Refused::CrossOrigin,
            ),
            (
                "\"other\":",
                "\"type\":\"webauthn.get\",\"other\":",
                Refused::ClientData,
            ),
            (
                "crossOrigin\":false",
                "crossOrigin\":\"false\"",
                Refused::ClientData,
            ),
            ("{\"type\"", "\u{feff}{\"type\"", Refused::ClientData),
            ("[1]}}", "[1]}}}", Refused::ClientData),
        ] {
            let forged = honest.replacen(old, new, 1);
            assert_ne!(forged, honest, "{old}");
            assert_eq!(checked(&forged), Err(why), "{old} as {new}");
        }
        assert_eq!(checked("{}"), Err(Refused::ClientData));
        assert_eq!(checked(""), Err(Refused::ClientData));
    }
}
