//! S16 and S17: everything that a response says of itself is compared. The naive receiver looks at the signature alone and
//! accepts each.

use std::fmt::Write as _;

use reeve_saml::{IdentityProvider, SamlError, SignedParts};

use crate::attacks::ours;
use crate::naive::NAIVE;
use crate::provider::{
    ACS, ALICE, IDP, IDP_EC, IDP_KEY, IDP_NEXT, NOW, REQUEST, SHAPES, SP, Shape, Signer, assertion, at,
    honest, metadata, response, signed,
};
use crate::receive::Receiver;

/// What the provider writes instead; it signs it, so only the check of the field can refuse it.
fn cases() -> Vec<(&'static str, String, String)> {
    let a = |name, from: &str, to: &str| (name, "a".to_owned(), from.to_owned(), to.to_owned());
    let r = |name, from: &str, to: &str| (name, "r".to_owned(), from.to_owned(), to.to_owned());
    let confirmation_end = format!("<saml:SubjectConfirmationData NotOnOrAfter=\"{}\"", at(300));
    let conditions = format!(
        "<saml:Conditions NotBefore=\"{}\" NotOnOrAfter=\"{}\">",
        at(-300),
        at(300)
    );
    let instant = format!("AuthnInstant=\"{}\"", at(-300));
    let issued = format!("IssueInstant=\"{NOW}\"");
    let in_response = format!(" InResponseTo=\"{REQUEST}\"");
    let recipient = format!(" Recipient=\"{ACS}\"");
    let audience =
        format!("<saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction>");
    let name_id = format!(
        "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">{ALICE}</saml:NameID>"
    );
    let success = "urn:oasis:names:tc:SAML:2.0:status:Success";
    let statement_end = "</saml:AuthnStatement>";
    let statement = assertion();
    let statement = &statement[statement.find("<saml:AuthnStatement").unwrap()
        ..statement.find(statement_end).unwrap() + statement_end.len()];
    let rows = vec![
        r("Version of the Response", "Version=\"2.0\"", "Version=\"1.1\""),
        r("Version missing", " Version=\"2.0\"", ""),
        r(
            "Destination elsewhere",
            &format!("Destination=\"{ACS}\""),
            "Destination=\"https://other.test/\"",
        ),
        r(
            "Destination with a suffix",
            &format!("Destination=\"{ACS}\""),
            &format!("Destination=\"{ACS}/x\""),
        ),
        r(
            "Destination empty",
            &format!("Destination=\"{ACS}\""),
            "Destination=\"\"",
        ),
        r("Destination missing", &format!(" Destination=\"{ACS}\""), ""),
        r(
            "InResponseTo of another request",
            &in_response,
            " InResponseTo=\"_other\"",
        ),
        r("InResponseTo empty", &in_response, " InResponseTo=\"\""),
        r("InResponseTo missing: nobody asked", &in_response, ""),
        r(
            "Issuer of the Response",
            &format!(">{IDP}<"),
            ">https://other.test<",
        ),
        r(
            "Format of the Issuer",
            "<saml:Issuer ",
            "<saml:Issuer Format=\"urn:x\" ",
        ),
        r(
            "Status is missing",
            &format!("<samlp:Status><samlp:StatusCode Value=\"{success}\"/></samlp:Status>"),
            "",
        ),
        r(
            "Status without a value",
            &format!("Value=\"{success}\""),
            "Value=\"\"",
        ),
        r(
            "Status of the provider",
            success,
            "urn:oasis:names:tc:SAML:2.0:status:Responder",
        ),
        r(
            "Status of a version",
            success,
            "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch",
        ),
        r(
            "Response issued in the future",
            &issued,
            &format!("IssueInstant=\"{}\"", at(61)),
        ),
        r(
            "Response issued long ago",
            &issued,
            &format!("IssueInstant=\"{}\"", at(-661)),
        ),
        r(
            "Response issued before the request",
            &issued,
            &format!("IssueInstant=\"{}\"", at(-91)),
        ),
        r("IssueInstant of the Response missing", &format!(" {issued}"), ""),
        r(
            "IssueInstant without an offset",
            &issued,
            "IssueInstant=\"2026-11-28T12:00:00\"",
        ),
        r("IssueInstant is a number", &issued, "IssueInstant=\"1795867200\""),
        a("Version of the Assertion", "Version=\"2.0\"", "Version=\"1.1\""),
        a(
            "Issuer of the Assertion",
            &format!(">{IDP}<"),
            ">https://other.test<",
        ),
        a("Issuer empty", &format!(">{IDP}<"), "><"),
        a(
            "Issuer missing",
            &format!("<saml:Issuer>{IDP}</saml:Issuer>"),
            "<saml:Advice/>",
        ),
        a(
            "Assertion issued in the future",
            &issued,
            &format!("IssueInstant=\"{}\"", at(61)),
        ),
        a(
            "Assertion issued long ago",
            &issued,
            &format!("IssueInstant=\"{}\"", at(-661)),
        ),
        a(
            "Assertion issued before the request",
            &issued,
            &format!("IssueInstant=\"{}\"", at(-91)),
        ),
        a("IssueInstant of the Assertion missing", &format!(" {issued}"), ""),
        a("Subject missing", &statement_of_subject(), ""),
        a("NameID missing", &name_id, ""),
        a(
            "NameID empty",
            &format!(">{ALICE}</saml:NameID>"),
            "></saml:NameID>",
        ),
        a(
            "NameID blank",
            &format!(">{ALICE}</saml:NameID>"),
            "> </saml:NameID>",
        ),
        a("NameID twice", &name_id, &format!("{name_id}{name_id}")),
        a(
            "NameID transient",
            "nameid-format:persistent",
            "nameid-format:transient",
        ),
        a(
            "NameID with an element in it",
            &format!(">{ALICE}</saml:NameID>"),
            &format!(">{ALICE}<saml:x/></saml:NameID>"),
        ),
        a("EncryptedID", &name_id, &format!("{name_id}<saml:EncryptedID/>")),
        a("Confirmation by holder of key", "cm:bearer", "cm:holder-of-key"),
        a(
            "Confirmation without data",
            "cm:bearer\">",
            "cm:bearer\"></saml:SubjectConfirmation><saml:SubjectConfirmation>",
        ),
        a(
            "Recipient elsewhere",
            &recipient,
            " Recipient=\"https://other.test/\"",
        ),
        a("Recipient empty", &recipient, " Recipient=\"\""),
        a("Recipient missing", &recipient, ""),
        a(
            "InResponseTo of the confirmation",
            &in_response,
            " InResponseTo=\"_other\"",
        ),
        a("InResponseTo of the confirmation missing", &in_response, ""),
        a(
            "Confirmation is over",
            &confirmation_end,
            &format!("<saml:SubjectConfirmationData NotOnOrAfter=\"{}\"", at(-60)),
        ),
        a(
            "Confirmation without an end",
            &confirmation_end,
            "<saml:SubjectConfirmationData",
        ),
        a(
            "Confirmation begins later",
            &confirmation_end,
            &format!(
                "<saml:SubjectConfirmationData NotBefore=\"{}\" NotOnOrAfter=\"{}\"",
                at(61),
                at(300)
            ),
        ),
        a(
            "Conditions missing",
            &format!("{conditions}{audience}</saml:Conditions>"),
            "",
        ),
        a(
            "Conditions begin later",
            &conditions,
            &format!("<saml:Conditions NotBefore=\"{}\">", at(61)),
        ),
        a(
            "Conditions are over",
            &conditions,
            &format!("<saml:Conditions NotOnOrAfter=\"{}\">", at(-60)),
        ),
        a(
            "NotOnOrAfter is no time",
            &conditions,
            "<saml:Conditions NotOnOrAfter=\"never\">",
        ),
        a(
            "NotBefore is empty",
            &conditions,
            "<saml:Conditions NotBefore=\"\">",
        ),
        a("Audience of another", &format!(">{SP}<"), ">https://other.test<"),
        a("Audience empty", &format!(">{SP}<"), "><"),
        a("Audience with a suffix", &format!(">{SP}<"), &format!(">{SP}/x<")),
        a(
            "Audience missing",
            &format!("<saml:Audience>{SP}</saml:Audience>"),
            "",
        ),
        a("AudienceRestriction missing", &audience, ""),
        a(
            "A second restriction that excludes us",
            &audience,
            &format!("{audience}{}", audience.replace(SP, "https://other.test")),
        ),
        a(
            "A condition that nobody knows",
            &audience,
            &format!("{audience}<saml:Condition/>"),
        ),
        a("AuthnStatement missing", statement, ""),
        a(
            "AuthnInstant in the future",
            &instant,
            &format!("AuthnInstant=\"{}\"", at(61)),
        ),
        a("AuthnInstant missing", &instant, ""),
        a(
            "The provider's session is over",
            &instant,
            &format!("{instant} SessionNotOnOrAfter=\"{}\"", at(-60)),
        ),
        a(
            "EncryptedAttribute",
            "<saml:AttributeStatement>",
            "<saml:AttributeStatement><saml:EncryptedAttribute/>",
        ),
    ];
    let build = |(name, place, from, to): (&'static str, String, String, String)| {
        let (assertion, empty) = (assertion(), response("<x/>"));
        let changed = |text: &str| {
            assert!(text.contains(&from), "{name}: `{from}` is not there");
            text.replacen(&from, &to, 1)
        };
        let (assertion, around) = match place.as_str() {
            "a" => (changed(&assertion), empty),
            _ => (assertion, changed(&empty)),
        };
        (name, around.replace("<x/>", &assertion), from)
    };
    rows.into_iter().map(build).collect()
}

fn statement_of_subject() -> String {
    let assertion = assertion();
    let (start, end) = (
        assertion.find("<saml:Subject>").unwrap(),
        assertion.find("</saml:Subject>").unwrap(),
    );
    assertion[start..end + "</saml:Subject>".len()].to_owned()
}

#[test]
fn each_field_is_checked_whatever_is_signed() {
    let known = vec![IDP_KEY.certificate.clone()];
    let mut table = String::new();
    for (name, message, _) in cases() {
        for shape in SHAPES {
            let message = signed(&message, shape, &Signer::new(&IDP_KEY));
            let seen = NAIVE.receive(&message, &known);
            let no_name = ["Subject missing", "NameID missing"].contains(&name);
            assert!(
                seen.is_some() || no_name,
                "{name}: the naive receiver refuses it as well"
            );
            let error = ours(&message).expect_err(name);
            if shape == Shape::Both {
                writeln!(table, "{name}\n    {error}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// The other side of each bound is accepted: a check that refuses everything would pass the test above.
#[test]
fn the_skew_is_the_same_for_all_times() {
    let accepted = |message: &str| {
        let message = signed(message, Shape::Both, &Signer::new(&IDP_KEY));
        ours(&message).unwrap();
    };
    let (end, start) = (at(300).to_string(), at(-300).to_string());
    let plain = response(&assertion());
    accepted(&plain);
    accepted(&plain.replace(&end, &at(-59).to_string()));
    accepted(&plain.replace(&start, &at(60).to_string()));
    accepted(&plain.replace(
        &format!("IssueInstant=\"{NOW}\""),
        &format!("IssueInstant=\"{}\"", at(60)),
    ));
    accepted(&plain.replace(
        &format!("IssueInstant=\"{NOW}\""),
        &format!("IssueInstant=\"{}\"", at(-89)),
    ));
    accepted(&plain.replace(
        &format!("IssueInstant=\"{NOW}\""),
        "IssueInstant=\"2026-11-28T13:00:00.25+01:00\"",
    ));
    let refused = |message: &str| {
        let message = signed(message, Shape::Both, &Signer::new(&IDP_KEY));
        ours(&message).unwrap_err();
    };
    refused(&plain.replace(&end, &at(-60).to_string()));
    refused(&plain.replace(&start, &at(61).to_string()));
}

#[test]
fn one_of_several_audiences_and_confirmations_may_be_ours() {
    let plain = response(&assertion());
    let audience = format!("<saml:Audience>{SP}</saml:Audience>");
    let bearer = "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">";
    let other = format!(
        "{bearer}<saml:SubjectConfirmationData Recipient=\"https://other.test\" NotOnOrAfter=\"{}\"/></saml:SubjectConfirmation>",
        at(300)
    );
    for message in [
        plain.replace(
            &audience,
            &format!("<saml:Audience>https://other.test</saml:Audience>{audience}"),
        ),
        plain.replacen(bearer, &format!("{other}{bearer}"), 1),
    ] {
        let message = signed(&message, Shape::Assertion, &Signer::new(&IDP_KEY));
        assert_eq!(ours(&message).as_deref(), Ok(ALICE));
    }
}

#[test]
fn what_has_to_be_signed_is_a_setting_and_what_is_signed_is_verified() {
    use SignedParts::{Assertion, Both, Either, Response};
    let accepted = |shape, parts| Receiver::new().requiring(parts).receive(&honest(shape)).is_ok();
    let table = SHAPES.map(|shape| [Either, Response, Assertion, Both].map(|parts| accepted(shape, parts)));
    assert_eq!(
        table,
        [[true, true, false, false], [true, false, true, false], [true; 4]]
    );
    // Two signatures of which one is broken are not one that is good.
    let broken = honest(Shape::Both).replacen("<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1);
    assert!(matches!(
        Receiver::new().receive(&broken),
        Err(SamlError::UnknownKey { .. })
    ));
}

#[test]
fn every_key_of_the_metadata_verifies_and_no_other() {
    let plain = response(&assertion());
    let mut signer = Signer::new(&IDP_EC);
    signer.algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    assert_eq!(ours(&signed(&plain, Shape::Both, &signer)).as_deref(), Ok(ALICE));
    let mut signer = Signer::new(&IDP_NEXT);
    assert_eq!(ours(&signed(&plain, Shape::Both, &signer)).as_deref(), Ok(ALICE));
    signer.algorithm = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1";
    assert_eq!(ours(&signed(&plain, Shape::Both, &signer)).as_deref(), Ok(ALICE));
    signer.prefixes = &["xs", "saml", "#default"];
    assert_eq!(
        ours(&signed(&plain, Shape::Assertion, &signer)).as_deref(),
        Ok(ALICE)
    );

    let mut receiver = Receiver::new();
    receiver.provider =
        IdentityProvider::from_metadata(metadata(&[&IDP_NEXT]).as_bytes(), None, NOW).unwrap();
    let error = receiver.receive(&honest(Shape::Both)).unwrap_err();
    assert_eq!(
        error,
        SamlError::UnknownKey {
            element: "Response",
            known: 1
        }
    );
    assert!(error.to_string().contains("invalid signature") && error.to_string().contains("metadata"));
}

#[test]
fn a_certificate_that_is_over_is_said_so() {
    let expired = IDP_KEY.expired();
    let mut receiver = Receiver::new();
    receiver.provider = IdentityProvider::from_metadata(metadata(&[&expired]).as_bytes(), None, NOW).unwrap();
    let error = receiver.receive(&honest(Shape::Assertion)).unwrap_err();
    assert!(matches!(error, SamlError::CertificateExpired { .. }), "{error}");
}

#[test]
fn metadata_that_is_over_verifies_nothing() {
    let xml = metadata(&[&IDP_KEY]).replace(" entityID", &format!(" validUntil=\"{}\" entityID", at(10)));
    let mut receiver = Receiver::new();
    receiver.provider = IdentityProvider::from_metadata(xml.as_bytes(), None, NOW).unwrap();
    receiver.receive(&honest(Shape::Assertion)).unwrap();
    receiver.now = at(70);
    assert!(matches!(
        receiver.receive(&honest(Shape::Assertion)),
        Err(SamlError::Expired { .. })
    ));
}

/// S17. The planted fault is a cache that forgets.
#[test]
fn an_assertion_is_good_once_for_as_long_as_it_would_be_good() {
    for shape in SHAPES {
        let receiver = Receiver::new();
        let message = honest(shape);
        receiver.receive(&message).unwrap();
        assert!(matches!(
            receiver.receive(&message),
            Err(SamlError::Replayed { .. })
        ));
        let until = receiver.cache.0.lock().unwrap().values().copied().next().unwrap();
        // It is remembered exactly until the checks of time refuse it.
        let later = Receiver {
            now: until.plus_seconds(-1),
            ..Receiver::new()
        };
        later.receive(&message).unwrap();
        let over = Receiver {
            now: until,
            ..Receiver::new()
        };
        assert!(matches!(over.receive(&message), Err(SamlError::Expired { .. })));
    }
}

#[test]
fn a_cache_that_cannot_answer_lets_nobody_in() {
    struct Down;
    impl reeve_saml::ReplayCache for Down {
        type Error = &'static str;
        async fn remember(&self, _: &reeve_saml::OneUse) -> Result<reeve_saml::Seen, Self::Error> {
            Err("the database is away")
        }
    }
    use base64::Engine as _;
    let receiver = Receiver::new();
    let text = base64::engine::general_purpose::STANDARD.encode(honest(Shape::Both));
    let pending = reeve_saml::Pending {
        id: REQUEST,
        sent: at(-30),
    };
    let unspent = receiver
        .us
        .verify_response(&receiver.provider, &text, pending, NOW)
        .unwrap();
    // Who it is shows nowhere before.
    assert!(!format!("{unspent:?}").contains(ALICE));
    let error = crate::receive::now(unspent.redeem(&Down)).unwrap_err();
    assert!(error.to_string().contains("the database is away"));
}
