//! Reports of clusters in SQL.

use async_trait::async_trait;
use reeve_authz::{BootstrapException, Granted};
use reeve_link::{ObjectStatus, StatusReport};
use reeve_store::{Reports, StoreError, gate};
use reeve_types::{ClusterId, Timestamp};

use crate::changes::key_columns;
use crate::driver::{Arg, During, Tx};
use crate::{SqlStore, rows};

const WRITE: &str = "keep a cluster's report";

/// What of a report is new; the same question before and inside the writing transaction.
struct News<'r> {
    settings: Option<Arg>,
    revision: Option<i64>,
    objects: Vec<&'r ObjectStatus>,
}

impl News<'_> {
    fn is_empty(&self) -> bool {
        self.settings.is_none() && self.revision.is_none() && self.objects.is_empty()
    }
}

async fn news<'r>(tx: &mut Tx, cluster: ClusterId, report: &'r StatusReport) -> Result<News<'r>, StoreError> {
    let row = tx
        .row(
            "SELECT settings, applied_revision FROM clusters WHERE id = $1",
            &[Arg::text(cluster)],
        )
        .await
        .during(WRITE)?
        .ok_or_else(|| StoreError::NotFound {
            what: "cluster",
            id: cluster.to_string(),
        })?;
    let settings = match &report.settings {
        Some(settings) if row.opt_json("settings")?.as_ref() != Some(settings) => Some(Arg::json(settings)?),
        _ => None,
    };
    let applied = i64::try_from(report.revision.0).unwrap_or(i64::MAX);
    let revision = (row.int("applied_revision")? != applied).then_some(applied);
    let mut objects = Vec::new();
    for object in &report.objects {
        if is_news(tx, cluster, object).await? {
            objects.push(object);
        }
    }
    Ok(News {
        settings,
        revision,
        objects,
    })
}

/// New is what the cluster is to have and what was not said before.
async fn is_news(tx: &mut Tx, cluster: ClusterId, object: &ObjectStatus) -> Result<bool, StoreError> {
    let (kind, id) = key_columns(object.key);
    let row = tx
        .row(
            "SELECT s.phase, s.message, s.updated_at AS status_at
             FROM desired_objects o
             LEFT JOIN object_status s
               ON s.cluster_id = o.cluster_id AND s.kind = o.kind AND s.object_id = o.object_id
             WHERE o.cluster_id = $1 AND o.kind = $2 AND o.object_id = $3 AND o.body IS NOT NULL",
            &[Arg::text(cluster), kind.into(), Arg::text(id)],
        )
        .await
        .during(WRITE)?;
    let Some(row) = row else { return Ok(false) };
    Ok(
        rows::status(&row)?
            .is_none_or(|known| known.phase != object.phase || known.message != object.message),
    )
}

#[async_trait]
impl Reports for SqlStore {
    async fn report(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        report: &StatusReport,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, WRITE)?;
        // Most reports say nothing new: those never ask for the writer.
        if news(&mut self.read(WRITE).await?, cluster, report)
            .await?
            .is_empty()
        {
            return Ok(false);
        }
        let mut tx = self.write(WRITE).await?;
        let news = news(&mut tx, cluster, report).await?;
        if let Some(settings) = news.settings {
            tx.execute(
                "UPDATE clusters SET settings = $2 WHERE id = $1",
                &[Arg::text(cluster), settings],
            )
            .await
            .during(WRITE)?;
        }
        if let Some(revision) = news.revision {
            tx.execute(
                "UPDATE clusters SET applied_revision = $2 WHERE id = $1",
                &[Arg::text(cluster), revision.into()],
            )
            .await
            .during(WRITE)?;
        }
        for object in news.objects {
            let (kind, id) = key_columns(object.key);
            tx.execute(
                "INSERT INTO object_status (cluster_id, kind, object_id, phase, message, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (cluster_id, kind, object_id)
                 DO UPDATE SET phase = excluded.phase, message = excluded.message, updated_at = excluded.updated_at",
                &[
                    Arg::text(cluster),
                    kind.into(),
                    Arg::text(id),
                    Arg::text(rows::phase_text(object.phase)?),
                    Arg::text(&object.message),
                    at.into(),
                ],
            )
            .await
            .during(WRITE)?;
        }
        tx.commit().await.during(WRITE)?;
        Ok(true)
    }

    async fn heard_of(&self, granted: &Granted, cluster: ClusterId, at: Timestamp) -> Result<(), StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, WRITE)?;
        let mut tx = self.record_later(WRITE).await?;
        tx.execute(
            "UPDATE clusters SET last_liveness = $2 WHERE id = $1",
            &[Arg::text(cluster), at.into()],
        )
        .await
        .during(WRITE)?;
        tx.commit().await.during(WRITE)
    }
}
