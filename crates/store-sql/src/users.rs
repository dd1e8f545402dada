//! People in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, BootstrapException, Entity, Granted, RoleId, Scope, SubjectKey};
use reeve_store::{
    AccessRuleRow, AuditEntry, Committed, CredentialHash, DirectoryChange, EMAIL_RESTS_SECONDS,
    NewOwnPassword, NewUser, Page, StoreError, SubjectId, UserRow, Users, gate,
};
use reeve_types::list::{ListQuery, UserColumn};
use reeve_types::{AccessRuleId, Email, PosixIdentity, Timestamp, Uid, UserId};

use crate::access_rules::{keep_an_administrator, live_rules_of_subject};
use crate::changes::{Changes, soft_delete_rules};
use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};
use crate::lists::{List, Term};
use crate::resource::{Resource, missing, needed};
use crate::{SqlStore, access_keys, audit, directory, rows, second_factors, sessions, uids};

const READ: &str = "read users";
const CREATE: &str = "create a user";
const CHANGE: &str = "change a user";
const DELETE: &str = "delete a user";

macro_rules! columns {
    () => {
        "SELECT id, email, password IS NOT NULL AS is_local, posix, created_at, created_by, updated_at, last_login,
                group_names, temporary_password "
    };
}

fn fits(granted: &Granted, action: Action, operation: &'static str) -> Result<(), StoreError> {
    gate::fits(granted, action, Entity::Users, Scope::Account, operation)
}

pub(crate) struct User;

impl Resource for User {
    type Id = UserId;
    type Row = UserRow;

    const WHAT: &'static str = "user";
    const ENTITY: Entity = Entity::Users;
    const READ: &'static str = READ;
    const ONE: &'static str = concat!(columns!(), "FROM users WHERE id = $1");
    const KEY: fn(Self::Id) -> Arg = Arg::text;
    const SCOPE: fn(Self::Id) -> Scope = |_| Scope::Account;
    const ROW: fn(&Row) -> Result<Self::Row, StoreError> = rows::user;
}

/// Gives a uid to its first owner, for ever unless it is released.
async fn claim_uid(tx: &mut Tx, id: UserId, posix: Option<&PosixIdentity>) -> Result<(), StoreError> {
    match posix {
        Some(posix) => uids::claim(tx, id, posix.uid()).await,
        None => Ok(()),
    }
}

/// Notes when a user lost the uid: a Kubernetes token may name it for some minutes more.
async fn leave_uid(tx: &mut Tx, posix: Option<&PosixIdentity>, at: Timestamp) -> Result<(), StoreError> {
    let Some(uid) = posix.map(PosixIdentity::uid) else {
        return Ok(());
    };
    tx.execute(
        "UPDATE used_uids SET left_at = $2 WHERE uid = $1",
        &[uid.number().into(), at.into()],
    )
    .await
    .context("take a uid")?;
    Ok(())
}

/// An event with somebody's numbers after a change, and before it where there was a before.
fn with_posix(mut entry: AuditEntry, before: Option<&UserRow>, after: Option<&PosixIdentity>) -> AuditEntry {
    let text = |posix: Option<&PosixIdentity>| posix.map_or_else(|| "none".to_owned(), ToString::to_string);
    if let Some(before) = before {
        let before = text(before.posix.as_ref());
        entry.metadata.insert("posix_before".to_owned(), before);
    }
    entry.metadata.insert("posix_after".to_owned(), text(after));
    entry
}

fn posix_arg(posix: Option<&PosixIdentity>) -> Result<Arg, StoreError> {
    posix.map_or(Ok(Arg::Text(None)), Arg::json)
}

/// Refuses an email that tokens of somebody who is gone may still name.
async fn refuse_resting(tx: &mut Tx, new: &NewUser) -> Result<(), StoreError> {
    let deleted = tx
        .row(
            "SELECT deleted_at FROM former_emails WHERE email = $1",
            &[Arg::text(&new.email)],
        )
        .await
        .context(CREATE)?;
    let Some(deleted) = deleted else {
        return Ok(());
    };
    let until = deleted.time("deleted_at")?.plus_seconds(EMAIL_RESTS_SECONDS);
    if new.created_at < until {
        return Err(StoreError::EmailRests {
            email: new.email.to_string(),
            until,
        });
    }
    tx.execute(
        "DELETE FROM former_emails WHERE email = $1",
        &[Arg::text(&new.email)],
    )
    .await
    .context(CREATE)?;
    Ok(())
}

/// Lets an email rest from now on.
async fn rest(tx: &mut Tx, email: &Email, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO former_emails (email, deleted_at) VALUES ($1, $2)
         ON CONFLICT (email) DO UPDATE SET deleted_at = excluded.deleted_at",
        &[Arg::text(email), at.into()],
    )
    .await
    .context(DELETE)?;
    Ok(())
}

/// Removes the user's row; whether the user ever signed in, and so may have a Kubernetes token. The row that went says so, not one read
/// before: a sign-in may be recorded in between.
async fn remove(tx: &mut Tx, id: UserId) -> Result<bool, StoreError> {
    tx.row(
        "DELETE FROM users WHERE id = $1 RETURNING last_login IS NOT NULL AS signed_in",
        &[Arg::text(id)],
    )
    .await
    .context(DELETE)?
    .ok_or_else(|| missing::<User>(id))?
    .bool("signed_in")
}

/// Writes a new person's rows.
pub(crate) async fn insert(tx: &mut Tx, new: &NewUser) -> Result<UserRow, StoreError> {
    claim_uid(tx, new.id, new.posix.as_ref()).await?;
    refuse_resting(tx, new).await?;
    tx.execute(
        "INSERT INTO users (id, email, password, posix, created_at, created_by, updated_at, temporary_password)
         VALUES ($1, $2, $3, $4, $5, $6, $5, $7)",
        &[
            Arg::text(new.id),
            Arg::text(&new.email),
            Arg::opt_text(new.password.as_ref().map(CredentialHash::as_str)),
            posix_arg(new.posix.as_ref())?,
            new.created_at.into(),
            Arg::text(&new.created_by),
            new.temporary_password.into(),
        ],
    )
    .await
    .or_conflict(CREATE, || StoreError::Conflict {
        what: "user",
        name: new.email.to_string(),
        context: "",
    })?;
    needed::<User>(tx, new.id, CREATE).await
}

/// Ends the user's sessions, and with that the transaction.
async fn end(mut tx: Tx, id: UserId, entry: AuditEntry) -> Result<Committed<usize>, StoreError> {
    let row = needed::<User>(&mut tx, id, CHANGE).await?;
    let mut changes = changed(&mut tx, id, CHANGE).await?;
    let subject = SubjectId::User(id);
    let ended = sessions::end_all(&mut tx, &mut changes, subject, entry.timestamp, CHANGE).await?;
    changes
        .commit(tx, &entry.about(id, &row.email), ended, CHANGE)
        .await
}

/// That the user is now as the row says.
pub(crate) async fn made(
    tx: &mut Tx,
    id: UserId,
    operation: &'static str,
) -> Result<DirectoryChange, StoreError> {
    Ok(DirectoryChange::User(
        directory::user_facts(tx, id, operation).await?,
    ))
}

/// A write after which the user is as the row says.
pub(crate) async fn changed(tx: &mut Tx, id: UserId, operation: &'static str) -> Result<Changes, StoreError> {
    Ok(Changes::of(made(tx, id, operation).await?))
}

fn term(column: UserColumn) -> Term {
    use UserColumn as C;
    match column {
        C::Username => "u.email".into(),
        C::CreatedBy => "u.created_by".into(),
        C::LastLogin => "u.last_login".into(),
        C::CreationTime => "u.created_at".into(),
        C::LastUpdated => "u.updated_at".into(),
        C::IsLocal => Statement::from("(CASE WHEN u.password IS NULL THEN 'false' ELSE 'true' END)")
            .bytewise()
            .into(),
        C::Type => Statement::from("(CASE WHEN u.password IS NULL THEN 'sso' ELSE 'local' END)")
            .bytewise()
            .into(),
    }
}

pub(crate) fn list(query: &ListQuery<UserColumn>, local: Option<bool>) -> List<'_, UserColumn> {
    let local = local.map(|local| {
        Statement::from(if local {
            "u.password IS NOT NULL"
        } else {
            "u.password IS NULL"
        })
    });
    List {
        query,
        table: "users",
        alias: "u",
        order: &["u.email"],
        term: &term,
        conditions: local.into_iter().collect(),
    }
}

#[async_trait]
impl Users for SqlStore {
    async fn users(
        &self,
        granted: &Granted,
        query: &ListQuery<UserColumn>,
        local: Option<bool>,
    ) -> Result<Page<UserRow>, StoreError> {
        fits(granted, Action::Read, READ)?;
        let mut tx = self.read(READ).await?;
        list(query, local)
            .page(&mut tx, (columns!(), ""), rows::user, READ)
            .await
    }

    async fn count_users(
        &self,
        granted: &Granted,
        query: &ListQuery<UserColumn>,
        local: Option<bool>,
    ) -> Result<u64, StoreError> {
        fits(granted, Action::Read, READ)?;
        list(query, local).count(&mut self.read(READ).await?, READ).await
    }

    async fn user(&self, granted: &Granted, id: UserId) -> Result<Option<UserRow>, StoreError> {
        self.get::<User>(granted, id).await
    }

    async fn create_user(
        &self,
        granted: &Granted,
        new: NewUser,
        entry: AuditEntry,
    ) -> Result<Committed<UserRow>, StoreError> {
        fits(granted, Action::Create, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        let row = insert(&mut tx, &new).await?;
        let entry = with_posix(entry.about(row.id, &row.email), None, row.posix.as_ref());
        let changes = changed(&mut tx, row.id, CREATE).await?;
        changes.commit(tx, &entry, row, CREATE).await
    }

    async fn set_posix(
        &self,
        granted: &Granted,
        id: UserId,
        posix: Option<PosixIdentity>,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<UserRow>, StoreError> {
        let (mut tx, before) = self.change::<User>(granted, Action::Update, id, CHANGE).await?;
        leave_uid(&mut tx, before.posix.as_ref(), at).await?;
        claim_uid(&mut tx, id, posix.as_ref()).await?;
        tx.execute(
            "UPDATE users SET posix = $2, updated_at = $3 WHERE id = $1",
            &[Arg::text(id), posix_arg(posix.as_ref())?, at.into()],
        )
        .await
        .context(CHANGE)?;
        let row = needed::<User>(&mut tx, id, CHANGE).await?;
        let entry = with_posix(entry.about(id, &row.email), Some(&before), row.posix.as_ref());
        let changes = changed(&mut tx, id, CHANGE).await?;
        changes.commit(tx, &entry, row, CHANGE).await
    }

    async fn release_uid(
        &self,
        granted: &Granted,
        uid: Uid,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        fits(granted, Action::Update, CHANGE)?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        let entry = uids::release(&mut tx, uid, at, entry).await?;
        audit::append(&mut tx, &entry).await?;
        tx.commit().await.context(CHANGE)
    }

    async fn set_password(
        &self,
        granted: &Granted,
        id: UserId,
        password: CredentialHash,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError> {
        fits(granted, Action::Update, CHANGE)?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        tx.execute(
            "UPDATE users SET password = $2, updated_at = $3, wrong_passwords = 0, temporary_password = TRUE WHERE id = $1",
            &[Arg::text(id), password.as_str().into(), at.into()],
        )
        .await
        .context(CHANGE)?;
        end(tx, id, entry).await
    }

    async fn change_own_password(
        &self,
        granted: &Granted,
        id: UserId,
        new: NewOwnPassword,
        entry: AuditEntry,
    ) -> Result<Option<Committed<usize>>, StoreError> {
        gate::is(granted, BootstrapException::SessionRecord, CHANGE)?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        let row = needed::<User>(&mut tx, id, CHANGE).await?;
        let changed_rows = tx
            .execute(
                "UPDATE users SET password = $2, updated_at = $3, wrong_passwords = 0, temporary_password = FALSE
                 WHERE id = $1 AND password = $4",
                &[
                    Arg::text(id),
                    new.password.as_str().into(),
                    new.at.into(),
                    new.proven.as_str().into(),
                ],
            )
            .await
            .context(CHANGE)?;
        if changed_rows == 0 {
            return Ok(None);
        }
        let mut changes = changed(&mut tx, id, CHANGE).await?;
        let ended = sessions::end_others(&mut tx, &mut changes, id, new.session, new.at, CHANGE).await?;
        let entry = entry.about(id, &row.email);
        changes.commit(tx, &entry, ended, CHANGE).await.map(Some)
    }

    async fn end_sessions(
        &self,
        granted: &Granted,
        id: UserId,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError> {
        fits(granted, Action::Update, CHANGE)?;
        end(self.write_as(granted, CHANGE).await?, id, entry).await
    }

    async fn delete_user(
        &self,
        granted: &Granted,
        id: UserId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError> {
        let (mut tx, row) = self.change::<User>(granted, Action::Delete, id, DELETE).await?;
        let mut changes = Changes::of(DirectoryChange::UserDeleted(id));
        let rules = live_rules_of_subject(&mut tx, &SubjectKey::User(row.email.clone())).await?;
        let value = soft_delete_rules(&mut tx, &mut changes, &rules, at).await?;
        changes.rules_deleted(&value);
        sessions::end_all(&mut tx, &mut changes, SubjectId::User(id), at, DELETE).await?;
        leave_uid(&mut tx, row.posix.as_ref(), at).await?;
        tx.execute("DELETE FROM identities WHERE user_id = $1", &[Arg::text(id)])
            .await
            .context(DELETE)?;
        second_factors::remove_all(&mut tx, id, DELETE).await?;
        let keys = access_keys::delete_all(&mut tx, id, DELETE).await?;
        if remove(&mut tx, id).await? {
            rest(&mut tx, &row.email, at).await?;
        }
        let was_administrator =
            |rule: &AccessRuleRow| rule.role == RoleId::SYSTEM_ADMINISTRATOR && rule.scope == Scope::Account;
        if rules.iter().any(was_administrator) {
            keep_an_administrator(&mut tx).await?;
        }
        let mut entry = with_posix(entry.about(id, &row.email), Some(&row), None);
        if keys > 0 {
            entry.metadata.insert("access_keys".to_owned(), keys.to_string());
        }
        changes.commit(tx, &entry, value, DELETE).await
    }
}
