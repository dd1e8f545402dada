//! Public keys of passkeys, as authenticators send them: COSE keys (RFC 9052 and 9053).

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use crate::cbor::{self, Value};
use crate::refused::Refused;

/// Labels of a COSE key.
const KEY_TYPE: i64 = 1;
const ALGORITHM: i64 = 3;
/// The curve of an elliptic curve key, and the modulus of RSA.
const FIRST: i64 = -1;
/// The first coordinate, and the exponent of RSA.
const SECOND: i64 = -2;
/// The second coordinate.
const THIRD: i64 = -3;

/// Bytes of a modulus: 2048 to 4096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;
/// The exponent that every authenticator has: 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// How a passkey signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// EdDSA with Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256, as Windows Hello signs.
    Rs256,
}

impl Algorithm {
    /// All of them, the preferred one first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// Its number (IANA, COSE algorithms).
    pub const fn number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Rs256 => -257,
        }
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    cose: Vec<u8>,
    key: Key,
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    /// An uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
    Rsa(Vec<u8>),
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.algorithm())
    }
}

impl PublicKey {
    /// From a COSE key, which has to be the whole of `bytes` and to hold nothing else.
    ///
    /// # Errors
    /// [`Refused::Cbor`], or [`Refused::Key`] for a key of another kind, size or algorithm, and for a point that is on no curve.
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let cose = cbor::whole(bytes)?;
        let number = |label| cose.numbered(label).and_then(Value::integer);
        let part = |label| cose.numbered(label).and_then(Value::bytes).ok_or(Refused::Key);
        let key = match (number(KEY_TYPE), number(ALGORITHM), cose.entries()) {
            (Some(2), Some(-7), Some(5)) if number(FIRST) == Some(1) => {
                Key::P256([&[4], sized(part(SECOND)?, 32)?, sized(part(THIRD)?, 32)?].concat())
            }
            (Some(1), Some(-8), Some(4)) if number(FIRST) == Some(6) => {
                Key::Ed25519(sized(part(SECOND)?, 32)?.to_vec())
            }
            (Some(3), Some(-257), Some(4)) if part(SECOND)? == EXPONENT => {
                let modulus = part(FIRST)?;
                if !MODULUS.contains(&modulus.len()) || modulus.first() == Some(&0) {
                    return Err(Refused::Key);
                }
                Key::Rsa(modulus.to_vec())
            }
            _ => return Err(Refused::Key),
        };
        key.is_one()?;
        Ok(Self {
            cose: bytes.to_vec(),
            key,
        })
    }

    /// As the authenticator sent it.
    pub fn cose(&self) -> &[u8] {
        &self.cose
    }

    /// How it signs.
    pub const fn algorithm(&self) -> Algorithm {
        match self.key {
            Key::P256(_) => Algorithm::Es256,
            Key::Ed25519(_) => Algorithm::EdDsa,
            Key::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// Whether it signed this message so.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Key::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                .verify(message, signature)
                .is_ok(),
            Key::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point)
                .verify(message, signature)
                .is_ok(),
            Key::Rsa(modulus) => RsaPublicKeyComponents {
                n: modulus.as_slice(),
                e: EXPONENT.as_slice(),
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok(),
        }
    }
}

impl Key {
    /// Whether the library takes it: a point on its curve. Of RSA nothing can be said of a modulus alone.
    fn is_one(&self) -> Result<(), Refused> {
        let parsed = match self {
            Self::P256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point),
            Self::Ed25519(point) => ParsedPublicKey::new(&ED25519, point),
            Self::Rsa(_) => return Ok(()),
        };
        parsed.map(|_| ()).map_err(|_| Refused::Key)
    }
}

fn sized(bytes: &[u8], length: usize) -> Result<&[u8], Refused> {
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(Refused::Key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The point of P-256 from which all others are made (SEC 2, section 2.4.2).
    const X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    const Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    fn read(text: &str) -> Result<Algorithm, Refused> {
        PublicKey::read(&hex(text)).map(|key| key.algorithm())
    }

    #[test]
    fn keys_of_three_algorithms_are_read_and_others_refused() {
        let honest = format!("a5010203262001215820{X}225820{Y}");
        assert_eq!(read(&honest), Ok(Algorithm::Es256));
        // W3C, WebAuthn Level 3, section 16.11.
        let edwards = "a401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832";
        assert_eq!(read(edwards), Ok(Algorithm::EdDsa));
        let rsa = |modulus: &str, exponent: &str| {
            let length = format!("{:04x}", modulus.len() / 2);
            format!("a401030339010020{}{length}{modulus}2143{exponent}", "59")
        };
        let modulus = format!("c0{}", "55".repeat(255));
        assert_eq!(read(&rsa(&modulus, "010001")), Ok(Algorithm::Rs256));
        for (why, text) in [
            ("a point on no curve", honest.replace(Y, X)),
            ("another curve", honest.replace("2001", "2002")),
            ("another algorithm", honest.replace("0326", "033822")),
            (
                "an algorithm of another kind of key",
                honest.replace("0326", "0327"),
            ),
            (
                "a private key beside it",
                format!("a6010203262001215820{X}225820{Y}2341ff"),
            ),
            (
                "a short coordinate",
                format!("a501020326200121581f{}225820{Y}", &X[2..]),
            ),
            ("no coordinate", format!("a4010203262001215820{X}")),
            ("Ed448", edwards.replace("2006", "2007")),
            (
                "1024 bits",
                rsa(&format!("c0{}", "55".repeat(127)), "010001").replace("590080", "5880"),
            ),
            ("8192 bits", rsa(&format!("c0{}", "55".repeat(1023)), "010001")),
            (
                "a modulus that begins with 0",
                rsa(&format!("00{}", "55".repeat(256)), "010001"),
            ),
            ("the exponent 3", rsa(&modulus, "000003")),
        ] {
            assert_eq!(read(&text), Err(Refused::Key), "{why}: {text}");
        }
        assert_eq!(read(&format!("{honest}00")), Err(Refused::Cbor), "more after it");
        assert_eq!(read(""), Err(Refused::Cbor));
    }
}
