//! A response that a browser brought, from its base64 to an [`Unspent`] sign-in.
//!
//! The order: bounds and form; the one shape that is accepted; the signature of the response, after which only what it covers is
//! looked at; decryption; the signature of the assertion, after which only what that covers is looked at; then what is said.

use reeve_types::Timestamp;
use roxmltree::{Document, Node};

use crate::assertion::{self, check_in_response_to, check_issued, check_issuer, check_version};
use crate::limits::MESSAGE;
use crate::service_provider::{ServiceProvider, SignedParts};
use crate::sign_in::Expected;
use crate::signature::{self, Covered};
use crate::tree::{self, ASSERTION, PROTOCOL, SIGNATURE, shortened};
use crate::{IdentityProvider, SamlError, Unspent, encrypted};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// The request that a browser was sent away with, as it was kept for that browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending<'a> {
    /// The request's id.
    pub id: &'a str,
    /// When it was made.
    pub sent: Timestamp,
}

impl ServiceProvider {
    /// Verifies the form field `SAMLResponse` against the provider's metadata and the request that it has to answer.
    ///
    /// # Errors
    /// The first check that failed. Nothing of the person is in it.
    pub fn verify_response(
        &self,
        provider: &IdentityProvider,
        saml_response: &str,
        pending: Pending<'_>,
        now: Timestamp,
    ) -> Result<Unspent, SamlError> {
        provider.check_valid(now)?;
        let expected = Expected {
            issuer: provider.entity_id(),
            acs_url: self.acs_url(),
            audience: self.entity_id(),
            request: pending.id,
            sent: pending.sent,
            now,
        };
        let text = decoded(saml_response)?;
        let document = tree::parse(&text, &MESSAGE)?;
        let parts = Parts::of(&document)?;
        let Some(signature) = parts.signature else {
            parts.check_envelope(&expected)?;
            return self.unsigned_response(provider, &parts, &expected);
        };
        let covered = signature::verify(parts.response, signature, provider.signing_certificates(), now)?;
        let document = tree::parse(covered.text(), &MESSAGE)?;
        let parts = Parts::of(&document)?;
        parts.check_envelope(&expected)?;
        self.signed_response(provider, &covered, &parts, &expected)
    }

    /// Nothing of the response may be believed: the assertion has to be signed.
    fn unsigned_response(
        &self,
        provider: &IdentityProvider,
        parts: &Parts<'_, '_>,
        expected: &Expected<'_>,
    ) -> Result<Unspent, SamlError> {
        if matches!(self.signed_parts(), SignedParts::Response | SignedParts::Both) {
            return Err(SamlError::Unsigned {
                needed: "the Response",
            });
        }
        let opened = match parts.encrypted {
            true => Some(encrypted::decrypt(parts.content, self.keys())?),
            false => None,
        };
        let document = opened
            .as_deref()
            .map(|text| tree::parse(text, &MESSAGE))
            .transpose()?;
        let assertion = match &document {
            Some(document) => opened_assertion(document)?,
            None => parts.content,
        };
        match signed_assertion(assertion, provider, expected)? {
            Some(covered) => read(&covered, expected),
            None => Err(SamlError::Unsigned {
                needed: "the Response or the Assertion",
            }),
        }
    }

    /// All of `covered`, of which `parts` are, may be believed.
    fn signed_response(
        &self,
        provider: &IdentityProvider,
        covered: &Covered,
        parts: &Parts<'_, '_>,
        expected: &Expected<'_>,
    ) -> Result<Unspent, SamlError> {
        let opened = match parts.encrypted {
            true => Some(covered.derive(|_| encrypted::decrypt(parts.content, self.keys()))?),
            false => None,
        };
        let document = opened
            .as_ref()
            .map(|opened| tree::parse(opened.text(), &MESSAGE))
            .transpose()?;
        let assertion = match &document {
            Some(document) => opened_assertion(document)?,
            None => parts.content,
        };
        match signed_assertion(assertion, provider, expected)? {
            Some(covered) => read(&covered, expected),
            None if matches!(self.signed_parts(), SignedParts::Assertion | SignedParts::Both) => {
                Err(SamlError::Unsigned {
                    needed: "the Assertion",
                })
            }
            None => assertion::read(assertion, expected),
        }
    }
}

fn read(covered: &Covered, expected: &Expected<'_>) -> Result<Unspent, SamlError> {
    let document = tree::parse(covered.text(), &MESSAGE)?;
    assertion::read(document.root_element(), expected)
}

fn decoded(saml_response: &str) -> Result<String, SamlError> {
    // Four characters are three bytes, and there may be line breaks; the bytes themselves are counted before they are parsed.
    MESSAGE.check_size(saml_response.len() / 2)?;
    let bytes = tree::base64(saml_response, "SAMLResponse")?;
    String::from_utf8(bytes).map_err(|_| SamlError::NotUtf8 { what: MESSAGE.what })
}

/// What a signature that is a child of the assertion covers; none, if there is none.
fn signed_assertion(
    assertion: Node<'_, '_>,
    provider: &IdentityProvider,
    expected: &Expected<'_>,
) -> Result<Option<Covered>, SamlError> {
    tree::at_most_one(assertion, SIGNATURE, "Signature")?
        .map(|signature| {
            signature::verify(
                assertion,
                signature,
                provider.signing_certificates(),
                expected.now,
            )
        })
        .transpose()
}

/// The assertion of a decrypted document, which is held to the same shape as one that came open.
fn opened_assertion<'a, 'i>(document: &'a Document<'i>) -> Result<Node<'a, 'i>, SamlError> {
    tree::check_ids(document)?;
    let assertion = tree::exactly_one(document.root_element(), ASSERTION, "Assertion")?;
    check_counts(document, signatures(assertion))?;
    Ok(assertion)
}

/// A response of the one shape that is accepted.
struct Parts<'a, 'i> {
    response: Node<'a, 'i>,
    signature: Option<Node<'a, 'i>>,
    /// The Assertion or EncryptedAssertion.
    content: Node<'a, 'i>,
    encrypted: bool,
}

impl<'a, 'i> Parts<'a, 'i> {
    fn of(document: &'a Document<'i>) -> Result<Self, SamlError> {
        let response = document.root_element();
        if !tree::is(response, PROTOCOL, "Response") {
            return Err(SamlError::NotAResponse {
                name: shortened(response.tag_name().name()),
            });
        }
        tree::check_ids(document)?;
        check_version(response, "Response")?;
        check_status(response)?;
        for child in tree::elements(response) {
            let name = child.tag_name().name();
            let known = match child.tag_name().namespace() {
                Some(ASSERTION) => ["Issuer", "Assertion", "EncryptedAssertion"].contains(&name),
                Some(PROTOCOL) => ["Extensions", "Status"].contains(&name),
                Some(SIGNATURE) => name == "Signature",
                _ => false,
            };
            if !known {
                return Err(SamlError::Unexpected {
                    name: shortened(name),
                    within: "Response".to_owned(),
                });
            }
        }
        let signature = tree::at_most_one(response, SIGNATURE, "Signature")?;
        let open = tree::at_most_one(response, ASSERTION, "Assertion")?;
        let closed = tree::at_most_one(response, ASSERTION, "EncryptedAssertion")?;
        let (content, encrypted) = match (open, closed) {
            (Some(assertion), None) => (assertion, false),
            (None, Some(assertion)) => (assertion, true),
            (None, None) => return Err(SamlError::Assertions { count: 0 }),
            (Some(_), Some(_)) => return Err(SamlError::Assertions { count: 2 }),
        };
        check_counts(document, signatures(response) + signatures(content))?;
        Ok(Self {
            response,
            signature,
            content,
            encrypted,
        })
    }

    /// What the response around the assertion says. If it is not signed, this only refuses.
    fn check_envelope(&self, expected: &Expected<'_>) -> Result<(), SamlError> {
        let issuer = tree::at_most_one(self.response, ASSERTION, "Issuer")?;
        if let Some(issuer) = issuer {
            check_issuer(issuer, "Response", expected)?;
        }
        let destination = tree::attribute(self.response, "Destination")?;
        if destination != expected.acs_url {
            return Err(SamlError::Address {
                name: "Destination",
                found: shortened(destination),
                expected: expected.acs_url.to_owned(),
            });
        }
        check_in_response_to(self.response, "Response", expected)?;
        check_issued(self.response, "Response", expected)?;
        Ok(())
    }
}

fn signatures(node: Node<'_, '_>) -> usize {
    tree::children(node, SIGNATURE, "Signature").count()
}

/// One assertion in all of the document, and no signature but those that are where they belong.
fn check_counts(document: &Document<'_>, expected_signatures: usize) -> Result<(), SamlError> {
    let count = |namespace, names: &[&str]| {
        let counted = |node: &Node<'_, '_>| {
            node.tag_name().namespace() == Some(namespace) && names.contains(&node.tag_name().name())
        };
        document
            .descendants()
            .filter(Node::is_element)
            .filter(counted)
            .count()
    };
    let assertions = count(ASSERTION, &["Assertion", "EncryptedAssertion"]);
    if assertions != 1 {
        return Err(SamlError::Assertions { count: assertions });
    }
    if count(SIGNATURE, &["Signature"]) != expected_signatures {
        return Err(SamlError::StraySignature);
    }
    Ok(())
}

fn check_status(response: Node<'_, '_>) -> Result<(), SamlError> {
    let status = tree::exactly_one(response, PROTOCOL, "Status")?;
    let code = tree::exactly_one(status, PROTOCOL, "StatusCode")?;
    let value = tree::attribute(code, "Value")?;
    if value == SUCCESS {
        return Ok(());
    }
    let second =
        tree::at_most_one(code, PROTOCOL, "StatusCode")?.and_then(|code| tree::optional(code, "Value"));
    let message = tree::at_most_one(status, PROTOCOL, "StatusMessage")?
        .map(tree::value)
        .transpose()?;
    let last = |uri: &str| shortened(uri.rsplit(':').next().unwrap_or(uri));
    let codes = second.map_or_else(
        || last(value),
        |second| format!("{}, {}", last(value), last(second)),
    );
    Err(SamlError::Status {
        codes,
        message: shortened(&message.unwrap_or_default()),
    })
}
