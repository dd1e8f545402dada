//! All of it in order: which files there are, each of them, whether they are what they are to be.

use std::io::Write;

use reqwest::Client;
use serde_json::json;

use crate::args::Args;
use crate::failure::{Failure, Kind};
use crate::listing::{Digest, PARTS, Remote, total};
use crate::progress::Progress;
use crate::s3::{self, Store};
use crate::source::Source;
use crate::uri::Place;
use crate::{claim, fetch, hub, verify, web};

/// Does what the arguments say.
///
/// # Errors
/// What is in the way.
pub async fn run(arguments: &Args) -> Result<(), Failure> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = web::client()?;
    let (source, files) = list(&client, arguments).await?;
    if files.is_empty() {
        return Err(Failure::new(
            Kind::Missing,
            format!("file not found: there is nothing at {}", arguments.uri),
        ));
    }
    let bytes = total(&files);
    if arguments.check_size {
        let line = json!({"url": arguments.uri, "sizeBytes": bytes});
        return writeln!(std::io::stdout(), "{line}")
            .map_err(|error| Failure::of_io("writing the size", &error));
    }
    let expected = arguments.expected_size_bytes.filter(|expected| *expected > 0);
    let progress = Progress::new(arguments, expected.unwrap_or(bytes)).await;
    let done = download(&client, arguments, &source, &files, &progress).await;
    match &done {
        Ok(()) => progress.ends("Complete").await,
        Err(failure) => progress.ends(&failure.to_string()).await,
    }
    done
}

async fn list(client: &Client, arguments: &Args) -> Result<(Source, Vec<Remote>), Failure> {
    match Place::parse(&arguments.uri)? {
        Place::Hub { repository, revision } => {
            let files = hub::list(client, arguments, &repository, &revision).await?;
            Ok((Source::Hub(repository), files))
        }
        Place::S3 { bucket, prefix } => {
            let store = Store::new(arguments, &bucket)?;
            let files = store.list(client, arguments, &prefix).await?;
            Ok((Source::S3(store), files))
        }
        Place::Claim { path } => Ok((Source::Claim, claim::list(&arguments.pvc_mount, &path)?)),
    }
}

async fn download(
    client: &Client,
    arguments: &Args,
    source: &Source,
    files: &[Remote],
    progress: &Progress,
) -> Result<(), Failure> {
    progress.begins(source.protocol()).await;
    let all = async {
        let mut before = 0_u64;
        for remote in files {
            fetch::file(client, arguments, source, remote, progress, before).await?;
            before = before.saturating_add(remote.size);
            progress.note(&format!("{} is there", remote.path.display()));
        }
        Ok::<(), Failure>(())
    };
    tokio::select! {
        done = all => done?,
        () = progress.keep_telling(arguments.progress_interval) => {}
    }
    progress.verifying().await;
    let mut wrong = Vec::new();
    for remote in files {
        let path = arguments.target().join(&remote.path);
        let fits = verify::fits(&path, remote).await;
        let fits = fits.map_err(|error| Failure::of_io(&format!("reading `{}`", path.display()), &error))?;
        if !fits && !is_opaque(client, arguments, source, remote).await {
            // So that the next attempt gets it anew.
            let _ = tokio::fs::remove_file(&path).await;
            wrong.push(remote.path.display().to_string());
        }
    }
    if !wrong.is_empty() {
        let message = format!(
            "checksum mismatch of {}: deleted, to be downloaded anew",
            wrong.join(", ")
        );
        return Err(Failure::new(Kind::Corrupt, message));
    }
    let _ = tokio::fs::remove_dir_all(arguments.target().join(PARTS)).await;
    Ok(())
}

/// Whether the tag of an object is no digest after all: then its size is all that there is to check.
async fn is_opaque(client: &Client, arguments: &Args, source: &Source, remote: &Remote) -> bool {
    if !matches!(remote.digest, Digest::Md5(_)) {
        return false;
    }
    let Ok(request) = source.request(client, arguments, remote) else {
        return false;
    };
    let first = request.header(reqwest::header::RANGE, "bytes=0-0");
    let answer = web::send(first, arguments, "an object's encryption").await;
    let size = tokio::fs::metadata(arguments.target().join(&remote.path)).await;
    answer.is_ok_and(|answer| s3::is_opaque(&answer)) && size.is_ok_and(|it| it.len() == remote.size)
}
