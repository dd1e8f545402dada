//! What the tables of credentials and of secret assets have in common. In a list the alias of either is `a`.

use reeve_authz::{Scope, Visible};
use reeve_store::{ASSETS_OF_A_SCOPE, AssetFilter, AssetOrigin, StoreError};
use reeve_types::{DepartmentId, ProjectId};

use crate::driver::{Arg, Row, Statement, Tx};
use crate::lists::{Level, Reach, cut};

/// A table of assets.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// What messages call many of them.
    pub(crate) what: &'static str,
}

pub(crate) fn corrupt(what: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Corrupt {
        what,
        reason: reason.to_string(),
    }
}

fn number<T>(row: &Row, column: &'static str, new: fn(i64) -> Option<T>) -> Result<Option<T>, StoreError> {
    match row.opt_int(column)? {
        None => Ok(None),
        Some(number) => new(number)
            .map(Some)
            .ok_or_else(|| corrupt(column, format!("{number} is out of range"))),
    }
}

/// Whose one is, by the columns of that alone.
pub(crate) fn scope(row: &Row) -> Result<Scope, StoreError> {
    let scope = Scope::from_wire(&row.text("scope_type")?, &row.text("scope_id")?);
    scope.map_err(|error| corrupt("scope", error))
}

/// Whose one is, and who made and changed it.
pub(crate) fn origin(row: &Row) -> Result<AssetOrigin, StoreError> {
    Ok(AssetOrigin {
        scope: scope(row)?,
        cluster_id: row.opt_parsed("cluster_id")?,
        department_id: number(row, "department_id", DepartmentId::new)?,
        project_id: number(row, "project_id", ProjectId::new)?,
        created_at: row.time("created_at")?,
        created_by: row.text("created_by")?,
        updated_at: row.time("updated_at")?,
        updated_by: row.text("updated_by")?,
        update_count: row.int("update_count")?,
    })
}

/// Whether there is room for one more in a scope of that name.
///
/// # Errors
/// [`StoreError::AssetsFull`].
pub(crate) async fn room(
    tx: &mut Tx,
    table: &Table,
    scope: Scope,
    name: &str,
    operation: &'static str,
) -> Result<(), StoreError> {
    let count = Statement::from("SELECT COUNT(*) AS found FROM ")
        .sql(table.name)
        .sql(" WHERE scope_type = ")
        .value(scope.wire_type())
        .sql(" AND scope_id = ")
        .value(Arg::text(scope.wire_id()));
    let rows = tx.select(&count, operation).await?;
    match rows.first().map(|row| row.int("found")).transpose()? {
        Some(found) if found >= ASSETS_OF_A_SCOPE => Err(StoreError::AssetsFull {
            what: table.what,
            scope: format!("{} `{name}`", scope.wire_type()),
            most: ASSETS_OF_A_SCOPE,
        }),
        _ => Ok(()),
    }
}

/// Those of what `columns` selects that may be seen and fit, by name: a page, where one was asked for.
pub(crate) fn list(
    columns: &'static str,
    visible: &Visible,
    filter: &AssetFilter,
    more: impl IntoIterator<Item = Option<Statement>>,
) -> Statement {
    let is = |sql: &'static str, value: Option<&str>| value.map(|it| Statement::from(sql).value(it));
    let number = |sql: &'static str, value: Option<i64>| value.map(|it| Statement::from(sql).value(it));
    let seen = Reach::of(visible).map(|reach| {
        reach.any(&[
            (Level::Cluster, "a.cluster_id IN ("),
            (Level::Department, "a.department_id IN ("),
            (Level::Project, "a.project_id IN ("),
        ])
    });
    let conditions = [
        seen,
        is("a.name = ", filter.name.as_deref()),
        is("a.scope_type = ", filter.scope_type),
        is("a.cluster_id = ", filter.cluster_id.as_deref()),
        number("a.department_id = ", filter.department_id),
        number("a.project_id = ", filter.project_id),
    ];
    let all = conditions.into_iter().chain(more).flatten();
    let ordered = Statement::from(columns)
        .holding(all)
        .sql(" ORDER BY a.name, a.id");
    match filter.page {
        Some(page) => ordered.then(cut(page)),
        None => ordered,
    }
}
