//! What lists answer, and what they take beside the query that all of them take.

use reeve_types::Timestamp;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many rows lie before the next page; `None` on the last.
    pub next: Option<usize>,
}

/// What a list of access rules is narrowed to, beside its query. Everything given must hold; text is compared as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRuleFilter {
    /// Deleted ones, too. In a scope that is gone itself they are shown to whom sees the whole account.
    pub deleted: bool,
    /// The kind of the subject, as on the wire.
    pub subject_type: Option<&'static str>,
    /// The subject's name.
    pub subject: Option<String>,
    /// One of these is the subject's name.
    pub subjects: Option<Vec<String>>,
    /// The kind of the scope, as on the wire.
    pub scope_type: Option<&'static str>,
    /// The id of the scope, as on the wire.
    pub scope_id: Option<String>,
    /// The role's number, in digits.
    pub role_id: Option<String>,
    /// The id of the cluster that the scope lies in.
    pub cluster_id: Option<String>,
    /// Made or deleted then or later.
    pub since: Option<Timestamp>,
}
