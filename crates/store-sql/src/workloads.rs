//! Workloads in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, Visible};
use reeve_link::{DesiredObject, ObjectKey};
use reeve_store::{
    AuditEntry, Committed, NewWorkload, Page, StoreError, WorkloadRow, WorkloadSummary, Workloads, gate,
};
use reeve_types::list::{ListQuery, WorkloadColumn};
use reeve_types::{ClusterId, ProjectId, WorkloadId};

use crate::changes::Changes;
use crate::driver::{Arg, Statement, StoreResultExt, Tx};
use crate::lists::{Level, List, Reach, Shared, Term};
use crate::{SqlStore, rows};

const READ: &str = "read workloads";
const CREATE: &str = "create a workload";
const DELETE: &str = "delete a workload";

macro_rules! columns {
    () => {
        "SELECT w.id, w.name, w.project_id, p.name AS project_name, p.namespace, p.department_id,
                d.name AS department_name, w.cluster_id, w.submitted_by, w.image, w.created_at,
                s.phase, s.message, s.updated_at AS status_at"
    };
}

macro_rules! joins {
    () => {
        "JOIN projects p ON p.id = w.project_id
         JOIN departments d ON d.id = p.department_id
         LEFT JOIN object_status s
           ON s.cluster_id = w.cluster_id AND s.kind = 'workload' AND s.object_id = w.id "
    };
}

async fn one(
    tx: &mut Tx,
    id: WorkloadId,
    operation: &'static str,
) -> Result<Option<WorkloadRow>, StoreError> {
    tx.one(
        concat!(
            columns!(),
            ", q.request FROM workloads w ",
            joins!(),
            "JOIN workload_requests q ON q.workload_id = w.id WHERE w.id = $1"
        ),
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
        .context(DELETE)?;
    for row in found {
        changes.delete(cluster, ObjectKey::Workload(row.parsed("id")?));
    }
    tx.execute(
        "DELETE FROM workloads WHERE project_id = $1",
        &[project.number().into()],
    )
    .await
    .context(DELETE)?;
    Ok(())
}

/// The cluster of a project that has room for one workload more.
async fn room(tx: &mut Tx, project: ProjectId, most: u32) -> Result<ClusterId, StoreError> {
    let row = tx
        .row(
            "SELECT p.cluster_id, p.name,
                    (SELECT COUNT(*) FROM workloads w WHERE w.project_id = p.id) AS workloads
             FROM projects p WHERE p.id = $1",
            &[project.number().into()],
        )
        .await
        .context(CREATE)?
        .ok_or_else(|| StoreError::NotFound {
            what: "project",
            id: project.to_string(),
        })?;
    if row.int("workloads")? >= i64::from(most) {
        return Err(StoreError::ProjectFull {
            project: row.text("name")?,
            most,
        });
    }
    row.parsed("cluster_id")
}

async fn insert(tx: &mut Tx, cluster: ClusterId, new: &NewWorkload) -> Result<(), StoreError> {
    let desired = &new.desired;
    tx.execute(
        "INSERT INTO workloads (id, cluster_id, project_id, name, submitted_by, image, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            Arg::text(desired.id),
            Arg::text(cluster),
            desired.project_id.number().into(),
            Arg::text(&desired.name),
            Arg::text(&desired.submitted_by),
            Arg::text(&desired.image),
            new.created_at.into(),
        ],
    )
    .await
    .or_conflict(CREATE, || StoreError::Conflict {
        what: "workload",
        name: desired.name.to_string(),
        context: " in this project",
    })?;
    tx.execute(
        "INSERT INTO workload_requests (workload_id, request) VALUES ($1, $2)",
        &[Arg::text(desired.id), Arg::json(&new.request)?],
    )
    .await
    .context(CREATE)
    .map(drop)
}

macro_rules! status {
    ($column:literal) => {
        concat!(
            "(SELECT ",
            $column,
            " FROM object_status s WHERE s.cluster_id = w.cluster_id AND s.kind = 'workload' AND s.object_id = w.id)"
        )
    };
}

fn term(column: WorkloadColumn) -> Term {
    use WorkloadColumn as C;
    match column {
        // The one kind there is yet.
        C::Type => Statement::from("'training'").bytewise().into(),
        C::Category => Statement::from("'train'").bytewise().into(),
        C::Name => "w.name".into(),
        C::ClusterId => "w.cluster_id".into(),
        C::ProjectId => "w.project_id".into(),
        C::ProjectName => Term::shared(
            "(SELECT p.name FROM projects p WHERE p.id = w.project_id)",
            Shared {
                before: "w.project_id IN (SELECT p.id FROM projects p WHERE",
                value: "p.name",
            },
        ),
        C::DepartmentId => "(SELECT p.department_id FROM projects p WHERE p.id = w.project_id)".into(),
        C::DepartmentName => Term::shared(
            "(SELECT d.name FROM projects p JOIN departments d ON d.id = p.department_id WHERE p.id = w.project_id)",
            Shared {
                before: "w.project_id IN (SELECT p.id FROM projects p JOIN departments d ON d.id = p.department_id WHERE",
                value: "d.name",
            },
        ),
        C::CreatedAt => "w.created_at".into(),
        C::DeletedAt => "CAST(NULL AS BIGINT)".into(),
        C::SubmittedBy => "w.submitted_by".into(),
        C::Phase => Statement::from("(CASE ")
            .sql(status!("s.phase"))
            .sql(
                " WHEN 'Pending' THEN 'pending' WHEN 'NotReady' THEN 'pending' WHEN 'Ready' THEN 'running'
                  WHEN 'Running' THEN 'running' WHEN 'Completed' THEN 'completed' WHEN 'Failed' THEN 'failed'
                  WHEN 'Deleting' THEN 'deleting' WHEN 'Deleted' THEN 'terminating' ELSE 'creating' END)",
            )
            .bytewise()
            .into(),
        C::CompletedAt => {
            status!("CASE WHEN s.phase = 'Completed' OR s.phase = 'Failed' THEN s.updated_at END").into()
        }
        C::PhaseUpdatedAt => Statement::from("COALESCE(")
            .sql(status!("s.updated_at"))
            .sql(", w.created_at)")
            .into(),
    }
}

/// The list of those in projects that may be seen.
pub(crate) fn list<'a>(
    visible: &Visible,
    query: &'a ListQuery<WorkloadColumn>,
) -> Result<List<'a, WorkloadColumn>, StoreError> {
    gate::sees(visible, Entity::Workloads, READ)?;
    let seen = Reach::of(visible).map(|reach| {
        reach.any(&[
            (Level::Cluster, "w.cluster_id IN ("),
            (
                Level::Department,
                "w.project_id IN (SELECT id FROM projects WHERE department_id IN (",
            ),
            (Level::Project, "w.project_id IN ("),
        ])
    });
    Ok(List {
        query,
        table: "workloads",
        alias: "w",
        order: &["w.created_at", "w.id"],
        term: &term,
        conditions: seen.into_iter().collect(),
    })
}

#[async_trait]
impl Workloads for SqlStore {
    async fn workloads(
        &self,
        visible: &Visible,
        query: &ListQuery<WorkloadColumn>,
    ) -> Result<Page<WorkloadSummary>, StoreError> {
        let mut tx = self.read(READ).await?;
        let list = list(visible, query)?;
        list.page(
            &mut tx,
            (concat!(columns!(), " "), joins!()),
            rows::workload_summary,
            READ,
        )
        .await
    }

    async fn count_workloads(
        &self,
        visible: &Visible,
        query: &ListQuery<WorkloadColumn>,
    ) -> Result<u64, StoreError> {
        list(visible, query)?
            .count(&mut self.read(READ).await?, READ)
            .await
    }

    async fn workload(&self, granted: &Granted, id: WorkloadId) -> Result<Option<WorkloadRow>, StoreError> {
        let Some(row) = one(&mut self.read(READ).await?, id, READ).await? else {
            return Ok(None);
        };
        let scope = Scope::Project(row.summary.project_id);
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
        let mut tx = self.write_as(granted, CREATE).await?;
        tx.trail().ends_no_credential();
        let cluster = room(&mut tx, project, new.most_in_project).await?;
        insert(&mut tx, cluster, &new).await?;
        let id = new.desired.id;
        let value = one(&mut tx, id, CREATE)
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "workload",
                id: id.to_string(),
            })?;
        let mut changes = Changes::default();
        changes.upsert(cluster, DesiredObject::Workload(Box::new(new.desired)));
        let entry = entry.about(id, &value.summary.name);
        changes.commit(tx, &entry, value, CREATE).await
    }

    async fn delete_workload(
        &self,
        granted: &Granted,
        id: WorkloadId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        let mut tx = self.write_as(granted, DELETE).await?;
        tx.trail().ends_no_credential();
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
            Scope::Project(row.summary.project_id),
            DELETE,
        )?;
        tx.execute("DELETE FROM workloads WHERE id = $1", &[Arg::text(id)])
            .await
            .context(DELETE)?;
        let mut changes = Changes::default();
        changes.delete(row.summary.cluster_id, ObjectKey::Workload(id));
        changes
            .commit(tx, &entry.about(id, row.summary.name), (), DELETE)
            .await
    }
}
