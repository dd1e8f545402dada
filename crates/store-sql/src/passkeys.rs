//! Passkeys in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_store::{
    AuditEntry, Committed, CredentialHash, NewPasskey, PASSKEYS_OF_A_USER, PasskeyRow, Passkeys,
    PasskeysOfUser, StoreError, UsedPasskey, gate,
};
use reeve_types::{PasskeyId, SessionId, Timestamp, UserId};

use crate::SqlStore;
use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::second_factors::{self, local_email};
use crate::sessions::is_record;

const READ: &str = "read passkeys";
const CREATE: &str = "create a passkey";
const USE: &str = "use a passkey";
const DELETE: &str = "remove a passkey";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.user_id, p.name, p.credential, p.public_key, p.counter, p.backup_eligible, p.backed_up, p.suspended, p.created_at, p.last_used,
                    u.email AS owner
             FROM passkeys p JOIN users u ON u.id = p.user_id ",
            $rest
        )
    };
}

fn passkey(row: &Row) -> Result<PasskeyRow, StoreError> {
    Ok(PasskeyRow {
        id: row.parsed("id")?,
        user: row.parsed("user_id")?,
        owner: row.parsed("owner")?,
        name: row.parsed("name")?,
        credential: row.text("credential")?,
        key: row.text("public_key")?,
        counter: row.int("counter")?,
        backup_eligible: row.bool("backup_eligible")?,
        backed_up: row.bool("backed_up")?,
        suspended: row.bool("suspended")?,
        created_at: row.time("created_at")?,
        last_used: row.opt_time("last_used")?,
    })
}

async fn count(tx: &mut Tx, user: UserId, operation: &'static str) -> Result<i64, StoreError> {
    tx.row(
        "SELECT COUNT(*) AS n FROM passkeys WHERE user_id = $1",
        &[Arg::text(user)],
    )
    .await
    .context(operation)?
    .map_or(Ok(0), |row| row.int("n"))
}

/// An event about somebody's passkey, which names it.
fn about(entry: AuditEntry, row: &PasskeyRow) -> AuditEntry {
    let mut entry = entry.about(row.user, &row.owner);
    for (name, value) in [
        ("passkey_id", row.id.to_string()),
        ("passkey_name", row.name.to_string()),
    ] {
        entry.metadata.insert(name.to_owned(), value);
    }
    entry
}

#[async_trait]
impl Passkeys for SqlStore {
    async fn passkeys(&self, granted: &Granted, user: UserId) -> Result<PasskeysOfUser, StoreError> {
        if gate::is(granted, BootstrapException::SessionRecord, READ).is_err() {
            gate::fits(granted, Action::Read, Entity::Users, Scope::Account, READ)?;
        }
        let mut tx = self.read(READ).await?;
        let mut passkeys = tx
            .all(select!("WHERE p.user_id = $1"), &[Arg::text(user)], passkey, READ)
            .await?;
        passkeys.sort_by(|a, b| a.name.cmp(&b.name));
        let codes = tx
            .row(
                "SELECT COUNT(*) AS n FROM recovery_codes WHERE user_id = $1",
                &[Arg::text(user)],
            )
            .await
            .context(READ)?;
        Ok(PasskeysOfUser {
            passkeys,
            recovery_codes: codes.map_or(Ok(0), |row| row.int("n"))?,
        })
    }

    async fn passkey_of_credential(
        &self,
        granted: &Granted,
        credential: &str,
    ) -> Result<Option<PasskeyRow>, StoreError> {
        is_record(granted, READ)?;
        let mut tx = self.read(READ).await?;
        tx.one(
            select!("WHERE p.credential = $1 AND u.password IS NOT NULL"),
            &[Arg::text(credential)],
            passkey,
            READ,
        )
        .await
    }

    async fn session_began(
        &self,
        granted: &Granted,
        session: SessionId,
    ) -> Result<Option<Timestamp>, StoreError> {
        is_record(granted, READ)?;
        let mut tx = self.read(READ).await?;
        tx.one(
            "SELECT created_at FROM sessions WHERE id = $1 AND ended_at IS NULL",
            &[Arg::text(session)],
            |row| row.time("created_at"),
            READ,
        )
        .await
    }

    async fn create_passkey(
        &self,
        granted: &Granted,
        new: NewPasskey,
        codes: Vec<CredentialHash>,
        entry: AuditEntry,
    ) -> Result<Committed<bool>, StoreError> {
        is_record(granted, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        let owner = local_email(&mut tx, new.user, CREATE).await?;
        let there = count(&mut tx, new.user, CREATE).await?;
        if there >= PASSKEYS_OF_A_USER {
            return Err(StoreError::PasskeysFull {
                most: PASSKEYS_OF_A_USER,
            });
        }
        let twice = tx
            .row(
                "SELECT id FROM passkeys WHERE credential = $1",
                &[Arg::text(&new.credential)],
            )
            .await
            .context(CREATE)?;
        if twice.is_some() {
            return Err(StoreError::Conflict {
                what: "passkey",
                name: new.name.to_string(),
                context: " under another name",
            });
        }
        let first = there == 0 && !second_factors::is_asked_for(&mut tx, new.user, CREATE).await?;
        tx.execute(
            "INSERT INTO passkeys
                 (id, user_id, name, credential, public_key, counter, backup_eligible, backed_up, suspended, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, $9)",
            &[
                Arg::text(new.id),
                Arg::text(new.user),
                Arg::text(&new.name),
                Arg::text(&new.credential),
                Arg::text(&new.key),
                new.counter.into(),
                new.backup_eligible.into(),
                new.backed_up.into(),
                entry.timestamp.into(),
            ],
        )
        .await
        .or_conflict(CREATE, || StoreError::Conflict {
            what: "passkey",
            name: new.name.to_string(),
            context: " among yours",
        })?;
        if first {
            second_factors::replace_codes(&mut tx, new.user, &codes, CREATE).await?;
        }
        let row = PasskeyRow {
            id: new.id,
            user: new.user,
            owner,
            name: new.name,
            credential: new.credential,
            key: new.key,
            counter: new.counter,
            backup_eligible: new.backup_eligible,
            backed_up: new.backed_up,
            suspended: false,
            created_at: entry.timestamp,
            last_used: None,
        };
        let entry = about(entry, &row);
        Changes::default().commit(tx, &entry, first, CREATE).await
    }

    async fn use_passkey(&self, granted: &Granted, used: &UsedPasskey) -> Result<bool, StoreError> {
        is_record(granted, USE)?;
        let mut tx = self.record_later(USE).await?;
        let rows = tx
            .execute(
                "UPDATE passkeys SET counter = $2, backed_up = $3, last_used = $4
                 WHERE id = $1 AND NOT suspended AND (counter < $2 OR (counter = 0 AND $2 = 0))",
                &[
                    Arg::text(used.id),
                    used.counter.into(),
                    used.backed_up.into(),
                    used.at.into(),
                ],
            )
            .await
            .context(USE)?;
        tx.commit().await.context(USE)?;
        Ok(rows == 1)
    }

    async fn remove_passkey(
        &self,
        granted: &Granted,
        user: UserId,
        id: PasskeyId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        is_record(granted, DELETE)?;
        let mut tx = self.write_as(granted, DELETE).await?;
        let row = tx
            .one(
                select!("WHERE p.id = $1 AND p.user_id = $2"),
                &[Arg::text(id), Arg::text(user)],
                passkey,
                DELETE,
            )
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "passkey",
                id: id.to_string(),
            })?;
        tx.execute("DELETE FROM passkeys WHERE id = $1", &[Arg::text(id)])
            .await
            .context(DELETE)?;
        second_factors::drop_needless_codes(&mut tx, user, DELETE).await?;
        let entry = about(entry, &row);
        Changes::default().commit(tx, &entry, (), DELETE).await
    }

    async fn remove_passkeys(
        &self,
        granted: &Granted,
        user: UserId,
        entry: AuditEntry,
    ) -> Result<Committed<u64>, StoreError> {
        gate::fits(granted, Action::Update, Entity::Users, Scope::Account, DELETE)?;
        let mut tx = self.write_as(granted, DELETE).await?;
        let owner = tx
            .one(
                "SELECT email FROM users WHERE id = $1",
                &[Arg::text(user)],
                |row| row.text("email"),
                DELETE,
            )
            .await?
            .unwrap_or_default();
        let removed = second_factors::remove_passkeys(&mut tx, user, DELETE).await?;
        if removed == 0 {
            return Err(StoreError::NotFound {
                what: "passkey of user",
                id: user.to_string(),
            });
        }
        let mut entry = entry.about(user, owner);
        entry.metadata.insert("passkeys".to_owned(), removed.to_string());
        Changes::default().commit(tx, &entry, removed, DELETE).await
    }
}
