//! The store over SQL: one text for SQLite and PostgreSQL, with `$1` placeholders and static statements; those of lists are put
//! together of static text and bound values (`lists`).
//!
//! Everything that differs between databases is in the module `driver`; the repositories speak to its connection, its arguments and
//! its rows.

mod access_keys;
mod access_rules;
mod assets;
mod attempts;
mod audit;
mod audit_key;
mod chain;
mod change_log;
mod changes;
mod clusters;
mod credential_assets;
mod custom_roles;
mod departments;
mod desired;
mod device_codes;
mod directory;
mod driver;
mod events;
mod fence;
mod folded;
mod former_namespaces;
mod identity_providers;
mod installation;
mod lists;
mod logged;
mod moving;
mod passkeys;
#[cfg(test)]
mod plans;
mod policy_rows;
mod projects;
mod refresh_tokens;
mod reports;
mod resource;
mod revision_tokens;
mod rows;
mod second_factors;
mod secret_assets;
mod security_settings;
mod service_accounts;
mod sessions;
mod signing_keys;
mod trail;
mod uids;
mod url;
mod users;
mod workload_policies;
mod workloads;

use std::path::Path;

use reeve_authz::Granted;
use reeve_store::StoreError;
use reeve_types::{ClusterId, Timestamp};

pub use audit_key::AuditKey;
pub use chain::{Broken, Verified};
use driver::{Pools, StoreResultExt, Tx};
pub use moving::{Copied, Move, MoveFailed, TableSum};
pub use url::{DatabaseUrl, InvalidDatabaseUrl};

/// A store in a SQL database. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct SqlStore {
    pools: Pools,
}

impl reeve_store::Store for SqlStore {}

impl SqlStore {
    /// Opens the SQLite database in `file`, making and migrating it as needed. The audit log's chain goes on with `key`; where
    /// it had none so far, an event says so.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file cannot be opened or was written by a later version.
    pub async fn open_sqlite(file: &Path, key: AuditKey, now: Timestamp) -> Result<Self, StoreError> {
        Self::begun(Pools::open_sqlite(file, key).await?, now).await
    }

    /// What a version that did not have it yet left undone is done.
    async fn begun(pools: Pools, now: Timestamp) -> Result<Self, StoreError> {
        let store = Self { pools };
        audit::begin_keyed(&store, now).await?;
        folded::fill(&store).await?;
        logged::fill(&store).await?;
        revision_tokens::begin_missing(&store).await?;
        Ok(store)
    }

    /// Opens the SQLite database in `file` for reading alone, beside a server that may be running. It is neither made nor
    /// migrated, and every write fails. The audit log can only be verified with its `key`.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file is not there or cannot be opened.
    pub async fn open_sqlite_read_only(file: &Path, key: Option<AuditKey>) -> Result<Self, StoreError> {
        Ok(Self {
            pools: Pools::open_sqlite_read_only(file, key).await?,
        })
    }

    /// Opens a PostgreSQL database, migrating it as needed; otherwise as [`SqlStore::open_sqlite`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached, [`StoreError::Database`] when it was written by a later version.
    pub async fn open_postgres(url: &DatabaseUrl, key: AuditKey, now: Timestamp) -> Result<Self, StoreError> {
        Self::begun(Pools::open_postgres(url, key).await?, now).await
    }

    /// Opens a PostgreSQL database for reading alone; otherwise as [`SqlStore::open_sqlite_read_only`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached.
    pub async fn open_postgres_read_only(
        url: &DatabaseUrl,
        key: Option<AuditKey>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            pools: Pools::open_postgres_read_only(url, key).await?,
        })
    }

    /// Whether a move into this database was begun and not finished: nothing in it counts.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached.
    pub async fn is_being_moved_into(&self) -> Result<bool, StoreError> {
        const READ: &str = "look whether a move is unfinished";
        self.read(READ)
            .await?
            .has_table(moving::UNFINISHED)
            .await
            .context(READ)
    }

    /// Ends all connections, when those that work have ended.
    pub async fn close(&self) {
        self.pools.close().await;
    }

    /// A writing transaction. Dropped without [`Tx::commit`] it leaves nothing behind.
    async fn write(&self, operation: &'static str) -> Result<Tx, StoreError> {
        self.pools.begin_write().await.context(operation)
    }

    /// A writing transaction of what somebody may do: refused as [`StoreError::Again`] when that was decided before something
    /// that may change the decision.
    async fn write_as(&self, granted: &Granted, operation: &'static str) -> Result<Tx, StoreError> {
        let mut tx = self.write(operation).await?;
        change_log::is_still_granted(&mut tx, granted, operation).await?;
        Ok(tx)
    }

    /// A writing transaction of something that changes nothing but is recorded. Changes go before it.
    async fn record_later(&self, operation: &'static str) -> Result<Tx, StoreError> {
        self.pools.begin_recording().await.context(operation)
    }

    /// A writing transaction of what a cluster reports, without an audit event: it does not wait for people's changes.
    async fn write_report(&self, cluster: ClusterId, operation: &'static str) -> Result<Tx, StoreError> {
        self.pools.begin_report(cluster).await.context(operation)
    }

    /// A reading transaction for whole tables.
    async fn load(&self, operation: &'static str) -> Result<Tx, StoreError> {
        self.pools.begin_load().await.context(operation)
    }

    /// A reading transaction for somebody who is not known yet.
    async fn read_for_stranger(&self, operation: &'static str) -> Result<Tx, StoreError> {
        self.pools.begin_read_for_stranger().await.context(operation)
    }

    /// A reading transaction: all of it sees one moment.
    async fn read(&self, operation: &'static str) -> Result<Tx, StoreError> {
        self.pools.begin_read().await.context(operation)
    }
}
