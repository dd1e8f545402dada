//! Signing keys in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, BootstrapException, Granted};
use reeve_store::{
    AuditEntry, Committed, DirectoryChange, KeyUse, NewSigningKey, SigningKeyFacts, SigningKeyRow,
    SigningKeys, StoreError, gate,
};
use reeve_types::Timestamp;

use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::security_settings::fits;
use crate::{SqlStore, sessions};

const READ: &str = "read the signing keys";
const KEEP: &str = "keep a signing key";
const ROTATE: &str = "rotate the signing keys";
const WITHDRAW: &str = "withdraw a signing key";
const DROP: &str = "forget a signing key";

fn facts(row: &Row) -> Result<SigningKeyFacts, StoreError> {
    let usage = row.text("key_use")?;
    Ok(SigningKeyFacts {
        id: row.text("id")?,
        usage: usage.parse().map_err(|reason| StoreError::Corrupt {
            what: "key_use",
            reason,
        })?,
        published: row.time("published_at")?,
        since: row.time("since")?,
    })
}

fn key(row: &Row) -> Result<SigningKeyRow, StoreError> {
    Ok(SigningKeyRow {
        facts: facts(row)?,
        sealed: row.text("sealed")?,
    })
}

macro_rules! select {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM signing_keys ORDER BY key_use, since, id"
        )
    };
}

/// All of them, in the order of their use, the oldest of each first.
pub(crate) async fn all(tx: &mut Tx, operation: &'static str) -> Result<Vec<SigningKeyFacts>, StoreError> {
    tx.all(select!("id, key_use, published_at, since"), &[], facts, operation)
        .await
}

/// Keeps a key for a use from now on.
pub(crate) async fn insert(
    tx: &mut Tx,
    new: &NewSigningKey,
    usage: KeyUse,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO signing_keys (id, sealed, key_use, published_at, since) VALUES ($1, $2, $3, $4, $4)",
        &[
            Arg::text(&new.id),
            Arg::text(&new.sealed),
            usage.as_str().into(),
            at.into(),
        ],
    )
    .await
    .or_conflict(KEEP, || StoreError::Conflict {
        what: "signing key",
        name: new.id.clone(),
        context: "",
    })?;
    Ok(())
}

/// Uses a key otherwise from now on, if it was used so before.
async fn change(
    tx: &mut Tx,
    id: &str,
    before: KeyUse,
    after: KeyUse,
    at: Timestamp,
) -> Result<(), StoreError> {
    let changed = tx
        .execute(
            "UPDATE signing_keys SET key_use = $3, since = $4 WHERE id = $1 AND key_use = $2",
            &[
                Arg::text(id),
                before.as_str().into(),
                after.as_str().into(),
                at.into(),
            ],
        )
        .await
        .context(ROTATE)?;
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::NotFound {
        what: "signing key in that use",
        id: id.to_owned(),
    })
}

/// That the keys are now as their rows say.
pub(crate) async fn changed(tx: &mut Tx, operation: &'static str) -> Result<Changes, StoreError> {
    Ok(Changes::of(DirectoryChange::SigningKeys(
        all(tx, operation).await?,
    )))
}

#[async_trait]
impl SigningKeys for SqlStore {
    async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let mut tx = self.read(READ).await?;
        tx.all(
            select!("id, sealed, key_use, published_at, since"),
            &[],
            key,
            READ,
        )
        .await
    }

    async fn rotate_signing_keys(
        &self,
        granted: &Granted,
        current: &str,
        next: NewSigningKey,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        gate::is(granted, BootstrapException::KeyRotation, ROTATE)
            .or_else(|_| fits(granted, Action::Update, ROTATE))?;
        let at = entry.timestamp;
        let mut tx = self.write_as(granted, ROTATE).await?;
        change(&mut tx, current, KeyUse::Current, KeyUse::Retiring, at).await?;
        let known = all(&mut tx, ROTATE).await?;
        let ready = known.into_iter().find(|key| key.usage == KeyUse::Next);
        let ready = ready.ok_or_else(|| StoreError::NotFound {
            what: "signing key that is next",
            id: "next".to_owned(),
        })?;
        change(&mut tx, &ready.id, KeyUse::Next, KeyUse::Current, at).await?;
        insert(&mut tx, &next, KeyUse::Next, at).await?;
        let mut entry = entry.about(&ready.id, "");
        for (name, id) in [("current_before", current), ("next_after", &next.id)] {
            entry.metadata.insert(name.to_owned(), id.to_owned());
        }
        let changes = changed(&mut tx, ROTATE).await?;
        changes.commit(tx, &entry, (), ROTATE).await
    }

    async fn withdraw_signing_key(
        &self,
        granted: &Granted,
        id: &str,
        current: NewSigningKey,
        next: NewSigningKey,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        gate::is(granted, BootstrapException::Recovery, WITHDRAW)?;
        let at = entry.timestamp;
        let mut tx = self.write(WITHDRAW).await?;
        let known = all(&mut tx, WITHDRAW).await?;
        let leaked = known
            .iter()
            .find(|key| key.id == id)
            .ok_or_else(|| StoreError::NotFound {
                what: "signing key",
                id: id.to_owned(),
            })?;
        tx.execute("DELETE FROM signing_keys WHERE id = $1", &[Arg::text(id)])
            .await
            .context(WITHDRAW)?;
        let signs = known.iter().find(|key| key.usage == KeyUse::Current);
        if let Some(before) = signs.filter(|before| before.id != id) {
            change(&mut tx, &before.id, KeyUse::Current, KeyUse::Retiring, at).await?;
        }
        insert(&mut tx, &current, KeyUse::Current, at).await?;
        if leaked.usage == KeyUse::Next {
            insert(&mut tx, &next, KeyUse::Next, at).await?;
        }
        sessions::end_everybodys(&mut tx, at, WITHDRAW).await?;
        let mut entry = entry.about(id, "");
        for (name, value) in [
            ("use_before", leaked.usage.as_str()),
            ("current_after", &current.id),
        ] {
            entry.metadata.insert(name.to_owned(), value.to_owned());
        }
        let changes = Changes::of(DirectoryChange::Everything);
        changes.commit(tx, &entry, (), WITHDRAW).await
    }

    async fn drop_signing_keys(
        &self,
        granted: &Granted,
        before: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError> {
        gate::is(granted, BootstrapException::KeyRotation, DROP)?;
        let mut tx = self.write(DROP).await?;
        let gone = tx
            .all(
                "DELETE FROM signing_keys WHERE key_use = 'retiring' AND since < $1 RETURNING id",
                &[before.into()],
                |row| row.text("id"),
                DROP,
            )
            .await?;
        if gone.is_empty() {
            return Ok(Committed::unchanged(0));
        }
        let entry = entry.about(gone.join(","), "");
        let changes = changed(&mut tx, DROP).await?;
        changes.commit(tx, &entry, gone.len(), DROP).await
    }
}
