//! The audit log's chain.

use async_trait::async_trait;
use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_store::{Audit, AuditAction, AuditEntry, AuditHead, AuditRow, LoggedEvent, Page, StoreError, gate};
use reeve_types::Timestamp;
use reeve_types::list::{AuditColumn, ListQuery};

use crate::chain::{Broken, Link, Verified, Walk};
use crate::driver::{Row, Statement, StoreResultExt, Tx};
use crate::events::{APPEND, READ, broken, counted, hash_of};
use crate::lists::List;
use crate::{SqlStore, attempts, logged};

pub(crate) use crate::events::{append, next_sequence};

/// The end of the chain.
pub(crate) async fn head(tx: &mut Tx) -> Result<AuditHead, StoreError> {
    let sequence = counted(tx).await?;
    let mac = hash_of(tx, sequence).await?.unwrap_or_default();
    Ok(AuditHead { sequence, mac })
}

/// Whether the chain has this event, or had it: another process may have pruned it since, which the chain says.
pub(crate) async fn has(tx: &mut Tx, head: &AuditHead) -> Result<bool, StoreError> {
    match hash_of(tx, head.sequence).await? {
        Some(hash) => Ok(hash == head.mac),
        None if head.sequence == 0 => Ok(head.mac.is_empty()),
        None => Ok(attempts::pruned(tx).await?.holds(head.sequence)),
    }
}

/// Writes the event that the chain is keyed from here on, once, where events without a key are.
pub(crate) async fn begin_keyed(store: &SqlStore, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.write(APPEND).await?;
    let last = head(&mut tx).await?;
    let row = tx
        .row("SELECT sequence FROM audit_events WHERE keyed LIMIT 1", &[])
        .await
        .context(READ)?;
    if last.sequence == 0 || row.is_some() {
        return Ok(());
    }
    let mut entry = AuditEntry::of_the_system(AuditAction::Key, "events-history", String::new(), now);
    entry
        .metadata
        .insert("unkeyed_up_to".to_owned(), last.to_string());
    append(&mut tx, &entry).await?;
    tx.commit().await.context(APPEND)
}

fn read_row(row: &Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        sequence: row.int("sequence")?,
        previous: row.text("previous")?,
        hash: row.text("hash")?,
        keyed: row.bool("keyed")?,
        entry: row.json("body")?,
    })
}

/// As lists show it.
fn read_logged(row: &Row) -> Result<LoggedEvent, StoreError> {
    Ok(LoggedEvent {
        cluster_name: row.opt_text("cluster_name")?,
        row: read_row(row)?,
    })
}

fn read_link(row: &Row) -> Result<Link, StoreError> {
    Ok(Link {
        sequence: row.int("sequence")?,
        previous: row.text("previous")?,
        hash: row.text("hash")?,
        keyed: row.bool("keyed")?,
        body: row.text("body")?,
    })
}

/// What whoever is at the server's own machine may read: she has the database file and the master key.
impl SqlStore {
    /// Recomputes the whole chain, which must lead through all of `heads`.
    ///
    /// # Errors
    /// Those of reading alone; what does not fit is in the answer.
    pub async fn verify_audit(&self, heads: &[AuditHead]) -> Result<Result<Verified, Broken>, StoreError> {
        const PAGE: i64 = 1000;
        let mut tx = self.read(READ).await?;
        let key = tx.key().cloned();
        let pruned = attempts::pruned(&mut tx).await?;
        let mut walk = Walk::new(key.as_ref(), heads, pruned);
        let mut last = 0;
        loop {
            let links = tx
                .all(
                    "SELECT sequence, previous, hash, keyed, body FROM audit_events
                     WHERE sequence > $1 ORDER BY sequence LIMIT $2",
                    &[last.into(), PAGE.into()],
                    read_link,
                    READ,
                )
                .await?;
            let Some(end) = links.last().map(|link| link.sequence) else {
                break;
            };
            last = end;
            for link in links {
                if let Err(broken) = walk.step(link) {
                    return Ok(Err(broken));
                }
            }
        }
        Ok(walk.end(counted(&mut tx).await?))
    }

    /// At most `limit` events after `sequence`.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn audit_page(&self, after: i64, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let mut tx = self.read(READ).await?;
        tx.all(
            "SELECT sequence, previous, hash, keyed, body FROM audit_events
             WHERE sequence > $1 ORDER BY sequence LIMIT $2",
            &[after.into(), limit.into()],
            read_row,
            READ,
        )
        .await
    }
}

#[async_trait]
impl Audit for SqlStore {
    async fn record(&self, granted: &Granted, entry: AuditEntry) -> Result<(), StoreError> {
        gate::is(granted, BootstrapException::SessionRecord, APPEND)?;
        let mut tx = self.record_later(APPEND).await?;
        append(&mut tx, &entry).await?;
        tx.commit().await.context(APPEND)
    }

    async fn record_attempts(&self, granted: &Granted, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        gate::is(granted, BootstrapException::SessionRecord, APPEND)?;
        let mut tx = self.record_later(APPEND).await?;
        for entry in &entries {
            append(&mut tx, entry).await?;
            attempts::note(&mut tx, entry.timestamp).await?;
        }
        tx.commit().await.context(APPEND)
    }

    async fn prune_attempts(
        &self,
        granted: &Granted,
        before: Timestamp,
        end: i64,
        limit: i64,
        entry: AuditEntry,
    ) -> Result<usize, StoreError> {
        gate::is(granted, BootstrapException::SessionRecord, attempts::PRUNE)?;
        let mut tx = self.record_later(attempts::PRUNE).await?;
        let pruned = attempts::prune(&mut tx, before, end, limit, entry).await?;
        tx.commit().await.context(attempts::PRUNE)?;
        Ok(pruned)
    }

    async fn audit_events(
        &self,
        granted: &Granted,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        gate::fits(granted, Action::Read, Entity::EventsHistory, Scope::Account, READ)?;
        self.audit_page(after, limit).await
    }

    async fn audit_log(
        &self,
        granted: &Granted,
        query: &ListQuery<AuditColumn>,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<(Page<LoggedEvent>, u64), StoreError> {
        gate::fits(granted, Action::Read, Entity::EventsHistory, Scope::Account, READ)?;
        let list = List {
            query,
            table: "audit_events",
            alias: "e",
            order: &["e.at", "e.sequence"],
            term: &logged::term,
            conditions: vec![
                Statement::from("e.at BETWEEN ")
                    .value(since)
                    .sql(" AND ")
                    .value(until),
            ],
        };
        let mut tx = self.read(READ).await?;
        let select = "SELECT e.sequence, e.previous, e.hash, e.keyed, e.body, e.cluster_name ";
        let page = list.page(&mut tx, (select, ""), read_logged, READ).await?;
        let total = list.count(&mut tx, READ).await?;
        Ok((page, total))
    }

    async fn verify_audit_chain(&self, granted: &Granted) -> Result<i64, StoreError> {
        gate::fits(granted, Action::Read, Entity::EventsHistory, Scope::Account, READ)?;
        match self.verify_audit(&[]).await? {
            Ok(verified) => Ok(verified.events),
            Err(Broken { row, reason }) => Err(broken(row, &reason)),
        }
    }
}
