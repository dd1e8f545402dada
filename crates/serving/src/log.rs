//! Why a container failed, by what it wrote.

use crate::fault::{Category, Fault};

/// Words of a message about an image that cannot be pulled.
const AUTH_WORDS: &[&str] = &[
    "unauthorized",
    "authentication required",
    "authentication failed",
    "401",
    "403",
    "forbidden",
    "denied",
    "permission denied",
    "access denied",
    "credentials",
    "authentication",
];
const NOT_FOUND_WORDS: &[&str] = &[
    "not found",
    "404",
    "manifest unknown",
    "name unknown",
    "image not found",
    "no such",
];

/// Category and reason of an image that cannot be pulled.
pub fn pull_failure(message: &str) -> (Category, &'static str) {
    let lower = message.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if any(AUTH_WORDS) {
        (Category::Auth, "ImagePullAuthFailure")
    } else if any(NOT_FOUND_WORDS) {
        (Category::MissingUpstream, "ImageNotFound")
    } else {
        (Category::Infrastructure, "ImagePullBackOff")
    }
}

/// Words of one line, in this order, with anything between.
type Pattern = &'static [&'static str];

const INFRASTRUCTURE: &[Pattern] = &[
    &["rbac: ", "not found"],
    &["clusterrole ", "not found"],
    &["forbidden", "cannot", "resource"],
    &["serviceaccount", "cannot"],
];
/// Before [`AUTH`]: the Hub answers 401 for what is not there.
const NOT_FOUND: &[Pattern] = &[
    &["repository not found"],
    &["repositorynotfounderror"],
    &["404", "not", "found"],
    &["not", "found", "404"],
    &["nosuchkey"],
    &["nosuchbucket"],
    &["model", "not", "found"],
    &["file", "not", "found"],
    &["s3", "404"],
];
const AUTH: &[Pattern] = &[
    &["access", "denied", "s3"],
    &["s3", "403"],
    &["invalidaccesskeyid"],
    &["signaturedoesnotmatch"],
    &["s3", "unauthorized"],
    &["aws", "credentials", "not", "found"],
    &["nocredentialproviders"],
    &["access to model ", "is restricted"],
    &["cannot access gated repo"],
    &["invalid", "token", "huggingface"],
    &["huggingface", "authentication", "failed"],
    &["401", "unauthorized", "hf.co"],
    &["403", "forbidden", "hf.co"],
];
const STORAGE: &[Pattern] = &[
    &["no space left on device"],
    &["disk", "full"],
    &["enospc"],
    &["quota", "exceeded"],
    &["storage", "full"],
];

/// Words of the downloader when nothing has come for a while.
const STALLED: &[Pattern] = &[&["stalled"], &["no progress for"]];
/// Words of the downloader when what came is not what was asked for.
const CORRUPT: &[Pattern] = &[
    &["checksum", "mismatch"],
    &["integrity", "failed"],
    &["consistency check failed"],
    &["corrupt"],
];

/// How the last line of our own downloader begins: the kind follows, then `): `, then the message.
const OWN: &str = "download failed (";

/// What our own downloader says: no pattern has to be looked for.
fn own_words(log: &str) -> Option<(Category, &'static str, &str)> {
    let last = log.lines().rev().find(|line| !line.trim().is_empty())?;
    let (kind, message) = last.trim().strip_prefix(OWN)?.split_once("): ")?;
    let (category, reason) = match kind {
        "missing" => (Category::InvalidSpec, "SourceNotFound"),
        "auth" => (Category::Auth, "AuthError"),
        "full" => (Category::ResourceExhaustion, "StorageFull"),
        "stalled" => (Category::InvalidSpec, "DownloadStalled"),
        "corrupt" => (Category::InvalidSpec, "DownloadCorrupt"),
        "unreachable" => (Category::Infrastructure, "SourceUnreachable"),
        _ => return None,
    };
    Some((category, reason, message))
}

/// The first line in which one of the patterns is.
fn line_with<'a>(log: &'a str, patterns: &[Pattern]) -> Option<&'a str> {
    let holds = |line: &str, pattern: Pattern| {
        let mut rest = line;
        pattern.iter().all(|word| match rest.split_once(word) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    };
    patterns
        .iter()
        .find_map(|pattern| log.lines().find(|line| holds(&line.to_lowercase(), pattern)))
}

/// Why a pod failed: by what its container wrote, else by how it ended.
pub fn failed_pod(exit: i32, ended: &str, message: &str, log: &str) -> Fault {
    let told = |category, reason: &str, line: &str| {
        Fault::new(category, reason, format!("exit code {exit}: {}", line.trim()))
    };
    if let Some((category, reason, message)) = own_words(log) {
        return told(category, reason, message);
    }
    if line_with(log, INFRASTRUCTURE).is_none() {
        if let Some(line) = line_with(log, NOT_FOUND) {
            return told(Category::InvalidSpec, "SourceNotFound", line);
        }
        if let Some(line) = line_with(log, AUTH) {
            return told(Category::Auth, "AuthError", line);
        }
        if let Some(line) = line_with(log, STORAGE) {
            return told(Category::ResourceExhaustion, "StorageFull", line);
        }
        if let Some(line) = line_with(log, STALLED) {
            return told(Category::InvalidSpec, "DownloadStalled", line);
        }
        if let Some(line) = line_with(log, CORRUPT) {
            return told(Category::InvalidSpec, "DownloadCorrupt", line);
        }
    }
    let (category, reason) = match ended {
        "OOMKilled" => (Category::ResourceExhaustion, "PodOOMKilled"),
        "DeadlineExceeded" => (Category::InvalidSpec, "PodDeadlineExceeded"),
        "Evicted" => (Category::Infrastructure, "PodEvicted"),
        _ => (Category::InvalidSpec, "PodFailed"),
    };
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines
        .get(lines.len().saturating_sub(3)..)
        .unwrap_or_default()
        .join(" | ");
    let text = if last.is_empty() { message } else { &last };
    told(category, reason, text)
}
