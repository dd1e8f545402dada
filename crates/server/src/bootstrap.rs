//! What is in the data directory, and making it on the first start.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reeve_api::realm::ISSUER_PATH;
use reeve_files::Readers;
use reeve_identity::{Audience, MasterKey, Passwords, Random, check_password, generate_password};
use reeve_store::{
    AuditAction, AuditEntry, CredentialHash, Credentials, FirstStart, Installation, NewUser, Store,
    StoreError,
};
use reeve_store_sql::{AuditKey, DatabaseUrl, SqlStore};
use reeve_types::{ClusterId, Email, Secret, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::credential_keys::{self, CredentialSealer};
use crate::keys::{self, Keys};
use crate::master_key::{self, GivenMasterKey};
use crate::reserve::Reserve;

const CREATED_AT: &str = "account-created-at";

/// The file that says where the database of a directory went.
pub const MOVED_TO: &str = "moved-to";

/// Refuses a database of SQLite that was moved away.
///
/// # Errors
/// When it was.
fn refuse_moved(folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(MOVED_TO);
    let Ok(to) = fs::read_to_string(&file) else {
        return Ok(());
    };
    bail!(
        "the database in `{}` was moved to `{}`, or a move there was begun: serve that with `--database-url` \
         (REEVE_DATABASE_URL), or run `reeve-server database move` again where it did not say that it was done. To go back \
         to this database, without whatever was changed since, remove `{}`",
        folder.display(),
        to.trim(),
        file.display()
    )
}

/// The data directory, and the database, which is a file in it or a PostgreSQL somewhere else.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
    database: Option<DatabaseUrl>,
    master: Option<GivenMasterKey>,
    credential_keys: Option<PathBuf>,
}

/// The right to serve from a data directory, which one process has at a time. Ends with the value, and with the process
/// however that ends.
#[derive(Debug)]
#[must_use = "the directory is free again when it is dropped"]
pub struct Lock(#[expect(dead_code, reason = "held, not read: closing the file gives the lock up")] File);

impl DataDir {
    /// Opens it, making it for its owner alone when it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            fs::create_dir_all(path).with_context(|| format!("failed to make `{}`", path.display()))?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                .context("failed to protect the data directory")?;
        }
        let path = path
            .canonicalize()
            .with_context(|| format!("failed to open `{}`", path.display()))?;
        Ok(Self {
            path,
            database: None,
            master: None,
            credential_keys: None,
        })
    }

    /// With this database instead of the file in the directory.
    #[must_use]
    pub fn with(self, database: Option<DatabaseUrl>) -> Self {
        Self { database, ..self }
    }

    /// With this master key instead of the one in the directory.
    #[must_use]
    pub fn given(self, master: Option<GivenMasterKey>) -> Self {
        Self { master, ..self }
    }

    /// With this file of credential keys instead of the one in the directory.
    #[must_use]
    pub fn keys_in(self, credential_keys: Option<PathBuf>) -> Self {
        Self {
            credential_keys,
            ..self
        }
    }

    /// The file of credential keys, and whether it was given. One in the directory need not be there.
    pub fn credential_keys(&self) -> (PathBuf, bool) {
        match &self.credential_keys {
            Some(file) => (file.clone(), true),
            None => (self.path.join(credential_keys::FILE), false),
        }
    }

    /// What credentials are sealed with, after a look whether every key in use is there.
    ///
    /// # Errors
    /// When one is not, or the file cannot be read.
    pub async fn credential_sealer(
        &self,
        master: &MasterKey,
        store: &dyn Store,
    ) -> anyhow::Result<CredentialSealer> {
        let (file, given) = self.credential_keys();
        let sealer = CredentialSealer::new(master, Some(file), given)?;
        sealer.check(&store.credential_keys().await?)?;
        Ok(sealer)
    }

    /// Takes the directory for this process.
    ///
    /// # Errors
    /// When another process has it.
    pub fn lock(&self) -> anyhow::Result<Lock> {
        let name = self.path.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&name)
            .with_context(|| format!("failed to make `{}`", name.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => bail!(
                "`{}` is served by another process: end that one first, or choose another `--data-dir`",
                self.path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("failed to lock `{}`", name.display()))
            }
        }
    }

    /// Whether other processes may serve the same database, each from a directory of its own.
    pub const fn is_shared(&self) -> bool {
        self.database.is_some()
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where certificates of our own are.
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// Takes the room that revocations have on a full disk.
    pub fn reserve(&self, random: Random) -> Reserve {
        Reserve::take(&self.path, random)
    }

    /// The file of SQLite.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("reeve.db")
    }

    /// Whether the account was made here.
    ///
    /// # Errors
    /// When the database is there and cannot be read.
    pub async fn is_initialized(&self) -> anyhow::Result<bool> {
        if self.database.is_none() && fs::metadata(self.database()).map_or(0, |file| file.len()) == 0 {
            return Ok(false);
        }
        let store = self.store_to_read(None).await?;
        let initialized = store.is_initialized().await;
        store.close().await;
        Ok(initialized?)
    }

    /// Opens the database; the audit log goes on with a key of `master`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn store(&self, master: &MasterKey, now: Timestamp) -> anyhow::Result<SqlStore> {
        let key = AuditKey::new(master.audit_key());
        if let Some(url) = &self.database {
            let opened = SqlStore::open_postgres(url, key, now).await;
            return opened.with_context(|| format!("failed to open `{url}`"));
        }
        refuse_moved(&self.path)?;
        let file = self.database();
        // SQLite gives its side files the permissions of the database.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&file)
            .context("failed to make the database")?;
        SqlStore::open_sqlite(&file, key, now)
            .await
            .with_context(|| format!("failed to open `{}`", file.display()))
    }

    /// Opens the database for reading alone: it may be in use by a server. Its audit log is verified with a key of `master`.
    ///
    /// # Errors
    /// When it is not there or cannot be opened.
    pub async fn store_to_read(&self, master: Option<&MasterKey>) -> anyhow::Result<SqlStore> {
        let key = master.map(|master| AuditKey::new(master.audit_key()));
        if let Some(url) = &self.database {
            let opened = SqlStore::open_postgres_read_only(url, key).await;
            let store = opened.with_context(|| format!("failed to read `{url}`"))?;
            if store.is_being_moved_into().await? {
                bail!(
                    "a move into `{url}` was begun and not finished: nothing in it counts. Run `reeve-server database move` \
                     again"
                );
            }
            return Ok(store);
        }
        let file = self.database();
        SqlStore::open_sqlite_read_only(&file, key)
            .await
            .with_context(|| format!("failed to read `{}`", file.display()))
    }

    /// The master key; made when it is not there and nothing was sealed yet.
    ///
    /// # Errors
    /// When it is gone but there are values it sealed, or its file cannot be read.
    pub fn master_key(&self, random: &Random, initialized: bool) -> anyhow::Result<MasterKey> {
        let file = self.path.join("master.key");
        if let Some(given) = &self.master {
            return master_key::given(given, &file);
        }
        if file.exists() {
            return master_key::read(&file);
        }
        if initialized {
            bail!(
                "`{}` is missing: without it the keys in the database cannot be opened. Put it there, or give it by \
                 `--master-key-file`",
                file.display()
            );
        }
        let key = MasterKey::generate(random)?;
        write_private(&file, STANDARD_NO_PAD.encode(key.expose()).as_bytes())?;
        Ok(key)
    }

    /// Notes that the database of SQLite was moved away, or is about to be.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn set_moved_to(&self, to: &DatabaseUrl) -> anyhow::Result<()> {
        write_private(&self.path.join(MOVED_TO), format!("{to}\n").as_bytes())
    }

    /// Remembers how this server is reached, for `authentication-config`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remember(&self, reach: &Reach) -> anyhow::Result<()> {
        write_whole(&self.path.join("reach.json"), &serde_json::to_vec(reach)?)
    }

    fn reach(&self) -> anyhow::Result<Reach> {
        let bytes =
            fs::read(self.path.join("reach.json")).context("this data directory was never served from")?;
        serde_json::from_slice(&bytes).context("`reach.json` cannot be read")
    }
}

/// How the server is reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// Its public address.
    pub public_url: String,
    /// What clients are to trust.
    pub ca_file: PathBuf,
}

/// Writes a file that only its owner can read, whole or not at all. It is on the disk, under its name, when this returns: what is
/// sealed with a key that is in it may be in a database on another machine a moment later.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(file, bytes, Readers::Owner)
}

/// Writes a file whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(file, bytes, Readers::Usual)
}

fn replace(file: &Path, bytes: &[u8], readers: Readers) -> anyhow::Result<()> {
    reeve_files::replace(file, bytes, readers)
        .with_context(|| format!("failed to write `{}`", file.display()))
}

/// The keys of an installation and when it was made.
#[derive(Debug)]
pub struct Installed {
    /// The signing keys.
    pub keys: Keys,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// Opens the keys of an account that was made before.
///
/// # Errors
/// When something is missing or does not open.
pub async fn installed(store: &dyn Store, master: &MasterKey) -> anyhow::Result<Installed> {
    let keys = Keys::open(master, &store.signing_keys().await?).context(
        "the keys in the database were sealed with another master key: every process over it needs the same",
    )?;
    let created_at = store
        .installation_value(CREATED_AT)
        .await?
        .context("the account has no date")?;
    let created_at = Timestamp::from_millis(created_at.parse().context("the account's date cannot be read")?);
    Ok(Installed { keys, created_at })
}

/// The first password of the administrator, and whether it was made here and has to be told.
#[derive(Debug)]
pub struct FirstPassword {
    /// The password.
    pub password: Secret,
    /// True when it was made here.
    pub made: bool,
}

/// From the file, or made.
///
/// # Errors
/// When the file cannot be read or the password in it is too weak.
pub fn first_password(file: Option<&Path>, random: &Random) -> anyhow::Result<FirstPassword> {
    let Some(file) = file else {
        return Ok(FirstPassword {
            password: generate_password(random)?,
            made: true,
        });
    };
    let text = fs::read_to_string(file).with_context(|| format!("failed to read `{}`", file.display()))?;
    let password = Secret::new(text.trim_end_matches(['\r', '\n']));
    check_password(&password).with_context(|| format!("the password in `{}` is refused", file.display()))?;
    Ok(FirstPassword {
        password,
        made: false,
    })
}

/// Makes the account: signing keys, administrator, her rule. With `temporary_password` she has to choose another first.
///
/// # Errors
/// When it was made before, or the store fails.
pub async fn first_start(
    store: &dyn Store,
    master: &MasterKey,
    random: &Random,
    administrator: &Email,
    password: &Secret,
    temporary_password: bool,
    now: Timestamp,
) -> anyhow::Result<()> {
    let sealer = master.sealer();
    let hash = Passwords::new(random.clone())?.hash(password).await?;
    let first = FirstStart {
        administrator: NewUser {
            id: UserId::from_uuid(random.uuid()?),
            email: administrator.clone(),
            password: Some(CredentialHash::new(hash.as_text())),
            temporary_password,
            posix: None,
            created_at: now,
            created_by: "system".to_owned(),
        },
        signing_keys: [keys::made(&sealer)?, keys::made(&sealer)?],
        values: vec![(CREATED_AT.to_owned(), now.as_millis().to_string())],
    };
    let entry = system_entry(AuditAction::Create, "tenant", random, now)?;
    match store.first_start(&crate::audit::founding(), first, entry).await {
        Err(StoreError::Conflict { .. }) => bail!(
            "another process made the account at the same moment: a password that this one printed does not count. Start it again"
        ),
        made => made.context("failed to make the account").map(drop),
    }
}

/// An event that nobody asked for by REST: of the server itself, or of whoever is at its machine.
///
/// # Errors
/// Without randomness.
pub fn system_entry(
    action: AuditAction,
    entity: &str,
    random: &Random,
    now: Timestamp,
) -> anyhow::Result<AuditEntry> {
    Ok(AuditEntry::of_the_system(
        action,
        entity,
        random.uuid()?.to_string(),
        now,
    ))
}

/// The AuthenticationConfiguration of a cluster's API server, for the address of the last `serve`.
///
/// # Errors
/// When the directory was never served from, or has no such cluster.
pub fn authentication_config(
    data_dir: &Path,
    database: Option<DatabaseUrl>,
    cluster: ClusterId,
) -> anyhow::Result<String> {
    if !data_dir.exists() {
        bail!("`{}` does not exist", data_dir.display());
    }
    let dir = DataDir::open(data_dir)?.with(database);
    let reach = dir.reach()?;
    let ca = fs::read_to_string(&reach.ca_file)
        .with_context(|| format!("failed to read `{}`", reach.ca_file.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let known = runtime.block_on(async {
        let store = dir.store_to_read(None).await?;
        let known = store.link_verifier(cluster).await?.is_some();
        store.close().await;
        anyhow::Ok(known)
    })?;
    if !known {
        bail!("cluster `{cluster}` does not exist in this data directory");
    }
    let issuer = format!("{}{ISSUER_PATH}", reach.public_url);
    let audience = Audience::Cluster(cluster).to_string();
    Ok(reeve_admission::authentication::authentication_configuration_yaml(&issuer, &audience, &ca))
}
