//! `reeve secret-asset`: credentials as sources of data.

use reeve_api::Accepted;
use reeve_api::secret_asset::{SECRET_ASSETS, SecretAsset, SecretAssets};
use reeve_types::SecretAssetId;
use serde_json::{Map, Value, json};

use super::credential::{self, scope_of};
use super::find;
use super::objects::{self, Object};
use crate::Context;
use crate::args::{self, CreateSecretAsset, UpdateSecretAsset};
use crate::failure::Failure;
use crate::http::{Api, CallError};

impl Object for SecretAsset {
    const KIND: &'static str = "secret-asset";

    fn name(&self) -> String {
        self.meta.name.to_string()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let (meta, spec) = (&self.meta, &self.spec);
        let secret = spec.secret_name.as_ref();
        let message = self.status.as_ref().map(|status| status.message.clone());
        vec![
            ("NAME", meta.name.to_string()),
            ("SCOPE", scope_of(&meta.origin)),
            ("SECRET", secret.map(ToString::to_string).unwrap_or_default()),
            ("PATH", spec.mount_path.clone().unwrap_or_default()),
            ("MODE", spec.default_mode.clone().unwrap_or_default()),
            ("FOR", meta.description.clone().unwrap_or_default()),
            ("MESSAGE", message.unwrap_or_default()),
            ("ID", meta.id.to_string()),
        ]
    }
}

/// Runs a command.
pub(super) async fn run(context: &mut Context, command: args::SecretAsset) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        args::SecretAsset::List => {
            let all = all(&api, &[]).await;
            objects::list(
                printer,
                &all.map_err(|error| error.explain("cannot list secret assets"))?,
            )
        }
        args::SecretAsset::Get(asset) => {
            let what = format!("cannot show secret asset `{}`", asset.name);
            objects::show(printer, &one(&api, &asset.name, &what).await?, "")
        }
        args::SecretAsset::Create(arguments) => objects::show(printer, &create(&api, &arguments).await?, ""),
        args::SecretAsset::Update(arguments) => objects::show(printer, &update(&api, arguments).await?, ""),
        args::SecretAsset::Delete(asset) => {
            let what = format!("cannot delete secret asset `{}`", asset.name);
            let found = one(&api, &asset.name, &what).await?;
            let _: Accepted = api
                .delete(&path(&found))
                .await
                .map_err(|error| error.explain(what))?;
            let said = format!(
                "secret asset `{}` is deleted; its credential stays",
                found.meta.name
            );
            objects::deleted::<SecretAsset>(printer, &[found.name()], &said)
        }
    }
}

fn path(found: &SecretAsset) -> String {
    format!("{SECRET_ASSETS}/{}", found.meta.id)
}

async fn create(api: &Api, arguments: &CreateSecretAsset) -> Result<SecretAsset, Failure> {
    let what = format!("cannot make secret asset `{}`", arguments.name);
    let said = (&arguments.name, arguments.description.as_deref());
    let meta = credential::meta(api, said, &arguments.place, &what).await?;
    let named = credential::one(api, &arguments.credential, &what).await?;
    let spec = json!({"credentialAssetId": named.meta.id, "mountPath": arguments.mount_path, "defaultMode": arguments.mode});
    api.post(SECRET_ASSETS, &json!({"meta": meta, "spec": spec}))
        .await
        .map_err(|error| error.explain(what))
}

/// The control plane takes what an asset says of workloads as a whole: what is not named is what was read just before.
async fn update(api: &Api, arguments: UpdateSecretAsset) -> Result<SecretAsset, Failure> {
    let what = format!("cannot change secret asset `{}`", arguments.name);
    let found = one(api, &arguments.name, &what).await?;
    let name = arguments.new_name.unwrap_or_else(|| found.meta.name.clone());
    let mut body = Map::from_iter([(
        "meta".to_owned(),
        json!({"name": name, "description": arguments.description}),
    )]);
    if arguments.credential.is_some() || arguments.mount_path.is_some() || arguments.mode.is_some() {
        let id = match &arguments.credential {
            Some(name) => credential::one(api, name, &what).await?.meta.id,
            None => found.spec.credential_asset_id,
        };
        let spec = json!({
            "credentialAssetId": id,
            "mountPath": arguments.mount_path.or_else(|| found.spec.mount_path.clone()),
            "defaultMode": arguments.mode.or_else(|| found.spec.default_mode.clone()),
        });
        body.insert("spec".to_owned(), spec);
    }
    api.put(&path(&found), &Value::Object(body))
        .await
        .map_err(|error| error.explain(what))
}

/// All of them, or those that a query lets through.
async fn all(api: &Api, query: &[(&str, &str)]) -> Result<Vec<SecretAsset>, CallError> {
    find::silent_pages(api, SECRET_ASSETS, query, |page: SecretAssets| page.entries).await
}

/// The one of this name or id.
async fn one(api: &Api, name: &str, what: &str) -> Result<SecretAsset, Failure> {
    let id = name.parse::<SecretAssetId>().ok();
    let query = [(if id.is_some() { "assetIds" } else { "name" }, name)];
    let all = all(api, &query).await.map_err(|error| error.explain(what))?;
    let fits = |it: &SecretAsset| match id {
        Some(id) => it.meta.id == id,
        None => it.meta.name.as_str() == name,
    };
    let fitting = all.into_iter().filter(fits);
    find::named(fitting, |it| it.meta.id.to_string(), ("secret asset", name), what)
}
