//! Puts the parts together.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use anyhow::Context as _;
use prometheus_client::registry::Registry as Metrics;
use reeve_kube_kit::lease::Lease;
use reeve_kube_kit::program::{self, Signals};
use reeve_kube_kit::serve::{CertificateFiles, Listener};
use reeve_kube_kit::{Context, Registry};
use reeve_types::Clock;
use tokio::task::JoinSet;

use crate::args::{Args, Listen};
use crate::registry::{RegistryError, RegistrySettings};
use crate::shared::{Settings, Shared};
use crate::{controllers, http};

/// Its field manager where no controller writes, and its name in logs.
const MANAGER: &str = "aim-engine";
/// The lease of the leader, as the reference has it: during an upgrade one of both leads.
const LEASE: &str = "3be10d2f.eai.amd.com";
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Runs until SIGTERM or SIGINT, or until the lease is lost.
///
/// # Errors
/// What keeps it from starting, and the loss of the lease.
pub async fn run(arguments: Args) -> anyhow::Result<()> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut signals = Signals::listen()?;
    let client = program::client(arguments.kubeconfig.as_deref()).await?;
    let settings = settings(&arguments).await?;
    let context = Arc::new(Context::new(client, Clock::system(), MANAGER));
    let mut metrics = Metrics::default();
    let registry = assemble(&context, &settings, &mut metrics)?;

    let mut listeners = JoinSet::new();
    serve(&arguments, &context, metrics, &mut listeners).await?;
    let lease = Lease::new(
        context.client.clone(),
        &settings.namespace,
        LEASE,
        &settings.identity,
        context.clock.clone(),
    );
    let lease = arguments.leader_elect.then_some(&lease);
    Ok(program::run(registry, &context.readiness, lease, &mut listeners, &mut signals).await?)
}

/// Every cache and controller, not yet running.
///
/// # Errors
/// When no client for image registries can be made of the settings.
pub fn assemble(
    context: &Arc<Context>,
    settings: &Settings,
    metrics: &mut Metrics,
) -> Result<Registry, RegistryError> {
    let mut registry = Registry::new(context.clone(), metrics);
    let shared = Shared::new(context.clone(), &mut registry, settings.clone())?;
    controllers::add_all(&mut registry, &shared);
    Ok(registry)
}

async fn settings(arguments: &Args) -> anyhow::Result<Settings> {
    let of_account = tokio::fs::read_to_string(NAMESPACE_FILE).await.ok();
    let of_account = of_account
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    let said = arguments.system_namespace.clone().filter(|name| !name.is_empty());
    let seed = RandomState::new().build_hasher().finish();
    let made_up = || format!("{}-{seed:016x}", std::process::id());
    let authority = match &arguments.registry_ca {
        Some(file) => {
            let text = tokio::fs::read_to_string(file).await;
            Some(text.with_context(|| format!("cannot read `{}` of --registry-ca", file.display()))?)
        }
        None => None,
    };
    Ok(Settings {
        namespace: said.or(of_account).unwrap_or_else(|| "aim-system".to_owned()),
        identity: arguments
            .pod_name
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(made_up),
        registry: RegistrySettings {
            endpoints: arguments.registry_endpoint.iter().cloned().collect(),
            authority,
            private_addresses: arguments.registry_private_addresses,
            patience: None,
        },
        download_image: arguments
            .artifact_downloader_image
            .clone()
            .filter(|image| !image.is_empty()),
    })
}

async fn serve(
    arguments: &Args,
    context: &Context,
    metrics: Metrics,
    tasks: &mut JoinSet<std::io::Result<()>>,
) -> anyhow::Result<()> {
    let readiness = context.readiness.clone();
    if let Listen::At(address) = arguments.health_probe_bind_address {
        let listener = http::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on `{address}` for probes"))?;
        tracing::info!(address = %listener.local_addr()?, "probes");
        tasks.spawn(http::probes(listener, readiness.clone()));
    }
    let Listen::At(address) = arguments.metrics_bind_address else {
        return Ok(());
    };
    if arguments.metrics_secure {
        let listener = match &arguments.metrics_cert_path {
            Some(folder) => {
                let certificate = folder.join(&arguments.metrics_cert_name);
                let files = CertificateFiles::new(certificate, folder.join(&arguments.metrics_cert_key));
                Listener::bind_with(address, files).await?
            }
            None => Listener::bind(address).await?,
        };
        let listener = listener.authorizing_metrics(context.client.clone());
        tracing::info!(address = %listener.address()?, "metrics over HTTPS");
        tasks.spawn(listener.serve(readiness, metrics));
    } else {
        let listener = http::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on `{address}` for metrics"))?;
        tracing::info!(address = %listener.local_addr()?, "metrics over HTTP, for anybody");
        tasks.spawn(http::metrics(listener, Arc::new(metrics)));
    }
    Ok(())
}
