//! Service accounts in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, SubjectKey};
use reeve_link::ObjectKey;
use reeve_store::{
    AuditEntry, Committed, CredentialHash, DirectoryChange, NewServiceAccount, Page, ServiceAccountFacts,
    ServiceAccountRow, ServiceAccounts, StoreError, SubjectId, gate,
};
use reeve_types::list::{ListQuery, ServiceAccountColumn};
use reeve_types::{AccessRuleId, ServiceAccountId, Timestamp};

use crate::access_rules::live_rules_of_subject;
use crate::changes::{Changes, reached, soft_delete_rules, spread_rules};
use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};
use crate::lists::{List, Term};
use crate::resource::{Resource, needed};
use crate::{SqlStore, directory, rows, sessions};

const READ: &str = "read service accounts";
const CREATE: &str = "create a service account";
const CHANGE: &str = "change a service account";
const DELETE: &str = "delete a service account";

macro_rules! columns {
    () => {
        "SELECT id, name, enabled, created_at, created_by, updated_at, last_login "
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(columns!(), "FROM service_accounts ", $rest)
    };
}

fn fits(granted: &Granted, action: Action, operation: &'static str) -> Result<(), StoreError> {
    gate::fits(granted, action, Entity::ServiceAccount, Scope::Account, operation)
}

pub(crate) struct ServiceAccount;

impl Resource for ServiceAccount {
    type Id = ServiceAccountId;
    type Row = ServiceAccountRow;

    const WHAT: &'static str = "service account";
    const ENTITY: Entity = Entity::ServiceAccount;
    const READ: &'static str = READ;
    const ONE: &'static str = select!("WHERE id = $1");
    const KEY: fn(Self::Id) -> Arg = Arg::text;
    const SCOPE: fn(Self::Id) -> Scope = |_| Scope::Account;
    const ROW: fn(&Row) -> Result<Self::Row, StoreError> = rows::service_account;
}

/// What requests go by.
async fn facts(tx: &mut Tx, id: ServiceAccountId) -> Result<ServiceAccountFacts, StoreError> {
    directory::service_account_facts(tx, id, CHANGE).await
}

/// That it is now as its row says.
async fn changed(tx: &mut Tx, id: ServiceAccountId) -> Result<Changes, StoreError> {
    Ok(Changes::of(DirectoryChange::ServiceAccount(facts(tx, id).await?)))
}

fn term(column: ServiceAccountColumn) -> Term {
    use ServiceAccountColumn as C;
    match column {
        C::Name => "a.name".into(),
        C::CreatedBy => "a.created_by".into(),
        C::CreatedAt => "a.created_at".into(),
        C::UpdatedAt => "a.updated_at".into(),
        C::Enabled => Statement::from("(CASE WHEN a.enabled THEN 'true' ELSE 'false' END)")
            .bytewise()
            .into(),
        C::LastLogin => "a.last_login".into(),
    }
}

pub(crate) fn list(query: &ListQuery<ServiceAccountColumn>) -> List<'_, ServiceAccountColumn> {
    List {
        query,
        table: "service_accounts",
        alias: "a",
        order: &["a.name"],
        term: &term,
        conditions: Vec::new(),
    }
}

#[async_trait]
impl ServiceAccounts for SqlStore {
    async fn service_accounts(
        &self,
        granted: &Granted,
        query: &ListQuery<ServiceAccountColumn>,
    ) -> Result<Page<ServiceAccountRow>, StoreError> {
        fits(granted, Action::Read, READ)?;
        let mut tx = self.read(READ).await?;
        list(query)
            .page(&mut tx, (columns!(), ""), rows::service_account, READ)
            .await
    }

    async fn service_accounts_made_by(
        &self,
        granted: &Granted,
        maker: &str,
    ) -> Result<Vec<ServiceAccountRow>, StoreError> {
        fits(granted, Action::Read, READ)?;
        let mut tx = self.read(READ).await?;
        let by = select!("WHERE created_by = $1 ORDER BY name");
        tx.all(by, &[maker.into()], rows::service_account, READ).await
    }

    async fn service_account(
        &self,
        granted: &Granted,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountRow>, StoreError> {
        self.get::<ServiceAccount>(granted, id).await
    }

    async fn create_service_account(
        &self,
        granted: &Granted,
        new: NewServiceAccount,
        entry: AuditEntry,
    ) -> Result<Committed<ServiceAccountRow>, StoreError> {
        fits(granted, Action::Create, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        tx.execute(
            "INSERT INTO service_accounts (id, name, secret, enabled, created_at, created_by, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $5)",
            &[
                Arg::text(new.id),
                Arg::text(&new.name),
                new.secret.as_str().into(),
                true.into(),
                new.created_at.into(),
                Arg::text(&new.created_by),
            ],
        )
        .await
        .or_conflict(CREATE, || StoreError::Conflict {
            what: "service account",
            name: new.name.to_string(),
            context: "",
        })?;
        let row = needed::<ServiceAccount>(&mut tx, new.id, CREATE).await?;
        let entry = entry.about(row.id, &row.name);
        let changes = changed(&mut tx, row.id).await?;
        changes.commit(tx, &entry, row, CREATE).await
    }

    async fn set_service_account_enabled(
        &self,
        granted: &Granted,
        id: ServiceAccountId,
        enabled: bool,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<ServiceAccountFacts>, StoreError> {
        let (mut tx, before) = self
            .change::<ServiceAccount>(granted, Action::Update, id, CHANGE)
            .await?;
        let mut changes = Changes::default();
        if before.enabled != enabled {
            let rules =
                live_rules_of_subject(&mut tx, &SubjectKey::ServiceAccount(before.name.clone())).await?;
            if enabled {
                spread_rules(&mut tx, &mut changes, &rules).await?;
            } else {
                for rule in &rules {
                    for cluster in reached(&mut tx, rule.scope, rule.cluster_id).await? {
                        changes.delete(cluster, ObjectKey::AccessRule(rule.id));
                    }
                }
                // What was issued before stays worthless when the account is enabled again.
                let subject = SubjectId::ServiceAccount(id);
                sessions::end_all(&mut tx, &mut changes, subject, at, CHANGE).await?;
            }
            tx.execute(
                "UPDATE service_accounts SET enabled = $2, updated_at = $3 WHERE id = $1",
                &[Arg::text(id), enabled.into(), at.into()],
            )
            .await
            .context(CHANGE)?;
        }
        let value = facts(&mut tx, id).await?;
        changes.directory(DirectoryChange::ServiceAccount(value.clone()));
        let entry = entry.about(id, &value.name);
        changes.commit(tx, &entry, value, CHANGE).await
    }

    async fn set_service_account_secret(
        &self,
        granted: &Granted,
        id: ServiceAccountId,
        secret: CredentialHash,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError> {
        let (mut tx, row) = self
            .change::<ServiceAccount>(granted, Action::Update, id, CHANGE)
            .await?;
        tx.execute(
            "UPDATE service_accounts SET secret = $2, updated_at = $3 WHERE id = $1",
            &[Arg::text(id), secret.as_str().into(), at.into()],
        )
        .await
        .context(CHANGE)?;
        let mut changes = changed(&mut tx, id).await?;
        let subject = SubjectId::ServiceAccount(id);
        let ended = sessions::end_all(&mut tx, &mut changes, subject, at, CHANGE).await?;
        changes
            .commit(tx, &entry.about(id, &row.name), ended, CHANGE)
            .await
    }

    async fn delete_service_account(
        &self,
        granted: &Granted,
        id: ServiceAccountId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError> {
        let (mut tx, row) = self
            .change::<ServiceAccount>(granted, Action::Delete, id, DELETE)
            .await?;
        let mut changes = Changes::of(DirectoryChange::ServiceAccountDeleted(id));
        let rules = live_rules_of_subject(&mut tx, &SubjectKey::ServiceAccount(row.name.clone())).await?;
        let value = soft_delete_rules(&mut tx, &mut changes, &rules, at).await?;
        changes.rules_deleted(&value);
        sessions::end_all(&mut tx, &mut changes, SubjectId::ServiceAccount(id), at, DELETE).await?;
        tx.execute("DELETE FROM service_accounts WHERE id = $1", &[Arg::text(id)])
            .await
            .context(DELETE)?;
        changes
            .commit(tx, &entry.about(id, row.name), value, DELETE)
            .await
    }
}
