//! What is done about a database that was restored from a backup, and `reeve-server restored`.
//!
//! Nobody knows which passwords and secrets were changed in the part that is lost: a password that leaked and was reset is in
//! the backup as it was. So none counts until somebody at the server's own machine says so, or gives a new one.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reeve_identity::{Passwords, Random, generate_password};
use reeve_store::{
    AuditAction, AuditEntry, CredentialHash, CredentialKind, Fence as _, Store, StoreError, Suspended,
};
use reeve_store_sql::SqlStore;
use reeve_types::{Clock, Email, Timestamp};

use crate::audit::recovery;
use crate::bootstrap::{DataDir, Lock, system_entry};
use crate::database_flags::Database;
use crate::fence::{Advanced, Fence, Found};

/// What can be done after a restore.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say how many passwords and secrets are suspended.
    Status(Folder),
    /// Give somebody a new password, printed once: to begin with an administrator, who gives all others by REST.
    ResetPassword(ResetPassword),
    /// Let passwords and secrets of the backup be used again, also those that were changed after it.
    Confirm(Confirm),
    /// Treat the database as restored where the server cannot see it: it came back together with `last-change`.
    Declare(Folder),
}

/// The flag of every command.
#[derive(Debug, Args)]
pub struct Folder {
    /// The data directory of the server.
    #[arg(long, env = "REEVE_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    database: Database,
}

impl Folder {
    pub(crate) fn open(&self) -> anyhow::Result<DataDir> {
        existing(&self.data_dir)?;
        self.database.at(&self.data_dir)
    }
}

/// Flags of `restored reset-password`.
#[derive(Debug, Args)]
pub struct ResetPassword {
    #[command(flatten)]
    folder: Folder,
    /// Whose.
    #[arg(long)]
    email: Email,
}

/// Flags of `restored confirm`.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Kinds {
    /// Passwords of people.
    #[arg(long)]
    passwords: bool,
    /// Secrets of applications and access keys.
    #[arg(long)]
    secrets: bool,
    /// Secrets of clusters' operators.
    #[arg(long)]
    clusters: bool,
}

/// Flags of `restored confirm`.
#[derive(Debug, Args)]
pub struct Confirm {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    kinds: Kinds,
}

/// Does it.
///
/// # Errors
/// When the directory is served, or something in it cannot be read or written.
pub fn run(command: &Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = runtime.block_on(done(command, &Random::system(), Clock::system().now()))?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("failed to print what was done")
}

async fn done(command: &Command, random: &Random, now: Timestamp) -> anyhow::Result<String> {
    match command {
        Command::Status(folder) => status(folder).await,
        Command::ResetPassword(flags) => {
            let opened = Opened::new(&flags.folder, false, random, now).await?;
            let password = generate_password(random)?;
            let hash = Passwords::new(random.clone())?.hash(&password).await?;
            let verifier = CredentialHash::new(hash.as_text());
            let entry = at_the_machine(AuditAction::ResetPassword, "users", random, now)?;
            let store = &opened.store;
            let granted = recovery();
            let set = store.recover_password(&granted, &flags.email, verifier, now, entry);
            set.await?;
            opened.close().await?;
            Ok(format!("{} password: {}\n", flags.email, password.expose()))
        }
        Command::Confirm(flags) => {
            let opened = Opened::new(&flags.folder, false, random, now).await?;
            let mut text = String::new();
            for kind in flags.kinds.chosen() {
                let entry = at_the_machine(AuditAction::Confirm, "tenant", random, now)?;
                let count = opened.store.confirm(&recovery(), kind, entry).await?;
                text.push_str(&format!("{count} {} count again\n", kind.words()));
            }
            opened.close().await?;
            Ok(text)
        }
        Command::Declare(folder) => {
            let opened = Opened::new(folder, true, random, now).await?;
            let suspended = opened.store.suspended().await?;
            opened.close().await?;
            Ok(told(&suspended))
        }
    }
}

impl Kinds {
    fn chosen(&self) -> Vec<CredentialKind> {
        let chosen = [
            (self.passwords, CredentialKind::Passwords),
            (self.secrets, CredentialKind::Secrets),
            (self.clusters, CredentialKind::Clusters),
        ];
        chosen
            .into_iter()
            .filter_map(|(chosen, kind)| chosen.then_some(kind))
            .collect()
    }
}

fn at_the_machine(
    action: AuditAction,
    entity: &str,
    random: &Random,
    now: Timestamp,
) -> anyhow::Result<AuditEntry> {
    let mut entry = system_entry(action, entity, random, now)?;
    entry
        .metadata
        .insert("by".to_owned(), "reeve-server restored".to_owned());
    Ok(entry)
}

async fn status(folder: &Folder) -> anyhow::Result<String> {
    let store = folder.open()?.store_to_read(None).await?;
    let suspended = store.suspended().await;
    store.close().await;
    Ok(told(&suspended?))
}

fn existing(data_dir: &Path) -> anyhow::Result<()> {
    if data_dir.exists() {
        return Ok(());
    }
    bail!("`{}` does not exist", data_dir.display())
}

/// A data directory that this process alone has.
pub(crate) struct Opened {
    pub(crate) store: SqlStore,
    fence: Fence,
    _lock: Lock,
}

impl Opened {
    pub(crate) async fn new(
        folder: &Folder,
        declared: bool,
        random: &Random,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let dir = folder.open()?;
        let lock = dir.lock()?;
        if !dir.is_initialized().await? {
            bail!("`{}` holds no account", folder.data_dir.display());
        }
        let store = dir.store(&dir.master_key(random, true)?, now).await?;
        let (fence, _) = Fence::open(dir.path(), &store, declared, random, now).await?;
        Ok(Self {
            store,
            fence,
            _lock: lock,
        })
    }

    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if self.fence.advance(&self.store, None).await? == Advanced::Unknown {
            bail!("the database was restored meanwhile: run this again");
        }
        self.store.close().await;
        Ok(())
    }
}

/// Opens the fence at a start and says in the log what was found and what is to be done.
///
/// # Errors
/// Those of [`Fence::open`].
pub async fn open_fence(
    dir: &DataDir,
    store: &dyn Store,
    initialized: bool,
    random: &Random,
    now: Timestamp,
) -> anyhow::Result<Fence> {
    let (fence, found) = Fence::open(dir.path(), store, false, random, now).await?;
    match found {
        Found::Nothing if initialized => tracing::warn!(
            "`last-change` was not beside the master key: whether the database was restored from a backup cannot be known; \
             if it was, stop the server and run `reeve-server restored declare`"
        ),
        Found::Restored(recovered) => tracing::warn!(
            era = recovered.era,
            "the database was restored from a backup: every token given before is void"
        ),
        Found::Settled(era) => tracing::warn!(
            era,
            "the database was restored from a backup, and another server has ended what it held: tokens given before are void"
        ),
        Found::Nothing | Found::Same => {}
    }
    tell_suspended(store).await?;
    Ok(fence)
}

/// Says in the log how many are suspended and what is to be done, where any are.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn tell_suspended(store: &dyn Store) -> Result<(), StoreError> {
    let suspended = store.suspended().await?;
    if !suspended.is_empty() {
        tracing::warn!(
            passwords = suspended.passwords,
            secrets = suspended.secrets,
            clusters = suspended.clusters,
            "{}",
            told(&suspended).trim_end()
        );
    }
    Ok(())
}

/// How many are suspended, and what to do.
fn told(suspended: &Suspended) -> String {
    if suspended.is_empty() {
        return "nothing is suspended\n".to_owned();
    }
    format!(
        "suspended since the database was restored: {} passwords, {} secrets of applications and access keys, {} cluster secrets. Stop the \
         server; give an administrator a new password with `reeve-server restored reset-password --email EMAIL`, who gives \
         the others by REST; or, if none was changed after the backup, let all count again with `reeve-server restored \
         confirm --passwords --secrets --clusters`\n",
        suspended.passwords, suspended.secrets, suspended.clusters
    )
}
