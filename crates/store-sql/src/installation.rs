//! The installation in SQL.

use async_trait::async_trait;
use reeve_authz::{BootstrapException, Granted, RoleId, Scope, SubjectKey};
use reeve_store::{
    AccessRuleRow, AuditEntry, Committed, FirstStart, Installation, KeyUse, NewAccessRule, StoreError,
    UserRow, gate,
};

use crate::driver::{Arg, StoreResultExt};
use crate::{SqlStore, access_rules, signing_keys, users};

const READ: &str = "read the installation's settings";
const START: &str = "make the account";

#[async_trait]
impl Installation for SqlStore {
    async fn installation_value(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut tx = self.read(READ).await?;
        tx.row("SELECT value FROM installation WHERE name = $1", &[name.into()])
            .await
            .context(READ)?
            .map(|row| row.text("value"))
            .transpose()
    }

    async fn is_writable(&self) -> Result<bool, StoreError> {
        self.pools.is_writable().await.context(READ)
    }

    async fn is_initialized(&self) -> Result<bool, StoreError> {
        let mut tx = self.read(READ).await?;
        // Before its first migration a database has nothing; it is read so before the key of its chain is known.
        if !tx.has_table("installation").await.context(READ)? {
            return Ok(false);
        }
        Ok(tx
            .row("SELECT name FROM installation LIMIT 1", &[])
            .await
            .context(READ)?
            .is_some())
    }

    async fn first_start(
        &self,
        granted: &Granted,
        first: FirstStart,
        entry: AuditEntry,
    ) -> Result<Committed<(UserRow, AccessRuleRow)>, StoreError> {
        gate::is(granted, BootstrapException::FirstStart, START)?;
        let mut tx = self.write(START).await?;
        for (name, value) in &first.values {
            tx.execute(
                "INSERT INTO installation (name, value) VALUES ($1, $2)",
                &[Arg::text(name), Arg::text(value)],
            )
            .await
            .or_conflict(START, || StoreError::Conflict {
                what: "the account",
                name: "1".to_owned(),
                context: "",
            })?;
        }
        let user = users::insert(&mut tx, &first.administrator).await?;
        let [current, next] = &first.signing_keys;
        for (key, usage) in [(current, KeyUse::Current), (next, KeyUse::Next)] {
            signing_keys::insert(&mut tx, key, usage, user.created_at).await?;
        }
        let mut changes = signing_keys::changed(&mut tx, START).await?;
        changes.directory(users::made(&mut tx, user.id, START).await?);
        let rule = NewAccessRule {
            subject: SubjectKey::User(user.email.clone()),
            role: RoleId::SYSTEM_ADMINISTRATOR,
            scope: Scope::Account,
            created_at: user.created_at,
            created_by: user.created_by.clone(),
        };
        let rule = access_rules::insert(&mut tx, &mut changes, rule).await?;
        let entry = entry.about(user.id, &user.email);
        changes.commit(tx, &entry, (user, rule), START).await
    }
}
