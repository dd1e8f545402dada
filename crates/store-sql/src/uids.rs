//! Giving a uid to its first owner, and releasing one that was given by mistake.

use reeve_link::DesiredObject;
use reeve_store::{AuditEntry, EMAIL_RESTS_SECONDS, StoreError};
use reeve_types::{Email, PosixIdentity, Timestamp, Uid, UserId};

use crate::audit;
use crate::driver::{Arg, Row, StoreResultExt, Tx};

const RELEASE: &str = "release a uid";
const GIVE: &str = "give a uid";

/// Who had it, and when she lost it.
struct Given {
    owner: String,
    left_at: Timestamp,
    event: i64,
}

fn given(row: &Row) -> Result<Given, StoreError> {
    Ok(Given {
        owner: row.text("user_id")?,
        left_at: row.time("left_at")?,
        event: row.int("event")?,
    })
}

/// Gives a uid to its first owner, for ever unless it is released.
pub(crate) async fn claim(tx: &mut Tx, id: UserId, uid: Uid) -> Result<(), StoreError> {
    let event = audit::next_sequence(tx).await?;
    tx.trail().gave_uids();
    tx.execute(
        "INSERT INTO used_uids (uid, user_id, event) VALUES ($1, $2, $3)
         ON CONFLICT (uid) DO UPDATE SET user_id = excluded.user_id, event = excluded.event, left_at = 0
         WHERE used_uids.user_id = ''",
        &[uid.number().into(), Arg::text(id), event.into()],
    )
    .await
    .context(GIVE)?;
    let owner = tx
        .row(
            "SELECT user_id FROM used_uids WHERE uid = $1",
            &[uid.number().into()],
        )
        .await
        .context(GIVE)?
        .map(|row| row.parsed::<UserId>("user_id"))
        .transpose()?;
    if owner == Some(id) {
        Ok(())
    } else {
        Err(StoreError::UidTaken(uid))
    }
}

/// Makes a uid free, when nobody and nothing bears it; the event says whose it was.
pub(crate) async fn release(
    tx: &mut Tx,
    uid: Uid,
    at: Timestamp,
    entry: AuditEntry,
) -> Result<AuditEntry, StoreError> {
    let given = tx
        .one(
            "SELECT user_id, left_at, event FROM used_uids WHERE uid = $1 AND user_id <> ''",
            &[uid.number().into()],
            given,
            RELEASE,
        )
        .await?
        .ok_or_else(|| StoreError::NotFound {
            what: "given uid",
            id: uid.to_string(),
        })?;
    let in_use = |why: String| StoreError::UidInUse { uid, why };
    let owner = owner(tx, &given.owner).await?;
    if let Some((email, Some(posix))) = &owner
        && posix.uid() == uid
    {
        return Err(in_use(format!(
            "`{email}` has it now; give her another one first"
        )));
    }
    if let Some(workload) = borne_by(tx, uid).await? {
        return Err(in_use(format!(
            "{workload} runs as it; delete that workload first"
        )));
    }
    if let Some((name, until)) = signed_in_with(tx, uid, at).await? {
        return Err(in_use(format!(
            "`{name}` has it from the identity provider in a session that counts until {until}; sign the user out \
             (`POST /api/v1/users/{{userId}}/logout`), and release it after that"
        )));
    }
    if let Some(cluster) = behind(tx).await? {
        return Err(in_use(format!(
            "cluster `{cluster}` has not yet said that workloads deleted here are gone there; wait until it has, or delete \
             the cluster"
        )));
    }
    let until = given.left_at.plus_seconds(EMAIL_RESTS_SECONDS);
    if at < until {
        return Err(in_use(format!(
            "a Kubernetes token that was given with it may be good until {until}; release it after that"
        )));
    }
    let event = audit::next_sequence(tx).await?;
    tx.trail().gave_uids();
    tx.execute(
        "UPDATE used_uids SET user_id = '', event = $2 WHERE uid = $1",
        &[uid.number().into(), event.into()],
    )
    .await
    .context(RELEASE)?;
    let mut entry = entry.about(uid, uid);
    let name = owner.map_or_else(|| "none".to_owned(), |(email, _)| email.to_string());
    for (key, value) in [
        ("owner_before", given.owner),
        ("owner_email_before", name),
        ("given_by_event", given.event.to_string()),
        ("owner_after", "none".to_owned()),
    ] {
        entry.metadata.insert(key.to_owned(), value);
    }
    Ok(entry)
}

/// A cluster where a workload may still run that was deleted here: nobody knows any more whose it is. The oldest
/// tombstones are gone, so a cluster that has not come to where those that are kept begin may run anything.
async fn behind(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    tx.row(
        "SELECT c.name FROM clusters c
         WHERE EXISTS (SELECT 1 FROM desired_objects o
                       WHERE o.cluster_id = c.id AND o.kind = 'workload' AND o.body IS NULL
                         AND o.revision > c.applied_revision)
            OR c.applied_revision < (SELECT r.forgotten FROM cluster_revisions r WHERE r.cluster_id = c.id)
         LIMIT 1",
        &[],
    )
    .await
    .context(RELEASE)?
    .map(|row| row.text("name"))
    .transpose()
}

/// Who signed in with a uid of the identity provider, and until when that counts: until the last Kubernetes token of the session
/// is worth nothing.
async fn signed_in_with(
    tx: &mut Tx,
    uid: Uid,
    at: Timestamp,
) -> Result<Option<(String, Timestamp)>, StoreError> {
    let rows = tx
        .rows(
            "SELECT s.subject_id, u.email, s.posix, s.ends_at, s.ended_at FROM sessions s
             LEFT JOIN users u ON u.id = s.subject_id
             WHERE s.subject_kind = 'user' AND s.posix LIKE $1",
            &[Arg::text(format!("%\"uid\":{}%", uid.number()))],
        )
        .await
        .context(RELEASE)?;
    for row in rows {
        let posix: Option<PosixIdentity> = row.opt_json("posix")?;
        let ends = row
            .opt_time("ended_at")?
            .map_or_else(|| row.time("ends_at"), Ok)?;
        let until = ends.plus_seconds(EMAIL_RESTS_SECONDS);
        if posix.is_some_and(|posix| posix.uid() == uid) && at < until {
            let name = row
                .opt_text("email")?
                .map_or_else(|| row.text("subject_id"), Ok)?;
            return Ok(Some((name, until)));
        }
    }
    Ok(None)
}

/// Whoever a uid was given to, if she is still there, and her numbers.
async fn owner(tx: &mut Tx, id: &str) -> Result<Option<(Email, Option<PosixIdentity>)>, StoreError> {
    let _: UserId = id.parse().map_err(|_| StoreError::Corrupt {
        what: "user_id",
        reason: format!("`{id}` is no user id"),
    })?;
    tx.row("SELECT email, posix FROM users WHERE id = $1", &[Arg::text(id)])
        .await
        .context(RELEASE)?
        .map(|row| Ok((row.parsed("email")?, row.opt_json("posix")?)))
        .transpose()
}

/// A workload that runs as a uid and has not ended, for a sentence.
async fn borne_by(tx: &mut Tx, uid: Uid) -> Result<Option<String>, StoreError> {
    let rows = tx
        .rows(
            "SELECT w.id, w.name, o.body FROM workloads w
             JOIN desired_objects o
               ON o.cluster_id = w.cluster_id AND o.kind = 'workload' AND o.object_id = w.id AND o.body LIKE $1
             LEFT JOIN object_status s
               ON s.cluster_id = w.cluster_id AND s.kind = 'workload' AND s.object_id = w.id
             WHERE s.phase IS NULL OR s.phase NOT IN ('Completed', 'Failed') ORDER BY w.created_at",
            &[Arg::text(format!("%\"uid\":{}%", uid.number()))],
        )
        .await
        .context(RELEASE)?;
    for row in rows {
        // The number may stand there for something else: a variable's value, say.
        let DesiredObject::Workload(workload) = row.json::<DesiredObject>("body")? else {
            continue;
        };
        if workload
            .identity
            .is_some_and(|identity| identity.posix.uid() == uid)
        {
            return Ok(Some(format!(
                "workload `{}` ({})",
                row.text("name")?,
                row.text("id")?
            )));
        }
    }
    Ok(None)
}
