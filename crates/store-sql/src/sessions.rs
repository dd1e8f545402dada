//! Sessions in SQL. Sign-ins do not wait for changes, so the subject's row decides, whichever came first to it.

use async_trait::async_trait;
use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_store::{
    AuditEntry, CHANGES_TOGETHER, Committed, CredentialHash, DirectoryChange, KEY_RESTS_SECONDS, KeySession,
    NewSession, RenewedSession, SESSIONS_OF_A_KEY, SESSIONS_OF_A_SUBJECT, SessionFacts, SessionRow, Sessions,
    StoreError, SubjectId, WRONG_PASSWORDS_SECONDS, gate,
};
use reeve_types::{AccessKeyId, PosixIdentity, SessionId, SignInMethod, Timestamp, UserId};

use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::{SqlStore, uids};

const SIGN_IN: &str = "write down a sign-in";
const GUESSED: &str = "count wrong passwords";
const READ: &str = "read sessions";
const END: &str = "end a session";
const PRUNE: &str = "forget sessions that ended";

/// Whether a permission is that of the server itself, by which it records what becomes of a sign-in.
pub(crate) fn is_record(granted: &Granted, operation: &'static str) -> Result<(), StoreError> {
    gate::is(granted, BootstrapException::SessionRecord, operation)
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, subject_kind, subject_id, method, group_names, posix, created_at, refreshed_at, ends_at, ended_at,
                    access_key, behind
             FROM sessions ",
            $rest
        )
    };
}

macro_rules! signed_in {
    ($table:literal, $groups:literal, $proven:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET last_login = $2",
            $groups,
            " WHERE id = $1 AND ",
            $proven,
            " RETURNING id"
        )
    };
}

/// How a subject is kept: kind and id.
fn columns(subject: SubjectId) -> (&'static str, String) {
    match subject {
        SubjectId::User(id) => ("user", id.to_string()),
        SubjectId::ServiceAccount(id) => ("service-account", id.to_string()),
    }
}

fn entity(subject: SubjectId) -> Entity {
    match subject {
        SubjectId::User(_) => Entity::Users,
        SubjectId::ServiceAccount(_) => Entity::ServiceAccount,
    }
}

pub(crate) fn facts(row: &Row) -> Result<SessionFacts, StoreError> {
    let kind = row.text("subject_kind")?;
    let subject = match kind.as_str() {
        "user" => SubjectId::User(row.parsed("subject_id")?),
        "service-account" => SubjectId::ServiceAccount(row.parsed("subject_id")?),
        _ => {
            return Err(StoreError::Corrupt {
                what: "subject_kind",
                reason: format!("`{kind}` is no kind of subject"),
            });
        }
    };
    Ok(SessionFacts {
        id: row.parsed("id")?,
        subject,
        groups: row.json("group_names")?,
        posix: row.opt_json("posix")?,
        until: row.time("ends_at")?,
        access_key: key_session(row)?,
        by_password: row.parsed::<SignInMethod>("method")? == SignInMethod::Password,
    })
}

fn key_session(row: &Row) -> Result<Option<Box<KeySession>>, StoreError> {
    let Some(key) = row.opt_parsed("access_key")? else {
        return Ok(None);
    };
    let behind = row.opt_parsed("behind")?;
    Ok(Some(Box::new(KeySession { key, behind })))
}

fn session(row: &Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        facts: facts(row)?,
        method: row.parsed("method")?,
        created: row.time("created_at")?,
        refreshed: row.time("refreshed_at")?,
        ended: row.opt_time("ended_at")?,
    })
}

/// All that were not ended.
pub(crate) async fn live(tx: &mut Tx, operation: &'static str) -> Result<Vec<SessionFacts>, StoreError> {
    tx.all(select!("WHERE ended_at IS NULL"), &[], facts, operation)
        .await
}

pub(crate) fn say_ended(changes: &mut Changes, ids: &[SessionId]) {
    for some in ids.chunks(CHANGES_TOGETHER) {
        changes.directory(DirectoryChange::SessionsEnded(some.to_vec()));
    }
}

fn id(row: &Row) -> Result<SessionId, StoreError> {
    row.parsed("id")
}

/// Ends every session of a subject; how many.
pub(crate) async fn end_all(
    tx: &mut Tx,
    changes: &mut Changes,
    subject: SubjectId,
    at: Timestamp,
    operation: &'static str,
) -> Result<usize, StoreError> {
    let (kind, subject) = columns(subject);
    let ended = tx
        .all(
            "UPDATE sessions SET ended_at = $3 WHERE subject_kind = $1 AND subject_id = $2 AND ended_at IS NULL
             RETURNING id",
            &[kind.into(), Arg::text(subject), at.into()],
            id,
            operation,
        )
        .await?;
    say_ended(changes, &ended);
    Ok(ended.len())
}

/// Ends every session of a user but one; how many.
pub(crate) async fn end_others(
    tx: &mut Tx,
    changes: &mut Changes,
    user: UserId,
    kept: SessionId,
    at: Timestamp,
    operation: &'static str,
) -> Result<usize, StoreError> {
    let (kind, subject) = columns(SubjectId::User(user));
    let ended = tx
        .all(
            "UPDATE sessions SET ended_at = $3
             WHERE subject_kind = $1 AND subject_id = $2 AND ended_at IS NULL AND id <> $4 RETURNING id",
            &[kind.into(), Arg::text(subject), at.into(), Arg::text(kept)],
            id,
            operation,
        )
        .await?;
    say_ended(changes, &ended);
    Ok(ended.len())
}

/// Ends every session that an access key began; how many.
pub(crate) async fn end_of_key(
    tx: &mut Tx,
    changes: &mut Changes,
    owner: UserId,
    key: AccessKeyId,
    at: Timestamp,
    operation: &'static str,
) -> Result<usize, StoreError> {
    let ended = tx
        .all(
            "UPDATE sessions SET ended_at = $3
             WHERE subject_kind = 'user' AND subject_id = $1 AND access_key = $2 AND ended_at IS NULL
             RETURNING id",
            &[Arg::text(owner), Arg::text(key), at.into()],
            id,
            operation,
        )
        .await?;
    say_ended(changes, &ended);
    Ok(ended.len())
}

/// Ends every session there is.
pub(crate) async fn end_everybodys(
    tx: &mut Tx,
    at: Timestamp,
    operation: &'static str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL",
        &[at.into()],
    )
    .await
    .context(operation)?;
    Ok(())
}

/// Notes on the subject that it signed in; false when `proven` is no longer what checks it, or it is disabled or gone.
async fn note(
    tx: &mut Tx,
    new: &NewSession,
    proven: Option<&CredentialHash>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    if let (SubjectId::User(owner), Some(key)) = (new.subject, new.access_key) {
        return note_key(tx, owner, key, proven, at).await;
    }
    let groups = Arg::json(&new.groups)?;
    let subject = columns(new.subject).1;
    let row = match (new.subject, proven) {
        (SubjectId::User(_), Some(proven)) => {
            let sql = signed_in!(
                "users",
                ", group_names = $4, wrong_passwords = 0",
                "password = $3"
            );
            let args = [Arg::text(subject), at.into(), proven.as_str().into(), groups];
            tx.row(sql, &args).await
        }
        // Which user a provider's subject is was decided before.
        (SubjectId::User(_), None) => {
            let sql = signed_in!("users", ", group_names = $3", "TRUE");
            tx.row(sql, &[Arg::text(subject), at.into(), groups]).await
        }
        (SubjectId::ServiceAccount(_), Some(proven)) => {
            let sql = signed_in!("service_accounts", "", "secret = $3 AND enabled");
            let args = [Arg::text(subject), at.into(), proven.as_str().into()];
            tx.row(sql, &args).await
        }
        (SubjectId::ServiceAccount(_), None) => return Ok(false),
    };
    Ok(row.context(SIGN_IN)?.is_some())
}

/// Notes on an access key that it was used; false when it has another secret by now, is gone, or rests. The owner did not sign in:
/// nothing is noted on her.
async fn note_key(
    tx: &mut Tx,
    owner: UserId,
    key: AccessKeyId,
    proven: Option<&CredentialHash>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let Some(proven) = proven else {
        return Ok(false);
    };
    let used = tx
        .execute(
            "UPDATE access_keys SET last_login = $4
             WHERE id = $1 AND user_id = $2 AND secret = $3
               AND (EXISTS (SELECT 1 FROM users WHERE id = $2 AND (password IS NOT NULL OR last_login >= $5))
                    OR EXISTS (SELECT 1 FROM sessions WHERE subject_kind = 'user' AND subject_id = $2
                                 AND method = 'identity-provider' AND ended_at IS NULL AND ends_at > $4))",
            &[
                Arg::text(key),
                Arg::text(owner),
                proven.as_str().into(),
                at.into(),
                at.plus_seconds(-KEY_RESTS_SECONDS).into(),
            ],
        )
        .await
        .context(SIGN_IN)?;
    Ok(used == 1)
}

/// What the session of an access key is: the key, and of its owner's sessions by an identity provider the one that was confirmed
/// last.
async fn of_key(tx: &mut Tx, new: &NewSession, at: Timestamp) -> Result<Option<KeySession>, StoreError> {
    let Some(key) = new.access_key else {
        return Ok(None);
    };
    let (kind, subject) = columns(new.subject);
    let behind = tx
        .one(
            "SELECT id FROM sessions
             WHERE subject_kind = $1 AND subject_id = $2 AND method = 'identity-provider' AND ended_at IS NULL
               AND ends_at > $3
             ORDER BY COALESCE(checked_at, created_at) DESC, id LIMIT 1",
            &[kind.into(), Arg::text(subject), at.into()],
            id,
            SIGN_IN,
        )
        .await?;
    Ok(Some(KeySession { key, behind }))
}

/// The session to go on with, if there is one; its last token is given now.
async fn go_on(
    tx: &mut Tx,
    new: &NewSession,
    key: Option<KeySession>,
    at: Timestamp,
) -> Result<Option<SessionFacts>, StoreError> {
    let Some(until) = new.go_on_until else {
        return Ok(None);
    };
    let (kind, subject) = columns(new.subject);
    let found = tx
        .one(
            select!(
                "WHERE subject_kind = $1 AND subject_id = $2 AND method = $3 AND ended_at IS NULL AND ends_at >= $4
                   AND COALESCE(access_key, '') = $5 AND COALESCE(behind, '') = $6
                 ORDER BY ends_at DESC, id LIMIT 1"
            ),
            &[
                kind.into(),
                Arg::text(subject),
                Arg::text(new.method),
                until.into(),
                Arg::text(key_text(key.map(|it| it.key))),
                Arg::text(key_text(key.and_then(|it| it.behind))),
            ],
            facts,
            SIGN_IN,
        )
        .await?;
    if let Some(found) = &found {
        tx.execute(
            "UPDATE sessions SET refreshed_at = $2 WHERE id = $1",
            &[Arg::text(found.id), at.into()],
        )
        .await
        .context(SIGN_IN)?;
    }
    Ok(found)
}

/// An id that may be absent, to compare with.
fn key_text(id: Option<impl ToString>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

/// One that was not ended.
pub(crate) async fn live_one(
    tx: &mut Tx,
    id: SessionId,
    operation: &'static str,
) -> Result<Option<SessionFacts>, StoreError> {
    tx.one(
        select!("WHERE id = $1 AND ended_at IS NULL"),
        &[Arg::text(id)],
        facts,
        operation,
    )
    .await
}

/// An event about whose session it is.
pub(crate) fn about_subject(entry: AuditEntry, facts: &SessionFacts) -> AuditEntry {
    let (_, id) = columns(facts.subject);
    entry.about(id, "")
}

/// A session goes on as its provider says now.
pub(crate) async fn renew(
    tx: &mut Tx,
    before: &SessionFacts,
    renewed: &RenewedSession,
    at: Timestamp,
    operation: &'static str,
) -> Result<SessionFacts, StoreError> {
    claim(tx, before.subject, renewed.posix.as_ref()).await?;
    let (_, subject) = columns(before.subject);
    let posix = renewed.posix.as_ref().map_or(Ok(Arg::Text(None)), Arg::json)?;
    tx.execute(
        "UPDATE sessions SET group_names = $2, posix = $3, renewal = $4, ends_at = $5, refreshed_at = $6, checked_at = $6
         WHERE id = $1",
        &[
            Arg::text(before.id),
            Arg::json(&renewed.groups)?,
            posix,
            Arg::text(&renewed.renewal),
            renewed.until.into(),
            at.into(),
        ],
    )
    .await
    .context(operation)?;
    tx.execute(
        "UPDATE users SET group_names = $2 WHERE id = $1",
        &[Arg::text(subject), Arg::json(&renewed.groups)?],
    )
    .await
    .context(operation)?;
    Ok(SessionFacts {
        groups: renewed.groups.clone(),
        posix: renewed.posix.clone(),
        until: renewed.until,
        ..before.clone()
    })
}

/// Of an identity provider's uid: nobody else's ever, as if an administrator had given it. Without effect while one did.
async fn claim(tx: &mut Tx, subject: SubjectId, posix: Option<&PosixIdentity>) -> Result<(), StoreError> {
    let (SubjectId::User(user), Some(posix)) = (subject, posix) else {
        return Ok(());
    };
    let row = tx
        .row("SELECT posix FROM users WHERE id = $1", &[Arg::text(user)])
        .await
        .context(SIGN_IN)?;
    let given: Option<PosixIdentity> = row.map(|row| row.opt_json("posix")).transpose()?.flatten();
    match given {
        Some(_) => Ok(()),
        None => uids::claim(tx, user, posix.uid()).await,
    }
}

async fn insert(
    tx: &mut Tx,
    changes: &mut Changes,
    new: NewSession,
    key: Option<KeySession>,
    at: Timestamp,
) -> Result<SessionFacts, StoreError> {
    claim(tx, new.subject, new.posix.as_ref()).await?;
    let (kind, subject) = columns(new.subject);
    let posix = new.posix.as_ref().map_or(Ok(Arg::Text(None)), Arg::json)?;
    let provider = new.provider.as_ref();
    tx.execute(
        "INSERT INTO sessions (id, subject_kind, subject_id, method, group_names, posix, created_at, refreshed_at, ends_at,
                               provider, renewal, checked_at, access_key, behind)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13)",
        &[
            Arg::text(new.id),
            kind.into(),
            Arg::text(&subject),
            Arg::text(new.method),
            Arg::json(&new.groups)?,
            posix,
            at.into(),
            new.until.into(),
            Arg::opt_text(provider.map(|it| &it.alias)),
            Arg::opt_text(provider.and_then(|it| it.renewal.as_ref())),
            provider.map(|_| at.as_millis()).into(),
            Arg::opt_text(key.map(|it| it.key)),
            Arg::opt_text(key.and_then(|it| it.behind)),
        ],
    )
    .await
    .context(SIGN_IN)?;
    let facts = SessionFacts {
        id: new.id,
        subject: new.subject,
        groups: new.groups,
        posix: new.posix,
        until: new.until,
        access_key: key.map(Box::new),
        by_password: new.method == SignInMethod::Password,
    };
    let most = match key {
        Some(_) => SESSIONS_OF_A_KEY,
        None => SESSIONS_OF_A_SUBJECT,
    };
    changes.directory(DirectoryChange::Session(facts.clone()));
    let over = tx
        .all(
            "UPDATE sessions SET ended_at = $4 WHERE id IN (
                 SELECT id FROM sessions
                 WHERE subject_kind = $1 AND subject_id = $2 AND ended_at IS NULL AND id <> $3
                   AND COALESCE(access_key, '') = $6
                 ORDER BY created_at DESC, id LIMIT 1000 OFFSET $5)
             RETURNING id",
            &[
                kind.into(),
                Arg::text(subject),
                Arg::text(facts.id),
                at.into(),
                (most - 1).into(),
                Arg::text(key_text(key.map(|it| it.key))),
            ],
            id,
            SIGN_IN,
        )
        .await?;
    say_ended(changes, &over);
    Ok(facts)
}

#[async_trait]
impl Sessions for SqlStore {
    async fn begin_session(
        &self,
        granted: &Granted,
        new: NewSession,
        proven: Option<&CredentialHash>,
        entry: AuditEntry,
    ) -> Result<Committed<Option<SessionFacts>>, StoreError> {
        is_record(granted, SIGN_IN)?;
        let at = entry.timestamp;
        let mut tx = self.record_later(SIGN_IN).await?;
        if !note(&mut tx, &new, proven, at).await? {
            return Ok(Committed::unchanged(None));
        }
        let mut changes = Changes::default();
        let key = of_key(&mut tx, &new, at).await?;
        let facts = match go_on(&mut tx, &new, key, at).await? {
            Some(facts) => facts,
            None => insert(&mut tx, &mut changes, new, key, at).await?,
        };
        let mut entry = entry;
        entry.metadata.insert("session".to_owned(), facts.id.to_string());
        changes.commit(tx, &entry, Some(facts), SIGN_IN).await
    }

    async fn note_wrong_passwords(
        &self,
        granted: &Granted,
        wrong: &[(UserId, i64)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        is_record(granted, GUESSED)?;
        let mut tx = self.record_later(GUESSED).await?;
        for (user, count) in wrong {
            tx.execute(
                "UPDATE users SET
                     wrong_passwords = CASE WHEN wrong_passwords > 0 AND wrong_since > $4 AND wrong_since <= $3
                                            THEN wrong_passwords + $2 ELSE $2 END,
                     wrong_since = CASE WHEN wrong_passwords > 0 AND wrong_since > $4 AND wrong_since <= $3
                                        THEN wrong_since ELSE $3 END
                 WHERE id = $1",
                &[
                    Arg::text(user),
                    (*count).into(),
                    at.into(),
                    at.plus_seconds(-WRONG_PASSWORDS_SECONDS).into(),
                ],
            )
            .await
            .context(GUESSED)?;
        }
        tx.commit().await.context(GUESSED)
    }

    async fn end_session(
        &self,
        granted: &Granted,
        subject: SubjectId,
        id: SessionId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        is_record(granted, END)
            .or_else(|_| gate::fits(granted, Action::Update, entity(subject), Scope::Account, END))?;
        let (kind, subject) = columns(subject);
        let mut tx = self.write_as(granted, END).await?;
        let ended = tx
            .execute(
                "UPDATE sessions SET ended_at = $4
                 WHERE id = $1 AND subject_kind = $2 AND subject_id = $3 AND ended_at IS NULL",
                &[
                    Arg::text(id),
                    kind.into(),
                    Arg::text(subject),
                    entry.timestamp.into(),
                ],
            )
            .await
            .context(END)?;
        if ended == 0 {
            return Err(StoreError::NotFound {
                what: "session",
                id: id.to_string(),
            });
        }
        let mut entry = entry;
        entry.metadata.insert("session".to_owned(), id.to_string());
        let changes = Changes::of(DirectoryChange::SessionsEnded(vec![id]));
        changes.commit(tx, &entry, (), END).await
    }

    async fn sessions(&self, granted: &Granted, subject: SubjectId) -> Result<Vec<SessionRow>, StoreError> {
        gate::fits(granted, Action::Read, entity(subject), Scope::Account, READ)?;
        let (kind, subject) = columns(subject);
        let mut tx = self.read(READ).await?;
        tx.all(
            select!("WHERE subject_kind = $1 AND subject_id = $2 ORDER BY created_at DESC, id LIMIT 500"),
            &[kind.into(), Arg::text(subject)],
            session,
            READ,
        )
        .await
    }

    async fn prune_sessions(
        &self,
        granted: &Granted,
        before: Timestamp,
        limit: i64,
    ) -> Result<Committed<usize>, StoreError> {
        is_record(granted, PRUNE)?;
        let mut tx = self.record_later(PRUNE).await?;
        let gone = tx
            .all(
                "DELETE FROM sessions WHERE id IN (
                     SELECT id FROM sessions WHERE ends_at < $1 OR ended_at < $1 ORDER BY ends_at LIMIT $2)
                 RETURNING id, ended_at",
                &[before.into(), limit.into()],
                |row| Ok((id(row)?, row.opt_time("ended_at")?)),
                PRUNE,
            )
            .await?;
        let count = gone.len();
        if count == 0 {
            return Ok(Committed::unchanged(0));
        }
        let live: Vec<_> = gone
            .into_iter()
            .filter(|(_, ended)| ended.is_none())
            .map(|(id, _)| id)
            .collect();
        let mut changes = Changes::default();
        say_ended(&mut changes, &live);
        let (revisions, log) = changes.write(&mut tx).await?;
        tx.commit().await.context(PRUNE)?;
        Ok(Committed {
            value: count,
            revisions,
            log,
            step: None,
        })
    }
}
