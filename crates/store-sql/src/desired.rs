//! Desired state in SQL.

use async_trait::async_trait;
use reeve_authz::{BootstrapException, Granted};
use reeve_link::desired::ObjectKey;
use reeve_link::{Batch, Versioned};
use reeve_store::{DesiredState, StoreError, gate};
use reeve_types::{ClusterId, Revision};

use crate::SqlStore;
use crate::driver::{Arg, During, Row, Tx};
use crate::rows;

const READ: &str = "read desired state";

async fn current(tx: &mut Tx, cluster: ClusterId) -> Result<Option<Revision>, StoreError> {
    tx.row(
        "SELECT revision FROM cluster_revisions WHERE cluster_id = $1",
        &[Arg::text(cluster)],
    )
    .await
    .during(READ)?
    .map(|row| rows::revision(&row, "revision"))
    .transpose()
}

fn key(row: &Row) -> Result<ObjectKey, StoreError> {
    match row.text("kind")?.as_str() {
        "access-rule" => Ok(ObjectKey::AccessRule(row.parsed("object_id")?)),
        "workload" => Ok(ObjectKey::Workload(row.parsed("object_id")?)),
        "project" => Ok(ObjectKey::Project(row.parsed("object_id")?)),
        other => Err(StoreError::Corrupt {
            what: "kind",
            reason: format!("`{other}` is not one of ours"),
        }),
    }
}

fn collect(found: &[Row], revision: Revision, complete: bool) -> Result<Batch, StoreError> {
    let mut batch = Batch {
        revision,
        complete,
        ..Batch::default()
    };
    for row in found {
        match row.opt_json("body")? {
            Some(object) => {
                batch.upserts.push(Versioned {
                    revision: rows::revision(row, "revision")?,
                    object,
                });
            }
            None => batch.deletes.push(key(row)?),
        }
    }
    batch.deletes.sort_unstable();
    Ok(batch)
}

#[async_trait]
impl DesiredState for SqlStore {
    async fn desired_all(&self, granted: &Granted, cluster: ClusterId) -> Result<Option<Batch>, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, READ)?;
        let mut tx = self.read(READ).await?;
        let Some(revision) = current(&mut tx, cluster).await? else {
            return Ok(None);
        };
        let found = tx
            .rows(
                "SELECT kind, object_id, revision, body FROM desired_objects
                 WHERE cluster_id = $1 AND body IS NOT NULL ORDER BY revision, kind, object_id",
                &[Arg::text(cluster)],
            )
            .await
            .during(READ)?;
        collect(&found, revision, true).map(Some)
    }

    async fn desired_since(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        since: Revision,
    ) -> Result<Option<Batch>, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, READ)?;
        let mut tx = self.read(READ).await?;
        let Some(revision) = current(&mut tx, cluster).await? else {
            return Ok(None);
        };
        let since = i64::try_from(since.0).unwrap_or(i64::MAX);
        let found = tx
            .rows(
                "SELECT kind, object_id, revision, body FROM desired_objects
                 WHERE cluster_id = $1 AND revision > $2 ORDER BY revision, kind, object_id",
                &[Arg::text(cluster), since.into()],
            )
            .await
            .during(READ)?;
        collect(&found, revision, false).map(Some)
    }
}
