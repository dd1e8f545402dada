//! Exclusive XML canonicalization without comments (W3C, July 2002), the only one that is accepted.
//!
//! It works on the parser's tree and never on the text, with one exception: prefixes, which the parser does not keep, are read at
//! the positions that it gives. Tests compare it with `xmlsec1`.

use roxmltree::{Node, NodeId};

use crate::SamlError;
use crate::tree::{self, EXCLUSIVE, shortened};

/// The canonical octets of `apex` and all below it but `without`. `prefixes` is the `InclusiveNamespaces PrefixList`, in which
/// `#default` is the default namespace. The depth of the document is the caller's to bound.
///
/// # Errors
/// A relative namespace name; nothing at all as the result.
pub fn canonicalize(
    apex: Node<'_, '_>,
    prefixes: &[&str],
    without: Option<NodeId>,
) -> Result<String, SamlError> {
    let mut writer = Writer {
        output: String::new(),
        rendered: Vec::new(),
        prefixes,
        without,
    };
    writer.element(apex)?;
    if writer.output.is_empty() {
        return Err(SamlError::EmptyCanonicalForm);
    }
    Ok(writer.output)
}

/// The prefixes that an `InclusiveNamespaces` child of a canonicalization or transform lists.
pub(crate) fn inclusive_prefixes(method: Node<'_, '_>) -> Result<Vec<String>, SamlError> {
    let mut prefixes = Vec::new();
    for child in tree::elements(method) {
        if !tree::is(child, EXCLUSIVE, "InclusiveNamespaces") || !prefixes.is_empty() {
            return Err(SamlError::Unexpected {
                name: shortened(child.tag_name().name()),
                within: shortened(method.tag_name().name()),
            });
        }
        let list = tree::optional(child, "PrefixList").unwrap_or_default();
        prefixes.extend(list.split_ascii_whitespace().map(str::to_owned));
    }
    Ok(prefixes)
}

struct Writer<'a> {
    output: String,
    /// Prefix (empty: the default namespace) and namespace, as the output has declared them so far; the last one counts.
    rendered: Vec<(String, String)>,
    prefixes: &'a [&'a str],
    without: Option<NodeId>,
}

impl Writer<'_> {
    fn element(&mut self, node: Node<'_, '_>) -> Result<(), SamlError> {
        if self.without == Some(node.id()) {
            return Ok(());
        }
        let scope = self.rendered.len();
        let name = qualified_name(node);
        self.output.push('<');
        self.output.push_str(name);
        self.namespaces(node, prefix_of(name))?;
        self.attributes(node);
        self.output.push('>');
        for child in node.children() {
            if child.is_element() {
                self.element(child)?;
            } else if let Some(text) = child.text().filter(|_| child.is_text()) {
                self.text(text);
            }
        }
        self.output.push_str("</");
        self.output.push_str(name);
        self.output.push('>');
        self.rendered.truncate(scope);
        Ok(())
    }

    /// Declares what the element or its attributes use, and of the listed prefixes what is in scope, unless the output has.
    fn namespaces(&mut self, node: Node<'_, '_>, own_prefix: &str) -> Result<(), SamlError> {
        let text = node.document().input_text();
        let mut used = vec![(own_prefix, node.tag_name().namespace().unwrap_or_default())];
        for attribute in node.attributes() {
            let prefix = prefix_of(text.get(attribute.range_qname()).unwrap_or_default());
            if let (false, Some(namespace)) = (prefix.is_empty(), attribute.namespace()) {
                used.push((prefix, namespace));
            }
        }
        for listed in self.prefixes {
            let prefix = if *listed == "#default" { "" } else { listed };
            let namespace = node.lookup_namespace_uri(Some(prefix).filter(|prefix| !prefix.is_empty()));
            match namespace {
                Some(namespace) => used.push((prefix, namespace)),
                None if prefix.is_empty() => used.push(("", "")),
                None => {}
            }
        }
        used.sort_unstable();
        used.dedup();
        for (prefix, namespace) in used {
            self.namespace(prefix, namespace)?;
        }
        Ok(())
    }

    fn namespace(&mut self, prefix: &str, namespace: &str) -> Result<(), SamlError> {
        let declared = self.rendered.iter().rev().find(|(known, _)| known == prefix);
        let declared = declared.map_or("", |(_, namespace)| namespace);
        if prefix == "xml" || declared == namespace {
            return Ok(());
        }
        // Canonicalization of relative ones is undefined; implementations differ, and some answer nothing at all.
        if !namespace.is_empty() && !is_absolute(namespace) {
            return Err(SamlError::RelativeNamespace {
                namespace: shortened(namespace),
            });
        }
        self.output
            .push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        self.output.push_str(prefix);
        self.attribute_value(namespace);
        self.rendered.push((prefix.to_owned(), namespace.to_owned()));
        Ok(())
    }

    fn attributes(&mut self, node: Node<'_, '_>) {
        let text = node.document().input_text();
        let mut attributes: Vec<_> = node.attributes().collect();
        attributes.sort_by_key(|a| (a.namespace().unwrap_or_default(), a.name()));
        for attribute in attributes {
            self.output.push(' ');
            self.output
                .push_str(text.get(attribute.range_qname()).unwrap_or_default());
            self.attribute_value(attribute.value());
        }
    }

    fn attribute_value(&mut self, value: &str) {
        self.output.push_str("=\"");
        for c in value.chars() {
            match c {
                '&' => self.output.push_str("&amp;"),
                '<' => self.output.push_str("&lt;"),
                '"' => self.output.push_str("&quot;"),
                '\t' => self.output.push_str("&#x9;"),
                '\n' => self.output.push_str("&#xA;"),
                '\r' => self.output.push_str("&#xD;"),
                other => self.output.push(other),
            }
        }
        self.output.push('"');
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.output.push_str("&amp;"),
                '<' => self.output.push_str("&lt;"),
                '>' => self.output.push_str("&gt;"),
                '\r' => self.output.push_str("&#xD;"),
                other => self.output.push(other),
            }
        }
    }
}

/// An element's name as written: the parser gives its position, not its prefix.
fn qualified_name<'i>(node: Node<'_, 'i>) -> &'i str {
    let written = node.document().input_text().get(node.range()).unwrap_or_default();
    let name = written.strip_prefix('<').unwrap_or_default();
    let end = name.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>');
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

fn prefix_of(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn is_absolute(namespace: &str) -> bool {
    let scheme = namespace.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}
