//! The attack classes S1 to S14 on what an honest provider signed. Each message is first shown to a naive receiver that has the
//! one hole it is made for and accepts it: an attack that nobody falls for shows nothing. Field checks (S16) and replay (S17) are
//! in `fields.rs`, encryption (S15) in `encrypted.rs`.

use std::fmt::Write as _;
use std::ops::Range;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reeve_saml::canonical::canonicalize;
use roxmltree::{Document, Node};

use crate::naive::{DigestFrom, Keys, NAIVE, Naive, Pick, Read};
use crate::provider::{
    ADMIN, ALICE, ATTACKER, DS, IDP_KEY, SAML, SAMLP, SHAPES, Shape, Signer, assertion, honest, response,
    signed,
};
use crate::receive::Receiver;

/// A message as it was sent, with the places of what an attacker moves.
pub(crate) struct Sent {
    pub(crate) xml: String,
    pub(crate) name: String,
    assertion: Range<usize>,
    response_signature: Option<Range<usize>>,
    assertion_signature: Option<Range<usize>>,
    issuer_end: usize,
    response_id: String,
    assertion_id: String,
}

impl Sent {
    pub(crate) fn new(xml: String, name: &str) -> Self {
        let document = Document::parse(&xml).unwrap();
        let root = document.root_element();
        let child = |node: Node<'_, '_>, ns, name| {
            node.children()
                .find(|n| n.has_tag_name((ns, name)))
                .map(|n| n.range())
        };
        let found = root
            .children()
            .find(|n| n.has_tag_name((SAML, "Assertion")))
            .unwrap();
        let (assertion, assertion_signature) = (found.range(), child(found, DS, "Signature"));
        let response_signature = child(root, DS, "Signature");
        let issuer_end = child(root, SAML, "Issuer").unwrap().end;
        let response_id = root.attribute("ID").unwrap().to_owned();
        let assertion_id = found.attribute("ID").unwrap().to_owned();
        drop(document);
        let name = name.to_owned();
        Self {
            xml,
            name,
            assertion,
            response_signature,
            assertion_signature,
            issuer_end,
            response_id,
            assertion_id,
        }
    }

    fn text(&self, range: &Range<usize>) -> &str {
        &self.xml[range.clone()]
    }

    fn without(&self, outer: &Range<usize>, inner: Option<&Range<usize>>) -> String {
        inner.map_or_else(
            || self.text(outer).to_owned(),
            |inner| {
                format!(
                    "{}{}",
                    &self.xml[outer.start..inner.start],
                    &self.xml[inner.end..outer.end]
                )
            },
        )
    }

    /// The assertion as it was signed, without its signature.
    fn original(&self) -> String {
        self.without(&self.assertion, self.assertion_signature.as_ref())
    }

    /// The response without its own signature.
    fn original_response(&self) -> String {
        let start = self
            .xml
            .find("<?xml")
            .map_or(0, |_| self.xml.find("?>").unwrap() + 2);
        self.without(&(start..self.xml.len()), self.response_signature.as_ref())
    }

    fn forge(&self, text: &str) -> String {
        text.replace(&self.name, ADMIN)
    }

    /// An assertion of the attacker's, with another id and no signature.
    fn evil(&self) -> String {
        self.forge(&self.original()).replace(&self.assertion_id, "_evil")
    }

    /// The same that carries the original's signature, in which `inside` is put at the end.
    fn evil_with_signature(&self, inside: &str) -> Option<String> {
        let signature = self.assertion_signature.as_ref()?;
        let (before, after) = (
            self.assertion.start..signature.start,
            signature.end..self.assertion.end,
        );
        let forged = |range| self.forge(self.text(&range)).replace(&self.assertion_id, "_evil");
        Some(format!(
            "{}{}{}",
            forged(before),
            into_end(self.text(signature), inside),
            forged(after)
        ))
    }

    /// The message with something else in the assertion's place.
    fn replaced(&self, with: &str) -> String {
        format!(
            "{}{with}{}",
            &self.xml[..self.assertion.start],
            &self.xml[self.assertion.end..]
        )
    }

    /// The digest that an assertion has in the assertion's place.
    fn digest_of(&self, assertion: &str) -> String {
        let message = self.replaced(assertion);
        let document = Document::parse(&message).unwrap();
        let root = document.root_element();
        let assertion = root
            .children()
            .find(|n| n.has_tag_name((SAML, "Assertion")))
            .unwrap();
        let octets = canonicalize(assertion, &[], None).unwrap();
        STANDARD.encode(digest(&SHA256, octets.as_bytes()))
    }

    fn after_issuer(&self, text: &str) -> String {
        format!(
            "{}{text}{}",
            &self.xml[..self.issuer_end],
            &self.xml[self.issuer_end..]
        )
    }

    fn extensions(&self, content: &str) -> Option<String> {
        // Only an envelope that nobody signed can be added to and leave a signature whole.
        self.assertion_signature.as_ref()?;
        Some(self.after_issuer(&format!(
            "<e:Extensions xmlns:e=\"{SAMLP}\">{content}</e:Extensions>"
        )))
    }
}

/// Puts text before an element's end tag.
fn into_end(element: &str, text: &str) -> String {
    let end = element.rfind("</").unwrap();
    format!("{}{text}{}", &element[..end], &element[end..])
}

/// One way to forge.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Who falls for it.
    pub(crate) falls: Naive,
    pub(crate) build: fn(&Sent) -> Option<String>,
}

const fn attack(name: &'static str, falls: Naive, build: fn(&Sent) -> Option<String>) -> Attack {
    Attack { name, falls, build }
}

const LAST: Naive = Naive {
    read: Read::Assertion(Pick::Last),
    ..NAIVE
};
const DTD: Naive = Naive { dtd: true, ..NAIVE };

/// On any provider's message.
pub(crate) static ATTACKS: &[Attack] = &[
    attack(
        "S1 XSW1: the signed response within the signature of a forged one",
        LAST,
        |sent| {
            let signature = sent.response_signature.as_ref()?;
            let inside = into_end(sent.text(signature), &sent.original_response());
            let around = [&sent.xml[..signature.start], &sent.xml[signature.end..]];
            let [before, after] = around.map(|text| sent.forge(text).replace(&sent.response_id, "_evil"));
            Some(format!("{before}{inside}{after}"))
        },
    ),
    attack(
        "S1 XSW2: the signed response beside the signature of a forged one",
        LAST,
        |sent| {
            let signature = sent.response_signature.as_ref()?;
            let around = [&sent.xml[..signature.start], &sent.xml[signature.end..]];
            let [before, after] = around.map(|text| sent.forge(text).replace(&sent.response_id, "_evil"));
            Some(format!(
                "{before}{}{}{after}",
                sent.original_response(),
                sent.text(signature)
            ))
        },
    ),
    attack(
        "S1 XSW3: a forged assertion before the signed one",
        NAIVE,
        |sent| {
            sent.assertion_signature.as_ref()?;
            Some(sent.replaced(&format!("{}{}", sent.evil(), sent.text(&sent.assertion))))
        },
    ),
    attack(
        "S1 XSW4: the signed assertion within a forged one",
        NAIVE,
        |sent| {
            sent.assertion_signature.as_ref()?;
            Some(sent.replaced(&into_end(&sent.evil(), sent.text(&sent.assertion))))
        },
    ),
    attack(
        "S1 XSW5: a forged assertion with the signature, the signed one at the end",
        NAIVE,
        |sent| {
            Some(into_end(
                &sent.replaced(&sent.evil_with_signature("")?),
                &sent.original(),
            ))
        },
    ),
    attack(
        "S1 XSW6: the signed assertion within the signature of a forged one",
        NAIVE,
        |sent| Some(sent.replaced(&sent.evil_with_signature(&sent.original())?)),
    ),
    attack(
        "S1 XSW7: a forged assertion of the same id in Extensions",
        Naive {
            id: Pick::Last,
            ..NAIVE
        },
        |sent| sent.extensions(&sent.forge(&sent.original())),
    ),
    attack(
        "S1 XSW8: the signed assertion in the Object of a forged one's signature",
        NAIVE,
        |sent| {
            let object = format!("<d:Object xmlns:d=\"{DS}\">{}</d:Object>", sent.original());
            Some(sent.replaced(&sent.evil_with_signature(&object)?))
        },
    ),
    attack(
        "S1 the signed assertion in the Advice of a forged one",
        NAIVE,
        |sent| {
            sent.assertion_signature.as_ref()?;
            let advice = format!(
                "<s:Advice xmlns:s=\"{SAML}\">{}</s:Advice>",
                sent.text(&sent.assertion)
            );
            Some(sent.replaced(&into_end(&sent.evil(), &advice)))
        },
    ),
    attack(
        "S1 the signed assertion in StatusDetail, a forged one in its place",
        LAST,
        |sent| {
            sent.assertion_signature.as_ref()?;
            let detail = format!(
                "<p:StatusDetail xmlns:p=\"{SAMLP}\">{}</p:StatusDetail>",
                sent.text(&sent.assertion)
            );
            let status = sent.xml.find("Status>").unwrap();
            let end =
                status + "Status>".len() + sent.xml[status + "Status>".len()..].find("Status>").unwrap();
            let end = sent.xml[..end].rfind("</").unwrap();
            let message = sent.replaced(&sent.evil());
            Some(format!("{}{detail}{}", &message[..end], &message[end..]))
        },
    ),
    attack(
        "S1 the signed response in Extensions of a forged one",
        LAST,
        |sent| {
            sent.response_signature.as_ref()?;
            let start = sent
                .xml
                .find("<?xml")
                .map_or(0, |_| sent.xml.find("?>").unwrap() + 2);
            let forged = sent
                .forge(&sent.original_response())
                .replace(&sent.response_id, "_evil");
            let behind = forged.find("Issuer>").unwrap() + "Issuer>".len();
            let inner = &sent.xml[start..];
            Some(format!(
                "{}<e:Extensions xmlns:e=\"{SAMLP}\">{inner}</e:Extensions>{}",
                &forged[..behind],
                &forged[behind..]
            ))
        },
    ),
    attack("S2 a second assertion, unsigned, at the end", LAST, |sent| {
        sent.assertion_signature.as_ref()?;
        Some(into_end(&sent.xml, &sent.evil()))
    }),
    attack(
        "S2 a second assertion, unsigned, at the beginning",
        NAIVE,
        |sent| {
            sent.assertion_signature.as_ref()?;
            Some(sent.after_issuer(&sent.evil()))
        },
    ),
    attack("S3 a forged assertion in Extensions", NAIVE, |sent| {
        sent.extensions(&sent.evil())
    }),
    attack(
        "S3 a forged assertion in the Object of the response's own signature",
        NAIVE,
        |sent| {
            let signature = sent.response_signature.as_ref()?;
            let object = format!("<d:Object xmlns:d=\"{DS}\">{}</d:Object>", sent.evil());
            let inside = into_end(sent.text(signature), &object);
            Some(format!(
                "{}{inside}{}",
                &sent.xml[..signature.start],
                &sent.xml[signature.end..]
            ))
        },
    ),
    attack(
        "S3 a forged assertion in the KeyInfo of the response's own signature",
        NAIVE,
        |sent| {
            let signature = sent.response_signature.as_ref()?;
            let info = format!("<d:KeyInfo xmlns:d=\"{DS}\">{}</d:KeyInfo>", sent.evil());
            let text = sent.text(signature);
            let inside = match text.find("KeyInfo") {
                Some(at) => {
                    let start = text[..at].rfind('<').unwrap();
                    format!(
                        "{}{info}</{}",
                        &text[..start],
                        &text[text.rfind("</").unwrap() + 2..]
                    )
                }
                None => into_end(text, &info),
            };
            Some(format!(
                "{}{inside}{}",
                &sent.xml[..signature.start],
                &sent.xml[signature.end..]
            ))
        },
    ),
    attack(
        "S4 a LogoutRequest around the signed assertion",
        Naive {
            read: Read::AnyName,
            ..NAIVE
        },
        |sent| {
            sent.assertion_signature.as_ref()?;
            Some(format!(
                "<p:LogoutRequest xmlns:p=\"{SAMLP}\" xmlns:samlp=\"{SAMLP}\" xmlns:saml=\"{SAML}\" ID=\"_evil\" Version=\"2.0\"><s:NameID xmlns:s=\"{SAML}\">{ADMIN}\
             </s:NameID><p:Extensions>{}</p:Extensions></p:LogoutRequest>",
                sent.text(&sent.assertion)
            ))
        },
    ),
    attack("S4 the signed assertion alone", NAIVE, |sent| {
        sent.assertion_signature
            .as_ref()
            .map(|_| sent.text(&sent.assertion).to_owned())
            // Of some providers it leans on the prefixes of the response.
            .filter(|assertion| Document::parse(assertion).is_ok())
    }),
    attack(
        "S5 no signature at all",
        Naive {
            unsigned_is_fine: true,
            ..NAIVE
        },
        |sent| {
            let stripped = sent.replaced(&sent.original());
            let stripped = Sent::new(stripped, &sent.name);
            Some(sent.forge(&stripped.original_response()))
        },
    ),
    attack(
        "S6 signed by the attacker's key, whose certificate is in KeyInfo",
        Naive {
            keys: Keys::KeyInfo,
            ..NAIVE
        },
        |sent| {
            let unsigned = Sent::new(sent.replaced(&sent.original()), &sent.name);
            Some(Signer::new(&ATTACKER).sign(&sent.forge(&unsigned.original_response()), &sent.assertion_id))
        },
    ),
    attack(
        "S7 an HMAC with the public certificate as the secret",
        Naive {
            keys: Keys::Hmac,
            ..NAIVE
        },
        |sent| {
            // For a provider of our own only: the naive receiver tries the certificates that it knows.
            let unsigned = Sent::new(sent.replaced(&sent.original()), &sent.name);
            let mut signer = Signer::new(&IDP_KEY);
            signer.algorithm = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
            (sent.assertion_id == crate::provider::ASSERTION_ID)
                .then(|| signer.sign(&sent.forge(&unsigned.original_response()), &sent.assertion_id))
        },
    ),
    attack(
        "S8 two SignedInfo: the last is signed, the first is believed",
        NAIVE,
        |sent| {
            let signature = sent.text(sent.assertion_signature.as_ref()?);
            let forged = sent.forge(&sent.original());
            let (start, end) = (
                element_start(signature, "SignedInfo"),
                element_end(signature, "SignedInfo"),
            );
            let info = &signature[start..end];
            let lie = info.replace(&value_of(info, "DigestValue"), &sent.digest_of(&forged));
            let signature = format!("{}{lie}{}", &signature[..start], &signature[start..]);
            Some(sent.replaced(&put_after_issuer(&forged, &signature)))
        },
    ),
    attack(
        "S8 a comment before the digest",
        Naive {
            digest: DigestFrom::FirstNode,
            ..NAIVE
        },
        |sent| {
            let signature = sent.text(sent.assertion_signature.as_ref()?);
            let forged = sent.forge(&sent.original());
            let honest = value_of(signature, "DigestValue");
            let signature =
                signature.replacen(&honest, &format!("<!--{}-->{honest}", sent.digest_of(&forged)), 1);
            Some(sent.replaced(&put_after_issuer(&forged, &signature)))
        },
    ),
    attack(
        "S9 a comment cuts the name",
        Naive {
            read: Read::FirstTextNode,
            ..NAIVE
        },
        |sent| {
            let (cut, rest) = sent.name.split_at(5);
            Some(sent.xml.replace(&sent.name, &format!("{cut}<!---->{rest}")))
        },
    ),
    attack(
        "S10 a comment that another parser takes for elements",
        Naive {
            read: Read::Text,
            ..NAIVE
        },
        |sent| Some(sent.after_issuer(&format!("<!--<s:NameID>{ADMIN}</s:NameID>-->"))),
    ),
    attack(
        "S10 a CDATA section that another parser takes for elements",
        Naive {
            read: Read::Text,
            ..NAIVE
        },
        |sent| sent.extensions(&format!("<![CDATA[<s:NameID>{ADMIN}</s:NameID>]]>")),
    ),
    attack(
        "S10 a processing instruction that another parser takes for elements",
        Naive {
            read: Read::Text,
            ..NAIVE
        },
        |sent| sent.extensions(&format!("<?x <s:NameID>{ADMIN}</s:NameID>?>")),
    ),
    attack(
        "S11 the id in another case on a forged assertion",
        Naive {
            id: Pick::Last,
            ..NAIVE
        },
        |sent| {
            let evil = sent
                .evil()
                .replacen("ID=\"_evil\"", &format!("Id=\"{}\"", sent.assertion_id), 1);
            sent.extensions(&evil)
        },
    ),
    attack(
        "S11 the id as xml:id on a forged assertion",
        Naive {
            id: Pick::Last,
            ..NAIVE
        },
        |sent| {
            let evil = sent
                .evil()
                .replacen("ID=\"_evil\"", &format!("xml:id=\"{}\"", sent.assertion_id), 1);
            sent.extensions(&evil)
        },
    ),
    attack(
        "S11 an Assertion of another namespace first",
        Naive {
            read: Read::LocalName,
            ..NAIVE
        },
        |sent| {
            sent.assertion_signature.as_ref()?;
            let evil = format!("<x:Assertion xmlns:x=\"urn:x\"><x:NameID>{ADMIN}</x:NameID></x:Assertion>");
            Some(sent.after_issuer(&evil))
        },
    ),
    attack(
        "S12 a digest that //DigestValue finds first",
        Naive {
            digest: DigestFrom::Anywhere,
            ..NAIVE
        },
        |sent| {
            let forged = sent.forge(&sent.original());
            let value = format!(
                "<d:DigestValue xmlns:d=\"{DS}\">{}</d:DigestValue>",
                sent.digest_of(&forged)
            );
            let forged = put_after_issuer(&forged, sent.text(sent.assertion_signature.as_ref()?));
            let message = sent.replaced(&forged);
            let extensions = format!("<e:Extensions xmlns:e=\"{SAMLP}\">{value}</e:Extensions>");
            let behind = sent.issuer_end;
            Some(format!(
                "{}{extensions}{}",
                &message[..behind],
                &message[behind..]
            ))
        },
    ),
    attack("S13 a document type with an entity that is used", DTD, |sent| {
        let message = sent.extensions("&who;")?;
        Some(with_doctype(&message, "<!ENTITY who \"admin\">"))
    }),
    attack("S13 a document type with an external entity", DTD, |sent| {
        Some(with_doctype(
            &sent.xml,
            "<!ENTITY file SYSTEM \"file:///etc/passwd\">",
        ))
    }),
    attack("S13 an empty document type", DTD, |sent| {
        Some(with_doctype(&sent.xml, ""))
    }),
    attack("S14 entities that grow", DTD, |sent| {
        let message = sent.extensions("&c;")?;
        let entities = "<!ENTITY a \"xxxxxxxxxx\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">";
        Some(with_doctype(&message, entities))
    }),
    attack("S14 more bytes than allowed", NAIVE, |sent| {
        sent.extensions(&"x".repeat(300 * 1024))
    }),
    attack("S14 elements too deep", NAIVE, |sent| {
        sent.extensions(&format!("{}{}", "<x>".repeat(500), "</x>".repeat(500)))
    }),
    attack("S14 too many elements", NAIVE, |sent| {
        sent.extensions(&"<x/>".repeat(12_000))
    }),
    attack("S14 too many attributes", NAIVE, |sent| {
        let attributes = (0..200).fold(String::new(), |mut text, n| {
            let _ = write!(text, " a{n}=\"\"");
            text
        });
        sent.extensions(&format!("<x{attributes}/>"))
    }),
    attack("S14 too many namespaces", NAIVE, |sent| {
        let declared = |k: usize| {
            (0..20)
                .map(|n| format!(" xmlns:a{k}x{n}=\"urn:x\""))
                .collect::<String>()
        };
        sent.extensions(
            &(0..150)
                .map(|k| format!("<x{}/>", declared(k)))
                .collect::<String>(),
        )
    }),
];

fn with_doctype(xml: &str, inside: &str) -> String {
    let start = xml.find("<?xml").map_or(0, |_| xml.find("?>").unwrap() + 2);
    let doctype = if inside.is_empty() {
        "<!DOCTYPE x>".to_owned()
    } else {
        format!("<!DOCTYPE x [{inside}]>")
    };
    format!("{}{doctype}{}", &xml[..start], &xml[start..])
}

fn element_start(text: &str, name: &str) -> usize {
    text[..text.find(name).unwrap()].rfind('<').unwrap()
}

fn element_end(text: &str, name: &str) -> usize {
    let closing = text.rfind(name).unwrap();
    closing + text[closing..].find('>').unwrap() + 1
}

fn value_of(text: &str, name: &str) -> String {
    let after = &text[text.find(name).unwrap()..];
    let after = &after[after.find('>').unwrap() + 1..];
    after[..after.find('<').unwrap()].to_owned()
}

fn put_after_issuer(element: &str, signature: &str) -> String {
    let at = element.find("Issuer>").unwrap() + "Issuer>".len();
    format!("{}{signature}{}", &element[..at], &element[at..])
}

/// Builds every attack that is possible on `sent`, shows that its naive receiver falls, and answers what ours says.
///
/// # Panics
/// If an attack is dead, or ours falls.
pub(crate) fn run(
    sent: &Sent,
    known: &[Vec<u8>],
    receive: impl Fn(&str) -> Result<String, String>,
) -> Vec<(&'static str, String)> {
    assert_eq!(
        NAIVE.receive(&sent.xml, known).as_ref(),
        Some(&sent.name),
        "the naive receiver knows the honest message"
    );
    assert_eq!(
        receive(&sent.xml),
        Ok(sent.name.clone()),
        "ours takes the honest message"
    );
    let mut refused = Vec::new();
    for attack in ATTACKS {
        let Some(message) = (attack.build)(sent) else {
            continue;
        };
        let fooled = attack.falls.receive(&message, known);
        assert!(
            fooled.is_some(),
            "{}: nobody falls for it: {message}",
            attack.name
        );
        // From S13 on the harm is done by reading; before, by believing.
        let forges = !attack.name.starts_with("S13") && !attack.name.starts_with("S14");
        let forges = forges && !attack.name.contains("alone");
        assert!(
            !forges || fooled.as_ref() != Some(&sent.name),
            "{}: it forges nothing",
            attack.name
        );
        match receive(&message) {
            Ok(name) => panic!("{}: accepted as `{name}`: {message}", attack.name),
            Err(error) => refused.push((attack.name, error)),
        }
    }
    refused
}

pub(crate) fn ours(xml: &str) -> Result<String, String> {
    let received = Receiver::new().receive(xml);
    received
        .map(|sign_in| sign_in.name_id.value)
        .map_err(|error| error.to_string())
}

#[test]
fn every_attack_fools_the_receiver_it_is_made_for_and_not_ours() {
    let known = vec![IDP_KEY.certificate.clone()];
    let mut table = String::new();
    let mut count = 0;
    for shape in SHAPES {
        let sent = Sent::new(honest(shape), ALICE);
        for (name, error) in run(&sent, &known, ours) {
            writeln!(table, "{name} ({shape:?} signed)\n    {error}").unwrap();
            count += 1;
        }
    }
    assert!(count >= 80, "{count} attacks");
    insta::assert_snapshot!(table);
}

/// What only somebody can make to whom the provider signs odd things.
#[test]
fn algorithms_that_are_not_on_the_list_are_refused_though_the_key_is_right() {
    let plain = response(&assertion());
    let known = vec![IDP_KEY.certificate.clone()];
    let mut sha1 = Signer::new(&IDP_KEY);
    sha1.digest = "http://www.w3.org/2000/09/xmldsig#sha1";
    let mut comments = Signer::new(&IDP_KEY);
    comments.transforms = comments.transforms.replace(
        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\"/>",
    );
    let mut inclusive = Signer::new(&IDP_KEY);
    inclusive.canonicalization = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    let mut stylesheet = Signer::new(&IDP_KEY);
    stylesheet.transforms = format!(
        "<ds:Transform Algorithm=\"{DS}enveloped-signature\"/>\
         <ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>"
    );
    let mut none = Signer::new(&IDP_KEY);
    none.transforms = String::new();
    let mut more = Signer::new(&IDP_KEY);
    more.transforms = format!("{0}{0}", more.transforms);
    let mut table = String::new();
    for signer in [sha1, comments, inclusive, stylesheet, none, more] {
        let message = signed(&plain, Shape::Assertion, &signer);
        assert_eq!(
            NAIVE.receive(&message, &known).as_deref(),
            Some(ALICE),
            "{message}"
        );
        writeln!(table, "{}", ours(&message).unwrap_err()).unwrap();
    }
    insta::assert_snapshot!(table);
}

/// S7, S11: canonicalization that fails is taken for the empty text, of which digest and signature are known.
#[test]
fn a_document_without_a_canonical_form_is_refused() {
    let known = vec![IDP_KEY.certificate.clone()];
    let signer = Signer::new(&IDP_KEY);
    let forged = response(
        &assertion()
            .replace(ALICE, ADMIN)
            .replace("<saml:Subject>", "<saml:Subject xmlns:r=\"r\" r:r=\"\">"),
    );
    let empty = STANDARD.encode(digest(&SHA256, b""));
    let signature = signer.signature(crate::provider::ASSERTION_ID, &empty);
    let signature = signature.replacen("<ds:SignedInfo", "<ds:SignedInfo xmlns:r=\"r\" r:r=\"\"", 1);
    let value = value_of(&signature, "SignatureValue");
    let signature = signature.replace(&value, &STANDARD.encode(signer.sign_octets(b"")));
    let at = forged.rfind("Issuer>").unwrap() + "Issuer>".len();
    let message = format!("{}{signature}{}", &forged[..at], &forged[at..]);
    let naive = Naive {
        empty_canonical_form: true,
        ..NAIVE
    };
    assert_eq!(naive.receive(&message, &known).as_deref(), Some(ADMIN));
    assert_eq!(NAIVE.receive(&message, &known), None);
    insta::assert_snapshot!(ours(&message).unwrap_err());
}

/// S3: a provider signs its refusal, too; what is in the signature's Object is covered by nothing.
#[test]
fn a_signed_refusal_with_an_assertion_in_its_signature_is_a_refusal() {
    let known = vec![IDP_KEY.certificate.clone()];
    let refusal = response("").replace(":Success", ":Responder");
    let refusal = Signer::new(&IDP_KEY).sign(&refusal, crate::provider::RESPONSE_ID);
    let object = format!(
        "<ds:Object>{}</ds:Object></ds:Signature>",
        assertion().replace(ALICE, ADMIN)
    );
    let message = refusal.replace("</ds:Signature>", &object);
    assert_eq!(NAIVE.receive(&message, &known).as_deref(), Some(ADMIN));
    insta::assert_snapshot!(ours(&message).unwrap_err());
}
