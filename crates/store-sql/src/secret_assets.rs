//! Secret assets in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, Visible};
use reeve_store::{
    AuditEntry, ChangeSecretAsset, Committed, NewSecretAsset, ProjectSecret, SecretAssetFilter,
    SecretAssetRow, SecretAssetSpec, SecretAssets, StoreError, gate,
};
use reeve_types::{CredentialAssetId, DepartmentId, ProjectId, SecretAssetId};

use crate::SqlStore;
use crate::access_rules::place;
use crate::assets::{self, Table};
use crate::changes::Changes;
use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};

const READ: &str = "read secret assets";
const CREATE: &str = "create a secret asset";
const UPDATE: &str = "change a secret asset";
const DELETE: &str = "delete a secret asset";
const ENTITY: Entity = Entity::SecretVolumeAssets;
const TABLE: Table = Table {
    name: "secret_assets",
    what: "secret assets",
};

macro_rules! columns {
    () => {
        "SELECT a.id, a.name, a.description, a.scope_type, a.scope_id, a.cluster_id, a.department_id, a.project_id,
                a.credential_id, a.mount_path, a.default_mode, a.created_at, a.created_by, a.updated_at, a.updated_by,
                a.update_count, c.name AS credential_name
         FROM secret_assets a LEFT JOIN credential_assets c ON c.id = a.credential_id "
    };
}

fn asset(row: &Row) -> Result<SecretAssetRow, StoreError> {
    Ok(SecretAssetRow {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        description: row.opt_text("description")?,
        origin: assets::origin(row)?,
        spec: SecretAssetSpec {
            credential_id: row.parsed("credential_id")?,
            mount_path: row.opt_text("mount_path")?,
            default_mode: row.opt_text("default_mode")?,
        },
        credential_name: row.opt_parsed("credential_name")?,
    })
}

/// The scope of one.
pub(crate) async fn locate(
    tx: &mut Tx,
    id: SecretAssetId,
    operation: &'static str,
) -> Result<Option<Scope>, StoreError> {
    let sql = "SELECT scope_type, scope_id FROM secret_assets WHERE id = $1";
    tx.one(sql, &[Arg::text(id)], assets::scope, operation).await
}

async fn one(
    tx: &mut Tx,
    id: SecretAssetId,
    operation: &'static str,
) -> Result<Option<SecretAssetRow>, StoreError> {
    let sql = concat!(columns!(), "WHERE a.id = $1");
    tx.one(sql, &[Arg::text(id)], asset, operation).await
}

async fn needed(
    tx: &mut Tx,
    id: SecretAssetId,
    operation: &'static str,
) -> Result<SecretAssetRow, StoreError> {
    one(tx, id, operation).await?.ok_or_else(|| StoreError::NotFound {
        what: "secret asset",
        id: id.to_string(),
    })
}

/// Refuses a credential that is not there (any more).
async fn credential_is_there(
    tx: &mut Tx,
    id: CredentialAssetId,
    operation: &'static str,
) -> Result<(), StoreError> {
    let sql = "SELECT id FROM credential_assets WHERE id = $1";
    let found = tx.row(sql, &[Arg::text(id)]).await.context(operation)?;
    found.map(drop).ok_or_else(|| StoreError::NotFound {
        what: "credential",
        id: id.to_string(),
    })
}

/// Removes those of a department and of its projects.
pub(crate) async fn remove_of_department(tx: &mut Tx, department: DepartmentId) -> Result<(), StoreError> {
    let sql = "DELETE FROM secret_assets WHERE department_id = $1";
    let gone = tx.execute(sql, &[department.number().into()]).await;
    gone.context(DELETE).map(drop)
}

/// Removes those of a project.
pub(crate) async fn remove_of_project(tx: &mut Tx, project: ProjectId) -> Result<(), StoreError> {
    let sql = "DELETE FROM secret_assets WHERE project_id = $1";
    let gone = tx.execute(sql, &[project.number().into()]).await;
    gone.context(DELETE).map(drop)
}

fn conflict(name: impl ToString) -> StoreError {
    StoreError::Conflict {
        what: "secret asset",
        name: name.to_string(),
        context: " in this scope",
    }
}

async fn insert(tx: &mut Tx, new: &NewSecretAsset) -> Result<(), StoreError> {
    let place = place(tx, new.scope, CREATE).await?;
    assets::room(tx, &TABLE, new.scope, &place.name, CREATE).await?;
    credential_is_there(tx, new.spec.credential_id, CREATE).await?;
    tx.execute(
        "INSERT INTO secret_assets (id, name, description, scope_type, scope_id, cluster_id, department_id, project_id,
                                    credential_id, mount_path, default_mode, created_at, created_by, updated_at,
                                    updated_by, update_count)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12, $13, 0)",
        &[
            Arg::text(new.id),
            Arg::text(&new.name),
            Arg::opt_text(new.description.as_deref()),
            new.scope.wire_type().into(),
            Arg::text(new.scope.wire_id()),
            Arg::opt_text(place.cluster),
            place.department.into(),
            place.project.into(),
            Arg::text(new.spec.credential_id),
            Arg::opt_text(new.spec.mount_path.as_deref()),
            Arg::opt_text(new.spec.default_mode.as_deref()),
            new.created_at.into(),
            Arg::text(&new.created_by),
        ],
    )
    .await
    .or_conflict(CREATE, || conflict(&new.name))
    .map(drop)
}

/// Those of the credential that a project's Secret is of.
fn of_its_credential(secret: &ProjectSecret) -> Statement {
    Statement::from("a.credential_id = (SELECT n.id FROM credential_assets n WHERE n.name = ")
        .value(Arg::text(&secret.name))
        .sql(" AND ")
        .then(reaching("n.scope_type", "n.scope_id", secret))
        .sql(" ORDER BY ")
        .sql(NARROWEST_FIRST)
        .sql(" LIMIT 1)")
}

/// As Secrets of one name are copied into a project.
const NARROWEST_FIRST: &str =
    "CASE n.scope_type WHEN 'project' THEN 1 WHEN 'department' THEN 2 WHEN 'cluster' THEN 3 ELSE 4 END";

/// What is kept for the project, or for anything above it.
fn reaching(kind: &'static str, id: &'static str, secret: &ProjectSecret) -> Statement {
    let scopes = [
        (" = 'project' AND ", secret.project.to_string()),
        (" = 'department' AND ", secret.department.to_string()),
        (" = 'cluster' AND ", secret.cluster.to_string()),
    ];
    let mut any = Statement::from("(").sql(kind).sql(" = 'tenant'");
    for (of, number) in scopes {
        let there = Statement::from(" OR ").sql(kind).sql(of).sql(id).sql(" = ");
        any = any.then(there).value(Arg::text(number));
    }
    any.sql(")")
}

/// What it says of workloads, as the audit log has it.
fn said(spec: &SecretAssetSpec) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    format!(
        "{} {} {}",
        spec.credential_id,
        or_none(&spec.mount_path),
        or_none(&spec.default_mode)
    )
}

#[async_trait]
impl SecretAssets for SqlStore {
    async fn secret_assets(
        &self,
        visible: &Visible,
        filter: &SecretAssetFilter,
    ) -> Result<Vec<SecretAssetRow>, StoreError> {
        gate::sees(visible, ENTITY, READ)?;
        let ids = filter.ids.as_ref().map(|ids| {
            Statement::from("a.id IN (")
                .texts(ids.iter().map(ToString::to_string))
                .sql(")")
        });
        let mounting = filter.mounting.as_ref();
        let reaching = mounting.map(|secret| reaching("a.scope_type", "a.scope_id", secret));
        let more = [ids, mounting.map(of_its_credential), reaching];
        let statement = assets::list(columns!(), visible, &filter.asset, more);
        let found = self.read(READ).await?.select(&statement, READ).await?;
        found.iter().map(asset).collect()
    }

    async fn secret_asset(
        &self,
        granted: &Granted,
        id: SecretAssetId,
    ) -> Result<Option<SecretAssetRow>, StoreError> {
        let Some(row) = one(&mut self.read(READ).await?, id, READ).await? else {
            return Ok(None);
        };
        gate::fits(granted, Action::Read, ENTITY, row.origin.scope, READ)?;
        Ok(Some(row))
    }

    async fn create_secret_asset(
        &self,
        granted: &Granted,
        new: NewSecretAsset,
        entry: AuditEntry,
    ) -> Result<Committed<SecretAssetRow>, StoreError> {
        gate::fits(granted, Action::Create, ENTITY, new.scope, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        insert(&mut tx, &new).await?;
        let row = needed(&mut tx, new.id, CREATE).await?;
        let mut entry = entry.about(row.id, &row.name);
        entry.metadata.insert("spec_after".to_owned(), said(&row.spec));
        Changes::default().commit(tx, &entry, row, CREATE).await
    }

    async fn update_secret_asset(
        &self,
        granted: &Granted,
        id: SecretAssetId,
        change: ChangeSecretAsset,
        entry: AuditEntry,
    ) -> Result<Committed<SecretAssetRow>, StoreError> {
        let mut tx = self.write_as(granted, UPDATE).await?;
        let before = needed(&mut tx, id, UPDATE).await?;
        gate::fits(granted, Action::Update, ENTITY, before.origin.scope, UPDATE)?;
        let spec = change.spec.unwrap_or_else(|| before.spec.clone());
        if spec.credential_id != before.spec.credential_id {
            credential_is_there(&mut tx, spec.credential_id, UPDATE).await?;
        }
        let description = change.description.or(before.description);
        tx.execute(
            "UPDATE secret_assets SET name = $2, description = $3, credential_id = $4, mount_path = $5, default_mode = $6,
                    updated_at = $7, updated_by = $8, update_count = update_count + 1 WHERE id = $1",
            &[
                Arg::text(id),
                Arg::text(&change.name),
                Arg::opt_text(description.filter(|text| !text.is_empty())),
                Arg::text(spec.credential_id),
                Arg::opt_text(spec.mount_path.as_deref()),
                Arg::opt_text(spec.default_mode.as_deref()),
                change.at.into(),
                Arg::text(&change.by),
            ],
        )
        .await
        .or_conflict(UPDATE, || conflict(&change.name))?;
        let row = needed(&mut tx, id, UPDATE).await?;
        let entry = entry
            .about(id, &row.name)
            .changing("name", &before.name, &row.name)
            .changing("spec", said(&before.spec), said(&row.spec));
        Changes::default().commit(tx, &entry, row, UPDATE).await
    }

    async fn delete_secret_asset(
        &self,
        granted: &Granted,
        id: SecretAssetId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        let mut tx = self.write_as(granted, DELETE).await?;
        let row = needed(&mut tx, id, DELETE).await?;
        gate::fits(granted, Action::Delete, ENTITY, row.origin.scope, DELETE)?;
        tx.execute("DELETE FROM secret_assets WHERE id = $1", &[Arg::text(id)])
            .await
            .context(DELETE)?;
        let entry = entry.about(id, row.name);
        Changes::default().commit(tx, &entry, (), DELETE).await
    }
}
