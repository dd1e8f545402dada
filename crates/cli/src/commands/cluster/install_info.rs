//! `reeve cluster install-info`.

use reeve_api::cluster::ClusterInstallInfo;

use crate::Context;
use crate::args::InstallInfo;
use crate::failure::Failure;
use crate::http::Api;

pub(in crate::commands) async fn run(context: &mut Context, arguments: InstallInfo) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let cluster = arguments.cluster;
    let mut query = vec![("version", arguments.chart_version.as_str())];
    query.extend(
        arguments
            .api_server
            .as_deref()
            .map(|url| ("remoteClusterUrl", url)),
    );
    let path = format!("/api/v1/clusters/{cluster}/cluster-install-info");
    let info: ClusterInstallInfo = api
        .get(&path, &query)
        .await
        .map_err(|error| error.explain(format!("cannot show how cluster `{cluster}` is installed")))?;
    // The commands alone, so that they can go into a file or a shell.
    context.printer.answer(&info, || info.installation_str.clone())
}
