//! Authenticators in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope};
use reeve_store::{
    AuditEntry, AuthenticatorRow, Committed, CredentialHash, SecondFactors, StoreError,
    WRONG_CODES_REST_SECONDS, gate,
};
use reeve_types::{Email, Timestamp, UserId};

use crate::SqlStore;
use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::sessions::is_record;

const READ: &str = "read an authenticator";
const CHANGE: &str = "change an authenticator";
const USE: &str = "use a one-time code";

fn authenticator(row: &Row) -> Result<AuthenticatorRow, StoreError> {
    Ok(AuthenticatorRow {
        sealed: row.text("sealed")?,
        confirmed: row.bool("confirmed")?,
        wrong: row.int("wrong")?,
        wrong_at: row.time("wrong_at")?,
        created_at: row.time("created_at")?,
        recovery_codes: row.int("recovery_codes")?,
    })
}

fn missing(user: UserId) -> StoreError {
    StoreError::NotFound {
        what: "authenticator of user",
        id: user.to_string(),
    }
}

/// The email of a user who has a password here.
pub(crate) async fn local_email(
    tx: &mut Tx,
    user: UserId,
    operation: &'static str,
) -> Result<Email, StoreError> {
    tx.one(
        "SELECT email FROM users WHERE id = $1 AND password IS NOT NULL",
        &[Arg::text(user)],
        |row| row.parsed("email"),
        operation,
    )
    .await?
    .ok_or_else(|| StoreError::NotFound {
        what: "local user",
        id: user.to_string(),
    })
}

/// Whether a code of an authenticator is asked of somebody.
pub(crate) async fn is_asked_for(
    tx: &mut Tx,
    user: UserId,
    operation: &'static str,
) -> Result<bool, StoreError> {
    let row = tx
        .row(
            "SELECT user_id FROM authenticators WHERE user_id = $1 AND confirmed",
            &[Arg::text(user)],
        )
        .await
        .context(operation)?;
    Ok(row.is_some())
}

/// These are somebody's recovery codes from now on.
pub(crate) async fn replace_codes(
    tx: &mut Tx,
    user: UserId,
    codes: &[CredentialHash],
    operation: &'static str,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM recovery_codes WHERE user_id = $1",
        &[Arg::text(user)],
    )
    .await
    .context(operation)?;
    for code in codes {
        tx.execute(
            "INSERT INTO recovery_codes (user_id, code) VALUES ($1, $2)",
            &[Arg::text(user), code.as_str().into()],
        )
        .await
        .context(operation)?;
    }
    Ok(())
}

/// Removes the recovery codes of whoever has no second factor any more, for which they could stand.
pub(crate) async fn drop_needless_codes(
    tx: &mut Tx,
    user: UserId,
    operation: &'static str,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM recovery_codes WHERE user_id = $1
             AND NOT EXISTS (SELECT 1 FROM authenticators a WHERE a.user_id = $1 AND a.confirmed)
             AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = $1)",
        &[Arg::text(user)],
    )
    .await
    .context(operation)?;
    Ok(())
}

/// Removes all of somebody's passkeys; how many there were.
pub(crate) async fn remove_passkeys(
    tx: &mut Tx,
    user: UserId,
    operation: &'static str,
) -> Result<u64, StoreError> {
    let removed = tx
        .execute("DELETE FROM passkeys WHERE user_id = $1", &[Arg::text(user)])
        .await
        .context(operation)?;
    drop_needless_codes(tx, user, operation).await?;
    Ok(removed)
}

/// Removes all second factors of somebody, with the recovery codes; whether there was an authenticator, and how many passkeys.
pub(crate) async fn remove_all(
    tx: &mut Tx,
    user: UserId,
    operation: &'static str,
) -> Result<(bool, u64), StoreError> {
    let passkeys = remove_passkeys(tx, user, operation).await?;
    // One that was never confirmed is none, and goes all the same.
    Ok((remove(tx, user, operation).await?, passkeys))
}

/// Removes somebody's authenticator, and recovery codes that are good for nothing else; whether there was one.
async fn remove(tx: &mut Tx, user: UserId, operation: &'static str) -> Result<bool, StoreError> {
    let removed = tx
        .execute(
            "DELETE FROM authenticators WHERE user_id = $1",
            &[Arg::text(user)],
        )
        .await
        .context(operation)?;
    drop_needless_codes(tx, user, operation).await?;
    Ok(removed > 0)
}

#[async_trait]
impl SecondFactors for SqlStore {
    async fn authenticator(
        &self,
        granted: &Granted,
        user: UserId,
    ) -> Result<Option<AuthenticatorRow>, StoreError> {
        is_record(granted, READ)?;
        let mut tx = self.read(READ).await?;
        tx.one(
            "SELECT sealed, confirmed, wrong, wrong_at, created_at,
                    (SELECT COUNT(*) FROM recovery_codes r WHERE r.user_id = a.user_id) AS recovery_codes
             FROM authenticators a WHERE user_id = $1",
            &[Arg::text(user)],
            authenticator,
            READ,
        )
        .await
    }

    async fn create_authenticator(
        &self,
        granted: &Granted,
        user: UserId,
        sealed: String,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        is_record(granted, CHANGE)?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        let email = local_email(&mut tx, user, CHANGE).await?;
        let made = tx
            .execute(
                "INSERT INTO authenticators (user_id, sealed, confirmed, last_step, wrong, wrong_at, created_at)
                 VALUES ($1, $2, FALSE, 0, 0, 0, $3)
                 ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at
                     WHERE NOT authenticators.confirmed",
                &[Arg::text(user), Arg::text(sealed), entry.timestamp.into()],
            )
            .await
            .context(CHANGE)?;
        if made == 0 {
            return Err(StoreError::Conflict {
                what: "authenticator of",
                name: email.to_string(),
                context: ": remove it first",
            });
        }
        let entry = entry.about(user, &email);
        Changes::default().commit(tx, &entry, (), CHANGE).await
    }

    async fn confirm_authenticator(
        &self,
        granted: &Granted,
        user: UserId,
        step: i64,
        codes: Vec<CredentialHash>,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        is_record(granted, CHANGE)?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        let email = local_email(&mut tx, user, CHANGE).await?;
        let confirmed = tx
            .execute(
                "UPDATE authenticators SET confirmed = TRUE, last_step = $2, wrong = 0
                 WHERE user_id = $1 AND NOT confirmed",
                &[Arg::text(user), step.into()],
            )
            .await
            .context(CHANGE)?;
        if confirmed == 0 {
            return Err(missing(user));
        }
        replace_codes(&mut tx, user, &codes, CHANGE).await?;
        let entry = entry.about(user, &email);
        Changes::default().commit(tx, &entry, (), CHANGE).await
    }

    async fn use_step(&self, granted: &Granted, user: UserId, step: i64) -> Result<bool, StoreError> {
        is_record(granted, USE)?;
        let mut tx = self.record_later(USE).await?;
        let used = tx
            .execute(
                "UPDATE authenticators SET last_step = $2, wrong = 0
                 WHERE user_id = $1 AND confirmed AND last_step < $2",
                &[Arg::text(user), step.into()],
            )
            .await
            .context(USE)?;
        tx.commit().await.context(USE)?;
        Ok(used == 1)
    }

    async fn use_recovery_code(
        &self,
        granted: &Granted,
        user: UserId,
        code: &CredentialHash,
    ) -> Result<bool, StoreError> {
        is_record(granted, USE)?;
        let mut tx = self.record_later(USE).await?;
        let used = tx
            .execute(
                "DELETE FROM recovery_codes WHERE user_id = $1 AND code = $2",
                &[Arg::text(user), code.as_str().into()],
            )
            .await
            .context(USE)?;
        if used == 1 {
            tx.execute(
                "UPDATE authenticators SET wrong = 0 WHERE user_id = $1",
                &[Arg::text(user)],
            )
            .await
            .context(USE)?;
        }
        tx.commit().await.context(USE)?;
        Ok(used == 1)
    }

    async fn note_wrong_code(
        &self,
        granted: &Granted,
        user: UserId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        is_record(granted, USE)?;
        let mut tx = self.record_later(USE).await?;
        tx.execute(
            "UPDATE authenticators SET wrong = CASE WHEN wrong_at < $3 THEN 1 ELSE wrong + 1 END, wrong_at = $2
             WHERE user_id = $1",
            &[
                Arg::text(user),
                at.into(),
                at.plus_seconds(-WRONG_CODES_REST_SECONDS).into(),
            ],
        )
        .await
        .context(USE)?;
        tx.commit().await.context(USE)
    }

    async fn remove_authenticator(
        &self,
        granted: &Granted,
        user: UserId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        is_record(granted, CHANGE)
            .or_else(|_| gate::fits(granted, Action::Update, Entity::Users, Scope::Account, CHANGE))?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        if !remove(&mut tx, user, CHANGE).await? {
            return Err(missing(user));
        }
        let email = tx
            .one(
                "SELECT email FROM users WHERE id = $1",
                &[Arg::text(user)],
                |row| row.text("email"),
                CHANGE,
            )
            .await?
            .unwrap_or_default();
        let entry = entry.about(user, email);
        Changes::default().commit(tx, &entry, (), CHANGE).await
    }
}
