//! Puts the parts together.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::pin::pin;
use std::sync::Arc;

use anyhow::Context as _;
use prometheus_client::registry::Registry as Metrics;
use reeve_admission::names;
use reeve_kube_kit::lease::Lease;
use reeve_kube_kit::serve::{Listener, Readiness};
use reeve_kube_kit::{ClientError, Context, Registry};
use reeve_types::{Clock, ReservedNamespaces};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::args::Run;
use crate::link::{Link, session};
use crate::shared::Shared;
use crate::{controllers, setup};

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
    serve(&arguments, context.readiness.clone(), metrics, &mut listener).await?;
    let holder = format!("{}-{seed:016x}", std::process::id());
    let lease = Lease::new(
        context.client.clone(),
        names::SYSTEM_NAMESPACE,
        crate::MANAGER,
        &holder,
        context.clock.clone(),
    );
    let mut held = None;
    if arguments.leader_elect {
        context.readiness.missing("lease", "another replica leads");
        tokio::select! {
            taken = lease.acquire() => held = Some(taken),
            () = signals.stop() => return Ok(()),
        }
        context.readiness.ready("lease");
    }

    let stop = CancellationToken::new();
    let mut running = pin!(registry.run(stop.clone()));
    let lost = async {
        match held.as_mut() {
            Some(held) => held.hold().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        ended = listener.join_next() => anyhow::bail!("the listener ended by itself: {ended:?}"),
        () = lost => anyhow::bail!("the lease is lost: another replica leads"),
        () = signals.stop() => {}
    }
    tracing::info!("stopping: finishing the passes under way");
    stop.cancel();
    let ended = running.await;
    if let Some(held) = held {
        held.release().await;
    }
    Ok(ended?)
}

/// Everything that runs, not yet running. `seed` differs between processes.
async fn assemble(
    arguments: &Run,
    seed: u64,
    metrics: &mut Metrics,
) -> anyhow::Result<(Arc<Context>, Registry)> {
    let client = setup::kube_client(arguments.kubeconfig.as_deref()).await?;
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
    );
    controllers::add_all(&mut registry, &shared, metrics);
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

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn serve(
    arguments: &Run,
    readiness: Readiness,
    metrics: Metrics,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let listener = Listener::bind(arguments.listen).await?;
    let url = format!("https://{}", listener.address()?);
    let announcement = serde_json::json!({"url": url, "certificate": listener.certificate()});
    tracing::info!(url, "listening");
    tasks.spawn(async move {
        if let Err(error) = listener.serve(readiness, Arc::new(metrics)).await {
            tracing::error!(%error, "the health listener ended");
        }
    });
    if let Some(path) = &arguments.announce_file {
        let beside = path.with_extension("tmp");
        tokio::fs::write(&beside, announcement.to_string())
            .await
            .with_context(|| format!("cannot write `{}`", beside.display()))?;
        tokio::fs::rename(&beside, path)
            .await
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}
