//! The change log in SQL.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_store::{
    CHANGES_KEPT, CHANGES_TOGETHER, ChangeLog, ChangeMark, ChangeNumber, DirectoryChange, LogAfter,
    LoggedChanges, StoreError,
};

use crate::SqlStore;
use crate::driver::{Arg, Row, StoreResultExt, Tx};

const APPEND: &str = "write the change log";
const READ: &str = "read the change log";

/// The counter that numbers entries. Its row is locked from the first number that a transaction draws to its end.
const COUNTER: &str = "directory";

/// After how many entries the oldest are forgotten.
const FORGET_EACH: i64 = 64;

/// Writes what changed, in as many entries as are needed, and forgets the oldest entries.
pub(crate) async fn append(
    tx: &mut Tx,
    mut changes: Vec<DirectoryChange>,
) -> Result<Vec<LoggedChanges>, StoreError> {
    let mut log = Vec::new();
    while !changes.is_empty() {
        let rest = changes.split_off(changes.len().min(CHANGES_TOGETHER));
        let number = tx.next_number(COUNTER).await?;
        let decides = changes.iter().any(DirectoryChange::decides);
        let statement = tx.append_change();
        let row = tx
            .row(statement, &[number.into(), Arg::json(&changes)?, decides.into()])
            .await
            .context(APPEND)?
            .ok_or_else(|| StoreError::Corrupt {
                what: "change log",
                reason: format!("entry {number} was not written"),
            })?;
        log.push(LoggedChanges {
            number: ChangeNumber(number),
            tag: row.text("tag")?,
            changes: std::mem::replace(&mut changes, rest),
        });
    }
    if log.iter().any(|entry| entry.number.0 % FORGET_EACH == 0) {
        tx.execute(
            // One more stays than are told: by it the place before all of them is known.
            "DELETE FROM directory_changes WHERE number < (SELECT value FROM counters WHERE name = $1) - $2",
            &[COUNTER.into(), CHANGES_KEPT.into()],
        )
        .await
        .context(APPEND)?;
    }
    if !log.is_empty() {
        tx.wake().await.context(APPEND)?;
    }
    Ok(log)
}

/// How far the log has come.
pub(crate) async fn reached(tx: &mut Tx) -> Result<ChangeMark, StoreError> {
    let row = tx
        .row(
            "SELECT c.value, COALESCE(d.tag, '') AS tag
             FROM counters c LEFT JOIN directory_changes d ON d.number = c.value WHERE c.name = $1",
            &[COUNTER.into()],
        )
        .await
        .context(READ)?;
    row.map_or(Ok(ChangeMark::default()), |row| {
        Ok(ChangeMark {
            number: ChangeNumber(row.int("value")?),
            tag: row.text("tag")?,
        })
    })
}

/// How a place in the log stands to it.
enum Place {
    /// Nothing is later.
    End,
    /// Something is.
    Before,
    /// It is so long ago that the log does not know.
    Forgotten,
    /// It is not a place of this log.
    Unknown,
}

async fn place(tx: &mut Tx, mark: &ChangeMark) -> Result<Place, StoreError> {
    let row = tx
        .row(
            "SELECT c.value, d.tag FROM counters c LEFT JOIN directory_changes d ON d.number = $2
             WHERE c.name = $1",
            &[COUNTER.into(), mark.number.0.into()],
        )
        .await
        .context(READ)?;
    let (reached, tag) = match row {
        Some(row) => (row.int("value")?, row.opt_text("tag")?),
        None => (0, None),
    };
    Ok(match tag {
        _ if mark.number.0 > reached => Place::Unknown,
        // Also while its entry still waits to be forgotten.
        _ if reached - mark.number.0 > CHANGES_KEPT => Place::Forgotten,
        Some(tag) if tag != mark.tag => Place::Unknown,
        None if mark.number.0 > 0 => Place::Unknown,
        _ if mark.number.0 == reached => Place::End,
        _ => Place::Before,
    })
}

/// Whether a place in the log was lost: the database was put back.
pub(crate) async fn has_lost(tx: &mut Tx, mark: &ChangeMark) -> Result<bool, StoreError> {
    Ok(matches!(place(tx, mark).await?, Place::Unknown))
}

/// Refuses a transaction whose permission was decided before something that may change the decision: it is to be decided again.
/// Asked once the transaction has the turn of writers, so that nothing comes in between any more.
pub(crate) async fn is_still_granted(
    tx: &mut Tx,
    granted: &Granted,
    operation: &'static str,
) -> Result<(), StoreError> {
    let Some(as_of) = granted.as_of() else {
        return Ok(());
    };
    let row = tx
        .row(
            "SELECT value, EXISTS (SELECT 1 FROM directory_changes WHERE number > $2 AND decides) AS later
             FROM counters WHERE name = $1",
            &[COUNTER.into(), as_of.into()],
        )
        .await
        .context(operation)?;
    let Some(row) = row else { return Ok(()) };
    let reached = row.int("value")?;
    if row.bool("later")? || !(as_of..=as_of.saturating_add(CHANGES_KEPT)).contains(&reached) {
        return Err(StoreError::Again { operation });
    }
    Ok(())
}

fn entry(row: &Row) -> Result<LoggedChanges, StoreError> {
    let number = ChangeNumber(row.int("number")?);
    let changes = row
        .json("body")
        .unwrap_or_else(|_| vec![DirectoryChange::Everything]);
    let tag = row.text("tag")?;
    Ok(LoggedChanges { number, tag, changes })
}

/// How often the database was found restored.
pub(crate) async fn era(tx: &mut Tx) -> Result<i64, StoreError> {
    let row = tx
        .row("SELECT value FROM counters WHERE name = 'era'", &[])
        .await
        .context("read how often the database was restored")?;
    row.map_or(Ok(0), |row| row.int("value"))
}

#[async_trait]
impl ChangeLog for SqlStore {
    async fn changes_since(&self, after: &ChangeMark, limit: u32) -> Result<LogAfter, StoreError> {
        let mut tx = self.read(READ).await?;
        match place(&mut tx, after).await? {
            Place::End => return Ok(LogAfter::Entries(Vec::new())),
            Place::Before => {}
            Place::Forgotten => return Ok(LogAfter::Forgotten),
            Place::Unknown => return Ok(LogAfter::Unknown),
        }
        let log = tx
            .all(
                "SELECT number, tag, body FROM directory_changes WHERE number > $1 ORDER BY number LIMIT $2",
                &[after.number.0.into(), i64::from(limit).into()],
                entry,
                READ,
            )
            .await?;
        let goes_back = log
            .first()
            .is_some_and(|first| first.number == after.number.next());
        Ok(if goes_back {
            LogAfter::Entries(log)
        } else {
            LogAfter::Forgotten
        })
    }

    async fn woken(&self) {
        self.pools.woken().await;
    }
}
