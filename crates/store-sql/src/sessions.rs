//! Until when tokens are worth nothing. Sign-ins do not wait for changes, so what was recorded decides, not who came first.

use reeve_store::{StoreError, SubjectId};
use reeve_types::Timestamp;

use crate::driver::{Arg, During, Tx};

macro_rules! end {
    ($table:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET not_before = CASE
                 WHEN not_before >= $2 AND not_before > COALESCE(last_login, -1) THEN not_before
                 WHEN last_login >= $2 THEN last_login + 1
                 ELSE $2
               END
             WHERE id = $1 RETURNING not_before"
        )
    };
}

macro_rules! signed_in {
    ($table:literal, $verifier:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET last_login = CASE WHEN last_login > $2 THEN last_login ELSE $2 END WHERE id = $1 AND ",
            $verifier,
            " = $3"
        )
    };
}

/// Ends every token that was made before `at` or whose sign-in is recorded. From when on they are good again.
pub(crate) async fn end(
    tx: &mut Tx,
    subject: SubjectId,
    at: Timestamp,
    operation: &'static str,
) -> Result<Timestamp, StoreError> {
    let (sql, what, id) = match subject {
        SubjectId::User(id) => (end!("users"), "user", id.to_string()),
        SubjectId::ServiceAccount(id) => (end!("service_accounts"), "service account", id.to_string()),
    };
    tx.row(sql, &[Arg::text(&id), at.into()])
        .await
        .during(operation)?
        .ok_or(StoreError::NotFound { what, id })?
        .time("not_before")
}

/// Notes a sign-in; false when `proven` is no longer what checks the subject, or nobody is there.
pub(crate) async fn signed_in(
    tx: &mut Tx,
    subject: SubjectId,
    proven: &str,
    at: Timestamp,
    operation: &'static str,
) -> Result<bool, StoreError> {
    let (sql, id) = match subject {
        SubjectId::User(id) => (signed_in!("users", "password"), id.to_string()),
        SubjectId::ServiceAccount(id) => (signed_in!("service_accounts", "secret"), id.to_string()),
    };
    let touched = tx
        .execute(sql, &[Arg::text(id), at.into(), proven.into()])
        .await
        .during(operation)?;
    Ok(touched == 1)
}
