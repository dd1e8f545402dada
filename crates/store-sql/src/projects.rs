//! Projects in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, Visible};
use reeve_link::ObjectKey;
use reeve_store::workload_policy::{limits_of, way_to};
use reeve_store::{
    AuditEntry, Committed, DirectoryChange, NewProject, Page, ProjectFacts, ProjectRow, Projects,
    SetNetworking, SetPodRules, SetProject, StoreError, desired, gate,
};
use reeve_types::list::{ListQuery, ProjectColumn};
use reeve_types::{AccessRuleId, ProjectId, Timestamp};

use crate::access_rules::live_rules_of_project;
use crate::changes::{Changes, soft_delete_rules};
use crate::departments::Department;
use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};
use crate::lists::{Level, List, Reach, Shared, Term};
use crate::resource::{Resource, needed};
use crate::{
    SqlStore, credential_assets, folded, former_namespaces, policy_rows, rows, secret_assets, workloads,
};

const READ: &str = "read projects";
const CREATE: &str = "create a project";
const UPDATE: &str = "change a project";
const DELETE: &str = "delete a project";

macro_rules! columns {
    () => {
        "SELECT p.id, p.cluster_id, p.department_id, d.name AS department_name, p.name, p.namespace,
                p.namespace_requested, p.details, p.allow_networking, p.pod_rules, p.workload_limits, p.created_at, p.created_by,
                p.updated_at, p.updated_by, s.phase, s.message, s.updated_at AS status_at "
    };
}

macro_rules! joins {
    () => {
        "JOIN departments d ON d.id = p.department_id
         LEFT JOIN object_status s
           ON s.cluster_id = p.cluster_id AND s.kind = 'project' AND s.object_id = CAST(p.id AS TEXT) "
    };
}

pub(crate) struct Project;

impl Resource for Project {
    type Id = ProjectId;
    type Row = ProjectRow;

    const WHAT: &'static str = "project";
    const ENTITY: Entity = Entity::Project;
    const READ: &'static str = READ;
    const ONE: &'static str = concat!(columns!(), "FROM projects p ", joins!(), "WHERE p.id = $1");
    const KEY: fn(Self::Id) -> Arg = |id| id.number().into();
    const SCOPE: fn(Self::Id) -> Scope = Scope::Project;
    const ROW: fn(&Row) -> Result<Self::Row, StoreError> = rows::project;
}

fn term(column: ProjectColumn) -> Term {
    use ProjectColumn as C;
    match column {
        C::Id => "p.id".into(),
        C::Name => "p.name".into(),
        C::ClusterId => "p.cluster_id".into(),
        C::DepartmentId | C::ParentId => "p.department_id".into(),
        C::ParentName => Term::shared(
            "(SELECT d.name FROM departments d WHERE d.id = p.department_id)",
            Shared {
                before: "p.department_id IN (SELECT d.id FROM departments d WHERE",
                value: "d.name",
            },
        ),
        C::Phase => Statement::from(
            "(CASE (SELECT s.phase FROM object_status s
                    WHERE s.cluster_id = p.cluster_id AND s.kind = 'project' AND s.object_id = CAST(p.id AS TEXT))
              WHEN 'Ready' THEN 'ready' WHEN 'NotReady' THEN 'notready' WHEN 'Failed' THEN 'notready'
              WHEN 'Deleting' THEN 'deleting' WHEN 'Deleted' THEN 'deleted' WHEN 'Pending' THEN 'unknown'
              WHEN 'Running' THEN 'unknown' WHEN 'Completed' THEN 'unknown' ELSE 'creating' END)",
        )
        .bytewise()
        .into(),
        C::CreatedAt => "p.created_at".into(),
        C::Description => "p.description_folded".into(),
    }
}

/// The list of those that may be seen.
pub(crate) fn list<'a>(
    visible: &Visible,
    query: &'a ListQuery<ProjectColumn>,
) -> Result<List<'a, ProjectColumn>, StoreError> {
    gate::sees(visible, Entity::Project, READ)?;
    let seen = Reach::of(visible).map(|reach| {
        reach.any(&[
            (Level::Cluster, "p.cluster_id IN ("),
            (Level::Department, "p.department_id IN ("),
            (Level::Project, "p.id IN ("),
        ])
    });
    Ok(List {
        query,
        table: "projects",
        alias: "p",
        order: &["p.id"],
        term: &term,
        conditions: seen.into_iter().collect(),
    })
}

#[async_trait]
impl Projects for SqlStore {
    async fn projects(
        &self,
        visible: &Visible,
        query: &ListQuery<ProjectColumn>,
    ) -> Result<Page<ProjectRow>, StoreError> {
        let mut tx = self.read(READ).await?;
        let list = list(visible, query)?;
        list.page(&mut tx, (columns!(), joins!()), rows::project, READ)
            .await
    }

    async fn count_projects(
        &self,
        visible: &Visible,
        query: &ListQuery<ProjectColumn>,
    ) -> Result<u64, StoreError> {
        list(visible, query)?
            .count(&mut self.read(READ).await?, READ)
            .await
    }

    async fn project(&self, granted: &Granted, id: ProjectId) -> Result<Option<ProjectRow>, StoreError> {
        self.get::<Project>(granted, id).await
    }

    async fn create_project(
        &self,
        granted: &Granted,
        new: NewProject,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError> {
        gate::fits(
            granted,
            Action::Create,
            Entity::Project,
            Scope::Department(new.department_id),
            CREATE,
        )?;
        let mut tx = self.write_as(granted, CREATE).await?;
        let department = needed::<Department>(&mut tx, new.department_id, CREATE).await?;
        let cluster = department.cluster_id;
        refuse_taken(&mut tx, &Arg::text(cluster), &new).await?;
        if !new.may_take_over {
            former_namespaces::refuse_of_others(&mut tx, &Arg::text(cluster), &new).await?;
        }
        let number = tx.next_number("project").await?;
        let above = [
            Scope::Account,
            Scope::Cluster(cluster),
            Scope::Department(new.department_id),
        ];
        let limits = limits_of(&above, &policy_rows::all(&mut tx, CREATE).await?);
        tx.execute(
            "INSERT INTO projects (id, cluster_id, department_id, name, namespace, namespace_requested, details,
                                   created_at, created_by, description_folded, workload_limits)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            &[
                number.into(),
                Arg::text(cluster),
                new.department_id.number().into(),
                Arg::text(&new.name),
                Arg::text(&new.namespace),
                new.namespace_requested.into(),
                Arg::json(&new.details)?,
                new.created_at.into(),
                Arg::text(&new.created_by),
                Arg::text(folded::description(&new.details)),
                Arg::json(&limits)?,
            ],
        )
        .await
        .or_conflict(CREATE, || taken(&new))?;
        let id = ProjectId::new(number).ok_or_else(|| StoreError::Corrupt {
            what: "counter",
            reason: format!("project {number} is out of range"),
        })?;
        let value = needed::<Project>(&mut tx, id, CREATE).await?;
        let mut changes = Changes::of(DirectoryChange::Project(facts(&value)));
        changes.upsert(cluster, desired::of_project(&value));
        let entry = entry.about(id, &value.name);
        changes.commit(tx, &entry, value, CREATE).await
    }

    async fn update_project(
        &self,
        granted: &Granted,
        id: ProjectId,
        new: SetProject,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError> {
        let (mut tx, before) = self
            .change::<Project>(granted, Action::Update, id, UPDATE)
            .await?;
        tx.execute(
            "UPDATE projects SET details = $2, description_folded = $3, updated_at = $4, updated_by = $5 WHERE id = $1",
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
        let value = needed::<Project>(&mut tx, id, UPDATE).await?;
        let entry = entry
            .about(id, &value.name)
            .changing("settings", &before.details, &value.details);
        let changes = Changes::of(DirectoryChange::Project(facts(&value)));
        changes.commit(tx, &entry, value, UPDATE).await
    }

    async fn set_project_networking(
        &self,
        granted: &Granted,
        id: ProjectId,
        new: SetNetworking,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError> {
        let decision = Decision {
            sql: "UPDATE projects SET allow_networking = $2, updated_at = $3, updated_by = $4 WHERE id = $1",
            value: i64::from(new.allowed).into(),
            at: new.at,
            by: new.by,
            names: ["allow_networking_before", "allow_networking_after"],
            said: |row| {
                let decided = row.allow_networking.map(|allowed| allowed.to_string());
                decided.unwrap_or_else(|| "undecided".to_owned())
            },
        };
        self.decide_in_the_cluster(granted, id, decision, entry).await
    }

    async fn set_project_pod_rules(
        &self,
        granted: &Granted,
        id: ProjectId,
        new: SetPodRules,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError> {
        let decision = Decision {
            sql: "UPDATE projects SET pod_rules = $2, updated_at = $3, updated_by = $4 WHERE id = $1",
            value: Arg::json(&new.rules)?,
            at: new.at,
            by: new.by,
            names: ["pod_rules_before", "pod_rules_after"],
            said: |row| serde_json::to_string(&row.pod_rules).unwrap_or_default(),
        };
        self.decide_in_the_cluster(granted, id, decision, entry).await
    }

    async fn delete_project(
        &self,
        granted: &Granted,
        id: ProjectId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError> {
        let (mut tx, row) = self
            .change::<Project>(granted, Action::Delete, id, DELETE)
            .await?;
        let mut changes = Changes::default();
        let rules = live_rules_of_project(&mut tx, id).await?;
        let value = soft_delete_rules(&mut tx, &mut changes, &rules, at).await?;
        workloads::remove_of_project(&mut tx, &mut changes, row.cluster_id, id).await?;
        credential_assets::remove_of_project(&mut tx, &mut changes, row.cluster_id, id).await?;
        secret_assets::remove_of_project(&mut tx, id).await?;
        changes.delete(row.cluster_id, ObjectKey::Project(id));
        former_namespaces::remember(&mut tx, &row).await?;
        policy_rows::remove_in(&mut tx, Scope::Project(id), DELETE).await?;
        tx.execute("DELETE FROM projects WHERE id = $1", &[id.number().into()])
            .await
            .context(DELETE)?;
        changes.directory(DirectoryChange::ScopeDeleted(Scope::Project(id)));
        changes
            .commit(tx, &entry.about(id, row.name), value, DELETE)
            .await
    }
}

/// What is decided of a project by whoever may change projects in its whole cluster.
struct Decision {
    /// Sets the column to `$2`.
    sql: &'static str,
    value: Arg,
    at: Timestamp,
    by: String,
    /// What the audit log calls what was, and what is.
    names: [&'static str; 2],
    /// What it says of them.
    said: fn(&ProjectRow) -> String,
}

impl SqlStore {
    async fn decide_in_the_cluster(
        &self,
        granted: &Granted,
        id: ProjectId,
        decision: Decision,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError> {
        let mut tx = self.write_as(granted, UPDATE).await?;
        let before = needed::<Project>(&mut tx, id, UPDATE).await?;
        let scope = Scope::Cluster(before.cluster_id);
        gate::fits(granted, Action::Update, Entity::Project, scope, UPDATE)?;
        let arguments = [
            id.number().into(),
            decision.value,
            decision.at.into(),
            Arg::text(&decision.by),
        ];
        tx.execute(decision.sql, &arguments).await.context(UPDATE)?;
        let value = needed::<Project>(&mut tx, id, UPDATE).await?;
        let mut entry = entry.about(id, &value.name);
        for (name, row) in decision.names.into_iter().zip([&before, &value]) {
            entry.metadata.insert(name.to_owned(), (decision.said)(row));
        }
        let mut changes = Changes::of(DirectoryChange::Project(facts(&value)));
        changes.upsert(value.cluster_id, desired::of_project(&value));
        changes.commit(tx, &entry, value, UPDATE).await
    }
}

/// Has what workload policies come to in every project of a scope follow them.
pub(crate) async fn follow_policies(
    tx: &mut Tx,
    changes: &mut Changes,
    scope: Scope,
) -> Result<(), StoreError> {
    let policies = policy_rows::all(tx, UPDATE).await?;
    let (sql, key): (&'static str, &[Arg]) = match scope {
        Scope::Account => (concat!(columns!(), "FROM projects p ", joins!()), &[]),
        Scope::Cluster(id) => (
            concat!(
                columns!(),
                "FROM projects p ",
                joins!(),
                "WHERE p.cluster_id = $1"
            ),
            &[Arg::text(id)],
        ),
        Scope::Department(id) => (
            concat!(
                columns!(),
                "FROM projects p ",
                joins!(),
                "WHERE p.department_id = $1"
            ),
            &[id.number().into()],
        ),
        Scope::Project(id) => (Project::ONE, &[id.number().into()]),
    };
    for mut row in tx.collect(sql, key, rows::project, UPDATE).await? {
        let limits = limits_of(&way_to(row.cluster_id, row.department_id, row.id), &policies);
        if limits == row.workload_limits {
            continue;
        }
        tx.execute(
            "UPDATE projects SET workload_limits = $2 WHERE id = $1",
            &[row.id.number().into(), Arg::json(&limits)?],
        )
        .await
        .context(UPDATE)?;
        row.workload_limits = limits;
        changes.upsert(row.cluster_id, desired::of_project(&row));
    }
    Ok(())
}

fn facts(row: &ProjectRow) -> ProjectFacts {
    ProjectFacts {
        id: row.id,
        department_id: row.department_id,
        cluster_id: row.cluster_id,
        name: row.name.clone(),
    }
}

fn taken(new: &NewProject) -> StoreError {
    StoreError::Conflict {
        what: "project",
        name: new.name.to_string(),
        context: " in this cluster",
    }
}

/// Says which of the two unique columns is taken.
async fn refuse_taken(tx: &mut Tx, cluster: &Arg, new: &NewProject) -> Result<(), StoreError> {
    let same_name = tx
        .row(
            "SELECT id FROM projects WHERE cluster_id = $1 AND name = $2",
            &[cluster.clone(), Arg::text(&new.name)],
        )
        .await
        .context(CREATE)?;
    if same_name.is_some() {
        return Err(taken(new));
    }
    let same_namespace = tx
        .row(
            "SELECT id FROM projects WHERE cluster_id = $1 AND namespace = $2",
            &[cluster.clone(), Arg::text(&new.namespace)],
        )
        .await
        .context(CREATE)?;
    match same_namespace {
        Some(_) => Err(StoreError::Conflict {
            what: "a project with namespace",
            name: new.namespace.clone(),
            context: " in this cluster",
        }),
        None => Ok(()),
    }
}
