//! The audit log's chain.

use async_trait::async_trait;
use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_store::{Audit, AuditEntry, AuditRow, SessionNumber, StoreError, SubjectId, Verifier, gate};
use reeve_types::Timestamp;
use sha2::{Digest, Sha256};

use crate::driver::{Arg, During, Row, Tx};
use crate::{SqlStore, attempts, sessions};

const APPEND: &str = "write the audit event";
const READ: &str = "read the audit log";

/// Adds an event as the last step of a transaction: the counter's row is what writers of PostgreSQL will wait for.
pub(crate) async fn append(tx: &mut Tx, entry: &AuditEntry) -> Result<(), StoreError> {
    let sequence = tx.next_number("audit").await?;
    let previous = tx
        .row(
            "SELECT hash FROM audit_events WHERE sequence = $1",
            &[(sequence - 1).into()],
        )
        .await
        .during(APPEND)?
        .map(|row| row.text("hash"))
        .transpose()?;
    let previous = match previous {
        Some(hash) => hash,
        None if sequence == 1 => String::new(),
        None => return Err(broken(sequence, "the event before it is missing")),
    };
    let body = serde_json::to_string(entry).map_err(|e| StoreError::Corrupt {
        what: "audit event",
        reason: e.to_string(),
    })?;
    let hash = digest(sequence, &previous, &body);
    tx.execute(
        "INSERT INTO audit_events (sequence, previous, hash, body) VALUES ($1, $2, $3, $4)",
        &[
            sequence.into(),
            Arg::text(previous),
            Arg::text(hash),
            Arg::text(body),
        ],
    )
    .await
    .during(APPEND)?;
    Ok(())
}

fn digest(sequence: i64, previous: &str, body: &str) -> String {
    let hash = Sha256::digest(format!("{sequence}\n{previous}\n{body}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn broken(sequence: i64, reason: &str) -> StoreError {
    StoreError::Corrupt {
        what: "audit chain",
        reason: format!("at event {sequence}: {reason}"),
    }
}

fn read_row(row: &Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        sequence: row.int("sequence")?,
        previous: row.text("previous")?,
        hash: row.text("hash")?,
        entry: row.json("body")?,
    })
}

#[async_trait]
impl Audit for SqlStore {
    async fn record(&self, granted: &Granted, entry: AuditEntry) -> Result<(), StoreError> {
        gate::is(granted, BootstrapException::SessionRecord, APPEND)?;
        let mut tx = self.record_later(APPEND).await?;
        append(&mut tx, &entry).await?;
        tx.commit().await.during(APPEND)
    }

    async fn record_attempts(&self, granted: &Granted, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        gate::is(granted, BootstrapException::SessionRecord, APPEND)?;
        let mut tx = self.record_later(APPEND).await?;
        for entry in &entries {
            append(&mut tx, entry).await?;
            attempts::note(&mut tx, entry.timestamp).await?;
        }
        tx.commit().await.during(APPEND)
    }

    async fn prune_attempts(
        &self,
        granted: &Granted,
        before: Timestamp,
        limit: i64,
        entry: AuditEntry,
    ) -> Result<usize, StoreError> {
        gate::is(granted, BootstrapException::SessionRecord, attempts::PRUNE)?;
        let mut tx = self.record_later(attempts::PRUNE).await?;
        let pruned = attempts::prune(&mut tx, before, limit, entry).await?;
        tx.commit().await.during(attempts::PRUNE)?;
        Ok(pruned)
    }

    async fn record_sign_in(
        &self,
        granted: &Granted,
        subject: SubjectId,
        proven: &Verifier,
        entry: AuditEntry,
    ) -> Result<Option<SessionNumber>, StoreError> {
        gate::is(granted, BootstrapException::SessionRecord, APPEND)?;
        let mut tx = self.record_later(APPEND).await?;
        let session = sessions::signed_in(&mut tx, subject, proven.as_str(), entry.timestamp, APPEND).await?;
        if session.is_some() {
            append(&mut tx, &entry).await?;
            tx.commit().await.during(APPEND)?;
        }
        Ok(session)
    }

    async fn audit_events(
        &self,
        granted: &Granted,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        gate::fits(granted, Action::Read, Entity::EventsHistory, Scope::Account, READ)?;
        let mut tx = self.read(READ).await?;
        tx.all("SELECT sequence, previous, hash, body FROM audit_events WHERE sequence > $1 ORDER BY sequence LIMIT $2", &[after.into(), limit.into()], read_row, READ).await
    }

    async fn verify_audit_chain(&self, granted: &Granted) -> Result<i64, StoreError> {
        const PAGE: i64 = 1000;
        gate::fits(granted, Action::Read, Entity::EventsHistory, Scope::Account, READ)?;
        let mut tx = self.read(READ).await?;
        let mut pruned = attempts::pruned(&mut tx).await?;
        // None after a gap: what was there is named by a later event, which is verified as well.
        let (mut last, mut previous) = (0, Some(String::new()));
        loop {
            let rows = tx
                .rows(
                    "SELECT sequence, previous, hash, body FROM audit_events
                     WHERE sequence > $1 ORDER BY sequence LIMIT $2",
                    &[last.into(), PAGE.into()],
                )
                .await
                .during(READ)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let (sequence, hash) = (row.int("sequence")?, row.text("hash")?);
                while sequence != last + 1 {
                    last = pruned
                        .over(last + 1, sequence, previous.take())
                        .ok_or_else(|| broken(last + 1, "it is missing"))?;
                }
                let before = row.text("previous")?;
                if previous.as_ref().is_some_and(|previous| before != *previous)
                    || digest(sequence, &before, &row.text("body")?) != hash
                {
                    return Err(broken(sequence, "its hash does not fit"));
                }
                (last, previous) = (sequence, Some(hash));
            }
        }
        let counted = tx
            .row("SELECT value FROM counters WHERE name = $1", &["audit".into()])
            .await
            .during(READ)?
            .map(|row| row.int("value"))
            .transpose()?;
        if counted == Some(last) {
            Ok(last)
        } else {
            Err(broken(last + 1, "it is missing"))
        }
    }
}
