//! Departments in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, Visible};
use reeve_link::ObjectKey;
use reeve_store::{
    AuditEntry, Committed, DepartmentFacts, DepartmentRow, Departments, DirectoryChange, NewDepartment,
    StoreError, gate,
};
use reeve_types::{AccessRuleId, DepartmentId, Timestamp};

use crate::access_rules::live_rules_of_department;
use crate::changes::{Changes, soft_delete_rules};
use crate::driver::{Arg, During, Tx};
use crate::{SqlStore, projects, rows, workloads};

const READ: &str = "read departments";
const CREATE: &str = "create a department";
const DELETE: &str = "delete a department";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, cluster_id, name, details, created_at, created_by FROM departments ",
            $rest
        )
    };
}

async fn one(
    tx: &mut Tx,
    id: DepartmentId,
    operation: &'static str,
) -> Result<Option<DepartmentRow>, StoreError> {
    tx.one(
        select!("WHERE id = $1"),
        &[id.number().into()],
        rows::department,
        operation,
    )
    .await
}

#[async_trait]
impl Departments for SqlStore {
    async fn departments(&self, visible: &Visible) -> Result<Vec<DepartmentRow>, StoreError> {
        let mut tx = self.read(READ).await?;
        let all = tx
            .all(select!("ORDER BY id"), &[], rows::department, READ)
            .await?;
        gate::cut_scopes(
            visible,
            Entity::Department,
            all,
            |row| Scope::Department(row.id),
            DepartmentRow::named,
            READ,
        )
    }

    async fn department(
        &self,
        granted: &Granted,
        id: DepartmentId,
    ) -> Result<Option<DepartmentRow>, StoreError> {
        gate::fits(
            granted,
            Action::Read,
            Entity::Department,
            Scope::Department(id),
            READ,
        )?;
        one(&mut self.read(READ).await?, id, READ).await
    }

    async fn create_department(
        &self,
        granted: &Granted,
        new: NewDepartment,
        entry: AuditEntry,
    ) -> Result<Committed<DepartmentRow>, StoreError> {
        gate::fits(
            granted,
            Action::Create,
            Entity::Department,
            Scope::Cluster(new.cluster_id),
            CREATE,
        )?;
        let mut tx = self.write_as(granted, CREATE).await?;
        let cluster = tx
            .row(
                "SELECT id FROM clusters WHERE id = $1",
                &[Arg::text(new.cluster_id)],
            )
            .await
            .during(CREATE)?;
        if cluster.is_none() {
            return Err(StoreError::NotFound {
                what: "cluster",
                id: new.cluster_id.to_string(),
            });
        }
        let id = draw(&mut tx).await?;
        tx.execute(
            "INSERT INTO departments (id, cluster_id, name, details, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                id.number().into(),
                Arg::text(new.cluster_id),
                Arg::text(&new.name),
                Arg::json(&new.details)?,
                new.created_at.into(),
                Arg::text(&new.created_by),
            ],
        )
        .await
        .or_conflict(CREATE, || StoreError::Conflict {
            what: "department",
            name: new.name.to_string(),
            context: " in this cluster",
        })?;
        let value = DepartmentRow {
            id,
            cluster_id: new.cluster_id,
            name: new.name,
            details: new.details,
            created_at: new.created_at,
            created_by: new.created_by,
            name_only: false,
        };
        let changes = Changes::of(DirectoryChange::Department(DepartmentFacts {
            id,
            cluster_id: value.cluster_id,
            name: value.name.clone(),
        }));
        let entry = entry.about(id, &value.name);
        changes.commit(tx, &entry, value, CREATE).await
    }

    async fn delete_department(
        &self,
        granted: &Granted,
        id: DepartmentId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError> {
        gate::fits(
            granted,
            Action::Delete,
            Entity::Department,
            Scope::Department(id),
            DELETE,
        )?;
        let mut tx = self.write_as(granted, DELETE).await?;
        let row = one(&mut tx, id, DELETE)
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "department",
                id: id.to_string(),
            })?;
        let mut changes = Changes::default();
        let rules = live_rules_of_department(&mut tx, id).await?;
        let value = soft_delete_rules(&mut tx, &mut changes, &rules, at).await?;
        let its_projects = tx
            .rows(
                "SELECT id FROM projects WHERE department_id = $1 ORDER BY id",
                &[id.number().into()],
            )
            .await
            .during(DELETE)?;
        for project in its_projects {
            let project = project.number("id", reeve_types::ProjectId::new)?;
            workloads::remove_of_project(&mut tx, &mut changes, row.cluster_id, project).await?;
            changes.delete(row.cluster_id, ObjectKey::Project(project));
        }
        projects::remember_namespaces_of(&mut tx, id).await?;
        tx.execute(
            "DELETE FROM projects WHERE department_id = $1",
            &[id.number().into()],
        )
        .await
        .during(DELETE)?;
        tx.execute("DELETE FROM departments WHERE id = $1", &[id.number().into()])
            .await
            .during(DELETE)?;
        changes.directory(DirectoryChange::ScopeDeleted(Scope::Department(id)));
        changes
            .commit(tx, &entry.about(id, row.name), value, DELETE)
            .await
    }
}

async fn draw(tx: &mut Tx) -> Result<DepartmentId, StoreError> {
    let number = tx.next_number("department").await?;
    DepartmentId::new(number).ok_or_else(|| StoreError::Corrupt {
        what: "counter",
        reason: format!("department {number} is out of range"),
    })
}
