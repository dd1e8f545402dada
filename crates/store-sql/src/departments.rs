//! Departments in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, Visible};
use reeve_link::ObjectKey;
use reeve_store::{
    AuditEntry, Committed, DepartmentFacts, DepartmentRow, Departments, DirectoryChange, NewDepartment, Page,
    SetDepartment, StoreError, gate,
};
use reeve_types::list::{DepartmentColumn, ListQuery};
use reeve_types::{AccessRuleId, DepartmentId, Timestamp};

use crate::access_rules::live_rules_of_department;
use crate::changes::{Changes, soft_delete_rules};
use crate::clusters::Cluster;
use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};
use crate::lists::{Level, List, Reach, Term};
use crate::resource::{Resource, needed, one};
use crate::{
    SqlStore, credential_assets, folded, former_namespaces, policy_rows, rows, secret_assets, workloads,
};

const READ: &str = "read departments";
const CREATE: &str = "create a department";
const UPDATE: &str = "change a department";
const DELETE: &str = "delete a department";

macro_rules! columns {
    () => {
        "SELECT id, cluster_id, name, details, created_at, created_by, updated_at, updated_by "
    };
}

pub(crate) struct Department;

impl Resource for Department {
    type Id = DepartmentId;
    type Row = DepartmentRow;

    const WHAT: &'static str = "department";
    const ENTITY: Entity = Entity::Department;
    const READ: &'static str = READ;
    const ONE: &'static str = concat!(columns!(), "FROM departments WHERE id = $1");
    const KEY: fn(Self::Id) -> Arg = |id| id.number().into();
    const SCOPE: fn(Self::Id) -> Scope = Scope::Department;
    const ROW: fn(&Row) -> Result<Self::Row, StoreError> = rows::department;
}

/// Where a department is seen whole.
const WHOLE: &[(Level, &str)] = &[
    (Level::Cluster, "d.cluster_id IN ("),
    (Level::Department, "d.id IN ("),
];

fn term(column: DepartmentColumn, reach: Option<&Reach>) -> Term {
    use DepartmentColumn as C;
    match (column, reach) {
        (C::Id, _) => "d.id".into(),
        (C::Name, _) => "d.name".into(),
        (C::ClusterId, _) => "d.cluster_id".into(),
        (C::CreatedAt, _) => "d.created_at".into(),
        (C::Description, None) => "d.description_folded".into(),
        // What is not shown decides nothing either.
        (C::Description, Some(reach)) => Statement::from("(CASE WHEN ")
            .then(reach.any(WHOLE))
            .sql(" THEN d.description_folded END)")
            .into(),
    }
}

/// The list of those that may be seen, and of those above something that may be.
fn list<'a>(
    query: &'a ListQuery<DepartmentColumn>,
    reach: Option<&Reach>,
    term: &'a (dyn Fn(DepartmentColumn) -> Term + Sync),
) -> List<'a, DepartmentColumn> {
    let above = (
        Level::Project,
        "d.id IN (SELECT department_id FROM projects WHERE id IN (",
    );
    let seen = reach.map(|reach| reach.any(&[WHOLE, &[above]].concat()));
    List {
        query,
        table: "departments",
        alias: "d",
        order: &["d.id"],
        term,
        conditions: seen.into_iter().collect(),
    }
}

#[async_trait]
impl Departments for SqlStore {
    async fn departments(
        &self,
        visible: &Visible,
        query: &ListQuery<DepartmentColumn>,
    ) -> Result<Page<DepartmentRow>, StoreError> {
        gate::sees(visible, Entity::Department, READ)?;
        let reach = Reach::of(visible);
        let term = |column| term(column, reach.as_ref());
        let mut tx = self.read(READ).await?;
        let page = list(query, reach.as_ref(), &term)
            .page(&mut tx, (columns!(), ""), rows::department, READ)
            .await?;
        let whole = |row: &DepartmentRow| {
            let reach = reach.as_ref();
            reach.is_none_or(|reach| reach.contains(row.cluster_id, Some(row.id)))
        };
        let shown = |row| if whole(&row) { row } else { row.named() };
        Ok(Page {
            items: page.items.into_iter().map(shown).collect(),
            next: page.next,
        })
    }

    async fn count_departments(
        &self,
        visible: &Visible,
        query: &ListQuery<DepartmentColumn>,
    ) -> Result<u64, StoreError> {
        gate::sees(visible, Entity::Department, READ)?;
        let reach = Reach::of(visible);
        let term = |column| term(column, reach.as_ref());
        let list = list(query, reach.as_ref(), &term);
        list.count(&mut self.read(READ).await?, READ).await
    }

    async fn department_name(
        &self,
        visible: &Visible,
        id: DepartmentId,
    ) -> Result<Option<DepartmentRow>, StoreError> {
        gate::sees(visible, Entity::Department, READ)?;
        if !visible.contains_name(Scope::Department(id)) {
            return Ok(None);
        }
        let row = one::<Department>(&mut self.read(READ).await?, id, READ).await?;
        Ok(row.map(DepartmentRow::named))
    }

    async fn department(
        &self,
        granted: &Granted,
        id: DepartmentId,
    ) -> Result<Option<DepartmentRow>, StoreError> {
        self.get::<Department>(granted, id).await
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
        needed::<Cluster>(&mut tx, new.cluster_id, CREATE).await?;
        let id = draw(&mut tx).await?;
        tx.execute(
            "INSERT INTO departments (id, cluster_id, name, details, created_at, created_by, description_folded)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                id.number().into(),
                Arg::text(new.cluster_id),
                Arg::text(&new.name),
                Arg::json(&new.details)?,
                new.created_at.into(),
                Arg::text(&new.created_by),
                Arg::text(folded::description(&new.details)),
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
            created_by: new.created_by.clone(),
            updated_at: new.created_at,
            updated_by: new.created_by,
            name_only: false,
        };
        let changes = Changes::of(DirectoryChange::Department(facts(&value)));
        let entry = entry.about(id, &value.name);
        changes.commit(tx, &entry, value, CREATE).await
    }

    async fn update_department(
        &self,
        granted: &Granted,
        id: DepartmentId,
        new: SetDepartment,
        entry: AuditEntry,
    ) -> Result<Committed<DepartmentRow>, StoreError> {
        let (mut tx, before) = self
            .change::<Department>(granted, Action::Update, id, UPDATE)
            .await?;
        tx.execute(
            "UPDATE departments SET details = $2, description_folded = $3, updated_at = $4, updated_by = $5 WHERE id = $1",
            &[
                id.number().into(),
                Arg::json(&new.details)?,
                Arg::text(folded::description(&new.details)),
                new.at.into(),
                Arg::text(&new.by),
            ],
        )
        .await
        .context(UPDATE)?;
        let value = needed::<Department>(&mut tx, id, UPDATE).await?;
        let entry = entry
            .about(id, &value.name)
            .changing("settings", &before.details, &value.details);
        let changes = Changes::of(DirectoryChange::Department(facts(&value)));
        changes.commit(tx, &entry, value, UPDATE).await
    }

    async fn delete_department(
        &self,
        granted: &Granted,
        id: DepartmentId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError> {
        let (mut tx, row) = self
            .change::<Department>(granted, Action::Delete, id, DELETE)
            .await?;
        let mut changes = Changes::default();
        let rules = live_rules_of_department(&mut tx, id).await?;
        let value = soft_delete_rules(&mut tx, &mut changes, &rules, at).await?;
        let its_projects = tx
            .rows(
                "SELECT id FROM projects WHERE department_id = $1 ORDER BY id",
                &[id.number().into()],
            )
            .await
            .context(DELETE)?;
        for project in its_projects {
            let project = project.number("id", reeve_types::ProjectId::new)?;
            workloads::remove_of_project(&mut tx, &mut changes, row.cluster_id, project).await?;
            changes.delete(row.cluster_id, ObjectKey::Project(project));
        }
        credential_assets::remove_of_department(&mut tx, &mut changes, row.cluster_id, id).await?;
        secret_assets::remove_of_department(&mut tx, id).await?;
        former_namespaces::remember_all_of(&mut tx, id).await?;
        policy_rows::remove_in(&mut tx, Scope::Department(id), DELETE).await?;
        tx.execute(
            "DELETE FROM projects WHERE department_id = $1",
            &[id.number().into()],
        )
        .await
        .context(DELETE)?;
        tx.execute("DELETE FROM departments WHERE id = $1", &[id.number().into()])
            .await
            .context(DELETE)?;
        changes.directory(DirectoryChange::ScopeDeleted(Scope::Department(id)));
        changes
            .commit(tx, &entry.about(id, row.name), value, DELETE)
            .await
    }
}

fn facts(row: &DepartmentRow) -> DepartmentFacts {
    DepartmentFacts {
        id: row.id,
        cluster_id: row.cluster_id,
        name: row.name.clone(),
    }
}

async fn draw(tx: &mut Tx) -> Result<DepartmentId, StoreError> {
    let number = tx.next_number("department").await?;
    DepartmentId::new(number).ok_or_else(|| StoreError::Corrupt {
        what: "counter",
        reason: format!("department {number} is out of range"),
    })
}
