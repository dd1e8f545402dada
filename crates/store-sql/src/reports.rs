//! Reports of clusters in SQL.

use std::collections::BTreeSet;

use async_trait::async_trait;
use reeve_authz::{BootstrapException, Granted};
use reeve_link::{ClusterSettings, KubernetesEndpoint, ObjectStatus, StatusReport};
use reeve_store::{
    AuditEntry, CONNECTED_SECONDS, Committed, DirectoryChange, REPORTED_ENDPOINT, Reported, Reports,
    StoreError, WrongSince, gate, wrong_since,
};
use reeve_types::{ClusterId, Revision, Timestamp};
use sha2::{Digest, Sha256};

use crate::changes::Changes;
use crate::driver::{Arg, StoreResultExt, Tx};
use crate::{SqlStore, audit, directory, rows};

const WRITE: &str = "keep a cluster's report";

/// What of a report is new; the same question before and inside the writing transaction.
struct News<'r> {
    settings: Option<Settings<'r>>,
    revision: Option<i64>,
    address: Option<Address<'r>>,
    objects: Vec<&'r ObjectStatus>,
    standing: Standing,
}

/// What is new of the address of the API server.
enum Address<'r> {
    /// The first.
    Pinned(&'r KubernetesEndpoint),
    /// Another one, while none waits.
    Differs(&'r KubernetesEndpoint),
    /// Yet another one.
    DiffersAgain(&'r KubernetesEndpoint),
}

/// Settings that are not those of before.
struct Settings<'r> {
    before: Option<ClusterSettings>,
    after: &'r ClusterSettings,
}

impl Settings<'_> {
    /// The event with what was and what is, field by field, of those that changed; none where only the address of the API
    /// server did, which has an event of its own.
    fn told(&self, mut entry: AuditEntry) -> Result<Option<AuditEntry>, StoreError> {
        let fields = |settings: Option<&ClusterSettings>| match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(fields)) => Ok(fields),
            Ok(_) => Ok(serde_json::Map::new()),
            Err(e) => Err(StoreError::Corrupt {
                what: "settings",
                reason: e.to_string(),
            }),
        };
        let (before, after) = (fields(self.before.as_ref())?, fields(Some(self.after))?);
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let mut changed = false;
        for name in names.into_iter().filter(|name| name.as_str() != ADDRESS) {
            let (was, is) = (before.get(name), after.get(name));
            if was != is {
                changed = true;
                let text = |value: Option<&serde_json::Value>| {
                    value.map_or_else(|| "none".to_owned(), |value| short(&value.to_string()))
                };
                entry.metadata.insert(format!("{name}_before"), text(was));
                entry.metadata.insert(format!("{name}_after"), text(is));
            }
        }
        Ok(changed.then_some(entry))
    }
}

/// The field of the settings that is kept, and told of, on its own.
const ADDRESS: &str = "kubernetesEndpoint";

/// A value that fits an event: its beginning, and what it was as a whole by its digest.
fn short(text: &str) -> String {
    const MOST: usize = 400;
    if text.len() <= MOST {
        return text.to_owned();
    }
    let digest: String = Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let beginning: String = text.chars().take(MOST).collect();
    format!("{beginning}… (sha256 {digest})")
}

impl News<'_> {
    fn is_empty(&self) -> bool {
        self.settings.is_none()
            && self.revision.is_none()
            && self.address.is_none()
            && self.objects.is_empty()
    }
}

/// What is kept of a cluster.
struct Standing {
    name: String,
    applied: Revision,
    endpoint: Option<KubernetesEndpoint>,
    reported: Option<KubernetesEndpoint>,
    wrong: WrongSince,
}

impl Standing {
    fn address<'r>(&self, report: &'r StatusReport) -> Option<Address<'r>> {
        let said = report.settings.as_ref()?.kubernetes_endpoint.as_ref()?;
        match (&self.endpoint, &self.reported) {
            (None, _) => Some(Address::Pinned(said)),
            (Some(pinned), _) if pinned == said => None,
            (Some(_), None) => Some(Address::Differs(said)),
            (Some(_), Some(waiting)) => (waiting != said).then_some(Address::DiffersAgain(said)),
        }
    }
}

async fn news<'r>(tx: &mut Tx, cluster: ClusterId, report: &'r StatusReport) -> Result<News<'r>, StoreError> {
    let row = tx
        .row(
            "SELECT name, settings, applied_revision, kubernetes_endpoint, reported_endpoint, wrong_since
             FROM clusters WHERE id = $1",
            &[Arg::text(cluster)],
        )
        .await
        .context(WRITE)?
        .ok_or_else(|| StoreError::NotFound {
            what: "cluster",
            id: cluster.to_string(),
        })?;
    let before = row.opt_json("settings")?;
    let settings = match &report.settings {
        Some(after) if before.as_ref() != Some(after) => Some(Settings { before, after }),
        _ => None,
    };
    let applied = i64::try_from(report.revision.0).unwrap_or(i64::MAX);
    let revision = (row.int("applied_revision")? < applied).then_some(applied);
    let standing = Standing {
        name: row.text("name")?,
        applied: rows::revision(&row, "applied_revision")?,
        endpoint: row.opt_json("kubernetes_endpoint")?,
        reported: row.opt_json("reported_endpoint")?,
        wrong: row.opt_json("wrong_since")?.unwrap_or_default(),
    };
    let mut objects = Vec::new();
    for object in &report.objects {
        if is_news(tx, cluster, object).await? {
            objects.push(object);
        }
    }
    Ok(News {
        settings,
        revision,
        address: standing.address(report),
        objects,
        standing,
    })
}

/// Keeps an address; the endpoint that is served from now on.
async fn keep_address(
    tx: &mut Tx,
    cluster: ClusterId,
    address: &Address<'_>,
    name: &str,
    mut entry: AuditEntry,
) -> Result<(), StoreError> {
    let (statement, endpoint, event) = match address {
        Address::Pinned(endpoint) => (
            "UPDATE clusters SET kubernetes_endpoint = $2 WHERE id = $1",
            endpoint,
            Some("pinned"),
        ),
        Address::Differs(endpoint) => (
            "UPDATE clusters SET reported_endpoint = $2 WHERE id = $1",
            endpoint,
            Some("differs; not served"),
        ),
        Address::DiffersAgain(endpoint) => (
            "UPDATE clusters SET reported_endpoint = $2 WHERE id = $1",
            endpoint,
            None,
        ),
    };
    tx.execute(statement, &[Arg::text(cluster), Arg::json(endpoint)?])
        .await
        .context(WRITE)?;
    if let Some(event) = event {
        entry
            .metadata
            .insert("kubernetesEndpoint".to_owned(), endpoint.server.clone());
        entry.metadata.insert("endpoint".to_owned(), event.to_owned());
        audit::append(tx, &entry.about(cluster, name)).await?;
    }
    Ok(())
}

/// Keeps since when what is wrong with the cluster has been so, by a report with settings.
async fn keep_wrong(
    tx: &mut Tx,
    cluster: ClusterId,
    report: &StatusReport,
    standing: &Standing,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(settings) = &report.settings else {
        return Ok(());
    };
    let differs = match standing.address(report) {
        Some(Address::Differs(_) | Address::DiffersAgain(_)) => true,
        Some(Address::Pinned(_)) => false,
        None => standing.reported.is_some(),
    };
    let kinds = settings.wrong().into_iter().map(|issue| issue.kind);
    let kinds = kinds.chain(differs.then(|| REPORTED_ENDPOINT.to_owned()));
    let wrong = wrong_since(&standing.wrong, kinds, at);
    if wrong != standing.wrong {
        tx.execute(
            "UPDATE clusters SET wrong_since = $2 WHERE id = $1",
            &[Arg::text(cluster), Arg::json(&wrong)?],
        )
        .await
        .context(WRITE)?;
    }
    Ok(())
}

/// New is what the cluster is to have and what was not said before.
async fn is_news(tx: &mut Tx, cluster: ClusterId, object: &ObjectStatus) -> Result<bool, StoreError> {
    let (kind, id) = rows::key_columns(object.key);
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
        .context(WRITE)?;
    let Some(row) = row else { return Ok(false) };
    Ok(
        rows::status(&row)?
            .is_none_or(|known| known.phase != object.phase || known.message != object.message),
    )
}

async fn write_status(
    tx: &mut Tx,
    cluster: ClusterId,
    object: &ObjectStatus,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (kind, id) = rows::key_columns(object.key);
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
    .context(WRITE)
    .map(drop)
}

/// What of a report is told to the directory.
struct Told {
    /// Settings, or where people reach the API server.
    facts: bool,
    revision: Option<i64>,
}

impl Told {
    const fn by(news: &News<'_>) -> Self {
        Self {
            facts: news.settings.is_some() || matches!(news.address, Some(Address::Pinned(_))),
            revision: news.revision,
        }
    }
}

async fn changed(tx: &mut Tx, cluster: ClusterId, told: &Told) -> Result<Changes, StoreError> {
    if told.facts {
        let facts = directory::cluster_facts(tx, cluster, WRITE).await?;
        return Ok(Changes::of(DirectoryChange::Cluster(facts)));
    }
    Ok(told.revision.map_or_else(Changes::default, |revision| {
        Changes::of(DirectoryChange::Applied(
            cluster,
            Revision(revision.unsigned_abs()),
        ))
    }))
}

#[async_trait]
impl Reports for SqlStore {
    async fn report(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        report: &StatusReport,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Option<Reported>>, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, WRITE)?;
        // Most reports say nothing new: those never ask for the writer. Most of the others are not recorded.
        let recorded = {
            let news = news(&mut self.read(WRITE).await?, cluster, report).await?;
            if news.is_empty() {
                return Ok(Committed::unchanged(None));
            }
            news.settings.is_some() || news.address.is_some()
        };
        let mut tx = match recorded {
            true => self.write(WRITE).await?,
            false => self.write_report(cluster, WRITE).await?,
        };
        let news = news(&mut tx, cluster, report).await?;
        let told = Told::by(&news);
        let mut standing = news.standing;
        if recorded {
            keep_wrong(&mut tx, cluster, report, &standing, at).await?;
        }
        if let Some(address) = &news.address {
            keep_address(&mut tx, cluster, address, &standing.name, entry.clone()).await?;
            if let Address::Pinned(endpoint) = address {
                standing.endpoint = Some((*endpoint).clone());
            }
        }
        if let Some(settings) = news.settings {
            tx.execute(
                "UPDATE clusters SET settings = $2 WHERE id = $1",
                &[Arg::text(cluster), Arg::json(settings.after)?],
            )
            .await
            .context(WRITE)?;
            if let Some(entry) = settings.told(entry.about(cluster, &standing.name))? {
                audit::append(&mut tx, &entry).await?;
            }
        }
        if let Some(revision) = news.revision {
            tx.execute(
                "UPDATE clusters SET applied_revision = $2 WHERE id = $1",
                &[Arg::text(cluster), revision.into()],
            )
            .await
            .context(WRITE)?;
            standing.applied = report.revision;
        }
        for object in news.objects {
            write_status(&mut tx, cluster, object, at).await?;
        }
        let (_, log) = changed(&mut tx, cluster, &told).await?.write(&mut tx).await?;
        tx.commit().await.context(WRITE)?;
        Ok(Committed {
            value: Some(Reported {
                applied_revision: standing.applied,
                endpoint: standing.endpoint,
            }),
            revisions: Vec::new(),
            log,
            step: None,
        })
    }

    async fn heard_of(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        at: Timestamp,
        begins: bool,
    ) -> Result<(), StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, WRITE)?;
        let mut tx = self.record_later(WRITE).await?;
        if begins {
            tx.execute(
                "UPDATE clusters SET connected_since = $2
                 WHERE id = $1 AND (connected_since IS NULL OR last_liveness IS NULL OR last_liveness < $3)",
                &[
                    Arg::text(cluster),
                    at.into(),
                    at.plus_seconds(-CONNECTED_SECONDS).into(),
                ],
            )
            .await
            .context(WRITE)?;
        }
        tx.execute(
            "UPDATE clusters SET last_liveness = $2 WHERE id = $1",
            &[Arg::text(cluster), at.into()],
        )
        .await
        .context(WRITE)?;
        tx.commit().await.context(WRITE)
    }
}
