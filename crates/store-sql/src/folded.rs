//! Text in lower case, for lists: beside what it was made of, since SQLite knows the lower case of ASCII alone, and PostgreSQL that
//! of its own collation.

use reeve_store::StoreError;
use serde_json::Value;

use crate::SqlStore;
use crate::driver::{Arg, StoreResultExt, Tx};

const FILL: &str = "fill in what lists search";

/// How many rows are filled in a transaction.
const TOGETHER: usize = 1_000;

/// In lower case.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The description in the details of a department, or in the settings among those of a project.
pub(crate) fn description(details: &Value) -> String {
    let place = details.get("settings").unwrap_or(details);
    folded(
        place
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default(),
    )
}

/// A table that has columns to fill: which rows lack them, with the columns they are made of as `one` and `two`, and how they
/// are written.
struct Table {
    lacking: &'static str,
    write: &'static str,
    fold: fn(&str, &str) -> Result<Vec<String>, StoreError>,
}

fn of_details(details: &str, _: &str) -> Result<Vec<String>, StoreError> {
    Ok(vec![description(&crate::driver::from_json("details", details)?)])
}

fn of_texts(one: &str, two: &str) -> Result<Vec<String>, StoreError> {
    Ok(vec![folded(one), folded(two)])
}

const TABLES: [Table; 3] = [
    Table {
        lacking: "SELECT id, details AS one, '' AS two FROM departments WHERE description_folded IS NULL LIMIT 1000",
        write: "UPDATE departments SET description_folded = $2 WHERE id = $1",
        fold: of_details,
    },
    Table {
        lacking: "SELECT id, details AS one, '' AS two FROM projects WHERE description_folded IS NULL LIMIT 1000",
        write: "UPDATE projects SET description_folded = $2 WHERE id = $1",
        fold: of_details,
    },
    Table {
        lacking: "SELECT id, subject AS one, scope_name AS two FROM access_rules WHERE subject_folded IS NULL LIMIT 1000",
        write: "UPDATE access_rules SET subject_folded = $2, scope_name_folded = $3 WHERE id = $1",
        fold: of_texts,
    },
];

/// Fills in what rows of an earlier version lack. Where none lacks anything, nothing is written.
pub(crate) async fn fill(store: &SqlStore) -> Result<(), StoreError> {
    for table in &TABLES {
        let mut more = !store
            .read(FILL)
            .await?
            .rows(table.lacking, &[])
            .await
            .context(FILL)?
            .is_empty();
        while more {
            let mut tx = store.write(FILL).await?;
            more = fill_some(&mut tx, table).await? == TOGETHER;
            tx.commit().await.context(FILL)?;
        }
    }
    Ok(())
}

async fn fill_some(tx: &mut Tx, table: &Table) -> Result<usize, StoreError> {
    let rows = tx.rows(table.lacking, &[]).await.context(FILL)?;
    for row in &rows {
        let mut values = vec![Arg::from(row.int("id")?)];
        let folded = (table.fold)(&row.text("one")?, &row.text("two")?)?;
        values.extend(folded.into_iter().map(Arg::text));
        tx.execute(table.write, &values).await.context(FILL)?;
    }
    Ok(rows.len())
}
