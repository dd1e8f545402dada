//! Requests as an identity provider receives them.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::inflate::decompress_to_vec;
use reeve_saml::{AuthnRequest, Binding, Certificate, NameIdFormat, RelayState, RequestId, SamlError};
use roxmltree::Document;
use x509_parser::prelude::FromDer;

use crate::naive::{NAIVE, Naive, Read};
use crate::provider::{ACS, NOW, SAML, SAMLP, SP, SP_KEY};
use crate::receive::{identity_provider, service_provider};

pub(crate) fn request(binding: Binding) -> AuthnRequest {
    let state = RelayState::new("state-1").unwrap();
    service_provider()
        .authn_request(
            &identity_provider(),
            binding,
            &RequestId::from_random([1; 20]),
            &state,
            NOW,
        )
        .unwrap()
}

fn check(xml: &str, destination: &str) {
    let document = Document::parse(xml).unwrap();
    let root = document.root_element();
    assert!(root.has_tag_name((SAMLP, "AuthnRequest")));
    for (name, value) in [
        ("ID", "_0101010101010101010101010101010101010101"),
        ("Version", "2.0"),
        ("IssueInstant", "2026-11-28T12:00:00.000Z"),
        ("Destination", destination),
        ("AssertionConsumerServiceURL", ACS),
        ("ProtocolBinding", Binding::Post.uri()),
        ("ForceAuthn", "false"),
    ] {
        assert_eq!(root.attribute(name), Some(value), "{name}");
    }
    assert_eq!(
        root.children()
            .find(|n| n.has_tag_name((SAML, "Issuer")))
            .unwrap()
            .text(),
        Some(SP)
    );
    let policy = root
        .children()
        .find(|n| n.has_tag_name((SAMLP, "NameIDPolicy")))
        .unwrap();
    assert_eq!(policy.attribute("AllowCreate"), Some("true"));
    assert_eq!(
        policy.attribute("Format"),
        Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")
    );
}

#[test]
fn the_redirect_is_signed_as_it_is_sent() {
    let AuthnRequest::Redirect(address) = request(Binding::Redirect) else {
        panic!("another binding")
    };
    let (query, signature) = address.split_once("&Signature=").unwrap();
    // The provider's own query stays, and is not part of what is signed.
    let signed = query.strip_prefix("https://idp.test/sso?x=1&").unwrap();
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(signed.as_bytes())
        .into_owned()
        .collect();
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["SAMLRequest", "RelayState", "SigAlg"]);
    assert_eq!(fields[1].1, "state-1");
    assert_eq!(fields[2].1, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
    let xml = decompress_to_vec(&STANDARD.decode(&fields[0].1).unwrap()).unwrap();
    check(std::str::from_utf8(&xml).unwrap(), "https://idp.test/sso?x=1");

    let (_, signature) = url::form_urlencoded::parse(format!("s={signature}").as_bytes())
        .into_owned()
        .next()
        .unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&SP_KEY.certificate).unwrap();
    let key = certificate.public_key().subject_public_key.data.to_vec();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(signed.as_bytes(), &signature).unwrap();
    key.verify(signed.replace("state-1", "state-2").as_bytes(), &signature)
        .unwrap_err();
}

#[test]
fn the_form_holds_a_signed_document() {
    let AuthnRequest::Post(form) = request(Binding::Post) else {
        panic!("another binding")
    };
    assert_eq!(
        (form.action.as_str(), form.relay_state.as_str()),
        ("https://idp.test/sso", "state-1")
    );
    let xml = String::from_utf8(STANDARD.decode(form.saml_request).unwrap()).unwrap();
    check(&xml, "https://idp.test/sso");
    // It verifies some signature, and takes what looks like a NameID for one: the policy.
    let naive = Naive {
        read: Read::Text,
        ..NAIVE
    };
    let verified = |xml: &str| {
        naive
            .receive(xml, std::slice::from_ref(&SP_KEY.certificate))
            .is_some()
    };
    assert!(verified(&xml));
    assert!(!verified(&xml.replace(ACS, "https://other.test/")));
}

#[test]
fn a_provider_without_the_binding_is_said_so() {
    let xml = crate::provider::metadata(&[&crate::provider::IDP_KEY])
        .replace("bindings:HTTP-POST", "bindings:SOAP");
    let provider = reeve_saml::IdentityProvider::from_metadata(xml.as_bytes(), None, NOW).unwrap();
    let state = RelayState::new("x").unwrap();
    let error = service_provider()
        .naming(NameIdFormat::Unspecified)
        .authn_request(
            &provider,
            Binding::Post,
            &RequestId::from_random([1; 20]),
            &state,
            NOW,
        )
        .unwrap_err();
    assert!(matches!(error, SamlError::NoBinding { .. }));
}

#[test]
fn a_relay_state_is_a_word() {
    for bad in [
        "",
        "https://evil.test/",
        "//evil.test",
        "a b",
        "<x>",
        "\n",
        &"x".repeat(81),
    ] {
        assert!(RelayState::new(bad).is_err(), "{bad}");
    }
    assert_eq!(RelayState::new(&"x".repeat(80)).unwrap().as_str().len(), 80);
    assert_ne!(RequestId::from_random([1; 20]), RequestId::from_random([2; 20]));
    assert!(Certificate::from_der(vec![0x30, 0]).is_err());
}
