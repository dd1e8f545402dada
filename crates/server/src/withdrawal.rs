//! `reeve-server keys`: what signs and seals, a new key for credentials, and what is done about a signing key that leaked.
//!
//! Whoever has the private part of a key makes tokens of anybody until nobody believes it any more. So it is not retired but forgotten,
//! and a key that nobody knows yet signs from then on: an API server reads the published keys again at the first token of a key that
//! it does not know, and only then, and so forgets the one that leaked. Every session ends, since a token could be made in each.
//!
//! At the server's machine alone: by REST somebody with a forged token of an administrator could do it as well.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reeve_identity::Random;
use reeve_store::{AuditAction, CredentialAssets, SigningKeys, StoreError};
use reeve_types::{Clock, Timestamp};
use zeroize::Zeroizing;

use crate::audit::{key_rotation, recovery};
use crate::bootstrap::{system_entry, write_private};
use crate::credential_keys::BATCH;
use crate::keys::{Keys, made};
use crate::restored::{Folder, Opened};

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show them: id, use, since when. The id is `kid` in the head of a token.
    List(Folder),
    /// Seal credentials anew with the newest of the credential keys: a new one, or the first of the file that was given. Whatever
    /// ends it in the middle, running it again goes on.
    Rotate(Folder),
    /// Forget one that leaked: whatever it signed is worth nothing, and everybody signs in again.
    Withdraw(Withdraw),
}

/// Flags of `keys withdraw`.
#[derive(Debug, Args)]
pub struct Withdraw {
    #[command(flatten)]
    folder: Folder,
    /// Its id: `kid` in the head of the tokens that it signed, and in `keys list`.
    kid: String,
}

/// Does it.
///
/// # Errors
/// When the directory is served, holds no such key, or cannot be read or written.
pub fn run(command: &Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (random, now) = (Random::system(), Clock::system().now());
    let text = runtime.block_on(async {
        match command {
            Command::List(folder) => listed(folder, &random, now).await,
            Command::Rotate(folder) => rotated(folder, &random, now).await,
            Command::Withdraw(flags) => withdrawn(flags, &random, now).await,
        }
    })?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("failed to print what was done")
}

async fn listed(folder: &Folder, random: &Random, now: Timestamp) -> anyhow::Result<String> {
    let opened = Opened::new(folder, false, random, now).await?;
    let rows = opened.store.signing_keys().await?;
    let master = folder.open()?.master_key(random, true)?;
    let keys = Keys::open(&master, &rows)?;
    let mut text = String::new();
    for row in &rows {
        let kid = keys.kid(&row.facts.id).unwrap_or_default();
        writeln!(
            text,
            "{kid} {} since {}",
            row.facts.usage.as_str(),
            row.facts.since
        )?;
    }
    let sealer = folder.open()?.credential_sealer(&master, &opened.store).await?;
    let used = opened.store.credential_keys().await?;
    for number in sealer.numbers() {
        let rows = used.iter().find(|(key, _)| *key == number);
        let rows = rows.map_or(0, |(_, rows)| *rows);
        let seals = if number == sealer.first() {
            "seals"
        } else {
            "opens"
        };
        writeln!(text, "credential key {number} {seals}, {rows} credentials")?;
    }
    opened.close().await?;
    Ok(text)
}

/// A new key where the file is ours and everything is sealed with its first; then everything is sealed with the first.
async fn rotated(folder: &Folder, random: &Random, now: Timestamp) -> anyhow::Result<String> {
    let opened = Opened::new(folder, false, random, now).await?;
    let dir = folder.open()?;
    let master = dir.master_key(random, true)?;
    let sealer = dir.credential_sealer(&master, &opened.store).await?;
    let (file, given) = dir.credential_keys();
    let used = opened.store.credential_keys().await?;
    let is_done = used.iter().all(|(key, _)| *key == sealer.first());
    if is_done && given {
        bail!(
            "every credential is sealed with key {} already, the first in `{}`: put the line of a new key before it",
            sealer.first(),
            file.display()
        );
    }
    if is_done {
        let known = match std::fs::read_to_string(&file) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => Zeroizing::default(),
            // What is not read would be lost with what is written.
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read `{}`", file.display()));
            }
        };
        let line = sealer.new_line(random)?;
        write_private(&file, Zeroizing::new(format!("{}{}", &*line, &*known)).as_bytes())?;
        sealer.read_again()?;
    }
    let mut all = 0;
    loop {
        let mut entry = system_entry(AuditAction::Rotate, "security-settings", random, now)?;
        entry
            .metadata
            .insert("by".to_owned(), "reeve-server keys".to_owned());
        match sealer
            .reseal(&opened.store, &key_rotation(), BATCH, entry)
            .await?
        {
            0 => break,
            some => all += some,
        }
    }
    opened.close().await?;
    Ok(format!(
        "{all} credentials were sealed anew with key {}. Keep the lines of the other keys in `{}` as long as a backup may come \
         back that was made before\n",
        sealer.first(),
        file.display()
    ))
}

async fn withdrawn(flags: &Withdraw, random: &Random, now: Timestamp) -> anyhow::Result<String> {
    let opened = Opened::new(&flags.folder, false, random, now).await?;
    let master = flags.folder.open()?.master_key(random, true)?;
    let rows = opened.store.signing_keys().await?;
    let keys = Keys::open(&master, &rows)?;
    let ids = rows.iter().map(|row| row.facts.id.as_str());
    let Some(id) = ids
        .into_iter()
        .find(|id| keys.kid(id).as_ref() == Some(&flags.kid))
    else {
        bail!(
            "no signing key is called `{}`: it was forgotten, or never was; `reeve-server keys list` shows those that are there",
            flags.kid
        );
    };
    let sealer = master.sealer();
    let (current, next) = (made(&sealer)?, made(&sealer)?);
    let mut entry = system_entry(AuditAction::Delete, "security-settings", random, now)?;
    entry
        .metadata
        .insert("by".to_owned(), "reeve-server keys".to_owned());
    let granted = recovery();
    let done = opened
        .store
        .withdraw_signing_key(&granted, id, current, next, entry);
    match done.await {
        Err(StoreError::NotFound { .. }) => bail!("`{}` was withdrawn by somebody else meanwhile", flags.kid),
        done => done.map(drop)?,
    }
    opened.close().await?;
    Ok(format!(
        "`{}` is withdrawn, and every session ended. API servers of clusters believe its tokens until they meet the first of the new \
         key, which is the next that anybody asks for there: `reeve kubernetes-token` for each cluster makes sure of it\n",
        flags.kid
    ))
}
