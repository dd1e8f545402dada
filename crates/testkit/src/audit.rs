//! The API server's audit log: who asked for what, and what was answered. Every request is in it once, without bodies.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Deserialize;

/// One answered request.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// Who sent it, before any impersonation.
    pub user: String,
    /// `uid` of the sender.
    pub user_uid: Option<String>,
    /// Groups of the sender.
    pub groups: Vec<String>,
    /// Extra attributes of the sender.
    pub extra: BTreeMap<String, Vec<String>>,
    /// As whom it was sent, when that differs.
    pub impersonated: Option<String>,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Plural resource; empty for paths that name none.
    pub resource: String,
    /// Subresource, or empty.
    pub subresource: String,
    /// API group; empty for the core.
    pub api_group: String,
    /// API version.
    pub api_version: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name, or empty.
    pub name: String,
    /// The request's path and query.
    pub uri: String,
    /// HTTP status of the answer.
    pub code: u16,
    /// Reason of a refusal, such as `Forbidden`.
    pub reason: String,
    /// Message of a refusal.
    pub message: String,
    /// What authorization and admission noted.
    pub annotations: BTreeMap<String, String>,
    /// `ResponseStarted` (watches and other long requests) or `ResponseComplete`.
    pub stage: String,
    /// When that stage was reached.
    pub at: Timestamp,
}

impl AuditEvent {
    /// `allow` or `forbid`; `None` where the request did not get as far as authorization.
    pub fn decision(&self) -> Option<&str> {
        self.annotations
            .get("authorization.k8s.io/decision")
            .map(String::as_str)
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    stage: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    verb: String,
    user: User,
    impersonated_user: Option<User>,
    object_ref: Object,
    response_status: Status,
    annotations: BTreeMap<String, String>,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct User {
    username: String,
    uid: Option<String>,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Object {
    resource: String,
    subresource: String,
    api_group: String,
    api_version: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    code: u16,
    reason: String,
    message: String,
}

/// More than any line has: events are without bodies.
const LONGEST_LINE: u64 = 1 << 16;

/// Reads the events written after the first `mark` bytes. A line still being written is left for the next time, and one in which the mark
/// stands was being written then: it is read.
pub(crate) fn read(log: &Path, mark: u64) -> Result<Vec<AuditEvent>> {
    let context = || format!("cannot read the audit log `{}`", log.display());
    let mut file = File::open(log).with_context(context)?;
    let back = mark.min(LONGEST_LINE);
    file.seek(SeekFrom::Start(mark - back)).with_context(context)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).with_context(context)?;
    let before = usize::try_from(back).unwrap_or_default().min(bytes.len());
    let line = bytes.iter().take(before).rposition(|byte| *byte == b'\n');
    bytes.drain(..line.map_or(0, |end| end + 1));
    let complete = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |last| last + 1);
    bytes.truncate(complete);
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            serde_json::from_slice::<Line>(line)
                .map(AuditEvent::from)
                .with_context(context)
        })
        .collect()
}

impl From<Line> for AuditEvent {
    fn from(line: Line) -> Self {
        Self {
            user: line.user.username,
            user_uid: line.user.uid,
            groups: line.user.groups,
            extra: line.user.extra,
            impersonated: line.impersonated_user.map(|user| user.username),
            verb: line.verb,
            resource: line.object_ref.resource,
            subresource: line.object_ref.subresource,
            api_group: line.object_ref.api_group,
            api_version: line.object_ref.api_version,
            namespace: line.object_ref.namespace,
            name: line.object_ref.name,
            uri: line.request_uri,
            code: line.response_status.code,
            reason: line.response_status.reason,
            message: line.response_status.message,
            annotations: line.annotations,
            stage: line.stage,
            at: line.stage_timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Planted fault: reading from the mark itself finds the rest of a line, which is no event.
    #[test]
    fn a_line_that_was_being_written_at_the_mark_is_read_after_it() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("audit.log");
        let line = |name: &str| {
            format!(
                "{{\"verb\": \"get\", \"objectRef\": {{\"name\": \"{name}\"}}, \"stageTimestamp\": \"2026-01-01T00:00:00Z\"}}\n"
            )
        };
        let (first, second) = (line("first"), line("second"));
        std::fs::write(&log, format!("{first}{second}"))?;
        let after = |mark: usize| -> Result<Vec<String>> {
            let events = read(&log, u64::try_from(mark)?)?;
            Ok(events.into_iter().map(|event| event.name).collect())
        };
        assert_eq!(after(0)?, ["first", "second"]);
        assert_eq!(after(7)?, ["first", "second"]);
        assert_eq!(after(first.len())?, ["second"]);
        assert_eq!(after(first.len() + 7)?, ["second"]);
        assert_eq!(after(first.len() + second.len())?, Vec::<String>::new());
        Ok(())
    }
}
