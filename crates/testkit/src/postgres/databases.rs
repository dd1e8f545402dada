//! Databases of a test's own, made from others: a copy is there sooner than tables are made.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

use super::Postgres;

/// With a collation that no program would choose: everything must be as it is on SQLite all the same.
const NOTHING: &str = "template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'";

impl Postgres {
    /// Makes a database with nothing in it; its name.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn empty_database(&self) -> anyhow::Result<String> {
        self.made_from(NOTHING).await
    }

    /// Makes a database that is as another, to which nobody may be connected; its name.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn copy_of(&self, database: &str) -> anyhow::Result<String> {
        self.made_from(database).await
    }

    /// Ends whatever is connected to a database, and removes it.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove_database(&self, name: &str) -> anyhow::Result<()> {
        self.administer(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .await
    }

    async fn made_from(&self, template: &str) -> anyhow::Result<String> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.administer(format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await?;
        Ok(name)
    }

    async fn administer(&self, statement: String) -> anyhow::Result<()> {
        let failed = || format!("failed to run `{statement}`");
        let mut connection = PgConnection::connect(&self.url("postgres"))
            .await
            .with_context(failed)?;
        connection
            .execute(AssertSqlSafe(statement.clone()))
            .await
            .with_context(failed)?;
        Ok(connection.close().await?)
    }
}

/// A database of the [`postgres`](super::postgres) of this process that is made ready once, and copied by each test that needs one.
#[derive(Debug, Default)]
pub struct Template(OnceCell<String>);

impl Template {
    /// One that is made ready when it is copied first.
    pub const fn new() -> Self {
        Self(OnceCell::const_new())
    }

    /// Makes a copy of it; its name. `make_ready` gets the address of an empty database, and has to be connected to it no more when
    /// it is done.
    ///
    /// # Errors
    /// When a database cannot be made.
    pub async fn copy(
        &self,
        postgres: &Postgres,
        make_ready: impl AsyncFnOnce(&str),
    ) -> anyhow::Result<String> {
        let make = async || {
            let name = postgres.empty_database().await?;
            make_ready(&postgres.url(&name)).await;
            anyhow::Ok(name)
        };
        let template = self.0.get_or_try_init(make).await?;
        postgres.copy_of(template).await
    }
}
