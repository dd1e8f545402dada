//! What an assertion says of somebody, after every condition that it makes.
//!
//! The node that is read here comes from a document parsed of covered octets ([`crate::signature::Covered`]).

use reeve_types::Timestamp;
use roxmltree::Node;

use crate::SamlError;
use crate::replay::{OneUse, Unspent};
use crate::sign_in::{Attribute, Expected, NameId, SignIn};
use crate::time::{self, MAX_ASSERTION_AGE_SECONDS, SKEW_SECONDS, check_not_future, check_not_past, instant};
use crate::tree::{self, ASSERTION, shortened};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";

/// Reads the assertion, which is covered, and checks everything that it says of itself.
pub(crate) fn read(assertion: Node<'_, '_>, expected: &Expected<'_>) -> Result<Unspent, SamlError> {
    check_version(assertion, "Assertion")?;
    let id = tree::attribute(assertion, "ID")?;
    check_issuer(
        tree::exactly_one(assertion, ASSERTION, "Issuer")?,
        "Assertion",
        expected,
    )?;
    let issued = check_issued(assertion, "Assertion", expected)?;
    let oldest = issued.plus_seconds(MAX_ASSERTION_AGE_SECONDS);
    let end = conditions(assertion, expected)?.map_or(oldest, |end| end.min(oldest));
    let subject = tree::exactly_one(assertion, ASSERTION, "Subject")?;
    confirmation(subject, expected)?;
    let (session_index, session_ends) = statements(assertion, expected)?;
    // From then on it is refused whatever is remembered. Ends of confirmations do not count: there may be a later one.
    let until = end.plus_seconds(SKEW_SECONDS);
    let sign_in = SignIn {
        issuer: expected.issuer.to_owned(),
        name_id: name_id(subject)?,
        session_index,
        session_ends,
        attributes: Attribute::all(assertion)?,
    };
    Ok(Unspent::new(
        OneUse::new(expected.issuer.to_owned(), id.to_owned(), until),
        sign_in,
    ))
}

pub(crate) fn check_version(node: Node<'_, '_>, element: &'static str) -> Result<(), SamlError> {
    match tree::optional(node, "Version") {
        Some("2.0") => Ok(()),
        other => Err(SamlError::Version {
            element,
            found: shortened(other.unwrap_or("none")),
        }),
    }
}

pub(crate) fn check_issuer(
    issuer: Node<'_, '_>,
    element: &'static str,
    expected: &Expected<'_>,
) -> Result<(), SamlError> {
    let mut found = tree::value(issuer)?;
    let format = tree::optional(issuer, "Format").filter(|format| *format != ENTITY);
    if let Some(format) = format {
        found = format!("{found} of format {format}");
    }
    if format.is_some() || found != expected.issuer {
        let expected = expected.issuer.to_owned();
        return Err(SamlError::Issuer {
            element,
            found: shortened(&found),
            expected,
        });
    }
    Ok(())
}

/// `IssueInstant`: neither in the future, nor older than allowed, nor before the request that it answers.
pub(crate) fn check_issued(
    node: Node<'_, '_>,
    element: &'static str,
    expected: &Expected<'_>,
) -> Result<Timestamp, SamlError> {
    let what = if element == "Response" {
        "IssueInstant of the Response"
    } else {
        "IssueInstant of the Assertion"
    };
    let issued = instant(tree::attribute(node, "IssueInstant")?, what)?;
    check_not_future(issued, expected.now, what)?;
    check_not_past(issued.plus_seconds(MAX_ASSERTION_AGE_SECONDS), expected.now, what)?;
    if time::is_past(issued, expected.sent) {
        return Err(SamlError::BeforeRequest {
            what,
            at: issued,
            sent: expected.sent,
        });
    }
    Ok(issued)
}

/// Answers `NotOnOrAfter`, if there is one.
fn conditions(assertion: Node<'_, '_>, expected: &Expected<'_>) -> Result<Option<Timestamp>, SamlError> {
    let conditions = tree::exactly_one(assertion, ASSERTION, "Conditions")?;
    let end = bounds(
        conditions,
        expected.now,
        "NotBefore of Conditions",
        "NotOnOrAfter of Conditions",
    )?;
    let mut restricted = false;
    for condition in tree::elements(conditions) {
        let name = condition.tag_name().name();
        if tree::is(condition, ASSERTION, "AudienceRestriction") {
            audience(condition, expected)?;
            restricted = true;
        } else if !tree::is(condition, ASSERTION, "OneTimeUse")
            && !tree::is(condition, ASSERTION, "ProxyRestriction")
        {
            // A condition that is not understood is not fulfilled (SAML core 2.5.1.1).
            return Err(SamlError::Condition {
                name: shortened(name),
            });
        }
    }
    if !restricted {
        return Err(SamlError::Missing {
            name: "AudienceRestriction",
            within: "Conditions".to_owned(),
        });
    }
    Ok(end)
}

/// One of several audiences has to be ours; each restriction has to hold.
fn audience(restriction: Node<'_, '_>, expected: &Expected<'_>) -> Result<(), SamlError> {
    let audiences: Result<Vec<_>, _> = tree::children(restriction, ASSERTION, "Audience")
        .map(tree::value)
        .collect();
    let audiences = audiences?;
    if audiences.iter().any(|audience| audience == expected.audience) {
        return Ok(());
    }
    Err(SamlError::Audience {
        found: shortened(&audiences.join(", ")),
        expected: expected.audience.to_owned(),
    })
}

fn bounds(
    node: Node<'_, '_>,
    now: Timestamp,
    start: &'static str,
    end: &'static str,
) -> Result<Option<Timestamp>, SamlError> {
    if let Some(text) = tree::optional(node, "NotBefore") {
        check_not_future(instant(text, start)?, now, start)?;
    }
    let Some(text) = tree::optional(node, "NotOnOrAfter") else {
        return Ok(None);
    };
    let moment = instant(text, end)?;
    check_not_past(moment, now, end)?;
    Ok(Some(moment))
}

/// At least one bearer confirmation holds. Why none holds is told of the last bearer one.
fn confirmation(subject: Node<'_, '_>, expected: &Expected<'_>) -> Result<(), SamlError> {
    let mut reason = SamlError::Missing {
        name: "bearer SubjectConfirmation",
        within: "Subject".to_owned(),
    };
    for confirmation in tree::children(subject, ASSERTION, "SubjectConfirmation") {
        if tree::optional(confirmation, "Method") != Some(BEARER) {
            continue;
        }
        match bearer(confirmation, expected) {
            Ok(()) => return Ok(()),
            Err(error) => reason = error,
        }
    }
    Err(reason)
}

fn bearer(confirmation: Node<'_, '_>, expected: &Expected<'_>) -> Result<(), SamlError> {
    const END: &str = "NotOnOrAfter of SubjectConfirmationData";
    let data = tree::exactly_one(confirmation, ASSERTION, "SubjectConfirmationData")?;
    let recipient = tree::attribute(data, "Recipient")?;
    if recipient != expected.acs_url {
        return Err(SamlError::Address {
            name: "Recipient",
            found: shortened(recipient),
            expected: expected.acs_url.to_owned(),
        });
    }
    check_in_response_to(data, "SubjectConfirmationData", expected)?;
    let end = bounds(data, expected.now, "NotBefore of SubjectConfirmationData", END)?;
    match end {
        Some(_) => Ok(()),
        None => Err(SamlError::Missing {
            name: "NotOnOrAfter",
            within: "SubjectConfirmationData".to_owned(),
        }),
    }
}

pub(crate) fn check_in_response_to(
    node: Node<'_, '_>,
    element: &'static str,
    expected: &Expected<'_>,
) -> Result<(), SamlError> {
    match tree::optional(node, "InResponseTo") {
        Some(found) if found == expected.request => Ok(()),
        found => Err(SamlError::InResponseTo {
            element,
            found: shortened(found.unwrap_or("none")),
        }),
    }
}

fn name_id(subject: Node<'_, '_>) -> Result<NameId, SamlError> {
    if tree::at_most_one(subject, ASSERTION, "EncryptedID")?.is_some() {
        return Err(SamlError::EncryptedPart { name: "EncryptedID" });
    }
    let node = tree::exactly_one(subject, ASSERTION, "NameID")?;
    let value = tree::value(node)?;
    let format = tree::optional(node, "Format").map(str::to_owned);
    if value.trim().is_empty() {
        return Err(SamlError::Missing {
            name: "NameID",
            within: "Subject".to_owned(),
        });
    }
    if format.as_deref() == Some(TRANSIENT) {
        return Err(SamlError::TransientName);
    }
    let qualifier = |name| tree::optional(node, name).map(str::to_owned);
    Ok(NameId {
        value,
        format,
        name_qualifier: qualifier("NameQualifier"),
        sp_name_qualifier: qualifier("SPNameQualifier"),
    })
}

/// The session index and end that the authentication statements give: the first index, the earliest end.
fn statements(
    assertion: Node<'_, '_>,
    expected: &Expected<'_>,
) -> Result<(Option<String>, Option<Timestamp>), SamlError> {
    const END: &str = "SessionNotOnOrAfter";
    let (mut index, mut ends, mut count) = (None, None, 0);
    for statement in tree::children(assertion, ASSERTION, "AuthnStatement") {
        count += 1;
        let what = "AuthnInstant";
        check_not_future(
            instant(tree::attribute(statement, what)?, what)?,
            expected.now,
            what,
        )?;
        if let Some(text) = tree::optional(statement, END) {
            let end = instant(text, END)?;
            check_not_past(end, expected.now, END)?;
            ends = Some(ends.map_or(end, |known: Timestamp| known.min(end)));
        }
        index = index.or_else(|| tree::optional(statement, "SessionIndex").map(str::to_owned));
    }
    if count == 0 {
        return Err(SamlError::Missing {
            name: "AuthnStatement",
            within: "Assertion".to_owned(),
        });
    }
    Ok((index, ends))
}
