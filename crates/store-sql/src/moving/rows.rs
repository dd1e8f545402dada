//! Rows on their way: their digest, and writing many at once.

use reeve_store::StoreError;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};

use super::source::{Kind, Table};
use super::value::Value;
use super::{COPY, TableSum};
use crate::driver::StoreResultExt;

/// How many rows are written together, and how many bytes of text.
const ROWS: usize = 500;
const BYTES: usize = 4 << 20;

/// The digest of a table.
#[derive(Default)]
pub(super) struct Summing {
    digest: Sha256,
    rows: u64,
}

impl Summing {
    pub(super) fn take(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            let (mark, bytes) = match value {
                Value::Text(Some(text)) => (b't', text.as_bytes().to_vec()),
                Value::Int(Some(number)) => (b'i', number.to_be_bytes().to_vec()),
                Value::Bool(Some(is)) => (b'b', vec![u8::from(*is)]),
                Value::Text(None) | Value::Int(None) | Value::Bool(None) => (b'n', Vec::new()),
            };
            self.digest.update([mark]);
            // With its length: no two rows are the same bytes.
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.digest.update(length.to_be_bytes());
            self.digest.update(bytes);
        }
    }

    pub(super) fn end(self, name: &str) -> TableSum {
        let hash = self.digest.finalize();
        TableSum {
            name: name.to_owned(),
            rows: self.rows,
            hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// Values of one column.
enum Column {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
}

/// Rows that are written together.
pub(super) struct Batch {
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl Batch {
    pub(super) fn of(table: &Table) -> Self {
        let column = |(_, kind): &(String, Kind)| match kind {
            Kind::Text => Column::Text(Vec::new()),
            Kind::Int => Column::Int(Vec::new()),
            Kind::Bool => Column::Bool(Vec::new()),
        };
        Self {
            columns: table.columns.iter().map(column).collect(),
            rows: 0,
            bytes: 0,
        }
    }

    pub(super) fn take(&mut self, row: &[Value]) {
        self.rows += 1;
        for (column, value) in self.columns.iter_mut().zip(row) {
            match (column, value) {
                (Column::Text(all), Value::Text(text)) => {
                    self.bytes += text.as_ref().map_or(0, String::len);
                    all.push(text.clone());
                }
                (Column::Int(all), Value::Int(number)) => all.push(*number),
                (Column::Bool(all), Value::Bool(is)) => all.push(*is),
                // Rows are read by the kinds of the columns.
                _ => {}
            }
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    /// Writes them and is empty again.
    pub(super) async fn insert(
        &mut self,
        target: &mut PgConnection,
        table: &Table,
    ) -> Result<(), StoreError> {
        if self.rows == 0 {
            return Ok(());
        }
        let full = std::mem::replace(self, Self::of(table));
        let arrays: Vec<_> = table
            .columns
            .iter()
            .enumerate()
            .map(|(at, (_, kind))| format!("${}::{}[]", at + 1, kind.in_postgres()))
            .collect();
        let sql = format!(
            "INSERT INTO \"{}\" ({}) SELECT * FROM UNNEST({})",
            table.name,
            table.list(),
            arrays.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for column in full.columns {
            query = match column {
                Column::Text(all) => query.bind(all),
                Column::Int(all) => query.bind(all),
                Column::Bool(all) => query.bind(all),
            };
        }
        target.execute(query).await.context(COPY).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[&[Value]]) -> String {
        let mut summing = Summing::default();
        rows.iter().for_each(|row| summing.take(row));
        summing.end("t").hash
    }

    #[test]
    fn no_two_tables_have_one_digest() {
        let text = |text: &str| Value::Text(Some(text.to_owned()));
        let all = [
            sum(&[]),
            sum(&[&[text("ab"), text("c")]]),
            sum(&[&[text("a"), text("bc")]]),
            sum(&[&[text("c"), text("ab")]]),
            sum(&[&[text("ab")], &[text("c")], &[text("")]]),
            sum(&[&[Value::Text(None), text("c")]]),
            sum(&[&[text(""), text("c")]]),
            sum(&[&[Value::Int(Some(0))]]),
            sum(&[&[Value::Bool(Some(false))]]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(all.iter().filter(|other| *other == one).count(), 1, "{at}");
        }
    }
}
