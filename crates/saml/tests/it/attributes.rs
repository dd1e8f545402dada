//! What a provider says of a person, and what becomes of it.

use reeve_saml::{Mappers, Person, SamlError};
use reeve_types::{Gid, Uid};

use crate::provider::{ALICE, IDP_KEY, Shape, Signer, assertion, response, signed};
use crate::receive::Receiver;

fn attribute(name: &str, values: &[&str]) -> String {
    let values: String = values
        .iter()
        .map(|v| format!("<saml:AttributeValue>{v}</saml:AttributeValue>"))
        .collect();
    format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>")
}

/// The person of an assertion with these attribute statements.
fn person_of(statements: &str, mappers: &Mappers) -> Result<Person, SamlError> {
    let plain = assertion();
    let (start, end) = (
        plain.find("<saml:AttributeStatement>").unwrap(),
        plain.find("</saml:Assertion>").unwrap(),
    );
    let plain = format!("{}{statements}{}", &plain[..start], &plain[end..]);
    let message = signed(&response(&plain), Shape::Assertion, &Signer::new(&IDP_KEY));
    Receiver::new().receive(&message).unwrap().person(mappers)
}

fn person(attributes: &[String]) -> Result<Person, SamlError> {
    let email = attribute("email", &[ALICE]);
    let all = format!(
        "<saml:AttributeStatement>{email}{}</saml:AttributeStatement>",
        attributes.concat()
    );
    person_of(&all, &Mappers::default())
}

#[test]
fn a_person_has_what_the_mappers_name() {
    let attributes = [
        attribute("GROUPS", &["ml", "/a/b", "a/b", "b"]),
        attribute("UID", &["70001"]),
        attribute("GID", &["70000"]),
        attribute("SUPPLEMENTARYGROUPS", &["5001", "5002"]),
        attribute("firstName", &["Alice"]),
        attribute("lastName", &["A."]),
    ];
    let person = person(&attributes).unwrap();
    assert_eq!(person.email.as_str(), ALICE);
    assert_eq!(person.groups, ["ml", "/a/b", "a/b", "b"]);
    assert_eq!(
        (person.uid, person.gid),
        (Uid::new(70_001).ok(), Gid::new(70_000).ok())
    );
    assert_eq!(
        person.supplementary_groups,
        [5001, 5002].map(|n| Gid::new(n).unwrap())
    );
    assert_eq!(
        (person.first_name.as_deref(), person.last_name.as_deref()),
        (Some("Alice"), Some("A."))
    );
}

#[test]
fn repeated_attributes_are_joined_over_all_statements() {
    let one = attribute("GROUPS", &["ml", "ops"]) + &attribute("GROUPS", &["ops", "x"]);
    let two = attribute("GROUPS", &["y"]) + &attribute("email", &[ALICE]);
    let statements = format!(
        "<saml:AttributeStatement>{one}</saml:AttributeStatement><saml:AttributeStatement>{two}</saml:AttributeStatement>"
    );
    assert_eq!(
        person_of(&statements, &Mappers::default()).unwrap().groups,
        ["ml", "ops", "x", "y"]
    );
}

#[test]
fn absent_empty_and_nil_are_none() {
    let nil =
        "<saml:Attribute Name=\"GID\"><saml:AttributeValue xsi:nil=\"true\"/></saml:Attribute>".to_owned();
    let none = person(&[attribute("UID", &[""]), attribute("GROUPS", &[]), nil]).unwrap();
    assert_eq!(
        (none.uid, none.gid, none.groups.len(), none.first_name),
        (None, None, 0, None)
    );
}

#[test]
fn numbers_are_strict_decimals() {
    for text in [
        "070001",
        " 70001",
        "70001 ",
        "+70001",
        "-1",
        "7e4",
        "0x1171",
        "70001.0",
        "0",
        "99999999999",
        "65534",
        "２",
        "70,001",
        "1,2",
    ] {
        for name in ["UID", "GID", "SUPPLEMENTARYGROUPS"] {
            let error = person(&[attribute(name, &[text])]).expect_err(text);
            assert!(matches!(error, SamlError::Number { .. }), "{error}");
        }
    }
    insta::assert_snapshot!(person(&[attribute("UID", &["007"])]).unwrap_err());
}

#[test]
fn two_unlike_uids_are_an_error_and_two_like_ones_are_not() {
    let like = person(&[attribute("UID", &["70001"]), attribute("UID", &["70001"])]).unwrap();
    assert_eq!(like.uid, Uid::new(70_001).ok());
    for name in ["UID", "GID"] {
        let error = person(&[attribute(name, &["70001"]), attribute(name, &["70002"])]).unwrap_err();
        assert!(matches!(error, SamlError::Unlike { .. }), "{error}");
    }
    insta::assert_snapshot!(person(&[attribute("UID", &["70001", "70002"])]).unwrap_err());
}

#[test]
fn somebody_without_an_email_is_not_identified() {
    let none = format!(
        "<saml:AttributeStatement>{}</saml:AttributeStatement>",
        attribute("mail", &[ALICE])
    );
    insta::assert_snapshot!(person_of(&none, &Mappers::default()).unwrap_err());
    let mappers = Mappers {
        email: "mail".to_owned(),
        ..Mappers::default()
    };
    assert_eq!(person_of(&none, &mappers).unwrap().email.as_str(), ALICE);
    let two = person(&[attribute("email", &["bob@example.test"])]).unwrap_err();
    assert!(matches!(two, SamlError::Unlike { .. }), "{two}");
    let upper = format!(
        "<saml:AttributeStatement>{}</saml:AttributeStatement>",
        attribute("email", &["Alice@Example.TEST"])
    );
    assert_eq!(
        person_of(&upper, &Mappers::default()).unwrap().email.as_str(),
        ALICE
    );
    let bad = format!(
        "<saml:AttributeStatement>{}</saml:AttributeStatement>",
        attribute("email", &["nobody"])
    );
    assert!(matches!(
        person_of(&bad, &Mappers::default()),
        Err(SamlError::Email { .. })
    ));
}

#[test]
fn a_friendly_name_counts_where_no_name_does() {
    let friendly = |name: &str, value: &str| {
        attribute(name, &[value]).replace(
            "<saml:Attribute Name",
            "<saml:Attribute FriendlyName=\"GROUPS\" Name",
        )
    };
    assert_eq!(person(&[friendly("urn:oid:1", "ml")]).unwrap().groups, ["ml"]);
    let by_name = person(&[friendly("urn:oid:1", "ml"), attribute("GROUPS", &["ops"])]).unwrap();
    assert_eq!(by_name.groups, ["ops"]);
    let two = person(&[friendly("urn:oid:1", "ml"), friendly("urn:oid:2", "x")]);
    assert!(matches!(two, Err(SamlError::FriendlyName { .. })));
}

#[test]
fn a_value_that_is_no_text_is_an_error_where_it_is_needed() {
    let structured = attribute("GROUPS", &["<saml:NameID>ml</saml:NameID>"]);
    assert!(matches!(person(&[structured]), Err(SamlError::Structured { .. })));
    let elsewhere = attribute("eduPersonTargetedID", &["<saml:NameID>x</saml:NameID>"]);
    person(&[elsewhere]).unwrap();
}

#[test]
fn text_is_taken_as_it_is() {
    let strange = "a &amp; b &lt;c&gt; \u{1F600} &#xD;";
    assert_eq!(
        person(&[attribute("GROUPS", &[strange])]).unwrap().groups,
        ["a & b <c> \u{1F600} \r"]
    );
}
