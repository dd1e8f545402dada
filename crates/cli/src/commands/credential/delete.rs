//! `reeve credential delete`.

use serde::de::IgnoredAny;
use serde_json::json;

use super::{one, path};
use crate::Context;
use crate::args::OneCredential;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context, arguments: OneCredential) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot delete credential `{}`", arguments.name);
    let found = one(&api, &arguments.name, &what).await?;
    api.delete::<Option<IgnoredAny>>(&path(&found))
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&json!({"deleted": found.meta.id}), || {
        format!(
            "credential `{}` is deleted, and its copies are being removed",
            found.meta.name
        )
    })
}
