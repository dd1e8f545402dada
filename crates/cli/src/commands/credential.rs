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

use crate::Context;
use crate::args::Credential;
use crate::failure::Failure;
use crate::http::Api;

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

/// The one of this name or id.
pub(super) async fn one(api: &Api, name: &str, what: &str) -> Result<AnyCredential, Failure> {
    let id = name.parse::<CredentialAssetId>().ok();
    let by_name = [("name", name)];
    let query = if id.is_some() { &[][..] } else { &by_name[..] };
    let all: AllCredentials = api.get(BASE, query).await.map_err(|error| error.explain(what))?;
    let fits = |it: &AnyCredential| match id {
        Some(id) => it.meta.id == id,
        None => it.meta.name.as_str() == name,
    };
    let mut found: Vec<AnyCredential> = all.entries.into_iter().filter(fits).collect();
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|it| it.meta.id.to_string()).collect();
        return Err(Failure::refused(what)
            .cause(format!(
                "several scopes have a credential `{name}`: {}",
                ids.join(", ")
            ))
            .hint("give the id instead; `reeve credential list` shows whose each is"));
    }
    found.pop().ok_or_else(|| {
        Failure::refused(what)
            .cause(format!("there is no credential `{name}` that you can see"))
            .hint("`reeve credential list` shows yours")
    })
}
