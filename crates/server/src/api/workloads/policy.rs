//! What workload policies say of what is submitted: defaults are filled in, then the limits are checked, before anything is
//! written. The cluster checks the same again, of everything that anybody makes there (R36 to R39).

use reeve_api::ComplianceIssue;
use reeve_api::training::{TrainingSpec, UidGidSource};
use reeve_authz::Scope;
use reeve_link::{ClusterSettings, WorkloadIdentity};
use reeve_types::workload_policy::{Defaults, Effective, Facts, PolicyKind, effective};

use super::refusal::TrainingRefusal;
use crate::directory::Directory;
use crate::error::ApiError;

/// What holds for trainings of a project.
pub(super) fn of_trainings(directory: &Directory, project: Scope) -> Effective {
    effective(&directory.policies_on_the_way(project, PolicyKind::Training))
}

/// Fills in what the submission does not say.
pub(super) fn fill(spec: &mut TrainingSpec, defaults: &Defaults) -> Result<(), TrainingRefusal> {
    if spec.image.is_empty() {
        spec.image = defaults.image.clone().ok_or(TrainingRefusal::NoImage)?;
    }
    spec.create_home_dir = spec.create_home_dir.or(defaults.create_home_dir);
    spec.working_dir = spec.working_dir.take().or_else(|| defaults.working_dir.clone());
    let given = &defaults.compute;
    if given.gpu_devices_request.is_some() || given.large_shm_request.is_some() {
        let compute = spec.compute.get_or_insert_default();
        compute.gpu_devices_request = compute.gpu_devices_request.or(given.gpu_devices_request);
        compute.large_shm_request = compute.large_shm_request.or(given.large_shm_request);
    }
    let given = &defaults.security;
    let source = match given.uid_gid_source.as_deref() {
        Some("fromIdpToken") => Some(UidGidSource::FromIdpToken),
        Some("fromTheImage") => Some(UidGidSource::FromTheImage),
        _ => None,
    };
    if source.is_some() || given.allow_privilege_escalation.is_some() {
        let security = spec.security.get_or_insert_default();
        security.uid_gid_source = security.uid_gid_source.or(source);
        let escalation = security.allow_privilege_escalation;
        security.allow_privilege_escalation = escalation.or(given.allow_privilege_escalation);
    }
    Ok(())
}

/// Refuses what the limits do not allow.
///
/// # Errors
/// [`ApiError::NotCompliant`] names each field, what it may be, and whose policy that is.
pub(super) fn check(
    spec: &TrainingSpec,
    identity: Option<&WorkloadIdentity>,
    settings: Option<&ClusterSettings>,
    holds: &Effective,
) -> Result<(), ApiError> {
    let prevented = spec.prevent_privilege_escalation()
        || settings.is_none_or(|it| it.enforce_run_as_user || it.enforce_prevent_privilege_escalation);
    let posix = identity.map(|it| &it.posix);
    let facts = Facts::of_training(&spec.image, spec.gpus(), posix, prevented);
    let issues: Vec<_> = holds
        .limits
        .broken(&facts)
        .map(|entry| ComplianceIssue {
            field: entry.field.path().to_owned(),
            details: format!("it may only be {entry}"),
            rule: entry.rule(&facts).to_owned(),
        })
        .collect();
    if issues.is_empty() {
        Ok(())
    } else {
        Err(ApiError::NotCompliant(issues))
    }
}
