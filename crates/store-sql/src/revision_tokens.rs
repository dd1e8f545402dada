//! The tokens of revisions: each is a digest of the one before it and of what changed.
//!
//! So two databases, one of which began as a copy of the other, have the same token for the same revision exactly as long as
//! the same was changed in both, and an operator goes on from it in either.

use reeve_link::{DesiredObject, ObjectKey, Resume};
use reeve_store::{REVISIONS_KEPT, StoreError};
use reeve_types::{ClusterId, RevisionToken};
use sha2::{Digest, Sha256};

use crate::driver::{Arg, StoreResultExt, Tx};
use crate::{SqlStore, rows};

const WRITE: &str = "write the token of a revision";
const READ: &str = "look a revision's token up";

/// After how many revisions the oldest are forgotten.
const FORGET_EACH: i64 = 100;

async fn token_of(
    tx: &mut Tx,
    cluster: ClusterId,
    revision: i64,
) -> Result<Option<RevisionToken>, StoreError> {
    tx.row(
        "SELECT token FROM revision_tokens WHERE cluster_id = $1 AND revision = $2",
        &[Arg::text(cluster), revision.into()],
    )
    .await
    .context(READ)?
    .map(|row| row.parsed("token"))
    .transpose()
}

async fn put(tx: &mut Tx, cluster: ClusterId, revision: i64, token: RevisionToken) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO revision_tokens (cluster_id, revision, token) VALUES ($1, $2, $3)",
        &[Arg::text(cluster), revision.into(), Arg::text(token)],
    )
    .await
    .context(WRITE)
    .map(drop)
}

fn digest(parts: &[&[u8]]) -> RevisionToken {
    let mut digest = Sha256::new();
    for part in parts {
        // With its length: no two lists of parts are the same bytes.
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    let mut bytes = [0; 16];
    for (byte, digested) in bytes.iter_mut().zip(digest.finalize()) {
        *byte = digested;
    }
    RevisionToken::from_bytes(bytes)
}

/// The token with which a cluster begins: of its id, and of where the audit log stands.
pub(crate) async fn begin(tx: &mut Tx, cluster: ClusterId, revision: i64) -> Result<(), StoreError> {
    let head = crate::audit::head(tx).await?.to_string();
    let token = digest(&[
        cluster.to_string().as_bytes(),
        &revision.to_be_bytes(),
        head.as_bytes(),
    ]);
    put(tx, cluster, revision, token).await
}

/// A revision was raised to this one by these changes, from one with the token `before`.
pub(crate) async fn follow(
    tx: &mut Tx,
    cluster: ClusterId,
    revision: i64,
    before: Option<RevisionToken>,
    changes: &[(ObjectKey, Option<DesiredObject>)],
) -> Result<(), StoreError> {
    let before = before.ok_or_else(|| StoreError::Corrupt {
        what: "revision token",
        reason: format!("revision {} of cluster `{cluster}` has none", revision - 1),
    })?;
    let mut parts = vec![before.to_string().into_bytes(), revision.to_be_bytes().to_vec()];
    for (key, object) in changes {
        let (kind, id) = rows::key_columns(*key);
        parts.push(kind.as_bytes().to_vec());
        parts.push(id.into_bytes());
        parts.push(serde_json::to_vec(object).map_err(|error| StoreError::Corrupt {
            what: "desired object",
            reason: error.to_string(),
        })?);
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    put(tx, cluster, revision, digest(&parts)).await?;
    if revision % FORGET_EACH == 0 {
        forget(tx, cluster, revision - REVISIONS_KEPT + 1).await?;
    }
    Ok(())
}

/// Forgets the tokens of before `oldest`, and the tombstones that nobody needs who resumes from there or from later.
async fn forget(tx: &mut Tx, cluster: ClusterId, oldest: i64) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM revision_tokens WHERE cluster_id = $1 AND revision < $2",
        "DELETE FROM desired_objects WHERE cluster_id = $1 AND body IS NULL AND revision <= $2",
        "UPDATE cluster_revisions SET forgotten = $2 WHERE cluster_id = $1 AND forgotten < $2",
    ] {
        tx.execute(statement, &[Arg::text(cluster), oldest.into()])
            .await
            .context(WRITE)?;
    }
    Ok(())
}

/// Gives a first token to each cluster of a database that an earlier version wrote.
pub(crate) async fn begin_missing(store: &SqlStore) -> Result<(), StoreError> {
    // Nearly always there are none: then nobody waits for this one, and nothing is locked.
    if missing(&mut store.read(WRITE).await?).await?.is_empty() {
        return Ok(());
    }
    let mut tx = store.write(WRITE).await?;
    for (cluster, revision) in missing(&mut tx).await? {
        begin(&mut tx, cluster, revision).await?;
    }
    tx.commit().await.context(WRITE)
}

/// The clusters whose revision has no token.
async fn missing(tx: &mut Tx) -> Result<Vec<(ClusterId, i64)>, StoreError> {
    tx.all(
            "SELECT c.cluster_id, c.revision FROM cluster_revisions c WHERE NOT EXISTS
                 (SELECT 1 FROM revision_tokens t WHERE t.cluster_id = c.cluster_id AND t.revision = c.revision)",
            &[],
            |row| Ok((row.parsed("cluster_id")?, row.int("revision")?)),
            WRITE,
        )
        .await
}

/// Whether a revision is one of those kept, with this token.
pub(crate) async fn has(tx: &mut Tx, cluster: ClusterId, resume: &Resume) -> Result<bool, StoreError> {
    let revision = i64::try_from(resume.revision.0).unwrap_or(i64::MAX);
    Ok(token_of(tx, cluster, revision).await? == Some(resume.token))
}
