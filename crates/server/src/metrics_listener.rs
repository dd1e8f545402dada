//! Metrics on a port of their own. There is none unless a flag says so, and none that shows them to strangers: who asks shows a
//! token of the cluster, or one that lies in a file, or is on this machine.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use axum_server::tls_rustls::RustlsConfig;
use clap::Args;
use reeve_https::{MetricsAccess, metrics};

use crate::app::App;
use crate::connections::{Bounded, Bounds, Connections};
use crate::http_bounds::set_bounds;

/// Connections to this port, in all and of one source: some monitoring systems, and no crowd.
const MOST: usize = 32;

/// Flags of the metrics.
#[derive(Debug, Clone, Args)]
pub(crate) struct MetricsFlags {
    /// Where /metrics is served over HTTPS, with the server's certificate; port 0 takes a free one. Nowhere by default. An address
    /// that others reach needs one of the two flags that say who may read.
    #[arg(long, env = "REEVE_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// Metrics are for who has a token of the cluster that this server runs in (or that KUBECONFIG names) and may `get` the path
    /// /metrics there. The server's ServiceAccount needs the right to create TokenReviews and SubjectAccessReviews, as
    /// `system:auth-delegator` gives it.
    #[arg(long, requires = "metrics_listen")]
    metrics_kubernetes: bool,
    /// Metrics are for who shows the token in this file; it is read each time.
    #[arg(long, requires = "metrics_listen", conflicts_with = "metrics_kubernetes")]
    metrics_token_file: Option<PathBuf>,
}

/// A listener that is bound.
#[derive(Debug)]
pub(crate) struct MetricsListener {
    listener: TcpListener,
    address: SocketAddr,
    access: MetricsAccess,
}

impl MetricsFlags {
    /// Binds where metrics are asked for.
    ///
    /// # Errors
    /// The address is taken, or would show metrics to everybody; no cluster is named where one should say who may read.
    pub(crate) async fn listen(&self) -> anyhow::Result<Option<MetricsListener>> {
        let Some(asked) = self.metrics_listen else {
            return Ok(None);
        };
        let access = match &self.metrics_token_file {
            Some(file) => MetricsAccess::token_in(file.clone()),
            None if self.metrics_kubernetes => MetricsAccess::of_this_cluster()
                .await
                .context("--metrics-kubernetes: no cluster can be asked who reads metrics")?,
            None if asked.ip().is_loopback() => MetricsAccess::anybody(),
            None => bail!(
                "--metrics-listen `{asked}` would show metrics to everybody who reaches that address: give \
                 --metrics-kubernetes in a cluster, --metrics-token-file elsewhere, or a loopback address"
            ),
        };
        let listener =
            TcpListener::bind(asked).with_context(|| format!("failed to listen on `{asked}` for metrics"))?;
        listener.set_nonblocking(true)?;
        Ok(Some(MetricsListener {
            address: listener.local_addr()?,
            listener,
            access,
        }))
    }
}

/// All metrics as of now, as OpenMetrics text. A cluster's lag is how many revisions of its desired state it has not applied.
///
/// # Errors
/// Never in practice: writing to a string.
pub fn text(app: &App) -> Result<String, fmt::Error> {
    let lags: Vec<_> = {
        let directory = app.directory();
        directory
            .clusters()
            .map(|it| it.revision.0.saturating_sub(it.applied_revision.0))
            .collect()
    };
    app.metrics.text(app.cluster_streams.streams(), &lags)
}

impl MetricsListener {
    /// Serves from now on, with this certificate; where.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn serve(self, app: &Arc<App>, certificate: RustlsConfig) -> anyhow::Result<String> {
        let url = format!("https://{}/metrics", self.address);
        let shown = Arc::clone(app);
        let router = metrics::router(self.access, move || text(&shown));
        let connections = Connections::new(Bounds {
            most: MOST,
            of_a_source: MOST,
            ..Bounds::default()
        });
        let mut server = axum_server::from_tcp_rustls(self.listener, certificate)?
            .map(|acceptor| Bounded::new(acceptor, connections));
        set_bounds(&mut server);
        tracing::info!(url, "showing metrics");
        tokio::spawn(async move {
            let ended = server.serve(router.into_make_service_with_connect_info::<SocketAddr>());
            if let Err(error) = ended.await {
                tracing::error!(%error, "the listener of the metrics ended");
            }
        });
        Ok(url)
    }
}
