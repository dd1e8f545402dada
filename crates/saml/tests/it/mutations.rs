//! Whatever is changed in a message that was good: refused, or the same to the letter; and nothing panics.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use reeve_saml::{IdentityProvider, SignIn};
use roxmltree::Document;

use crate::provider::{
    ASSERTION_ID, IDP_EC, IDP_KEY, NOW, Shape, Signer, assertion, element_with_id, honest, metadata,
    response, signed,
};
use crate::receive::Receiver;

fn honest_sign_in(message: &str) -> SignIn {
    Receiver::new().receive(message).unwrap()
}

/// Each byte of the signed assertion becomes its neighbour, and one of a space, a line's end, a quote and a bracket. What is still
/// accepted says the same, and is what canonicalization undoes: space within a tag.
#[test]
fn no_single_byte_of_what_is_signed_can_be_changed() {
    let mut signer = Signer::new(&IDP_EC);
    signer.algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    // Nobody reads it, so it may be changed at will.
    signer.key_info = String::new();
    // Exclusive canonicalization leaves out a namespace that nothing is named by.
    let plain = assertion().replace(" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"", "");
    let message = signed(&response(&plain), Shape::Assertion, &signer);
    // Nor does it see one that an element further out declared already.
    let again = " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
    let message = message.replace(&format!("<ds:SignedInfo{again}"), "<ds:SignedInfo");
    let sign_in = honest_sign_in(&message);
    let document = Document::parse(&message).unwrap();
    let assertion = element_with_id(&document, ASSERTION_ID).range();
    let receiver = Receiver::new();
    let mut accepted = BTreeSet::new();
    let mut tried = 0;
    for place in assertion {
        let old = message.as_bytes()[place];
        for new in [old ^ 1, b" \n\"<"[place % 4]] {
            if new == old {
                continue;
            }
            tried += 1;
            let mut changed = message.clone().into_bytes();
            changed[place] = new;
            let text = String::from_utf8(changed).unwrap();
            receiver.cache.0.lock().unwrap().clear();
            if let Ok(same) = receiver.receive(&text) {
                assert_eq!(same, sign_in);
                accepted.insert((char::from(old), char::from(new)));
            }
        }
    }
    assert!(tried > 4_000, "{tried}");
    assert_eq!(
        accepted,
        BTreeSet::from([(' ', '\n')]),
        "changes that were accepted"
    );
}

fn edit(text: &str, edits: &[(Index, Index, u8, String)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (from, to, what, new) in edits {
        let (a, b) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
        let range = a.min(b)..a.max(b);
        match what % 4 {
            0 => drop(bytes.splice(range, new.bytes())),
            1 => drop(bytes.splice(a..a, new.bytes())),
            2 => {
                let copy = bytes[range].to_vec();
                drop(bytes.splice(a..a, copy));
            }
            _ => drop(bytes.splice(range.start..(range.start + 1).min(range.end), new.bytes())),
        }
        bytes.truncate(40_000);
    }
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(Index, Index, u8, String)>> {
    let pieces = prop_oneof![
        "[ -~]{0,6}",
        Just("<!---->".to_owned()),
        Just("<saml:Assertion>".to_owned()),
        Just("</saml:Assertion>".to_owned()),
        Just("&#x41;".to_owned()),
        Just("xmlns:saml=\"urn:x\"".to_owned()),
        Just("\u{1F600}\u{0}".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("ID=\"_assertion1\"".to_owned()),
    ];
    proptest::collection::vec((any::<Index>(), any::<Index>(), any::<u8>(), pieces), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_message_that_was_edited_is_refused_or_says_the_same(edits in edits(), shape in 0_usize..3) {
        use base64::Engine as _;
        let message = honest(crate::provider::SHAPES[shape]);
        let edited = edit(&message, &edits);
        let text = base64::engine::general_purpose::STANDARD.encode(edited);
        if let Ok(sign_in) = Receiver::new().receive_base64(&text) {
            prop_assert_eq!(sign_in, honest_sign_in(&message));
        }
    }

    #[test]
    fn no_metadata_makes_it_panic(edits in edits()) {
        let _ = IdentityProvider::from_metadata(&edit(&metadata(&[&IDP_KEY]), &edits), None, NOW);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        prop_assert!(Receiver::new().receive_base64(&text).is_err());
        prop_assert!(Receiver::new().receive(&text).is_err());
    }
}
