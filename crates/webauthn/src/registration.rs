//! A passkey that was made (WebAuthn, section 7.1).

use aws_lc_rs::digest;

use crate::authenticator_data::AuthenticatorData;
use crate::cbor::{self, Value};
use crate::client_data::{self, Ceremony};
use crate::public_key::PublicKey;
use crate::refused::Refused;
use crate::relying_party::{Challenge, RelyingParty};
use crate::text::decode;

/// What a browser answers when a passkey was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    id: Vec<u8>,
    client_data: Vec<u8>,
    attestation_object: Vec<u8>,
}

/// A passkey, as it is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id, which the authenticator drew.
    pub id: Vec<u8>,
    /// What checks it.
    pub key: PublicKey,
    /// How often it was shown; 0 of authenticators that do not count.
    pub counter: u32,
    /// Whether it may be kept somewhere else as well.
    pub backup_eligible: bool,
    /// Whether it is kept somewhere else as well: by whoever keeps a person's passwords.
    pub backed_up: bool,
}

impl Registration {
    /// From its texts: `id`, and of `response` `clientDataJSON` and `attestationObject`.
    ///
    /// # Errors
    /// [`Refused::Text`].
    pub fn read(id: &str, client_data: &str, attestation_object: &str) -> Result<Self, Refused> {
        Ok(Self {
            id: decode("id", id)?,
            client_data: decode("clientDataJSON", client_data)?,
            attestation_object: decode("attestationObject", attestation_object)?,
        })
    }
}

impl RelyingParty {
    /// The passkey that was made for this challenge.
    ///
    /// # Errors
    /// [`Refused`], by the first check that fails.
    pub fn registered(&self, challenge: &Challenge, shown: &Registration) -> Result<Credential, Refused> {
        self.made(challenge, shown, true)
    }

    fn made(
        &self,
        challenge: &Challenge,
        shown: &Registration,
        verified: bool,
    ) -> Result<Credential, Refused> {
        client_data::check(&shown.client_data, Ceremony::Create, challenge, self.origin())?;
        let object = cbor::whole(&shown.attestation_object)?;
        let bytes = object.named("authData").and_then(Value::bytes);
        let bytes = bytes.ok_or(Refused::AuthenticatorData)?;
        let data = AuthenticatorData::read(bytes)?;
        data.check(self.id(), verified)?;
        let made = data.credential.ok_or(Refused::NoCredential)?;
        if made.id != shown.id {
            return Err(Refused::CredentialId);
        }
        let key = PublicKey::read(made.key)?;
        attested(&object, &key, bytes, &shown.client_data)?;
        Ok(Credential {
            id: made.id.to_vec(),
            key,
            counter: data.counter,
            backup_eligible: data.backup_eligible(),
            backed_up: data.backed_up(),
        })
    }
}

/// Whether the attestation is one that may come where none was asked for: none, or one by the passkey itself (section 8.2), which says
/// that whoever sends it has the key.
fn attested(object: &Value<'_>, key: &PublicKey, data: &[u8], client_data: &[u8]) -> Result<(), Refused> {
    let statement = object.named("attStmt").ok_or(Refused::Attestation)?;
    let right = match object.named("fmt").and_then(Value::text) {
        Some("none") => statement.entries() == Some(0),
        Some("packed") => {
            let algorithm = statement.named("alg").and_then(Value::integer);
            let signature = statement.named("sig").and_then(Value::bytes);
            statement.entries() == Some(2)
                && algorithm == Some(key.algorithm().number())
                && signature.is_some_and(|signature| key.signed(&signed(data, client_data), signature))
        }
        _ => false,
    };
    if right { Ok(()) } else { Err(Refused::Attestation) }
}

/// What is signed.
pub(crate) fn signed(data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [data, digest::digest(&digest::SHA256, client_data).as_ref()].concat()
}

#[cfg(test)]
pub(crate) mod tests;
