//! Collecting what a write changes, in clusters' desired state and in the directory, and the end of every write: one new
//! revision a touched cluster, the change log, the audit event, and the commit.

use std::collections::BTreeMap;

use reeve_authz::Scope;
use reeve_link::{DesiredObject, ObjectKey};
use reeve_store::{
    AccessRuleRow, AuditEntry, CHANGES_TOGETHER, Committed, DirectoryChange, LoggedChanges, StoreError,
    desired,
};
use reeve_types::{AccessRuleId, ClusterId, Revision, RevisionToken, Timestamp};

use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::{audit, change_log, revision_tokens, rows};

const OPERATION: &str = "write desired state";

/// What a write changes.
#[derive(Default)]
pub(crate) struct Changes {
    /// By cluster. The map's order is the order in which rows are locked.
    desired: BTreeMap<ClusterId, BTreeMap<ObjectKey, Option<DesiredObject>>>,
    /// In the order in which they are to be applied.
    directory: Vec<DirectoryChange>,
}

impl Changes {
    /// A write of which this is all that changes in the directory.
    pub(crate) fn of(change: DirectoryChange) -> Self {
        Self {
            directory: vec![change],
            ..Self::default()
        }
    }

    pub(crate) fn upsert(&mut self, cluster: ClusterId, object: DesiredObject) {
        self.desired
            .entry(cluster)
            .or_default()
            .insert(object.key(), Some(object));
    }

    pub(crate) fn delete(&mut self, cluster: ClusterId, key: ObjectKey) {
        self.desired.entry(cluster).or_default().insert(key, None);
    }

    /// Something changes in the directory.
    pub(crate) fn directory(&mut self, change: DirectoryChange) {
        self.directory.push(change);
    }

    /// Access rules are no more.
    pub(crate) fn rules_deleted(&mut self, rules: &[AccessRuleId]) {
        for some in rules.chunks(CHANGES_TOGETHER) {
            self.directory(DirectoryChange::RulesDeleted(some.to_vec()));
        }
    }

    /// The end of a write: all of it, with its audit event, or nothing.
    pub(crate) async fn commit<T>(
        self,
        mut tx: Tx,
        entry: &AuditEntry,
        value: T,
        operation: &'static str,
    ) -> Result<Committed<T>, StoreError> {
        let (revisions, log) = self.write(&mut tx).await?;
        audit::append(&mut tx, entry).await?;
        let step = tx.trail().step();
        tx.commit().await.context(operation)?;
        Ok(Committed {
            value,
            revisions,
            log,
            step,
        })
    }

    /// Writes desired state and change log; a deletion of what a cluster does not have changes nothing.
    pub(crate) async fn write(
        mut self,
        tx: &mut Tx,
    ) -> Result<(Vec<(ClusterId, Revision)>, Vec<LoggedChanges>), StoreError> {
        let mut revisions = Vec::new();
        for (cluster, objects) in self.desired {
            let all: Vec<_> = objects.into_iter().collect();
            let (raised, real) = match all.as_slice() {
                // What a revocation mostly is, and its answer waits for: one question less.
                [(key, None)] => (raise_without(tx, cluster, *key).await?, all),
                _ => {
                    let real = those_that_change(tx, cluster, all).await?;
                    if real.is_empty() {
                        continue;
                    }
                    (Some(raise(tx, cluster).await?), real)
                }
            };
            let Some((revision, before)) = raised else {
                continue;
            };
            revision_tokens::follow(tx, cluster, revision, before, &real).await?;
            for (key, object) in &real {
                put(tx, cluster, *key, object.as_ref(), revision).await?;
            }
            revisions.push((cluster, Revision(revision.unsigned_abs())));
        }
        for some in revisions.chunks(CHANGES_TOGETHER) {
            self.directory.push(DirectoryChange::Revisions(some.to_vec()));
        }
        let log = change_log::append(tx, self.directory).await?;
        Ok((revisions, log))
    }
}

/// All but deletions of what the cluster does not have.
async fn those_that_change(
    tx: &mut Tx,
    cluster: ClusterId,
    all: Vec<(ObjectKey, Option<DesiredObject>)>,
) -> Result<Vec<(ObjectKey, Option<DesiredObject>)>, StoreError> {
    let mut real = Vec::with_capacity(all.len());
    for (key, object) in all {
        if object.is_some() || has(tx, cluster, key).await? {
            real.push((key, object));
        }
    }
    Ok(real)
}

async fn has(tx: &mut Tx, cluster: ClusterId, key: ObjectKey) -> Result<bool, StoreError> {
    let (kind, id) = rows::key_columns(key);
    let row = tx
        .row(
            "SELECT revision FROM desired_objects
             WHERE cluster_id = $1 AND kind = $2 AND object_id = $3 AND body IS NOT NULL",
            &[Arg::text(cluster), kind.into(), Arg::text(id)],
        )
        .await
        .context(OPERATION)?;
    Ok(row.is_some())
}

/// The next revision, and the token of the one before it.
async fn raise(tx: &mut Tx, cluster: ClusterId) -> Result<(i64, Option<RevisionToken>), StoreError> {
    let row = tx
        .row(
            "UPDATE cluster_revisions SET revision = revision + 1 WHERE cluster_id = $1
             RETURNING revision, (SELECT t.token FROM revision_tokens t WHERE t.cluster_id = cluster_revisions.cluster_id
                                  AND t.revision = cluster_revisions.revision - 1) AS before",
            &[Arg::text(cluster)],
        )
        .await
        .context(OPERATION)?
        .ok_or_else(|| StoreError::NotFound {
            what: "cluster",
            id: cluster.to_string(),
        })?;
    raised(&row)
}

/// The same for the deletion of one object; none where the cluster does not have it.
async fn raise_without(
    tx: &mut Tx,
    cluster: ClusterId,
    key: ObjectKey,
) -> Result<Option<(i64, Option<RevisionToken>)>, StoreError> {
    let (kind, id) = rows::key_columns(key);
    tx.row(
        "UPDATE cluster_revisions SET revision = revision + 1
         WHERE cluster_id = $1 AND EXISTS (SELECT 1 FROM desired_objects o WHERE o.cluster_id = $1 AND o.kind = $2
                                           AND o.object_id = $3 AND o.body IS NOT NULL)
         RETURNING revision, (SELECT t.token FROM revision_tokens t WHERE t.cluster_id = cluster_revisions.cluster_id
                              AND t.revision = cluster_revisions.revision - 1) AS before",
        &[Arg::text(cluster), kind.into(), Arg::text(id)],
    )
    .await
    .context(OPERATION)?
    .map(|row| raised(&row))
    .transpose()
}

fn raised(row: &Row) -> Result<(i64, Option<RevisionToken>), StoreError> {
    Ok((row.int("revision")?, row.opt_parsed("before")?))
}

async fn put(
    tx: &mut Tx,
    cluster: ClusterId,
    key: ObjectKey,
    object: Option<&DesiredObject>,
    revision: i64,
) -> Result<(), StoreError> {
    let (kind, id) = rows::key_columns(key);
    let body = match object {
        Some(object) => Arg::json(object)?,
        None => Arg::Text(None),
    };
    tx.execute(
        "INSERT INTO desired_objects (cluster_id, kind, object_id, revision, body) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (cluster_id, kind, object_id) DO UPDATE SET revision = excluded.revision, body = excluded.body",
        &[Arg::text(cluster), kind.into(), Arg::text(&id), revision.into(), body],
    )
    .await
    .context(OPERATION)?;
    if object.is_none() {
        tx.execute(
            "DELETE FROM object_status WHERE cluster_id = $1 AND kind = $2 AND object_id = $3",
            &[Arg::text(cluster), kind.into(), Arg::text(id)],
        )
        .await
        .context(OPERATION)?;
    }
    Ok(())
}

/// The clusters that a rule in this scope reaches now.
pub(crate) async fn reached(
    tx: &mut Tx,
    scope: Scope,
    cluster: Option<ClusterId>,
) -> Result<Vec<ClusterId>, StoreError> {
    match (scope, cluster) {
        (Scope::Account, _) => tx
            .rows("SELECT id FROM clusters ORDER BY id", &[])
            .await
            .context("list the clusters a rule reaches")?
            .iter()
            .map(|row| row.parsed("id"))
            .collect(),
        (_, cluster) => Ok(cluster.into_iter().collect()),
    }
}

/// Soft-deletes rules and takes them out of every cluster they reach; answers their numbers.
pub(crate) async fn soft_delete_rules(
    tx: &mut Tx,
    changes: &mut Changes,
    rules: &[AccessRuleRow],
    at: Timestamp,
) -> Result<Vec<AccessRuleId>, StoreError> {
    for rule in rules {
        tx.execute(
            "UPDATE access_rules SET deleted_at = $2 WHERE id = $1",
            &[rule.id.number().into(), at.into()],
        )
        .await
        .context("delete access rules")?;
        for cluster in reached(tx, rule.scope, rule.cluster_id).await? {
            changes.delete(cluster, ObjectKey::AccessRule(rule.id));
        }
    }
    Ok(rules.iter().map(|rule| rule.id).collect())
}

/// Puts rules into every cluster they reach.
pub(crate) async fn spread_rules(
    tx: &mut Tx,
    changes: &mut Changes,
    rules: &[AccessRuleRow],
) -> Result<(), StoreError> {
    for rule in rules {
        for cluster in reached(tx, rule.scope, rule.cluster_id).await? {
            changes.upsert(cluster, desired::of_access_rule(rule));
        }
    }
    Ok(())
}
