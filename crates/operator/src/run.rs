//! Puts the parts together.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use reeve_kube_kit::lease::Lease;
use reeve_kube_kit::observe::Passes;
use reeve_kube_kit::queue::work;
use reeve_kube_kit::serve::{Listener, Readiness};
use reeve_kube_kit::{Queue, describe};
use reeve_link::KubernetesEndpoint;
use reeve_types::{Clock, Secret};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::args::Run;
use crate::link::client::LinkClient;
use crate::world::{Queues, World};
use crate::{config, link, policies, project, rule, watches, workload};

const NAMESPACES_AT_ONCE: usize = 16;
const STATUSES_AT_ONCE: usize = 8;

/// Runs until SIGTERM or SIGINT, or until the lease is lost.
///
/// # Errors
/// What keeps it from starting, and the loss of the lease.
pub async fn run(arguments: Run) -> anyhow::Result<()> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = kube_client(arguments.kubeconfig.as_deref()).await?;
    let kubernetes = client
        .apiserver_version()
        .await
        .map_err(|e| anyhow::anyhow!(describe(&e)))
        .context("cannot ask the API server for its version")?;
    let endpoint = endpoint(&arguments).await?;
    let link = link_client(&arguments).await?;
    let expected = Arc::new(policies::expected(&reeve_admission::policies()));
    let seed = RandomState::new().build_hasher().finish();

    let mut registry = Registry::default();
    let passes = Passes::register(&mut registry);
    let alarms = Gauge::<i64>::default();
    registry.register(
        "reeve_policy_alarms",
        "Admission policies that are missing or changed",
        alarms.clone(),
    );

    let (namespaces, namespace_keys) = Queue::new();
    let (rules, rule_keys) = Queue::new();
    let (workloads, workload_keys) = Queue::new();
    let (configs, config_keys) = Queue::new();
    let (watched, policy_keys) = Queue::new();
    let queues = Queues {
        namespaces,
        rules,
        workloads,
        config: configs,
        policies: watched,
    };
    let world = Arc::new(World::new(
        client.clone(),
        Clock::system(),
        queues,
        kubernetes.git_version,
        endpoint,
    ));
    world
        .readiness
        .missing("caches", "the first lists are not complete yet");

    let mut tasks = JoinSet::new();
    serve(&arguments, world.readiness.clone(), registry, &mut tasks).await?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let stop = CancellationToken::new();

    let holder = format!("{}-{seed:016x}", std::process::id());
    let lease = Lease::new(
        client,
        reeve_admission::names::SYSTEM_NAMESPACE,
        crate::MANAGER,
        &holder,
        Clock::system(),
    );
    let mut held = if arguments.leader_elect {
        world.readiness.missing("lease", "another replica leads");
        let held = tokio::select! {
            held = lease.acquire() => held,
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        };
        world.readiness.ready("lease");
        Some(held)
    } else {
        None
    };

    watches::start(&world, &mut tasks);
    let mut controllers = JoinSet::new();
    let started = {
        let world = world.clone();
        let stop = stop.clone();
        async move {
            watches::synced(&world).await;
            world.readiness.ready("caches");
            tracing::info!(
                projects = world.mirrors.projects.all().len(),
                rules = world.mirrors.rules.all().len(),
                "caches complete"
            );
            world.queues.policies.add(());
            let w = world.clone();
            controllers.spawn(work(
                "project",
                namespace_keys,
                NAMESPACES_AT_ONCE,
                passes.clone(),
                stop.clone(),
                move |key| project::reconcile(w.clone(), key),
            ));
            let w = world.clone();
            controllers.spawn(work(
                "rule",
                rule_keys,
                STATUSES_AT_ONCE,
                passes.clone(),
                stop.clone(),
                move |key| rule::reconcile(w.clone(), key),
            ));
            let w = world.clone();
            controllers.spawn(work(
                "workload",
                workload_keys,
                STATUSES_AT_ONCE,
                passes.clone(),
                stop.clone(),
                move |key| workload::reconcile(w.clone(), key),
            ));
            let w = world.clone();
            controllers.spawn(work(
                "config",
                config_keys,
                1,
                passes.clone(),
                stop.clone(),
                move |()| config::reconcile(w.clone()),
            ));
            let w = world.clone();
            controllers.spawn(work(
                "policies",
                policy_keys,
                1,
                passes,
                stop.clone(),
                move |()| {
                    let (w, expected, alarms) = (w.clone(), expected.clone(), alarms.clone());
                    async move {
                        let done = policies::reconcile(w.clone(), expected).await;
                        alarms
                            .set(i64::try_from(w.cluster_settings().policy_alarms.len()).unwrap_or(i64::MAX));
                        done
                    }
                },
            ));
            if let Some(link) = link {
                let w = world.clone();
                controllers.spawn(async move {
                    tokio::select! {
                        () = link::session::run(w, link, seed) => {}
                        () = stop.cancelled() => {}
                    }
                });
            }
            while controllers.join_next().await.is_some() {}
        }
    };
    let mut running = std::pin::pin!(started);
    let lost = async {
        match held.as_mut() {
            Some(held) => held.hold().await,
            None => std::future::pending().await,
        }
    };
    let outcome = tokio::select! {
        () = &mut running => Err(anyhow::anyhow!("every controller ended")),
        () = lost => Err(anyhow::anyhow!("the lease is lost: another replica leads")),
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    stop.cancel();
    if outcome.is_ok() {
        tracing::info!("stopping: finishing the passes under way");
        // Before the caches are complete there is nothing under way.
        if world
            .readiness
            .report()
            .iter()
            .all(|missing| !missing.starts_with("caches"))
        {
            running.await;
        }
        if let Some(held) = held {
            held.release().await;
        }
    }
    outcome
}

async fn kube_client(kubeconfig: Option<&Path>) -> anyhow::Result<Client> {
    let config = match kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path)
                .with_context(|| format!("cannot read kubeconfig `{}`", path.display()))?;
            Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                .await
                .with_context(|| format!("cannot use kubeconfig `{}`", path.display()))?
        }
        None => Config::infer()
            .await
            .context("no kubeconfig and no ServiceAccount found; give --kubeconfig")?,
    };
    Client::try_from(config).context("cannot make a client of the API server")
}

async fn endpoint(arguments: &Run) -> anyhow::Result<Option<KubernetesEndpoint>> {
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

async fn link_client(arguments: &Run) -> anyhow::Result<Option<LinkClient>> {
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
    let secret = String::from_utf8(read(secret).await?).context("the cluster's secret is not text")?;
    let ca = match &arguments.ca_file {
        Some(path) => Some(read(path).await?),
        None => None,
    };
    Ok(Some(LinkClient::new(
        url,
        ca.as_deref(),
        cluster,
        Secret::new(secret.trim()),
    )?))
}

async fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    tokio::fs::read(path)
        .await
        .with_context(|| format!("cannot read `{}`", path.display()))
}

async fn serve(
    arguments: &Run,
    readiness: Readiness,
    registry: Registry,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let listener = Listener::bind(arguments.listen).await?;
    let url = format!("https://{}", listener.address()?);
    let announcement = serde_json::json!({"url": url, "certificate": listener.certificate()});
    tracing::info!(url, "listening");
    tasks.spawn(async move {
        if let Err(error) = listener.serve(readiness, Arc::new(registry)).await {
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
