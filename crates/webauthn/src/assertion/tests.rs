//! The vectors of W3C's recommendation (WebAuthn Level 3, section 16). In them nobody was verified and no user is named: their signatures
//! are looked at without the first, and with a user added, which no signature covers. What a verified person shows is in `tests/it`.

use super::*;
use crate::registration::tests::{challenge, example, hex};

struct Vector {
    key: &'static str,
    id: &'static str,
    challenge: &'static str,
    authenticator_data: &'static str,
    client_data: &'static str,
    signature: &'static str,
}

/// Sections 16.2 and 16.11.
const VECTORS: [Vector; 2] = [
    Vector {
        key: "a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
        id: "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4",
        challenge: "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
        authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
        client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
        signature: "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
    },
    Vector {
        key: "a401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832",
        id: "ce9f840ed96599580cd140fbc7bb3230633f50f61041aff73308ae71caa8a2bd",
        challenge: "895957e01c633a698348a2d8a31a54b7db27e8c1c43b2080d79ae2190267bfd2",
        authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50100000000",
        client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2269566c583442786a4f6d6d44534b4c596f7870557439736e364d48454f7943413135726947514a6e763949222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
        signature: "f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b",
    },
];

const USER: &[u8] = b"user";

impl Vector {
    fn shown(&self) -> Assertion {
        let text = |hexadecimal: &str| encode(&hex(hexadecimal));
        Assertion::read(
            &text(self.id),
            &text(self.client_data),
            &text(self.authenticator_data),
            &text(self.signature),
            &encode(USER),
        )
        .unwrap()
    }

    /// What comes of it with its key, or that of `other`.
    fn judged(&self, shown: &Assertion, other: Option<&Self>) -> Result<Used, Refused> {
        let key = PublicKey::read(&hex(other.unwrap_or(self).key)).unwrap();
        let kept = Kept {
            id: &hex(self.id),
            user_handle: USER,
            key: &key,
            counter: 0,
            backup_eligible: None,
        };
        example().shown(&challenge(self.challenge), shown, &kept, false)
    }
}

#[test]
fn assertions_of_the_recommendation_are_right() {
    let [one, other] = VECTORS;
    for (vector, backed_up) in [(&one, true), (&other, false)] {
        let used = vector.judged(&vector.shown(), None);
        assert_eq!(
            used,
            Ok(Used {
                counter: 0,
                backed_up
            })
        );
    }
    assert_eq!(one.judged(&one.shown(), Some(&other)), Err(Refused::Signature));
    assert_eq!(other.judged(&other.shown(), Some(&one)), Err(Refused::Signature));
}

/// Everything that is signed, bit by bit.
#[test]
fn an_assertion_of_which_a_bit_was_turned_is_refused() {
    type Part = fn(&mut Assertion) -> &mut Vec<u8>;
    let parts: [(Part, usize); 5] = [
        (|shown| &mut shown.client_data, 8),
        (|shown| &mut shown.authenticator_data, 8),
        (|shown| &mut shown.signature, 8),
        (|shown| &mut shown.id, 1),
        (|shown| &mut shown.user_handle, 1),
    ];
    for vector in VECTORS {
        for (part, bits) in parts {
            let length = part(&mut vector.shown()).len();
            for bit in 0..length * bits {
                let mut shown = vector.shown();
                part(&mut shown)[bit / bits] ^= 1 << (bit % bits);
                assert!(vector.judged(&shown, None).is_err(), "bit {bit}");
            }
        }
    }
}

/// Whoever has the key that is nobody's signs nobody in.
#[test]
fn nobodys_key_is_one_and_opens_nothing() {
    assert!(PublicKey::read(&NOBODYS).is_ok());
    let [vector, _] = VECTORS;
    let why = example().asserted_by_nobody(&challenge(vector.challenge), &vector.shown());
    assert_eq!(why, Refused::NotVerified, "the checks are those of everybody");
}
