//! Puts the parts together.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kube::Api;
use prometheus_client::registry::Registry as Metrics;
use reeve_admission::names;
use reeve_crds::ReeveConfig;
use reeve_files::Readers;
use reeve_kube_kit::lease::Lease;
use reeve_kube_kit::program::{self, Signals};
use reeve_kube_kit::serve::{CertificateFiles, Listener};
use reeve_kube_kit::storage::until_it_goes_back;
use reeve_kube_kit::{ClientError, Context, Registry};
use reeve_types::{Clock, ReservedNamespaces};
use tokio::task::JoinSet;

use crate::args::Run;
use crate::link::{Link, session};
use crate::shared::Shared;
use crate::{controllers, setup};

/// How often it is asked whether the API server's storage went back.
const STORAGE: Duration = Duration::from_secs(30);

/// Runs until SIGTERM or SIGINT, or until the lease is lost.
///
/// # Errors
/// What keeps it from starting, and the loss of the lease.
pub async fn run(arguments: Run) -> anyhow::Result<()> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut signals = Signals::listen()?;
    let seed = RandomState::new().build_hasher().finish();
    let mut metrics = Metrics::default();
    let (context, registry) = assemble(&arguments, seed, &mut metrics).await?;

    let mut listener = JoinSet::new();
    serve(&arguments, &context, metrics, &mut listener).await?;
    let made_up = || format!("{}-{seed:016x}", std::process::id());
    let holder = arguments.lease_holder.clone().unwrap_or_else(made_up);
    let lease = Lease::new(
        context.client.clone(),
        names::SYSTEM_NAMESPACE,
        crate::MANAGER,
        &holder,
        context.clock.clone(),
    );
    let lease = arguments.leader_elect.then_some(&lease);
    Ok(program::run(registry, &context.readiness, lease, &mut listener, &mut signals).await?)
}

/// Everything that runs, not yet running. `seed` differs between processes.
async fn assemble(
    arguments: &Run,
    seed: u64,
    metrics: &mut Metrics,
) -> anyhow::Result<(Arc<Context>, Registry)> {
    let client = program::client(arguments.kubeconfig.as_deref()).await?;
    let link = setup::link_client(arguments).await?;
    let endpoint = setup::endpoint(arguments).await?;
    let version = client
        .apiserver_version()
        .await
        .map_err(ClientError::from)
        .context("cannot ask the API server for its version")?;
    let context = Arc::new(Context::new(client, Clock::system(), crate::MANAGER));
    let mut registry = Registry::new(context.clone(), metrics);
    let shared = Shared::new(
        context.clone(),
        &mut registry,
        version.git_version,
        endpoint,
        ReservedNamespaces::new(arguments.reserved_namespaces.clone()),
        arguments.admission,
        &arguments.secret_namespaces,
    );
    controllers::add_all(&mut registry, &shared, metrics);
    let asked = Api::<ReeveConfig>::all(context.client.clone());
    registry.add_task(
        "watch over the API server's storage",
        until_it_goes_back(asked, STORAGE),
    );
    match link {
        Some(client) => {
            let link = Link::new(&shared);
            registry.add_task("link", session::run(link, client, seed));
        }
        // No control plane: there is none on which this cluster could be deleted.
        None => drop(shared.cluster.set_deleted(false)),
    }
    Ok((context, registry))
}

async fn serve(
    arguments: &Run,
    context: &Context,
    metrics: Metrics,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let mut listener = match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            Listener::bind_with(arguments.listen, CertificateFiles::new(certificate, key)).await?
        }
        _ => Listener::bind(arguments.listen).await?,
    };
    if arguments.authorize_metrics {
        listener = listener.authorizing_metrics(context.client.clone());
    }
    let readiness = context.readiness.clone();
    let url = format!("https://{}", listener.address()?);
    let announcement = serde_json::json!({"url": url, "certificate": listener.certificate()});
    tracing::info!(url, "listening");
    tasks.spawn(async move {
        if let Err(error) = listener.serve(readiness, metrics).await {
            tracing::error!(%error, "the health listener ended");
        }
    });
    if let Some(path) = &arguments.announce_file {
        reeve_files::replace(path, announcement.to_string().as_bytes(), Readers::Usual)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}
