//! Workloads in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, Visible};
use reeve_link::ObjectKey;
use reeve_store::{AuditEntry, Committed, NewWorkload, StoreError, WorkloadRow, Workloads, desired, gate};
use reeve_types::{ClusterId, ProjectId, WorkloadId};

use crate::changes::Changes;
use crate::driver::{Arg, During, Tx};
use crate::{SqlStore, audit, rows};

const READ: &str = "read workloads";
const CREATE: &str = "create a workload";
const DELETE: &str = "delete a workload";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT w.id, w.name, w.project_id, p.name AS project_name, p.namespace, p.department_id,
                    d.name AS department_name, w.cluster_id, w.submitted_by, w.request, w.desired, w.created_at,
                    s.phase, s.message, s.updated_at AS status_at
             FROM workloads w
             JOIN projects p ON p.id = w.project_id
             JOIN departments d ON d.id = p.department_id
             LEFT JOIN object_status s
               ON s.cluster_id = w.cluster_id AND s.kind = 'workload' AND s.object_id = w.id ",
            $rest
        )
    };
}

async fn one(
    tx: &mut Tx,
    id: WorkloadId,
    operation: &'static str,
) -> Result<Option<WorkloadRow>, StoreError> {
    tx.one(
        select!("WHERE w.id = $1"),
        &[Arg::text(id)],
        rows::workload,
        operation,
    )
    .await
}

/// Removes all workloads of a project.
pub(crate) async fn remove_of_project(
    tx: &mut Tx,
    changes: &mut Changes,
    cluster: ClusterId,
    project: ProjectId,
) -> Result<(), StoreError> {
    let found = tx
        .rows(
            "SELECT id FROM workloads WHERE project_id = $1",
            &[project.number().into()],
        )
        .await
        .during(DELETE)?;
    for row in found {
        changes.delete(cluster, ObjectKey::Workload(row.parsed("id")?));
    }
    tx.execute(
        "DELETE FROM workloads WHERE project_id = $1",
        &[project.number().into()],
    )
    .await
    .during(DELETE)?;
    Ok(())
}

#[async_trait]
impl Workloads for SqlStore {
    async fn workloads(&self, visible: &Visible) -> Result<Vec<WorkloadRow>, StoreError> {
        let mut tx = self.read(READ).await?;
        let all = tx
            .all(select!("ORDER BY w.created_at, w.id"), &[], rows::workload, READ)
            .await?;
        gate::cut(
            visible,
            Entity::Workloads,
            all,
            |row| Scope::Project(row.project_id),
            READ,
        )
    }

    async fn workload(&self, granted: &Granted, id: WorkloadId) -> Result<Option<WorkloadRow>, StoreError> {
        let Some(row) = one(&mut self.read(READ).await?, id, READ).await? else {
            return Ok(None);
        };
        let scope = Scope::Project(row.project_id);
        gate::fits(granted, Action::Read, Entity::Trainings, scope, READ)
            .or_else(|_| gate::fits(granted, Action::Read, Entity::Workloads, scope, READ))?;
        Ok(Some(row))
    }

    async fn create_workload(
        &self,
        granted: &Granted,
        new: NewWorkload,
        entry: AuditEntry,
    ) -> Result<Committed<WorkloadRow>, StoreError> {
        let project = new.desired.project_id;
        gate::fits(
            granted,
            Action::Create,
            Entity::Trainings,
            Scope::Project(project),
            CREATE,
        )?;
        let mut tx = self.write(CREATE).await?;
        let cluster: ClusterId = tx
            .row(
                "SELECT cluster_id FROM projects WHERE id = $1",
                &[project.number().into()],
            )
            .await
            .during(CREATE)?
            .ok_or_else(|| StoreError::NotFound {
                what: "project",
                id: project.to_string(),
            })?
            .parsed("cluster_id")?;
        tx.execute(
            "INSERT INTO workloads (id, cluster_id, project_id, name, submitted_by, request, desired, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                Arg::text(new.desired.id),
                Arg::text(cluster),
                project.number().into(),
                Arg::text(&new.desired.name),
                Arg::text(&new.desired.submitted_by),
                Arg::json(&new.request)?,
                Arg::json(&new.desired)?,
                new.created_at.into(),
            ],
        )
        .await
        .or_conflict(CREATE, || StoreError::Conflict {
            what: "workload",
            name: new.desired.name.to_string(),
            context: " in this project",
        })?;
        let id = new.desired.id;
        let value = one(&mut tx, id, CREATE)
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "workload",
                id: id.to_string(),
            })?;
        let mut changes = Changes::default();
        changes.upsert(cluster, desired::of_workload(&value));
        let revisions = changes.write(&mut tx).await?;
        audit::append(&mut tx, &entry.about(id, &value.name)).await?;
        tx.commit().await.during(CREATE)?;
        Ok(Committed { value, revisions })
    }

    async fn delete_workload(
        &self,
        granted: &Granted,
        id: WorkloadId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        let mut tx = self.write(DELETE).await?;
        let row = one(&mut tx, id, DELETE)
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "workload",
                id: id.to_string(),
            })?;
        gate::fits(
            granted,
            Action::Delete,
            Entity::Trainings,
            Scope::Project(row.project_id),
            DELETE,
        )?;
        tx.execute("DELETE FROM workloads WHERE id = $1", &[Arg::text(id)])
            .await
            .during(DELETE)?;
        let mut changes = Changes::default();
        changes.delete(row.cluster_id, ObjectKey::Workload(id));
        let revisions = changes.write(&mut tx).await?;
        audit::append(&mut tx, &entry.about(id, row.name)).await?;
        tx.commit().await.during(DELETE)?;
        Ok(Committed { value: (), revisions })
    }
}
