//! The certificates of metadata. Only the key and the validity are looked at: metadata is what makes a key trusted, not who
//! signed its certificate.

use aws_lc_rs::digest::{SHA256, digest};
use reeve_types::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as Parsed;

use crate::SamlError;

const MIN_RSA_BITS: usize = 2048;

/// An identity provider's certificate, as its metadata has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    not_before: Timestamp,
    not_after: Timestamp,
    pub(crate) key: PublicKey,
}

/// A public key, in the form that its algorithms take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    pub(crate) kind: KeyKind,
    pub(crate) octets: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    P256,
    P384,
    P521,
}

impl Certificate {
    /// Reads an X.509 certificate.
    ///
    /// # Errors
    /// Bytes that are none, a key that is too short or of a kind that signs nothing here.
    pub fn from_der(der: Vec<u8>) -> Result<Self, SamlError> {
        let refused = |reason: &str| SamlError::Certificate {
            reason: reason.to_owned(),
        };
        let (rest, parsed) =
            X509Certificate::from_der(&der).map_err(|_| refused("it is no X.509 certificate"))?;
        if !rest.is_empty() {
            return Err(refused("something follows the certificate"));
        }
        let spki = parsed.public_key();
        let octets = spki.subject_public_key.data.to_vec();
        let kind = match spki.parsed() {
            Ok(Parsed::RSA(rsa)) if rsa.key_size() < MIN_RSA_BITS => {
                return Err(refused("its RSA key is shorter than 2048 bits"));
            }
            Ok(Parsed::RSA(_)) => KeyKind::Rsa,
            // Uncompressed points: one octet and two coordinates.
            Ok(Parsed::EC(_)) => match octets.len() {
                65 => KeyKind::P256,
                97 => KeyKind::P384,
                133 => KeyKind::P521,
                _ => return Err(refused("its curve is none of P-256, P-384 and P-521")),
            },
            _ => return Err(refused("its key is neither RSA nor of an elliptic curve")),
        };
        let seconds = |time: i64| Timestamp::from_millis(time.saturating_mul(1000));
        let validity = parsed.validity();
        Ok(Self {
            subject: crate::tree::shortened(&parsed.subject().to_string()),
            not_before: seconds(validity.not_before.timestamp()),
            not_after: seconds(validity.not_after.timestamp()),
            key: PublicKey { kind, octets },
            der,
        })
    }

    /// The certificate itself.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whose it is, by its own words.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// From when it is valid.
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Until when it is valid.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The SHA-256 of the certificate in hexadecimal, by which people compare two.
    pub fn fingerprint(&self) -> String {
        crate::write::hex(digest(&SHA256, &self.der).as_ref())
    }
}
