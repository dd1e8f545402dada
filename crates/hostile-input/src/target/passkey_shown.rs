//! What a browser answers when a passkey is shown: authenticator data and client data, which the passkey signed, whatever they say.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use reeve_webauthn::{Assertion, Challenge, Kept, PublicKey, Used, encode};
use serde_json::{Value, json};

use super::passkey_made::{ORIGIN, RELYING_PARTY, hash, party};
use super::{Broken, Outcome, Target, holds, judged};

pub(super) const TARGET: Target = Target {
    name: "passkey_shown",
    promise: "what a passkey signed counts when it is for this server, this origin and this challenge, and an answer to the question that \
              was asked; when the authenticator says that a person was there and was verified; and when its counter rose",
    words: &[
        "\"type\":\"webauthn.get\",",
        "\"type\":\"webauthn.create\",",
        "\"crossOrigin\":true,",
        "\"crossOrigin\":false,",
        "\"topOrigin\":\"https://evil.test\",",
        "\"origin\":\"https://evil.test\",",
        "\"challenge\":\"\",",
        "\\u0067et",
        "{}",
        "null",
        "\u{ef}\u{bb}\u{bf}",
    ],
    seeds,
    found: include_str!("../../corpus/passkey_shown.txt"),
    check: |input| check(input, ours),
    naive: |input| {
        check(input, |_, _| {
            Some(Used {
                counter: u32::MAX,
                backed_up: false,
            })
        })
    },
};

const ID: &[u8] = &[1, 2, 3, 4];
const USER: &[u8] = &[9; 16];
/// How often it was shown before.
const COUNTED: u32 = 5;

static KEY: LazyLock<(EcdsaKeyPair, PublicKey)> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let half = |from: usize| point.get(from..from + 32).unwrap();
    let cose = [
        b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".as_slice(),
        half(1),
        b"\x22\x58\x20",
        half(33),
    ]
    .concat();
    let key = PublicKey::read(&cose).unwrap();
    (pair, key)
});

fn challenge() -> Challenge {
    Challenge::of([7; 32])
}

/// The first byte is how long the authenticator data is; what follows it is the client data.
fn seeds() -> Vec<Vec<u8>> {
    let data = |relying_party: &str, flags: u8, counter: u8, more: &[u8]| {
        [&hash(relying_party), &[flags, 0, 0, 0, counter][..], more].concat()
    };
    let client_data = |kind: &str, challenge: &str, origin: &str, more: &str| {
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{more}}}"#)
    };
    let right = challenge();
    let said = |more: &str| client_data("webauthn.get", right.as_str(), ORIGIN, more);
    let honest = data(RELYING_PARTY, 0x05, 6, &[]);
    let extensions = data(RELYING_PARTY, 0x85, 6, b"\xa1\x61a\xf5");
    let input = |data: &[u8], client_data: &str| {
        [&[u8::try_from(data.len()).unwrap()], data, client_data.as_bytes()].concat()
    };
    vec![
        input(&honest, &said("")),
        input(&honest, &said(",\"crossOrigin\":false")),
        input(&honest, &said(",\"other\":[{\"a\":1}]")),
        input(&data(RELYING_PARTY, 0x1d, 7, &[]), &said("")),
        input(&data(RELYING_PARTY, 0x0d, 255, &[]), &said("")),
        input(&extensions, &said("")),
        input(&honest, &said(",\"crossOrigin\":true")),
        input(&honest, &said(",\"topOrigin\":\"https://evil.test\"")),
        input(&honest, &said(",\"type\":\"webauthn.create\"")),
        input(
            &honest,
            &client_data("webauthn.create", right.as_str(), ORIGIN, ""),
        ),
        input(&honest, &client_data("webauthn.get", "AAAA", ORIGIN, "")),
        input(
            &honest,
            &client_data("webauthn.get", right.as_str(), "https://evil.test", ""),
        ),
        input(&data("evil.test", 0x05, 6, &[]), &said("")),
        input(&data(RELYING_PARTY, 0x01, 6, &[]), &said("")),
        input(&data(RELYING_PARTY, 0x04, 6, &[]), &said("")),
        input(&data(RELYING_PARTY, 0x05, 5, &[]), &said("")),
        input(&data(RELYING_PARTY, 0x05, 0, &[]), &said("")),
        input(&data(RELYING_PARTY, 0x05, 6, &[0]), &said("")),
    ]
}

fn ours(data: &[u8], client_data: &[u8]) -> Option<Used> {
    let (pair, key) = &*KEY;
    let hash = digest::digest(&digest::SHA256, client_data);
    let signature = pair
        .sign(&SystemRandom::new(), &[data, hash.as_ref()].concat())
        .unwrap();
    let shown = Assertion::read(
        &encode(ID),
        &encode(client_data),
        &encode(data),
        &encode(signature.as_ref()),
        &encode(USER),
    );
    let kept = Kept {
        id: ID,
        user_handle: USER,
        key,
        counter: COUNTED,
        backup_eligible: None,
    };
    party().asserted(&challenge(), &shown.ok()?, &kept).ok()
}

fn check(input: &[u8], receive: impl Fn(&[u8], &[u8]) -> Option<Used>) -> Result<Outcome, Broken> {
    let (length, rest) = input.split_first().unwrap_or((&0, &[]));
    let (data, client_data) = rest.split_at(rest.len().min(usize::from(*length)));
    judged(receive(data, client_data), |used| {
        holds(data.get(..32) == Some(&hash(RELYING_PARTY)), "for another server")?;
        let flags = data.get(32).copied().unwrap_or_default();
        holds(flags & 0x05 == 0x05, "of nobody who was there and was verified")?;
        let counter: [u8; 4] = data
            .get(33..37)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or("no counter")?;
        let counter = u32::from_be_bytes(counter);
        holds(
            counter == used.counter && counter > COUNTED,
            "a counter that did not rise",
        )?;
        holds(data.len() == 37 || flags & 0xc0 != 0, "more than it says")?;
        let said: Value = serde_json::from_slice(client_data).map_err(|error| error.to_string())?;
        holds(
            said.get("type") == Some(&json!("webauthn.get")),
            "of another ceremony",
        )?;
        holds(
            said.get("challenge") == Some(&json!(challenge().as_str())),
            "of another question",
        )?;
        holds(said.get("origin") == Some(&json!(ORIGIN)), "of another origin")?;
        holds(
            said.get("crossOrigin").is_none_or(|it| *it == json!(false)),
            "of a page inside of another",
        )?;
        holds(
            said.get("topOrigin").is_none_or(Value::is_null),
            "of a page inside of another",
        )
    })
}
