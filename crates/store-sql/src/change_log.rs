//! The change log in SQL.

use async_trait::async_trait;
use reeve_store::{
    CHANGES_KEPT, CHANGES_TOGETHER, ChangeLog, ChangeNumber, DirectoryChange, LoggedChanges, StoreError,
};

use crate::SqlStore;
use crate::driver::{Arg, During, Row, Tx};

const APPEND: &str = "write the change log";
const READ: &str = "read the change log";

/// The counter that numbers entries. Its row is locked from the first number that a transaction draws to its end.
const COUNTER: &str = "directory";

/// Writes what changed, in as many entries as are needed, and forgets the oldest entries.
pub(crate) async fn append(
    tx: &mut Tx,
    mut changes: Vec<DirectoryChange>,
) -> Result<Vec<LoggedChanges>, StoreError> {
    let mut log = Vec::new();
    while !changes.is_empty() {
        let rest = changes.split_off(changes.len().min(CHANGES_TOGETHER));
        let number = tx.next_number(COUNTER).await?;
        tx.execute(
            "INSERT INTO directory_changes (number, body) VALUES ($1, $2)",
            &[number.into(), Arg::json(&changes)?],
        )
        .await
        .during(APPEND)?;
        log.push(LoggedChanges {
            number: ChangeNumber(number),
            changes: std::mem::replace(&mut changes, rest),
        });
    }
    if let Some(last) = log.last() {
        tx.execute(
            "DELETE FROM directory_changes WHERE number <= $1",
            &[(last.number.0 - CHANGES_KEPT).into()],
        )
        .await
        .during(APPEND)?;
        tx.wake().await.during(APPEND)?;
    }
    Ok(log)
}

/// How far the log has come.
pub(crate) async fn reached(tx: &mut Tx) -> Result<ChangeNumber, StoreError> {
    let row = tx
        .row("SELECT value FROM counters WHERE name = $1", &[COUNTER.into()])
        .await
        .during(READ)?;
    row.map_or(Ok(ChangeNumber(0)), |row| row.int("value").map(ChangeNumber))
}

fn entry(row: &Row) -> Result<LoggedChanges, StoreError> {
    let number = ChangeNumber(row.int("number")?);
    let changes = row
        .json("body")
        .unwrap_or_else(|_| vec![DirectoryChange::Everything]);
    Ok(LoggedChanges { number, changes })
}

#[async_trait]
impl ChangeLog for SqlStore {
    async fn changes_since(
        &self,
        after: ChangeNumber,
        limit: u32,
    ) -> Result<Option<Vec<LoggedChanges>>, StoreError> {
        let mut tx = self.read(READ).await?;
        let reached = reached(&mut tx).await?;
        if after == reached {
            return Ok(Some(Vec::new()));
        }
        let log = tx
            .all(
                "SELECT number, body FROM directory_changes WHERE number > $1 ORDER BY number LIMIT $2",
                &[after.0.into(), i64::from(limit).into()],
                entry,
                READ,
            )
            .await?;
        let goes_back = log.first().is_some_and(|first| first.number == after.next());
        Ok(Some(log).filter(|_| goes_back && after < reached))
    }

    async fn woken(&self) {
        self.pools.woken().await;
    }
}
