//! Access keys in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_store::{
    ACCESS_KEYS_OF_A_USER, AccessKeyFilter, AccessKeyRow, AccessKeys, AuditEntry, Committed, CredentialHash,
    NewAccessKey, StoreError, gate,
};
use reeve_types::{AccessKeyId, UserId};

use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::lists::bound;
use crate::{SqlStore, sessions};

const READ: &str = "read access keys";
const CREATE: &str = "create an access key";
const CHANGE: &str = "change an access key";
const DELETE: &str = "delete an access key";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.user_id, k.name, k.created_at, k.last_login, u.email AS owner
             FROM access_keys k JOIN users u ON u.id = k.user_id ",
            $rest
        )
    };
}

fn access_key(row: &Row) -> Result<AccessKeyRow, StoreError> {
    Ok(AccessKeyRow {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        user: row.parsed("user_id")?,
        owner: row.parsed("owner")?,
        created_at: row.time("created_at")?,
        last_login: row.opt_time("last_login")?,
    })
}

/// Ends the sessions of all keys of somebody whose sessions were ended, with the keys; how many there were.
pub(crate) async fn delete_all(
    tx: &mut Tx,
    user: UserId,
    operation: &'static str,
) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM access_keys WHERE user_id = $1", &[Arg::text(user)])
        .await
        .context(operation)
}

/// One, for whoever it belongs to: of `owner` alone, if there is one.
async fn needed(
    tx: &mut Tx,
    owner: Option<UserId>,
    id: AccessKeyId,
    operation: &'static str,
) -> Result<AccessKeyRow, StoreError> {
    tx.one(
        select!("WHERE k.id = $1"),
        &[Arg::text(id)],
        access_key,
        operation,
    )
    .await?
    .filter(|row| owner.is_none_or(|owner| row.user == owner))
    .ok_or_else(|| StoreError::NotFound {
        what: "access key",
        id: id.to_string(),
    })
}

/// An event about a key, which says whose it is.
fn about(entry: AuditEntry, row: &AccessKeyRow) -> AuditEntry {
    let mut entry = entry.about(row.id, &row.name);
    entry.metadata.insert("owner".to_owned(), row.owner.to_string());
    entry
}

/// Removes one, and with that ends the transaction.
async fn delete(mut tx: Tx, row: AccessKeyRow, entry: AuditEntry) -> Result<Committed<usize>, StoreError> {
    let mut changes = Changes::default();
    let at = entry.timestamp;
    let ended = sessions::end_of_key(&mut tx, &mut changes, row.user, row.id, at, DELETE).await?;
    tx.execute("DELETE FROM access_keys WHERE id = $1", &[Arg::text(row.id)])
        .await
        .context(DELETE)?;
    changes.commit(tx, &about(entry, &row), ended, DELETE).await
}

#[async_trait]
impl AccessKeys for SqlStore {
    async fn access_keys(&self, granted: &Granted, user: UserId) -> Result<Vec<AccessKeyRow>, StoreError> {
        gate::is(granted, BootstrapException::OwnAccessKey, READ)?;
        let mut tx = self.read(READ).await?;
        let user = Arg::text(user);
        let mut keys = tx
            .all(select!("WHERE k.user_id = $1"), &[user], access_key, READ)
            .await?;
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(keys)
    }

    async fn all_access_keys(
        &self,
        granted: &Granted,
        filter: &AccessKeyFilter,
    ) -> Result<Vec<AccessKeyRow>, StoreError> {
        gate::fits(granted, Action::Read, Entity::AccessKeys, Scope::Account, READ)?;
        let mut tx = self.read(READ).await?;
        let id = filter.id.map_or_else(String::new, |id| id.to_string());
        let owner = filter.owner.as_ref().map_or("", |owner| owner.as_str());
        let (limit, offset) = (bound(filter.page.limit), bound(filter.page.offset));
        tx.all(
            select!(
                "WHERE ($1 = '' OR k.id = $1) AND ($2 = '' OR u.email = $2)
                 ORDER BY u.email, k.name LIMIT $3 OFFSET $4"
            ),
            &[Arg::text(id), Arg::text(owner), limit.into(), offset.into()],
            access_key,
            READ,
        )
        .await
    }

    async fn create_access_key(
        &self,
        granted: &Granted,
        new: NewAccessKey,
        entry: AuditEntry,
    ) -> Result<Committed<AccessKeyRow>, StoreError> {
        gate::is(granted, BootstrapException::OwnAccessKey, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        let count = tx
            .row(
                "SELECT COUNT(*) AS n FROM access_keys WHERE user_id = $1",
                &[Arg::text(new.user)],
            )
            .await
            .context(CREATE)?
            .map_or(Ok(0), |row| row.int("n"))?;
        if count >= ACCESS_KEYS_OF_A_USER {
            return Err(StoreError::AccessKeysFull {
                most: ACCESS_KEYS_OF_A_USER,
            });
        }
        tx.execute(
            "INSERT INTO access_keys (id, user_id, name, secret, created_at) VALUES ($1, $2, $3, $4, $5)",
            &[
                Arg::text(new.id),
                Arg::text(new.user),
                Arg::text(&new.name),
                new.secret.as_str().into(),
                new.created_at.into(),
            ],
        )
        .await
        .or_conflict(CREATE, || StoreError::Conflict {
            what: "access key",
            name: new.name.to_string(),
            context: " among yours",
        })?;
        let row = needed(&mut tx, Some(new.user), new.id, CREATE).await?;
        let entry = about(entry, &row);
        Changes::default().commit(tx, &entry, row, CREATE).await
    }

    async fn set_access_key_secret(
        &self,
        granted: &Granted,
        user: UserId,
        id: AccessKeyId,
        secret: CredentialHash,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError> {
        gate::is(granted, BootstrapException::OwnAccessKey, CHANGE)?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        let row = needed(&mut tx, Some(user), id, CHANGE).await?;
        tx.execute(
            "UPDATE access_keys SET secret = $2 WHERE id = $1",
            &[Arg::text(id), secret.as_str().into()],
        )
        .await
        .context(CHANGE)?;
        let mut changes = Changes::default();
        let ended = sessions::end_of_key(&mut tx, &mut changes, user, id, entry.timestamp, CHANGE).await?;
        changes.commit(tx, &about(entry, &row), ended, CHANGE).await
    }

    async fn delete_access_key(
        &self,
        granted: &Granted,
        user: UserId,
        id: AccessKeyId,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError> {
        gate::is(granted, BootstrapException::OwnAccessKey, DELETE)?;
        let mut tx = self.write_as(granted, DELETE).await?;
        let row = needed(&mut tx, Some(user), id, DELETE).await?;
        delete(tx, row, entry).await
    }

    async fn delete_anybodys_access_key(
        &self,
        granted: &Granted,
        id: AccessKeyId,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError> {
        gate::fits(
            granted,
            Action::Delete,
            Entity::AccessKeys,
            Scope::Account,
            DELETE,
        )?;
        let mut tx = self.write_as(granted, DELETE).await?;
        let row = needed(&mut tx, None, id, DELETE).await?;
        delete(tx, row, entry).await
    }
}
