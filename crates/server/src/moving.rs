//! `reeve-server database move`: from the SQLite file of a data directory to PostgreSQL.
//!
//! The data directory goes on being served, now with `--database-url`: it holds the master key and the files by which a restored
//! database is recognised. A file in it, [`MOVED_TO`], keeps the SQLite database, which is left as it is, from being served by
//! accident. It is written before the target is committed, so that there is no moment at which both could be.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reeve_identity::Random;
use reeve_store_sql::{Broken, DatabaseUrl, Move, SqlStore, TableSum};
use reeve_types::Secret;

use crate::bootstrap::{DataDir, MOVED_TO};
use crate::database_flags::{Master, unread};
use crate::fence::last_head;

/// What can be done with a database as a whole.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Move everything from SQLite to an empty PostgreSQL database. The server must be stopped.
    Move(MoveFlags),
}

/// Flags of `database move`.
#[derive(Debug, Args)]
pub struct MoveFlags {
    /// The SQLite database: `sqlite:` and the data directory, or the file `reeve.db` in it.
    #[arg(long, value_name = "sqlite:PATH", value_parser = sqlite)]
    from: PathBuf,
    /// The PostgreSQL database, which must be empty, as `postgres://user:password@host:port/name`. Give it by the environment
    /// where others see flags.
    #[arg(
        long,
        env = "REEVE_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = unread
    )]
    to: Secret,
    #[command(flatten)]
    master: Master,
    /// Look at both databases and say what would be moved; write nothing.
    #[arg(long)]
    dry_run: bool,
}

fn sqlite(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    path.map(PathBuf::from)
        .ok_or_else(|| "`sqlite:` and a path is needed, as `sqlite:/var/lib/reeve`".to_owned())
}

/// Does it.
///
/// # Errors
/// When it cannot be done; the message says whether something was written.
pub fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Move(flags) = command;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = runtime.block_on(moved(flags))?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("failed to print what was done")
}

async fn moved(flags: &MoveFlags) -> anyhow::Result<String> {
    let folder = folder(&flags.from)?;
    let to: DatabaseUrl = flags.to.expose().parse().context("`--to`")?;
    let source = DataDir::open(&folder)?.given(flags.master.given());
    let _lock = source.lock()?;
    if !source.is_initialized().await? {
        bail!(
            "`{}` holds no account: there is nothing to move",
            folder.display()
        );
    }
    let master = source.master_key(&Random::system(), true)?;
    let heads: Vec<_> = last_head(source.path())?.into_iter().collect();
    let mut moving = Move::open(&source.database(), &to)
        .await
        .context("nothing was moved")?;
    let sound = verified(source.store_to_read(Some(&master)).await?, &heads).await;
    sound.context("nothing was moved")?;
    let again = match moving.is_begun() {
        true => "An earlier move into this database was not finished; all is moved anew.\n",
        false => "",
    };
    if flags.dry_run {
        let sums = moving.sums().await.context("nothing was moved")?;
        return Ok(format!(
            "{}{again}Nothing was written: this was a dry run.\n",
            table(&sums)
        ));
    }
    let unfinished = "nothing counts of what was moved: do it again";
    let copied = moving.copy().await.context(unfinished)?;
    let sums = copied.sums.clone();
    source.set_moved_to(&to)?;
    copied.commit().await.context(unfinished)?;
    let target = DataDir::open(&folder)?
        .given(flags.master.given())
        .with(Some(to.clone()));
    let events = verified(target.store_to_read(Some(&master)).await?, &heads)
        .await
        .with_context(|| format!("everything was moved to `{to}`"))?;
    Ok(format!(
        "{}{again}Moved to `{to}`; number and digest of the rows of each table agree, and the audit log is sound: {events} events.\n\
         `{}` is left as it is and is not served any more (`{MOVED_TO}`). Serve the same data directory with the new database:\n\
         REEVE_DATABASE_URL=… reeve-server serve --data-dir {}\n",
        table(&sums),
        source.database().display(),
        folder.display()
    ))
}

/// The data directory of what was named: itself, or where the file lies.
fn folder(from: &Path) -> anyhow::Result<PathBuf> {
    let path = from
        .canonicalize()
        .with_context(|| format!("failed to open `{}`", from.display()))?;
    if path.is_dir() {
        return Ok(path);
    }
    if path.file_name() != Some("reeve.db".as_ref()) {
        bail!(
            "`{}` is not the database of a data directory: that is called `reeve.db`",
            path.display()
        );
    }
    Ok(path.parent().unwrap_or(Path::new("/")).to_owned())
}

/// How many events there are in a sound audit log.
async fn verified(store: SqlStore, heads: &[reeve_store::AuditHead]) -> anyhow::Result<i64> {
    let verdict = store.verify_audit(heads).await;
    store.close().await;
    match verdict? {
        Ok(verified) => Ok(verified.events),
        Err(Broken { row, reason }) => {
            bail!("the audit log is broken at row {row}: {reason}")
        }
    }
}

fn table(sums: &[TableSum]) -> String {
    let mut text = format!("{:<20} {:>9}  sha256\n", "table", "rows");
    for TableSum { name, rows, hash } in sums {
        text.push_str(&format!("{name:<20} {rows:>9}  {hash}\n"));
    }
    text
}
