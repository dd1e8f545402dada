//! The fence in SQL.

use async_trait::async_trait;
use reeve_authz::{BootstrapException, Granted};
use reeve_store::{
    AuditEntry, AuditHead, CredentialKind, DirectoryChange, Fence, FenceNews, Fenced, Recovered, StoreError,
    SubjectId, Suspended, Verifier, gate,
};
use reeve_types::{Email, PosixIdentity, Timestamp, Uid, UserId};

use crate::changes::Changes;
use crate::driver::{Arg, During, Row, Tx};
use crate::{SqlStore, audit, sessions, users};

const READ: &str = "read how far the database has come";
const RECOVER: &str = "end what a restored database holds";
const CONFIRM: &str = "let suspended credentials be used again";

/// What counters never go back: the audit log's own number is the chain's.
const NUMBERS: &str =
    "SELECT name, value FROM counters WHERE name IN ('department', 'project', 'access_rule')";

fn uid(row: &Row) -> Result<(Uid, Option<UserId>), StoreError> {
    let owner = row.text("user_id")?;
    let owner = match owner.as_str() {
        "" => None,
        _ => Some(row.parsed("user_id")?),
    };
    Ok((row.number("uid", |number| Uid::new(number).ok())?, owner))
}

async fn count(tx: &mut Tx, sql: &'static str) -> Result<i64, StoreError> {
    let row = tx.row(sql, &[]).await.during(READ)?;
    row.map_or(Ok(0), |row| row.int("n"))
}

async fn suspended(tx: &mut Tx) -> Result<Suspended, StoreError> {
    Ok(Suspended {
        passwords: count(
            tx,
            "SELECT COUNT(*) AS n FROM users WHERE password LIKE 'suspended:%'",
        )
        .await?,
        secrets: count(
            tx,
            "SELECT COUNT(*) AS n FROM service_accounts WHERE secret LIKE 'suspended:%'",
        )
        .await?,
        clusters: count(
            tx,
            "SELECT COUNT(*) AS n FROM clusters WHERE credential LIKE 'suspended:%'",
        )
        .await?,
    })
}

/// The era of the greatest number that a token of a subject or of a cluster's link carries.
async fn era(tx: &mut Tx) -> Result<i64, StoreError> {
    let greatest = count(
        tx,
        "SELECT COALESCE(MAX(n), 0) AS n FROM (SELECT MAX(session_number) AS n FROM users
         UNION ALL SELECT MAX(session_number) AS n FROM service_accounts
         UNION ALL SELECT MAX(credential_number) AS n FROM clusters) AS numbers",
    )
    .await?;
    Ok(greatest >> ERA_BITS)
}

/// Notes uids as given to whom the fence says; the event names each that is news here.
async fn keep_uids(tx: &mut Tx, uids: &[(Uid, UserId)], entry: &mut AuditEntry) -> Result<(), StoreError> {
    let event = audit::next_sequence(tx).await?;
    for (uid, owner) in uids {
        let known = tx
            .one(
                "SELECT uid, user_id FROM used_uids WHERE uid = $1",
                &[uid.number().into()],
                self::uid,
                RECOVER,
            )
            .await?
            .and_then(|(_, owner)| owner);
        if known == Some(*owner) {
            continue;
        }
        tx.execute(
            "INSERT INTO used_uids (uid, user_id, event) VALUES ($1, $2, $3)
             ON CONFLICT (uid) DO UPDATE SET user_id = excluded.user_id, event = excluded.event",
            &[uid.number().into(), Arg::text(owner), event.into()],
        )
        .await
        .during(RECOVER)?;
        // Released and given to another after the backup: whoever had it then does not get it back.
        if let Some(before) = known {
            take_uid(tx, before, *uid).await?;
        }
        entry
            .metadata
            .insert(format!("kept_uid_{uid}"), owner.to_string());
    }
    Ok(())
}

/// Takes a uid from somebody, with the rest of her numbers, if she has it now.
async fn take_uid(tx: &mut Tx, user: UserId, uid: Uid) -> Result<(), StoreError> {
    let posix: Option<PosixIdentity> = tx
        .row("SELECT posix FROM users WHERE id = $1", &[Arg::text(user)])
        .await
        .during(RECOVER)?
        .map(|row| row.opt_json("posix"))
        .transpose()?
        .flatten();
    if posix.is_some_and(|posix| posix.uid() == uid) {
        tx.execute("UPDATE users SET posix = NULL WHERE id = $1", &[Arg::text(user)])
            .await
            .during(RECOVER)?;
    }
    Ok(())
}

/// A session number is its era times this many bits, and how often the subject's sessions were ended in it; the number of a
/// cluster's link secret likewise.
const ERA_BITS: u32 = 32;

#[async_trait]
impl Fence for SqlStore {
    async fn fence_news(&self, since: i64) -> Result<FenceNews, StoreError> {
        let mut tx = self.read(READ).await?;
        let head = audit::head(&mut tx).await?;
        let numbers = tx
            .all(
                NUMBERS,
                &[],
                |row| Ok((row.text("name")?, row.int("value")?)),
                READ,
            )
            .await?;
        let uids = tx
            .all(
                "SELECT uid, user_id FROM used_uids WHERE event > $1 ORDER BY event, uid",
                &[since.into()],
                uid,
                READ,
            )
            .await?;
        Ok(FenceNews {
            head,
            numbers: numbers.into_iter().collect(),
            uids,
        })
    }

    async fn knows_head(&self, head: &AuditHead) -> Result<bool, StoreError> {
        audit::has(&mut self.read(READ).await?, head).await
    }

    async fn recover(
        &self,
        granted: &Granted,
        fenced: &Fenced,
        uids: &[(Uid, UserId)],
        entry: AuditEntry,
    ) -> Result<Recovered, StoreError> {
        gate::is(granted, BootstrapException::Recovery, RECOVER)?;
        let mut tx = self.write(RECOVER).await?;
        let found = audit::head(&mut tx).await?;
        // Greater than every number that any token ever carried, in this copy or in one that is lost.
        let era = fenced.era.max(era(&mut tx).await?) + 1;
        for statement in [
            "UPDATE users SET session_number = $1",
            "UPDATE service_accounts SET session_number = $1",
            "UPDATE clusters SET credential_number = $1",
        ] {
            tx.execute(statement, &[(era << ERA_BITS).into()])
                .await
                .during(RECOVER)?;
        }
        for statement in [
            "UPDATE users SET password = 'suspended:' || password
             WHERE password IS NOT NULL AND password NOT LIKE 'suspended:%'",
            "UPDATE service_accounts SET secret = 'suspended:' || secret WHERE secret NOT LIKE 'suspended:%'",
            "UPDATE clusters SET credential = 'suspended:' || credential WHERE credential NOT LIKE 'suspended:%'",
        ] {
            tx.execute(statement, &[]).await.during(RECOVER)?;
        }
        for (name, value) in &fenced.numbers {
            tx.execute(
                "UPDATE counters SET value = $2 WHERE name = $1 AND value < $2",
                &[Arg::text(name), (*value).into()],
            )
            .await
            .during(RECOVER)?;
        }
        let mut entry = entry;
        keep_uids(&mut tx, uids, &mut entry).await?;
        let suspended = suspended(&mut tx).await?;
        for (name, value) in [
            ("was", fenced.head.to_string()),
            ("found", found.to_string()),
            ("era", era.to_string()),
            ("suspended_passwords", suspended.passwords.to_string()),
            ("suspended_secrets", suspended.secrets.to_string()),
            ("suspended_cluster_secrets", suspended.clusters.to_string()),
        ] {
            entry.metadata.insert(name.to_owned(), value);
        }
        let recovered = Recovered { era, suspended };
        let changes = Changes::of(DirectoryChange::Everything);
        let committed = changes.commit(tx, &entry, recovered, RECOVER).await?;
        Ok(committed.value)
    }

    async fn suspended(&self) -> Result<Suspended, StoreError> {
        suspended(&mut self.read(READ).await?).await
    }

    async fn confirm(
        &self,
        granted: &Granted,
        kind: CredentialKind,
        entry: AuditEntry,
    ) -> Result<u64, StoreError> {
        gate::is(granted, BootstrapException::Recovery, CONFIRM)?;
        let statement = match kind {
            CredentialKind::Passwords => {
                "UPDATE users SET password = substr(password, 11) WHERE password LIKE 'suspended:%'"
            }
            CredentialKind::Secrets => {
                "UPDATE service_accounts SET secret = substr(secret, 11) WHERE secret LIKE 'suspended:%'"
            }
            CredentialKind::Clusters => {
                "UPDATE clusters SET credential = substr(credential, 11) WHERE credential LIKE 'suspended:%'"
            }
        };
        let mut tx = self.write(CONFIRM).await?;
        let confirmed = tx.execute(statement, &[]).await.during(CONFIRM)?;
        let mut entry = entry.about("", kind.words());
        entry
            .metadata
            .insert("confirmed".to_owned(), confirmed.to_string());
        audit::append(&mut tx, &entry).await?;
        tx.commit().await.during(CONFIRM)?;
        Ok(confirmed)
    }

    async fn recover_password(
        &self,
        granted: &Granted,
        email: &Email,
        password: Verifier,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        gate::is(granted, BootstrapException::Recovery, CONFIRM)?;
        let mut tx = self.write(CONFIRM).await?;
        let id: UserId = tx
            .row(
                "UPDATE users SET password = $2, updated_at = $3 WHERE email = $1 RETURNING id",
                &[Arg::text(email), password.as_str().into(), at.into()],
            )
            .await
            .during(CONFIRM)?
            .ok_or_else(|| StoreError::NotFound {
                what: "user",
                id: email.to_string(),
            })?
            .parsed("id")?;
        sessions::end(&mut tx, SubjectId::User(id), CONFIRM).await?;
        let changes = users::changed(&mut tx, id, CONFIRM).await?;
        let entry = entry.about(id, email);
        changes.commit(tx, &entry, (), CONFIRM).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_statements_know_the_mark_of_the_suspended() {
        assert_eq!(reeve_store::user::SUSPENDED, "suspended:");
        assert_eq!(reeve_store::user::SUSPENDED.len() + 1, 11);
    }
}
