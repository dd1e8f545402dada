//! `reeve project allow-networking`.

use reeve_api::org::Project;
use serde_json::json;

use crate::Context;
use crate::args::AllowNetworking;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;

pub(in crate::commands) async fn run(
    context: &mut Context,
    arguments: AllowNetworking,
) -> Result<(), Failure> {
    let AllowNetworking { name, off } = arguments;
    let what = format!("cannot decide who writes Ingresses and NetworkPolicies in `{name}`");
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let id = find::project(&api, &name, &what).await?.id;
    let shown: Project = api
        .put(
            &format!("/api/v1/org-unit/projects/{id}/networking"),
            &json!({ "allowNetworking": !off }),
        )
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&shown, || {
        if off {
            format!("only the cluster's installers write Ingresses and NetworkPolicies in `{name}`; what is there stays")
        } else {
            format!("people who run workloads in `{name}` may write Ingresses and NetworkPolicies there")
        }
    })
}
