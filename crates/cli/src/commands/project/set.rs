//! `reeve config project`, `reeve project set`: the project that commands mean when they name none.

use serde_json::json;

use crate::Context;
use crate::args::DefaultProject;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;

pub(in crate::commands) async fn run(
    context: &mut Context,
    arguments: DefaultProject,
) -> Result<(), Failure> {
    let name = arguments.name;
    let what = format!("cannot make `{name}` the default project");
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    find::project(&api, &name, &what).await?;
    context.settings.keep_default_project(&name)?;
    context.printer.answer(&json!({ "project": name }), || {
        format!("commands that name no project now mean `{name}`")
    })
}
