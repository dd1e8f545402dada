//! Histories in SQL.

use async_trait::async_trait;
use reeve_authz::{BootstrapException, Granted};
use reeve_link::Resume;
use reeve_store::{HISTORIES_KEPT, Histories, StoreError, gate};
use reeve_types::{ClusterId, HistoryId, Timestamp};

use crate::SqlStore;
use crate::driver::{Arg, During};

const BEGIN: &str = "begin a history";
const READ: &str = "look a history up";

#[async_trait]
impl Histories for SqlStore {
    async fn begin_history(&self, id: HistoryId, started_at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write(BEGIN).await?;
        let number = tx.next_number("history").await?;
        tx.execute(
            "INSERT INTO histories (number, id, started_at) VALUES ($1, $2, $3)",
            &[number.into(), Arg::text(id), started_at.into()],
        )
        .await
        .or_conflict(BEGIN, || StoreError::Conflict {
            what: "history",
            name: id.to_string(),
            context: "",
        })?;
        tx.execute(
            "INSERT INTO history_beginnings (history, cluster_id, revision)
             SELECT $1, cluster_id, revision FROM cluster_revisions",
            &[number.into()],
        )
        .await
        .during(BEGIN)?;
        let oldest = number - HISTORIES_KEPT + 1;
        for statement in [
            "DELETE FROM history_beginnings WHERE history < $1",
            "DELETE FROM histories WHERE number < $1",
            // Whoever comes from the oldest history, or from a later one, was told of what was deleted before it began.
            "DELETE FROM desired_objects WHERE body IS NULL AND revision <=
                 (SELECT b.revision FROM history_beginnings b
                  WHERE b.cluster_id = desired_objects.cluster_id AND b.history = $1)",
        ] {
            tx.execute(statement, &[oldest.into()]).await.during(BEGIN)?;
        }
        tx.commit().await.during(BEGIN)
    }

    async fn continues(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        resume: &Resume,
    ) -> Result<bool, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, READ)?;
        let mut tx = self.read(READ).await?;
        // With which revision the history began (a cluster that was made in it has none), and with which the next one did.
        let row = tx
            .row(
                "SELECT COALESCE(
                            (SELECT b.revision FROM history_beginnings b
                             WHERE b.cluster_id = c.cluster_id AND b.history = h.number), 0) AS first_revision,
                        COALESCE(
                            (SELECT b.revision FROM history_beginnings b
                             WHERE b.cluster_id = c.cluster_id AND b.history > h.number
                             ORDER BY b.history LIMIT 1), c.revision) AS last_revision
                 FROM histories h, cluster_revisions c WHERE h.id = $1 AND c.cluster_id = $2",
                &[Arg::text(resume.history), Arg::text(cluster)],
            )
            .await
            .during(READ)?;
        let Some(row) = row else { return Ok(false) };
        let at = i64::try_from(resume.revision.0).unwrap_or(i64::MAX);
        Ok((row.int("first_revision")?..=row.int("last_revision")?).contains(&at))
    }
}
