//! What a template's status says beside its conditions.

use k8s_openapi::api::batch::v1::Job;
use reeve_serving_crds::{AimServiceTemplateStatus, ModelSource, Profile, ResolvedReference, Scope};

use super::{Seen, discovery};
use crate::discovery::{hardware_summary, inline_profile, resolved_hardware};
use crate::gpu;

pub(super) fn status(seen: &Seen<'_>) -> AimServiceTemplateStatus {
    let (sources, profile) = found(seen);
    let known = seen.is_inline() || profile.is_some() || !sources.is_empty();
    let metadata = profile
        .as_ref()
        .filter(|_| !seen.is_inline())
        .and_then(|profile| profile.metadata.as_ref());
    let hardware = known
        .then(|| resolved_hardware(seen.spec.hardware.as_ref(), metadata))
        .flatten();
    let wanted = hardware.as_ref().and_then(|hardware| hardware.gpu.as_ref());
    let summary = hardware_summary(hardware.as_ref());
    AimServiceTemplateStatus {
        resolved_runtime_config: seen.config.as_ref().ok().and_then(|config| config.from.clone()),
        resolved_model: seen.model.map(|_| model(seen)),
        resolved_node_affinity: gpu::affinity(wanted, seen.inventory),
        resolved_cache: seen.status.resolved_cache.clone(),
        hardware_summary: (!summary.is_empty()).then_some(summary),
        resolved_hardware: hardware,
        model_sources: sources,
        profile,
        discovery_job: seen
            .job
            .map(job)
            .or_else(|| seen.status.discovery_job.clone())
            .filter(|_| !seen.is_inline()),
        discovery: if known {
            discovery::asked(seen)
        } else {
            discovery::failures(seen)
        },
        ..AimServiceTemplateStatus::default()
    }
}

/// The files and the profile: of the spec, as just discovered, or as discovered before.
fn found(seen: &Seen<'_>) -> (Vec<ModelSource>, Option<Profile>) {
    if seen.is_inline() {
        return (seen.spec.model_sources.clone(), Some(inline_profile(seen.spec)));
    }
    match seen.answer {
        Some(Ok(found)) => (found.model_sources.clone(), Some(found.profile.clone())),
        _ if seen.forgets() => (Vec::new(), None),
        _ => (seen.status.model_sources.clone(), seen.status.profile.clone()),
    }
}

fn model(seen: &Seen<'_>) -> ResolvedReference {
    ResolvedReference {
        name: Some(seen.spec.model_name.clone()),
        namespace: seen.namespace.map(str::to_owned),
        scope: Some(seen.namespace.map_or(Scope::Cluster, |_| Scope::Namespace)),
        ..ResolvedReference::default()
    }
}

fn job(job: &Job) -> ResolvedReference {
    ResolvedReference {
        name: job.metadata.name.clone(),
        namespace: job.metadata.namespace.clone(),
        uid: job.metadata.uid.clone(),
        ..ResolvedReference::default()
    }
}
