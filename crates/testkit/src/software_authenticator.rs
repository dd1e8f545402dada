//! A software authenticator: passkeys in memory, for tests. It makes and shows them as a browser with an authenticator would (WebAuthn,
//! sections 5.8, 6.1 and 6.5), and says whatever a test wants of the ceremony, so that it can also lie. Written apart from what reads it:
//! it has an encoder of CBOR of its own and shares no code with the relying party.

#![expect(
    clippy::unwrap_used,
    reason = "without randomness there is no test, and what is encoded here is short"
)]

use aws_lc_rs::digest;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A person was there.
pub const PRESENT: u8 = 0x01;
/// The person was verified.
pub const VERIFIED: u8 = 0x04;
/// The passkey may be kept somewhere else as well.
pub const BACKUP_ELIGIBLE: u8 = 0x08;
/// It is.
pub const BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;

/// How a passkey signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA with P-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA of 2048 bits.
    Rs256,
}

/// What the browser and the authenticator say of a ceremony.
#[derive(Debug, Clone, Copy)]
pub struct Ceremony<'a> {
    /// From which page.
    pub origin: &'a str,
    /// For whom the authenticator signs.
    pub relying_party: &'a str,
    /// What was asked, in base64url.
    pub challenge: &'a str,
    /// Which ceremony the client data says; the right one without.
    pub kind: Option<&'a str>,
    /// Whether the page was inside of another one.
    pub cross_origin: bool,
    /// What the authenticator says of the person and the passkey.
    pub flags: u8,
}

impl<'a> Ceremony<'a> {
    /// One that is as it should be.
    pub const fn honest(origin: &'a str, relying_party: &'a str, challenge: &'a str) -> Self {
        Self {
            origin,
            relying_party,
            challenge,
            kind: None,
            cross_origin: false,
            flags: PRESENT | VERIFIED,
        }
    }

    fn client_data(&self, kind: &str) -> Vec<u8> {
        let kind = self.kind.unwrap_or(kind);
        let (challenge, origin, cross) = (self.challenge, self.origin, self.cross_origin);
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":{cross}}}"#)
            .into_bytes()
    }

    fn authenticator_data(&self, flags: u8, counter: u32) -> Vec<u8> {
        let mut data = digest::digest(&digest::SHA256, self.relying_party.as_bytes())
            .as_ref()
            .to_vec();
        data.push(self.flags | flags);
        data.extend(counter.to_be_bytes());
        data
    }
}

/// What comes of one that was made, in base64url.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// The client data.
    pub client_data: String,
    /// The attestation object, with no attestation.
    pub attestation_object: String,
}

/// What comes of one that was shown, in base64url.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// The client data.
    pub client_data: String,
    /// The authenticator data.
    pub authenticator_data: String,
    /// The signature.
    pub signature: String,
    /// Of whom it says to be.
    pub user_handle: String,
}

enum Signer {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

/// A passkey.
pub struct Passkey {
    /// Its id.
    pub id: Vec<u8>,
    /// Of whom it says to be.
    pub user_handle: Vec<u8>,
    /// What its counter says at the next use, the same ever after; without, it counts.
    pub counter: Option<u32>,
    uses: u32,
    signer: Signer,
}

impl std::fmt::Debug for Passkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passkey")
            .field("id", &text(&self.id))
            .finish_non_exhaustive()
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A head of CBOR.
fn head(major: u8, number: usize) -> Vec<u8> {
    let major = major << 5;
    match number {
        0..24 => vec![major | u8::try_from(number).unwrap()],
        24..256 => vec![major | 24, u8::try_from(number).unwrap()],
        _ => {
            let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
            vec![major | 25, high, low]
        }
    }
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len()), bytes.to_vec()].concat()
}

fn word(word: &str) -> Vec<u8> {
    [head(3, word.len()), word.as_bytes().to_vec()].concat()
}

impl Passkey {
    /// A new one.
    ///
    /// # Panics
    /// Without randomness.
    pub fn new(kind: KeyKind, user_handle: &[u8]) -> Self {
        let random = SystemRandom::new();
        let signer = match kind {
            KeyKind::Es256 => Signer::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            KeyKind::EdDsa => Signer::EdDsa(Ed25519KeyPair::generate().unwrap()),
            KeyKind::Rs256 => Signer::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())),
        };
        let mut id = vec![0; 20];
        random.fill(&mut id).unwrap();
        Self {
            id,
            user_handle: user_handle.to_vec(),
            counter: None,
            uses: 0,
            signer,
        }
    }

    /// One with the private key 1, which everybody has.
    ///
    /// # Panics
    /// Without randomness.
    pub fn nobodys(user_handle: &[u8]) -> Self {
        let mut passkey = Self::new(KeyKind::Es256, user_handle);
        let mut private = [0; 32];
        if let Some(last) = private.last_mut() {
            *last = 1;
        }
        let point = [
            0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
            0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2,
            0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
            0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
            0xf5,
        ];
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_ASN1_SIGNING, &private, &point);
        passkey.signer = Signer::Es256(pair.unwrap());
        passkey
    }

    /// How often it was shown, as it says at the next time.
    fn count(&mut self) -> u32 {
        self.uses += 1;
        self.counter.unwrap_or(self.uses)
    }

    /// Its public key, as a COSE key.
    fn cose(&self) -> Vec<u8> {
        match &self.signer {
            Signer::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..).unwrap().split_at(32);
                [
                    &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21][..],
                    &octets(x),
                    &[0x22],
                    &octets(y),
                ]
                .concat()
            }
            Signer::EdDsa(pair) => {
                let point = pair.public_key().as_ref();
                [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21][..], &octets(point)].concat()
            }
            Signer::Rs256(pair) => {
                // RSAPublicKey in DER: a sequence of the modulus, with a leading 0, and of 65537.
                let der = pair.public_key().as_ref();
                let modulus = der.get(9..9 + 256).unwrap();
                [
                    &[0xa4, 1, 3, 3, 0x39, 1, 0, 0x20][..],
                    &octets(modulus),
                    &[0x21],
                    &octets(&[1, 0, 1]),
                ]
                .concat()
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.signer {
            Signer::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Signer::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Signer::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// What comes of it when it is made.
    pub fn register(&self, ceremony: &Ceremony<'_>) -> Made {
        let mut data = ceremony.authenticator_data(HAS_CREDENTIAL, self.counter.unwrap_or_default());
        data.extend([0xaa; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        let object = [
            head(5, 3),
            word("fmt"),
            word("none"),
            word("attStmt"),
            head(5, 0),
            word("authData"),
            octets(&data),
        ]
        .concat();
        Made {
            id: text(&self.id),
            client_data: text(&ceremony.client_data("webauthn.create")),
            attestation_object: text(&object),
        }
    }

    /// What comes of it when it is shown.
    pub fn assert(&mut self, ceremony: &Ceremony<'_>) -> Shown {
        let counter = self.count();
        let data = ceremony.authenticator_data(0, counter);
        let client_data = ceremony.client_data("webauthn.get");
        let message = [
            data.as_slice(),
            digest::digest(&digest::SHA256, &client_data).as_ref(),
        ]
        .concat();
        Shown {
            id: text(&self.id),
            client_data: text(&client_data),
            authenticator_data: text(&data),
            signature: text(&self.sign(&message)),
            user_handle: text(&self.user_handle),
        }
    }
}
