//! `reeve cluster new-secret`.

use reeve_api::service_account::NewSecret;
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
    let what = format!("cannot give cluster `{cluster}` a new link secret");
    let answer: NewSecret = api
        .post(&format!("/api/v1/clusters/{cluster}/secret"), &json!({}))
        .await
        .map_err(|error| error.explain(what))?;
    // The secret alone, so that it can go into a file; it is shown this once.
    let shown = json!({ "cluster": cluster, "clientSecret": answer.client_secret.expose() });
    context
        .printer
        .answer(&shown, || answer.client_secret.expose().to_owned())
}
