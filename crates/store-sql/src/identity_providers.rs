//! Identity providers in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Granted};
use reeve_store::{
    AuditEntry, Committed, DirectoryChange, DueSession, IdentityProviders, IdpRow, MOST_IDENTITY_PROVIDERS,
    NewUser, ProvidedIdentity, RenewedSession, SessionProvider, StoreError,
};
use reeve_types::{IdpAlias, SessionId, Timestamp, UserId};

use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::security_settings::fits;
use crate::sessions::is_record;
use crate::{SqlStore, sessions, uids, users};

const READ: &str = "read identity providers";
const CREATE: &str = "create an identity provider";
const CHANGE: &str = "change an identity provider";
const DELETE: &str = "delete an identity provider";
const RESOLVE: &str = "look who an identity provider speaks of";
const ONCE: &str = "note that something was used";
const SIGN_OUT: &str = "sign somebody out for an identity provider";
const RENEW: &str = "renew a session";

fn row(row: &Row) -> Result<IdpRow, StoreError> {
    Ok(IdpRow {
        alias: row.parsed("alias")?,
        kind: row.text("kind")?,
        settings: row.text("settings")?,
        sealed: row.text("sealed")?,
        mappers: row.text("mappers")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn missing(alias: &IdpAlias) -> StoreError {
    StoreError::NotFound {
        what: "identity provider",
        id: alias.to_string(),
    }
}

/// Ends every session that a provider began.
async fn end_sessions(
    tx: &mut Tx,
    changes: &mut Changes,
    alias: &IdpAlias,
    at: Timestamp,
    operation: &'static str,
) -> Result<(), StoreError> {
    let ended = tx
        .all(
            "UPDATE sessions SET ended_at = $2, renewal = NULL WHERE provider = $1 AND ended_at IS NULL RETURNING id",
            &[Arg::text(alias), at.into()],
            |row| row.parsed("id"),
            operation,
        )
        .await?;
    sessions::say_ended(changes, &ended);
    Ok(())
}

async fn known(tx: &mut Tx, identity: &ProvidedIdentity) -> Result<Option<UserId>, StoreError> {
    tx.one(
        "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2",
        &[Arg::text(&identity.issuer), Arg::text(&identity.subject)],
        |row| row.parsed("user_id"),
        RESOLVE,
    )
    .await
}

/// Makes the user of somebody who was never here.
async fn make(
    mut tx: Tx,
    identity: ProvidedIdentity,
    entry: AuditEntry,
) -> Result<Committed<UserId>, StoreError> {
    let taken = tx
        .row(
            "SELECT id FROM users WHERE email = $1",
            &[Arg::text(&identity.email)],
        )
        .await
        .context(RESOLVE)?;
    if taken.is_some() {
        return Err(StoreError::Conflict {
            what: "user",
            name: identity.email.to_string(),
            context: ", and is not the person that the identity provider speaks of: an administrator has to delete or keep that account",
        });
    }
    let at = entry.timestamp;
    let new = NewUser {
        id: identity.new_id,
        email: identity.email.clone(),
        password: None,
        temporary_password: false,
        posix: None,
        created_at: at,
        created_by: format!("identity provider {}", identity.alias),
    };
    let row = users::insert(&mut tx, &new).await?;
    // Here, and not only by the session: whoever is refused for a uid leaves no user behind.
    if let Some(uid) = identity.uid {
        uids::claim(&mut tx, row.id, uid).await?;
    }
    tx.execute(
        "INSERT INTO identities (issuer, subject, user_id, alias, email, seen_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            Arg::text(&identity.issuer),
            Arg::text(&identity.subject),
            Arg::text(row.id),
            Arg::text(&identity.alias),
            Arg::text(&identity.email),
            at.into(),
        ],
    )
    .await
    .context(RESOLVE)?;
    let mut entry = entry.about(row.id, &row.email);
    for (name, value) in [
        ("identity_provider", identity.alias.to_string()),
        ("issuer", identity.issuer),
        ("issuer_subject", identity.subject),
    ] {
        entry.metadata.insert(name.to_owned(), value);
    }
    let changes = users::changed(&mut tx, row.id, RESOLVE).await?;
    changes.commit(tx, &entry, row.id, RESOLVE).await
}

fn due(row: &Row) -> Result<DueSession, StoreError> {
    Ok(DueSession {
        facts: sessions::facts(row)?,
        created: row.time("created_at")?,
        provider: SessionProvider {
            alias: row.parsed("provider")?,
            renewal: row.opt_text("renewal")?,
        },
        checked_at: row.time("checked_at")?,
    })
}

#[async_trait]
impl IdentityProviders for SqlStore {
    async fn identity_providers(&self, granted: &Granted) -> Result<Vec<IdpRow>, StoreError> {
        is_record(granted, READ).or_else(|_| fits(granted, Action::Read, READ))?;
        let mut tx = self.read(READ).await?;
        let rows = tx.all(
            "SELECT alias, kind, settings, sealed, mappers, created_at, updated_at FROM identity_providers",
            &[],
            row,
            READ,
        );
        let mut rows: Vec<IdpRow> = rows.await?;
        // Whatever the database's collation makes of hyphens.
        rows.sort_by(|one, other| one.alias.cmp(&other.alias));
        Ok(rows)
    }

    async fn create_identity_provider(
        &self,
        granted: &Granted,
        row: IdpRow,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        fits(granted, Action::Create, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        let count = "SELECT COUNT(*) AS found FROM identity_providers";
        let there = tx.row(count, &[]).await.context(CREATE)?;
        let there = there.map_or(Ok(0), |row| row.int("found"))?;
        if there >= MOST_IDENTITY_PROVIDERS {
            return Err(StoreError::ProvidersFull {
                most: MOST_IDENTITY_PROVIDERS,
            });
        }
        tx.execute(
            "INSERT INTO identity_providers (alias, kind, settings, sealed, mappers, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                Arg::text(&row.alias),
                Arg::text(&row.kind),
                Arg::text(&row.settings),
                Arg::text(&row.sealed),
                Arg::text(&row.mappers),
                row.created_at.into(),
                row.updated_at.into(),
            ],
        )
        .await
        .or_conflict(CREATE, || StoreError::Conflict {
            what: "identity provider",
            name: row.alias.to_string(),
            context: "",
        })?;
        let entry = entry.about(&row.alias, &row.alias);
        Changes::default().commit(tx, &entry, (), CREATE).await
    }

    async fn update_identity_provider(
        &self,
        granted: &Granted,
        row: IdpRow,
        ends_sessions: bool,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        fits(granted, Action::Update, CHANGE)?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        let changed = tx
            .execute(
                "UPDATE identity_providers SET settings = $2, sealed = $3, mappers = $4, updated_at = $5 WHERE alias = $1",
                &[
                    Arg::text(&row.alias),
                    Arg::text(&row.settings),
                    Arg::text(&row.sealed),
                    Arg::text(&row.mappers),
                    row.updated_at.into(),
                ],
            )
            .await
            .context(CHANGE)?;
        if changed == 0 {
            return Err(missing(&row.alias));
        }
        let mut changes = Changes::default();
        if ends_sessions {
            end_sessions(&mut tx, &mut changes, &row.alias, entry.timestamp, CHANGE).await?;
        }
        let mut entry = entry.about(&row.alias, &row.alias);
        for (name, value) in [("settings_after", row.settings), ("mappers_after", row.mappers)] {
            entry.metadata.insert(name.to_owned(), value);
        }
        changes.commit(tx, &entry, (), CHANGE).await
    }

    async fn delete_identity_provider(
        &self,
        granted: &Granted,
        alias: &IdpAlias,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        fits(granted, Action::Delete, DELETE)?;
        let mut tx = self.write_as(granted, DELETE).await?;
        let gone = tx
            .execute(
                "DELETE FROM identity_providers WHERE alias = $1",
                &[Arg::text(alias)],
            )
            .await
            .context(DELETE)?;
        if gone == 0 {
            return Err(missing(alias));
        }
        let mut changes = Changes::default();
        end_sessions(&mut tx, &mut changes, alias, entry.timestamp, DELETE).await?;
        changes.commit(tx, &entry.about(alias, alias), (), DELETE).await
    }

    async fn provided_user(
        &self,
        granted: &Granted,
        identity: ProvidedIdentity,
        entry: AuditEntry,
    ) -> Result<Committed<UserId>, StoreError> {
        is_record(granted, RESOLVE)?;
        let mut tx = self.record_later(RESOLVE).await?;
        let Some(user) = known(&mut tx, &identity).await? else {
            return make(tx, identity, entry).await;
        };
        tx.execute(
            "UPDATE identities SET alias = $3, email = $4, seen_at = $5 WHERE issuer = $1 AND subject = $2",
            &[
                Arg::text(&identity.issuer),
                Arg::text(&identity.subject),
                Arg::text(&identity.alias),
                Arg::text(&identity.email),
                entry.timestamp.into(),
            ],
        )
        .await
        .context(RESOLVE)?;
        tx.commit().await.context(RESOLVE)?;
        Ok(Committed::unchanged(user))
    }

    async fn end_provided_sessions(
        &self,
        granted: &Granted,
        alias: &IdpAlias,
        issuer: &str,
        subject: &str,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError> {
        is_record(granted, SIGN_OUT)?;
        let mut tx = self.write(SIGN_OUT).await?;
        let user: Option<UserId> = tx
            .one(
                "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2",
                &[Arg::text(issuer), Arg::text(subject)],
                |row| row.parsed("user_id"),
                SIGN_OUT,
            )
            .await?;
        let Some(user) = user else {
            return Ok(Committed::unchanged(0));
        };
        let ended: Vec<SessionId> = tx
            .all(
                "UPDATE sessions SET ended_at = $3, renewal = NULL
                 WHERE provider = $1 AND subject_kind = 'user' AND subject_id = $2 AND ended_at IS NULL RETURNING id",
                &[Arg::text(alias), Arg::text(user), entry.timestamp.into()],
                |row| row.parsed("id"),
                SIGN_OUT,
            )
            .await?;
        if ended.is_empty() {
            return Ok(Committed::unchanged(0));
        }
        let mut entry = entry.about(user, "");
        for (name, value) in [
            ("identity_provider", alias.to_string()),
            ("sessions", ended.len().to_string()),
        ] {
            entry.metadata.insert(name.to_owned(), value);
        }
        let mut changes = Changes::default();
        sessions::say_ended(&mut changes, &ended);
        changes.commit(tx, &entry, ended.len(), SIGN_OUT).await
    }

    async fn use_once(
        &self,
        granted: &Granted,
        id: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        is_record(granted, ONCE)?;
        let mut tx = self.record_later(ONCE).await?;
        tx.execute("DELETE FROM used_once WHERE until < $1", &[now.into()])
            .await
            .context(ONCE)?;
        let first = tx
            .execute(
                "INSERT INTO used_once (id, until) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
                &[Arg::text(id), until.into()],
            )
            .await
            .context(ONCE)?;
        tx.commit().await.context(ONCE)?;
        Ok(first == 1)
    }

    async fn due_sessions(
        &self,
        granted: &Granted,
        before: Timestamp,
        limit: i64,
    ) -> Result<Vec<DueSession>, StoreError> {
        is_record(granted, RENEW)?;
        let mut tx = self.read(RENEW).await?;
        tx.all(
            "SELECT id, subject_kind, subject_id, method, group_names, posix, created_at, ends_at, provider, renewal, checked_at,
                    access_key, behind
             FROM sessions WHERE checked_at < $1 AND renewal IS NOT NULL AND ended_at IS NULL ORDER BY checked_at, id LIMIT $2",
            &[before.into(), limit.into()],
            due,
            RENEW,
        )
        .await
    }

    async fn take_due_session(
        &self,
        granted: &Granted,
        id: SessionId,
        checked_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        is_record(granted, RENEW)?;
        let mut tx = self.record_later(RENEW).await?;
        let taken = tx
            .execute(
                "UPDATE sessions SET checked_at = $3 WHERE id = $1 AND checked_at = $2 AND ended_at IS NULL",
                &[Arg::text(id), checked_at.into(), now.into()],
            )
            .await
            .context(RENEW)?;
        tx.commit().await.context(RENEW)?;
        Ok(taken == 1)
    }

    async fn renew_session(
        &self,
        granted: &Granted,
        renewed: RenewedSession,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        is_record(granted, RENEW)?;
        let mut tx = self.record_later(RENEW).await?;
        let Some(before) = sessions::live_one(&mut tx, renewed.id, RENEW).await? else {
            return Ok(Committed::unchanged(()));
        };
        let after = sessions::renew(&mut tx, &before, &renewed, entry.timestamp, RENEW).await?;
        let same = before.groups == after.groups && before.posix == after.posix;
        let changes = Changes::of(DirectoryChange::Session(after.clone()));
        if same {
            let (revisions, log) = changes.write(&mut tx).await?;
            tx.commit().await.context(RENEW)?;
            return Ok(Committed {
                value: (),
                revisions,
                log,
                step: None,
            });
        }
        let mut entry = sessions::about_subject(entry, &after);
        for (name, value) in [
            ("session", renewed.id.to_string()),
            ("groups_before", before.groups.len().to_string()),
            ("groups_after", after.groups.len().to_string()),
        ] {
            entry.metadata.insert(name.to_owned(), value);
        }
        changes.commit(tx, &entry, (), RENEW).await
    }
}
