//! Credentials that the control plane keeps.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod values;

pub(super) use create::meta;
pub(super) use list::scope_of;
use reeve_api::credential::{AllCredentials, AnyCredential};
use reeve_types::CredentialAssetId;

use super::find;
use crate::Context;
use crate::args::Credential;
use crate::failure::Failure;
use crate::http::{Api, CallError};

const BASE: &str = "/api/v1/asset/credentials";

/// Runs a command.
pub(super) async fn run(context: &mut Context, command: Credential) -> Result<(), Failure> {
    match command {
        Credential::List(arguments) => list::run(context, arguments).await,
        Credential::Get(arguments) => get::run(context, arguments).await,
        Credential::Create(arguments) => create::run(context, *arguments).await,
        Credential::Update(arguments) => update::run(context, arguments).await,
        Credential::Delete(arguments) => delete::run(context, arguments).await,
    }
}

/// The path of one.
fn path(found: &AnyCredential) -> String {
    format!("{BASE}/{}/{}", found.meta.kind.slug(), found.meta.id)
}

/// All of them, or those that a query lets through.
async fn all(api: &Api, query: &[(&str, &str)]) -> Result<Vec<AnyCredential>, CallError> {
    find::silent_pages(api, BASE, query, |page: AllCredentials| page.entries).await
}

/// The one of this name or id.
pub(super) async fn one(api: &Api, name: &str, what: &str) -> Result<AnyCredential, Failure> {
    let id = name.parse::<CredentialAssetId>().ok();
    let by_name = [("name", name)];
    let query = if id.is_some() { &[][..] } else { &by_name[..] };
    let all = all(api, query).await.map_err(|error| error.explain(what))?;
    let fits = |it: &AnyCredential| match id {
        Some(id) => it.meta.id == id,
        None => it.meta.name.as_str() == name,
    };
    let fitting = all.into_iter().filter(fits);
    find::named(fitting, |it| it.meta.id.to_string(), ("credential", name), what)
}
