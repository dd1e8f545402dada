//! What a verified response comes to, and what it has to agree with: values alone.

use reeve_types::Timestamp;

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
