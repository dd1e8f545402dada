//! Which taints a training may be put up with. Those under `node-role.kubernetes.io/` close nodes to projects: a project's pod rules name
//! the ones that its pods may tolerate, and the cluster's policy asks the same of its Job (R20).

use reeve_api::training::TrainingSpec;
use reeve_authz::{Entity, Scope};
use reeve_types::{ProjectId, TaintKey};

use super::refusal::TrainingRefusal;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;

/// Refuses what the project's pod rules do not name. Whoever may not read the project is told what is told where they name nothing.
///
/// # Errors
/// [`TrainingRefusal::Toleration`].
pub(super) async fn check(
    app: &App,
    caller: &Caller,
    project: ProjectId,
    spec: &TrainingSpec,
) -> Result<(), ApiError> {
    let tolerations = spec.tolerations.iter().flatten().enumerate();
    let closed: Vec<(usize, TaintKey)> = tolerations
        .filter_map(|(at, it)| Some((at, it.key.as_str().parse().ok()?)))
        .collect();
    if closed.is_empty() {
        return Ok(());
    }
    let allowed = allowed(app, caller, project).await?;
    let refused = closed.into_iter().find(|(_, key)| !allowed.contains(key));
    refused.map_or(Ok(()), |(at, _)| Err(TrainingRefusal::Toleration { at }.into()))
}

async fn allowed(app: &App, caller: &Caller, project: ProjectId) -> Result<Vec<TaintKey>, ApiError> {
    let granted = {
        let hidden = || ApiError::not_found("project", project);
        let directory = app.directory();
        let scope = Scope::Project(project);
        let Ok(granted) = directory.allow_read(caller, Entity::Project, scope, hidden) else {
            return Ok(Vec::new());
        };
        granted
    };
    let row = app.store.project(&granted, project).await?;
    Ok(row.and_then(|row| row.pod_rules.tolerations).unwrap_or_default())
}
