//! An identity provider of our own making, which writes whatever a test wants and signs it.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use reeve_saml::canonical::canonicalize;
use reeve_types::Timestamp;
use roxmltree::{Document, Node};

pub(crate) const IDP: &str = "https://idp.test/metadata";
pub(crate) const SP: &str = "https://reeve.test/saml";
pub(crate) const ACS: &str = "https://reeve.test/auth/realms/runai/broker/saml/endpoint";
pub(crate) const REQUEST: &str = "_f2a1";
pub(crate) const ALICE: &str = "alice@example.test";
pub(crate) const ADMIN: &str = "admin@example.test";
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const SHA256_URI: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// 2026-11-28T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_867_200_000);

pub(crate) fn at(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

/// A key pair and its certificate.
pub(crate) struct Key {
    pub(crate) pkcs8: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
}

impl Key {
    fn of(pair: &KeyPair, (from, to): (i32, i32)) -> Self {
        let mut params = CertificateParams::new(vec!["idp.test".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let certificate = params.self_signed(pair).unwrap().der().to_vec();
        Self {
            pkcs8: pair.serialize_der(),
            certificate,
        }
    }

    pub(crate) fn rsa() -> Self {
        Self::of(
            &KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap(),
            (2020, 2040),
        )
    }

    /// The same key in a certificate that was over long ago.
    pub(crate) fn expired(&self) -> Self {
        let pair = KeyPair::try_from(self.pkcs8.as_slice()).unwrap();
        Self::of(&pair, (2020, 2021))
    }

    fn ec() -> Self {
        Self::of(
            &KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
            (2020, 2040),
        )
    }

    pub(crate) fn certificate_base64(&self) -> String {
        STANDARD.encode(&self.certificate)
    }
}

pub(crate) static IDP_KEY: LazyLock<Key> = LazyLock::new(Key::rsa);
pub(crate) static IDP_NEXT: LazyLock<Key> = LazyLock::new(Key::rsa);
pub(crate) static IDP_EC: LazyLock<Key> = LazyLock::new(Key::ec);
pub(crate) static ATTACKER: LazyLock<Key> = LazyLock::new(Key::rsa);
pub(crate) static SP_KEY: LazyLock<Key> = LazyLock::new(Key::rsa);
pub(crate) static SP_OLD: LazyLock<Key> = LazyLock::new(Key::rsa);

/// How something is signed.
pub(crate) struct Signer<'a> {
    pub(crate) key: &'a Key,
    pub(crate) algorithm: &'a str,
    pub(crate) digest: &'a str,
    pub(crate) canonicalization: &'a str,
    pub(crate) transforms: String,
    pub(crate) prefixes: &'a [&'a str],
    pub(crate) key_info: String,
}

impl<'a> Signer<'a> {
    pub(crate) fn new(key: &'a Key) -> Self {
        Self {
            key,
            algorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            digest: SHA256_URI,
            canonicalization: EXCLUSIVE,
            transforms: format!(
                "<ds:Transform Algorithm=\"{DS}enveloped-signature\"/><ds:Transform Algorithm=\"{EXCLUSIVE}\"/>"
            ),
            prefixes: &[],
            key_info: format!(
                "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
                key.certificate_base64()
            ),
        }
    }

    pub(crate) fn sign_octets(&self, octets: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        if self.algorithm.ends_with("ecdsa-sha256") {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.key.pkcs8).unwrap();
            return pair.sign(&random, octets).unwrap().as_ref().to_vec();
        }
        if self.algorithm.ends_with("hmac-sha256") {
            // The attack: the certificate, which everybody knows, as the secret.
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &IDP_KEY.certificate);
            return aws_lc_rs::hmac::sign(&key, octets).as_ref().to_vec();
        }
        let pair = RsaKeyPair::from_pkcs8(&self.key.pkcs8).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        let pss = self.algorithm.ends_with("sha256-rsa-MGF1");
        let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
            if pss { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        pair.sign(padding, &random, octets, &mut signature).unwrap();
        signature
    }

    fn digest_of(&self, octets: &[u8]) -> String {
        let algorithm = if self.digest.ends_with("sha1") {
            &SHA1_FOR_LEGACY_USE_ONLY
        } else {
            &SHA256
        };
        STANDARD.encode(digest(algorithm, octets))
    }

    /// `document` with a signature over the element with that `ID`, put behind the element's issuer.
    pub(crate) fn sign(&self, document: &str, id: &str) -> String {
        let tree = Document::parse(document).unwrap();
        let element = element_with_id(&tree, id);
        let octets = canonicalize(element, self.prefixes, None).unwrap();
        let behind = element.first_element_child().unwrap().range().end;
        let signature = self.signature(id, &self.digest_of(octets.as_bytes()));
        format!("{}{signature}{}", &document[..behind], &document[behind..])
    }

    pub(crate) fn signature(&self, id: &str, digest: &str) -> String {
        let inclusive = match self.prefixes {
            [] => String::new(),
            list => format!(
                "<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" PrefixList=\"{}\"></ec:InclusiveNamespaces>",
                list.join(" ")
            ),
        };
        let transforms = match self.prefixes {
            [] => self.transforms.clone(),
            _ => format!(
                "<ds:Transform Algorithm=\"{DS}enveloped-signature\"/>\
                 <ds:Transform Algorithm=\"{EXCLUSIVE}\">{inclusive}</ds:Transform>"
            ),
        };
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"{DS}\"><ds:CanonicalizationMethod Algorithm=\"{}\"/>\
             <ds:SignatureMethod Algorithm=\"{}\"/><ds:Reference URI=\"#{id}\"><ds:Transforms>{transforms}</ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{}\"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
            self.canonicalization, self.algorithm, self.digest
        );
        let tree = Document::parse(&info).unwrap();
        let octets = canonicalize(tree.root_element(), &[], None).unwrap();
        let value = STANDARD.encode(self.sign_octets(octets.as_bytes()));
        format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue>{}</ds:Signature>",
            self.key_info
        )
    }
}

pub(crate) fn element_with_id<'a, 'i>(document: &'a Document<'i>, id: &str) -> Node<'a, 'i> {
    document
        .descendants()
        .find(|node| node.attribute("ID") == Some(id))
        .unwrap()
}

/// What an identity provider signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Response,
    Assertion,
    Both,
}

pub(crate) const SHAPES: [Shape; 3] = [Shape::Response, Shape::Assertion, Shape::Both];
pub(crate) const ASSERTION_ID: &str = "_assertion1";
pub(crate) const RESPONSE_ID: &str = "_response1";

/// An assertion, without a signature.
pub(crate) fn assertion() -> String {
    let (before, after) = (at(-300), at(300));
    format!(
        "<saml:Assertion xmlns:saml=\"{SAML}\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ID=\"{ASSERTION_ID}\" Version=\"2.0\" \
         IssueInstant=\"{NOW}\"><saml:Issuer>{IDP}</saml:Issuer><saml:Subject>\
         <saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">{ALICE}</saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData NotOnOrAfter=\"{after}\" Recipient=\"{ACS}\" InResponseTo=\"{REQUEST}\"/>\
         </saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore=\"{before}\" NotOnOrAfter=\"{after}\">\
         <saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
         <saml:AuthnStatement AuthnInstant=\"{before}\" SessionIndex=\"s1\"><saml:AuthnContext>\
         <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>\
         </saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>\
         <saml:Attribute Name=\"email\"><saml:AttributeValue xsi:type=\"xs:string\">{ALICE}</saml:AttributeValue>\
         </saml:Attribute><saml:Attribute Name=\"GROUPS\"><saml:AttributeValue>ml</saml:AttributeValue>\
         <saml:AttributeValue>/a/b</saml:AttributeValue></saml:Attribute>\
         <saml:Attribute Name=\"UID\"><saml:AttributeValue>70001</saml:AttributeValue></saml:Attribute>\
         </saml:AttributeStatement></saml:Assertion>"
    )
}

/// A response around it, without a signature.
pub(crate) fn response(content: &str) -> String {
    format!(
        "<samlp:Response xmlns:samlp=\"{SAMLP}\" ID=\"{RESPONSE_ID}\" Version=\"2.0\" IssueInstant=\"{NOW}\" \
         Destination=\"{ACS}\" InResponseTo=\"{REQUEST}\"><saml:Issuer xmlns:saml=\"{SAML}\">{IDP}</saml:Issuer>\
         <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>\
         {content}</samlp:Response>"
    )
}

/// `response`, which holds an open assertion, signed in that shape.
pub(crate) fn signed(response: &str, shape: Shape, signer: &Signer<'_>) -> String {
    let response = match shape {
        Shape::Response => response.to_owned(),
        Shape::Assertion | Shape::Both => signer.sign(response, ASSERTION_ID),
    };
    match shape {
        Shape::Assertion => response,
        Shape::Response | Shape::Both => signer.sign(&response, RESPONSE_ID),
    }
}

/// What an honest provider sends.
pub(crate) fn honest(shape: Shape) -> String {
    signed(&response(&assertion()), shape, &Signer::new(&IDP_KEY))
}

/// Metadata of the provider with these signing certificates.
pub(crate) fn metadata(keys: &[&Key]) -> String {
    let keys: String = keys
        .iter()
        .map(|key| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"{DS}\"><ds:X509Data><ds:X509Certificate>{}\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
                key.certificate_base64()
            )
        })
        .collect();
    entity(IDP, &keys)
}

/// Metadata with these key descriptors.
pub(crate) fn entity(id: &str, keys: &str) -> String {
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{id}\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"{SAMLP}\">{keys}<md:SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.test/sso?x=1\"/>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"https://idp.test/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}
