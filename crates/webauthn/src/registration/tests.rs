//! The vectors of W3C's recommendation (WebAuthn Level 3, section 16), and what is made of them by hand.

use url::Url;

use super::*;
use crate::public_key::Algorithm;
use crate::text::encode;

/// Section 16.2: no attestation, and a person who was there and not verified.
const NONE_CHALLENGE: &str = "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130";
const NONE_ID: &str = "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4";
const NONE_CLIENT_DATA: &str = "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434557878475453746e63647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20426b5165446a646354427258426941774a544c453551227d";
const NONE_OBJECT: &str = "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220";
/// Section 16.3: an attestation by the passkey itself, and a person who was verified.
const SELF_CHALLENGE: &str = "7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5";
const SELF_ID: &str = "455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58c";
const SELF_CLIENT_DATA: &str = "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a2265476e4374334c55745936366b336a506a796e6962506b31716e666644616966715a774c33417032392d55222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a205539685458764b453255526b4d6e625f307859485667227d";
const SELF_OBJECT: &str = "a363666d74667061636b65646761747453746d74a263616c672663736967584630440220067a20754ab925005dbf378097c92120031581c73228d1fb4f5b881bcd7da98302207fc7b147558c7c0eba3af18bd9d121fa3d3a26d17fe3f220272178f473b6006d68617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55d00000000df850e09db6afbdfab51697791506cfc0020455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58ca5010203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2";

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) fn example() -> RelyingParty {
    RelyingParty::at(&Url::parse("https://example.org").unwrap()).unwrap()
}

pub(crate) fn challenge(text: &str) -> Challenge {
    Challenge::of(hex(text).try_into().unwrap())
}

fn shown(id: &str, client_data: &str, object: &str) -> Registration {
    let text = |hexadecimal: &str| encode(&hex(hexadecimal));
    Registration::read(&text(id), &text(client_data), &text(object)).unwrap()
}

#[test]
fn registrations_of_the_recommendation_are_read() {
    let made = example()
        .registered(
            &challenge(SELF_CHALLENGE),
            &shown(SELF_ID, SELF_CLIENT_DATA, SELF_OBJECT),
        )
        .unwrap();
    assert_eq!(made.id, hex(SELF_ID));
    assert_eq!(made.key.algorithm(), Algorithm::Es256);
    assert_eq!((made.counter, made.backed_up), (0, true));
    // Of the other one the person was not verified.
    let none = shown(NONE_ID, NONE_CLIENT_DATA, NONE_OBJECT);
    let none_challenge = challenge(NONE_CHALLENGE);
    assert_eq!(
        example().registered(&none_challenge, &none),
        Err(Refused::NotVerified)
    );
    let made = example().made(&none_challenge, &none, false).unwrap();
    assert_eq!((made.id, made.backed_up), (hex(NONE_ID), true));
}

/// Planted faults: each check left out, here or in `hack/mutants-control-plane.yaml`.
#[test]
fn a_registration_that_was_changed_is_refused() {
    let object = |old: &str, new: &str| {
        assert!(SELF_OBJECT.contains(old), "{old}");
        SELF_OBJECT.replacen(old, new, 1)
    };
    let hash = "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5";
    let flags = |flags: &str| object(&format!("{hash}5d"), &format!("{hash}{flags}"));
    for (why, object) in [
        (Refused::RelyingParty, object(hash, &hash.replace('b', "c"))),
        (Refused::NotPresent, flags("5c")),
        (Refused::NotVerified, flags("59")),
        (Refused::Backup, flags("55")),
        // Its bytes are left over then.
        (Refused::AuthenticatorData, flags("1d")),
        (Refused::Cbor, flags("dd")),
        (Refused::CredentialId, object("455ef34e", "455ef34f")),
        (Refused::AuthenticatorData, object("0020455e", "0000455e")),
        (Refused::AuthenticatorData, object("0020455e", "0420455e")),
        (Refused::Key, object("eb151c81", "eb151c82")),
        (Refused::Key, object("a501020326", "a501020327")),
        // What an attestation by the passkey itself signs.
        (Refused::Attestation, object("df850e09", "df850e08")),
        (Refused::Attestation, object("63616c6726", "63616c6727")),
        (Refused::Attestation, object("667061636b6564", "667061636b6561")),
        (Refused::Cbor, format!("{SELF_OBJECT}00")),
        (Refused::Cbor, SELF_OBJECT[..SELF_OBJECT.len() - 2].to_owned()),
        (Refused::Cbor, object("a363666d74", "bf63666d74")),
    ] {
        let shown = shown(SELF_ID, SELF_CLIENT_DATA, &object);
        let refused = example().registered(&challenge(SELF_CHALLENGE), &shown);
        assert_eq!(refused, Err(why), "{object}");
    }
    // The same bytes, for another challenge or by another party, and client data that says another kind.
    let honest = shown(SELF_ID, SELF_CLIENT_DATA, SELF_OBJECT);
    let other = example().registered(&challenge(NONE_CHALLENGE), &honest);
    assert_eq!(other, Err(Refused::Challenge));
    let party = RelyingParty::at(&Url::parse("https://example.com").unwrap()).unwrap();
    let other = party.registered(&challenge(SELF_CHALLENGE), &honest);
    assert_eq!(other, Err(Refused::Origin));
    let as_get = SELF_CLIENT_DATA.replacen("637265617465", "676574", 1);
    let shown_as_get = shown(SELF_ID, &as_get, SELF_OBJECT);
    let other = example().registered(&challenge(SELF_CHALLENGE), &shown_as_get);
    assert_eq!(other, Err(Refused::Ceremony));
}

#[test]
fn an_attestation_of_another_kind_is_refused() {
    let none = |statement: &str| {
        NONE_OBJECT.replacen(
            "646e6f6e656761747453746d74a0",
            &format!("646e6f6e656761747453746d74{statement}"),
            1,
        )
    };
    let other = NONE_OBJECT.replacen("646e6f6e65", "6374706d", 1);
    for object in [none("a16178f5"), none("80"), none("f6"), other] {
        let shown = shown(NONE_ID, NONE_CLIENT_DATA, &object);
        let refused = example().made(&challenge(NONE_CHALLENGE), &shown, false);
        assert_eq!(refused, Err(Refused::Attestation), "{object}");
    }
}

#[test]
fn texts_have_one_spelling_and_a_bound() {
    assert!(Registration::read("AQI", "", "").is_ok());
    for bad in ["AQI=", "AQJ", "A", "+/==", "AQ I"] {
        assert_eq!(Registration::read(bad, "", ""), Err(Refused::Text("id")), "{bad}");
    }
    let long = "A".repeat(8 * 1024 + 4);
    assert_eq!(
        Registration::read("AQI", "", &long),
        Err(Refused::Text("attestationObject"))
    );
}
