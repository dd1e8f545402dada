//! The one table of operations: router, rights matrix and (later) the OpenAPI document are made from its rows.

mod table;

use reeve_authz::{Action, Entity};

pub use table::{OPERATIONS, OperationId};

/// An operation of the REST API.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Which.
    pub id: OperationId,
    /// The reference's operation id, or ours in the same style: its name in logs, metrics and documents.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path with `{parameters}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// The status of success.
    pub success: u16,
    /// The other statuses it may answer with.
    pub errors: &'static [u16],
    /// One line for people.
    pub summary: &'static str,
}

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// Who may call an operation. What is said here is the least: the handler decides on the object itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever has a valid token.
    Authenticated,
    /// Whoever has a valid token and holds this permission somewhere; others get 403 before anything is looked up.
    Requires(Action, Entity),
}

impl OperationId {
    /// The row of the table.
    pub fn operation(self) -> &'static Operation {
        self.row()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_rows_answer_the_same_call_or_have_the_same_name() {
        let calls: BTreeSet<_> = OPERATIONS.iter().map(|row| (row.method, row.path)).collect();
        let names: BTreeSet<_> = OPERATIONS.iter().map(|row| row.name).collect();
        assert_eq!((calls.len(), names.len()), (OPERATIONS.len(), OPERATIONS.len()));
        assert!(OPERATIONS.iter().all(|row| row.id.operation().name == row.name));
    }

    #[test]
    fn no_fixed_part_of_a_path_holds_an_underscore() {
        // The reference's client turns them into hyphens (control-plane 0.3, trap 5).
        let fixed = |path: &str| {
            path.split('/')
                .filter(|part| !part.starts_with('{'))
                .any(|part| part.contains('_'))
        };
        let wrong: Vec<_> = OPERATIONS
            .iter()
            .map(|row| row.path)
            .filter(|path| fixed(path))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn whoever_needs_a_token_may_hear_that_it_is_missing() {
        for row in OPERATIONS {
            let token = row.access != Access::Public;
            assert_eq!(row.errors.contains(&401), token, "{}", row.name);
            assert!(
                !matches!(row.access, Access::Requires(..)) || row.errors.contains(&403),
                "{}",
                row.name
            );
            assert!(row.errors.is_sorted(), "{}", row.name);
        }
    }
}
