//! Names of what we make. They are part of the contract: an operator that takes over from another finds what that one made.

use crate::hash::Hash;

/// The longest name of an object whose name is also a label value or a host name.
const LIMIT: usize = 63;
/// What KServe puts after the name of an InferenceService: `-predictor` and a dot.
const KSERVE_SUFFIX: usize = 11;
/// The shortest name of an InferenceService.
const SHORTEST: usize = 10;

/// No room is left for a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the namespace `{namespace}` is too long: with it {left} characters are left for the name of an InferenceService, and {SHORTEST} are needed"
)]
pub struct NamespaceTooLong {
    /// The namespace.
    pub namespace: String,
    /// What it leaves.
    pub left: usize,
}

/// A text as a part of a name: lower case, `-` for every other character, at most 63. Empty when nothing is left.
pub fn part(text: &str) -> String {
    let lower = text.to_lowercase();
    let replaced: String = lower
        .chars()
        .map(|c| match c {
            'a'..='z' | '0'..='9' | '-' => c,
            _ => '-',
        })
        .collect();
    let mut trimmed = replaced.trim_matches('-').to_owned();
    trimmed.truncate(LIMIT);
    trimmed.truncate(trimmed.trim_end_matches('-').len());
    trimmed
}

/// A text as the value of a label: lower case, `_` for every run of other characters, at most 63.
pub fn label_value(text: &str) -> String {
    let mut value = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '.' | '_' | '-' => value.push(c),
            _ if value.ends_with('\u{0}') => {}
            _ => value.push('\u{0}'),
        }
    }
    let edge = ['_', '.', '-'];
    let mut value = value.replace('\u{0}', "_").trim_matches(edge).to_owned();
    value.truncate(LIMIT);
    value.truncate(value.trim_end_matches(edge).len());
    value
}

/// The value of a label that bears the name of an object. Names of up to 63 characters are kept as they are; longer ones,
/// which no label can hold, are cut.
pub fn name_label(name: &str) -> String {
    if name.len() <= LIMIT {
        name.to_owned()
    } else {
        label_value(name)
    }
}

/// `part1-part2-…[-hash]` of at most 63 characters.
pub fn derived(parts: &[&str], hash: Option<&str>) -> String {
    derived_within(LIMIT, parts, hash)
}

/// The same of at most `limit` characters: the longest part is shortened first. With parts of one character left it may be
/// longer than the limit.
pub fn derived_within(limit: usize, parts: &[&str], hash: Option<&str>) -> String {
    let named = |text: &&str| match part(text) {
        empty if empty.is_empty() => "part".to_owned(),
        part => part,
    };
    let mut parts: Vec<String> = parts.iter().map(named).collect();
    let tail = hash.map_or(0, |hash| hash.len() + 1);
    let length = |parts: &[String]| parts.iter().map(|p| p.len() + 1).sum::<usize>().saturating_sub(1) + tail;
    while length(&parts) > limit {
        let longest = parts.iter().map(String::len).max().unwrap_or_default();
        let Some(part) = parts.iter_mut().find(|part| part.len() == longest && longest > 1) else {
            break;
        };
        part.pop();
        part.truncate(part.trim_end_matches('-').len());
    }
    parts.extend(hash.map(str::to_owned));
    parts.join("-")
}

/// The InferenceService of a service.
///
/// # Errors
/// When the namespace leaves no room.
pub fn inference_service(service: &str, namespace: &str) -> Result<String, NamespaceTooLong> {
    let left = LIMIT.saturating_sub(KSERVE_SUFFIX + namespace.len());
    if left < SHORTEST {
        return Err(NamespaceTooLong {
            namespace: namespace.to_owned(),
            left,
        });
    }
    let hash = Hash::default().text(namespace).hex(8);
    Ok(derived_within(left, &[service], Some(&hash)))
}

/// The HTTPRoute of a service.
pub fn route(service: &str, namespace: &str) -> String {
    derived(&[service], Some(&Hash::default().text(namespace).hex(8)))
}

/// The cache of a template that everybody in the namespace shares.
pub fn shared_cache(template: &str, namespace: &str) -> String {
    derived(&[template], Some(&Hash::default().text(namespace).hex(8)))
}

/// The cache of a template that one service has for itself.
pub fn dedicated_cache(template: &str, service: &str, service_uid: &str) -> String {
    derived(
        &[template, service],
        Some(&Hash::default().text(service_uid).hex(8)),
    )
}

/// What an artifact has: its claim and its Jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactPart {
    /// The PersistentVolumeClaim.
    Cache,
    /// The Job that finds out the size.
    CheckSize,
    /// The Job that downloads.
    Download,
}

/// The name of a part of an artifact.
pub fn artifact_part(artifact: &str, artifact_uid: &str, what: ArtifactPart) -> String {
    let suffix = match what {
        ArtifactPart::Cache => "cache",
        ArtifactPart::CheckSize => "check-size",
        ArtifactPart::Download => "download",
    };
    derived(
        &[artifact, suffix],
        Some(&Hash::default().text(artifact_uid).hex(8)),
    )
}

/// A model that a model source makes of an image.
pub fn cluster_model(registry: &str, repository: &str, tag: &str) -> String {
    let hash = Hash::default().text(registry).text(repository).text(tag).hex(6);
    derived(&[repository, tag], Some(&hash))
}
