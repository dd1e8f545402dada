//! What an artifact's status says beside its conditions.

use reeve_serving_crds::{AimArtifactStatus, CacheMode};

use super::Seen;
use crate::download::{self, Download};
use crate::quantity;

pub(super) fn status(seen: &Seen<'_>) -> AimArtifactStatus {
    let before = seen.status;
    let bytes = seen.bytes();
    let request = seen.claim.and_then(|claim| {
        let resources = claim.spec.as_ref()?.resources.as_ref()?;
        resources.requests.as_ref()?.get("storage").cloned()
    });
    let allocated = before.allocated_size.clone().or(request);
    let mut status = AimArtifactStatus {
        resolved_runtime_config: seen.config.as_ref().ok().and_then(|config| config.from.clone()),
        progress: before.progress.clone(),
        download: before.download.clone(),
        display_size: bytes.map(quantity::display),
        last_used: before.last_used.clone(),
        persistent_volume_claim: seen.claim.and_then(|claim| claim.metadata.name.clone()),
        mode: Some(if seen.owned {
            CacheMode::Dedicated
        } else {
            CacheMode::Shared
        }),
        discovered_size_bytes: seen.asked().or(before.discovered_size_bytes),
        headroom_percent: before
            .headroom_percent
            .or_else(|| allocated.as_ref().map(|_| seen.artifact.headroom())),
        allocated_size: allocated,
        ..AimArtifactStatus::default()
    };
    if let (Some(bytes), Some(_), false) = (bytes, seen.download.job, seen.was_ready()) {
        let download = download(seen, bytes);
        status.progress = download.progress.or(status.progress);
        if let (Some(message), Some(state)) = (download.message, status.download.as_mut()) {
            state.message = Some(message.to_owned());
        }
    }
    status
}

pub(super) fn download(seen: &Seen<'_>, bytes: i64) -> Download {
    download::download(seen.outcome(), bytes, seen.status, &seen.why())
}
