//! Which failure of a database is which failure of the store.

use reeve_store::StoreError;

/// Says what was tried when the database failed.
pub(crate) trait StoreResultExt<T> {
    /// The failure of `operation`.
    fn context(self, operation: &'static str) -> Result<T, StoreError>;

    /// The failure of `operation`, or `conflict` where a row of the same key was there.
    fn or_conflict(
        self,
        operation: &'static str,
        conflict: impl FnOnce() -> StoreError,
    ) -> Result<T, StoreError>;
}

impl<T> StoreResultExt<T> for Result<T, sqlx::Error> {
    fn context(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| failure(operation, source))
    }

    fn or_conflict(
        self,
        operation: &'static str,
        conflict: impl FnOnce() -> StoreError,
    ) -> Result<T, StoreError> {
        self.map_err(|source| match source.as_database_error() {
            Some(e) if e.is_unique_violation() => conflict(),
            _ => failure(operation, source),
        })
    }
}

/// `SQLITE_FULL`, which is also what SQLite makes of ENOSPC and EDQUOT; `disk_full` of PostgreSQL.
const FULL: [&str; 2] = ["13", "53100"];

/// Of PostgreSQL: what ends by itself, or by whoever runs the database, and what it means. Whole classes by their two letters.
const PASSING: [(&str, &str); 20] = [
    ("08", "a connection; poolers in between say most things so"),
    ("28", "the password was changed, or is not known there yet"),
    ("40", "a transaction that another one got in the way of"),
    ("53", "no resources; 53300 is too many connections"),
    (
        "25006",
        "it can only be read, as one that was a primary and is not any more",
    ),
    (
        "25P03",
        "a transaction was left alone for too long; what it held is free again",
    ),
    ("26000", "a pooler in between has lost a statement"),
    ("3D000", "the database is not there: it is being put back"),
    ("3F000", "its schema is not there"),
    ("42P01", "a table of it is not there"),
    ("55000", "it accepts no connections"),
    ("55P03", "a lock was not given"),
    ("57014", "a statement took too long"),
    ("57P01", "ended by an administrator"),
    ("57P02", "ended since another process of the database crashed"),
    ("57P03", "it is starting or ending"),
    ("57P04", "the database was dropped"),
    ("57P05", "the session was idle for too long"),
    ("58000", "its system failed it"),
    ("58030", "its disk failed it"),
];

/// Of PostgreSQL: the transaction was undone, since it and another one waited for each other or saw different things. Done
/// again it may well succeed.
const AGAIN: [&str; 2] = ["40001", "40P01"];

fn failure(operation: &'static str, source: sqlx::Error) -> StoreError {
    let code = source.as_database_error().and_then(|error| error.code());
    if code.as_deref().is_some_and(|code| FULL.contains(&code)) {
        return StoreError::Full { operation };
    }
    if code.as_deref().is_some_and(|code| AGAIN.contains(&code)) {
        return StoreError::Again { operation };
    }
    if is_passing(&source, code.as_deref()) {
        return StoreError::Unavailable {
            operation,
            source: Box::new(source),
        };
    }
    StoreError::Database {
        operation,
        source: Box::new(source),
    }
}

fn is_passing(error: &sqlx::Error, code: Option<&str>) -> bool {
    match error {
        // SQLite's codes are numbers of one or two digits, or of extended ones of three or four: none begins like these.
        sqlx::Error::Database(_) => code.is_some_and(|code| {
            code.len() == 5 && PASSING.iter().any(|(passing, _)| code.starts_with(passing))
        }),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::patience::silence;

    #[test]
    fn a_database_that_is_away_is_not_one_that_is_broken() {
        for away in [silence(), sqlx::Error::PoolTimedOut] {
            assert!(matches!(failure("x", away), StoreError::Unavailable { .. }));
        }
        let broken = failure("x", sqlx::Error::RowNotFound);
        assert!(matches!(broken, StoreError::Database { .. }), "{broken:?}");
    }

    /// What a database says, without one.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(&'static str);

    impl sqlx::error::DatabaseError for Said {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }
    }

    fn said(code: &'static str) -> StoreError {
        failure("x", sqlx::Error::Database(Box::new(Said(code))))
    }

    /// Every code that stands in the table of `docs/operations/database.md`, and those that must not be taken for one of them.
    #[test]
    fn what_ends_by_itself_is_told_from_what_does_not() {
        for code in [
            "08000", "08001", "08003", "08004", "08006", "08P01", "40002", "53000", "53200", "53300",
            "57P01", "57P02", "57P03", "57P05", "57014", "25P03", "55P03", "25006", "58030", "3D000",
            "42P01", "28P01",
        ] {
            let error = said(code);
            assert!(
                matches!(error, StoreError::Unavailable { .. }),
                "{code}: {error:?}"
            );
        }
        for code in ["40001", "40P01"] {
            assert!(matches!(said(code), StoreError::Again { .. }), "{code}");
        }
        for code in ["13", "53100"] {
            assert!(matches!(said(code), StoreError::Full { .. }), "{code}");
        }
        // A fault of ours is not a passing one; nor are SQLite's numbers, some of which begin alike.
        for code in ["23503", "42601", "22P02", "25P02", "26", "28", "40", "08", "1"] {
            assert!(matches!(said(code), StoreError::Database { .. }), "{code}");
        }
    }
}
