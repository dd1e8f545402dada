//! Enveloped signatures, and the octets that they cover.
//!
//! [`Covered`] is the heart of the crate: it is made of octets whose digest stands in a `SignedInfo` that a key of the metadata
//! signed, and by nothing else. What is read of an identity is read from one.

use aws_lc_rs::constant_time;
use reeve_types::Timestamp;
use roxmltree::Node;

use crate::SamlError;
use crate::algorithm::{self, ENVELOPED, SignatureAlgorithm};
use crate::canonical::{canonicalize, inclusive_prefixes};
use crate::certificate::Certificate;
use crate::limits::MESSAGE;
use crate::time;
use crate::tree::{self, EXCLUSIVE, SIGNATURE, shortened};

/// Octets that a key of the identity provider's metadata signed.
#[derive(Debug)]
pub(crate) struct Covered(String);

impl Covered {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// What we ourselves make of covered octets, by a function of them and of our keys alone, is covered.
    pub(crate) fn derive(
        &self,
        make: impl FnOnce(&str) -> Result<String, SamlError>,
    ) -> Result<Self, SamlError> {
        make(&self.0).map(Self)
    }
}

/// Verifies `signature`, a child of `signed`, and answers the octets of `signed` that it covers: all but itself.
pub(crate) fn verify(
    signed: Node<'_, '_>,
    signature: Node<'_, '_>,
    certificates: &[Certificate],
    now: Timestamp,
) -> Result<Covered, SamlError> {
    let element = signed_name(signed);
    let parts = exact(signature, &["SignedInfo", "SignatureValue"], Some("KeyInfo"))?;
    let &[signed_info, signature_value] = parts.as_slice() else {
        return Err(SamlError::Missing {
            name: "SignedInfo",
            within: "Signature".to_owned(),
        });
    };
    // From here on only the canonical octets of `SignedInfo` are read: they are what the key signed.
    let method = tree::exactly_one(signed_info, SIGNATURE, "CanonicalizationMethod")?;
    let used = inclusive_prefixes(method)?;
    let octets = canonicalize(signed_info, &borrowed(&used), None)?;
    let document = tree::parse(&octets, &MESSAGE)?;
    let info = SignedInfo::read(document.root_element(), &used)?;
    let signature = tree::base64(&tree::value(signature_value)?, "SignatureValue")?;
    check_key(
        info.algorithm,
        certificates,
        octets.as_bytes(),
        &signature,
        element,
        now,
    )?;

    if info.uri.strip_prefix('#') != Some(tree::attribute(signed, "ID")?) {
        return Err(SamlError::Reference {
            element,
            uri: shortened(info.uri),
        });
    }
    let covered = canonicalize(signed, &borrowed(&info.prefixes), Some(parts_of(signature_value)))?;
    let digest = algorithm::digest(info.digest_method, covered.as_bytes())?;
    if constant_time::verify_slices_are_equal(&digest, &info.digest).is_err() {
        return Err(SamlError::Changed { element });
    }
    Ok(Covered(covered))
}

/// The Signature element that a part of it is in.
fn parts_of(part: Node<'_, '_>) -> roxmltree::NodeId {
    part.parent()
        .map_or_else(|| part.id(), |signature| signature.id())
}

fn check_key(
    algorithm: &SignatureAlgorithm,
    certificates: &[Certificate],
    octets: &[u8],
    signature: &[u8],
    element: &'static str,
    now: Timestamp,
) -> Result<(), SamlError> {
    let verifies = |certificate: &&Certificate| algorithm.verifies(&certificate.key, octets, signature);
    let Some(certificate) = certificates.iter().find(verifies) else {
        return Err(SamlError::UnknownKey {
            element,
            known: certificates.len(),
        });
    };
    if time::is_past(certificate.not_after(), now) || time::is_future(certificate.not_before(), now) {
        return Err(SamlError::CertificateExpired {
            fingerprint: certificate.fingerprint(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        });
    }
    Ok(())
}

/// What a `SignedInfo` says, read from its canonical octets.
struct SignedInfo<'a> {
    algorithm: &'static SignatureAlgorithm,
    uri: &'a str,
    prefixes: Vec<String>,
    digest_method: &'a str,
    digest: Vec<u8>,
}

impl<'a> SignedInfo<'a> {
    /// `used` are the prefixes that the octets were made with: they have to be those that the octets ask for.
    fn read(node: Node<'a, '_>, used: &[String]) -> Result<Self, SamlError> {
        let parts = exact(
            node,
            &["CanonicalizationMethod", "SignatureMethod", "Reference"],
            None,
        )?;
        let &[canonicalization, method, reference] = parts.as_slice() else {
            return Err(SamlError::Missing {
                name: "Reference",
                within: "SignedInfo".to_owned(),
            });
        };
        is_exclusive(canonicalization)?;
        if inclusive_prefixes(canonicalization)? != used {
            return Err(SamlError::Changed {
                element: "SignedInfo",
            });
        }
        let algorithm = SignatureAlgorithm::named(tree::attribute(method, "Algorithm")?)?;
        exact(method, &[], None)?;
        let parts = exact(reference, &["Transforms", "DigestMethod", "DigestValue"], None)?;
        let &[transforms, digest_method, digest_value] = parts.as_slice() else {
            return Err(SamlError::Missing {
                name: "Transforms",
                within: "Reference".to_owned(),
            });
        };
        exact(digest_method, &[], None)?;
        let steps = exact(transforms, &["Transform", "Transform"], None)?;
        let &[enveloped, exclusive] = steps.as_slice() else {
            return Err(SamlError::Missing {
                name: "Transform",
                within: "Transforms".to_owned(),
            });
        };
        let first = tree::attribute(enveloped, "Algorithm")?;
        if first != ENVELOPED {
            return Err(SamlError::Algorithm {
                purpose: "the first transform",
                uri: shortened(first),
            });
        }
        exact(enveloped, &[], None)?;
        is_exclusive(exclusive)?;
        Ok(Self {
            algorithm,
            uri: tree::attribute(reference, "URI")?,
            prefixes: inclusive_prefixes(exclusive)?,
            digest_method: tree::attribute(digest_method, "Algorithm")?,
            digest: tree::base64(&tree::value(digest_value)?, "DigestValue")?,
        })
    }
}

fn is_exclusive(method: Node<'_, '_>) -> Result<(), SamlError> {
    match tree::attribute(method, "Algorithm")? {
        EXCLUSIVE => Ok(()),
        other => Err(SamlError::Algorithm {
            purpose: "canonicalization",
            uri: shortened(other),
        }),
    }
}

/// The children of `node`: exactly those of XML Signature's namespace, in that order, and after them perhaps `last`, which is
/// left out of the answer.
fn exact<'a, 'i>(
    node: Node<'a, 'i>,
    names: &[&'static str],
    last: Option<&str>,
) -> Result<Vec<Node<'a, 'i>>, SamlError> {
    let within = || shortened(node.tag_name().name());
    let mut found: Vec<_> = tree::elements(node).collect();
    for (child, name) in found
        .iter()
        .zip(names.iter().copied().map(Some).chain(std::iter::once(last)))
    {
        if !name.is_some_and(|name| tree::is(*child, SIGNATURE, name)) {
            return Err(SamlError::Unexpected {
                name: shortened(child.tag_name().name()),
                within: within(),
            });
        }
    }
    if let Some(name) = names.get(found.len()) {
        return Err(SamlError::Missing {
            name,
            within: within(),
        });
    }
    if let Some(extra) = found.get(names.len() + usize::from(last.is_some())) {
        return Err(SamlError::Unexpected {
            name: shortened(extra.tag_name().name()),
            within: within(),
        });
    }
    found.truncate(names.len());
    Ok(found)
}

fn borrowed(prefixes: &[String]) -> Vec<&str> {
    prefixes.iter().map(String::as_str).collect()
}

fn signed_name(node: Node<'_, '_>) -> &'static str {
    if node.tag_name().name() == "Response" {
        "Response"
    } else {
        "Assertion"
    }
}
