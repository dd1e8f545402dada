//! An assertion that the provider did sign, whatever it says.

use roxmltree::{Document, Node};

use super::{Broken, Outcome, Target, holds, judged};
use crate::saml::{ACS, ALICE, IDP_KEY, REQUEST, SAML, SP, assertion, receive, response};
use crate::script::expand;

pub(super) const TARGET: Target = Target {
    name: "saml_assertion",
    promise: "what is accepted of a signed assertion is for us, for this sign-in and this address, its name is the one that the \
              signed octets hold, and its groups are none of the system's; a canonical form is its own canonical form",
    words: &[
        "<saml:Attribute Name=\"GROUPS\">",
        "<saml:AttributeValue>",
        "</saml:AttributeValue>",
        "</saml:Attribute>",
        "system:masters",
        "SYSTEM:",
        "reeve:installers",
        "0070001",
        "2147483648",
        " xmlns:x=\"urn:x\" x:a=\"b\"",
        " xmlns=\"\"",
        "&#13;",
        "&quot;",
        "<saml:OneTimeUse/>",
        "<saml:ProxyRestriction/>",
        "<saml:NameID>",
        "</saml:NameID>",
        " Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:transient\"",
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"",
        "9999-12-31T23:59:59Z",
        "https://other.test",
    ],
    seeds,
    found: include_str!("../../corpus/saml_assertion.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, unchecked),
};

/// What is promised of somebody.
struct Said {
    name: String,
    groups: Vec<String>,
    uid: Option<i64>,
}

fn seeds() -> Vec<Vec<u8>> {
    let honest = assertion(ALICE);
    let with = |old: &str, new: &str| honest.replace(old, new);
    super::texts(&[
        honest.clone(),
        with("ml<", "system:masters<"),
        with("70001", "070001"),
        with(SP, "https://other.test"),
        with(ACS, "https://other.test/acs"),
        with(REQUEST, "_other"),
        with(" ID=", " xmlns:x=\"urn:x\" x:b='1' x:a='2' ID="),
        with(ALICE, "al&#x69;ce@example.test"),
        with("saml:", "").replace("xmlns:saml", "xmlns"),
        with(
            "<saml:NameID>",
            "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">",
        ),
    ])
}

fn ours(text: &str) -> Option<Said> {
    let sign_in = receive(text)?;
    let person = sign_in.person(&reeve_saml::Mappers::default()).ok();
    let groups = person
        .as_ref()
        .map(|it| it.groups.iter().map(String::as_str).collect::<Vec<_>>());
    let groups = reeve_oidc::groups::named("GROUPS", &groups.unwrap_or_default());
    Some(Said {
        name: sign_in.name_id.value,
        groups: groups
            .map(|it| it.names.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        uid: person.and_then(|it| it.uid).map(reeve_types::Uid::number),
    })
}

/// Reads the name and looks at nothing else.
fn unchecked(text: &str) -> Option<Said> {
    let document = Document::parse(text).ok()?;
    let name = document
        .descendants()
        .find(|node| node.has_tag_name((SAML, "NameID")))?;
    Some(Said {
        name: text_of(name),
        groups: Vec::new(),
        uid: None,
    })
}

fn text_of(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter(Node::is_text)
        .filter_map(|it| it.text())
        .collect()
}

fn check(input: &[u8], receive: impl Fn(&str) -> Option<Said>) -> Result<Outcome, Broken> {
    let text = expand::<&str>(input, &[]);
    // Canonicalization leaves the depth to its caller.
    if text.matches('<').count() > 400 {
        return Ok(Outcome::Refused);
    }
    let Ok(document) = Document::parse(&text) else {
        return Ok(Outcome::Refused);
    };
    let root = document.root_element();
    let id = root.attribute("ID").unwrap_or_default();
    let canonical = reeve_saml::canonical::canonicalize(root, &[], None).ok();
    let Some(canonical) =
        canonical.filter(|_| !id.is_empty() && id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_'))
    else {
        return Ok(Outcome::Refused);
    };
    is_its_own(&canonical).map_err(Broken)?;
    let Some(signed) = IDP_KEY.sign(&text, id) else {
        return Ok(Outcome::Refused);
    };
    judged(receive(&response(&signed)), |said| kept(&canonical, &said))
}

fn is_its_own(canonical: &str) -> Result<(), String> {
    let document = Document::parse(canonical).map_err(|error| format!("{error}: {canonical}"))?;
    let again = reeve_saml::canonical::canonicalize(document.root_element(), &[], None);
    holds(
        again.is_ok_and(|again| again == canonical),
        &format!("not its own canonical form: {canonical}"),
    )
}

fn kept(canonical: &str, said: &Said) -> Result<(), String> {
    let document = Document::parse(canonical).map_err(|error| error.to_string())?;
    let all = |name: &'static str| {
        document
            .descendants()
            .filter(move |node| node.has_tag_name((SAML, name)))
    };
    let has =
        |name, attribute: &str, value: &str| all(name).any(|node| node.attribute(attribute) == Some(value));
    holds(
        all("Audience").any(|it| text_of(it) == SP),
        "for another audience",
    )?;
    holds(
        has("SubjectConfirmationData", "Recipient", ACS),
        "for another address",
    )?;
    holds(
        has("SubjectConfirmationData", "InResponseTo", REQUEST),
        "of another sign-in",
    )?;
    holds(
        all("NameID").any(|it| text_of(it) == said.name),
        "a name that was not signed",
    )?;
    let reserved = |group: &String| {
        let lower = group.to_lowercase();
        lower.starts_with("system:") || lower.starts_with("reeve:")
    };
    holds(!said.groups.iter().any(reserved), "a group of the system")?;
    let values: Vec<String> = all("AttributeValue").map(text_of).collect();
    let sent = |text: &String| values.contains(text);
    holds(said.groups.iter().all(sent), "a group that was not sent")?;
    holds(
        said.uid.is_none_or(|uid| sent(&uid.to_string())),
        "a uid that was not sent",
    )
}
