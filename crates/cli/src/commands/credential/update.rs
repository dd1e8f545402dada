//! `reeve credential update`.

use reeve_api::credential::CredentialAsset;
use serde_json::{Map, Value, json};

use super::{one, path, values};
use crate::Context;
use crate::args::UpdateCredential;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context, arguments: UpdateCredential) -> Result<(), Failure> {
    let what = format!("cannot change credential `{}`", arguments.name);
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let found = one(&api, &arguments.name, &what).await?;
    let mut body = Map::new();
    if let Some(spec) = values::spec(found.meta.kind, &arguments.input, &what)? {
        body.insert("spec".to_owned(), spec);
    }
    if let Some(description) = &arguments.description {
        body.insert("meta".to_owned(), json!({ "description": description }));
    }
    if body.is_empty() {
        return Err(Failure::failed(what).cause("nothing is to change").hint(format!(
            "give --description, or new values: {}",
            values::needed(found.meta.kind)
        )));
    }
    let changed: CredentialAsset = api
        .put(&path(&found), &Value::Object(body))
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&changed, || {
        format!(
            "credential `{}` is changed, and its copies follow",
            changed.meta.name
        )
    })
}
