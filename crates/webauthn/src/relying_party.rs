//! Who passkeys are made for, and what a browser is asked.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Host, Url};

use crate::public_key::Algorithm;
use crate::text::encode;

/// What authenticators call us.
const NAME: &str = "Reeve";

/// An installation of ours, as browsers know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
}

/// What a passkey has to sign: 32 random bytes, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Challenge(String);

impl Challenge {
    /// Of these bytes, which nobody can have known before.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(encode(&bytes))
    }

    /// As browsers say it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// For whom a passkey is made.
#[derive(Debug, Clone, Copy)]
pub struct User<'a> {
    /// What the passkey says of whom it is; nothing that speaks of the person, at most 64 bytes.
    pub handle: &'a [u8],
    /// What authenticators show.
    pub name: &'a str,
}

impl RelyingParty {
    /// At this address; none where browsers allow no passkeys: they are bound to a name, and an IP address is none.
    pub fn at(address: &Url) -> Option<Self> {
        let Some(Host::Domain(name)) = address.host() else {
            return None;
        };
        (address.scheme() == "https").then(|| Self {
            id: name.to_owned(),
            origin: address.origin().ascii_serialization(),
        })
    }

    /// The name that passkeys are bound to.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// From where they are used.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What a browser is asked when one is made (`PublicKeyCredentialCreationOptionsJSON`). No second one on an authenticator that has one
    /// of `have` (ids, as text). `seconds`: how long the person may take.
    pub fn creation_options(
        &self,
        challenge: &Challenge,
        user: &User<'_>,
        have: &[String],
        seconds: i64,
    ) -> Value {
        let parameters: Vec<_> = Algorithm::ALL
            .iter()
            .map(|algorithm| json!({"type": "public-key", "alg": algorithm.number()}))
            .collect();
        let have: Vec<_> = have
            .iter()
            .map(|id| json!({"type": "public-key", "id": id}))
            .collect();
        json!({
            "rp": {"id": self.id, "name": NAME},
            "user": {"id": encode(user.handle), "name": user.name, "displayName": user.name},
            "challenge": challenge.as_str(),
            "pubKeyCredParams": parameters,
            "timeout": seconds * 1000,
            "excludeCredentials": have,
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            },
            "attestation": "none",
        })
    }

    /// What a browser is asked when one is shown (`PublicKeyCredentialRequestOptionsJSON`): any of this relying party, so that the same is
    /// asked of everybody.
    pub fn request_options(&self, challenge: &Challenge, seconds: i64) -> Value {
        json!({
            "rpId": self.id,
            "challenge": challenge.as_str(),
            "timeout": seconds * 1000,
            "allowCredentials": [],
            "userVerification": "required",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relying_party_has_a_name_and_an_origin() {
        let at = |text: &str| RelyingParty::at(&Url::parse(text).unwrap());
        let party = at("https://reeve.example.com:8443/console").unwrap();
        assert_eq!(
            (party.id(), party.origin()),
            ("reeve.example.com", "https://reeve.example.com:8443")
        );
        let party = at("https://localhost:443").unwrap();
        assert_eq!((party.id(), party.origin()), ("localhost", "https://localhost"));
        for none in [
            "https://127.0.0.1:8443",
            "https://[::1]",
            "http://reeve.example.com",
        ] {
            assert_eq!(at(none), None, "{none}");
        }
    }

    #[test]
    fn a_person_has_to_be_verified_and_nobody_is_named_at_a_sign_in() {
        let party = RelyingParty::at(&Url::parse("https://reeve.test").unwrap()).unwrap();
        let challenge = Challenge::of([1; 32]);
        let asked = party.request_options(&challenge, 300);
        assert_eq!(asked["userVerification"], "required");
        assert_eq!(asked["allowCredentials"], json!([]));
        let user = User {
            handle: &[1, 2],
            name: "a@example.com",
        };
        let asked = party.creation_options(&challenge, &user, &["AQI".to_owned()], 300);
        assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(asked["attestation"], "none");
        assert_eq!(asked["timeout"], 300_000);
        assert_eq!(
            asked["excludeCredentials"],
            json!([{"type": "public-key", "id": "AQI"}])
        );
    }
}
