//! `reeve cluster create`.

use reeve_api::cluster::CreatedCluster;
use serde_json::json;

use crate::Context;
use crate::args::CreateCluster;
use crate::failure::Failure;
use crate::http::Api;

pub(in crate::commands) async fn run(context: &mut Context, arguments: CreateCluster) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot make cluster `{}`", arguments.name);
    let body = match arguments.domain {
        Some(domain) => json!({ "name": arguments.name, "domain": domain }),
        None => json!({ "name": arguments.name }),
    };
    let made: CreatedCluster = api
        .post("/api/v1/clusters", &body)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&made, || {
        let id = made.cluster.uuid;
        format!(
            "made cluster `{}`: {id}\nhow its operator is installed: `reeve cluster install-info {id}`",
            made.cluster.name
        )
    })
}
