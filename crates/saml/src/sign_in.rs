//! What a verified response comes to, and what it has to agree with: values alone.

use reeve_types::Timestamp;

/// What a name's format is where it says none.
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";

/// Somebody, as an identity provider names them: the same value, format and qualifiers are the same person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId {
    /// The name.
    pub value: String,
    /// What kind of name it is; a URI.
    pub format: Option<String>,
    /// Among whose names it is one.
    pub name_qualifier: Option<String>,
    /// For whom the provider made it.
    pub sp_name_qualifier: Option<String>,
}

impl NameId {
    /// The same text for the same person of `issuer` and no other's: value, format and qualifiers, where what is left out is what
    /// SAML core 8.3.1 and 8.3.7 say is meant, `us` being our entity id.
    pub fn subject(&self, issuer: &str, us: &str) -> String {
        let other = |value: &Option<String>, usual: &str| value.clone().filter(|it| it != usual);
        let parts = [
            Some(self.value.clone()),
            other(&self.format, UNSPECIFIED),
            other(&self.name_qualifier, issuer),
            other(&self.sp_name_qualifier, us),
        ];
        // Each part with its length, so that no two names come to one text.
        let part =
            |part: Option<String>| part.map_or_else(|| "-".to_owned(), |it| format!("{}:{it}", it.len()));
        parts.map(part).join(" ")
    }
}

/// A verified sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The identity provider's entity id.
    pub issuer: String,
    /// Who signed in.
    pub name_id: NameId,
    /// The provider's name for its session.
    pub session_index: Option<String>,
    /// When the provider wants the session to end.
    pub session_ends: Option<Timestamp>,
    /// What the provider says of the person.
    pub(crate) attributes: Vec<Attribute>,
}

/// An attribute, with the values of every statement in which its name occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) friendly_name: Option<String>,
    /// As sent, in the order sent. Empty ones and those that say `nil` are left out: providers send them for "none".
    pub(crate) values: Vec<String>,
    /// Whether a value is no text.
    pub(crate) structured: bool,
}

/// What a response has to agree with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) acs_url: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) request: &'a str,
    pub(crate) sent: Timestamp,
    pub(crate) now: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(value: &str, format: Option<&str>, name_qualifier: Option<&str>, sp: Option<&str>) -> String {
        let owned = |it: Option<&str>| it.map(str::to_owned);
        let name = NameId {
            value: value.to_owned(),
            format: owned(format),
            name_qualifier: owned(name_qualifier),
            sp_name_qualifier: owned(sp),
        };
        name.subject("https://idp.test", "https://reeve.test")
    }

    /// Planted faults: the value alone, and parts that are joined by a blank: both make two people one.
    #[test]
    fn two_names_are_one_person_only_where_saml_says_so() {
        let alice = name("alice", None, None, None);
        assert_eq!(name("alice", Some(UNSPECIFIED), None, None), alice);
        assert_eq!(
            name(
                "alice",
                None,
                Some("https://idp.test"),
                Some("https://reeve.test")
            ),
            alice
        );
        let others = [
            name("Alice", None, None, None),
            name("alice -", None, None, None),
            name(
                "alice",
                Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
                None,
                None,
            ),
            name("alice", None, Some("https://other.test"), None),
            name("alice", None, None, Some("https://other.test")),
            name("alice - 18:https://other.test", None, None, None),
        ];
        for (place, other) in others.iter().enumerate() {
            assert_ne!(*other, alice);
            assert!(!others.iter().skip(place + 1).any(|it| it == other), "{other}");
        }
    }
}
