//! The one XML parser, and how nodes are looked at: always direct children by namespace and name, never a search.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node, ParsingOptions};

use crate::SamlError;
use crate::limits::{self, MAX_ID_BYTES, Rules};

pub(crate) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(crate) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
pub(crate) const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";
pub(crate) const ENCRYPTION_11: &str = "http://www.w3.org/2009/xmlenc11#";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Parses after the bounds are kept. Nothing else in this crate makes a tree.
pub(crate) fn parse<'a>(text: &'a str, rules: &Rules) -> Result<Document<'a>, SamlError> {
    limits::check(text, rules)?;
    let options = ParsingOptions {
        allow_dtd: false,
        // Text between elements and comments are nodes, too.
        nodes_limit: u32::try_from(rules.max_elements * 3).unwrap_or(u32::MAX),
        entity_resolver: None,
    };
    Document::parse_with_options(text, options).map_err(|error| SamlError::Malformed {
        what: rules.what,
        reason: shortened(&error.to_string()),
    })
}

pub(crate) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(namespace) && node.tag_name().name() == name
}

pub(crate) fn elements<'a, 'i: 'a>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

pub(crate) fn children<'a, 'i: 'a, 'n: 'a>(
    node: Node<'a, 'i>,
    namespace: &'n str,
    name: &'n str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, namespace, name))
}

/// The child of that name, if there is one; several are an error.
pub(crate) fn at_most_one<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &str,
    name: &'static str,
) -> Result<Option<Node<'a, 'i>>, SamlError> {
    let mut found = node.children().filter(|child| is(*child, namespace, name));
    match (found.next(), found.next()) {
        (one, None) => Ok(one),
        (_, Some(_)) => Err(SamlError::Several {
            name,
            within: shortened(node.tag_name().name()),
        }),
    }
}

/// The child of that name; none, and several, are errors.
pub(crate) fn exactly_one<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &str,
    name: &'static str,
) -> Result<Node<'a, 'i>, SamlError> {
    at_most_one(node, namespace, name)?.ok_or_else(|| SamlError::Missing {
        name,
        within: shortened(node.tag_name().name()),
    })
}

/// An attribute without a namespace, as XML gives it; absent and empty are errors.
pub(crate) fn attribute<'a>(node: Node<'a, '_>, name: &'static str) -> Result<&'a str, SamlError> {
    optional(node, name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| SamlError::Missing {
            name,
            within: shortened(node.tag_name().name()),
        })
}

/// An attribute without a namespace.
pub(crate) fn optional<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes()
        .find(|attribute| attribute.namespace().is_none() && attribute.name() == name)
        .map(|attribute| attribute.value())
}

/// Everything that is written in an element that holds text alone. Whatever else stands in it is an error, so that no reader
/// stops at a comment or an element and takes the beginning for the whole.
pub(crate) fn value(node: Node<'_, '_>) -> Result<String, SamlError> {
    let mut text = String::new();
    for child in node.children() {
        match child.text().filter(|_| child.is_text()) {
            Some(part) => text.push_str(part),
            None => {
                return Err(SamlError::NotText {
                    element: shortened(node.tag_name().name()),
                });
            }
        }
    }
    Ok(text)
}

/// Whether an element says that it has no value.
pub(crate) fn is_nil(node: Node<'_, '_>) -> bool {
    node.attribute((INSTANCE, "nil"))
        .is_some_and(|nil| nil == "true" || nil == "1")
}

/// The octets of base64 text, which may be broken into lines.
pub(crate) fn base64(text: &str, what: &'static str) -> Result<Vec<u8>, SamlError> {
    let joined: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(joined).map_err(|_| SamlError::NotBase64 { what })
}

/// Refuses a document in which two attributes that anybody may take for an id have the same value, or one element has two.
pub(crate) fn check_ids(document: &Document<'_>) -> Result<(), SamlError> {
    let mut seen = BTreeSet::new();
    for node in document.descendants().filter(Node::is_element) {
        let mut ids = node.attributes().filter(|a| a.name().eq_ignore_ascii_case("id"));
        let Some(id) = ids.next() else { continue };
        let value = id.value();
        if ids.next().is_some() || !seen.insert(value) {
            return Err(SamlError::AmbiguousId { id: shortened(value) });
        }
        if value.is_empty() || value.len() > MAX_ID_BYTES {
            return Err(SamlError::BadId { id: shortened(value) });
        }
    }
    Ok(())
}

/// What others wrote, short and printable enough for a log.
pub(crate) fn shortened(text: &str) -> String {
    let printable = |c: char| if c.is_control() || c == '`' { '?' } else { c };
    let mut short: String = text.chars().take(120).map(printable).collect();
    if text.chars().nth(120).is_some() {
        short.push('…');
    }
    short
}
