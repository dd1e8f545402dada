//! Workload policies as rows: what is read of them, and what goes with a scope.

use reeve_authz::{Scope, Visible};
use reeve_store::{PolicyFacts, PolicyFilter, PolicyRow, StoreError};
use reeve_types::PolicyKind;

use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};
use crate::lists::{Level, Reach};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, scope_type, scope_id, kind, name, policy, created_at, created_by, updated_at, updated_by
             FROM workload_policies p ",
            $rest
        )
    };
}

/// Where the scope of a policy lies, for who may not see everything.
const WITHIN: [(Level, &str); 6] = [
    (Level::Cluster, "p.scope_type = 'cluster' AND p.scope_id IN ("),
    (
        Level::Cluster,
        "p.scope_type = 'department' AND p.scope_id IN (SELECT CAST(id AS TEXT) FROM departments WHERE cluster_id IN (",
    ),
    (
        Level::Cluster,
        "p.scope_type = 'project' AND p.scope_id IN (SELECT CAST(id AS TEXT) FROM projects WHERE cluster_id IN (",
    ),
    (
        Level::Department,
        "p.scope_type = 'department' AND p.scope_id IN (SELECT CAST(id AS TEXT) FROM departments WHERE id IN (",
    ),
    (
        Level::Department,
        "p.scope_type = 'project' AND p.scope_id IN (SELECT CAST(id AS TEXT) FROM projects WHERE department_id IN (",
    ),
    (
        Level::Project,
        "p.scope_type = 'project' AND p.scope_id IN (SELECT CAST(id AS TEXT) FROM projects WHERE id IN (",
    ),
];

fn read(row: &Row) -> Result<PolicyRow, StoreError> {
    let corrupt = |what, reason: String| StoreError::Corrupt { what, reason };
    let kind = row.text("kind")?;
    Ok(PolicyRow {
        id: row.parsed("id")?,
        scope: Scope::from_wire(&row.text("scope_type")?, &row.text("scope_id")?)
            .map_err(|error| corrupt("scope", error.to_string()))?,
        kind: PolicyKind::from_wire(&kind).ok_or_else(|| corrupt("kind of workload policy", kind))?,
        name: row.text("name")?,
        policy: row.json("policy")?,
        created_at: row.time("created_at")?,
        created_by: row.text("created_by")?,
        updated_at: row.time("updated_at")?,
        updated_by: row.text("updated_by")?,
    })
}

/// Those that fit and whose scope may be seen.
pub(crate) fn list(visible: &Visible, filter: &PolicyFilter) -> Statement {
    let of_kind = filter
        .kind
        .map(|kind| Statement::from("p.kind = ").value(kind.as_str()));
    let of_type = filter
        .scope_type
        .map(|name| Statement::from("p.scope_type = ").value(name));
    let of_scope = filter.scopes.iter().map(|scope| {
        Statement::from("p.scope_type = ")
            .value(scope.wire_type())
            .sql(" AND p.scope_id = ")
            .value(Arg::text(scope.wire_id()))
    });
    let reach = Reach::of(visible);
    let seen = reach.map(|reach| reach.any(&WITHIN));
    let conditions = of_kind.into_iter().chain(of_type).chain(of_scope).chain(seen);
    Statement::from(columns!("")).holding(conditions)
}

/// Those that it finds, by scope and kind.
pub(crate) async fn some(
    tx: &mut Tx,
    list: &Statement,
    operation: &'static str,
) -> Result<Vec<PolicyRow>, StoreError> {
    let rows = tx.select(list, operation).await?;
    let mut rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| (row.scope, row.kind));
    Ok(rows)
}

/// All of them: at most two for each scope, and few scopes have one.
pub(crate) async fn all(tx: &mut Tx, operation: &'static str) -> Result<Vec<PolicyRow>, StoreError> {
    let mut rows = tx.collect(columns!(""), &[], read, operation).await?;
    rows.sort_by_key(|row| (row.scope, row.kind));
    Ok(rows)
}

/// What is known of them at each request.
pub(crate) async fn facts(tx: &mut Tx, operation: &'static str) -> Result<Vec<PolicyFacts>, StoreError> {
    let rows = all(tx, operation).await?;
    Ok(rows
        .into_iter()
        .map(|row| PolicyFacts {
            scope: row.scope,
            kind: row.kind,
            policy: row.policy,
        })
        .collect())
}

/// Removes those of a scope that goes, and of everything below it that is still there.
pub(crate) async fn remove_in(tx: &mut Tx, scope: Scope, operation: &'static str) -> Result<(), StoreError> {
    let below: &[&'static str] = match scope {
        Scope::Account | Scope::Project(_) => &[],
        Scope::Cluster(_) => &[
            "DELETE FROM workload_policies WHERE scope_type = 'project' AND scope_id IN
             (SELECT CAST(id AS TEXT) FROM projects WHERE cluster_id = $1)",
            "DELETE FROM workload_policies WHERE scope_type = 'department' AND scope_id IN
             (SELECT CAST(id AS TEXT) FROM departments WHERE cluster_id = $1)",
        ],
        Scope::Department(_) => &[
            "DELETE FROM workload_policies WHERE scope_type = 'project' AND scope_id IN
             (SELECT CAST(id AS TEXT) FROM projects WHERE CAST(department_id AS TEXT) = $1)",
        ],
    };
    for sql in below {
        tx.execute(sql, &[Arg::text(scope.wire_id())])
            .await
            .context(operation)?;
    }
    tx.execute(
        "DELETE FROM workload_policies WHERE scope_type = $1 AND scope_id = $2",
        &[scope.wire_type().into(), Arg::text(scope.wire_id())],
    )
    .await
    .context(operation)?;
    Ok(())
}

/// The one of this scope and kind.
pub(crate) async fn one(
    tx: &mut Tx,
    scope: Scope,
    kind: PolicyKind,
    operation: &'static str,
) -> Result<Option<PolicyRow>, StoreError> {
    tx.one(
        columns!("WHERE scope_type = $1 AND scope_id = $2 AND kind = $3"),
        &[
            scope.wire_type().into(),
            Arg::text(scope.wire_id()),
            kind.as_str().into(),
        ],
        read,
        operation,
    )
    .await
}
