//! An identity provider of SAML that signs whatever it is told, and the receiver of what it says.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Poll, Waker};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use reeve_saml::canonical::canonicalize;
use reeve_saml::{
    IdentityProvider, OneUse, Pending, ReplayCache, SamlError, Seen, ServiceProvider, ServiceProviderKey,
    SignIn,
};
use reeve_types::Timestamp;
use roxmltree::Document;

pub(crate) const IDP: &str = "https://idp.test/metadata";
pub(crate) const SP: &str = "https://reeve.test/saml";
pub(crate) const ACS: &str = "https://reeve.test/acs";
pub(crate) const REQUEST: &str = "_f2a1";
pub(crate) const ALICE: &str = "alice@example.test";
pub(crate) const ADMIN: &str = "admin@example.test";
pub(crate) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ASSERTION_ID: &str = "_assertion1";
const RESPONSE_ID: &str = "_response1";

/// 2026-11-28T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_867_200_000);

/// A key that signs, and its certificate.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    certificate: Vec<u8>,
}

fn certificate(pair: &KeyPair) -> Vec<u8> {
    let mut params = CertificateParams::new(vec!["idp.test".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    params.self_signed(pair).unwrap().der().to_vec()
}

impl Key {
    fn new() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self {
            certificate: certificate(&pair),
            pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pair.serialize_der()).unwrap(),
        }
    }

    pub(crate) fn certificate(&self) -> String {
        STANDARD.encode(&self.certificate)
    }

    /// The signature of the element with this `ID`, of which these are the canonical octets.
    fn signature(&self, id: &str, octets: &str) -> String {
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"{DS}\"><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"></ds:SignatureMethod>\
             <ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform Algorithm=\"{DS}enveloped-signature\"></ds:Transform>\
             <ds:Transform Algorithm=\"{EXCLUSIVE}\"></ds:Transform></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
             <ds:DigestValue>{}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
            STANDARD.encode(digest(&SHA256, octets.as_bytes()))
        );
        let tree = Document::parse(&info).unwrap();
        let octets = canonicalize(tree.root_element(), &[], None).unwrap();
        let value = self.pair.sign(&SystemRandom::new(), octets.as_bytes()).unwrap();
        format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{}</ds:SignatureValue></ds:Signature>",
            STANDARD.encode(value)
        )
    }

    /// `document` with a signature over the element with this `ID` behind that element's first child. None where that has no
    /// canonical form.
    pub(crate) fn sign(&self, document: &str, id: &str) -> Option<String> {
        let tree = Document::parse(document).ok()?;
        let element = tree.descendants().find(|node| node.attribute("ID") == Some(id))?;
        let octets = canonicalize(element, &[], None).ok()?;
        let behind = element.first_element_child()?.range().end;
        let (before, after) = document.split_at_checked(behind)?;
        Some(format!("{before}{}{after}", self.signature(id, &octets)))
    }
}

pub(crate) static IDP_KEY: LazyLock<Key> = LazyLock::new(Key::new);
pub(crate) static ATTACKER: LazyLock<Key> = LazyLock::new(Key::new);

/// What an identity provider signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Response,
    Assertion,
    Both,
}

pub(crate) const SHAPES: [Shape; 3] = [Shape::Response, Shape::Assertion, Shape::Both];

/// An assertion about `name`, without a signature.
pub(crate) fn assertion(name: &str) -> String {
    let (before, after) = (NOW.plus_seconds(-300), NOW.plus_seconds(300));
    format!(
        "<saml:Assertion xmlns:saml=\"{SAML}\" ID=\"{ASSERTION_ID}\" Version=\"2.0\" IssueInstant=\"{NOW}\">\
         <saml:Issuer>{IDP}</saml:Issuer><saml:Subject><saml:NameID>{name}</saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData NotOnOrAfter=\"{after}\" Recipient=\"{ACS}\" InResponseTo=\"{REQUEST}\"/>\
         </saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore=\"{before}\" NotOnOrAfter=\"{after}\">\
         <saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
         <saml:AuthnStatement AuthnInstant=\"{before}\" SessionIndex=\"s1\"><saml:AuthnContext>\
         <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>\
         </saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>\
         <saml:Attribute Name=\"email\"><saml:AttributeValue>{name}</saml:AttributeValue></saml:Attribute>\
         <saml:Attribute Name=\"GROUPS\"><saml:AttributeValue>ml</saml:AttributeValue>\
         <saml:AttributeValue>/a/b</saml:AttributeValue></saml:Attribute>\
         <saml:Attribute Name=\"UID\"><saml:AttributeValue>70001</saml:AttributeValue></saml:Attribute>\
         </saml:AttributeStatement></saml:Assertion>"
    )
}

/// A response around `content`, without a signature.
pub(crate) fn response(content: &str) -> String {
    format!(
        "<samlp:Response xmlns:samlp=\"{SAMLP}\" ID=\"{RESPONSE_ID}\" Version=\"2.0\" IssueInstant=\"{NOW}\" \
         Destination=\"{ACS}\" InResponseTo=\"{REQUEST}\"><saml:Issuer xmlns:saml=\"{SAML}\">{IDP}</saml:Issuer>\
         <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>\
         {content}</samlp:Response>"
    )
}

/// What `key`'s provider sends about `name`.
pub(crate) fn message(key: &Key, name: &str, shape: Shape) -> String {
    let mut text = response(&assertion(name));
    if shape != Shape::Response {
        text = key.sign(&text, ASSERTION_ID).unwrap();
    }
    if shape != Shape::Assertion {
        text = key.sign(&text, RESPONSE_ID).unwrap();
    }
    text
}

/// Metadata of an entity with these certificates, in base64, and addresses; all is XML already.
pub(crate) fn metadata(
    entity: &str,
    until: &str,
    certificates: &[(&str, String)],
    addresses: &[(&str, &str)],
) -> String {
    let keys: String = certificates
        .iter()
        .map(|(usage, certificate)| {
            format!(
                "<md:KeyDescriptor use=\"{usage}\"><ds:KeyInfo xmlns:ds=\"{DS}\"><ds:X509Data><ds:X509Certificate>{certificate}\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            )
        })
        .collect();
    let addresses: String = addresses
        .iter()
        .map(|(binding, address)| {
            format!("<md:SingleSignOnService Binding=\"{binding}\" Location=\"{address}\"/>")
        })
        .collect();
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity}\"{until}>\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"{SAMLP}\">{keys}{addresses}</md:IDPSSODescriptor>\
         </md:EntityDescriptor>"
    )
}

/// That of the provider of these targets.
pub(crate) fn own_metadata() -> String {
    let post = reeve_saml::Binding::Post.uri();
    metadata(
        IDP,
        "",
        &[("signing", IDP_KEY.certificate())],
        &[(post, "https://idp.test/sso")],
    )
}

/// Text as an XML document holds it.
pub(crate) fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' | '<' | '>' | '"' | '\'' | '\t' | '\n' | '\r' => format!("&#{};", u32::from(c)),
            other => other.to_string(),
        })
        .collect()
}

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Timestamp>>);

impl ReplayCache for Memory {
    type Error = std::convert::Infallible;

    async fn remember(&self, one: &OneUse) -> Result<Seen, Self::Error> {
        match self.0.lock().unwrap().insert(one.key(), one.until()) {
            None => Ok(Seen::First),
            Some(_) => Ok(Seen::Before),
        }
    }
}

static US: LazyLock<ServiceProvider> = LazyLock::new(|| {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let key = ServiceProviderKey::new(&pair.serialize_der(), certificate(&pair)).unwrap();
    ServiceProvider::new(SP, ACS, vec![key]).unwrap()
});

static THEM: LazyLock<IdentityProvider> =
    LazyLock::new(|| IdentityProvider::from_metadata(own_metadata().as_bytes(), None, NOW).unwrap());

/// What the product makes of a response.
pub(crate) fn receive(text: &str) -> Option<SignIn> {
    let pending = Pending {
        id: REQUEST,
        sent: NOW.plus_seconds(-30),
    };
    let unspent = US
        .verify_response(&THEM, &STANDARD.encode(text), pending, NOW)
        .ok()?;
    at_once(unspent.redeem(&Memory::default()))?.ok()
}

/// A cache in memory waits for nothing.
fn at_once(future: impl Future<Output = Result<SignIn, SamlError>>) -> Option<Result<SignIn, SamlError>> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(it) => Some(it),
        Poll::Pending => None,
    }
}
