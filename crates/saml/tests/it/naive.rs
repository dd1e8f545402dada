//! Receivers that are wide open, each the way real ones were: they show that an attack is one.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reeve_saml::canonical::canonicalize;
use roxmltree::{Document, Node, ParsingOptions};
use x509_parser::prelude::FromDer;

use crate::provider::{DS, SAML};

/// Of several, which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    First,
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    Metadata,
    /// The certificate that the message brings along.
    KeyInfo,
    /// The public certificate as the secret of an HMAC.
    Hmac,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// The NameID of an Assertion anywhere.
    Assertion(Pick),
    /// That of anything whose local name is Assertion.
    LocalName,
    /// Any NameID, whatever the message is.
    AnyName,
    /// Up to the first comment.
    FirstTextNode,
    /// By another parser: what looks like a NameID in the text.
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigestFrom {
    Reference,
    /// `//DigestValue`.
    Anywhere,
    /// The first child node of the DigestValue, be it a comment.
    FirstNode,
}

/// "Some node is signed, and here is an assertion." Whoever it is made for gets exactly the hole that it needs besides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naive {
    pub(crate) unsigned_is_fine: bool,
    pub(crate) keys: Keys,
    /// Which of several elements with one id a reference means.
    pub(crate) id: Pick,
    pub(crate) read: Read,
    pub(crate) digest: DigestFrom,
    pub(crate) empty_canonical_form: bool,
    pub(crate) dtd: bool,
}

pub(crate) const NAIVE: Naive = Naive {
    unsigned_is_fine: false,
    keys: Keys::Metadata,
    id: Pick::First,
    read: Read::Assertion(Pick::First),
    digest: DigestFrom::Reference,
    empty_canonical_form: false,
    dtd: false,
};

impl Naive {
    /// Who signed in, if it accepts the message. It knows the certificates `known`.
    pub(crate) fn receive(&self, xml: &str, known: &[Vec<u8>]) -> Option<String> {
        let options = ParsingOptions {
            allow_dtd: self.dtd,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(xml, options).ok()?;
        let signatures = all(&document, DS, "Signature");
        let signed = match signatures.is_empty() {
            true => self.unsigned_is_fine,
            false => signatures
                .into_iter()
                .any(|signature| self.verify(&document, signature, known).is_some()),
        };
        signed.then(|| self.read(&document)).flatten()
    }

    fn verify(&self, document: &Document<'_>, signature: Node<'_, '_>, known: &[Vec<u8>]) -> Option<()> {
        let infos: Vec<_> = signature
            .children()
            .filter(|n| n.has_tag_name((DS, "SignedInfo")))
            .collect();
        let octets = self.canonical(*infos.last()?, None)?;
        let value = decoded(&text(
            signature
                .children()
                .find(|n| n.has_tag_name((DS, "SignatureValue")))?,
        ))?;
        let key_info = all(document, DS, "X509Certificate")
            .into_iter()
            .filter_map(|n| decoded(&text(n)));
        let fits = |certificate: &[u8]| match self.keys {
            Keys::Hmac => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, certificate);
                hmac::verify(&key, octets.as_bytes(), &value).is_ok()
            }
            _ => rsa_verifies(certificate, octets.as_bytes(), &value),
        };
        let verified = match self.keys {
            Keys::KeyInfo => key_info.into_iter().any(|certificate| fits(&certificate)),
            _ => known.iter().any(|certificate| fits(certificate)),
        };
        if !verified {
            return None;
        }
        let info = infos.first()?;
        let reference = info.descendants().find(|n| n.has_tag_name((DS, "Reference")))?;
        let id = reference.attribute("URI")?.strip_prefix('#')?;
        let mut targets: Vec<_> = document
            .descendants()
            .filter(|n| {
                n.attributes()
                    .any(|a| a.name().eq_ignore_ascii_case("id") && a.value() == id)
            })
            .collect();
        if self.id == Pick::Last {
            targets.reverse();
        }
        let covered = self.canonical(*targets.first()?, Some(signature))?;
        let method = info
            .descendants()
            .find(|n| n.has_tag_name((DS, "DigestMethod")))?;
        let algorithm = match method.attribute("Algorithm")?.ends_with("sha1") {
            true => &SHA1_FOR_LEGACY_USE_ONLY,
            false => &SHA256,
        };
        let wanted = match self.digest {
            DigestFrom::Anywhere => text(*all(document, DS, "DigestValue").first()?),
            DigestFrom::Reference => text(
                reference
                    .descendants()
                    .find(|n| n.has_tag_name((DS, "DigestValue")))?,
            ),
            DigestFrom::FirstNode => {
                let value = reference
                    .descendants()
                    .find(|n| n.has_tag_name((DS, "DigestValue")))?;
                value.first_child()?.text()?.to_owned()
            }
        };
        (digest(algorithm, covered.as_bytes()).as_ref() == decoded(&wanted)?).then_some(())
    }

    fn canonical(&self, node: Node<'_, '_>, without: Option<Node<'_, '_>>) -> Option<String> {
        match canonicalize(node, &[], without.map(|n| n.id())) {
            Ok(octets) => Some(octets),
            Err(_) if self.empty_canonical_form => Some(String::new()),
            Err(_) => None,
        }
    }

    fn read(&self, document: &Document<'_>) -> Option<String> {
        let named = |n: &Node<'_, '_>| n.has_tag_name((SAML, "NameID"));
        let assertions = all(document, SAML, "Assertion");
        let name = match self.read {
            Read::Assertion(Pick::First) => subject_name(*assertions.first()?)?,
            Read::Assertion(Pick::Last) => subject_name(*assertions.last()?)?,
            Read::LocalName => {
                let local = |n: &Node<'_, '_>| n.tag_name().name() == "Assertion";
                let assertion = document.descendants().find(local)?;
                assertion
                    .descendants()
                    .find(|n| n.tag_name().name() == "NameID")?
            }
            Read::AnyName => document.descendants().find(named)?,
            Read::FirstTextNode => {
                let name = subject_name(*assertions.first()?)?;
                return name.first_child()?.text().map(str::to_owned);
            }
            Read::Text => {
                let (_, rest) = document.input_text().split_once("NameID")?;
                let (_, rest) = rest.split_once('>')?;
                return rest.split_once('<').map(|(name, _)| name.to_owned());
            }
        };
        Some(text(name))
    }
}

fn all<'a, 'i>(document: &'a Document<'i>, namespace: &'static str, name: &'static str) -> Vec<Node<'a, 'i>> {
    document
        .descendants()
        .filter(|n| n.has_tag_name((namespace, name)))
        .collect()
}

fn subject_name<'a, 'i>(assertion: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let subject = assertion.children().find(|n| n.has_tag_name((SAML, "Subject")))?;
    subject.children().find(|n| n.has_tag_name((SAML, "NameID")))
}

fn text(node: Node<'_, '_>) -> String {
    node.children()
        .filter(Node::is_text)
        .filter_map(|n| n.text())
        .collect()
}

fn decoded(base64: &str) -> Option<Vec<u8>> {
    let joined: String = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(joined).ok()
}

fn rsa_verifies(certificate: &[u8], octets: &[u8], signature: &[u8]) -> bool {
    let Ok((_, parsed)) = x509_parser::certificate::X509Certificate::from_der(certificate) else {
        return false;
    };
    let key = parsed.public_key().subject_public_key.data.to_vec();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(octets, signature)
        .is_ok()
}
