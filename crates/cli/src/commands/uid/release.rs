//! `reeve uid release`.

use serde_json::json;

use crate::Context;
use crate::args::ReleaseUid;
use crate::failure::Failure;
use crate::http::Api;

pub(in crate::commands) async fn run(context: &mut Context, arguments: ReleaseUid) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let uid = arguments.uid;
    let what = format!("cannot release uid `{uid}`");
    let (): () = api
        .delete(&format!("/api/v1/uids/{uid}"))
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&json!({ "uid": uid }), || {
        format!(
            "uid `{uid}` can be given again; files and pods that are left under it will be its next owner's: look for them first"
        )
    })
}
