//! `reeve credential create`.

use reeve_api::credential::CredentialAsset;
use reeve_types::CredentialAssetName;
use serde_json::{Value, json};

use super::{BASE, values};
use crate::Context;
use crate::args::{AssetPlace, CreateCredential, CredentialScope};
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context, arguments: CreateCredential) -> Result<(), Failure> {
    let what = format!("cannot keep credential `{}`", arguments.name);
    let Some(spec) = values::spec(arguments.kind, &arguments.input, &what)? else {
        return Err(Failure::failed(what).cause(values::needed(arguments.kind)));
    };
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let said = (&arguments.name, arguments.description.as_deref());
    let meta = meta(&api, said, &arguments.place, &what).await?;
    let made: CredentialAsset = api
        .post(
            &format!("{BASE}/{}", arguments.kind.slug()),
            &json!({"meta": meta, "spec": spec}),
        )
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&made, || {
        format!(
            "credential `{}` is kept ({}); `reeve credential get {}` says where it is",
            made.meta.name, made.meta.id, made.meta.name
        )
    })
}

/// Name and scope of an asset, as a request has them.
pub(in crate::commands) async fn meta(
    api: &Api,
    (name, description): (&CredentialAssetName, Option<&str>),
    place: &AssetPlace,
    what: &str,
) -> Result<Value, Failure> {
    Ok(match place.scope {
        CredentialScope::Tenant => json!({"name": name, "description": description, "scope": "tenant"}),
        CredentialScope::Cluster => {
            json!({"name": name, "description": description, "scope": "cluster", "clusterId": place.cluster})
        }
        CredentialScope::Department => {
            json!({"name": name, "description": description, "scope": "department", "departmentId": place.department})
        }
        CredentialScope::Project => {
            let Some(project) = &place.project else {
                return Err(Failure::failed(what)
                    .cause("no project was named")
                    .hint("`-p PROJECT`, or another --scope"));
            };
            let project = find::project(api, project, what).await?;
            json!({"name": name, "description": description, "scope": "project", "projectId": project.id})
        }
    })
}
