//! Credentials (control-plane 3.7 and 4.4): five kinds, one way.

mod create;
mod delete;
mod get;
mod list;
mod status;
mod update;
mod values;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::credential::{
    AccessKeyValues, AssetClusterInfo, AssetMeta, AssetResource, CredentialAsset, CredentialOperation,
    CredentialSpec, DockerRegistryValues, GenericSecretValues, NgcApiKeyValues, PasswordValues,
};
use reeve_authz::{Action, Entity, Granted, Scope};
use reeve_link::CredentialValues;
use reeve_store::{CredentialAssetRow, NewValues};
use reeve_types::{CredentialAssetId, CredentialAssetKind};

use crate::api::assets;
use crate::app::App;
use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::handler::to;
pub(super) use delete::remove;
use values::SecretValues;

/// The handler of each operation.
pub(crate) fn route(operation: CredentialOperation) -> MethodRouter<Arc<App>> {
    use CredentialOperation as Op;
    let row = operation.row();
    match operation {
        Op::ListCredentials => to(row, list::all),
        Op::ListAccessKey => to(row, list::handle::<AccessKeyValues>),
        Op::CreateAccessKey => to(row, create::handle::<AccessKeyValues>),
        Op::GetAccessKey => to(row, get::handle::<AccessKeyValues>),
        Op::UpdateAccessKey => to(row, update::handle::<AccessKeyValues>),
        Op::DeleteAccessKey => to(row, delete::accepted::<AccessKeyValues>),
        Op::ListPassword => to(row, list::handle::<PasswordValues>),
        Op::CreatePassword => to(row, create::handle::<PasswordValues>),
        Op::GetPassword => to(row, get::handle::<PasswordValues>),
        Op::UpdatePassword => to(row, update::handle::<PasswordValues>),
        Op::DeletePassword => to(row, delete::accepted::<PasswordValues>),
        Op::ListDockerRegistry => to(row, list::handle::<DockerRegistryValues>),
        Op::CreateDockerRegistry => to(row, create::handle::<DockerRegistryValues>),
        Op::GetDockerRegistry => to(row, get::handle::<DockerRegistryValues>),
        Op::UpdateDockerRegistry => to(row, update::handle::<DockerRegistryValues>),
        Op::DeleteDockerRegistry => to(row, delete::accepted::<DockerRegistryValues>),
        Op::ListGenericSecret => to(row, list::handle::<GenericSecretValues>),
        Op::CreateGenericSecret => to(row, create::handle::<GenericSecretValues>),
        Op::GetGenericSecret => to(row, get::handle::<GenericSecretValues>),
        Op::UpdateGenericSecret => to(row, update::handle::<GenericSecretValues>),
        Op::DeleteGenericSecret => to(row, delete::gone::<GenericSecretValues>),
        Op::ListNgcApiKey => to(row, list::handle::<NgcApiKeyValues>),
        Op::CreateNgcApiKey => to(row, create::handle::<NgcApiKeyValues>),
        Op::GetNgcApiKey => to(row, get::handle::<NgcApiKeyValues>),
        Op::UpdateNgcApiKey => to(row, update::handle::<NgcApiKeyValues>),
        Op::DeleteNgcApiKey => to(row, delete::gone::<NgcApiKeyValues>),
    }
}

/// The permission to do something with a credential of this kind; to who may not read it there is none.
async fn allowed(
    app: &App,
    caller: &Caller,
    action: Action,
    kind: CredentialAssetKind,
    id: CredentialAssetId,
) -> Result<(Granted, Scope), ApiError> {
    let hidden = || ApiError::not_found("credential", id);
    let found = app.store.locate_credential_asset(id).await?;
    let scope = found
        .filter(|(found, _)| *found == kind)
        .map(|(_, scope)| scope)
        .ok_or_else(hidden)?;
    let entity = Entity::Credentials;
    let granted = app
        .directory()
        .allow(caller, action, entity, scope, entity, hidden)?;
    Ok((granted, scope))
}

/// Values as they are kept, sealed for `id`.
fn new_values<V: SecretValues>(app: &App, id: CredentialAssetId, values: &V) -> Result<NewValues, ApiError> {
    let plain = CredentialValues::new(values.data());
    let sealed = app.security.credentials.seal(id, &plain);
    let internal = |error: anyhow::Error| ApiError::internal(std::io::Error::other(format!("{error:#}")));
    Ok(NewValues {
        shown: serde_json::to_value(values.shown()).map_err(ApiError::internal)?,
        sealed: sealed.map_err(internal)?,
        stamp: app.security.uuid()?.to_string(),
    })
}

/// A credential as it is shown.
fn to_wire(
    row: CredentialAssetRow,
    directory: &Directory,
    with_status: bool,
) -> Result<CredentialAsset, ApiError> {
    let shown: CredentialSpec = serde_json::from_value(row.shown.clone()).map_err(ApiError::internal)?;
    let status = with_status.then(|| status::of(&row, directory)).flatten();
    Ok(CredentialAsset {
        cluster_info: AssetClusterInfo {
            resources: vec![AssetResource {
                name: row.name.to_string(),
            }],
        },
        status,
        spec: CredentialSpec {
            key_id: row.key_id,
            ..shown
        },
        meta: AssetMeta {
            id: row.id,
            name: row.name,
            description: row.description,
            kind: row.kind,
            origin: assets::origin(row.origin, directory),
        },
    })
}
