//! Authenticator data: what the authenticator says, and signs (WebAuthn, section 6.1).

use aws_lc_rs::digest;

use crate::cbor;
use crate::refused::Refused;

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;
/// The longest id of a passkey, in bytes (WebAuthn, section 7.1).
const LONGEST_ID: usize = 1023;

/// It, read.
#[derive(Debug)]
pub(crate) struct AuthenticatorData<'a> {
    relying_party: &'a [u8],
    flags: u8,
    /// How often the passkey was shown; 0 of authenticators that do not count.
    pub(crate) counter: u32,
    /// The passkey that was made.
    pub(crate) credential: Option<AttestedCredential<'a>>,
}

/// A passkey that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttestedCredential<'a> {
    pub(crate) id: &'a [u8],
    /// Its public key, as a COSE key.
    pub(crate) key: &'a [u8],
}

/// The first so many bytes, and the rest.
fn split(bytes: &[u8], count: usize) -> Result<(&[u8], &[u8]), Refused> {
    bytes.split_at_checked(count).ok_or(Refused::AuthenticatorData)
}

/// A number of as many bytes as there are, at most four.
fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

impl<'a> AuthenticatorData<'a> {
    /// All of the bytes.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        let (relying_party, rest) = split(bytes, 32)?;
        let (flags, rest) = split(rest, 1)?;
        let flags = flags.first().copied().unwrap_or_default();
        let (counter, mut rest) = split(rest, 4)?;
        let mut credential = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (made, after) = AttestedCredential::read(rest)?;
            (credential, rest) = (Some(made), after);
        }
        if flags & HAS_EXTENSIONS != 0 {
            let (extensions, after) = cbor::first(rest)?;
            if extensions.entries().is_none() {
                return Err(Refused::AuthenticatorData);
            }
            rest = after;
        }
        if !rest.is_empty() {
            return Err(Refused::AuthenticatorData);
        }
        Ok(Self {
            relying_party,
            flags,
            counter: number(counter),
            credential,
        })
    }

    /// Whether it is for this relying party, and the authenticator says what it has to. `verified`: whether the person has to be.
    pub(crate) fn check(&self, relying_party: &str, verified: bool) -> Result<(), Refused> {
        let hash = digest::digest(&digest::SHA256, relying_party.as_bytes());
        if self.relying_party != hash.as_ref() {
            return Err(Refused::RelyingParty);
        }
        if self.flags & PRESENT == 0 {
            return Err(Refused::NotPresent);
        }
        if verified && self.flags & VERIFIED == 0 {
            return Err(Refused::NotVerified);
        }
        if self.backed_up() && !self.backup_eligible() {
            return Err(Refused::Backup);
        }
        Ok(())
    }

    /// Whether the passkey may be kept somewhere else as well: of one passkey this never changes.
    pub(crate) const fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    /// Whether the passkey is kept somewhere else as well.
    pub(crate) const fn backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

impl<'a> AttestedCredential<'a> {
    fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Refused> {
        // The make of the authenticator (AAGUID) is read past: nothing vouches for it.
        let (_, rest) = split(bytes, 16)?;
        let (length, rest) = split(rest, 2)?;
        let length = usize::try_from(number(length)).map_err(|_| Refused::AuthenticatorData)?;
        if length == 0 || length > LONGEST_ID {
            return Err(Refused::AuthenticatorData);
        }
        let (id, rest) = split(rest, length)?;
        let (_, after) = cbor::first(rest)?;
        let (key, after) = split(rest, rest.len() - after.len())?;
        Ok((Self { id, key }, after))
    }
}
