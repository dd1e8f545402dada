//! Rows of the database as rows of the store. By hand: the columns are few, and derive macros would not know our types.

use reeve_authz::{RoleId, Scope, SubjectKey};
use reeve_link::{ObjectKey, StatusPhase};
use reeve_store::{
    AccessRuleRow, ClusterRow, DepartmentRow, ProjectRow, ServiceAccountRow, StatusRow, StoreError, UserRow,
    WorkloadRow, WorkloadSummary,
};
use reeve_types::{AccessRuleId, DepartmentId, LowestId, ProjectId, Revision};

use crate::driver::Row;

fn corrupt(what: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Corrupt {
        what,
        reason: reason.to_string(),
    }
}

/// A phase is kept as its name on the wire.
pub(crate) fn phase_text(phase: StatusPhase) -> Result<String, StoreError> {
    match serde_json::to_value(phase) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(other) => Err(corrupt("phase", other)),
        Err(e) => Err(corrupt("phase", e)),
    }
}

/// The columns `phase`, `message`, `updated_at`; `None` when there was no row to join.
pub(crate) fn status(row: &Row) -> Result<Option<StatusRow>, StoreError> {
    let Some(phase) = row.opt_text("phase")? else {
        return Ok(None);
    };
    let phase = serde_json::from_value(phase.into()).map_err(|e| corrupt("phase", e))?;
    Ok(Some(StatusRow {
        phase,
        message: row.text("message")?,
        updated_at: row.time("status_at")?,
    }))
}

pub(crate) fn revision(row: &Row, column: &'static str) -> Result<Revision, StoreError> {
    u64::try_from(row.int(column)?)
        .map(Revision)
        .map_err(|e| corrupt(column, e))
}

/// The column `lowest_id`.
pub(crate) fn lowest_id(row: &Row) -> Result<LowestId, StoreError> {
    row.number("lowest_id", |number| LowestId::new(number).ok())
}

pub(crate) fn cluster(row: &Row) -> Result<ClusterRow, StoreError> {
    Ok(ClusterRow {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        domain: row.opt_text("domain")?,
        version: row.opt_text("version")?,
        created_at: row.time("created_at")?,
        created_by: row.text("created_by")?,
        settings: row.opt_json("settings")?,
        endpoint: row.opt_json("kubernetes_endpoint")?,
        reported_endpoint: row.opt_json("reported_endpoint")?,
        last_liveness: row.opt_time("last_liveness")?,
        connected_since: row.opt_time("connected_since")?,
        wrong_since: row.opt_json("wrong_since")?.unwrap_or_default(),
        revision: revision(row, "revision")?,
        applied_revision: revision(row, "applied_revision")?,
        lowest_id: lowest_id(row)?,
        name_only: false,
    })
}

pub(crate) fn department(row: &Row) -> Result<DepartmentRow, StoreError> {
    let (created_at, created_by) = (row.time("created_at")?, row.text("created_by")?);
    Ok(DepartmentRow {
        id: row.number("id", DepartmentId::new)?,
        cluster_id: row.parsed("cluster_id")?,
        name: row.parsed("name")?,
        details: row.json("details")?,
        created_at,
        updated_at: row.opt_time("updated_at")?.unwrap_or(created_at),
        updated_by: row.opt_text("updated_by")?.unwrap_or_else(|| created_by.clone()),
        created_by,
        name_only: false,
    })
}

pub(crate) fn project(row: &Row) -> Result<ProjectRow, StoreError> {
    let (created_at, created_by) = (row.time("created_at")?, row.text("created_by")?);
    Ok(ProjectRow {
        id: row.number("id", ProjectId::new)?,
        cluster_id: row.parsed("cluster_id")?,
        department_id: row.number("department_id", DepartmentId::new)?,
        department_name: row.parsed("department_name")?,
        name: row.parsed("name")?,
        namespace: row.text("namespace")?,
        namespace_requested: row.bool("namespace_requested")?,
        details: row.json("details")?,
        allow_networking: row.opt_int("allow_networking")?.map(|allowed| allowed != 0),
        pod_rules: row.opt_json("pod_rules")?.unwrap_or_default(),
        workload_limits: row.opt_json("workload_limits")?.unwrap_or_default(),
        created_at,
        updated_at: row.opt_time("updated_at")?.unwrap_or(created_at),
        updated_by: row.opt_text("updated_by")?.unwrap_or_else(|| created_by.clone()),
        created_by,
        status: status(row)?,
    })
}

pub(crate) fn user(row: &Row) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: row.parsed("id")?,
        email: row.parsed("email")?,
        is_local: row.bool("is_local")?,
        temporary_password: row.bool("temporary_password")?,
        posix: row.opt_json("posix")?,
        created_at: row.time("created_at")?,
        created_by: row.text("created_by")?,
        updated_at: row.time("updated_at")?,
        last_login: row.opt_time("last_login")?,
        groups: row.opt_json("group_names")?,
    })
}

pub(crate) fn service_account(row: &Row) -> Result<ServiceAccountRow, StoreError> {
    Ok(ServiceAccountRow {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        enabled: row.bool("enabled")?,
        created_at: row.time("created_at")?,
        created_by: row.text("created_by")?,
        updated_at: row.time("updated_at")?,
        last_login: row.opt_time("last_login")?,
    })
}

/// How a subject is kept: kind and name.
pub(crate) fn subject_columns(subject: &SubjectKey) -> (&'static str, String) {
    (subject.kind().wire_name(), subject.name().to_owned())
}

/// A rule; its statuses are not in the row.
pub(crate) fn access_rule(row: &Row) -> Result<AccessRuleRow, StoreError> {
    let subject = SubjectKey::from_wire(&row.text("subject_kind")?, &row.text("subject")?)
        .map_err(|e| corrupt("subject", e))?;
    let scope = Scope::from_wire(&row.text("scope_type")?, &row.text("scope_id")?)
        .map_err(|e| corrupt("scope", e))?;
    Ok(AccessRuleRow {
        id: row.number("id", AccessRuleId::new)?,
        subject,
        role: row.number("role_id", RoleId::new)?,
        in_clusters_as: row.opt_int("role_in_clusters_as")?.and_then(RoleId::new),
        scope,
        scope_name: row.text("scope_name")?,
        cluster_id: row.opt_parsed("cluster_id")?,
        created_at: row.time("created_at")?,
        created_by: row.text("created_by")?,
        deleted_at: row.opt_time("deleted_at")?,
        statuses: Vec::new(),
    })
}

pub(crate) fn workload_summary(row: &Row) -> Result<WorkloadSummary, StoreError> {
    Ok(WorkloadSummary {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        project_id: row.number("project_id", ProjectId::new)?,
        project_name: row.parsed("project_name")?,
        namespace: row.text("namespace")?,
        department_id: row.number("department_id", DepartmentId::new)?,
        department_name: row.parsed("department_name")?,
        cluster_id: row.parsed("cluster_id")?,
        submitted_by: row.text("submitted_by")?,
        image: row.text("image")?,
        created_at: row.time("created_at")?,
        status: status(row)?,
    })
}

pub(crate) fn workload(row: &Row) -> Result<WorkloadRow, StoreError> {
    Ok(WorkloadRow {
        summary: workload_summary(row)?,
        request: row.json("request")?,
    })
}

/// How a key is kept: kind and id as text.
pub(crate) fn key_columns(key: ObjectKey) -> (&'static str, String) {
    match key {
        ObjectKey::AccessRule(id) => ("access-rule", id.to_string()),
        ObjectKey::Credential(id) => ("credential", id.to_string()),
        ObjectKey::Workload(id) => ("workload", id.to_string()),
        ObjectKey::Project(id) => ("project", id.to_string()),
    }
}
