//! What the flags of a run say, opened: files read, clients made.

use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_link::KubernetesEndpoint;

use crate::args::Run;
use crate::link::client::LinkClient;

/// How people reach the API server, as the flags say.
pub(crate) async fn endpoint(arguments: &Run) -> anyhow::Result<Option<KubernetesEndpoint>> {
    let Some(server) = arguments.advertise_api_server.clone() else {
        return Ok(None);
    };
    let ca = match &arguments.advertise_api_server_ca {
        Some(path) => read(path).await?,
        None => Vec::new(),
    };
    Ok(Some(KubernetesEndpoint {
        server,
        certificate_authority_data: STANDARD.encode(ca),
    }))
}

/// The client of the control plane; `None` when the flags name none.
pub(crate) async fn link_client(arguments: &Run) -> anyhow::Result<Option<LinkClient>> {
    let (Some(url), Some(cluster), Some(secret)) = (
        &arguments.server_url,
        arguments.cluster_id,
        &arguments.client_secret_file,
    ) else {
        tracing::info!(
            "no --server-url: enforcing the custom resources of this cluster, without a control plane"
        );
        return Ok(None);
    };
    // Whether it can be read at all is said at once.
    String::from_utf8(read(secret).await?).context("the cluster's secret is not text")?;
    let ca = match &arguments.ca_file {
        Some(path) => Some(read(path).await?),
        None => None,
    };
    Ok(Some(LinkClient::new(
        url,
        ca.as_deref(),
        cluster,
        secret.clone(),
    )?))
}

async fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    tokio::fs::read(path)
        .await
        .with_context(|| format!("cannot read `{}`", path.display()))
}
