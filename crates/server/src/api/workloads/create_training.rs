//! `POST /api/v1/workloads/trainings`: 202. As whom it runs is decided here, from what is known of the caller, and nobody
//! in a cluster may change it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::training::{CreateTraining, ProbeScheme, Probes, Training, TrainingSpec};
use reeve_authz::{Action, Entity, Scope};
use reeve_link::{
    Attempts, ContainerResources, OwnMetadata, Placement, ReadinessProbe, SecretVolume, WorkloadIdentity,
};
use reeve_store::{AuditAction, NewWorkload, SubjectId};
use reeve_types::WorkloadId;

use super::refusal::{AskedBy, TrainingRefusal};
use super::{policy, secret_volumes, tolerations, training};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::Directory;
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Submits a training.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateTraining>,
) -> Result<(StatusCode, Json<Training>), ApiError> {
    let id = WorkloadId::from_uuid(app.security.uuid()?);
    let change = app.change(caller.asker(), move |app| async move {
        let scope = Scope::Project(body.project_id);
        let hidden = || ApiError::not_found("project", body.project_id);
        let granted = app.directory().allow(
            &caller,
            Action::Create,
            Entity::Trainings,
            scope,
            Entity::Project,
            hidden,
        )?;
        if app.directory().cluster_of(scope) != Some(body.cluster_id) {
            return Err(TrainingRefusal::ProjectElsewhere {
                project: body.project_id,
                cluster: body.cluster_id,
            }
            .into());
        }
        let mut body = body;
        let holds = policy::of_trainings(&app.directory(), scope);
        policy::fill(&mut body.spec, &holds.defaults)?;
        let identity = identity(&app.directory(), &caller, &body)?;
        policy::check(
            &body.spec,
            identity.as_ref(),
            app.directory()
                .cluster(body.cluster_id)
                .and_then(|it| it.settings.as_ref()),
            &holds,
        )?;
        tolerations::check(&app, &caller, body.project_id, &body.spec).await?;
        let volumes = secret_volumes::resolve(&app, &caller, body.project_id, &mut body.spec).await?;
        secret_volumes::check(&volumes, &body.spec, identity.as_ref(), &caller.name)?;
        let request = serde_json::to_value(&body.spec).map_err(ApiError::internal)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Create);
        entry.cluster_id = app.directory().cluster_of(scope);
        if !volumes.is_empty() {
            entry.metadata.insert("secrets".to_owned(), told(&volumes));
        }
        let desired = desired(id, &caller, body, identity, volumes);
        let new = NewWorkload {
            desired,
            request,
            created_at: call.at,
            most_in_project: app.settings.workloads_per_project,
        };
        Ok(app.store.create_workload(&granted, new, entry).await?)
    });
    Ok((StatusCode::ACCEPTED, Json(training(change.await?)?)))
}

/// As whom it runs. Where the cluster enforces identity, and where it has not said, always as the caller; elsewhere only
/// when that was asked for. Without a POSIX identity both are refused.
fn identity(
    directory: &Directory,
    caller: &Caller,
    body: &CreateTraining,
) -> Result<Option<WorkloadIdentity>, ApiError> {
    let settings = directory
        .cluster(body.cluster_id)
        .and_then(|cluster| cluster.settings.as_ref());
    let enforced = settings.is_none_or(|settings| settings.enforce_run_as_user);
    if !enforced && !body.spec.run_as_user() {
        if body.spec.passwd_entry == Some(true) {
            return Err(TrainingRefusal::PasswdEntryOfNobody.into());
        }
        return Ok(None);
    }
    let asked_by = if enforced {
        AskedBy::Cluster
    } else {
        AskedBy::Submission
    };
    let SubjectId::User(id) = caller.id else {
        let name = caller.name.clone();
        return Err(TrainingRefusal::ServiceAccount { name, asked_by }.into());
    };
    let user = directory
        .user(id)
        .ok_or(ApiError::Unauthenticated("the token's subject is gone"))?;
    match directory.posix(caller) {
        Some((posix, _)) => {
            directory.check_numbers_in(body.cluster_id, posix)?;
            Ok(Some(WorkloadIdentity {
                user_id: id,
                email: user.email.clone(),
                posix: posix.clone(),
            }))
        }
        None => Err(TrainingRefusal::NoNumbers {
            id,
            email: user.email.clone(),
            asked_by,
        }
        .into()),
    }
}

/// Which credentials are mounted, as the audit log has it.
fn told(volumes: &[SecretVolume]) -> String {
    let ids: BTreeSet<String> = volumes.iter().map(|it| it.credential_id.to_string()).collect();
    ids.into_iter().collect::<Vec<_>>().join(" ")
}

fn desired(
    id: WorkloadId,
    caller: &Caller,
    body: CreateTraining,
    identity: Option<WorkloadIdentity>,
    secret_volumes: Vec<SecretVolume>,
) -> reeve_link::Workload {
    let spec: &TrainingSpec = &body.spec;
    reeve_link::Workload {
        id,
        project_id: body.project_id,
        submitted_by: caller.name.clone(),
        image: spec.image.clone(),
        image_pull_policy: spec.image_pull_policy,
        command: spec.command_words(),
        args: spec.args_words(),
        environment: spec.environment(),
        gpus: spec.gpus(),
        resources: resources(spec),
        create_home_dir: spec.home_dir(identity.is_some()),
        prevent_privilege_escalation: spec.prevent_privilege_escalation(),
        expand_variables: spec.expand_variables == Some(true),
        passwd_entry: spec.passwd_entry == Some(true),
        large_shm: spec.large_shm(),
        stdin: spec.stdin == Some(true),
        tty: spec.tty == Some(true),
        working_dir: spec.working_dir.clone(),
        secret_volumes,
        attempts: Attempts {
            backoff_limit: spec.backoff_limit.unwrap_or(0),
            completions: spec.completions,
            parallelism: spec.parallelism,
        },
        termination_grace_period_seconds: spec.termination_grace_period_seconds,
        readiness_probe: spec.probes.as_ref().map(readiness_probe),
        metadata: metadata(spec),
        placement: Placement {
            node_type: spec.node_type.clone(),
            tolerations: spec.tolerations.clone().unwrap_or_default(),
        },
        identity,
        name: body.name,
    }
}

fn readiness_probe(probes: &Probes) -> ReadinessProbe {
    let asked = &probes.readiness;
    let http_get = &asked.handler.http_get;
    ReadinessProbe {
        port: http_get.port,
        path: http_get.path.clone(),
        https: http_get.scheme == Some(ProbeScheme::Https),
        initial_delay_seconds: asked.initial_delay_seconds,
        period_seconds: asked.period_seconds,
        timeout_seconds: asked.timeout_seconds,
        success_threshold: asked.success_threshold,
        failure_threshold: asked.failure_threshold,
    }
}

fn metadata(spec: &TrainingSpec) -> OwnMetadata {
    let labels = spec.labels.iter().flatten();
    let annotations = spec.annotations.iter().flatten();
    OwnMetadata {
        labels: labels.map(|it| (it.name.clone(), it.value.clone())).collect(),
        annotations: annotations
            .map(|it| (it.name.clone(), it.value.clone()))
            .collect(),
    }
}

fn resources(spec: &TrainingSpec) -> ContainerResources {
    let compute = spec.compute.clone().unwrap_or_default();
    ContainerResources {
        cpu_request: compute.cpu_core_request,
        cpu_limit: compute.cpu_core_limit,
        memory_request: compute.cpu_memory_request,
        memory_limit: compute.cpu_memory_limit,
    }
}
