//! Desired state in SQL.

use async_trait::async_trait;
use reeve_authz::{BootstrapException, Granted};
use reeve_link::desired::ObjectKey;
use reeve_link::{DesiredObject, Resume, Versioned};
use reeve_store::{Deleted, DesiredPart, DesiredState, Later, StoreError, gate};
use reeve_types::{ClusterId, Revision, RevisionToken};

use crate::SqlStore;
use crate::driver::{Arg, Row, StoreResultExt, Tx, from_json};
use crate::{revision_tokens, rows};

const READ: &str = "read desired state";

/// Where a cluster stands, and the token of that revision.
async fn current(tx: &mut Tx, cluster: ClusterId) -> Result<Option<(Revision, RevisionToken)>, StoreError> {
    tx.row(
        "SELECT c.revision, t.token FROM cluster_revisions c
         JOIN revision_tokens t ON t.cluster_id = c.cluster_id AND t.revision = c.revision
         WHERE c.cluster_id = $1",
        &[Arg::text(cluster)],
    )
    .await
    .context(READ)?
    .map(|row| Ok((rows::revision(&row, "revision")?, row.parsed("token")?)))
    .transpose()
}

/// Up to which revision tombstones are gone.
async fn forgotten(tx: &mut Tx, cluster: ClusterId) -> Result<i64, StoreError> {
    tx.row(
        "SELECT forgotten FROM cluster_revisions WHERE cluster_id = $1",
        &[Arg::text(cluster)],
    )
    .await
    .context(READ)?
    .map_or(Ok(0), |row| row.int("forgotten"))
}

fn key(row: &Row) -> Result<ObjectKey, StoreError> {
    match row.text("kind")?.as_str() {
        "access-rule" => Ok(ObjectKey::AccessRule(row.parsed("object_id")?)),
        "credential" => Ok(ObjectKey::Credential(row.parsed("object_id")?)),
        "workload" => Ok(ObjectKey::Workload(row.parsed("object_id")?)),
        "project" => Ok(ObjectKey::Project(row.parsed("object_id")?)),
        other => Err(StoreError::Corrupt {
            what: "kind",
            reason: format!("`{other}` is not one of ours"),
        }),
    }
}

/// How many rows are taken for one part at most, and one more that shows that there are more. Stands in the statements.
const ROWS: usize = 500;

/// What a credential counts for in a part: the most that its values may have.
const CREDENTIAL_BYTES: usize = 64 * 1024;

/// Takes rows until their bodies have enough bytes.
struct Collected {
    upserts: Vec<Versioned>,
    bytes: usize,
    most: usize,
    more: bool,
}

impl Collected {
    const fn new(most: usize) -> Self {
        Self {
            upserts: Vec::new(),
            bytes: 0,
            most,
            more: false,
        }
    }

    /// False for the first row that has no place any more.
    fn take(&mut self, row: &Row) -> Result<bool, StoreError> {
        if self.bytes >= self.most || self.upserts.len() >= ROWS {
            self.more = true;
            return Ok(false);
        }
        let body = row.text("body")?;
        let object: DesiredObject = from_json("body", &body)?;
        self.bytes += body.len();
        if matches!(object, DesiredObject::Credential(_)) {
            // Its values are put in when it is sent.
            self.bytes += CREDENTIAL_BYTES;
        }
        self.upserts.push(Versioned {
            revision: rows::revision(row, "revision")?,
            object,
        });
        Ok(true)
    }

    fn part<Next>(
        self,
        (revision, token): (Revision, RevisionToken),
        next: impl FnOnce(Revision, ObjectKey) -> Next,
    ) -> DesiredPart<Next> {
        let last = self.upserts.last().map(|it| (it.revision, it.object.key()));
        DesiredPart {
            revision,
            token,
            next: last
                .filter(|_| self.more)
                .map(|(revision, key)| next(revision, key)),
            upserts: self.upserts,
        }
    }
}

fn number(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

#[async_trait]
impl DesiredState for SqlStore {
    async fn may_resume(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        resume: &Resume,
    ) -> Result<bool, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, READ)?;
        revision_tokens::has(&mut self.read(READ).await?, cluster, resume).await
    }

    async fn desired_all(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        after: Option<ObjectKey>,
        bytes: usize,
    ) -> Result<Option<DesiredPart<ObjectKey>>, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, READ)?;
        let mut tx = self.read(READ).await?;
        let Some((revision, token)) = current(&mut tx, cluster).await? else {
            return Ok(None);
        };
        let (kind, id) = after.map_or(("", String::new()), rows::key_columns);
        let mut collected = Collected::new(bytes);
        // In the order of the alphabet, which is ours: rules, credentials, projects, workloads.
        tx.each(
            "SELECT revision, body FROM desired_objects
             WHERE cluster_id = $1 AND (kind, object_id) > ($2, $3) AND body IS NOT NULL
             ORDER BY kind, object_id LIMIT 501",
            &[Arg::text(cluster), kind.into(), Arg::text(id)],
            READ,
            |row| collected.take(row),
        )
        .await?;
        Ok(Some(collected.part((revision, token), |_, key| key)))
    }

    async fn desired_since(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        since: Later,
        bytes: usize,
    ) -> Result<Option<DesiredPart<Later>>, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, READ)?;
        let mut tx = self.read(READ).await?;
        let Some((revision, token)) = current(&mut tx, cluster).await? else {
            return Ok(None);
        };
        // Without an object everything of that revision is known: it begins with the next one. No character is said to come
        // after all others: that depends on the database's collation.
        let (since_revision, (kind, id)) = match since.object {
            Some(object) => (number(since.revision), rows::key_columns(object)),
            None => (number(since.revision).saturating_add(1), ("", String::new())),
        };
        let mut collected = Collected::new(bytes);
        tx.each(
            "SELECT revision, body FROM desired_objects
             WHERE cluster_id = $1 AND revision >= $2 AND body IS NOT NULL
               AND (revision > $2 OR kind > $3 OR (kind = $3 AND object_id > $4))
             ORDER BY revision, kind, object_id LIMIT 501",
            &[
                Arg::text(cluster),
                since_revision.into(),
                kind.into(),
                Arg::text(id),
            ],
            READ,
            |row| collected.take(row),
        )
        .await?;
        let next = |revision, key| Later {
            revision,
            object: Some(key),
        };
        Ok(Some(collected.part((revision, token), next)))
    }

    async fn deleted_since(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        since: Revision,
        most: usize,
    ) -> Result<Option<Deleted>, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, READ)?;
        let mut tx = self.read(READ).await?;
        let Some((revision, token)) = current(&mut tx, cluster).await? else {
            return Ok(None);
        };
        if forgotten(&mut tx, cluster).await? > number(since) {
            return Ok(Some(Deleted {
                revision,
                token,
                keys: None,
            }));
        }
        let mut keys = Some(Vec::new());
        tx.each(
            "SELECT kind, object_id FROM desired_objects
             WHERE cluster_id = $1 AND revision > $2 AND body IS NULL LIMIT $3",
            &[
                Arg::text(cluster),
                number(since).into(),
                i64::try_from(most)
                    .map_or(i64::MAX, |most| most.saturating_add(1))
                    .into(),
            ],
            READ,
            |row| {
                match &mut keys {
                    Some(all) if all.len() < most => all.push(key(row)?),
                    _ => keys = None,
                }
                Ok(keys.is_some())
            },
        )
        .await?;
        if let Some(keys) = &mut keys {
            keys.sort_unstable();
        }
        Ok(Some(Deleted {
            revision,
            token,
            keys,
        }))
    }
}
