//! Puts the parts together.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use reeve_admission::names;
use reeve_kube_kit::lease::Lease;
use reeve_kube_kit::observe::Passes;
use reeve_kube_kit::queue::{Keys, work};
use reeve_kube_kit::serve::{Listener, Readiness};
use reeve_kube_kit::{Name, Queue, describe};
use reeve_link::KubernetesEndpoint;
use reeve_types::{AccessRuleId, Clock, ReservedNamespaces};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::args::Run;
use crate::link::client::LinkClient;
use crate::world::{Queues, World};
use crate::{config, identities, link, policies, project, rule, watches, workload};

const NAMESPACES_AT_ONCE: usize = 16;
const STATUSES_AT_ONCE: usize = 8;
/// A pass that wrote holds its place for a moment, in which it does nothing.
const IDENTITIES_AT_ONCE: usize = 64;

/// Runs until SIGTERM or SIGINT, or until the lease is lost.
///
/// # Errors
/// What keeps it from starting, and the loss of the lease.
pub async fn run(arguments: Run) -> anyhow::Result<()> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut signals = Signals::listen()?;
    let client = kube_client(arguments.kubeconfig.as_deref()).await?;
    let link = link_client(&arguments).await?;
    let seed = RandomState::new().build_hasher().finish();
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let (world, keys) = world(client.clone(), endpoint(&arguments).await?, &arguments).await?;
    world
        .readiness
        .missing("caches", "the first lists are not complete yet");

    let mut tasks = JoinSet::new();
    serve(&arguments, world.readiness.clone(), registry, &mut tasks).await?;
    let holder = format!("{}-{seed:016x}", std::process::id());
    let lease = Lease::new(
        client,
        names::SYSTEM_NAMESPACE,
        crate::MANAGER,
        &holder,
        Clock::system(),
    );
    let mut held = None;
    if arguments.leader_elect {
        world.readiness.missing("lease", "another replica leads");
        tokio::select! {
            taken = lease.acquire() => held = Some(taken),
            () = signals.stop() => return Ok(()),
        }
        world.readiness.ready("lease");
    }

    watches::start(&world, &mut tasks);
    let stop = CancellationToken::new();
    let mut running = pin!(controllers(
        world.clone(),
        keys,
        metrics,
        link.map(|link| (link, seed)),
        stop.clone()
    ));
    let lost = async {
        match held.as_mut() {
            Some(held) => held.hold().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        part = &mut running => anyhow::bail!("{part} ended by itself"),
        ended = tasks.join_next() => anyhow::bail!("a watch or the listener ended by itself: {ended:?}"),
        () = lost => anyhow::bail!("the lease is lost: another replica leads"),
        () = signals.stop() => {}
    }
    tracing::info!("stopping: finishing the passes under way");
    stop.cancel();
    running.await;
    if let Some(held) = held {
        held.release().await;
    }
    Ok(())
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

struct Metrics {
    passes: Passes,
    alarms: Gauge,
    config: config::Gauges,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let alarms = Gauge::default();
        registry.register(
            "reeve_policy_alarms",
            "Admission policies that are missing or changed",
            alarms.clone(),
        );
        let config = config::Gauges::default();
        registry.register(
            "reeve_cluster_deleted",
            "1 while the control plane says that this cluster was deleted there",
            config.deleted.clone(),
        );
        registry.register(
            "reeve_identity_boundary",
            "1 while no container of a project can become somebody else than the person it runs as",
            config.identity_boundary.clone(),
        );
        Self {
            passes: Passes::register(registry),
            alarms,
            config,
        }
    }
}

/// The other ends of the queues.
struct AllKeys {
    namespaces: Keys<String>,
    rules: Keys<AccessRuleId>,
    workloads: Keys<Name>,
    identities: Keys<String>,
    config: Keys<()>,
    policies: Keys<()>,
}

async fn world(
    client: Client,
    endpoint: Option<KubernetesEndpoint>,
    arguments: &Run,
) -> anyhow::Result<(Arc<World>, AllKeys)> {
    let version = client
        .apiserver_version()
        .await
        .map_err(|error| anyhow::anyhow!(describe(&error)));
    let version = version
        .context("cannot ask the API server for its version")?
        .git_version;
    let (namespaces, namespace_keys) = Queue::new();
    let (rules, rule_keys) = Queue::new();
    let (workloads, workload_keys) = Queue::new();
    let (identities, identity_keys) = Queue::new();
    let (config, config_keys) = Queue::new();
    let (policies, policy_keys) = Queue::new();
    let queues = Queues {
        namespaces,
        rules,
        workloads,
        identities,
        config,
        policies,
    };
    let reserved = ReservedNamespaces::new(arguments.reserved_namespaces.clone());
    let keys = AllKeys {
        namespaces: namespace_keys,
        rules: rule_keys,
        workloads: workload_keys,
        identities: identity_keys,
        config: config_keys,
        policies: policy_keys,
    };
    Ok((
        Arc::new(World::new(
            client,
            Clock::system(),
            queues,
            version,
            endpoint,
            reserved,
        )),
        keys,
    ))
}

/// Waits for the caches, then works until stopped. Answers what ended first.
async fn controllers(
    world: Arc<World>,
    keys: AllKeys,
    metrics: Metrics,
    link: Option<(LinkClient, u64)>,
    stop: CancellationToken,
) -> String {
    tokio::select! {
        () = watches::synced(&world) => {}
        () = stop.cancelled() => return String::new(),
    }
    world.readiness.ready("caches");
    tracing::info!(
        projects = world.mirrors.projects.all().len(),
        rules = world.mirrors.rules.all().len(),
        "caches complete"
    );
    world.queues.policies.add(());
    let expected = Arc::new(policies::expected(&reeve_admission::policies()));
    let Metrics {
        passes,
        alarms,
        config: gauges,
    } = metrics;
    let start = |name| (passes.clone(), stop.clone(), world.clone(), name);
    let mut all = JoinSet::new();
    let (p, s, w, name) = start("project");
    all.spawn(work(
        name,
        keys.namespaces,
        NAMESPACES_AT_ONCE,
        p,
        s,
        move |key| project::reconcile(w.clone(), key),
    ));
    let (p, s, w, name) = start("rule");
    all.spawn(work(name, keys.rules, STATUSES_AT_ONCE, p, s, move |key| {
        rule::reconcile(w.clone(), key)
    }));
    let (p, s, w, name) = start("workload");
    all.spawn(work(name, keys.workloads, STATUSES_AT_ONCE, p, s, move |key| {
        workload::reconcile(w.clone(), key)
    }));
    let (p, s, w, name) = start("identities");
    all.spawn(work(
        name,
        keys.identities,
        IDENTITIES_AT_ONCE,
        p,
        s,
        move |key| identities::reconcile(w.clone(), key),
    ));
    let (p, s, w, name) = start("config");
    all.spawn(work(name, keys.config, 1, p, s, move |()| {
        config::reconcile(w.clone(), gauges.clone())
    }));
    let (p, s, w, name) = start("policies");
    all.spawn(work(name, keys.policies, 1, p, s, move |()| {
        policies::reconcile(w.clone(), expected.clone(), alarms.clone())
    }));
    if let Some((link, seed)) = link {
        let (_, s, w, _) = start("link");
        all.spawn(async move {
            tokio::select! {
                () = link::session::run(w, link, seed) => {}
                () = s.cancelled() => {}
            }
        });
    } else {
        // No control plane: there is none on which this cluster could be deleted.
        world.set_deleted(false);
    }
    // The first that ends before it was told to takes the process with it: half an operator is worse than a restart.
    let ended = all.join_next().await;
    if stop.is_cancelled() {
        while all.join_next().await.is_some() {}
    }
    match ended {
        Some(Err(error)) => format!("a controller or the link ({error})"),
        _ => "a controller or the link".to_owned(),
    }
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
