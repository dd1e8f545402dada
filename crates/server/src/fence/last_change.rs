//! `last-change`: a file of two places, which are written in turn.
//!
//! Every change of somebody waits for it. So it is written where it stands and keeps its length: the disk is asked for once, and
//! its file system for nothing. Whoever is killed in the middle leaves the other place, which is what was answered for last. What
//! did not wait for the disk is written where the next record goes as well, so that the other place is always one that did.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_store::Fenced;
use sha2::{Digest, Sha256};

use crate::bootstrap::write_private;

/// How long a place is, with the end of its line.
const PLACE: usize = 4_096;

/// What a place says, if it was written whole.
#[derive(Debug)]
struct Record {
    /// How often the file was written until then.
    number: u64,
    fenced: Fenced,
}

impl Record {
    /// A line: number, digest of what follows, what is known.
    fn line(&self) -> anyhow::Result<String> {
        let json = serde_json::to_string(&self.fenced)?;
        let line = format!("{} {} {json}", self.number, digest(self.number, &json));
        ensure!(
            line.len() < PLACE,
            "{} bytes are more than a place of it holds",
            line.len()
        );
        Ok(format!("{line:<width$}\n", width = PLACE - 1))
    }

    fn of(line: &str) -> Option<Self> {
        let (number, rest) = line.trim_end().split_once(' ')?;
        let (told, json) = rest.split_once(' ')?;
        let number = number.parse().ok()?;
        let fenced = serde_json::from_str(json).ok()?;
        (told == digest(number, json)).then_some(Self { number, fenced })
    }
}

fn digest(number: u64, json: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{number} {json}")))
}

/// What the file says; none where it is absent. One from before there were two places is read, too.
///
/// # Errors
/// When it cannot be read, or holds nothing that was written whole.
pub(super) fn read(file: &Path) -> anyhow::Result<Option<Fenced>> {
    let Some(text) = text(file)? else {
        return Ok(None);
    };
    if text.starts_with('{') {
        return serde_json::from_str(&text)
            .map(Some)
            .with_context(|| unreadable(file));
    }
    let (_, latest) = latest(&text).with_context(|| unreadable(file))?;
    Ok(Some(latest.fenced))
}

fn unreadable(file: &Path) -> String {
    format!(
        "`{}` cannot be read: remove it when the database was not restored, and run `reeve-server restored declare` after that \
         when it was",
        file.display()
    )
}

/// Whether what is written has to be on the disk before anything else happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    /// When the call returns.
    Now,
    /// When [`sync`] was called: until then a power cut may take it.
    Soon,
}

/// Writes it, over the record of before if that is not known to be on the disk (`after_soon`).
///
/// # Errors
/// When it cannot be written; what was there before is then still read.
pub(super) fn write(file: &Path, fenced: &Fenced, after_soon: bool, lasting: Lasting) -> anyhow::Result<()> {
    let context = || format!("failed to write `{}`", file.display());
    let text = text(file)?.filter(|text| text.len() == 2 * PLACE);
    let known = text.as_deref().and_then(latest);
    let next = |(place, latest): (usize, Record)| {
        let place = if after_soon { place } else { 1 - place };
        (place, latest.number + 1)
    };
    let (place, number) = known.map_or((0, 0), next);
    let line = Record {
        number,
        fenced: fenced.clone(),
    }
    .line()
    .with_context(context)?;
    if text.is_none() {
        return write_private(file, line.repeat(2).as_bytes());
    }
    let handle = OpenOptions::new().write(true).open(file).with_context(context)?;
    let offset = u64::try_from(place * PLACE)?;
    handle
        .write_all_at(line.as_bytes(), offset)
        .and_then(|()| match lasting {
            Lasting::Now => handle.sync_data(),
            Lasting::Soon => Ok(()),
        })
        .with_context(context)
}

/// What was written is on the disk when it returns.
///
/// # Errors
/// When the disk fails.
pub(super) fn sync(file: &Path) -> anyhow::Result<()> {
    let synced = File::open(file).and_then(|handle| handle.sync_data());
    synced.with_context(|| format!("failed to write `{}` to the disk", file.display()))
}

/// The later of what was written whole, and in which place it stands.
fn latest(text: &str) -> Option<(usize, Record)> {
    let whole = text.lines().map(Record::of).enumerate();
    whole
        .filter_map(|(place, record)| Some((place, record?)))
        .filter(|(place, _)| *place < 2)
        .max_by_key(|(_, record)| record.number)
}

fn text(file: &Path) -> anyhow::Result<Option<String>> {
    let mut text = Vec::new();
    let read = File::open(file).and_then(|mut file| file.read_to_end(&mut text));
    match read {
        // What is no text was not written whole.
        Ok(_) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read `{}`", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use reeve_store::AuditHead;

    use super::*;

    fn fenced(sequence: i64) -> Fenced {
        let mac = "ab".to_owned();
        Fenced {
            head: AuditHead { sequence, mac },
            era: 2,
            numbers: [("project".to_owned(), sequence)].into(),
        }
    }

    // Red where a write takes the place of what was answered for last, or where a digest is not looked at.
    #[test]
    fn a_write_that_was_cut_off_leaves_what_was_answered_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("last-change");
        for sequence in [7, 8, 9] {
            write(&file, &fenced(sequence), false, Lasting::Now).unwrap();
            let before = fs::read(&file).unwrap();
            write(&file, &fenced(sequence + 100), false, Lasting::Now).unwrap();
            let whole = fs::read(&file).unwrap();
            let differ = |at: &usize| before.get(*at) != whole.get(*at);
            let (first, last) = ((0..whole.len()).find(differ), (0..whole.len()).rfind(differ));
            for cut in first.unwrap()..last.unwrap() {
                let torn: Vec<u8> = [&whole[..cut], &before[cut..]].concat();
                fs::write(&file, torn).unwrap();
                let told = read(&file).unwrap().unwrap();
                assert!(
                    told == fenced(sequence) || (told == fenced(sequence + 100) && cut > first.unwrap()),
                    "cut at {cut}: {told:?}"
                );
            }
            fs::write(&file, before).unwrap();
        }
    }

    // Red where what did not wait for the disk is written over what did.
    #[test]
    fn what_did_not_wait_for_the_disk_leaves_what_did() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("last-change");
        write(&file, &fenced(7), false, Lasting::Now).unwrap();
        let lasting = fs::read(&file).unwrap();
        for (sequence, after_soon) in [(8, false), (9, true), (10, true)] {
            write(&file, &fenced(sequence), after_soon, Lasting::Soon).unwrap();
            assert_eq!(read(&file).unwrap(), Some(fenced(sequence)));
            let now = fs::read(&file).unwrap();
            assert!(now[..PLACE] == lasting[..PLACE] || now[PLACE..] == lasting[PLACE..]);
        }
        write(&file, &fenced(11), true, Lasting::Now).unwrap();
        sync(&file).unwrap();
        write(&file, &fenced(12), false, Lasting::Soon).unwrap();
        let text = String::from_utf8(fs::read(&file).unwrap()).unwrap();
        let mut kept: Vec<i64> = text
            .lines()
            .map(|line| Record::of(line).unwrap().fenced.head.sequence)
            .collect();
        kept.sort_unstable();
        assert_eq!(kept, [11, 12]);
    }

    #[test]
    fn what_is_written_is_read_also_where_numbers_go_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("last-change");
        assert_eq!(read(&file).unwrap(), None);
        for sequence in [7, 8, 3, 4, 4] {
            write(&file, &fenced(sequence), false, Lasting::Now).unwrap();
            assert_eq!(read(&file).unwrap(), Some(fenced(sequence)));
            assert_eq!(fs::metadata(&file).unwrap().len(), 8_192);
        }
    }

    #[test]
    fn a_file_from_before_there_were_two_places_is_read_and_made_into_one_of_two() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("last-change");
        fs::write(&file, serde_json::to_vec(&fenced(7)).unwrap()).unwrap();
        assert_eq!(read(&file).unwrap(), Some(fenced(7)));
        write(&file, &fenced(8), false, Lasting::Now).unwrap();
        assert_eq!(read(&file).unwrap(), Some(fenced(8)));
    }
}
