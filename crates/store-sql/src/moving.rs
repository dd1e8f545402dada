//! Moving a SQLite database to PostgreSQL: every row of every table, in one transaction.
//!
//! Which tables and columns there are is read from the catalogs of both, so that no list of them can be out of date.
//! **Guarantees.** The source is only read. A target with anything in it is refused. Before the first row a mark
//! ([`UNFINISHED`]) is left in the target, by which a server refuses it, and which goes in the transaction that brings the rows: a
//! move that was killed leaves a target that nobody serves and that can be moved into again. Rows are read back in that
//! transaction, and compared with the source by their number and by a digest.
//! **Limit.** The one character that PostgreSQL cannot keep (U+0000) becomes U+FFFD, in the digest of the source too.

mod rows;
mod source;
mod value;

use std::path::Path;

use futures::TryStreamExt;
use reeve_store::StoreError;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use sqlx_core::migrate::Migrator;

use crate::DatabaseUrl;
use crate::driver::{StoreResultExt, listed, postgres_migrations};
use rows::{Batch, Summing};
use source::{Source, Table};

/// The table that marks a database as one that a move into it was begun and not finished.
pub(crate) const UNFINISHED: &str = "reeve_move";

const CONNECT: &str = "connect to the database to move to";
const COPY: &str = "copy rows";

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveFailed {
    /// The source is not of this version.
    #[error(
        "the database to move was last served by another version of reeve-server: serve it once with this one, and stop it"
    )]
    Version,
    /// There is something in the target.
    #[error("the database to move to is not empty: table `{table}` has rows. Make a new one")]
    NotEmpty {
        /// The first table with rows.
        table: String,
    },
    /// There are tables of somebody else in the target.
    #[error("the database to move to is used by something else: it has a table `{table}`. Make a new one")]
    Foreign {
        /// One of them.
        table: String,
    },
    /// A table that is not the same in both.
    #[error("table `{table}` is not the same in both databases: {why}")]
    Differs {
        /// Which.
        table: String,
        /// In what.
        why: String,
    },
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 of all its rows in the order of their primary key, in hexadecimal digits.
    pub hash: String,
}

/// A move whose two ends were looked at.
#[derive(Debug)]
pub struct Move {
    source: Source,
    target: PgConnection,
    unfinished: bool,
}

/// A move of which everything is written and compared, and nothing is committed.
#[derive(Debug)]
#[must_use = "dropped, it leaves the target as it was"]
pub struct Copied {
    target: PgConnection,
    /// What was moved.
    pub sums: Vec<TableSum>,
}

impl Move {
    /// Looks at the SQLite database in `file` and at the target. Nothing is written.
    ///
    /// # Errors
    /// Where nothing can be moved.
    pub async fn open(file: &Path, to: &DatabaseUrl) -> Result<Self, MoveFailed> {
        let source = Source::open(file)?;
        let mut target = to.options().connect().await.context(CONNECT)?;
        let there = tables_of(&mut target).await?;
        let unfinished = there.iter().any(|name| name == UNFINISHED);
        let ours = |name: &str| name == UNFINISHED || name == "_sqlx_migrations" || source.has(name);
        if let Some(foreign) = there.iter().find(|name| !ours(name)) {
            return Err(MoveFailed::Foreign {
                table: foreign.clone(),
            });
        }
        must_be_empty(&mut target, &there).await?;
        Ok(Self {
            source,
            target,
            unfinished,
        })
    }

    /// Whether an earlier move into this target was begun and not finished.
    pub const fn is_begun(&self) -> bool {
        self.unfinished
    }

    /// What the source holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn sums(&mut self) -> Result<Vec<TableSum>, MoveFailed> {
        let mut sums = Vec::new();
        for table in self.source.tables().to_vec() {
            let mut summing = Summing::default();
            self.source
                .each(&table, async |row| {
                    summing.take(row);
                    Ok(())
                })
                .await?;
            sums.push(summing.end(&table.name));
        }
        Ok(sums)
    }

    /// Marks the target, makes its tables, and copies everything in a transaction that is not committed yet.
    ///
    /// # Errors
    /// When a database fails, or what arrives is not what was sent. The target stays marked.
    pub async fn copy(mut self) -> Result<Copied, MoveFailed> {
        let mark = format!("CREATE TABLE IF NOT EXISTS {UNFINISHED} (begun BOOLEAN)");
        self.target.execute(AssertSqlSafe(mark)).await.context(COPY)?;
        Migrator::with_migrations(listed(&postgres_migrations()))
            .run(&mut self.target)
            .await
            .map_err(|source| StoreError::Database {
                operation: "make the tables",
                source: Box::new(source),
            })?;
        self.target.execute("BEGIN").await.context(COPY)?;
        // Two moves at once: the second one waits here, and finds the mark gone.
        let lock = format!("LOCK TABLE {UNFINISHED} IN EXCLUSIVE MODE");
        self.target.execute(AssertSqlSafe(lock)).await.context(COPY)?;
        let there = tables_of(&mut self.target).await?;
        must_be_empty(&mut self.target, &there).await?;
        self.target.execute("DELETE FROM counters").await.context(COPY)?;
        let mut sums = Vec::new();
        for table in self.source.tables().to_vec() {
            same_columns(&mut self.target, &table).await?;
            let sent = self.send(&table).await?;
            let arrived = arrived(&mut self.target, &table).await?;
            if sent != arrived {
                return Err(MoveFailed::Differs {
                    table: table.name,
                    why: format!(
                        "{} rows with digest {} were sent, {} with {} arrived",
                        sent.rows, sent.hash, arrived.rows, arrived.hash
                    ),
                });
            }
            sums.push(sent);
        }
        let drop_mark = format!("DROP TABLE {UNFINISHED}");
        self.target
            .execute(AssertSqlSafe(drop_mark))
            .await
            .context(COPY)?;
        Ok(Copied {
            target: self.target,
            sums,
        })
    }

    async fn send(&mut self, table: &Table) -> Result<TableSum, MoveFailed> {
        let target = &mut self.target;
        let (mut summing, mut batch) = (Summing::default(), Batch::of(table));
        self.source
            .each(table, async |row| {
                summing.take(row);
                batch.take(row);
                if batch.is_full() {
                    batch.insert(target, table).await?;
                }
                Ok(())
            })
            .await?;
        batch.insert(target, table).await?;
        Ok(summing.end(&table.name))
    }
}

impl Copied {
    /// Makes it last, all at once.
    ///
    /// # Errors
    /// When the target cannot commit.
    pub async fn commit(mut self) -> Result<(), MoveFailed> {
        self.target.execute("COMMIT").await.context(COPY)?;
        self.target.close().await.context(COPY)?;
        Ok(())
    }
}

async fn tables_of(target: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename";
    sqlx::query_scalar(sql).fetch_all(target).await.context(CONNECT)
}

/// Counters are there from the first migration on; where they are not zero, something else has rows.
async fn must_be_empty(target: &mut PgConnection, tables: &[String]) -> Result<(), MoveFailed> {
    for table in tables {
        if ["counters", "_sqlx_migrations", UNFINISHED].contains(&table.as_str()) {
            continue;
        }
        let sql = format!("SELECT EXISTS (SELECT 1 FROM \"{table}\")");
        let has_rows: bool = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *target)
            .await
            .context(CONNECT)?;
        if has_rows {
            return Err(MoveFailed::NotEmpty { table: table.clone() });
        }
    }
    Ok(())
}

async fn same_columns(target: &mut PgConnection, table: &Table) -> Result<(), MoveFailed> {
    let sql = "SELECT column_name::text, data_type::text FROM information_schema.columns
               WHERE table_schema = current_schema() AND table_name = $1";
    let rows = sqlx::query(sql).bind(&table.name).fetch_all(target).await;
    let mut there = Vec::new();
    for row in rows.context(COPY)? {
        let (name, kind): (String, String) = (row.try_get(0).context(COPY)?, row.try_get(1).context(COPY)?);
        there.push((name, kind));
    }
    let mut here: Vec<_> = table
        .columns
        .iter()
        .map(|(name, kind)| (name.clone(), kind.in_postgres().to_owned()))
        .collect();
    there.sort();
    here.sort();
    if there == here {
        return Ok(());
    }
    Err(MoveFailed::Differs {
        table: table.name.clone(),
        why: format!("columns {here:?} are not {there:?}"),
    })
}

/// What a table of the target holds, inside its transaction.
async fn arrived(target: &mut PgConnection, table: &Table) -> Result<TableSum, MoveFailed> {
    let sql = table.select("COLLATE \"C\"");
    let mut summing = Summing::default();
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(target);
    while let Some(row) = rows.try_next().await.context(COPY)? {
        summing.take(&table.arrived(&row).context(COPY)?);
    }
    Ok(summing.end(&table.name))
}
