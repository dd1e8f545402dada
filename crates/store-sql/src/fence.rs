//! The fence in SQL.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reeve_authz::{BootstrapException, Granted};
use reeve_store::{
    AuditEntry, AuditHead, CredentialHash, CredentialKind, DirectoryChange, ERA_BITS, Evidence, Fence,
    FenceNews, Fenced, Loss, Recovered, StoreError, SubjectId, Suspended, gate,
};
use reeve_types::{Email, PosixIdentity, Timestamp, Uid, UserId};

use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::{SqlStore, audit, change_log, second_factors, sessions, users};

const READ: &str = "read how far the database has come";
const RECOVER: &str = "end what a restored database holds";
const CONFIRM: &str = "let suspended credentials be used again";

/// What counters never go back, with the era, and how far the audit log has come: its number is the chain's own.
const NUMBERS: &str = "SELECT c.name, c.value, e.hash FROM counters c LEFT JOIN audit_events e ON c.name = 'audit' AND e.sequence = c.value
     WHERE c.name IN ('department', 'project', 'access_rule', 'era', 'audit')";

fn uid(row: &Row) -> Result<(Uid, Option<UserId>), StoreError> {
    let owner = row.text("user_id")?;
    let owner = match owner.as_str() {
        "" => None,
        _ => Some(row.parsed("user_id")?),
    };
    Ok((row.number("uid", |number| Uid::new(number).ok())?, owner))
}

async fn count(tx: &mut Tx, sql: &'static str) -> Result<i64, StoreError> {
    let row = tx.row(sql, &[]).await.context(READ)?;
    row.map_or(Ok(0), |row| row.int("n"))
}

async fn suspended(tx: &mut Tx) -> Result<Suspended, StoreError> {
    Ok(Suspended {
        passwords: count(
            tx,
            "SELECT (SELECT COUNT(*) FROM users WHERE password LIKE 'suspended:%')
                    + (SELECT COUNT(*) FROM passkeys WHERE suspended) AS n",
        )
        .await?,
        secrets: count(
            tx,
            "SELECT (SELECT COUNT(*) FROM service_accounts WHERE secret LIKE 'suspended:%')
                    + (SELECT COUNT(*) FROM access_keys WHERE secret LIKE 'suspended:%') AS n",
        )
        .await?,
        clusters: count(
            tx,
            "SELECT COUNT(*) AS n FROM clusters WHERE credential LIKE 'suspended:%'",
        )
        .await?,
    })
}

/// Notes uids as given to whom the fence says; the event names each that is news here.
async fn keep_uids(tx: &mut Tx, uids: &[(Uid, UserId)], entry: &mut AuditEntry) -> Result<(), StoreError> {
    let event = audit::next_sequence(tx).await?;
    tx.trail().gave_uids();
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
        .context(RECOVER)?;
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
        .context(RECOVER)?
        .map(|row| row.opt_json("posix"))
        .transpose()?
        .flatten();
    if posix.is_some_and(|posix| posix.uid() == uid) {
        tx.execute("UPDATE users SET posix = NULL WHERE id = $1", &[Arg::text(user)])
            .await
            .context(RECOVER)?;
    }
    Ok(())
}

async fn news(tx: &mut Tx, since: i64) -> Result<FenceNews, StoreError> {
    // On the way of every change's answer: as few statements as will do.
    let number = |row: &Row| Ok((row.text("name")?, row.int("value")?, row.opt_text("hash")?));
    let counters = tx.all(NUMBERS, &[], number, READ).await?;
    let mut news = FenceNews {
        head: AuditHead::default(),
        era: 0,
        numbers: BTreeMap::new(),
        uids: Vec::new(),
    };
    for (name, value, hash) in counters {
        match name.as_str() {
            "audit" => {
                news.head = AuditHead {
                    sequence: value,
                    mac: hash.unwrap_or_default(),
                }
            }
            "era" => news.era = value,
            _ => drop(news.numbers.insert(name, value)),
        }
    }
    news.uids = tx
        .all(
            "SELECT uid, user_id FROM used_uids WHERE event > $1 ORDER BY event, uid",
            &[since.into()],
            uid,
            READ,
        )
        .await?;
    Ok(news)
}

/// No number that was drawn is drawn again; how many counters that raised.
async fn raise_counters(tx: &mut Tx, fenced: &Fenced) -> Result<u64, StoreError> {
    let mut raised = 0;
    for (name, value) in &fenced.numbers {
        raised += tx
            .execute(
                "UPDATE counters SET value = $2 WHERE name = $1 AND value < $2",
                &[Arg::text(name), (*value).into()],
            )
            .await
            .context(RECOVER)?;
    }
    Ok(raised)
}

/// Keeps the numbers and uids that only this fence knows of. What somebody was given since the restore stays theirs.
async fn keep(
    mut tx: Tx,
    fenced: &Fenced,
    uids: &[(Uid, UserId)],
    era: i64,
    mut entry: AuditEntry,
) -> Result<(), StoreError> {
    let mut kept = raise_counters(&mut tx, fenced).await?;
    let event = audit::next_sequence(&mut tx).await?;
    tx.trail().gave_uids();
    for (uid, owner) in uids {
        let added = tx
            .execute(
                "INSERT INTO used_uids (uid, user_id, event) VALUES ($1, $2, $3) ON CONFLICT (uid) DO NOTHING",
                &[uid.number().into(), Arg::text(owner), event.into()],
            )
            .await
            .context(RECOVER)?;
        if added > 0 {
            kept += 1;
            entry
                .metadata
                .insert(format!("kept_uid_{uid}"), owner.to_string());
        }
    }
    if kept == 0 {
        return Ok(());
    }
    for (name, value) in [("was", fenced.head.to_string()), ("settled", era.to_string())] {
        entry.metadata.insert(name.to_owned(), value);
    }
    audit::append(&mut tx, &entry).await?;
    tx.commit().await.context(RECOVER)
}

/// Ends everything that a restored database holds.
async fn end_all(
    mut tx: Tx,
    fenced: &Fenced,
    uids: &[(Uid, UserId)],
    entry: AuditEntry,
) -> Result<Recovered, StoreError> {
    let found = audit::head(&mut tx).await?;
    // Greater than every number that any token ever carried, in this copy or in one that is lost.
    let era = fenced.era.max(change_log::era(&mut tx).await?) + 1;
    for (statement, value) in [
        ("UPDATE counters SET value = $1 WHERE name = 'era'", era),
        ("UPDATE clusters SET credential_number = $1", era << ERA_BITS),
    ] {
        tx.execute(statement, &[value.into()]).await.context(RECOVER)?;
    }
    // Those that began in the part that is lost are known to nobody.
    sessions::end_everybodys(&mut tx, entry.timestamp, RECOVER).await?;
    for statement in [
        "UPDATE users SET password = 'suspended:' || password
             WHERE password IS NOT NULL AND password NOT LIKE 'suspended:%'",
        "UPDATE passkeys SET suspended = TRUE WHERE NOT suspended",
        "UPDATE service_accounts SET secret = 'suspended:' || secret WHERE secret NOT LIKE 'suspended:%'",
        "UPDATE access_keys SET secret = 'suspended:' || secret WHERE secret NOT LIKE 'suspended:%'",
        "UPDATE clusters SET credential = 'suspended:' || credential WHERE credential NOT LIKE 'suspended:%'",
    ] {
        tx.execute(statement, &[]).await.context(RECOVER)?;
    }
    raise_counters(&mut tx, fenced).await?;
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

#[async_trait]
impl Fence for SqlStore {
    async fn fence_news(&self, since: i64) -> Result<FenceNews, StoreError> {
        news(&mut self.read(READ).await?, since).await
    }

    async fn fence_news_after(&self, head: &AuditHead) -> Result<Option<FenceNews>, StoreError> {
        let mut tx = self.read(READ).await?;
        if !audit::has(&mut tx, head).await? {
            return Ok(None);
        }
        news(&mut tx, head.sequence).await.map(Some)
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
        end_all(self.write(RECOVER).await?, fenced, uids, entry).await
    }

    async fn recover_lost(
        &self,
        granted: &Granted,
        fenced: &Fenced,
        uids: &[(Uid, UserId)],
        evidence: &Evidence,
        entry: AuditEntry,
    ) -> Result<Loss, StoreError> {
        gate::is(granted, BootstrapException::Recovery, RECOVER)?;
        let mut tx = self.write(RECOVER).await?;
        let (lost, era_of_evidence) = match evidence {
            Evidence::Head => (!audit::has(&mut tx, &fenced.head).await?, fenced.era),
            Evidence::Mark { mark, era } => (change_log::has_lost(&mut tx, mark).await?, *era),
        };
        if !lost {
            return Ok(Loss::Nothing);
        }
        // Raised after what is lost was: everything in the database was ended since.
        let era = change_log::era(&mut tx).await?;
        if era > era_of_evidence {
            keep(tx, fenced, uids, era, entry).await?;
            return Ok(Loss::Settled(era));
        }
        end_all(tx, fenced, uids, entry).await.map(Loss::Ended)
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
        let statements: &[&'static str] = match kind {
            CredentialKind::Passwords => &[
                "UPDATE users SET password = substr(password, 11) WHERE password LIKE 'suspended:%'",
                "UPDATE passkeys SET suspended = FALSE WHERE suspended",
            ],
            CredentialKind::Secrets => &[
                "UPDATE service_accounts SET secret = substr(secret, 11) WHERE secret LIKE 'suspended:%'",
                "UPDATE access_keys SET secret = substr(secret, 11) WHERE secret LIKE 'suspended:%'",
            ],
            CredentialKind::Clusters => &[
                "UPDATE clusters SET credential = substr(credential, 11) WHERE credential LIKE 'suspended:%'",
            ],
        };
        let mut tx = self.write(CONFIRM).await?;
        let mut confirmed = 0;
        for statement in statements {
            confirmed += tx.execute(statement, &[]).await.context(CONFIRM)?;
        }
        let mut entry = entry.about("", kind.words());
        entry
            .metadata
            .insert("confirmed".to_owned(), confirmed.to_string());
        audit::append(&mut tx, &entry).await?;
        tx.commit().await.context(CONFIRM)?;
        Ok(confirmed)
    }

    async fn recover_password(
        &self,
        granted: &Granted,
        email: &Email,
        password: CredentialHash,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        gate::is(granted, BootstrapException::Recovery, CONFIRM)?;
        let mut tx = self.write(CONFIRM).await?;
        let id: UserId = tx
            .row(
                "UPDATE users SET password = $2, updated_at = $3, wrong_passwords = 0, temporary_password = FALSE
                 WHERE email = $1 RETURNING id",
                &[Arg::text(email), password.as_str().into(), at.into()],
            )
            .await
            .context(CONFIRM)?
            .ok_or_else(|| StoreError::NotFound {
                what: "user",
                id: email.to_string(),
            })?
            .parsed("id")?;
        let mut changes = users::changed(&mut tx, id, CONFIRM).await?;
        sessions::end_all(&mut tx, &mut changes, SubjectId::User(id), at, CONFIRM).await?;
        // Whoever is at the machine may have lost that as well.
        let (authenticator, passkeys) = second_factors::remove_all(&mut tx, id, CONFIRM).await?;
        let mut entry = entry.about(id, email);
        if authenticator {
            entry
                .metadata
                .insert("authenticator".to_owned(), "removed".to_owned());
        }
        if passkeys > 0 {
            entry.metadata.insert("passkey".to_owned(), "removed".to_owned());
            entry.metadata.insert("passkeys".to_owned(), passkeys.to_string());
        }
        changes.commit(tx, &entry, (), CONFIRM).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::NUMBERS;
    use crate::trail::DRAWN;

    #[test]
    fn the_numbers_that_are_read_are_those_that_are_followed() {
        let list = NUMBERS.split_once("IN (").unwrap().1;
        let read: Vec<&str> = list.trim_end_matches(')').split(", ").collect();
        let mut followed: Vec<String> = DRAWN.iter().map(|name| format!("'{name}'")).collect();
        followed.extend(["'era'".to_owned(), "'audit'".to_owned()]);
        assert_eq!(read, followed);
    }

    #[test]
    fn the_statements_know_the_mark_of_the_suspended() {
        assert_eq!(reeve_store::user::SUSPENDED, "suspended:");
        assert_eq!(reeve_store::user::SUSPENDED.len() + 1, 11);
    }
}
