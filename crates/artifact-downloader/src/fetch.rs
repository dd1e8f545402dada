//! One file: asked for from where it broke off, watched for silence, written under its name when all of it is there.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::{Client, Response, StatusCode, header};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::args::Args;
use crate::failure::{Failure, Kind};
use crate::listing::{Origin, PARTS, Remote};
use crate::progress::Progress;
use crate::source::Source;
use crate::verify;
use crate::web::{ATTEMPTS, lost, stalled};

/// Why a connection has to be tried again, or not.
enum Broken {
    /// It may go better.
    Again(String),
    /// It will not.
    For(Failure),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::For(failure)
    }
}

/// Where a file is while it is on its way.
struct Place {
    whole: PathBuf,
    part: PathBuf,
    tag: PathBuf,
}

impl Place {
    fn new(target: &Path, remote: &Remote) -> Self {
        let name = verify::hex(digest(&SHA256, remote.path.as_os_str().as_encoded_bytes()).as_ref());
        let parts = target.join(PARTS);
        Self {
            whole: target.join(&remote.path),
            part: parts.join(format!("{name}.part")),
            tag: parts.join(format!("{name}.etag")),
        }
    }
}

/// Brings one file, unless it is there already. `before` is how much of the others is there.
pub(crate) async fn file(
    client: &Client,
    arguments: &Args,
    source: &Source,
    remote: &Remote,
    progress: &Progress,
    before: u64,
) -> Result<(), Failure> {
    let place = Place::new(arguments.target(), remote);
    if size_of(&place.whole).await == Some(remote.size) {
        progress.set(before.saturating_add(remote.size));
        return Ok(());
    }
    for folder in [place.whole.parent(), place.part.parent()].into_iter().flatten() {
        fs::create_dir_all(folder)
            .await
            .map_err(|error| cannot("making", folder, &error))?;
    }
    let mut failures = 0;
    while size_of(&place.part).await != Some(remote.size) || remote.size == 0 {
        let had = size_of(&place.part).await.unwrap_or(0);
        let attempt = match &remote.origin {
            Origin::File(from) => copy(from, &place.part, progress, before).await,
            Origin::Web(_) | Origin::Key(_) => {
                continued(client, arguments, source, remote, &place, progress, before).await
            }
        };
        match attempt {
            Ok(()) => break,
            Err(Broken::For(failure)) => return Err(failure),
            Err(Broken::Again(why)) => {
                let moved = size_of(&place.part).await.unwrap_or(0) > had;
                failures = if moved { 1 } else { failures + 1 };
                if failures >= ATTEMPTS {
                    return Err(Failure::new(
                        Kind::Unreachable,
                        format!("{}: {why}", remote.path.display()),
                    ));
                }
                progress.note(&format!(
                    "{}: {why}; going on from where it was",
                    remote.path.display()
                ));
                sleep(arguments.retry_pause.saturating_mul(1 << failures.min(6))).await;
            }
        }
    }
    let whole = &place.whole;
    fs::rename(&place.part, whole)
        .await
        .map_err(|error| cannot("naming", whole, &error))?;
    let _ = fs::remove_file(&place.tag).await;
    progress.set(before.saturating_add(remote.size));
    Ok(())
}

fn cannot(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::of_io(&format!("{doing} `{}`", path.display()), error)
}

async fn size_of(path: &Path) -> Option<u64> {
    fs::metadata(path)
        .await
        .ok()
        .filter(|it| it.is_file())
        .map(|it| it.len())
}

/// One connection: the rest of the file, or all of it where the server does not go on or has another file by now.
async fn continued(
    client: &Client,
    arguments: &Args,
    source: &Source,
    remote: &Remote,
    place: &Place,
    progress: &Progress,
    before: u64,
) -> Result<(), Broken> {
    let tag = fs::read_to_string(&place.tag)
        .await
        .ok()
        .filter(|tag| !tag.is_empty());
    let there = size_of(&place.part).await.unwrap_or(0);
    // What has no tag, or is too long, is nothing that could be gone on with.
    let from = if tag.is_some() && there < remote.size {
        there
    } else {
        0
    };
    let mut request = source.request(client, arguments, remote)?;
    if let Some(tag) = tag.filter(|_| from > 0) {
        request = request
            .header(header::RANGE, format!("bytes={from}-"))
            .header(header::IF_RANGE, tag);
    }
    let response = timeout(arguments.stall_timeout, request.send())
        .await
        .map_err(|_| stalled(arguments))?
        .map_err(|error| Broken::Again(lost(error)))?;
    let from = match response.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(&response, from, remote.size) => from,
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            let _ = fs::remove_file(&place.part).await;
            return Err(Broken::Again("the server goes on from another place".to_owned()));
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            return Err(Broken::Again(format!("the server answered {}", status.as_u16())));
        }
        _ => return Err(Broken::For(source.refused(response, arguments).await)),
    };
    let tag = response
        .headers()
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok());
    // A weak tag does not say that the bytes are the same (RFC 9110, section 13.1.5).
    let tag = tag.filter(|tag| !tag.starts_with("W/")).unwrap_or_default();
    fs::write(&place.tag, tag)
        .await
        .map_err(|error| cannot("writing", &place.tag, &error))?;
    let mut file = open(&place.part, from).await?;
    write(response, &mut file, arguments, remote, (from, before), progress).await
}

fn starts_at(response: &Response, from: u64, size: u64) -> bool {
    let range = response
        .headers()
        .get(header::CONTENT_RANGE)
        .and_then(|range| range.to_str().ok());
    let parsed = range.and_then(|range| {
        let (bounds, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        Some((
            bounds.split_once('-')?.0.parse::<u64>().ok()?,
            total.parse::<u64>().ok(),
        ))
    });
    parsed.is_some_and(|(start, total)| start == from && total.is_none_or(|total| total == size))
}

async fn open(part: &Path, from: u64) -> Result<File, Failure> {
    let opened = async {
        let file = OpenOptions::new().create(true).append(true).open(part).await?;
        // Of what is no plain file there is nothing to cut.
        if file.metadata().await?.is_file() {
            file.set_len(from).await?;
        }
        Ok::<_, std::io::Error>(file)
    };
    opened.await.map_err(|error| cannot("writing", part, &error))
}

async fn write(
    mut response: Response,
    file: &mut File,
    arguments: &Args,
    remote: &Remote,
    (mut there, before): (u64, u64),
    progress: &Progress,
) -> Result<(), Broken> {
    let full = |error: std::io::Error| Broken::For(cannot("writing", &remote.path, &error));
    let broken = loop {
        progress.set(before.saturating_add(there));
        match timeout(arguments.stall_timeout, response.chunk()).await {
            Err(_) => break Broken::For(stalled(arguments)),
            Ok(Err(error)) => break Broken::Again(lost(error)),
            Ok(Ok(None)) if there == remote.size => {
                file.sync_all().await.map_err(full)?;
                return Ok(());
            }
            Ok(Ok(None)) => break Broken::Again(format!("it ended after {there} of {} bytes", remote.size)),
            Ok(Ok(Some(chunk))) => {
                there = there.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                if there > remote.size {
                    file.set_len(0).await.map_err(full)?;
                    let message = format!(
                        "{}: consistency check failed: more came than the {} bytes it has",
                        remote.path.display(),
                        remote.size
                    );
                    break Broken::For(Failure::new(Kind::Corrupt, message));
                }
                file.write_all(&chunk).await.map_err(full)?;
                file.flush().await.map_err(full)?;
            }
        }
    };
    // What came is kept for the next attempt.
    file.sync_all().await.map_err(full)?;
    Err(broken)
}

async fn copy(from: &Path, part: &Path, progress: &Progress, before: u64) -> Result<(), Broken> {
    let reading = |error: std::io::Error| cannot("reading", from, &error);
    let writing = |error: std::io::Error| cannot("writing", part, &error);
    let mut source = File::open(from).await.map_err(reading)?;
    let mut file = open(part, 0).await?;
    let (mut buffer, mut there) = (vec![0; 1 << 20], before);
    loop {
        let count = source.read(&mut buffer).await.map_err(reading)?;
        if count == 0 {
            file.sync_all().await.map_err(writing)?;
            return Ok(());
        }
        file.write_all(buffer.get(..count).unwrap_or_default())
            .await
            .map_err(writing)?;
        file.flush().await.map_err(writing)?;
        there = there.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        progress.set(there);
    }
}
