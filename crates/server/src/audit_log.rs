//! The audit log outside of REST: `reeve-server audit verify` and `audit export`, and its head in the server's own log.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reeve_identity::Random;
use reeve_store::{AuditHead, AuditRow};
use reeve_store_sql::{Broken, SqlStore};
use reeve_types::Timestamp;
use serde_json::json;

use crate::app::App;
use crate::bootstrap::DataDir;
use crate::database_flags::Database;
use crate::error::log_chain;
use crate::fence::last_head;

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Recompute every hash. 0 when all fit, 1 with the first row that does not, 2 when the log cannot be read.
    Verify(Verify),
    /// Write the events as JSON, one a line.
    Export(Export),
}

/// Flags of `audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The data directory of the server.
    #[arg(long, env = "REEVE_DATA_DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    database: Database,
    /// A head of the audit log that the server's log told (`audit_head`): the chain must lead to it, so that an end that was
    /// cut shows. May be given more than once.
    #[arg(long, value_name = "NUMBER:HASH")]
    head: Vec<AuditHead>,
}

/// Flags of `audit export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The data directory of the server.
    #[arg(long, env = "REEVE_DATA_DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    database: Database,
    /// Where to; standard output by default. Must not exist yet.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Only events of this moment and later, in RFC 3339: `2026-01-31T00:00:00Z`.
    #[arg(long, value_parser = moment)]
    since: Option<Timestamp>,
    /// Only events of before this moment.
    #[arg(long, value_parser = moment)]
    until: Option<Timestamp>,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    serde_json::from_value(json!(text))
        .map_err(|_| format!("`{text}` is no moment: RFC 3339 is needed, as 2026-01-31T00:00:00Z"))
}

/// Does it; false when the log is broken.
///
/// # Errors
/// When the log cannot be read, or what it says cannot be written.
pub fn run(command: &Command) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match command {
        Command::Verify(flags) => runtime.block_on(verify(flags)),
        Command::Export(flags) => runtime.block_on(export(flags)).map(|()| true),
    }
}

async fn open(data_dir: &Path, database: &Database) -> anyhow::Result<(DataDir, SqlStore)> {
    if !data_dir.exists() {
        bail!("`{}` does not exist", data_dir.display());
    }
    let dir = database.at(data_dir)?;
    let master = dir.master_key(&Random::system(), true)?;
    let store = dir.store_to_read(Some(&master)).await?;
    Ok((dir, store))
}

async fn verify(flags: &Verify) -> anyhow::Result<bool> {
    // Before the database: a server that runs moves both on.
    let fenced = last_head(&flags.data_dir)?;
    let (_dir, store) = open(&flags.data_dir, &flags.database).await?;
    let heads: Vec<_> = flags.head.iter().cloned().chain(fenced).collect();
    let verdict = store.verify_audit(&heads).await;
    store.close().await;
    let (sound, text) = match verdict? {
        Ok(verified) => {
            let unkeyed = match verified.unkeyed {
                0 => String::new(),
                last => format!(", unkeyed up to row {last}"),
            };
            (
                true,
                format!(
                    "sound: {} events{unkeyed}\nhead {}\n",
                    verified.events, verified.head
                ),
            )
        }
        Err(Broken { row, reason }) => (false, format!("broken at row {row}: {reason}\n")),
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("failed to print the verdict")?;
    Ok(sound)
}

async fn export(flags: &Export) -> anyhow::Result<()> {
    const PAGE: i64 = 1000;
    let (_dir, store) = open(&flags.data_dir, &flags.database).await?;
    let mut out: BufWriter<Box<dyn Write>> = BufWriter::new(match &flags.output {
        None => Box::new(std::io::stdout()),
        Some(file) => Box::new(
            OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(file)
                .with_context(|| format!("failed to make `{}`", file.display()))?,
        ),
    });
    let mut last = 0;
    loop {
        let page = store.audit_page(last, PAGE).await?;
        let Some(end) = page.last().map(|row| row.sequence) else {
            break;
        };
        last = end;
        for row in page.iter().filter(|row| wanted(row, flags)) {
            writeln!(out, "{}", exported(row)?).context("failed to write the events")?;
        }
    }
    store.close().await;
    out.flush().context("failed to write the events")
}

fn wanted(row: &AuditRow, flags: &Export) -> bool {
    let at = row.entry.timestamp;
    flags.since.is_none_or(|since| at >= since) && flags.until.is_none_or(|until| at < until)
}

/// The event with its place in the chain: all that its hash covers.
fn exported(row: &AuditRow) -> anyhow::Result<serde_json::Value> {
    Ok(json!({
        "sequence": row.sequence,
        "previous": row.previous,
        "hash": row.hash,
        "keyed": row.keyed,
        "event": serde_json::to_value(&row.entry)?,
    }))
}

/// Tells the head of the audit log in the server's log whenever it moved, for as long as it is not stopped.
pub async fn tell_heads(app: Arc<App>, every: Duration) {
    let mut told = None;
    loop {
        tokio::time::sleep(every).await;
        tell_head(&app, &mut told).await;
    }
}

/// Tells the head unless it is the one that was told, and brings the fence up to it.
pub async fn tell_head(app: &App, told: &mut Option<AuditHead>) {
    app.advance_fence(None).await;
    match app.store.fence_news(i64::MAX).await {
        Ok(news) if told.as_ref() != Some(&news.head) => {
            tracing::info!(audit_head = %news.head, "head of the audit log");
            *told = Some(news.head);
        }
        Ok(_) => {}
        Err(error) => log_chain(&error),
    }
}
