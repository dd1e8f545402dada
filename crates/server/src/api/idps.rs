//! Identity providers (control-plane 4.2). They belong to the account: every right here is one in the account.

pub mod create;
pub mod delete;
pub mod get;
pub mod get_mappers;
pub mod list;
pub mod test;
pub mod update;
pub mod update_mappers;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::identity_provider::IdpOperation;
use reeve_authz::{Action, Entity};
use reeve_oidc::ProviderError;
use reeve_types::{IdpAlias, Secret};

use crate::app::App;
use crate::caller::Caller;
use crate::error::{ApiError, Refusal};
use crate::extract::PathId;
use crate::handler::to;
use crate::providers::{ClientSettings, Idp};

/// Why there is no such identity provider: 400.
#[derive(Debug, thiserror::Error)]
enum IdpRefusal {
    /// A provider with what stands for a secret where it is shown.
    #[error("`{data}.clientSecret`: the secret itself is needed")]
    MaskedSecret {
        /// The field that holds it.
        data: &'static str,
    },
    /// A changed provider with what stands for its secret.
    #[error(
        "`{data}.clientSecret`: the secret itself is needed when `{address}` or `clientId` changes: what is kept is for the provider and client of before"
    )]
    SecretOfBefore {
        /// The field that holds it.
        data: &'static str,
        /// The field beside it that says where the provider is.
        address: &'static str,
    },
    /// Another alias than the provider has.
    #[error("`name`: an alias cannot be changed: make another provider")]
    OtherAlias,
    /// Another kind of provider.
    #[error("`type`: it cannot be changed: make another provider")]
    OtherType,
    /// No address that may be asked.
    #[error("`{data}.{field}`: {error}")]
    Address {
        /// The field that holds it.
        data: &'static str,
        /// Which field of that.
        field: &'static str,
        /// What is wrong with it.
        error: ProviderError,
    },
}

impl IdpRefusal {
    /// Why there are no such settings.
    fn address<S: ClientSettings>(error: ProviderError) -> Self {
        Self::Address {
            data: S::DATA,
            field: S::ADDRESS,
            error,
        }
    }
}

impl Refusal for IdpRefusal {}

/// Whether this is what stands for a secret where one is shown, whatever its length.
fn is_mask(secret: &Secret) -> bool {
    let text = secret.expose();
    !text.is_empty() && text.bytes().all(|byte| byte == b'*')
}

/// The handler of each operation.
pub(crate) fn route(operation: IdpOperation) -> MethodRouter<Arc<App>> {
    use IdpOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetIdps => to(row, list::handle),
        Op::CreateIdp => to(row, create::handle),
        Op::GetIdp => to(row, get::handle),
        Op::UpdateIdp => to(row, update::handle),
        Op::DeleteIdp => to(row, delete::handle),
        Op::GetIdpMappers => to(row, get_mappers::handle),
        Op::TestIdp => to(row, test::handle),
        Op::UpdateIdpMappers => to(row, update_mappers::handle),
    }
}

/// As it is shown.
async fn to_wire(app: &App, idp: &Idp) -> reeve_api::identity_provider::Idp {
    let redirect_uri = app.redirect_uri(idp.alias());
    match idp {
        Idp::Oidc(idp) => idp.to_wire(redirect_uri),
        Idp::Openshift(idp) => idp.to_wire(redirect_uri),
        Idp::Saml(idp) => {
            let metadata = app.providers.metadata_at_hand(idp, app.clock.now()).await;
            idp.to_wire(&app.issuer(), redirect_uri, metadata.as_deref())
        }
    }
}

/// The provider that a path names, for whom may read it.
async fn readable(app: &App, caller: &Caller, segment: &PathId) -> Result<Idp, ApiError> {
    let alias: IdpAlias = segment.id("identity provider")?;
    let granted = app
        .directory()
        .allow_in_account(caller, Action::Read, Entity::SecuritySettings)?;
    let found = app
        .idps_for(&granted)
        .await?
        .into_iter()
        .find(|idp| *idp.alias() == alias);
    found.ok_or_else(|| ApiError::not_found("identity provider", alias))
}
