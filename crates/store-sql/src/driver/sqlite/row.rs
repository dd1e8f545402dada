//! What a statement of SQLite answers.

use std::sync::Arc;

use rusqlite::Statement;
use rusqlite::types::Value;

/// A row: its values by the names of its columns, which all rows of a statement share.
#[derive(Debug)]
pub(crate) struct SqliteRow {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl SqliteRow {
    /// The value of a column.
    ///
    /// # Errors
    /// What is wrong with it: it is not there, or of another type.
    pub(in crate::driver) fn get<T: Cell>(&self, column: &str) -> Result<T, String> {
        let at = self.columns.iter().position(|name| name == column);
        let value = at.and_then(|at| self.values.get(at));
        let value = value.ok_or_else(|| format!("there is no column `{column}`"))?;
        T::of(value).ok_or_else(|| format!("it is of type {}", value.data_type()))
    }
}

/// What a column can be read as. NULL is the value of what may be absent alone.
pub(in crate::driver) trait Cell: Sized {
    fn of(value: &Value) -> Option<Self>;
}

impl Cell for String {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Cell for i64 {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl Cell for bool {
    fn of(value: &Value) -> Option<Self> {
        i64::of(value).map(|number| number != 0)
    }
}

impl<T: Cell> Cell for Option<T> {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::of(value).map(Some),
        }
    }
}

/// Hands out the rows of a statement whose values are bound, until `wanted` has enough. A statement without rows is run.
pub(super) fn each(
    statement: &mut Statement<'_>,
    mut wanted: impl FnMut(SqliteRow) -> bool,
) -> rusqlite::Result<()> {
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|at| row.get(at));
        let row = SqliteRow {
            values: values.collect::<rusqlite::Result<_>>()?,
            columns: Arc::clone(&columns),
        };
        if !wanted(row) {
            break;
        }
    }
    Ok(())
}
