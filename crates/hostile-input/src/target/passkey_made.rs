//! What a browser answers when a passkey is made: an attestation object, in CBOR, with authenticator data in it.

use aws_lc_rs::digest;
use reeve_webauthn::{Challenge, Credential, PublicKey, Registration, RelyingParty, encode};

use super::{Broken, Outcome, Target, holds, judged};

pub(super) const TARGET: Target = Target {
    name: "passkey_made",
    promise: "a passkey is taken whose authenticator speaks to this server, and says that a person was there and was verified; its id and \
              key are those of the one authenticator data, in which nothing comes after them but what it says; and its key, kept, is read \
              the same",
    words: &[
        "authData", "attStmt", "fmt", "none", "packed", "sig", "alg", "x5c",
    ],
    seeds,
    found: include_str!("../../corpus/passkey_made.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, trusting),
};

pub(super) const RELYING_PARTY: &str = "reeve.test";
pub(super) const ORIGIN: &str = "https://reeve.test";
const EXTENSIONS: u8 = 0x80;
/// A person was there and was verified, and a passkey was made.
const HONEST: u8 = 0x45;

/// The point of P-256 from which all others are made, and one of Ed25519 (W3C, WebAuthn Level 3, section 16.11), as COSE keys.
const P256: &str = "a50102032620012158206b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2962258204fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
const ED25519: &str = "a401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832";

pub(super) fn party() -> RelyingParty {
    RelyingParty::at(&ORIGIN.parse().unwrap()).unwrap()
}

pub(super) fn hash(relying_party: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, relying_party.as_bytes())
        .as_ref()
        .to_vec()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

/// Authenticator data of a passkey that was made.
fn made(relying_party: &str, flags: u8, key: &[u8], more: &[u8]) -> Vec<u8> {
    let mut data = hash(relying_party);
    data.push(flags);
    data.extend([0, 0, 0, 1]);
    data.extend([0xaa; 16]);
    data.extend([0, 4, 1, 2, 3, 4]);
    data.extend(key);
    data.extend(more);
    data
}

fn object(format: &str, statement: &[u8], data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let head: &[u8] = match length {
        [0, low] => &[0x58, low],
        [high, low] => &[0x59, high, low],
    };
    let format_head = 0x60 | u8::try_from(format.len()).unwrap();
    [
        b"\xa3\x63fmt".as_slice(),
        &[format_head],
        format.as_bytes(),
        b"\x67attStmt",
        statement,
        b"\x68authData",
        head,
        data,
    ]
    .concat()
}

fn seeds() -> Vec<Vec<u8>> {
    let (p256, ed25519) = (hex(P256), hex(ED25519));
    let rsa = [
        b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00".as_slice(),
        &[0xc5; 256],
        b"\x21\x43\x01\x00\x01",
    ]
    .concat();
    let none = |data: &[u8]| object("none", &[0xa0], data);
    let extensions = b"\xa1\x6bcredProtect\x02";
    vec![
        none(&made(RELYING_PARTY, HONEST, &p256, &[])),
        none(&made(RELYING_PARTY, HONEST, &ed25519, &[])),
        none(&made(RELYING_PARTY, HONEST, &rsa, &[])),
        none(&made(RELYING_PARTY, HONEST | EXTENSIONS, &p256, extensions)),
        none(&made(RELYING_PARTY, HONEST | 0x18, &ed25519, &[])),
        none(&made(RELYING_PARTY, HONEST, &p256, extensions)),
        none(&made("evil.test", HONEST, &p256, &[])),
        none(&made(RELYING_PARTY, 0x41, &p256, &[])),
        none(&made(RELYING_PARTY, 0x44, &p256, &[])),
        none(&made(RELYING_PARTY, HONEST | 0x10, &p256, &[])),
        none(&made(RELYING_PARTY, HONEST, &[0xa0], &[])),
        object(
            "packed",
            b"\xa2\x63alg\x26\x63sig\x41\x00",
            &made(RELYING_PARTY, HONEST, &p256, &[]),
        ),
        object("fido-u2f", &[0xa0], &made(RELYING_PARTY, HONEST, &p256, &[])),
        b"\xbf\xff".to_vec(),
    ]
}

/// The authenticator data in an attestation object, by its name alone.
fn data_of(object: &[u8]) -> Option<&[u8]> {
    let name = b"authData";
    let at = object.windows(name.len()).position(|bytes| bytes == name)?;
    match object.get(at + name.len()..)? {
        [0x58, low, rest @ ..] => rest.get(..usize::from(*low)),
        [0x59, high, low, rest @ ..] => rest.get(..usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// The id of the passkey in authenticator data, and what follows it.
fn passkey_of(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let [high, low] = data.get(53..55)?.try_into().ok()?;
    data.get(55..)?
        .split_at_checked(usize::from(u16::from_be_bytes([high, low])))
}

fn ours(object: &[u8]) -> Option<Credential> {
    let challenge = Challenge::of([7; 32]);
    let client_data = format!(
        r#"{{"type":"webauthn.create","challenge":"{}","origin":"{ORIGIN}"}}"#,
        challenge.as_str()
    );
    let id = data_of(object).and_then(passkey_of).map_or(&[][..], |(id, _)| id);
    let shown = Registration::read(&encode(id), &encode(client_data.as_bytes()), &encode(object)).ok()?;
    party().registered(&challenge, &shown).ok()
}

/// Takes whatever there is.
fn trusting(object: &[u8]) -> Option<Credential> {
    let (id, key) = passkey_of(data_of(object)?)?;
    Some(Credential {
        id: id.to_vec(),
        key: PublicKey::read(key).ok()?,
        counter: 0,
        backup_eligible: false,
        backed_up: false,
    })
}

fn check(input: &[u8], receive: impl Fn(&[u8]) -> Option<Credential>) -> Result<Outcome, Broken> {
    judged(receive(input), |taken| {
        let data = data_of(input).ok_or("a passkey of no authenticator data")?;
        holds(data.get(..32) == Some(&hash(RELYING_PARTY)), "for another server")?;
        let flags = data.get(32).copied().unwrap_or_default();
        holds(flags & 0x01 != 0, "of nobody who was there")?;
        holds(flags & 0x04 != 0, "of nobody who was verified")?;
        holds(flags & 0x18 != 0x10, "backed up, and cannot be")?;
        let (id, rest) = passkey_of(data).ok_or("a passkey without an id")?;
        holds(taken.id == id, "another id")?;
        let more = rest.strip_prefix(taken.key.cose()).ok_or("another key")?;
        holds(
            more.is_empty() || flags & EXTENSIONS != 0,
            "more in the authenticator data than it says",
        )?;
        let again = PublicKey::read(taken.key.cose());
        holds(again == Ok(taken.key), "its key is read as another")
    })
}
