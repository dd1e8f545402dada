//! Credentials in SQL.

use std::collections::HashMap;

use async_trait::async_trait;
use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope, Visible};
use reeve_link::ObjectKey;
use reeve_store::{
    AuditEntry, ChangeCredentialAsset, Committed, CredentialAssetFilter, CredentialAssetRow,
    CredentialAssets, NewCredentialAsset, Resealed, SealedCredential, SealedValues, StoreError, desired,
    gate,
};
use reeve_types::{ClusterId, CredentialAssetId, CredentialAssetKind, DepartmentId, ProjectId};

use crate::access_rules::place;
use crate::assets::{self, Table, corrupt};
use crate::changes::{Changes, reached};
use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};
use crate::{SqlStore, rows};

const READ: &str = "read credentials";
const CREATE: &str = "create a credential";
const UPDATE: &str = "change a credential";
const DELETE: &str = "delete a credential";
const OPEN: &str = "read sealed credentials";
const RESEAL: &str = "seal credentials anew";
const TABLE: Table = Table {
    name: "credential_assets",
    what: "credentials",
};

macro_rules! columns {
    () => {
        "SELECT id, kind, name, description, scope_type, scope_id, cluster_id, department_id, project_id, shown, key_id,
                stamp, created_at, created_by, updated_at, updated_by, update_count FROM credential_assets a "
    };
}

fn key_id(row: &Row) -> Result<i32, StoreError> {
    i32::try_from(row.int("key_id")?).map_err(|error| corrupt("key_id", error))
}

fn kind(row: &Row) -> Result<CredentialAssetKind, StoreError> {
    row.text("kind")?
        .parse()
        .map_err(|reason: String| corrupt("kind", reason))
}

/// Kind and scope of one.
pub(crate) async fn locate(
    tx: &mut Tx,
    id: CredentialAssetId,
    operation: &'static str,
) -> Result<Option<(CredentialAssetKind, Scope)>, StoreError> {
    let sql = "SELECT kind, scope_type, scope_id FROM credential_assets WHERE id = $1";
    let read = |row: &Row| Ok((kind(row)?, assets::scope(row)?));
    tx.one(sql, &[Arg::text(id)], read, operation).await
}

fn asset(row: &Row) -> Result<CredentialAssetRow, StoreError> {
    Ok(CredentialAssetRow {
        id: row.parsed("id")?,
        kind: kind(row)?,
        name: row.parsed("name")?,
        description: row.opt_text("description")?,
        origin: assets::origin(row)?,
        shown: row.json("shown")?,
        key_id: key_id(row)?,
        stamp: row.text("stamp")?,
        statuses: Vec::new(),
    })
}

fn sealed(row: &Row) -> Result<SealedCredential, StoreError> {
    Ok(SealedCredential {
        id: row.parsed("id")?,
        sealed: SealedValues {
            key_id: key_id(row)?,
            text: row.text("sealed")?,
        },
        stamp: row.text("stamp")?,
    })
}

fn missing(id: CredentialAssetId) -> StoreError {
    StoreError::NotFound {
        what: "credential",
        id: id.to_string(),
    }
}

async fn one(
    tx: &mut Tx,
    id: CredentialAssetId,
    operation: &'static str,
) -> Result<Option<CredentialAssetRow>, StoreError> {
    let sql = concat!(columns!(), "WHERE id = $1");
    tx.one(sql, &[Arg::text(id)], asset, operation).await
}

async fn needed(
    tx: &mut Tx,
    id: CredentialAssetId,
    operation: &'static str,
) -> Result<CredentialAssetRow, StoreError> {
    one(tx, id, operation).await?.ok_or_else(|| missing(id))
}

/// Those of the account.
pub(crate) async fn of_account(tx: &mut Tx) -> Result<Vec<CredentialAssetRow>, StoreError> {
    let sql = concat!(columns!(), "WHERE scope_type = 'tenant' ORDER BY id");
    tx.all(sql, &[], asset, READ).await
}

/// Removes those of a department and of its projects.
pub(crate) async fn remove_of_department(
    tx: &mut Tx,
    changes: &mut Changes,
    cluster: ClusterId,
    department: DepartmentId,
) -> Result<(), StoreError> {
    let gone = tx
        .rows(
            "DELETE FROM credential_assets WHERE department_id = $1 RETURNING id",
            &[department.number().into()],
        )
        .await
        .context(DELETE)?;
    removed(changes, cluster, &gone)
}

/// Removes those of a project.
pub(crate) async fn remove_of_project(
    tx: &mut Tx,
    changes: &mut Changes,
    cluster: ClusterId,
    project: ProjectId,
) -> Result<(), StoreError> {
    let gone = tx
        .rows(
            "DELETE FROM credential_assets WHERE project_id = $1 RETURNING id",
            &[project.number().into()],
        )
        .await
        .context(DELETE)?;
    removed(changes, cluster, &gone)
}

fn removed(changes: &mut Changes, cluster: ClusterId, gone: &[Row]) -> Result<(), StoreError> {
    for row in gone {
        changes.delete(cluster, ObjectKey::Credential(row.parsed("id")?));
    }
    Ok(())
}

async fn spread(tx: &mut Tx, changes: &mut Changes, row: &CredentialAssetRow) -> Result<(), StoreError> {
    for cluster in reached(tx, row.origin.scope, row.origin.cluster_id).await? {
        changes.upsert(cluster, desired::of_credential(row));
    }
    Ok(())
}

async fn add_statuses(tx: &mut Tx, assets: &mut [CredentialAssetRow]) -> Result<(), StoreError> {
    let ids = assets.iter().map(|asset| asset.id.to_string());
    let statement = Statement::from(
        "SELECT cluster_id, object_id, phase, message, updated_at AS status_at FROM object_status
         WHERE kind = 'credential' AND object_id IN (",
    )
    .texts(ids)
    .sql(") ORDER BY cluster_id");
    let found = tx.select(&statement, READ).await?;
    let mut places: HashMap<_, _> = assets.iter_mut().map(|asset| (asset.id, asset)).collect();
    for row in found {
        let id: CredentialAssetId = row.parsed("object_id")?;
        if let (Some(asset), Some(status)) = (places.get_mut(&id), rows::status(&row)?) {
            asset.statuses.push((row.parsed("cluster_id")?, status));
        }
    }
    Ok(())
}

async fn insert(tx: &mut Tx, new: &NewCredentialAsset) -> Result<(), StoreError> {
    let place = place(tx, new.scope, CREATE).await?;
    assets::room(tx, &TABLE, new.scope, &place.name, CREATE).await?;
    let by = Arg::text(&new.created_by);
    tx.execute(
        "INSERT INTO credential_assets (id, kind, name, description, scope_type, scope_id, cluster_id, department_id,
                                        project_id, shown, key_id, sealed, stamp, created_at, created_by, updated_at,
                                        updated_by, update_count)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $14, $15, 0)",
        &[
            Arg::text(new.id),
            new.kind.as_str().into(),
            Arg::text(&new.name),
            Arg::opt_text(new.description.as_deref()),
            new.scope.wire_type().into(),
            Arg::text(new.scope.wire_id()),
            Arg::opt_text(place.cluster),
            place.department.into(),
            place.project.into(),
            Arg::json(&new.values.shown)?,
            i64::from(new.values.sealed.key_id).into(),
            Arg::text(&new.values.sealed.text),
            Arg::text(&new.values.stamp),
            new.created_at.into(),
            by,
        ],
    )
    .await
    .or_conflict(CREATE, || StoreError::Conflict {
        what: "credential",
        name: new.name.to_string(),
        context: " in this scope",
    })
    .map(drop)
}

async fn set_values(
    tx: &mut Tx,
    id: CredentialAssetId,
    values: &reeve_store::NewValues,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE credential_assets SET shown = $2, key_id = $3, sealed = $4, stamp = $5 WHERE id = $1",
        &[
            Arg::text(id),
            Arg::json(&values.shown)?,
            i64::from(values.sealed.key_id).into(),
            Arg::text(&values.sealed.text),
            Arg::text(&values.stamp),
        ],
    )
    .await
    .context(UPDATE)
    .map(drop)
}

#[async_trait]
impl CredentialAssets for SqlStore {
    async fn credential_assets(
        &self,
        visible: &Visible,
        filter: &CredentialAssetFilter,
    ) -> Result<Vec<CredentialAssetRow>, StoreError> {
        gate::sees(visible, Entity::Credentials, READ)?;
        let is = |sql: &'static str, value: Option<&str>| value.map(|it| Statement::from(sql).value(it));
        let more = [
            is("a.kind = ", filter.kind.map(CredentialAssetKind::as_str)),
            is("a.created_by = ", filter.created_by.as_deref()),
        ];
        let statement = assets::list(columns!(), visible, &filter.asset, more);
        let mut tx = self.read(READ).await?;
        let found = tx.select(&statement, READ).await?;
        let mut assets: Vec<_> = found.iter().map(asset).collect::<Result<_, _>>()?;
        add_statuses(&mut tx, &mut assets).await?;
        Ok(assets)
    }

    async fn credential_asset(
        &self,
        granted: &Granted,
        id: CredentialAssetId,
    ) -> Result<Option<CredentialAssetRow>, StoreError> {
        let mut tx = self.read(READ).await?;
        let Some(mut row) = one(&mut tx, id, READ).await? else {
            return Ok(None);
        };
        gate::fits(granted, Action::Read, Entity::Credentials, row.origin.scope, READ)?;
        add_statuses(&mut tx, std::slice::from_mut(&mut row)).await?;
        Ok(Some(row))
    }

    async fn create_credential_asset(
        &self,
        granted: &Granted,
        new: NewCredentialAsset,
        entry: AuditEntry,
    ) -> Result<Committed<CredentialAssetRow>, StoreError> {
        gate::fits(granted, Action::Create, Entity::Credentials, new.scope, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        insert(&mut tx, &new).await?;
        let row = needed(&mut tx, new.id, CREATE).await?;
        let mut changes = Changes::default();
        spread(&mut tx, &mut changes, &row).await?;
        let entry = entry.about(row.id, &row.name);
        changes.commit(tx, &entry, row, CREATE).await
    }

    async fn update_credential_asset(
        &self,
        granted: &Granted,
        id: CredentialAssetId,
        change: ChangeCredentialAsset,
        entry: AuditEntry,
    ) -> Result<Committed<CredentialAssetRow>, StoreError> {
        let mut tx = self.write_as(granted, UPDATE).await?;
        let before = needed(&mut tx, id, UPDATE).await?;
        gate::fits(
            granted,
            Action::Update,
            Entity::Credentials,
            before.origin.scope,
            UPDATE,
        )?;
        let description = change.description.or(before.description);
        tx.execute(
            "UPDATE credential_assets SET description = $2, updated_at = $3, updated_by = $4,
                    update_count = update_count + 1 WHERE id = $1",
            &[
                Arg::text(id),
                Arg::opt_text(description.filter(|text| !text.is_empty())),
                change.at.into(),
                Arg::text(&change.by),
            ],
        )
        .await
        .context(UPDATE)?;
        let mut entry = entry.about(id, &before.name);
        let changed = if change.values.is_some() {
            "values"
        } else {
            "description"
        };
        entry.metadata.insert("changed".to_owned(), changed.to_owned());
        let mut changes = Changes::default();
        if let Some(values) = &change.values {
            set_values(&mut tx, id, values).await?;
        }
        let mut row = needed(&mut tx, id, UPDATE).await?;
        if change.values.is_some() {
            spread(&mut tx, &mut changes, &row).await?;
        }
        add_statuses(&mut tx, std::slice::from_mut(&mut row)).await?;
        changes.commit(tx, &entry, row, UPDATE).await
    }

    async fn delete_credential_asset(
        &self,
        granted: &Granted,
        id: CredentialAssetId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        let mut tx = self.write_as(granted, DELETE).await?;
        let row = needed(&mut tx, id, DELETE).await?;
        gate::fits(
            granted,
            Action::Delete,
            Entity::Credentials,
            row.origin.scope,
            DELETE,
        )?;
        tx.execute("DELETE FROM credential_assets WHERE id = $1", &[Arg::text(id)])
            .await
            .context(DELETE)?;
        let mut changes = Changes::default();
        for cluster in reached(&mut tx, row.origin.scope, row.origin.cluster_id).await? {
            changes.delete(cluster, ObjectKey::Credential(id));
        }
        changes.commit(tx, &entry.about(id, row.name), (), DELETE).await
    }

    async fn sealed_credentials(
        &self,
        granted: &Granted,
        ids: &[CredentialAssetId],
    ) -> Result<Vec<SealedCredential>, StoreError> {
        gate::is(granted, BootstrapException::LinkStatus, OPEN)?;
        let statement =
            Statement::from("SELECT id, key_id, sealed, stamp FROM credential_assets WHERE id IN (")
                .texts(ids.iter().map(ToString::to_string))
                .sql(")");
        let found = self.read(OPEN).await?.select(&statement, OPEN).await?;
        found.iter().map(sealed).collect()
    }

    async fn credential_keys(&self) -> Result<Vec<(i32, u64)>, StoreError> {
        let sql = "SELECT key_id, COUNT(*) AS found FROM credential_assets GROUP BY key_id ORDER BY key_id";
        let read = |row: &Row| Ok((key_id(row)?, row.int("found")?.unsigned_abs()));
        self.read(OPEN).await?.all(sql, &[], read, OPEN).await
    }

    async fn sealed_with_other_keys(
        &self,
        granted: &Granted,
        key: i32,
        most: u32,
    ) -> Result<Vec<SealedCredential>, StoreError> {
        gate::is(granted, BootstrapException::KeyRotation, RESEAL)?;
        let sql =
            "SELECT id, key_id, sealed, stamp FROM credential_assets WHERE key_id <> $1 ORDER BY id LIMIT $2";
        let arguments = [i64::from(key).into(), i64::from(most).into()];
        self.read(RESEAL)
            .await?
            .all(sql, &arguments, sealed, RESEAL)
            .await
    }

    async fn reseal_credentials(
        &self,
        granted: &Granted,
        resealed: &[Resealed],
        mut entry: AuditEntry,
    ) -> Result<Committed<u64>, StoreError> {
        gate::is(granted, BootstrapException::KeyRotation, RESEAL)?;
        let mut tx = self.write(RESEAL).await?;
        let mut done = 0;
        for Resealed { before, after } in resealed {
            done += tx
                .execute(
                    "UPDATE credential_assets SET key_id = $2, sealed = $3 WHERE id = $1 AND sealed = $4",
                    &[
                        Arg::text(before.id),
                        i64::from(after.key_id).into(),
                        Arg::text(&after.text),
                        Arg::text(&before.sealed.text),
                    ],
                )
                .await
                .context(RESEAL)?;
        }
        entry.metadata.insert("resealed".to_owned(), done.to_string());
        Changes::default().commit(tx, &entry, done, RESEAL).await
    }
}
