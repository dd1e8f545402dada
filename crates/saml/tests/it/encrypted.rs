//! S15: encrypted assertions, and whatever may be sent in their place.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use reeve_saml::{SamlError, SignedParts};

use crate::provider::{
    ADMIN, ALICE, ASSERTION_ID, ATTACKER, DS, IDP_KEY, Key, RESPONSE_ID, SAML, SP_KEY, SP_OLD, Signer,
    assertion, response,
};
use crate::receive::Receiver;

const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";

struct Encryption<'a> {
    recipient: &'a Key,
    cipher: &'a str,
    padding: &'static OaepAlgorithm,
    method: String,
    /// Whether the encrypted key stands beside the data.
    beside: bool,
}

impl<'a> Encryption<'a> {
    fn new(recipient: &'a Key) -> Self {
        Self {
            recipient,
            cipher: "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            padding: &OAEP_SHA1_MGF1SHA1,
            method: "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>"
                .to_owned(),
            beside: false,
        }
    }

    fn encrypt(&self, plaintext: &str) -> String {
        let (algorithm, length) = if self.cipher.contains("aes128") {
            (&AES_128_GCM, 16)
        } else {
            (&AES_256_GCM, 32)
        };
        let secret = &[7; 32][..length];
        let key = LessSafeKey::new(UnboundKey::new(algorithm, secret).unwrap());
        let mut data = plaintext.as_bytes().to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key([9; 12]), Aad::empty(), &mut data)
            .unwrap();
        self.element(&[[9; 12].as_slice(), &data].concat(), &self.wrap(secret))
    }

    fn wrap(&self, secret: &[u8]) -> Vec<u8> {
        let public = PrivateDecryptingKey::from_pkcs8(&self.recipient.pkcs8)
            .unwrap()
            .public_key();
        let public = OaepPublicEncryptingKey::new(public).unwrap();
        let mut wrapped = vec![0; public.ciphertext_size()];
        public.encrypt(self.padding, secret, &mut wrapped, None).unwrap();
        wrapped
    }

    fn element(&self, data: &[u8], key: &[u8]) -> String {
        let value = |octets: &[u8]| {
            format!(
                "<xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>",
                STANDARD.encode(octets)
            )
        };
        let key = format!(
            "<xenc:EncryptedKey xmlns:xenc=\"{XENC}\">{}{}</xenc:EncryptedKey>",
            self.method,
            value(key)
        );
        let (inside, beside) = if self.beside {
            (String::new(), key)
        } else {
            (key, String::new())
        };
        format!(
            "<saml:EncryptedAssertion xmlns:saml=\"{SAML}\"><xenc:EncryptedData xmlns:xenc=\"{XENC}\" \
             Type=\"{XENC}Element\"><xenc:EncryptionMethod Algorithm=\"{}\"/><ds:KeyInfo xmlns:ds=\"{DS}\">{inside}\
             </ds:KeyInfo>{}</xenc:EncryptedData>{beside}</saml:EncryptedAssertion>",
            self.cipher,
            value(data)
        )
    }
}

fn signed_assertion() -> String {
    Signer::new(&IDP_KEY).sign(&assertion(), ASSERTION_ID)
}

fn received(message: &str) -> Result<String, SamlError> {
    Receiver::new()
        .receive(message)
        .map(|sign_in| sign_in.name_id.value)
}

fn sign_response(message: &str) -> String {
    Signer::new(&IDP_KEY).sign(message, RESPONSE_ID)
}

#[test]
fn an_encrypted_assertion_is_read_if_the_response_or_what_is_in_it_is_signed() {
    let mut sha256 = Encryption::new(&SP_KEY);
    sha256.padding = &OAEP_SHA256_MGF1SHA256;
    sha256.method = format!(
        "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\"><ds:DigestMethod xmlns:ds=\"{DS}\" \
         Algorithm=\"{XENC}sha256\"/><x:MGF xmlns:x=\"http://www.w3.org/2009/xmlenc11#\" \
         Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"/></xenc:EncryptionMethod>"
    );
    let mut small = Encryption::new(&SP_KEY);
    small.cipher = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
    small.beside = true;
    // The second key of ours is one that was replaced.
    for encryption in [Encryption::new(&SP_KEY), Encryption::new(&SP_OLD), sha256, small] {
        let inner = response(&encryption.encrypt(&signed_assertion()));
        let outer = sign_response(&response(&encryption.encrypt(&assertion())));
        let both = sign_response(&inner);
        for message in [inner, outer, both] {
            assert_eq!(received(&message).as_deref(), Ok(ALICE));
        }
    }
}

#[test]
fn an_assertion_may_use_the_namespaces_that_it_stood_among() {
    let inherited = assertion().replacen(&format!(" xmlns:saml=\"{SAML}\""), "", 1);
    let message = sign_response(&response(&Encryption::new(&SP_KEY).encrypt(&inherited)));
    assert_eq!(received(&message).as_deref(), Ok(ALICE));
}

/// S5, and the incomplete fix of one product: encryption is no signature, anybody encrypts for us.
#[test]
fn encryption_is_no_signature() {
    let forged = assertion().replace(ALICE, ADMIN);
    let encryption = Encryption::new(&SP_KEY);
    let unsigned = response(&encryption.encrypt(&forged));
    assert!(matches!(received(&unsigned), Err(SamlError::Unsigned { .. })));
    let by_attacker = Signer::new(&ATTACKER).sign(&forged, ASSERTION_ID);
    let message = response(&encryption.encrypt(&by_attacker));
    assert!(matches!(received(&message), Err(SamlError::UnknownKey { .. })));
    // Wrapped in what only we see.
    let wrapped = forged.replace(
        "</saml:Assertion>",
        &format!("{}</saml:Assertion>", signed_assertion()),
    );
    let wrapped = wrapped.replacen(ASSERTION_ID, "_evil", 1);
    assert!(matches!(
        received(&response(&encryption.encrypt(&wrapped))),
        Err(SamlError::Assertions { .. })
    ));
    let two = format!("{}{}", signed_assertion(), forged);
    assert!(received(&response(&encryption.encrypt(&two))).is_err());
    let beside = response(&format!("{}{}", encryption.encrypt(&signed_assertion()), forged));
    assert!(matches!(received(&beside), Err(SamlError::Assertions { .. })));
    let strict = Receiver::new().requiring(SignedParts::Assertion);
    let outer = sign_response(&response(&encryption.encrypt(&assertion())));
    assert!(matches!(strict.receive(&outer), Err(SamlError::Unsigned { .. })));
}

#[test]
fn what_is_decrypted_stays_within_its_element() {
    let encryption = Encryption::new(&SP_KEY);
    for plaintext in [
        "</decrypted><decrypted>".to_owned(),
        format!("{}</decrypted>{}", signed_assertion(), assertion()),
        format!("text{}", signed_assertion()),
        format!("<!DOCTYPE x>{}", signed_assertion()),
        format!("<!-- -->{}", signed_assertion()),
        "<x/>".to_owned(),
        String::new(),
        "<a>".repeat(100_000),
    ] {
        assert!(
            received(&sign_response(&response(&encryption.encrypt(&plaintext)))).is_err(),
            "{plaintext:.40}"
        );
    }
}

/// Nobody learns by the answer which part of a guess was right.
#[test]
fn every_ciphertext_that_is_wrong_gets_the_same_answer() {
    let encryption = Encryption::new(&SP_KEY);
    let good = encryption.wrap(&[7; 32]);
    let mut bad = good.clone();
    bad[100] ^= 1;
    let other = Encryption::new(&ATTACKER).wrap(&[7; 32]);
    let short = encryption.wrap(&[7; 16]);
    let keys: [&[u8]; 7] = [&good, &bad, &other, &short, &[], &[0; 256], &[255; 300]];
    let lengths = [0, 1, 11, 12, 13, 15, 16, 27, 28, 29, 64];
    for key in keys {
        for length in lengths {
            let message = response(&encryption.element(&vec![3; length], key));
            assert_eq!(received(&message), Err(SamlError::CannotDecrypt { keys: 2 }));
        }
    }
}

/// The planted fault: how padding was taken off where it brought processes down.
#[test]
fn a_naive_reader_of_padding_panics_where_ours_refuses_the_algorithm() {
    let naive = |octets: &[u8]| octets[..octets.len() - usize::from(octets[octets.len() - 1])].len();
    assert!(std::panic::catch_unwind(|| naive(&[255])).is_err());
    let mut cbc = Encryption::new(&SP_KEY);
    cbc.cipher = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
    let message = response(&cbc.element(&[255; 48], &cbc.wrap(&[7; 32])));
    insta::assert_snapshot!(received(&message).unwrap_err());
    let mut old = Encryption::new(&SP_KEY);
    old.method = format!("<xenc:EncryptionMethod Algorithm=\"{XENC}rsa-1_5\"/>");
    let message = response(&old.element(&[255; 48], &old.wrap(&[7; 32])));
    assert!(matches!(received(&message), Err(SamlError::Algorithm { .. })));
}

#[test]
fn errors_tell_nothing_of_what_was_decrypted() {
    let secret = "hunter2-in-the-plaintext";
    for plaintext in [
        secret.to_owned(),
        format!("<x>{secret}</x>"),
        format!("{}{secret}", signed_assertion()),
    ] {
        let message = sign_response(&response(&Encryption::new(&SP_KEY).encrypt(&plaintext)));
        let error = received(&message).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_ciphertext_makes_it_panic(data in proptest::collection::vec(any::<u8>(), 0..80), key in proptest::collection::vec(any::<u8>(), 0..300)) {
        let message = response(&Encryption::new(&SP_KEY).element(&data, &key));
        prop_assert!(received(&message).is_err());
    }
}
