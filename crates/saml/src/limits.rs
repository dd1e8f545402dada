//! How much may be sent, judged on the bytes before an XML parser sees them.

use crate::SamlError;

/// Bytes of a response, after base64. A person in 1,000 groups with names of 100 characters takes about 150 KiB.
pub const MAX_RESPONSE_BYTES: usize = 256 * 1024;
/// Bytes of an identity provider's metadata. A whole federation's is larger: use the provider's own document.
pub const MAX_METADATA_BYTES: usize = 1024 * 1024;
/// Elements within elements.
pub const MAX_DEPTH: usize = 32;
/// Elements of a response, and of what is decrypted of it.
pub const MAX_RESPONSE_ELEMENTS: usize = 10_000;
/// Elements of metadata.
pub const MAX_METADATA_ELEMENTS: usize = 50_000;
/// Attributes of one element, namespace declarations among them.
pub const MAX_ATTRIBUTES: usize = 32;
/// Namespace declarations of a document: each may cost time at each element below it.
pub const MAX_NAMESPACES: usize = 2_000;
/// Bytes of an `ID`.
pub const MAX_ID_BYTES: usize = 256;

/// What a document may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// What it is called in errors.
    pub(crate) what: &'static str,
    pub(crate) max_bytes: usize,
    pub(crate) max_elements: usize,
    /// Whether comments, CDATA sections and processing instructions are passed over.
    pub(crate) lenient: bool,
}

/// What comes through a person's browser.
pub(crate) const MESSAGE: Rules = Rules {
    what: "the SAML response",
    max_bytes: MAX_RESPONSE_BYTES,
    max_elements: MAX_RESPONSE_ELEMENTS,
    lenient: false,
};
/// What an administrator chose. People write comments into it.
pub(crate) const METADATA: Rules = Rules {
    what: "the metadata",
    max_bytes: MAX_METADATA_BYTES,
    max_elements: MAX_METADATA_ELEMENTS,
    lenient: true,
};

impl Rules {
    pub(crate) const fn check_size(&self, bytes: usize) -> Result<(), SamlError> {
        if bytes > self.max_bytes {
            return Err(SamlError::TooLarge {
                what: self.what,
                max: self.max_bytes,
            });
        }
        Ok(())
    }

    fn malformed(&self, reason: &str) -> SamlError {
        SamlError::Malformed {
            what: self.what,
            reason: reason.to_owned(),
        }
    }
}

/// Walks the tags of `text` once and refuses what goes beyond `rules`. Whether it is XML is the parser's to say.
pub(crate) fn check(text: &str, rules: &Rules) -> Result<(), SamlError> {
    rules.check_size(text.len())?;
    let mut walk = Walk {
        rules,
        depth: 0,
        elements: 0,
        namespaces: 0,
    };
    let mut rest = match text.strip_prefix("<?xml") {
        Some(declaration) => walk.declaration(declaration)?,
        None => text,
    };
    while let Some((_, markup)) = rest.split_once('<') {
        rest = walk.markup(markup)?;
    }
    if walk.depth != 0 {
        return Err(rules.malformed("an element is not closed"));
    }
    Ok(())
}

struct Walk<'a> {
    rules: &'a Rules,
    depth: usize,
    elements: usize,
    namespaces: usize,
}

impl Walk<'_> {
    /// Past an XML declaration. The text is UTF-8 by now, and may not claim to be something else.
    fn declaration<'t>(&self, text: &'t str) -> Result<&'t str, SamlError> {
        let (inside, rest) = self.past(text, "?>")?;
        let encoding = inside
            .split_once("encoding")
            .map(|(_, value)| value.trim_matches(|c: char| c.is_ascii_whitespace() || "='\"".contains(c)));
        match encoding {
            Some(name)
                if !name
                    .split(['\'', '"'])
                    .next()
                    .unwrap_or(name)
                    .eq_ignore_ascii_case("utf-8") =>
            {
                Err(SamlError::NotUtf8 {
                    what: self.rules.what,
                })
            }
            _ => Ok(rest),
        }
    }

    /// Past what begins with `<`, of which `text` is the rest.
    fn markup<'t>(&mut self, text: &'t str) -> Result<&'t str, SamlError> {
        let refused = |markup| SamlError::Markup {
            what: self.rules.what,
            markup,
        };
        let passed = |markup, end| match self.rules.lenient {
            true => self.past(text, end).map(|(_, rest)| rest),
            false => Err(refused(markup)),
        };
        if text.starts_with("!--") {
            return passed("a comment", "-->");
        }
        if text.starts_with("![CDATA[") {
            return passed("a CDATA section", "]]>");
        }
        if text.starts_with('!') {
            return Err(refused("a document type or entity"));
        }
        if text.starts_with('?') {
            return passed("a processing instruction", "?>");
        }
        if text.starts_with('/') {
            let (_, rest) = self.past(text, ">")?;
            let above = self.depth.checked_sub(1);
            self.depth =
                above.ok_or_else(|| self.rules.malformed("an element is closed that was not opened"))?;
            return Ok(rest);
        }
        self.start_tag(text)
    }

    fn start_tag<'t>(&mut self, text: &'t str) -> Result<&'t str, SamlError> {
        let mut quote = None;
        let mut attributes = 0;
        let end = text.bytes().position(|byte| match (quote, byte) {
            (Some(open), _) => {
                if open == byte {
                    quote = None;
                }
                false
            }
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                attributes += 1;
                false
            }
            (None, _) => byte == b'>',
        });
        let unclosed = || self.rules.malformed("a tag is not closed");
        let (tag, rest) = end
            .and_then(|end| text.split_at_checked(end))
            .ok_or_else(unclosed)?;
        self.elements += 1;
        self.namespaces += tag.matches("xmlns").count();
        let closed = tag.ends_with('/');
        self.within(attributes, MAX_ATTRIBUTES, "attributes in one element")?;
        self.within(self.elements, self.rules.max_elements, "elements")?;
        self.within(self.namespaces, MAX_NAMESPACES, "namespace declarations")?;
        self.within(self.depth + 1, MAX_DEPTH, "elements within each other")?;
        self.depth += usize::from(!closed);
        Ok(rest.get(1..).unwrap_or_default())
    }

    const fn within(&self, count: usize, max: usize, of: &'static str) -> Result<(), SamlError> {
        if count > max {
            return Err(SamlError::TooMany {
                what: self.rules.what,
                of,
                max,
            });
        }
        Ok(())
    }

    fn past<'t>(&self, text: &'t str, end: &str) -> Result<(&'t str, &'t str), SamlError> {
        text.split_once(end)
            .ok_or_else(|| self.rules.malformed("markup is not closed"))
    }
}
