//! Access rules in SQL.

mod list;

use std::collections::HashMap;

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, GrantedRole, RoleId, Rule, Scope, SubjectKey, Visible};
use reeve_store::{
    AccessRuleFilter, AccessRuleRow, AccessRules, AuditEntry, Committed, DirectoryChange, NewAccessRule,
    Page, StoreError, gate,
};
use reeve_types::list::{AccessRuleColumn, ListQuery};
use reeve_types::{AccessRuleId, ClusterId, DepartmentId, ProjectId, Timestamp};

use crate::changes::{Changes, soft_delete_rules, spread_rules};
use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};
use crate::folded::folded;
use crate::{SqlStore, rows};
pub(crate) use list::list;

const READ: &str = "read access rules";
const CREATE: &str = "create an access rule";
const DELETE: &str = "delete an access rule";

/// What the account is called where a scope's name is shown.
const ACCOUNT_NAME: &str = "account";

macro_rules! columns {
    () => {
        "SELECT id, subject_kind, subject, role_id, scope_type, scope_id, scope_name, cluster_id, created_at, created_by,
                deleted_at,
                (SELECT c.in_clusters_as FROM custom_roles c WHERE c.id = role_id) AS role_in_clusters_as "
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(columns!(), "FROM access_rules ", $rest)
    };
}

fn read_all(found: Vec<Row>) -> Result<Vec<AccessRuleRow>, StoreError> {
    found.iter().map(rows::access_rule).collect()
}

/// What decisions are made from, of every rule that is not deleted.
pub(crate) async fn live_rule_facts(tx: &mut Tx, operation: &'static str) -> Result<Vec<Rule>, StoreError> {
    let sql = select!("WHERE deleted_at IS NULL ORDER BY id");
    let rule = |row: &Row| rows::access_rule(row).map(|row| row.rule());
    tx.collect(sql, &[], rule, operation).await
}

/// Those of the account that are in effect: a disabled service account's are not.
pub(crate) async fn live_rules_at_account(tx: &mut Tx) -> Result<Vec<AccessRuleRow>, StoreError> {
    let found = tx
        .rows(
            select!(
                "WHERE scope_type = 'tenant' AND deleted_at IS NULL
                   AND (subject_kind <> 'service-account'
                        OR subject IN (SELECT name FROM service_accounts WHERE enabled))
                 ORDER BY id"
            ),
            &[],
        )
        .await
        .context(READ)?;
    read_all(found)
}

pub(crate) async fn live_rules_of_cluster(
    tx: &mut Tx,
    id: ClusterId,
) -> Result<Vec<AccessRuleRow>, StoreError> {
    let sql = select!("WHERE cluster_id = $1 AND deleted_at IS NULL ORDER BY id");
    read_all(tx.rows(sql, &[Arg::text(id)]).await.context(READ)?)
}

pub(crate) async fn live_rules_of_department(
    tx: &mut Tx,
    id: DepartmentId,
) -> Result<Vec<AccessRuleRow>, StoreError> {
    let sql = select!("WHERE department_id = $1 AND deleted_at IS NULL ORDER BY id");
    read_all(tx.rows(sql, &[id.number().into()]).await.context(READ)?)
}

pub(crate) async fn live_rules_of_project(
    tx: &mut Tx,
    id: ProjectId,
) -> Result<Vec<AccessRuleRow>, StoreError> {
    let sql = select!("WHERE project_id = $1 AND deleted_at IS NULL ORDER BY id");
    read_all(tx.rows(sql, &[id.number().into()]).await.context(READ)?)
}

pub(crate) async fn live_rules_of_subject(
    tx: &mut Tx,
    subject: &SubjectKey,
) -> Result<Vec<AccessRuleRow>, StoreError> {
    let (kind, name) = rows::subject_columns(subject);
    let sql = select!("WHERE subject_kind = $1 AND subject = $2 AND deleted_at IS NULL ORDER BY id");
    read_all(
        tx.rows(sql, &[kind.into(), Arg::text(name)])
            .await
            .context(READ)?,
    )
}

/// Refuses a transaction after which no local user is a System administrator of the account.
pub(crate) async fn keep_an_administrator(tx: &mut Tx) -> Result<(), StoreError> {
    let left = tx
        .row(
            "SELECT r.id FROM access_rules r JOIN users u ON u.email = r.subject
             WHERE r.subject_kind = 'user' AND r.role_id = $1 AND r.scope_type = 'tenant'
               AND r.deleted_at IS NULL AND u.password IS NOT NULL
             LIMIT 1",
            &[RoleId::SYSTEM_ADMINISTRATOR.number().into()],
        )
        .await
        .context("look for a local System administrator")?;
    if left.is_some() {
        Ok(())
    } else {
        Err(StoreError::LastAdministrator)
    }
}

async fn one(
    tx: &mut Tx,
    id: AccessRuleId,
    operation: &'static str,
) -> Result<Option<AccessRuleRow>, StoreError> {
    tx.one(
        select!("WHERE id = $1"),
        &[id.number().into()],
        rows::access_rule,
        operation,
    )
    .await
}

async fn add_statuses(tx: &mut Tx, rules: &mut [AccessRuleRow]) -> Result<(), StoreError> {
    let ids = rules.iter().map(|rule| rule.id.to_string());
    let statement = Statement::from(
        "SELECT cluster_id, object_id, phase, message, updated_at AS status_at FROM object_status
         WHERE kind = 'access-rule' AND object_id IN (",
    )
    .texts(ids)
    .sql(") ORDER BY cluster_id");
    let found = tx.select(&statement, READ).await?;
    let mut places: HashMap<_, _> = rules.iter_mut().map(|rule| (rule.id, rule)).collect();
    for row in found {
        let id: AccessRuleId = row.parsed("object_id")?;
        if let (Some(rule), Some(status)) = (places.get_mut(&id), rows::status(&row)?) {
            rule.statuses.push((row.parsed("cluster_id")?, status));
        }
    }
    Ok(())
}

/// Where a scope lies, and its name.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) cluster: Option<ClusterId>,
    pub(crate) department: Option<i64>,
    pub(crate) project: Option<i64>,
}

pub(crate) async fn place(tx: &mut Tx, scope: Scope, operation: &'static str) -> Result<Place, StoreError> {
    let missing = |what, id: String| StoreError::NotFound { what, id };
    Ok(match scope {
        Scope::Account => Place {
            name: ACCOUNT_NAME.to_owned(),
            cluster: None,
            department: None,
            project: None,
        },
        Scope::Cluster(id) => {
            let row = tx
                .row("SELECT name FROM clusters WHERE id = $1", &[Arg::text(id)])
                .await
                .context(operation)?;
            let row = row.ok_or_else(|| missing("cluster", id.to_string()))?;
            Place {
                name: row.text("name")?,
                cluster: Some(id),
                department: None,
                project: None,
            }
        }
        Scope::Department(id) => {
            let sql = "SELECT name, cluster_id FROM departments WHERE id = $1";
            let row = tx.row(sql, &[id.number().into()]).await.context(operation)?;
            let row = row.ok_or_else(|| missing("department", id.to_string()))?;
            Place {
                name: row.text("name")?,
                cluster: Some(row.parsed("cluster_id")?),
                department: Some(id.number()),
                project: None,
            }
        }
        Scope::Project(id) => {
            let sql = "SELECT name, cluster_id, department_id FROM projects WHERE id = $1";
            let row = tx.row(sql, &[id.number().into()]).await.context(operation)?;
            let row = row.ok_or_else(|| missing("project", id.to_string()))?;
            Place {
                name: row.text("name")?,
                cluster: Some(row.parsed("cluster_id")?),
                department: Some(row.int("department_id")?),
                project: Some(id.number()),
            }
        }
    })
}

/// Refuses a subject that does not exist; whether its rules are in effect. Groups exist by being named.
async fn in_effect(tx: &mut Tx, subject: &SubjectKey) -> Result<bool, StoreError> {
    match subject {
        SubjectKey::User(email) => {
            let row = tx
                .row("SELECT id FROM users WHERE email = $1", &[Arg::text(email)])
                .await
                .context(CREATE)?;
            row.map(|_| true).ok_or_else(|| StoreError::NotFound {
                what: "user",
                id: email.to_string(),
            })
        }
        SubjectKey::ServiceAccount(name) => {
            let sql = "SELECT enabled FROM service_accounts WHERE name = $1";
            let row = tx.row(sql, &[Arg::text(name)]).await.context(CREATE)?;
            row.ok_or_else(|| StoreError::NotFound {
                what: "service account",
                id: name.to_string(),
            })?
            .bool("enabled")
        }
        SubjectKey::Group(_) => Ok(true),
    }
}

/// How many rules a department or a project may have. Others than the account's administrators make rules there; all subjects of
/// a role in a namespace are one RoleBinding, and etcd takes 1.5 MiB.
const RULES_OF_A_SCOPE: i64 = 2_000;

/// Whether there is room for one more rule in a scope.
async fn room(tx: &mut Tx, scope: Scope, name: &str) -> Result<(), StoreError> {
    // One statement for each column that has an index.
    let (sql, id) = match scope {
        Scope::Account | Scope::Cluster(_) => return Ok(()),
        Scope::Department(id) => (
            "SELECT COUNT(*) AS rules FROM access_rules
             WHERE department_id = $1 AND scope_type = 'department' AND deleted_at IS NULL",
            id.number(),
        ),
        Scope::Project(id) => (
            "SELECT COUNT(*) AS rules FROM access_rules
             WHERE project_id = $1 AND scope_type = 'project' AND deleted_at IS NULL",
            id.number(),
        ),
    };
    let row = tx.row(sql, &[id.into()]).await.context(CREATE)?;
    match row.map(|row| row.int("rules")).transpose()? {
        Some(rules) if rules >= RULES_OF_A_SCOPE => Err(StoreError::ScopeFull {
            scope: format!("{} `{name}`", scope.wire_type()),
            most: RULES_OF_A_SCOPE,
        }),
        _ => Ok(()),
    }
}

/// Writes a rule's row and what clusters see of it.
pub(crate) async fn insert(
    tx: &mut Tx,
    changes: &mut Changes,
    new: NewAccessRule,
) -> Result<AccessRuleRow, StoreError> {
    let in_effect = in_effect(tx, &new.subject).await?;
    let place = place(tx, new.scope, CREATE).await?;
    room(tx, new.scope, &place.name).await?;
    let (kind, subject) = rows::subject_columns(&new.subject);
    let number = tx.next_number("access_rule").await?;
    tx.execute(
        "INSERT INTO access_rules (id, subject_kind, subject, role_id, scope_type, scope_id, scope_name, cluster_id,
                                   department_id, project_id, created_at, created_by, subject_folded,
                                   scope_name_folded)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        &[
            number.into(),
            kind.into(),
            Arg::text(&subject),
            new.role.number().into(),
            new.scope.wire_type().into(),
            Arg::text(new.scope.wire_id()),
            Arg::text(&place.name),
            Arg::opt_text(place.cluster),
            place.department.into(),
            place.project.into(),
            new.created_at.into(),
            Arg::text(&new.created_by),
            Arg::text(folded(&subject)),
            Arg::text(folded(&place.name)),
        ],
    )
    .await
    .or_conflict(CREATE, || StoreError::Conflict {
        what: "access rule",
        name: format!("{} as {} in {}", new.subject.name(), new.role, place.name),
        context: "",
    })?;
    let missing = || StoreError::NotFound {
        what: "access rule",
        id: number.to_string(),
    };
    let id = AccessRuleId::new(number).ok_or_else(missing)?;
    let row = one(tx, id, CREATE).await?.ok_or_else(missing)?;
    changes.directory(DirectoryChange::Rule(row.rule()));
    if in_effect {
        spread_rules(tx, changes, std::slice::from_ref(&row)).await?;
    }
    Ok(row)
}

#[async_trait]
impl AccessRules for SqlStore {
    async fn access_rules(
        &self,
        visible: &Visible,
        query: &ListQuery<AccessRuleColumn>,
        filter: &AccessRuleFilter,
    ) -> Result<(Page<AccessRuleRow>, u64), StoreError> {
        let list = list(visible, query, filter)?;
        let mut tx = self.read(READ).await?;
        let mut page = list
            .page(&mut tx, (columns!(), ""), rows::access_rule, READ)
            .await?;
        add_statuses(&mut tx, &mut page.items).await?;
        let total = list.count(&mut tx, READ).await?;
        Ok((page, total))
    }

    async fn count_access_rules(
        &self,
        visible: &Visible,
        query: &ListQuery<AccessRuleColumn>,
        filter: &AccessRuleFilter,
    ) -> Result<u64, StoreError> {
        let list = list(visible, query, filter)?;
        list.count(&mut self.read(READ).await?, READ).await
    }

    async fn access_rule(
        &self,
        granted: &Granted,
        id: AccessRuleId,
    ) -> Result<Option<AccessRuleRow>, StoreError> {
        let mut tx = self.read(READ).await?;
        let Some(mut row) = one(&mut tx, id, READ).await? else {
            return Ok(None);
        };
        gate::fits(granted, Action::Read, Entity::AccessRules, row.scope, READ)?;
        add_statuses(&mut tx, std::slice::from_mut(&mut row)).await?;
        Ok(Some(row))
    }

    async fn create_access_rule(
        &self,
        granted: &GrantedRole,
        new: NewAccessRule,
        entry: AuditEntry,
    ) -> Result<Committed<AccessRuleRow>, StoreError> {
        gate::gives(granted, new.role, new.scope, CREATE)?;
        let mut tx = self.write_as(granted.granted(), CREATE).await?;
        let mut changes = Changes::default();
        let value = insert(&mut tx, &mut changes, new).await?;
        let about = format!("{} is a {} in {}", value.subject, value.role, value.scope);
        let entry = entry.about(value.id, about);
        changes.commit(tx, &entry, value, CREATE).await
    }

    async fn delete_access_rule(
        &self,
        granted: &Granted,
        id: AccessRuleId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        let mut tx = self.write_as(granted, DELETE).await?;
        tx.trail().ends_no_credential();
        let row = one(&mut tx, id, DELETE)
            .await?
            .filter(|row| row.deleted_at.is_none());
        let row = row.ok_or_else(|| StoreError::NotFound {
            what: "access rule",
            id: id.to_string(),
        })?;
        gate::fits(granted, Action::Delete, Entity::AccessRules, row.scope, DELETE)?;
        let mut changes = Changes::default();
        let gone = soft_delete_rules(&mut tx, &mut changes, std::slice::from_ref(&row), at).await?;
        changes.rules_deleted(&gone);
        if row.role == RoleId::SYSTEM_ADMINISTRATOR && row.scope == Scope::Account {
            keep_an_administrator(&mut tx).await?;
        }
        let about = format!("{} is a {} in {}", row.subject, row.role, row.scope);
        changes.commit(tx, &entry.about(id, about), (), DELETE).await
    }
}
