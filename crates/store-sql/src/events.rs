//! Adding to the audit log, and what of it every reader needs.

use reeve_store::{AuditEntry, AuditHead, StoreError};

use crate::driver::{Arg, StoreResultExt, Tx};
use crate::logged;

pub(crate) const APPEND: &str = "write the audit event";
pub(crate) const READ: &str = "read the audit log";

/// Adds an event as the last step of a transaction: the counter's row is what writers of PostgreSQL will wait for.
pub(crate) async fn append(tx: &mut Tx, entry: &AuditEntry) -> Result<(), StoreError> {
    let row = tx
        .row(
            "UPDATE counters SET value = value + 1 WHERE name = 'audit'
             RETURNING value, (SELECT e.hash FROM audit_events e WHERE e.sequence = counters.value - 1) AS previous",
            &[],
        )
        .await
        .context(APPEND)?
        .ok_or_else(|| StoreError::Corrupt {
            what: "counter",
            reason: "`audit` is missing".to_owned(),
        })?;
    let sequence = row.int("value")?;
    let previous = match row.opt_text("previous")? {
        Some(hash) => hash,
        None if sequence == 1 => String::new(),
        None => return Err(broken(sequence, "the event before it is missing")),
    };
    let body = serde_json::to_string(entry).map_err(|e| StoreError::Corrupt {
        what: "audit event",
        reason: e.to_string(),
    })?;
    let key = tx
        .key()
        .ok_or_else(|| broken(sequence, "there is no key to write it with"))?;
    let hash = key.digest(sequence, &previous, &body);
    let head = |sequence, mac: &String| AuditHead {
        sequence,
        mac: mac.clone(),
    };
    let (before, event) = (head(sequence - 1, &previous), head(sequence, &hash));
    let mut values = vec![
        sequence.into(),
        Arg::text(previous),
        Arg::text(hash),
        true.into(),
        Arg::text(body),
    ];
    values.extend(logged::values(tx, entry).await?);
    tx.execute(
        "INSERT INTO audit_events (sequence, previous, hash, keyed, body, at, subject, subject_type, source_ip, action, http_method,
                                   result, url, entity_type, entity_name, entity_id, cluster_name, cluster_name_folded)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        &values,
    )
    .await
    .context(APPEND)?;
    tx.trail().appended(before, event);
    Ok(())
}

/// The number that the next event gets. Only inside a writing transaction does it stay so.
pub(crate) async fn next_sequence(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(counted(tx).await? + 1)
}

pub(crate) async fn counted(tx: &mut Tx) -> Result<i64, StoreError> {
    let row = tx
        .row("SELECT value FROM counters WHERE name = $1", &["audit".into()])
        .await
        .context(READ)?;
    row.map_or(Ok(0), |row| row.int("value"))
}

pub(crate) async fn hash_of(tx: &mut Tx, sequence: i64) -> Result<Option<String>, StoreError> {
    tx.row(
        "SELECT hash FROM audit_events WHERE sequence = $1",
        &[sequence.into()],
    )
    .await
    .context(READ)?
    .map(|row| row.text("hash"))
    .transpose()
}

pub(crate) fn broken(sequence: i64, reason: &str) -> StoreError {
    StoreError::Corrupt {
        what: "audit chain",
        reason: format!("at event {sequence}: {reason}"),
    }
}
