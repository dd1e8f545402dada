//! Roles that were made here, in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Role, RoleId, Scope};
use reeve_store::{
    AuditEntry, Committed, CustomRoleFacts, CustomRoles, DirectoryChange, MOST_CUSTOM_ROLES, SetCustomRole,
    StoreError, gate,
};
use reeve_types::Timestamp;

use crate::SqlStore;
use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::folded::folded;

const CREATE: &str = "create a role";
const UPDATE: &str = "change a role";
const DELETE: &str = "delete a role";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, description, enabled, permission_sets, in_clusters_as, created_at, created_by, updated_at
             FROM custom_roles WHERE deleted_at IS NULL ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<CustomRoleFacts, StoreError> {
    Ok(CustomRoleFacts {
        id: row.number("id", RoleId::new)?,
        name: row.text("name")?,
        description: row.text("description")?,
        enabled: row.bool("enabled")?,
        permission_sets: row.json("permission_sets")?,
        in_clusters_as: row.opt_int("in_clusters_as")?,
        created_at: row.time("created_at")?,
        created_by: row.text("created_by")?,
        updated_at: row.time("updated_at")?,
    })
}

/// All of them.
pub(crate) async fn all(tx: &mut Tx, operation: &'static str) -> Result<Vec<CustomRoleFacts>, StoreError> {
    tx.collect(select!("ORDER BY id"), &[], read, operation).await
}

async fn one(tx: &mut Tx, id: RoleId, operation: &'static str) -> Result<CustomRoleFacts, StoreError> {
    tx.one(select!("AND id = $1"), &[id.number().into()], read, operation)
        .await?
        .ok_or_else(|| StoreError::NotFound {
            what: "role",
            id: id.number().to_string(),
        })
}

async fn counted(
    tx: &mut Tx,
    sql: &'static str,
    args: &[Arg],
    operation: &'static str,
) -> Result<i64, StoreError> {
    let row = tx.row(sql, args).await.context(operation)?;
    row.map_or(Ok(0), |row| row.int("found"))
}

/// Refuses what access rules give.
async fn unused(tx: &mut Tx, role: &CustomRoleFacts, operation: &'static str) -> Result<(), StoreError> {
    let sql = "SELECT COUNT(*) AS found FROM access_rules WHERE role_id = $1 AND deleted_at IS NULL";
    match counted(tx, sql, &[role.id.number().into()], operation).await? {
        0 => Ok(()),
        rules => Err(StoreError::RoleInUse {
            role: role.name.clone(),
            rules,
        }),
    }
}

/// Refuses the name of another role.
async fn free(
    tx: &mut Tx,
    name: &str,
    but: Option<RoleId>,
    operation: &'static str,
) -> Result<(), StoreError> {
    let sql = "SELECT COUNT(*) AS found FROM custom_roles WHERE name_folded = $1 AND deleted_at IS NULL AND id <> $2";
    let but = but.map_or(0, RoleId::number);
    let others = counted(tx, sql, &[Arg::text(folded(name)), but.into()], operation).await?;
    let predefined = Role::all_predefined()
        .iter()
        .any(|role| folded(role.display_name()) == folded(name));
    if others == 0 && !predefined {
        return Ok(());
    }
    Err(StoreError::Conflict {
        what: "role",
        name: name.to_owned(),
        context: "",
    })
}

fn said(role: &CustomRoleFacts) -> String {
    serde_json::json!({
        "enabled": role.enabled, "permissionSets": role.permission_sets, "inClustersAs": role.in_clusters_as,
    })
    .to_string()
}

#[async_trait]
impl CustomRoles for SqlStore {
    async fn create_custom_role(
        &self,
        granted: &Granted,
        new: SetCustomRole,
        entry: AuditEntry,
    ) -> Result<Committed<CustomRoleFacts>, StoreError> {
        gate::fits(granted, Action::Create, Entity::Roles, Scope::Account, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        free(&mut tx, &new.name, None, CREATE).await?;
        let sql = "SELECT COUNT(*) AS found FROM custom_roles WHERE deleted_at IS NULL";
        if counted(&mut tx, sql, &[], CREATE).await? >= MOST_CUSTOM_ROLES {
            return Err(StoreError::RolesFull {
                most: MOST_CUSTOM_ROLES,
            });
        }
        let number = tx.next_number("custom_role").await?;
        tx.execute(
            "INSERT INTO custom_roles (id, name, name_folded, description, enabled, permission_sets, in_clusters_as, created_at,
                                       created_by, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8)",
            &[
                number.into(),
                Arg::text(&new.name),
                Arg::text(folded(&new.name)),
                Arg::text(&new.description),
                new.enabled.into(),
                Arg::json(&new.permission_sets)?,
                new.in_clusters_as.map(RoleId::number).into(),
                new.at.into(),
                Arg::text(&new.by),
            ],
        )
        .await
        .context(CREATE)?;
        let id = RoleId::new(number).ok_or(StoreError::RolesFull {
            most: MOST_CUSTOM_ROLES,
        })?;
        let facts = one(&mut tx, id, CREATE).await?;
        let mut entry = entry.about(number, &facts.name);
        entry.metadata.insert("role_after".to_owned(), said(&facts));
        let changes = Changes::of(DirectoryChange::Role(facts.clone()));
        changes.commit(tx, &entry, facts, CREATE).await
    }

    async fn update_custom_role(
        &self,
        granted: &Granted,
        id: RoleId,
        new: SetCustomRole,
        entry: AuditEntry,
    ) -> Result<Committed<CustomRoleFacts>, StoreError> {
        gate::fits(granted, Action::Update, Entity::Roles, Scope::Account, UPDATE)?;
        let mut tx = self.write_as(granted, UPDATE).await?;
        let before = one(&mut tx, id, UPDATE).await?;
        free(&mut tx, &new.name, Some(id), UPDATE).await?;
        let in_clusters_as = new.in_clusters_as.map(RoleId::number);
        // Its access rules are in clusters as they are.
        if !new.enabled || in_clusters_as != before.in_clusters_as {
            unused(&mut tx, &before, UPDATE).await?;
        }
        tx.execute(
            "UPDATE custom_roles SET name = $2, name_folded = $3, description = $4, enabled = $5, permission_sets = $6,
                    in_clusters_as = $7, updated_at = $8
             WHERE id = $1",
            &[
                id.number().into(),
                Arg::text(&new.name),
                Arg::text(folded(&new.name)),
                Arg::text(&new.description),
                new.enabled.into(),
                Arg::json(&new.permission_sets)?,
                in_clusters_as.into(),
                new.at.into(),
            ],
        )
        .await
        .context(UPDATE)?;
        let facts = one(&mut tx, id, UPDATE).await?;
        let mut entry = entry.about(id.number(), &facts.name);
        entry.metadata.insert("role_before".to_owned(), said(&before));
        entry.metadata.insert("role_after".to_owned(), said(&facts));
        let changes = Changes::of(DirectoryChange::Role(facts.clone()));
        changes.commit(tx, &entry, facts, UPDATE).await
    }

    async fn delete_custom_role(
        &self,
        granted: &Granted,
        id: RoleId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        gate::fits(granted, Action::Delete, Entity::Roles, Scope::Account, DELETE)?;
        let mut tx = self.write_as(granted, DELETE).await?;
        let before = one(&mut tx, id, DELETE).await?;
        unused(&mut tx, &before, DELETE).await?;
        tx.execute(
            "UPDATE custom_roles SET deleted_at = $2 WHERE id = $1",
            &[id.number().into(), at.into()],
        )
        .await
        .context(DELETE)?;
        let mut entry = entry.about(id.number(), &before.name);
        entry.metadata.insert("role_before".to_owned(), said(&before));
        let changes = Changes::of(DirectoryChange::RoleDeleted(id.number()));
        changes.commit(tx, &entry, (), DELETE).await
    }
}
