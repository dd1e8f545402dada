//! Which tokens are good: those with the number that the subject's row has. Sign-ins do not wait for changes, so the row
//! decides, whichever came first to it.

use reeve_store::{SessionNumber, StoreError, SubjectId};
use reeve_types::Timestamp;

use crate::driver::{Arg, During, Row, Tx};

macro_rules! end {
    ($table:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET session_number = session_number + 1 WHERE id = $1 RETURNING session_number"
        )
    };
}

macro_rules! signed_in {
    ($table:literal, $proven:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET last_login = $2 WHERE id = $1 AND ",
            $proven,
            " RETURNING session_number"
        )
    };
}

/// The column `session_number`.
pub(crate) fn number(row: &Row) -> Result<SessionNumber, StoreError> {
    row.int("session_number").map(SessionNumber)
}

/// Ends every token whose sign-in is recorded. The number that tokens carry from now on.
pub(crate) async fn end(
    tx: &mut Tx,
    subject: SubjectId,
    operation: &'static str,
) -> Result<SessionNumber, StoreError> {
    let (sql, what, id) = match subject {
        SubjectId::User(id) => (end!("users"), "user", id.to_string()),
        SubjectId::ServiceAccount(id) => (end!("service_accounts"), "service account", id.to_string()),
    };
    let row = tx.row(sql, &[Arg::text(&id)]).await.during(operation)?;
    number(&row.ok_or(StoreError::NotFound { what, id })?)
}

/// Notes a sign-in and answers its number; none when `proven` is no longer what checks the subject, or that is disabled or
/// gone.
pub(crate) async fn signed_in(
    tx: &mut Tx,
    subject: SubjectId,
    proven: &str,
    at: Timestamp,
    operation: &'static str,
) -> Result<Option<SessionNumber>, StoreError> {
    let (sql, id) = match subject {
        SubjectId::User(id) => (signed_in!("users", "password = $3"), id.to_string()),
        SubjectId::ServiceAccount(id) => (
            signed_in!("service_accounts", "secret = $3 AND enabled"),
            id.to_string(),
        ),
    };
    tx.row(sql, &[Arg::text(id), at.into(), proven.into()])
        .await
        .during(operation)?
        .as_ref()
        .map(number)
        .transpose()
}
