//! `reeve kubernetes-token`: the credential plugin that kubectl runs.

use serde_json::json;

use crate::Context;
use crate::args::KubernetesToken;
use crate::failure::Failure;
use crate::http::Api;
use crate::kubernetes;
use crate::printer::escaped;

pub(super) async fn run(context: &mut Context, arguments: KubernetesToken) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot get a token for cluster `{}`", arguments.cluster);
    let token = kubernetes::token(&api, arguments.cluster)
        .await
        .map_err(|error| error.explain(what))?;
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": { "token": token.token.expose(), "expirationTimestamp": token.expiration_timestamp },
    });
    // Always JSON: its reader is kubectl.
    let text = escaped(&credential.to_string());
    context.printer.raw(format!("{text}\n").as_bytes())
}
