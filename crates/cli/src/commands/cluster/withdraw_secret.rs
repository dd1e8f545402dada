//! `reeve cluster withdraw-secret`.

use serde_json::json;

use crate::Context;
use crate::args;
use crate::failure::Failure;
use crate::http::Api;

pub(in crate::commands) async fn run(
    context: &mut Context,
    arguments: args::NewSecret,
) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let cluster = arguments.cluster;
    let what = format!("cannot withdraw the link secret of cluster `{cluster}`");
    let (): () = api
        .delete(&format!("/api/v1/clusters/{cluster}/secret"))
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&json!({ "cluster": cluster }), || {
        format!(
            "the operator of cluster `{cluster}` is cut off; what runs there goes on. `reeve cluster new-secret {cluster}` lets it back \
             in, once it has the new secret"
        )
    })
}
