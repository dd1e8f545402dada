//! A passkey that was shown (WebAuthn, section 7.2).

use crate::authenticator_data::AuthenticatorData;
use crate::client_data::{self, Ceremony};
use crate::public_key::PublicKey;
use crate::refused::Refused;
use crate::registration::signed;
use crate::relying_party::{Challenge, RelyingParty};
use crate::text::{decode, encode};

/// A key that is nobody's: the point of P-256 from which all others are made, as a COSE key. Anybody can sign by it.
const NOBODYS: [u8; 77] = [
    0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, //
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, //
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, //
    0x22, 0x58, 0x20, //
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, //
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

/// What a browser answers when a passkey was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    id: Vec<u8>,
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
    user_handle: Vec<u8>,
}

/// A passkey, as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// Its id.
    pub id: &'a [u8],
    /// Of whom it says to be.
    pub user_handle: &'a [u8],
    /// What checks it.
    pub key: &'a PublicKey,
    /// How often it was shown, when it was shown last.
    pub counter: u32,
    /// Whether it may be kept somewhere else as well; without, nothing is known of that.
    pub backup_eligible: Option<bool>,
}

/// What is to be kept of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// How often it was shown. Of two uses that come at the same time the caller takes the one that raises it.
    pub counter: u32,
    /// Whether it is kept somewhere else as well now.
    pub backed_up: bool,
}

impl Assertion {
    /// From its texts: `id`, and of `response` `clientDataJSON`, `authenticatorData`, `signature` and `userHandle`.
    ///
    /// # Errors
    /// [`Refused::Text`].
    pub fn read(
        id: &str,
        client_data: &str,
        authenticator_data: &str,
        signature: &str,
        user_handle: &str,
    ) -> Result<Self, Refused> {
        Ok(Self {
            id: decode("id", id)?,
            client_data: decode("clientDataJSON", client_data)?,
            authenticator_data: decode("authenticatorData", authenticator_data)?,
            signature: decode("signature", signature)?,
            user_handle: decode("userHandle", user_handle)?,
        })
    }

    /// Which passkey it says to be, as text: in one spelling.
    pub fn id(&self) -> String {
        encode(&self.id)
    }
}

impl RelyingParty {
    /// Whether the passkey that is kept was shown for this challenge.
    ///
    /// # Errors
    /// [`Refused`], by the first check that fails. The signature comes before whatever is said of it.
    pub fn asserted(
        &self,
        challenge: &Challenge,
        shown: &Assertion,
        kept: &Kept<'_>,
    ) -> Result<Used, Refused> {
        self.shown(challenge, shown, kept, true)
    }

    /// For a passkey that nobody has: the same work, and always refused.
    pub fn asserted_by_nobody(&self, challenge: &Challenge, shown: &Assertion) -> Refused {
        let Ok(key) = PublicKey::read(&NOBODYS) else {
            return Refused::Unknown;
        };
        let kept = Kept {
            id: &shown.id,
            user_handle: &shown.user_handle,
            key: &key,
            counter: 0,
            backup_eligible: None,
        };
        match self.asserted(challenge, shown, &kept) {
            Ok(_) | Err(Refused::Signature | Refused::UserHandle) => Refused::Unknown,
            Err(why) => why,
        }
    }

    fn shown(
        &self,
        challenge: &Challenge,
        shown: &Assertion,
        kept: &Kept<'_>,
        verified: bool,
    ) -> Result<Used, Refused> {
        if shown.id != kept.id {
            return Err(Refused::CredentialId);
        }
        client_data::check(&shown.client_data, Ceremony::Get, challenge, self.origin())?;
        let data = AuthenticatorData::read(&shown.authenticator_data)?;
        data.check(self.id(), verified)?;
        let message = signed(&shown.authenticator_data, &shown.client_data);
        if !kept.key.signed(&message, &shown.signature) {
            return Err(Refused::Signature);
        }
        // Nobody is named beforehand, so the passkey has to say whose it is.
        if shown.user_handle != kept.user_handle || shown.user_handle.is_empty() {
            return Err(Refused::UserHandle);
        }
        let changed = kept
            .backup_eligible
            .is_some_and(|it| it != data.backup_eligible());
        if changed {
            return Err(Refused::Backup);
        }
        let counts = data.counter != 0 || kept.counter != 0;
        if counts && data.counter <= kept.counter {
            return Err(Refused::Counter);
        }
        Ok(Used {
            counter: data.counter,
            backed_up: data.backed_up(),
        })
    }
}

#[cfg(test)]
mod tests;
