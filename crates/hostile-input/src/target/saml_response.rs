//! A response of SAML, cut at its tags and put together anew: wrapping, copies, and whatever else stands between.

use std::fmt::Debug;
use std::sync::LazyLock;

use roxmltree::Document;

use super::{Broken, Outcome, Target, holds, judged};
use crate::saml::{ADMIN, ALICE, ATTACKER, IDP_KEY, SAML, SHAPES, assertion, message, receive};
use crate::script::{expand, pieces};

pub(super) const TARGET: Target = Target {
    name: "saml_response",
    promise: "a message that is accepted says to the letter what the provider signed, whatever was changed in it or put round it",
    words: &[
        "<!---->",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE a>",
        "<?a?>",
        "&#x61;",
        "&amp;",
        "<saml:Assertion>",
        "</saml:Assertion>",
        "<samlp:Extensions xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\">",
        "</samlp:Extensions>",
        "<ds:Object xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">",
        "</ds:Object>",
        " xmlns:saml=\"urn:x\"",
        " xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\"",
        " ID=\"_assertion1\"",
        " ID=\"_response1\"",
    ],
    seeds,
    found: include_str!("../../corpus/saml_response.txt"),
    check: |input| check(input, receive),
    naive: |input| check(input, first_name),
};

/// The honest message of each shape at its tags; then what an attacker has, whole and at its tags.
static PIECES: LazyLock<[Vec<String>; 3]> = LazyLock::new(|| {
    SHAPES.map(|shape| {
        let mut all = at_tags(&message(&IDP_KEY, ALICE, shape));
        let forged = message(&ATTACKER, ADMIN, shape);
        all.push(assertion(ADMIN));
        all.push(assertion(ADMIN).replace("_assertion1", "_assertion2"));
        all.push(forged.replace("_response1", "_response2"));
        all.push(forged);
        all.push(format!("<saml:NameID>{ADMIN}</saml:NameID>"));
        all.push(format!("<saml:AttributeValue>{ADMIN}</saml:AttributeValue>"));
        all
    })
});

/// What an attacker has beside the honest message.
const FORGED: usize = 6;

fn at_tags(text: &str) -> Vec<String> {
    text.split('<').skip(1).map(|part| format!("<{part}")).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (shape, its) in (0u8..).zip(PIECES.iter()) {
        let honest = pieces(0, its.len() - FORGED);
        all.push([&[shape], honest.as_slice()].concat());
        // What an attacker has, before the honest message's last tag, in place of it, and before its first child.
        for forged in its.len() - FORGED..its.len() {
            let forged = pieces(forged, 1);
            let (most, last) = honest.split_at(honest.len() - 1);
            let (first, rest) = honest.split_at(1);
            all.push([&[shape], most, &forged, last].concat());
            all.push([&[shape], first, &forged, rest].concat());
            all.push([&[shape], forged.as_slice()].concat());
        }
    }
    all
}

fn check<S: PartialEq + Debug>(input: &[u8], receive: impl Fn(&str) -> Option<S>) -> Result<Outcome, Broken> {
    let (shape, script) = input.split_first().unwrap_or((&0, &[]));
    let index = usize::from(*shape) % SHAPES.len();
    let (Some(its), Some(shape)) = (PIECES.get(index), SHAPES.get(index)) else {
        return Ok(Outcome::Refused);
    };
    let text = expand(script, its);
    judged(receive(&text), |said| {
        let honest = receive(&message(&IDP_KEY, ALICE, *shape));
        holds(
            honest.is_some_and(|it| it == said),
            &format!("{said:?} of {text}"),
        )
    })
}

/// Takes the first name in the message, signed or not.
fn first_name(text: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let name = document
        .descendants()
        .find(|node| node.has_tag_name((SAML, "NameID")))?;
    name.text().map(str::to_owned)
}
