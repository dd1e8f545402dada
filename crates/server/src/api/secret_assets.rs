//! Secret assets (control-plane 4.4): credentials as sources of data.

mod create;
mod delete;
mod get;
mod list;
mod refusal;
mod update;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::credential::{AssetPhase, AssetStatus};
use reeve_api::secret_asset::{
    SecretAsset, SecretAssetKind, SecretAssetMeta, SecretAssetOperation, SecretAssetSpec, SetSecretAsset,
};
use reeve_authz::{Action, Entity, Granted, Scope};
use reeve_store::SecretAssetRow;
use reeve_types::{CredentialAssetId, SecretAssetId};

use crate::api::assets;
use crate::app::App;
use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::extract::QueryPairs;
use crate::handler::to;
use refusal::SecretAssetRefusal;

/// What every one of them is.
const ENTITY: Entity = Entity::SecretVolumeAssets;
/// What messages call it.
const WHAT: &str = "secret asset";

/// The handler of each operation.
pub(crate) fn route(operation: SecretAssetOperation) -> MethodRouter<Arc<App>> {
    use SecretAssetOperation as Op;
    let row = operation.row();
    match operation {
        Op::ListSecretAssets => to(row, list::handle),
        Op::CreateSecretAsset => to(row, create::handle),
        Op::GetSecretAsset => to(row, get::handle),
        Op::UpdateSecretAsset => to(row, update::handle),
        Op::DeleteSecretAsset => to(row, delete::handle),
    }
}

/// The permission to do something with a secret asset, and its scope; to who may not read it there is none.
async fn allowed(
    app: &App,
    caller: &Caller,
    action: Action,
    id: SecretAssetId,
) -> Result<(Granted, Scope), ApiError> {
    let hidden = || ApiError::not_found(WHAT, id);
    let scope = app.store.locate_secret_asset(id).await?.ok_or_else(hidden)?;
    let granted = app
        .directory()
        .allow(caller, action, ENTITY, scope, ENTITY, hidden)?;
    Ok((granted, scope))
}

/// Whether the caller may name this credential in a secret asset of `scope`: it has to be the caller's to read, so that nobody learns of
/// another, and its Secret has to be wherever the asset is for.
async fn may_name(
    app: &App,
    caller: &Caller,
    credential: CredentialAssetId,
    scope: Scope,
) -> Result<(), ApiError> {
    let hidden = || ApiError::not_found("credential", credential);
    let located = app.store.locate_credential_asset(credential).await?;
    let (_, held_at) = located.ok_or_else(hidden)?;
    let directory = app.directory();
    let reads = directory.allow_read(caller, Entity::Credentials, held_at, hidden);
    // Where nothing of the kind may be read, the answer is the same.
    if reads.is_err() {
        return Err(hidden());
    }
    if reaches(&directory, held_at, scope) {
        return Ok(());
    }
    Err(SecretAssetRefusal::CredentialElsewhere.into())
}

/// Whether everything in `scope` lies in `wider`.
fn reaches(directory: &Directory, wider: Scope, scope: Scope) -> bool {
    match (wider, scope) {
        (wider, scope) if wider == scope => true,
        (Scope::Account, _) => true,
        (Scope::Cluster(id), scope) => directory.cluster_of(scope) == Some(id),
        (Scope::Department(id), Scope::Project(project)) => directory
            .project(project)
            .is_some_and(|it| it.department_id == id),
        (Scope::Department(_) | Scope::Project(_), _) => false,
    }
}

/// What is kept of what a body says.
fn spec(body: SetSecretAsset) -> reeve_store::SecretAssetSpec {
    reeve_store::SecretAssetSpec {
        credential_id: body.credential_asset_id,
        mount_path: body.mount_path,
        default_mode: body.default_mode,
    }
}

/// Whether an answer says what is in the way. What is known of no asset is taken, and does nothing.
fn wants_status(pairs: &QueryPairs) -> Result<bool, ApiError> {
    pairs.one_of(
        "complyToWorkloadType",
        &["Workspace", "Training", "Distributed", "Inference"],
    )?;
    pairs.one_of("complyToReplicaType", &["Worker", "Master"])?;
    assets::wants_status(pairs)
}

/// A secret asset as it is shown.
fn to_wire(row: SecretAssetRow, directory: &Directory, with_status: bool) -> SecretAsset {
    let gone = row.credential_name.is_none();
    let status = (with_status && gone).then(|| AssetStatus {
        status: AssetPhase::IssuesFound,
        issues: Vec::new(),
        message: "its credential was deleted: name another one".to_owned(),
    });
    SecretAsset {
        status,
        spec: SecretAssetSpec {
            credential_asset_id: row.spec.credential_id,
            secret_name: row.credential_name,
            mount_path: row.spec.mount_path,
            default_mode: row.spec.default_mode,
        },
        meta: SecretAssetMeta {
            id: row.id,
            name: row.name,
            description: row.description,
            kind: SecretAssetKind::SecretVolume,
            origin: assets::origin(row.origin, directory),
        },
    }
}
