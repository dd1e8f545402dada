//! `reeve cluster set-lowest-id`.

use reeve_api::cluster::Cluster;
use serde_json::json;

use crate::Context;
use crate::args::SetLowestId;
use crate::failure::Failure;
use crate::http::Api;

pub(in crate::commands) async fn run(context: &mut Context, arguments: SetLowestId) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let SetLowestId { cluster, lowest } = arguments;
    let what = format!("cannot set the lowest id of cluster `{cluster}`");
    let shown: Cluster = api
        .put(
            &format!("/api/v1/clusters/{cluster}/lowest-id"),
            &json!({ "lowestId": lowest }),
        )
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&shown, || {
        format!(
            "people may have uids and gids from {lowest} on in cluster `{}`; what runs there goes on",
            shown.name
        )
    })
}
