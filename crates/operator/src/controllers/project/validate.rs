//! May the project have this namespace? Pure.

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use reeve_admission::names;
use reeve_crds::desired::Project;
use reeve_types::ReservedNamespaces;

use super::ProjectError;

/// What there is of the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing: it is to be made.
    Missing,
    /// It was made moments ago with everything it needs, and the watch does not show it yet.
    JustMade,
    /// It is there and ours.
    Ours,
}

/// Checks the namespace. Only one that carries the project's own label is ours: the operator sets that label on
/// namespaces it creates and on no other (admission R2). One that an earlier project of the same name left is not: its
/// Secrets and pods are that project's people's.
///
/// # Errors
/// What is in the way.
pub fn validate(
    project: &Project,
    namespace: Option<&Namespace>,
    just_made: bool,
) -> Result<Found, ProjectError> {
    let Some(namespace) = namespace else {
        return Ok(if just_made {
            Found::JustMade
        } else {
            Found::Missing
        });
    };
    let name = project.namespace.clone();
    if namespace.metadata.deletion_timestamp.is_some() {
        return Err(ProjectError::Terminating { namespace: name });
    }
    let labels = namespace.labels();
    match (labels.get(names::PROJECT), labels.get(names::PROJECT_ID)) {
        (None, _) => Err(ProjectError::NotAdopted {
            namespace: name,
            project: project.name.to_string(),
            queued: labels
                .get(names::QUEUE)
                .is_some_and(|it| it == project.name.as_str()),
        }),
        (Some(owner), _) if owner != project.name.as_str() => Err(ProjectError::Foreign {
            namespace: name,
            project: project.name.to_string(),
            owner: owner.clone(),
        }),
        (_, Some(id)) if *id != project.id.to_string() => Err(ProjectError::LeftOver {
            namespace: name,
            project: project.name.to_string(),
            id: project.id,
        }),
        _ => Ok(Found::Ours),
    }
}

/// Checks that a namespace that is to be made is nobody else's to be: an add-on that is installed there later would give the
/// project's people what it rules.
///
/// # Errors
/// [`ProjectError::Reserved`].
pub fn may_be_made(project: &Project, reserved: &ReservedNamespaces) -> Result<(), ProjectError> {
    match reserved.reserving(&project.namespace) {
        Some(pattern) => Err(ProjectError::Reserved {
            namespace: project.namespace.clone(),
            pattern: pattern.to_owned(),
            project: project.name.to_string(),
        }),
        None => Ok(()),
    }
}
