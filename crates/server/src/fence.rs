//! The files beside the master key by which a database that was restored from a backup is recognised.
//!
//! `last-change` says how far the audit log had come, `given-uids` to whom each uid was given. Both are written after the
//! commit and before the answer: so a server that was killed finds a database that is never behind them, and one that was
//! put back finds an event that its database does not know. Whoever puts these files back together with the database is
//! not noticed: `reeve-server restored declare` is for that.
//!
//! The answer waits until they are on the disk, unless what was changed ended nothing that a backup revives (a rule, a workload:
//! [`FenceStep::can_wait`]). That is written before the answer as well, and its disk is waited for after it.

mod last_change;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reeve_identity::Random;
use reeve_store::{AuditAction, Evidence, FenceNews, FenceStep, Fenced, Loss, Recovered, Store};
use reeve_types::{Timestamp, Uid, UserId};
use tokio::sync::Mutex;

use crate::audit::recovery;
use crate::bootstrap::system_entry;
use last_change::Lasting;

/// Which uids were given to whom, and which were made free again.
type Uids = BTreeMap<Uid, Option<UserId>>;

/// What the files say.
#[derive(Debug, Clone, Default)]
struct Known {
    fenced: Option<Fenced>,
    uids: Uids,
    /// How many records were written that did not wait for the disk, while the last one may not be on it.
    waiting: Option<u64>,
}

/// The two files.
#[derive(Debug, Clone)]
struct Files {
    last_change: PathBuf,
    given_uids: PathBuf,
}

impl Files {
    fn in_folder(folder: &Path) -> Self {
        Self {
            last_change: folder.join("last-change"),
            given_uids: folder.join("given-uids"),
        }
    }

    /// For whoever has the directory alone.
    fn read(&self) -> anyhow::Result<Known> {
        Ok(Known {
            fenced: last_change::read(&self.last_change)?,
            uids: self.read_uids()?,
            waiting: None,
        })
    }

    /// A last line without its end was never answered for: it goes.
    fn read_uids(&self) -> anyhow::Result<Uids> {
        let context = || format!("failed to read `{}`", self.given_uids.display());
        let text = match fs::read_to_string(&self.given_uids) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Uids::new()),
            Err(error) => return Err(error).with_context(context),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            let file = OpenOptions::new()
                .write(true)
                .open(&self.given_uids)
                .with_context(context)?;
            file.set_len(u64::try_from(whole)?).with_context(context)?;
        }
        let lines = text.get(..whole).unwrap_or_default().lines();
        lines
            .map(|line| {
                uid(line)
                    .with_context(|| format!("`{}`: `{line}` is no line of it", self.given_uids.display()))
            })
            .collect()
    }

    /// On the disk when it returns: uids first, so that one that is missing is still news after the head of before.
    fn write(&self, uids: &Uids, fenced: &Fenced, is_waiting: bool) -> anyhow::Result<()> {
        if !uids.is_empty() {
            let lines: String = uids.iter().map(line).collect();
            let context = || format!("failed to write `{}`", self.given_uids.display());
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&self.given_uids)
                .with_context(context)?;
            file.write_all(lines.as_bytes())
                .and_then(|()| file.sync_data())
                .and_then(|()| reeve_files::sync_folder(&self.given_uids))
                .with_context(context)?;
        }
        last_change::write(&self.last_change, fenced, is_waiting, Lasting::Now)
    }
}

fn line((uid, owner): (&Uid, &Option<UserId>)) -> String {
    match owner {
        Some(owner) => format!("{uid} {owner}\n"),
        None => format!("{uid} -\n"),
    }
}

fn uid(line: &str) -> Option<(Uid, Option<UserId>)> {
    let (uid, owner) = line.split_once(' ')?;
    let owner = match owner {
        "-" => None,
        owner => Some(owner.parse().ok()?),
    };
    Some((uid.parse().ok()?, owner))
}

/// Keeps the files in step with the database.
#[derive(Debug)]
pub struct Fence {
    files: Files,
    known: Arc<Mutex<Known>>,
}

/// How long a disk that failed is left alone.
const AGAIN: Duration = Duration::from_secs(1);

/// What opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The database is the one of before, or a later one.
    Same,
    /// There was nothing to compare with.
    Nothing,
    /// The database was restored; what it held is ended.
    Restored(Recovered),
    /// The database was restored, and another process has ended what it held: in this era.
    Settled(i64),
}

/// What became of writing down how far the database has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Advanced {
    /// It is written down.
    Done,
    /// Nothing: the database does not know the event that is written down. It is an older copy, or another database.
    Unknown,
}

impl Fence {
    /// Compares the database with the files in `folder`, ends what a restored one holds, and brings the files up to it. With
    /// `declared` it counts as restored whatever the files say.
    ///
    /// # Errors
    /// When the files cannot be read or written, or the database cannot.
    pub async fn open(
        folder: &Path,
        store: &dyn Store,
        declared: bool,
        random: &Random,
        now: Timestamp,
    ) -> anyhow::Result<(Self, Found)> {
        let files = Files::in_folder(folder);
        let known = files.read()?;
        let same = match &known.fenced {
            Some(fenced) => store.knows_head(&fenced.head).await?,
            None => true,
        };
        let had_files = known.fenced.is_some();
        let fence = Self {
            files,
            known: Arc::new(Mutex::new(known)),
        };
        let found = match (declared, same) {
            (true, _) => Found::Restored(fence.recover(store, random, now).await?),
            (false, true) if had_files => Found::Same,
            (false, true) => Found::Nothing,
            (false, false) => match fence.recover_lost(store, &Evidence::Head, random, now).await? {
                Loss::Ended(recovered) => return Ok((fence, Found::Restored(recovered))),
                Loss::Settled(era) => return Ok((fence, Found::Settled(era))),
                Loss::Nothing => Found::Same,
            },
        };
        fence.take(store.fence_news(-1).await?).await?;
        Ok((fence, found))
    }

    /// As at a start, while the server runs, if `evidence` holds once nobody else can write.
    ///
    /// # Errors
    /// As [`Fence::open`]; what is in the database is then as before, or is found settled by the next call.
    pub async fn recover_lost(
        &self,
        store: &dyn Store,
        evidence: &Evidence,
        random: &Random,
        now: Timestamp,
    ) -> anyhow::Result<Loss> {
        let mut known = self.known.lock().await;
        let fenced = match &known.fenced {
            Some(fenced) => fenced.clone(),
            None => fenced(&store.fence_news(i64::MAX).await?, 0),
        };
        let entry = system_entry(AuditAction::Restore, "tenant", random, now)?;
        let uids = given(&known.uids);
        let loss = store
            .recover_lost(&recovery(), &fenced, &uids, evidence, entry)
            .await?;
        let era = match loss {
            Loss::Nothing => return Ok(loss),
            Loss::Settled(era) => era,
            Loss::Ended(recovered) => recovered.era,
        };
        known.fenced = Some(Fenced { era, ..fenced });
        self.take_into(&mut known, store.fence_news(-1).await?).await?;
        Ok(loss)
    }

    async fn recover(&self, store: &dyn Store, random: &Random, now: Timestamp) -> anyhow::Result<Recovered> {
        let mut known = self.known.lock().await;
        let fenced = match &known.fenced {
            Some(fenced) => fenced.clone(),
            None => fenced(&store.fence_news(i64::MAX).await?, 0),
        };
        let uids = given(&known.uids);
        let entry = system_entry(AuditAction::Restore, "tenant", random, now)?;
        let recovered = store.recover(&recovery(), &fenced, &uids, entry).await?;
        known.fenced = Some(Fenced {
            era: recovered.era,
            ..fenced
        });
        Ok(recovered)
    }

    /// Writes down how far the database has come, where that is news: only if it still knows the event that is written down. After a
    /// write that said what it added, and that went on from that event, which it found in the database then, nothing is read.
    ///
    /// # Errors
    /// When the files cannot be written or the database cannot be read. What is committed stays so: the next call tries again.
    pub async fn advance(&self, store: &dyn Store, step: Option<&FenceStep>) -> anyhow::Result<Advanced> {
        let mut known = self.known.lock().await;
        let fenced = known.fenced.as_ref();
        if let Some((next, step)) = fenced
            .zip(step)
            .and_then(|(fenced, step)| Some((fenced.after(step)?, step)))
        {
            if step.can_wait {
                self.write_soon(&mut known, next)?;
            } else {
                self.write_into(&mut known, next, Uids::new()).await?;
            }
            return Ok(Advanced::Done);
        }
        let news = match &known.fenced {
            Some(fenced) => match store.fence_news_after(&fenced.head).await? {
                Some(news) => news,
                None => return Ok(Advanced::Unknown),
            },
            None => store.fence_news(-1).await?,
        };
        self.take_into(&mut known, news).await?;
        Ok(Advanced::Done)
    }

    /// The place in the audit log of the event that is written down; none before the first.
    pub async fn head(&self) -> Option<i64> {
        let known = self.known.lock().await;
        known.fenced.as_ref().map(|fenced| fenced.head.sequence)
    }

    async fn take(&self, news: FenceNews) -> anyhow::Result<()> {
        self.take_into(&mut *self.known.lock().await, news).await
    }

    async fn take_into(&self, known: &mut Known, news: FenceNews) -> anyhow::Result<()> {
        let next = fenced(&news, known.fenced.as_ref().map_or(0, |fenced| fenced.era));
        let uids: Uids = news
            .uids
            .into_iter()
            .filter(|(uid, owner)| known.uids.get(uid) != Some(owner))
            .collect();
        if uids.is_empty() && known.fenced.as_ref() == Some(&next) {
            return Ok(());
        }
        self.write_into(known, next, uids).await
    }

    async fn write_into(&self, known: &mut Known, next: Fenced, uids: Uids) -> anyhow::Result<()> {
        let (files, fenced, fresh) = (self.files.clone(), next.clone(), uids.clone());
        let is_waiting = known.waiting.is_some();
        tokio::task::spawn_blocking(move || files.write(&fresh, &fenced, is_waiting)).await??;
        known.uids.extend(uids);
        known.fenced = Some(next);
        known.waiting = None;
        Ok(())
    }

    /// Writes it where it survives the end of this process, and asks the disk for it without waiting.
    fn write_soon(&self, known: &mut Known, next: Fenced) -> anyhow::Result<()> {
        let file = &self.files.last_change;
        last_change::write(file, &next, known.waiting.is_some(), Lasting::Soon)?;
        known.fenced = Some(next);
        match &mut known.waiting {
            Some(records) => *records += 1,
            None => {
                known.waiting = Some(1);
                tokio::spawn(reach_the_disk(file.clone(), Arc::clone(&self.known)));
            }
        }
        Ok(())
    }
}

/// Until nothing waits for the disk any more.
async fn reach_the_disk(file: PathBuf, known: Arc<Mutex<Known>>) {
    loop {
        let Some(records) = known.lock().await.waiting else {
            return;
        };
        let written = file.clone();
        let synced = tokio::task::spawn_blocking(move || last_change::sync(&written)).await;
        match synced.map_err(anyhow::Error::from).flatten() {
            Ok(()) => {
                let mut known = known.lock().await;
                if known.waiting == Some(records) {
                    known.waiting = None;
                }
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "how far the database has come is not on the disk yet"
                );
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// What is to be known of the database; its era is never one that was there before.
fn fenced(news: &FenceNews, era: i64) -> Fenced {
    Fenced {
        head: news.head.clone(),
        era: era.max(news.era),
        numbers: news.numbers.clone(),
    }
}

/// The uids that somebody has or had.
fn given(uids: &Uids) -> Vec<(Uid, UserId)> {
    uids.iter()
        .filter_map(|(uid, owner)| owner.map(|owner| (*uid, owner)))
        .collect()
}

/// How far the audit log had come according to the files in `folder`; none without them.
///
/// # Errors
/// When they cannot be read.
pub fn last_head(folder: &Path) -> anyhow::Result<Option<reeve_store::AuditHead>> {
    let fenced = last_change::read(&Files::in_folder(folder).last_change)?;
    Ok(fenced.map(|fenced| fenced.head))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "123e4567-e89b-12d3-a456-426614174000";

    #[test]
    fn a_line_that_was_never_finished_is_not_believed_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::in_folder(dir.path());
        let whole = format!("70012 {ALICE}\n70013 {ALICE}\n70013 -\n");
        fs::write(&files.given_uids, format!("{whole}70014 123e45")).unwrap();
        let known = files.read().unwrap();
        let uids: Vec<_> = known.uids.iter().map(line).collect();
        assert_eq!(uids, [format!("70012 {ALICE}\n"), "70013 -\n".to_owned()]);
        assert_eq!(fs::read_to_string(&files.given_uids).unwrap(), whole);
        assert_eq!(known.fenced, None);
    }

    #[test]
    fn files_that_somebody_else_wrote_to_stop_the_start_and_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::in_folder(dir.path());
        fs::write(&files.given_uids, "70012 nobody\n").unwrap();
        let said = format!("{:#}", files.read().unwrap_err());
        assert!(
            said.contains("given-uids") && said.contains("70012 nobody"),
            "{said}"
        );
        fs::remove_file(&files.given_uids).unwrap();
        fs::write(&files.last_change, "{}").unwrap();
        let said = format!("{:#}", files.read().unwrap_err());
        assert!(
            said.contains("last-change") && said.contains("restored declare"),
            "{said}"
        );
    }

    #[test]
    fn what_is_written_is_read_again_and_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let files = Files::in_folder(dir.path());
        let fenced = Fenced {
            head: reeve_store::AuditHead {
                sequence: 7,
                mac: "ab".to_owned(),
            },
            era: 2,
            numbers: [("project".to_owned(), 4)].into(),
        };
        let given = |owner| Uids::from([(Uid::new(70012).unwrap(), owner)]);
        files.write(&given(ALICE.parse().ok()), &fenced, false).unwrap();
        files.write(&given(None), &fenced, false).unwrap();
        let known = files.read().unwrap();
        assert_eq!((known.fenced, known.uids), (Some(fenced), given(None)));
        for file in [&files.last_change, &files.given_uids] {
            let mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
        }
    }
}
