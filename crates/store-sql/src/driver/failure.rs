//! Which failure of a database is which failure of the store.

use reeve_store::StoreError;

/// Says what was tried when the database failed.
pub(crate) trait During<T> {
    /// The failure of `operation`.
    fn during(self, operation: &'static str) -> Result<T, StoreError>;

    /// The failure of `operation`, or `conflict` where a row of the same key was there.
    fn or_conflict(
        self,
        operation: &'static str,
        conflict: impl FnOnce() -> StoreError,
    ) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, operation: &'static str) -> Result<T, StoreError> {
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

/// Of PostgreSQL: what ends by itself, or by whoever runs the database. Whole classes by their two letters: connections (08) and
/// transactions that another one got in the way of (40). Then: no resources (53300 is too many connections), ended by an
/// administrator (57P01 to 57P05, 57014), a lock that was not given (55P03), and a database that can only be read (25006), as
/// one that was a primary and is not any more.
const PASSING: [&str; 10] = [
    "08", "40", "53", "57P01", "57P02", "57P03", "57P05", "57014", "55P03", "25006",
];

fn failure(operation: &'static str, source: sqlx::Error) -> StoreError {
    let code = source.as_database_error().and_then(|error| error.code());
    if code.as_deref().is_some_and(|code| FULL.contains(&code)) {
        return StoreError::Full { operation };
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
        sqlx::Error::Database(_) => code
            .is_some_and(|code| code.len() == 5 && PASSING.iter().any(|passing| code.starts_with(passing))),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// A database that does not answer in time.
pub(super) fn silence() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "the database does not answer",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_not_one_that_is_broken() {
        for away in [silence(), sqlx::Error::PoolTimedOut] {
            assert!(matches!(failure("x", away), StoreError::Unavailable { .. }));
        }
        let broken = failure("x", sqlx::Error::RowNotFound);
        assert!(matches!(broken, StoreError::Database { .. }), "{broken:?}");
    }
}
